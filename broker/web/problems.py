"""Refusals as RFC 9457 problem documents: Indonesian first, English second, the clause always."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from broker.errors import Refusal

if TYPE_CHECKING:
    from broker.store import ExchangeRow

TYPE = "application/problem+json"


def problem(refusal: Refusal, exchange: str | None = None) -> JSONResponse:
    body = {
        "type": f"urn:sinergi:alasan:{refusal.reason}",
        "title": refusal.indonesian,
        "detail": refusal.english,
        "status": refusal.entry.status,
        "reason": refusal.reason,
        "pasal": refusal.pasal,
        "facts": refusal.facts,
    }
    if exchange:
        body["instance"] = f"/v1/exchanges/{exchange}"
        body["exchange"] = exchange
    headers = {"Retry-After": "5"} if refusal.entry.status == 503 else {}
    return JSONResponse(body, refusal.entry.status, headers, media_type=TYPE)


def stored(row: ExchangeRow) -> Refusal:
    """The refusal that an exchange's row keeps."""
    assert row.problem is not None
    value = json.loads(row.problem)
    return Refusal(value["reason"], value["pasal"], **value["facts"])
