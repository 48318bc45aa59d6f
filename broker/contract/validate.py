"""Pasal 6: each row against its contract, as column expressions; a bad row is withheld with its rules, never repaired.

A `Validator` is built once per (dataset, agreement, template, day). Its first pass makes one Boolean per column that holds anything;
only rows that fail go through the second pass, which names every rule they break. Row-local: no rule looks at another row.
Nulls make a rule bad, never good. A rule id is `column.word`; the words are RULES.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def _list(values: frozenset[str]) -> pl.Expr:
    return pl.lit(pl.Series(sorted(values)).implode())


def nik_parts(name: str) -> dict[str, pl.Expr]:
    """Int64 expressions over a NIK column: n, region6, day (1–31), month, yy, serial, female. Null where it is no number."""
    n = pl.col(name).cast(pl.Int64, strict=False)
    raw = n // 10**8 % 100
    return {"n": n, "region": n // 10**10, "day": raw % 40, "raw_day": raw, "month": n // 10**6 % 100, "yy": n // 10**4 % 100, "serial": n % 10**4, "female": raw > 40}


def nik_birth(name: str, day: date) -> pl.Expr:
    """The birth date inside a NIK (Date): 20yy unless that year is still to come on `day`."""
    p = nik_parts(name)
    year = p["yy"] + pl.when(p["yy"] + 2000 <= day.year).then(2000).otherwise(1900)
    return pl.date(year.cast(pl.Int32), p["month"].cast(pl.Int8), p["day"].cast(pl.Int8))


def age_on(born: pl.Expr, day: date) -> pl.Expr:
    """Full years on `day` (Int32)."""
    # month() and day() are Int8: month * 100 would wrap silently.
    monthday = born.dt.month().cast(pl.Int32) * 100 + born.dt.day().cast(pl.Int32)
    return pl.lit(day.year) - born.dt.year() - (monthday > day.month * 100 + day.day).cast(pl.Int32)


def parsed_date(name: str) -> pl.Expr:
    """Date of an ISO text; null for every looser form that to_date would take."""
    return pl.when(pl.col(name).str.len_bytes() == 10).then(pl.col(name).str.to_date("%Y-%m-%d", strict=False))


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


class Validator:
    """The rules of one contract under one agreement on one day. Immutable after construction."""

    def __init__(self, contract: Contract, codes: Codes, *, agreement: str, parties: frozenset[str], day: date) -> None:
        self._contract, self._codes, self._day = contract, codes, day
        self._agreement, self._parties = agreement, parties
        self._nik = next((c.name for c in contract.columns if c.check == "nik" and c.name == "nik"), None)
        # column → (rule word, expression true when GOOD) for a filled cell
        self._good = {c.name: tuple(self._filled(c)) for c in contract.columns}
        self._required = frozenset(c.name for c in contract.columns if c.required)

    def check(self, frame: pl.DataFrame) -> Checked:
        """frame: every contract column as String. Fails closed: an expression that gives null is a broken rule."""
        nulls = dict(zip(frame.columns, frame.null_count().row(0), strict=True))
        tests = [self._bad(name).alias(name) for name in frame.columns if name in self._required or nulls[name] < frame.height]
        bad = frame.select(pl.any_horizontal(tests).alias("bad")).get_column("bad") if tests else pl.Series("bad", [False]).new_from_index(0, frame.height)
        rows = bad.arg_true()
        detail = frame[rows].select([rule for name in frame.columns for rule in self._detail(name)]) if len(rows) else pl.DataFrame()
        return Checked(bad, rows, detail)

    def _bad(self, name: str) -> pl.Expr:
        good = pl.lit(value=True)
        for _, rule in self._good[name]:
            good &= rule
        filled = (~good).fill_null(value=True)
        empty = pl.col(name).is_null()
        return empty | filled if name in self._required else ~empty & filled

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
            rules.append(("kode", self._coded(c)))
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
                rules = [("bentuk", (col.str.len_bytes() == 1) | ~col.str.contains(r"^[+0-]")), ("rentang", value.is_between(low, high))]
                return rules if low is None or low >= 0 else [("rentang", value.is_between(low, high))]  # type: ignore[operator]
            case "decimal":
                value = col.cast(pl.Float64, strict=False)
                return [("bentuk", col.str.contains(r"^[0-9]{1,9}(\.[0-9]{1,4})?$")), ("rentang", value.is_between(low, high))]
            case _:
                return []
        return [("bentuk", value.is_not_null()), ("rentang", value.is_between(low, high))]

    def _coded(self, c: Column) -> pl.Expr:
        assert c.codelist is not None
        shape = re.compile(c.regex or "")
        codes = frozenset(code for code in self._codes.codes(c.codelist) if shape.search(code))
        col = pl.col(c.name)
        if c.list_max:
            items = col.str.split(";")
            return (items.list.len() <= c.list_max) & items.list.eval(pl.element().is_in(sorted(codes))).list.all()
        known = col.is_in(_list(codes))
        if c.codelist != "wilayah" or not shape.search("11.01.01.2001"):
            return known
        # Villages are listed for the two regions only; elsewhere a village is checked to its kecamatan.
        listed = sorted({code[:5] for code in codes if len(code) == 13})
        kecamatan = frozenset(code for code in codes if len(code) == 8)
        village = col.str.contains(r"^[0-9.]{8}\.[0-9]{4}$") & ~col.str.slice(0, 5).is_in(listed) & col.str.slice(0, 8).is_in(_list(kecamatan))
        return known | village

    def _identifier(self, c: Column) -> pl.Expr:
        if c.check == "npwp":  # a company's begins with 0; a person's is the NIK
            return pl.col(c.name).str.starts_with("0") | self._nik_shape(c.name)
        return self._nik_shape(c.name)

    def _nik_shape(self, name: str) -> pl.Expr:
        """Known kabupaten of any edition, a calendar date (day + 40 for women), serial not 0000. A KK number has the same shape."""
        p = nik_parts(name)
        days = pl.lit(pl.Series([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=pl.Int64))
        kab = pl.lit(pl.Series(sorted(int(k) for k in self._codes.kabupaten), dtype=pl.Int64).implode())
        leap = (p["month"] != 2) | (p["day"] < 29) | (p["yy"] % 4 == 0)
        month = p["month"].is_between(1, 12)
        last = days.gather(pl.when(month).then(p["month"]).otherwise(0).fill_null(0).cast(pl.UInt32))
        return (p["n"] >= 10**15) & (p["region"] // 100).is_in(kab) & month & p["day"].is_between(1, last) & (p["raw_day"] < 72) & leap & (p["serial"] > 0)

    def _paired(self, c: Column) -> tuple[str, pl.Expr]:
        check = c.check or ""
        if check.startswith("ge:"):
            other = check[3:]
            # ISO dates and YYYY-MM order as texts; numbers as numbers.
            number = c.type in ("int", "decimal")
            left, right = (pl.col(x).cast(pl.Float64, strict=False) if number else pl.col(x) for x in (c.name, other))
            return "urutan", pl.col(other).is_null() | (left >= right)
        assert self._nik is not None
        p, absent = nik_parts(self._nik), pl.col(self._nik).is_null()
        if check == "nik_sex":
            return "nik_sex", absent | (p["female"] == (pl.col(c.name) == "P"))
        born = parsed_date(c.name)
        same = (p["day"] == born.dt.day().cast(pl.Int64)) & (p["month"] == born.dt.month().cast(pl.Int64)) & (p["yy"] == (born.dt.year() % 100).cast(pl.Int64))
        return "nik_lahir", absent | same


def _regex(c: Column) -> pl.Expr:
    assert c.regex is not None
    col = pl.col(c.name)
    if c.regex == "^[1-9][0-9]{15}$":  # the hot one: a length and a cast instead of a regex
        return (col.str.len_bytes() == 16) & (col.cast(pl.Int64, strict=False) >= 10**15)
    return col.str.contains(c.regex)
