"""The routes of erasures under /v1/audit. Each: which officer asks, ask `audit.erasure`, shape the answer. No rule lives here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from broker.audit import erasure
from broker.errors import Refusal
from broker.people import read_strict
from broker.web.audit import PRIVATE, TAG
from broker.web.officers import OfficerApi, without_query
from broker.web.problems import RESPONSES

if TYPE_CHECKING:
    from broker.model import Person

MAX_ASKED: Final = 8 << 10


class ErasureApi(OfficerApi):
    """Erasing a person, an exchange's secret, the leaves of years gone by; and what was erased."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/audit", tags=[TAG], responses=RESPONSES)
        asked = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
        router.post("/erasures", summary="Erase, with its legal ground and a written reason", status_code=201, openapi_extra=asked)(self.erase)
        router.get("/erasures/{agreement}", summary="What was erased, on which ground, by whom and why")(self.erasures)
        return router

    async def erase(self, request: Request) -> Response:
        """The entry in the log; `complete`: nothing of it is left in the broker's files."""
        without_query(request)
        person, data = await self._sent(request, MAX_ASKED)
        done = await run_in_threadpool(self._erased, person, data)
        return JSONResponse({"complete": done.complete, "entry": dict(done.entry), "index": done.index}, 201, PRIVATE)

    def _erased(self, person: Person, data: bytes) -> erasure.Erased:
        match asked := read_strict(data):
            case {"agreement": str() as agreement, "ground": str() as code, "reason": str() as reason} if len(asked) == 4:
                ground, now = erasure.Ground(code, reason), self._clock()
                match asked:
                    case {"subject": str() as subject}:
                        return erasure.erase_subject(self._office, person, agreement, subject, ground, now)
                    case {"exchange": str() as exchange}:
                        return erasure.erase_exchange(self._office, person, agreement, exchange, ground, now)
                    case {"before": int() as before} if not isinstance(before, bool):
                        return erasure.retire_leaves(self._office, person, agreement, before, ground, now)
        raise Refusal("parameter", parameter="isi")

    def erasures(self, request: Request, agreement: Annotated[str, Path(max_length=80)]) -> Response:
        without_query(request)
        found: list[dict[str, Any]] = [
            {"entry": entry, "index": index, "reason": reason} for index, entry, reason in erasure.erasures(self._office, self._person(request), agreement, self._clock())
        ]
        return JSONResponse({"erasures": found}, headers=PRIVATE)
