"""Decrypted bytes → frames of text: CSV as a stream in constant memory, NDJSON line by line, XLSX and Parquet through a child process.

Every column is text; nothing is inferred, padded, trimmed or repaired. A file that is not what it says is refused whole, naming the row
(data rows count from 1) and never the value. Polars' own error texts quote cells, so none is ever chained or logged.
How the bytes are cut into chunks never changes the rows that come out.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from broker.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from broker.model import Contract

CHUNK_ROWS: Final = 16_384
CHUNK_BYTES: Final = 6 << 20  # about 16,384 rows of pencari_kerja
MAX_LINE: Final = 1 << 20  # bytes of a row without its line feed; a longer one is refused, however the file is cut into blocks
# Polars takes a text's first bytes for a BOM, or for the mark of a compressed file, which it inflates: zlib's are x^ or x and a control byte.
_PLAIN_START: Final = re.compile(rb"[ -wyz{-~]|x[ -\]_-~]")
_END: Final = b"\x1e"  # a cell of our own at the end of every line: a short row shows it in the wrong column
_BOM: Final = b"\xef\xbb\xbf"
_OTHER_FILES: Final = (b"PK\x03\x04", b"%PDF-", b"PAR1", b"\xd0\xcf\x11\xe0")  # XLSX, PDF, Parquet, XLS
_CELL: Final = rb'(?:"(?:[^"]++|"")*+"|[^",\r\n]*+)'  # RFC 4180, 2.5–2.7: possessive, so linear
_RECORD: Final = re.compile(_CELL + rb"(?:," + _CELL + rb")*+(?:\r?\n|\Z)")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")  # half a character: JSON can spell it, UTF-8 cannot
_BESIDE_QUOTES: Final = np.isin(np.arange(256), list(b',\n"'))
csv.field_size_limit(MAX_LINE)  # the library's own limit is lower and not ours
CSV_TYPE: Final = "text/csv"
NDJSON_TYPE: Final = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows `first`.. of a submission: every contract column as String, in contract order; an empty cell is null."""

    first: int  # number of the first row, from 1
    frame: pl.DataFrame


