"""Writes rows as a file: beside the target first, then in its place, so that a half-written file never carries its name."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from broker.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from broker.model import Contract

    Rows = Iterable[list[str]]

SHEET_ROWS: Final = 1_048_576  # of an XLSX sheet, the header among them
CREATED: Final = datetime(2025, 3, 20)  # noqa: DTZ001  XLSX knows no zone; the same day in every file keeps its bytes the same
CHUNK: Final = 16_384


def write(path: Path, contract: Contract, rows: Rows) -> int:
    """The number of rows written as .csv, .ndjson, .xlsx or .parquet, by the name's ending.

    Every cell is text; an empty cell is null in NDJSON and Parquet. Raises ClientError: another ending, too many rows for a sheet.
    """
    writer = WRITERS.get(path.suffix)
    if writer is None:
        raise ClientError(f"Nama berkas harus berakhiran {', '.join(WRITERS)}. · The file name must end in one of these.")
    counted = Counted(rows)
    with beside(path) as unfinished:
        writer(unfinished, contract, counted)
    return counted.count


class Counted:
    """The rows, counted as they pass."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.count = rows, 0

    def __iter__(self) -> Iterator[list[str]]:
        for row in self.rows:
            self.count += 1
            yield row


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name in the same folder; it becomes `path` at the end, or nothing at all."""
    unfinished = path.with_name(f".{path.name}.baru")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _csv(path: Path, contract: Contract, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(contract.names)
        writer.writerows(rows)


def _ndjson(path: Path, contract: Contract, rows: Rows) -> None:
    names = contract.names
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            cells = {name: value or None for name, value in zip(names, row, strict=True)}
            file.write(json.dumps(cells, ensure_ascii=False, separators=(",", ":")) + "\n")


def _xlsx(path: Path, contract: Contract, rows: Rows) -> None:
    from xlsxwriter import Workbook  # noqa: PLC0415  the client's small install has no XLSX writer

    with Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"title": contract.nama, "comments": f"templat {contract.template}; data sintetis", "created": CREATED})
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet(contract.dataset)
        for line, row in enumerate(chain([contract.names], rows)):
            if line >= SHEET_ROWS:
                raise ClientError(f"Lembar XLSX memuat paling banyak {SHEET_ROWS - 1} baris; pakai CSV. · Too many rows for a sheet; use CSV.")
            for column, value in enumerate(row):
                if value:
                    sheet.write_string(line, column, value, text)
                else:
                    sheet.write_blank(line, column, None, text)


def _parquet(path: Path, contract: Contract, rows: Rows) -> None:
    import polars as pl  # noqa: PLC0415  the client's small install has no Polars

    schema = dict.fromkeys(contract.names, pl.String)
    every = iter(rows)
    chunks = [pl.DataFrame(schema=schema)]
    while chunk := list(islice(every, CHUNK)):
        cells = [[value or None for value in row] for row in chunk]
        chunks.append(pl.DataFrame(cells, schema=schema, orient="row"))
    pl.concat(chunks, rechunk=True).write_parquet(path, row_group_size=CHUNK)


WRITERS: Final[dict[str, Callable[[Path, Contract, Rows], None]]] = {".csv": _csv, ".ndjson": _ndjson, ".xlsx": _xlsx, ".parquet": _parquet}
