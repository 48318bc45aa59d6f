"""The policy as a grid, why each cell is what it is, and its versions. What is asked stands in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from broker import lifecycle
from broker.agreement import quotes
from broker.errors import Refusal
from broker.model import ROW_FLAGS, class_name, wib_date
from broker.policy import Cell, citations, explain
from broker.treatment import effective_level
from broker.web.console.shell import Entry
from broker.web.console.telling import FLAGS, LEVELS
from broker.web.console.words import N_

if TYPE_CHECKING:
    from datetime import date

    from fastapi import Request, Response

    from broker.model import Agreement, Contract
    from broker.office import Office
    from broker.policy import Policy
    from broker.web.console.shell import Shell, Visit

OUTSIDE: Final = {"pihak_ketiga": "ungkap", "publik": "terbit"}  # who is no party, and the action they would be served by
PAGE: Final = 50
CLASSES: Final = {
    "umum": N_("Data pribadi umum"), "spesifik": N_("Data pribadi spesifik"), "teks_bebas": N_("Teks bebas"), "bukan_pribadi": N_("Bukan data pribadi"), "publik": N_("Publik"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """What a grid shows: one recipient's levels in one agreement, dataset and row class."""

    agreement: Agreement
    recipient: str
    contract: Contract
    row: str

    @property
    def query(self) -> dict[str, str]:
        return {"kesepakatan": self.agreement.id, "penerima": self.recipient, "himpunan": self.contract.dataset, "kelas": self.row}

    @property
    def action(self) -> str:
        return OUTSIDE.get(self.recipient, "terima")

    def cell(self, column: str, purpose: str, day: date) -> Cell:
        return Cell(self.recipient, self.agreement.id, f"{self.contract.dataset}.{column}", self.action, purpose, self.row, day)


def add(shell: Shell) -> None:
    shell.menu.append(Entry("/kebijakan", N_("Kebijakan"), ("baca_log",)))

    def page(request: Request, visit: Visit) -> Response:
        lifecycle.reader(shell.office, visit.person, visit.now)
        view = view_of(shell.office, visit, request.query_params)
        return shell.show(request, visit, "kebijakan.html", **grid(shell.office, shell.office.policy, view, wib_date(visit.now)), draft=None)

    def why(request: Request, visit: Visit) -> Response:
        lifecycle.reader(shell.office, visit.person, visit.now)
        draft = request.query_params.get("draf")
        policy = draft_policy(shell.office, visit, draft) if draft else shell.office.policy
        view = view_of(shell.office, visit, request.query_params)
        cell = cell_of(view, request.query_params.get("sel", ""), wib_date(visit.now))
        return shell.show(request, visit, "kebijakan-mengapa.html", view=view, draft=draft, **reasons(shell.office, policy, view, cell))

    shell.get("/kebijakan", page)
    shell.get("/kebijakan/mengapa", why)


def draft_policy(office: Office, visit: Visit, draft: str) -> Policy:
    return lifecycle.judge(office, lifecycle.read_draft(office, visit.person, draft, visit.now)).policy


# --- what is asked
def view_of(office: Office, visit: Visit, asked: Any) -> View:
    """From an address; what it does not name is chosen. Refusal parameter for a name that is none."""
    own = [name for name in office.agreements if name in visit.person.agreements] or list(office.agreements)
    agreement = office.agreements[_one(asked.get("kesepakatan"), own, office.agreements, "kesepakatan")]
    home = visit.person.party
    others = [system for party, system in agreement.systems.items() if party != home]  # who would get what is ours
    systems = {system for one in office.agreements.values() for system in one.systems.values()}
    recipient = _one(asked.get("penerima"), others, {*systems, *OUTSIDE}, "penerima")
    if recipient in systems.difference(agreement.systems.values()):  # left over from another agreement's grid
        recipient = others[0]
    dataset = _one(asked.get("himpunan"), list(agreement.scope), office.contracts, "himpunan")
    flags = asked.getlist("sifat") if hasattr(asked, "getlist") else []
    row = class_name(sum(1 << ROW_FLAGS.index(flag) for flag in {*flags} if flag in ROW_FLAGS)) if flags else asked.get("kelas") or "umum"
    _one(row, [], office.policy.known.axes["row"][:-1], "kelas")
    return View(agreement, recipient, office.contracts[dataset], row)


