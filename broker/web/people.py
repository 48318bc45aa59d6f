"""The routes of officers' accounts and sessions. Each: who asks, ask `people` or `signin`, shape the answer. No rule lives here."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse

from broker.errors import Refusal
from broker.model import wib_date
from broker.people import ACTS, by_host, host, read_strict
from broker.roles import may
from broker.signin import confirm, set_up, sign_in, sign_out, whose
from broker.web.officers import as_signed
from broker.web.oidc import CALLBACK, CONSOLE, Came
from broker.web.problems import RESPONSES
from broker.web.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.web.oidc import Away

P = ParamSpec("P")
T = TypeVar("T")
MAX_BODY: Final = 4 << 10
AT_ONCE: Final = 8  # sign-ins under way: each holds a thread that exchanges need too
MAX_HOST_BODY: Final = 64 << 10
_FRESH: Final = {"Cache-Control": "no-store"}


def people_router(office: Office, url: str, clock: Callable[[], datetime], away: Away | None = None) -> APIRouter:
    """url: our public address. away: the provider, if one is configured."""
    api = PeopleApi(office, url, clock, away)
    router = APIRouter()

    def add(method: str, path: str, handler: Callable[..., Any], summary: str, **more: Any) -> None:
        router.add_api_route(path, handler, methods=[method], tags=["petugas"], summary=summary, responses=RESPONSES, **more)

    add("POST", "/v1/people/setup", api.set_up, "Set up your account: password, then the first code")
    add("POST", "/v1/people/host", api.by_host, "Accounts, by the administrator on the broker's host")
    add("POST", "/v1/session", api.sign_in, "Sign in with id, password and code")
    add("GET", "/v1/session", api.who, "Who you are, and what your role covers today")
    add("DELETE", "/v1/session", api.sign_out, "Sign out", status_code=204)
    if away:
        add("GET", "/v1/session/oidc", api.leave, "Sign in with the configured provider", status_code=303)
        add("GET", CALLBACK, api.come_back, "Where the provider sends you back to")
        add("POST", "/v1/session/oidc", api.second_factor, "Your code, where the provider asked for none")
    return router


class PeopleApi:
    """The route handlers. A session is a cookie that no script and no other site can use."""

    def __init__(self, office: Office, url: str, clock: Callable[[], datetime], away: Away | None) -> None:
        self._office, self._url, self._clock, self._away = office, url, clock, away
        self._sessions = Sessions(url)
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def person(self, request: Request) -> Person:
        """Who is signed in. Refusal sesi."""
        return whose(self._office, self._sessions.token(request), self._clock())[0]

    # --- set-up
    async def set_up(self, request: Request) -> Response:
        """`{token, password}` answers with the second factor and a token to confirm with; `{confirm, code}` makes the account active."""
        asked = await self._asked(request, {"token", "password"}, {"confirm", "code"})
        if "confirm" in asked:
            person = await run_in_threadpool(confirm, self._office, asked["confirm"], asked["code"], self._clock())
            return JSONResponse({"person": person.id, "state": person.state}, headers=_FRESH)
        person, uri, token = await self._hashing(set_up, self._office, asked["token"], asked["password"], self._clock())
        return JSONResponse({"person": person.id, "otpauth": uri, "confirm": token}, headers=_FRESH)

    async def by_host(self, request: Request) -> Response:
        """The commands `broker people …` while the broker serves: signed with a key that only the host can derive."""
        return await from_host(self._office, self._url, request, by_host, self._clock)

    # --- session
    async def sign_in(self, request: Request) -> Response:
        asked = await self._asked(request, {"id", "password", "code"})
        found = await self._hashing(sign_in, self._office, asked["id"], asked["password"], asked["code"], self._clock())
        return self._signed_in(*found)

    def who(self, request: Request) -> Response:
        return self._about(self.person(request))

    def sign_out(self, request: Request) -> Response:
        self._sessions.same_origin(request)
        self.person(request)
        sign_out(self._office, self._sessions.token(request))
        response = Response(status_code=204)
        self._sessions.drop(response)
        return response

    def _about(self, person: Person) -> JSONResponse:
        today = wib_date(self._clock())
        acts = sorted(act for act in ACTS if any(may(person, act, a, today) for a in (*person.agreements, "")))
        return JSONResponse(
            {
                "person": person.id, "party": person.party, "role": person.role, "agreements": sorted(person.agreements), "acts": acts,
                "starts": person.starts.isoformat(), "ends": person.ends.isoformat() if person.ends else None,
            },
            headers=_FRESH,
        )  # fmt: skip

    def _signed_in(self, person: Person, token: str) -> JSONResponse:
        response = self._about(person)
        self._sessions.keep(response, token)
        return response

    # --- by a provider
    def leave(self, request: Request) -> Response:
        """To the provider; asked for by a program, or by who typed the address. Another site's page begins no sign-in here. Refusal asal, masuk."""
        assert self._away is not None
        if request.headers.get("sec-fetch-site") not in (None, "none", "same-origin"):
            raise Refusal("asal")
        return self._away.leave()

    def come_back(self, request: Request) -> Response:
        """From the provider. Signed in if it asked for a second factor that we accept; otherwise our own code is still owed. What the console began it finishes itself."""
        assert self._away is not None
        try:
            for_console = bool(self._away.wanted(request))
        except Refusal:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            for_console = True  # a person whose sign-in was too long under way: they begin again there
        if for_console:
            return RedirectResponse(f"{CONSOLE}?{request.url.query}", 303, headers=_FRESH)
        came = self._away.back(request)
        if isinstance(came, Came):
            return self._came(came)
        response = JSONResponse({"next": "code"}, headers=_FRESH)  # also for an account that is none: nothing is told yet
        self._away.owe(response, came)
        return response

    async def second_factor(self, request: Request) -> Response:
        assert self._away is not None
        asked = await self._asked(request, {"code"})
        return self._came(await run_in_threadpool(self._away.second_factor, request, asked["code"]))

    def _came(self, came: Came) -> Response:
        assert self._away is not None
        response = self._signed_in(came.person, came.token)
        self._away.over(response)
        return response

    async def _hashing(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`act` in a thread, unless so many hash passwords already that others would wait for them: Refusal sibuk."""
        if not self._free.acquire(blocking=False):
            raise Refusal("sibuk")
        try:
            return await run_in_threadpool(act, *args, **kwargs)
        finally:
            self._free.release()

    async def _asked(self, request: Request, *shapes: set[str]) -> dict[str, str]:
        """The fields of a small JSON body of one of the shapes, all of them text. Refusal asal, terlalu_besar, parameter."""
        self._sessions.same_origin(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal("parameter", parameter="content-type")
        value = read_strict(await _body(request, MAX_BODY))
        if value.keys() not in shapes or not all(isinstance(v, str) for v in value.values()):
            raise Refusal("parameter", parameter="isi")
        return value


async def from_host(office: Office, url: str, request: Request, act: Callable[[Office, bytes, datetime], dict[str, Json]], clock: Callable[[], datetime]) -> Response:
    """The answer to `act` on the body, which only the host's own key can have signed."""
    body = await _body(request, MAX_HOST_BODY)

    def done() -> dict[str, Json]:
        target, headers = as_signed(request, url)
        host(office, request.method, target, headers, body, clock())
        return act(office, body, clock())

    return JSONResponse(await run_in_threadpool(done), headers=_FRESH)


async def _body(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for data in request.stream():
        body += data
        if len(body) > limit:
            raise Refusal("terlalu_besar", batas=limit)
    return bytes(body)
