"""Pasal 6: each row against its contract, as column expressions; a bad row is withheld with its rules, never repaired.

A `Validator` is built once per (dataset, agreement, template, day). Its first pass makes one Boolean per column that holds anything;
only rows that fail go through the second pass, which names every rule they break. Row-local: no rule looks at another row.
Nulls make a rule bad, never good. A rule id is `column.word`; the words are RULES.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.model import Column, Contract

RULES: Final[Mapping[str, tuple[str, str]]] = {
    "wajib": ("nilai wajib diisi", "a value is required"),
    "bentuk": ("bentuk nilai tidak sesuai templat", "the value has not the template's form"),
    "ilmiah": ("angka ilmiah atau sel angka Excel: digit terakhir sudah hilang", "scientific notation or a numeric Excel cell: its last digits are lost"),
    "panjang": ("panjang nilai di luar batas", "the value's length is out of bounds"),
    "rentang": ("nilai di luar rentang", "the value is out of range"),
    "kode": ("kode tidak ada dalam daftar", "the code is not in its list"),
    "nik": ("bukan NIK yang mungkin (wilayah, tanggal, nomor urut)", "not a possible NIK (region, date, serial)"),
    "kk": ("bukan nomor KK yang mungkin", "not a possible KK number"),
    "npwp": ("bukan NPWP yang mungkin", "not a possible NPWP"),
    "nik_sex": ("jenis kelamin tidak cocok dengan NIK", "the sex does not agree with the NIK"),
    "nik_lahir": ("tanggal lahir tidak cocok dengan NIK", "the birth date does not agree with the NIK"),
    "urutan": ("nilai mendahului kolom pasangannya", "the value comes before its paired column"),
    "templat": ("versi templat baris bukan versi kiriman", "the row's template version is not the submission's"),
    "basi": ("data lebih tua dari batas kemutakhiran", "the data are older than the freshness limit"),
    "asal": ("baris milik kesepakatan atau pihak lain", "the row belongs to another agreement or party"),
}


class Codes(Protocol):
    """What validation asks of the code lists (broker.contract.codelists.CodeLists; a test's own small one)."""

    def codes(self, name: str) -> frozenset[str]: ...
    @property
    def kabupaten(self) -> frozenset[str]: ...
    @property
    def kecamatan(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on a chunk. bad: Boolean (n). rules: for bad rows only, rule id → Boolean series over `bad_rows`."""

    bad: pl.Series
    bad_rows: pl.Series  # UInt32 positions in the chunk
    rules: pl.DataFrame


# Columns computed once per chunk, beside the texts: a date column's Date, a NIK-shaped column's number and its DDMMYY, whether a code is known.
_DATE, _NUMBER, _BORN, _KNOWN = "\0date:", "\0number:", "\0born:", "\0known:"
_DDMMYY: Final = 10**6


@cache
def _of_shape(codes: frozenset[str], regex: str) -> frozenset[str]:
    shape = re.compile(regex)
    return frozenset(code for code in codes if shape.search(code))


@cache
def _possible_births() -> pl.Series:
    """Boolean by DDMMYY (day + 40 for women): whether such a day can be. 29 February needs a leap year of either century: yy % 4 == 0."""
    days = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    table = bytearray(_DDMMYY)
    for month in range(1, 13):
        for day in range(1, days[month] + 1):
            for yy in range(100):
                if (day, month) != (29, 2) or yy % 4 == 0:
                    table[day * 10**4 + month * 100 + yy] = table[(day + 40) * 10**4 + month * 100 + yy] = 1
    return pl.Series(np.frombuffer(table, np.uint8)) == 1


def typed(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """`frame` with the typed companions of its date and NIK-shaped columns. What does not parse is null."""
    # to_date takes looser forms (1994-1-2, a leading space or sign): only ten characters count.
    dates = [
        pl.when(pl.col(c.name).str.len_bytes() == 10).then(pl.col(c.name).str.to_date("%Y-%m-%d", strict=False)).alias(_DATE + c.name)
        for c in contract.columns
        if c.type == "date"
    ]
    numbers = {c.name: pl.col(c.name).cast(pl.Int64, strict=False) for c in contract.columns if c.check in ("nik", "kk", "npwp")}
    return frame.with_columns(
        *dates,
        *(number.alias(_NUMBER + name) for name, number in numbers.items()),
        *((number // 10**4 % _DDMMYY).alias(_BORN + name) for name, number in numbers.items()),
    )


def parsed_date(name: str) -> pl.Expr:
    """Date of an ISO text in a typed frame."""
    return pl.col(_DATE + name)


def age_on(born: pl.Expr, day: date) -> pl.Expr:
    """Full years on `day` of a Date (Int64)."""
    # month() and day() are Int8: month * 100 would wrap silently.
    return _age(born.dt.year(), born.dt.month().cast(pl.Int64) * 100 + born.dt.day(), day)


def nik_age_on(name: str, day: date) -> pl.Expr:
    """Full years on `day` of the person whose NIK is in `name` of a typed frame (Int64): born in 20yy unless that year is still to come.

    A number that is no NIK has no age worth anything; its row is withheld.
    """
    born = pl.col(_BORN + name)
    yy = born % 100
    return _age(yy + pl.when(yy + 2000 <= day.year).then(2000).otherwise(1900), born // 100 % 100 * 100 + born // 10**4 % 40, day)


def _age(year: pl.Expr, monthday: pl.Expr, day: date) -> pl.Expr:
    return day.year - year.cast(pl.Int64) - (monthday > day.month * 100 + day.day).cast(pl.Int64)


def minus(day: date, duration: str) -> date:
    """`day` less an ISO 8601 duration of years, months, weeks and days; a day the month lacks becomes its last."""
    found = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?", duration)
    if found is None:
        raise ValueError("duration")
    years, months, weeks, days = (int(g or 0) for g in found.groups())
    total = day.year * 12 + day.month - 1 - years * 12 - months
    year, month = divmod(total, 12)
    last = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last)) - timedelta(weeks=weeks, days=days)


def bound(text: str, day: date) -> date | float:
    """A contract's min or max as a value on `day`: number, ISO date, this_year, today, today-15y, today+31d."""
    if text == "this_year":
        return float(day.year)
    found = re.fullmatch(r"today(?:([+-])(\d+)([yd]))?", text)
    if found is None:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else float(text)
    if found.group(1) is None:
        return day
    n = int(found.group(1) + found.group(2))
    return minus(day, f"P{-n}Y") if found.group(3) == "y" and n < 0 else day + timedelta(days=n)


class Validators:
    """Validators by (dataset, agreement, day): building one takes longer than checking a small file. Holds the latest few."""

    def __init__(self, codes: Codes, room: int = 32) -> None:
        self._codes, self._room = codes, room
        self._built: dict[tuple[str, str, date], Validator] = {}

    def get(self, contract: Contract, agreement: str, parties: frozenset[str], day: date) -> Validator:
        key = (contract.dataset, agreement, day)
        found = self._built.get(key)
        if found is None:
            found = Validator(contract, self._codes, agreement=agreement, parties=parties, day=day)
            self._built = {**dict(list(self._built.items())[1 - self._room :]), key: found}
        return found


class Validator:
    """The rules of one contract under one agreement on one day. Immutable after construction."""

    def __init__(self, contract: Contract, codes: Codes, *, agreement: str, parties: frozenset[str], day: date) -> None:
        self._contract, self._codes, self._day = contract, codes, day
        self._agreement, self._parties = agreement, parties
        self._births = pl.lit(_possible_births())
        kabupaten = bytearray(10**4)
        for code in codes.kabupaten:
            kabupaten[int(code)] = 1
        self._kabupaten = pl.lit(pl.Series(list(kabupaten), dtype=pl.UInt8) == 1)
        self._is_code = {c.name: self._judge(c) for c in contract.columns if c.codelist}
        # column → (rule word, expression true when GOOD) for a filled cell
        self._good = {c.name: tuple(self._filled(c)) for c in contract.columns}
        self._required = frozenset(c.name for c in contract.columns if c.required)
        self._sure = {c.name: self._surely(c).alias(c.name) for c in contract.columns}

    def check(self, frame: pl.DataFrame) -> Checked:
        """frame: a typed frame. Fails closed: an expression that gives null is a broken rule.

        A first pass asks each column that holds anything whether its cells are surely good; the rules of those that are not then judge
        the rows in doubt, each by itself.
        """
        names = self._contract.names
        asked = [n for n in names if n in self._required or frame.get_column(n).null_count() < frame.height]
        frame = frame.hstack(self._known(frame.select(n for n in asked if n in self._is_code)))
        sure = frame.select([self._sure[n] for n in asked])
        doubt = pl.Series("doubt", [False], dtype=pl.Boolean).new_from_index(0, frame.height)
        doubted = [column for column in sure if column.null_count() or not column.all()]
        for column in doubted:
            doubt |= ~column.fill_null(value=False)
        rows = doubt.arg_true()
        if not len(rows):
            return Checked(doubt, rows, pl.DataFrame())
        rules = frame[rows].select([rule for column in doubted for rule in self._detail(column.name)])
        broken = rules.select(pl.any_horizontal(pl.all()).alias("b")).get_column("b")
        rows = rows.filter(broken)
        bad = pl.Series("bad", [False], dtype=pl.Boolean).new_from_index(0, frame.height)
        return Checked(bad.scatter(rows, True) if len(rows) else bad, rows, rules.filter(broken))

    def _surely(self, c: Column) -> pl.Expr:
        """True only for a cell that breaks no rule: a cheaper test than the rules where one exists. False or null means: look closer."""
        col = pl.col(c.name)
        good = pl.lit(value=True)
        for word, rule in self._good[c.name]:
            if word != "ilmiah":  # what is in scientific notation has not the form either
                good &= rule
        return good if c.required else col.is_null() | good

    def _detail(self, name: str) -> list[pl.Expr]:
        empty = pl.col(name).is_null()
        rules = [(~empty & (~rule).fill_null(value=True)).alias(f"{name}.{word}") for word, rule in self._good[name]]
        return [empty.alias(f"{name}.wajib"), *rules] if name in self._required else rules

    def _filled(self, c: Column) -> list[tuple[str, pl.Expr]]:
        """The rules a filled cell of `c` must keep, cheapest first."""
        col = pl.col(c.name)
        rules: list[tuple[str, pl.Expr]] = []
        if c.flags == ("asal_lain",):
            rules.append(("asal", col == self._agreement if c.flag_when == "ne:kesepakatan" else col.is_in(sorted(self._parties))))
            return rules
        if c.name == "templat_versi":
            return [("templat", col == self._contract.template)]
        if c.check in ("nik", "kk", "npwp"):
            return [("ilmiah", ~col.str.contains(r"^[0-9][.,]?[0-9]*[eE]\+?[0-9]+$")), ("bentuk", _regex(c)), (c.check, self._identifier(c))]
        if c.regex and not c.codelist:
            rules.append(("bentuk", _regex(c)))
        rules += self._typed(c)
        if c.length:
            rules.append(("panjang", col.str.len_chars().is_between(*c.length)))
        if c.codelist:
            rules.append(("kode", pl.col(_KNOWN + c.name)))
        if c.check:
            rules.append(self._paired(c))
        if self._contract.stale_after and c.name == self._contract.freshness_column:
            rules.append(("basi", parsed_date(c.name) >= minus(self._day, self._contract.stale_after)))
        return rules

    def _typed(self, c: Column) -> list[tuple[str, pl.Expr]]:
        col = pl.col(c.name)
        low, high = (bound(b, self._day) if b else None for b in (c.min, c.max))
        value: pl.Expr
        match c.type:
            case "bool":
                return [("bentuk", col.is_in(["true", "false"]))]
            case "date":
                value = parsed_date(c.name)
                low = low or date(1900, 1, 1)
                high = high or date(2100, 1, 1)
            case "int":
                value = col.cast(pl.Int64, strict=False)
                # The cast takes +7 and 007: a number begins with 1–9, or is 0.
                return [("bentuk", col.is_between(pl.lit("1"), pl.lit(":"), closed="left") | (col == "0")), ("rentang", value.is_between(low, high))]
            case "decimal":
                value = col.cast(pl.Float64, strict=False)
                return [("bentuk", col.str.contains(r"^[0-9]{1,9}(\.[0-9]{1,4})?$")), ("rentang", value.is_between(low, high))]
            case _:
                return []
        return [("bentuk", value.is_not_null()), ("rentang", value.is_between(low, high))]

    def _known(self, coded: pl.DataFrame) -> list[pl.Series]:
        """For each code column, Boolean: whether each cell is in its list. Judged once per distinct value: a column has few, and hashing a list
        of 8,000 codes for every chunk costs more.
        """
        known = []
        for values, distinct in zip(coded, coded.select(pl.all().unique().implode()).row(0) if coded.width else (), strict=True):
            unknown = [value for value in distinct if value is not None and not self._is_code[values.name](value)]
            good = ~values.is_in(unknown) if unknown else pl.Series([True]).new_from_index(0, len(values))
            known.append(good.alias(_KNOWN + values.name))
        return known

    def _judge(self, c: Column) -> Callable[[str], bool]:
        codes, most = self._shaped_codes(c), c.list_max
        if most:  # codes separated by semicolons
            return lambda value: len(items := value.split(";")) <= most and codes.issuperset(items)
        if c.codelist != "wilayah" or not re.search(c.regex or "", "11.01.01.2001"):
            return codes.__contains__
        # Villages are listed for the two regions only; elsewhere a village is checked to its kecamatan.
        listed = {code[:5] for code in codes if len(code) == 13}
        village = re.compile(r"[0-9.]{8}\.[0-9]{4}")
        return lambda value: value in codes or (bool(village.fullmatch(value)) and value[:5] not in listed and value[:8] in codes)

    def _shaped_codes(self, c: Column) -> frozenset[str]:
        """The codes of the column's list that have the column's form."""
        assert c.codelist is not None
        return _of_shape(self._codes.codes(c.codelist), c.regex or "")

    def _identifier(self, c: Column) -> pl.Expr:
        if c.check == "npwp":  # a company's begins with 0; a person's is the NIK
            return pl.col(c.name).str.starts_with("0") | self._nik_shape(c.name)
        return self._nik_shape(c.name)

    def _nik_shape(self, name: str) -> pl.Expr:
        """Known kabupaten of any edition, a calendar date (day + 40 for women), serial not 0000. A KK number has the same shape."""
        number = pl.col(_NUMBER + name)
        inside = number.is_between(10**15, 10**16 - 1)
        kab = self._kabupaten.gather(pl.when(inside).then(number // 10**12).otherwise(0))
        birth = self._births.gather(pl.when(inside).then(pl.col(_BORN + name)).otherwise(0))
        return inside & kab & birth & (number % 10**4 > 0)

    def _paired(self, c: Column) -> tuple[str, pl.Expr]:
        check = c.check or ""
        if check.startswith("ge:"):
            other = check[3:]
            # ISO dates and YYYY-MM order as texts; numbers as numbers.
            number = c.type in ("int", "decimal")
            left, right = (pl.col(x).cast(pl.Float64, strict=False) if number else pl.col(x) for x in (c.name, other))
            return "urutan", pl.col(other).is_null() | (left >= right)
        raw, absent = pl.col(f"{_BORN}nik"), pl.col("nik").is_null()
        if check == "nik_sex":
            return "nik_sex", absent | ((raw >= 41 * 10**4) == (pl.col(c.name) == "P"))
        born = parsed_date(c.name)
        ddmmyy = born.dt.day().cast(pl.Int64) * 10**4 + born.dt.month().cast(pl.Int64) * 100 + (born.dt.year() % 100).cast(pl.Int64)
        return "nik_lahir", absent | (raw - (raw >= 41 * 10**4).cast(pl.Int64) * 40 * 10**4 == ddmmyy)


def _regex(c: Column) -> pl.Expr:
    assert c.regex is not None
    col = pl.col(c.name)
    if c.regex == "^[1-9][0-9]{15}$":  # the hot one: a length and a cast instead of a regex
        return (col.str.len_bytes() == 16) & (pl.col(_NUMBER + c.name) >= 10**15)
    return col.str.contains(c.regex)