def _one(asked: str | None, chosen: list[str], known: Any, name: str) -> str:
    found = asked or chosen[0]
    if found not in known:
        raise Refusal("parameter", parameter=name)
    return found


def cell_of(view: View, asked: str, day: date) -> Cell:
    """`column.purpose`. Refusal parameter for what is neither."""
    column, _, purpose = asked.partition(".")
    if column not in view.contract.names or purpose not in {one.code for one in view.agreement.purposes}:
        raise Refusal("parameter", parameter="sel")
    return view.cell(column, purpose, day)


# --- what is shown
def grid(office: Office, policy: Policy, view: View, day: date) -> dict[str, Any]:
    """Columns by class × purposes. A purpose that does not cover recipient and dataset, and gives nothing, is named apart."""
    agreement, contract, index = view.agreement, view.contract, policy.known.index
    row = index("row", view.row)
    objects = policy.known.columns(contract.dataset, contract.names)
    levels = {p.code: policy.levels(view.recipient, agreement.id, view.action, p.code, day)[row, objects].tolist() for p in agreement.purposes}
    locked = policy.locked(view.recipient, agreement.id, view.action, view.row, day)[:, objects]
    party = next((name for name, system in agreement.systems.items() if system == view.recipient), "")
    shown = [p for p in agreement.purposes if (party in p.recipients and contract.dataset in p.datasets) or any(levels[p.code])]
    caps = {p.code: locked[index("pur", p.code)].tolist() for p in shown}
    groups: dict[str, list[dict[str, Any]]] = {}
    for n, column in enumerate(contract.columns):
        cells = []
        for p in shown:
            level = levels[p.code][n]
            leaves = int(effective_level(column, level, p.parent, formatted=agreement.formatted)) if view.action == "terima" else level
            cells.append({"purpose": p.code, "level": level, "cap": caps[p.code][n], "leaves": leaves})
        groups.setdefault(column.klass, []).append({"column": column, "cells": cells})
    return {
        "view": view, "policy": policy, "day": day, "purposes": shown, "other": [p for p in agreement.purposes if p not in shown], "groups": groups, "klasses": CLASSES, "levels": LEVELS,
        "query": urlencode(view.query), "flags": FLAGS, "chosen_flags": view.row.split("+"),
        "choices": {"agreements": list(office.agreements.values()), "recipients": [*dict.fromkeys(s for a in office.agreements.values() for s in a.systems.values()), *OUTSIDE], "contracts": list(office.contracts.values())},
    }  # fmt: skip


def reasons(office: Office, policy: Policy, view: View, cell: Cell) -> dict[str, Any]:
    """A cell's level and each rule that allowed or capped it, with the words of the clauses that it cites."""
    found = {language: explain(policy, cell, language) for language in ("id", "en")}
    said, rows = quotes(view.agreement), {policy.rows[n].id: policy.rows[n] for n in policy.matching(cell)}
    rules = [
        {
            "rule": rule, "row": rows[rule.id], "decides": rule.id in found["id"].decides,
            "clauses": [(clause, said.get(clause, ())) for name, clause in citations(rows[rule.id].pasal) if name in ("", view.agreement.id)],
        }
        for rule in found["id"].rules
    ]  # fmt: skip
    dataset, _, column = cell.obj.partition(".")
    purpose = next(p for p in view.agreement.purposes if p.code == cell.pur)
    leaves = int(effective_level(office.contracts[dataset].column(column), found["id"].level, purpose.parent, formatted=view.agreement.formatted))
    return {
        "cell": cell, "column": column, "purpose": purpose, "level": found["id"].level, "leaves": leaves, "levels": LEVELS, "rules": rules, "texts": {k: v.text for k, v in found.items()},
        "query": urlencode(view.query), "policy": policy,
    }  # fmt: skip
