"""Numbers, dates and e-mail addresses in words, as they are told on the telephone: "nol delapan satu dua ...". Pure, linear.

Asked mostly beside a person: "satu dua tiga empat lima" may be a count as well. Sources of the words: Indonesian; Minang, Javanese, Sundanese and
Batak as spoken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.detection.births import MONTH_NAME, YOUNGEST
from broker.detection.plates import REGIONS
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGITS: Final = (
    "enol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "lapan", "delapan", "sembilan", "nol", "kosong", "duo", "tigo", "ampek", "limo", "anam", "tujuah",
    "salapan", "sambilan", "siji", "loro", "telu", "papat", "enem", "pitu", "wolu", "sanga", "sangang", "limang", "hiji", "tilu", "opat", "genep", "dalapan", "tolu", "onom", "ualu",
)  # fmt: skip
_TENS: Final = frozenset({"rolas", *(f"{digit}{ten}" for digit in ("", "se", "sa", *_DIGITS) for ten in ("puluh", "belas", "puluah", "baleh"))})
_WORDS: Final = frozenset(_DIGITS) | _TENS
# The alphabet of radio, and the letters' own names, which count only beside the words for a plate's number.
_RADIO: Final = (
    "alfa", "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo", "mike", "november", "oscar", "papa", "quebec",
    "romeo", "sierra", "tango", "uniform", "victor", "whiskey", "xray", "yankee", "zulu",
)  # fmt: skip
_LETTERS: Final = ("a", "be", "ce", "de", "e", "ef", "ge", "ha", "i", "je", "ka", "el", "em", "en", "o", "pe", "ki", "er", "es", "te", "u", "ve", "we", "ye", "zet")
SPOKEN_WORDS: Final = _WORDS | {"dot", "titik", "bravo", "alfa", "alpha", "keong"}
_DIGIT: Final = rf"(?:{'|'.join(_DIGITS)})"
_TEEN: Final = r"(?:bela[sh]|baleh)"
_TEN: Final = r"(?:pulu(?:h|ah))"
_NUMBER: Final = rf"(?:rolas|s[ea] ?(?:{_TEN}|{_TEEN})|{_DIGIT}(?:[ \-]?(?:{_TEN}|{_TEEN}|ribu))?)(?![a-z])"
_ANY: Final = re.compile(rf"(?<![a-z]){_NUMBER}")
_ITEM: Final = rf"(?:(?:(?:dobel|double) )?{_NUMBER}|\d{{1,6}}+(?![a-z\d]))"
_JOINT: Final = r"(?:[ ,.\-/\n]{1,5}(?:(?:(?:garis )?miring|strip|garis|dash|titik|koma|spasi|jeda|eee?|terus|trus|lalu|ak|ribu|ratus|kali)(?:, | )){0,2})"
_RUN: Final = re.compile(rf"(?<![a-z\d])(?:plus )?{_ITEM}(?:{_JOINT}{_ITEM})++")
_LETTER: Final = rf"(?:{'|'.join(_RADIO)}|{'|'.join(_LETTERS)}|[b-z])"
_PLATE: Final = re.compile(
    rf"(?<![a-z\d]){_LETTER}(?:[ -]{_LETTER})?[ ,-]{{1,2}}(?:(?:{_DIGIT}|\d{{1,4}})[ ,-]{{1,2}}){{1,7}}(?:(?:{'|'.join(_RADIO)})|{_LETTER}[ -]{_LETTER})(?:[ -]{_LETTER})?(?![a-z\d])"
    rf"|(?<![a-z\d])(?:{'|'.join(sorted(r for r in REGIONS if len(r) > 1))})[ ,-]{{1,2}}(?:{_DIGIT}[ ,-]{{1,2}}){{2,4}}[a-z]{{1,3}}(?![a-z\d])"
)
_PLATED: Final = ("plat", "nopol", "bravo", "alfa")
_VEHICLES: Final = ("motor", "mobil", "kendaraan")  # which are common: beside two words for digits only
_COUNTED: Final = re.compile(r" (?:seribu|ribu|ratus|juta|jt|rb|rupiah|persen|orang|org|kali|hari|bulan|tahun|jam)(?![a-z])")
# A number below a hundred in words; a year in words, whole or its last two digits.
_SMALL: Final = rf"(?:rolas|(?:{_DIGIT}|s[ea])[ \-]?(?:{_TEN}(?:[ \-]{_DIGIT})?|{_TEEN})|{_DIGIT})(?![a-z])"
_YEAR: Final = (
    rf"(?:seribu[ \-]sembilan[ \-]ratus(?:[ \-](?:{_DIGIT}[ \-]{_DIGIT}(?![a-z])|{_SMALL}))?|sembilan[ \-]?belas[ \-](?:{_DIGIT}[ \-]{_DIGIT}(?![a-z])|{_SMALL})|dua[ \-]ribu(?:[ \-](?:nol )?{_SMALL})?"
    rf"|{_DIGIT}[ \-]{_DIGIT}(?![a-z])|{_SMALL})(?![a-z])"
)
_AND: Final = r"[ ,.\-/]{1,3}"
_DATE: Final = re.compile(
    rf"(?<![a-z\d])(?:(?:(?:tanggal|tgl) )?(?:(?P<day>{_SMALL})|\d\d?){_AND}(?:(?:bulan )?{MONTH_NAME}|bulan (?P<moon>{_SMALL})){_AND}(?:tahun )?(?:(?P<year>{_YEAR})|['’]?(?P<digits>\d{{4}}|\d\d)(?!\d))"
    rf"|tahun (?P<alone>{_YEAR})(?:,? bulan (?:{_SMALL}|{MONTH_NAME}|\d\d?),? (?:tanggal|tgl) (?:{_SMALL}|\d\d?))?)(?! (?:ribu|ratus|juta|jt|orang|bulan|tahun|hari))"
)
_SIGNS: Final = ',.-/()"'
_BORN: Final = re.compile(r"(?:lahi[ra]|lhr|lair|ttl|ultah)(?:nya|nyo|an|ku|na|e)?(?![a-z])")
_BORN_REACH: Final = 24  # characters in which its date begins
_DICTATED: Final = 9  # digits of the shortest telephone number with its zero
_LONGEST_COUNT: Final = 12  # words of a number that nobody counts up to
_ZERO: Final = ("nol", "kosong", "plus")
# Years in words after 2011, and too few years to be one.
_LATE: Final = re.compile(r"dua ribu (?:[a-z]+ ?belas|(?:dua|tiga|empat) ?puluh)|(?:satu|dua|tiga) (?!ribu)|dua ?puluh|[a-z]+ ?belas$|[a-z]+$")
_MAIL: Final = re.compile(
    r"(?<![a-z\d])[a-z\d][a-z\d._\-]{0,40}+(?:[ ](?:dot|titik|underscore|garis bawah|strip|min) [a-z\d._\-]{1,40}(?: \d{1,4})?){0,5}"
    r" ?(?:@|et|at|ad|di|a? ?keong|\(at\)|\[at\]) ?[a-z\d\-]{2,40}(?: ?(?:\.|dot|titik) ?[a-z\d\-]{1,20}){0,3} (?:dot|titik) (?:com|co|id|org|net)(?![a-z])"
    r"|(?<![a-z\d])[a-z\d][a-z\d._\-]{0,40}+(?:[ ](?:dot|titik|underscore|garis bawah) [a-z\d._\-]{1,40}(?: \d{1,4})?){1,5} ?(?:@|et|at|ad|di) ?[a-z\d\-]{2,40}(?:\.[a-z\d\-]{2,20}){1,3}"
)


def find_spoken(low: str) -> Iterator[Finding]:
    """low: lower-cased; only of use where a word of `SPOKEN_WORDS` stands."""
    words = _number_words(low)
    if words > 1:
        for m in _RUN.finditer(low):
            if _long(m.group()) and (_told(m.group()) >= _DICTATED or not _counted(m)):
                yield Finding(m.start(), m.end(), "number", "shaped", "a number in words")
        for m in _DATE.finditer(low):
            if _of_birth(m):
                yield Finding(m.start(), m.end(), "birth_date", "shaped", "a date in words")
        yield from _births(low)
    if any(word in low for word in (_PLATED if words < 2 else _PLATED + _VEHICLES)):
        for m in _PLATE.finditer(low):
            if not _COUNTED.match(low, m.end()):
                yield Finding(m.start(), m.end(), "plate", "shaped", "a plate in words")
    if "dot" in low or "titik" in low:
        for m in _MAIL.finditer(low):
            yield Finding(m.start(), m.end(), "email", "shaped", "an address in words")


def find_dictated(low: str) -> Iterator[Finding]:
    """What is somebody's though no person is known beside it: a telephone number or a longer one told digit by digit, a date behind a word of birth.

    low: lower-cased; only of use where a word of `SPOKEN_WORDS` stands.
    """
    words = _number_words(low)
    for m in _RUN.finditer(low) if words * 2 >= _DICTATED else ():
        zero = m.group().startswith(_ZERO)
        if _told(m.group()) >= (_DICTATED if zero else _LONGEST_COUNT):
            yield Finding(m.start(), m.end(), "phone" if zero else "number", "plausible", "a number in words")
    if words > 1:
        yield from _births(low)


def _number_words(low: str) -> int:
    """How many words for numbers a text holds; a ten or a teen counts twice."""
    for sign in _SIGNS:  # one by one: a translation of the whole takes ten times as long
        low = low.replace(sign, " ")
    every = low.split()
    words = _WORDS.intersection(every)
    return sum(map(every.count, words)) + len(words & _TENS)


def _births(low: str) -> Iterator[Finding]:
    """Dates in words close behind a word of birth, the month by its number too: "lahir dua belas, enam, sembilan nol"."""
    for word in _BORN.finditer(low):
        date = _DATE.search(low, word.end(), word.end() + 120)
        if date is not None and date.start() <= word.end() + _BORN_REACH and (date["day"] or date["moon"] or date["year"] or date["alone"]):
            yield Finding(date.start(), date.end(), "birth_date", "plausible", "a date in words")
            continue
        run = _RUN.search(low, word.end(), word.end() + 120)
        if run is not None and run.start() <= word.end() + _BORN_REACH and _told(run.group()) >= 3 and not _counted(run):
            yield Finding(run.start(), run.end(), "birth_date", "shaped", "a date in words")


def _counted(run: re.Match[str]) -> bool:
    return run.group().endswith("ribu") or _COUNTED.match(run.string, run.end()) is not None


def _told(run: str) -> int:
    """How many digits its words tell, at least."""
    return len(_ANY.findall(run)) + run.count("dobel") + run.count("double")


def _long(run: str) -> bool:
    """Whether there are words for five digits, or for two beside enough digits."""
    words = _told(run)
    return words >= 5 or (words >= 2 and words + sum(map(str.isdigit, run)) >= 8)


def _of_birth(m: re.Match[str]) -> bool:
    """Whether a date with a part in words is old enough to be a grown person's birth."""
    words = m["year"] or m["alone"]
    if words is None:
        year = int(m["digits"])
        return bool(m["day"] or m["moon"]) and (year <= YOUNGEST if year > 99 else year > 30 or year <= YOUNGEST - 2000)
    return _LATE.match(words.replace("-", " ")) is None
