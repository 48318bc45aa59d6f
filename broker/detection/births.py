"""Birth dates in a folded, lower-cased text: behind a word of birth, or in a person's row. Pure, linear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.detection.structures import day_exists
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTH_NAME: Final = (
    r"(?:jan(?:uari)?|[fp]eb(?:ruari|r)?|mar(?:et)?|mrt|apr(?:il)?|mei|may|jun[ie]?|jul[iy]?|ag(?:ustus|ust|us|st|t|s|u)|aug(?:ust)?|sep(?:tember|t)?|spt"
    r"|o[kc]t(?:ober)?|no[vp](?:ember)?|de[sc](?:ember)?)"
)
_ROMAN: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10, "xi": 11, "xii": 12}
# As above, with the slips of a hand: setember, oktobr, agustsu, febuari.
_MONTH: Final = (
    r"(?:ja?n[aur]{0,5}[iy]?|(?:[fp]eb|[fp]be)[erua]{0,5}[iy]?|m(?:ar|aar|ra)[et]{0,3}|march|mrt|a(?:pr|rp)[il]{0,4}|me[iy]|mai|may|ju[nl][eiy]{0,2}|a(?:g[ust]{1,8}|ug[ust]{0,5})"
    r"|se(?:p[etm]{0,6}(?:be?re?)?|te?mber)|spt|o(?:[kc]to?|tk|kto)[ober]{0,4}|okober|no[vpf][ember]{0,7}|de[sc][ember]{0,7})"
)
_DAY: Final = r"[0-3]?\d"
_YEAR: Final = r"((?:19|20)\d\d(?![a-z])|['’`]?\d\d)"
_YEAR_WORD: Final = r"(?:tahun|taun|taon|thn|th)"
_PARTED: Final = r" ?[-/.] ?"
DATE: Final = re.compile(
    rf"(?<!\d)(?=\d)(?:({_DAY})(?:{_PARTED}| |,? (?:bulan|bln|bl)[. ]{{1,2}})([0-3]?\d)(?:{_PARTED}| |,? {_YEAR_WORD}[. ]{{1,2}}){_YEAR}"
    rf"|({_DAY})(?:st|nd|rd|th)?[ \-/.,]{{0,3}}(?:(?:bulan|bln|bl)[. ]{{1,2}})?({_MONTH}|(?<=[\-/. ])(?:i[xv]|v?i{{1,3}}|v|xi{{1,2}}|(?<![ ])x)(?=[\-/. ]))[ \-/.,]{{0,3}}(?:{_YEAR_WORD}[. ]{{1,2}})?{_YEAR}"
    rf"|((?:19|20)\d\d)(?:{_PARTED}([01]?\d){_PARTED}|[ ,\-/.]{{1,2}}({_MONTH})[ ,\-/.]{{1,2}})([0-3]?\d)|([0-3]\d)([01]\d)((?:19|20)\d\d)|(19[3-9]\d|200\d)([01]\d)([0-3]\d))(?!\d)"
)
# Behind a word of birth only: the month or the year first, and digits apart.
_DATE_TURNED: Final = re.compile(
    rf"(?<![a-z\d])(?:{_MONTH}[ .,]{{1,2}}\d\d?(?:st|nd|rd|th)?[ ,]{{1,2}}(?:{_YEAR_WORD} )?(?:(?:19|20)\d\d|['’`]\d\d)"
    rf"|(?:{_YEAR_WORD}[. ]{{1,2}})?(?:19|20)\d\d,? (?:(?:bulan|bln|bl)[. ]{{1,2}}(?:\d\d?|{_MONTH}),? (?:tanggal|tgl)[. ]{{1,2}}\d\d?|(?:(?:tanggal|tgl)[. ]{{1,2}})?\d\d? {_MONTH})"
    rf"|\d ?\d?(?: ?[-/.,|\\_] ?| )(?:\d ?\d?|{_MONTH})(?: ?[-/.,|\\_] ?| )(?:1 ?9|2 ?0) ?\d ?\d)(?![a-z\d])"
)
OLDEST: Final = 1930
YOUNGEST: Final = 2011
"""Years of birth of those whom a note on work speaks of: what is dated later is more likely a letter's or an event's."""
# What was put right: an old date behind these is somebody's birth, whatever the sentence leaves out.
_CORRECTING: Final = ("tertulis", "dibetulkan", "diperbaiki", "diralat", "mestinya", "harusnya", "benar")
_BORN: Final = ("lahir", "kelahiran", "dilahirkan")


def _slips(word: str) -> set[str]:
    """A word with two letters turned, one left out or one twice."""
    turned = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
    return {word, *turned, *(word[:i] + word[i + 1 :] for i in range(len(word))), *(word[: i + 1] + word[i:] for i in range(len(word)))}


BIRTH_WORDS: Final = frozenset(
    f"{word}{clitic}"
    for word in ("ttl", "lhr", "tgllahir", "tanggallahir", "tgllhr", "ultah", "lahia", "dob", "born", "birth", "birthday", "bday", *(slip for born in _BORN for slip in _slips(born)))
    for clitic in ("", "nya", "nyo", "ku", "mu", "na", "e", "an")
) | {"t", "tempat", "seharusnya", "ulang", "hut", "tubu", "medal", "miyos", "wedal", "wedalan", "gubrag", "brojol", "babar", *_CORRECTING}
# Every branch begins with a letter of its own: the search leaps over all others.
_BIRTH: Final = re.compile(
    r"la{1,2}(?:h{1,2}i{1,2}[ra]|ihr|hri|hr|ir)|lh(?:ai)?r|lhir|alhir|ttl|t\.t\.l|ultah|tempat[ ,/&.]{1,3}(?:dan )?(?:tgl|tanggal)|dob(?<![a-z]dob)(?![a-z])|b(?<![a-z]b)(?:orn|irth|day(?![a-z]))"
)
# Words of birth in the tongues of the land and of its feasts, which have other senses: only an old date close behind them counts.
_STEMS: Final = ("ulang t", "hut", "tubu", "medal", "miyos", "wedal", "gubrag", "brojol", "babar")
_BIRTH_TOO: Final = re.compile(rf"(?<![a-z])(?:ulang tahun|{'|'.join(_STEMS[1:])})(?:nya|nyo|ku|na|an)?(?![a-z])")
_CORRECTED: Final = re.compile(rf"(?:{'|'.join(_CORRECTING)})[a-z .:=\"'“]{{1,20}}(?=\d)")
_BIRTH_REACH: Final = 72
_NO_BIRTH: Final = re.compile(r"\b(?:daftar|terdaftar|masuk|tmt|surat|lapor|sk|phk|kontrak|mulai|kerja|bekerja|akta|cuti|berlaku|terbit|dicatat|diterima|hpl|per|rapat)\b")
_FOUNDED: Final = re.compile(r"\b(?:perusahaan|kota|kabupaten|kantor|instansi|organisasi|serikat|pt|cv|ri|emas)\b")
_SENTENCE: Final = re.compile(r"[a-z]{5}[.?!][ \n]")
_WEEKDAY: Final = re.compile(r"(?<![a-z])(?:senin|selasa|rabu|kamis|jum'?at|sabtu|minggu|ahad)(?: (?:legi|pahing|paing|pon|wage|kliwon))?,? (?:tgl\.? |tanggal )?\Z")
_IN_FULL: Final = re.compile(r"[ .](?:b|t[ah])")
_DATED_BY: Final = re.compile(r"(?<=[ ,:/])(?:tanggal |tgl[. ]{1,2})\Z")
_BORN_AFTER: Final = re.compile(r"[ ,(\[]{1,3}(?:adalah |itu |= ?|sbg |sebagai )?(?:tgl\.? |tanggal )?(?:lahir|ttl|lhr|kelahiran)(?![a-z])")


def find_births(low: str) -> Iterator[Finding]:
    """Dates that a word of birth stands before, or right after."""
    until = 0
    for word in _BIRTH.finditer(low):
        start, end = word.span()
        if end <= until:
            continue
        date = DATE.search(low, end, end + _BIRTH_REACH)
        if date and not _NO_BIRTH.search(low, end, date.start()):
            if not (_day_month_year(date)[2] > YOUNGEST and _SENTENCE.search(low, end, date.start())):
                yield _birth(date)
            until = date.end()
            continue
        if date is None and (turned := _DATE_TURNED.search(low, end, end + _BIRTH_REACH // 2)):
            yield Finding(turned.start(), turned.end(), "birth_date", "plausible", "a date beside a word of birth or in a person's row")
            until = turned.end()
            continue
        for date in DATE.finditer(low, max(until, start - 32), start):
            if _BORN_AFTER.match(low, date.end()):
                yield _birth(date)
    for word in _BIRTH_TOO.finditer(low) if any(stem in low for stem in _STEMS) else ():
        date = DATE.search(low, word.end(), word.end() + _BIRTH_REACH // 2)
        if date and OLDEST <= _day_month_year(date)[2] <= YOUNGEST and not _FOUNDED.search(low, word.end(), date.start()) and not _NO_BIRTH.search(low, word.end(), date.start()):
            yield _birth(date)
    if not any(word in low for word in _CORRECTING):
        return
    for said in _CORRECTED.finditer(low, until):
        corrected = DATE.match(low, said.end())
        if corrected and OLDEST <= _day_month_year(corrected)[2] <= YOUNGEST:
            yield _birth(corrected)


def _birth(date: re.Match[str]) -> Finding:
    verdict = "valid" if day_exists(*_day_month_year(date)) else "shaped"
    start = date.start()
    if weekday := _WEEKDAY.search(date.string, max(0, start - 18), start):
        start = weekday.start()
    elif _IN_FULL.search(date.group()) and (said := _DATED_BY.search(date.string, max(0, start - 9), start)):  # "tanggal 12 bulan 5 tahun 90"
        start = said.start()
    return Finding(start, date.end(), "birth_date", verdict, "a date beside a word of birth or in a person's row")


_DATED: Final = re.compile(r"[0-9][-/. ,](?:(?<![ ,])[0-9]{1,2}[-/.]|[-/. ,]?[jfpmasond][a-z]{2,8}[-/. ,]{1,2})'?\d")
_PERSONS: Final = frozenset({"nik", "phone", "email", "bpjs", "kpj", "account", "address"})
_ROW_SIGNS: Final = (",", ";", "/", "|", "\t", "\n")
_ROW_PLACE: Final = re.compile(r"(?:^|[,;|\t\n]) ?(?:[a-z.']+ ?){1,3}[,/ ] ?$")
_ROW_END: Final = re.compile(r" ?(?:[,;/|\t\n]|$)")


def find_row_births(low: str, others: list[Finding]) -> Iterator[Finding]:
    """Dates without a word of birth: one that a NIK beside it repeats, or a field of its own in a row with a person's number.

    Of the latter only those of a grown person.
    """
    persons = [f for f in others if f.kind in _PERSONS]
    if not persons:
        return
    dates = _dates(low)
    born = {_nik_date(low[f.start : f.end]) for f in persons if f.kind == "nik"} if dates else set()
    for date in dates:
        day, month, year = _day_month_year(date)
        if (day, month, year % 100) in born:
            yield _birth(date)
        elif OLDEST <= year <= YOUNGEST and _ROW_END.match(low, date.end()):
            head = low[max(0, date.start() - 40) : date.start()]
            if head.removesuffix(" ").endswith(_ROW_SIGNS) or _ROW_PLACE.search(head):
                yield _birth(date)


def _dates(low: str) -> list[re.Match[str]]:
    dates: list[re.Match[str]] = []
    until = 0
    for sign in _DATED.finditer(low):
        start = sign.start()
        while start > until and sign.start() - start < 3 and low[start - 1].isdigit():
            start -= 1
        date = DATE.match(low, start)
        if date and start >= until:
            until = date.end()
            dates.append(date)
    return dates


def _nik_date(value: str) -> tuple[int, int, int]:
    digits = [c for c in value if c.isdigit()]
    if len(digits) != 16:
        return 0, 0, 0
    day = int("".join(digits[6:8]))
    return day - 40 if day > 40 else day, int("".join(digits[8:10])), int("".join(digits[10:12]))


def _day_month_year(date: re.Match[str]) -> tuple[int, int, int]:
    d1, m1, y1, d2, name2, y2, y3, m3, name3, d3, d4, m4, y4, y5, m5, d5 = date.groups()
    name = name2 or name3
    month = _ROMAN.get(name) or _month(name) if name else int(m1 or m3 or m4 or m5)
    year = int((y1 or y2 or y3 or y4 or y5).strip("'’`"))
    day = int(d1 or d2 or d3 or d4 or d5)
    if month > 12 >= day:  # the month first, as in America
        day, month = month, day
    return day, month, year if year > 99 else 2000 + year if year <= 30 else 1900 + year


def _month(name: str) -> int:
    """The month that a name of `_MONTH` means: a letter or two tell, however it is spelt."""
    match name[0]:
        case "j":
            return 7 if "l" in name else 1 if "a" in name or name[1] == "n" else 6
        case "m":
            return 3 if "r" in name else 5
        case "a":
            return 4 if "p" in name else 8
        case first:
            return {"f": 2, "p": 2, "s": 9, "o": 10, "n": 11, "d": 12}[first]


def date_at(low: str, start: int) -> tuple[int, tuple[int, int, int]] | None:
    """The date that begins at `start` of a lower-cased text: its end; day, month and year as written, of no calendar perhaps."""
    date = DATE.match(low, start)
    return (date.end(), _day_month_year(date)) if date else None
