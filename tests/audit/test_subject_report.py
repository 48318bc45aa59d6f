from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker.audit import handout, subject_report
from broker.audit.subject import Question
from broker.audit.subject_pages import pages
from broker.audit.subject_report import About
from broker.client.reports import check_file
from broker.errors import ClientError, NotVerified, Refusal
from broker.jcs import canonical
from tests.audit.reading import one, reader
from tests.audit.test_export import AGREEMENT, public
from tests.audit.test_pdf import texts

if TYPE_CHECKING:
    from pathlib import Path

    from broker.client.reports import Reports
    from tests.simulator import Town

REASON = "Permintaan akses subjek data, surat masuk nomor 12"
FIELDS: dict[str, Any] = {"agreement": AGREEMENT, "case": "470/12/XI/2026", "format": "json", "from": "2026-01-01", "hidden": {}, "reason": REASON, "received": "2026-11-20T03:00:00Z", "to": "2026-12-31"}


def disclosed(town: Town) -> tuple[str, list[str]]:
    """A person whose row went out twice, a day apart, and once not at all; the NIK and the two exchanges, oldest first."""
    rows = town.rows(n=20)
    nik = rows[4][list(town.office.contracts["pencari_kerja"].names).index("nik")]
    first = town.exchange(town.csv(rows))[0]
    town.exchange(town.csv(town.rows(n=20, seed=7)))
    town.now += timedelta(days=1)
    return nik, [first, town.exchange(town.csv(rows[:10]))[0]]


def asked(town: Town, officer: Reports, path: Path, nik: str, **changed: Any) -> Any:
    said = officer.subject_report({**FIELDS, "subject": nik, **changed}, path)
    return said if "state" in said else json.loads(path.read_bytes())


def logged(town: Town, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in town.entries() if entry["type"] == f"sinergi/{kind}/v1"]


# --- refused
@pytest.mark.parametrize("role", ["admin_pihak", "operator", "petugas_keamanan"])
def test_who_may_not_search_people_makes_no_report(town: Town, tmp_path: Path, role: str) -> None:
    nik, _ = disclosed(town)
    with reader(town, role) as officer, pytest.raises(ClientError, match="Peran Anda"):
        asked(town, officer, tmp_path / "r.json", nik)
    assert logged(town, "export") == []


@pytest.mark.parametrize(
    ("changed", "parameter"),
    [
        ({"format": "docx"}, "format"),
        ({"received": "2026-11-25T03:00:00Z"}, "received"),
        ({"received": "2026-11-20T03:00:00"}, "isi"),
        ({"case": "Budi Santoso"}, "case"),
        ({"case": "1371014501900001"}, "case"),
        ({"hidden": {"0" * 32: "a"}}, "hidden"),
        ({"hidden": {"0" * 32: "d"}}, "hidden"),
        ({"extra": "x"}, "isi"),
        ({"subject": ["1", "2"]}, "isi"),
        ({"subjects": ["1303011509909001"]}, "isi"),
        ({"request": "0" * 32}, "isi"),
        ({"agreement": 1}, "isi"),
        ({"from": "kemarin"}, "isi"),
    ],
)
def test_what_is_malformed_is_refused_by_the_name_of_its_field(town: Town, tmp_path: Path, changed: dict[str, Any], parameter: str) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer, pytest.raises(ClientError, match=parameter):
        asked(town, officer, tmp_path / "r.json", **{"nik": nik, **({"nik": changed["subject"]} if "subject" in changed else {})}, **{k: v for k, v in changed.items() if k != "subject"})
    assert logged(town, "export") == []
    assert not (tmp_path / "r.json").exists()


def test_a_report_without_a_reason_is_refused(town: Town, tmp_path: Path) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer, pytest.raises(ClientError):
        asked(town, officer, tmp_path / "r.json", nik, reason="")
    assert logged(town, "export") == []


def test_nothing_is_withheld_without_a_ground_of_the_law() -> None:
    assert list(subject_report.GROUNDS) == ["a", "b", "c"]


# --- what it says
def test_the_person_is_told_every_disclosure_newest_first_with_what_each_column_showed(town: Town, tmp_path: Path) -> None:
    nik, exchanges = disclosed(town)
    with reader(town) as officer:
        said = asked(town, officer, tmp_path / "r.json", nik)
    assert [one["exchange"] for one in said["disclosures"]] == exchanges[::-1]
    assert (said["looked"], said["without"], said["unlooked"], said["withheld"]) == (3, 1, 0, [])
    newest = said["disclosures"][0]
    assert (newest["sender"], newest["recipient"], newest["purpose"], newest["outcome"], newest["rows"]) == ("sijoker@sijunjung", "siapkerja@kemnaker", "perencanaan", "diserahkan", 1)
    assert newest["clauses"]
    assert newest["columns"]["nik"] == "samaran"
    assert "nama_lengkap" not in newest["columns"]


