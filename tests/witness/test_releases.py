"""Releases need their witnesses: after a start, within the limit, and never against one that saw another log."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from broker import door
from broker.audit import unusual
from broker.client.doctor import examine
from broker.errors import ClientError, ConfigError, Held
from broker.keys import LogKey, WitnessKey
from broker.keys.ring import DESTROYED
from broker.keys.rotate import in_state, rotated
from broker.ledger import read_checkpoint
from broker.ledger.cosign import cosigners, satisfied, vkey_of
from broker.rows import treat_chunk
from broker.settings import read_settings
from broker.upkeep import MAX_TRIES
from broker.web.worker import Worker
from broker.wiring import init_home, open_office
from broker.witnessing import Witnessing, cosigned, mark_of, read_quorums, uncosigned
from tests.lifecycle.conftest import Desk
from tests.refusals.refusing import signed
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER, URL, Town
from tests.witness.conftest import LIMIT_HOURS, NK, Village

if TYPE_CHECKING:
    from pathlib import Path

    from broker.client import Client
    from tests.simulator import Province


def held(village: Village, reason: str = "saksi") -> Held:
    """A new exchange is held: it stays accepted, with its spooled body, and nothing is recorded or released."""
    town = village.town
    size = town.office.ledger.size(NK)
    with pytest.raises(Held) as found:
        town.exchange(town.csv(town.rows(n=3)))
    assert found.value.reason == reason
    row = town.row(town.last)
    assert (row.state, row.header, row.manifest) == ("accepted", None, None)
    assert town.office.folders.spool(town.last).exists()
    assert town.office.ledger.size(NK) == size
    return found.value


def let_out(village: Village) -> str:
    town = village.town
    return town.exchange(town.csv(town.rows(n=3)))[0]


def acts(village: Village) -> list[str]:
    return [entry["act"] for entry in village.town.entries(NK) if entry["type"] == "sinergi/witness/v1"]


# --- after a start
def test_after_a_start_nothing_is_released_until_the_quorum_answered(village: Village) -> None:
    assert held(village).facts == {"kesepakatan": NK, "sejak": "2026-11-21T03:00:00.000Z", "saksi": f"{SIJOKER}, {SIAPKERJA}"}
    assert village.round()
    let_out(village)
    village.restart()
    held(village)
    assert village.round()
    let_out(village)


def test_the_quorum_must_be_whole(village: Village) -> None:
    village.stands[1].stop()
    assert not village.round()
    assert held(village).facts["saksi"] == SIAPKERJA
    village.stands[1].start()
    assert village.round()
    let_out(village)


def test_a_quorum_of_any_needs_one(village: Village) -> None:
    village.policy("any")
    village.stands[0].stop()
    assert village.round()
    let_out(village)


def test_another_agreement_waits_for_nobody(village: Village) -> None:
    held(village)
    town = village.town
    rows = town.rows(n=3, party="binjai", agreement="nk-binjai-2025")
    town.exchange(town.csv(rows), agreement="nk-binjai-2025", sender=SIBUSER, basis="UU 13/2003")


def test_without_a_quorum_line_of_names_nothing_waits(village: Village) -> None:
    path = village.town.home / "witnesses" / f"{NK}.policy"
    path.write_text("".join(stand.line for stand in village.stands) + "quorum none\n")
    village.restart()
    let_out(village)
    village.round()
    with village.town.office.ledger.database.read() as tx:
        assert len(cosigners(village.town.office.quorums[NK].policy, str(tx.checkpoint(NK)))) == 2


# --- the limit
def test_releases_stop_at_the_limit_and_resume_by_themselves(village: Village) -> None:
    town = village.town
    village.round()
    let_out(village)  # the oldest entry that no quorum has seen
    for stand in village.stands:
        stand.stop()
    town.now += timedelta(hours=LIMIT_HOURS)
    village.round()
    let_out(village)  # exactly the limit: not older
    town.now += timedelta(milliseconds=1)
    assert held(village).facts["sejak"] == "2026-11-21T03:00:00.000Z"
    village.round()
    village.round()
    assert acts(village) == ["stopped"]
    for stand in village.stands:
        stand.start()
    assert village.round()
    let_out(village)
    village.round()
    assert acts(village) == ["stopped", "resumed"]
    stopped, resumed = (entry for entry in village.town.entries(NK) if entry["type"] == "sinergi/witness/v1")
    assert stopped == {"act": "stopped", "missing": f"{SIJOKER}, {SIAPKERJA}", "since": "2026-11-21T03:00:00.000Z", "time": "2026-11-21T07:00:00.001Z", "type": "sinergi/witness/v1"}
    assert sorted(resumed) == ["act", "time", "type"]


def test_the_limit_counts_from_the_oldest_entry_not_the_last(village: Village) -> None:
    town = village.town
    village.round()
    village.stands[0].stop()
    for _ in range(LIMIT_HOURS + 1):
        let_out(village)
        village.round()
        town.now += timedelta(hours=1)
    assert held(village).facts["saksi"] == SIJOKER


def test_a_limit_that_passes_while_rows_are_treated_holds_in_the_recording_transaction(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    village.round()
    town, quorum = village.town, village.town.office.quorums[NK]

    def treating(*given: Any) -> Any:
        quorum.speak_against(SIJOKER)
        return treat_chunk(*given)

    monkeypatch.setattr("broker.exchange.treat_chunk", treating)
    held(village, "saksi_mundur")
    with town.office.ledger.database.read() as tx:
        assert list(tx.segments(town.last)) == []


def test_what_was_recorded_before_is_not_fetched_while_releases_wait(village: Village, tmp_path: Path) -> None:
    town = village.town
    file = tmp_path / "in.csv"
    file.write_bytes(town.csv(town.rows(n=3)))
    village.round()
    with town.http() as http:
        send(town.client(SIJOKER, http), file)
        for stand in village.stands:
            stand.stop()
        town.now += timedelta(hours=LIMIT_HOURS, seconds=1)
        siapkerja = town.client(SIAPKERJA, http)
        with pytest.raises(ClientError, match="menunggu saksi"):
            siapkerja.receive()
        for stand in village.stands:
            stand.start()
        village.round()
        assert len(siapkerja.receive()) == 1


# --- nothing is lost
def send(client: Client, file: Path) -> str:
    return client.send(file, agreement=NK, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA).state


def test_a_submission_meanwhile_is_told_to_come_back_and_its_sealed_bytes_are_sent_again(village: Village, tmp_path: Path) -> None:
    town = village.town
    file = tmp_path / "in.csv"
    file.write_bytes(town.csv(town.rows(n=3)))
    for stand in village.stands:
        stand.stop()
    with town.http() as http:
        sijoker = town.client(SIJOKER, http)
        answer = sijoker.send(file, agreement=NK, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        assert (answer.exchange, answer.state) == ("", "refused")
        assert answer.problem is not None
        assert (answer.problem["status"], answer.problem["reason"]) == (503, "saksi")
        assert len(list((sijoker.home / "outgoing").iterdir())) == 1
        assert list((town.home / "spool").iterdir()) == []
        assert [e for e in town.entries("broker") if e["type"] == "sinergi/refusal/v1"] == []
        for stand in village.stands:
            stand.start()
        village.round()
        assert [one.state for one in sijoker.resend()] == ["recorded"]
        assert list((sijoker.home / "outgoing").iterdir()) == []


def test_a_retry_of_an_accepted_submission_is_answered_while_releases_wait(village: Village, tmp_path: Path) -> None:
    """It has its exchange: the same key must not be told that nothing was accepted."""
    town = village.town
    body = town.submission(town.csv(town.rows(n=3)))

    def admitted(name: str) -> tuple[str, bool]:
        town.office.folders.spool(name).write_bytes(body)
        headers = {k.lower(): v for k, v in signed(town, body, idempotency="k" * 20).items()}
        caller = door.authenticate(town.office, "POST", f"{URL}/v1/exchanges", headers, town.now, body=True, also=("idempotency-key",))
        return door.admit(town.office, caller, name, hashlib.sha256(body).digest(), door.idempotency(caller, "k" * 20), town.now)

    village.round()
    name, new = admitted("a" * 32)
    village.restart()
    assert (name, new) == ("a" * 32, True)
    assert admitted("b" * 32) == (name, False)


def test_an_accepted_one_waits_through_starts_without_being_given_up(village: Village) -> None:
    town = village.town
    for stand in village.stands:
        stand.stop()
    name = town.accept(town.submission(town.csv(town.rows(n=3))))
    for _ in range(MAX_TRIES + 1):
        village.restart()
        worker = Worker(town.office, lambda: town.now)
        worker.wait(name, 10)
        worker.close()
    assert (town.row(name).state, town.row(name).tries) == ("accepted", 0)
    for stand in village.stands:
        stand.start()
    village.restart()
    worker = Worker(town.office, lambda: town.now)  # its own first round frees it
    try:
        for _ in range(200):
            if town.row(name).state == "recorded":
                break
            worker.wait(name, 1)
            worker._ended.wait(0.05)
    finally:
        worker.close()
    assert (town.row(name).state, town.row(name).tries) == ("recorded", 1)


# --- what a witness remembers
class Backup:
    """A copy of a broker's home as it was."""

    def __init__(self, town: Town, folder: Path) -> None:
        town.close()
        self.copy = folder / "backup"
        shutil.copytree(town.home, self.copy)

    def restore(self, village: Village) -> None:
        village.close_witnessing()
        village.town.close()
        shutil.rmtree(village.town.home)
        shutil.copytree(self.copy, village.town.home)
        village.restart()


