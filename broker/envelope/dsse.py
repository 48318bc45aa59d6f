"""DSSE envelopes signed by Ed25519 and ML-DSA-65: over a submission's statement, a manifest, a policy version, an officer's approval, a party's word for an officer's keys, a word for an officer's passkey, a file handed out, an answer about people.

Source: secure-systems-lab/dsse protocol.md (PAE). The payload type is inside the signed bytes, so a statement can never pass for a receipt.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from broker.errors import NotVerified
from broker.jcs import canonical

if TYPE_CHECKING:
    from broker.keys.material import ReceiptKey, ReceiptPublic

STATEMENT: Final = "application/vnd.sinergi.statement+json"
MANIFEST: Final = "application/vnd.sinergi.manifest+json"
POLICY: Final = "application/vnd.sinergi.policy-version+json"
APPROVAL: Final = "application/vnd.sinergi.policy-approval+json"
VOUCHER: Final = "application/vnd.sinergi.voucher+json"
PASSKEY: Final = "application/vnd.sinergi.passkey-voucher+json"
EXPORT: Final = "application/vnd.sinergi.export+json"
DESTRUCTION: Final = "application/vnd.sinergi.key-destruction+json"
CONFIRMED: Final = "application/vnd.sinergi.key-confirmed+json"
SUCCESSION: Final = "application/vnd.sinergi.key-succession+json"
ANSWER: Final = "application/vnd.sinergi.subject-answer+json"
_PQ = "#ml-dsa-65"  # marks the second signature of one kid


@dataclass(frozen=True, slots=True)
class Dsse:
    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]  # keyid, signature

    def to_json(self) -> bytes:
        return canonical(
            {
                "payload": b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [{"keyid": k, "sig": b64encode(s).decode()} for k, s in self.signatures],
            }
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign_dsse(payload_type: str, payload: bytes, key: ReceiptKey) -> Dsse:
    classic, post_quantum = key.sign(pae(payload_type, payload))
    kid = key.public.kid
    return Dsse(payload_type, payload, ((kid, classic), (kid + _PQ, post_quantum)))


def read_dsse(data: bytes) -> Dsse:
    """The parsed envelope; NotVerified if it is no DSSE of ours, or one key id stands twice in it. Proves nothing yet."""
    try:
        value = json.loads(data)
        found = Dsse(
            value["payloadType"],
            b64decode(value["payload"], validate=True),
            tuple((s["keyid"], b64decode(s["sig"], validate=True)) for s in value["signatures"]),
        )
        if found.to_json() != data or len(dict(found.signatures)) != len(found.signatures):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotVerified("not a DSSE envelope") from None
    return found


def verify_dsse(dsse: Dsse, payload_type: str, *keys: ReceiptPublic) -> bytes:
    """The payload, once both signatures of the one of `keys` that it names hold; NotVerified otherwise. Other signers' signatures are not judged.

    keys: of one owner, the one in use first, then those that it used before.
    """
    signatures = dict(dsse.signatures)
    key = next((key for key in keys if key.kid in signatures), keys[0])
    classic, post_quantum = signatures.get(key.kid), signatures.get(key.kid + _PQ)
    if dsse.payload_type != payload_type or classic is None or post_quantum is None:
        raise NotVerified("not signed by this key, or of another type")
    if not key.verify(classic, post_quantum, pae(dsse.payload_type, dsse.payload)):
        raise NotVerified("signature does not hold")
    return dsse.payload
