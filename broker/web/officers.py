"""Which officer asks: what every route for people's own keys has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from broker import people
from broker.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from fastapi import Request

    from broker.model import Person
    from broker.office import Office


def as_signed(request: Request, url: str) -> tuple[str, dict[str, str]]:
    """Target and headers of a request as its signature covers them. url: our public address; the Host header is never believed."""
    query = request.scope["query_string"].decode("latin-1")
    target = url + request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    # A header sent twice is one value (RFC 9421, 2.1): a second Idempotency-Key slipped in on the way breaks the signature.
    return target, {name: ", ".join(request.headers.getlist(name)) for name in request.headers}


def without_query(request: Request) -> None:
    """Refusal alamat for an address with a query: nothing about people may stand in an address, and be kept by who sees addresses."""
    if request.scope["query_string"]:
        raise Refusal("alamat")


class OfficerApi:
    """url: our public address; the Host header is never believed."""

    def __init__(self, office: Office, url: str, clock: Callable[[], datetime]) -> None:
        self._office, self._url, self._clock = office, url, clock

    def _signed(self, request: Request, *, body: bool, also: tuple[str, ...] = ()) -> tuple[Person, Any]:
        target, headers = as_signed(request, self._url)
        return people.officer(self._office, request.method, target, headers, self._clock(), body=body, also=also)

    def _person(self, request: Request) -> Person:
        """The officer who signed a request without a body."""
        person, signed = self._signed(request, body=False)
        people.spend_nonce(self._office, person, signed, self._clock())
        return person

    async def _sent(self, request: Request, limit: int, also: tuple[str, ...] = ()) -> tuple[Person, bytes]:
        """The officer and the body, once its digest is the signed one."""
        person, signed = await run_in_threadpool(self._signed, request, body=True, also=also)
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > limit:
                raise Refusal("terlalu_besar", batas=limit)
        await run_in_threadpool(people.spend_nonce, self._office, person, signed, self._clock(), bytes(data))
        return person, bytes(data)
