"""Search over people: by who may, with a reason, above 20 only with a second person, answered once, and never a number left behind."""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from broker.audit.subject import FETCHED_WITHIN, PENDING, _disclosure, answer
from broker.cli.log import _answered
from broker.errors import ClientError, NotVerified, Refusal
from broker.identity import sign_request
from broker.jcs import canonical
from broker.keys import RequestKey, SecretKey, derive
from broker.keys.cmac import column_cmac
from broker.ledger import OUTCOMES, RELEASED
from broker.ledger.openings import read_presence, verify_presence
from broker.model import LEVEL_NOTE
from tests.audit.conftest import BINJAI, REASON, SIJUNJUNG
from tests.faults.test_canary import Search
from tests.simulator import SIAPKERJA, SIBUSER, URL

if TYPE_CHECKING:
    from broker.client.auditor import Auditor
    from tests.audit.conftest import Bureau

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
STRANGER = "3275019009909678"


def ask(auditor: Auditor, *subjects: str, agreement: str = SIJUNJUNG, reason: str = REASON, starts: date = FIRST, ends: date = LAST, proofs: bool = False) -> dict[str, Any]:
    return auditor.ask(agreement, starts, ends, reason, subjects, proofs=proofs)


def people(bureau: Bureau, seed: int = 1, n: int = 30) -> list[str]:
    """The NIK of each row that `exchanged` sends."""
    at = bureau.town.office.contracts["pencari_kerja"].names.index("nik")
    return [row[at] for row in bureau.town.rows(n=n, seed=seed)]


def exchanged(bureau: Bureau, rows: slice = slice(None), seed: int = 1) -> str:
    bureau.town.now += timedelta(minutes=1)
    return bureau.town.exchange(bureau.town.csv(bureau.town.rows(n=30, seed=seed)[rows]))[0]


def queries(bureau: Bureau, log: str = SIJUNJUNG) -> list[dict[str, Any]]:
    return [entry for entry in bureau.town.entries(log) if entry["type"] == "sinergi/query/v1"]


def stored(bureau: Bureau) -> list[tuple[str, bytes | None]]:
    """State and sealed list of every request, as on disk."""
    with sqlite3.connect(bureau.town.home / "ledger.db") as c:
        return c.execute("SELECT state, sealed FROM subjectrequest ORDER BY asked, id").fetchall()


def crowd(n: int) -> list[str]:
    return [f"3275019{i // 900:05d}{9001 + i % 900}" for i in range(n)]


# --- the answer
def test_who_received_what_about_a_person(bureau: Bureau, capsys: pytest.CaptureFixture[str]) -> None:
    nik, other = people(bureau)[:2]
    first, second, without = exchanged(bureau, slice(3)), exchanged(bureau, slice(1)), exchanged(bureau, slice(5, 9))
    with bureau.town.http() as http:
        bureau.town.client(SIAPKERJA, http).receive()
    found = ask(bureau.auditor(), nik, other, STRANGER)
    assert (found["looked"], found["unlooked"]) == (3, [])
    mine, theirs, nobodys = found["subjects"]
    assert [one["exchange"] for one in mine["disclosures"]] == [second, first]  # the newest first
    assert ([one["exchange"] for one in theirs["disclosures"]], theirs["without"]) == ([first], 2)
    assert nobodys == {"disclosures": [], "identities": [], "known": False, "without": 0, "proofs": []}
    assert mine["known"] is theirs["known"] is True
    assert without not in json.dumps(found)
    _answered({**found, "subjects": [theirs, nobodys]}, None)
    told = " ".join(capsys.readouterr().out.split())
    assert "Subjek ke-1: ada dalam 1, tidak ada dalam 2." in told
    assert "Subjek ke-2: broker tidak mengenal siapa pun dengan nomor ini" in told
    assert "tidak ada dalam 3" not in told
    assert LEVEL_NOTE[0] in told
    one = mine["disclosures"][1]
    manifest = next(e for e in bureau.town.entries() if e.get("exchange") == first and e["type"] == "sinergi/exchange/v1")
    assert (one["sender"], one["recipient"], one["dataset"], one["purpose"]) == ("sijoker@sijunjung", "siapkerja@kemnaker", "pencari_kerja", "perencanaan")
    assert (one["time"], one["clauses"], one["policy_version"], one["state"]) == (manifest["time"], manifest["clauses"], 1, "receipted")
    assert (one["outcomes"], one["sequences"]) == (["terkirim"], [0])
    assert one["levels"] == {column: int(level) for column, level in zip(manifest["columns"], manifest["profiles"][0]["levels"], strict=True)}


