"""A log as static files: hash tiles and entry bundles by path, which anyone can mirror and prove from without asking the broker.

A full tile holds 256 hashes; the tile `index` of level L holds the roots of 256**L entries each. A partial tile is of a log that had not grown
past it; nothing else ever changes. Pure functions; who may read a log is the web's to ask. Source: C2SP tlog-tiles v0.1.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from broker.errors import NotVerified

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from broker.ledger.merkle import LogTree

WIDTH: Final = 256
HEIGHT: Final = 8
ENTRIES: Final = -1  # the level of an entry bundle
MAX_LEVEL: Final = 63
# Seven groups of three digits are more than a log's size can have; the bound keeps a path from costing anything.
_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """level: of hashes, or ENTRIES. width: its hashes or entries, 256 if it is full."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """As `tile/0/x001/x234/067`, or with `.p/112` behind it."""
        digits = f"{self.index:03}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{number}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @property
    def end(self) -> int:
        """The number of hashes of its level, or of entries, that a log has which serves it."""
        return self.index * WIDTH + self.width


def read_tile(path: str) -> Tile:
    """The tile of a path in its one spelling; ValueError for any other text."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise ValueError("not a tile's path")
    level, number, width = found.groups()
    tile = Tile(ENTRIES if level == "entries" else int(level), int(number.replace("x", "").replace("/", "")), int(width or WIDTH))
    if tile.path != path or tile.level > MAX_LEVEL or not tile.width:
        raise ValueError("not a tile's path")
    return tile


def in_log(tile: Tile, size: int) -> bool:
    """Whether a log of `size` entries has come as far as the tile."""
    return tile.end <= size >> HEIGHT * max(tile.level, 0)


def hashes(tree: LogTree, tile: Tile) -> bytes:
    """The bytes of a hash tile that the tree has come as far as."""
    return b"".join(tree.nodes(HEIGHT * tile.level, tile.index * WIDTH, tile.end))


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """Every hash tile that a log of `new` entries has and one of `old` entries had not."""
    level = 0
    while (count := new >> HEIGHT * level) and level <= MAX_LEVEL:
        had = old >> HEIGHT * level
        if count > had:
            yield from (Tile(level, index, min(WIDTH, count - index * WIDTH)) for index in range(had // WIDTH, -(-count // WIDTH)))
        level += 1


def bundles_between(old: int, new: int) -> Iterator[Tile]:
    """Every entry bundle that holds an entry from `old` on of a log of `new` entries."""
    return (Tile(ENTRIES, index, min(WIDTH, new - index * WIDTH)) for index in range(old // WIDTH, -(-new // WIDTH) if new > old else 0))


def bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of an entry bundle: each entry behind its length, a big-endian u16."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle; NotVerified unless it holds exactly `width` of them."""
    found: list[bytes] = []
    at = 0
    while at < len(data) and len(found) < width:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    if at != len(data) or len(found) != width:
        raise NotVerified("an entry bundle is cut short, or holds more than it should")
    return found
