from __future__ import annotations

import base64
import csv
import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

import broker
from broker.audit import handout
from broker.audit.export import COLUMNS, MAX_PDF_ROWS, _as, cells, csv_lines, export
from broker.audit.handout import at_checkpoint, handed_out
from broker.audit.search import Facts, Found
from broker.cli import main
from broker.cli.verify import KINDS
from broker.client import create_home
from broker.client.reports import check_file, statement_of
from broker.errors import ClientError, LedgerError, NotVerified, Refusal
from broker.jcs import canonical
from broker.keys import read_public_set
from broker.ledger import leaf_hash
from broker.ledger.words import ENTRY_WORDS
from broker.model import wib_text
from broker.people import Invitation, enrol_key, invite
from tests.audit.reading import reader
from tests.audit.test_pdf import texts
from tests.simulator import SIBUSER, URL, Town

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.model import Person

AGREEMENT = "nk-sijunjung-2025"


def person(town: Town, role: str = "auditor", party: str = "sijunjung") -> Person:
    """Someone with keys that their party's system vouches for."""
    asked = Invitation(role, party, "SK-1/2026", town.now.date(), None, frozenset(), "Nama")
    found = invite(town.office, asked, town.now)[0]
    public = create_home(town.folder / found.id, found.id, URL, town.now)
    enrol_key(town.office, found.id, public.to_json(), public.fingerprint, town.now, town.voucher(public))
    with town.office.ledger.database.read() as tx:
        enrolled = tx.people.get(found.id)
    assert enrolled is not None
    return enrolled


def filled(town: Town) -> list[str]:
    """Two exchanges and a refusal; the exchanges' ids."""
    names = [town.exchange(town.csv(town.rows(seed=seed)))[0] for seed in (1, 2)]
    with pytest.raises(Refusal):
        town.exchange(town.csv(town.rows()), purpose="layanan")
    return names


def whole(town: Town, form: str, expression: str = "", target: str = "entri") -> bytes:
    return b"".join(export(town.office, person(town), AGREEMENT, form, expression, target, town.now).pieces)


# --- who may, and what is refused
@pytest.mark.parametrize(("role", "party", "agreement"), [("operator", "sijunjung", AGREEMENT), ("auditor", "binjai", AGREEMENT), ("auditor", "sijunjung", "nk-binjai-2025"), ("auditor", "sijunjung", "tidak-ada")])
def test_who_may_not_read_the_log_gets_nothing_and_cannot_tell_why(town: Town, role: str, party: str, agreement: str) -> None:
    filled(town)
    before = len(town.entries())
    with pytest.raises(Refusal) as refused:
        export(town.office, person(town, role, party), agreement, "csv", "", "entri", town.now)
    assert (refused.value.reason, refused.value.facts) == ("wewenang", {"tindakan": "baca_log"})
    assert len(town.entries()) == before


def test_an_unknown_format_or_target_is_refused(town: Town) -> None:
    for form, target in (("xlsx", "entri"), ("csv", "semua")):
        with pytest.raises(Refusal, match="parameter"):
            export(town.office, person(town), AGREEMENT, form, "", target, town.now)