def backed_up(village: Village, tmp_path: Path) -> Backup:
    """A backup, and after it two more exchanges that the witnesses saw."""
    village.round()
    let_out(village)
    village.round()
    backup = Backup(village.town, tmp_path)
    village.restart()
    village.round()
    let_out(village)
    let_out(village)
    village.round()
    return backup


def test_a_restored_backup_releases_nothing(village: Village, tmp_path: Path) -> None:
    backup = backed_up(village, tmp_path)
    lost = village.town.office.ledger.note(NK)
    backup.restore(village)
    town = village.town
    held(village, "saksi")  # before anyone was asked: there is no window
    assert not village.round()
    held(village, "saksi_mundur")
    assert acts(village) == ["rolled_back"]
    (entry,) = [e for e in town.entries(NK) if e["type"] == "sinergi/witness/v1"]
    assert (entry["ours"], entry["theirs"], entry["proven"]) == (2, 4, True)
    assert sorted(entry) == ["act", "evidence_sha256", "ours", "proven", "theirs", "time", "type", "witness"]
    assert entry["evidence_sha256"] == hashlib.sha256(mark_of(town.home, NK).read_bytes()).hexdigest()
    mark = json.loads(mark_of(town.home, NK).read_bytes())
    assert mark["their_note"].split("\n\n")[0] == str(lost).split("\n\n")[0]  # signed by our own key: it says what was lost
    village.restart()
    held(village, "saksi_mundur")  # also after a restart
    village.round()
    assert acts(village) == ["rolled_back"]


