"""Pages for people to print: headings, text, tables whose cells wrap, bars by month. The same values always make the same bytes.

A PDF is a picture of figures that also exist as JSON. It is signed beside itself (docs/formats/reports.md), so nothing is hidden inside it:
no fonts, no scripts, no dates but the one it is given; streams stay uncompressed, since compressors differ between machines.

Import this module only where a PDF is made: fpdf2 takes a second and 60 MB, which a broker that makes none does not need.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

FONT: Final = "helvetica"  # one of the fourteen that every reader has
ALPHABET: Final = "windows-1252"  # of those fonts
INK, GREY, PALE, BAR, RULE = (20, 24, 31), (96, 103, 112), (238, 241, 245), (36, 87, 140), (200, 205, 212)
PAGES: Final = "{n}"  # stands for the number of pages until it is known
MARGIN: Final = 18.0  # mm
LEADING: Final = 0.47  # mm of a line per point of its size
PAD: Final = 1.0  # mm inside a cell
TALLEST: Final = 30  # lines of a row; what has more goes on in the next
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")

_WORDS: Final = re.compile(r"[^ _@/.;,-]*[ _@/.;,-]+|[^ _@/.;,-]+")


def printable(text: str) -> str:
    """The text in the fonts' own alphabet; what it has no letter for becomes `?`, so that nothing is left out unseen."""
    return text.encode(ALPHABET, "replace").decode(ALPHABET)


def number(value: int) -> str:
    """1234567 → `1.234.567`, as Indonesian writes it."""
    return f"{value:,}".replace(",", ".")


class _Column(NamedTuple):
    left: float  # mm from the margin
    width: float
    right: bool  # aligned


