"""A file that is not what it says is refused whole: which row, which column, which rule; never what stood there."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zlib
from typing import TYPE_CHECKING

import pytest

from broker.contract.parse import MAX_LINE
from broker.errors import Refusal
from tests.refusals.refusing import CANARY, assert_nowhere, released

if TYPE_CHECKING:
    from tests.refusals.refusing import Refuse
    from tests.simulator import Town

BIG = 10 << 20
NAME = 9  # the position of nama_lengkap


@pytest.fixture
def lines(town: Town) -> list[bytes]:
    """A good CSV of ten rows: its header line and its rows, with line feeds."""
    return town.csv(town.rows(n=10)).splitlines(keepends=True)


def with_cell(line: bytes, cell: bytes) -> bytes:
    """`line` with the cell of its name replaced (a text that no rule reads)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow("\0" if i == NAME else c for i, c in enumerate(next(csv.reader([line.decode()]))))
    return text.getvalue().encode().replace(b"\0", cell)


# --- the header
def test_a_file_without_a_header_row_is_refused(lines: list[bytes], refuse: Refuse) -> None:
    lines[1] = with_cell(lines[1], CANARY.encode())
    assert refuse(b"".join(lines[1:]), "tanpa_judul").facts["templat"] == "1.0.0"


def test_an_unknown_column_is_named_by_its_position_only(lines: list[bytes], refuse: Refuse) -> None:
    lines[0] = with_cell(lines[0], CANARY.encode())
    assert refuse(b"".join(lines), "kolom_asing").facts["posisi"] == NAME + 1


def test_an_additional_column_is_refused(lines: list[bytes], refuse: Refuse) -> None:
    data = b"".join(line.rstrip(b"\n") + b"," + CANARY.encode() + b"\n" for line in lines)
    assert refuse(data, "kolom_asing").facts["posisi"] == len(lines[0].split(b",")) + 1


def test_a_missing_column_is_named(lines: list[bytes], refuse: Refuse) -> None:
    data = b"".join(line.rpartition(b",")[0] + b"\n" for line in lines)
    assert refuse(data, "kolom_hilang").facts["kolom"] == lines[0].decode().strip().split(",")[-1]


def test_a_column_that_comes_twice_is_named(lines: list[bytes], refuse: Refuse) -> None:
    lines[0] = with_cell(lines[0], b"nik")
    assert refuse(b"".join(lines), "kolom_ganda").facts["kolom"] == "nik"


def test_semicolons_for_commas_are_named_as_such(lines: list[bytes], refuse: Refuse) -> None:
    refuse(b"".join(lines).replace(b",", b";"), "pemisah")


def test_another_template_version_is_refused(lines: list[bytes], refuse: Refuse) -> None:
    assert refuse(b"".join(lines), "templat", template="2.0.0").facts == {"templat": "1.0.0"}


# --- nothing in it
@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf"], ids=["empty", "one line feed", "only a byte order mark"])
def test_an_empty_file_is_refused(data: bytes, refuse: Refuse) -> None:
    refuse(data, "tanpa_judul" if data else "kosong")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"], ids=["no end", "lf", "crlf"])
def test_a_header_alone_is_refused(lines: list[bytes], refuse: Refuse, end: bytes) -> None:
    refuse(lines[0].rstrip() + end, "kosong")


