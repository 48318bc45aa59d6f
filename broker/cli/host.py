"""What the administrator's commands ask of a broker on this host.

While the broker serves, it alone writes the ledger: a command then asks it over HTTP, with a key that only this host can derive.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from broker.errors import ClientError, ConfigError, Refusal
from broker.settings import broker_home, read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from broker.jcs import Json
    from broker.settings import Settings

PEOPLE: Final = "/v1/people/host"
KEYS: Final = "/v1/keys/host"
RINGS: Final = "/v1/keys/rings"


def existing_home(home: Path | None) -> Path:
    folder = broker_home(home)
    if not (folder / "secrets").is_dir():
        raise ClientError(f"{folder} is no broker home; make one with `broker init`")
    return folder


def ask_host(path: str, home: Path | None, port: int | None, **asked: Json) -> dict[str, Any]:
    """The answer to an administrator's act: done here if nobody serves this home, else by who serves it. ClientError with the refusal."""
    from broker.delivery import Folders  # noqa: PLC0415
    from broker.jcs import canonical  # noqa: PLC0415

    settings = read_settings(existing_home(home))
    settings = replace(settings, port=port or settings.port)
    body = canonical(dict(asked))
    try:
        claim = Folders(settings.home).claim()
    except ConfigError:
        return _over_http(settings, path, body)
    try:
        return _here(settings, path, body)
    finally:
        os.close(claim)


def _here(settings: Settings, path: str, body: bytes) -> dict[str, Any]:
    from broker import enrolment, people, rotation  # noqa: PLC0415
    from broker.settings import limit_polars  # noqa: PLC0415

    limit_polars()
    from broker.wiring import open_office  # noqa: PLC0415

    office = open_office(settings.home, datetime.now(UTC))
    try:
        return dict({PEOPLE: people.by_host, KEYS: enrolment.by_host, RINGS: rotation.by_host}[path](office, body, datetime.now(UTC)))
    except Refusal as refusal:
        raise ClientError(f"{refusal.indonesian} · {refusal.english}") from None
    finally:
        office.ledger.database.close()


def _over_http(settings: Settings, path: str, body: bytes) -> dict[str, Any]:
    import hashlib  # noqa: PLC0415

    import httpx2  # noqa: PLC0415

    from broker.client.connection import answered, problem_text  # noqa: PLC0415
    from broker.identity import sign_request  # noqa: PLC0415
    from broker.keys import open_ring  # noqa: PLC0415
    from broker.people import host_key_of  # noqa: PLC0415
    from broker.record import BROKER_LOG  # noqa: PLC0415

    key = host_key_of(open_ring(settings.home / "secrets" / BROKER_LOG))
    here = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - where it listens, not where we do
    headers = sign_request("POST", settings.url + path, {"Content-Type": "application/json"}, key, datetime.now(UTC), hashlib.sha256(body).digest())
    try:
        response = httpx2.post(f"http://{here}:{settings.port}{path}", content=body, headers=headers, timeout=30, trust_env=False)
    except httpx2.TransportError:
        raise ClientError(f"nothing answers on port {settings.port}: if the broker serves this home on another, name it with --port; or another command holds the home: try again") from None
    answer = answered(response)
    if response.status_code >= 400:
        raise ClientError(problem_text(answer))
    return answer
