"""`scripts/bench detect`, tiny: its figures are there, and what leaks is counted as documented. How good or fast anything is, no test judges."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from broker.model import Finding
from broker.sample.notes import Note, notes
from scripts.benchmarks import detect, detect_texts, names_eval
from scripts.benchmarks.detect_texts import Tally

ROWS = 300
NUMBERS = (
    "texts_per_cpu_s", "texts_per_cpu_s_identifiers_only", "seconds_for_100kb_text", "seconds_for_200kb_text", "growth_4_times_the_text", "peak_rss_mb", "reference_sha256_us",
)  # fmt: skip
SHARES = ("nik_false_alarm_random16", "nik_false_alarm_luhn", "overmasked_clean_rows")
NOTE = Note("Rahmat, HP 0812-3456-7890, sakit", ((0, 6, "name"), (11, 25, "phone"), (27, 32, "health")), "test.jkp.0")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    tiny = ["--rows", str(ROWS), "--texts", "60", "--numbers", "2000", "--dense", "1000", "--peer", str(tmp_path_factory.mktemp("none"))]
    return subprocess.run([sys.executable, "-m", "scripts.benchmarks", "detect", *tiny, "--json"], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_json_has_every_figure(result: dict[str, Any]) -> None:
    assert result["rows"] == ROWS
    assert all(result[name] > 0 for name in NUMBERS)
    assert all(0 <= result[name] <= 100 for name in SHARES)


def test_leaks_come_with_their_bounds_and_rows(result: dict[str, Any]) -> None:
    leaks = result["leak_per_1000"]
    low, high = leaks["all_95"]
    assert low <= leaks["all"] <= high
    for kind in ("nik", "phone", "email", "address", "name", "health"):
        low, high = leaks[kind]["95"]
        assert low <= leaks[kind]["per_1000"] <= high
        assert 0 < leaks[kind]["rows"] <= ROWS
    assert {"upper", "lower", "title"} <= set(leaks["slices"])
    assert sum(leaks["slices"][case]["rows"] for case in ("upper", "lower", "title")) == ROWS


def test_the_worst_templates_are_told_by_id_and_count_only(result: dict[str, Any]) -> None:
    assert len(result["worst_templates"]) <= 10
    for worst in result["worst_templates"]:
        assert set(worst) == {"template", "leaks", "rows", "kinds"}
        assert worst["template"].startswith("test.")
        assert 0 < worst["leaks"] <= worst["rows"]


def test_public_names_are_null_without_their_data(result: dict[str, Any], done: subprocess.CompletedProcess[str]) -> None:
    for figure in ("names_full_cover", "token_precision"):
        assert result[figure]["idner"] is None
        assert result[figure]["nergrit"] is None
        assert 0 < result[figure]["form"] <= 1
        assert 0 < result[figure]["form_upper"] <= 1
    assert "--data" in done.stderr


def test_a_peer_that_was_not_made_is_null_and_said(result: dict[str, Any], done: subprocess.CompletedProcess[str]) -> None:
    assert result["peer_texts_per_cpu_s"] is None
    assert result["ratio"] is None
    assert "train_peer" in done.stderr


def test_the_tables_show_without_a_peer(result: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    detect.show(result)
    assert "worst templates" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("findings", "leaks"),
    [
        ([], True),
        ([(11, 25, "phone")], False),
        ([(11, 25, "account")], False),  # masked is masked, whatever it was taken for
        ([(11, 25, "place")], True),  # a place stays
        ([(11, 24, "phone")], True),
        ([(12, 25, "phone")], True),
        ([(11, 15, "phone"), (16, 25, "phone")], False),  # only the dash is left
        ([(11, 15, "phone"), (17, 25, "phone")], True),
        ([(16, 25, "phone"), (5, 15, "address")], False),
    ],
)
def test_a_letter_or_digit_outside_every_finding_is_a_leak(findings: list[tuple[int, int, str]], leaks: bool) -> None:
    found = [Finding(start, end, kind, "valid", "") for start, end, kind in findings]
    assert detect_texts.survives(NOTE.text, 11, 25, found) is leaks


def test_a_row_that_leaks_a_name_is_no_leak_of_an_identifier() -> None:
    tally = Tally()
    tally.take(NOTE, [Finding(11, 25, "phone", "valid", "")])
    leaks = detect_texts.leak_per_1000(tally)
    assert leaks["all"] == 0
    assert leaks["phone"]["per_1000"] == 0
    assert leaks["name"]["per_1000"] == 1000
    assert leaks["slices"]["jkp"]["name"]["per_1000"] == 1000
    assert detect_texts.worst_templates(tally) == [{"template": "test.jkp.0", "leaks": 1, "rows": 1, "kinds": {"name": 1, "health": 1}}]


def test_only_a_row_without_personal_data_can_be_overmasked() -> None:
    tally = Tally()
    tally.take(NOTE, [Finding(0, 6, "name", "valid", "")])
    tally.take(Note("Rapat di Solok", (), "test.kosong.0"), [Finding(9, 14, "place", "valid", "")])
    assert not tally.overmasked
    tally.take(Note("Rapat Setia", (), "test.kosong.0"), [Finding(6, 11, "name", "valid", "")])
    assert tally.overmasked == {"any": 1, "name": 1}


def test_no_leak_in_three_thousand_rows_says_little_more_than_one_per_thousand() -> None:
    assert detect_texts.wilson(0, 3000) == [0.0, pytest.approx(1.279, abs=0.001)]
    assert detect_texts.wilson(0, 0) is None


def test_every_card_number_keeps_luhns_rule() -> None:
    for number in detect_texts.luhn16(500):
        assert len(number) == 16
        assert number[0] in "3456"
        digits = [int(d) for d in reversed(number)]
        assert (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0


def test_texts_for_speed_are_distinct_and_half_have_personal_data() -> None:
    texts = detect_texts.speed_texts("test", 40)
    assert len(set(texts)) == 40
    assert all(270 <= len(text) <= 330 for text in texts)
    clean = [note.text[:100] for note in islice(notes(detect_texts.SEED + 1, 5000, "test"), 5000) if not note.spans]
    assert all(any(text.startswith(note) for note in clean) for text in texts[1::2])
    assert len(detect_texts.long_text(5000)) == 5000


def test_texts_to_warm_up_with_are_others() -> None:
    assert not set(detect_texts.speed_texts("train", 40)) & set(detect_texts.speed_texts("test", 40))


def test_the_public_names_are_measured_where_the_folder_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_eval, "NOTES", 20)
    assert detect._names(tmp_path)["names_full_cover"]["idner"] is None
    for name, file in (("idner-news-2k", "test.txt"), ("nergrit", "test_preprocess.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("Bapak\tO\nRahmat\tB-PER\nHidayat\tI-PER\ndatang\tO\n")
    found = detect._names(tmp_path)
    assert found["names_full_cover"]["idner"] in (0, 1)
    assert found["token_precision"]["nergrit"] is not None


def test_the_peer_learns_no_sentence_of_a_test_part(tmp_path: Path) -> None:
    trainer = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "train_peer"))
    for name in (*trainer["TRAIN"], *trainer["HELD"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Rahmat\tB-PER\ndatang\tO\n")
    (tmp_path / "nerp" / "train_preprocess.txt").write_text("rahmat\tB-PPL\ndatang\tO\n.\tO\n\nsiti\tB-PPL\npulang\tO\n\nsiti\tB-PPL\npulang\tO\n")
    sentences, removed = trainer["kept"](tmp_path)
    assert [text.text for text in sentences] == ["siti pulang"]
    assert removed == 4
