"""Versions of the policy, each with its record, and the emergency stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker import lifecycle
from broker.errors import Refusal
from broker.web.console.policy import PAGE
from broker.web.policy import changes_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request, Response

    from broker.web.console.shell import Form, Shell, Visit

STOPS: Final = "/kebijakan/henti"


def add(shell: Shell) -> None:
    pages = _Pages(shell)
    shell.get("/kebijakan/versi", pages.versions)
    shell.get("/kebijakan/versi/{number}", pages.version)
    shell.get(STOPS, pages.stops)
    shell.post(STOPS, pages.stop)
    shell.post(STOPS + "/{stop}/cabut", pages.resume)


class _Pages:
    def __init__(self, shell: Shell) -> None:
        self._shell, self._office = shell, shell.office

    # --- versions
    def versions(self, request: Request, visit: Visit) -> Response:
        lifecycle.reader(self._office, visit.person, visit.now)
        found = lifecycle.history(self._office)[::-1]
        return self._shell.show(request, visit, "kebijakan-versi.html", versions=found[:PAGE], total=len(found))

    def version(self, request: Request, visit: Visit) -> Response:
        office, asked = self._office, request.path_params["number"]
        lifecycle.reader(office, visit.person, visit.now)
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
        if not 0 < number <= office.policy.version:
            raise Refusal("draf_tidak_ada")
        record = lifecycle.history(office)[number - 1]
        change = lifecycle.change_of(office, number)
        shown = changes_json(office, change, lifecycle.readable(office, visit.person, visit.now)) if change else None
        return self._shell.show(
            request, visit, "kebijakan-versi-satu.html", record=record, shown=shown, lines=shown["changes"][: PAGE * 2] if shown else [], approvals=lifecycle.approvals_of(office, number),
            current=office.policy.version, may_write=visit.may("tulis_kebijakan"),
        )  # fmt: skip

    # --- stops
    def stops(self, request: Request, visit: Visit, wrong: str = "") -> Response:
        lifecycle.reader(self._office, visit.person, visit.now)
        party = visit.person.party
        mine = [one for one in self._office.agreements.values() if party in one.parties and visit.may("hentikan", one.id)]
        targets = [*(one.id for one in mine), *dict.fromkeys(name for one in mine for name in one.parties)]
        return self._shell.show(
            request, visit, "kebijakan-henti.html", 403 if wrong else 200, stops=lifecycle.stops_of(self._office, visit.person), targets=targets, agreements=self._office.agreements, wrong=wrong,
            may_stop=bool(targets),
        )  # fmt: skip

    def stop(self, request: Request, visit: Visit, form: Form) -> Response:
        return self._with_code(request, visit, form, "baru", lambda: lifecycle.stop(self._office, visit.person, form.get("sasaran", ""), visit.now))

    def resume(self, request: Request, visit: Visit, form: Form) -> Response:
        stop = request.path_params["stop"]
        return self._with_code(request, visit, form, stop, lambda: lifecycle.resume(self._office, visit.person, stop, visit.now))

    def _with_code(self, request: Request, visit: Visit, form: Form, which: str, act: Callable[[], object]) -> Response:
        """`act`, once the second factor was asked for again; a wrong code comes back beside its field."""
        if not self._shell.confirmed(visit, form):
            return self.stops(request, visit, which)
        act()
        return self._shell.to(STOPS)
