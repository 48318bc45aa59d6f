"""XLSX and Parquet: read by a child with caps, as typed cells that lose nothing; what would lose something is refused."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter

from broker.contract import tabular
from tests.refusals.refusing import CANARY, released

if TYPE_CHECKING:
    from tests.refusals.refusing import Refuse
    from tests.simulator import Town

XLSX, PARQUET = tabular.XLSX_TYPE, tabular.PARQUET_TYPE
ONE = (tabular.MAX_TEXT,)  # one block: these are about the file, not about how its text is cut


def table(town: Town, n: int = 12) -> tuple[tuple[str, ...], list[list[Any]]]:
    return town.office.contracts["pencari_kerja"].names, [[cell or None for cell in row] for row in town.rows(n=n)]


def workbook(names: tuple[str, ...], rows: list[list[Any]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_numbers": False}) as book:
        day, sheet = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_worksheet()
        sheet.write_row(0, 0, names)
        for r, row in enumerate(rows, 1):
            for c, cell in enumerate(row):
                match cell:
                    case date():
                        sheet.write_datetime(r, c, cell, day)
                    case bool():
                        sheet.write_boolean(r, c, cell)
                    case int() | float():
                        sheet.write_number(r, c, cell)
                    case str():
                        sheet.write_string(r, c, cell)
    return out.getvalue()


def parquet(frame: pl.DataFrame, **options: Any) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out, **options)
    return out.getvalue()


def as_frame(names: tuple[str, ...], rows: list[list[Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def typed(town: Town, names: tuple[str, ...], row: list[Any]) -> list[Any]:
    """The row with its dates, booleans and whole numbers as such."""
    kinds = {c.name: c.type for c in town.office.contracts["pencari_kerja"].columns}

    def cell(name: str, value: str | None) -> Any:
        if value is None:
            return None
        match kinds[name]:
            case "date":
                return date.fromisoformat(value)
            case "bool":
                return value == "true"
            case "int":
                return int(value)
        return value

    return [cell(name, value) for name, value in zip(names, row, strict=True)]


# --- what works
def test_typed_excel_cells_release_what_text_releases(town: Town) -> None:
    names, rows = table(town)
    real = [typed(town, names, row) for row in rows]
    assert {date, bool, int} <= {type(cell) for row in real for cell in row}
    typed_cells, _ = town.exchange(workbook(names, real), content_type=XLSX)
    texts, _ = town.exchange(town.csv(town.rows(n=12)))
    assert released(town, typed_cells) == released(town, texts)


def test_typed_parquet_columns_release_what_text_releases(town: Town) -> None:
    names, rows = table(town)
    real = [typed(town, names, row) for row in rows]
    columns = {name: pl.Series(name, [row[i] for row in real], strict=True) for i, name in enumerate(names)}
    name, _ = town.exchange(parquet(pl.DataFrame(columns)), content_type=PARQUET)
    texts, _ = town.exchange(town.csv(town.rows(n=12)))
    assert released(town, name) == released(town, texts)


def test_a_line_feed_inside_an_excel_cell_moves_no_row(town: Town) -> None:
    names, rows = table(town)
    rows[3][names.index("catatan_pengantar_kerja")] = "satu\ndua\r\ntiga\rempat"
    name, _ = town.exchange(workbook(names, rows), content_type=XLSX)
    assert json.loads(town.row(name).report or "")["released"] == len(rows)


# --- numbers that lost their digits
def test_a_nik_in_a_numeric_excel_cell_is_withheld_by_name(town: Town) -> None:
    names, rows = table(town, 20)
    at = names.index("nik")
    rows[4][at] = int(rows[4][at])
    name, _ = town.exchange(workbook(names, rows), content_type=XLSX)
    ((row, rules),) = json.loads(town.row(name).report or "")["named"]
    assert row == 5
    assert "nik.ilmiah" in rules


def test_a_column_of_numeric_niks_refuses_the_batch(town: Town, refuse: Refuse) -> None:
    names, rows = table(town)
    at = names.index("nik")
    data = workbook(names, [[int(cell) if i == at else cell for i, cell in enumerate(row)] for row in rows])
    assert refuse(data, "mutu", chunks=ONE, content_type=XLSX).facts["lolos"] == 0


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Datetime, pl.List(pl.String), pl.Binary, pl.Time, pl.Struct({"a": pl.String}), pl.Decimal(20, 2)])
def test_a_parquet_column_that_is_no_text_is_named_by_position(town: Town, refuse: Refuse, dtype: Any) -> None:
    values = {pl.Float64: 1.5, pl.Datetime: datetime(2026, 1, 1), pl.Binary: CANARY.encode(), pl.Time: time(3)}  # noqa: DTZ001 - Parquet's own
    value = values.get(dtype, [CANARY] if dtype == pl.List(pl.String) else {"a": CANARY} if isinstance(dtype, pl.Struct) else 1)
    names, rows = table(town)
    frame = as_frame(names, rows).with_columns(pl.Series("nik", [value] * len(rows), dtype=dtype))
    assert refuse(parquet(frame), "jenis_kolom", chunks=ONE, content_type=PARQUET).facts == {"posisi": names.index("nik") + 1}


# --- not what it says
@pytest.mark.parametrize("content_type", [XLSX, PARQUET], ids=["xlsx", "parquet"])
@pytest.mark.parametrize("kind", ["csv", "text", "nothing", "pdf", "the other", "cut"])
def test_a_file_that_is_not_what_it_says_is_refused(town: Town, refuse: Refuse, content_type: str, kind: str) -> None:
    names, rows = table(town)
    rows[0][names.index("nama_lengkap")] = CANARY
    mine, other = workbook(names, rows), parquet(as_frame(names, rows))
    if content_type == PARQUET:
        mine, other = other, mine
    data = {"csv": town.csv(town.rows(n=3)), "text": CANARY.encode(), "nothing": b"", "pdf": b"%PDF-1.7\n", "the other": other, "cut": mine[: len(mine) // 2]}[kind]
    found = refuse(data, "bukan_berkas", chunks=ONE, content_type=content_type)
    assert found.facts["jenis"] == ("XLSX" if content_type == XLSX else "Parquet")


def test_an_excel_file_named_csv_is_refused(town: Town, refuse: Refuse) -> None:
    assert refuse(workbook(*table(town)), "bukan_berkas", chunks=ONE).facts == {"jenis": "CSV"}


def test_a_sheet_without_rows_is_refused(town: Town, refuse: Refuse) -> None:
    refuse(workbook((), []), "kosong", chunks=ONE, content_type=XLSX)
    refuse(workbook(table(town)[0], []), "kosong", chunks=ONE, content_type=XLSX)
    refuse(parquet(as_frame(table(town)[0], [])), "kosong", chunks=ONE, content_type=PARQUET)


def test_an_unknown_column_of_a_sheet_is_named_by_its_position(town: Town, refuse: Refuse) -> None:
    names, rows = table(town)
    data = workbook((*names, CANARY), [[*row, CANARY] for row in rows])
    assert refuse(data, "kolom_asing", chunks=ONE, content_type=XLSX).facts["posisi"] == len(names) + 1


# --- bombs
def refilled(book: bytes, sheet: bytes, claimed: int | None = None) -> bytes:
    """The workbook with another first sheet, whose size the archive's directory gives as `claimed`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for item in old.infolist():
            new.writestr(item.filename, sheet if item.filename.endswith("sheet1.xml") else old.read(item))
    real = len(sheet).to_bytes(4, "little")
    data = out.getvalue()
    assert data.count(real) == 2  # local header and directory
    return data.replace(real, len(sheet).to_bytes(4, "little") if claimed is None else claimed.to_bytes(4, "little"))


