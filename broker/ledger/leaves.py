"""Rows of an exchange → record leaves sorted by subject reference, their tree, and blobs to store; memory stays flat.

Leaf (72 bytes, docs/formats/leaf.md): 01 | exchange 16 | subject_ref 16 | commitment 32 | treatment profile 2 | outcome 1 | sequence 4.
Rows arrive chunk by chunk and are partitioned twice through unlinked temporary files: by subject tag, so that the vault is asked in
order, then by reference. The files hold keyed tags and salted commitments only, never a datum.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np

from broker.keys.cmac import ecb
from broker.ledger.merkle import EMPTY_ROOT, root_of, up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

LEAF: Final = 72
STORED: Final = 55  # ref 16 | commitment 32 | profile 2 | outcome 1 | sequence 4: what differs between leaves of an exchange
BLOCK: Final = 16_384  # leaves per stored segment: a perfect subtree of height 14
TILE_LEVEL: Final = 8  # hashes kept per 256 leaves, so that a proof recomputes one tile only
_PARTS: Final = 64
_ROW: Final = 56  # a stored leaf with its tag in place of the ref, and one byte: 1 person, 0 record
_SMALL: Final = 65_536  # rows kept in memory before the first spill

Rows = "NDArray[np.uint8]"


class _Spill:
    """Fixed-width rows partitioned by their first byte: in memory while few, then in an unlinked file."""

    def __init__(self, width: int, folder: Path) -> None:
        self._width, self._folder = width, folder
        self._waiting: list[NDArray[np.uint8]] = []
        self._count = 0
        self._file: int | None = None
        self._runs: list[tuple[int, NDArray[np.int64]]] = []
        self._end = 0

    def add(self, rows: NDArray[np.uint8]) -> None:
        self._waiting.append(rows)
        self._count += len(rows)
        if self._count >= _SMALL:
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as f:
                self._file = os.dup(f.fileno())
        rows = np.concatenate(self._waiting)
        part = rows[:, 0].astype(np.int64) * _PARTS >> 8
        order = np.argsort(part, kind="stable")
        data = memoryview(rows[order].tobytes())
        while data:  # a full disk writes short before it fails
            data = data[os.write(self._file, data) :]
        self._runs.append((self._end, np.searchsorted(part[order], np.arange(_PARTS + 1))))
        self._end += len(rows) * self._width
        self._waiting, self._count = [], 0

    def parts(self) -> Iterator[NDArray[np.uint8]]:
        """Every partition in order of its first byte, rows of one partition in order of arrival. Empty partitions are left out."""
        if self._file is None:
            if self._waiting:
                yield np.concatenate(self._waiting)
            return
        if self._waiting:
            self._flush()
        for p in range(_PARTS):
            pieces = [os.pread(self._file, int(e[p + 1] - e[p]) * self._width, start + int(e[p]) * self._width) for start, e in self._runs]
            if any(pieces):
                yield np.frombuffer(b"".join(pieces), np.uint8).reshape(-1, self._width).copy()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _halves(rows: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    both = np.ascontiguousarray(rows[:, :16]).view(">u8").astype(np.uint64)
    return both[:, 0], both[:, 1]


def _sorted(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows by their first 16 bytes; equal ones keep their order of arrival, which is the order of sequence."""
    high, low = _halves(rows)
    order = np.argsort(high, kind="stable")
    high_sorted = high[order]
    if bool(((high_sorted[1:] == high_sorted[:-1]) & (low[order][1:] != low[order][:-1])).any()):
        order = np.lexsort((low, high))
    return rows[order]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stored run of up to 16,384 leaves, its bounds for look-up, and the hashes of its 256-leaf tiles."""

    number: int
    low: bytes
    high: bytes
    rows: bytes  # STORED bytes each
    tiles: bytes


def tiles(exchange: bytes, rows: NDArray[np.uint8]) -> list[bytes]:
    """The hashes of the 256-leaf tiles of a segment's stored leaves, uint8 (n, STORED)."""
    preimages = np.empty((len(rows), LEAF + 1), np.uint8)
    preimages[:, 0] = 0
    preimages[:, 1] = 1
    preimages[:, 2:18] = np.frombuffer(exchange, np.uint8)
    preimages[:, 18:] = rows
    data = preimages.tobytes()
    level = [sha256(data[i : i + LEAF + 1]).digest() for i in range(0, len(data), LEAF + 1)]
    for _ in range(TILE_LEVEL):
        level = up(level)
    return level


