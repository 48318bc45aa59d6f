"""What an officer signs to approve a policy draft (docs/formats/lifecycle.md), and what a party signs to vouch for an officer's keys (docs/formats/people.md).

Both are made on the signer's own machine, so they need nothing of the broker's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol, TypeVar

from broker.errors import NotVerified
from broker.jcs import canonical, strict_object

_TYPE = "sinergi/policy-approval/v1"
_VOUCHER = "sinergi/voucher/v1"


class Said(Protocol):
    """A frozen record of texts and numbers that writes itself as canonical JSON."""

    def to_json(self) -> bytes: ...


T = TypeVar("T", bound=Said)


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
    return read_exactly(Approval, payload)


@dataclass(frozen=True, slots=True)
class Voucher:
    """A party's word that these are the keys of its officer. keys_sha256: of the public key file. system: the signer. created: UTC, milliseconds."""

    created: str
    keys_sha256: str
    person: str
    system: str

    def to_json(self) -> bytes:
        return canonical({**asdict(self), "type": _VOUCHER})


def read_voucher(payload: bytes) -> Voucher:
    """NotVerified unless the payload is exactly what `to_json` writes."""
    return read_exactly(Voucher, payload)


def read_exactly(kind: type[T], payload: bytes) -> T:
    """The record of this dataclass; NotVerified unless the payload is exactly what its `to_json` writes, of the types that it names."""
    try:
        value = strict_object(payload)
        given: dict[str, Any] = {f.name: value[f.name] for f in fields(kind)}  # type: ignore[arg-type] # a dataclass
        found = kind(**given)
        same = found.to_json() == payload and all(type(given[f.name]).__name__ == f.type for f in fields(kind))  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError):
        raise NotVerified(f"no {kind.__name__.lower()}") from None
    if not same:
        raise NotVerified(f"no {kind.__name__.lower()}")
    return found
