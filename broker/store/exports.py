"""The signed statement over every file that was handed out, by its id. The file itself is not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Table

from broker.store.tables import TABLES, _blob, _text

if TYPE_CHECKING:
    from sqlalchemy import Connection

EXPORT: Final = Table("auditexport", TABLES, _text("id", key=True), _text("agreement", index=True), _blob("dsse"))


class Exports:
    """The statements inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def add(self, name: str, agreement: str, dsse: bytes) -> None:
        self._c.execute(EXPORT.insert(), {"id": name, "agreement": agreement, "dsse": dsse})

    def get(self, name: str) -> tuple[str, bytes] | None:
        """The agreement and the DSSE."""
        row = self._c.execute(EXPORT.select().where(EXPORT.c.id == name)).first()
        return None if row is None else (row.agreement, row.dsse)