def test_a_restored_backup_that_grew_past_the_witnesses_is_a_fork(village: Village, tmp_path: Path) -> None:
    backup = backed_up(village, tmp_path)
    backup.restore(village)
    town = village.town
    for n in range(5):
        with town.office.ledger.writing() as book:
            book.append(NK, b'{"time":"2026-11-21T03:00:00.000Z","type":"sinergi/refusal/v1","n":%d}' % n)
    assert not village.round()
    held(village, "saksi_mundur")


def test_taking_the_mark_away_is_no_way_around(village: Village, tmp_path: Path) -> None:
    """Only a log that the witnesses agree with is released again."""
    backup = backed_up(village, tmp_path)
    newer = Backup(village.town, tmp_path / "newer")
    backup.restore(village)
    village.round()
    mark_of(village.town.home, NK).unlink()
    village.restart()
    held(village, "saksi")
    village.round()
    held(village, "saksi_mundur")
    newer.restore(village)
    assert village.round()
    let_out(village)


def test_of_two_brokers_from_one_backup_only_one_goes_on(village: Village, province: Province, tmp_path: Path) -> None:
    village.round()
    let_out(village)
    village.round()
    backup = Backup(village.town, tmp_path)
    village.restart()
    other_town = Town(province, tmp_path / "other", village.town.now)
    other = Village.__new__(Village)
    other.town, other.stands = other_town, village.stands
    backup.restore(other)
    for each in (village, other):  # both are where the witnesses are: the first to record wins
        assert each.round()
    let_out(village)
    let_out(other)
    assert village.round()
    assert not other.round()
    held(other, "saksi_mundur")
    let_out(village)
    other.close_witnessing()
    other_town.close()


def test_a_witness_against_the_log_is_heard_before_another_is_enough(village: Village, tmp_path: Path) -> None:
    """With a quorum of any, a witness that did not see the lost part would let it pass."""
    village.policy("any")
    village.stands[1].stop()
    backup = backed_up(village, tmp_path)
    backup.restore(village)
    village.stands[1].start()  # it cosigned nothing, and would now
    assert not village.round()
    held(village, "saksi_mundur")


