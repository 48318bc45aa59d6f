"""A broker's writing, recorded: every write, sync, creation and deletion below its home, by SQLite through a VFS of apsw's and by ourselves.

From the recording `image` makes what a disk may hold after the power failed: all that was synced, and of the rest any 512-byte sectors.
The product is wrapped from outside; its own statements run, and its own files are written. Names are relative to the home.
"""

from __future__ import annotations

import errno
import os
import pickle
import sqlite3
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import apsw

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

SECTOR: Final = 512  # bytes a disk writes whole or not at all
VFS: Final = "recorded"
PASSING: Final = ("scratch/", "served", "ledger.db-shm")  # of no meaning to the next start
CHECKPOINT: Final = 40  # pages of WAL after which SQLite moves them: often, so that cuts fall into it


@dataclass(frozen=True, slots=True)
class Create:
    name: str
    file: int


@dataclass(frozen=True, slots=True)
class Unlink:
    name: str


@dataclass(frozen=True, slots=True)
class Write:
    file: int
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """failed: the kernel has dropped what it could not write, and the next sync will not say so."""

    file: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class SyncFolder:
    """Of the folder that `folder` names, `` being the home."""

    folder: str


@dataclass(frozen=True, slots=True)
class Told:
    """What someone outside was told, and may count on from here."""

    words: tuple[str, ...]


Event = Create | Unlink | Write | Truncate | Sync | SyncFolder | Told


@dataclass
class Recording:
    """Everything that happened below `home`. fail: which sync, from 1, fails; 0 for none."""

    home: Path
    base: Mapping[str, bytes]
    fail: int = 0
    events: list[Event] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)
    _next: int = 0
    _syncs: int = 0

    def __post_init__(self) -> None:
        for name in self.base:
            self._names[name] = self._next
            self._next += 1

    def name(self, path: str) -> str | None:
        """Relative to the home; None for what is not recorded."""
        path = os.path.realpath(path)
        home = os.path.realpath(self.home)
        name = path[len(home) + 1 :]
        return name if path.startswith(home + os.sep) and not name.startswith(PASSING) else None

    def opened(self, name: str) -> int:
        if name not in self._names:
            self._names[name] = self._next
            self._next += 1
            self.events.append(Create(name, self._names[name]))
        return self._names[name]

    def unlinked(self, name: str) -> None:
        if self._names.pop(name, None) is not None:
            self.events.append(Unlink(name))

    def told(self, words: tuple[str, ...]) -> None:
        self.events.append(Told(words))

    def synced(self, file: int) -> bool:
        """Whether this sync may succeed; it is recorded either way."""
        self._syncs += 1
        self.events.append(Sync(file, failed=self._syncs == self.fail))
        return self._syncs != self.fail

    def save(self, path: Path) -> None:
        path.write_bytes(pickle.dumps((dict(self.base), self.events)))

    @classmethod
    def load(cls, path: Path) -> Self:
        base, events = pickle.loads(path.read_bytes())  # noqa: S301 - the driver's own
        recording = cls(Path(), base)
        recording.events = events
        return recording


# --- what is left


