from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from broker.audit.erasure import Ground, erase_exchange, erase_subject
from broker.audit.handout import at_checkpoint
from broker.audit.yearly import report, yearly
from broker.audit.yearly_pages import pages
from broker.client.reports import check_file
from broker.errors import LedgerError, NotVerified, Refusal
from broker.jcs import canonical
from broker.keys import LogKey, SecretKey
from broker.ledger import read_checkpoint, verify_consistency
from broker.model import Person, wib_date
from broker.record import event
from tests.audit.reading import reader
from tests.audit.test_export import AGREEMENT, person, public
from tests.audit.test_pdf import texts
from tests.lifecycle.conftest import Desk
from tests.simulator import SIBUSER, Town

if TYPE_CHECKING:
    from pathlib import Path


def figures(town: Town, year: int = 2026, size: int | None = None) -> dict[str, Any]:
    return yearly(town.office, at_checkpoint(town.office, AGREEMENT, size), year, wib_date(town.now), as_of=size is not None)


def taken(town: Town, who: Person, form: str, year: int = 2026, size: int | None = None) -> bytes:
    return b"".join(report(town.office, who, AGREEMENT, year, form, size, town.now).pieces)


# --- refused
@pytest.mark.parametrize(("role", "party"), [("operator", "sijunjung"), ("auditor", "binjai")])
def test_who_may_not_read_the_log_gets_no_report(town: Town, role: str, party: str) -> None:
    with pytest.raises(Refusal, match="wewenang"):
        report(town.office, person(town, role, party), AGREEMENT, 2026, "json", None, town.now)


@pytest.mark.parametrize("year", [2025, 2027])
def test_a_year_of_which_the_log_says_nothing_has_no_report(town: Town, year: int) -> None:
    with pytest.raises(Refusal) as refused:
        figures(town, year)
    assert refused.value.facts == {"parameter": "tahun"}


def test_leaves_that_are_not_all_there_are_an_error_and_not_a_smaller_figure(town: Town) -> None:
    name, _ = town.exchange(town.csv(town.rows()))
    with town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("UPDATE segment SET rows = substr(rows, 1, 55 * 19) WHERE exchange = ?", (name,))
    with pytest.raises(LedgerError, match="has not the leaves"):
        figures(town)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE segment SET rows = CAST(substr(rows, 1, 15) || x'11' || substr(rows, 17) AS BLOB)",
        "UPDATE segment SET rows = CAST(substr(rows, 1, 50) || x'11' || substr(rows, 52) AS BLOB)",
        "DELETE FROM segment",
    ],
)
def test_leaves_changed_by_hand_are_an_error_and_not_another_figure(town: Town, change: str) -> None:
    town.exchange(town.csv(town.rows()))
    with town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql(change)
    with pytest.raises(LedgerError, match="has not the leaves"):
        figures(town)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE logentry SET entry = CAST(replace(CAST(entry AS TEXT), 'policy', 'police') AS BLOB) WHERE position = 0",
        "DELETE FROM logcheckpoint WHERE size = 2",
        "UPDATE logcheckpoint SET note = replace(note, 'sinergi', 'sinergu') WHERE size = 2",
    ],
)
def test_a_log_that_was_changed_gets_no_integrity_statement(town: Town, statement: str) -> None:
    town.exchange(town.csv(town.rows()))
    log = at_checkpoint(town.office, AGREEMENT)
    with town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql(f"{statement} AND log = '{AGREEMENT}'")
    with pytest.raises(LedgerError):
        yearly(town.office, log, 2026, wib_date(town.now), as_of=False)


# --- figures
def test_distinct_persons_are_counted_across_exchanges_and_never_twice(town: Town) -> None:
    rows = town.rows(n=30)
    town.exchange(town.csv(rows[:20]))
    town.exchange(town.csv(rows[10:]))
    said = figures(town)
    (flow,) = said["flows"]
    assert (flow["exchanges"], flow["rows"], flow["released"], flow["persons"], flow["others"]) == (2, 40, 40, 30, 0)
    assert said["persons"] == 30