def test_a_witness_that_is_ahead_is_not_heard_before_the_log_is_held_against_it(village: Village, tmp_path: Path) -> None:
    """The log grew past the witness while it was asked about a smaller checkpoint: that it is larger now says nothing."""
    backup = backed_up(village, tmp_path)
    backup.restore(village)
    town, quorum = village.town, village.town.office.quorums[NK]
    note = town.office.ledger.note(NK)
    for n in range(5):
        with town.office.ledger.writing() as book:
            book.append(NK, b'{"time":"2026-11-21T03:00:00.000Z","type":"sinergi/refusal/v1","n":%d}' % n)
    assert village.witnessing._asked(quorum, quorum.policy.witnesses[0], str(note)) == "another log"
    held(village, "saksi_mundur")


def test_a_witness_that_is_ahead_on_our_own_log_is_counted_for_what_it_stands_at(village: Village) -> None:
    """Its answer was lost, to a later checkpoint than the one it is asked about."""
    town, quorum = village.town, village.town.office.quorums[NK]
    village.round()
    let_out(village)
    note = town.office.ledger.note(NK)
    let_out(village)
    village.round()
    with town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("DELETE FROM cosignature WHERE size = 3")
    assert village.witnessing._asked(quorum, quorum.policy.witnesses[0], str(note)) == ""
    with town.office.ledger.database.read() as tx:
        assert tx.cosignatures.last(NK, quorum.policy.witnesses[0].vkey.text) == town.office.ledger.size(NK)
    assert not quorum.against


def test_a_mark_that_cannot_be_read_still_holds(village: Village) -> None:
    mark_of(village.town.home, NK).write_text("apa saja")
    village.restart()
    assert held(village, "saksi_mundur").facts["saksi"] == "?"


# --- what the broker keeps and shows
def test_checkpoints_and_proofs_carry_the_cosignatures(village: Village, tmp_path: Path) -> None:
    town = village.town
    file = tmp_path / "in.csv"
    file.write_bytes(town.csv(town.rows(n=3)))
    policy = town.office.quorums[NK].policy
    village.round()
    with town.http() as http:
        sijoker = town.client(SIJOKER, http)
        assert send(sijoker, file) == "recorded"
        village.round()
        note = sijoker._to.text(f"/v1/logs/{NK}/checkpoint")
        assert satisfied(policy, note)
        assert sijoker.follow(NK).size == 2
        item = sijoker._to.get("/v1/outbox")["exchanges"][0]
        assert sijoker._to.get(f"/v1/exchanges/{item['exchange']}/proof")["checkpoint"] == note


def test_the_latest_checkpoint_with_its_quorum_is_found(village: Village) -> None:
    town = village.town
    quorum = town.office.quorums[NK]
    village.round()
    let_out(village)
    village.round()
    let_out(village)
    with town.office.ledger.database.read() as tx:
        found, first, none = (cosigned(tx, quorum, upto) for upto in (3, 1, 0))
    assert found is not None
    assert first is not None
    assert (found.size, first.size, none) == (2, 1, None)
    key = town.office.rings[NK].get(LogKey, "log").public
    assert read_checkpoint(found.note, f"sinergi/{NK}", key).size == 2
    town.now += timedelta(minutes=90)
    assert uncosigned(town.office, town.now) == [(NK, timedelta(minutes=90))]
    village.round()
    assert uncosigned(town.office, town.now) == [(NK, timedelta(0))]


def test_after_a_restart_only_what_no_witness_cosigned_is_unusual(village: Village) -> None:
    """What the quorum stood behind is in the database; that this process has not heard it yet is no finding."""
    village.round()
    let_out(village)
    town = village.town
    with town.http() as http:
        auditor = Desk(town, http).officer("sijunjung", "auditor").person
    village.round()

    def findings() -> list[str]:
        with village.town.office.ledger.database.read() as tx:
            person = tx.people.get(auditor)
        assert person is not None
        answer = unusual.ask(village.town.office, person, NK, 1, village.town.now)
        return [found.kind for found in answer.findings if found.kind == "saksi_tertinggal"]

    town.now += timedelta(hours=3)
    village.restart()
    assert findings() == []  # the asking itself is an entry
    village.town.now += timedelta(hours=3)
    assert findings() == ["saksi_tertinggal"]
    village.restart()
    assert findings() == ["saksi_tertinggal"]
    village.round()
    assert findings() == []


