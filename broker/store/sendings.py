"""What officers send from the console: drafts, whose sealed files wait in the spool, and afterwards who sent which exchange."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Table, text

from broker.store.tables import TABLES, _text, _whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

DRAFT_LIFE: Final = timedelta(minutes=30)  # from when the file came in
SENDING: Final = Table(
    "sending", TABLES,
    _text("id", key=True),  # 32 hex digits: of the draft, then of the exchange that it becomes
    _text("state", index=True),  # draft sent
    _text("person", index=True),
    _text("agreement"),
    _text("dataset"),
    _text("template"),
    _text("purpose"),
    _text("sender"),
    _text("recipient"),
    _text("basis", optional=True),  # of a draft alone
    _text("content_type"),
    _text("created"),
    _text("envelope_sha256"),
    _whole("size"),
    _text("plan", optional=True),  # digest of the plan that the preview showed, once it is sent
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sending:
    """A row of `sending`. size: bytes of the sealed envelope."""

    id: str
    state: str
    person: str
    agreement: str
    dataset: str
    template: str
    purpose: str
    sender: str
    recipient: str
    basis: str | None
    content_type: str
    created: str
    envelope_sha256: str
    size: int
    plan: str | None


_FIELDS: Final = tuple(f.name for f in fields(Sending))


class Sendings:
    """What a transaction can ask and write of sendings."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, row: Sending) -> None:
        self._c.execute(SENDING.insert(), {name: getattr(row, name) for name in _FIELDS})

    def get(self, name: str) -> Sending | None:
        return next(iter(self._rows("id = :v", v=name)), None)

    def drafts(self, person: str | None = None) -> list[Sending]:
        """Every draft, or a person's, the oldest first."""
        mine = "" if person is None else " AND person = :p"
        return self._rows(f"state = 'draft'{mine} ORDER BY created, id", p=person)

    def send(self, name: str, plan: str) -> None:
        self._c.execute(SENDING.update().where(SENDING.c.id == name).values(state="sent", plan=plan, basis=None))

    def drop(self, name: str) -> None:
        """Ends a draft; what was sent stays."""
        self._c.execute(SENDING.delete().where(SENDING.c.id == name, SENDING.c.state == "draft"))

    def persons(self, names: Sequence[str]) -> dict[str, str]:
        """Who sent each of these exchanges, of those that came from the console."""
        rows = self._c.execute(SENDING.select().where(SENDING.c.id.in_(names)).with_only_columns(SENDING.c.id, SENDING.c.person))
        return {row.id: row.person for row in rows}

    def _rows(self, where: str, **values: object) -> list[Sending]:
        rows = self._c.execute(text(f"SELECT {', '.join(_FIELDS)} FROM sending WHERE {where}"), {k: v for k, v in values.items() if v is not None})  # noqa: S608 - our own words
        return [Sending(*row) for row in rows]
