"""Steps 6 and 7 for text: what is found in a chunk's notes, what it says about the rows, and the notes and cells as they may leave.

Row-local: a note's findings depend on nothing but the note, its tokens on the note and its own row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from broker.detection import detect, readable
from broker.model import ROW_FLAGS
from broker.treatment import clean, cleaned, words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from broker.model import Contract, Finding
    from broker.treatment import People, Treatment

CLEANED: Final = "dibersihkan"  # in a quality report: rows in whose text something was found
# What a note says of a person raises the same row flags as a column that says it.
_RAISES: Final = {"health": "spesifik", "religion": "spesifik", "union": "spesifik", "crime": "spesifik", "finance": "spesifik", "disability": "disabilitas"}


@dataclass(frozen=True, slots=True)
class Texts:
    """columns: String (n) per free-text column and level, null where nothing leaves. failed: Boolean (n), rows that could not be searched.
    flags: UInt8 (n), row class bits. counts: `column.dibersihkan` → rows.
    """

    columns: list[pl.Series]
    failed: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    counts: dict[str, int]


def clean_texts(frame: pl.DataFrame, among: NDArray[np.bool_], contract: Contract, treatment: Treatment, flags: tuple[str, ...]) -> Texts:
    """frame: every contract column as String. among: Boolean (n), the rows that could leave; no other row's text is read. flags: those that matter."""
    n = frame.height
    found = Texts([], np.zeros(n, np.bool_), np.zeros(n, np.uint8), {})
    levels: dict[str, list[int]] = {}
    for name, level in treatment.texts:
        levels.setdefault(name, []).append(level)
    people: list[People] | None = None
    for name, wanted in levels.items():
        values = frame.get_column(name)
        rows = np.flatnonzero(among & values.is_not_null().to_numpy()) if values.null_count() < n else np.empty(0, np.int64)
        texts = values.gather(rows).to_list()
        fit = [readable(text) for text in texts]
        found.failed[rows] |= ~np.array(fit, np.bool_)
        texts = [text if ok else "" for text, ok in zip(texts, fit, strict=True)]
        findings = _findings(texts)
        for row, in_text in zip(rows.tolist(), findings, strict=True):
            found.flags[row] |= _flags(in_text, flags)
        if touched := sum(map(bool, findings)):
            found.counts[f"{name}.{CLEANED}"] = touched
            people = people or _people(frame, contract)
        about = [people[row] for row in rows.tolist()] if people else [()] * len(texts)
        for level in wanted:
            column: list[str | None] = [None] * n
            for row, text in zip(rows.tolist(), treatment.clean(texts, findings, about, level), strict=True):
                column[row] = text
            found.columns.append(pl.Series(cleaned(name, level), column, dtype=pl.String))
    return found


def clean_cells(frame: pl.DataFrame, cells: dict[str, dict[int, list[Finding]]]) -> pl.DataFrame:
    """The frame with what was found in cells that must not hold it replaced by placeholders; no other cell of the column changes."""
    changed = []
    for name, found in cells.items():
        values = frame.get_column(name)
        rows = sorted(found)
        changed.append(values.scatter(rows, clean(values.gather(rows).to_list(), [found[row] for row in rows], [()] * len(rows))))
    return frame.with_columns(changed)


def _findings(texts: list[str]) -> list[list[Finding]]:
    """The findings in each text; equal texts are searched once."""
    distinct = list(dict.fromkeys(texts))
    known = dict(zip(distinct, detect(distinct), strict=True))
    return [known[text] for text in texts]


def _flags(findings: list[Finding], wanted: tuple[str, ...]) -> int:
    raised = {_RAISES[f.kind] for f in findings if f.kind in _RAISES}
    return sum(1 << bit for bit, flag in enumerate(ROW_FLAGS) if flag in raised and flag in wanted)


def _people(frame: pl.DataFrame, contract: Contract) -> list[People]:
    """Of each row the people it has columns for: NIK beside name."""
    pairs = [(c.name, own) for c in contract.columns if c.kind == "nik" for own in (c.name[:-3] + "nama_lengkap", c.name[:-3] + "nama") if own in contract.names]
    columns = [(frame.get_column(nik).to_list(), frame.get_column(name).to_list()) for nik, name in pairs]
    return [tuple((niks[row], words(names[row])) for niks, names in columns if niks[row] and names[row]) for row in range(frame.height)]
