"""The application: routes, one table from errors to HTTP, and the OpenAPI document."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from broker import __version__
from broker.errors import LedgerError, Refusal
from broker.web.api import Api
from broker.web.audit import AuditApi
from broker.web.bundle import BundleApi
from broker.web.console import console
from broker.web.erasure import ErasureApi
from broker.web.keys import KeysApi
from broker.web.oidc import Away
from broker.web.page import api_page
from broker.web.people import people_router
from broker.web.policy import PolicyApi
from broker.web.problems import SCHEMA, problem
from broker.web.reidentify import IdentitiesApi
from broker.web.reports import ReportsApi
from broker.web.tlog import TlogApi
from broker.web.unusual import UnusualApi
from broker.web.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from broker.office import Office
    from broker.settings import Oidc


log = logging.getLogger("sinergi")


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = SCHEMA
        return document


def create_app(
    office: Office, url: str, max_submission: int, clock: Callable[[], datetime] = lambda: datetime.now(UTC), oidc: Oidc | None = None
) -> FastAPI:
    """The application, its worker started and what a crash left taken up. url: our public address, which clients sign. oidc: where officers may sign in instead."""
    app = _Application(
        title="Sinergi", version=__version__, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json",
        summary="Berbagi data ketenagakerjaan menurut Nota Kesepakatan", description=_DESCRIPTION,
    )  # fmt: skip
    app.state.worker = worker = Worker(office, clock)
    away = Away(office, url, clock, oidc) if oidc else None
    app.include_router(Api(office, worker, url, max_submission, clock).router())
    app.include_router(PolicyApi(office, url, clock).router())
    app.include_router(AuditApi(office, url, clock).router())
    app.include_router(ErasureApi(office, url, clock).router())
    app.include_router(ReportsApi(office, url, clock).router())
    app.include_router(BundleApi(office, url, clock).router())
    app.include_router(IdentitiesApi(office, url, clock).router())
    app.include_router(TlogApi(office, url, clock).router())
    app.include_router(UnusualApi(office, url, clock).router())
    app.include_router(KeysApi(office, url, clock).router())
    app.include_router(people_router(office, url, clock, away))
    app.state.console = console(office, worker, url, clock, away=away, max_upload=max_submission)
    app.include_router(app.state.console.router)
    app.add_api_route("/v1/docs", lambda: api_page(app.openapi()), methods=["GET"], response_class=HTMLResponse, tags=["operasi"], summary="This API as a page")
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(LedgerError, lambda _request, _error: problem(Refusal("penyimpanan")))
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _fault)
    return app


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem(error)


def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(Refusal("tidak_ada" if error.status_code == 404 else "metode"))


def _fault(_: Request, error: Exception) -> Response:
    log.error("request failed error=%s", type(error).__name__)  # no trace: it could quote values
    return problem(Refusal("pengolahan"))


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Only the parameter's name, which is ours: the value is the caller's.
    return problem(Refusal("parameter", parameter=str(error.errors()[0]["loc"][-1])))


_DESCRIPTION = """Every request is signed (RFC 9421, Ed25519) over `@method`, `@target-uri` and, with a body, `content-digest`,
`content-type` and `idempotency-key`; parameters `created`, `keyid`, `alg="ed25519"`, `nonce`, `tag="sinergi"`. The window is 60 seconds and a
nonce counts once. `@target-uri` is the broker's public address, not the Host header. Bodies are sealed for the broker: see `docs/formats`.
Every error is an RFC 9457 problem document that names the clause (`pasal`) and the reason."""
