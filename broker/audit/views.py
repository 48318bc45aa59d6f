"""Searches that an officer keeps under a name, for themselves: an expression that is one, and no number of anyone in either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.audit.expression import identity_number, parse
from broker.audit.search import columns, logs_of, vocabulary
from broker.errors import Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from broker.model import Person
    from broker.office import Office

MOST: Final = 50  # of one person
LONGEST: Final = 60  # characters of a name


def views(office: Office, person: Person) -> list[tuple[str, str]]:
    """The person's own: name and expression, by name."""
    with office.ledger.database.read() as tx:
        return tx.views.of(person.id)


def keep(office: Office, person: Person, name: str, expression: str, now: datetime) -> None:
    """Keeps it, in place of one of that name. Refusal wewenang, ungkapan, parameter (`nama`, or `pencarian` when there are too many)."""
    parse(expression, vocabulary(office, logs_of(office, person, now)), columns(office))
    if not name.strip() or len(name) > LONGEST or not name.isprintable() or identity_number(name) is not None:
        raise Refusal("parameter", parameter="nama")
    with office.ledger.database.write() as tx:
        tx.views.keep(person.id, name, expression)
        if len(tx.views.of(person.id)) > MOST:
            raise Refusal("parameter", parameter="pencarian")


def drop(office: Office, person: Person, name: str) -> None:
    with office.ledger.database.write() as tx:
        tx.views.drop(person.id, name)
