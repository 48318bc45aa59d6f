"""A party's keys count once two people said so, and what is wrong with a set keeps it out."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest

from broker import enrolment, people
from broker.errors import Refusal
from broker.jcs import canonical
from broker.keys import KemPublic, PublicSet, ReceiptPublic, RequestPublic, read_public_set
from broker.keys.material import PUBLIC_TYPES
from broker.keys.sound import sound
from broker.roles import MAY
from broker.vouching import vouched
from tests.peers.conftest import DAY, Keys, refused
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER

SMALL = [bytes(32), b"\x01" + bytes(31), bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")]
X25519_SMALL = [bytes(32), b"\x01" + bytes(31), bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]


def with_keys(public: PublicSet, **changed: bytes) -> PublicSet:
    return PublicSet(public.owner, {**public.keys, **{("", purpose): PUBLIC_TYPES[purpose][0](raw) for purpose, raw in changed.items()}})


# --- two people
def test_a_proposal_counts_for_nothing(blank: Keys) -> None:
    public, _ = blank.made("baru")
    blank.propose(public)
    assert SIJOKER not in blank.town.office.peers
    assert blank.town.office.peers.signer(public.get(RequestPublic, "request").kid) is None
    assert blank.acts() == ["proposed"]


def test_confirmed_keys_count_at_the_next_look_and_both_people_stand_in_the_logs(keys: Keys) -> None:
    public, _ = keys.made("baru")
    officer = keys.officer()
    keys.propose(public)
    keys.confirm(officer, public)
    assert keys.town.office.peers[SIJOKER] == public
    (entry,) = [e for e in keys.town.entries("nk-sijunjung-2025") if e["type"] == "sinergi/keys/v1" and e["act"] == "confirmed"]
    assert entry in keys.town.entries("broker")
    assert (entry["proposed_by"], entry["confirmed_by"], entry["vouched"]) == ("host", officer.id, True)
    assert entry["kids"] == sorted(key.kid for key in public.keys.values())
    assert entry["fingerprint"] == public.fingerprint.replace(" ", "")
    assert "800/4-DISNAKER/2026" not in json.dumps(entry)
    assert keys.acts("nk-binjai-2025") == []


def test_the_first_system_of_a_party_is_confirmed_by_who_nobody_can_vouch_for_yet(blank: Keys) -> None:
    public, _ = blank.made("baru")
    officer = blank.officer(vouched=False)
    blank.propose(public)
    assert blank.confirm(officer, public).vouched == 0
    assert [e["vouched"] for e in blank.town.entries() if e["type"] == "sinergi/keys/v1" and e["act"] == "confirmed"] == [False]
    second, _ = blank.made("kedua")
    blank.propose(second)
    with refused("belum_dijamin"):
        blank.confirm(officer, second)
    with refused("akun"):
        blank.officer(role="petugas_keamanan", vouched=False)  # and no further one is enrolled without a voucher
    assert blank.town.office.peers[SIJOKER] == public


@pytest.mark.parametrize(("party", "role", "reason"), [("kemnaker", "ppdp", "kunci_pihak"), ("sijunjung", "auditor", "wewenang"), ("sijunjung", "operator", "wewenang"), ("", "administrator", "kunci_pihak")])
def test_nobody_else_confirms_or_revokes(keys: Keys, party: str, role: str, reason: str) -> None:
    public, _ = keys.made("baru")
    keys.propose(public)
    officer = keys.officer(party, role)
    before = keys.town.office.peers[SIJOKER]
    with refused(reason):
        keys.confirm(officer, public)
    with refused(reason):
        enrolment.revoke(keys.town.office, officer, SIJOKER, keys.town.now, "bocor", keys.town.now)
    assert keys.town.office.peers[SIJOKER] == before
    assert [e["reason"] for e in keys.town.entries("broker") if e["type"] == "sinergi/refusal/v1"] == [reason, reason]


def test_who_is_out_of_office_confirms_nothing(keys: Keys) -> None:
    public, _ = keys.made("baru")
    keys.propose(public)
    officer = keys.officer(ends=(keys.town.now + DAY).date())
    keys.town.now += 3 * DAY
    with refused("wewenang"):
        keys.confirm(officer, public)


def test_the_host_confirms_nothing(keys: Keys) -> None:
    public, _ = keys.made("baru")
    keys.propose(public)
    for act in ("confirm", "confirmation"):
        with refused("parameter"):
            enrolment.by_host(keys.town.office, canonical({"act": act, "system": SIJOKER, "fingerprint": public.fingerprint}), keys.town.now)
    assert "sahkan_kunci" not in MAY["administrator"]


# --- what was proposed is what is confirmed
def test_another_fingerprint_is_refused(keys: Keys) -> None:
    public, _ = keys.made("baru")
    other, _ = keys.made("lain")
    with refused("kunci_sidik"):
        keys.propose(public, other.fingerprint)
    keys.propose(public)
    with refused("kunci_sidik"):
        keys.confirm(keys.officer(), other)
    assert keys.states() == ["active", "proposed"]


def test_a_file_that_was_changed_after_its_proposal_is_refused(keys: Keys) -> None:
    public, _ = keys.made("baru")
    other, _ = keys.made("lain")
    keys.propose(public)
    with keys.town.office.ledger.database.write() as tx:
        tx.peers.change(public.fingerprint.replace(" ", ""), file=other.to_json())
    with refused("kunci_bentuk"):
        keys.confirm(keys.officer(), public)


def test_a_proposal_of_more_than_seven_days_is_stale_and_may_be_made_again(keys: Keys) -> None:
    public, _ = keys.made("baru")
    keys.propose(public)
    officer = keys.officer()
    keys.town.now += 7 * DAY
    with refused("kunci_tidak_ada"):
        keys.confirm(officer, public)
    keys.propose(public)
    keys.confirm(officer, public)
    assert keys.town.office.peers[SIJOKER] == public


def test_two_proposals_at_once_are_refused_until_one_is_withdrawn(keys: Keys) -> None:
    public, _ = keys.made("baru")
    other, _ = keys.made("lain")
    keys.propose(public)
    with refused("kunci_usulan"):
        keys.propose(other)
    enrolment.withdraw(keys.town.office, SIJOKER, keys.town.now)
    with refused("kunci_tidak_ada"):
        keys.confirm(keys.officer(), public)
    keys.propose(other)
    assert keys.acts() == ["proposed", "withdrawn", "proposed"]
    with refused("kunci_tidak_ada"):
        enrolment.withdraw(keys.town.office, SIBUSER, keys.town.now)


def test_a_confirmation_counts_once(keys: Keys) -> None:
    public, _ = keys.made("baru")
    keys.propose(public)
    officer = keys.officer()
    keys.confirm(officer, public)
    with refused("kunci_tidak_ada"):
        keys.confirm(officer, public)
    with refused("kunci_dipakai"):
        keys.propose(public)
    assert keys.states() == ["retired", "active"]


def test_the_host_asks_in_json(keys: Keys) -> None:
    public, _ = keys.made("baru")
    asked = {"act": "propose", "keys": b64encode(public.to_json()).decode(), "fingerprint": public.fingerprint, "notice": "800/5", "date": "2026-11-20"}
    assert enrolment.by_host(keys.town.office, canonical(asked), keys.town.now)["system"] == SIJOKER
    for changed in ({"keys": "!"}, {"date": "kemarin"}, {"extra": "x"}, {"act": "revoke"}):
        with refused("parameter"):
            enrolment.by_host(keys.town.office, canonical(asked | changed), keys.town.now)


# --- bad sets
@pytest.mark.parametrize("day", [1, 400])
def test_a_notice_of_tomorrow_or_without_a_number_is_none(keys: Keys, day: int) -> None:
    public, _ = keys.made("baru")
    with refused("parameter"):
        keys.propose(public, day=keys.town.now.date() + day * DAY)
    with refused("parameter"):
        keys.propose(public, number="surat dengan spasi")


@pytest.mark.parametrize("file", [b"", b"{}", b"[1]", b"\xff", b'{"keys": [], "owner": "sijoker@sijunjung", "type": "sinergi/public-keys/v1"}'])
def test_what_is_no_key_file_is_refused(keys: Keys, file: bytes) -> None:
    with refused("kunci_bentuk"):
        keys.propose(keys.town.province.public(SIJOKER), file=file)


@pytest.mark.parametrize("owner", ["sijokr@sijunjung", "broker", "ppdp-1@sijunjung"])
def test_a_file_of_no_system_of_an_agreement_is_refused(keys: Keys, owner: str) -> None:
    public = replace(keys.made("baru")[0], owner=owner)
    with refused("kunci_bentuk"):
        keys.propose(public)


def test_another_systems_file_does_not_pass_under_this_name(keys: Keys) -> None:
    """As one file for another, and as one system's keys under another's name."""
    theirs, _ = keys.made("baru", SIBUSER)
    keys.propose(theirs)
    with refused("kunci_tidak_ada"):
        keys.confirm(keys.officer(), theirs)
    with refused("kunci_dipakai"):
        keys.propose(replace(keys.town.province.public(SIAPKERJA), owner=SIJOKER))
    mixed = keys.made("lain")[0]
    with refused("kunci_dipakai"):
        keys.propose(with_keys(mixed, kem=keys.town.province.public(SIAPKERJA).get(KemPublic, "kem").raw))


def test_an_officers_keys_are_no_systems(keys: Keys) -> None:
    officer = keys.officer()
    assert officer.keys
    taken = PublicSet(SIJOKER, {**keys.made("baru")[0].keys, ("", "request"): read_public_set(officer.keys).get(RequestPublic, "request")})
    with refused("kunci_dipakai"):
        keys.propose(taken)


def test_a_systems_keys_are_no_officers_even_after_they_were_replaced(keys: Keys) -> None:
    old = keys.town.province.public(SIJOKER)
    keys.renewed("baru")
    person, _ = people.invite(keys.town.office, people.Invitation("auditor", "sijunjung", "SK-1", keys.town.now.date(), None, frozenset(), "Nama"), keys.town.now)
    taken = PublicSet(person.id, old.keys)
    with refused("akun"):
        people.enrol_key(keys.town.office, person.id, taken.to_json(), taken.fingerprint, keys.town.now)


@pytest.mark.parametrize("raw", SMALL, ids=lambda raw: raw[:4].hex())
def test_a_signing_key_of_small_order_is_refused(keys: Keys, raw: bytes) -> None:
    public, _ = keys.made("baru")
    with refused("kunci_bentuk"):
        keys.propose(with_keys(public, request=raw))
    with refused("kunci_bentuk"):
        keys.propose(with_keys(public, receipt=raw + public.get(ReceiptPublic, "receipt").raw[32:]))


@pytest.mark.parametrize("raw", X25519_SMALL, ids=lambda raw: raw[:4].hex())
def test_a_sealing_key_of_small_order_is_refused(keys: Keys, raw: bytes) -> None:
    public, _ = keys.made("baru")
    with refused("kunci_bentuk"):
        keys.propose(with_keys(public, kem=public.get(KemPublic, "kem").raw[:1184] + raw))


def test_malformed_keys_and_one_key_for_two_purposes_are_refused(keys: Keys) -> None:
    public, _ = keys.made("baru")
    request, receipt, kem = (public.keys["", name].raw for name in ("request", "receipt", "kem"))
    off_curve = next(raw for n in range(50) if sound((RequestPublic(raw := bytes([n + 2]) + bytes(31)),)) is False)
    for changed in ({"request": off_curve}, {"request": b"\xff" * 32}, {"kem": b"\xff" * 1184 + kem[1184:]}, {"request": receipt[:32]}, {"receipt": request + receipt[32:]}):
        with refused("kunci_bentuk"):
            keys.propose(with_keys(public, **changed))
    less = PublicSet(SIJOKER, {k: v for k, v in public.keys.items() if k[1] != "kem"})
    with refused("kunci_bentuk"):
        keys.propose(less)
    scoped = PublicSet(SIJOKER, {("nk-sijunjung-2025", k[1]): v for k, v in public.keys.items()})
    with refused("kunci_bentuk"):
        keys.propose(scoped)
    assert keys.states() == ["active"]


# --- vouching
def test_the_word_of_replaced_keys_for_an_officer_goes_on_to_count(keys: Keys) -> None:
    officer = keys.officer()
    keys.renewed("baru")
    keys.town.now += 20 * DAY
    assert vouched(keys.town.office, officer)
    with pytest.raises(Refusal):  # but they vouch for nobody new: `Town.voucher` signs with the old ones
        keys.officer()


def test_the_word_of_revoked_keys_counts_if_it_was_recorded_before_the_compromise(keys: Keys) -> None:
    office = keys.town.office
    before = keys.officer()
    keys.town.now += DAY
    stolen = keys.town.now
    keys.town.now += DAY
    after = keys.officer()
    keys.town.now += timedelta(hours=1)
    enrolment.revoke(office, before, SIJOKER, stolen, "bocor", keys.town.now)
    assert (vouched(office, before), vouched(office, after)) == (True, False)
    public, _ = keys.made("baru")
    keys.propose(public)
    with refused("belum_dijamin"):
        keys.confirm(after, public)
    keys.confirm(before, public)
    assert office.peers[SIJOKER] == public


def test_revoked_keys_are_never_enrolled_again_by_anyone(keys: Keys) -> None:
    old, officer = keys.town.province.public(SIJOKER), keys.officer()
    keys.town.now += DAY
    enrolment.revoke(keys.town.office, None, SIJOKER, keys.town.now, "hilang", keys.town.now)
    with refused("kunci_dicabut"):
        keys.propose(old)
    fresh, _ = keys.made("baru")
    for owner in (SIJOKER, SIBUSER):
        with refused("kunci_dicabut"):
            keys.propose(PublicSet(owner, {**fresh.keys, ("", "kem"): old.keys["", "kem"]}))
    with refused("kunci_tidak_ada"):
        enrolment.revoke(keys.town.office, officer, SIJOKER, keys.town.now, "hilang", keys.town.now)


def test_a_key_that_was_revoked_after_it_was_proposed_again_is_not_confirmed(keys: Keys) -> None:
    officer, (fresh, _) = keys.officer(), keys.made("baru")
    kept = PublicSet(SIJOKER, {**fresh.keys, ("", "kem"): keys.town.province.public(SIJOKER).keys["", "kem"]})
    keys.propose(kept)
    keys.town.now += DAY
    enrolment.revoke(keys.town.office, None, SIJOKER, keys.town.now, "hilang", keys.town.now)
    with refused("kunci_dicabut"):
        keys.confirm(officer, kept)
    assert keys.states() == ["revoked", "proposed"]


@pytest.mark.parametrize(("days", "reason"), [(1, "bocor"), (-1, "karena ingin")])
def test_a_revocation_of_tomorrow_or_for_another_reason_is_none(keys: Keys, days: int, reason: str) -> None:
    with refused("parameter"):
        enrolment.revoke(keys.town.office, None, SIJOKER, keys.town.now + days * DAY, reason, keys.town.now)
    assert keys.states() == ["active"]
