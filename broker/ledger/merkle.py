"""RFC 6962 Merkle trees over SHA-256: roots, inclusion and consistency proofs, and their strict verifiers.

The verifiers accept 32-byte hashes only, refuse size 0, and for equal sizes demand an empty proof and equal roots
(the cases public verifiers get wrong; transparency-dev/merkle vectors). Source: RFC 6962 section 2.1, RFC 9162 section 2.1.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from broker.errors import NotVerified

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HASH: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def up(level: Sequence[bytes]) -> list[bytes]:
    """The next level: pairs hashed, an odd last node carried up unchanged."""
    above = [sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
    return [*above, level[-1]] if len(level) & 1 else above


def root_of(level: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over the roots of equal perfect subtrees with a shorter last one."""
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        level = up(level)
    return level[0]


class LogTree:
    """The perfect nodes of a growing log in memory: 64 bytes per entry. Not thread-safe; its store serialises appends."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [list(leaf_hashes)]
        while len(self._levels[-1]) > 1:
            level = self._levels[-1]
            self._levels.append([sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)])

    @property
    def size(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        node, height = leaf, 0
        while True:
            level = self._levels[height]
            level.append(node)
            if len(level) & 1:
                return
            node, height = node_hash(level[-2], level[-1]), height + 1
            if height == len(self._levels):
                self._levels.append([])

    def nodes(self, height: int, start: int, end: int) -> list[bytes]:
        """The perfect nodes start..end of a height, as many of them as there are."""
        return self._levels[height][start:end] if height < len(self._levels) else []

    def truncate(self, size: int) -> None:
        """Forgets entries from `size` on: what a rolled-back transaction had appended."""
        for height, level in enumerate(self._levels):
            del level[size >> height :]

    def root(self, size: int | None = None) -> bytes:
        n = self.size if size is None else size
        return self._range(0, n) if n else EMPTY_ROOT

    def _range(self, start: int, end: int) -> bytes:
        """Root over entries start..end, a subtree of RFC 6962's recursion."""
        n = end - start
        if n & (n - 1) == 0 and start % n == 0:
            height = n.bit_length() - 1
            return self._levels[height][start >> height]
        split = 1 << (n - 1).bit_length() - 1
        return node_hash(self._range(start, start + split), self._range(start + split, end))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        if not 0 <= index < size <= self.size:
            raise ValueError("no such entry")
        path, start, end = [], 0, size
        while end - start > 1:
            split = start + (1 << (end - start - 1).bit_length() - 1)
            if index < split:
                path.append(self._range(split, end))
                end = split
            else:
                path.append(self._range(start, split))
                start = split
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        if not 0 < old <= new <= self.size:
            raise ValueError("no such sizes")
        path: list[bytes] = []
        start, end, whole = 0, new, True
        while old != end:
            split = start + (1 << (end - start - 1).bit_length() - 1)
            if old <= split:
                path.append(self._range(split, end))
                end = split
            else:
                path.append(self._range(start, split))
                start, whole = split, False
        if not whole:
            path.append(self._range(start, end))
        return path[::-1]


def _hashes(*values: bytes) -> None:
    if any(len(v) != HASH for v in values):
        raise NotVerified("a hash is not 32 bytes")


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """NotVerified unless `leaf` (a leaf hash) is entry `index` of the tree of `size` under `root`. Source: RFC 9162 2.1.3.2."""
    _hashes(leaf, root, *proof)
    if not 0 <= index < size:
        raise NotVerified("index outside the tree")
    fn, sn, node = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            raise NotVerified("inclusion proof too long")
        if fn & 1 or fn == sn:
            node = node_hash(p, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or node != root:
        raise NotVerified("inclusion proof does not reach the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """NotVerified unless the tree of `old` entries is a prefix of the tree of `new`. Source: RFC 9162 2.1.4.2."""
    _hashes(old_root, new_root, *proof)
    if not 0 < old <= new:
        raise NotVerified("sizes must grow from at least one")
    if old == new:
        if proof or old_root != new_root:
            raise NotVerified("equal sizes need equal roots and no proof")
        return
    nodes = list(proof)
    if old & (old - 1) == 0:
        nodes.insert(0, old_root)
    if not nodes:
        raise NotVerified("consistency proof is empty")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = nodes[0]
    for p in nodes[1:]:
        if sn == 0:
            raise NotVerified("consistency proof too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(p, first), node_hash(p, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or first != old_root or second != new_root:
        raise NotVerified("consistency proof does not join the roots")
