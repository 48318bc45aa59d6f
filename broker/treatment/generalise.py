"""The closed sets of generalisers and masks, as column expressions String → String. A value that does not fit becomes null: hidden.

Functions and band widths: docs/formats/contract.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from broker.model import Column


class Parents(Protocol):
    def parent(self, name: str) -> Mapping[str, str]: ...


def _number(col: pl.Expr) -> pl.Expr:
    return col.cast(pl.Int64, strict=False)


def _text(*parts: pl.Expr | str) -> pl.Expr:
    return pl.concat_str([pl.lit(p) if isinstance(p, str) else p.cast(pl.String) for p in parts])


def _bands(col: pl.Expr, bands: Sequence[tuple[int, str]], top: str) -> pl.Expr:
    """bands: (exclusive upper bound, label) in rising order; `top` from the last bound on."""
    n = _number(col)
    band = pl.lit(top)
    for limit, label in reversed(bands):
        band = pl.when(n < limit).then(pl.lit(label)).otherwise(band)
    return pl.when(n >= 0).then(band)


def _age(column: Column, day: date) -> pl.Expr:
    col = pl.col(column.name)
    if column.type != "date":
        return _number(col)
    born = col.str.to_date("%Y-%m-%d", strict=False)
    passed = born.dt.month().cast(pl.Int32) * 100 + born.dt.day().cast(pl.Int32) <= day.month * 100 + day.day
    return (day.year - 1 - born.dt.year() + passed.cast(pl.Int32)).cast(pl.Int64)


def _age_band(width: int) -> Callable[[Column, date, Parents], pl.Expr]:
    def band(column: Column, day: date, _: Parents) -> pl.Expr:
        age = _age(column, day)
        low = age - (age - 15) % width
        return pl.when(age >= 65).then(pl.lit("65+")).when(age >= 15).then(_text(low, "-", low + width - 1)).when(age >= 0).then(pl.lit("<15"))

    return band


def _first(n: int) -> Callable[[Column, date, Parents], pl.Expr]:
    return lambda column, _day, _codes: pl.col(column.name).str.slice(0, n)


def _mapped(codelist: str) -> Callable[[Column, date, Parents], pl.Expr]:
    def mapped(column: Column, _day: date, codes: Parents) -> pl.Expr:
        table = codes.parent(codelist)
        return pl.col(column.name).replace_strict(list(table), list(table.values()), default=None, return_dtype=pl.String)

    return mapped


def _five_years(column: Column, _day: date, _codes: Parents) -> pl.Expr:
    year = _number(pl.col(column.name))
    low = year - year % 5
    return _text(low, "-", low + 4)


def _millions(column: Column, _day: date, _codes: Parents) -> pl.Expr:
    n = _number(pl.col(column.name)) // 1_000_000
    return pl.when(n < 0).then(None).when(n < 1).then(pl.lit("<1 jt")).when(n < 10).then(_text(n, "-", n + 1, " jt")).when(n >= 10).then(pl.lit(">=10 jt"))


def _banded(bands: Sequence[tuple[int, str]], top: str) -> Callable[[Column, date, Parents], pl.Expr]:
    return lambda column, _day, _codes: _bands(pl.col(column.name), bands, top)


_M = 1_000_000
GENERALISERS: Mapping[str, Callable[[Column, date, Parents], pl.Expr]] = {
    "tahun": _first(4),
    "bulan": _first(7),
    "tahun_5": _five_years,
    "tahun_penuh": lambda column, _day, _codes: (_number(pl.col(column.name)) // 12).cast(pl.String),
    "pita_umur_5": _age_band(5),
    "pita_umur_10": _age_band(10),
    "kecamatan": _first(8),
    "kab": _first(5),
    "provinsi": _first(2),
    "kbji_1": _first(1),
    "kbji_2": _first(2),
    "kbli_2": _first(2),
    "kbli_kategori": _mapped("kbli2020"),
    "pendidikan_3": _mapped("peta_pendidikan_3"),
    "alasan_phk_3": _mapped("peta_alasan_phk_3"),
    "pita_upah": _millions,
    "pita_nilai": _banded([(10 * _M, "<10 jt"), (50 * _M, "10-50 jt"), (100 * _M, "50-100 jt"), (500 * _M, "100-500 jt")], ">=500 jt"),
    "pita_pekerja": _banded([(1, "0"), (5, "1-4"), (20, "5-19"), (100, "20-99"), (500, "100-499")], ">=500"),
    "pita_jam": _banded([(1, "0"), (15, "1-14"), (35, "15-34"), (49, "35-48")], ">=49"),
    "pita_3": _banded([(1, "0"), (4, "1-3")], "4-6"),
}


def _initials(col: pl.Expr) -> pl.Expr:
    words = col.str.split(" ").list.eval(pl.element().filter(pl.element().str.len_chars() > 0).str.slice(0, 1) + ".")
    return words.list.head(3).list.join(" ")


MASKS: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "nik_kab": lambda col: col.str.slice(0, 4) + "*" * 12,
    "akhir_3": lambda col: pl.when(col.str.len_chars() >= 8).then(pl.lit("*" * 10) + col.str.slice(-3)).when(col.is_not_null()).then(pl.lit("*" * 10)),
    "email_awal_1": lambda col: col.str.slice(0, 1) + "***@***",
    "inisial": _initials,
}
