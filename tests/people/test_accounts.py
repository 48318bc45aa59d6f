"""Accounts are made by appointment, for one party, with one-time links; keys are pinned by fingerprint; what ends, ends at once."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker import people, signin
from broker.envelope import Voucher, sign_dsse
from broker.envelope.dsse import APPROVAL, VOUCHER
from broker.errors import Refusal
from broker.identity import sign_request
from broker.keys import PublicSet, ReceiptKey, ReceiptPublic, RequestKey, RequestPublic, read_public_set
from broker.model import Person
from broker.people import ACTS, APART
from broker.roles import MAY, WORDS, may
from broker.vouching import denied, vouched
from tests.people.conftest import NAME, PASSWORD, Officer, Registry
from tests.simulator import SIAPKERJA, SIJOKER, URL

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = f"{URL}/v1/policies"
SIJUNJUNG, BINJAI = "nk-sijunjung-2025", "nk-binjai-2025"


def refused(reason: str, act: Callable[[], object], **facts: str) -> None:
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.reason == reason
    assert caught.value.facts.items() >= facts.items()


# --- invitations
@pytest.mark.parametrize(("changed", "field"), [
    ({"role": "raja"}, "peran"), ({"role": "administrator"}, "pihak"), ({"role": "administrator", "party": "", "agreements": frozenset({SIJUNJUNG})}, "pihak"),
    ({"party": ""}, "pihak"), ({"party": "padang"}, "pihak"), ({"party": "bpk"}, "peran"), ({"agreements": frozenset({BINJAI})}, "kesepakatan"),
    ({"agreements": frozenset({"nk-padang-2025"})}, "kesepakatan"),
    ({"role": "auditor", "party": "bpk"}, "kesepakatan"), ({"role": "auditor", "party": "bpk", "agreements": frozenset({SIJUNJUNG, BINJAI})}, "kesepakatan"),
    ({"role": "auditor", "party": "inspektorat", "agreements": frozenset({"nk-padang-2025"})}, "kesepakatan"),
    ({"role": "auditor", "party": "bpk", "agreements": frozenset({SIJUNJUNG}), "ends": None}, "sampai"),
    ({"ends": date(2025, 12, 31)}, "sampai"), ({"starts": date(2027, 7, 1)}, "sampai"), ({"ends": date(2026, 11, 20)}, "sampai"),
    ({"appointment": ""}, "surat"), ({"appointment": "800 12"}, "surat"), ({"appointment": "8" * 61}, "surat"), ({"appointment": "800/12\n"}, "surat"), ({"appointment": "<b>"}, "surat"),
    ({"name": "  "}, "nama"), ({"name": "A" * 101}, "nama"), ({"name": "A\nB"}, "nama"), ({"name": "A\x1b[2J"}, "nama"),
])  # fmt: skip
def test_an_account_that_does_not_fit_is_not_made(registry: Registry, changed: dict[str, Any], field: str) -> None:
    refused("akun", lambda: registry.invite(**changed), bidang=field)
    with registry.town.office.ledger.database.read() as tx:
        assert tx.people.list() == ()
    assert registry.acts() == []


def test_an_invitation_is_recorded_without_the_name(registry: Registry) -> None:
    person, _ = registry.invite(ends=date(2026, 11, 21))  # today is the last day
    assert (person.id, person.agreements, person.state, person.keys) == ("petugas-1@sijunjung", frozenset({SIJUNJUNG}), "invited", None)
    (entry,) = [e for e in registry.town.entries("broker") if e["type"] == "sinergi/person/v1"]
    assert entry.items() >= {"act": "invited", "person": person.id, "role": "petugas_keamanan", "party": "sijunjung", "appointment": "800/12-BKD/2026", "starts": "2026-01-01", "ends": "2026-11-21", "agreements": [SIJUNJUNG]}.items()
    assert NAME not in json.dumps(entry)
    with registry.town.office.ledger.database.read() as tx:
        assert tx.people.name(person.id) == NAME


def test_numbers_are_never_given_twice(registry: Registry) -> None:
    first = registry.invite()[0].id
    people.end(registry.town.office, first, registry.town.now)
    assert [registry.invite()[0].id, registry.invite(role="ppdp")[0].id, registry.invite(party="kemnaker")[0].id] == ["petugas-2@sijunjung", "ppdp-1@sijunjung", "petugas-1@kemnaker"]
    assert registry.get("petugas-1@kemnaker").agreements == {SIJUNJUNG, BINJAI}


def test_an_administrator_has_no_party_and_no_agreement(registry: Registry) -> None:
    person, _ = registry.invite(role="administrator", party="", ends=None)
    assert (person.id, person.party, person.agreements, person.ends) == ("pengelola-1@broker", "", frozenset(), None)


def test_an_external_auditor_is_recorded_where_the_parties_see_it(registry: Registry) -> None:
    person, _ = registry.invite(role="auditor", party="inspektorat", agreements=frozenset({SIJUNJUNG}))
    people.end(registry.town.office, person.id, registry.town.now)
    assert registry.acts() == registry.acts(SIJUNJUNG) == ["invited", "ended"]
    assert registry.acts(BINJAI) == []
    registry.invite(role="auditor")
    assert len(registry.acts(SIJUNJUNG)) == 2  # a party's own auditor is that party's business


# --- set-up links
def test_a_link_works_once(registry: Registry) -> None:
    _, token = registry.invite()
    registry.begun(token)
    refused("tautan", lambda: signin.set_up(registry.town.office, token, PASSWORD, registry.town.now))


def test_a_link_is_over_after_72_hours(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    _, token = registry.invite()
    refused("tautan", lambda: signin.set_up(office, token, PASSWORD, now + timedelta(hours=72)))
    signin.set_up(office, token, PASSWORD, now + timedelta(hours=72, seconds=-1))


def test_a_link_of_another_purpose_or_nobody_is_no_link(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    _, token = registry.invite()
    for wrong in ("", "x" * 43, token[:-1], token + "=", "\ud800"):
        refused("tautan", lambda wrong=wrong: signin.set_up(office, wrong, PASSWORD, now))  # type: ignore[misc]
    refused("tautan", lambda: signin.confirm(office, token, "123456", now))
    _, confirm = registry.begun(token)
    refused("tautan", lambda: signin.set_up(office, confirm, PASSWORD, now))


def test_a_renewed_link_voids_the_earlier_one_and_serves_only_the_invited(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    person, old = registry.invite()
    new = people.renew_link(office, person.id, now)
    refused("tautan", lambda: signin.set_up(office, old, PASSWORD, now))
    officer, confirm = registry.begun(new)
    signin.confirm(office, confirm, officer.code(now), now)
    refused("akun", lambda: people.renew_link(office, person.id, now), bidang="id")  # or the host could take an account over
    assert registry.acts() == ["invited", "invited", "set_up"]


@pytest.mark.parametrize("weak", ["", "pendek sebe", "password1234", "Indonesia2026!", "1303011509900001", "aaaa bbbb aaaa", "petugas-1 kuda lepas", "PETUGAS1 kuda lepas", "katasandi katasandi", "x y" * 100])
def test_a_weak_password_is_refused_and_the_link_still_holds(registry: Registry, weak: str) -> None:
    _, token = registry.invite()
    refused("sandi", lambda: signin.set_up(registry.town.office, token, weak, registry.town.now))
    registry.begun(token)


def test_a_wrong_first_code_leaves_the_account_closed_and_five_void_the_link(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    person, token = registry.invite()
    officer, confirm = registry.begun(token)
    wrong = f"{(int(officer.code(now)) + 1) % 10**6:06}"
    for _ in range(5):
        refused("masuk", lambda: signin.confirm(office, confirm, wrong, now))
    refused("tautan", lambda: signin.confirm(office, confirm, officer.code(now), now))
    assert registry.get(person.id).state == "invited"
    assert registry.acts() == ["invited"]


def test_the_first_code_opens_the_account_within_a_quarter_of_an_hour(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    _, token = registry.invite()
    officer, confirm = registry.begun(token)
    late = now + timedelta(minutes=15)
    refused("tautan", lambda: signin.confirm(office, confirm, officer.code(late), late))
    soon = late - timedelta(seconds=1)
    assert signin.confirm(office, confirm, officer.code(soon), soon).state == "active"
    refused("tautan", lambda: signin.confirm(office, confirm, officer.code(soon), soon))
    assert registry.acts() == ["invited", "set_up"]


def test_a_link_of_an_ended_account_is_dead(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    person, token = registry.invite()
    people.end(office, person.id, now)
    refused("tautan", lambda: signin.set_up(office, token, PASSWORD, now))
    refused("akun", lambda: people.end(office, person.id, now), bidang="id")
    refused("akun", lambda: people.renew_link(office, person.id, now), bidang="id")


# --- keys
def signed(registry: Registry, officer: Officer, method: str = "GET", **changed: Any) -> dict[str, str]:
    return sign_request(method, TARGET, changed.pop("headers", {}), changed.pop("key", None) or officer.key, registry.town.now, **changed)


def ask(registry: Registry, headers: dict[str, str], *, body: bool = False) -> str:
    return people.officer(registry.town.office, "POST" if body else "GET", TARGET, headers, registry.town.now, body=body)[0].id


def test_an_enrolled_officer_is_known_by_a_signature(registry: Registry) -> None:
    officer = registry.enrolled()
    assert ask(registry, signed(registry, officer)) == officer.id
    assert registry.acts()[-1] == "key_enrolled"
    entry = registry.town.entries("broker")[-1]
    assert entry["request_kid"] == officer.key.public.kid
    assert len(entry["keys_sha256"]) == 64


def test_whoever_is_not_in_office_is_like_an_unknown_key(registry: Registry) -> None:
    """One answer: unknown key, bad signature, a system's key, ended, not yet begun, over; a locked password does not matter to a key."""
    officer, town = registry.enrolled(), registry.town
    unknown = registry.keys(Officer("petugas-9@sijunjung"))
    good, seen = {k.lower(): v for k, v in signed(registry, officer).items()}, []
    attempts: list[dict[str, str]] = [signed(registry, unknown), {**good, "signature": good["signature"][:20] + ("A" if good["signature"][20] != "A" else "B") + good["signature"][21:]}]
    attempts.append(sign_request("GET", TARGET, {}, town.province.ring(SIJOKER).get(RequestKey, "request"), town.now))
    for headers in attempts:
        with pytest.raises(Refusal) as caught:
            ask(registry, headers)
        seen.append((caught.value.reason, caught.value.facts))
    now = town.now
    for day in (datetime(2025, 12, 31, 16, 59, 59, tzinfo=UTC), datetime(2027, 6, 30, 17, tzinfo=UTC)):  # WIB: the first and last day's edges
        town.now = day
        with pytest.raises(Refusal) as caught:
            ask(registry, signed(registry, officer))
        seen.append((caught.value.reason, caught.value.facts))
    for day in (datetime(2025, 12, 31, 17, tzinfo=UTC), datetime(2027, 6, 30, 16, 59, 59, tzinfo=UTC)):
        town.now = day
        assert ask(registry, signed(registry, officer)) == officer.id
    town.now = now
    with town.office.ledger.database.write() as tx:
        tx.people.change_credential(officer.id, locked=int(now.timestamp()) + 1)
    assert ask(registry, signed(registry, officer)) == officer.id
    people.end(town.office, officer.id, now)
    with pytest.raises(Refusal) as caught:
        ask(registry, signed(registry, officer))
    seen.append((caught.value.reason, caught.value.facts))
    assert seen == [("tanda_tangan", {})] * 6
    with town.office.ledger.database.read() as tx:
        assert tx.refused_at_door() == {"tanda_tangan": 6}


