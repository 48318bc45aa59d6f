"""The route of unusual activity. Which officer asks, ask `audit`, shape the answer. No rule lives here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import JSONResponse

from broker.audit import unusual
from broker.web.audit import PRIVATE, TAG
from broker.web.officers import OfficerApi
from broker.web.problems import RESPONSES


class UnusualApi(OfficerApi):
    """What differs from a party's own past, for who reads the log."""

    def router(self) -> APIRouter:
        router = APIRouter(prefix="/v1/audit")
        summary = "What is unusual in an agreement's log, each with the figures and entries it rests on"
        router.add_api_route("/unusual/{agreement}", self.unusual, methods=["GET"], tags=[TAG], summary=summary, responses=RESPONSES)
        return router

    def unusual(
        self, request: Request, agreement: Annotated[str, Path(max_length=80, description="Agreement id")],
        days: Annotated[int, Query(ge=1, le=unusual.MAX_DAYS, description="today (WIB) and the days before it")] = 30,
    ) -> Response:  # fmt: skip
        return JSONResponse(unusual.ask(self._office, self._person(request), agreement, days, self._clock()).as_json(), headers=PRIVATE)
