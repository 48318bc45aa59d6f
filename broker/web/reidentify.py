"""The routes of requests to learn who is behind a token, under /v1/identities. Each: which officer asks, ask `audit.reidentify`, shape the answer. No rule lives here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from broker.audit import reidentify
from broker.errors import Refusal
from broker.people import read_strict
from broker.web.audit import PRIVATE, Name
from broker.web.officers import OfficerApi, without_query
from broker.web.problems import RESPONSES

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_QUESTION: Final = 16 << 10  # bytes: 200 tokens and a reason


class IdentitiesApi(OfficerApi):
    """Asking, approving, fetching. No address names a token."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/identities")

        def add(method: str, path: str, handler: Callable[..., Any], summary: str, **more: Any) -> None:
            router.add_api_route(path, handler, methods=[method], tags=["identitas"], summary=summary, responses=RESPONSES, **more)

        question = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
        add("POST", "", self.ask, "Ask who is behind tokens of an exchange you received (ground, written reason)", status_code=202, openapi_extra=question)
        add("GET", "", self.requests, "Requests that wait for approvals, or for their asker")
        add("GET", "/{name}", self.request, "A request, its ground and reason, whatever became of it")
        add("POST", "/{name}/approve", self.approve, "Approve a request for your party")
        add("POST", "/{name}/decline", self.decline, "End a request")
        add("POST", "/{name}/answer", self.answer, "The sealed answer to your approved request, once")
        return router

    async def ask(self, request: Request) -> Response:
        """The request that waits for the approvals of both parties."""
        without_query(request)
        person, data = await self._sent(request, MAX_QUESTION)
        return _shown(await run_in_threadpool(lambda: reidentify.ask(self._office, person, _question(data), self._clock())), 202)

    def requests(self, request: Request) -> Response:
        without_query(request)
        found = reidentify.open_requests(self._office, self._person(request), self._clock())
        return JSONResponse({"requests": [_fields(one) for one in found]}, headers=PRIVATE)

    def request(self, request: Request, name: Name) -> Response:
        without_query(request)
        return _shown(reidentify.request(self._office, self._person(request), name, self._clock()))

    def approve(self, request: Request, name: Name) -> Response:
        without_query(request)
        return _shown(reidentify.decide(self._office, self._person(request), name, self._clock(), approve=True))

    def decline(self, request: Request, name: Name) -> Response:
        without_query(request)
        return _shown(reidentify.decide(self._office, self._person(request), name, self._clock(), approve=False))

    def answer(self, request: Request, name: Name) -> Response:
        without_query(request)
        found = reidentify.answer(self._office, self._person(request), name, self._clock())
        return JSONResponse(reidentify.as_json(found), headers=PRIVATE)


def _question(data: bytes) -> reidentify.Question:
    """A question's JSON, exactly these fields. Refusal parameter, before any value of it is looked at."""
    match asked := read_strict(data):
        case {"agreement": str() as agreement, "exchange": str() as exchange, "ground": str() as ground, "reason": str() as reason, "tokens": list() as tokens} if len(asked) == 5:
            if all(isinstance(token, str) for token in tokens):
                return reidentify.Question(agreement, exchange, ground, reason, tuple(tokens))
    raise Refusal("parameter", parameter="isi")


def _shown(shown: reidentify.Shown, status: int = 200) -> Response:
    return JSONResponse(_fields(shown), status, PRIVATE)


def _fields(shown: reidentify.Shown) -> dict[str, Any]:
    """A request as others may see it: never its tokens."""
    row = shown.row
    return {
        "request": row.id, "agreement": row.agreement, "person": row.person, "exchange": row.exchange, "ground": row.ground, "reason": row.reason, "subjects": row.subjects,
        "pairs": row.pairs, "asked": row.asked, "state": row.state, "until": row.until, "approvers": list(shown.approvers),
    }  # fmt: skip
