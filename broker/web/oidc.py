"""Sign-in by a provider: out to it and back. What to compare goes along in a sealed cookie, so an answer counts once, and only in the browser that asked.

A program begins and ends it under /v1; the console begins it on its own page and ends it there, at the page that was wanted.
"""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse

from broker.errors import NotOpened, NotVerified, Refusal
from broker.identity.oidc import Begun, Provider
from broker.identity.sealed import seal_secret, unseal_secret
from broker.keys import derive
from broker.record import BROKER_LOG
from broker.signin import sign_in_by_provider
from broker.web.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from broker.model import Person
    from broker.office import Office
    from broker.settings import Oidc

CALLBACK: Final = "/v1/session/oidc/callback"
CONSOLE: Final = "/konsol/masuk/kembali"  # where a sign-in that the console began comes back to, from the callback
AT_ONCE: Final = 8  # the provider is asked at a time: each holds a thread, up to half a minute, that exchanges need too
UNDER_WAY: Final = timedelta(minutes=10)  # between leaving for the provider and coming back


@dataclass(frozen=True, slots=True)
class Owed:
    """Our own code is still asked for: the provider asked for none that we accept. Said also of an account that is none."""

    person: str
    state: str
    to: str


@dataclass(frozen=True, slots=True)
class Came:
    """Who is signed in, the token of their session, and the page of the console that was wanted; empty for a program."""

    person: Person
    token: str
    to: str


class Away:
    """The provider of `[oidc]`, as a browser goes there and comes back. url: our public address. ConfigError if its secret cannot be read."""

    def __init__(self, office: Office, url: str, clock: Callable[[], datetime], settings: Oidc) -> None:
        self._office, self._clock, self._provider = office, clock, Provider(settings, url + CALLBACK)
        sessions = Sessions(url)
        self._safe, self._cookie = sessions.safe, f"{sessions.cookie}-oidc"
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def leave(self, to: str = "") -> Response:
        """To the provider, with state, nonce and PKCE. to: the page of the console that is wanted; empty for a program. Refusal masuk: it cannot be asked; sibuk."""
        with self._asking():
            url, begun = self._provider.begin()
        response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
        self._keep(response, "begun", **asdict(begun), to=to)
        return response

    def wanted(self, request: Request) -> str:
        """The page of the console that the sign-in under way is for; empty if it is a program's. Refusal masuk: none is under way here."""
        return self._kept(request, "begun")["to"]

    def back(self, request: Request) -> Came | Owed:
        """From the provider: signed in if it asked for a second factor that we accept. Refusal masuk, sibuk."""
        kept, query = self._kept(request, "begun"), request.query_params
        begun = Begun(kept["state"], kept["nonce"], kept["verifier"])
        if not compare_digest(query.get("state", "").encode(), begun.state.encode()) or not query.get("code"):
            raise Refusal("masuk")
        with self._asking():
            self._once(begun.state)
            vouched = self._provider.finish(query["code"], query.get("iss"), begun, self._clock())
        if not vouched.second_factor:
            return Owed(vouched.person, begun.state, kept["to"])
        return Came(*sign_in_by_provider(self._office, vouched.person, None, self._clock()), kept["to"])

    def owe(self, response: Response, owed: Owed) -> None:
        """Remembers, in the browser, whom the provider vouched for."""
        self._keep(response, "vouched", **asdict(owed))

    def second_factor(self, request: Request, code: str) -> Came:
        """Signed in by our own code after the provider's word; one try. Refusal masuk."""
        kept = self._kept(request, "vouched")
        self._once(f"{kept['state']}.code")  # one try: the provider vouches anew for the next
        return Came(*sign_in_by_provider(self._office, kept["person"], code, self._clock()), kept["to"])

    def over(self, response: Response) -> None:
        response.delete_cookie(self._cookie, path="/", secure=self._safe, httponly=True, samesite="lax")

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Refusal sibuk while so many ask the provider already, masuk for whatever it answers that does not hold."""
        if not self._free.acquire(blocking=False):
            raise Refusal("sibuk")
        try:
            yield
        except NotVerified:
            raise Refusal("masuk") from None
        finally:
            self._free.release()

    def _once(self, state: str) -> None:
        now = int(self._clock().timestamp())
        with self._office.ledger.database.write() as tx:
            fresh = tx.use_nonce("oidc", state, now, now + int(UNDER_WAY.total_seconds()))
        if not fresh:
            raise Refusal("masuk")

    def _keep(self, response: Response, what: str, **values: str) -> None:
        """Keeps values with the browser, sealed. Lax: the provider's redirect comes from another site."""
        until = int((self._clock() + UNDER_WAY).timestamp())
        sealed = seal_secret(self._key(), json.dumps({**values, "until": until}).encode(), what.encode())
        response.set_cookie(self._cookie, urlsafe_b64encode(sealed).decode(), max_age=int(UNDER_WAY.total_seconds()), path="/", secure=self._safe, httponly=True, samesite="lax")

    def _kept(self, request: Request, what: str) -> dict[str, str]:
        """What `_keep` kept for this step. Refusal masuk: none, changed, of another step, or too old."""
        try:
            value: dict[str, Any] = json.loads(unseal_secret(urlsafe_b64decode(request.cookies.get(self._cookie, "")), what.encode(), self._key()))
        except (NotOpened, ValueError):
            raise Refusal("masuk") from None
        if value.pop("until") <= self._clock().timestamp():
            raise Refusal("masuk")
        return value

    def _key(self) -> bytes:
        return derive(self._office.rings[BROKER_LOG].secret("root"), "oidc")
