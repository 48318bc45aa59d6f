"""Who is behind a token: asking, approving for one's party, fetching the sealed answer. The tokens asked about are in no address and are not shown again."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from fastapi.responses import Response

from broker.assertions import OPEN_IDENTITIES, statement
from broker.audit import reidentify
from broker.audit.reidentify import APPROVE, ASK, FEW, GROUNDS, QUOTA, Question
from broker.errors import Refusal
from broker.lifecycle.officers import agreements_of
from broker.vouching import denied, vouched
from broker.web.console.paging import paged
from broker.web.console.passkeys import answered, asking
from broker.web.console.shell import HEADERS, Entry
from broker.web.console.words import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from broker.audit.reidentify import Shown
    from broker.model import Person
    from broker.store import ExchangeRow
    from broker.web.console.shell import Form, Shell, Visit

CHOICES: Final = 50  # of the exchanges received last, to choose from
ONCE: Final = timedelta(days=1)  # that a form already sent is known by
REQUEST_STATES: Final = {
    "pending": N_("Menunggu persetujuan kedua pihak"), "approved": N_("Disetujui, jawaban belum diambil"), "answered": N_("Sudah dijawab"), "declined": N_("Ditolak"),
    "expired": N_("Lewat waktu"),
}  # fmt: skip
WRONG: Final = {"dasar_identitas": "dasar", "alasan": "alasan", "samaran": "samaran", "kuota_identitas": "samaran", "tidak_ada": "pertukaran"}  # refusal → the field it is about
FIELDS: Final = ("pertukaran", "dasar", "alasan", "samaran")


def add(shell: Shell) -> None:
    shell.menu.append(Entry("/samaran", N_("Samaran"), (ASK, APPROVE)))
    pages = _Pages(shell)
    shell.get("/samaran", pages.list)
    shell.get("/samaran/ajukan", pages.form)
    shell.post("/samaran/ajukan", pages.ask)
    shell.get("/samaran/{request}", pages.one)
    shell.post("/samaran/{request}", pages.decide)
    shell.post("/samaran/{request}/setujui", pages.approve)
    shell.post("/samaran/{request}/jawaban", pages.answer)


@dataclass(frozen=True, slots=True)
class _Pages:
    shell: Shell

    def list(self, request: Request, visit: Visit) -> Response:
        office, person = self.shell.office, visit.person
        found = reidentify.requests(office, person, visit.now)
        asks, approves = (agreements_of(office, person, act, visit.now) for act in (ASK, APPROVE))
        rows, turn = paged(request, found)
        return self.shell.show(
            request, visit, "samaran.html", waiting=[one for one in found if _waits_for(one, person, approves)], rows=rows, turn=turn, states=REQUEST_STATES, asks=asks,
            quota=[(name, reidentify.used(office, person, name, visit.now)) for name in asks], limit=QUOTA, few=FEW,
        )  # fmt: skip

    # --- asking
    def form(self, request: Request, visit: Visit) -> Response:
        return self._form(request, visit, {"pertukaran": request.query_params.get("pertukaran", "")})

    def _form(self, request: Request, visit: Visit, typed: dict[str, str], refusal: Refusal | None = None) -> Response:
        office, asks = self.shell.office, agreements_of(self.shell.office, visit.person, ASK, visit.now)
        if not asks or not vouched(office, visit.person):
            raise denied(office, visit.person, ASK)
        text = "" if refusal is None else refusal.said(visit.language)
        return self.shell.show(
            request, visit, "samaran_ajukan.html", 200 if refusal is None else refusal.entry.status, typed={name: typed.get(name, "") for name in FIELDS}, problem=text,
            wrong=WRONG.get(refusal.reason, "samaran" if refusal.facts.get("parameter") == "tokens" else "") if refusal else "", grounds=GROUNDS,
            exchanges=self._received(visit.person, asks), once=secrets.token_urlsafe(16), limit=QUOTA,
            left=[(name, QUOTA - reidentify.used(office, visit.person, name, visit.now)) for name in asks],
        )  # fmt: skip

    def _received(self, person: Person, agreements: Sequence[str]) -> Sequence[ExchangeRow]:
        office = self.shell.office
        systems = sorted({office.agreements[name].systems[person.party] for name in agreements})
        with office.ledger.database.read() as tx:
            return [row for system in systems for row in tx.received(system, CHOICES) if row.agreement in agreements]

    def ask(self, request: Request, visit: Visit, form: Form) -> Response:
        """A form that was sent before asks nothing again."""
        shell, now = self.shell, visit.now
        once = form.get("sekali", "")
        if not 1 <= len(once) <= 64:
            raise Refusal("parameter", parameter="sekali")
        with shell.office.ledger.database.write() as tx:
            if not tx.use_nonce("samaran", f"{visit.person.id} {once}", int(now.timestamp()), int((now + ONCE).timestamp())):
                return shell.to("/samaran")
        tokens = tuple(line.strip() for line in form.get("samaran", "").splitlines() if line.strip())
        exchange = form.get("pertukaran", "").strip()
        question = Question(self._agreement(visit, exchange), exchange, form.get("dasar", ""), form.get("alasan", "").strip(), tokens)
        try:
            shown = reidentify.ask(shell.office, visit.person, question, now)
        except Refusal as refusal:
            return self._form(request, visit, form, refusal)
        return shell.to(f"/samaran/{shown.row.id}")

    def _agreement(self, visit: Visit, exchange: str) -> str:
        """Of the exchange, if the person asks in it; otherwise one in which they do: there the exchange is none of theirs. Refusal wewenang."""
        asks = agreements_of(self.shell.office, visit.person, ASK, visit.now)
        if not asks:
            raise Refusal("wewenang", tindakan=ASK)
        with self.shell.office.ledger.database.read() as tx:
            row = tx.exchange(exchange)
        return row.agreement if row is not None and row.agreement in asks else asks[0]

    # --- a request
    def one(self, request: Request, visit: Visit) -> Response:
        return self._one(request, visit)

    def _one(self, request: Request, visit: Visit, problem: str = "", status: int = 200) -> Response:
        office, person = self.shell.office, visit.person
        shown = reidentify.request(office, person, request.path_params["request"], visit.now)
        approves = agreements_of(office, person, APPROVE, visit.now)
        decides = _waits_for(shown, person, approves)
        asked = asking(self.shell, visit, statement(person, OPEN_IDENTITIES, reidentify.about(shown.row), visit.now)) if decides else None
        return self.shell.show(
            request, visit, "samaran_satu.html", status, asked=asked, one=shown, row=shown.row, states=REQUEST_STATES, grounds=GROUNDS, problem=problem,
            decides=decides, ends=shown.row.agreement in approves and shown.row.state in ("pending", "approved"),
            fetches=shown.row.person == person.id and shown.row.state == "approved",
        )  # fmt: skip

    def decide(self, request: Request, visit: Visit, form: Form) -> Response:
        name, asked = request.path_params["request"], form.get("putusan", "")
        if asked not in ("setujui", "tolak"):
            raise Refusal("parameter", parameter="putusan")
        if asked == "setujui":
            reidentify.request(self.shell.office, visit.person, name, visit.now)  # who may not see it is not asked for a code
            if not self.shell.confirmed(visit, form):
                return self._one(request, visit, visit._(N_("Kode salah, sudah dipakai, atau akun terkunci sementara. Tidak ada yang berubah.")), 401)
        reidentify.decide(self.shell.office, visit.person, name, visit.now, approve=asked == "setujui")
        return self.shell.to(f"/samaran/{name}")

    def approve(self, request: Request, visit: Visit, form: Form) -> Response:
        """By a passkey."""
        name = request.path_params["request"]
        reidentify.decide(self.shell.office, visit.person, name, visit.now, approve=True, answer=answered(self.shell, visit, form))
        return self.shell.to(f"/samaran/{name}")

    def answer(self, request: Request, visit: Visit, _form: Form) -> Response:
        """The one copy there is: what `broker reidentify open` reads."""
        found = reidentify.answer(self.shell.office, visit.person, request.path_params["request"], visit.now)
        data: dict[str, Any] = reidentify.as_json(found)
        name = f"jawaban-{request.path_params['request']}.json"
        return Response(json.dumps(data), media_type="application/json", headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'})


def _waits_for(one: Shown, person: Person, approves: Sequence[str]) -> bool:
    return one.row.state == "pending" and one.row.agreement in approves and person.id not in one.approvers
