"""The routes under /v1. Each: who asks, ask `door` or `exchange`, shape the answer. No rule lives here."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, StreamingResponse

from broker import __version__, door
from broker.audit.refs import for_sender
from broker.delivery import DurableWriter
from broker.errors import Refusal
from broker.exchange import new_exchange_id
from broker.record import BROKER_LOG
from broker.web.answers import agreement, recorded, state
from broker.web.officers import as_signed
from broker.web.problems import RESPONSES, problem, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from broker.office import Office
    from broker.web.worker import Worker

MAX_WAIT: Final = 60  # seconds a `Prefer: wait` is honoured
MAX_WAITING: Final = 64  # accepted exchanges not yet taken through
MAX_RECEIPT: Final = 256 << 10
SUBMISSION_TYPE: Final = "application/vnd.sinergi.submission"
Name = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Exchange id, 32 hex digits")]


class Api:
    """The route handlers. url: our public address; the Host header is never believed. Plain `def` handlers run in a thread of their own."""

    def __init__(self, office: Office, worker: Worker, url: str, max_submission: int, clock: Callable[[], datetime]) -> None:
        self._office, self._worker, self._url, self._max, self._clock = office, worker, url, max_submission, clock

    def router(self) -> APIRouter:
        router = APIRouter()
        sealed = {"requestBody": {"required": True, "content": {SUBMISSION_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}

        def add(method: str, path: str, handler: Callable[..., Any], tags: list[str], summary: str, **more: Any) -> None:
            router.add_api_route(path, handler, methods=[method], tags=list(tags), summary=summary, responses=RESPONSES, **more)

        add("POST", "/v1/exchanges", self.send, ["pengirim"], "Send a sealed submission", status_code=202, openapi_extra=sealed)
        add("GET", "/v1/exchanges/{name}", self.state, ["pengirim", "penerima"], "The state of an exchange")
        add("GET", "/v1/outbox", self.outbox, ["pengirim"], "What you sent, newest first")
        add("GET", "/v1/inbox", self.inbox, ["penerima"], "What waits to be fetched and receipted")
        add("GET", "/v1/exchanges/{name}/envelope", self.envelope, ["penerima"], "The sealed disclosure (recipient only)")
        add("GET", "/v1/exchanges/{name}/leaves", self.leaves, ["penerima", "pengirim"], "The record leaves, sorted: 55 bytes each")
        add("GET", "/v1/exchanges/{name}/proof", self.proof, ["penerima", "pengirim"], "Manifest, receipts and its place in the log")
        add("GET", "/v1/exchanges/{name}/refs", self.refs, ["pengirim"], "What shows you whom each of your rows stands for (sender only)")
        add("POST", "/v1/exchanges/{name}/receipt", self.receipt, ["penerima", "pengirim"], "Your signature over the manifest", status_code=204)
        add("GET", "/v1/logs/{log}/checkpoint", self.checkpoint, ["bukti"], "The latest signed checkpoint (C2SP tlog-checkpoint)")
        add("GET", "/v1/logs/{log}/consistency", self.consistency, ["bukti"], "That a later log contains an earlier one")
        add("GET", "/v1/agreements", self.agreements, ["operasi"], "Your agreements: term, datasets, directions, purposes, templates")
        add("GET", "/v1/health", self.health, ["operasi"], "Whether the broker serves")
        return router

    # --- who asks
    def _caller(self, request: Request, *, body: bool = False, also: tuple[str, ...] = ()) -> door.Caller:
        target, headers = as_signed(request, self._url)
        caller = door.authenticate(self._office, request.method, target, headers, self._clock(), body=body, also=also)
        if not body:
            door.spend_nonce(self._office, caller, self._clock())
        return caller

    def _refused(self, caller: door.Caller, refusal: Refusal) -> Refusal:
        return door.refused_at_door(self._office, caller, refusal, self._clock())

    # --- sender
    async def send(
        self,
        request: Request,
        idempotency_key: Annotated[str | None, Header(description="16–64 of A–Z a–z 0–9 - _; a retry with it never discloses twice")] = None,
        prefer: Annotated[str | None, Header(description="wait=N: answer with the outcome if it is known within N seconds")] = None,
    ) -> Response:
        """202 once the sealed body is durable; with `Prefer: wait=N`, 200 recorded or the refusal's problem document."""
        also = ("idempotency-key",) if idempotency_key is not None else ()
        caller = await run_in_threadpool(self._caller, request, body=True, also=also)
        try:
            key = door.idempotency(caller, idempotency_key)
        except Refusal as refusal:
            raise await run_in_threadpool(self._refused, caller, refusal) from None
        if self._worker.waiting >= MAX_WAITING:
            raise Refusal("sibuk")
        name = new_exchange_id()
        sha256 = await self._spool(request, caller, name)
        wait = re.search(r"\bwait=([0-9]{1,4})\b", prefer or "")
        return await run_in_threadpool(self._admitted, caller, name, sha256, key, min(int(wait.group(1)), MAX_WAIT) if wait else 0)

    async def _spool(self, request: Request, caller: door.Caller, name: str) -> bytes:
        """SHA-256 of the body, once it is durable in the spool."""
        try:
            with DurableWriter(self._office.folders.spool(name)) as spool:
                async for data in request.stream():
                    if spool.size + len(data) > self._max:
                        raise await run_in_threadpool(self._refused, caller, Refusal("terlalu_besar", batas=self._max))
                    await run_in_threadpool(spool.write, data)
                return await run_in_threadpool(spool.commit)
        except ClientDisconnect:
            raise await run_in_threadpool(self._refused, caller, Refusal("terputus")) from None
        except OSError:
            raise Refusal("penyimpanan") from None

    def _admitted(self, caller: door.Caller, name: str, sha256: bytes, key: str, wait: int) -> Response:
        found, new = door.admit(self._office, caller, name, sha256, key, self._clock())
        if new or door.visible(self._office, caller, found).state == "accepted":  # a retry also revives what a passing fault left
            self._worker.submit(found)
        if wait:
            self._worker.wait(found, wait)
        row = door.visible(self._office, caller, found)
        if row.state == "refused" and wait:
            return problem(stored(row), row.id)
        return JSONResponse(state(row, caller), 202 if row.state == "accepted" else 200, {"Location": f"/v1/exchanges/{row.id}"})

    def state(self, request: Request, name: Name) -> Response:
        """States: accepted, recorded, delivered, receipted, refused. The sender also gets the quality report."""
        caller = self._caller(request)
        return JSONResponse(state(door.visible(self._office, caller, name), caller))

    def outbox(self, request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        caller = self._caller(request)
        with self._office.ledger.database.read() as tx:
            return JSONResponse({"exchanges": [state(row, caller) for row in tx.sent(caller.system, limit)]})

    # --- recipient
    def inbox(self, request: Request) -> Response:
        caller = self._caller(request)
        with self._office.ledger.database.read() as tx:
            return JSONResponse({"exchanges": [state(row, caller) for row in tx.inbox(caller.system)]})

    def envelope(self, request: Request, name: Name) -> Response:
        caller = self._caller(request)
        row = door.for_recipient(self._office, caller, name, self._clock())
        size, stream = door.envelope(self._office, row, caller, self._clock())
        return StreamingResponse(stream, headers={"Content-Length": str(size)}, media_type="application/vnd.sinergi.envelope")

    def leaves(self, request: Request, name: Name) -> Response:
        recorded(door.visible(self._office, self._caller(request), name))
        return StreamingResponse(door.leaves(self._office, name), media_type="application/octet-stream")

    def refs(self, request: Request, name: Name) -> Response:
        return JSONResponse(for_sender(self._office, self._caller(request), name), headers={"Cache-Control": "no-store"})

    async def receipt(self, request: Request, name: Name) -> Response:
        caller = await run_in_threadpool(self._caller, request, body=True)
        body = bytearray()
        async for data in request.stream():
            body += data
            if len(body) > MAX_RECEIPT:
                raise await run_in_threadpool(self._refused, caller, Refusal("terlalu_besar", batas=MAX_RECEIPT))
        await run_in_threadpool(self._take_receipt, caller, name, bytes(body))
        return Response(status_code=204)

    def _take_receipt(self, caller: door.Caller, name: str, body: bytes) -> None:
        if hashlib.sha256(body).digest() != caller.signed.body_sha256:
            raise self._refused(caller, Refusal("isi_berubah"))
        door.spend_nonce(self._office, caller, self._clock())
        door.take_receipt(self._office, caller, name, body, self._clock())

    # --- proof
    def proof(self, request: Request, name: Name) -> Response:
        return JSONResponse(door.proof(self._office, door.visible(self._office, self._caller(request), name)))

    def _checkpoint(self, log: str) -> tuple[int, str]:
        note = self._office.ledger.note(log)
        if note is None:
            raise Refusal("tidak_ada")
        return int(note.split("\n")[1]), note

    def checkpoint(self, request: Request, log: str) -> Response:
        known = door.log_of(self._office, self._caller(request), log)
        return Response(self._checkpoint(known)[1], media_type="text/plain; charset=utf-8")

    def consistency(self, request: Request, log: str, old: Annotated[int, Query(alias="from", ge=1)], new: Annotated[int, Query(alias="to", ge=1)]) -> Response:
        """The hashes that prove that the log of size `to` begins with the log of size `from`; both as in checkpoints you hold."""
        known = door.log_of(self._office, self._caller(request), log)
        if not old <= new <= self._office.ledger.size(known):
            raise Refusal("tidak_ada")
        return JSONResponse({"proof": [b64encode(h).decode() for h in self._office.ledger.consistency(known, old, new)]})

    # --- operation
    def agreements(self, request: Request) -> Response:
        caller = self._caller(request)
        mine = [a.id for a in self._office.agreements.values() if caller.party in a.parties]
        return JSONResponse({"agreements": [agreement(self._office, name) for name in mine], "time": self._clock().isoformat(), "logs": [*mine, BROKER_LOG]})

    def health(self) -> dict[str, object]:
        policy = self._office.policy
        return {
            "status": "ok",
            "version": __version__,
            "time": self._clock().isoformat(),
            "waiting": self._worker.waiting,
            "policy": {"version": policy.version, "sha256": policy.sha256, "fault": self._office.force.fault},
        }
