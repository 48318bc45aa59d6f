"""XLSX and Parquet → the same CSV text that a sender could have written, by a child process with memory and time caps.

The parent writes the decrypted file to the child's standard input and reads CSV from its output: no plaintext touches a disk, and a
parser that dies or is fooled takes nothing with it. The child's error output is dropped: parsers quote cells.
A cell is text as it is; a number Excel keeps exactly is written out, one of 16 digits and more is written in scientific notation,
as Excel shows it, so that validation refuses it by name: its last digits are gone.
"""

from __future__ import annotations

import csv
import io
import math
import resource
import subprocess
import sys
import threading
from datetime import date, datetime
from typing import TYPE_CHECKING, BinaryIO, Final
from zipfile import BadZipFile, ZipFile

from broker.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET_TYPE: Final = "application/vnd.apache.parquet"
MAX_FILE: Final = 50 << 20  # bytes of the file itself
MAX_ROWS: Final = 1_048_576  # Excel's own limit
MAX_TEXT: Final = 512 << 20  # bytes of CSV it may become
MAX_MEMORY: Final = 4 << 30  # address space of the child; Polars alone maps over 1 GiB
MAX_SECONDS: Final = 120
EXACT: Final = 10**15  # a double holds 15 decimal digits
_PIECE: Final = 256 << 10
_COLUMN: Final = 16  # exit status of column 1 of a type that is no text
_EXIT: Final = {3: "bukan_berkas", 4: "terlalu_banyak_baris", 5: "bom"}
_NAMES: Final = {XLSX_TYPE: "XLSX", PARQUET_TYPE: "Parquet"}


def csv_from(content_type: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """CSV pieces of an XLSX or Parquet file. Refusal: terlalu_besar, bukan_berkas, jenis_kolom, terlalu_banyak_baris, bom, pengurai."""
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > MAX_FILE:
            raise Refusal("terlalu_besar", batas=MAX_FILE)
    name = _NAMES[content_type]
    command = [sys.executable, "-I", "-m", "broker.contract.tabular", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=True) as child:  # noqa: S603
        assert child.stdin is not None
        assert child.stdout is not None
        timer = threading.Timer(MAX_SECONDS, child.kill)
        feeder = threading.Thread(target=_feed, args=(child.stdin, bytes(data)), daemon=True)
        del data
        timer.start()
        feeder.start()
        try:
            yield from iter(lambda: child.stdout.read(_PIECE), b"")  # type: ignore[union-attr]
            status = child.wait()
        finally:
            timer.cancel()
            child.kill()
            feeder.join()
    if status:
        if status > _COLUMN:
            raise Refusal("jenis_kolom", posisi=status - _COLUMN)
        reason = _EXIT.get(status, "pengurai")
        raise Refusal(reason, jenis=name, batas=MAX_TEXT if reason == "bom" else MAX_ROWS)


def _feed(stdin: BinaryIO, data: bytes) -> None:
    try:
        stdin.write(data)
        stdin.close()
    except OSError:
        return  # the child has ended; its status says why


class _Stop(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


class _Out:
    """CSV to standard output, counted against the limits."""

    def __init__(self) -> None:
        self._rows, self._bytes = 0, 0

    def write(self, rows: Iterable[list[str]]) -> None:
        text = io.StringIO()
        count = 0
        writer = csv.writer(text, lineterminator="\r\n")  # so that a cell with a lone CR is quoted too
        for row in rows:
            writer.writerow(row)
            count += 1
        self._count(count, data := text.getvalue().encode())
        sys.stdout.buffer.write(data)

    def _count(self, rows: int, data: bytes) -> None:
        self._rows += rows
        self._bytes += len(data)
        if self._rows > MAX_ROWS + 1:
            raise _Stop(4)
        if self._bytes > MAX_TEXT:
            raise _Stop(5)


def _cell(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            if not math.isfinite(value):
                return ""
            if abs(value) >= EXACT:
                return f"{value:.14E}"
            return str(int(value)) if float(value).is_integer() else repr(float(value))
        case datetime():
            return value.date().isoformat() if value.time().isoformat() == "00:00:00" else value.isoformat()
        case date():
            return value.isoformat()
    return str(value)


def _xlsx(data: bytes, out: _Out) -> None:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - the child's alone

    try:
        with ZipFile(io.BytesIO(data)) as archive:
            if sum(m.file_size for m in archive.infolist()) > MAX_TEXT:
                raise _Stop(5)
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        if sheet.total_height > MAX_ROWS + 1:
            raise _Stop(4)
        out.write(_without_trailing_blanks([_cell(v) for v in row] for row in sheet.iter_rows()))
    except (BadZipFile, CalamineError, IndexError, ValueError, OSError):
        raise _Stop(3) from None


def _without_trailing_blanks(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    waiting: list[list[str]] = []
    for row in rows:
        waiting.append(row)
        if any(row):
            yield from waiting
            waiting = []


def _parquet(data: bytes, out: _Out) -> None:
    import polars as pl  # noqa: PLC0415 - the child's alone

    try:
        lazy = pl.scan_parquet(io.BytesIO(data))
        schema = lazy.collect_schema()
        for position, dtype in enumerate(schema.dtypes(), 1):
            if not (dtype.is_integer() or dtype in (pl.String, pl.Boolean, pl.Date, pl.Null)):  # a float has lost digits, a time its zone
                raise _Stop(_COLUMN + min(position, 255 - _COLUMN))
        if int(lazy.select(pl.len()).collect().item()) > MAX_ROWS:
            raise _Stop(4)
        frame = lazy.collect().select(pl.all().cast(pl.String))
        # Asked of the whole before anything is written: a dictionary keeps a long text once for a million rows.
        if sum(frame.select(pl.all().str.len_bytes().cast(pl.UInt64).sum()).row(0), 0) > MAX_TEXT:
            raise _Stop(5)
        out.write([frame.columns])
        for part in frame.iter_slices(4096):
            out.write([["" if v is None else v for v in row] for row in part.iter_rows()])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError):
        raise _Stop(3) from None


def main() -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    data, out = sys.stdin.buffer.read(), _Out()
    try:
        (_xlsx if sys.argv[1] == "XLSX" else _parquet)(data, out)
        sys.stdout.buffer.flush()
    except _Stop as stop:
        return stop.status
    except MemoryError:
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
