"""A messy row differs from its clean self by one fault; the others are untouched."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import pytest

from broker.sample import DATASETS
from broker.sample.draw import seeded
from broker.sample.mess import FAULTS, Ground
from tests.sample.checker import faults
from tests.sample.sampling import AS_OF, CODES, CONTRACTS, sample

SEEKER = CONTRACTS["pencari_kerja"]


def spoil(name: str, at: int = 5) -> tuple[dict[str, str], dict[str, str]]:
    """A clean row and the cells that the fault puts in it."""
    made = sample("pencari_kerja", at + 1, "binjai")
    ground = Ground(SEEKER, AS_OF, tuple(sorted(c for c in CODES.retired("wilayah") if len(c) == 8)), lambda: made[at - 1])
    cells = FAULTS[name](ground, made[at], seeded(name, at))
    assert cells
    assert any(made[at][column] != value for column, value in cells.items())
    return made[at], cells


def broken(row: dict[str, str], cells: dict[str, str]) -> list[str]:
    return faults(SEEKER, CODES, row | cells, AS_OF)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_asked_share_of_rows_is_spoiled_and_the_others_are_not(dataset: str) -> None:
    clean, messy = sample(dataset, 400, "binjai"), sample(dataset, 400, "binjai", mess=0.25)
    differ = sum(one != two for one, two in zip(clean, messy, strict=True))
    assert differ / 400 == pytest.approx(0.25, abs=0.07)
    assert len({row["id_rekaman"] for row in messy if row["id_rekaman"]}) == sum(bool(row["id_rekaman"]) for row in messy)


def test_a_wholly_messy_file_spoils_every_row() -> None:
    clean, messy = sample("pencari_kerja", 300), sample("pencari_kerja", 300, mess=1.0)
    assert all(one != two for one, two in zip(clean, messy, strict=True))
    found = Counter(fault for row in messy for fault in faults(SEEKER, CODES, row, AS_OF))
    assert {"nik: shape", "tanggal_lahir: min", "tanggal_lahir: max", "nama_lengkap: length"} & set(found)
    assert not [fault for fault in found if "serial" in fault]


SHAPED_RIGHT = {"retired_district", "duplicate_person", "stale", "other_agreement", "wrong_column", "nik_typo"}


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in SHAPED_RIGHT])
def test_the_fault_breaks_the_contract(name: str) -> None:
    assert broken(*spoil(name))


def test_a_typing_error_keeps_the_synthetic_serial() -> None:
    for at in range(1, 30):
        row, cells = spoil("nik_typo", at)
        assert sum(a != b for a, b in zip(row["nik"], cells["nik"], strict=True)) == 1
        assert cells["nik"][12:] == row["nik"][12:]


def test_excel_leaves_six_digits_of_a_nik() -> None:
    row, cells = spoil("nik_from_excel")
    assert re.fullmatch(r"[0-9]\.[0-9]{5}E\+15", cells["nik"])
    assert cells["nik"].replace(".", "")[:6] == row["nik"][:6]


def test_a_nik_or_phone_number_strays_into_a_text_column() -> None:
    row, cells = spoil("wrong_column")
    assert any(row[column] in value for value in cells.values() for column in ("nik", "no_hp"))
    assert not cells.keys() & {"nik", "no_hp", "no_kk"}


def test_a_retired_district_is_valid_data() -> None:
    row, cells = spoil("retired_district")
    assert cells["kode_wilayah"] in CODES.retired("wilayah")
    assert not broken(row, cells)


def test_a_foreign_row_names_the_other_agreement() -> None:
    assert spoil("other_agreement")[1] == {"kode_kesepakatan": "nk-sijunjung-2025"}


def test_a_stale_row_is_older_than_six_months() -> None:
    assert (AS_OF - date.fromisoformat(spoil("stale")[1]["tgl_mutakhir"])).days > 184


def test_a_child_of_fourteen_has_a_consistent_nik() -> None:
    row, cells = spoil("fourteen")
    assert broken(row, cells) == ["tanggal_lahir: max"]


def test_a_duplicate_is_the_person_above_under_another_record() -> None:
    row, cells = spoil("duplicate_person")
    assert (row | cells) == sample("pencari_kerja", 5, "binjai")[4] | {"id_rekaman": row["id_rekaman"]}
