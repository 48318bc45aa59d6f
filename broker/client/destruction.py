"""A certificate that an agreement's secret keys were destroyed, held against the broker's pinned keys. Needs no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from broker.client.standing import signed
from broker.envelope import read_dsse
from broker.envelope.dsse import DESTRUCTION
from broker.errors import KeyRingError, NotVerified
from broker.jcs import strict_object

if TYPE_CHECKING:
    from broker.keys import PublicSet

TYPE: Final = "sinergi/key-destruction/v1"
ENDING: Final = frozenset({"root", "vault", "kem"})  # of these every key the agreement had is destroyed
_FIELDS: Final = {"agreement", "approvals", "checkpoint", "entry", "keys", "parties", "time", "type"}


@dataclass(frozen=True, slots=True)
class Destroyed:
    purpose: str
    epoch: int
    kid: str
    time: str


@dataclass(frozen=True, slots=True)
class Approved:
    """entry: its index in the agreement's log."""

    party: str
    person: str
    entry: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """entry: of the log that says it; size and root (64 hex digits) of that log with the entry in it."""

    agreement: str
    parties: tuple[str, ...]
    time: str
    keys: tuple[Destroyed, ...]
    approvals: tuple[Approved, ...]
    entry: int
    size: int
    root: str


def is_certificate(data: bytes) -> bool:
    """Whether a file says that it is one. Proves nothing."""
    try:
        return read_dsse(data).payload_type == DESTRUCTION
    except NotVerified:
        return False


def read_certificate(data: bytes, broker: PublicSet) -> Certificate:
    """What the broker signed with the agreement's receipt key. NotVerified if it did not, or if it does not say that all of it is destroyed with both parties' approval."""
    dsse = read_dsse(data)
    try:
        said: dict[str, Any] = strict_object(dsse.payload)
        signed(dsse, DESTRUCTION, broker, said["agreement"])
        found = Certificate(
            said["agreement"], tuple(said["parties"]), said["time"],
            tuple(Destroyed(one["purpose"], one["epoch"], one["kid"], one["destroyed"]) for one in said["keys"]),
            tuple(Approved(one["party"], one["person"], one["entry"]) for one in said["approvals"]),
            said["entry"], said["checkpoint"]["size"], said["checkpoint"]["root"],
        )  # fmt: skip
    except (KeyRingError, ValueError, KeyError, TypeError):
        raise NotVerified("not a certificate of this broker") from None
    if set(said) != _FIELDS or said["type"] != TYPE or {key.purpose for key in found.keys} != ENDING or {one.party for one in found.approvals} != set(found.parties):
        raise NotVerified("the certificate does not say that everything is destroyed, or that both parties approved")
    return found
