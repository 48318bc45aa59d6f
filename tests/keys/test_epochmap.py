"""After a root's rotation a recipient learns, once and by a recorded exchange, which new token each of its old ones has become; and of nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from broker import epochmap, rotation
from broker.audit import erasure, yearly
from broker.audit.erasure import Ground
from broker.audit.search import search
from broker.audit.unusual import read_entry, unusual
from broker.envelope import seal
from broker.epochmap import due, map_epoch
from broker.errors import ClientError, LedgerError, Refusal
from broker.jcs import canonical
from broker.lifecycle import stop
from broker.model import MAP, utc_text
from broker.policy.replay import load_manifests
from broker.store import Transaction
from tests.audit.test_reidentify import Counter, counter
from tests.keys.test_rotation import act, kid, wired
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from broker.model import Contract, Person, Plan, Terms
    from broker.policy import Policy
    from tests.simulator import Town

AGREEMENT = "nk-sijunjung-2025"
__all__ = ["counter"]


@pytest.fixture
def town(town: Town) -> Town:
    wired(town)
    return town


def rotate(counter: Counter) -> None:
    rotation.by_host(counter.town.office, canonical({"act": "rotate", "ring": AGREEMENT, "purpose": "root"}), counter.town.now)


def made(counter: Counter) -> list[str]:
    """The maps that are due, made: their exchanges."""
    entries = [map_epoch(counter.town.office, domain, counter.town.now) for domain in due(counter.town.office, counter.town.now)]
    return [entry.exchange.hex() for entry in entries if entry]


def pairs(counter: Counter, exchange: str) -> dict[str, str]:
    return {str(line["samaran_lama"]): str(line["samaran_baru"]) for line in counter.lines(exchange)}


def officer(counter: Counter, party: str, role: str) -> Person:
    with counter.town.office.ledger.database.read() as tx:
        found = tx.people.get(counter.officer(party, role).person)
    assert found is not None
    return found


def test_a_map_leads_from_every_token_received_to_its_next_and_from_no_other(counter: Counter) -> None:
    before = counter.tokens()
    unmapped, _ = counter.town.exchange(counter.town.csv(counter.town.rows(n=4, seed=9)), purpose="evaluasi_program")
    rotate(counter)
    of = {json.loads(counter.town.row(exchange).manifest or b"")["purpose"]: exchange for exchange in made(counter)}
    client = counter.town.client(SIAPKERJA, counter.http)
    assert {one.exchange for one in client.receive()} == {unmapped, *of.values()}
    again, _ = counter.town.exchange(counter.town.csv(counter.rows))
    client.receive()
    found = {purpose: pairs(counter, exchange) for purpose, exchange in of.items()}
    assert found["perencanaan"] == dict(zip(before, counter.tokens(again), strict=True))
    assert set(found["evaluasi_program"]) == set(counter.tokens(unmapped))
    assert client.verify(of["perencanaan"]).lines == len(set(before))
    assert due(counter.town.office, counter.town.now) == []
    assert [line["samaran_lama"] for line in counter.lines(of["perencanaan"])] == sorted(found["perencanaan"])


def test_the_manifest_says_who_made_it_and_of_which_epochs(counter: Counter) -> None:
    rotate(counter)
    (exchange,) = made(counter)
    manifest = json.loads(counter.town.row(exchange).manifest or b"")
    assert manifest["submission"] == {"entity": "orang", "from": "p1", "level": "3", "to": "p2"}
    assert manifest["contract"]["dataset"] == MAP
    assert manifest["keys"]["sender"] == manifest["keys"]["broker"]
    assert manifest["vault"]["new"] == 0
    assert (manifest["records"]["rows"], manifest["records"]["leaves"], manifest["outcomes"]) == (6, 6, {"terkirim": 6})


def test_a_second_rotation_maps_on_from_the_first_map(counter: Counter) -> None:
    old = counter.tokens()
    found = []
    for _ in range(2):
        rotate(counter)
        (exchange,) = made(counter)
        counter.town.client(SIAPKERJA, counter.http).receive()
        found.append(pairs(counter, exchange))
    assert set(found[0]) == set(old)
    assert set(found[1]) == set(found[0].values())
    assert {token[:3] for token in found[1].values()} == {"p3."}


def test_two_rotations_with_no_map_between_lead_straight_to_the_last(counter: Counter) -> None:
    rotate(counter)
    rotate(counter)
    (exchange,) = made(counter)
    counter.town.client(SIAPKERJA, counter.http).receive()
    assert {(old[:3], new[:3]) for old, new in pairs(counter, exchange).items()} == {("p1.", "p3.")}


def test_who_was_erased_is_in_no_map(counter: Counter) -> None:
    erasure.erase_subject(counter.town.office, officer(counter, "sijunjung", "ppdp"), AGREEMENT, counter.niks()[0], Ground("pasal_43_1_c", "Permintaan tertulis nomor 7"), counter.town.now)
    rotate(counter)
    (exchange,) = made(counter)
    counter.town.client(SIAPKERJA, counter.http).receive()
    assert set(pairs(counter, exchange)) == set(counter.tokens()[1:])


def rewrite(counter: Counter, exchange: str, manifest: dict[str, Any], *, log: bool) -> None:
    """By hand, in the table of exchanges and, if told so, in the log."""
    data = canonical(manifest)
    entry = counter.town.row(exchange).entry
    with counter.town.office.ledger.database.write() as tx:
        tx.change_exchange(exchange, manifest=data)
        if log:
            tx._c.exec_driver_sql("UPDATE logentry SET entry = ? WHERE log = ? AND position = ?", (data, AGREEMENT, entry))


@pytest.mark.parametrize("hidden", [True, False])
def test_a_row_that_was_hidden_gave_no_token(counter: Counter, hidden: bool) -> None:
    manifest = json.loads(counter.town.row(counter.exchange).manifest or b"")
    at = manifest["columns"].index("nik")
    if hidden:
        manifest["profiles"] = [{**one, "levels": one["levels"][:at] + "0" + one["levels"][at + 1 :]} for one in manifest["profiles"]]
    rewrite(counter, counter.exchange, manifest, log=True)
    rotate(counter)
    assert len(made(counter)) == (not hidden)
    assert due(counter.town.office, counter.town.now) == []  # or it is noted that there is nobody


@pytest.mark.parametrize("change", ["manifest", "purpose"])
def test_an_exchange_that_is_not_what_the_log_says_gives_no_map(counter: Counter, change: str) -> None:
    if change == "manifest":
        manifest = json.loads(counter.town.row(counter.exchange).manifest or b"")
        rewrite(counter, counter.exchange, {**manifest, "profiles": [{**one, "levels": "3" * len(one["levels"])} for one in manifest["profiles"]]}, log=False)
    else:
        with counter.town.office.ledger.database.write() as tx:
            tx.change_exchange(counter.exchange, purpose="evaluasi_program")
    rotate(counter)
    assert made(counter) == []


def test_who_is_named_by_a_hidden_column_beside_is_in_no_map(counter: Counter) -> None:
    """Of a private employer the NPWP leaves as a token, its head's NIK not at all."""
    rows = counter.town.rows("pemberi_kerja", n=60, seed=4)
    name, _ = counter.town.exchange(counter.town.csv(rows, "pemberi_kerja"), dataset="pemberi_kerja")
    counter.town.client(SIAPKERJA, counter.http).receive()
    assert any((line["npwp"] or "").startswith("p1.") for line in counter.lines(name))
    rotate(counter)
    (exchange,) = made(counter)
    counter.town.client(SIAPKERJA, counter.http).receive()
    assert set(pairs(counter, exchange)) == set(counter.tokens())


