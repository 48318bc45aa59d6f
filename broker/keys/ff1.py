"""FF1 over columns of numbers: AES-256, radix 10, 6 to 18 digits, one AES call per round for a whole column. Server only (numpy).

Source: NIST SP 800-38G rev. 1 (second public draft, February 2025), algorithms 7 and 8. It asks for domains of at least 10^6, so fewer digits
are refused. Up to 18 digits a half has nine, so that it fits 4 bytes (b ≤ 4), what a round adds 8 (d = 8), and both an unsigned 64-bit number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from broker.errors import NotVerified

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS: Final = range(6, 19)
BLOCK: Final = 16
ROUNDS: Final = 10
ROWS: Final = 8_192  # at a time: a round's buffers stay in the processor's cache


def encrypt(key: bytes, tweak: bytes, digits: int, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """FF1 of each number, read as `digits` decimal digits. numbers: uint64 (n). ValueError for one that has more digits, or `digits` outside DIGITS."""
    return _ff1(key, tweak, digits, numbers, range(ROUNDS))


def decrypt(key: bytes, tweak: bytes, digits: int, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The numbers that `encrypt` made these of."""
    return _ff1(key, tweak, digits, numbers, range(ROUNDS)[::-1])


def _ff1(key: bytes, tweak: bytes, digits: int, numbers: NDArray[np.uint64], rounds: range) -> NDArray[np.uint64]:
    if digits not in DIGITS:
        raise ValueError("FF1 here takes 6 to 18 digits")
    if len(numbers) and int(numbers.max()) >= 10**digits:
        raise ValueError("a number has more digits than the domain")
    u = digits // 2
    v = digits - u
    width = ((10**v - 1).bit_length() + 7) // 8  # b of the standard
    moduli = (np.uint64(10**u), np.uint64(10**v))
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the primitive FF1 is made of
    # CBC-MAC of all blocks but the last is the same for every number, and so is the last but for its round and number.
    state = bytes(BLOCK)
    fixed = bytes((1, 2, 1, 0, 0, 10, ROUNDS, u)) + digits.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    fixed += tweak + bytes((-len(tweak) - width - 1) % BLOCK + 1 + width)
    for at in range(0, len(fixed) - BLOCK, BLOCK):
        state = aes.update(_xor(state, fixed[at : at + BLOCK]))
    last = _xor(state, fixed[-BLOCK:])
    tail = int.from_bytes(last[8:], "big")

    size = min(ROWS, len(numbers))
    blocks = np.empty((size, 2), np.uint64)
    blocks[:, 0] = np.frombuffer(last, np.uint64)[0]
    sealed = np.empty(size * BLOCK + BLOCK - 1, np.uint8)  # update_into asks for so much room
    added = sealed[: size * BLOCK].view(">u8").reshape(size, 2)[:, 0]
    out = np.empty(len(numbers), np.uint64)
    for start in range(0, len(numbers), ROWS):
        part = numbers[start : start + ROWS]
        n = len(part)
        a = part // moduli[1]
        b = part - a * moduli[1]
        for i in rounds:
            # Round i goes from (a, b) to (b, (a + y) mod m), and back: y is made of the half that both have.
            kept, changed = (b, a) if rounds.step > 0 else (a, b)
            np.bitwise_xor(kept, np.uint64(tail ^ i << 8 * width), out=blocks[:n, 1])
            blocks[:n, 1].byteswap(inplace=True)
            aes.update_into(blocks[:n].data.cast("B"), sealed.data)
            y = added[:n].astype(np.uint64)
            m = moduli[i % 2]
            y -= y // m * m  # numpy's % is several times slower than its //
            if rounds.step > 0:
                y += changed
                a, b = b, np.minimum(y, y - m)  # what is below 0 has wrapped round to the top
            else:
                np.subtract(changed, y, out=y)
                a, b = np.minimum(y, y + m), a
        out[start : start + n] = a * moduli[1] + b
    return out


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


# SP 800-38G, FF1 sample 8 (AES-256, ten digits, a tweak of ten bytes).
_SAMPLE_KEY: Final = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94"
_SAMPLE_TWEAK: Final = "39383736353433323130"
_SAMPLE: Final = (123_456_789, 1_001_623_463)


def selftest() -> None:
    """NotVerified unless FF1 here gives the number of NIST's sample, and goes back."""
    given = (bytes.fromhex(_SAMPLE_KEY), bytes.fromhex(_SAMPLE_TWEAK), 10)
    plain, sealed = (np.array([number], np.uint64) for number in _SAMPLE)
    if encrypt(*given, plain) != sealed or decrypt(*given, sealed) != plain:
        raise NotVerified("FF1 does not give its known answer")
