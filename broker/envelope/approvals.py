"""What an officer signs to approve a policy draft: the draft, what it is based on and the digest of what would be in force. docs/formats/policy.md.

The officer's own machine makes it, so it needs nothing of the broker's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from broker.errors import NotVerified
from broker.jcs import canonical, strict_object

_TYPE = "sinergi/policy-approval/v1"


@dataclass(frozen=True, slots=True)
class Approval:
    """base_sha256, policy_sha256: of model.conf followed by rules.csv, as on every Plan. person: the signer's id. created: UTC, milliseconds."""

    addendum: str
    base_sha256: str
    base_version: int
    created: str
    draft: str
    person: str
    policy_sha256: str

    def to_json(self) -> bytes:
        return canonical({**asdict(self), "type": _TYPE})


def read_approval(payload: bytes) -> Approval:
    """NotVerified unless the payload is exactly what `to_json` writes."""
    try:
        value = strict_object(payload)
        found = Approval(**{f.name: value[f.name] for f in fields(Approval)})  # type: ignore[arg-type]
        same = found.to_json() == payload
    except (ValueError, KeyError, TypeError):
        raise NotVerified("not an approval") from None
    if not same:
        raise NotVerified("not an approval")
    return found
