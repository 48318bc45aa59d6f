"""An auditor's side: searches over exchanges and over people, signed with the auditor's own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from broker.client.account import Account
from broker.jcs import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from broker.jcs import Json


class Auditor(Account):
    """Requests as the person whose home it is."""

    # --- exchanges and entries
    def search(self, expression: str = "", *, target: str = "pertukaran", after: str | None = None, limit: int = 100) -> dict[str, Any]:
        """A page: `found`, `total`, `after` (None behind the last), `sizes` of the logs it is complete for."""
        asked = {"q": expression, "target": target, "after": after, "limit": limit}
        return self._to.get(f"/v1/audit/search?{urlencode({name: value for name, value in asked.items() if value is not None})}")

    def every(self, expression: str = "", *, target: str = "pertukaran", limit: int = 1000) -> Iterator[dict[str, Any]]:
        """Everything that is found, page after page."""
        after: str | None = None
        while True:
            page = self.search(expression, target=target, after=after, limit=limit)
            yield from page["found"]
            after = page["after"]
            if after is None:
                return

    def exchange(self, name: str) -> dict[str, Any]:
        return self._to.get(f"/v1/audit/exchanges/{name}")

    def unusual(self, agreement: str, days: int) -> dict[str, Any]:
        """What differs from a party's own past: `findings`, newest first, each with its figures and what it rests on."""
        return self._to.get(f"/v1/audit/unusual/{quote(agreement, safe='')}?days={days}")

    # --- people
    def ask(self, agreement: str, starts: date, ends: date, reason: str, subjects: Sequence[str], *, proofs: bool = False) -> dict[str, Any]:
        """The answer, which has `subjects` as a list; or the request that waits for a second person, which has `state`."""
        question: dict[str, Json] = {"agreement": agreement, "from": starts.isoformat(), "to": ends.isoformat(), "reason": reason, "subjects": list(subjects), "proofs": proofs}
        return self._to.send("POST", "/v1/audit/subjects", canonical(question), "application/json")

    def requests(self) -> list[dict[str, Any]]:
        return list(self._to.get("/v1/audit/subjects")["requests"])

    def request(self, name: str) -> dict[str, Any]:
        return self._to.get(f"/v1/audit/subjects/{name}")

    def approve(self, name: str) -> dict[str, Any]:
        return self._to.act("POST", f"/v1/audit/subjects/{name}/approve")

    def decline(self, name: str) -> dict[str, Any]:
        return self._to.act("POST", f"/v1/audit/subjects/{name}/decline")

    def answer(self, name: str) -> dict[str, Any]:
        """Once: afterwards nobody can have it again."""
        return self._to.act("POST", f"/v1/audit/subjects/{name}/answer")
