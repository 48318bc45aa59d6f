"""Decrypted bytes → frames of text: CSV as a stream in constant memory, NDJSON line by line, XLSX and Parquet through a child process.

Every column is text; nothing is inferred, padded, trimmed or repaired. A file that is not what it says is refused whole, naming the row
(data rows count from 1) and never the value. Polars' own error texts quote cells, so none is ever chained or logged.
How the bytes are cut into chunks never changes the rows that come out.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from broker.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from broker.model import Contract

CHUNK_ROWS: Final = 16_384
CHUNK_BYTES: Final = 6 << 20  # about 16,384 rows of pencari_kerja
MAX_LINE: Final = 1 << 20  # a line without an end within this is refused
_END: Final = b"\x1e"  # a cell of our own at the end of every line: a short row shows it in the wrong column
_BOM: Final = b"\xef\xbb\xbf"
CSV_TYPE: Final = "text/csv"
NDJSON_TYPE: Final = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows `first`.. of a submission: every contract column as String, in contract order; an empty cell is null."""

    first: int  # number of the first row, from 1
    frame: pl.DataFrame


def read_csv(pieces: Iterable[bytes], contract: Contract, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The rows of a CSV stream: UTF-8, comma, LF or CRLF, header with exactly the template's columns in any order.

    Raises Refusal: tanpa_judul, pemisah, kolom_asing, kolom_ganda, kolom_hilang, sel_kurang, kutip, sel_besar, pengodean, kosong.
    """
    columns: list[str] | None = None
    first = 1
    for block in _lines(pieces, chunk_bytes):
        body = block
        if columns is None:
            line, _, body = block.removeprefix(_BOM).partition(b"\n")
            columns = _header(line.removesuffix(b"\r"), contract)
        if not body:
            continue
        frame = _parse(body, columns, first).select(contract.names)
        yield from _slices(frame, first)
        first += frame.height
    if columns is None or first == 1:
        raise Refusal("kosong")


def _slices(frame: pl.DataFrame, first: int) -> Iterator[Chunk]:
    for start in range(0, frame.height, CHUNK_ROWS):
        yield Chunk(first + start, frame.slice(start, CHUNK_ROWS))


def _lines(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Blocks of whole lines: cut after a line feed that an even number of quotes precedes."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) < size:
            continue
        cut = _whole(buffer)
        if len(buffer) - cut > MAX_LINE and not (cut and len(buffer) < size + MAX_LINE):
            raise Refusal("kutip" if buffer.count(b'"', cut) & 1 else "sel_besar", baris=0, batas=MAX_LINE)
        if cut:
            yield bytes(memoryview(buffer)[:cut])
            del buffer[:cut]
    if buffer:
        yield bytes(buffer)


def _whole(buffer: bytearray) -> int:
    """Where the last whole line of `buffer` ends; 0 if none does. Looks back at most as far as a line may be long."""
    cut = buffer.rfind(b"\n") + 1
    odd = buffer.count(b'"', 0, cut) & 1
    while cut and odd:
        before = buffer.rfind(b"\n", 0, cut - 1) + 1
        odd ^= buffer.count(b'"', before, cut) & 1
        cut = before
    return cut


def _header(line: bytes, contract: Contract) -> list[str]:
    known = contract.names
    try:
        names = next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        raise Refusal("tanpa_judul", templat=contract.template) from None
    if not set(names) & set(known):
        if set(line.decode().replace('"', "").split(";")) & set(known):
            raise Refusal("pemisah")
        raise Refusal("tanpa_judul", templat=contract.template)
    check_columns(names, contract)
    return names


def check_columns(names: list[str], contract: Contract) -> None:
    """Refusal unless `names` are the template's columns, each once. An unknown one is named by position only: it may hold a datum."""
    known = contract.names
    for position, name in enumerate(names, 1):
        if name not in known:
            raise Refusal("kolom_asing", posisi=position, templat=contract.template)
        if name in names[: position - 1]:
            raise Refusal("kolom_ganda", kolom=name)
    for name in known:
        if name not in names:
            raise Refusal("kolom_hilang", kolom=name)


def _parse(body: bytes, columns: list[str], first: int) -> pl.DataFrame:
    """The rows of whole lines. Polars reads them; where anything is odd, the slow reader decides, so both give the same rows."""
    if b"\r" in body:
        plain = body.replace(b"\r\n", b"\n")
        if b"\r" in plain:
            return _parse_slowly(body, columns, first)
    else:
        plain = body
    if not plain.endswith(b"\n"):
        plain += b"\n"
    if _END in plain or b"\n\n" in plain or plain.startswith(b"\n"):
        return _parse_slowly(body, columns, first)
    marked = plain.replace(b"\n", b"," + _END + b"\n")
    try:
        frame = pl.read_csv(marked, has_header=False, schema=dict.fromkeys([*columns, _END.decode()], pl.String), infer_schema=False, extra_columns="raise")
    except pl.exceptions.PolarsError:
        return _parse_slowly(body, columns, first)
    # A line feed inside quotes, a short row or a stray quote breaks one of these two.
    ends = frame.get_column(_END.decode())
    if frame.height != plain.count(b"\n") or ends.null_count() or not (ends == _END.decode()).all():
        return _parse_slowly(body, columns, first)
    frame = frame.drop(_END.decode())
    if b'""' in plain:  # an empty quoted cell reads as '': empty is null, quoted or not
        frame = frame.with_columns(pl.when(pl.all().str.len_bytes() > 0).then(pl.all()))
    return frame


def _parse_slowly(body: bytes, columns: list[str], first: int) -> pl.DataFrame:
    """The same rows by the standard library's strict reader, which can say where a fault is."""
    text = _decoded(body, first)
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text.replace("\r\n", "\n"), newline="\n"), strict=True)
    csv.field_size_limit(MAX_LINE)
    try:
        for cells in reader:
            if len(cells) != len(columns):
                raise Refusal("sel_kurang", baris=first + len(rows), ada=len(cells), perlu=len(columns))
            rows.append(cells)
    except csv.Error as error:
        if "field larger" in str(error):
            raise Refusal("sel_besar", baris=first + len(rows), batas=MAX_LINE) from None
        raise Refusal("kutip", baris=first + len(rows)) from None
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_columns(pl.when(pl.all().str.len_bytes() > 0).then(pl.all()))


