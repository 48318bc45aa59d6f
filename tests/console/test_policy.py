"""The policy as officers see it: by cell, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.console.conftest import House

WHY = "/kebijakan/mengapa?kesepakatan=nk-sijunjung-2025&penerima=siapkerja@kemnaker&himpunan=pencari_kerja&sel="


@pytest.mark.parametrize("role", ["operator", "pembuka_samaran"])
def test_who_reads_no_policies_sees_none(house: House, visitor: Any, role: str) -> None:
    one = visitor(house.officer(role))
    assert "/konsol/kebijakan" not in one.get("").text
    for path in ("/kebijakan", WHY + "nik.perencanaan"):
        assert one.get(path).status_code == 403


@pytest.mark.parametrize(
    "query", ["kesepakatan=x", "penerima=siapkerja", "himpunan=../x", "kelas=?", "kelas=anak%2Banak", "kesepakatan=<script>alert(1)</script>"]
)
def test_a_grid_of_something_else_is_refused_without_repeating_it(house: House, visitor: Any, query: str) -> None:
    answer = visitor(house.officer("petugas_keamanan")).get(f"/kebijakan?{query}")
    assert answer.status_code == 400
    assert "alert(1)</script>" not in answer.text.replace("%3Cscript%3E", "")


@pytest.mark.parametrize("cell", ["", "nik", "nik.x", "x.perencanaan", "<b>.perencanaan"])
def test_a_cell_that_is_none_is_refused(house: House, visitor: Any, cell: str) -> None:
    assert visitor(house.officer("petugas_keamanan")).get(WHY + cell).status_code == 400


def test_every_grid_is_small(house: House, visitor: Any) -> None:
    one = visitor(house.officer("petugas_keamanan", party="kemnaker"))
    for agreement in house.town.office.agreements.values():
        for system in agreement.systems.values():
            for dataset in house.town.office.contracts:
                answer = one.get(f"/kebijakan?kesepakatan={agreement.id}&penerima={system}&himpunan={dataset}")
                assert answer.status_code == 200
                assert len(answer.content) < 150_000, (agreement.id, system, dataset, len(answer.content))
