"""A bad row is withheld by rule and number; a batch with too many of them is refused whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.refusals.refusing import CANARY, assert_nowhere, released

if TYPE_CHECKING:
    from tests.refusals.refusing import Refuse
    from tests.simulator import Town

N = 40


def changed(town: Town, cells: dict[int, dict[str, str]], n: int = N) -> bytes:
    """A CSV of `n` good rows with cells replaced: row number (from 1) → column → text."""
    names = town.office.contracts["pencari_kerja"].names
    rows = town.rows(n=n)
    for number, new in cells.items():
        for column, value in new.items():
            rows[number - 1][names.index(column)] = value
    return town.csv(rows)


def outcomes(town: Town, data: bytes) -> tuple[dict[str, int], list[Any]]:
    """Rows by outcome as the manifest counts them, and what the sender's report names; the withheld rows did not leave."""
    name, _ = town.exchange(data)
    row = town.row(name)
    counts = {k: v for k, v in json.loads(row.manifest or b"")["outcomes"].items() if v}
    report = json.loads(row.report or "")
    lines = released(town, name)
    assert lines.count(b"\n") == counts["terkirim"] == report["released"]
    assert_nowhere(town, lines.decode(), row.report or "")
    return counts, report["named"]


@pytest.mark.parametrize(("column", "value"), [("kode_kesepakatan", "nk-binjai-2025"), ("pihak_asal", "binjai"), ("kode_kesepakatan", CANARY), ("pihak_asal", "")])
def test_a_row_of_another_agreement_or_party_is_withheld(town: Town, column: str, value: str) -> None:
    counts, named = outcomes(town, changed(town, {7: {column: value}}))
    assert counts == {"terkirim": N - 1, "ditahan_asal": 1}
    assert named == [[7, [f"{column}.asal" if value else f"{column}.wajib"]]]


def test_a_batch_of_binjais_rows_under_sijunjungs_agreement_is_refused(town: Town, refuse: Refuse) -> None:
    rows = town.csv(town.rows(n=10, party="binjai", agreement="nk-binjai-2025"))
    assert refuse(rows, "mutu").facts == {"lolos": 0, "semua": 10, "batas": 900}


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("nik", "1.30301E+15", "ilmiah"), ("nik", "1,30301900190900E+15", "ilmiah"), ("nik", "1303010190019", "bentuk"), ("nik", CANARY, "bentuk"),
        ("nik", "1303013299909001", "nik"), ("nik", "'1303010101909001", "bentuk"), ("nik", "", "wajib"), ("templat_versi", "0.9.0", "templat"),
        ("tanggal_lahir", "31/12/1990", "bentuk"), ("tanggal_lahir", CANARY, "bentuk"), ("tanggal_lahir", "1990-02-30", "bentuk"),
    ],
)  # fmt: skip
def test_a_bad_cell_withholds_its_row_by_rule_and_number(town: Town, column: str, value: str, rule: str) -> None:
    counts, named = outcomes(town, changed(town, {11: {column: value}}))
    assert counts == {"terkirim": N - 1, "ditahan_aturan": 1}
    ((number, rules),) = named
    assert number == 11
    assert f"{column}.{rule}" in rules


def test_when_all_rows_are_bad_the_batch_is_refused(town: Town, refuse: Refuse) -> None:
    data = changed(town, {i: {"nik": CANARY} for i in range(1, N + 1)})
    assert refuse(data, "mutu").facts == {"lolos": 0, "semua": N, "batas": 900}


@pytest.mark.parametrize("bad", [4, 5])
def test_a_batch_under_the_pass_rate_is_refused_whole(town: Town, refuse: Refuse, bad: int) -> None:
    data = changed(town, {i: {"nik": CANARY} for i in range(1, bad + 1)})
    if bad * 10 <= N:
        assert outcomes(town, data)[0] == {"terkirim": N - bad, "ditahan_aturan": bad}
    else:
        found = refuse(data, "mutu")
        assert found.facts == {"lolos": N - bad, "semua": N, "batas": 900}
        assert found.pasal == "Pasal 6 ayat (1) huruf c"


def test_a_code_of_another_alphabet_is_no_code(town: Town) -> None:
    """Digits that only look like digits would pass a rule that asks Unicode what a digit is."""
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    nik = town.rows(n=3)[2][7]
    counts, named = outcomes(town, changed(town, {3: {"nik": nik.translate(arabic)}, 4: {"tanggal_lahir": "1990-01-0١"}}))
    assert counts == {"terkirim": N - 2, "ditahan_aturan": 2}
    assert [number for number, _ in named] == [3, 4]