@dataclass(frozen=True, slots=True)
class Tree:
    root: bytes
    leaves: int
    repeated: int  # leaves whose person already has a leaf in this exchange
    newcomers: int = 0  # people whom the vault did not know
    newcomers_root: bytes = EMPTY_ROOT  # over the commitments to them


class LeafGatherer:
    """Collects rows with `add`, then yields segments with `segments`; `tree` holds the result afterwards. Owns its temporary files."""

    def __init__(self, exchange: bytes, ref_key: bytes, folder: Path) -> None:
        self._exchange, self._ref_key, self._folder = exchange, ref_key, folder
        self._by_tag, self._by_ref = _Spill(_ROW, folder), _Spill(STORED, folder)
        self.tree: Tree | None = None

    def add(
        self,
        tags: NDArray[np.uint8],
        person: NDArray[np.bool_],
        commitments: NDArray[np.uint8],
        profiles: NDArray[np.uint16],
        outcomes: NDArray[np.uint8],
        sequence: NDArray[np.uint32],
    ) -> None:
        """tags: (n, 16), a person's vault tag or a record's own; commitments: (n, 32); the rest (n). Sequences must not fall."""
        rows = np.empty((len(tags), _ROW), np.uint8)
        rows[:, :16] = tags
        rows[:, 16:48] = commitments
        rows[:, 48:50] = profiles.astype(">u2").view(np.uint8).reshape(-1, 2)
        rows[:, 50] = outcomes
        rows[:, 51:55] = sequence.astype(">u4").view(np.uint8).reshape(-1, 4)
        rows[:, 55] = person
        self._by_tag.add(rows)

    def retag(self, made: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
        """Before `segments`: gives people the tags that `made` makes of theirs, both uint8 (n, 16); records keep their own."""
        with closing(self._by_tag) as before:
            self._by_tag = _Spill(_ROW, self._folder)
            for rows in before.parts():
                person = rows[:, 55] == 1
                rows[person, :16] = made(rows[person, :16])
                self._by_tag.add(rows)

    def segments(self, vault: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Iterator[Segment]:
        """The segments in order. vault: sorted unique person tags (n, 16) → vault ids (n, 16); it is asked inside the caller's transaction."""
        repeated = 0
        for part in self._by_tag.parts():
            rows = _sorted(part)
            person = rows[:, 55] == 1
            ids = rows[:, :16].copy()
            if person.any():
                tags = rows[person, :16]
                same = np.r_[False, (tags[1:] == tags[:-1]).all(axis=1)]
                repeated += int(same.sum())
                ids[person] = vault(np.ascontiguousarray(tags[~same]))[np.cumsum(~same) - 1]
            rows[:, :16] = ecb(self._ref_key, ids)
            self._by_ref.add(rows[:, :STORED])
        self._by_tag.close()
        roots: list[bytes] = []
        leaves = 0
        for block in self._blocks():
            roots.append(b"")
            segment, roots[-1] = self._segment(len(roots) - 1, block)
            leaves += len(block)
            yield segment
        self._by_ref.close()
        self.tree = Tree(root_of(roots), leaves, repeated)

    def _blocks(self) -> Iterator[NDArray[np.uint8]]:
        carry = np.empty((0, STORED), np.uint8)
        for part in self._by_ref.parts():
            # Arrival here is by tag; leaves of one ref come from one tag, so their sequence order is kept.
            carry = np.concatenate([carry, _sorted(part)])
            while len(carry) >= BLOCK:
                yield carry[:BLOCK]
                carry = carry[BLOCK:]
        if len(carry):
            yield carry

    def _segment(self, number: int, rows: NDArray[np.uint8]) -> tuple[Segment, bytes]:
        level = tiles(self._exchange, rows)
        return Segment(number, rows[0, :16].tobytes(), rows[-1, :16].tobytes(), rows.tobytes(), b"".join(level)), root_of(level)

    def close(self) -> None:
        self._by_tag.close()
        self._by_ref.close()
