"""The broker's own keys are rotated while exchanges are under way: none is lost, what was signed holds, and a client follows by itself."""

from __future__ import annotations

import dataclasses
import io
import json
import threading
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from broker import rotation
from broker.client.connection import Connection
from broker.client.mirror import mirror
from broker.envelope import read_dsse, read_submission, verify_dsse
from broker.envelope.dsse import SUCCESSION
from broker.errors import ClientError, KeyRingError, LedgerError, NotVerified, Refusal
from broker.exchange import exchange
from broker.jcs import canonical
from broker.keys import KemKey, LogKey, LogPublic, ReceiptPublic, RequestKey, Rings, SecretKey, open_ring, public_set
from broker.keys.ring import ACTIVE, DESTROYED, DISABLED, PENDING, RETIRED, changing
from broker.keys.rotate import in_state, rotated
from broker.ledger import read_checkpoint
from broker.model import utc_text
from broker.record import BROKER_LOG, Ledger
from broker.rotation import OVERLAP, catch_up, keep_fresh, settle, successions
from broker.upkeep import is_plausible
from broker.web.worker import Worker
from tests.conftest import NOW
from tests.refusals.test_refused_door import until
from tests.simulator import SIAPKERJA, SIJOKER, URL, Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from broker.client import Client

AGREEMENT = "nk-sijunjung-2025"


def opened(town: Town) -> Rings:
    with town.office.ledger.database.read() as tx:
        names = list(town.office.rings)
        return Rings(town.home / "secrets", {name: open_ring(town.home / "secrets" / name, at_least=tx.keyrings.version(name)) for name in names})


def wired(town: Town) -> None:
    """The town with rings of its own, as a start finds them on disk."""
    town.rings = rings = opened(town)
    town.office = dataclasses.replace(town.office, rings=rings, ledger=Ledger(town.office.ledger.database, rings))
    settle(town.office, town.now)


@pytest.fixture
def town(town: Town) -> Town:
    wired(town)
    return town


@pytest.fixture
def http(town: Town) -> Iterator[TestClient]:
    with town.http() as http:
        yield http


def act(town: Town, **asked: Any) -> dict[str, Any]:
    return dict(rotation.by_host(town.office, canonical(asked), town.now))


def states(town: Town, purpose: str, ring: str = AGREEMENT) -> list[str]:
    return [r.state for r in town.office.rings[ring].records if r.purpose == purpose]


def kid(town: Town, purpose: str, state: str = ACTIVE, ring: str = AGREEMENT) -> str:
    return next(r.kid for r in town.office.rings[ring].records if r.purpose == purpose and r.state == state)


