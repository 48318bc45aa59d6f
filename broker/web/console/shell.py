"""What every page of the console stands on: who is signed in, forms that nobody else can send, one layout, two languages, strict headers.

A page is a function of a visit. A Refusal becomes a page that names its clause; a fault, one that says nothing of its cause. What was typed
into a form is not lost when the session ended meanwhile: signing in again, as the same officer, brings it back.
"""

from __future__ import annotations

import hashlib
import logging
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool

from broker.errors import LedgerError, Refusal
from broker.keys import derive
from broker.model import LEVEL_NAMES, wib_date
from broker.record import BROKER_LOG
from broker.roles import may
from broker.signin import again, began, whose
from broker.web.console import words
from broker.web.console.kept import Kept, sealed
from broker.web.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jinja2.bccache import Bucket

    from broker.model import Person
    from broker.office import Office
    from broker.web.oidc import Away
    from broker.web.worker import Worker

PATH: Final = "/konsol"
FORM_LIMIT: Final = 256 << 10  # bytes of a form without a file
LANGUAGE: Final = "sinergi-bahasa"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # without a referrer a form's Origin would be `null`
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
STATIC: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
log = logging.getLogger("sinergi")
_HERE: Final = Path(__file__).parent


class _Compiled(BytecodeCache):
    """Templates as they were compiled, for every language and every console of this process."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED: Final = _Compiled()


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at a page, and in which language. csrf: what their forms carry."""

    person: Person
    language: str
    csrf: str
    now: datetime

    def may(self, act: str, agreement: str | None = None) -> bool:
        """Whether their role covers the act today, in that agreement, or in any."""
        return any(may(self.person, act, one, wib_date(self.now)) for one in ([agreement] if agreement else self.person.agreements))

    def _(self, text: str) -> str:
        return words.translated(self.language, text)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu. acts: it is shown to who may one of them; empty: to everyone. within: other pages that belong to it."""

    path: str
    label: str
    acts: tuple[str, ...] = ()
    within: tuple[str, ...] = ()


class Form(dict[str, str]):
    """A form's fields, the last value of each name. Its many values of one name are in `all`."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


