"""The cookie that keeps an officer signed in, and which requests may change something: no script and no other site can use either."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from broker.errors import Refusal
from broker.signin import LONGEST

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class Sessions:
    """url: our public address."""

    def __init__(self, url: str) -> None:
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        self.safe = url.startswith("https://")
        self.cookie = "__Host-sinergi" if self.safe else "sinergi"  # the prefix needs Secure, which http cannot have

    def token(self, request: Request) -> str:
        return request.cookies.get(self.cookie, "")

    def keep(self, response: Response, token: str) -> None:
        response.set_cookie(self.cookie, token, max_age=LONGEST, path="/", secure=self.safe, httponly=True, samesite="strict")

    def drop(self, response: Response) -> None:
        response.delete_cookie(self.cookie, path="/", secure=self.safe, httponly=True, samesite="strict")

    def same_origin(self, request: Request) -> None:
        """Refusal asal for a state change that another site's page asks for. A program sends neither header, and no cookie it was not given."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site not in (None, "same-origin") or origin not in (None, self.origin):
            raise Refusal("asal")