def test_a_row_changed_by_hand_gives_nobody_another_key(registry: Registry) -> None:
    officer, other = registry.enrolled(), registry.keys(Officer("petugas-2@sijunjung"))
    with registry.town.office.ledger.database.write() as tx:
        tx.people.enrol(officer.id, tx.people.get(officer.id).keys, (other.key.public.kid,))  # type: ignore[union-attr,arg-type]
    refused("tanda_tangan", lambda: ask(registry, signed(registry, other)))


def test_a_request_names_the_request_key(registry: Registry) -> None:
    officer = registry.enrolled()
    assert officer.public
    receipt = officer.public.get(ReceiptPublic, "receipt")

    class Misnamed(RequestKey):
        @property
        def public(self) -> ReceiptPublic:  # type: ignore[override]
            return receipt

    refused("tanda_tangan", lambda: ask(registry, signed(registry, officer, key=Misnamed(officer.key.seed))))


def test_a_body_is_compared_and_a_nonce_counts_once(registry: Registry) -> None:
    officer, town = registry.enrolled(), registry.town
    headers = signed(registry, officer, "POST", headers={"content-type": "application/json"}, body_sha256=hashlib.sha256(b"{}").digest())
    person, found = people.officer(town.office, "POST", TARGET, headers, town.now, body=True)
    refused("isi_berubah", lambda: people.spend_nonce(town.office, person, found, town.now, b"{ }"))
    refused("isi_berubah", lambda: people.spend_nonce(town.office, person, found, town.now))
    people.spend_nonce(town.office, person, found, town.now, b"{}")
    refused("ulang", lambda: people.spend_nonce(town.office, person, found, town.now, b"{}"))
    assert [(e["reason"], e["sender"]) for e in town.entries("broker") if e["type"] == "sinergi/refusal/v1"] == [("isi_berubah", officer.id)] * 2 + [("ulang", officer.id)]


