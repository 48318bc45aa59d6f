"""Proofs inside one exchange's tree: where a record's leaf is, every leaf of a person, or that there is none; and what a leaf committed to.

Leaves are sorted by subject_ref, so all leaves of a ref stand together: shown with the neighbour on either side, they are proven to be
all there are, and with no leaf between two adjacent neighbours there is none. That rests on the whole tree being sorted, which who holds
all its leaves checks (`broker.client.verify`) and the recipient's receipt attests. Standard library and `cryptography` only: an offline
verifier needs nothing else. Leaf and commitment: docs/formats/leaf.md; the proof's JSON: docs/formats/proof.md.
"""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from broker.errors import NotVerified
from broker.jcs import read_base64
from broker.ledger.manifest import RELEASED
from broker.ledger.merkle import EMPTY_ROOT, LogTree, leaf_hash, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

STORED: Final = 55  # ref 16 | commitment 32 | profile 2 | outcome 1 | sequence 4: what differs between leaves of an exchange
BLOCK: Final = 16_384  # leaves per stored segment
TILE: Final = 256  # leaves under each hash kept in a segment's `tiles`
_PLACED: Final = {"index", "leaf", "path"}
_PRESENCE: Final = {"after", "before", "leaves"}


@dataclass(frozen=True, slots=True)
class Placed:
    """A leaf (its 55 stored bytes) at its index of the sorted tree, and the inclusion path to the root."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]

    @property
    def ref(self) -> bytes:
        return self.leaf[:16]

    @property
    def commitment(self) -> bytes:
        return self.leaf[16:48]

    @property
    def profile(self) -> int:
        return int.from_bytes(self.leaf[48:50], "big")

    @property
    def outcome(self) -> int:
        return self.leaf[50]

    @property
    def sequence(self) -> int:
        return int.from_bytes(self.leaf[51:], "big")


@dataclass(frozen=True, slots=True)
class Presence:
    """Every leaf of one ref, in order, between its neighbours; a neighbour is None where the tree begins or ends there. No leaves: absence."""

    before: Placed | None
    leaves: tuple[Placed, ...]
    after: Placed | None


@dataclass(frozen=True, slots=True)
class Block:
    """A stored segment: its last ref, the hashes of its 256-leaf tiles, and `rows`, which reads its leaves when they are asked for."""

    high: bytes
    tiles: bytes
    rows: Callable[[], bytes]


class StoredTree:
    """The tree of an exchange as it is stored. A proof reads one or two segments and hashes the leaves of the tiles it names.

    size: leaves in all. blocks: every segment in order; each but the last holds 16,384 leaves.
    """

    def __init__(self, exchange: bytes, size: int, blocks: Sequence[Block]) -> None:
        self._exchange, self._size, self._blocks = exchange, size, blocks
        self._rows = lru_cache(4)(lambda number: blocks[number].rows())
        self._tile = lru_cache(16)(self._tile_tree)

    @cached_property
    def _upper(self) -> LogTree:
        """Over the tiles: they are perfect subtrees with a shorter last one, so its paths go on where a tile's own end."""
        return LogTree([block.tiles[i : i + 32] for block in self._blocks for i in range(0, len(block.tiles), 32)])

    def _tile_tree(self, tile: int) -> LogTree:
        rows, start = self._rows(tile * TILE // BLOCK), tile * TILE % BLOCK
        stored = rows[start * STORED : (start + TILE) * STORED]
        return LogTree([record_hash(self._exchange, stored[i : i + STORED]) for i in range(0, len(stored), STORED)])

    def placed(self, index: int) -> Placed:
        """The leaf at `index` with its path. ValueError outside the tree."""
        if not 0 <= index < self._size:
            raise ValueError("no such leaf")
        at = index % BLOCK * STORED
        tile = self._tile(index // TILE)
        path = tile.inclusion(index % TILE, tile.size) + self._upper.inclusion(index // TILE, self._upper.size)
        return Placed(index, self._rows(index // BLOCK)[at : at + STORED], tuple(path))

    def presence(self, ref: bytes) -> Presence:
        """All leaves of `ref` with the leaf on either side."""
        start, end = self._first(ref, bisect_left), self._first(ref, bisect_right)
        before = self.placed(start - 1) if start else None
        after = self.placed(end) if end < self._size else None
        return Presence(before, tuple(self.placed(i) for i in range(start, end)), after)

    def _first(self, ref: bytes, bisect: Any) -> int:
        """The first index whose ref is not below `ref` (bisect_left), or above it (bisect_right)."""
        number: int = bisect(self._blocks, ref, key=lambda block: block.high)
        if number == len(self._blocks):
            return self._size
        rows = self._rows(number)
        within: int = bisect(range(0, len(rows), STORED), ref, key=lambda at: rows[at : at + 16])
        return number * BLOCK + within

    def of_sequence(self, sequence: int) -> list[Placed]:
        """The leaves of row `sequence` (from 0), one per person it names. Reads every segment: leaves are not sorted by row."""
        wanted, found = sequence.to_bytes(4, "big"), []
        for number in range(len(self._blocks)):
            rows, at = self._rows(number), -1
            while (at := rows.find(wanted, at + 1)) >= 0:
                if at % STORED == STORED - 4:
                    found.append(self.placed(number * BLOCK + at // STORED))
        return found


def record_hash(exchange: bytes, stored: bytes) -> bytes:
    """The leaf hash of a record leaf, from its 55 stored bytes."""
    return leaf_hash(b"\1" + exchange + stored)


def verify_placed(exchange: bytes, size: int, root: bytes, placed: Placed) -> None:
    """NotVerified unless the leaf is where it claims, in the tree of `size` leaves under `root`."""
    if len(exchange) != 16 or len(placed.leaf) != STORED or type(placed.index) is not int:
        raise NotVerified("not a record leaf")
    verify_inclusion(placed.index, size, record_hash(exchange, placed.leaf), placed.path, root)


def verify_presence(exchange: bytes, ref: bytes, size: int, root: bytes, presence: Presence) -> None:
    """NotVerified unless `presence.leaves` are all leaves of `ref` in the tree of `size` leaves under `root`; none of them proves absence.

    size and root: of a manifest whose own place in the log was verified.
    """
    if len(ref) != 16 or type(size) is not int or size < 0:
        raise NotVerified("not a subject reference or a tree")
    shown = [p for p in (presence.before, *presence.leaves, presence.after) if p is not None]
    if not shown:
        if size or root != EMPTY_ROOT:
            raise NotVerified("the proof shows no leaf")
        return
    for placed in shown:
        verify_placed(exchange, size, root, placed)
    if any(b.index != a.index + 1 for a, b in pairwise(shown)):
        raise NotVerified("the leaves shown are not adjacent")
    if (presence.before is None and shown[0].index != 0) or (presence.after is None and shown[-1].index != size - 1):
        raise NotVerified("a neighbour is missing")
    if presence.before is not None and presence.before.ref >= ref:
        raise NotVerified("the leaf before is not before")
    if presence.after is not None and presence.after.ref <= ref:
        raise NotVerified("the leaf after is not after")
    if any(placed.ref != ref for placed in presence.leaves):
        raise NotVerified("a leaf is of another reference")
    rows = [placed.sequence for placed in presence.leaves]
    if rows != sorted(rows):  # one row may name a person twice
        raise NotVerified("leaves are out of order")


def salt_of(key: bytes, sequence: int) -> bytes:
    """Salt of row `sequence`: that block of AES-256-CTR under the exchange's salt key. It opens this row alone."""
    return Cipher(algorithms.AES(key), modes.CTR(sequence.to_bytes(16, "big"))).encryptor().update(bytes(16))


def verify_opening(leaf: bytes, salt: bytes, line: bytes) -> None:
    """NotVerified unless the leaf (55 stored bytes) committed to `line`: the released line with its LF; of a withheld row nothing."""
    if len(leaf) != STORED or len(salt) != 16:
        raise NotVerified("not a record leaf and its salt")
    whole = line.endswith(b"\n") and line.count(b"\n") == 1 if leaf[50] == RELEASED else not line
    if not whole or sha256(salt + line).digest() != leaf[16:48]:
        raise NotVerified("the line is not the one committed to")


# --- JSON
def presence_json(presence: Presence) -> dict[str, Any]:
    return {
        "after": _placed_json(presence.after),
        "before": _placed_json(presence.before),
        "leaves": [placed_json(placed) for placed in presence.leaves],
    }


def placed_json(placed: Placed) -> dict[str, Any]:
    return {"index": placed.index, "leaf": _text(placed.leaf), "path": [_text(h) for h in placed.path]}


def _placed_json(placed: Placed | None) -> dict[str, Any] | None:
    return None if placed is None else placed_json(placed)


def read_presence(value: object) -> Presence:
    """The proof in parsed JSON; NotVerified unless it is exactly of that form. Nothing of it is believed yet."""
    if not isinstance(value, dict) or set(value) != _PRESENCE or not isinstance(value["leaves"], list):
        raise NotVerified("not a presence proof")
    before, after = (None if value[side] is None else read_placed(value[side]) for side in ("before", "after"))
    return Presence(before, tuple(map(read_placed, value["leaves"])), after)


def read_placed(value: object) -> Placed:
    if not isinstance(value, dict) or set(value) != _PLACED or type(value["index"]) is not int or not isinstance(value["path"], list):
        raise NotVerified("not a placed leaf")
    try:
        return Placed(value["index"], read_base64(value["leaf"]), tuple(map(read_base64, value["path"])))
    except ValueError:
        raise NotVerified("not a placed leaf") from None


def _text(data: bytes) -> str:
    return b64encode(data).decode()