def test_a_witness_that_is_elsewhere_says_where_and_is_asked_from_there(village: Village) -> None:
    """Its answer was lost once: we think it is at 1, it is at 2."""
    town = village.town
    village.round()
    let_out(village)
    village.round()
    with town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("DELETE FROM cosignature WHERE size = 2")
    let_out(village)
    assert village.round()
    assert village.town.office.quorums[NK].confirmed == 3


def test_a_silent_witness_holds_up_no_other(village: Village) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        line = f"witness diam {other_vkey()} http://127.0.0.1:{silent.getsockname()[1]}\n"
        path = village.town.home / "witnesses" / f"{NK}.policy"
        path.write_text(line + "".join(s.line for s in village.stands) + f"group dua 2 {SIJOKER} {SIAPKERJA} diam\nquorum dua\n")
        village.restart()
        quorum = village.town.office.quorums[NK]
        witnessing = Witnessing(village.town.office, lambda: village.town.now, httpx2.Client(timeout=1))
        assert not witnessing.round(0.3)
        assert [quorum.latest(name) for name in (SIJOKER, SIAPKERJA, "diam")] == [1, 1, 0]
        for thread in list(witnessing._asking.values()):
            thread.join(10)  # its time limit
        assert witnessing.round(0.0)
        let_out(village)
        witnessing.close()


def other_vkey() -> str:
    return vkey_of("lain", WitnessKey(bytes(range(32))).public).text


def test_an_answer_signed_by_another_key_counts_for_nothing(village: Village) -> None:
    path = village.town.home / "witnesses" / f"{NK}.policy"
    path.write_text(f"witness palsu {other_vkey()} http://127.0.0.1:{village.stands[0].port}\nquorum palsu\n")
    village.restart()
    assert not village.round()
    held(village)


def test_doctor_says_who_cosigned_once_the_party_keeps_the_policy(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    town = village.town
    own = village.home_of(SIJOKER)
    village.stands[1].stop()
    with town.http() as http:
        monkeypatch.setattr(http, "close", lambda: None)  # each examination closes its own
        assert not any("Saksi" in finding.what for finding in examine(own, town.now, http))
        (own / "witnesses").mkdir()
        shutil.copy(town.home / "witnesses" / f"{NK}.policy", own / "witnesses")

        def said(wanted: str) -> bool:
            """Rounds until the finding is as wanted: what a round records makes the log grow once more."""
            for _ in range(20):
                village.round()
                (finding,) = [finding for finding in examine(own, town.now, http) if "Saksi" in finding.what]
                if finding.what == f"Saksi yang menandatangani log {NK}: {wanted}.":
                    break
            else:
                pytest.fail(finding.what)
            return finding.ok

        assert not said(SIJOKER)
        village.stands[1].start()
        assert said(f"{SIJOKER}, {SIAPKERJA}")


# --- the policy file
@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("nk-lain-2025", "quorum none\n", "is named as no agreement"),
        ("broker", "quorum none\n", "is named as no agreement"),
        (NK, f"witness a {other_vkey()} http://saksi.example.org\nquorum a\n", f"{NK}.policy:1: a witness is asked at https"),
        (NK, f"# tanpa alamat\nwitness a {other_vkey()}\nquorum a\n", f"{NK}.policy:2: a witness is asked at https"),
        (NK, f"log {other_vkey()}\nquorum none\n", "a log signs with type 01"),
    ],
)
def test_a_policy_that_cannot_be_followed_stops_the_start(town: Town, name: str, text: str, wrong: str) -> None:
    (town.home / "witnesses").mkdir()
    (town.home / "witnesses" / f"{name}.policy").write_text(text)
    with pytest.raises(ConfigError, match=wrong):
        read_quorums(town.home, town.office.agreements, town.office.rings, 4, town.now)


def test_a_policy_about_another_log_stops_the_start(town: Town) -> None:
    other = vkey_of("sinergi/nk-binjai-2025", town.office.rings["nk-binjai-2025"].get(LogKey, "log").public).text
    (town.home / "witnesses").mkdir()
    (town.home / "witnesses" / f"{NK}.policy").write_text(f"log {other}\nquorum none\n")
    with pytest.raises(ConfigError, match="is not about this log"):
        read_quorums(town.home, town.office.agreements, town.office.rings, 4, town.now)