def _decoded(body: bytes, first: int) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Refusal("pengodean", baris=first + body.count(b"\n", 0, error.start)) from None


def read_ndjson(pieces: Iterable[bytes], contract: Contract, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The rows of an NDJSON stream: one object of text or null per line, with exactly the template's columns.

    Raises Refusal: baris_rusak, bukan_teks, kolom_asing, kolom_hilang, sel_besar, pengodean, kosong.
    """
    names, first = contract.names, 1
    for block in _json_lines(pieces, chunk_bytes):
        rows = []
        for line in block.splitlines():
            rows.append(_row(line, contract, first + len(rows)))
        if not rows:
            continue
        frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
        yield from _slices(frame.with_columns(pl.when(pl.all().str.len_bytes() > 0).then(pl.all())), first)
        first += frame.height
    if first == 1:
        raise Refusal("kosong")


def _json_lines(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        cut = buffer.rfind(b"\n") + 1
        if len(buffer) - cut > MAX_LINE:
            raise Refusal("sel_besar", baris=0, batas=MAX_LINE)
        if len(buffer) >= size and cut:
            yield bytes(memoryview(buffer)[:cut])
            del buffer[:cut]
    if buffer:
        yield bytes(buffer)


def _row(line: bytes, contract: Contract, number: int) -> list[str | None]:
    try:
        pairs = json.loads(line.decode(), object_pairs_hook=list)
    except UnicodeDecodeError:
        raise Refusal("pengodean", baris=number) from None
    except (ValueError, RecursionError):
        raise Refusal("baris_rusak", baris=number) from None
    if not isinstance(pairs, list) or not all(isinstance(p, tuple) for p in pairs):
        raise Refusal("baris_rusak", baris=number)
    names = [name for name, _ in pairs]
    check_columns(names, contract)
    values = dict(pairs)
    for name, value in pairs:
        if value is not None and not isinstance(value, str):
            raise Refusal("bukan_teks", baris=number, kolom=name)
    return [values[name] for name in contract.names]
