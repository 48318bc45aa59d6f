"""Numbers, dates and e-mail addresses in words, as they are told on the telephone: "nol delapan satu dua ...". Pure, linear.

Asked only beside a person: "satu dua tiga empat lima" may be a count as well. Sources of the words: Indonesian; Minang and Javanese as spoken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.detection.written import MONTH_NAME, YOUNGEST
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS: Final = (
    "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "lapan", "delapan", "sembilan", "nol", "kosong", "duo", "tigo", "ampek", "limo", "anam", "tujuah",
    "salapan", "siji", "loro", "telu", "papat", "enem", "pitu", "wolu", "sanga",
)  # fmt: skip
_TENS: Final = frozenset(f"{digit}{ten}" for digit in ("", "se", *_DIGITS) for ten in ("puluh", "belas"))
_WORDS: Final = frozenset(_DIGITS) | _TENS
# The alphabet of radio, and the letters' own names, which count only beside the words for a plate's number.
_RADIO: Final = (
    "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo", "mike", "november", "oscar", "papa", "quebec",
    "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee", "zulu",
)  # fmt: skip
_LETTERS: Final = ("a", "be", "ce", "de", "e", "ef", "ge", "ha", "i", "je", "ka", "el", "em", "en", "o", "pe", "ki", "er", "es", "te", "u", "ve", "we", "ye", "zet")
SPOKEN_WORDS: Final = _WORDS | {"dot", "titik", "bravo", "alfa", "alpha", "keong"}
_DIGIT: Final = rf"(?:{'|'.join(_DIGITS)})"
_ANY: Final = re.compile(rf"(?<![a-z])(?:{_DIGIT}|sepuluh|sebelas)(?: ?(?:belas|puluh))?(?![a-z])")
_ITEM: Final = rf"(?:(?:(?:dobel|double) )?(?:{_DIGIT}|sepuluh|sebelas)(?: ?(?:belas|puluh))?(?![a-z])|\d{{1,6}}+(?![a-z\d]))"
_JOINT: Final = r"(?:[ ,.\-/\n]{1,3}(?:(?:garis )?miring |strip |titik |eee? |(?:terus|lalu) )?)"
_RUN: Final = re.compile(rf"(?<![a-z\d]){_ITEM}(?:{_JOINT}{_ITEM})++(?:{_JOINT}ak (?:satu|1)(?![a-z]))?")
_LETTER: Final = rf"(?:{'|'.join(_RADIO)}|{'|'.join(_LETTERS)}|[b-z])"
_PLATE: Final = re.compile(
    rf"(?<![a-z\d]){_LETTER}(?:[ -]{_LETTER})?[ ,-]{{1,2}}(?:(?:{_DIGIT}|\d{{1,4}})[ ,-]{{1,2}}){{1,7}}(?:(?:{'|'.join(_RADIO)})|{_LETTER}[ -]{_LETTER})(?:[ -]{_LETTER})?(?![a-z\d])"
)
_VEHICLES: Final = ("plat", "nopol", "bravo", "alfa")
_COUNTED: Final = re.compile(r" (?:seribu|ribu|ratus|juta|jt|rb|rupiah|persen|orang|org|kali|hari|bulan|tahun|jam)(?![a-z])")
# A number below a hundred in words; a year in words, whole or its last two digits.
_SMALL: Final = rf"(?:(?:{_DIGIT}|se)[ ]?(?:puluh|belas)(?: {_DIGIT})?|{_DIGIT})(?![a-z])"
_YEAR: Final = rf"(?:seribu sembilan ratus(?: {_SMALL})?|sembilan ?belas (?:{_SMALL}|{_DIGIT} {_DIGIT})|dua ribu(?: {_SMALL})?|{_DIGIT} {_DIGIT}(?![a-z])|{_SMALL})(?![a-z])"
_DATE: Final = re.compile(
    rf"(?<![a-z\d])(?:(?:(?P<day>{_SMALL})|\d\d?),? (?:(?:bulan )?{MONTH_NAME}|bulan {_SMALL}),? (?:tahun )?(?:(?P<year>{_YEAR})|(?P<digits>\d{{4}}|\d\d)(?!\d))"
    rf"|tahun (?P<alone>{_YEAR})(?:,? bulan (?:{_SMALL}|{MONTH_NAME}|\d\d?),? (?:tanggal|tgl) (?:{_SMALL}|\d\d?))?)(?! (?:ribu|ratus|juta|jt|orang|bulan|tahun|hari))"
)
# Years in words after 2011, and too few years to be one.
_LATE: Final = re.compile(r"dua ribu (?:[a-z]+ ?belas|(?:dua|tiga|empat) ?puluh)|(?:satu|dua|tiga) (?!ribu)|dua ?puluh|[a-z]+ ?belas$|[a-z]+$")
_MAIL: Final = re.compile(
    r"(?<![a-z\d])[a-z\d][a-z\d._\-]{0,40}+(?:[ ](?:dot|titik|underscore|garis bawah|strip|min) [a-z\d._\-]{1,40}(?: \d{1,4})?){0,5}"
    r" ?(?:@|et|at|ad|di|a? ?keong|\(at\)|\[at\]) ?[a-z\d\-]{2,40}(?: ?(?:\.|dot|titik) ?[a-z\d\-]{1,20}){0,3} (?:dot|titik) (?:com|co|id|org|net)(?![a-z])"
    r"|(?<![a-z\d])[a-z\d][a-z\d._\-]{0,40}+(?:[ ](?:dot|titik|underscore|garis bawah) [a-z\d._\-]{1,40}(?: \d{1,4})?){1,5} ?(?:@|et|at|ad|di) ?[a-z\d\-]{2,40}(?:\.[a-z\d\-]{2,20}){1,3}"
)


def find_spoken(low: str) -> Iterator[Finding]:
    """low: lower-cased; only of use where a word of `SPOKEN_WORDS` stands."""
    every = low.replace(",", " ").replace(".", " ").replace("-", " ").split()
    words = _WORDS.intersection(every)
    if words and (len(words) > 1 or not _TENS.isdisjoint(words) or sum(map(every.count, words)) > 1):
        for m in _RUN.finditer(low):
            if _long(m.group()) and not _COUNTED.match(low, m.end()):
                yield Finding(m.start(), m.end(), "number", "shaped", "a number in words")
        for m in _DATE.finditer(low):
            if _of_birth(m):
                yield Finding(m.start(), m.end(), "birth_date", "shaped", "a date in words")
    if any(word in low for word in _VEHICLES):
        for m in _PLATE.finditer(low):
            if not _COUNTED.match(low, m.end()):
                yield Finding(m.start(), m.end(), "plate", "shaped", "a plate in words")
    if "dot" in low or "titik" in low:
        for m in _MAIL.finditer(low):
            yield Finding(m.start(), m.end(), "email", "shaped", "an address in words")


def _long(run: str) -> bool:
    """Whether there are words for five digits, or for two beside enough digits."""
    words = len(_ANY.findall(run))
    return words >= 5 or (words >= 2 and words + sum(map(str.isdigit, run)) >= 8)


def _of_birth(m: re.Match[str]) -> bool:
    """Whether a date with a part in words is old enough to be a grown person's birth."""
    words = m["year"] or m["alone"]
    if words is None:
        year = int(m["digits"])
        return m["day"] is not None and (year <= YOUNGEST if year > 99 else year > 30 or year <= YOUNGEST - 2000)
    return _LATE.match(words) is None
