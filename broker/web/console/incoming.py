"""Kotak masuk: what arrived for the party's system, and the command that opens it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.errors import Refusal
from broker.web.console.outgoing import PAGE
from broker.web.console.shell import Entry
from broker.web.console.telling import told
from broker.web.console.words import N_

if TYPE_CHECKING:
    from fastapi import Request, Response

    from broker.web.console.shell import Shell, Visit


def add(shell: Shell) -> None:
    shell.menu.append(Entry("/kotak-masuk", N_("Kotak masuk"), ("baca_data",)))

    def page(request: Request, visit: Visit) -> Response:
        if not visit.may("baca_data"):
            raise Refusal("wewenang", tindakan="baca_data")
        mine = [a for name in visit.person.agreements if (a := shell.office.agreements.get(name)) and visit.person.party in a.systems]
        with shell.office.ledger.database.read() as tx:
            rows = [row for system in sorted({a.systems[visit.person.party] for a in mine}) for row in tx.arrived(system, PAGE)]
        shown = [row for row in rows if row.agreement in visit.person.agreements]
        return shell.show(request, visit, "kotak_masuk.html", rows=shown, **told(shell, visit))

    shell.get("/kotak-masuk", page)
