"""Witnesses' cosignatures of checkpoints, as they came and held. They are no part of what a checkpoint signs, and never change one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, text

from broker.store.tables import TABLES, _text, _whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

COSIGNATURE: Final = Table(
    "cosignature", TABLES,
    _text("log", key=True),
    _whole("size", key=True),
    _text("witness", key=True),  # its verifier key
    _whole("at"),  # POSIX seconds, the witness's clock
    _text("line"),  # of the note, with its LF
)  # fmt: skip


class Cosignatures:
    """Those inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, log: str, size: int, witness: str, at: int, line: str) -> None:
        """A witness's later cosignature of one size takes the place of its earlier one."""
        self._c.execute(text("DELETE FROM cosignature WHERE log = :l AND size = :s AND witness = :w"), {"l": log, "s": size, "w": witness})
        self._c.execute(COSIGNATURE.insert(), {"log": log, "size": size, "witness": witness, "at": at, "line": line})

    def lines(self, log: str, size: int) -> str:
        """The cosignature lines of one size, to be put below its note; '' if there is none."""
        return "".join(self._c.execute(text("SELECT line FROM cosignature WHERE log = :l AND size = :s ORDER BY witness"), {"l": log, "s": size}).scalars())

    def sizes(self, log: str, below: int) -> list[int]:
        """The sizes less than `below` that anyone cosigned, largest first."""
        return list(self._c.execute(text("SELECT DISTINCT size FROM cosignature WHERE log = :l AND size < :b ORDER BY size DESC"), {"l": log, "b": below}).scalars())

    def times(self, log: str) -> dict[str, tuple[int, int]]:
        """By witness, the largest size it cosigned and when, in POSIX seconds."""
        rows = self._c.execute(text("SELECT witness, MAX(size), at FROM cosignature WHERE log = :l GROUP BY witness"), {"l": log})
        return {witness: (int(size), int(at)) for witness, size, at in rows}

    def last(self, log: str, witness: str) -> int:
        """The largest size this witness cosigned, 0 if none."""
        found: Any = self._c.execute(text("SELECT MAX(size) FROM cosignature WHERE log = :l AND witness = :w"), {"l": log, "w": witness}).scalar()
        return int(found or 0)
