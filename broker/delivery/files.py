"""Spool and outbox: whole and durable, or gone. An outbox file without a ledger row is noise that start-up deletes."""

from __future__ import annotations

import fcntl
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from broker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType


class DurableWriter:
    """Writes one file 0600; `commit` makes it durable (file, then folder), leaving the block without it deletes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        self._kept = False

    def hash_only(self, data: bytes) -> None:
        """Counts `data` into the digest without writing it."""
        self._digest.update(data)

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self.size += len(data)
        rest = memoryview(data)
        while rest:  # a nearly full disk writes short before it fails
            rest = rest[os.write(self._fd, rest) :]

    def commit(self) -> bytes:
        """SHA-256 of everything written or hashed, once it is on disk. An fsync that fails is never retried."""
        os.fsync(self._fd)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._kept = True
        return self._digest.digest()

    @property
    def sha256(self) -> bytes:
        return self._digest.digest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._fd)
        if not self._kept:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where a broker home keeps its files on the way."""

    home: Path

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    def spool(self, exchange: str) -> Path:
        return self.home / "spool" / exchange

    def draft(self, sending: str) -> Path:
        """The sealed file of a draft: beside the spooled submissions, and never one of them."""
        return self.home / "spool" / f"{sending}.draf"

    def outbox(self, exchange: str) -> Path:
        return self.home / "outbox" / exchange

    def create(self) -> None:
        for name in ("spool", "outbox", "scratch"):
            (self.home / name).mkdir(mode=0o700, exist_ok=True)

    def claim(self) -> int:
        """A descriptor that marks this home as served by our process until it is closed. ConfigError if another process serves it."""
        fd = os.open(self.home / "served", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            # Two brokers would sweep away, each, the files that the other is writing.
            raise ConfigError(str(self.home), 0, "is served by another process") from None
        return fd

    def sweep(self, waiting: Collection[str], recorded: Collection[str]) -> int:
        """Deletes spooled files of no waiting exchange and outbox files of no recorded one; returns how many."""
        lost = [p for p in (self.home / "spool").iterdir() if p.name not in waiting]
        lost += [p for p in (self.home / "outbox").iterdir() if p.name not in recorded]
        lost += list(self.scratch.iterdir())
        for path in lost:
            path.unlink()
        return len(lost)