def test_who_the_broker_does_not_know_is_told_that_it_proves_nothing(town: Town, tmp_path: Path) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer:
        unknown, known = asked(town, officer, tmp_path / "r.json", "3275019009909678"), asked(town, officer, tmp_path / "s.json", nik)
    assert (unknown["known"], unknown["looked"], unknown["without"], known["known"]) == (False, 3, 0, True)
    written = [pages({**one, "agreement": {"id": AGREEMENT, "nama": "Uji"}}) for one in (unknown, known)]
    assert ["bukan bukti bahwa data Anda" in " ".join(texts(page)) for page in written] == [True, False]
    assert all("sel yang kosong dalam baris tetap kosong" in " ".join(texts(page)) for page in written)
    assert ["tidak memuat data Anda" in " ".join(texts(page)) for page in written] == [False, True]


def test_a_withheld_row_is_told_as_not_handed_over(town: Town, tmp_path: Path) -> None:
    rows = town.rows(n=20)
    names = list(town.office.contracts["pencari_kerja"].names)
    rows[4][names.index("tgl_mutakhir")] = "kemarin"
    town.exchange(town.csv(rows))
    with reader(town) as officer:
        said = asked(town, officer, tmp_path / "r.json", rows[4][names.index("nik")])
    (told,) = said["disclosures"]
    assert (told["outcome"], told["columns"]) == ("tidak diserahkan: baris ditahan", {})


@pytest.mark.parametrize(("hours", "on_time"), [(72, True), (73, False)])
def test_the_clock_runs_from_the_persons_request_for_three_days(town: Town, tmp_path: Path, hours: int, on_time: bool) -> None:
    nik, _ = disclosed(town)
    received = town.now - timedelta(hours=hours)
    with reader(town) as officer:
        said = asked(town, officer, tmp_path / "r.json", nik, received=received.isoformat())
    assert datetime.fromisoformat(said["due"]) - datetime.fromisoformat(said["received"]) == timedelta(hours=72)
    assert (said["on_time"], said["made"]) == (on_time, "2026-11-22T03:00:00.000Z")


def test_a_disclosure_is_withheld_under_a_ground_and_the_report_says_so(town: Town, tmp_path: Path) -> None:
    nik, (older, newer) = disclosed(town)
    with reader(town) as officer:
        said = asked(town, officer, tmp_path / "r.json", nik, hidden={newer: "b"})
        officer.subject_report({**FIELDS, "subject": nik, "hidden": {newer: "b"}, "format": "pdf"}, tmp_path / "r.pdf")
    assert [one["exchange"] for one in said["disclosures"]] == [older]
    assert [(w["count"], w["ground"]) for w in said["withheld"]] == [(1, "Pasal 33 huruf b")]
    pdf = (tmp_path / "r.pdf").read_bytes()
    assert b"Pasal 33 huruf b" in pdf
    assert newer.encode() not in pdf
    assert [entry["hidden"] for entry in logged(town, "export")] == [{"b": 1}] * 2


def test_another_agreement_is_not_looked_through(town: Town, tmp_path: Path) -> None:
    nik, _ = disclosed(town)
    with reader(town, "ppdp", "binjai") as officer, pytest.raises(ClientError, match="Peran Anda"):
        asked(town, officer, tmp_path / "r.json", nik)
    with reader(town, "ppdp", "binjai") as officer:
        said = asked(town, officer, tmp_path / "b.json", nik, agreement="nk-binjai-2025")
    assert (said["looked"], said["disclosures"]) == (0, [])


def test_an_external_auditor_waits_for_a_second_person_and_then_asks_with_the_request(town: Town, tmp_path: Path) -> None:
    nik, exchanges = disclosed(town)
    with town.http() as http:
        bpk, ppdp = one(town, http, "auditor", "bpk", frozenset({AGREEMENT})), one(town, http)
        waiting = asked(town, bpk, tmp_path / "r.json", nik)
        assert waiting["state"] == "pending"
        assert not (tmp_path / "r.json").exists()
        again = {name: FIELDS[name] for name in ("case", "format", "hidden", "received")} | {"request": waiting["request"]}
        with pytest.raises(ClientError):
            bpk.subject_report(again, tmp_path / "r.json")
        ppdp._to.act("POST", f"/v1/audit/subjects/{waiting['request']}/approve")
        bpk.subject_report(again, tmp_path / "r.json")
    assert [one["exchange"] for one in json.loads((tmp_path / "r.json").read_bytes())["disclosures"]] == exchanges[::-1]


