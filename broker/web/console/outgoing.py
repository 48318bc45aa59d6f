"""Kirim data: choose, upload, look at what would leave, send or walk away, and what became of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from fastapi.responses import JSONResponse
from fastapi.responses import Response as PlainResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from broker.agreement import in_force
from broker.contract.template import template_xlsx
from broker.errors import LedgerError, Refusal
from broker.exchange import decide, plan_sha256
from broker.gates import not_held
from broker.model import System, wib_date
from broker.preview import Preview, Previews
from broker.sending import PIECE, Asked, Intake, choices, drafts, mine, send, walk_away
from broker.store import DRAFT_LIFE
from broker.submission import asked_in
from broker.vouching import denied, vouched
from broker.web.api import MAX_WAITING
from broker.web.console import quality
from broker.web.console.multipart import Multipart
from broker.web.console.paging import EACH, turned
from broker.web.console.shell import HEADERS, PATH, Entry, Form, log
from broker.web.console.telling import class_words
from broker.web.console.words import N_
from broker.web.problems import stored

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from fastapi import Request, Response

    from broker.model import Agreement, Person
    from broker.office import Office
    from broker.store import ExchangeRow, Sending
    from broker.web.console.shell import Shell, Visit

MAX_UPLOAD: Final = 256 << 20  # bytes, where the broker itself takes more
AT_ONCE: Final = 8  # uploads under way
BY_ONE: Final = 2  # of one officer
STALLED: Final = 60.0  # seconds without a byte after which an upload has broken off: a connection may end without a word
LOOK: Final = 0.05  # seconds that a page waits for a preview in the making
FIRST_LOOK: Final = 1.0  # and that an upload does: most files are through by then
FIELDS: Final = ("kesepakatan", "himpunan", "tujuan", "dasar")
LEVELS: Final = (
    N_("tidak dikirim"), N_("sebagian ditutup"), N_("dibuat lebih umum"), N_("diganti token samaran"), N_("diganti samaran dengan bentuk yang sama"), N_("dikirim apa adanya"),
)  # fmt: skip


def flows_of(office: Office, person: Person) -> list[tuple[str, str]]:
    """The person's agreements, each with their party's system in it."""
    return [(name, a.systems[person.party]) for name in sorted(person.agreements) if (a := office.agreements.get(name)) and person.party in a.systems]


def add(shell: Shell) -> None:
    pages = _Pages(shell)
    shell.menu.append(Entry("/kirim", N_("Kirim data"), ("kirim",), ("/kiriman",)))
    shell.get("/kirim", pages.choose)
    shell.get("/kirim/berkas", pages.form)
    shell.router.add_route(f"{PATH}/kirim/unggah", pages.upload, methods=["POST"])
    shell.get("/kirim/templat/{dataset}", pages.template)
    shell.get("/kiriman", pages.all)
    shell.get("/kiriman/{name}", pages.one)
    shell.post("/kiriman/{name}/kirim", pages.send)
    shell.post("/kiriman/{name}/buang", pages.drop)


class _Pages:
    def __init__(self, shell: Shell) -> None:
        self._shell, self._office = shell, shell.office
        self._limit = min(shell.max_upload, MAX_UPLOAD)
        self._uploads: Counter[str] = Counter()  # under way, by officer; of the event loop's thread alone
        self._previews = Previews(shell.office)

    # --- choose
    def choose(self, request: Request, visit: Visit) -> Response:
        """What may be sent, by agreement and dataset; and the drafts that wait."""
        self._sender(visit)
        offered = [self._offered(visit, agreement) for name, agreement in sorted(self._office.agreements.items()) if visit.may("kirim", name)]
        waiting = drafts(self._office, visit.person, visit.now)
        return self._shell.show(request, visit, "kirim.html", offered=offered, drafts=waiting, dropped="dibuang" in request.query_params, life=DRAFT_LIFE.seconds // 60, vouched=vouched(self._office, visit.person), contracts=self._office.contracts)

    def _offered(self, visit: Visit, agreement: Agreement) -> dict[str, Any]:
        datasets: dict[str, int] = {}
        for terms in choices(self._office, visit.person, agreement, visit.now):
            datasets[terms.dataset] = datasets.get(terms.dataset, 0) + 1
        try:
            in_force(agreement, wib_date(visit.now))
        except Refusal as refusal:
            return {"agreement": agreement, "datasets": {}, "why": refusal.said(visit.language)}
        return {"agreement": agreement, "datasets": datasets, "why": ""}

    def form(self, request: Request, visit: Visit) -> Response:
        query = request.query_params
        return self._form(request, visit, Form([(name, query.get(name, "")) for name in FIELDS]))

    def _form(self, request: Request, visit: Visit, typed: Form, refusal: Refusal | None = None, *, again: bool = False) -> Response:
        """The form of one dataset, with what was typed; a file must be chosen anew each time. Refusal tidak_ada: it is not among what may be sent."""
        self._sender(visit)
        agreement = self._office.agreements.get(typed.get("kesepakatan", ""))
        terms = [t for t in choices(self._office, visit.person, agreement, visit.now) if t.dataset == typed.get("himpunan")] if agreement and visit.may("kirim", agreement.id) else []
        if not terms:
            raise refusal or Refusal("tidak_ada")
        return self._shell.show(
            request, visit, "kirim_berkas.html", refusal.entry.status if refusal else 200, agreement=agreement, contract=self._office.contracts[terms[0].dataset], terms=terms, typed=typed,
            problem=refusal.said(visit.language) if refusal else "", field={"dasar": "dasar", "tujuan": "tujuan", "tujuan_kosong": "tujuan"}.get(refusal.reason, "berkas") if refusal else "",
            pasal=refusal.pasal if refusal else "", again=again, limit=self._limit,
        )  # fmt: skip

    def template(self, request: Request, visit: Visit) -> Response:
        """The dataset's empty XLSX."""
        self._sender(visit)
        contract = self._office.contracts.get(request.path_params["dataset"].removesuffix(".xlsx"))
        if contract is None:
            raise Refusal("tidak_ada")
        name = f"{contract.dataset}-{contract.template}.xlsx"
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return PlainResponse(template_xlsx(contract, self._office.codes), headers=headers, media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")

    # --- upload
    async def upload(self, request: Request) -> Response:
        """Who asks and from where is judged by the fields, before a byte of the file is looked at; then it is sealed as it comes."""
        shell, quick = self._shell, "application/json" in request.headers.get("accept", "")
        if not request.headers.get("content-type", "").lower().startswith("multipart/"):  # signed in again: what was typed came back, a file cannot
            return await shell.posted(request, lambda asked, visit, form: self._form(asked, visit, form, again=True))
        form, visit = Form([]), None
        try:
            shell.sessions.same_origin(request)
            length = request.headers.get("content-length", "")
            if length.isdecimal() and int(length) > self._limit + (64 << 10):  # the fields and delimiters besides
                raise Refusal("terlalu_besar", batas=self._limit)
            parser, body = Multipart(request.headers["content-type"]), _moving(request.stream())
            first = await _to_file(parser, body)
            form = Form(list(parser.fields.items()))
            visit = await run_in_threadpool(shell.visit, request)
            shell.own(visit, form.get("csrf", ""))
            with self._slot(visit.person.id):
                draft = await self._taken(visit, form, parser, first, body)
        except ClientDisconnect:
            return JSONResponse({}, 400)  # nobody listens
        except Refusal as refusal:
            return await run_in_threadpool(self._not_taken, request, visit, form, refusal, quick)
        except LedgerError:
            return await run_in_threadpool(self._not_taken, request, visit, form, Refusal("penyimpanan"), quick)
        except Exception as error:  # noqa: BLE001 - the edge, as the shell's
            log.error("upload failed error=%s", type(error).__name__)
            return await run_in_threadpool(self._not_taken, request, visit, form, Refusal("pengolahan"), quick)
        to = f"{PATH}/kiriman/{draft.id}"
        return JSONResponse({"ke": to}, 201, HEADERS) if quick else shell.to(to.removeprefix(PATH))

    @contextmanager
    def _slot(self, person: str) -> Iterator[None]:
        """One of the uploads under way: for who is signed in alone, and never all of them for one officer. Refusal sibuk."""
        if self._uploads.total() >= AT_ONCE or self._uploads[person] >= BY_ONE:
            raise Refusal("sibuk")
        self._uploads[person] += 1
        try:
            yield
        finally:
            self._uploads[person] -= 1

    async def _taken(self, visit: Visit, form: Form, parser: Multipart, first: bytes, body: AsyncIterator[bytes]) -> Sending:
        asked = Asked(form.get("kesepakatan", ""), form.get("himpunan", ""), form.get("tujuan", ""), form.get("dasar", "").strip())
        intake = await run_in_threadpool(Intake, self._office, visit.person, asked, self._limit, visit.now)
        with intake:
            held = bytearray(first)
            async for data in body:
                held += parser.feed(data)
                if len(held) >= PIECE:
                    await run_in_threadpool(intake.take, bytes(held))
                    held.clear()
            parser.finish()
            await run_in_threadpool(intake.take, bytes(held))
            draft = await run_in_threadpool(intake.finish)
        with suppress(Refusal):  # the page says why
            await run_in_threadpool(self._previews.of, draft, visit.now, FIRST_LOOK)
        return draft

    def _not_taken(self, request: Request, visit: Visit | None, form: Form, refusal: Refusal, quick: bool) -> Response:
        shell = self._shell
        if quick:
            text = refusal.said(visit.language if visit else shell.language(request))
            return JSONResponse({"alasan": refusal.reason, "pesan": text}, refusal.entry.status, HEADERS)
        if refusal.reason == "sesi":
            return shell.signed_out(request, form)
        try:
            if visit is None or refusal.reason == "asal":
                raise refusal
            return self._form(request, visit, form, refusal)
        except Refusal as found:
            return shell.refused(request, visit, found)

    # --- a draft, or what became of it
    def one(self, request: Request, visit: Visit) -> Response:
        self._vouched(visit)
        name = request.path_params["name"]
        with self._office.ledger.database.read() as tx:
            row = tx.exchange(name)
        if row is not None:
            return self._story(request, visit, row)
        draft = mine(self._office, visit.person, name, visit.now)
        try:
            found = self._previews.of(draft, visit.now, LOOK)
        except Refusal as refusal:
            return self._shell.show(request, visit, "pratinjau_ditolak.html", refusal.entry.status, draft=draft, refusal=refusal, text=refusal.said(visit.language))
        if not isinstance(found, Preview):
            return self._shell.show(request, visit, "pratinjau_dibuat.html", draft=draft, rows=found, contract=self._office.contracts[draft.dataset])
        return self._preview(request, visit, draft, found)

    def _preview(self, request: Request, visit: Visit, draft: Sending, found: Preview) -> Response:
        terms, report = found.decided.terms, found.report
        return self._shell.show(
            request, visit, "pratinjau.html", draft=draft, found=found, terms=terms, contract=found.decided.contract, plan=found.decided.plan, report=report,
            failing=quality.named(visit, report), counts=quality.counts(visit, report), warnings=quality.warnings(visit, report), changed="berubah" in request.query_params, levels=LEVELS,
            kinds=quality.KINDS, refusal=found.refusal, why=found.refusal.said(visit.language) if found.refusal else "", life=DRAFT_LIFE.seconds // 60, classes=lambda name: class_words(visit, name),
        )  # fmt: skip

    def send(self, request: Request, visit: Visit, form: Form) -> Response:
        name = request.path_params["name"]
        if self._shell.worker.waiting >= MAX_WAITING:
            raise Refusal("sibuk")
        draft = mine(self._office, visit.person, name, visit.now)
        if draft.state == "draft" and not self._unchanged(draft, form.get("rencana", ""), visit):
            return self._shell.to(f"/kiriman/{name}", berubah="1")
        if send(self._office, visit.person, name, form.get("rencana", ""), visit.now):
            self._shell.worker.submit(name)
            self._previews.forget(name)
        return self._shell.to(f"/kiriman/{name}")

    def _unchanged(self, draft: Sending, seen: str, visit: Visit) -> bool:
        return plan_sha256(decide(self._office, asked_in(draft, draft.basis), visit.now).plan) == seen

    def drop(self, request: Request, visit: Visit, _form: Form) -> Response:
        walk_away(self._office, visit.person, request.path_params["name"], visit.now)
        self._previews.forget(request.path_params["name"])
        return self._shell.to("/kirim", dibuang="1")

    # --- what was sent
    def all(self, request: Request, visit: Visit) -> Response:
        """What the party's system sent, by whomever, newest first."""
        self._vouched(visit)
        flows = flows_of(self._office, visit.person)
        with self._office.ledger.database.read() as tx:
            first, turn = turned(request, tx.sent_in(flows, 0, 0)[1])
            rows, _ = tx.sent_in(flows, EACH, first)
            persons = tx.sendings.persons([row.id for row in rows])
        shown = [(row, persons.get(row.id, "")) for row in rows]
        return self._shell.show(request, visit, "kiriman.html", rows=shown, turn=turn, contracts=self._office.contracts)

    def _story(self, request: Request, visit: Visit, row: ExchangeRow) -> Response:
        """From accepted to the signed receipt. Refusal tidak_ada: not of the person's party and agreements."""
        agreement = self._office.agreements.get(row.agreement)
        if agreement is None or agreement.id not in visit.person.agreements or System(row.sender).party != visit.person.party:
            raise Refusal("tidak_ada")
        with self._office.ledger.database.read() as tx:
            outcomes = [json.loads(entry) for entry in tx.audit.outcomes(row.log, row.entry, row.id)] if row.log is not None and row.entry is not None else []
            persons = tx.sendings.persons([row.id])
        report = json.loads(row.report) if row.report else None
        refusal = stored(row) if row.problem else None
        return self._shell.show(
            request, visit, "kiriman_satu.html", row=row, steps=_steps(row, outcomes), manifest=json.loads(row.manifest) if row.manifest else None, report=report, refusal=refusal,
            why=refusal.said(visit.language) if refusal else "", failing=quality.named(visit, report) if report else [], counts=quality.counts(visit, report) if report else [],
            warnings=quality.warnings(visit, report) if report else [], held=self._held(visit, row), person=persons.get(row.id, ""), contracts=self._office.contracts, agreement=agreement,
            purpose=next((p for p in agreement.purposes if p.code == row.purpose), None),
        )  # fmt: skip

    def _held(self, visit: Visit, row: ExchangeRow) -> str:
        """Why an accepted exchange waits, if it waits for witnesses."""
        if row.state != "accepted":
            return ""
        try:
            with self._office.ledger.database.read() as tx:
                not_held(self._office, tx, visit.now, row.agreement)
        except Refusal as held:
            return held.said(visit.language)
        return ""

    def _sender(self, visit: Visit) -> None:
        if not visit.may("kirim"):
            raise denied(self._office, visit.person, "kirim")

    def _vouched(self, visit: Visit) -> None:
        """What was sent is not for an account that only the host's administrator made."""
        self._sender(visit)
        if not vouched(self._office, visit.person):
            raise denied(self._office, visit.person, "kirim")

def _steps(row: ExchangeRow, outcomes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Each state in words with its time, '' while it is still to come."""
    times = {one["outcome"]: one["time"] for one in reversed(outcomes)}
    if row.state == "refused":
        return [(N_("Diterima broker"), row.accepted), (N_("Ditolak"), row.changed)]
    recorded = json.loads(row.manifest)["time"] if row.manifest else ""
    return [
        (N_("Diterima broker"), row.accepted), (N_("Diolah dan dicatat dalam log"), recorded), (N_("Diambil sistem penerima"), times.get("delivered", "")),
        (N_("Tanda terima ditandatangani penerima"), times.get("receipted", "")),
    ]  # fmt: skip


async def _moving(body: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """The pieces of the body as they come. Refusal terputus when none does for too long."""
    while True:
        try:
            async with asyncio.timeout(STALLED):
                piece = await anext(body)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refusal("terputus") from None
        yield piece


async def _to_file(parser: Multipart, body: AsyncIterator[bytes]) -> bytes:
    """Reads the fields; the first bytes of the file may come with them."""
    async for data in body:
        first = parser.feed(data)
        if parser.began:
            return first
    raise Refusal("terputus")
