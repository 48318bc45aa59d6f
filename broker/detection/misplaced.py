"""Step 6: identifiers in columns that must not hold one: the cell leaves cleaned. Row-local; a row that cannot be searched is withheld.

Typed columns are decided by their contract. Every text column that would leave in a readable form is searched: one vectorised
prefilter over all of them, then the exact judgement on the few rows it marks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from broker.detection.identifiers import find

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.model import Contract, Finding

# Whatever `find` finds of these but numbers in words has an address sign, five digits with at most five other characters between two of them, or six
# digits and letters read as digits with at most three signs between two (numbers.RUN, identifiers.as_read). `\d` is every script's digits; the signs in brackets are full-width.
_PREFILTER: Final = r"(?i)[@＠﹫]|[%％][4\d][0\d]|&#64;|[\[({<] ?[aａ] ?[\])}>]|[^\p{L}\d](?:[aａeｅ][tｔ]|add?|(?:a[ -]?)?keong)[^\p{L}\d]|\d(?:[^\d]{0,5}\d){4}|(?:[\doliｏｌｉ][^\p{L}\d]{0,3}){5}[\doliｏｌｉ]"
# Kinds that no column holds by right unless it is theirs. A plate, a business number, a date or "Jorong Koto" may stand in a job title
# or in an institution's name.
_STRONG: Final = frozenset({"nik", "kk", "npwp", "nitku", "nip", "bpjs", "kpj", "passport", "sim", "phone", "account", "email"})
# Kinds whose own form is an identifier: their contract judges them.
_OWN_KIND: Final = frozenset({"nik", "kk", "npwp", "nib", "kpj", "bpjs", "phone", "email", "passport", "account", "plate", "birth_date"})
_SEPARATOR: Final = " \x1f "
MAX_TEXT: Final = 20_000  # characters of one row's searched text; more is withheld unread


def searched_columns(contract: Contract, readable: Iterable[str]) -> tuple[str, ...]:
    """The columns to search, of those that leave in a readable form: free strings, not identifiers, codes, numbers or dates."""
    wanted = set(readable)
    return tuple(c.name for c in contract.columns if c.name in wanted and c.type == "string" and c.kind not in _OWN_KIND and not _narrow(c.regex))


def _narrow(regex: str | None) -> bool:
    """A pattern too narrow for an identifier: it takes neither letters nor nine digits in a row, or is a fixed short form."""
    return regex is not None and (regex.startswith(("^[12][0-9]{3}-", "^[0-9]{1,3}\\.", "^[1-9][0-9]{4}$", "^[0-7][0-9A-HJKMNP-TV-Z]")))


@dataclass(frozen=True, slots=True)
class Misplaced:
    """cells: column → row → what to take out of that cell. failed: Boolean (n), rows that could not be searched.
    counts: `column.kind` → rows, for the quality report.
    """

    cells: dict[str, dict[int, list[Finding]]]
    failed: pl.Series
    counts: dict[str, int]

    @classmethod
    def search(cls, frame: pl.DataFrame, columns: tuple[str, ...], among: pl.Series) -> Misplaced:
        """frame: String columns; those not in `columns` are not looked at. among: Boolean (n), the rows that could leave."""
        if not columns:
            return cls({}, pl.Series([False], dtype=pl.Boolean).new_from_index(0, frame.height), {})
        joined = pl.concat_str([pl.col(c) for c in columns], separator=_SEPARATOR, ignore_nulls=True)
        marks = frame.select(
            (joined.str.len_chars() > MAX_TEXT).fill_null(value=True).alias("failed"), joined.str.contains(_PREFILTER).fill_null(value=True).alias("marked")
        )
        failed = marks.get_column("failed") & among
        cells: dict[str, dict[int, list[Finding]]] = {}
        counts: dict[str, int] = {}
        for position in (marks.get_column("marked") & among & ~failed).arg_true().to_list():
            for column in columns:
                value = frame.get_column(column)[position]
                found = find(value) if value is not None else []
                kinds = {f.kind for f in found} & _STRONG
                if kinds:
                    cells.setdefault(column, {})[position] = found
                for kind in kinds:
                    counts[f"{column}.{kind}"] = counts.get(f"{column}.{kind}", 0) + 1
        return cls(cells, failed, counts)