def sent(client: Client, town: Town, tmp_path: Path, name: str) -> str:
    file = tmp_path / f"{name}.csv"
    file.write_bytes(town.csv(town.rows(n=5, seed=len(name))))
    answer = client.send(file, agreement=AGREEMENT, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
    assert answer.state == "recorded", answer
    return answer.exchange


def signed(town: Town, body: bytes) -> bytes:
    """What a client notes of a submission that it sent."""
    statement = read_submission(io.BytesIO(body))
    return canonical({"sealed_sha256": json.loads(statement.payload)["envelope_sha256"], "statement_sha256": sha256(statement.to_json()).hexdigest()})


# --- nothing is lost
@pytest.mark.parametrize("purpose", ["kem", "log", "receipt", "root", "vault"])
def test_before_during_and_after_a_rotation_exchanges_go_through_and_verify(town: Town, http: TestClient, tmp_path: Path, purpose: str) -> None:
    sender, recipient = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
    first = sent(sender, town, tmp_path, "a")
    sealed = town.submission(town.csv(town.rows(n=3)))  # to the key before
    act(town, act="rotate", ring=AGREEMENT, purpose=purpose)
    waited = town.accept(sealed)
    exchange(town.office, waited, town.now)
    second = sent(sender, town, tmp_path, "bb")
    assert {one.exchange for one in recipient.receive()} == {first, waited, second}
    (sender.home / "sent" / f"{waited}.json").write_bytes(signed(town, sealed))
    assert set(sender.countersign()) == {first, waited, second}
    for name in (first, waited, second):
        assert recipient.verify(name).lines >= 3
    assert sender.broker == recipient.broker == public_set("broker", town.office.rings)
    wired(town)  # a restart


def test_a_token_shows_the_epoch_of_its_root_and_is_another_in_the_next(town: Town, http: TestClient, tmp_path: Path) -> None:
    sender, recipient = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
    sent(sender, town, tmp_path, "a")
    received = recipient.receive()
    act(town, act="rotate", ring=AGREEMENT, purpose="root")
    sent(sender, town, tmp_path, "b")  # the same rows
    received += recipient.receive()
    tokens = []
    for number, one in enumerate(received):
        recipient.open(one.exchange, tmp_path / f"{number}.ndjson", form="ndjson")
        tokens.append({json.loads(line)["nik"] for line in (tmp_path / f"{number}.ndjson").read_text().splitlines()})
    assert [{token[:3] for token in some} for some in tokens] == [{"p1."}, {"p2."}]
    assert not {t[3:] for t in tokens[0]} & {t[3:] for t in tokens[1]}
    with town.office.ledger.database.read() as tx:
        epochs = [tx.kept.secret(one.exchange)[:2] for one in received]  # type: ignore[index]
    assert epochs == [b"\0\1", b"\0\2"]


def test_an_earlier_log_key_cross_signs_until_it_is_destroyed(town: Town) -> None:
    old = town.office.rings[AGREEMENT].get(LogKey, "log").public
    act(town, act="rotate", ring=AGREEMENT, purpose="log")
    new = town.office.rings[AGREEMENT].get(LogKey, "log").public
    origin = f"sinergi/{AGREEMENT}"
    note = town.office.ledger.note(AGREEMENT)
    assert note is not None
    for key in (old, new):
        assert read_checkpoint(note, origin, key).size == town.office.ledger.size(AGREEMENT)
    act(town, act="destroy", ring=AGREEMENT, kid=kid(town, "log", RETIRED))
    note = town.office.ledger.note(AGREEMENT)
    assert note is not None
    with pytest.raises(NotVerified):
        read_checkpoint(note, origin, old)
    assert public_set("broker", town.office.rings).all(LogPublic, "log", AGREEMENT) == (new, old)  # what it signed still verifies
    wired(town)


def test_a_copy_of_the_log_goes_on_after_its_key_was_rotated_or_distrusted(town: Town, http: TestClient, tmp_path: Path) -> None:
    def copied() -> int:
        return mirror(to, AGREEMENT, public_set("broker", town.office.rings), tmp_path / "salinan").after

    to = Connection(URL, town.province.ring(SIAPKERJA).get(RequestKey, "request"), lambda: town.now, http)
    copied()
    old = kid(town, "log")
    act(town, act="rotate", ring=AGREEMENT, purpose="log")
    act(town, act="destroy", ring=AGREEMENT, kid=old)  # it cross-signs no more
    assert copied() == town.office.ledger.size(AGREEMENT)
    last = kid(town, "log")
    act(town, act="rotate", ring=AGREEMENT, purpose="log")
    act(town, act="distrust", ring=AGREEMENT, kid=last, since=utc_text(town.now), reason="bocor")
    assert copied() == town.office.ledger.size(AGREEMENT)


def test_a_checkpoint_of_which_one_signature_is_false_is_refused(town: Town) -> None:
    act(town, act="rotate", ring=AGREEMENT, purpose="log")
    keys = town.office.rings[AGREEMENT].verifying(LogPublic, "log")
    note = town.office.ledger.note(AGREEMENT)
    assert note is not None
    head, first, second = note.rsplit("\n", 3)[:3]
    broken = f"{head}\n{first}\n{second[:-4]}{'AAA=' if not second.endswith('AAA=') else 'BBA='}\n"
    with pytest.raises(NotVerified):
        read_checkpoint(broken, f"sinergi/{AGREEMENT}", *keys)


# --- what is recorded
def test_each_change_is_an_entry_that_says_what_the_ring_holds(town: Town) -> None:
    before = len(town.entries(AGREEMENT))
    answer = act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    (entry,) = town.entries(AGREEMENT)[before:]
    assert (entry["type"], entry["act"], entry["version"]) == ("sinergi/keys/v1", "ring_changed", 2)
    assert [k["state"] for k in entry["keys"] if k["purpose"] == "kem"] == [RETIRED, ACTIVE]
    held = town.office.rings[AGREEMENT].records
    assert entry["keys"] == answer["keys"] == [{"epoch": r.epoch, "kid": r.kid, "purpose": r.purpose, "state": r.state} for r in held]
    assert entry["fingerprint"] == answer["fingerprint"].replace(" ", "")
    for key in town.office.rings[AGREEMENT].keys.values():
        assert key.seed.hex() not in json.dumps(entry)


def test_a_change_that_a_crash_left_unrecorded_is_recorded_at_the_next_start(town: Town, http: TestClient) -> None:
    client, size = town.client(SIJOKER, http), town.office.ledger.size(BROKER_LOG)
    folder = town.home / "secrets" / BROKER_LOG
    with changing(folder) as write:
        write(rotated(open_ring(folder), "receipt", town.now, "host"))
    wired(town)
    (entry,) = town.entries(BROKER_LOG)[size:]
    assert (entry["act"], entry["version"]) == ("ring_changed", 2)
    wired(town)
    assert town.office.ledger.size(BROKER_LOG) == size + 1  # once
    assert client.broker != public_set("broker", town.office.rings)
    client.renew()  # signed by the receipt key before, though a later start did it
    assert client.broker == public_set("broker", town.office.rings)


def test_a_ring_that_nobody_changed_is_no_entry_at_its_first_start(town: Town) -> None:
    assert not any(entry.get("act") == "ring_changed" for name in (AGREEMENT, BROKER_LOG) for entry in town.entries(name))
    assert (town.home / "public.json").read_bytes() == public_set("broker", town.office.rings).to_json()


def test_an_older_ring_than_the_ledger_knows_does_not_start(town: Town) -> None:
    path = town.home / "secrets" / AGREEMENT / "ring.json"
    old = path.read_bytes()
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    path.write_bytes(old)
    with pytest.raises(KeyRingError, match="older copy"):
        opened(town)


def test_a_ring_changed_behind_the_brokers_back_is_not_overwritten(town: Town) -> None:
    folder = town.home / "secrets" / AGREEMENT
    with changing(folder) as write:
        write(rotated(open_ring(folder), "kem", town.now, "host"))
    data = (folder / "ring.json").read_bytes()
    with pytest.raises(Refusal, match="kunci_langkah"):
        act(town, act="rotate", ring=AGREEMENT, purpose="log")
    assert (folder / "ring.json").read_bytes() == data


# --- what is refused
@pytest.mark.parametrize("asked", [
    {"act": "rotate", "ring": "nk-lain", "purpose": "kem"}, {"act": "rotate", "ring": AGREEMENT}, {"act": "rotate", "ring": AGREEMENT, "purpose": "kem", "more": 1}, {"act": "hapus"},
    {"act": "destroy", "ring": AGREEMENT, "kid": 1}, {"act": "disable", "ring": AGREEMENT, "kid": "tidak-ada", "more": 1}, {"act": "end", "ring": AGREEMENT, "typed": AGREEMENT, "more": 1},
])  # fmt: skip
def test_what_is_no_act_is_refused(town: Town, asked: dict[str, Any]) -> None:
    size = town.office.ledger.size(AGREEMENT)
    with pytest.raises(Refusal) as caught:
        act(town, **asked)
    assert caught.value.reason == "parameter"
    assert town.office.ledger.size(AGREEMENT) == size


@pytest.mark.parametrize("step", ["rotate", "announce"])
@pytest.mark.parametrize(("ring", "purpose"), [(AGREEMENT, "request"), (AGREEMENT, "kem-x25519"), (AGREEMENT, "tidak ada"), (AGREEMENT, ""), (BROKER_LOG, "vault"), (BROKER_LOG, "kem")])
def test_a_ring_gets_no_key_of_a_purpose_that_it_never_had(town: Town, step: str, ring: str, purpose: str) -> None:
    before = public_set("broker", town.office.rings), town.office.rings[ring].version
    with pytest.raises(Refusal) as caught:
        act(town, act=step, ring=ring, purpose=purpose)
    assert (caught.value.reason, caught.value.facts["parameter"]) == ("parameter", "purpose")
    assert (public_set("broker", town.office.rings), opened(town)[ring].version) == before


def test_a_key_in_use_is_not_destroyed(town: Town) -> None:
    for purpose in ("kem", "log", "receipt", "root", "vault"):
        with pytest.raises(Refusal, match="kunci_langkah"):
            act(town, act="destroy", ring=AGREEMENT, kid=kid(town, purpose))
    with pytest.raises(Refusal, match="kunci_langkah"):
        act(town, act="disable", ring=BROKER_LOG, kid=kid(town, "root", ring=BROKER_LOG))
    act(town, act="rotate", ring=AGREEMENT, purpose="root")
    with pytest.raises(Refusal, match="kunci_langkah"):
        act(town, act="destroy", ring=AGREEMENT, kid=kid(town, "root", RETIRED))
    with pytest.raises(Refusal, match="kunci_langkah"):
        act(town, act="destroy", ring=AGREEMENT, kid="tidak-ada")


@pytest.mark.parametrize("purpose", ["root", "vault"])
def test_what_made_pseudonyms_and_marks_is_not_destroyed_by_way_of_disabling_it(town: Town, purpose: str) -> None:
    first = kid(town, purpose)
    act(town, act="disable", ring=AGREEMENT, kid=first)
    with pytest.raises(Refusal, match="kunci_langkah"):
        act(town, act="destroy", ring=AGREEMENT, kid=first)
    act(town, act="enable", ring=AGREEMENT, kid=first)
    assert states(town, purpose) == [ACTIVE]


def test_a_key_that_an_accepted_submission_waits_for_is_not_destroyed(town: Town) -> None:
    name = town.accept(town.submission(town.csv(town.rows(n=3))))
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    with pytest.raises(Refusal, match="kunci_langkah"):
        act(town, act="destroy", ring=AGREEMENT, kid=kid(town, "kem", RETIRED))
    exchange(town.office, name, town.now)
    act(town, act="destroy", ring=AGREEMENT, kid=kid(town, "kem", RETIRED))
    assert states(town, "kem") == [DESTROYED, ACTIVE]


def test_a_submission_that_names_no_agreement_of_ours_is_waited_for_too(town: Town) -> None:
    name = town.accept(town.submission(town.csv(town.rows(n=3))), agreement="")
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    with pytest.raises(Refusal, match="kunci_langkah"):
        act(town, act="destroy", ring=AGREEMENT, kid=kid(town, "kem", RETIRED))
    assert town.row(name).state == "accepted"


def test_an_envelope_copied_long_ago_dies_with_its_key(town: Town) -> None:
    old = town.office.rings[AGREEMENT].get(KemKey, "kem")
    body = town.submission(town.csv(town.rows(n=3)))
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    act(town, act="destroy", ring=AGREEMENT, kid=kid(town, "kem", RETIRED))
    with pytest.raises(Refusal, match="tidak_terbuka"):
        exchange(town.office, town.accept(body), town.now)
    ring = (town.home / "secrets" / AGREEMENT / "ring.json").read_bytes()
    assert old.public.kid.encode() in ring
    assert not any(key.seed == old.seed for key in town.office.rings[AGREEMENT].keys.values())


def test_a_disabled_key_stops_what_needs_it_and_comes_back(town: Town) -> None:
    off = kid(town, "root")
    act(town, act="disable", ring=AGREEMENT, kid=off)
    with pytest.raises((Refusal, KeyRingError)):
        town.exchange(town.csv(town.rows(n=3)))
    assert town.row(town.last).state in ("refused", "accepted")
    assert town.row(town.last).manifest is None
    act(town, act="enable", ring=AGREEMENT, kid=off)
    assert states(town, "root") == [ACTIVE]
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    act(town, act="disable", ring=AGREEMENT, kid=kid(town, "kem", RETIRED))
    assert states(town, "kem") == [DISABLED, ACTIVE]
    act(town, act="enable", ring=AGREEMENT, kid=kid(town, "kem", DISABLED))
    assert states(town, "kem") == [RETIRED, ACTIVE]


@pytest.mark.parametrize(("purpose", "ring"), [("log", AGREEMENT), ("receipt", AGREEMENT), ("log", BROKER_LOG), ("receipt", BROKER_LOG)])
def test_what_signs_the_brokers_own_records_is_not_disabled(town: Town, purpose: str, ring: str) -> None:
    first = kid(town, purpose, ring=ring)
    for _ in range(2):  # in use, then retired
        with pytest.raises(Refusal, match="kunci_langkah"):
            act(town, act="disable", ring=ring, kid=first)
        act(town, act="rotate", ring=ring, purpose=purpose)
    wired(town)  # a restart


def test_a_disabled_key_is_left_behind_by_a_rotation(town: Town) -> None:
    act(town, act="disable", ring=AGREEMENT, kid=kid(town, "kem"))
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    assert states(town, "kem") == [DISABLED, ACTIVE]
    town.exchange(town.csv(town.rows(n=3)))


def test_the_public_file_that_a_crash_left_behind_is_written_at_the_next_start(town: Town) -> None:
    old = public_set("broker", town.office.rings).to_json()
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    (town.home / "public.json").write_bytes(old)
    wired(town)
    assert (town.home / "public.json").read_bytes() == public_set("broker", town.office.rings).to_json()


def test_of_two_changes_at_once_the_later_set_is_the_last(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, first = Ledger.writing, iter([True])

    def writing(ledger: Ledger) -> Any:
        if next(first, False):  # another rotation comes between the first one's ring and its entry
            act(town, act="rotate", ring=BROKER_LOG, purpose="log")
        return plain(ledger)

    monkeypatch.setattr(Ledger, "writing", writing)
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    with town.office.ledger.database.read() as tx:
        assert tx.keyrings.last_set() == public_set("broker", town.office.rings).to_json()
    count = len(town.entries(AGREEMENT))
    assert not catch_up(town.office, town.now)
    assert len(town.entries(AGREEMENT)) == count


def test_a_change_that_the_ledger_could_not_take_is_entered_within_minutes(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Ledger) -> Any:
        raise LedgerError("no space")

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "writing", full)
        with pytest.raises(LedgerError):
            act(town, act="rotate", ring=AGREEMENT, purpose="receipt")
        with pytest.raises(LedgerError):
            catch_up(town.office, town.now)
    assert catch_up(town.office, town.now)
    assert town.entries(AGREEMENT)[-1]["act"] == "ring_changed"
    with town.office.ledger.database.read() as tx:
        assert tx.keyrings.last_set() == public_set("broker", town.office.rings).to_json()


def test_a_broker_that_serves_enters_it_by_itself(town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def full(_: Ledger) -> Any:
        raise LedgerError("no space")

    monkeypatch.setattr("broker.web.worker.TICK", 0.02)
    worker = Worker(town.office, lambda: town.now)
    try:
        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "writing", full)
            with pytest.raises(LedgerError):
                act(town, act="rotate", ring=AGREEMENT, purpose="receipt")
            until(lambda: "a ring's change is not entered yet error=LedgerError" in caplog.messages)  # and the tick goes on
        until(lambda: "a ring's change is entered that the ledger had not taken" in caplog.messages)
    finally:
        worker.close()
    assert town.entries(AGREEMENT)[-1]["act"] == "ring_changed"


def test_a_broker_that_closes_within_a_tick_queues_nothing_more(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ticked = threading.Event()
    monkeypatch.setattr("broker.web.worker.TICK", 0.02)

    def closed(worker: Worker) -> None:
        worker.close()
        ticked.set()

    monkeypatch.setattr(Worker, "_revive", closed)
    Worker(town.office, lambda: town.now)
    assert ticked.wait(20)
    for thread in threading.enumerate():
        if thread.name == "tick":
            thread.join(20)  # what it raised, pytest raises


def test_a_key_that_cannot_be_rotated_does_not_end_the_days_work(town: Town) -> None:
    folder = town.home / "secrets" / AGREEMENT
    with changing(folder) as write:
        write(rotated(open_ring(folder), "log", town.now, "host"))
    town.now += timedelta(days=93)
    Worker(town.office, lambda: town.now).close()


# --- a client follows
def test_a_client_follows_any_number_of_steps(town: Town, http: TestClient) -> None:
    client = town.client(SIJOKER, http)
    for purpose, ring in (("kem", AGREEMENT), ("receipt", BROKER_LOG), ("log", AGREEMENT), ("receipt", BROKER_LOG)):
        act(town, act="rotate", ring=ring, purpose=purpose)
    act(town, act="announce", ring=AGREEMENT, purpose="kem")
    assert states(town, "kem") == [RETIRED, ACTIVE, PENDING]
    client.renew()
    assert client.broker == public_set("broker", town.office.rings)
    assert (client.home / "broker.json").read_bytes() == client.broker.to_json()
    assert len(successions(town.office, client.broker.fingerprint.replace(" ", ""))) == 0


def test_steps_come_some_at_a_time_and_without_end_they_are_not_followed(town: Town, http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.rotation.STEPS", 2)
    monkeypatch.setattr("broker.client.known.STEPS", 2)
    client = town.client(SIJOKER, http)
    pinned = client.broker
    for _ in range(5):
        act(town, act="rotate", ring=BROKER_LOG, purpose="receipt")
    assert len(successions(town.office, pinned.fingerprint.replace(" ", ""))) == 2
    monkeypatch.setattr("broker.client.known.MOST_STEPS", 4)
    with pytest.raises(NotVerified, match="more than 4 times"):
        client.renew()
    assert client.broker == pinned
    monkeypatch.setattr("broker.client.known.MOST_STEPS", 5)
    client.renew()
    assert client.broker == public_set("broker", town.office.rings)


def test_a_succession_says_what_the_page_says(town: Town) -> None:
    before = public_set("broker", town.office.rings)
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    (step,) = successions(town.office, before.fingerprint.replace(" ", ""))
    assert json.loads(verify_dsse(read_dsse(step.encode()), SUCCESSION, before.get(ReceiptPublic, "receipt", BROKER_LOG))) == {
        "before": sha256(before.to_json()).hexdigest(), "set": json.loads(public_set("broker", town.office.rings).to_json()), "time": utc_text(town.now), "type": "sinergi/succession/v1",
    }  # fmt: skip


def test_a_client_does_not_follow_what_its_pinned_keys_did_not_sign(town: Town, http: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client = town.client(SIJOKER, http)
    pinned = client.broker
    start = pinned.fingerprint.replace(" ", "")
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    act(town, act="rotate", ring=BROKER_LOG, purpose="receipt")
    act(town, act="rotate", ring=AGREEMENT, purpose="kem")
    steps = successions(town.office, start)
    assert len(steps) == 3
    changed = json.loads(steps[0])
    for wrong in ([steps[1]], [steps[0], steps[2]], [steps[0], steps[0]], [json.dumps(changed | {"payload": steps[1]})], [steps[0].replace("key-succession", "voucher")], ["{}"]):
        monkeypatch.setattr(client._to, "successions", lambda _, wrong=wrong: wrong)
        with pytest.raises((NotVerified, ClientError)):
            client.renew()
        assert client.broker == pinned
        assert (client.home / "broker.json").read_bytes() == pinned.to_json()


def test_from_a_set_that_was_never_ours_nothing_leads_on(town: Town) -> None:
    with pytest.raises(Refusal) as caught:
        successions(town.office, "0" * 64)
    assert caught.value.reason == "kunci_tidak_ada"


def test_nobody_vouches_for_a_set_whose_predecessors_key_is_gone(town: Town, http: TestClient) -> None:
    client = town.client(SIJOKER, http)
    folder = town.home / "secrets" / BROKER_LOG
    with changing(folder) as write:
        ring = rotated(open_ring(folder), "receipt", town.now, "host")
        old = next(r.kid for r in ring.records if r.purpose == "receipt" and r.state == RETIRED)
        write(in_state(ring, old, DESTROYED, town.now))
    start = client.broker.fingerprint.replace(" ", "")
    wired(town)
    with pytest.raises(Refusal) as caught:
        successions(town.office, start)
    assert caught.value.reason == "kunci_tidak_ada"
    client.renew()
    assert client.broker.get(ReceiptPublic, "receipt", BROKER_LOG).kid == old  # it stays with what it pinned, until a letter


# --- the passing of time
def test_the_envelope_key_is_rotated_by_itself_and_its_forerunner_destroyed(town: Town) -> None:
    assert keep_fresh(town.office, town.now) == 0
    town.now += timedelta(days=93)
    assert keep_fresh(town.office, town.now) == len(town.office.agreements)
    assert (states(town, "kem"), states(town, "root"), states(town, "log")) == ([RETIRED, ACTIVE], [ACTIVE], [ACTIVE])
    assert keep_fresh(town.office, town.now) == 0
    town.now += OVERLAP - timedelta(hours=1)
    assert keep_fresh(town.office, town.now) == 0
    name = town.accept(town.submission(town.csv(town.rows(n=3))))
    town.now += timedelta(hours=2)
    assert keep_fresh(town.office, town.now) == len(town.office.agreements) - 1  # one has a submission waiting
    exchange(town.office, name, town.now)
    assert keep_fresh(town.office, town.now) == 1
    assert states(town, "kem") == [DESTROYED, ACTIVE]
    assert town.office.rings[AGREEMENT].records[-1].changed < utc_text(town.now)


def test_an_envelope_key_is_in_use_for_ninety_two_days_and_opens_for_thirty_more(town: Town) -> None:
    """docs/formats/keys.md, rotation: each to the second."""
    first, every = town.now, len(town.office.agreements)
    town.now = first + timedelta(days=92) - timedelta(seconds=1)
    assert keep_fresh(town.office, town.now) == 0
    town.now = first + timedelta(days=92)
    assert keep_fresh(town.office, town.now) == every
    ring = town.office.rings[AGREEMENT]
    assert [(r.made, r.changed) for r in ring.records if r.purpose == "kem"] == [("pemasangan", utc_text(town.now)), ("jadwal", utc_text(town.now))]
    town.now += timedelta(days=30) - timedelta(seconds=1)
    assert keep_fresh(town.office, town.now) == 0
    town.now += timedelta(seconds=1)
    assert keep_fresh(town.office, town.now) == every
    assert states(town, "kem") == [DESTROYED, ACTIVE]
    assert next(r.approved for r in town.office.rings[AGREEMENT].records if r.state == DESTROYED) == "jadwal"


def test_a_log_key_is_destroyed_after_its_overlap_and_a_receipt_key_never(town: Town) -> None:
    for purpose in ("log", "receipt"):
        act(town, act="rotate", ring=AGREEMENT, purpose=purpose)
    assert {r.made for r in town.office.rings[AGREEMENT].records if r.epoch == 2} == {"host"}
    town.accept(town.submission(town.csv(town.rows(n=3))))  # nothing of it waits for either
    town.now += timedelta(days=30)
    assert keep_fresh(town.office, town.now) == 1
    assert (states(town, "log"), states(town, "receipt")) == ([DESTROYED, ACTIVE], [RETIRED, ACTIVE])


def test_age_destroys_no_key_that_waits_or_is_disabled(town: Town) -> None:
    act(town, act="disable", ring=AGREEMENT, kid=kid(town, "kem"))
    act(town, act="announce", ring=AGREEMENT, purpose="kem")
    act(town, act="announce", ring=AGREEMENT, purpose="log")
    town.now += timedelta(days=60)
    assert keep_fresh(town.office, town.now) == 0
    assert (states(town, "kem"), states(town, "log")) == ([DISABLED, PENDING], [ACTIVE, PENDING])


def test_a_root_that_was_rotated_is_kept_for_what_it_made(town: Town) -> None:
    act(town, act="rotate", ring=AGREEMENT, purpose="root")
    town.now += timedelta(days=4000)
    keep_fresh(town.office, town.now)
    assert states(town, "root") == [RETIRED, ACTIVE]
    assert len(town.office.rings[AGREEMENT].all(SecretKey, "root")) == 2


def test_a_clock_that_is_wrong_for_a_day_rotates_and_deletes_nothing(town: Town) -> None:
    days = [(0, True), (1, True), (1, True), (5000, False), (5000, False), (2, False), (2, False), (3, True), (3, True), (33, True), (64, False), (65, True), (66, True)]
    assert [is_plausible(town.office, NOW + timedelta(days=day)) for day, _ in days] == [holds for _, holds in days]


def test_a_broker_that_starts_with_a_wrong_clock_rotates_nothing(town: Town) -> None:
    with town.http():
        pass
    town.now += timedelta(days=5000)
    with town.http():
        pass
    assert states(town, "kem") == [ACTIVE]
    town.now += timedelta(days=1)
    with town.http():  # it was right after all
        pass
    assert states(town, "kem") == [RETIRED, ACTIVE]
