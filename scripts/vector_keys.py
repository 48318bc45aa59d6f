"""Keys, digests and codings of the formats, for the vector files alone: `cryptography` and the standard library, nothing of the broker."""

from __future__ import annotations

import hashlib
import json
import struct
from base64 import b64encode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

AGREEMENT = "nk-sijunjung-2025"


def seed(name: str) -> bytes:
    return hashlib.sha256(f"sinergi vector {name}".encode()).digest()


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def jcs(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def kid(purpose: str, public: bytes) -> str:
    return urlsafe_b64encode(sha(purpose.encode() + b"\0" + public)[:16]).rstrip(b"=").decode()


def derive(root: bytes, label: str, *parts: str | bytes) -> bytes:
    raw = [p.encode() if isinstance(p, str) else p for p in parts]
    return HKDFExpand(SHA256(), 32, label.encode() + b"\0" + b"".join(struct.pack(">H", len(p)) + p for p in raw)).derive(root)


def cmac(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def ff1(key: bytes, tweak: bytes, radix: int, numerals: list[int]) -> list[int]:
    """FF1 as SP 800-38G writes it (algorithm 7), numeral by numeral."""
    n, t = len(numerals), len(tweak)
    u = n // 2
    v = n - u
    b = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * -(-b // 4) + 4
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - as the standard has it

    def number(part: list[int]) -> int:
        return sum(x * radix**i for i, x in enumerate(reversed(part)))

    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")
    left, right = numerals[:u], numerals[u:]
    for i in range(10):
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + number(right).to_bytes(b, "big")
        r = bytes(16)
        for at in range(0, len(p + q), 16):
            r = aes.update(bytes(x ^ y for x, y in zip(r, (p + q)[at : at + 16], strict=True)))
        s = b"".join([r, *(aes.update(bytes(x ^ y for x, y in zip(r, j.to_bytes(16, "big"), strict=True))) for j in range(1, -(-d // 16)))])[:d]
        m = u if i % 2 == 0 else v
        c = (number(left) + int.from_bytes(s, "big")) % radix**m
        left, right = right, [c // radix**k % radix for k in reversed(range(m))]
    return left + right


def ff1_digits(key: bytes, tweak: bytes, digits: str) -> str:
    return "".join(map(str, ff1(key, tweak, 10, list(map(int, digits)))))


# --- keys, as docs/formats/keys.md
def ed25519(secret: bytes) -> tuple[Ed25519PrivateKey, bytes]:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    return private, private.public_key().public_bytes_raw()


def receipt_key(secret: bytes) -> tuple[Ed25519PrivateKey, mldsa.MLDSA65PrivateKey, bytes]:
    expanded = hashlib.shake_256(secret).digest(64)
    classic, public = ed25519(expanded[:32])
    post_quantum = mldsa.MLDSA65PrivateKey.from_seed_bytes(expanded[32:])
    return classic, post_quantum, public + post_quantum.public_key().public_bytes_raw()


def kem_key(secret: bytes) -> tuple[MLKEM768X25519PublicKey, bytes]:
    expanded = hashlib.shake_256(secret).digest(96)
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).public_key()
    curve = x25519.X25519PrivateKey.from_private_bytes(expanded[64:]).public_key()
    return MLKEM768X25519PublicKey(lattice, curve), lattice.public_bytes_raw() + curve.public_bytes_raw()


def x25519_key(secret: bytes) -> tuple[x25519.X25519PublicKey, bytes]:
    public = x25519.X25519PrivateKey.from_private_bytes(secret).public_key()
    return public, public.public_bytes_raw()
