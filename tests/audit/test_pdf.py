from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.audit.pdf import ALPHABET, FONT, TALLEST, Document, number, printable

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def document() -> Document:
    return Document("Laporan", "kaki", NOW)


PAGE = document()


def texts(data: bytes) -> list[str]:
    """What is written on the pages, in order: the strings that `Tj` shows."""
    shown = re.findall(rb"\(((?:\\.|[^\\)])*)\) Tj", data, re.DOTALL)
    return [re.sub(rb"\\(.)", rb"\1", text).decode(ALPHABET) for text in shown]


@pytest.mark.parametrize(("value", "said"), [(0, "0"), (999, "999"), (1234567, "1.234.567")])
def test_numbers_are_written_as_indonesian_writes_them(value: int, said: str) -> None:
    assert number(value) == said


def test_a_letter_the_fonts_lack_is_seen_to_be_missing() -> None:
    assert printable("a — ‘b’ … € 漢") == "a — ‘b’ … € ?"


@given(st.text(st.characters(codec="windows-1252", exclude_categories=["Cc"]), max_size=200), st.floats(8, 80))
@settings(max_examples=60, deadline=None)
def test_a_wrapped_text_keeps_every_letter_and_stays_inside_its_cell(text: str, room: float) -> None:
    PAGE.set_font(FONT, size=8)
    lines = PAGE._wrapped(text, room)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(PAGE._width(line) <= room for line in lines if len(line) > 1)


def test_a_table_loses_no_cell_and_repeats_its_header_on_every_page() -> None:
    page = document()
    page.rows(("Kolom", "Nilai"), [(f"baris{i}", i) for i in range(400)], (3, 1))
    shown = texts(page.bytes())
    assert [text for text in shown if text.startswith("baris")] == [f"baris{i}" for i in range(400)]
    assert shown.count("Kolom") == page.pages_count > 5


def test_a_row_taller_than_a_page_goes_on_below() -> None:
    page = document()
    words = [f"kata{i}" for i in range(3000)]
    page.rows(("No.", "Isi"), [("1", " ".join(words))], (1, 3))
    shown = " ".join(texts(page.bytes())).split()
    assert [word for word in shown if word.startswith("kata")] == words
    assert TALLEST < 60


def test_no_header_stands_alone_at_the_foot_of_a_page() -> None:
    for lines in range(40, 60):
        page = document()
        for _ in range(lines):
            page.text_line("x", after=0)
        before = page.pages_count
        page.rows(("Kepala",), [("isi " * 200,)], (1,))
        pages = page.bytes().split(b"/Type /Page\n")
        assert page.pages_count >= before
        assert all((b"(Kepala)" in one) == (b"(isi " in one) for one in pages)


def test_an_empty_table_says_so() -> None:
    page = document()
    page.rows(("Kolom",), [], (1,))
    assert "Tidak ada." in texts(page.bytes())


def test_a_months_bars_show_their_numbers() -> None:
    page = document()
    page.months("Pertukaran", [0, 1234, *[0] * 10])
    shown = texts(page.bytes())
    assert "1.234" in shown
    assert {"Jan", "Agu", "Des"} <= set(shown)


def test_the_same_values_make_the_same_bytes_and_no_date_but_the_one_given() -> None:
    def made() -> bytes:
        page = document()
        page.rows(("a", "b"), [("x", 1)], (1, 1))
        page.months("m", list(range(12)))
        page.mono("digest")
        page.blank("Nama")
        return page.bytes()

    assert made() == made()
    assert set(re.findall(rb"D:(\d{8})", made())) == {b"20261121"}
    assert f"{datetime.now(UTC):%Y%m%d%H}".encode() not in made()


def test_pages_are_numbered() -> None:
    page = document()
    page.add_page()
    shown = "".join(texts(page.bytes()))
    assert re.findall("Halaman [0-9]+ dari [0-9]+", shown) == ["Halaman 1 dari 2", "Halaman 2 dari 2"]
