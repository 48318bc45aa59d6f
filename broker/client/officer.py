"""A security officer's side: drafts, approvals and stops over HTTP, signed with the officer's own keys. The approval is made here, on the officer's machine.

The broker says what a draft changes; what is signed is the digest of the rules themselves, worked out here from the bytes that came.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from broker.client.account import Account
from broker.client.approvals import verify_version
from broker.client.destruction import read_certificate
from broker.client.standing import perhaps_signed
from broker.envelope import Approval, read_dsse, sign_dsse
from broker.envelope.dsse import APPROVAL, POLICY
from broker.errors import ClientError, NotVerified
from broker.jcs import canonical, strict_object
from broker.keys import ReceiptKey
from broker.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from broker.client.approvals import Approver
    from broker.client.destruction import Certificate
    from broker.jcs import Json
    from broker.keys import PublicSet

RULES_TYPE: Final = "text/csv"
DSSE_TYPE: Final = "application/vnd.dsse+json"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it came: the rules, those it is based on, and the model both stand on. rules_sha256: of `rules`, as bytes."""

    id: str
    base: int
    author: str
    state: str
    addendum: str | None
    rules: str
    base_rules: str
    model: str
    approvals: tuple[str, ...]

    @property
    def rules_sha256(self) -> str:
        return hashlib.sha256(self.rules.encode()).hexdigest()

    def lines(self) -> list[str]:
        """The rules taken out and put in, as a text comparison worked out here: `-` before, `+` after."""
        pair = unified_diff(self.base_rules.splitlines(), self.rules.splitlines(), n=0, lineterm="")
        return [line for line in pair if not line.startswith(("---", "+++", "@@"))]


