"""The same arguments give the same bytes; a file is whole or not there."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING
from zipfile import ZipFile

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from broker.errors import ClientError
from broker.sample import DATASETS, rows, write
from tests.sample.sampling import AS_OF, CODES, CONTRACTS, sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDINGS = ("csv", "ndjson", "xlsx", "parquet")


def saved(path: Path, dataset: str, n: int, *, mess: float = 0.0) -> bytes:
    contract = CONTRACTS[dataset]
    made = rows(dataset, n, 7, AS_OF, party="binjai", agreement="nk-binjai-2025", contract=contract, codes=CODES, mess=mess, text=True)
    assert write(path, contract, made) == n
    return path.read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_the_same_seed_gives_the_same_bytes(dataset: str, ending: str, tmp_path: Path) -> None:
    one, two = (saved(tmp_path / f"{name}.{ending}", dataset, 60, mess=0.3) for name in ("satu", "dua"))
    assert one == two
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"dua.{ending}", f"satu.{ending}"]


def test_a_csv_has_a_header_and_quotes_only_where_needed(tmp_path: Path) -> None:
    data = saved(tmp_path / "a.csv", "pencari_kerja", 200)
    assert b"\r" not in data
    assert not data.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        header, *found = csv.reader(file)
    assert tuple(header) == CONTRACTS["pencari_kerja"].names
    assert found == [list(row.values()) for row in sample("pencari_kerja", 200, "binjai", text=True)]
    quoted = [cell for line in found for cell in line if "," in cell or '"' in cell]
    assert data.count(b'"') == 2 * len(quoted) + 2 * sum(cell.count('"') for cell in quoted)


@pytest.mark.parametrize("ending", ["ndjson", "parquet"])
def test_an_empty_cell_is_null(ending: str, tmp_path: Path) -> None:
    saved(tmp_path / f"a.{ending}", "penempatan", 40)
    if ending == "ndjson":
        found = [json.loads(line) for line in (tmp_path / "a.ndjson").read_text(encoding="utf-8").splitlines()]
    else:
        frame = pl.read_parquet(tmp_path / "a.parquet")
        assert set(frame.dtypes) == {pl.String}
        found = frame.to_dicts()
    assert found == [{c: v or None for c, v in row.items()} for row in sample("penempatan", 40, "binjai", text=True)]


def test_an_empty_parquet_file_has_every_column(tmp_path: Path) -> None:
    saved(tmp_path / "a.parquet", "jkp", 0)
    assert pl.read_parquet(tmp_path / "a.parquet").schema == dict.fromkeys(CONTRACTS["jkp"].names, pl.String)


def test_every_cell_of_a_sheet_is_text(tmp_path: Path) -> None:
    saved(tmp_path / "a.xlsx", "pencari_kerja", 30)
    header, *found = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python()
    assert tuple(header) == CONTRACTS["pencari_kerja"].names
    assert found == [list(row.values()) for row in sample("pencari_kerja", 30, "binjai", text=True)]


def test_a_sheet_does_not_tell_when_it_was_made(tmp_path: Path) -> None:
    saved(tmp_path / "a.xlsx", "jkp", 1)
    with ZipFile(tmp_path / "a.xlsx") as book:
        assert b">2025-03-20T00:00:00Z<" in book.read("docProps/core.xml")
        assert {entry.date_time[0] for entry in book.infolist()} == {1980}


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="csv"):
        saved(tmp_path / "a.pdf", "jkp", 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_cannot_be_finished_leaves_the_old_one(ending: str, tmp_path: Path) -> None:
    target = tmp_path / f"a.{ending}"
    target.write_bytes(b"lama")

    def broken() -> Iterator[list[str]]:
        yield list(sample("jkp", 1, "binjai")[0].values())
        raise ClientError("habis")

    with pytest.raises(ClientError, match="habis"):
        write(target, CONTRACTS["jkp"], broken())
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_bytes() == b"lama"
