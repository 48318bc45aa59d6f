"""Refusals as RFC 9457 problem documents: Indonesian first, English second, the clause always."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse

from broker.errors import Refusal

if TYPE_CHECKING:
    from broker.store import ExchangeRow

TYPE: Final = "application/problem+json"

SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "detail", "status", "reason", "pasal", "facts"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "Indonesian"},
        "detail": {"type": "string", "description": "English"},
        "status": {"type": "integer"},
        "reason": {"type": "string", "description": "a code of the table below"},
        "pasal": {"type": "string", "description": "the clause that forbids it"},
        "facts": {"type": "object"},
        "exchange": {"type": "string"},
    },
}

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    code: {"description": text, "content": {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for code, text in {400: "Malformed", 401: "Not signed by an enrolled key, or outside the time window", 403: "Refused, with the clause", 404: "No such exchange for you", 409: "Replayed, or not ready", 410: "Erased or dropped", 413: "Too large", 422: "The data were refused, with the clause", 503: "Busy", 507: "Storage failing"}.items()
}


def problem(refusal: Refusal, exchange: str | None = None) -> JSONResponse:
    """exchange: its id, where the refusal is of one; its quality report is then the sender's to see."""
    body: dict[str, Any] = {
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
        if refusal.report:
            body["report"] = json.loads(refusal.report)
    headers = {"Retry-After": "5"} if refusal.entry.status == 503 else {}
    return JSONResponse(body, refusal.entry.status, headers, media_type=TYPE)


def stored(row: ExchangeRow) -> Refusal:
    """The refusal that an exchange's row keeps."""
    assert row.problem is not None
    value = json.loads(row.problem)
    refusal = Refusal(value["reason"], value["pasal"], **value["facts"])
    refusal.report = row.report
    return refusal
