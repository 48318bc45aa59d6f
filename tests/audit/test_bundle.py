"""A bundle stands alone: what is whole is accepted with nothing but pinned keys, what is not is refused, and the step that found it says so."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import random
import re
import shutil
import subprocess
import tracemalloc
from base64 import b64decode, b64encode
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from broker.audit import erasure
from broker.audit.bundle import reckoned
from broker.cli import main
from broker.cli.app import app
from broker.cli.verify import page
from broker.client.bundle import CLAIMED, NAMES, PINNED, SUBJECT, TYPE, WHOSE_FILE, Checked, NotHeld, verify_bundle
from broker.client.question import Question, answered
from broker.client.verify import Opening, read_opening
from broker.envelope import read_dsse, sign_dsse
from broker.envelope.dsse import MANIFEST
from broker.errors import ClientError, NotVerified
from broker.jcs import canonical
from broker.keys import LogKey, PublicSet, ReceiptKey, WitnessKey, read_public_set
from broker.keys.ring import DISTRUSTED
from broker.ledger import Checkpoint, LogTree, leaf_hash, sign_checkpoint
from broker.ledger.cosign import cosign, read_policy, vkey_of
from broker.ledger.stored import PartReader, archive, read_archive
from broker.ledger.tiles import bundle as entry_bundle
from broker.model import LEVEL_NOTE, utc_text, wib_text
from tests.audit.bundling import (
    FIRST,
    LAST,
    REASON,
    SIJUNGJUNG,
    Bundled,
    asked,
    auditor,
    check,
    entries,
    members,
    packed,
    receipts,
    taken,
    with_answer,
    with_entries,
    with_member,
    with_receipts,
)  # fmt: skip
from tests.conftest import NOW
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER, Province, Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITNESS = WitnessKey(bytes(range(32)))
STRANGER = "3275019009905678"


@pytest.fixture(scope="module")
def bundled(province: Province, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundled]:
    folder = tmp_path_factory.mktemp("bundled")
    town = Town(province, folder / "town", NOW)
    try:
        yield _bundled(town, folder)
    finally:
        town.close()


def _bundled(town: Town, folder: Path) -> Bundled:
    """Two exchanges of one agreement, received and countersigned, one of another; an auditor of the sender's party takes them."""
    rows = town.rows(n=40, mess=0.2)
    with town.http() as http:
        (folder / "satu.csv").write_bytes(town.csv(rows))
        (folder / "dua.csv").write_bytes(town.csv(town.rows("penempatan", 12, seed=7), "penempatan"))
        sijoker, siapkerja = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
        for file, dataset in (("satu", "pencari_kerja"), ("dua", "penempatan")):
            sijoker.send(folder / f"{file}.csv", agreement=SIJUNGJUNG, dataset=dataset, purpose="perencanaan", recipient=SIAPKERJA)
            town.now += timedelta(minutes=1)
        town.exchange(town.csv(town.rows(party="binjai", agreement="nk-binjai-2025")), agreement="nk-binjai-2025", sender=SIBUSER, basis="Peraturan uji")
        first, second = (one.exchange for one in siapkerja.receive() if one.verified.manifest["sender"] == SIJOKER)
        sijoker.countersign()
        reports, other = auditor(town, http), auditor(town, http, "ppdp", "binjai")
        report = json.loads(town.row(first).report or "")
        named = {number - 1 for number, _ in report["named"]}
        bad, row = min(named), next(number for number in range(40) if number not in named and re.fullmatch("[0-9]{16}", nik_of(town, rows[number])))
        nik = nik_of(town, rows[row])
        about = asked(reports, folder / "tentang.zip", nik)
        plain = taken(reports, folder / "biasa.zip")
        foreign = taken(other, folder / "lain.zip", "nk-binjai-2025")
        opened = [siapkerja.open_row(first, n).to_json() for n in (row, bad)]
    return Bundled(town, plain, about, folder / "tentang.zip", foreign, read_public_set((town.province.home / "public.json").read_bytes()), (first, second), nik, opened[0], opened[1])


def nik_of(town: Town, row: list[str]) -> str:
    return row[town.office.contracts["pencari_kerja"].names.index("nik")]


def refused(data: bytes, broker: PublicSet, step: str, why: str, **more: Any) -> None:
    with pytest.raises(NotHeld, match=why) as error:
        check(data, broker, **more)
    assert error.value.step == step


def party(bundled: Bundled, system: str) -> PublicSet:
    return bundled.town.province.public(system)


# --- what is whole
def test_a_bundle_is_accepted_by_pinned_keys_alone(bundled: Bundled) -> None:
    found = check(bundled.plain, bundled.broker)
    assert (found.agreement, found.starts, found.ends) == (SIJUNGJUNG, FIRST, LAST)
    assert tuple(one.name for one in found.exchanges) == bundled.exchanges
    assert all(one.leaves for one in found.exchanges)
    assert sum(found.exchanges[0].outcomes.values()) == 40
    assert found.exchanges[0].outcomes["terkirim"] < 40
    assert {one.signed[SIJOKER] for one in found.exchanges} | {one.signed[SIAPKERJA] for one in found.exchanges} == {CLAIMED}
    assert found.cosigned is None
    assert set(found.states.values()) == {"receipted"}
    assert found.kinds["outcome"] == 6


def test_the_parties_own_files_make_their_receipts_count(bundled: Bundled) -> None:
    found = check(bundled.plain, bundled.broker, parties=[party(bundled, SIJOKER)])
    assert {(one.signed[SIJOKER], one.signed[SIAPKERJA]) for one in found.exchanges} == {(PINNED, CLAIMED)}


def test_other_tools_read_the_archive(bundled: Bundled, tmp_path: Path) -> None:
    found = members(bundled.about)
    assert list(found) == [*NAMES, SUBJECT]
    assert packed(found) == bundled.about
    shutil.unpack_archive(_written(tmp_path / "b.zip", bundled.plain), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "bundle.json").read_bytes())["type"] == TYPE


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_same_log_gives_the_same_bytes_but_for_its_own_taking(bundled: Bundled) -> None:
    one, two = members(bundled.about), members(bundled.plain)
    assert one["leaves.bin"] == two["leaves.bin"]
    assert one["receipts.ndjson"] == two["receipts.ndjson"]
    assert two["entries.bin"].startswith(one["entries.bin"])


def test_a_period_without_exchanges(town: Town, tmp_path: Path) -> None:
    broker = read_public_set((town.province.home / "public.json").read_bytes())
    with town.http() as http:
        reports = auditor(town, http)
        found = check(taken(reports, tmp_path / "kosong.zip", starts=date(2025, 1, 1), ends=date(2025, 1, 1)), broker)
        about = check(asked(reports, tmp_path / "tentang.zip", STRANGER), broker)
    assert (found.exchanges, found.kinds["policy"]) == ((), 1)
    assert about.answer is not None
    verdict = answered(about, about.answer, about.answer.people[0], Question("upah", SIAPKERJA, 2026))
    assert verdict.answer is False  # nobody got anything: that needs no reference