def test_an_approved_answer_about_several_people_is_not_used_up_by_a_report(town: Town, tmp_path: Path) -> None:
    nik, _ = disclosed(town)
    question: dict[str, Any] = {name: FIELDS[name] for name in ("agreement", "from", "reason", "to")} | {"proofs": False, "subjects": [nik, "A1234567"]}
    with town.http() as http:
        bpk, ppdp = one(town, http, "auditor", "bpk", frozenset({AGREEMENT})), one(town, http)
        name = bpk._to.send("POST", "/v1/audit/subjects", canonical(question), "application/json")["request"]
        ppdp._to.act("POST", f"/v1/audit/subjects/{name}/approve")
        with pytest.raises(ClientError, match="subjects"):
            bpk.subject_report({name: FIELDS[name] for name in ("case", "format", "hidden", "received")} | {"request": name}, tmp_path / "r.json")
        assert len(bpk._to.act("POST", f"/v1/audit/subjects/{name}/answer")["subjects"]) == 2
    assert logged(town, "export") == []


# --- the file and its record
def test_the_report_is_signed_and_recorded_before_it_leaves(town: Town, tmp_path: Path) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer:
        officer.subject_report({**FIELDS, "subject": nik, "format": "pdf"}, tmp_path / "r.pdf")
    said = check_file(tmp_path / "r.pdf", public(town))
    (entry,) = logged(town, "export")
    assert (entry["what"], entry["sha256"], entry["rows"], entry["hidden"]) == ("subjek", said["sha256"], 2, {})
    assert said["asked"] == {"due": "2026-11-23T03:00:00.000Z", "received": "2026-11-20T03:00:00.000Z"}
    (tmp_path / "r.pdf").write_bytes((tmp_path / "r.pdf").read_bytes() + b"\n")
    with pytest.raises(NotVerified):
        check_file(tmp_path / "r.pdf", public(town))


def test_neither_the_person_nor_the_case_is_in_anything_that_is_kept(town: Town, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    nik, _ = disclosed(town)
    case = FIELDS["case"]
    with reader(town) as officer:
        for form in ("json", "pdf"):
            officer.subject_report({**FIELDS, "subject": nik, "format": form}, tmp_path / f"r.{form}")
            with pytest.raises(ClientError):
                officer.subject_report({**FIELDS, "subject": nik, "format": form, "hidden": {"0" * 32: "a"}}, tmp_path / f"s.{form}")
    kept = b"".join(path.read_bytes() for path in town.home.rglob("*") if path.is_file()) + "".join(capfd.readouterr()).encode() + caplog.text.encode()
    assert nik.encode() not in kept
    assert case.encode() not in kept
    for name in ("r.json", "r.json.dsse", "r.pdf", "r.pdf.dsse"):
        assert nik.encode() not in (tmp_path / name).read_bytes()
    assert case.encode() in (tmp_path / "r.json").read_bytes()


def test_a_report_without_a_case_number_has_lines_to_fill_in(town: Town, tmp_path: Path) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer:
        officer.subject_report({**FIELDS, "subject": nik, "case": "", "format": "pdf"}, tmp_path / "r.pdf")
    assert b"tanpa bukti per baris" in (tmp_path / "r.pdf").read_bytes()
    assert b"NIK (diisi petugas)" in (tmp_path / "r.pdf").read_bytes().replace(b"\\(", b"(").replace(b"\\)", b")")


def test_the_same_answer_makes_the_same_bytes(town: Town) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer:
        with town.office.ledger.database.read() as tx:
            person = tx.people.get(officer.person)
        assert person is not None
        question = Question(AGREEMENT, date(2026, 1, 1), date(2026, 12, 31), REASON, (nik,))
        about = About(datetime(2026, 11, 20, tzinfo=UTC), "", {})
        made = [subject_report.report(town.office, person, question, about, "json", town.now) for _ in range(2)]
    values = []
    for file in made:
        assert isinstance(file, handout.File)
        values.append(json.loads(b"".join(file.pieces)))
    differing = {name for name in values[0] if values[0][name] != values[1][name]}
    assert differing == {"checkpoint"}  # the log grew by the first asking
    assert pages(values[0]) == pages(values[0])


def test_two_people_in_one_question_are_refused(town: Town) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer:
        with town.office.ledger.database.read() as tx:
            person = tx.people.get(officer.person)
        assert person is not None
        question = Question(AGREEMENT, date(2026, 1, 1), date(2026, 12, 31), REASON, (nik, "A1234567"))
        with pytest.raises(Refusal, match="subjects"):
            subject_report.report(town.office, person, question, About(town.now, "", {}), "json", town.now)
    assert logged(town, "query") == []