def test_records_that_name_nobody_are_no_persons(town: Town) -> None:
    town.exchange(town.csv(town.rows("lowongan", n=12), "lowongan"), dataset="lowongan")
    (flow,) = figures(town)["flows"]
    assert (flow["persons"] + flow["others"], flow["released"]) == (12, 12)
    assert flow["others"] > 0


def test_withheld_rows_count_as_withheld_and_their_persons_as_nobody_told(town: Town) -> None:
    rows = town.rows(n=20)
    column = list(town.office.contracts["pencari_kerja"].names).index("nik")
    rows[3][column] = "1234"
    town.exchange(town.csv(rows))
    (flow,) = figures(town)["flows"]
    assert (flow["released"], flow["persons"], flow["outcomes"]["ditahan_aturan"]) == (19, 19, 1)
    assert flow["quality"]["nik.bentuk"] == 1


def test_cells_by_level_are_the_released_rows_times_the_columns(town: Town) -> None:
    name, _ = town.exchange(town.csv(town.rows(n=25)))
    (flow,) = figures(town)["flows"]
    columns = json.loads(town.row(name).manifest or b"")["columns"]
    assert sum(flow["cells"]) == 25 * len(columns)
    assert flow["columns"]["nik"][5] == 0
    assert [sum(of[level] for of in flow["columns"].values()) for level in range(6)] == flow["cells"]


def test_refusals_are_counted_by_clause_and_months_are_wib(town: Town) -> None:
    town.now = datetime(2026, 11, 30, 17, 30, tzinfo=UTC)  # 1 December in Jakarta
    with pytest.raises(Refusal):
        town.exchange(town.csv(town.rows()), purpose="layanan")
    said = figures(town)
    assert [(r["reason"], r["count"]) for r in said["refusals"]] == [("tujuan", 1)]
    assert said["refusals"][0]["clause"].startswith("Pasal 6")
    assert said["months"]["refused"] == [0] * 11 + [1]


def test_what_is_refused_and_is_no_exchange_is_counted_apart(town: Town) -> None:
    town.exchange(town.csv(town.rows()))
    for reason, of in (("wewenang", {}), ("wewenang", {}), ("tujuan", {"exchange": "0" * 32})):
        with town.office.ledger.writing() as book:
            book.append(AGREEMENT, event("refusal", town.now, clause="Pasal 6", facts={}, reason=reason, sender="auditor-1@sijunjung", **of))
    said = figures(town)
    assert sum(said["months"]["refused"]) == 1
    assert said["refusals"] == [{"clause": "Pasal 6", "count": 1, "reason": "tujuan"}]
    assert said["denials"] == [{"clause": "Pasal 6", "count": 2, "reason": "wewenang"}]
    assert all(word in pages(said) for word in (b"Permintaan lain yang ditolak", b"Peran Anda tidak mencakup"))


def test_the_year_ends_with_jakartas(town: Town) -> None:
    town.now = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
    town.exchange(town.csv(town.rows(seed=1)))
    town.now = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    town.exchange(town.csv(town.rows(seed=2)))
    assert [flow["exchanges"] for flow in figures(town)["flows"]] == [1]
    assert [flow["exchanges"] for flow in figures(town, 2027)["flows"]] == [1]


def test_another_agreements_figures_never_appear(town: Town) -> None:
    town.exchange(town.csv(town.rows()))
    before = canonical(figures(town))
    town.exchange(town.csv(town.rows(party="binjai", agreement="nk-binjai-2025")), agreement="nk-binjai-2025", sender=SIBUSER, basis="Surat tugas")
    assert canonical(figures(town)) == before
    assert b"binjai" not in before


def test_a_person_whose_keys_are_erased_is_counted_as_that_and_as_no_person(town: Town) -> None:
    name, _ = town.exchange(town.csv(town.rows()))
    with town.office.ledger.database.write() as tx:
        tx.kept.erase_secret(name, AGREEMENT)
    (flow,) = figures(town)["flows"]
    assert (flow["persons"], flow["without_keys"], flow["released"]) == (0, 1, 20)


