"""To whom a disclosure is sealed: the keys of one party, of the one suite its agreement names; anything else is refused."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from broker.envelope import open_envelope
from broker.envelope.seal import SUITE, SUITE_X25519
from broker.errors import NotOpened, Refusal
from broker.keys import KemKey, KemPublic, KemX25519Key, PublicSet
from broker.peers import plain, read_set
from scripts.benchmarks.world import enrol_directly
from tests.envelope.forged import LOW_ORDER
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER

if TYPE_CHECKING:
    from broker.keys import AnyKemKey
    from broker.keys.material import AnyPublic
    from broker.store import Transaction
    from tests.simulator import Town

AGREEMENT = "nk-sijunjung-2025"
CURVE = KemX25519Key(b"\2" * 32)
UNTIL = date(2026, 11, 21)  # the town's day


def name_x25519(town: Town, party: str = "kemnaker", until: date = UNTIL) -> None:
    agreement = town.office.agreements[AGREEMENT]
    sealing = {party: {"clause": "Pasal 14", "suite": SUITE_X25519, "until": until}}
    changed = replace(agreement, clauses={**agreement.clauses, "sealing": sealing})
    town.office = replace(town.office, agreements={**town.office.agreements, AGREEMENT: changed})


def enrol(town: Town, system: str, without: str = "", **keys: AnyPublic) -> None:
    """More public keys in the system's enrolled set, by purpose; `without` one."""
    peer = town.office.peers[system]
    more = {("", purpose.replace("_", "-")): key for purpose, key in keys.items()}
    held = {at: key for at, key in {**peer.keys, **more}.items() if at[1] != without}
    own = PublicSet(system, held)
    with town.office.ledger.database.write() as tx:
        remove(tx, system)
        enrol_directly(tx, own, town.now)


def remove(tx: Transaction, system: str) -> None:
    for table in ("peer", "peerkey"):
        tx._c.execute(text(f"DELETE FROM {table} WHERE system = :s"), {"s": system})  # noqa: S608 - our own words


def disclosed(town: Town) -> bytes:
    """The envelope of one exchange to SIAPkerja."""
    name, _ = town.exchange(town.csv(town.rows()))
    header = town.row(name).header
    assert header is not None
    return header + town.office.folders.outbox(name).read_bytes()


def lines(envelope: bytes, key: AnyKemKey) -> list[bytes]:
    source = io.BytesIO(envelope)
    opener = open_envelope(source, key)
    return (opener.update(source.read()) + opener.finish()).splitlines()


def sealed_to(envelope: bytes) -> list[tuple[str, str]]:
    header = json.loads(envelope[8 : 8 + int.from_bytes(envelope[4:8], "big")])
    return [(r["kid"], r["suite"]) for r in header["recipients"]]


def refused(town: Town) -> None:
    with pytest.raises(Refusal) as caught:
        disclosed(town)
    assert caught.value.reason == "penerima_tanpa_kunci"
    town.assert_refused(town.last, "penerima_tanpa_kunci")


def test_without_a_word_in_the_agreement_only_the_hybrid_key_is_used(town: Town) -> None:
    enrol(town, SIAPKERJA, kem_x25519=CURVE.public)
    envelope = disclosed(town)
    hybrid = town.province.ring(SIAPKERJA).get(KemKey, "kem")
    assert sealed_to(envelope) == [(hybrid.public.kid, SUITE)]
    assert len(lines(envelope, hybrid)) == 20
    with pytest.raises(NotOpened):
        lines(envelope, CURVE)


def test_where_the_agreement_names_x25519_only_that_key_is_used_and_the_manifest_warns(town: Town) -> None:
    name_x25519(town)
    enrol(town, SIAPKERJA, kem_x25519=CURVE.public)
    envelope = disclosed(town)
    assert sealed_to(envelope) == [(CURVE.public.kid, SUITE_X25519)]
    assert len(lines(envelope, CURVE)) == 20
    with pytest.raises(NotOpened):
        lines(envelope, town.province.ring(SIAPKERJA).get(KemKey, "kem"))
    manifest = town.entries()[-1]
    assert manifest["keys"]["recipient_kem"] == CURVE.public.kid
    assert "segel_x25519" in manifest["warnings"]


def test_an_agreement_that_names_it_for_the_other_party_changes_nothing(town: Town) -> None:
    name_x25519(town, "sijunjung")
    enrol(town, SIAPKERJA, kem_x25519=CURVE.public)
    assert [suite for _, suite in sealed_to(disclosed(town))] == [SUITE]


def test_the_agreements_suite_is_not_replaced_by_another_for_want_of_a_key(town: Town) -> None:
    name_x25519(town)
    refused(town)  # a hybrid key alone
    name_x25519(town, until=UNTIL - timedelta(days=1))
    enrol(town, SIAPKERJA, without="kem", kem_x25519=CURVE.public)
    refused(town)  # its day is past: an X25519 key alone


def test_a_recipient_without_keys_is_refused(town: Town) -> None:
    with town.office.ledger.database.write() as tx:
        remove(tx, SIAPKERJA)
    refused(town)


@pytest.mark.parametrize("other", [SIJOKER, SIBUSER])
def test_a_key_that_another_party_has_too_is_not_sealed_to(town: Town, other: str) -> None:
    """Two parties would open one envelope, whose pseudonyms are made for one of them."""
    enrol(town, other, kem=town.office.peers[SIAPKERJA].get(KemPublic, "kem"))
    refused(town)


def test_nothing_leaves_to_a_key_of_low_order(town: Town) -> None:
    hybrid = town.office.peers[SIAPKERJA].get(KemPublic, "kem")
    enrol(town, SIAPKERJA, kem=KemPublic(hybrid.raw[:1184] + LOW_ORDER[2]))
    with pytest.raises(Refusal) as caught:
        disclosed(town)
    assert caught.value.reason == "pengolahan"
    town.assert_refused(town.last, "pengolahan")


def test_a_submission_in_x25519_is_refused(town: Town) -> None:
    ring = town.office.rings[AGREEMENT]
    with pytest.raises(Refusal) as caught:
        town.exchange(town.csv(town.rows()), sealed_to=KemX25519Key(ring.get(KemKey, "kem").seed).public)
    assert caught.value.reason == "tidak_terbuka"
    town.assert_refused(town.last, "tidak_terbuka")


@pytest.mark.parametrize(
    ("without", "more", "good"),
    [("", {}, True), ("kem", {"kem-x25519": CURVE.public}, True), ("", {"kem-x25519": CURVE.public}, True), ("kem", {}, False), ("receipt", {}, False)],
)
def test_a_party_is_enrolled_with_a_kem_key_of_either_suite_and_not_without(town: Town, without: str, more: dict[str, AnyPublic], good: bool) -> None:
    keys = {**town.office.peers[SIAPKERJA].keys, **{("", purpose): key for purpose, key in more.items()}}
    own = PublicSet(SIAPKERJA, {at: key for at, key in keys.items() if at[1] != without})
    assert (read_set(own.to_json(), SIAPKERJA, plain(own.fingerprint)) is not None) is good
