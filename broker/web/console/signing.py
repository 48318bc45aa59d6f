"""Signing in and out, and setting up an account."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from starlette.concurrency import run_in_threadpool

from broker.errors import LedgerError, Refusal
from broker.signin import confirm, set_up, sign_in, sign_in_by_link, sign_out
from broker.web.console.kept import opened
from broker.web.console.qr import squares
from broker.web.console.shell import FORM_LIMIT, PATH, local
from broker.web.oidc import CONSOLE, Came

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request, Response

    from broker.web.console.shell import Form, Shell, Visit

AT_ONCE: Final = 8  # passwords compared at a time: each holds a thread, and 64 MiB
LIMIT: Final = 2 * FORM_LIMIT  # bytes of a form that may hold another, sealed
LONGEST_WAY: Final = 2_000  # characters of an address that goes along in a cookie
LOOPBACK: Final = ("127.0.0.1", "::1")


def add(shell: Shell) -> None:
    """Pages that nobody need be signed in to, and the way out."""
    pages = _Pages(shell)
    shell.router.add_route(f"{PATH}/masuk", pages.ask, methods=["GET"])
    shell.router.add_route(f"{PATH}/masuk", pages.sign_in, methods=["POST"])
    shell.router.add_route(f"{PATH}/lanjut", pages.go_on, methods=["POST"])
    if shell.away:
        shell.router.add_route(f"{PATH}/masuk/instansi", pages.leave, methods=["GET"])
        shell.router.add_route(CONSOLE, pages.back, methods=["GET"])
        shell.router.add_route(f"{PATH}/masuk/kode", pages.second_factor, methods=["POST"])
    shell.router.add_route(f"{PATH}/siapkan", pages.set_up_page, methods=["GET"])
    shell.router.add_route(f"{PATH}/siapkan", pages.set_up, methods=["POST"])
    shell.post("/keluar", pages.sign_out)
    if shell.office.demonstration:
        shell.router.add_route(f"{PATH}/tautan/{{token}}", pages.by_link, methods=["GET"])


class _Pages:
    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def ask(self, request: Request) -> Response:
        return self._shell.sign_in_page(request, to=request.query_params.get("ke", PATH))

    async def sign_in(self, request: Request) -> Response:
        return await self._form(request, self._sign_in)

    def _sign_in(self, request: Request, form: Form) -> Response:
        shell, to, kept = self._shell, form.get("ke", PATH), form.get("simpanan", "")
        try:
            person, token = sign_in(shell.office, form.get("id", "").strip(), form.get("sandi", ""), form.get("kode", ""), shell.clock())
        except Refusal as refusal:
            if refusal.reason != "masuk":
                raise
            return shell.sign_in_page(request, to=to, kept=kept, status=403, wrong=True)
        response = self._on(request, shell.begun(request, person, token), kept) if kept else shell.to((to if local(to) else PATH).removeprefix(PATH))
        shell.sessions.keep(response, token)
        return response

    def _on(self, request: Request, visit: Visit, text: str) -> Response:
        """What this officer had typed, to be sent again; the first page if it is another's, who alone may see it."""
        kept = opened(self._shell.office, text, visit.now)
        if kept is None or kept.person != visit.person.id:
            return self._shell.to("")
        return self._shell.show(request, visit, "lanjut.html", to=kept.to, kept=kept.pairs)

    async def go_on(self, request: Request) -> Response:
        """For who signed in meanwhile, in another tab. Changes nothing."""
        return await self._form(request, self._go_on)

    def _go_on(self, request: Request, form: Form) -> Response:
        shell, kept = self._shell, form.get("simpanan", "")
        try:
            visit = shell.visit(request)
        except Refusal:
            return shell.sign_in_page(request, to=PATH, kept=kept, status=401)
        return self._on(request, visit, kept)

    # --- with a provider
    def leave(self, request: Request) -> Response:
        """To the provider, from our own page alone: what another site's page, or an address, asks for is asked again there."""
        shell, to = self._shell, request.query_params.get("ke", PATH)
        assert shell.away is not None
        if request.headers.get("sec-fetch-site") != "same-origin":
            return shell.sign_in_page(request, to=to)
        try:
            return shell.away.leave(to if local(to) and len(to) <= LONGEST_WAY else PATH)
        except Refusal as refusal:
            return shell.refused(request, None, refusal)

    def back(self, request: Request) -> Response:
        """From the provider. Signed in, or our own code is owed; that this account is none is not told before it."""
        away = self._shell.away
        assert away is not None
        try:
            came = away.back(request)
        except Refusal as refusal:
            if refusal.reason != "masuk":
                return self._shell.refused(request, None, refusal)
            return self._shell.sign_in_page(request, to=PATH, status=403, wrong=True)
        except LedgerError:
            return self._shell.refused(request, None, Refusal("penyimpanan"))
        if isinstance(came, Came):
            return self._came(request, came)
        response = self._shell.show(request, None, "masuk_kode.html")
        away.owe(response, came)
        return response

    async def second_factor(self, request: Request) -> Response:
        return await self._form(request, self._second_factor)

    def _second_factor(self, request: Request, form: Form) -> Response:
        assert self._shell.away is not None
        try:
            return self._came(request, self._shell.away.second_factor(request, form.get("kode", "")))
        except Refusal as refusal:
            if refusal.reason != "masuk":
                raise
            return self._shell.sign_in_page(request, to=PATH, status=403, wrong=True)

    def _came(self, request: Request, came: Came) -> Response:
        """A page of ours that leads on: after a redirect from another site the browser would not send the session's cookie."""
        shell = self._shell
        assert shell.away is not None
        response = shell.show(request, shell.begun(request, came.person, came.token), "sudah_masuk.html", to=came.to if local(came.to) else PATH)
        shell.sessions.keep(response, came.token)
        shell.away.over(response)
        return response

    def by_link(self, request: Request) -> Response:
        """Of a demonstration, for who sits at the broker's own machine."""
        shell = self._shell
        try:
            if request.client is None or request.client.host not in LOOPBACK:
                raise Refusal("tautan")
            _, token = sign_in_by_link(shell.office, request.path_params["token"], shell.clock())
        except Refusal as refusal:
            return shell.refused(request, None, refusal)
        except LedgerError:
            return shell.refused(request, None, Refusal("penyimpanan"))
        response = shell.to("")
        shell.sessions.keep(response, token)
        return response

    def sign_out(self, request: Request, _visit: Visit, _form: Form) -> Response:
        sign_out(self._shell.office, self._shell.sessions.token(request))
        response = self._shell.to("/masuk")
        self._shell.sessions.drop(response)
        return response

    # --- set-up
    def set_up_page(self, request: Request) -> Response:
        return self._shell.show(request, None, "siapkan.html", problem="", confirm="")

    async def set_up(self, request: Request) -> Response:
        return await self._form(request, self._set_up)

    def _set_up(self, request: Request, form: Form) -> Response:
        """The first step shows the second factor, once; the second makes the account active."""
        shell, now = self._shell, self._shell.clock()
        try:
            if "konfirmasi" in form:
                confirm(shell.office, form["konfirmasi"], form.get("kode", ""), now)
                return shell.to("/masuk")
            person, uri, token = set_up(shell.office, form.get("tautan", "").strip(), form.get("sandi", ""), now)
        except Refusal as refusal:
            problem = refusal.said(shell.language(request))
            return shell.show(request, None, "siapkan.html", refusal.entry.status, problem=problem, confirm="")
        secret = parse_qs(urlsplit(uri).query)["secret"][0]
        grouped = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
        return shell.show(request, None, "siapkan.html", problem="", confirm=token, person=person.id, otpauth=uri, secret=grouped, qr=squares(uri))

    async def _form(self, request: Request, act: Callable[[Request, Form], Response]) -> Response:
        """`act` on a form of ours, in a thread, unless so many hash passwords already that others would wait: sibuk."""
        try:
            form = await self._shell.form(request, LIMIT)
            if not self._free.acquire(blocking=False):
                raise Refusal("sibuk")
            try:
                return await run_in_threadpool(act, request, form)
            finally:
                self._free.release()
        except Refusal as refusal:
            return self._shell.refused(request, None, refusal)
        except LedgerError:
            return self._shell.refused(request, None, Refusal("penyimpanan"))


