"""Whether an approval is its officer's own, by a key or a passkey, and whose word stands for either. The broker asks at every start, and anyone else offline, by the same lines."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.envelope.approvals import read_approval, read_voucher
from broker.envelope.dsse import APPROVAL, read_dsse, verify_dsse
from broker.envelope.passkey import is_assertion, read_assertion, verify_assertion
from broker.errors import KeyRingError, NotVerified
from broker.keys import ReceiptPublic, read_public_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.envelope.approvals import Approval
    from broker.envelope.passkey import Passkey
    from broker.keys import PublicSet


@dataclass(frozen=True, slots=True)
class Approved:
    """What was approved, and by which passkey if by one. voucher: the DSSE that came with it. counter: its authenticator's."""

    approval: Approval
    passkey: Passkey | None = None
    voucher: bytes = b""
    counter: int = 0


def read_approved(data: bytes, person: str, keys: bytes | None, vouched_for: Callable[[bytes, bytes], bool]) -> Approved:
    """NotVerified unless the person's own key signed, or a passkey of theirs that is vouched for. keys: their public key file. vouched_for: of a passkey's file, and the voucher over it."""
    if not is_assertion(data):
        try:
            key = read_public_set(keys or b"").get(ReceiptPublic, "receipt")
        except KeyRingError:
            raise NotVerified("nobody's key") from None
        return Approved(read_approval(verify_dsse(read_dsse(data), APPROVAL, key)))
    said = read_assertion(data)
    passkey, statement, counter = verify_assertion(said)
    if passkey.person != person or not vouched_for(said.passkey.encode(), said.voucher.encode()):
        raise NotVerified("a passkey that nobody vouches for")
    return Approved(read_approval(statement), passkey, said.voucher.encode(), counter)


def vouches(kind: str, voucher: bytes | None, keys: PublicSet, person: str, file: bytes) -> bool:
    """Whether the owner of `keys` signed that this file is of that person. kind: payload type."""
    try:
        found = read_voucher(verify_dsse(read_dsse(voucher or b""), kind, keys.get(ReceiptPublic, "receipt")))
    except (NotVerified, KeyRingError):
        return False
    return (found.person, found.system, found.keys_sha256) == (person, keys.owner, hashlib.sha256(file).hexdigest())