# --- who may, and what is recorded
def test_the_taking_is_recorded_and_signed(bundled: Bundled) -> None:
    last = json.loads(entries(bundled.plain)[-1])
    assert (last["type"], last["what"], last["format"]) == ("sinergi/export/v1", "bundel", "zip")
    taken_last = next(e for e in reversed(bundled.town.entries()) if e["type"] == "sinergi/export/v1")
    assert (taken_last["sha256"], taken_last["bytes"], taken_last["rows"]) == (sha256(bundled.plain).hexdigest(), len(bundled.plain), 2)
    assert not any(bundled.nik in json.dumps(entry) for entry in bundled.town.entries())
    assert bundled.nik.encode() not in bundled.about
    assert SIBUSER.encode() not in bundled.about


@pytest.mark.parametrize(("role", "whose"), [("operator", "sijunjung"), ("pembuka_samaran", "sijunjung"), ("auditor", "binjai")])
def test_who_does_not_read_the_log_gets_no_bundle(town: Town, tmp_path: Path, role: str, whose: str) -> None:
    with town.http() as http, pytest.raises(ClientError, match="Peran Anda"):
        auditor(town, http, role, whose).bundle(SIJUNGJUNG, FIRST, LAST, tmp_path / "b.zip")
    assert list(tmp_path.glob("b.zip*")) == []


def test_who_reads_the_log_and_may_not_ask_about_people_gets_no_answer(town: Town, tmp_path: Path) -> None:
    with town.http() as http, pytest.raises(ClientError, match="Peran Anda"):
        asked(auditor(town, http, "admin_pihak"), tmp_path / "b.zip", STRANGER)
    assert list(tmp_path.glob("b.zip*")) == []


def test_above_twenty_people_a_second_person_approves_first(town: Town, tmp_path: Path) -> None:
    crowd = [f"13030141079590{n:02}" for n in range(21)]
    with town.http() as http:
        asker, second = auditor(town, http), auditor(town, http, "ppdp")
        question = {"agreement": SIJUNGJUNG, "from": "2026-01-01", "reason": REASON, "subjects": crowd, "to": "2026-12-31"}
        waiting = asker.bundle_about(question, tmp_path / "b.zip")
        assert waiting["state"] == "pending"
        with pytest.raises(ClientError):
            asker.bundle_about({"request": waiting["request"]}, tmp_path / "b.zip")
        assert list(tmp_path.glob("b.zip*")) == []
        second._to.act("POST", f"/v1/audit/subjects/{waiting['request']}/approve")
        asker.bundle_about({"request": waiting["request"]}, tmp_path / "b.zip")
        found = check((tmp_path / "b.zip").read_bytes(), read_public_set((town.province.home / "public.json").read_bytes()))
    assert found.answer is not None
    assert len(found.answer.people) == 21


