"""Stops: any one officer halts releases at once; two undo it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from broker.errors import Refusal
from broker.lifecycle.officers import STOP, may_in, require
from broker.model import utc_text
from broker.record import event
from broker.store import StopRow
from broker.vouching import vouched

if TYPE_CHECKING:
    from datetime import datetime

    from broker.model import Person
    from broker.office import Office


def stops(office: Office) -> list[StopRow]:
    with office.ledger.database.read() as tx:
        return tx.versions.stops()


def stops_of(office: Office, person: Person) -> list[StopRow]:
    """Those that concern an agreement of the person's."""
    return [row for row in stops(office) if not person.agreements.isdisjoint(_concerned(office, row.target))]


def stop(office: Office, person: Person, target: str, now: datetime) -> StopRow:
    """Halts every release of an agreement, or from and to a party, at once. Any one officer of theirs may."""
    require(office, person, STOP, now)
    logs = _logs(office, person, target, now)
    row = StopRow(secrets.token_hex(8), target, person.id, utc_text(now), None, None)
    with office.ledger.writing() as book:
        if held := next((held for held in book.tx.versions.stops() if held.target == target), None):
            return held
        book.tx.versions.add_stop(row)
        for name in logs:
            book.append(name, event("policy", now, act="stopped", person=person.id, stop=row.id, target=target))
    return row


def resume(office: Office, person: Person, name: str, now: datetime) -> bool:
    """Undoes a stop once a second officer asks the same; whether it is undone.

    Each must be an officer of an agreement that the stop concerns and its maker's party is in; one of the two, of that party.
    Refusal berhenti_dua as long as they are not two such.
    """
    require(office, person, STOP, now)
    with office.ledger.writing() as book:
        row = book.tx.versions.stop(name)
        if row is None or row.lifted:
            raise Refusal("draf_tidak_ada")
        party = row.person.partition("@")[2]
        shared = [log_ for log_ in _concerned(office, row.target) if party in office.agreements[log_].parties]
        if not may_in(office, person, STOP, shared, now):
            raise Refusal("draf_pihak", kesepakatan=row.target)
        first = book.tx.people.get(row.lifter) if row.lifter else None
        if first is not None and not (may_in(office, first, STOP, shared, now) and vouched(office, first)):
            first = None  # no longer in office: as if they had not asked
        if first is not None and (first.id == person.id or party not in (first.party, person.party)):
            raise Refusal("berhenti_dua")
        book.tx.versions.change_stop(name, **({"lifted": utc_text(now)} if first else {"lifter": person.id}))
        for log_ in _concerned(office, row.target):
            book.append(log_, event("policy", now, act="resumed" if first else "resume_asked", person=person.id, stop=name, target=row.target))
    return first is not None


def _concerned(office: Office, target: str) -> list[str]:
    """The agreements that a stop of `target` concerns."""
    return [a.id for a in office.agreements.values() if target == a.id or target in a.parties]


def _logs(office: Office, person: Person, target: str, now: datetime) -> list[str]:
    """The logs of the agreements that a stop of `target` concerns. Refusal for what is not the person's to stop."""
    found = _concerned(office, target)
    if not found:
        raise Refusal("parameter", parameter="target")
    if not may_in(office, person, STOP, found, now):
        raise Refusal("draf_pihak", kesepakatan=found[0])
    return found
