"""The HTTP API under /v1. Each route: authenticate, ask `door` or `exchange`, shape the answer. No rule lives here."""

from __future__ import annotations

import json
import logging
import os
import re
import weakref
from base64 import b64encode
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import FastAPI, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse

from broker import __version__, door
from broker.delivery import DurableWriter
from broker.errors import LedgerError, Refusal
from broker.exchange import exchange, new_exchange_id, refuse, take_up
from broker.record import BROKER_LOG
from broker.web.page import api_page
from broker.web.problems import TYPE as PROBLEM_TYPE
from broker.web.problems import problem, stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.exchange import Office
    from broker.store import ExchangeRow

MAX_WAIT: Final = 60  # seconds a `Prefer: wait` is honoured
MAX_WAITING: Final = 64  # accepted exchanges not yet taken through
MAX_RECEIPT: Final = 256 << 10
SUBMISSION_TYPE: Final = "application/vnd.sinergi.submission"
_NAME = Path(pattern="^[0-9a-f]{32}$", description="Exchange id, 32 hex digits")
Name = Annotated[str, _NAME]
log = logging.getLogger("sinergi")

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    code: {"description": text, "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for code, text in {400: "Malformed", 401: "Not signed by an enrolled key, or outside the time window", 403: "Refused, with the clause", 404: "No such exchange for you", 409: "Replayed, or not ready", 413: "Too large", 422: "The data were refused, with the clause", 503: "Busy", 507: "Storage failing"}.items()
}


class Worker:
    """Takes accepted exchanges through, one after another (SQLite has one writer). Owns its thread and the claim on the broker's home."""

    def __init__(self, office: Office, clock: Callable[[], datetime]) -> None:
        self._office, self._clock = office, clock
        self._release = weakref.finalize(self, os.close, office.folders.claim())
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="exchange")
        self._running: dict[str, Future[None]] = {}

    @property
    def waiting(self) -> int:
        return len(self._running)

    def submit(self, name: str) -> Future[None]:
        future = self._pool.submit(self._take, name)
        self._running[name] = future
        future.add_done_callback(lambda _: self._running.pop(name, None))
        return future

    def find(self, name: str) -> Future[None] | None:
        return self._running.get(name)

    def _take(self, name: str) -> None:
        try:
            entry = exchange(self._office, name, self._clock())
            log.info("exchange recorded log=%s entry=%d", entry.log, entry.index)
        except Refusal as refusal:
            log.info("exchange refused reason=%s", refusal.reason)
        except LedgerError:
            log.error("exchange stays accepted: the ledger is not durable")  # noqa: TRY400 - no trace: it could quote values
        except BaseException as error:  # noqa: BLE001 - the edge: whatever failed, nothing may leave, and it is recorded
            log.error("exchange failed error=%s", type(error).__name__)  # noqa: TRY400
            self._give_up(name)

    def _give_up(self, name: str) -> None:
        try:
            refuse(self._office, name, Refusal("pengolahan"), self._clock())
        except LedgerError:
            log.error("exchange stays as it is: it is recorded already, or the ledger is not durable")  # noqa: TRY400

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._release()


