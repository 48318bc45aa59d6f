"""A person's side: requests over HTTP, signed with the keys of their own home. What officers and auditors have in common."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from broker.client.connection import Connection, answered
from broker.client.ownkeys import open_own
from broker.errors import ClientError
from broker.keys import PublicSet, RequestKey, Ring, read_public_set

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2


class Account:
    """Requests as the person whose home it is. Owns an HTTP connection pool; use it in a `with` block."""

    def __init__(self, person: str, url: str, ring: Ring, broker: PublicSet | None, clock: Callable[[], datetime], http: httpx2.Client | None = None) -> None:
        self.person, self.url, self._broker = person, url.rstrip("/"), broker
        self._ring, self._clock = ring, clock
        self._to = Connection(self.url, ring.get(RequestKey, "request"), clock, http)

    @classmethod
    def at(cls, home: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC), http: httpx2.Client | None = None) -> Self:
        """The person of a home made by `broker keys new`. ClientError says what is missing."""
        if not (home / "client.toml").exists():
            raise ClientError(f"{home} is no home of yours; make one with `broker keys new --system petugas-1@sijunjung`")
        settings = tomllib.loads((home / "client.toml").read_text())
        pinned = home / "broker.json"
        broker = read_public_set(pinned.read_bytes()) if pinned.exists() else None
        return cls(settings["system"], settings["url"], open_own(home), broker, clock, http)

    def unknown(self) -> str:
        """Why the broker does not let this person read policies, a reason of docs/formats/problems.md; empty if it does."""
        response = self._to.request("GET", "/v1/policy/versions")
        return str(answered(response)["reason"]) if response.status_code >= 400 else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._to.close()