def padded(book: bytes, size: int) -> bytes:
    """The first sheet of a workbook blown up with spaces."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return archive.read("xl/worksheets/sheet1.xml").replace(b"<sheetData>", b"<sheetData>" + b" " * size)


def test_a_zip_bomb_is_refused_before_it_is_opened(town: Town, refuse: Refuse) -> None:
    book = workbook(*table(town, 2))
    data = refilled(book, padded(book, 1000), claimed=tabular.MAX_TEXT + 1)
    assert refuse(data, "bom", chunks=ONE, content_type=XLSX).facts == {"jenis": "XLSX", "batas": tabular.MAX_TEXT}


def test_a_zip_bomb_that_lies_about_its_size_is_refused(town: Town, refuse: Refuse) -> None:
    book = workbook(*table(town, 2))
    data = refilled(book, padded(book, 64 << 20), claimed=1000)
    assert len(data) < 1 << 20
    refuse(data, "bukan_berkas", chunks=ONE, content_type=XLSX)


def test_two_far_corners_of_a_sheet_are_refused(town: Town, refuse: Refuse) -> None:
    """Two cells say 17 billion: a parser that keeps the rectangle dies of it, in its child."""
    cells = b'<row r="1"><c r="A1" t="inlineStr"><is><t>nik</t></is></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + cells + b"</sheetData></worksheet>"
    refuse(refilled(workbook(*table(town, 2)), sheet), "pengurai", chunks=ONE, content_type=XLSX)


def test_a_small_parquet_of_two_gigabytes_is_refused(town: Town, refuse: Refuse) -> None:
    names, _ = table(town, 1)
    long = CANARY * 250  # 2,000 bytes, kept once in a dictionary
    frame = pl.select(pl.repeat(long, 1_000_000).alias("nama_lengkap")).with_columns(pl.lit(None, pl.String).alias(n) for n in names if n != "nama_lengkap")
    data = parquet(frame.select(names), row_group_size=1_000_000)
    assert len(data) < 100_000
    assert refuse(data, "bom", chunks=ONE, content_type=PARQUET).facts["jenis"] == "Parquet"