# --- integrity, reproducibility
def test_the_integrity_statement_can_be_verified_by_who_holds_the_logs_key(town: Town) -> None:
    for seed in (1, 2, 3):
        town.exchange(town.csv(town.rows(seed=seed)))
    said = figures(town)["integrity"]
    key = town.office.rings[AGREEMENT].get(LogKey, "log").public
    opening, closing = (read_checkpoint(said[name], said["origin"], key) for name in ("opening", "closing"))
    assert (opening.size, closing.size) == (1, 4)
    verify_consistency(opening.size, closing.size, opening.root, closing.root, [b64decode(h) for h in said["consistency"]])
    with pytest.raises(NotVerified):
        verify_consistency(opening.size, closing.size, closing.root, closing.root, [b64decode(h) for h in said["consistency"]])


def test_a_cosigned_checkpoint_at_or_after_the_closing_one_is_in_the_statement(town: Town) -> None:
    for seed in (1, 2):
        town.exchange(town.csv(town.rows(seed=seed)))
    town.now = datetime(2027, 1, 5, 3, tzinfo=UTC)
    for seed in (3, 4):
        town.exchange(town.csv(town.rows(seed=seed)))
    assert figures(town)["integrity"]["cosigned"] is None
    line = "— saksi AAAAAAAAAAAAAAAA\n"
    with town.office.ledger.database.write() as tx:
        for size in (2, 4, 5):  # before the closing one (3), and two after it
            tx.cosignatures.add(AGREEMENT, size, "saksi", 0, line)
    said = figures(town)["integrity"]
    key = town.office.rings[AGREEMENT].get(LogKey, "log").public
    closing, cosigned = (read_checkpoint(note, said["origin"], key) for note in (said["closing"], said["cosigned"]["checkpoint"]))
    assert (closing.size, cosigned.size, said["cosigned"]["checkpoint"].count(line)) == (3, 4, 1)
    verify_consistency(closing.size, cosigned.size, closing.root, cosigned.root, [b64decode(h) for h in said["cosigned"]["consistency"]])


def test_stops_erasures_and_askings_are_told(town: Town) -> None:
    name, _ = town.exchange(town.csv(town.rows()))
    who = person(town)
    with town.office.ledger.writing() as book:
        book.append(AGREEMENT, event("policy", town.now, act="stopped", person="petugas-1@sijunjung", stop="0" * 16, target=AGREEMENT))
        book.append(AGREEMENT, event("erasure", town.now, act="exchange", exchange=name, ground="pasal_43_1_d", person="ppdp-1@sijunjung", reason_sha256="0" * 64))
    taken(town, who, "json")
    said = figures(town)
    assert [(i["type"], i["act"], i["target"]) for i in said["incidents"]] == [("policy", "stopped", AGREEMENT)]
    assert [(e["act"], e["exchange"], e["ground"]) for e in said["erasures"]] == [("exchange", name, "pasal_43_1_d")]
    assert {"act": "tahunan", "count": 1, "type": "export"} in said["acts"]
    data = pages(said)
    assert all(word in data for word in (b"pelepasan dihentikan petugas", b"kunci pertukaran dihapus", b"tahunan"))


def test_the_next_years_opening_is_this_years_closing(town: Town) -> None:
    town.exchange(town.csv(town.rows(seed=1)))
    town.now = datetime(2027, 1, 5, 3, tzinfo=UTC)
    town.exchange(town.csv(town.rows(seed=2)))
    assert figures(town, 2027)["integrity"]["opening"] == figures(town)["integrity"]["closing"]


def test_the_report_of_a_year_that_is_over_is_the_same_bytes_every_time(town: Town) -> None:
    town.exchange(town.csv(town.rows(seed=1, mess=0.01)))
    town.now = datetime(2027, 1, 5, 3, tzinfo=UTC)
    who = person(town)
    first = {form: taken(town, who, form) for form in ("json", "pdf")}
    town.exchange(town.csv(town.rows(seed=2)))
    town.now = datetime(2027, 3, 5, 3, tzinfo=UTC)
    town.reopen()
    assert {form: taken(town, who, form) for form in ("json", "pdf")} == first
    assert json.loads(first["json"])["complete"]
    assert pages(json.loads(first["json"])) == first["pdf"]


