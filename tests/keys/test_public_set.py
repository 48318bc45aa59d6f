"""The public keys of one owner in a file: exactly what we write is read, and a key of another scope or purpose is never given."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from broker.errors import KeyRingError
from broker.jcs import canonical
from broker.keys import LogPublic, PublicSet, ReceiptPublic, read_public_set
from broker.keys.material import PUBLIC_TYPES, ReceiptKey, from_seed
from broker.keys.ring import DISTRUSTED, PENDING, RETIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.keys.material import AnyPublic


def key(purpose: str, n: int) -> AnyPublic:
    public = from_seed(purpose, bytes([n]) * 32).public
    assert public is not None
    return public


def sized(raw: bytes) -> dict[str, str]:
    """A log key of these bytes, under its own id."""
    return {"kid": LogPublic(raw).kid, "public": b64encode(raw).decode(), "purpose": "log", "scope": "nk"}


LOG, OLD, OLDER, NEXT, THERE, RECEIPT = key("log", 1), key("log", 2), key("log", 3), key("log", 4), key("log", 5), key("receipt", 6)
OTHERS = (("nk", "log", PENDING, NEXT), ("nk", "log", RETIRED, OLDER), ("nk", "log", RETIRED, OLD), ("nk", "receipt", RETIRED, RECEIPT), ("nk-lain", "log", RETIRED, THERE))
OURS = PublicSet("broker", {("nk", "log"): LOG, ("nk", "receipt"): RECEIPT}, OTHERS)


@pytest.mark.parametrize("purpose", PUBLIC_TYPES)
def test_a_key_bears_its_purpose_and_an_id_made_of_it(purpose: str) -> None:
    kind, size = PUBLIC_TYPES[purpose]
    secret, public = from_seed(purpose, bytes([1]) * 32), key(purpose, 1)
    assert (type(public), len(public.raw), public.purpose, secret.purpose) == (kind, size, purpose, purpose)
    assert public.kid == urlsafe_b64encode(sha256(purpose.encode() + b"\0" + public.raw).digest()[:16]).decode().rstrip("=")


def test_a_symmetric_key_has_no_public_part_and_an_unknown_purpose_no_key() -> None:
    for purpose in ("root", "vault"):
        secret = from_seed(purpose, bytes(32))
        assert (secret.purpose, secret.public) == (purpose, None)
    for unknown in ("", "lain", "KEM"):
        with pytest.raises(ValueError, match="unknown key purpose"):
            from_seed(unknown, bytes(32))


def test_a_receipt_holds_under_both_signatures_and_whatever_is_malformed_under_none() -> None:
    secret = ReceiptKey(bytes([6]) * 32)
    public, other = secret.public, ReceiptKey(bytes([7]) * 32)
    classic, post_quantum = secret.sign(b"a")
    assert public.verify(classic, post_quantum, b"a")
    wrong, wrong_too = other.sign(b"a")
    for one, two in ((wrong, post_quantum), (classic, wrong_too), (b"", post_quantum), (classic, b""), (classic[:-1], post_quantum), (classic, post_quantum[:-1]), (post_quantum, classic)):
        assert not public.verify(one, two, b"a")
    assert not public.verify(classic, post_quantum, b"b")
    for raw in (b"", public.raw[:-1], public.raw + b"\0", public.raw[:32], bytes(32) + public.raw[32:], public.raw[:32] + other.public.raw[32:]):
        assert not ReceiptPublic(raw).verify(classic, post_quantum, b"a")


def test_a_key_is_given_for_its_own_scope_and_purpose_alone() -> None:
    assert OURS.get(LogPublic, "log", "nk") == LOG
    assert OURS.all(LogPublic, "log", "nk") == (LOG, OLDER, OLD)
    assert OURS.all(ReceiptPublic, "receipt", "nk") == (RECEIPT, RECEIPT)
    for kind, purpose, scope in ((ReceiptPublic, "log", "nk"), (LogPublic, "receipt", "nk"), (LogPublic, "log", "nk-lain"), (LogPublic, "log", ""), (LogPublic, "kem", "nk")):
        with pytest.raises(KeyRingError, match=f"broker has no {purpose} key"):
            OURS.get(kind, purpose, scope)
        with pytest.raises(KeyRingError, match=f"broker has no {purpose} key"):
            OURS.all(kind, purpose, scope)
    own = PublicSet("a@a", {("", "log"): LOG}, (("", "log", RETIRED, RECEIPT),))
    assert (own.get(LogPublic, "log"), own.all(LogPublic, "log")) == (LOG, (LOG,))


def test_a_distrusted_key_is_told_apart_and_only_in_its_own_scope_and_purpose() -> None:
    others = (("nk", "log", DISTRUSTED, OLD), ("nk", "log", DISTRUSTED, RECEIPT), ("nk", "log", RETIRED, OLDER), ("nk", "receipt", DISTRUSTED, NEXT), ("nk-lain", "log", DISTRUSTED, THERE))
    ours = PublicSet("broker", OURS.keys, others)
    assert ours.doubted(LogPublic, "log", "nk") == (OLD,)
    assert ours.all(LogPublic, "log", "nk") == (LOG, OLDER)
    assert (ours.doubted(ReceiptPublic, "receipt", "nk"), ours.doubted(LogPublic, "log", "nk-lain"), OURS.doubted(LogPublic, "log", "nk")) == ((), (THERE,), ())


def test_a_set_is_written_in_one_way() -> None:
    def said(key: AnyPublic, scope: str, **state: str) -> dict[str, str]:
        return {"kid": key.kid, "public": b64encode(key.raw).decode(), "purpose": key.purpose, "scope": scope} | state

    retired = sorted((OLD, OLDER), key=lambda one: one.kid)
    listed = [
        said(LOG, "nk"), said(NEXT, "nk", state=PENDING), *(said(one, "nk", state=RETIRED) for one in retired),
        said(RECEIPT, "nk"), said(RECEIPT, "nk", state=RETIRED), said(THERE, "nk-lain", state=RETIRED),
    ]  # fmt: skip
    written = canonical({"keys": listed, "owner": "broker", "type": "sinergi/public-keys/v1"})
    assert OURS.to_json() == PublicSet("broker", OURS.keys, OTHERS[::-1]).to_json() == written
    assert read_public_set(written).to_json() == written
    assert OURS.fingerprint.replace(" ", "") == sha256(written).hexdigest()
    assert [len(group) for group in OURS.fingerprint.split(" ")] == [4] * 16


@pytest.mark.parametrize("change", [
    lambda s: s["keys"].__setitem__(0, sized(LOG.raw + b"\0")),
    lambda s: s["keys"].__setitem__(0, sized(LOG.raw[:31])),
    lambda s: s["keys"][0].update(public="!" + s["keys"][0]["public"]),
    lambda s: s["keys"][0].update(public=None),
    lambda s: s["keys"][0].update(kid=OLD.kid),
    lambda s: s["keys"][0].update(purpose="root"),
    lambda s: s["keys"][0].update(purpose="request"),
    lambda s: s["keys"][0].update(state="active"),
    lambda s: s["keys"][1].update(state="disabled"),
    lambda s: s["keys"][0].update(more=1),
    lambda s: s["keys"][0].pop("scope"),
    lambda s: s["keys"].reverse(),
    lambda s: s["keys"].append(s["keys"][0]),
    lambda s: s.update(keys={}),
    lambda s: s.update(keys=None),
    lambda s: s.pop("owner"),
    lambda s: s.update(type="sinergi/public-keys/v2"),
    lambda s: s.update(more=1),
])  # fmt: skip
def test_a_file_that_we_would_not_write_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    said = json.loads(OURS.to_json())
    change(said)
    with pytest.raises(KeyRingError, match="not a public key file"):
        read_public_set(canonical(said))
