"""`scripts/bench exchange`, tiny: its figures are there, and both sides worked on the same rows. How fast anything is, no test judges."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from scripts.benchmarks import steps, world

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 40
NUMBERS = (
    "rows", "rows_per_s_core", "peer_rowwise_rows_per_s_core", "peer_structured_rows_per_s_core", "ratio_rowwise", "ratio_structured", "peak_rss_mb", "small_ms",
)  # fmt: skip


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    command = [sys.executable, "-m", "scripts.benchmarks", "exchange", "--rows", str(ROWS), "--repeat", "1", "--smalls", "2", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_json_has_every_figure(result: dict[str, Any]) -> None:
    assert result["rows"] == ROWS
    assert result["columns"] == 62
    assert all(result[name] > 0 for name in NUMBERS)
    # Figures that need more rows than these are named and empty, never invented.
    assert result["medium_ms"] is None
    assert result["rss_growth_mb_per_million_rows"] is None


def test_the_steps_share_the_whole_time(result: dict[str, Any]) -> None:
    assert sum(result["share"].values()) == pytest.approx(1, abs=0.01)
    assert {"door", "spool", "admit", "open", "parse", "validate", "detect", "treat", "lines", "commit", "seal", "outbox", "tree", "vault", "record"} <= set(result["share"])


def test_every_measured_step_still_has_its_function(result: dict[str, Any]) -> None:
    assert "steps_not_found" not in result


def test_ours_and_the_peers_saw_the_same_rows(result: dict[str, Any]) -> None:
    assert result["peer_rows"] == {"rowwise": ROWS, "structured": ROWS}
    assert set(result["input_sha256"]) == {"ours", "rowwise", "structured"}
    assert len(set(result["input_sha256"].values())) == 1


def test_a_multiplied_row_is_another_person_and_nothing_else_changes(tmp_path: Path) -> None:
    world.write_rows(tmp_path / "few.csv", world.draw_rows(3, 0.0))
    world.multiply(tmp_path / "few.csv", tmp_path / "many.csv", 6)
    nik = world.contract().names.index("nik")
    lines = [line.split(",") for line in (tmp_path / "many.csv").read_text().splitlines()[1:]]
    first, again = lines[0], lines[3]
    assert first[nik][:12] == again[nik][:12]
    assert first[nik] != again[nik]
    assert 9001 <= int(again[nik][12:]) <= 9999
    assert [v for i, v in enumerate(first) if i != nik] == [v for i, v in enumerate(again) if i != nik]


def test_watching_the_steps_leaves_the_product_as_it_was() -> None:
    before = {place: steps.find(place) for _, place in steps.PLACES}
    with steps.Steps.watching():
        assert steps.find("broker.rows:commitments_to") != before["broker.rows:commitments_to"]
    assert {place: steps.find(place) for _, place in steps.PLACES} == before
