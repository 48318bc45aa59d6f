"""What confirmation, renewal, revocation and expiry do to exchanges, at the next request and without a restart."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from broker import door, enrolment
from broker.client.doctor import examine
from broker.envelope import sign_dsse
from broker.envelope.dsse import MANIFEST
from broker.errors import ClientError, LedgerError
from broker.identity import SignedRequest, sign_request
from broker.keys import KemKey, KemPublic, ReceiptKey, ReceiptPublic, RequestKey
from broker.model import utc_text
from broker.peers import Peers, open_peers
from broker.rows import treat_chunk
from broker.store import Database
from scripts.benchmarks.world import enrol_directly
from tests.envelope.test_suites import lines, remove
from tests.peers.conftest import DAY, Keys, refused
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER, URL

if TYPE_CHECKING:
    from broker.keys import Ring


def asks(keys: Keys, ring: Ring) -> str:
    """The system that a request signed with this ring comes from."""
    town = keys.town
    headers = sign_request("GET", f"{URL}/v1/inbox", {}, ring.get(RequestKey, "request"), town.now)
    return door.authenticate(town.office, "GET", f"{URL}/v1/inbox", headers, town.now, body=False).system


def sent(keys: Keys) -> str:
    return keys.town.exchange(keys.town.csv(keys.town.rows(n=3)))[0]


def receipted(keys: Keys, name: str, ring: Ring, system: str = SIAPKERJA) -> None:
    town = keys.town
    manifest = town.row(name).manifest
    assert manifest
    data = sign_dsse(MANIFEST, manifest, ring.get(ReceiptKey, "receipt")).to_json()
    headers = sign_request("GET", f"{URL}/v1/inbox", {}, ring.get(RequestKey, "request"), town.now)
    caller = door.authenticate(town.office, "GET", f"{URL}/v1/inbox", headers, town.now, body=False)
    assert caller.system == system
    door.take_receipt(town.office, caller, name, data, town.now)


def fetched(keys: Keys, name: str) -> bytes:
    office, now = keys.town.office, keys.town.now
    caller = door.Caller(SIAPKERJA, SignedRequest("", "", keys.town.now))
    row = door.for_recipient(office, caller, name, now)
    return b"".join(door.envelope(office, row, caller, now)[1])


# --- renewal
def test_an_exchange_under_way_when_keys_change_is_not_lost(keys: Keys) -> None:
    old = keys.town.province.ring(SIAPKERJA)
    name = sent(keys)
    _, new = keys.renewed("baru", SIAPKERJA)
    assert asks(keys, new) == asks(keys, old) == SIAPKERJA
    envelope = fetched(keys, name)
    size = int.from_bytes(envelope[4:8], "big")
    kids = {r["kid"] for r in json.loads(envelope[8 : 8 + size])["recipients"]}
    assert kids == {old.get(KemKey, "kem").public.kid}
    receipted(keys, name, new)
    assert keys.town.row(name).state == "receipted"


def test_what_is_sealed_in_the_overlap_opens_with_either_key_and_either_signs(keys: Keys) -> None:
    old = keys.town.province.ring(SIAPKERJA)
    public, new = keys.renewed("baru", SIAPKERJA)
    names = [sent(keys), sent(keys)]
    for name, ring in zip(names, (old, new), strict=True):
        manifest = json.loads(keys.town.row(name).manifest or b"")
        assert manifest["keys"]["recipient_kem"] == " ".join(sorted(one.get(KemKey, "kem").public.kid for one in (old, new)))
        envelope = fetched(keys, name)
        assert lines(envelope, new.get(KemKey, "kem")) == lines(envelope, old.get(KemKey, "kem"))
        assert manifest["keys"]["recipient"] == public.get(ReceiptPublic, "receipt").kid
        receipted(keys, name, ring)
        assert keys.town.row(name).state == "receipted"


@pytest.mark.parametrize("ended", [False, True])
def test_after_the_overlap_only_the_newest_key_is_sealed_to(keys: Keys, ended: bool) -> None:
    public, _ = keys.renewed("baru", SIAPKERJA)
    if ended:
        enrolment.end_overlap(keys.town.office, SIAPKERJA, keys.town.now)
        keys.town.now += timedelta(seconds=1)
    else:
        keys.town.now += 14 * DAY
    assert json.loads(keys.town.row(sent(keys)).manifest or b"")["keys"]["recipient_kem"] == public.get(KemPublic, "kem").kid


def test_an_overlap_that_ends_in_the_middle_of_an_exchange_holds_its_release(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    real = treat_chunk
    keys.renewed("baru", SIAPKERJA)

    def ending(*asked: Any) -> Any:
        enrolment.end_overlap(keys.town.office, SIAPKERJA, keys.town.now)
        return real(*asked)

    monkeypatch.setattr("broker.exchange.treat_chunk", ending)
    with refused("penerima_tanpa_kunci"):
        sent(keys)
    keys.town.assert_refused(keys.town.last, "penerima_tanpa_kunci")
    monkeypatch.undo()
    assert sent(keys)


@pytest.mark.parametrize("which", ["sealed to", "kept apart"])
def test_a_key_of_an_overlap_that_another_party_has_too_is_not_sealed_to(keys: Keys, which: str) -> None:
    old, (fresh, _) = keys.town.province.public(SIAPKERJA), keys.made("baru", SIAPKERJA)
    theirs = keys.town.province.public(SIBUSER)
    same = dataclasses.replace(theirs, keys={**theirs.keys, ("", "kem"): old.keys["", "kem"]})
    with keys.town.office.ledger.database.write() as tx:
        remove(tx, SIBUSER)
        enrol_directly(tx, same, keys.town.now)
    owner, newest = (SIAPKERJA, fresh) if which == "sealed to" else (SIBUSER, theirs)
    with keys.town.office.ledger.database.write() as tx:
        for row in tx.peers.of(owner):
            tx.peers.change(row.fingerprint, state="retired", until=utc_text(keys.town.now + DAY))
        enrol_directly(tx, newest, keys.town.now)
    with refused("penerima_tanpa_kunci"):
        sent(keys)


def test_the_sender_is_believed_under_either_key_and_the_manifest_names_the_one_that_signed(keys: Keys) -> None:
    _, new = keys.renewed("baru")
    assert json.loads(keys.town.row(sent(keys)).manifest or b"")["keys"]["sender"] == keys.town.province.ring(SIJOKER).get(ReceiptKey, "receipt").public.kid
    real = keys.town.province.ring
    object.__setattr__(keys.town, "province", dataclasses.replace(keys.town.province))
    object.__setattr__(keys.town.province, "ring", lambda system: new if system == SIJOKER else real(system))
    assert json.loads(keys.town.row(sent(keys)).manifest or b"")["keys"]["sender"] == new.get(ReceiptKey, "receipt").public.kid


@pytest.mark.parametrize("ended", [False, True])
def test_after_the_overlap_the_old_keys_sign_nothing(keys: Keys, ended: bool) -> None:
    old = keys.town.province.ring(SIJOKER)
    _, new = keys.renewed("baru")
    keys.town.now += 14 * DAY - timedelta(seconds=1)
    assert asks(keys, old) == SIJOKER
    if ended:
        enrolment.end_overlap(keys.town.office, SIJOKER, keys.town.now)
    else:
        keys.town.now += timedelta(seconds=1)
    with refused("tanda_tangan"):
        asks(keys, old)
    assert asks(keys, new) == SIJOKER
    with refused("pernyataan"):
        sent(keys)  # its statement is signed with the old key
    with refused("kunci_tidak_ada"):
        enrolment.end_overlap(keys.town.office, SIJOKER, keys.town.now)


def test_one_key_may_be_renewed_and_the_others_stay(keys: Keys) -> None:
    old, (fresh, _) = keys.town.province.public(SIAPKERJA), keys.made("baru", SIAPKERJA)
    mixed = dataclasses.replace(old, keys={**old.keys, ("", "kem"): fresh.keys["", "kem"]})
    keys.propose(mixed)
    keys.confirm(keys.officer("kemnaker"), mixed, SIAPKERJA)
    name = sent(keys)
    assert json.loads(keys.town.row(name).manifest or b"")["keys"]["recipient_kem"] == " ".join(sorted(one.get(KemPublic, "kem").kid for one in (old, fresh)))
    keys.town.now += 15 * DAY
    assert json.loads(keys.town.row(sent(keys)).manifest or b"")["keys"]["recipient_kem"] == fresh.get(KemPublic, "kem").kid
    assert asks(keys, keys.town.province.ring(SIAPKERJA)) == SIAPKERJA


def test_a_key_that_a_renewal_keeps_is_sealed_to_once(keys: Keys) -> None:
    old, (fresh, _) = keys.town.province.public(SIAPKERJA), keys.made("baru", SIAPKERJA)
    mixed = dataclasses.replace(old, keys={**fresh.keys, ("", "kem"): old.keys["", "kem"]})
    keys.propose(mixed)
    keys.confirm(keys.officer("kemnaker"), mixed, SIAPKERJA)
    assert json.loads(keys.town.row(sent(keys)).manifest or b"")["keys"]["recipient_kem"] == old.get(KemPublic, "kem").kid


# --- revocation
@pytest.mark.parametrize("by_officer", [False, True])
def test_a_revocation_counts_at_the_next_request(keys: Keys, by_officer: bool) -> None:
    old = keys.town.province.ring(SIAPKERJA)
    officer = keys.officer("kemnaker") if by_officer else None
    before = sent(keys)
    keys.town.now += DAY
    since = keys.town.now
    keys.town.now += DAY
    after = sent(keys)
    assert asks(keys, old) == SIAPKERJA
    affected = enrolment.revoke(keys.town.office, officer, SIAPKERJA, since, "bocor", keys.town.now)
    assert [(a.exchange, a.dataset) for a in affected] == [(after, "pencari_kerja")]
    assert affected[0].time == json.loads(keys.town.row(after).manifest or b"")["time"]
    with refused("tanda_tangan"):
        asks(keys, old)
    with refused("penerima_tanpa_kunci"):
        sent(keys)
    keys.town.assert_refused(keys.town.last, "penerima_tanpa_kunci")
    with refused("amplop_dicabut"):
        fetched(keys, before)
    assert keys.town.office.folders.outbox(before).exists()
    (entry,) = [e for e in keys.town.entries() if e["type"] == "sinergi/keys/v1"]
    assert (entry["act"], entry["revoked_by"], entry["exchanges"], entry["reason"]) == ("revoked", officer.id if officer else "host", 1, "bocor")


def test_what_was_sealed_to_two_keys_is_not_handed_out_once_they_are_revoked(keys: Keys) -> None:
    keys.renewed("baru", SIAPKERJA)
    name = sent(keys)
    enrolment.revoke(keys.town.office, None, SIAPKERJA, keys.town.now, "bocor", keys.town.now)
    with refused("amplop_dicabut"):
        fetched(keys, name)


def test_what_was_sealed_to_a_revoked_key_is_not_handed_out_to_its_successor_either(keys: Keys) -> None:
    officer, name = keys.officer("kemnaker"), sent(keys)
    keys.town.now += DAY
    enrolment.revoke(keys.town.office, officer, SIAPKERJA, keys.town.now, "bocor", keys.town.now)
    public, new = keys.made("baru", SIAPKERJA)
    keys.propose(public)
    keys.confirm(officer, public, SIAPKERJA)
    assert asks(keys, new) == SIAPKERJA
    with refused("amplop_dicabut"):
        fetched(keys, name)
    assert fetched(keys, sent(keys))


@pytest.mark.parametrize(("system", "reason"), [(SIJOKER, "pernyataan"), (SIAPKERJA, "penerima_tanpa_kunci")])
def test_a_revocation_in_the_middle_of_an_exchange_holds_its_release(keys: Keys, monkeypatch: pytest.MonkeyPatch, system: str, reason: str) -> None:
    real = treat_chunk

    def revoking(*asked: Any) -> Any:
        enrolment.revoke(keys.town.office, None, system, keys.town.now, "bocor", keys.town.now)
        return real(*asked)

    monkeypatch.setattr("broker.exchange.treat_chunk", revoking)
    with refused(reason):
        sent(keys)
    keys.town.assert_refused(keys.town.last, reason)


def test_a_renewal_in_the_middle_of_an_exchange_does_not_hold_it(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    real = treat_chunk
    public, _ = keys.made("baru", SIAPKERJA)
    keys.propose(public)
    officer = keys.officer("kemnaker")

    def renewing(*asked: Any) -> Any:
        keys.confirm(officer, public, SIAPKERJA)
        return real(*asked)

    monkeypatch.setattr("broker.exchange.treat_chunk", renewing)
    name = sent(keys)
    assert json.loads(keys.town.row(name).manifest or b"")["keys"]["recipient_kem"] == keys.town.province.ring(SIAPKERJA).get(KemKey, "kem").public.kid


def test_what_another_process_writes_counts_too(keys: Keys) -> None:
    ring = keys.town.province.ring(SIJOKER)
    assert asks(keys, ring) == SIJOKER
    with sqlite3.connect(keys.town.home / "ledger.db") as other:
        other.execute("UPDATE peer SET state = 'revoked' WHERE system = ?", (SIJOKER,))
    other.close()
    with refused("tanda_tangan"):
        asks(keys, ring)
    database = Database(keys.town.home / "ledger.db")
    fresh, new = keys.made("baru")
    with database.write() as tx:
        enrol_directly(tx, fresh, keys.town.now)
    database.close()
    assert asks(keys, new) == SIJOKER


def test_a_database_that_cannot_be_read_opens_nothing(keys: Keys) -> None:
    ring = keys.town.province.ring(SIJOKER)
    assert asks(keys, ring) == SIJOKER
    with sqlite3.connect(keys.town.home / "ledger.db") as other:
        other.execute("ALTER TABLE peer RENAME TO elsewhere")
    other.close()
    with refused("tanda_tangan"):
        asks(keys, ring)
    with pytest.raises(LedgerError):
        dict(keys.town.office.peers)


@pytest.mark.parametrize("column", ["file = x'7b7d'", "system = 'sibuser@binjai'", "fingerprint = 'aa'", "not_after = NULL", "state = 'aktif'", "file = 7"])
def test_a_row_that_was_changed_by_hand_is_not_there(keys: Keys, column: str) -> None:
    with sqlite3.connect(keys.town.home / "ledger.db") as other:
        other.execute(f"UPDATE peer SET {column} WHERE system = ?", (SIJOKER,))  # noqa: S608 - our own words
    other.close()
    with refused("tanda_tangan"):
        asks(keys, keys.town.province.ring(SIJOKER))
    assert SIJOKER not in keys.town.office.peers


def test_a_set_that_was_looked_at_is_not_given_to_another_system_by_hand(keys: Keys) -> None:
    ring = keys.town.province.ring(SIJOKER)
    assert asks(keys, ring) == SIJOKER
    with sqlite3.connect(keys.town.home / "ledger.db") as other:
        other.execute("UPDATE peer SET system = 'sibuser@binjai' WHERE system = ?", (SIJOKER,))
    other.close()
    with refused("tanda_tangan"):
        asks(keys, ring)


# --- time
def test_expired_keys_count_for_nothing_and_a_clock_that_goes_back_revives_nothing(keys: Keys) -> None:
    ring, began = keys.town.province.ring(SIJOKER), keys.town.now
    keys.town.now += 730 * DAY - timedelta(seconds=1)
    assert asks(keys, ring) == SIJOKER
    keys.town.now += timedelta(seconds=1)
    with refused("tanda_tangan"):
        asks(keys, ring)
    assert dict(keys.town.office.peers) == {}
    keys.town.now = began
    with refused("tanda_tangan"):
        asks(keys, ring)


def test_the_last_entry_of_a_log_is_not_before_now_after_a_restart_either(keys: Keys) -> None:
    began = keys.town.now
    keys.town.now += 731 * DAY
    keys.officer("kemnaker", "auditor", vouched=False)  # an entry of that day
    keys.town.now = began
    assert SIJOKER not in open_peers(keys.town.office.ledger, lambda: began)
    assert SIJOKER in Peers(keys.town.office.ledger.database, lambda: began)


def test_expiry_is_told_sixty_days_before(keys: Keys) -> None:
    keys.town.now += 669 * DAY
    assert keys.town.office.peers.expiring() == []
    keys.town.now += 2 * DAY
    assert [system for system, _ in keys.town.office.peers.expiring()] == ["siapkerja@kemnaker", "sibuser@binjai", "sijoker@sijunjung"]


# --- over HTTP
def test_an_officer_confirms_and_revokes_from_their_own_machine(keys: Keys) -> None:
    public, _ = keys.made("baru")
    keys.propose(public)
    person, stranger = keys.officer(), keys.officer("kemnaker")
    with keys.town.http() as http:
        with pytest.raises(ClientError, match="hanya petugas pihak"):
            keys.client(stranger, http).confirm_keys(SIJOKER, public.fingerprint)
        officer = keys.client(person, http)
        assert officer.confirm_keys(SIJOKER, public.fingerprint) == {"system": SIJOKER, "not_after": "2028-11-20T03:00:00.000Z", "vouched": True}
        assert officer.revoke_keys(SIJOKER, keys.town.now, "bocor") == {"system": SIJOKER, "exchanges": []}
        with pytest.raises(ClientError):
            officer.revoke_keys(SIJOKER, keys.town.now + DAY, "bocor")
    assert keys.states() == ["revoked", "revoked"]


def test_anyone_can_see_what_the_broker_believes_of_whom(keys: Keys) -> None:
    public, _ = keys.made("baru")
    keys.propose(public)
    with keys.town.http() as http:
        answer = http.get("/.well-known/sinergi-keys.json")
    known = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert known["broker"] == json.loads((keys.town.province.home / "public.json").read_bytes())
    (mine,) = [one for one in known["peers"] if one["system"] == SIJOKER]
    assert (mine["state"], mine["fingerprint"]) == ("active", keys.town.province.public(SIJOKER).fingerprint.replace(" ", ""))
    assert public.fingerprint.replace(" ", "") not in answer.text  # who confirms types it from the notice
    assert "800/4" not in answer.text


def test_a_party_learns_that_the_broker_has_other_keys_for_it(keys: Keys) -> None:
    app = keys.town.app()
    home = keys.town.client(SIJOKER, TestClient(app)).home

    def said(word: str) -> bool:
        (found,) = [f for f in examine(home, keys.town.now, TestClient(app, base_url=URL)) if word in f.what]
        return found.ok

    assert said("yang dipakai broker adalah kunci Anda")
    keys.renewed("lain")
    assert said("LAIN")  # for the overlap
    enrolment.end_overlap(keys.town.office, SIJOKER, keys.town.now)
    keys.town.now += timedelta(seconds=1)
    assert not said("LAIN")
    enrolment.revoke(keys.town.office, None, SIJOKER, keys.town.now, "bocor", keys.town.now)
    assert not said("DICABUT")


def test_a_request_for_the_host_is_the_hosts_alone(keys: Keys) -> None:
    with keys.town.http() as http:
        assert http.post("/v1/keys/host", content=b'{"act":"withdraw","system":"sijoker@sijunjung"}').status_code == 401
    assert keys.states() == ["active"]
