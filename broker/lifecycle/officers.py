"""Who may do what to policies: by the role, the party, the agreement and the day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.errors import Refusal
from broker.model import wib_date
from broker.roles import BODIES, may
from broker.vouching import denied, vouched

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from broker.model import Person
    from broker.office import Office

READ, WRITE, APPROVE, STOP = "baca_log", "tulis_kebijakan", "setujui_kebijakan", "hentikan"


def agreements_of(office: Office, person: Person, act: str, now: datetime) -> list[str]:
    """The agreements of the person's party in which they may do the act today."""
    return [a.id for a in office.agreements.values() if person.party in a.parties and may(person, act, a.id, wib_date(now))]


def may_in(office: Office, person: Person, act: str, names: Iterable[str], now: datetime) -> bool:
    """Whether they may do it in any of the agreements named."""
    return not set(names).isdisjoint(agreements_of(office, person, act, now))


def require(office: Office, person: Person, act: str, now: datetime, every: Iterable[str] = ()) -> None:
    """Refusal wewenang or belum_dijamin unless the person may do the act in some agreement of their party's; draf_pihak unless in each of `every`."""
    own = agreements_of(office, person, act, now)
    if not own or not vouched(office, person):
        raise denied(office, person, act)
    for name in every:
        if name not in own:
            raise Refusal("draf_pihak", kesepakatan=name)


def readable(office: Office, person: Person, now: datetime) -> list[str]:
    """The agreements whose log, and whose part of a policy's change, the person may read today: none for an account that only the host's administrator made.

    An external auditor has no system to vouch for them; the letter of appointment is in the agreement's log.
    """
    if person.party not in BODIES and not vouched(office, person):
        return []
    return [name for name in office.agreements if may(person, READ, name, wib_date(now))]


def reader(office: Office, person: Person, now: datetime) -> None:
    """Refusal wewenang or belum_dijamin for who reads no policies. The rules of all agreements are one file, and whoever reads policies reads it whole."""
    if not readable(office, person, now):
        refusal = denied(office, person, READ)
        raise refusal if refusal.reason != "wewenang" else Refusal("wewenang", tindakan=WRITE)