def test_an_erasure_changes_the_report_of_a_year_that_is_over_in_its_persons_alone(town: Town) -> None:
    """docs/formats/reports.md says so: who was erased is nobody's, and no figure of rows or cells is another."""
    rows = town.rows(n=20)
    names = [town.exchange(town.csv(rows[n : n + 10]))[0] for n in (0, 10)]
    town.now = datetime(2027, 1, 5, 3, tzinfo=UTC)
    with town.http() as http:
        ppdp = Desk(town, http).officer("sijunjung", "ppdp").person
    with town.office.ledger.database.read() as tx:
        who = tx.people.get(ppdp)
    assert who is not None
    before, ground = figures(town), Ground("pasal_43_1_c", "Permohonan tertulis subjek, surat nomor 12")
    (flow,) = before["flows"]
    nik = rows[0][list(town.office.contracts["pencari_kerja"].names).index("nik")]
    erase_subject(town.office, who, AGREEMENT, nik, ground, town.now)
    assert figures(town) == {**before, "persons": 19, "flows": [{**flow, "persons": 19, "others": 1}]}
    erase_exchange(town.office, who, AGREEMENT, names[1], ground, town.now)
    assert figures(town) == {**before, "persons": 9, "flows": [{**flow, "persons": 9, "others": 1, "without_keys": 1}]}


def test_a_report_as_of_a_checkpoint_is_the_same_bytes_and_says_that_it_is_provisional(town: Town) -> None:
    town.exchange(town.csv(town.rows(seed=1)))
    who, size = person(town), town.office.ledger.size(AGREEMENT)
    first = taken(town, who, "json", size=size)
    town.exchange(town.csv(town.rows(seed=2)))
    assert taken(town, who, "json", size=size) == first
    assert not json.loads(first)["complete"]
    with pytest.raises(Refusal, match="size"):
        taken(town, who, "json", size=99)


def test_a_report_is_recorded_and_comes_with_a_statement(town: Town, tmp_path: Path) -> None:
    town.exchange(town.csv(town.rows()))
    with reader(town, "auditor", "bpk", frozenset({AGREEMENT})) as auditor:
        said = auditor.report(AGREEMENT, 2026, "pdf", None, tmp_path / "laporan.pdf")
    assert (said["what"], said["asked"], said["rows"]) == ("tahunan", {"size": None, "year": 2026}, 1)
    shown = " ".join(texts((tmp_path / "laporan.pdf").read_bytes()))
    assert "versi kebijakan terbit" in shown
    assert not set(shown.split()) & {"query", "export", "outcome", "searched", "delivered", "policy"}
    (entry,) = [e for e in town.entries() if e["type"] == "sinergi/export/v1"]
    assert (entry["person"], entry["sha256"]) == ("auditor-1@bpk", said["sha256"])
    (tmp_path / "laporan.pdf").write_bytes((tmp_path / "laporan.pdf").read_bytes().replace(b"2026", b"2027", 1))
    with pytest.raises(NotVerified):
        check_file(tmp_path / "laporan.pdf", public(town))


def test_no_identity_number_key_or_vault_id_is_in_a_report(town: Town) -> None:
    rows = town.rows(n=20)
    town.exchange(town.csv(rows))
    column = list(town.office.contracts["pencari_kerja"].names).index("nik")
    said = figures(town)
    data = canonical(said) + pages(said)
    assert not [row for row in rows if row[column].encode() in data]
    with town.office.ledger.database.read() as tx:
        ids = b"".join(tx.vault_ids(AGREEMENT))
    assert not [at for at in range(0, len(ids), 16) if ids[at : at + 16].hex().encode() in data]
    assert town.office.rings[AGREEMENT].get(SecretKey, "root").seed.hex().encode() not in data
