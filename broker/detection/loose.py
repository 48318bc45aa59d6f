"""What a text about a person holds beside what is known, and what is therefore taken for that person's, though nothing calls it so. Pure, linear."""

from __future__ import annotations

import re
from typing import Final

from broker.model import Finding

_MONTH: Final = r"(?i:jan|feb|peb|mar|apr|mei|jun|jul|agu|agt|ags|sep|okt|nov|nop|des)[a-z]{0,7}\.?"
# A date of birth of anybody over ten; a plate; eight digits or more with spaces, dots, dashes or slashes between them, or six after one or
# two letters, as on a passport or a card.
_LOOSE: Final = re.compile(
    r"(?<![\w./-])(?<!\d,)(?:"
    rf"(?P<birth_date>\d\d?(?:[ .\-/]{{1,2}}(?:\d\d?|{_MONTH})[ .\-/]{{1,2}}(?:19[3-9]\d|200\d|201[0-2])|[ .-]{_MONTH}[ '’.-]{{1,2}}(?:3[5-9]|[4-9]\d)))|"
    r"(?P<number>\d(?:[ .\-/]?\d){7,24}(?!\.\d)|[A-Z]{1,2}[ -]?\d{6,9})|"
    r"(?P<plate>(?:A[ABDEG]|B[ABDEGHKLMNP]|D[ABCDEGHKLMNRST]|E[ABD]|K[BHTU]|P[AB]|[ABDEFGHKLMNPRSTWZ])[ -]\d{2,4}[ -][A-Z]{1,3}|"
    r"(?:a[abdeg]|b[abdeghklmnp]|d[bcghklmnrst]|e[abd]|k[bhtu]|p[ab])[ -]\d{3,4}[ -][a-z]{1,3})"
    r")(?![\w/-]|,\d)"
)
_REASONS: Final = {"number": "long number beside a person", "birth_date": "date of a grown person's birth beside a person", "plate": "plate's form beside a person"}
# What is parted as a date, an amount, a year or a decree is no number of anybody.
_FORMATTED: Final = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}|\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,3}(?:\.\d{3})+|\d{4}\s?[-/]\s?\d{4}|(?:19|20)\d\d(?:[ /.-](?:19|20)\d\d)+")
_BEFORE: Final = 28  # characters in which a word explains a number
_WORD: Final = re.compile(r"[a-z]+")
_EXPLAINING: Final = frozenset(
    {
        "kontrak", "po", "faktur", "invoice", "inv", "surat", "sk", "kep", "nota", "agenda", "order", "pesanan", "tiket", "resi", "seri", "kode", "kbji", "kbli",
        "perkara", "register", "transaksi", "barang", "inventaris", "aset", "rp", "rupiah", "lowongan", "berkas", "dokumen", "versi", "jam", "pukul", "pkl", "nib",
    }
)  # fmt: skip


def loose(text: str, known: list[tuple[int, int]]) -> list[Finding]:
    """What beside a person is taken for that person's, though nothing calls it so: a long number, a date of birth's age, a plate."""
    found = []
    known.sort(reverse=True)
    reach = 0  # how far what is known and begins before a match's end goes
    for m in _LOOSE.finditer(text):
        start, end = m.span()
        kind = m.lastgroup or "number"
        while known and known[-1][0] < end:
            reach = max(reach, known.pop()[1])
        if reach >= end or (kind == "number" and _explained(text, start, m.group())):
            continue
        found.append(Finding(start, end, kind, "shaped", _REASONS[kind]))
    return found


def _explained(text: str, start: int, number: str) -> bool:
    """Whether a number is parted as a date or an amount, or one of the three words before it says what it is."""
    before = _WORD.findall(text[max(0, start - _BEFORE) : start].lower())[-3:]
    return not _EXPLAINING.isdisjoint(before) or _FORMATTED.fullmatch(number) is not None
