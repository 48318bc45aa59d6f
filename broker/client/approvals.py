"""Who approved a policy version, checked without the broker: its record, its files, each approval, and whose word stands for each officer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broker.envelope import read_approved, read_dsse, verify_dsse, vouches
from broker.envelope.dsse import PASSKEY, POLICY, VOUCHER
from broker.errors import KeyRingError, NotVerified
from broker.jcs import strict_object
from broker.keys import ReceiptPublic, read_public_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.keys import PublicSet


@dataclass(frozen=True, slots=True)
class Approver:
    """An officer whose approval of the version holds. passkey: by an authenticator, not a key of their own."""

    person: str
    passkey: bool


def verify_version(found: dict[str, Any], broker: PublicSet, parties: Sequence[PublicSet]) -> list[Approver]:
    """Who approved the version that `GET /v1/policy/versions/N` gave; none of version 1. NotVerified unless all of it holds, by public keys that came from the parties themselves."""
    try:
        record = strict_object(verify_dsse(read_dsse(found["dsse"].encode()), POLICY, *broker.all(ReceiptPublic, "receipt", "broker")))
        if (record["version"], record["policy_sha256"]) != (found["number"], _sha256((found["model"] + found["rules"]).encode())):
            raise NotVerified("the files are not those of the version")
        given = record["approvals"]
        if not isinstance(given, list) or not (given or record["version"] == 1):
            raise NotVerified("the version was approved by nobody")
        return [_approver(found, record, one, parties) for one in given]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise NotVerified("no policy version") from None


def _approver(found: dict[str, Any], record: dict[str, object], one: dict[str, str], parties: Sequence[PublicSet]) -> Approver:
    person, data = one["person"], found["approvals"][one["person"]].encode()
    officer = found["officers"][person]
    keys, voucher = officer["keys"].encode(), officer["voucher"].encode()
    systems = [party for party in parties if party.owner.partition("@")[2] == person.partition("@")[2] == one["party"]]
    own = bool(keys) and any(vouches(VOUCHER, voucher, system, person, keys) for system in systems)

    def passkey_vouched_for(file: bytes, signed: bytes) -> bool:
        return any(vouches(PASSKEY, signed, signer, person, file) for signer in (*systems, *([read_public_set(keys)] if own else [])))

    try:
        said = read_approved(data, person, keys, passkey_vouched_for)
    except KeyRingError:
        raise NotVerified("no keys of an officer") from None
    if said.passkey is None and not own:
        raise NotVerified("an officer whom none of the parties' keys vouches for")
    approval = said.approval
    if (_sha256(data), approval.person, approval.draft, approval.policy_sha256) != (one["dsse_sha256"], person, record["draft"], record["policy_sha256"]):
        raise NotVerified("an approval of something else")
    return Approver(person, said.passkey is not None)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
