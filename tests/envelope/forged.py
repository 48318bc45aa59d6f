"""An attacker's HPKE: seals with a shared secret of the attacker's choosing. RFC 9180 sections 4.1 and 5.1, draft-ietf-hpke-pq."""

from __future__ import annotations

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# Every encoding of a point of small order, as Wycheproof's x25519 set lists them: with any private key their shared secret is zero.
SMALL = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)
LOW_ORDER = tuple(bytes.fromhex(p)[:31] + bytes([bytes.fromhex(p)[31] | top]) for p in SMALL for top in (0, 0x80))


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    found, last = b"", b""
    for n in range(1, -(-size // 32) + 1):
        last = hmac.digest(prk, last + struct.pack(">H", size) + b"HPKE-v1" + suite + label + info + bytes([n]), "sha256")
        found += last
    return found[:size]


def _sealed(kem: int, shared: bytes, info: bytes, secret: bytes) -> bytes:
    suite = b"HPKE" + struct.pack(">HHH", kem, 1, 2)
    context = b"\0" + _extract(suite, b"", b"psk_id_hash", b"") + _extract(suite, b"", b"info_hash", info)
    prk = _extract(suite, shared, b"secret", b"")
    return AESGCM(_expand(suite, prk, b"key", context, 32)).encrypt(_expand(suite, prk, b"base_nonce", context, 12), secret, None)


def _shared(point: bytes | None, public: bytes) -> tuple[bytes, bytes]:
    """Ephemeral point and Diffie-Hellman result: of `point` it is zero; without one an honest pair."""
    if point is not None:
        return point, bytes(32)
    own = X25519PrivateKey.generate()
    return own.public_key().public_bytes_raw(), own.exchange(X25519PublicKey.from_public_bytes(public))


def forged_x25519(public: bytes, info: bytes, secret: bytes, point: bytes | None = None) -> bytes:
    enc, dh = _shared(point, public)
    suite = b"KEM\0\x20"
    shared = _expand(suite, _extract(suite, b"", b"eae_prk", dh), b"shared_secret", enc + public, 32)
    return enc + _sealed(0x20, shared, info, secret)


def forged_hybrid(public: bytes, info: bytes, secret: bytes, point: bytes | None = None) -> bytes:
    shared, lattice = MLKEM768PublicKey.from_public_bytes(public[:1184]).encapsulate()
    enc, dh = _shared(point, public[1184:])
    combined = hashlib.sha3_256(shared + dh + enc + public[1184:] + b"\\.//^\\").digest()
    return lattice + enc + _sealed(0x647A, combined, info, secret)