def create_app(office: Office, url: str, max_submission: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> FastAPI:
    """The application. url: our public address, which clients sign; the Host header is never believed."""
    app = FastAPI(
        title="Sinergi", version=__version__, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json",
        summary="Berbagi data ketenagakerjaan menurut Nota Kesepakatan", description=_DESCRIPTION,
    )  # fmt: skip
    worker = Worker(office, clock)
    for name in take_up(office):
        worker.submit(name)
    app.state.worker = worker

    async def caller_of(request: Request, *, body: bool = False, also: tuple[str, ...] = ()) -> door.Caller:
        target = url + request.scope["raw_path"].decode("latin-1") + (f"?{request.scope['query_string'].decode('latin-1')}" if request.scope["query_string"] else "")
        # A header sent twice is one value (RFC 9421, 2.1): a second Idempotency-Key slipped in on the way breaks the signature.
        headers = {name: ", ".join(request.headers.getlist(name)) for name in request.headers}
        caller = await run_in_threadpool(door.authenticate, office, request.method, target, headers, clock(), body=body, also=also)
        if not body:
            await run_in_threadpool(door.spend_nonce, office, caller, clock())
        return caller

    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Refusal) -> Response:
        return problem(refusal)

    @app.exception_handler(LedgerError)
    async def not_durable(_: Request, __: LedgerError) -> Response:
        return problem(Refusal("penyimpanan"))

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> Response:
        return problem(Refusal("tidak_ada")) if error.status_code == 404 else problem(Refusal("parameter", parameter=str(error.status_code)))

    from fastapi.exceptions import RequestValidationError  # noqa: PLC0415

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        # Only the parameter's name, which is ours: the value is the caller's.
        return problem(Refusal("parameter", parameter=str(error.errors()[0]["loc"][-1])))

    @app.get("/v1/health", tags=["operasi"], summary="Whether the broker serves, and what is wrong if not")
    def health() -> dict[str, object]:
        return {
            "status": "ok",
            "version": __version__,
            "time": clock().isoformat(),
            "waiting": worker.waiting,
            "policy": {"version": office.policy.version, "sha256": office.policy.sha256},
        }

    @app.post(
        "/v1/exchanges", tags=["pengirim"], status_code=202, responses=RESPONSES, summary="Send a sealed submission",
        openapi_extra={"requestBody": {"required": True, "content": {SUBMISSION_TYPE: {"schema": {"type": "string", "format": "binary"}}}}},
    )  # fmt: skip
    async def send(
        request: Request,
        idempotency_key: Annotated[str | None, Header(description="16–64 of A–Z a–z 0–9 - _; a retry with it never discloses twice")] = None,
        prefer: Annotated[str | None, Header(description="wait=N: answer with the outcome if it is known within N seconds")] = None,
    ) -> Response:
        """202 once the sealed body is durable; with `Prefer: wait=N`, 200 recorded or the refusal's problem document."""
        caller = await caller_of(request, body=True, also=("idempotency-key",) if idempotency_key is not None else ())
        try:
            key = door.idempotency(caller, idempotency_key)
        except Refusal as refusal:
            raise await run_in_threadpool(door.refused_at_door, office, caller, refusal, clock()) from None
        if worker.waiting >= MAX_WAITING:
            raise Refusal("sibuk")
        name = new_exchange_id()
        sha256 = await _spool(request, caller, name)
        found, new = await run_in_threadpool(door.admit, office, caller, name, sha256, key, clock())
        future = worker.submit(found) if new else worker.find(found)
        wait = re.search(r"\bwait=([0-9]{1,4})\b", prefer or "")
        if wait and future is not None:
            await run_in_threadpool(_wait, future, min(int(wait.group(1)), MAX_WAIT))
        row = await run_in_threadpool(door.visible, office, caller, found)
        if row.state == "refused" and wait:
            return problem(stored(row), row.id)
        return JSONResponse(_state(row, caller), 202 if row.state == "accepted" else 200, {"Location": f"/v1/exchanges/{row.id}"})

    async def _spool(request: Request, caller: door.Caller, name: str) -> bytes:
        try:
            with DurableWriter(office.folders.spool(name)) as spool:
                async for data in request.stream():
                    if spool.size + len(data) > max_submission:
                        raise await run_in_threadpool(door.refused_at_door, office, caller, Refusal("terlalu_besar", batas=max_submission), clock())
                    await run_in_threadpool(spool.write, data)
                return await run_in_threadpool(spool.commit)
        except ClientDisconnect:
            raise await run_in_threadpool(door.refused_at_door, office, caller, Refusal("terputus"), clock()) from None
        except OSError:
            raise Refusal("penyimpanan") from None

    @app.get("/v1/exchanges/{name}", tags=["pengirim", "penerima"], responses=RESPONSES, summary="The state of an exchange")
    async def state(request: Request, name: Name) -> Response:
        """States: accepted, recorded, delivered, receipted, refused. The sender also gets the quality report."""
        caller = await caller_of(request)
        return JSONResponse(_state(await run_in_threadpool(door.visible, office, caller, name), caller))

    @app.get("/v1/inbox", tags=["penerima"], responses=RESPONSES, summary="What waits to be fetched and receipted")
    async def inbox(request: Request) -> Response:
        caller = await caller_of(request)

        def rows() -> list[dict[str, object]]:
            with office.ledger.database.read() as tx:
                return [_state(row, caller) for row in tx.inbox(caller.system)]

        return JSONResponse({"exchanges": await run_in_threadpool(rows)})

    @app.get("/v1/outbox", tags=["pengirim"], responses=RESPONSES, summary="What you sent, newest first")
    async def outbox(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        caller = await caller_of(request)

        def rows() -> list[dict[str, object]]:
            with office.ledger.database.read() as tx:
                return [_state(row, caller) for row in tx.sent(caller.system, limit)]

        return JSONResponse({"exchanges": await run_in_threadpool(rows)})

    @app.get("/v1/exchanges/{name}/envelope", tags=["penerima"], responses=RESPONSES, summary="The sealed disclosure (recipient only)")
    async def envelope(request: Request, name: Name) -> Response:
        caller = await caller_of(request)
        row = await run_in_threadpool(door.for_recipient, office, caller, name)
        size = len(row.header or b"") + office.folders.outbox(name).stat().st_size
        return StreamingResponse(door.envelope(office, row, caller, clock()), headers={"Content-Length": str(size)}, media_type="application/vnd.sinergi.envelope")

    @app.get("/v1/exchanges/{name}/leaves", tags=["penerima", "pengirim"], responses=RESPONSES, summary="The record leaves, sorted: 55 bytes each")
    async def leaves(request: Request, name: Name) -> Response:
        caller = await caller_of(request)
        row = await run_in_threadpool(door.visible, office, caller, name)
        _recorded(row)
        return StreamingResponse(door.leaves(office, name), media_type="application/octet-stream")

    @app.get("/v1/exchanges/{name}/proof", tags=["penerima", "pengirim"], responses=RESPONSES, summary="Manifest, receipts and its place in the log")
    async def proof(request: Request, name: Name) -> Response:
        caller = await caller_of(request)
        row = await run_in_threadpool(door.visible, office, caller, name)
        return JSONResponse(await run_in_threadpool(_proof, row))

    def _proof(row: ExchangeRow) -> dict[str, object]:
        _recorded(row)
        assert row.log is not None
        assert row.entry is not None
        size, note = _checkpoint(row.log)
        return {
            "exchange": row.id,
            "log": row.log,
            "index": row.entry,
            "manifest": b64encode(row.manifest or b"").decode(),
            "receipts": {signer: json.loads(dsse) for signer, dsse in door.receipts(office, row.id).items()},
            "inclusion": [b64encode(h).decode() for h in office.ledger.inclusion(row.log, row.entry, size)],
            "checkpoint": note,
        }

    def _checkpoint(name: str) -> tuple[int, str]:
        note = office.ledger.note(name)
        if note is None:
            raise Refusal("tidak_ada")
        return int(note.split("\n")[1]), note

    @app.post("/v1/exchanges/{name}/receipt", tags=["penerima", "pengirim"], status_code=204, responses=RESPONSES, summary="Your signature over the manifest")
    async def receipt(request: Request, name: Name) -> Response:
        caller = await caller_of(request, body=True)
        body = bytearray()
        async for data in request.stream():
            body += data
            if len(body) > MAX_RECEIPT:
                raise Refusal("terlalu_besar", batas=MAX_RECEIPT)
        await run_in_threadpool(_take_receipt, caller, name, bytes(body))
        return Response(status_code=204)

    def _take_receipt(caller: door.Caller, name: str, body: bytes) -> None:
        import hashlib  # noqa: PLC0415

        if hashlib.sha256(body).digest() != caller.signed.body_sha256:
            raise door.refused_at_door(office, caller, Refusal("isi_berubah"), clock())
        door.spend_nonce(office, caller, clock())
        door.take_receipt(office, caller, name, body, clock())

    @app.get("/v1/logs/{name}/checkpoint", tags=["bukti"], responses=RESPONSES, summary="The latest signed checkpoint (C2SP tlog-checkpoint)")
    async def checkpoint(request: Request, name: str) -> Response:
        caller = await caller_of(request)
        log_name = door.log_of(office, caller, name)
        return Response((await run_in_threadpool(_checkpoint, log_name))[1], media_type="text/plain; charset=utf-8")

    @app.get("/v1/logs/{name}/consistency", tags=["bukti"], responses=RESPONSES, summary="That today's log contains the one you saw")
    async def consistency(request: Request, name: str, old: Annotated[int, Query(alias="from", ge=1)]) -> Response:
        caller = await caller_of(request)
        log_name = door.log_of(office, caller, name)

        def answer() -> dict[str, object]:
            size, note = _checkpoint(log_name)
            if old > size:
                raise Refusal("tidak_ada")
            return {"checkpoint": note, "proof": [b64encode(h).decode() for h in office.ledger.consistency(log_name, old, size)]}

        return JSONResponse(await run_in_threadpool(answer))

    @app.get("/v1/agreements", tags=["operasi"], responses=RESPONSES, summary="Your agreements: term, datasets, directions, purposes, templates")
    async def agreements(request: Request) -> Response:
        caller = await caller_of(request)
        mine = [a for a in office.agreements.values() if caller.party in a.parties]
        return JSONResponse({"agreements": [_agreement(office, a.id) for a in mine], "time": clock().isoformat(), "logs": [a.id for a in mine] + [BROKER_LOG]})

    @app.get("/v1/docs", tags=["operasi"], response_class=HTMLResponse, summary="This API as a page")
    def docs() -> str:
        return api_page(app.openapi())

    plain = app.openapi

    def with_problem() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
        return document

    app.openapi = with_problem  # type: ignore[method-assign]
    return app


_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "detail", "status", "reason", "pasal", "facts"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "Indonesian"},
        "detail": {"type": "string", "description": "English"},
        "status": {"type": "integer"},
        "reason": {"type": "string", "description": "a code of the table below"},
        "pasal": {"type": "string", "description": "the clause that forbids it"},
        "facts": {"type": "object"},
        "exchange": {"type": "string"},
    },
}