def test_a_withheld_row_disclosed_nothing(bureau: Bureau) -> None:
    rows = [list(row) for row in bureau.town.rows(n=30)]
    names = bureau.town.office.contracts["pencari_kerja"].names
    rows[4][names.index("jenis_kelamin")] = "X"
    bureau.town.exchange(bureau.town.csv(rows))
    (one,) = ask(bureau.auditor(), rows[4][names.index("nik")])["subjects"][0]["disclosures"]
    assert (one["outcomes"], one["levels"]) == (["ditahan_aturan"], {})


def test_a_person_twice_in_an_exchange_has_both_rows(bureau: Bureau) -> None:
    rows = bureau.town.rows(n=10)
    bureau.town.exchange(bureau.town.csv([*rows, rows[3]]))
    nik = rows[3][bureau.town.office.contracts["pencari_kerja"].names.index("nik")]
    (one,) = ask(bureau.auditor(), nik)["subjects"][0]["disclosures"]
    assert (one["outcomes"], one["sequences"]) == (["terkirim", "terkirim"], [3, 10])


def test_of_two_rows_the_more_open_level_of_each_column_is_told() -> None:
    manifest = {"columns": ["a", "b"], "profiles": [{"levels": "31"}, {"levels": "13"}, {"levels": "55"}], "exchange": "00" * 16, "time": "", "sender": "", "recipient": "", "contract": {"dataset": ""}, "purpose": "",
                "clauses": [], "policy": {"version": 1}}  # fmt: skip
    leaves = [bytes(48) + profile.to_bytes(2, "big") + bytes([outcome]) + bytes(4) for profile, outcome in ((0, RELEASED), (1, RELEASED), (2, OUTCOMES["ditahan_aturan"]))]
    assert _disclosure(0, json.dumps(manifest).encode(), "recorded", leaves).levels == {"a": 3, "b": 3}


def test_only_days_that_were_asked_about_are_looked_through(bureau: Bureau) -> None:
    nik = people(bureau)[0]
    exchanged(bureau)
    bureau.town.now = bureau.town.now.replace(hour=17, minute=30)  # 00.30 of the next day in WIB
    late = exchanged(bureau)
    auditor = bureau.auditor()
    for starts, ends, looked in ((FIRST, LAST, 2), (FIRST, date(2026, 11, 21), 1), (date(2026, 11, 22), LAST, 1), (date(2026, 11, 23), LAST, 0), (FIRST, date(2026, 11, 20), 0)):
        found = ask(auditor, nik, starts=starts, ends=ends)
        assert (found["looked"], len(found["subjects"][0]["disclosures"])) == (looked, looked)
    assert ask(auditor, nik, starts=date(2026, 11, 22))["subjects"][0]["disclosures"][0]["exchange"] == late


def test_another_agreements_exchanges_are_not_looked_through(bureau: Bureau) -> None:
    exchanged(bureau)
    bureau.town.exchange(bureau.town.csv(bureau.town.rows(n=4, party="binjai", agreement=BINJAI)), agreement=BINJAI, sender=SIBUSER, basis="UU 13/2003")
    both = bureau.auditor("kemnaker")
    assert [ask(both, people(bureau)[0], agreement=name)["looked"] for name in (SIJUNJUNG, BINJAI)] == [1, 1]
    assert ask(both, people(bureau)[0], agreement=BINJAI)["subjects"][0]["disclosures"] == []
    auditor, before, log = bureau.auditor(), bureau.town.entries(BINJAI), bureau.town.entries("broker")
    errors = []
    for name in (BINJAI, "nk-padang-2025"):
        with pytest.raises(ClientError, match="cari_subjek") as error:
            ask(auditor, people(bureau)[0], agreement=name)
        errors.append(str(error.value))
    assert len(set(errors)) == 1
    assert bureau.town.entries(BINJAI) == before  # nobody writes in a log that they have no part in
    told = bureau.town.entries("broker")[len(log) :]
    assert [(one["type"], one["reason"], one["sender"]) for one in told] == [("sinergi/refusal/v1", "wewenang", auditor.person)] * 2


