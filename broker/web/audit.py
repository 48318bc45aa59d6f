"""The routes of search under /v1/audit. Each: which officer asks, ask `audit`, shape the answer. No rule lives here."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from broker.audit import search, subject
from broker.errors import Refusal
from broker.people import read_strict
from broker.web.officers import OfficerApi, without_query
from broker.web.problems import RESPONSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.store import SubjectRequest

MAX_QUESTION: Final = 64 << 10  # bytes of a question about people
TAG: Final = "audit"
Name = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Request id, 32 hex digits")]  # no identity number is as long
PRIVATE: Final = {"Cache-Control": "no-store"}


class AuditApi(OfficerApi):
    """Search over the logs a person may read, and over people."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/audit")

        def add(method: str, path: str, handler: Callable[..., Any], summary: str, **more: Any) -> None:
            router.add_api_route(path, handler, methods=[method], tags=[TAG], summary=summary, responses=RESPONSES, **more)

        question = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
        add("GET", "/search", self.search, "Exchanges, or entries of any kind, that an expression finds")
        add("GET", "/exchanges/{name}", self.exchange, "An exchange: its manifest or refusal, and what the log says of it besides")
        add("POST", "/subjects", self.ask, "Who received what about people (role, written reason)", openapi_extra=question)
        add("GET", "/subjects", self.requests, "Requests that wait for a second person, or for their asker")
        add("GET", "/subjects/{name}", self.request, "A request and its reason, whatever became of it")
        add("POST", "/subjects/{name}/approve", self.approve, "Approve another's request")
        add("POST", "/subjects/{name}/decline", self.decline, "Decline a request")
        add("POST", "/subjects/{name}/answer", self.answer, "The answer to your approved request, once")
        return router

    # --- exchanges and entries
    def search(
        self, request: Request, q: Annotated[str, Query(max_length=2000, description="an expression; empty finds everything")] = "",
        target: Annotated[str, Query(pattern="^(pertukaran|entri)$", description="exchanges, or entries of any kind")] = "pertukaran",
        after: Annotated[str | None, Query(max_length=4000, description="where the page before ended")] = None,
        limit: Annotated[int, Query(ge=1, le=search.MAX_PAGE)] = 100,
    ) -> Response:  # fmt: skip
        """Newest first; `after` is null behind the last page. All pages are of the logs' sizes at the first one: `sizes`."""
        page = search.search(self._office, self._person(request), q, self._clock(), target=target, after=after, limit=limit)
        return JSONResponse({"found": [one.shown() for one in page.found], "total": page.total, "after": page.after, "sizes": dict(page.sizes)}, headers=PRIVATE)

    def exchange(self, request: Request, name: Annotated[str, Path(pattern="^[0-9a-f]{32}$")]) -> Response:
        itself, about = search.exchange(self._office, self._person(request), name, self._clock())
        return JSONResponse({**itself.shown(), "about": [one.shown() for one in about]}, headers=PRIVATE)

    # --- people
    async def ask(self, request: Request) -> Response:
        """200 the answer; 202 the request that waits for a second person."""
        without_query(request)
        person, data = await self._sent(request, MAX_QUESTION)
        found = await run_in_threadpool(lambda: subject.ask(self._office, person, _asked(data), self._clock()))
        if isinstance(found, subject.Answer):
            return JSONResponse(found.as_json(), headers=PRIVATE)
        return JSONResponse(shown_request(found), 202, PRIVATE)

    def requests(self, request: Request) -> Response:
        without_query(request)
        return JSONResponse({"requests": [shown_request(row) for row in subject.open_requests(self._office, self._person(request), self._clock())]}, headers=PRIVATE)

    def request(self, request: Request, name: Name) -> Response:
        without_query(request)
        return JSONResponse(shown_request(subject.request(self._office, self._person(request), name, self._clock())), headers=PRIVATE)

    def approve(self, request: Request, name: Name) -> Response:
        without_query(request)
        return JSONResponse(shown_request(subject.decide(self._office, self._person(request), name, self._clock(), approve=True)), headers=PRIVATE)

    def decline(self, request: Request, name: Name) -> Response:
        without_query(request)
        return JSONResponse(shown_request(subject.decide(self._office, self._person(request), name, self._clock(), approve=False)), headers=PRIVATE)

    def answer(self, request: Request, name: Name) -> Response:
        without_query(request)
        return JSONResponse(subject.answer(self._office, self._person(request), name, self._clock()).as_json(), headers=PRIVATE)


def _asked(data: bytes) -> subject.Question:
    asked = read_strict(data)
    proofs = asked.pop("proofs", None)
    if not isinstance(proofs, bool):
        raise Refusal("parameter", parameter="isi")
    return question(asked, proofs=proofs)


def question(asked: Mapping[str, Any], *, proofs: bool) -> subject.Question:
    """The question in a body, exactly these fields. Refusal parameter `isi`, before any value of it is looked at."""
    try:
        match asked:
            case {"agreement": str() as agreement, "from": str() as starts, "to": str() as ends, "reason": str() as reason, "subjects": list() as people} if len(asked) == 5:
                if all(isinstance(one, str) for one in people):
                    return subject.Question(agreement, date.fromisoformat(starts), date.fromisoformat(ends), reason, tuple(people), proofs)
    except ValueError:
        pass
    raise Refusal("parameter", parameter="isi")


def question_or_request(asked: Mapping[str, Any], *, proofs: bool) -> subject.Question | str:
    """As `question`; or the id of a request that was approved, which is asked with in its place."""
    match asked:
        case {"request": str() as name} if len(asked) == 1:
            return name
    return question(asked, proofs=proofs)


def shown_request(row: SubjectRequest) -> dict[str, Any]:
    """A request as others may see it: never whom it is about."""
    return {
        "request": row.id, "agreement": row.agreement, "person": row.person, "asked": row.asked, "from": row.starts, "to": row.ends, "subjects": row.subjects,
        "reason": row.reason, "proofs": bool(row.proofs), "state": row.state, "approver": row.approver, "until": row.until,
    }  # fmt: skip
