"""The routes of bundles: an agreement's log as one file that is verified without the broker. No rule lives here."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - FastAPI reads it
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from broker.audit import bundle
from broker.client.bundle import WHOSE
from broker.people import read_strict
from broker.web.audit import MAX_QUESTION, PRIVATE, TAG, question_or_request, shown_request
from broker.web.officers import OfficerApi, without_query
from broker.web.problems import RESPONSES
from broker.web.reports import _file

ZIP = "application/zip"


class BundleApi(OfficerApi):
    """Bundles with and without an answer about people."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/audit", tags=[TAG], responses=RESPONSES)
        body = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
        router.get("/bundle/{agreement}", summary="An agreement's log with the leaves and receipts of a period, to verify offline")(self.bundle)
        router.post("/bundle", summary="The same with an answer about people and its proofs (role, written reason)", openapi_extra=body)(self.about_people)
        return router

    def bundle(
        self, request: Request, agreement: Annotated[str, Path(max_length=80, description="Agreement id")],
        starts: Annotated[date, Query(alias="from", description="first day (UTC+7)")], ends: Annotated[date, Query(alias="to", description="last day, inclusive")],
    ) -> Response:  # fmt: skip
        """`Link: rel="describedby"` leads to the signed statement."""
        person = self._person(request)
        return _file(bundle.bundle(self._office, person, agreement, starts, ends, self._clock()), ZIP)

    async def about_people(self, request: Request) -> Response:
        """200 the file; 202 the request that waits for a second person: its id is asked with again, in place of the question, once it is approved.

        The header `Sinergi-Whose` has the key by which the bundle says whom it is about.
        """
        without_query(request)
        person, data = await self._sent(request, MAX_QUESTION)
        asked = question_or_request(read_strict(data), proofs=True)
        found = await run_in_threadpool(lambda: bundle.about_people(self._office, person, asked, self._clock()))
        if not isinstance(found, tuple):
            return JSONResponse(shown_request(found), 202, PRIVATE)
        response = _file(found[0], ZIP)
        response.headers[WHOSE] = found[1].hex()
        return response