def test_who_was_never_seen_and_who_was_erased_are_answered_alike(bureau: Bureau) -> None:
    nik = people(bureau)[0]
    exchanged(bureau)
    auditor = bureau.auditor()
    assert len(ask(auditor, nik, proofs=True)["subjects"][0]["disclosures"]) == 1
    key = derive(bureau.town.office.rings[SIJUNJUNG].get(SecretKey, "vault").seed, "tag", SIJUNJUNG.encode())
    with bureau.town.office.ledger.database.write() as tx:
        tx.vault(SIJUNJUNG).forget(column_cmac(key, pl.Series([nik]))[0].tobytes())
    erased, stranger = (ask(auditor, who, proofs=True)["subjects"] for who in (nik, STRANGER))
    assert erased == stranger == [{"disclosures": [], "identities": [], "known": False, "without": 0, "proofs": []}]


def test_asking_about_a_stranger_makes_nobody_known(bureau: Bureau) -> None:
    exchanged(bureau)
    with bureau.town.office.ledger.database.read() as tx:
        before = b"".join(tx.vault_ids(SIJUNJUNG))
    ask(bureau.auditor(), STRANGER, "X9001001")
    with bureau.town.office.ledger.database.read() as tx:
        assert b"".join(tx.vault_ids(SIJUNJUNG)) == before


def test_an_exchange_whose_leaves_or_key_are_gone_is_named_and_not_counted_as_without(bureau: Bureau) -> None:
    harms = ("UPDATE exchangesecret SET secret = x''", "DELETE FROM segment", "UPDATE segment SET rows = substr(rows, 56)")
    gone = [exchanged(bureau) for _ in harms]
    with sqlite3.connect(bureau.town.home / "ledger.db") as c:
        for harm, name in zip(harms, gone, strict=True):
            c.execute(f"{harm} WHERE exchange = ?", (name,))
    there = exchanged(bureau)
    found = ask(bureau.auditor(), people(bureau)[0])
    assert (found["looked"], found["unlooked"]) == (1, gone)
    assert [one["exchange"] for one in found["subjects"][0]["disclosures"]] == [there]


def test_every_exchange_looked_through_is_proven_on_request(bureau: Bureau) -> None:
    nik = people(bureau)[0]
    present, absent = exchanged(bureau), exchanged(bureau, slice(5, 30))
    found = ask(bureau.auditor(), nik, STRANGER, proofs=True)
    shown = {proof["exchange"]: proof for proof in found["subjects"][0]["proofs"]}
    assert set(shown) == {present, absent}
    for name, leaves in ((present, 1), (absent, 0)):
        records = next(e["records"] for e in bureau.town.entries() if e.get("exchange") == name and e["type"] == "sinergi/exchange/v1")
        presence = read_presence(shown[name]["presence"])
        verify_presence(bytes.fromhex(name), bytes.fromhex(shown[name]["ref"]), records["leaves"], bytes.fromhex(records["root"]), presence)
        assert len(presence.leaves) == leaves