# --- not the format it says
@pytest.mark.parametrize("start", [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", b"PK\x03\x04\x14\0", b"PAR1\x15\0", b"\xd0\xcf\x11\xe0\xa1\xb1"], ids=["pdf", "xlsx", "parquet", "xls"])
def test_another_file_named_csv_is_refused(start: bytes, refuse: Refuse) -> None:
    assert refuse(start + CANARY.encode(), "bukan_berkas").facts == {"jenis": "CSV"}


def test_another_content_type_is_refused(lines: list[bytes], refuse: Refuse) -> None:
    refuse(b"".join(lines), "jenis_isi", content_type=f"text/{CANARY}")


def test_csv_named_ndjson_is_refused(lines: list[bytes], refuse: Refuse) -> None:
    assert refuse(b"".join(lines), "baris_rusak", content_type="application/x-ndjson").facts == {"baris": 1}


# --- encoding
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_and_utf_32_are_named_as_not_utf_8(lines: list[bytes], refuse: Refuse, encoding: str) -> None:
    assert refuse(b"".join(lines).decode().encode(encoding), "pengodean").facts == {"baris": 0}


def test_latin_1_is_refused_with_its_row(lines: list[bytes], refuse: Refuse) -> None:
    lines[7] = with_cell(lines[7], f"{CANARY} José".encode("latin-1"))
    assert refuse(b"".join(lines), "pengodean").facts == {"baris": 7}


# --- the shape of a row
@pytest.mark.parametrize("change", [-1, 1])
def test_a_row_with_a_cell_too_few_or_too_many_is_refused(lines: list[bytes], refuse: Refuse, change: int) -> None:
    lines[4] = with_cell(lines[4], CANARY.encode())
    lines[4] = lines[4].rpartition(b",")[0] + b"\n" if change < 0 else lines[4].rstrip() + b",\n"
    width = lines[0].count(b",") + 1
    assert refuse(b"".join(lines), "sel_kurang").facts == {"baris": 4, "ada": width + change, "perlu": width}


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_a_blank_line_in_the_middle_is_refused(lines: list[bytes], refuse: Refuse, end: bytes) -> None:
    lines.insert(4, end)
    assert refuse(b"".join(lines), "sel_kurang").facts["baris"] == 4


@pytest.mark.parametrize(
    "cell",
    [f'"{CANARY}', f'{CANARY}"', f'{CANARY}"x"y', f'"{CANARY}"x', f'"{CANARY}" ', f' "{CANARY}"', f'"{CANARY}""', '"'],
    ids=["unclosed", "stray", "stray pair", "text after", "space after", "space before", "doubled at the end", "alone"],
)
def test_a_quote_that_is_unclosed_or_out_of_place_is_refused(lines: list[bytes], refuse: Refuse, cell: str) -> None:
    lines[5] = with_cell(lines[5], cell.encode())
    assert refuse(b"".join(lines), "kutip").facts["baris"] == 5


def test_a_lone_carriage_return_is_refused(lines: list[bytes], refuse: Refuse) -> None:
    lines[6] = with_cell(lines[6], CANARY.encode() + b"\rx")
    assert refuse(b"".join(lines), "kutip").facts["baris"] == 6


def test_old_macintosh_line_ends_are_refused(lines: list[bytes], refuse: Refuse) -> None:
    refuse(b"".join(lines).replace(b"\n", b"\r"), "tanpa_judul")


@pytest.mark.parametrize("quote", [b"", b'"'], ids=["bare", "quoted"])
def test_a_cell_of_10_mb_is_refused(lines: list[bytes], refuse: Refuse, quote: bytes) -> None:
    lines[8] = with_cell(lines[8], quote + CANARY.encode() * (BIG // len(CANARY)) + quote)
    assert refuse(b"".join(lines), "sel_besar").facts["baris"] == 8


@pytest.mark.parametrize("more", [0, 1])
def test_the_longest_row_is_the_longest_however_the_file_is_cut(town: Town, lines: list[bytes], refuse: Refuse, more: int) -> None:
    room = MAX_LINE - len(with_cell(lines[3], b"").rstrip(b"\n"))
    lines[3] = with_cell(lines[3], b"x" * (room + more))
    if more:
        assert refuse(b"".join(lines), "sel_besar").facts["baris"] == 3
    else:
        for chunk_bytes in (None, 4096, 2 << 20):
            name, _ = town.exchange(b"".join(lines), chunk_bytes=chunk_bytes)
            assert json.loads(town.row(name).report or "")["named"] == [[3, ["nama_lengkap.panjang"]]]


@pytest.mark.parametrize("others", ["bare", "quoted"])
def test_a_quote_left_open_over_megabytes_is_refused_with_its_row(lines: list[bytes], refuse: Refuse, others: str) -> None:
    lines[2] = with_cell(lines[2], b'"' + CANARY.encode())
    row = lines[4].replace(b'"', b"") if others == "bare" else with_cell(lines[4], b'"x"')
    reason = "sel_besar" if others == "bare" else "kutip"  # a later quote betrays the open one
    assert refuse(b"".join(lines[:3]) + row * (BIG // len(row)), reason).facts["baris"] == 2


@pytest.mark.parametrize("byte", [b"\0", b"\x1e", b"\x1b"], ids=["nul", "our own mark", "escape"])
def test_a_control_character_withholds_its_row_and_moves_no_cell(town: Town, lines: list[bytes], byte: bytes) -> None:
    cells = lines[5].split(b",")
    cells[0] += byte  # the record's id
    lines[5] = b",".join(cells)
    name, _ = town.exchange(b"".join(lines))
    report = json.loads(town.row(name).report or "")
    assert [row for row, _ in report["named"]] == [5]
    assert report["released"] == 9


# --- what Polars would do by itself
@pytest.mark.parametrize("mark", ["\ufeff", "x\x01"], ids=["byte order mark", "zlib"])
def test_the_first_cell_is_read_as_it_stands(town: Town, lines: list[bytes], mark: str) -> None:
    """Polars drops a byte order mark and inflates what begins like a compressed file, at the start of any text."""
    lines[1] = mark.encode() + lines[1]
    name, _ = town.exchange(b"".join(lines))
    assert [row for row, _ in json.loads(town.row(name).report or "")["named"]] == [1]


@pytest.mark.parametrize("kind", ["gzip", "zlib"])
def test_rows_that_are_compressed_are_never_inflated(lines: list[bytes], refuse: Refuse, kind: str) -> None:
    """A header in clear and a bomb behind it: Polars would open it, in our memory."""
    rows = (str(i).encode() + b"," * (lines[0].count(b",") + 1) + b"\x1e\n" for i in range(1000))
    inflatable = (gzip.compress(row, mtime=0) if kind == "gzip" else zlib.compress(row) for row in rows)
    data = next(d for d in inflatable if not set(d) & set(b'\n\r"\x1e'))  # else another rule would refuse it
    assert refuse(lines[0] + data, "pengodean").facts == {"baris": 1}


def test_damage_anywhere_never_quotes_a_cell_and_never_escapes_a_refusal(town: Town, lines: list[bytes], refuse: Refuse) -> None:
    """Structure bytes dropped into every kind of place: each is refused by name, or the rows are all still there."""
    draw = random.Random(7)
    good = b"".join(lines[:1] + [with_cell(line, b'"' + CANARY.encode() + b'"') for line in lines[1:]])
    for _ in range(24):
        at = draw.randrange(len(lines[0]), len(good))
        data = good[:at] + draw.choice([b'"', b",", b"\n", b"\r", b"\xff", b'""', b"\0", b'",']) + good[at:]
        reason = refused(town, data)
        assert reason is None or reason in {"kutip", "sel_kurang", "pengodean", "mutu"}


def refused(town: Town, data: bytes) -> str | None:
    try:
        town.exchange(data)
    except Refusal as refusal:
        found = refusal
    else:
        return None
    town.assert_refused(town.last, found.reason)
    assert_nowhere(town, str(vars(found)))
    return found.reason


# --- what looks odd and is right
def test_crlf_byte_order_mark_and_quotes_release_the_same_rows(town: Town) -> None:
    rows = town.rows(n=40)
    plain = town.csv(rows)
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([town.office.contracts["pencari_kerja"].names, *rows])
    quoted = text.getvalue().encode()
    spellings = [plain, plain.rstrip(b"\n"), plain.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + plain, quoted, b"\xef\xbb\xbf" + quoted.replace(b"\n", b"\r\n")]
    assert len({released(town, town.exchange(data, chunk_bytes=chunk)[0]) for data in spellings for chunk in (None, 8192)}) == 1


# --- NDJSON
def objects(town: Town, n: int = 5) -> list[dict[str, object]]:
    names = town.office.contracts["pencari_kerja"].names
    return [{k: v or None for k, v in zip(names, row, strict=True)} for row in town.rows(n=n)]


def ndjson(rows: list[dict[str, object]]) -> list[bytes]:
    return [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]


def bad_line(case: str, row: dict[str, object]) -> bytes:  # noqa: PLR0912 - a table of cases
    nik = json.dumps(row["nik"])
    line = json.dumps(row | {"nama_lengkap": CANARY}).encode()
    name = json.dumps(CANARY).encode()
    match case:
        case "a number":
            return line.replace(nik.encode(), nik.strip('"').encode())
        case "nested":
            return line.replace(name, b"[" + name + b"]")
        case "an object inside":
            return line.replace(name, b'{"nik":' + name + b"}")
        case "a key twice":
            return line[:-1] + b', "nik": ' + name + b"}"
        case "a key missing":
            return json.dumps({k: v for k, v in row.items() if k != "nik"}).encode()
        case "an unknown key":
            return line[:-1] + b", " + name + b': "x"}'
        case "not JSON":
            return line[:-1] + CANARY.encode()
        case "a list":
            return b"[" + name + b"]"
        case "an empty list":
            return b"[]"
        case "nesting without end":
            return b"[" * 100_000
        case "a huge number":
            return line.replace(name, b"9" * 5000)
        case "not UTF-8":
            return line.replace(name, b'"' + CANARY.encode() + b'\xff"')
        case "half a character":
            return line.replace(name, b'"' + CANARY.encode() + b'\\ud800"')
        case "a blank line":
            return b""
    return line.replace(name, b'"' + CANARY.encode() * (BIG // len(CANARY)) + b'"')


@pytest.mark.parametrize(
    ("case", "reason", "facts"),
    [
        ("a number", "bukan_teks", {"baris": 3, "kolom": "nik"}),
        ("nested", "bukan_teks", {"baris": 3, "kolom": "nama_lengkap"}),
        ("an object inside", "bukan_teks", {"baris": 3, "kolom": "nama_lengkap"}),
        ("a key twice", "kolom_ganda", {"baris": 3, "kolom": "nik"}),
        ("a key missing", "kolom_hilang", {"baris": 3, "kolom": "nik"}),
        ("an unknown key", "kolom_asing", {"baris": 3, "templat": "1.0.0"}),
        ("not JSON", "baris_rusak", {"baris": 3}),
        ("a list", "baris_rusak", {"baris": 3}),
        ("an empty list", "baris_rusak", {"baris": 3}),
        ("nesting without end", "baris_rusak", {"baris": 3}),
        ("a huge number", "baris_rusak", {"baris": 3}),
        ("not UTF-8", "pengodean", {"baris": 3}),
        ("half a character", "pengodean", {"baris": 3}),
        ("a blank line", "baris_rusak", {"baris": 3}),
        ("a line too long", "sel_besar", {"baris": 3, "batas": MAX_LINE}),
    ],
)
def test_a_line_that_is_no_object_of_texts_is_refused(
    town: Town, refuse: Refuse, case: str, reason: str, facts: dict[str, object]
) -> None:
    rows = objects(town)
    lines = ndjson(rows)
    lines[2] = bad_line(case, rows[2]) + b"\n"
    found = refuse(b"".join(lines), reason, content_type="application/x-ndjson").facts
    assert found.items() >= facts.items()


@pytest.mark.parametrize("data", [b"", b"\n"], ids=["empty", "one line feed"])
def test_ndjson_without_rows_is_refused(refuse: Refuse, data: bytes) -> None:
    refuse(data, "baris_rusak" if data else "kosong", content_type="application/x-ndjson")


def test_ndjson_releases_what_csv_releases(town: Town) -> None:
    lines, _ = town.exchange(b"".join(ndjson(objects(town, 30))), content_type="application/x-ndjson")
    rows, _ = town.exchange(town.csv(town.rows(n=30)))
    assert released(town, lines) == released(town, rows)