@pytest.mark.parametrize(("limit", "most"), [("MOST", 4096), ("MOST_ANSWER", 40_000)])
def test_a_bundle_that_is_too_large_keeps_its_answer(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    """The answer is given once: what cannot be given whole does not use it up, nor the asker's day."""
    town.exchange(town.csv(town.rows(n=25)))
    niks = [row[town.office.contracts["pencari_kerja"].names.index("nik")] for row in town.rows(n=25)]
    question = {"agreement": SIJUNGJUNG, "from": "2026-01-01", "reason": REASON, "to": "2026-12-31"}
    with town.http() as http:
        mine, second = auditor(town, http), auditor(town, http, "ppdp")
        request = mine.bundle_about({**question, "subjects": niks}, tmp_path / "a.zip")["request"]
        second._to.act("POST", f"/v1/audit/subjects/{request}/approve")
        size = town.office.ledger.size(SIJUNGJUNG)
        monkeypatch.setattr(f"broker.audit.bundle.{limit}", most)
        for asked_with in ({"request": request}, {**question, "subjects": niks[:20]}):
            with pytest.raises(ClientError, match=f"Bundel melebihi {most}"):
                mine.bundle_about(asked_with, tmp_path / "a.zip")
        assert town.office.ledger.size(SIJUNGJUNG) == size
        monkeypatch.undo()
        assert mine.bundle_about({"request": request}, tmp_path / "a.zip")["what"] == "bundel"
        assert mine.bundle_about({**question, "subjects": niks[:20]}, tmp_path / "b.zip")["what"] == "bundel"


def test_an_answer_comes_to_less_than_it_is_reckoned_at(town: Town, tmp_path: Path) -> None:
    for n in (1, 2, 25, 300):
        town.exchange(town.csv(town.rows(n=n)))
    niks = [row[town.office.contracts["pencari_kerja"].names.index("nik")] for row in town.rows(n=20)]
    with town.http() as http:
        found = members(asked(auditor(town, http), tmp_path / "a.zip", *niks))
    most = 20 * reckoned((1, 2, 25, 300))
    assert most / 3 < len(found[SUBJECT]) < most


def test_a_request_without_proofs_is_no_bundle_and_keeps_its_answer(town: Town, tmp_path: Path) -> None:
    question: dict[str, Any] = {"agreement": SIJUNGJUNG, "from": "2026-01-01", "proofs": False, "reason": REASON, "subjects": [f"13030141079590{n:02}" for n in range(21)], "to": "2026-12-31"}
    with town.http() as http:
        asker, second = auditor(town, http), auditor(town, http, "ppdp")
        name = asker._to.send("POST", "/v1/audit/subjects", canonical(question), "application/json")["request"]
        second._to.act("POST", f"/v1/audit/subjects/{name}/approve")
        with pytest.raises(ClientError, match="request"):
            asker.bundle_about({"request": name}, tmp_path / "b.zip")
        assert asker._to.act("POST", f"/v1/audit/subjects/{name}/answer")["request"] == name


# --- the archive
def test_any_changed_byte_is_refused(bundled: Bundled) -> None:
    drawn = random.Random(1)
    for at in {*range(60), *drawn.sample(range(len(bundled.about)), 60), *range(len(bundled.about) - 30, len(bundled.about))}:
        damaged = bytearray(bundled.about)
        damaged[at] ^= 1 << drawn.randrange(8)
        with pytest.raises(NotHeld):
            check(bytes(damaged), bundled.broker)


def test_a_file_cut_short_is_refused(bundled: Bundled) -> None:
    for at in [0, 1, 29, 30, 100, *random.Random(2).sample(range(len(bundled.plain)), 30), len(bundled.plain) - 23, len(bundled.plain) - 1]:
        refused(bundled.plain[:at], bundled.broker, "arsip", "cut short|another|one form|lacks|belong")


def test_what_is_added_to_the_archive_is_refused(bundled: Bundled) -> None:
    whole = members(bundled.plain)
    refused(bundled.plain + b"x", bundled.broker, "arsip", "follows it")
    refused(bundled.plain[:-2] + b"\1\0c", bundled.broker, "arsip", "follows it")
    refused(b"x" + bundled.plain, bundled.broker, "arsip", "lacks bundle.json")
    refused(packed({**whole, "catatan.txt": b"x"}), bundled.broker, "arsip", "does not belong")
    refused(packed({**whole, "../keluar": b"x"}), bundled.broker, "arsip", "does not belong")
    reordered = {name: whole[name] for name in (*NAMES[1:], NAMES[0])}
    refused(packed(reordered), bundled.broker, "arsip", "twice, or out of order")
    refused(packed({name: whole[name] for name in NAMES[:-1]}), bundled.broker, "arsip", "lacks leaves.bin")
    twice = b"".join(archive([*((n, lambda d=d: [d]) for n, d in whole.items()), ("leaves.bin", lambda: [b""])]))
    refused(twice, bundled.broker, "arsip", "leaves.bin twice")


def test_a_compressed_copy_is_refused(bundled: Bundled) -> None:
    import zipfile  # noqa: PLC0415

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in members(bundled.plain).items():
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    refused(out.getvalue(), bundled.broker, "arsip", "one form")


def test_a_member_is_read_no_further_than_it_may_be() -> None:
    data = packed({"a": b"12345678\n", "b": b"x" * 10})
    parts = read_archive(io.BytesIO(data), ["a", "b"])
    with pytest.raises(NotVerified, match="too large"):
        PartReader(io.BytesIO(data), parts["b"]).all(9)
    with pytest.raises(NotVerified, match="too long a line"):
        PartReader(io.BytesIO(data), dataclasses.replace(parts["b"])).line(4)
    with pytest.raises(NotVerified, match="cut short"):
        PartReader(io.BytesIO(data), parts["b"]).read(11)
    damaged = data.replace(b"xx", b"xy", 1)
    with pytest.raises(NotVerified, match="checksum"):
        PartReader(io.BytesIO(damaged), read_archive(io.BytesIO(damaged), ["a", "b"])["b"]).all(10)
    half = PartReader(io.BytesIO(data), parts["a"])
    assert half.line(8) == b"12345678"
    half.close()


# --- what is inside, by someone without the broker's keys
def test_a_changed_missing_or_moved_entry_is_refused(bundled: Bundled) -> None:
    log = entries(bundled.plain)
    outcomes = [i for i, entry in enumerate(log) if b"sinergi/outcome/v1" in entry]
    changed = [*log[:-1], canonical(json.loads(log[-1]) | {"person": "auditor-9@sijunjung"})]
    swapped = list(log)
    swapped[outcomes[0]], swapped[outcomes[1]] = log[outcomes[1]], log[outcomes[0]]
    refused(with_entries(bundled.plain, changed), bundled.broker, "entri", "not the log of the checkpoint")
    refused(with_entries(bundled.plain, swapped), bundled.broker, "entri", "not the log of the checkpoint")
    refused(with_entries(bundled.plain, log[:-1]), bundled.broker, "entri", "cut short")
    refused(with_entries(bundled.plain, [*log, log[-1]]), bundled.broker, "entri", "more than it should")
    refused(with_entries(bundled.plain, [*log[:-1], log[-1] + b" "]), bundled.broker, "entri", f"entry {len(log) - 1}: malformed")
    refused(with_entries(bundled.plain, [*log[:-1], b"\xff"]), bundled.broker, "entri", "malformed")


def test_a_changed_missing_or_foreign_leaf_is_refused(bundled: Bundled) -> None:
    leaves, foreign = members(bundled.plain)["leaves.bin"], members(bundled.foreign)["leaves.bin"]
    count = len(leaves) // 55
    first = check(bundled.plain, bundled.broker).exchanges[0].leaves
    assert first is not None
    for at in (55 * 3 + 20, 55 * 3 + 54):  # a commitment, a sequence
        damaged = bytearray(leaves)
        damaged[at] ^= 1
        refused(with_member(bundled.plain, leaves_bin=bytes(damaged)), bundled.broker, "daun", "tree of the manifest|disagree|no leaf|beyond")
    last = 55 * (first - 1)  # of another person than the first: one may have several leaves
    swapped = leaves[last : last + 55] + leaves[55:last] + leaves[:55] + leaves[last + 55 :]
    refused(with_member(bundled.plain, leaves_bin=swapped), bundled.broker, "daun", "out of order")
    refused(with_member(bundled.plain, leaves_bin=leaves[:-55]), bundled.broker, "daun", f"exchange {bundled.exchanges[1]}: .*cut short|missing")
    refused(with_member(bundled.plain, leaves_bin=leaves + leaves[-55:]), bundled.broker, "daun", "more than it should")
    refused(with_member(bundled.plain, leaves_bin=leaves[first * 55 :]), bundled.broker, "daun", f"exchange {bundled.exchanges[0]}: ")
    low = min(range(0, len(foreign), 55), key=lambda at: foreign[at : at + 16])
    mixed = sorted([*(leaves[i : i + 55] for i in range(55, first * 55, 55)), foreign[low : low + 55]])
    refused(with_member(bundled.plain, leaves_bin=b"".join(mixed) + leaves[first * 55 :]), bundled.broker, "daun", f"exchange {bundled.exchanges[0]}: ")
    assert count > first


def test_a_changed_missing_or_foreign_receipt_is_refused(bundled: Bundled) -> None:
    found = receipts(bundled.plain)

    def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
        lines = json.loads(json.dumps(found))
        change(lines[0])
        return with_receipts(bundled.plain, lines)

    def spoil(line: dict[str, Any]) -> None:
        signature = line["receipts"]["broker"]["signatures"][0]
        signature["sig"] = b64encode(bytes(64)).decode()

    refused(changed(spoil), bundled.broker, "tanda_terima", f"exchange {bundled.exchanges[0]}: signature does not hold")
    refused(changed(lambda line: line["receipts"].pop("broker")), bundled.broker, "tanda_terima", "broker's receipt is missing")
    refused(changed(lambda line: line["receipts"].pop(SIAPKERJA)), bundled.broker, "catatan", f"{SIAPKERJA} is missing")
    refused(changed(lambda line: line["receipts"].update({SIBUSER: line["receipts"][SIJOKER]})), bundled.broker, "tanda_terima", "stranger's")
    refused(changed(lambda line: line["receipts"].update({SIJOKER: line["receipts"][SIAPKERJA]})), bundled.broker, "tanda_terima", "not signed by this key")
    refused(changed(lambda line: line.update(receipts=found[1]["receipts"])), bundled.broker, "tanda_terima", "the broker signed another manifest")
    refused(changed(lambda line: line["receipts"].update({SIAPKERJA: found[1]["receipts"][SIAPKERJA]})), bundled.broker, "tanda_terima", f"receipt of {SIAPKERJA} is over another")
    refused(changed(lambda line: line.update(note="x")), bundled.broker, "tanda_terima", "another exchange")
    refused(with_receipts(bundled.plain, found[::-1]), bundled.broker, "tanda_terima", "out of order")
    refused(with_receipts(bundled.plain, found[1:]), bundled.broker, "tanda_terima", "one is missing")
    refused(with_receipts(bundled.plain, found[:1]), bundled.broker, "tanda_terima", f"exchange {bundled.exchanges[1]}: .*cut short")
    refused(with_receipts(bundled.plain, [*found, found[0]]), bundled.broker, "tanda_terima", "more than it should")


def test_another_checkpoint_is_refused(bundled: Bundled) -> None:
    note = members(bundled.plain)["checkpoint"].decode()
    root = note.split("\n")[2]
    refused(with_member(bundled.plain, checkpoint=note.replace(root, b64encode(bytes(32)).decode()).encode()), bundled.broker, "titik_periksa", "signature does not hold")
    refused(with_member(bundled.plain, checkpoint=members(bundled.about)["checkpoint"]), bundled.broker, "titik_periksa", "another size")
    refused(with_member(bundled.plain, checkpoint=members(bundled.foreign)["checkpoint"]), bundled.broker, "titik_periksa", "not a checkpoint of this log")
    head = json.loads(members(bundled.plain)["bundle.json"])
    refused(with_member(bundled.plain, bundle_json=canonical(head | {"agreement": "nk-binjai-2025"})), bundled.broker, "titik_periksa", "not a checkpoint of this log")
    refused(with_member(bundled.plain, bundle_json=canonical(head | {"agreement": "nk-lain"})), bundled.broker, "titik_periksa", "no log key")
    wrongs: tuple[dict[str, Any], ...] = ({"x": 1}, {"size": "7"}, {"from": "kemarin"}, {"type": "sinergi/bundle/v2"}, {"dropped": {}}, {"dropped": [[]]})
    for wrong in wrongs:
        refused(with_member(bundled.plain, bundle_json=canonical(head | wrong)), bundled.broker, "arsip", "malformed")


def test_another_brokers_key_is_refused(bundled: Bundled) -> None:
    own = dict(bundled.broker.keys)
    for purpose, step in (("log", "titik_periksa"), ("receipt", "tanda_terima")):
        other = (LogKey if purpose == "log" else ReceiptKey)(bytes(32)).public
        refused(bundled.plain, PublicSet("broker", {**own, (SIJUNGJUNG, purpose): other}), step, "not signed by")
    refused(bundled.plain, PublicSet("broker", {}), "titik_periksa", "no log key")


def test_keys_that_you_pinned_must_be_those_of_the_manifest(bundled: Bundled) -> None:
    other = PublicSet(SIAPKERJA, {("", "receipt"): ReceiptKey(bytes(32)).public})
    refused(bundled.plain, bundled.broker, "tanda_terima", "another key of siapkerja", parties=[other])
    both = [other, party(bundled, SIAPKERJA)]
    assert {one.signed[SIAPKERJA] for one in check(bundled.plain, bundled.broker, parties=both).exchanges} == {PINNED}
    nameless = with_member(bundled.plain, keys_ndjson=b"")
    assert {said for one in check(nameless, bundled.broker).exchanges for said in one.signed.values()} == {"unknown"}
    refused(with_member(bundled.plain, keys_ndjson=b"{}\n"), bundled.broker, "kunci", "not a public key file")


# --- witnesses
def witnessed(bundled: Bundled, key: WitnessKey = WITNESS) -> bytes:
    note = members(bundled.plain)["checkpoint"].decode()
    line = cosign(note.rpartition("\n\n")[0] + "\n", "saksi.contoh", key, NOW)
    return with_member(bundled.plain, checkpoint=(note + line).encode())


def policy(quorum: str = "satu", *, log: bool = True) -> Any:
    own = vkey_of("saksi.contoh", WITNESS.public).text
    text = f"witness satu {own}\nwitness dua {vkey_of('lain.contoh', WitnessKey(bytes(32)).public).text}\ngroup semua all satu dua\nquorum {quorum}\n"
    foreign = f"log {vkey_of('sinergi/lain', LogKey(bytes(32)).public).text}\n"
    return read_policy(((foreign if not log else "") + text).encode(), "uji.policy")


def test_witnesses_lines_are_looked_at_where_a_policy_asks(bundled: Bundled) -> None:
    found = check(witnessed(bundled), bundled.broker, policy=policy())
    assert found.cosigned == {"satu": int(NOW.timestamp())}
    refused(bundled.plain, bundled.broker, "saksi", "quorum satu; cosigned by: nobody", policy=policy())
    refused(witnessed(bundled), bundled.broker, "saksi", "quorum semua; cosigned by: satu", policy=policy("semua"))
    refused(witnessed(bundled, WitnessKey(bytes(31) + b"\1")), bundled.broker, "saksi", "nobody", policy=policy())
    refused(witnessed(bundled), bundled.broker, "saksi", "not of this log", policy=policy(log=False))
    note = members(witnessed(bundled))["checkpoint"]
    line = note.splitlines()[-1].split(b" ")[2]
    raw = bytearray(b64decode(line))
    raw[-1] ^= 1
    spoilt = with_member(bundled.plain, checkpoint=note.replace(line, b64encode(raw)))
    refused(spoilt, bundled.broker, "saksi", "does not hold", policy=policy())


# --- keys that others may hold
def distrusting(bundled: Bundled, purpose: str, since: str) -> PublicSet:
    """The broker's set after the agreement's key of a purpose was rotated, and distrusted since then."""
    old = bundled.broker.keys[SIJUNGJUNG, purpose]
    new = LogKey(bytes(32)).public if purpose == "log" else ReceiptKey(bytes(32)).public
    keys = dict(bundled.broker.keys) | {(SIJUNGJUNG, purpose): new}
    return PublicSet("broker", keys, ((SIJUNGJUNG, purpose, DISTRUSTED, old),), {old.kid: since})


def test_manifests_of_a_distrusted_key_hold_by_the_log_and_that_is_told(bundled: Bundled) -> None:
    since = utc_text(NOW)
    broker = distrusting(bundled, "receipt", since)
    assert check(bundled.plain, broker).doubted == {since: 2}
    assert check(bundled.plain, bundled.broker).doubted == {}
    refused(bundled.about, broker, "subjek", "distrusted since")  # an answer's word is no entry of the log


def test_a_checkpoint_of_a_distrusted_key_stands_by_who_cosigned_before_alone(bundled: Bundled) -> None:
    later, at = utc_text(NOW + timedelta(seconds=1)), utc_text(NOW)
    broker = distrusting(bundled, "log", later)
    refused(bundled.plain, broker, "titik_periksa", "distrusted since")
    refused(witnessed(bundled), broker, "titik_periksa", "distrusted since")  # whose word the witness's is, nobody said
    assert check(witnessed(bundled), broker, policy=policy()).witnessed == later
    refused(witnessed(bundled), distrusting(bundled, "log", at), "saksi", "cosigned by: nobody", policy=policy())
    refused(bundled.plain, broker, "saksi", "cosigned by: nobody", policy=policy("none"))


@pytest.mark.parametrize(("bahasa", "log", "manifests"), [
    (0, "PERINGATAN: kunci log itu tidak dipercaya sejak {}; yang menjamin titik periksa ini adalah saksi", "PERINGATAN: manifes 2 pertukaran ditandatangani kunci yang tidak dipercaya sejak {}; yang menjaminnya hanya log"),
    (1, "WARNING: that log key is distrusted since {}; what vouches for this checkpoint is the witnesses", "WARNING: the manifests of 2 exchanges are signed with a key distrusted since {}; the log under"),
])  # fmt: skip
def test_what_a_distrusted_key_signed_is_shown_with_a_warning(bundled: Bundled, bahasa: int, log: str, manifests: str) -> None:
    def said(found: Checked) -> str:
        return "\n".join(page(found, "b.zip", lambda *texts: texts[bahasa]))

    since = utc_text(NOW + timedelta(seconds=1))
    by_witness = said(check(witnessed(bundled), distrusting(bundled, "log", since), policy=policy()))
    by_log = said(check(bundled.plain, distrusting(bundled, "receipt", since)))
    plain = said(check(bundled.plain, bundled.broker))
    asked = [text.format(wib_text(since)) for text in (log, manifests)]
    assert [[text in shown for text in asked] for shown in (by_witness, by_log, plain)] == [[True, False], [False, True], [False, False]]


# --- one row
def test_an_opened_row_holds_and_no_other_line_does(bundled: Bundled) -> None:
    opening, withheld = read_opening(bundled.opening), read_opening(bundled.withheld)
    assert (opening.line[-1:], withheld.line) == (b"\n", b"")
    assert check(bundled.plain, bundled.broker, openings=[opening, withheld]).opened == (opening, withheld)
    for wrong in (
        dataclasses.replace(opening, line=opening.line.replace(b'"', b"'", 1)),
        dataclasses.replace(opening, line=b""),
        dataclasses.replace(withheld, line=b"{}\n"),
        dataclasses.replace(opening, salt=bytes(16)),
        dataclasses.replace(opening, salt=opening.salt + opening.line[:1], line=opening.line[1:]),
        dataclasses.replace(opening, row=opening.row + 1),
        dataclasses.replace(opening, row=40),
        dataclasses.replace(opening, row=-1),
        dataclasses.replace(opening, exchange=bundled.exchanges[1]),
        dataclasses.replace(opening, exchange="00" * 16),
    ):
        refused(bundled.plain, bundled.broker, "pembukaan", "not the one committed to|no such row|has a line|no leaves", openings=[wrong])


@pytest.mark.parametrize("wrong", [b"", b"{}", b'{"exchange":1,"line":"","row":0,"salt":"","type":"sinergi/opening/v1"}', b'{"exchange":"","line":"","row":0,"salt":"","type":"x"}'])
def test_a_malformed_opening_is_refused(wrong: bytes) -> None:
    with pytest.raises(NotVerified, match="not an opened record"):
        read_opening(wrong)


@pytest.mark.parametrize("line", [b"[]\n", b'{"a":1}\n', b'{"a": "b"}\n', b'{"a":"b","a":"c"}\n', b"\xff\n"])
def test_a_line_that_is_no_row_has_no_cells(line: bytes) -> None:
    with pytest.raises(NotVerified, match="not a row"):
        _ = Opening("00" * 16, 0, bytes(16), line).cells


# --- people
def answer_of(bundled: Bundled) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_dsse(members(bundled.about)[SUBJECT]).payload)["answer"]
    return found