class Shell:
    """The pages' common ground. url: our public address. away: the provider that officers may sign in with. max_upload: bytes of a file."""

    def __init__(self, office: Office, worker: Worker, url: str, clock: Callable[[], datetime], *, away: Away | None = None, max_upload: int = 0) -> None:
        self.office, self.worker, self.url, self.clock, self.max_upload = office, worker, url, clock, max_upload
        self.away = away
        self.sessions = Sessions(url)
        self.router = APIRouter()
        self.menu: list[Entry] = []
        self.static = {path.name: (path.read_bytes(), STATIC[path.suffix[1:]]) for path in sorted((_HERE / "static").iterdir()) if path.suffix[1:] in STATIC}
        self._versions = {name: hashlib.sha256(data).hexdigest()[:16] for name, (data, _) in self.static.items()}
        self._pages = {language: self._environment(language) for language in words.LANGUAGES}
        self.router.add_route(f"{PATH}/statis/{{name}}", self._file, methods=["GET"])

    def _environment(self, language: str) -> Environment:
        pages = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, auto_reload=False, trim_blocks=True, lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"], bytecode_cache=_COMPILED, optimized=False,  # nothing of a language is folded into the code
        )  # fmt: skip
        plain: Callable[[str], str] = lambda text: words.translated(language, text)  # noqa: E731
        pages.install_gettext_callables(plain, lambda one, many, n: plain(one if n == 1 else many), newstyle=True)  # type: ignore[attr-defined]
        pages.filters |= {
            "waktu": lambda time: words.time_tag(language, time),
            "hari": lambda day: words.day_tag(language, day),
            "angka": lambda value: words.number(language, value),
        }
        pages.globals |= {
            "path": PATH, "bahasa": language, "statis": lambda name: f"{PATH}/statis/{name}?v={self._versions[name]}", "peran": words.ROLES, "keadaan": words.STATES,
            "tingkat": LEVEL_NAMES, "demonstrasi": self.office.demonstration,
        }  # fmt: skip
        return pages

    def warm_up(self) -> None:
        """Reads all that pages are made of, so that nobody's first page waits for it: a second of work."""
        for language, pages in self._pages.items():
            for name in pages.list_templates():
                pages.get_template(name)
            words.time_tag(language, "2026-01-01T00:00:00.000Z"), words.number(language, 1), words.translated(language, "")

    # --- who looks
    def language(self, request: Request) -> str:
        """Asked for in the address, else kept in a cookie, else Indonesian."""
        asked = request.query_params.get("bahasa") or request.cookies.get(LANGUAGE, "")
        return asked if asked in words.LANGUAGES else "id"

    def visit(self, request: Request) -> Visit:
        """Refusal sesi unless someone is signed in."""
        token, now = self.sessions.token(request), self.clock()
        return Visit(whose(self.office, token, now)[0], self.language(request), self.csrf(token), now)

    def begun(self, request: Request, person: Person, token: str) -> Visit:
        """The visit of who signed in with this very request."""
        return Visit(person, self.language(request), self.csrf(token), self.clock())

    def csrf(self, token: str) -> str:
        key = derive(self.office.rings[BROKER_LOG].secret("root"), "form", hashlib.sha256(token.encode()).digest())
        return urlsafe_b64encode(key).decode().rstrip("=")

    # --- what is shown
    def show(self, request: Request, visit: Visit | None, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """The page. context: what its template names."""
        language = visit.language if visit else self.language(request)
        entries = [entry for entry in self.menu if visit and (not entry.acts or any(visit.may(act) for act in entry.acts))]
        query = [(key, value) for key, value in parse_qsl(request.scope["query_string"].decode("latin-1")) if key != "bahasa"]
        here = request.url.path
        again = here if request.method == "GET" else PATH  # what a form did is not done again in another language
        page = self._pages[language].get_template(template).render(
            visit=visit, csrf=visit.csrf if visit else "", menu=entries, here=here, languages=[(code, f"{again}?{urlencode([*query, ('bahasa', code)])}") for code in words.LANGUAGES],
            **context,
        )  # fmt: skip
        response = HTMLResponse(page, status, HEADERS)
        if request.query_params.get("bahasa") == language:
            response.set_cookie(LANGUAGE, language, max_age=365 * 86_400, path=PATH, secure=self.sessions.safe, httponly=True, samesite="strict")
        return response

    def refused(self, request: Request, visit: Visit | None, refusal: Refusal) -> HTMLResponse:
        text = refusal.said(visit.language if visit else self.language(request))
        return self.show(request, visit, "ditolak.html", refusal.entry.status, refusal=refusal, text=text)

    def to(self, path: str, **query: str) -> RedirectResponse:
        """Where to look next: after every change, so that going back or reloading never repeats it."""
        return RedirectResponse(f"{PATH}{path}{'?' + urlencode(query) if query else ''}", 303, HEADERS)

    # --- routes
    def get(self, path: str, page: Callable[[Request, Visit], Response]) -> None:
        """A page for who is signed in; everyone else is asked to sign in, and comes back. page: runs in a thread."""

        async def handler(request: Request) -> Response:
            return await run_in_threadpool(self._guarded, request, lambda visit: page(request, visit))

        self.router.add_route(PATH + path, handler, methods=["GET"])

    def post(self, path: str, act: Callable[[Request, Visit, Form], Response]) -> None:
        """What a page's form does, once: of a signed-in officer, from our own page. act: runs in a thread, and redirects when something was changed."""

        async def handler(request: Request) -> Response:
            return await self.posted(request, act)

        self.router.add_route(PATH + path, handler, methods=["POST"])

    async def posted(self, request: Request, act: Callable[[Request, Visit, Form], Response]) -> Response:
        """What `act` answers to a form without a file."""
        try:
            form = await self.form(request)
        except Refusal as refusal:
            return await run_in_threadpool(self.refused, request, None, refusal)

        def acted(visit: Visit) -> Response:
            self.own(visit, form.get("csrf", ""))
            return act(request, visit, form)

        return await run_in_threadpool(self._guarded, request, acted, form)

    def own(self, visit: Visit, csrf: str) -> None:
        """Refusal asal unless the form came from a page of this very session."""
        if not compare_digest(csrf.encode(), visit.csrf.encode()):
            raise Refusal("asal")

    def confirmed(self, visit: Visit, form: Form) -> bool:
        """Whether the form's code is their second factor, asked for again before what is not undone. One that is not counts as at a sign-in; none is only asked for again."""
        code = form.get("kode", "").strip()
        if not code:  # as of a form that was sent on after signing in again
            return False
        try:
            again(self.office, visit.person, code, visit.now)
        except Refusal as refusal:
            if refusal.reason != "masuk":
                raise
            return False
        return True

    async def form(self, request: Request, limit: int = FORM_LIMIT) -> Form:
        """The fields of a form without a file. limit: bytes. Refusal asal, parameter, terlalu_besar."""
        self.sessions.same_origin(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            raise Refusal("parameter", parameter="content-type")
        body = bytearray()
        async for data in request.stream():
            body += data
            if len(body) > limit:
                raise Refusal("terlalu_besar", batas=limit)
        try:
            return Form(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=2_000, errors="strict"))
        except ValueError:
            raise Refusal("parameter", parameter="isi") from None

    def _guarded(self, request: Request, page: Callable[[Visit], Response], form: Form | None = None) -> Response:
        visit = None
        try:
            visit = self.visit(request)
            return page(visit)
        except Refusal as refusal:
            if refusal.reason == "sesi":
                return self.signed_out(request, form)
            return self.refused(request, visit, refusal)
        except LedgerError:
            return self.refused(request, visit, Refusal("penyimpanan"))
        except Exception as error:  # noqa: BLE001 - the edge: what failed is not for the page, nor for the log beyond its name
            log.error("page failed error=%s", type(error).__name__)  # noqa: TRY400
            return self.refused(request, visit, Refusal("pengolahan"))

    def signed_out(self, request: Request, form: Form | None) -> Response:
        """Where who is not signed in, or no longer, goes; with them what they typed."""
        if form is None:
            here = request.url.path + (f"?{request.scope['query_string'].decode('latin-1')}" if request.scope["query_string"] else "")
            return RedirectResponse(f"{PATH}/masuk?ke={quote(here)}", 303, HEADERS)
        person = began(self.office, self.sessions.token(request))
        kept = sealed(self.office, Kept(person, request.url.path, tuple(form.pairs)), self.clock()) if person else ""
        return self.sign_in_page(request, to=PATH, kept=kept, status=401)

    def sign_in_page(self, request: Request, *, to: str, kept: str = "", status: int = 200, wrong: bool = False) -> HTMLResponse:
        """kept: what was typed before the session ended, sealed."""
        return self.show(request, None, "masuk.html", status, to=to if local(to) else PATH, kept=kept, wrong=wrong, oidc=self.away is not None)

    def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.static:
            return Response(status_code=404, headers=HEADERS)
        data, kind = self.static[name]
        return Response(data, headers={**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}, media_type=kind)  # its address has its digest


def local(path: str) -> bool:
    """Whether it leads to a page of the console, and to no other host."""
    return (path == PATH or path.startswith((f"{PATH}/", f"{PATH}?"))) and "\\" not in path and path.isascii() and path.isprintable()


