"""The routes of files for auditors: exports, the yearly report, a person's report, and the signed statement over each. No rule lives here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse

from broker.audit import export, handout, subject_report, yearly
from broker.audit.handout import File
from broker.audit.subject_report import About
from broker.errors import Refusal
from broker.people import read_strict
from broker.web.audit import MAX_QUESTION, PRIVATE, question_or_request, shown_request
from broker.web.officers import OfficerApi, without_query
from broker.web.problems import RESPONSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.audit.subject import Question

DSSE_TYPE: Final = "application/vnd.dsse+json"
TAG: Final = "audit"
Agreement = Annotated[str, Path(max_length=80, description="Agreement id")]


class ReportsApi(OfficerApi):
    """Files that are recorded before they leave."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/audit")

        def add(method: str, path: str, handler: Callable[..., Any], summary: str, **more: Any) -> None:
            router.add_api_route(path, handler, methods=[method], tags=[TAG], summary=summary, responses=RESPONSES, **more)

        body = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
        add("GET", "/export/{agreement}", self.export, "All that a search finds in an agreement's log, as a file")
        add("GET", "/report/{agreement}/{year}", self.report, "The yearly report of an agreement (Pasal 10)")
        add("POST", "/subject-report", self.subject_report, "What one person is told of who received their data (role, written reason)", openapi_extra=body)
        add("GET", "/files/{name}", self.statement, "The signed statement over a file you were given")
        return router

    def export(
        self, request: Request, agreement: Agreement, form: Annotated[str, Query(alias="format", max_length=10, description="csv, jsonl, ocsf or pdf")],
        expression: Annotated[str, Query(alias="q", max_length=2000, description="an expression, as of a search; empty finds everything")] = "",
        target: Annotated[str, Query(max_length=20, description="pertukaran or entri")] = "pertukaran",
    ) -> Response:  # fmt: skip
        """`Link: rel="describedby"` leads to the signed statement."""
        person = self._person(request)
        return _file(export.export(self._office, person, agreement, form, expression, target, self._clock()), export.MEDIA[form])

    def report(
        self, request: Request, agreement: Agreement, year: Annotated[int, Path(ge=2000, le=9999)], form: Annotated[str, Query(alias="format", max_length=10, description="json or pdf")],
        size: Annotated[int | None, Query(ge=1, le=1 << 53, description="of the checkpoint to report as of; without it the latest")] = None,
    ) -> Response:  # fmt: skip
        """The same checkpoint gives the same bytes."""
        person = self._person(request)
        return _file(yearly.report(self._office, person, agreement, year, form, size, self._clock()), yearly.MEDIA[form])

    async def subject_report(self, request: Request) -> Response:
        """200 the file; 202 the request that waits for a second person: its id is asked with again, in place of the question, once it is approved."""
        without_query(request)
        person, data = await self._sent(request, MAX_QUESTION)
        asked, about, form = _asked(data)
        found = await run_in_threadpool(lambda: subject_report.report(self._office, person, asked, about, form, self._clock()))
        return _file(found, subject_report.MEDIA[form]) if isinstance(found, File) else JSONResponse(shown_request(found), 202, PRIVATE)

    def statement(self, request: Request, name: Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="the file's id")]) -> Response:
        person = self._person(request)
        return Response(handout.statement(self._office, person, name, self._clock()), media_type=DSSE_TYPE)


def _asked(data: bytes) -> tuple[Question | str, About, str]:
    """What a subject report is asked with, exactly these fields. Refusal parameter, before any value of it is looked at."""
    try:
        match asked := read_strict(data):
            case {"received": str() as received, "case": str() as case, "hidden": dict() as hidden, "format": str() as form}:
                when = datetime.fromisoformat(received)
                if when.tzinfo is None or not all(isinstance(letter, str) for letter in hidden.values()):
                    raise ValueError
                rest = {name: asked[name] for name in asked.keys() - {"received", "case", "hidden", "format"}}
                if "subjects" in rest:  # a report is about one
                    raise ValueError
                if "subject" in rest:
                    rest["subjects"] = [rest.pop("subject")]
                return question_or_request(rest, proofs=False), About(when, case, hidden), form
    except (ValueError, OverflowError):
        pass
    raise Refusal("parameter", parameter="isi")


def _file(file: File, media: str) -> Response:
    headers = {"Content-Length": str(file.size), "Content-Disposition": "attachment", **PRIVATE, "Link": f'</v1/audit/files/{file.name}>; rel="describedby"'}
    return StreamingResponse(file.pieces, 200, headers, media_type=media)