def _parts(cells: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """A row as rows that fit on a page."""
    for start in range(0, max(map(len, cells)), TALLEST):
        yield [lines[start : start + TALLEST] for lines in cells]


def _height(cells: Sequence[Sequence[str]], size: float) -> float:
    return max(map(len, cells)) * size * LEADING + 2 * PAD


class Document(FPDF):
    """An A4 document with its title on every page. at: the one date it carries. wide: landscape."""

    def __init__(self, title: str, foot: str, at: datetime, *, wide: bool = False) -> None:
        super().__init__(orientation="L" if wide else "P", unit="mm", format="A4")
        self.core_fonts_encoding = ALPHABET
        self._foot = printable(foot)
        self.set_title(printable(title))
        self.set_producer("Sinergi")
        self.set_lang("id")
        self.set_creation_date(at)
        self.set_compression(False)
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=MARGIN + 4)
        self.alias_nb_pages(PAGES)
        self.add_page()
        self.text_line(title, size=16, style="B")

    def footer(self) -> None:
        self.set_y(-MARGIN + 3)
        self.set_font(FONT, size=7.5)
        self.set_text_color(*GREY)
        width = self.epw - 32
        self.cell(width, 4, self._foot)
        self.cell(32, 4, f"Halaman {self.page_no()} dari {PAGES}", align="R")

    def text_line(self, text: str, *, size: float = 9.5, style: str = "", grey: bool = False, after: float = 1.5, room: float = 0) -> None:
        """A paragraph over the whole width. room: mm that must fit on the same page."""
        if room and self.will_page_break(room):
            self.add_page()
        self.set_font(FONT, style, size)
        self.set_text_color(*(GREY if grey else INK))
        self.multi_cell(0, size * LEADING, printable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.ln(after)

    def heading(self, text: str, room: float = 30) -> None:
        """A section's title, never alone at the foot of a page: `room` mm must fit below it."""
        if self.will_page_break(room):
            self.add_page()
        else:
            self.ln(3)
        self.text_line(text, size=12, style="B")

    def rows(self, header: Sequence[str], rows: Iterable[Sequence[str | int]], widths: Sequence[float], *, size: float = 8) -> None:
        """A table over the whole width, its header repeated on every page. widths: shares. Whole numbers stand to the right.

        The library's own tables take 0.7 ms a cell; these 0.05.
        """
        body = [list(row) for row in rows]
        if not body:
            self.text_line("Tidak ada.", grey=True)
            return
        at = [0.0, *accumulate(width * self.epw / sum(widths) for width in widths)]
        columns = [_Column(left, right - left, isinstance(body[0][i], int)) for i, (left, right) in enumerate(pairwise(at))]
        self.set_font(FONT, "B", size)
        head = self._lines(header, columns)
        self.set_font(FONT, "", size)
        parts = [part for row in body for part in _parts(self._lines(row, columns))]
        for part in parts:
            if part is parts[0] or self.will_page_break(_height(part, size)):
                if self.will_page_break(_height(part, size) + _height(head, size)):
                    self.add_page()
                self._head(head, columns, size)
            self._draw(part, columns, size)
        self.ln(3)

    def _head(self, cells: Sequence[Sequence[str]], columns: Sequence[_Column], size: float) -> None:
        self.set_font(FONT, "B", size)
        self.set_fill_color(*PALE)
        self.rect(self.l_margin, self.get_y(), self.epw, _height(cells, size), style="F")
        self._draw(cells, columns, size)
        self.set_font(FONT, "", size)

    def _draw(self, cells: Sequence[Sequence[str]], columns: Sequence[_Column], size: float) -> None:
        self.set_text_color(*INK)
        top, step = self.get_y(), size * LEADING
        for lines, column in zip(cells, columns, strict=True):
            for number, line in enumerate(lines):
                x = column.left + (column.width - PAD - self._width(line) if column.right else PAD)
                self.text(self.l_margin + x, top + PAD + (number + 0.75) * step, line)
        y = top + _height(cells, size)
        self.set_draw_color(*RULE)
        self.line(self.l_margin, y, self.l_margin + self.epw, y)
        self.set_y(y)

    def _lines(self, cells: Sequence[str | int], columns: Sequence[_Column]) -> list[list[str]]:
        texts = [number(cell) if isinstance(cell, int) else printable(cell) for cell in cells]
        return [self._wrapped(text, column.width - 2 * PAD) for text, column in zip(texts, columns, strict=True)]

    def _wrapped(self, text: str, room: float) -> list[str]:
        """Lines no wider than `room`, broken behind spaces and signs, within a word only where it is wider itself."""
        found: list[str] = []
        for line in text.split("\n"):
            found.append("")
            for word in _WORDS.findall(line):
                piece = word
                if self._width(found[-1] + piece.rstrip(" ")) <= room:
                    found[-1] += piece
                    continue
                found.append("")
                while self._width(piece.rstrip(" ")) > room:
                    fits = next(n for n in range(len(piece) - 1, 0, -1) if n == 1 or self._width(piece[:n]) <= room)
                    found[-1], piece = piece[:fits], piece[fits:]
                    found.append("")
                found[-1] = piece
        return [line.rstrip(" ") for line in found if line] or [""]

    def _width(self, text: str) -> float:
        """Of a line in the font at hand, mm. The font's table has a width for each byte of its alphabet."""
        of: Any = self.current_font
        return float(sum(of.cw[c] for c in text.encode(ALPHABET).decode("latin-1")) * self.font_size / 1000)

    def pairs(self, pairs: Iterable[tuple[str, str | int]]) -> None:
        """Names with their values."""
        for name, value in pairs:
            self.set_font(FONT, size=9)
            self.set_text_color(*GREY)
            self.cell(48, 4.6, printable(name))
            self.set_text_color(*INK)
            self.multi_cell(0, 4.6, number(value) if isinstance(value, int) else printable(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")
        self.ln(2)

    def mono(self, text: str) -> None:
        """Digests and signed notes, letter for letter."""
        self.set_font("courier", size=7.5)
        self.set_text_color(*INK)
        self.multi_cell(0, 3.4, printable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L", wrapmode=WrapMode.CHAR)
        self.ln(2)

    def months(self, title: str, values: Sequence[int]) -> None:
        """Bars for the twelve months, each with its number."""
        height, top_room = 30.0, 6.0
        if self.will_page_break(height + top_room + 14):
            self.add_page()
        self.text_line(title, size=9, style="B", after=top_room - 3)
        left, top, most = self.l_margin, self.get_y(), max(*values, 1)
        step = self.epw / len(values)
        self.set_draw_color(*RULE)
        self.line(left, top + height, left + self.epw, top + height)
        self.set_fill_color(*BAR)
        for i, value in enumerate(values):
            x, tall = left + i * step, (height - 5) * value / most
            if value:
                self.rect(x + step * 0.22, top + height - tall, step * 0.56, tall, style="F")
            self.set_text_color(*INK)
            self.set_font(FONT, size=7)
            if value:
                self.set_xy(x, top + height - tall - 4)
                self.cell(step, 3.5, number(value), align="C")
            self.set_text_color(*GREY)
            self.set_xy(x, top + height + 1)
            self.cell(step, 3.5, MONTHS[i], align="C")
        self.set_y(top + height + 8)

    def blank(self, name: str, line: float = 80) -> None:
        """A line to fill in by hand."""
        self.set_font(FONT, size=9)
        self.set_text_color(*INK)
        self.cell(48, 8, printable(name))
        self.set_draw_color(*GREY)
        y = self.get_y() + 6.5
        self.line(self.get_x(), y, self.get_x() + line, y)
        self.ln(8)

    def bytes(self) -> bytes:
        return bytes(self.output())
