"""The people of one's own party: who is appointed until when, and whose keys count. Accounts are made on the broker's host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.model import REMINDER, wib_date
from broker.people import CONFIRM, colleagues
from broker.roles import BODIES
from broker.vouching import vouched
from broker.web.console.paging import paged
from broker.web.console.shell import Entry
from broker.web.console.words import N_

if TYPE_CHECKING:
    from datetime import date

    from fastapi import Request, Response

    from broker.model import Person
    from broker.office import Office
    from broker.web.console.shell import Shell, Visit

ACCOUNT: Final = {"invited": N_("Diundang, kata sandi belum dipasang"), "active": N_("Aktif"), "ended": N_("Berakhir")}


def add(shell: Shell) -> None:
    shell.menu.append(Entry("/petugas", N_("Petugas"), (CONFIRM,)))

    def page(request: Request, visit: Visit) -> Response:
        day = wib_date(visit.now)
        found, turn = paged(request, colleagues(shell.office, visit.person, visit.now))
        rows = [{"person": one, "state": ACCOUNT[one.state], "enrolled": _keys(shell.office, one), "term": _term(one, day)} for one in found]
        return shell.show(request, visit, "petugas.html", rows=rows, turn=turn)

    shell.get("/petugas", page)


def ends_soon(person: Person, day: date) -> bool:
    """Whether the appointment holds, and ends within the time of the reminder."""
    return person.in_office(day) and person.ends is not None and person.ends < day + REMINDER


def _term(person: Person, day: date) -> str:
    if person.state != "ended" and person.ends is not None and person.ends < day:
        return N_("Masa tugas sudah lewat")
    if person.state != "ended" and person.starts > day:
        return N_("Masa tugas belum mulai")
    return N_("Segera berakhir") if ends_soon(person, day) else ""


def _keys(office: Office, person: Person) -> str:
    if person.keys is None:
        return N_("Belum ada kunci")
    if person.party in BODIES:
        return N_("Terdaftar; auditor luar tidak memerlukan surat jaminan")
    return N_("Terdaftar dan dijamin sistem pihaknya") if vouched(office, person) else N_("Terdaftar, belum dijamin sistem pihaknya")
