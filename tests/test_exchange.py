"""The flow end to end: what leaves, what is recorded, what a recipient can prove."""

from __future__ import annotations

import fcntl
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from broker.errors import ClientError, NotVerified, Refusal
from broker.upkeep import MAX_TRIES, count_try, retire
from tests.simulator import SIAPKERJA, SIJOKER, Town

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from broker.client import Answer


def sent(town: Town, http: TestClient, folder: Path, rows: int) -> Answer:
    """SIJOKER has sent `rows` job seekers for planning."""
    file = folder / "pencari_kerja.csv"
    file.write_bytes(town.csv(town.rows(n=rows)))
    return town.client(SIJOKER, http).send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)


def test_job_seekers_reach_the_ministry_and_both_sides_hold_proof(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "pencari_kerja.csv"
    file.write_bytes(town.csv(town.rows(n=50)))
    with town.http() as http:
        sijoker, siapkerja = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
        answer = sijoker.send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        assert answer.state == "recorded"
        (received,) = siapkerja.receive()
        assert received.exchange == answer.exchange
        assert received.verified.lines == 50
        assert sijoker.countersign() == [answer.exchange]
        assert siapkerja.verify(answer.exchange).manifest["sender"] == SIJOKER
        assert town.row(answer.exchange).state == "receipted"
        kinds = [(e["type"], e.get("outcome")) for e in town.entries()]
    assert kinds == [
        ("sinergi/exchange/v1", None), ("sinergi/outcome/v1", "delivered"), ("sinergi/outcome/v1", "receipted"), ("sinergi/outcome/v1", "countersigned"),
    ]  # fmt: skip


def test_what_leaves_is_what_the_plan_says(town: Town, tmp_path: Path) -> None:
    rows = town.rows(n=30)
    contract = town.office.contracts["pencari_kerja"]
    file = tmp_path / "x.csv"
    file.write_bytes(town.csv(rows))
    with town.http() as http:
        town.client(SIJOKER, http).send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        siapkerja = town.client(SIAPKERJA, http)
        (received,) = siapkerja.receive()
        siapkerja.open(received.exchange, tmp_path / "out.ndjson", form="ndjson")
    lines = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    source = [dict(zip(contract.names, row, strict=True)) for row in rows]
    assert len(lines) == 30
    for sent, got in zip(source, lines, strict=True):
        assert "nama_lengkap" not in got
        assert got["nik"].startswith("p1.")
        assert len(got["nik"]) == 25
        assert got["tanggal_lahir"] == sent["tanggal_lahir"][:4]
        assert got["kode_wilayah"] in (sent["kode_wilayah"][:8], None)
        assert list(got) == sorted(got)


def test_a_dataset_outside_pasal_4_is_refused_and_recorded(town: Town) -> None:
    data = town.csv(town.rows("wlkp", 3, party="binjai", agreement="nk-binjai-2025"), "wlkp")
    with pytest.raises(Refusal, match="belum disebut dalam Pasal 4"):
        town.exchange(data, dataset="wlkp")
    town.assert_refused(town.last, "ruang_lingkup")


def test_a_changed_line_is_not_the_one_committed_to(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        sent(town, http, tmp_path, 5)
        siapkerja = town.client(SIAPKERJA, http)
        (received,) = siapkerja.receive()
    leaves = received.folder / "leaves.bin"
    damaged = bytearray(leaves.read_bytes())
    damaged[60] ^= 1
    leaves.write_bytes(bytes(damaged))
    with pytest.raises(NotVerified):
        siapkerja.verify(received.exchange)


def test_an_envelope_is_deleted_a_week_after_its_receipt_and_the_proof_stays(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        sent(town, http, tmp_path, 5)
        siapkerja = town.client(SIAPKERJA, http)
        (received,) = siapkerja.receive()
    assert retire(town.office, town.now + timedelta(days=6)) == 0
    assert retire(town.office, town.now + timedelta(days=8)) == 1
    assert not town.office.folders.outbox(received.exchange).exists()
    assert town.row(received.exchange).manifest is not None
    assert siapkerja.verify(received.exchange).lines == 5


def test_a_submission_that_never_gets_through_is_refused_after_a_few_starts(town: Town) -> None:
    name = town.accept(town.submission(town.csv(town.rows(n=3))))
    for _ in range(MAX_TRIES):
        assert town.reopen() == [name]
        count_try(town.office, name)
    assert town.reopen() == []
    town.assert_refused(name, "pengolahan")


def test_a_log_that_forgot_what_a_client_saw_gets_no_receipt(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(town.csv(town.rows(n=5)))
    with town.http() as http:
        sijoker, siapkerja = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
        for _ in range(2):
            sijoker.send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        siapkerja.receive()
        kept = siapkerja.home / "logs" / "nk-sijunjung-2025.json"
        seen = json.loads(kept.read_text())
        kept.write_text(json.dumps({**seen, "size": seen["size"] - 1}))  # another history of that size
        answer = sijoker.send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        with pytest.raises(NotVerified):
            siapkerja.receive()
    assert town.row(answer.exchange).state == "delivered"


def test_an_exchange_id_from_the_wire_never_becomes_another_path(town: Town) -> None:
    with town.http() as http:
        siapkerja = town.client(SIAPKERJA, http)
        with pytest.raises(NotVerified):
            siapkerja._receive("../../escaped", lambda _: None)
    assert not (town.folder / "escaped").exists()


def test_a_file_refused_for_its_quality_comes_back_with_rows_and_rules(town: Town, tmp_path: Path) -> None:
    contract = town.office.contracts["pencari_kerja"]
    rows = town.rows(n=4)
    for row in rows[1:]:
        row[contract.names.index("nik")] = "1.30307E+15"
    file = tmp_path / "x.csv"
    file.write_bytes(town.csv(rows))
    with town.http() as http:
        answer = town.client(SIJOKER, http).send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
    assert answer.state == "refused"
    assert answer.report is not None
    assert answer.report["rules"]["nik.ilmiah"] == 3
    assert [row for row, rules in answer.report["named"] if "nik.ilmiah" in rules] == [2, 3, 4]
    town.assert_refused(answer.exchange, "mutu")


def test_files_of_another_exchange_do_not_verify_under_this_id(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        sent(town, http, tmp_path, 3)
        siapkerja = town.client(SIAPKERJA, http)
        (received,) = siapkerja.receive()
    received.folder.rename(received.folder.with_name("f" * 32))
    with pytest.raises(NotVerified, match="another exchange"):
        siapkerja.verify("f" * 32)
    with pytest.raises(NotVerified, match="another exchange"):
        siapkerja.open("f" * 32, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_new_file_waits_until_the_last_one_has_its_answer(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(town.csv(town.rows(n=3)))
    with town.http() as http:
        sijoker = town.client(SIJOKER, http)
        (sijoker.home / "outgoing" / "unanswered").write_bytes(b"sealed")
        with pytest.raises(ClientError, match="--resend"):
            sijoker.send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
    assert town.entries() == []


def test_two_officers_may_send_at_once(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        sijoker = town.client(SIJOKER, http)
        with (sijoker.home / "outgoing" / "of-the-other").open("xb") as being_sent:
            fcntl.flock(being_sent, fcntl.LOCK_EX)
            assert sijoker.resend() == []
            assert sent(town, http, tmp_path, 3).state == "recorded"
