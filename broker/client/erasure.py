"""The data protection officer's side of erasures, signed with their own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from broker.client.account import Account
from broker.jcs import canonical

if TYPE_CHECKING:
    from broker.jcs import Json


class Eraser(Account):
    """Requests as the person whose home it is. ground: a code of docs/formats/erasure.md; reason: in words, without anyone's number."""

    def erase_subject(self, agreement: str, subject: str, ground: str, reason: str) -> dict[str, Any]:
        return self._erase({"agreement": agreement, "ground": ground, "reason": reason, "subject": subject})

    def erase_exchange(self, agreement: str, exchange: str, ground: str, reason: str) -> dict[str, Any]:
        return self._erase({"agreement": agreement, "exchange": exchange, "ground": ground, "reason": reason})

    def retire(self, agreement: str, before: int, ground: str, reason: str) -> dict[str, Any]:
        return self._erase({"agreement": agreement, "before": before, "ground": ground, "reason": reason})

    def _erase(self, asked: dict[str, Json]) -> dict[str, Any]:
        return self._to.send("POST", "/v1/audit/erasures", canonical(asked), "application/json")

    def erasures(self, agreement: str) -> list[dict[str, Any]]:
        return list(self._to.get(f"/v1/audit/erasures/{quote(agreement, safe='')}")["erasures"])
