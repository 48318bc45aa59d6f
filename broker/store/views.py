"""Searches that a person keeps under a name. They are theirs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Table, text

from broker.store.tables import TABLES, _text

if TYPE_CHECKING:
    from sqlalchemy import Connection

VIEW: Final = Table("savedview", TABLES, _text("person", key=True), _text("name", key=True), _text("expression"))


class Views:
    """Those inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    def keep(self, person: str, name: str, expression: str) -> None:
        """A later view takes the place of an earlier one of its name."""
        self.drop(person, name)
        self._c.execute(VIEW.insert(), {"person": person, "name": name, "expression": expression})

    def drop(self, person: str, name: str) -> None:
        self._c.execute(text("DELETE FROM savedview WHERE person = :p AND name = :n"), {"p": person, "n": name})

    def of(self, person: str) -> list[tuple[str, str]]:
        """Name and expression, by name."""
        return [(name, expression) for name, expression in self._c.execute(text("SELECT name, expression FROM savedview WHERE person = :p ORDER BY name"), {"p": person})]
