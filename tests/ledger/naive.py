"""An exchange's tree the slow way: RFC 6962's recursion word for word, and segments as the broker stores them, from leaves in any order."""

from __future__ import annotations

from functools import partial
from hashlib import sha256

from broker.ledger.openings import Block, StoredTree

EXCHANGE = bytes(range(16))


def mth(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\1" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def leaf(ref: bytes, sequence: int = 0, commitment: bytes = bytes(32), outcome: int = 0) -> bytes:
    return ref + commitment + bytes(2) + bytes([outcome]) + sequence.to_bytes(4, "big")


def hashes_of(leaves: list[bytes], exchange: bytes = EXCHANGE) -> list[bytes]:
    return [sha256(b"\0\1" + exchange + each).digest() for each in leaves]


def root(leaves: list[bytes]) -> bytes:
    return mth(hashes_of(leaves))


def stored(leaves: list[bytes]) -> StoredTree:
    """leaves: sorted. The segments are 16,384 leaves each, their tiles 256, as docs/formats say."""
    hashes, blocks = hashes_of(leaves), []
    for start in range(0, len(leaves), 16_384):
        rows = leaves[start : start + 16_384]
        tiles = [mth(hashes[i : min(i + 256, start + len(rows))]) for i in range(start, start + len(rows), 256)]
        blocks.append(Block(rows[-1][:16], b"".join(tiles), partial(b"".join, rows)))
    return StoredTree(EXCHANGE, len(leaves), blocks)
