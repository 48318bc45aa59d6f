"""ZIP archives in one spelling: members stored one behind the other, one date, no comment, no extra field. Any tool opens them.

The reader takes an archive only byte for byte as the writer makes it, so nothing can be hidden in it: no second member of a name, nothing
before, between or behind. It never makes a path of a name, and reads no more than it is asked for. Standard library only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final
from zlib import crc32

from broker.errors import NotVerified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MOST: Final = 0xFFFF_0000  # bytes of an archive: beyond it ZIP needs another format
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_VERSION: Final = 10  # of ZIP, that stored members need
_DATE: Final = 0x21  # 1980-01-01, the first there is
_PIECE: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Part:
    """A member. at: of its header; start: of its bytes."""

    name: str
    at: int
    size: int
    crc: int

    @property
    def header(self) -> bytes:
        return _LOCAL.pack(b"PK\3\4", _VERSION, 0, 0, 0, _DATE, self.crc, self.size, self.size, len(self.name), 0) + self.name.encode()

    @property
    def start(self) -> int:
        return self.at + _LOCAL.size + len(self.name)

    @property
    def end(self) -> int:
        return self.start + self.size


def _directory(parts: Sequence[Part]) -> bytes:
    """What stands behind the members."""
    listed = b"".join(
        _CENTRAL.pack(b"PK\1\2", _VERSION, _VERSION, 0, 0, 0, _DATE, p.crc, p.size, p.size, len(p.name), 0, 0, 0, 0, 0, p.at) + p.name.encode() for p in parts
    )
    return listed + _END.pack(b"PK\5\6", 0, 0, len(parts), len(parts), len(listed), parts[-1].end if parts else 0, 0)


def archive(members: Iterable[tuple[str, Callable[[], Iterable[bytes]]]]) -> Iterator[bytes]:
    """The archive of at most MOST bytes, piece by piece. A member's bytes are asked for twice, as its size and checksum stand before them."""
    parts: list[Part] = []
    for name, pieces in members:
        size = crc = 0
        for piece in pieces():
            size, crc = size + len(piece), crc32(piece, crc)
        parts.append(Part(name, parts[-1].end if parts else 0, size, crc))
        yield parts[-1].header
        yield from pieces()
    yield _directory(parts)


def read_archive(file: IO[bytes], names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Part]:
    """The members: all of `names` in that order, then those of `optional` that are there. NotVerified unless the archive is in its one spelling."""
    whole = file.seek(0, 2)
    parts: list[Part] = []
    while True:
        at = parts[-1].end if parts else 0
        file.seek(at)
        head = file.read(_LOCAL.size)
        if head[:4] != b"PK\3\4":
            break
        if len(head) < _LOCAL.size:
            raise NotVerified("the archive is cut short")
        *_, crc, size, _, length, _ = _LOCAL.unpack(head)
        part = Part(_expected(file.read(length), [*names, *optional], parts), at, size, crc)
        file.seek(at)
        if file.read(len(part.header)) != part.header:
            raise NotVerified("the archive is not in its one form: a member's header")
        if part.end > whole:
            raise NotVerified("the archive is cut short")
        parts.append(part)
    if len(parts) < len(names):
        raise NotVerified(f"the archive is cut short, or lacks {names[len(parts)]}")
    directory = _directory(parts)
    file.seek(parts[-1].end)
    found = file.read(len(directory) + 1)
    if found != directory:
        raise NotVerified("the archive is cut short" if directory.startswith(found) else "the archive is not in its one form: its directory, or what follows it")
    return {part.name: part for part in parts}


def _expected(name: bytes, allowed: Sequence[str], before: Sequence[Part]) -> str:
    """The member's name, if it may stand behind those before it."""
    places = {allowed_name.encode(): number for number, allowed_name in enumerate(allowed)}
    place = places.get(name, -1)
    if place < 0:
        raise NotVerified("the archive holds a member that does not belong in it")
    if before and place <= allowed.index(before[-1].name):
        raise NotVerified(f"the archive holds {allowed[place]} twice, or out of order")
    return allowed[place]


class PartReader:
    """A member's bytes from first to last. Several may take turns on one file."""

    def __init__(self, file: IO[bytes], part: Part) -> None:
        self._file, self._part = file, part
        self._at, self._crc, self._held, self._used = part.start, 0, b"", 0

    @property
    def left(self) -> int:
        return self._part.end - self._at + len(self._held) - self._used

    def read(self, size: int) -> bytes:
        """The next `size` bytes; NotVerified if there are fewer."""
        while len(self._held) - self._used < size:
            more = self._more(max(_PIECE, size))
            self._held, self._used = self._held[self._used :] + more, 0
        found = self._held[self._used : self._used + size]
        self._used += size
        return found

    def line(self, most: int) -> bytes:
        """The next line without its LF; NotVerified if there is none, or it is longer than `most` bytes."""
        while (end := self._held.find(b"\n", self._used)) < 0:
            if len(self._held) - self._used > most:
                raise NotVerified(f"{self._part.name} holds too long a line")
            more = self._more(_PIECE)
            self._held, self._used = self._held[self._used :] + more, 0
        found = self._held[self._used : end]
        self._used = end + 1
        return found

    def all(self, most: int) -> bytes:
        """Everything; NotVerified if it is more than `most` bytes."""
        if self._part.size > most:
            raise NotVerified(f"{self._part.name} is too large")
        found = self.read(self._part.size)
        self.close()
        return found

    def close(self) -> None:
        """NotVerified unless every byte was read, and they are those of the checksum."""
        if self._used != len(self._held) or self._at != self._part.end:
            raise NotVerified(f"{self._part.name} holds more than it should")
        if self._crc != self._part.crc:
            raise NotVerified(f"{self._part.name} is damaged: its checksum is another")

    def _more(self, size: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(size, self._part.end - self._at))
        if not data:
            raise NotVerified(f"{self._part.name} is cut short")
        self._at, self._crc = self._at + len(data), crc32(data, self._crc)
        return data