class _File:
    """One file's synced bytes, and what was written since."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = bytearray(data)
        self._waiting: list[tuple[Write | Truncate, bool]] = []  # and whether a sync of it failed

    def add(self, event: Write | Truncate) -> None:
        self._waiting.append((event, False))

    def sync(self, chance: random.Random, share: float, *, failed: bool) -> None:
        if failed:
            self._waiting = [(event, True) for event, _ in self._waiting]
            return
        for event, doubtful in self._waiting:
            self._apply(event, chance, share if doubtful else 1.0)
        self._waiting = []

    def left(self, chance: random.Random, share: float) -> bytes:
        for event, _ in self._waiting:
            self._apply(event, chance, share)
        return bytes(self._data)

    def _apply(self, event: Write | Truncate, chance: random.Random, share: float) -> None:
        """share: how likely each sector of it is on the disk."""
        if isinstance(event, Truncate):
            if chance.random() < share:
                del self._data[event.size :]
                self._data.extend(bytes(event.size - len(self._data)))
            return
        at, data = event.at, event.data
        while data:
            piece = data if share >= 1 else data[: SECTOR - at % SECTOR]
            if chance.random() < share:
                self._data.extend(bytes(max(0, at - len(self._data))))
                self._data[at : at + len(piece)] = piece
            at, data = at + len(piece), data[len(piece) :]


def image(recording: Recording, cut: int, chance: random.Random, share: float) -> dict[str, bytes]:
    """A home as the disk may hold it if the power fails after `cut` events; of what was not synced, `share` is there, by chance."""
    files = {n: _File(data) for n, data in enumerate(recording.base.values())}
    names = {name: n for n, name in enumerate(recording.base)}
    moved: list[Create | Unlink] = []  # entries of folders not synced since
    for event in recording.events[:cut]:
        match event:
            case Create(_, file):
                files[file] = _File()
                moved.append(event)
            case Unlink():
                moved.append(event)
            case Write(file) | Truncate(file):
                files[file].add(event)
            case Sync(file, failed):
                files[file].sync(chance, share, failed=failed)
            case SyncFolder(folder):
                _move(names, [m for m in moved if str(Path(m.name).parent) == (folder or ".")])
                moved = [m for m in moved if str(Path(m.name).parent) != (folder or ".")]
            case Told():
                pass
    lost: set[str] = set()  # of one name the entries are written in order
    for entry in moved:
        if entry.name not in lost and chance.random() < share:
            _move(names, [entry])
        else:
            lost.add(entry.name)
    return {name: files[file].left(chance, share) for name, file in sorted(names.items())}


def _move(names: dict[str, int], entries: Sequence[Create | Unlink]) -> None:
    for entry in entries:
        if isinstance(entry, Create):
            names[entry.name] = entry.file
        else:
            names.pop(entry.name, None)


def contents(home: Path) -> dict[str, bytes]:
    """The files of a home that a recording speaks of."""
    found = {str(p.relative_to(home)): p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file()}
    return {name: data for name, data in found.items() if not name.startswith(PASSING)}


# --- SQLite's files


class _RecordedFile(apsw.VFSFile):
    def __init__(self, recording: Recording, name: str, path: Any, flags: list[int]) -> None:
        super().__init__("", path, flags)
        self._recording, self._name = recording, name
        self._file = recording.opened(name)
        # With a journal's first sync SQLite syncs the folder. With a log's too, but without a look at whether it succeeded: that is not counted.
        self._new = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_JOURNAL)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._recording.events.append(Write(self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._recording.events.append(Truncate(self._file, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        if not self._recording.synced(self._file):
            raise apsw.IOError(os.strerror(errno.EIO))
        super().xSync(flags)
        if self._new:
            self._recording.events.append(SyncFolder(""))
            self._new = False


class _RecordedVfs(apsw.VFS):
    def __init__(self, recording: Recording) -> None:
        super().__init__(VFS, "")
        self._recording = recording

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        relative = None if path is None else self._recording.name(path)
        return apsw.VFSFile("", name, flags) if relative is None else _RecordedFile(self._recording, relative, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        name = self._recording.name(filename)
        if name is not None:
            self._recording.unlinked(name)
            if syncdir:
                self._recording.events.append(SyncFolder(""))


class _Cursor:
    """sqlite3's cursor, over apsw's: rows are fetched at once."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._rows: Iterator[Any] = iter(())
        self.description: Any = None
        self.lastrowid, self.rowcount, self.arraysize = 0, -1, 1

    def execute(self, sql: str, values: Any = ()) -> Self:
        cursor = self._connection.cursor()
        self.description = None

        def described(own: Any, *_: object) -> bool:
            columns = own.get_description()
            self.description = tuple((c[0], *[None] * 6) for c in columns) or None
            return True

        cursor.exec_trace = described
        with _as_sqlite3():
            self._rows = iter(list(cursor.execute(sql, values)))
        self.rowcount = self._connection.changes() if self.description is None else -1
        self.lastrowid = self._connection.last_insert_rowid()
        return self

    def executemany(self, sql: str, many: Any) -> Self:
        for values in many:
            self.execute(sql, values)
        return self

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[Any]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def close(self) -> None:
        self._rows = iter(())


class _Connection(sqlite3.Connection):
    """A sqlite3 connection whose statements run in apsw's SQLite, over the recording VFS."""

    def __init__(self, path: str, *_: object, **__: object) -> None:
        super().__init__(":memory:", check_same_thread=False)
        self._own = apsw.Connection(path, vfs=VFS)
        self._own.wal_autocheckpoint(CHECKPOINT)

    def cursor(self, *_: Any, **__: Any) -> Any:
        return _Cursor(self._own)

    def execute(self, sql: str, *values: Any) -> Any:
        return _Cursor(self._own).execute(sql, *values)

    def commit(self) -> None:
        if self._own.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        if self._own.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self._own.close()
        super().close()


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as error:
        raise sqlite3.IntegrityError(str(error)) from None
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from None


# --- our own files


class _OwnFiles:
    """The calls of `os` that write, remembering which descriptor is which file."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._files: dict[int, int] = {}
        self._folders: dict[int, str] = {}
        self._ends: dict[int, int] = {}
        self._plain = {name: getattr(os, name) for name in ("open", "write", "fsync", "close", "unlink")}

    def install(self) -> None:
        for name in self._plain:
            setattr(os, name, getattr(self, name))

    def open(self, path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        fd: int = self._plain["open"](path, flags, *args, **kwargs)
        name = self._recording.name(os.fspath(path))
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            home = os.path.realpath(self._recording.home)
            if os.path.realpath(path).startswith(home):
                self._folders[fd] = os.path.realpath(path)[len(home) + 1 :]
        elif name is not None and flags & os.O_CREAT:
            self._files[fd], self._ends[fd] = self._recording.opened(name), 0
        return fd

    def write(self, fd: int, data: Any) -> int:
        written: int = self._plain["write"](fd, data)
        if fd in self._files:
            self._recording.events.append(Write(self._files[fd], self._ends[fd], bytes(data[:written])))
            self._ends[fd] += written
        return written

    def fsync(self, fd: int) -> None:
        if fd in self._files and not self._recording.synced(self._files[fd]):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._plain["fsync"](fd)
        if fd in self._folders:
            self._recording.events.append(SyncFolder(self._folders[fd]))

    def close(self, fd: int) -> None:
        for known in (self._files, self._folders, self._ends):
            known.pop(fd, None)
        self._plain["close"](fd)

    def unlink(self, path: Any, **kwargs: Any) -> None:
        self._plain["unlink"](path, **kwargs)
        name = self._recording.name(os.fspath(path))
        if name is not None:
            self._recording.unlinked(name)


def record(home: Path, *, fail: int = 0) -> Recording:
    """From here on, this process's writing below `home` is recorded; what is there already counts as synced."""
    recording = Recording(home, contents(home), fail)
    vars(record)["vfs"] = _RecordedVfs(recording)  # SQLite does not keep it alive
    sqlite3.dbapi2.connect = _Connection  # type: ignore[assignment]
    _OwnFiles(recording).install()
    return recording