@pytest.mark.parametrize("gone", ["header", "file", "key"])
def test_what_never_reached_its_recipient_is_not_mapped(counter: Counter, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    name, _ = counter.town.exchange(counter.town.csv(counter.town.rows(n=4, seed=9)), purpose="evaluasi_program")
    rotate(counter)
    if gone == "header":  # as `retire` does after 30 days
        with counter.town.office.ledger.database.write() as tx:
            tx.change_exchange(name, header=None)
    elif gone == "file":
        counter.town.office.folders.outbox(name).unlink()
    else:
        monkeypatch.setattr(type(counter.town.office.peers), "revoked", lambda *_: True)
    assert [json.loads(counter.town.row(one).manifest or b"")["purpose"] for one in made(counter)] == ["perencanaan"]


def test_what_the_policy_in_force_shows_no_more_is_not_mapped(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    rotate(counter)

    def refused(*_: object) -> None:
        raise Refusal("kebijakan", versi=1)

    monkeypatch.setattr(type(counter.town.office.policy), "plan", refused)
    assert made(counter) == []


def test_nor_is_it_mapped_on_from_a_map(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    rotate(counter)
    assert len(made(counter)) == 1
    rotate(counter)

    def refused(*_: object) -> None:
        raise Refusal("kebijakan", versi=1)

    monkeypatch.setattr(type(counter.town.office.policy), "plan", refused)
    assert made(counter) == []


def test_a_column_that_the_policy_in_force_caps_lower_is_not_mapped(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    rotate(counter)
    policy = type(counter.town.office.policy)
    plan, at = policy.plan, counter.town.office.contracts["pencari_kerja"].names.index("nik")

    def capped(self: Policy, terms: Terms, contract: Contract) -> Plan:
        found = plan(self, terms, contract)
        return replace(found, levels=tuple(row[:at] + b"\1" + row[at + 1 :] for row in found.levels))

    monkeypatch.setattr(policy, "plan", capped)
    assert made(counter) == []


def test_a_withheld_row_gave_no_token(counter: Counter) -> None:
    rows = counter.town.rows(n=40, seed=3)
    at = counter.town.office.contracts["pencari_kerja"].names.index("pihak_asal")
    rows[7][at] = rows[19][at] = "binjai"
    name, _ = counter.town.exchange(counter.town.csv(rows), purpose="evaluasi_program")
    assert json.loads(counter.town.row(name).manifest or b"")["outcomes"] == {"terkirim": 38, "ditahan_asal": 2}
    rotate(counter)
    maps = made(counter)
    counter.town.client(SIAPKERJA, counter.http).receive()
    assert {frozenset(pairs(counter, one)) for one in maps} == {frozenset(counter.tokens()), frozenset(counter.tokens(name))}


def test_who_is_erased_while_a_map_is_made_does_not_come_back_by_it(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    ppdp = officer(counter, "sijunjung", "ppdp")

    def erasing(*args: Any, **more: Any) -> Any:
        erasure.erase_subject(counter.town.office, ppdp, AGREEMENT, counter.niks()[0], Ground("pasal_43_1_c", "Permintaan tertulis nomor 7"), counter.town.now)
        return seal(*args, **more)

    rotate(counter)
    with monkeypatch.context() as patched:
        patched.setattr(epochmap, "seal", erasing)
        with pytest.raises(Refusal, match="pengolahan"):
            made(counter)
    (exchange,) = made(counter)
    counter.town.client(SIAPKERJA, counter.http).receive()
    assert set(pairs(counter, exchange)) == set(counter.tokens()[1:])


def test_a_stop_holds_the_map_back_and_it_goes_when_the_stop_is_over(counter: Counter) -> None:
    rotate(counter)
    stop(counter.town.office, officer(counter, "sijunjung", "petugas_keamanan"), AGREEMENT, counter.town.now)
    for _ in range(2):
        with pytest.raises(Refusal, match="dihentikan"):
            made(counter)
    assert list(counter.town.office.folders.scratch.iterdir()) == []
    with counter.town.office.ledger.database.write() as tx:
        tx.versions.change_stop(tx.versions.stops()[0].id, lifted=utc_text(counter.town.now))
    assert len(made(counter)) == 1


def test_a_disabled_first_vault_key_holds_the_map_back_by_name(counter: Counter) -> None:
    rotate(counter)
    town, first = counter.town, kid(counter.town, "vault")
    act(town, act="rotate", ring=AGREEMENT, purpose="vault")
    act(town, act="disable", ring=AGREEMENT, kid=first)
    with pytest.raises(Refusal, match="kunci_nonaktif"):
        made(counter)
    act(town, act="enable", ring=AGREEMENT, kid=first)
    assert len(made(counter)) == 1


def test_an_agreement_out_of_term_maps_nobody(counter: Counter) -> None:
    rotate(counter)
    counter.town.now = counter.town.now.replace(year=2031)
    assert due(counter.town.office, counter.town.now) == []


@pytest.mark.parametrize("step", ["add_segment", "add_map", "change_exchange"])
def test_a_ledger_that_fails_leaves_no_map_behind_and_the_next_try_makes_it(counter: Counter, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    rotate(counter)
    outbox = set(counter.town.office.folders.outbox("x").parent.iterdir())

    def full(*_: object, **__: object) -> None:
        raise LedgerError("not durable")

    where: Any = type(_keyrings(counter)) if step == "add_map" else Transaction
    with monkeypatch.context() as patched:
        patched.setattr(where, step, full)
        with pytest.raises(LedgerError):
            made(counter)
    counter.town.reopen()
    assert set(counter.town.office.folders.outbox("x").parent.iterdir()) == outbox
    assert len(made(counter)) == 1
    assert made(counter) == []


def _keyrings(counter: Counter) -> object:
    with counter.town.office.ledger.database.read() as tx:
        return tx.keyrings


def test_the_map_is_found_by_the_person_and_counted_in_the_year_and_is_nobodys_habit(counter: Counter) -> None:
    rotate(counter)
    (exchange,) = made(counter)
    with counter.town.office.ledger.database.read() as tx:
        entries = list(tx.entries(AGREEMENT))
    asker = counter.who()
    counter.town.client(SIAPKERJA, counter.http).receive()
    token = next(iter(pairs(counter, exchange).values()))
    name = counter.ask(asker, token, exchange=exchange)
    for approver in counter.approvers():
        approver.approve(name)
    (told,) = counter.opened(asker, name)
    assert told["nomor"] in counter.niks()
    day = counter.town.now.date()
    assert [one.id for one in load_manifests(entries, date(2000, 1, 1), date(2100, 1, 1)).exchanges] == [counter.exchange]
    assert search(counter.town.office, officer(counter, "sijunjung", "auditor"), "kolom.samaran_lama=3", counter.town.now).total == 1
    read = [read_entry(i, e) for i, e in enumerate(entries)]
    assert unusual(read, day, 30, ends=date(2100, 1, 1)) == unusual([e for e in read if e.said.get("exchange") != exchange], day, 30, ends=date(2100, 1, 1))
    report = json.loads(b"".join(yearly.report(counter.town.office, officer(counter, "sijunjung", "auditor"), AGREEMENT, day.year, "json", None, counter.town.now).pieces))
    assert [flow["released"] for flow in report["flows"] if flow["dataset"] == MAP] == [6]


def test_the_broker_sends_it_by_itself(counter: Counter) -> None:
    rotate(counter)
    (worker,) = counter.town._workers
    worker._map()
    (item,) = [one for one in counter.town.client(SIAPKERJA, counter.http).inbox() if one["dataset"] == MAP]
    assert item["sender"] == SIJOKER


def test_its_sender_did_not_send_it_gets_nothing_of_it_and_signs_what_it_did(counter: Counter) -> None:
    rotate(counter)
    (exchange,) = made(counter)
    client = counter.town.client(SIJOKER, counter.http)
    for of in ("", "/refs", "/leaves", "/proof", "/envelope"):
        with pytest.raises(ClientError, match="no such exchange for you"):
            client._to.get(f"/v1/exchanges/{exchange}{of}")
    (client.home / "sent").mkdir(exist_ok=True)
    (client.home / "sent" / f"{counter.exchange}.json").write_bytes(canonical(json.loads(counter.town.row(counter.exchange).manifest or b"")["submission"]))
    assert client.countersign() == [counter.exchange]


def test_a_map_that_is_refused_after_it_was_sealed_leaves_no_file(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    rotate(counter)
    folder = counter.town.office.folders.outbox("x").parent
    before = set(folder.iterdir())
    monkeypatch.setattr(type(counter.town.office.peers), "stands", lambda *_: False)
    with pytest.raises(Refusal, match="penerima_tanpa_kunci"):
        made(counter)
    assert set(folder.iterdir()) == before


def test_one_that_fails_keeps_no_other_waiting(counter: Counter) -> None:
    other, _ = counter.town.exchange(counter.town.csv(counter.town.rows(n=4, seed=9)), purpose="evaluasi_program")
    manifest = json.loads(counter.town.row(other).manifest or b"")
    del manifest["contract"]
    rewrite(counter, other, manifest, log=True)
    rotate(counter)
    (worker,) = counter.town._workers
    worker._map()
    assert [one["purpose"] for one in counter.town.client(SIAPKERJA, counter.http).inbox() if one["dataset"] == MAP] == ["perencanaan"]
    assert {one.purpose.code for one in due(counter.town.office, counter.town.now)} == {"evaluasi_program"}


def test_a_root_whose_epoch_is_over_makes_no_tokens_again(counter: Counter) -> None:
    """Its map was made: what it made afterwards would be in none."""
    rotate(counter)
    assert len(made(counter)) == 1
    kids = {record.epoch: record.kid for record in counter.town.office.rings[AGREEMENT].records if record.purpose == "root"}

    def act(what: str, epoch: int) -> None:
        rotation.by_host(counter.town.office, canonical({"act": what, "ring": AGREEMENT, "kid": kids[epoch]}), counter.town.now)

    act("disable", 2)
    act("disable", 1)
    act("enable", 1)
    with pytest.raises(Refusal, match="kunci_nonaktif"):
        counter.town.exchange(counter.town.csv(counter.town.rows(n=4, seed=9)))
    act("enable", 2)
    assert [record.state for record in counter.town.office.rings[AGREEMENT].records if record.purpose == "root"] == ["retired", "active"]
    counter.town.exchange(counter.town.csv(counter.town.rows(n=4, seed=9)))
