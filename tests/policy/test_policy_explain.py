"""Why a cell is worth what it is, in both languages; what nobody declared is never repeated."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import TYPE_CHECKING

import pytest

from broker.policy import Cell, explain
from tests.policy.conftest import LINES

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.policy import Policy
    from broker.policy.explain import Language



CELL = Cell("siapkerja@kemnaker", "nk-sijunjung-2025", "pencari_kerja.jenis_kelamin", "terima", "perencanaan", "anak", date(2026, 11, 21))
SECRET = "3201999909990001"
KINDS = {"sub": ("pihak", "party"), "dom": ("kesepakatan", "agreement"), "obj": ("kolom", "column"), "act": ("tindakan", "action"),
         "pur": ("tujuan", "purpose"), "row": ("kelas baris", "row class")}  # fmt: skip


@pytest.mark.parametrize("axis", KINDS)
@pytest.mark.parametrize("language", ["id", "en"])
def test_an_unknown_value_is_level_zero_named_by_its_kind_and_never_repeated(seed: Policy, axis: str, language: Language) -> None:
    kind = KINDS[axis][language == "en"]
    for value in (SECRET, "", "?", "*"):
        told = explain(seed, Cell(**{**CELL._asdict(), axis: value}), language)
        assert (told.level, told.unknown, told.rules, told.decides) == (0, (kind,), (), frozenset())
        assert told.text == (f"Level 0 (hidden): unknown {kind}." if language == "en" else f"Tingkat 0 (sembunyi): {kind} tidak dikenal.")
        assert SECRET not in repr(told)


def test_several_unknown_values_are_all_named(seed: Policy) -> None:
    told = explain(seed, CELL._replace(obj=SECRET, pur=SECRET), "id")
    assert told.text == "Tingkat 0 (sembunyi): kolom, tujuan tidak dikenal."


def test_every_rule_that_matches_is_told_with_its_clause_in_indonesian(seed: Policy) -> None:
    assert explain(seed, CELL, "id").text == (
        "siapkerja@kemnaker, nk-sijunjung-2025, menerima pencari_kerja.jenis_kelamin, tujuan perencanaan, kelas baris anak, 21-11-2026: tingkat 3 (samaran). "
        "K.anak.umum membatasi sampai 3 (samaran; UU 27/2022 Pasal 25) dan menentukan. "
        "A.terima.semua.pencari_kerja.jenis_kelamin mengizinkan sampai 5 (jelas; Pasal 4 huruf a angka 1) dan menentukan."
    )


def test_every_rule_that_matches_is_told_with_its_clause_in_english(seed: Policy) -> None:
    assert explain(seed, CELL, "en").text == (
        "siapkerja@kemnaker, nk-sijunjung-2025, receives pencari_kerja.jenis_kelamin, purpose perencanaan, row class anak, 2026-11-21: level 3 (pseudonym). "
        "K.anak.umum caps at 3 (pseudonym; UU 27/2022 Pasal 25) and decides. "
        "A.terima.semua.pencari_kerja.jenis_kelamin allows up to 5 (clear; Pasal 4 huruf a angka 1) and decides."
    )


def test_rules_that_match_without_deciding_are_told_too(compiled: Callable[..., Policy]) -> None:
    looser = "K.uji,*,nk-sijunjung-2025,pencari_kerja.*,*,*,*,4,2025-03-20,9999-12-31,nk-sijunjung-2025: Pasal 9 ayat (1),deny,ya"
    lower = LINES[[line.startswith("A.terima.semua.pencari_kerja.jenis_kelamin,") for line in LINES].index(True)].replace("A.terima", "A.rendah").replace(",5,", ",2,")
    told = explain(compiled(*LINES, looser, lower), CELL, "id")
    assert [rule.id for rule in told.rules] == ["K.anak.umum", "A.terima.semua.pencari_kerja.jenis_kelamin", "K.uji", lower.partition(",")[0]]
    assert told.decides == {"K.anak.umum", "A.terima.semua.pencari_kerja.jenis_kelamin"}
    assert "K.uji membatasi sampai 4 (samaran berformat; Pasal 9 ayat (1)). " in told.text
    assert told.level == 3


def test_a_cell_that_nothing_allows_says_so(seed: Policy) -> None:
    told = explain(seed, CELL._replace(obj="pencari_kerja.nama_lengkap", row="umum"), "en")
    assert (told.level, told.rules) == (0, ())
    assert told.text.endswith("2026-11-21: level 0 (hidden). No rule allows it.")
    capped = explain(seed, CELL._replace(obj="pencari_kerja.nama_lengkap"), "id")
    assert [rule.id for rule in capped.rules] == ["K.anak.umum"]
    assert capped.text.endswith("dan menentukan. Tidak ada aturan yang mengizinkannya.")
    assert "Tidak ada aturan" not in explain(seed, CELL, "id").text


@pytest.mark.parametrize(("day", "level"), [(date(2025, 3, 19), 0), (date(2025, 3, 20), 3), (date(2028, 3, 19), 3), (date(2028, 3, 20), 0)])
def test_the_day_counts_and_caps_outlive_the_agreement(seed: Policy, day: date, level: int) -> None:
    told = explain(seed, CELL._replace(day=day), "id")
    assert told.level == level
    assert ("K.anak.umum" in told.decides) == (day >= date(2025, 3, 20))


def test_a_party_stands_for_its_system(seed: Policy) -> None:
    assert explain(seed, CELL._replace(sub="kemnaker"), "id") == explain(seed, CELL, "id")
    assert explain(seed, CELL._replace(sub="binjai"), "id").level == 0
    assert explain(seed, CELL._replace(sub="pihak_ketiga"), "id").unknown == ()


def test_a_party_reads_the_clauses_of_its_own_agreement(seed: Policy) -> None:
    told = explain(seed, CELL._replace(obj="pencari_kerja.*", act="ungkap", sub="pihak_ketiga"), "id")
    (rule,) = (rule for rule in told.rules if rule.id == "K.ungkap")
    assert rule.pasal == "Pasal 9 ayat (2)"
    assert "pengungkapan pencari_kerja.*" in told.text


@pytest.mark.parametrize("row", ["umum", "anak", "anak+spesifik_kolom+disabilitas"])
def test_the_locked_caps_of_a_grid_are_those_of_its_cells(seed: Policy, row: str) -> None:
    found = seed.locked(CELL.sub, CELL.dom, CELL.act, row, CELL.day)
    for (n, purpose), (m, column) in product(enumerate(seed.known.axes["pur"]), enumerate(seed.known.axes["obj"])):
        rules = [seed.rows[rule] for rule in seed.matching(CELL._replace(pur=purpose, obj=column, row=row))]
        assert found[n, m] == min((int(rule.lv) for rule in rules if rule.kunci == "ya"), default=5)