def test_whether_a_recipient_got_a_persons_wage_is_answered_from_the_file_alone(bundled: Bundled) -> None:
    found = check(bundled.about, bundled.broker)
    assert found.answer is not None
    (person,) = found.answer.people
    assert [one.exchange for one in person.disclosed] == [bundled.exchanges[0]]
    assert [one.exchange for one in person.absent] == [bundled.exchanges[1]]
    assert read_opening(bundled.opening).row in person.disclosed[0].rows
    verdict = answered(found, found.answer, person, Question("upah", SIAPKERJA, 2026))
    assert verdict.answer is True
    ((where, levels),) = verdict.received
    assert where.exchange == bundled.exchanges[0]
    assert levels == {c: v for c, v in where.levels.items() if "upah" in c and v}
    assert [one.exchange for one in verdict.absent] == [bundled.exchanges[1]]
    assert verdict.columns == {c for c in found.columns if "upah" in c.split("_")} >= {"upah_sebulan", "jabatan_diinginkan_1_upah"}
    wanted = answered(found, found.answer, person, Question("jabatan_diinginkan_1_upah", SIAPKERJA, 2026))
    assert wanted.columns == {"jabatan_diinginkan_1_upah"}
    assert [set(levels) for _, levels in wanted.received] == [{"jabatan_diinginkan_1_upah"}]
    exact = answered(found, found.answer, person, Question("upah_sebulan", SIAPKERJA, 2026))
    assert (exact.answer, [one.exchange for one in exact.hidden]) == (False, [bundled.exchanges[0]])
    for nobody, doubt in ((Question("upah", SIBUSER, 2026), "penerima"), (Question("upa", SIAPKERJA, 2026), "kolom"), (Question("upah", "siapkerja", 2026), "penerima")):
        told = answered(found, found.answer, person, nobody)
        assert (told.answer, told.doubts) == (None, (doubt,))  # a slip of the pen is no proof of absence
    told = answered(found, found.answer, person, Question("upah", SIAPKERJA, 2025))
    assert (told.answer, told.doubts) == (None, ("masa",))  # nobody asked about 2025
    assert answered(found, dataclasses.replace(found.answer, ends=date(2026, 11, 30)), person, exact_question()).answer is None
    later = dataclasses.replace(found.answer, unlooked=person.absent)
    assert answered(found, later, person, exact_question()).answer is None