def read_csv(pieces: Iterable[bytes], contract: Contract, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The rows of a CSV stream: UTF-8, comma, LF or CRLF, header with exactly the template's columns in any order.

    Raises Refusal: tanpa_judul, pemisah, bukan_berkas, kolom_asing, kolom_ganda, kolom_hilang, sel_kurang, kutip, sel_besar, pengodean, kosong.
    """
    columns: list[str] | None = None
    first = 1
    try:
        for block in _lines(pieces, chunk_bytes):
            body = block
            if columns is None:
                line, _, body = block.removeprefix(_BOM).partition(b"\n")
                columns = _header(line.removesuffix(b"\r"), contract)
            if not body:
                continue
            frame = _parse(body, columns, first)[list(contract.names)]
            yield from _slices(frame, first)
            first += frame.height
    except _Overlong as overlong:
        raise Refusal(_fault(overlong.start) if columns else "tanpa_judul", baris=first, batas=MAX_LINE, templat=contract.template) from None
    if columns is None or first == 1:
        raise Refusal("kosong")


def _slices(frame: pl.DataFrame, first: int) -> Iterator[Chunk]:
    for start in range(0, frame.height, CHUNK_ROWS):
        yield Chunk(first + start, frame.slice(start, CHUNK_ROWS))


class _Overlong(Exception):
    """A row that has no end within MAX_LINE, and its start."""

    def __init__(self, start: bytes) -> None:
        self.start = start


def _lines(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Blocks of whole lines: cut after a line feed that an even number of quotes precedes."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) < size:
            continue
        if cut := _whole(buffer):
            yield bytes(memoryview(buffer)[:cut])
            del buffer[:cut]
        if len(buffer) > MAX_LINE:
            raise _Overlong(bytes(buffer))
    if buffer:
        yield bytes(buffer)


def _whole(buffer: bytearray) -> int:
    """Where the last whole line of `buffer` ends; 0 if none does."""
    cut = buffer.rfind(b"\n") + 1
    odd = buffer.count(b'"', 0, cut) & 1
    while cut and odd:
        before = buffer.rfind(b"\n", 0, cut - 1) + 1
        odd ^= buffer.count(b'"', before, cut) & 1
        cut = before
    return cut


def _header(line: bytes, contract: Contract) -> list[str]:
    known = contract.names
    if line.startswith(_OTHER_FILES):
        raise Refusal("bukan_berkas", jenis="CSV")
    try:
        text = line.decode()
        names = next(csv.reader([text], strict=True), [])
    except UnicodeDecodeError:
        raise Refusal("pengodean", baris=0) from None
    except csv.Error:
        raise Refusal("tanpa_judul", templat=contract.template) from None
    if "\0" in text:  # UTF-16 without its mark
        raise Refusal("pengodean", baris=0)
    if not set(names) & set(known):
        if set(text.replace('"', "").split(";")) & set(known):
            raise Refusal("pemisah")
        raise Refusal("tanpa_judul", templat=contract.template)
    check_columns(names, contract)
    return names


def check_columns(names: list[str], contract: Contract, baris: int = 0) -> None:
    """Refusal unless `names` are the template's columns, each once. An unknown one is named by position only: it may hold a datum."""
    known = contract.names
    for position, name in enumerate(names, 1):
        if name not in known:
            raise Refusal("kolom_asing", posisi=position, templat=contract.template, baris=baris)
        if name in names[: position - 1]:
            raise Refusal("kolom_ganda", kolom=name, baris=baris)
    for name in known:
        if name not in names:
            raise Refusal("kolom_hilang", kolom=name, baris=baris)


def _parse(body: bytes, columns: list[str], first: int) -> pl.DataFrame:
    """The rows of whole lines. Polars reads them; where anything is odd, the slow reader decides, so both give the same rows."""
    plain = body.replace(b"\r\n", b"\n") if b"\r" in body else body
    if not plain.endswith(b"\n"):
        plain += b"\n"
    if b"\r" in plain or _END in plain or not _PLAIN_START.match(plain) or _has_long_line(body) or not _well_quoted(plain):
        return _parse_slowly(body, columns, first)
    marked = plain.replace(b"\n", b"," + _END + b"\n")
    try:
        frame = pl.read_csv(marked, has_header=False, schema=dict.fromkeys([*columns, _END.decode()], pl.String), infer_schema=False, extra_columns="raise")
    except pl.exceptions.PolarsError:
        return _parse_slowly(body, columns, first)
    # A line feed inside quotes or a short row breaks one of these two.
    ends = frame.get_column(_END.decode())
    if frame.height != plain.count(b"\n") or ends.null_count() or not (ends == _END.decode()).all():
        return _parse_slowly(body, columns, first)
    frame.drop_in_place(_END.decode())
    if b'""' in plain:  # an empty quoted cell reads as '': empty is null, quoted or not
        frame = frame.with_columns(pl.when(pl.all().str.len_bytes() > 0).then(pl.all()))
    return frame


def _has_long_line(text: bytes) -> bool:
    start = 0
    while len(text) - start > MAX_LINE:
        end = text.rfind(b"\n", start, start + MAX_LINE + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _well_quoted(text: bytes) -> bool:
    """Whether every quote opens a cell, closes one or is doubled inside one, and none is left open. `text` ends with a line feed.

    Readers disagree about a quote inside an unquoted cell, and blocks are cut by counting quotes: it is refused (RFC 4180, 2.5).
    """
    return b'"' not in text or (text.count(b'"') % 2 == 0 and _quotes_in_place(text))


def _quotes_in_place(text: bytes) -> bool:
    codes = np.frombuffer(text, np.uint8)
    at = np.flatnonzero(codes == ord('"'))
    opening, closing = at[::2], at[1::2]  # a doubled quote closes and opens again; index -1 is the last line feed
    return bool(_BESIDE_QUOTES[codes[opening - 1]].all() and _BESIDE_QUOTES[codes[closing + 1]].all())


def _fault(rest: bytes) -> str:
    """Why the row at the start of `rest` has no end: a cell too large, or a quote that is not where it may be."""
    return "sel_besar" if len(rest) > MAX_LINE and _quotes_in_place(rest + b"\n") else "kutip"


def _parse_slowly(body: bytes, columns: list[str], first: int) -> pl.DataFrame:
    """The same rows one by one, which can say where a fault is."""
    rows: list[list[str]] = []
    at = 0
    while at < len(body):
        row = first + len(rows)
        record = _RECORD.match(body, at)
        if record is None:
            raise Refusal(_fault(body[at:]), baris=row, batas=MAX_LINE)
        if len(record.group().removesuffix(b"\n")) > MAX_LINE:
            raise Refusal("sel_besar", baris=row, batas=MAX_LINE)
        cells = _cells(record.group(), row)
        if len(cells) != len(columns):
            raise Refusal("sel_kurang", baris=row, ada=len(cells), perlu=len(columns))
        rows.append(cells)
        at = record.end()
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return frame.with_columns(pl.when(pl.all().str.len_bytes() > 0).then(pl.all()))


def _cells(record: bytes, row: int) -> list[str]:
    try:
        return next(csv.reader([record.decode().replace("\r\n", "\n")], strict=True))
    except UnicodeDecodeError:
        raise Refusal("pengodean", baris=row) from None


def read_ndjson(pieces: Iterable[bytes], contract: Contract, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Chunk]:
    """The rows of an NDJSON stream: one object of text or null per line, with exactly the template's columns.

    Raises Refusal: baris_rusak, bukan_teks, kolom_asing, kolom_ganda, kolom_hilang, sel_besar, pengodean, kosong.
    """
    first = 1
    try:
        for block in _json_lines(pieces, chunk_bytes):
            rows = [_row(line, contract, first + i) for i, line in enumerate(block.removesuffix(b"\n").split(b"\n"))]
            frame = pl.DataFrame(rows, schema=dict.fromkeys(contract.names, pl.String), orient="row")
            yield from _slices(frame.with_columns(pl.when(pl.all().str.len_bytes() > 0).then(pl.all())), first)
            first += frame.height
    except _Overlong:
        raise Refusal("sel_besar", baris=first, batas=MAX_LINE) from None
    if first == 1:
        raise Refusal("kosong")


def _json_lines(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) < size:
            continue
        if cut := buffer.rfind(b"\n") + 1:
            yield bytes(memoryview(buffer)[:cut])
            del buffer[:cut]
        if len(buffer) > MAX_LINE:
            raise _Overlong(bytes(buffer))
    if buffer:
        yield bytes(buffer)


def _row(line: bytes, contract: Contract, number: int) -> list[str | None]:
    if len(line) > MAX_LINE:
        raise Refusal("sel_besar", baris=number, batas=MAX_LINE)
    try:
        pairs = json.loads(line.decode(), object_pairs_hook=_Pairs)
    except UnicodeDecodeError:
        raise Refusal("pengodean", baris=number) from None
    except (ValueError, RecursionError):
        raise Refusal("baris_rusak", baris=number) from None
    if not isinstance(pairs, _Pairs):
        raise Refusal("baris_rusak", baris=number)
    check_columns([name for name, _ in pairs], contract, baris=number)
    values: dict[str, str | None] = {}
    for name, value in pairs:
        if value is not None and not isinstance(value, str):
            raise Refusal("bukan_teks", baris=number, kolom=name)
        values[name] = value
    if b"\\u" in line and any(_SURROGATE.search(value) for value in values.values() if value):
        raise Refusal("pengodean", baris=number)
    return [values[name] for name in contract.names]


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it stands, so that a key that comes twice is seen."""
