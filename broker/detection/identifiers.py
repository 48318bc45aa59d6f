"""Identifiers in Indonesian text: NIK, KK, NPWP, phone, e-mail. Pure: a text in, findings out; no look-up leaves the machine.

A digit run is judged by structure (`valid` or `plausible`); a number that is labelled as an identifier is one even if mistyped
(`shaped`): label beats checksum. Offsets are in characters. Longest and most specific wins where findings overlap.
Sources: shapes and traps in docs/formats/contract.md (kinds); NPWP check digit: Luhn over the first 9 digits.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

# A run: digits with up to two separators between them, and letters that stand for a digit where a digit follows without a gap.
# `\d` covers every script's digits: full-width ones are folded before judging.
_RUN: Final = re.compile(r"\d(?:[\s().,\-–/]{0,2}\d|[OolI]+(?=\d))*")
_SHORTEST: Final = 9  # digits of the shortest identifier we know, a phone number
_LONGEST: Final = 25  # digits of the longest window judged as one number
_EMAIL: Final = re.compile(r"[^\s@,;:<>()\"'\[\]]{1,64}\s?(?:@|\[at\]|\(at\)|%40)\s?[^\s@,;:<>()\"'\[\]]{1,190}\.[A-Za-z]{2,24}", re.IGNORECASE)
_LABEL: Final = re.compile(r"(?<![A-Za-z])(nik|ktp|kk|kartu\s+keluarga|npwp|hp|wa|telp|telepon|whatsapp)(?:nya|ku|mu|lah)?\b[^\w]{0,4}(?:no(?:mor)?\.?)?[^\w]{0,4}$", re.IGNORECASE)
_LABELLED: Final = {"nik": "nik", "ktp": "nik", "kk": "kk", "npwp": "npwp", "hp": "phone", "wa": "phone", "telp": "phone", "telepon": "phone", "whatsapp": "phone"}
_LOOKALIKE: Final = str.maketrans("OolI", "0011")
_PROVINCES: Final = frozenset([*range(11, 22), *range(31, 37), *range(51, 54), *range(61, 66), *range(71, 77), *range(81, 83), *range(91, 98)])
_MOBILE: Final = re.compile(r"(?:0|62)8[1-9]\d{7,10}$")
_LANDLINE: Final = re.compile(r"(?:0|62)(?:2[1-9]|3[1-8]|4[0-9]|5[1-6]|6[1-5]|7[0-7]|9[0-9])\d{6,9}$")
_WINDOW: Final = 32  # characters before a number in which a label counts


def find(text: str) -> list[Finding]:
    """Every finding in `text`, in order, without overlaps."""
    found = sorted((*_emails(text), *_numbers(text)), key=lambda f: (f.start, f.start - f.end))
    kept: list[Finding] = []
    for finding in found:
        if not kept or finding.start >= kept[-1].end:
            kept.append(finding)
    return kept


def _emails(text: str) -> Iterator[Finding]:
    if "@" not in text and "at" not in text.lower() and "%40" not in text:
        return
    for m in _EMAIL.finditer(text):
        yield Finding(m.start(), m.end(), "email", "valid" if "@" in m.group() else "plausible", "address form")


def _numbers(text: str) -> Iterator[Finding]:
    for run in _RUN.finditer(text):
        at = [i for i in range(run.start(), run.end()) if text[i].isdigit() or text[i] in "OolI"]
        if len(at) < _SHORTEST:
            continue
        digits = "".join(str(int(c)) if c.isdigit() else c.translate(_LOOKALIKE) for c in map(text.__getitem__, at))
        label = _label_before(text, run.start())
        plus = "+" in text[max(0, run.start() - 2) : run.start()]
        taken: list[tuple[int, int]] = []
        for start, end in _windows(at):
            whole = (start, end) == (0, len(at))
            judged = judge(digits[start:end], plus=plus and start == 0, label=label if start == 0 else None, alone=whole)
            if judged and not any(start < e and s < end for s, e in taken):
                taken.append((start, end))
                yield Finding(at[start], at[end - 1] + 1, *judged)


def _label_before(text: str, start: int) -> str | None:
    found = _LABEL.search(text[max(0, start - _WINDOW) : start])
    return _LABELLED.get(found.group(1).lower().split()[0], "kk") if found else None


def _windows(at: list[int]) -> list[tuple[int, int]]:
    """The parts of a run that may be a number of their own, most telling first: all of it, any 16 digits in a row, whole groups.

    People write several numbers with only a space or a comma between them, or glue them together.
    """
    n = len(at)
    edges = [0, *(i for i in range(1, n) if at[i] != at[i - 1] + 1), n]
    groups = [(s, e) for i, s in enumerate(edges) for e in edges[i + 1 : i + 1 + _LONGEST] if _SHORTEST <= e - s <= _LONGEST]
    sixteen = [(s, s + 16) for s in range(n - 15)]
    return [(0, n), *sorted(sixteen, key=lambda w: (w not in groups, w[0])), *sorted(groups, key=lambda w: (w[0] - w[1], w[0]))]


def judge(digits: str, *, plus: bool = False, label: str | None = None, alone: bool = True) -> tuple[str, str, str] | None:
    """(kind, verdict, reason) of a run of ASCII digits, or None if nothing speaks for an identifier.

    alone: whether the digits are the whole run; a landline's shape is too weak to count inside another number.
    """
    if len(digits) == 16 and nik_shaped(digits):
        return (label, "plausible", "labelled, NIK structure") if label in ("kk", "npwp") else ("nik", "valid", "region, date and serial fit")
    if len(digits) == 15 and luhn(digits[:9]) and digits[:9] != "0" * 9:
        return "npwp", "valid", "check digit fits"
    if len(digits) == 16 and digits[0] == "0" and luhn(digits[1:10]) and digits[1:10] != "0" * 9:
        return "npwp", "valid", "check digit fits"
    number = digits.removeprefix("00")
    if _MOBILE.match(number) or (plus and number.startswith("62") and 9 <= len(number) <= 15):
        return "phone", "valid", "mobile prefix"
    if label and alone:
        return label, "shaped", "labelled"
    if alone and _LANDLINE.match(number):
        return "phone", "plausible", "area code"
    return None


def nik_shaped(digits: str) -> bool:
    """16 digits with a province of any edition, a calendar date (day + 40 for women) and a serial: 1 in about 40 random numbers."""
    day, month, year = int(digits[6:8]), int(digits[8:10]), int(digits[10:12])
    day -= 40 if day > 40 else 0
    if int(digits[:2]) not in _PROVINCES or digits[2:4] == "00" or digits[4:6] == "00" or digits[12:] == "0000":
        return False
    try:
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True


def luhn(digits: str) -> bool:
    total = 0
    for i, d in enumerate(map(int, reversed(digits))):
        total += d if i % 2 == 0 else d * 2 - 9 * (d > 4)
    return total % 10 == 0
