"""Kotak masuk: what arrived for the party's system, and the command that opens it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.vouching import denied, vouched
from broker.web.console.outgoing import flows_of
from broker.web.console.paging import EACH, turned
from broker.web.console.shell import Entry
from broker.web.console.telling import told
from broker.web.console.words import N_

if TYPE_CHECKING:
    from fastapi import Request, Response

    from broker.web.console.shell import Shell, Visit


def add(shell: Shell) -> None:
    shell.menu.append(Entry("/kotak-masuk", N_("Kotak masuk"), ("baca_data",)))

    def page(request: Request, visit: Visit) -> Response:
        if not visit.may("baca_data") or not vouched(shell.office, visit.person):
            raise denied(shell.office, visit.person, "baca_data")
        flows = flows_of(shell.office, visit.person)
        with shell.office.ledger.database.read() as tx:
            first, turn = turned(request, tx.arrived_in(flows, 0, 0)[1])
            rows, _ = tx.arrived_in(flows, EACH, first)
        return shell.show(request, visit, "kotak_masuk.html", rows=rows, turn=turn, **told(shell, visit))

    shell.get("/kotak-masuk", page)
