"""The routes of the parties' public keys. Each: who asks, ask `enrolment`, shape the answer. No rule lives here."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from broker import ending, enrolment, rotation
from broker.errors import Refusal
from broker.keys import public_set
from broker.model import utc_text
from broker.peers import read_time
from broker.people import read_strict
from broker.web.officers import OfficerApi
from broker.web.people import from_host
from broker.web.problems import RESPONSES
from broker.web.reports import DSSE_TYPE

if TYPE_CHECKING:
    from broker.model import Person

WELL_KNOWN: Final = "/.well-known/sinergi-keys.json"
MAX_ASKED: Final = 4 << 10
_FRESH: Final = {"Cache-Control": "no-store"}
Agreement = Annotated[str, Path(max_length=80, description="An agreement's id, as nk-sijunjung-2025")]
System = Annotated[str, Path(max_length=80, description="A system of an agreement, as sijoker@sijunjung")]


Fingerprint = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the public set's file, 64 hex digits")]


class KeysApi(OfficerApi):
    """Enrolment, revocation, and what the broker believes of whom."""

    def router(self) -> APIRouter:
        router = APIRouter(tags=["kunci"], responses=RESPONSES)
        asked = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
        router.post("/v1/keys/host", summary="Propose, withdraw, end an overlap, revoke: by the administrator on the broker's host")(self.by_host)
        router.post("/v1/keys/{system}/confirmation", summary="Confirm the proposed keys of your party's system", openapi_extra=asked)(self.confirm)
        router.post("/v1/keys/{system}/revocation", summary="Revoke the keys of your party's system, at once", openapi_extra=asked)(self.revoke)
        router.post("/v1/keys/rings", summary="Rotate, disable or destroy a key of the broker's own: by the administrator on its host")(self.rings)
        router.post("/v1/keys/{agreement}/ending", summary="Approve for your party that an agreement's keys are destroyed, once it is over")(self.approve_ending)
        router.get("/v1/keys/{agreement}/certificate", summary="That they were destroyed, signed", response_class=Response)(self.certificate)
        router.get("/v1/keys/successions/{fingerprint}", summary="From a public set of the broker's to the one in use, each signed by the one before")(self.successions)
        router.get("/v1/keys/confirmed/{fingerprint}", summary="That a system's public set is active, signed", response_class=Response)(self.confirmed)
        router.get(WELL_KNOWN, summary="The broker's public keys, and those it holds for the parties' systems")(self.well_known)
        return router

    async def by_host(self, request: Request) -> Response:
        return await from_host(self._office, self._url, request, enrolment.by_host, self._clock)

    async def rings(self, request: Request) -> Response:
        return await from_host(self._office, self._url, request, rotation.by_host, self._clock)

    def successions(self, fingerprint: Fingerprint) -> Response:
        """For anyone, as the sets are."""
        return JSONResponse({"successions": rotation.successions(self._office, fingerprint)}, headers=_FRESH)

    def confirmed(self, fingerprint: Fingerprint) -> Response:
        """For anyone: the DSSE as docs/formats/keys.md has it."""
        return Response(enrolment.confirmed(self._office, fingerprint, self._clock()), headers=_FRESH, media_type=DSSE_TYPE)

    async def confirm(self, request: Request, system: System) -> Response:
        """`{fingerprint}`, typed from the written notice."""
        person, data = await self._sent(request, MAX_ASKED)
        return JSONResponse(await run_in_threadpool(self._confirmed, person, system, data), headers=_FRESH)

    def _confirmed(self, person: Person, system: str, data: bytes) -> dict[str, Any]:
        match asked := read_strict(data):
            case {"fingerprint": str() as fingerprint} if len(asked) == 1:
                row = enrolment.confirm(self._office, person, system, fingerprint, self._clock())
                return {"system": row.system, "not_after": row.not_after, "vouched": bool(row.vouched)}
        raise Refusal("parameter", parameter="isi")

    async def revoke(self, request: Request, system: System) -> Response:
        """`{since, reason}`; the exchanges that the system signed or received since then."""
        person, data = await self._sent(request, MAX_ASKED)
        return JSONResponse(await run_in_threadpool(self._revoked, person, system, data), headers=_FRESH)

    def _revoked(self, person: Person, system: str, data: bytes) -> dict[str, Any]:
        match asked := read_strict(data):
            case {"since": str() as since, "reason": str() as reason} if len(asked) == 2:
                try:
                    at = read_time(since)
                except ValueError:
                    raise Refusal("parameter", parameter="sejak") from None
                return dict(enrolment.revoked_answer(system, enrolment.revoke(self._office, person, system, at, reason, self._clock())))
        raise Refusal("parameter", parameter="isi")

    def approve_ending(self, request: Request, agreement: Agreement) -> Response:
        """Without a body; until when the approval holds."""
        until = ending.approve(self._office, self._person(request), agreement, self._clock())
        return JSONResponse({"agreement": agreement, "until": utc_text(until)}, headers=_FRESH)

    def certificate(self, request: Request, agreement: Agreement) -> Response:
        """The DSSE as docs/formats/keys.md has it."""
        return Response(ending.certificate(self._office, self._person(request), agreement, self._clock()), headers=_FRESH, media_type=DSSE_TYPE)

    def well_known(self) -> Response:
        """For anyone. Proposals are not in it: who confirms one types the fingerprint from the notice, not from here."""
        own = public_set("broker", self._office.rings).to_json()
        peers = [
            {
                "fingerprint": one.row.fingerprint, "kids": sorted(key.kid for key in one.keys.keys.values()), "not_after": one.row.not_after, "state": one.row.state,
                "system": one.row.system, "until": one.row.until,
            }
            for system in sorted({system for a in self._office.agreements.values() for system in a.systems.values()})
            for one in self._office.peers.ever(system)
        ]  # fmt: skip
        answer = {"broker": json.loads(own), "fingerprint": hashlib.sha256(own).hexdigest(), "peers": peers, "type": "sinergi/known-keys/v1"}
        return JSONResponse(answer, headers=_FRESH)
