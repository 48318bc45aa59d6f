"""A receipt holds by Ed25519 and ML-DSA-65 of one key, and by nothing less."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

import pytest

from broker.envelope import Dsse, read_dsse, sign_dsse, verify_dsse
from broker.envelope.dsse import MANIFEST, STATEMENT, pae
from broker.errors import NotVerified
from broker.jcs import canonical
from broker.keys import ReceiptKey

if TYPE_CHECKING:
    from collections.abc import Callable

OURS, THEIRS = ReceiptKey(b"\1" * 32), ReceiptKey(b"\2" * 32)
PAYLOAD = b'{"type":"sinergi/exchange/v1"}'
GOOD, OTHER = sign_dsse(MANIFEST, PAYLOAD, OURS), sign_dsse(MANIFEST, PAYLOAD, THEIRS)
Signatures = tuple[tuple[str, bytes], ...]
(ED_ID, ED), (PQ_ID, PQ) = GOOD.signatures
(_, THEIR_ED), (_, THEIR_PQ) = OTHER.signatures


def judged(signatures: Signatures, kind: str = MANIFEST) -> bytes:
    """As over the wire: written, read and verified."""
    return verify_dsse(read_dsse(Dsse(kind, PAYLOAD, signatures).to_json()), MANIFEST, OURS.public)


def with_context() -> bytes:
    return OURS._halves[1].sign(pae(MANIFEST, PAYLOAD), b"lain")


def flipped(signature: bytes, at: int) -> bytes:
    return signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]


REFUSED: dict[str, Callable[[], Signatures]] = {
    "none": lambda: (),
    "no ML-DSA-65": lambda: ((ED_ID, ED),),
    "no Ed25519": lambda: ((PQ_ID, PQ),),
    "an empty ML-DSA-65": lambda: ((ED_ID, ED), (PQ_ID, b"")),
    "an empty Ed25519": lambda: ((ED_ID, b""), (PQ_ID, PQ)),
    "a broken ML-DSA-65": lambda: ((ED_ID, ED), (PQ_ID, flipped(PQ, 0))),
    "an ML-DSA-65 broken at its end": lambda: ((ED_ID, ED), (PQ_ID, flipped(PQ, len(PQ) - 1))),
    "a broken Ed25519": lambda: ((ED_ID, flipped(ED, 0)), (PQ_ID, PQ)),
    "an ML-DSA-65 that is longer": lambda: ((ED_ID, ED), (PQ_ID, PQ + b"\0")),
    "an ML-DSA-65 under a context": lambda: ((ED_ID, ED), (PQ_ID, with_context())),
    "an Ed25519 over the payload alone": lambda: ((ED_ID, OURS._halves[0].sign(PAYLOAD)), (PQ_ID, PQ)),
    "each under the other's id": lambda: ((ED_ID, PQ), (PQ_ID, ED)),
    "another's ML-DSA-65": lambda: ((ED_ID, ED), (PQ_ID, THEIR_PQ)),
    "another's Ed25519": lambda: ((ED_ID, THEIR_ED), (PQ_ID, PQ)),
    "both of another under our ids": lambda: ((ED_ID, THEIR_ED), (PQ_ID, THEIR_PQ)),
    "both of another": lambda: OTHER.signatures,
    "both, and a broken one before": lambda: ((ED_ID, flipped(ED, 0)), *GOOD.signatures),
    "both, and a broken one after": lambda: (*GOOD.signatures, (PQ_ID, flipped(PQ, 0))),
    "both, one of them twice": lambda: (*GOOD.signatures, (ED_ID, ED)),
    "another's twice beside both": lambda: (*GOOD.signatures, *OTHER.signatures, *OTHER.signatures),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_anything_less_is_refused(why: str) -> None:
    with pytest.raises(NotVerified):
        judged(REFUSED[why]())


def test_order_and_the_signatures_of_others_do_not_matter() -> None:
    broken = tuple((keyid, flipped(signature, 3)) for keyid, signature in OTHER.signatures)
    for signatures in (GOOD.signatures, GOOD.signatures[::-1], (*GOOD.signatures, *OTHER.signatures), (*OTHER.signatures[::-1], *GOOD.signatures[::-1]), (*broken, *GOOD.signatures)):
        assert judged(signatures) == PAYLOAD


def test_a_statement_is_no_receipt() -> None:
    assert read_dsse(sign_dsse(STATEMENT, PAYLOAD, OURS).to_json()).payload == PAYLOAD
    for signed in (sign_dsse(STATEMENT, PAYLOAD, OURS), Dsse(MANIFEST, PAYLOAD, sign_dsse(STATEMENT, PAYLOAD, OURS).signatures)):
        with pytest.raises(NotVerified):
            verify_dsse(signed, MANIFEST, OURS.public)


@pytest.mark.parametrize("keyid", [[], {}, [[]], {"a": 1}, 1, None, True, ""])
def test_a_key_id_of_another_kind_names_no_key(keyid: Any) -> None:
    value = json.loads(GOOD.to_json())
    value["signatures"][0]["keyid"] = keyid
    with pytest.raises(NotVerified):
        verify_dsse(read_dsse(canonical(value)), MANIFEST, OURS.public)


def test_no_byte_of_a_receipt_may_change() -> None:
    data = GOOD.to_json()
    for at in range(0, len(data), 7):
        with pytest.raises(NotVerified):
            verify_dsse(read_dsse(flipped(data, at)), MANIFEST, OURS.public)


def test_a_signature_in_another_spelling_is_refused() -> None:
    """64 bytes leave four bits to spare in base64."""
    text = b64encode(ED).decode()
    other = text[:-3] + chr(ord(text[-3]) + 1) + "=="
    assert b64decode(other, validate=True) == ED
    with pytest.raises(NotVerified):
        read_dsse(GOOD.to_json().replace(text.encode(), other.encode()))