class Officer(Account):
    """Requests as the officer whose home it is."""

    # --- versions
    def versions(self) -> list[dict[str, Any]]:
        return list(self._to.get("/v1/policy/versions")["versions"])

    def version(self, number: int) -> dict[str, Any]:
        return self._to.get(f"/v1/policy/versions/{number}")

    def approvers(self, number: int, parties: Sequence[PublicSet]) -> list[Approver]:
        """Who approved the version, once every signature holds by the pinned broker's key and the parties' own. NotVerified otherwise."""
        if self._broker is None:
            raise ClientError("the broker's keys are not pinned; run `broker keys trust public.json` with the file its administrator gave you")
        return verify_version(self.version(number), self._broker, parties)

    def explain(self, **asked: str) -> dict[str, Any]:
        return self._to.get(f"/v1/policy/explain?{urlencode(asked)}")

    # --- drafts
    def drafts(self) -> list[dict[str, Any]]:
        return list(self._to.get("/v1/policy/drafts")["drafts"])

    def new(self, rules: bytes = b"", *, rollback: int | None = None, addendum: str | None = None) -> str:
        """The new draft's id; without rules it holds those in force, or those of the version to go back to."""
        asked = {"rollback": rollback, "addendum": addendum}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return str(self._to.send("POST", f"/v1/policy/drafts{'?' * bool(query)}{query}", rules, RULES_TYPE)["id"])

    def draft(self, name: str) -> Draft:
        got = self._to.get(f"/v1/policy/drafts/{name}")
        return Draft(got["id"], got["base"], got["author"], got["state"], got["addendum"], got["rules"], got["base_rules"], got["base_model"], tuple(got["approvals"]))

    def edit(self, draft: Draft, rules: bytes) -> None:
        """New rules for a draft; ClientError if it has others by now than those read."""
        self._to.send("PUT", f"/v1/policy/drafts/{draft.id}", rules, RULES_TYPE, {"if-match": draft.rules_sha256})

    def check(self, name: str) -> dict[str, Any]:
        return self._to.get(f"/v1/policy/drafts/{name}/check")

    def replay(self, name: str, days: int) -> dict[str, Any]:
        return self._to.get(f"/v1/policy/drafts/{name}/replay?days={days}")

    def propose(self, name: str) -> dict[str, Any]:
        return self._to.act("POST", f"/v1/policy/drafts/{name}/propose")

    def withdraw(self, name: str) -> None:
        self._to.act("DELETE", f"/v1/policy/drafts/{name}")

    def verified_base(self, draft: Draft) -> str:
        """The policy hash of the version a draft is based on, once the pinned broker's signature says so of the very rules shown."""
        if self._broker is None:
            raise ClientError("the broker's keys are not pinned; run `broker keys trust public.json` with the file its administrator gave you")
        try:
            payload, since = perhaps_signed(read_dsse(self.version(draft.base)["dsse"].encode()), POLICY, self._broker, "broker")
            record = strict_object(payload)
            if since is not None and not str(record["time"]) < since:  # an approval names the base too: the broker takes none that is based on another
                raise NotVerified("distrusted")
        except (NotVerified, ValueError, KeyError):
            raise ClientError("the version that the draft is based on is not signed by the broker: do not approve, tell your party") from None
        shown = hashlib.sha256(draft.model.encode() + draft.base_rules.encode()).hexdigest()
        if (record["version"], record["policy_sha256"]) != (draft.base, shown):
            raise ClientError("the rules shown as those in force are not those of the published version: do not approve, tell your party")
        return shown

    def approve(self, draft: Draft) -> None:
        """Signs what was read: exactly these rules, in place of exactly those that the broker signed as in force."""
        base_sha256 = self.verified_base(draft)
        model, rules = draft.model.encode(), draft.rules.encode()
        approval = Approval(
            addendum=draft.addendum or "",
            base_sha256=base_sha256,
            base_version=draft.base,
            created=utc_text(self._clock()),
            draft=draft.id,
            person=self.person,
            policy_sha256=hashlib.sha256(model + rules).hexdigest(),
        )
        dsse = sign_dsse(APPROVAL, approval.to_json(), self._ring.get(ReceiptKey, "receipt")).to_json()
        self._to.send("POST", f"/v1/policy/drafts/{draft.id}/approvals", dsse, DSSE_TYPE)

    def publish(self, name: str) -> dict[str, Any]:
        return self._to.act("POST", f"/v1/policy/drafts/{name}/publish")

    # --- keys of the party's system
    def confirm_keys(self, system: str, fingerprint: str) -> dict[str, Any]:
        return self._keys(system, "confirmation", {"fingerprint": fingerprint})

    def revoke_keys(self, system: str, since: datetime, reason: str) -> dict[str, Any]:
        """The exchanges that the system signed or received since then, as the broker knows them."""
        return self._keys(system, "revocation", {"reason": reason, "since": utc_text(since)})

    # --- the end of an agreement
    def approve_ending(self, agreement: str) -> str:
        """Until when the approval holds."""
        return str(self._to.act("POST", f"/v1/keys/{quote(agreement, safe='')}/ending")["until"])

    def certificate(self, agreement: str) -> tuple[bytes, Certificate]:
        """The certificate as it came, and what it says, once the pinned broker's signature holds. NotVerified otherwise."""
        if self._broker is None:
            raise ClientError("the broker's keys are not pinned; run `broker keys trust public.json` with the file its administrator gave you")
        data = self._to.text(f"/v1/keys/{quote(agreement, safe='')}/certificate").encode()
        found = read_certificate(data, self._broker)
        if found.agreement != agreement:
            raise NotVerified("the certificate is of another agreement")
        return data, found

    def _keys(self, system: str, what: str, asked: dict[str, Json]) -> dict[str, Any]:
        return self._to.send("POST", f"/v1/keys/{quote(system, safe='')}/{what}", canonical(asked), "application/json")

    # --- stops
    def stops(self) -> list[dict[str, Any]]:
        return list(self._to.get("/v1/policy/stops")["stops"])

    def stop(self, target: str) -> dict[str, Any]:
        return self._to.act("POST", f"/v1/policy/stops/{quote(target, safe='')}")

    def resume(self, name: str) -> bool:
        return bool(self._to.act("DELETE", f"/v1/policy/stops/{name}")["lifted"])