def _wait(future: Future[None], seconds: int) -> None:
    try:
        future.result(seconds)
    except WaitTimeout:
        return


def _recorded(row: ExchangeRow) -> None:
    if row.manifest is None:
        raise Refusal("belum_siap", keadaan=row.state)


def _state(row: ExchangeRow, caller: door.Caller) -> dict[str, object]:
    answer: dict[str, object] = {
        "exchange": row.id, "state": row.state, "agreement": row.agreement, "dataset": row.dataset, "purpose": row.purpose,
        "sender": row.sender, "recipient": row.recipient, "accepted": row.accepted, "changed": row.changed,
    }  # fmt: skip
    if row.log is not None:
        answer["log"], answer["entry"] = row.log, row.entry
    if row.problem and caller.system == row.sender:
        refusal = stored(row)
        answer["problem"] = {"reason": refusal.reason, "pasal": refusal.pasal, "title": refusal.indonesian, "detail": refusal.english}
    if row.report and caller.system == row.sender:
        answer["report"] = json.loads(row.report)
    return answer


def _agreement(office: Office, name: str) -> dict[str, object]:
    a = office.agreements[name]
    return {
        "agreement": a.id,
        "nama": a.nama,
        "starts": a.starts.isoformat(),
        "ends": a.ends.isoformat(),
        "systems": dict(a.systems),
        "enrolled": sorted(set(a.systems.values()) & set(office.peers)),
        "datasets": {d: {"clause": c, "directions": [list(p) for p in a.directions.get(d, ())], "template": office.contracts[d].template} for d, c in a.scope.items()},
        "purposes": [{"code": p.code, "nama": p.nama, "clause": p.clause, "recipients": sorted(p.recipients), "datasets": sorted(p.datasets), "needs_basis": p.needs_basis} for p in a.purposes],
    }


_DESCRIPTION = """Every request is signed (RFC 9421, Ed25519) over `@method`, `@target-uri` and, with a body, `content-digest`,
`content-type` and `idempotency-key`; parameters `created`, `keyid`, `alg="ed25519"`, `nonce`, `tag="sinergi"`. The window is 60 seconds and a
nonce counts once. `@target-uri` is the broker's public address, not the Host header. Bodies are sealed for the broker: see `docs/formats`.
Every error is an RFC 9457 problem document that names the clause (`pasal`) and the reason."""
