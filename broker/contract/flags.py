"""Row flags of a chunk as row class numbers: what about a row changes what may leave of it. Row-local; an empty cell raises nothing.

Only flags that change a level of the Plan at hand are computed: the others could not be seen in what leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from broker.contract.validate import age_on, nik_age_on, parsed_date
from broker.model import ROW_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from broker.model import Column, Contract


def flags_of(column: Column) -> tuple[str, ...]:
    """The row flags a column raises. One that is not of class spesifik raises `spesifik_kolom`: the cap is on such columns alone."""
    own = "spesifik" if column.klass == "spesifik" else "spesifik_kolom"
    return tuple(own if f == "spesifik" else f for f in column.flags if f in ROW_FLAGS)


def raised(column: Column, day: date) -> pl.Expr:
    """Boolean: whether this cell raises the column's flags on `day`. Null is possible and means no."""
    col, when = pl.col(column.name), column.flag_when or ""
    word, _, argument = when.partition(":")
    if when == "filled":
        return col.is_not_null()
    if when == "true":
        return col == "true"
    if when == "age<18":
        return age_on(parsed_date(column.name), day) < 18
    if when == "nik_age<18":
        return nik_age_on(column.name, day) < 18
    if word == "lt":
        return col.cast(pl.Int64, strict=False) < int(argument)
    if word == "in":
        return col.is_in(argument.split("|"))
    if word == "not_in":
        return ~col.is_in(argument.split("|"))
    if word == "not_prefix":
        return ~col.str.starts_with(argument)
    if word == "sum":
        names, _, limit = argument.partition("<=")
        return col.is_not_null() & (pl.sum_horizontal([pl.col(n).cast(pl.Int64, strict=False) for n in names.split(",")]) <= int(limit))
    raise ValueError("flag_when")  # the loader knows the closed set


def row_classes(frame: pl.DataFrame, contract: Contract, flags: Iterable[str], day: date) -> pl.Series:
    """frame: a typed frame. UInt8 row class number of each row: the sum of 1 << bit over the raised flags, of those in `flags`."""
    wanted = set(flags)
    raises = []
    for bit, flag in enumerate(ROW_FLAGS):
        sources = [raised(c, day).fill_null(value=False) for c in contract.columns if flag in wanted and flag in flags_of(c)]
        if sources:
            raises.append(pl.when(pl.any_horizontal(sources)).then(pl.lit(1 << bit, pl.UInt8)).otherwise(pl.lit(0, pl.UInt8)))
    if not raises:
        return pl.zeros(frame.height, pl.UInt8, eager=True).alias("class")
    return frame.select(pl.sum_horizontal(raises).cast(pl.UInt8).alias("class")).get_column("class")