def exact_question() -> Question:
    return Question("upah_sebulan", SIAPKERJA, 2026)


def test_a_person_the_broker_does_not_know_is_not_proven_absent(bundled: Bundled, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with bundled.town.http() as http:
        found = check(asked(auditor(bundled.town, http), tmp_path / "b.zip", STRANGER, bundled.nik), bundled.broker)
    assert found.answer is not None
    unknown, known = found.answer.people
    assert (unknown.known, unknown.disclosed, unknown.absent, known.known) == (False, (), (), True)
    assert len(known.disclosed) == len(known.absent) == 1
    told = answered(found, found.answer, unknown, Question("upah", SIAPKERJA, 2026))
    assert (told.answer, told.doubts) == (None, ("orang",))
    _, said = run(capsys, str(tmp_path / "b.zip"), "--broker", str(bundled.town.province.home / "public.json"))
    assert "tidak mengenal siapa pun dengan nomor ini" in said
    assert "ada dalam 0" not in said
    assert "ada dalam 1 pertukaran, terbukti tidak ada dalam 1" in said


def test_the_answer_says_whom_it_is_about_to_who_has_its_key_alone(bundled: Bundled) -> None:
    found = check(bundled.about, bundled.broker).answer
    assert found is not None
    kept = bundled.about_path.with_name(bundled.about_path.name + WHOSE_FILE)
    key = kept.read_bytes()
    assert (len(key), kept.stat().st_mode & 0o777) == (16, 0o600)
    assert found.about(key, bundled.nik) == 0
    assert found.about(key, STRANGER) is None
    assert found.about(bytes(16), bundled.nik) is None
    assert key not in bundled.about
    assert key.hex() not in json.dumps(bundled.town.entries())


def test_an_answer_that_nobody_signed_is_refused(bundled: Bundled) -> None:
    signed = json.loads(members(bundled.about)[SUBJECT])
    other = sign_dsse(MANIFEST, b64decode(signed["payload"]), bundled.town.office.rings[SIJUNGJUNG].get(ReceiptKey, "receipt")).to_json()
    refused(with_member(bundled.about, subject_dsse=other), bundled.broker, "subjek", "of another type")
    signed["payload"] = b64encode(b64decode(signed["payload"]).replace(b'"state":"receipted"', b'"state":"delivered"')).decode()
    refused(with_member(bundled.about, subject_dsse=canonical(signed)), bundled.broker, "subjek", "signature does not hold")
    refused(packed({**members(bundled.foreign), SUBJECT: members(bundled.about)[SUBJECT]}), bundled.broker, "subjek", "not signed by this key")


def beside(presence: Any) -> str:
    """A reference that does not fall between the two neighbours of an absence: one of theirs."""
    return b64decode((presence["before"] or presence["after"])["leaf"])[:16].hex()


def lies(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each changes an answer as a broker could, and signs; why it is refused all the same."""
    (subject,) = found["subjects"]
    proofs, told = subject["proofs"], subject["disclosures"]
    here = next(p for p in proofs if p["presence"]["leaves"])
    away = next(p for p in proofs if not p["presence"]["leaves"])
    original = json.dumps(found)

    def reset() -> None:
        found.update(json.loads(original))

    reset()
    found["subjects"][0]["proofs"] = [away]
    yield "a proof left out", "has no proof of it"
    reset()
    found["subjects"][0]["proofs"] = [*proofs, here]
    yield "a proof twice", "two proofs"
    reset()
    found["subjects"][0]["proofs"] = [*proofs, {**here, "exchange": "00" * 16}]
    yield "a proof of no exchange", "no exchange of the answer's days"
    reset()
    found["subjects"][0]["proofs"] = [away, {**here, "presence": {**here["presence"], "leaves": []}}]
    yield "leaves left out", "adjacent|neighbour|shows no leaf"
    reset()
    found["subjects"][0]["proofs"] = [here, {**away, "ref": beside(away["presence"])}]  # a random one would fall between the same two now and then
    yield "another reference", "leaf before is not before|leaf after is not after"
    reset()
    found["subjects"][0]["disclosures"] = []
    yield "a disclosure left out", "other disclosures"
    reset()
    found["subjects"][0]["disclosures"][0]["levels"]["nik"] = 0
    yield "a lower level", "other disclosures"
    reset()
    found["subjects"][0]["disclosures"] = told * 2
    yield "a disclosure twice", "other disclosures"
    reset()
    found["unlooked"] = [here["exchange"]]
    yield "an exchange not looked through", "no erasure that explains|no exchange of the answer's days"
    reset()
    found["unlooked"], found["subjects"][0]["proofs"], found["subjects"][0]["disclosures"] = [here["exchange"]], [away], []
    yield "an exchange not looked through, consistently", "no erasure that explains"
    reset()
    found["unlooked"] = ["00" * 16]
    yield "an unknown exchange", "not of its days"
    reset()
    found["looked"] = 3
    yield "other counts", "passes over an exchange"
    reset()
    found["looked"], found["subjects"] = 0, [{"disclosures": [], "known": False, "proofs": [], "without": 0}]
    yield "every exchange passed over", "passes over an exchange"
    reset()
    found["answered"] = "2027-01-05T00:00:00.000Z"
    yield "a later time", "another time"
    reset()
    found["ends"] = "2027-06-30"
    yield "days that the bundle does not cover", "does not cover"
    reset()
    found["request"] = "00" * 16
    yield "another request", "no such answer"
    reset()
    found["subjects"] = [{"disclosures": [], "known": False, "proofs": [], "without": 0}]
    yield "a person it does not know", "other counts"
    reset()
    found["subjects"][0]["known"] = False
    yield "a person it says it does not know, with proofs", "no exchange of the answer's days"
    reset()
    found["subjects"] = [{"disclosures": [], "known": True, "proofs": [], "without": 2}]
    yield "a person it knows, without a proof", "has no proof of it"
    reset()
    found["subjects"][0]["known"] = 1
    yield "neither known nor not", "does not say whether"
    reset()
    found["size"] = 1000
    yield "a longer log", "longer log"
    reset()
    found["agreement"] = "nk-binjai-2025"
    yield "another agreement", "another agreement"
    reset()
    found["subjects"] = 3
    yield "no answer", "malformed"
    reset()
    del found["subjects"]
    yield "not even that", "malformed"


def test_an_answer_that_its_proofs_do_not_bear_is_refused_though_the_broker_signed_it(bundled: Bundled) -> None:
    found = answer_of(bundled)
    assert check(with_answer(bundled.town, bundled.about, found), bundled.broker).answer is not None
    for lie, why in lies(found):
        with pytest.raises(NotHeld, match=why) as error:
            check(with_answer(bundled.town, bundled.about, found), bundled.broker)
        assert error.value.step == "subjek", lie


# --- a broker that leaves out, with all its keys
def forged(bundled: Bundled, log: list[bytes], **changed: bytes) -> bytes:
    tree = LogTree(leaf_hash(entry) for entry in log)
    note = sign_checkpoint(Checkpoint(f"sinergi/{SIJUNGJUNG}", tree.size, tree.root()), bundled.town.office.rings[SIJUNGJUNG].get(LogKey, "log"))
    head = json.loads(members(bundled.plain)["bundle.json"]) | {"size": tree.size}
    return with_member(bundled.plain, **{"bundle_json": canonical(head), "checkpoint": note.encode(), "entries_bin": entry_bundle(log), **changed})


def test_leaves_said_to_be_dropped_need_the_logs_word_for_it(bundled: Bundled) -> None:
    name, leaves = bundled.exchanges[1], members(bundled.plain)["leaves.bin"]
    first = check(bundled.plain, bundled.broker).exchanges[0].leaves
    assert first is not None
    head = canonical(json.loads(members(bundled.plain)["bundle.json"]) | {"dropped": [name]})
    without = {"bundle_json": head, "leaves_bin": leaves[: first * 55]}
    refused(with_member(bundled.plain, **without), bundled.broker, "catatan", "no retirement that covers it")
    foreign = canonical(json.loads(members(bundled.plain)["bundle.json"]) | {"dropped": ["00" * 16]})
    refused(with_member(bundled.plain, bundle_json=foreign), bundled.broker, "catatan", "not of the period")
    log = entries(bundled.plain)
    said = canonical({"act": "retire", "before": 2026, "time": "2026-11-21T03:30:00.000Z", "type": "sinergi/erasure/v1"})
    size = {"bundle_json": canonical(json.loads(head) | {"size": len(log) + 1}), "leaves_bin": without["leaves_bin"]}
    refused(forged(bundled, [*log, said], **size), bundled.broker, "catatan", "no retirement that covers it")  # of another year
    found = check(forged(bundled, [*log, said.replace(b"2026,", b"2027,")], **size), bundled.broker)
    assert [one.leaves for one in found.exchanges] == [first, None]


def test_two_manifests_of_one_exchange_or_two_policies_of_one_version_are_refused(bundled: Bundled) -> None:
    log = entries(bundled.plain)
    manifest = json.loads(next(entry for entry in log if b"sinergi/exchange/v1" in entry))
    refused(forged(bundled, [*log, canonical(manifest)]), bundled.broker, "entri", "an exchange that has one")
    refused(forged(bundled, [*log, canonical(manifest | {"agreement": {"id": "nk-binjai-2025", "sha256": ""}})]), bundled.broker, "entri", "another agreement")
    other = manifest | {"exchange": "00" * 16, "policy": {"sha256": "00" * 32, "version": 1}}
    refused(forged(bundled, [*log, canonical(other)]), bundled.broker, "entri", "two policies")
    hollow = {name: manifest[name] for name in ("agreement", "type", "exchange", "policy", "time")} | {"exchange": "11" * 16}
    refused(forged(bundled, [*log, canonical(hollow)]), bundled.broker, "entri", "malformed")


def test_retired_years_are_said_to_be_and_the_rest_still_holds(province: Province, tmp_path: Path) -> None:
    town = Town(province, tmp_path / "town", NOW)
    try:
        name, _ = town.exchange(town.csv(town.rows()))
        town.now = NOW.replace(year=2032)
        with town.http() as http:
            reports = auditor(town, http, "ppdp")
            with town.office.ledger.database.read() as tx:
                person = tx.people.get(reports.person)
            assert person is not None
            erasure.retire_leaves(town.office, person, SIJUNGJUNG, 2027, erasure.Ground("pasal_44_1_a", "Jadwal retensi arsip, keputusan nomor 7"), town.now)
            found = check(taken(reports, tmp_path / "b.zip"), read_public_set((province.home / "public.json").read_bytes()))
            about = check(asked(reports, tmp_path / "c.zip", nik_of(town, town.rows()[0])), read_public_set((province.home / "public.json").read_bytes()))
    finally:
        town.close()
    assert [(one.name, one.leaves) for one in found.exchanges] == [(name, None)]
    assert about.answer is not None
    assert [one.exchange for one in about.answer.unlooked] == [name]
    assert answered(about, about.answer, about.answer.people[0], Question("upah", SIAPKERJA, 2026)).answer is None


# --- memory
def synthetic(exchanges: int, leaves: int, claimed: int = 0) -> tuple[bytes, PublicSet]:
    """A bundle that was never recorded, of large exchanges. claimed: leaves that the manifests say there are."""
    log_key, receipt = LogKey(bytes(range(32))), ReceiptKey(bytes(range(32)))
    drawn, entries_, stored, lines = random.Random(3), [], [], []
    for number in range(exchanges):
        name = number.to_bytes(16, "big")
        rows = sorted(drawn.randbytes(16) for _ in range(leaves))
        own = [ref + drawn.randbytes(32) + b"\0\0\0" + row.to_bytes(4, "big") for row, ref in enumerate(rows)]
        tree = LogTree(leaf_hash(b"\1" + name + leaf) for leaf in own)
        said: dict[str, Any] = {
            "agreement": {"id": "uji"}, "columns": ["a"], "contract": {"dataset": "d"}, "day": "2026-11-21", "exchange": name.hex(), "keys": {"recipient": "", "sender": ""},
            "outcomes": {"terkirim": leaves}, "policy": {"sha256": "", "version": 1}, "profiles": [{"class": "umum", "levels": "5"}], "purpose": "p", "recipient": "b@b",
            "records": {"leaves": claimed or leaves, "root": tree.root().hex(), "rows": claimed or leaves}, "sender": "a@a", "time": "2026-11-21T03:00:00.000Z", "type": "sinergi/exchange/v1",
        }  # fmt: skip
        entries_.append(canonical(said))
        stored.append(b"".join(own))
        lines.append(canonical({"exchange": name.hex(), "receipts": {"broker": json.loads(sign_dsse(MANIFEST, entries_[-1], receipt).to_json())}}) + b"\n")
    tree = LogTree(leaf_hash(entry) for entry in entries_)
    note = sign_checkpoint(Checkpoint("sinergi/uji", tree.size, tree.root()), log_key)
    head = canonical({"agreement": "uji", "dropped": [], "from": "2026-01-01", "size": tree.size, "to": "2026-12-31", "type": TYPE})
    bodies = [head, note.encode(), b"", entry_bundle(entries_), b"".join(lines), b"".join(stored)]
    return packed(dict(zip(NAMES, bodies, strict=True))), PublicSet("broker", {("uji", "log"): log_key.public, ("uji", "receipt"): receipt.public})


def test_memory_does_not_grow_with_the_number_of_leaves(tmp_path: Path) -> None:
    peaks = []
    for exchanges in (2, 8):
        data, broker = synthetic(exchanges, 2_000)
        with _written(tmp_path / f"{exchanges}.zip", data).open("rb") as file:
            del data
            tracemalloc.start()
            found = verify_bundle(file, broker)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert sum(one.leaves or 0 for one in found.exchanges) == exchanges * 2_000
    assert peaks[1] < peaks[0] * 1.1 + 50_000
    assert peaks[1] < 2_000 * 8 * 55  # less than the leaves are


def test_a_manifest_that_claims_leaves_without_end_takes_no_memory() -> None:
    data, broker = synthetic(1, 2, 1 << 45)
    refused(data, broker, "daun", "cut short")


def test_an_archive_is_written_as_it_is_asked_for() -> None:
    given: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            given.append(number)
            yield bytes(1000)

    written = archive([("leaves.bin", pieces)])
    next(written)
    assert len(given) == 100  # once for its size and checksum
    next(written)
    assert len(given) == 101


# --- the command
def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["verify", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


def _listed(said: str, word: str) -> list[str]:
    (line,) = (line for line in said.splitlines() if line.startswith(f"  {word}: "))
    return line.partition(": ")[2].split(", ")


def test_the_command_says_what_held_and_answers(bundled: Bundled, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, broker = str(_written(tmp_path / "b.zip", bundled.about)), str(bundled.town.province.home / "public.json")
    question = ["--recipient", SIAPKERJA, "--year", "2026", "--column"]
    status, said = run(capsys, file, "--broker", broker, *question, "upah")
    assert (status, "YA, sampai" in said, "kata broker" in said, LEVEL_NOTE[0] in said) == (0, True, True, True)
    assert "`upah` bukan nama satu kolom; yang diperiksa: " in said
    assert "jabatan_diinginkan_3_upah, upah_sebulan. Untuk satu saja" in said
    status, said = run(capsys, file, "--broker", broker, *question, "jabatan_diinginkan_1_upah")
    assert (status, "YA, sampai" in said, "jabatan_diinginkan_3_upah" in said, "bukan nama satu kolom" in said) == (0, True, False, False)
    (tmp_path / "kunci").mkdir()
    for system in (SIJOKER, SIAPKERJA):
        (tmp_path / "kunci" / f"{system}.json").write_bytes(party(bundled, system).to_json())
    status, said = run(capsys, file, "--broker", broker, *question, "upah_sebulan", "--bahasa", "en", "--keys", str(tmp_path / "kunci"))
    assert (status, "NO, up to" in said, "broker's word" in said, "6 receipts" in said) == (0, True, True, False)
    assert "4 receipts of parties, by the keys that you got" in said
    status, said = run(capsys, file, "--broker", broker, "--recipient", SIAPKERJA, "--year", "2025", "--column", "upah")
    assert (status, "TIDAK DAPAT DIJAWAB" in said, "seluruh tahun" in said, "mengenal" in said) == (2, True, True, False)
    status, said = run(capsys, file, "--broker", broker, *question, "upa")
    assert (status, "tidak mengenal kolom" in said, "penerima itu" in said, "seluruh tahun" in said) == (2, True, False, False)
    status, said = run(capsys, str(_written(tmp_path / "c.zip", bundled.plain)), "--broker", broker, *question, "upah")
    assert (status, "tidak memuat jawaban" in said) == (2, True)
    opening = str(_written(tmp_path / "baris.json", bundled.opening))
    status, said = run(capsys, str(tmp_path / "c.zip"), "--broker", broker, "--record", opening)
    assert (status, "adalah yang dikomit" in said) == (0, True)
    cells = read_opening(bundled.opening).cells
    filled, empty = ({c for c, v in cells.items() if (v is None) is wanted} for wanted in (False, True))
    assert cells["nik"]
    assert cells["nik"] not in said
    assert set(_listed(said, "berisi")) == filled
    assert set(_listed(said, "kosong atau disembunyikan")) == empty
    status, shown = run(capsys, str(tmp_path / "c.zip"), "--broker", broker, "--record", opening, "--show")
    assert (status, all(f"  {column}: {value}\n" in shown for column, value in cells.items() if value)) == (0, True)
    withheld = str(_written(tmp_path / "ditahan.json", bundled.withheld))
    status, said = run(capsys, str(tmp_path / "c.zip"), "--broker", broker, "--record", withheld, "--show")
    assert (status, "ditahan: tidak ada yang dikirim" in said) == (0, True)
    with pytest.raises(SystemExit):
        main(["verify", str(tmp_path / "c.zip"), "--broker", broker, "--show"])
    assert "--show needs --record" in capsys.readouterr().err
    _written(tmp_path / "b.zip.siapa", bundled.about_path.with_name("tentang.zip.siapa").read_bytes())
    for number, status, word in ((bundled.nik, 0, "adalah yang Anda sebut"), (STRANGER, 2, "bukan tentang orang")):
        done = CliRunner().invoke(app, ["verify", file, "--broker", broker, "--who"], input=f"{number}\n")
        assert (done.exit_code, word in done.output, number in done.output) == (status, True, False)
    leaves = bytearray(members(bundled.plain)["leaves.bin"])
    leaves[20] ^= 1
    status, said = run(capsys, str(_written(tmp_path / "d.zip", with_member(bundled.plain, leaves_bin=bytes(leaves)))), "--broker", broker)
    assert (status, "TIDAK SAH" in said, f"daun: exchange {bundled.exchanges[0]}" in said) == (1, True, True)


# --- a stranger's reader
def tampered(bundled: Bundled) -> Iterator[tuple[str, bytes]]:
    whole, log, found = members(bundled.plain), entries(bundled.plain), receipts(bundled.plain)
    leaves = whole["leaves.bin"]
    yield "trailing byte", bundled.plain + b"x"
    yield "cut short", bundled.plain[:-40]
    yield "a bit of a member", bundled.plain[:3000] + bytes([bundled.plain[3000] ^ 1]) + bundled.plain[3001:]
    yield "a member twice", b"".join(archive([*((n, lambda d=d: [d]) for n, d in whole.items()), ("leaves.bin", lambda: [b""])]))
    yield "a member missing", packed({name: whole[name] for name in NAMES[:-1]})
    yield "an entry changed", with_entries(bundled.plain, [*log[:-1], canonical(json.loads(log[-1]) | {"rows": 1})])
    yield "entries swapped", with_entries(bundled.plain, [*log[:-2], log[-1], log[-2]])
    yield "an entry missing", with_entries(bundled.plain, log[:-1])
    yield "a leaf changed", with_member(bundled.plain, leaves_bin=leaves[:70] + bytes([leaves[70] ^ 1]) + leaves[71:])
    yield "a leaf missing", with_member(bundled.plain, leaves_bin=leaves[:-55])
    yield "leaves swapped", with_member(bundled.plain, leaves_bin=leaves[55:110] + leaves[:55] + leaves[110:])
    yield "a receipt missing", with_receipts(bundled.plain, [{**found[0], "receipts": {k: v for k, v in found[0]["receipts"].items() if k != SIAPKERJA}}, found[1]])
    yield "receipts swapped", with_receipts(bundled.plain, found[::-1])
    yield "another log's checkpoint", with_member(bundled.plain, checkpoint=members(bundled.foreign)["checkpoint"])
    yield "an older checkpoint", with_member(bundled.plain, checkpoint=members(bundled.about)["checkpoint"])


def test_a_strangers_reader_agrees(bundled: Bundled, tmp_path: Path) -> None:
    """Written for node from the pages of docs/formats alone. Without node a user's run skips; CI fails."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs node")
        pytest.skip("needs node")

    def read(data: bytes) -> tuple[int, str]:
        command = [node, str(Path(__file__).with_name("bundle_reader.mjs")), str(_written(tmp_path / "b.zip", data)), str(bundled.town.province.home / "public.json")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    for data in (bundled.plain, bundled.about):
        ours = check(data, bundled.broker)
        assert read(data) == (0, f"OK {SIJUNGJUNG} {ours.checkpoint.size} 2 {sum(one.leaves or 0 for one in ours.exchanges)}\n")
    for what, data in tampered(bundled):
        with pytest.raises(NotHeld):
            check(data, bundled.broker)
        status, said = read(data)
        assert (status, said[:3]) == (1, "NO "), what