def test_a_file_that_cannot_be_recorded_does_not_leave(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(town)
    who, before = person(town), len(town.entries())
    monkeypatch.setattr("broker.store.exports.Exports.add", lambda *_: (_ for _ in ()).throw(LedgerError("not durable")))
    with pytest.raises(LedgerError):
        export(town.office, who, AGREEMENT, "csv", "", "entri", town.now)
    assert len(town.entries()) == before


def test_a_full_disk_is_a_refusal_and_nothing_is_recorded(town: Town) -> None:
    who = person(town)
    filled(town)
    before = len(town.entries())

    def failing() -> Iterator[bytes]:
        yield b"a"
        raise OSError(28, "No space left on device")

    with pytest.raises(Refusal, match="penyimpanan"):
        handed_out(town.office, who, at_checkpoint(town.office, AGREEMENT), "pencarian", "csv", failing(), lambda: 0, town.now, asked={})
    assert len(town.entries()) == before
    assert list(town.office.folders.scratch.iterdir()) == []


# --- what the files hold
def test_a_spreadsheet_takes_no_cell_for_a_formula() -> None:
    entry = {"time": "2026-11-21T03:00:00.000Z", "type": "sinergi/export/v1", "act": "=1+1", "person": "@SUM(A1)", "exchange": "+1", "dataset": "-2", "clause": "\tx", "reason": "=2"}
    one = Found(AGREEMENT, 1, canonical(entry), Facts("export", entry["time"], None, MappingProxyType({}), {}), None)
    header, line = csv.reader(b"".join(csv_lines([one])).decode().splitlines())
    assert header == list(COLUMNS)
    assert [cell for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert {"'=2", "'@SUM(A1)", "'+1", "'-2", "'\tx"} <= set(line)


def test_a_filter_without_rows_gives_a_whole_file_all_the_same(town: Town) -> None:
    filled(town)
    assert whole(town, "csv", "baris>=1000000", "pertukaran").decode().splitlines() == [",".join(COLUMNS)]
    assert whole(town, "jsonl", "baris>=1000000", "pertukaran") == b""
    assert whole(town, "pdf", "baris>=1000000", "pertukaran").startswith(b"%PDF")
    (entry,) = [e for e in town.entries() if e["type"] == "sinergi/export/v1" and e["format"] == "jsonl"]
    assert (entry["rows"], entry["bytes"], entry["sha256"]) == (0, 0, sha256(b"").hexdigest())


def test_json_lines_hold_every_entry_as_the_log_has_it(town: Town) -> None:
    filled(town)
    size = town.office.ledger.size(AGREEMENT)
    lines = [json.loads(line) for line in whole(town, "jsonl").splitlines()]
    with town.office.ledger.database.read() as tx:
        logged = [entry for entry, _ in tx.log_entries(AGREEMENT)][:size]
    assert [canonical(line["entry"]) for line in lines] == logged
    assert [line["index"] for line in lines] == list(range(size))


def test_a_csv_row_names_the_leaf_it_stands_for(town: Town) -> None:
    filled(town)
    rows = list(csv.DictReader(whole(town, "csv", "jenis=exchange", "entri").decode().splitlines()))
    with town.office.ledger.database.read() as tx:
        leaves = [leaf.hex() for _, leaf in tx.log_entries(AGREEMENT)]
    assert [row["entri_sha256"] for row in rows] == [leaves[int(row["nomor"])] for row in rows]
    assert [(row["baris"], row["baris_terkirim"], row["hasil"]) for row in rows] == [("20", "20", "terkirim")] * 2
    assert "nik=samaran" in rows[0]["tingkat_kolom"]


def test_a_cell_beyond_what_a_spreadsheet_takes_says_where_the_rest_is() -> None:
    entry: dict[str, Any] = {"time": "2026-11-21T03:00:00.000Z", "type": "sinergi/policy/v1", "act": "published", "diff": {"changes": ["x" * 40_000]}}
    one = Found(AGREEMENT, 1, canonical(entry), Facts("policy", entry["time"], None, MappingProxyType({}), {}), None)
    assert str(cells(one)["lainnya"]).endswith("lihat JSON Lines")


# The fields that OCSF 1.3 requires of both classes and of the objects in them (ocsf/ocsf-schema).
REQUIRED = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid", "actor", "src_endpoint"}


def test_ocsf_events_have_what_their_class_requires(town: Town) -> None:
    filled(town)
    whole(town, "csv")
    events = [json.loads(line) for line in whole(town, "ocsf").splitlines()]
    assert {event["class_uid"] for event in events} == {6003, 6005}
    for event in events:
        assert event.keys() >= REQUIRED
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert {"product", "version"} <= event["metadata"].keys()
        assert event["metadata"]["product"]["vendor_name"]
        assert event["actor"]["user"]["uid"]
        assert event["src_endpoint"]["name"]
        assert {6003: "api", 6005: "table"}[event["class_uid"]] in event
        assert isinstance(event["time"], int)
    (refused,) = [event for event in events if event["status_id"] == 2]
    assert (refused["status_code"], refused["api"]["operation"]) == ("tujuan", "refusal.tujuan")


def test_ten_thousand_entries_are_written_as_they_are_read() -> None:
    """No form but the PDF holds more than one entry: the next is asked for only when the one before has been written."""
    entry = canonical({"time": "2026-11-21T03:00:00.000Z", "type": "sinergi/outcome/v1", "exchange": "0" * 32, "outcome": "delivered", "system": SIBUSER})
    facts = Facts("outcome", "2026-11-21T03:00:00.000Z", None, MappingProxyType({}), {})
    for form, count in (("csv", 10_000), ("jsonl", 1_000), ("ocsf", 1_000)):
        asked = 0

        def many(count: int = count) -> Iterator[Found]:
            nonlocal asked
            for index in range(count):
                asked += 1
                yield Found(AGREEMENT, index, entry, facts, None)

        pieces = iter(_as(form, many(), handout.Log(AGREEMENT, 1, ""), ""))
        lines = 0
        for piece in pieces:
            lines += piece.count(b"\n")
            assert asked <= lines + 1
        assert lines - (form == "csv") == count


def test_a_pdf_of_too_many_rows_is_refused_and_never_cut() -> None:
    facts = Facts("outcome", "2026-11-21T03:00:00.000Z", None, MappingProxyType({}), {})
    found = (Found(AGREEMENT, index, b"{}", facts, None) for index in range(MAX_PDF_ROWS + 1))
    with pytest.raises(Refusal) as refused:
        _as("pdf", found, handout.Log(AGREEMENT, 1, ""), "")
    assert refused.value.reason == "ekspor_pdf"


# --- the record and the statement
def test_the_log_says_who_took_what_and_never_the_filter_itself(town: Town) -> None:
    filled(town)
    size, expression = town.office.ledger.size(AGREEMENT), "jenis=exchange"
    who = person(town)
    file = export(town.office, who, AGREEMENT, "csv", expression, "entri", town.now)
    recorded = town.entries()[-1]  # before a byte of it was read
    data = b"".join(file.pieces)
    asked = sha256(canonical({"filter": expression, "target": "entri"})).hexdigest()
    assert recorded == {
        "asked_sha256": asked, "bytes": len(data), "export": file.name, "format": "csv", "log_size": size, "person": who.id, "rows": 2, "sha256": sha256(data).hexdigest(),
        "time": "2026-11-21T03:00:00.000Z", "type": "sinergi/export/v1", "what": "pencarian",
    }  # fmt: skip
    assert expression not in json.dumps(recorded)


def test_another_agreements_entries_never_appear(town: Town) -> None:
    filled(town)
    other = town.csv(town.rows(party="binjai", agreement="nk-binjai-2025"))
    name, _ = town.exchange(other, agreement="nk-binjai-2025", sender=SIBUSER, basis="Surat tugas")
    for form in ("csv", "jsonl", "ocsf"):
        data = whole(town, form)
        assert name.encode() not in data
        assert b"binjai" not in data


def fetched(town: Town, path: Path, form: str = "csv") -> dict[str, Any]:
    with reader(town, "auditor") as auditor:
        return auditor.export(AGREEMENT, form, "", "entri", path)


@pytest.mark.parametrize("form", ["csv", "jsonl", "ocsf", "pdf"])
def test_a_file_comes_with_a_statement_that_names_filter_count_digest_and_checkpoint(town: Town, tmp_path: Path, form: str) -> None:
    filled(town)
    size = town.office.ledger.size(AGREEMENT)
    with town.office.ledger.database.read() as tx:
        note = tx.checkpoint(AGREEMENT)
    said = fetched(town, tmp_path / "out", form)
    assert (said["asked"], said["checkpoint"], said["rows"], said["log_size"]) == ({"filter": "", "target": "entri"}, note, size, size)
    assert said["sha256"] == sha256((tmp_path / "out").read_bytes()).hexdigest()
    assert check_file(tmp_path / "out", public(town)) == said


def test_a_check_is_told_in_indonesian_and_in_local_time(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled(town)
    said = fetched(town, tmp_path / "out.pdf", "pdf")
    main_ended(["log", "check", str(tmp_path / "out.pdf"), "--broker", str(town.province.home / "public.json")])
    told = capsys.readouterr().out
    assert f"hasil pencarian dari {AGREEMENT}" in told
    assert f"dibuat {wib_text(said['time'])} (UTC+7) untuk" in told
    assert "sasaran entri" in told
    assert not set(re.findall(r"\w+", told)) & {"filter", "target", "None", "Z"}
    shown = " ".join(texts((tmp_path / "out.pdf").read_bytes()))
    assert not set(shown.split()) & {"exchange", "query", "refusal", "outcome"}


def main_ended(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


def test_every_act_that_an_entry_can_have_is_told_in_words() -> None:
    made = "".join(path.read_text() for path in Path(broker.__file__).parent.rglob("*.py"))
    pairs = {(kind, act) for kind, act in re.findall(r'event\("(\w+)"[^\n]*?act="(\w+)"', made)}
    pairs |= {("person", act) for act in re.findall(r'\brecord\(\s*book, person, "(\w+)"', made)}
    pairs |= {("query", act) for act in re.findall(r'_record\(book, row, "(\w+)", person', made)}
    pairs |= {("erasure", act) for act in re.findall(r'_record\(book, person, agreement, "(\w+)"', made)}
    pairs |= {("export", what) for what in re.findall(r'handed_out\(office, person, log, "(\w+)"', made)}
    assert len(pairs) > 20
    assert pairs <= ENTRY_WORDS.keys()
    assert {kind for kind, _ in ENTRY_WORDS} == set(KINDS)


def public(town: Town) -> Any:
    return read_public_set((town.province.home / "public.json").read_bytes())


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_changed_byte_fails_the_statement(town: Town, tmp_path: Path, at: int) -> None:
    filled(town)
    path = tmp_path / "out.pdf"
    fetched(town, path, "pdf")
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(NotVerified, match="not the one that was signed"):
        check_file(path, public(town))


def test_a_statement_of_other_keys_or_over_other_words_fails(town: Town, tmp_path: Path) -> None:
    filled(town)
    path = tmp_path / "out.csv"
    fetched(town, path)
    dsse = statement_of(path).read_text()
    mine = public(town)
    with pytest.raises(NotVerified):
        check_file(path, replace(mine, keys={place: key for place, key in mine.keys.items() if place != (AGREEMENT, "receipt")}))
    swapped = {**mine.keys, (AGREEMENT, "receipt"): mine.keys["nk-binjai-2025", "receipt"]}
    with pytest.raises(NotVerified):
        check_file(path, replace(mine, keys=swapped))
    value = json.loads(dsse)
    said = json.loads(base64.b64decode(value["payload"]))
    value["payload"] = base64.b64encode(canonical({**said, "rows": said["rows"] + 1})).decode()
    statement_of(path).write_bytes(canonical(value))
    with pytest.raises(NotVerified, match="signature"):
        check_file(path, mine)


def test_a_client_keeps_nothing_of_a_refused_file(town: Town, tmp_path: Path) -> None:
    filled(town)
    with reader(town, "operator") as operator, pytest.raises(ClientError, match="Peran Anda"):
        operator.export(AGREEMENT, "csv", "", "entri", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert not (tmp_path / "out.csv.dsse").exists()


def test_a_statement_is_shown_to_those_of_its_agreement_alone(town: Town, tmp_path: Path) -> None:
    filled(town)
    name = fetched(town, tmp_path / "out")["export"]
    with pytest.raises(Refusal, match="tidak_ada"):
        handout.statement(town.office, person(town, "auditor", "binjai"), name, town.now)
    with pytest.raises(Refusal, match="tidak_ada"):
        handout.statement(town.office, person(town, "operator"), name, town.now)
    assert handout.statement(town.office, person(town, "admin_pihak"), name, town.now) == statement_of(tmp_path / "out").read_bytes()


def test_a_leaf_hash_is_of_the_entry_as_stored() -> None:
    entry = {"time": "2026-11-21T03:00:00.000Z", "type": "sinergi/outcome/v1"}
    one = Found(AGREEMENT, 1, canonical(entry), Facts("outcome", entry["time"], None, MappingProxyType({}), {}), None)
    assert cells(one)["entri_sha256"] == leaf_hash(canonical(entry)).hex()
