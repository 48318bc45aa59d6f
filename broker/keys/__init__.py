"""Keys: one purpose each, wrapped at rest in files that only their owner can read, public sets pinned by fingerprint."""

from broker.keys.derive import LABELS, derive, inverted, ref_key, referred
from broker.keys.kek import new_key_file
from broker.keys.material import (
    AnyKemKey,
    AnyKemPublic,
    KemKey,
    KemPublic,
    KemX25519Key,
    KemX25519Public,
    LogKey,
    LogPublic,
    ReceiptKey,
    ReceiptPublic,
    RequestKey,
    RequestPublic,
    SecretKey,
    WitnessKey,
    WitnessPublic,
)
from broker.keys.public import PublicSet, public_set, read_public_set
from broker.keys.ring import KeyRecord, Ring, Rings, create_ring, open_ring, write_private

__all__ = [
    "LABELS",
    "AnyKemKey",
    "AnyKemPublic",
    "KemKey",
    "KemPublic",
    "KemX25519Key",
    "KemX25519Public",
    "KeyRecord",
    "LogKey",
    "LogPublic",
    "PublicSet",
    "ReceiptKey",
    "ReceiptPublic",
    "RequestKey",
    "RequestPublic",
    "Ring",
    "Rings",
    "SecretKey",
    "WitnessKey",
    "WitnessPublic",
    "create_ring",
    "derive",
    "inverted",
    "new_key_file",
    "open_ring",
    "public_set",
    "read_public_set",
    "ref_key",
    "referred",
    "write_private",
]