def test_without_proofs_a_leaf_changed_by_hand_is_believed_and_with_them_it_is_not(bureau: Bureau, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/formats/audit.md says so, and so does the command."""
    nik, name = people(bureau)[0], exchanged(bureau)
    auditor = bureau.auditor()
    before = ask(auditor, nik, proofs=True)
    ref = bytes.fromhex(before["subjects"][0]["proofs"][0]["ref"])
    with sqlite3.connect(bureau.town.home / "ledger.db") as c:
        (rows,) = c.execute("SELECT rows FROM segment WHERE exchange = ?", (name,)).fetchone()
        c.execute("UPDATE segment SET rows = ? WHERE exchange = ?", (rows.replace(ref, ref[:15] + bytes([ref[15] ^ 1])), name))
    for proofs in (False, True):
        found = ask(auditor, nik, proofs=proofs)
        assert (found["looked"], found["subjects"][0]["disclosures"]) == (1, [])
        _answered(found, None)
        assert ("Tanpa bukti" in capsys.readouterr().out) is not proofs
    (proof,) = found["subjects"][0]["proofs"]
    records = next(e["records"] for e in bureau.town.entries() if e.get("exchange") == name)
    with pytest.raises(NotVerified):
        verify_presence(bytes.fromhex(name), ref, records["leaves"], bytes.fromhex(records["root"]), read_presence(proof["presence"]))


# --- who may, and why
def test_a_role_without_the_act_asks_about_nobody(bureau: Bureau) -> None:
    exchanged(bureau)
    for role in ("operator", "admin_pihak", "petugas_keamanan", "pembuka_samaran"):
        person = bureau.auditor("sijunjung", role)
        with pytest.raises(ClientError, match="cari_subjek"):
            person.requests()
        with pytest.raises(ClientError, match="cari_subjek"):
            ask(person, people(bureau)[0])
        assert bureau.town.entries()[-1]["sender"] == person.person
    assert queries(bureau) == []
    assert stored(bureau) == []


def test_a_key_that_nobody_vouched_for_asks_about_nobody(bureau: Bureau) -> None:
    auditor = bureau.auditor()
    with sqlite3.connect(bureau.town.home / "ledger.db") as c:
        c.execute("UPDATE person SET voucher = NULL WHERE id = ?", (auditor.person,))
    with pytest.raises(ClientError, match="belum menjamin"):
        ask(auditor, STRANGER)
    assert bureau.town.entries()[-1]["reason"] == "belum_dijamin"
    assert stored(bureau) == []
    with pytest.raises(ClientError, match="belum menjamin"):
        auditor.search("")


def test_without_a_reason_that_may_be_kept_nothing_is_answered(bureau: Bureau) -> None:
    auditor = bureau.auditor()
    numbers = ("permintaan atas NIK 3275019009909678", "permintaan atas 3275 0190 0990 9678 itu", "hubungi 0812-3456-7890 saja ya", "soal paspor x-9001001 yang hilang", "atas 3275:0190:0990:9678 itu", "atas 32750190 dan 09909678 itu")
    for reason in ("", " " * 20, "pendek", " pendek    ", "x" * 501, "baris satu\nbaris dua", *numbers):
        with pytest.raises(ClientError, match="Alasan tertulis"):
            ask(auditor, STRANGER, "X9001001", reason=reason)
    assert stored(bureau) == []
    assert queries(bureau) == []


def test_subjects_are_numbers_of_people(bureau: Bureau) -> None:
    auditor = bureau.auditor()
    for wrong in ("", "123", "1" * 17, "12345678901234a6", "Budi Santoso", "paspor:X9001001", "x9001001", f"{STRANGER} ", "１２３４５６７８９０１２３４５６", STRANGER):
        with pytest.raises(ClientError, match="Subjek ke-2") as error:
            ask(auditor, STRANGER, wrong)
        assert not wrong or wrong not in str(error.value)
    with pytest.raises(ClientError, match="subjects"):
        ask(auditor)
    with pytest.raises(ClientError, match="subjects"):
        ask(auditor, *crowd(1001))
    with pytest.raises(ClientError, match="from"):
        ask(auditor, STRANGER, starts=LAST, ends=FIRST)
    assert stored(bureau) == []


@pytest.mark.parametrize("route", ["subjects", "bundle"])
def test_a_question_is_exactly_its_fields(bureau: Bureau, route: str) -> None:
    auditor = bureau.auditor()
    good: dict[str, Any] = {"agreement": SIJUNJUNG, "from": "2026-11-01", "reason": REASON, "subjects": [STRANGER], "to": "2026-11-30"} | ({"proofs": False} if route == "subjects" else {})
    wrongs = [{**good, "more": 1}, *({name: value for name, value in good.items() if name != left} for left in good), {**good, "subjects": STRANGER}, {**good, "subjects": [1]}, {**good, "from": "kemarin"},
              {**good, "agreement": None}, {**good, "proofs": "ya"}, {**good, "request": "0" * 32}, {"request": 1}, {}]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(ClientError, match="isi") as error:
            auditor._to.send("POST", f"/v1/audit/{route}", canonical(wrong), "application/json")
        assert STRANGER not in str(error.value)
    assert stored(bureau) == []


def test_a_number_never_stands_in_an_address(bureau: Bureau) -> None:
    auditor = bureau.auditor()
    key = auditor._ring.get(RequestKey, "request")
    for method, path in (("GET", f"?nik={STRANGER}"), ("POST", f"?subjects={STRANGER}"), ("GET", f"/{STRANGER}"), ("POST", f"/{STRANGER}/answer"), ("GET", f"/{'0' * 32}?nik={STRANGER}"), ("POST", f"/{'0' * 32}/approve?x")):
        url = f"{URL}/v1/audit/subjects{path}"
        response = bureau.http.request(method, url, headers=sign_request(method, url, {}, key, bureau.town.now))
        assert response.status_code in (400, 404, 405)
        assert STRANGER not in response.text
    assert queries(bureau) == []


# --- a second person
def test_twenty_are_answered_and_one_more_waits(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker", "ppdp")
    assert len(ask(auditor, *crowd(20))["subjects"]) == 20
    assert len(ask(second, *crowd(20))["subjects"]) == 20  # each has a day of their own
    waiting = ask(auditor, STRANGER)  # the twenty-first of the day: a list cut in pieces is one list
    assert (waiting["state"], waiting["subjects"]) == ("pending", 1)
    ministry = bureau.auditor("kemnaker")
    assert len(ask(ministry, *crowd(20))["subjects"]) == 20
    assert ask(ministry, STRANGER, agreement=BINJAI)["state"] == "pending"  # nor does another agreement begin another day
    bureau.town.now += timedelta(hours=24)
    assert ask(second, *crowd(21))["state"] == "pending"
    assert len(ask(auditor, STRANGER)["subjects"]) == 1


def test_a_request_waits_is_approved_and_is_answered_once(bureau: Bureau) -> None:
    exchanged(bureau)
    subjects = people(bureau)[:21]
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker", "ppdp")
    waiting = ask(auditor, *subjects)
    name = waiting["request"]
    assert all(nik not in json.dumps([waiting, second.requests(), second.request(name)]) for nik in subjects)
    (shown,) = second.requests()
    assert (shown["person"], shown["subjects"], shown["reason"], shown["from"], shown["to"]) == (auditor.person, 21, REASON, "2026-11-01", "2026-11-30")
    with pytest.raises(ClientError, match="pending"):
        auditor.answer(name)
    assert second.approve(name)["approver"] == second.person
    with pytest.raises(ClientError, match="Tidak ada permintaan"):
        second.answer(name)  # the asker's own
    found = auditor.answer(name)
    assert [len(one["disclosures"]) for one in found["subjects"]] == [1] * 21
    with pytest.raises(ClientError, match="answered"):
        auditor.answer(name)
    assert stored(bureau) == [("answered", None)]
    reason = hashlib.sha256(REASON.encode()).hexdigest()
    common = {"from": "2026-11-01", "reason_sha256": reason, "request": name, "subjects": 21, "to": "2026-11-30", "type": "sinergi/query/v1"}
    told = [{k: v for k, v in entry.items() if k != "time"} for entry in queries(bureau)]
    assert told == [
        {"act": "asked", "person": auditor.person, **common},
        {"act": "approved", "person": second.person, **common},
        {"act": "answered", "hits": 21, "looked": 1, "person": auditor.person, **common},
    ]


def test_who_asks_never_approves(bureau: Bureau) -> None:
    auditor = bureau.auditor()
    name = ask(auditor, *crowd(21))["request"]
    with pytest.raises(ClientError, match="penanya tidak menyetujui"):
        auditor.approve(name)
    assert bureau.town.entries()[-1]["reason"] == "setuju_sendiri"
    with pytest.raises(ClientError, match="pending"):
        auditor.answer(name)
    assert auditor.decline(name)["state"] == "declined"  # but may think better of it


def test_who_may_not_ask_does_not_approve(bureau: Bureau) -> None:
    name = ask(bureau.auditor(), *crowd(21))["request"]
    for party, role in (("binjai", "auditor"), ("sijunjung", "petugas_keamanan"), ("bpk", "auditor"), ("binjai", "ppdp")):
        other = bureau.auditor(party, role)
        for act in (other.approve, other.decline):
            with pytest.raises(ClientError, match=r"Tidak ada permintaan|cari_subjek"):
                act(name)
    assert stored(bureau)[0][0] == "pending"


def test_a_request_is_seen_by_who_reads_its_own_agreements_log(bureau: Bureau) -> None:
    name = ask(bureau.auditor(), *crowd(21))["request"]
    stranger = bureau.auditor("binjai")
    assert stranger.requests() == []
    for act in (stranger.request, stranger.approve, stranger.decline, stranger.answer):
        with pytest.raises(ClientError, match="Tidak ada permintaan"):
            act(name)
    assert bureau.auditor("sijunjung", "petugas_keamanan").request(name)["reason"] == REASON


def test_an_answer_is_for_an_asker_whose_key_is_vouched_for_still(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    name = ask(auditor, *crowd(21))["request"]
    second.approve(name)
    with sqlite3.connect(bureau.town.home / "ledger.db") as c:
        c.execute("UPDATE person SET voucher = NULL WHERE id = ?", (auditor.person,))
    with pytest.raises(ClientError):
        auditor.answer(name)
    assert stored(bureau)[0][0] == "approved"
    assert "answered" not in {entry["act"] for entry in queries(bureau)}


def test_an_auditor_from_outside_always_needs_a_second_person(bureau: Bureau) -> None:
    exchanged(bureau)
    auditor, second = bureau.auditor("bpk"), bureau.auditor()
    name = ask(auditor, people(bureau)[0])["request"]
    second.approve(name)
    assert len(auditor.answer(name)["subjects"][0]["disclosures"]) == 1


def test_a_declined_request_is_never_answered_and_its_list_is_gone(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    name = ask(auditor, *crowd(21))["request"]
    assert stored(bureau)[0][1] is not None
    second.decline(name)
    assert stored(bureau) == [("declined", None)]
    for act in (auditor.answer, second.approve, second.decline):
        with pytest.raises(ClientError, match="declined"):
            act(name)
    assert [entry["act"] for entry in queries(bureau)] == ["asked", "declined"]
    assert second.request(name)["reason"] == REASON


@pytest.mark.parametrize("approved", [True, False])
def test_a_request_lapses_and_its_list_goes_with_it(bureau: Bureau, approved: bool) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    name = ask(auditor, *crowd(21))["request"]
    if approved:
        second.approve(name)
    bureau.town.now += FETCHED_WITHIN if approved else PENDING
    with pytest.raises(ClientError, match="expired"):
        auditor.answer(name)
    assert stored(bureau) == [("expired", None)]
    with pytest.raises(ClientError, match="expired"):
        second.approve(name)
    assert second.requests() == []


def test_what_lapsed_is_not_approved_though_nobody_asked_since(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    names = [ask(auditor, *crowd(21))["request"]]
    bureau.town.now += PENDING - timedelta(seconds=1)
    assert [row["request"] for row in second.requests()] == names  # so long it waits
    bureau.town.now += timedelta(seconds=1)
    assert second.requests() == []
    name = ask(auditor, *crowd(21))["request"]
    bureau.town.now += PENDING
    with pytest.raises(ClientError, match="expired"):
        second.approve(name)
    assert stored(bureau) == [("expired", None)] * 2


def test_an_approval_counts_only_while_its_officer_is_in_office(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    name = ask(auditor, *crowd(21))["request"]
    second.approve(name)
    with bureau.town.office.ledger.database.write() as tx:
        tx.people.change(second.person, state="ended")
    with pytest.raises(ClientError, match="pending"):
        auditor.answer(name)
    assert "answered" not in {entry["act"] for entry in queries(bureau)}


def test_an_approval_counts_only_while_its_officers_key_is_vouched_for(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    name = ask(auditor, *crowd(21))["request"]
    second.approve(name)
    with sqlite3.connect(bureau.town.home / "ledger.db") as c:
        c.execute("UPDATE person SET voucher = NULL WHERE id = ?", (second.person,))
    with pytest.raises(ClientError, match="pending"):
        auditor.answer(name)
    assert "answered" not in {entry["act"] for entry in queries(bureau)}


def test_of_answers_fetched_at_the_same_time_one_comes(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    name = ask(auditor, *crowd(21))["request"]
    second.approve(name)
    with bureau.town.office.ledger.database.read() as tx:
        person = tx.people.get(auditor.person)
    assert person is not None

    def fetch(_: int) -> str:
        try:
            answer(bureau.town.office, person, name, bureau.town.now)
        except Refusal as refusal:
            return refusal.reason
        return "answered"

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(fetch, range(6))) == ["answered", *["permintaan_keadaan"] * 5]
    assert [entry["act"] for entry in queries(bureau)].count("answered") == 1


def test_a_sealed_list_opens_for_its_own_request_alone(bureau: Bureau) -> None:
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    names = [ask(auditor, *crowd(21))["request"], ask(auditor, *crowd(22))["request"]]
    with sqlite3.connect(bureau.town.home / "ledger.db") as c:
        c.execute("UPDATE subjectrequest SET sealed = (SELECT sealed FROM subjectrequest WHERE id = ?) WHERE id = ?", names)
    second.approve(names[1])
    with pytest.raises(ClientError, match="Tidak ada permintaan"):
        auditor.answer(names[1])


# --- nothing left behind
def test_no_number_is_left_anywhere(bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    subjects = [*people(bureau)[:21], "X90010017"]
    exchanged(bureau)
    auditor, second = bureau.auditor(), bureau.auditor("kemnaker")
    said = [json.dumps(ask(auditor, *subjects[:3]))]
    name = ask(auditor, *subjects)["request"]
    search = Search({*subjects, *crowd(21)})
    home = bureau.town.home
    assert search.files(home) == []  # while the list waits: -wal and -shm are there
    assert (home / "ledger.db-wal").exists()
    second.approve(name)
    said.append(json.dumps(auditor.answer(name)))
    second.decline(ask(auditor, *crowd(21))["request"])
    for wrong in ((subjects[0], subjects[0]), (f"{subjects[0]}1",)):
        with pytest.raises(ClientError) as error:
            ask(auditor, *wrong)
        said.append(str(error.value))
    assert search.files(home) == []
    assert not search.hits("\n".join([*said, caplog.text]).encode())
    assert search.hits(subjects[-1].encode())
    # Nor a digest that whoever guesses the number could make again.
    whole = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    for nik in subjects:
        for made in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.blake2b):
            assert made(nik.encode()).digest() not in whole
            assert made(nik.encode()).hexdigest().encode() not in whole


def test_an_answer_holds_no_number_of_the_person(bureau: Bureau) -> None:
    nik = people(bureau)[0]
    exchanged(bureau)
    found = json.dumps(ask(bureau.auditor(), nik, proofs=True))
    assert nik not in found
    assert nik.encode() not in b"".join(b64decode(p["presence"]["leaves"][0]["leaf"]) for p in json.loads(found)["subjects"][0]["proofs"])
