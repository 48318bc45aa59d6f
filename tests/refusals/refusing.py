"""What every refusal test asserts: the canary of the bad cell is told nowhere."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

from broker.envelope import open_envelope
from broker.identity import sign_request
from broker.keys import KemKey, RequestKey
from tests.simulator import SIAPKERJA, SIJOKER, URL

if TYPE_CHECKING:
    from broker.errors import Refusal
    from tests.simulator import Town

BODY_TYPE = "application/vnd.sinergi.submission"
CANARY = "KANARI7Q"  # put into the bad cell: it may be read, never told


class Refuse(Protocol):
    def __call__(self, data: bytes, reason: str, *, log: str = ..., chunks: tuple[int, ...] = ..., **asked: Any) -> Refusal: ...


def assert_nowhere(town: Town, *texts: str) -> None:
    """The canary is in none of `texts`, and in no file of the broker's home: not in the ledger, not in the spool, not in the outbox."""
    assert CANARY not in "".join(texts)
    for path in town.home.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path.name


def released(town: Town, name: str, recipient: str = SIAPKERJA) -> bytes:
    """The lines that `recipient` opens."""
    header = town.row(name).header
    assert header is not None
    source = BytesIO(header + town.office.folders.outbox(name).read_bytes())
    opener = open_envelope(source, town.province.ring(recipient).get(KemKey, "kem"))
    return opener.update(source.read()) + opener.finish()


def signed(town: Town, body: bytes, *, key: RequestKey | None = None, system: str = SIJOKER, later: float = 0, idempotency: str | None = "k" * 20, url: str = f"{URL}/v1/exchanges") -> dict[str, str]:
    """The headers of a submission signed by `system`, `later` seconds from now."""
    headers = {"Content-Type": BODY_TYPE, "Prefer": "wait=60"} | ({"Idempotency-Key": idempotency} if idempotency is not None else {})
    own = key or town.province.ring(system).get(RequestKey, "request")
    return sign_request("POST", url, headers, own, town.now + timedelta(seconds=later), hashlib.sha256(body).digest())
