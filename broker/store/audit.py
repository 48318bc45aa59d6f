"""What auditors asked about people: who, why, over which days, how many; and until it is answered, whom, sealed. And log entries as they search them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, text

from broker.store.tables import TABLES, _blob, _text, _whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_REQUEST: Final = Table(
    "subjectrequest", TABLES,
    _text("id", key=True),  # 16 hex digits
    _text("agreement", index=True),
    _text("person"),
    _text("asked"),
    _text("starts"),  # civil dates, WIB
    _text("ends"),
    _whole("subjects"),  # how many
    _text("reason"),
    _whole("proofs"),
    _text("state"),  # pending approved answered declined expired
    _text("approver", optional=True),
    _text("until"),  # of a pending one: when it lapses; of an approved one: its answer's last moment
    _blob("sealed", optional=True),  # whom; gone once it is answered, declined or lapsed
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """A row of `subjectrequest`; approver: who approved or declined, None where nobody had to."""

    id: str
    agreement: str
    person: str
    asked: str
    starts: str
    ends: str
    subjects: int
    reason: str
    proofs: bool
    state: str
    approver: str | None
    until: str
    sealed: bytes | None


_FIELDS: Final = tuple(f.name for f in fields(SubjectRequest))


class Audit:
    """What a transaction can ask and write of auditors' requests."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, row: SubjectRequest) -> None:
        self._c.execute(_REQUEST.insert(), {name: getattr(row, name) for name in _FIELDS})

    def change(self, request: str, **values: object) -> None:
        self._c.execute(_REQUEST.update().where(_REQUEST.c.id == request).values(**values))

    def request(self, request: str) -> SubjectRequest | None:
        return next(iter(self._requests("id = :r", r=request)), None)

    def open(self, agreement: str) -> list[SubjectRequest]:
        """Those that wait for an approver or for their asker, oldest first."""
        return self._requests("agreement = :a AND state IN ('pending', 'approved') ORDER BY asked, id", a=agreement)

    def unapproved(self, person: str, since: str) -> int:
        """How many people they asked about since then without a second person, in all agreements together."""
        query = "SELECT SUM(subjects) FROM subjectrequest WHERE person = :p AND asked > :s AND approver IS NULL AND state IN ('approved', 'answered')"
        found: Any = self._c.execute(text(query), {"p": person, "s": since}).scalar()
        return int(found or 0)

    def lapse(self, now: str) -> None:
        """Ends what was not approved, or not fetched, in time; whom it was about is deleted."""
        self._c.execute(text("UPDATE subjectrequest SET state = 'expired', sealed = NULL WHERE state IN ('pending', 'approved') AND until <= :n"), {"n": now})

    def _requests(self, where: str, **values: object) -> list[SubjectRequest]:
        rows = self._c.execute(text(f"SELECT {', '.join(_FIELDS)} FROM subjectrequest WHERE {where}"), values)  # noqa: S608 - our own words
        return [SubjectRequest(*row) for row in rows]

    def entries(self, log: str, size: int, kind: str = "") -> Iterator[tuple[int, bytes]]:
        """Position and bytes of the first `size` entries of a log, in order. kind: only those of `sinergi/KIND/v1`."""
        connection = self._c.connection.driver_connection  # below SQLAlchemy: it would make an object of every row
        assert isinstance(connection, sqlite3.Connection)
        only = " AND instr(entry, ?) > 0" if kind else ""  # an entry's other texts are words and ids of ours: none is a type
        query = f"SELECT position, entry FROM logentry WHERE log = ? AND position < ?{only} ORDER BY position"  # noqa: S608 - our own words
        yield from connection.execute(query, (log, size, *([type_text(kind)] if kind else [])))

    def proposed(self, log: str, since: str) -> set[str]:
        """The drafts that were proposed since then, to change what the log is of. since: UTC text; the log is read from its end back to there."""
        found = set()
        for (data,) in self._c.execute(text("SELECT entry FROM logentry WHERE log = :l ORDER BY position DESC"), {"l": log}):
            entry = json.loads(data)
            if entry["time"] < since:
                break
            if entry["type"] == "sinergi/policy/v1" and entry["act"] == "proposed":
                found.add(entry["draft"])
        return found

    def outcomes(self, log: str, after: int, exchange: str) -> list[bytes]:
        """The entries after a position that tell what became of an exchange, in order."""
        query = "SELECT entry FROM logentry WHERE log = :l AND position > :a AND instr(entry, :t) > 0 AND instr(entry, :e) > 0 ORDER BY position"
        return [entry for (entry,) in self._c.execute(text(query), {"l": log, "a": after, "t": type_text("outcome"), "e": f'"{exchange}"'.encode()})]


def type_text(kind: str) -> bytes:
    """What stands in every entry of a kind, and in no other."""
    return f'"type":"sinergi/{kind}/v1"'.encode()
