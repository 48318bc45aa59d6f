"""Key types, one per purpose: a KEM key cannot sign, a log key cannot open. Secrets are 32-byte seeds.

A key is made of its bytes once and kept (hence no slots): ML-DSA and ML-KEM expand for half a millisecond. Says nothing about files;
`ring.py` keeps them.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

SEED: Final = 32
_MLKEM_PUBLIC = 1184  # bytes, FIPS 203; the X25519 half follows


def kid(purpose: str, public: bytes) -> str:
    """22 characters that name a public key: base64url of 128 bits of SHA-256(purpose ‖ 0 ‖ public)."""
    return urlsafe_b64encode(hashlib.sha256(purpose.encode() + b"\0" + public).digest()[:16]).rstrip(b"=").decode()


@dataclass(frozen=True)
class _EdPublic:
    """An Ed25519 public key; each purpose is a type of its own."""

    raw: bytes
    purpose: ClassVar[str]

    @cached_property
    def kid(self) -> str:
        return kid(self.purpose, self.raw)

    @cached_property
    def key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)


class RequestPublic(_EdPublic):
    """Verifies RFC 9421 request signatures."""

    purpose = "request"


class LogPublic(_EdPublic):
    """Verifies checkpoints (C2SP signed-note)."""

    purpose = "log"


class WitnessPublic(_EdPublic):
    """Verifies cosignatures (C2SP tlog-cosignature). No other key may be the same: what is signed does not name the witness."""

    purpose = "witness"


@dataclass(frozen=True)
class ReceiptPublic:
    """Verifies receipts and statements: Ed25519 AND ML-DSA-65, because a receipt must hold past the agreement (Pasal 9)."""

    raw: bytes  # 32 + 1952
    purpose = "receipt"

    @cached_property
    def kid(self) -> str:
        return kid("receipt", self.raw)

    def verify(self, classic: bytes, post_quantum: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw[:32]).verify(classic, message)
            mldsa.MLDSA65PublicKey.from_public_bytes(self.raw[32:]).verify(post_quantum, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class KemPublic:
    """Seals content keys: MLKEM768-X25519 (X-Wing), public key ML-KEM ‖ X25519."""

    raw: bytes  # 1184 + 32
    purpose = "kem"

    @cached_property
    def kid(self) -> str:
        return kid("kem", self.raw)

    @cached_property
    def key(self) -> MLKEM768X25519PublicKey:
        return MLKEM768X25519PublicKey(
            mlkem.MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC]),
            x25519.X25519PublicKey.from_public_bytes(self.raw[_MLKEM_PUBLIC:]),
        )


@dataclass(frozen=True)
class KemX25519Public:
    """Seals content keys with X25519 alone, for a site that has no post-quantum code: only where an agreement names it."""

    raw: bytes
    purpose = "kem-x25519"

    @cached_property
    def kid(self) -> str:
        return kid("kem-x25519", self.raw)

    @cached_property
    def key(self) -> x25519.X25519PublicKey:
        return x25519.X25519PublicKey.from_public_bytes(self.raw)


@dataclass(frozen=True, repr=False)
class _EdKey:
    seed: bytes
    purpose: ClassVar[str]

    @cached_property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def _raw(self) -> bytes:
        return self.private.public_key().public_bytes_raw()


class RequestKey(_EdKey):
    purpose = "request"

    @cached_property
    def public(self) -> RequestPublic:
        return RequestPublic(self._raw)


class LogKey(_EdKey):
    purpose = "log"

    @cached_property
    def public(self) -> LogPublic:
        return LogPublic(self._raw)


class WitnessKey(_EdKey):
    purpose = "witness"

    @cached_property
    def public(self) -> WitnessPublic:
        return WitnessPublic(self._raw)


@dataclass(frozen=True, repr=False)
class ReceiptKey:
    seed: bytes
    purpose = "receipt"

    @cached_property
    def _halves(self) -> tuple[Ed25519PrivateKey, mldsa.MLDSA65PrivateKey]:
        expanded = hashlib.shake_256(self.seed).digest(64)
        return Ed25519PrivateKey.from_private_bytes(expanded[:32]), mldsa.MLDSA65PrivateKey.from_seed_bytes(expanded[32:])

    @cached_property
    def public(self) -> ReceiptPublic:
        classic, post_quantum = self._halves
        return ReceiptPublic(classic.public_key().public_bytes_raw() + post_quantum.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        classic, post_quantum = self._halves
        return classic.sign(message), post_quantum.sign(message)


@dataclass(frozen=True, repr=False)
class KemKey:
    seed: bytes
    purpose = "kem"

    @cached_property
    def _halves(self) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
        # draft-connolly-cfrg-xwing-kem: the 32-byte seed expands to 64 B for ML-KEM and 32 B for X25519.
        expanded = hashlib.shake_256(self.seed).digest(96)
        return mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), x25519.X25519PrivateKey.from_private_bytes(expanded[64:])

    @cached_property
    def public(self) -> KemPublic:
        lattice, curve = self._halves
        return KemPublic(lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw())

    @cached_property
    def private(self) -> MLKEM768X25519PrivateKey:
        return MLKEM768X25519PrivateKey(*self._halves)


@dataclass(frozen=True, repr=False)
class KemX25519Key:
    seed: bytes
    purpose = "kem-x25519"

    @cached_property
    def private(self) -> x25519.X25519PrivateKey:
        return x25519.X25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def public(self) -> KemX25519Public:
        return KemX25519Public(self.private.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True, repr=False)
class SecretKey:
    """A symmetric key: `root` (pseudonyms, refs, salts) or `vault` (subject tags)."""

    seed: bytes
    purpose: str

    @property
    def public(self) -> None:
        return None


AnyKemKey = KemKey | KemX25519Key
AnyKemPublic = KemPublic | KemX25519Public
AnyKey = RequestKey | ReceiptKey | AnyKemKey | LogKey | WitnessKey | SecretKey
AnyPublic = RequestPublic | ReceiptPublic | AnyKemPublic | LogPublic | WitnessPublic

PUBLIC_TYPES: Final[dict[str, tuple[type[AnyPublic], int]]] = {
    "request": (RequestPublic, 32),
    "receipt": (ReceiptPublic, 32 + 1952),
    "kem": (KemPublic, 1184 + 32),
    "kem-x25519": (KemX25519Public, 32),
    "log": (LogPublic, 32),
    "witness": (WitnessPublic, 32),
}


def from_seed(purpose: str, seed: bytes) -> AnyKey:
    match purpose:
        case "request":
            return RequestKey(seed)
        case "receipt":
            return ReceiptKey(seed)
        case "kem":
            return KemKey(seed)
        case "kem-x25519":
            return KemX25519Key(seed)
        case "log":
            return LogKey(seed)
        case "witness":
            return WitnessKey(seed)
        case "root" | "vault":
            return SecretKey(seed, purpose)
    raise ValueError("unknown key purpose")