def test_a_policy_about_a_key_that_is_destroyed_is_still_about_this_log(town: Town) -> None:
    ring = town.office.rings[NK]
    old = ring.active("log")
    (town.home / "witnesses").mkdir()
    (town.home / "witnesses" / f"{NK}.policy").write_text(f"log {vkey_of(f'sinergi/{NK}', ring.get(LogKey, 'log').public).text}\nquorum none\n")
    later = in_state(rotated(ring, "log", town.now, "host"), old.kid, DESTROYED, town.now)
    assert NK in read_quorums(town.home, town.office.agreements, {**town.office.rings, NK: later}, 4, town.now)


def test_the_office_of_a_home_has_its_witnesses_and_limit(tmp_path: Path, town: Town) -> None:
    home = tmp_path / "rumah"
    init_home(home, town.now)
    (home / "witnesses").mkdir()
    (home / "witnesses" / f"{NK}.policy").write_text(f"witness a {other_vkey()} https://saksi.example.org\nquorum a\n")
    (home / "broker.toml").write_text("witness_limit_hours = 7\n")
    office = open_office(home, town.now)
    try:
        assert {name: (q.limit, q.policy.quorum) for name, q in office.quorums.items()} == {NK: (timedelta(hours=7), "a")}
    finally:
        office.ledger.database.close()


@pytest.mark.parametrize("value", ["0", "-1", "169", "4.0", '"4"', "true"])
def test_a_limit_that_is_none_stops_the_start(tmp_path: Path, value: str) -> None:
    (tmp_path / "broker.toml").write_text(f"port = 8470\nwitness_limit_hours = {value}\n")
    with pytest.raises(ConfigError, match=r"broker\.toml:2: witness_limit_hours must be"):
        read_settings(tmp_path)


def test_the_limit_is_four_hours_unless_said_otherwise(tmp_path: Path) -> None:
    assert read_settings(tmp_path).witness_limit_hours == LIMIT_HOURS


def test_no_file_means_no_witnesses_and_the_broker_says_so(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    assert read_quorums(town.home, town.office.agreements, town.office.rings, 4, town.now) == {}
    witnessing = Witnessing(town.office, lambda: town.now)
    with caplog.at_level("WARNING", "sinergi"):
        witnessing.start(lambda: None)
    witnessing.close()
    assert [message.partition(":")[0] for message in caplog.messages] == [f"no witnesses log={name}" for name in town.office.agreements]


def test_a_clock_that_went_back_lets_nothing_out(village: Village) -> None:
    assert village.round()
    let_out(village)
    for stand in village.stands:
        stand.stop()
    village.town.now -= timedelta(minutes=4)
    let_out(village)  # clocks differ by minutes
    village.town.now -= timedelta(days=2)
    held(village)


def test_a_mark_without_its_policy_stops_the_start(village: Village) -> None:
    mark_of(village.town.home, NK).write_text("{}")
    (village.town.home / "witnesses" / f"{NK}.policy").unlink()
    with pytest.raises(ConfigError, match="its policy is gone"):
        read_quorums(village.town.home, village.town.office.agreements, village.town.office.rings, LIMIT_HOURS, village.town.now)


def test_a_folder_that_cannot_be_read_is_not_one_without_witnesses(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("broker.witnessing.os.listdir", denied)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_quorums(village.town.home, village.town.office.agreements, village.town.office.rings, LIMIT_HOURS, village.town.now)


def test_the_brokers_own_log_tells_once_that_a_quorum_is_reached_and_once_that_it_is_lost(village: Village, caplog: pytest.LogCaptureFixture) -> None:
    def told() -> list[str]:
        said = [message.partition(" log=")[0] for message in caplog.messages if message.startswith("quorum")]
        caplog.clear()
        return said

    with caplog.at_level("INFO", "sinergi"):
        village.stands[1].stop()
        village.round()
        assert told() == []  # never reached, so never lost
        village.stands[1].start()
        for _ in range(3):
            village.round()
        assert told() == ["quorum reached"]
        village.stands[1].stop()
        let_out(village)
        for _ in range(3):
            village.round()
        assert told() == ["quorum lost"]
        village.stands[1].start()
        for _ in range(3):
            village.round()
        assert told() == ["quorum reached"]
