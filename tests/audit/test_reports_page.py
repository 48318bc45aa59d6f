"""docs/formats/reports.md says what the code does."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from broker.audit.export import COLUMNS
from broker.audit.subject_report import GROUNDS
from broker.client.reports import check_file
from tests.audit.reading import reader
from tests.audit.test_export import AGREEMENT, public
from tests.audit.test_subject_report import FIELDS, disclosed
from tests.audit.test_yearly import figures
from tests.formats.test_docs import table, words

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Town


def named(first: str) -> set[str]:
    """The names in the first column of the page's table that begins with `first`."""
    return {name.strip(" `") for row in table("reports.md", first) for name in row[0].split(", ")}


def test_the_csv_has_the_columns_of_its_table(town: Town, tmp_path: Path) -> None:
    assert named("column") == set(COLUMNS)
    with reader(town) as officer:
        officer.export(AGREEMENT, "csv", "", "entri", tmp_path / "out.csv")
    header = next(csv.reader((tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()))
    assert header == list(COLUMNS)


def test_statements_and_entries_have_the_fields_of_their_table(town: Town, tmp_path: Path) -> None:
    nik, _ = disclosed(town)
    with reader(town) as officer:
        officer.subject_report({**FIELDS, "subject": nik}, tmp_path / "orang.json")
        officer.report(AGREEMENT, 2026, "json", None, tmp_path / "tahun.json")
    person, year = (check_file(tmp_path / name, public(town)) for name in ("orang.json", "tahun.json"))
    assert set(person) == named("statement field")
    assert set(year) == named("statement field") - {"hidden", "request"}
    entries = [entry for entry in town.entries() if entry["type"] == "sinergi/export/v1"]
    for said, entry in zip((person, year), entries, strict=True):
        assert set(entry) == set(said) - {"agreement", "asked", "checkpoint"} | {"asked_sha256"}
    told = json.loads((tmp_path / "orang.json").read_bytes())
    assert set(told) == named("subject report field")
    assert all(f"`{name}`" in words("reports.md") for name in told["disclosures"][0])


def test_the_yearly_report_has_the_fields_of_its_table(town: Town) -> None:
    town.exchange(town.csv(town.rows()))
    said = figures(town)
    assert set(said) == named("report field")
    assert all(f"`{name}`" in words("reports.md") for part in (said["flows"][0], said["integrity"], said["agreement"], said["months"], said["entries"]) for name in part)


def test_the_grounds_are_those_of_the_page() -> None:
    assert all(f"`{letter}` (" in words("reports.md") for letter in GROUNDS)
