"""Keys: one purpose each, files only their owner can read, public sets pinned by fingerprint."""

from broker.keys.derive import LABELS, derive, inverted, ref_key, referred
from broker.keys.material import (
    KemKey,
    KemPublic,
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
from broker.keys.ring import PublicSet, Ring, create_ring, open_ring, public_set, read_public_set, write_private

__all__ = [
    "LABELS",
    "KemKey",
    "KemPublic",
    "LogKey",
    "LogPublic",
    "PublicSet",
    "ReceiptKey",
    "ReceiptPublic",
    "RequestKey",
    "RequestPublic",
    "Ring",
    "SecretKey",
    "WitnessKey",
    "WitnessPublic",
    "create_ring",
    "derive",
    "inverted",
    "open_ring",
    "public_set",
    "read_public_set",
    "ref_key",
    "referred",
    "write_private",
]
