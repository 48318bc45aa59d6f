"""Policy versions, the pointer to the one in force, drafts, approvals and stops. A version's row is never changed; the pointer alone moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Integer, LargeBinary, String, Table, select, text

from broker.store.tables import TABLES

if TYPE_CHECKING:
    from sqlalchemy import Connection

_VERSION: Final = Table(
    "policyversion", TABLES,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("model", LargeBinary, nullable=False),
    Column("rules", LargeBinary, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("dsse", LargeBinary, nullable=False),
)  # fmt: skip
_ACTIVE: Final = Table("policyactive", TABLES, Column("id", Integer, primary_key=True), Column("number", Integer, nullable=False))
_DRAFT: Final = Table(
    "policydraft", TABLES,
    Column("id", String, primary_key=True),
    Column("base", Integer, nullable=False),
    Column("author", String, nullable=False),
    Column("state", String, nullable=False, index=True),  # draft proposed published withdrawn
    Column("rules", LargeBinary, nullable=False),
    Column("addendum", String),
    Column("rollback_of", Integer),
    Column("changed", String, nullable=False),
)  # fmt: skip
_APPROVAL: Final = Table("policyapproval", TABLES, Column("draft", String, primary_key=True), Column("person", String, primary_key=True), Column("dsse", LargeBinary, nullable=False))
_STOP: Final = Table(
    "policystop", TABLES,
    Column("id", String, primary_key=True),
    Column("target", String, nullable=False, index=True),  # an agreement or a party
    Column("person", String, nullable=False),
    Column("at", String, nullable=False),
    Column("lifter", String),  # the first of two who want it undone
    Column("lifted", String),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A published version: its two files, its record, and the broker's DSSE over the record."""

    number: int
    model: bytes
    rules: bytes
    record: bytes
    dsse: bytes


@dataclass(frozen=True, slots=True)
class DraftRow:
    id: str
    base: int
    author: str
    state: str
    rules: bytes
    addendum: str | None
    rollback_of: int | None
    changed: str


@dataclass(frozen=True, slots=True)
class StopRow:
    id: str
    target: str
    person: str
    at: str
    lifter: str | None
    lifted: str | None


class Versions:
    """What a transaction can ask and write of policies."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    # versions
    def active(self) -> int | None:
        """The number in force: one indexed row, asked twice a second."""
        found: int | None = self._c.execute(text("SELECT number FROM policyactive WHERE id = 1")).scalar()
        return found

    def version(self, number: int) -> VersionRow | None:
        row = self._c.execute(_VERSION.select().where(_VERSION.c.number == number)).first()
        return None if row is None else VersionRow(*row)

    def all(self) -> list[VersionRow]:
        return [VersionRow(*row) for row in self._c.execute(_VERSION.select().order_by(_VERSION.c.number))]

    def publish(self, row: VersionRow) -> None:
        self._c.execute(_VERSION.insert(), {"number": row.number, "model": row.model, "rules": row.rules, "record": row.record, "dsse": row.dsse})
        self._c.execute(_ACTIVE.delete())
        self._c.execute(_ACTIVE.insert(), {"id": 1, "number": row.number})

    # drafts
    def add_draft(self, draft: DraftRow) -> None:
        self._c.execute(_DRAFT.insert(), {name: getattr(draft, name) for name in DraftRow.__dataclass_fields__})

    def change_draft(self, draft: str, **values: object) -> None:
        self._c.execute(_DRAFT.update().where(_DRAFT.c.id == draft).values(**values))

    def draft(self, draft: str) -> DraftRow | None:
        row = self._c.execute(_DRAFT.select().where(_DRAFT.c.id == draft)).first()
        return None if row is None else DraftRow(*row)

    def drafts(self, *states: str) -> list[DraftRow]:
        return [DraftRow(*row) for row in self._c.execute(_DRAFT.select().where(_DRAFT.c.state.in_(states)).order_by(_DRAFT.c.changed.desc(), _DRAFT.c.id))]

    def newest(self, most: int, *states: str) -> list[tuple[str, str]]:
        """Id and last change of the drafts that changed last."""
        query = select(_DRAFT.c.id, _DRAFT.c.changed).where(_DRAFT.c.state.in_(states)).order_by(_DRAFT.c.changed.desc(), _DRAFT.c.id).limit(most)
        return [(row.id, row.changed) for row in self._c.execute(query)]

    # approvals
    def approve(self, draft: str, person: str, dsse: bytes) -> None:
        """A person's second approval of a draft takes the place of the first: the draft may have changed between."""
        self._c.execute(_APPROVAL.delete().where((_APPROVAL.c.draft == draft) & (_APPROVAL.c.person == person)))
        self._c.execute(_APPROVAL.insert(), {"draft": draft, "person": person, "dsse": dsse})

    def approvals(self, draft: str) -> dict[str, bytes]:
        rows = self._c.execute(_APPROVAL.select().where(_APPROVAL.c.draft == draft).order_by(_APPROVAL.c.person))
        return {person: dsse for _, person, dsse in rows}

    def unapproved(self, person: str) -> list[tuple[str, str, str]]:
        """Id, author and time of every draft that was proposed on the version in force, that another wrote and this person has not approved."""
        query = (
            "SELECT id, author, changed FROM policydraft WHERE state = 'proposed' AND author != :p AND base = (SELECT number FROM policyactive)"
            " AND NOT EXISTS (SELECT 1 FROM policyapproval WHERE draft = policydraft.id AND person = :p) ORDER BY changed, id"
        )
        return [(row.id, row.author, row.changed) for row in self._c.execute(text(query), {"p": person})]

    def forget_approvals(self, draft: str) -> None:
        self._c.execute(_APPROVAL.delete().where(_APPROVAL.c.draft == draft))

    # stops
    def add_stop(self, stop: StopRow) -> None:
        self._c.execute(_STOP.insert(), {name: getattr(stop, name) for name in StopRow.__dataclass_fields__})

    def change_stop(self, stop: str, **values: object) -> None:
        self._c.execute(_STOP.update().where(_STOP.c.id == stop).values(**values))

    def stop(self, stop: str) -> StopRow | None:
        row = self._c.execute(_STOP.select().where(_STOP.c.id == stop)).first()
        return None if row is None else StopRow(*row)

    def stops_since(self, at: str) -> list[StopRow]:
        """Those made since then, whether they still hold or not."""
        return [StopRow(*row) for row in self._c.execute(_STOP.select().where(_STOP.c.at >= at).order_by(_STOP.c.at, _STOP.c.id))]

    def stops(self) -> list[StopRow]:
        """Those that still hold."""
        return [StopRow(*row) for row in self._c.execute(_STOP.select().where(_STOP.c.lifted.is_(None)).order_by(_STOP.c.at, _STOP.c.id))]