def test_a_key_is_pinned_by_its_fingerprint_alone(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    officer, other = registry.keys(registry.active()), registry.active()
    assert officer.public
    data, print_ = officer.public.to_json(), officer.public.fingerprint

    def enrol(name: str = officer.id, data: bytes = data, fingerprint: str = print_) -> Callable[[], object]:
        return lambda: people.enrol_key(office, name, data, fingerprint, now, registry.town.voucher(read_public_set(officer.public.to_json())))  # type: ignore[union-attr]

    refused("akun", enrol(fingerprint=""), bidang="sidik_jari")
    refused("akun", enrol(fingerprint=print_[:-1] + ("0" if print_[-1] != "0" else "1")), bidang="sidik_jari")
    refused("akun", enrol(data=data + b" "), bidang="kunci")
    refused("akun", enrol(name=other.id), bidang="kunci")
    less = PublicSet(officer.id, {k: v for k, v in officer.public.keys.items() if k[1] != "receipt"})
    refused("akun", enrol(data=less.to_json(), fingerprint=less.fingerprint), bidang="kunci")
    scoped = PublicSet(officer.id, {(SIJUNJUNG, k[1]): v for k, v in officer.public.keys.items()})
    refused("akun", enrol(data=scoped.to_json(), fingerprint=scoped.fingerprint), bidang="kunci")
    weak = PublicSet(officer.id, {**officer.public.keys, ("", "request"): RequestPublic((1).to_bytes(32, "little"))})  # anyone signs under it
    refused("akun", enrol(data=weak.to_json(), fingerprint=weak.fingerprint), bidang="kunci")
    nobody = PublicSet("petugas-9@sijunjung", officer.public.keys)
    refused("akun", enrol(nobody.owner, nobody.to_json(), nobody.fingerprint), bidang="id")
    assert "key_enrolled" not in registry.acts()
    enrol(fingerprint=print_.upper().replace(" ", ""))()
    refused("akun", enrol(), bidang="kunci")  # never over itself
    other_keys = registry.keys(Officer(officer.id), home="lain").public
    assert other_keys
    refused("akun", enrol(data=other_keys.to_json(), fingerprint=other_keys.fingerprint), bidang="kunci")  # nor over another


def test_no_two_share_a_key_and_no_officer_has_a_systems(registry: Registry) -> None:
    office, now = registry.town.office, registry.town.now
    first, second = registry.enrolled(), registry.active()
    assert first.public
    shared = PublicSet(second.id, first.public.keys)
    refused("akun", lambda: people.enrol_key(office, second.id, shared.to_json(), shared.fingerprint, now), bidang="kunci")
    people.end(office, first.id, now)
    refused("akun", lambda: people.enrol_key(office, second.id, shared.to_json(), shared.fingerprint, now), bidang="kunci")
    systems = PublicSet(second.id, office.peers[SIJOKER].keys)
    refused("akun", lambda: people.enrol_key(office, second.id, systems.to_json(), systems.fingerprint, now), bidang="kunci")
    refused("akun", lambda: people.enrol_key(office, first.id, first.public.to_json(), first.public.fingerprint, now), bidang="id")  # type: ignore[union-attr]


def test_an_officer_needs_the_word_of_their_own_party(registry: Registry) -> None:
    """The host's administrator enrols, and has no key of the party's system."""
    town = registry.town
    officer, other = registry.keys(registry.active()), registry.keys(registry.active())
    assert officer.public
    assert other.public
    foreign = Voucher(created="2026-11-21T03:00:00.000Z", keys_sha256=hashlib.sha256(officer.public.to_json()).hexdigest(), person=officer.id, system=SIAPKERJA)
    claimed = dataclasses.replace(foreign, system=SIJOKER)
    key = town.province.ring(SIAPKERJA).get(ReceiptKey, "receipt")
    forged = [None, b"{}", town.voucher(other.public), *(sign_dsse(VOUCHER, said.to_json(), key).to_json() for said in (foreign, claimed))]
    changed = dataclasses.replace(claimed, keys_sha256="0" * 64)
    forged.append(sign_dsse(VOUCHER, changed.to_json(), town.province.ring(SIJOKER).get(ReceiptKey, "receipt")).to_json())
    forged.append(sign_dsse(APPROVAL, claimed.to_json(), town.province.ring(SIJOKER).get(ReceiptKey, "receipt")).to_json())
    for voucher in forged:
        refused("akun", lambda v=voucher: people.enrol_key(town.office, officer.id, officer.public.to_json(), officer.public.fingerprint, town.now, v), bidang="jaminan")  # type: ignore[misc]
    people.enrol_key(town.office, officer.id, officer.public.to_json(), officer.public.fingerprint, town.now, town.voucher(officer.public))
    assert vouched(town.office, registry.get(officer.id))


def test_who_was_enrolled_without_a_voucher_is_enrolled_again_with_one(registry: Registry) -> None:
    town = registry.town
    officer, other = registry.keys(registry.active(role="auditor")), registry.enrolled()
    old, lain = officer.public, registry.keys(Officer(officer.id), home="lain")
    new = lain.public
    assert old
    assert new

    def enrol(public: PublicSet, voucher: bytes | None) -> Person:
        return people.enrol_key(town.office, officer.id, public.to_json(), public.fingerprint, town.now, voucher)

    enrol(old, None)
    assert denied(town.office, registry.get(officer.id), "baca_log").reason == "belum_dijamin"
    assert denied(town.office, registry.get(officer.id), "hentikan").reason == "wewenang"
    refused("akun", lambda: enrol(old, None), bidang="kunci")
    refused("akun", lambda: enrol(new, None), bidang="kunci")  # the host alone puts no key in another's place
    refused("akun", lambda: enrol(new, town.voucher(old)), bidang="jaminan")
    assert other.public
    theirs = PublicSet(officer.id, other.public.keys)
    refused("akun", lambda: enrol(theirs, town.voucher(theirs)), bidang="kunci")
    assert ask(registry, signed(registry, officer)) == officer.id  # nothing changed
    assert vouched(town.office, enrol(new, town.voucher(new)))
    assert ask(registry, signed(registry, lain)) == officer.id
    refused("tanda_tangan", lambda: ask(registry, signed(registry, officer)))
    assert [e["keys_sha256"] for e in town.entries("broker") if e.get("act") == "key_enrolled" and e["person"] == officer.id] == [hashlib.sha256(p.to_json()).hexdigest() for p in (old, new)]
    refused("akun", lambda: enrol(old, town.voucher(old)), bidang="kunci")  # one that is vouched for is never replaced
    second = registry.active()
    taken = PublicSet(second.id, old.keys)
    refused("akun", lambda: people.enrol_key(town.office, second.id, taken.to_json(), taken.fingerprint, town.now, town.voucher(taken)), bidang="kunci")


def test_the_same_file_is_enrolled_again_with_its_voucher(registry: Registry) -> None:
    officer = registry.keys(registry.active(role="auditor"))
    public, town = officer.public, registry.town
    assert public
    people.enrol_key(town.office, officer.id, public.to_json(), public.fingerprint, town.now)
    assert vouched(town.office, people.enrol_key(town.office, officer.id, public.to_json(), public.fingerprint, town.now, town.voucher(public)))
    assert ask(registry, signed(registry, officer)) == officer.id


# --- who may what
def person(role: str, **changed: Any) -> Person:
    values = {"id": "x-1@sijunjung", "party": "sijunjung", "agreements": frozenset({SIJUNJUNG}), "appointment": "1", "starts": date(2026, 1, 1), "ends": date(2026, 12, 31), "state": "active", "keys": None}
    return Person(role=role, **{**values, **changed})


TODAY = date(2026, 11, 21)


def test_what_is_not_in_the_table_is_refused() -> None:
    for role in (*MAY, "raja", ""):
        for act in (*ACTS, "hapus_log", ""):
            allowed = act in MAY.get(role, frozenset())
            assert may(person(role), act, SIJUNJUNG, TODAY) == (allowed and act != "kelola_akun")
            assert may(person(role, agreements=frozenset()), act, "", TODAY) == (allowed and act == "kelola_akun")
            assert not may(person(role), act, BINJAI, TODAY)
    assert set().union(*MAY.values()) == set(ACTS)


def test_an_administrator_neither_approves_nor_reads() -> None:
    for agreements in (frozenset(), frozenset({SIJUNJUNG, BINJAI})):  # even if a row were forced
        one = person("administrator", party="", agreements=agreements)
        assert [act for act in ACTS if may(one, act, SIJUNJUNG, TODAY) or may(one, act, "", TODAY)] == ["kelola_akun"]


@pytest.mark.parametrize(("changed", "day"), [
    ({"state": "ended"}, TODAY), ({"state": "hapus"}, TODAY), ({"state": ""}, TODAY), ({}, date(2025, 12, 31)), ({}, date(2027, 1, 1)),
    ({"agreements": frozenset()}, TODAY), ({"agreements": frozenset({BINJAI})}, TODAY),
])  # fmt: skip
def test_an_appointment_bounds_every_act(changed: dict[str, Any], day: date) -> None:
    assert not any(may(person(role, **changed), act, SIJUNJUNG, day) for role in MAY for act in ACTS)
    assert may(person("petugas_keamanan"), "setujui_kebijakan", SIJUNJUNG, date(2026, 12, 31))
    assert may(person("petugas_keamanan"), "setujui_kebijakan", SIJUNJUNG, date(2026, 1, 1))


def test_no_role_holds_two_acts_that_are_kept_apart() -> None:
    for one, other, why in APART:
        assert {one, other} <= set(ACTS)
        assert why
        assert not [role for role, acts in MAY.items() if {one, other} <= acts]


def test_the_role_words_are_one_each() -> None:
    assert set(WORDS) == set(MAY)
    assert len(set(WORDS.values())) == len(MAY)
    assert all(re.fullmatch("[a-z]+", word) for word in WORDS.values())
