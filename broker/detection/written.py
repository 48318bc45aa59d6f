"""E-mail addresses, plates, birth dates and AK-1 numbers in a folded text, lower-cased or as written. Pure, linear.

Each is looked for from the one sign it cannot do without (`@`, a digit before capitals, "lahir", "ak"), never from every character.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.detection.structures import day_exists
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE: Final = r"[ \t\n\r\x7f]"
# misplaced.py's prefilter has the same signs.
_AT: Final = re.compile(rf"@+|%40|[\[({{<#] ?at ?[\])}}>#]|{_SPACE}[ae]t(?={_SPACE})")
_AT_SIGN: Final = re.compile("@+")
_DOMAIN: Final = re.compile(
    r"[ \n]?([\w-]{1,63}(?:(?: ?(?:\.|[\[({<] ?(?:dot|titik|\.) ?[\])}>]) ?| (?:dot|titik|d0t) |,(?=(?:com|co|id|org|net|go)\b)| (?=(?:com|co|org|net)\b))[\w-]{1,63}){1,6})"
)
_LOCAL_BACK: Final = re.compile(r" ?[\n]?((?:[\w+%'-]|(?:\.|\]tod\[|\)tod\(| (?:tod|kitit) (?=\w))(?=[\w+%'-])){1,64})")
_TLD: Final = re.compile(r"[^\W\d_]{2,24}$")
_SPACED: Final = re.compile(r"(?<![\])}>])\. (?=\w)|(?<=\w) \.")
_DOTTED: Final = re.compile(r"[.,]|dot|titik|d0t| (?:com|co|org|net)\b")
_LETTERS: Final = re.compile(r"[^\W\d_]{2,24}")
_TRAILING: Final = re.compile(r"[\s.\])}>({\[<,]*(?:dot|titik)?[\s.]*$")
_PROVIDERS: Final = re.compile(r" ?(?:gmail|yahoo|ymail|hotmail|outlook|icloud|rocketmail)(?![\w.-])")

PLATE_WORDS: Final = frozenset(
    f"{word}{clitic}"
    for word in ("plat", "plate", "nopol", "tnkb", "motor", "sepedamotor", "mobil", "kendaraan", "bpkb", "stnk", "nomorpolisi", "polisi", "truk", "truck", "pickup", "mopen", "angkot", "roda", "avanza", "beat", "vario", "supra")
    for clitic in ("", "nya")
)
REGIONS: Final = frozenset(
    ["a", "aa", "ab", "ad", "ae", "ag", "b", "ba", "bb", "bd", "be", "bg", "bh", "bk", "bl", "bm", "bn", "bp", "d", "da", "db", "dc", "dd", "de", "dg", "dh", "dk", "dl", "dm", "dn", "dp", "dr", "ds", "dt", "dw", "e", "ea", "eb", "ed", "f", "g", "h", "k", "kb", "kh", "kt", "ku", "l", "m", "n", "p", "pa", "pb", "pg", "ps", "py", "r", "s", "t", "w", "z"]
)
_PLATE_TAIL: Final = re.compile(r"[0-9] ([A-Z]{1,3})(?![A-Za-z\d])")
_PLATE_HEAD: Final = re.compile(r"(?<![A-Za-z\d.,/-])([A-Z]{1,2}) (\d{2,4})$")
_LOOSE_TAIL: Final = re.compile(r"\d[ .\-]?([a-z]{1,3})(?![a-z\d])")
_LOOSE_HEAD: Final = re.compile(r"(?<![a-z\d])([a-z]{1,2})[ .\-]?(\d{1,4})$")
# Behind a word for the plate itself the letters are a region's whatever follows them, and the series may be missing.
_PLATE_NAMED: Final = re.compile(
    r"(?:plat|nopol|polisi|tnkb)(?:nya)?[ :=.(]{1,3}(?:(?:no|nomor|nmr|mobil|motor|kendaraan|truk)(?:nya)?[ .:]{1,2}){0,2}"
    r"([a-z](?: ?[a-z])?)[ .\-]?(\d{1,4}(?!\d))(?:[ .\-]?([a-z](?: ?[a-z]){0,2})(?![a-z\d]))?"
)
_NO_WORD: Final = frozenset(["di", "ke", "dan", "th", "thn", "org", "jam", "kg", "km", "rp", "pt", "cv", "ud", "kk", "rt", "rw", "no", "yg", "per", "tgl"])
NO_SUFFIX: Final = frozenset(["di", "ke", "dan", "th", "thn", "org", "jam", "kg", "km", "rp", "pt", "cv", "kk", "rt", "rw", "no", "hr", "ha", "bln", "pcs", "cm", "mm", "gr", "kw", "dr", "dg", "yg", "ada", "per", "sd", "tgl", "jt", "rb", "kali", "kel", "kec", "wib", "m", "x", "s"])

_MONTHS: Final = {
    "jan": 1, "peb": 2, "feb": 2, "mar": 3, "mrt": 3, "apr": 4, "mei": 5, "may": 5, "jun": 6, "jul": 7, "agu": 8, "agt": 8, "ags": 8, "aug": 8, "sep": 9, "spt": 9,
    "okt": 10, "oct": 10, "nov": 11, "nop": 11, "des": 12, "dec": 12,
}  # fmt: skip
MONTH_NAME: Final = (
    r"(?:jan(?:uari)?|[fp]eb(?:ruari|r)?|mar(?:et)?|mrt|apr(?:il)?|mei|may|jun[ie]?|jul[iy]?|ag(?:ustus|ust|us|st|t|s|u)|aug(?:ust)?|sep(?:tember|t)?|spt"
    r"|o[kc]t(?:ober)?|no[vp](?:ember)?|de[sc](?:ember)?)"
)
_ROMAN: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10, "xi": 11, "xii": 12}
# o, l and i are digits where a typist or a scan put them.
_DAY: Final = r"(?:(?:[0-3]|(?<![a-z])[oli])?\d|[0-3][oli])"
_YEAR: Final = r"((?:[1li]9|2[0o])[\doli]{2}(?![a-z])|['’`]?\d\d)"
_DATE: Final = re.compile(
    rf"(?<!\d)(?=[\doli])(?:({_DAY})(?: ?[-/. ] ?| (?:bulan|bln) )([01o]?[\doli])(?: ?[-/. ] ?| (?:tahun|thn|th) ){_YEAR}"
    rf"|({_DAY})[ \-/.,]{{0,2}}(?:(?:bulan|bln) )?({MONTH_NAME}|(?<=[\-/.])(?:i[xv]|v?i{{1,3}}|v|xi{{0,2}})(?=[\-/.]))[ \-/.,]{{0,2}}(?:(?:tahun|thn|th)[. ]{{1,2}})?{_YEAR}"
    rf"|((?:19|20)\d\d)(?:[-/.]([01]\d)[-/.]|[ ,\-/.]{{1,2}}({MONTH_NAME})[ ,\-/.]{{1,2}})([0-3]?\d)|([0-3]\d)([01]\d)((?:19|20)\d\d)|(19[3-9]\d|200\d)([01]\d)([0-3]\d))(?!\d)"
)
OLDEST: Final = 1930
YOUNGEST: Final = 2011
"""Years of birth of those whom a note on work speaks of: what is dated later is more likely a letter's or an event's."""
# What was put right: an old date behind these is somebody's birth, whatever the sentence leaves out.
_CORRECTING: Final = ("tertulis", "dibetulkan", "diperbaiki", "diralat", "mestinya", "harusnya", "benar")
BIRTH_WORDS: Final = frozenset(
    f"{word}{clitic}"
    for word in ("lahir", "laihr", "lahri", "lahr", "lhair", "alhir", "lair", "ttl", "kelahiran", "lhr", "dilahirkan", "tgllahir", "tgllhr", "ultah", "lahia", "dob", "born", "birth")
    for clitic in ("", "nya", "ku", "mu")
) | {"t", "tempat", "seharusnya", *_CORRECTING}
# Every branch begins with a letter of its own: the search leaps over all others.
_BIRTH: Final = re.compile(
    r"la(?:hi[ra]|ihr|hri|hr|ir)|lhair|alhir|ttl|t\.t\.l|lhr|ultah|tempat[ ,/&.]{1,3}(?:dan )?(?:tgl|tanggal)|dob(?<![a-z]dob)(?![a-z])|b(?<![a-z]b)(?:orn|irth)(?![a-z])"
)
_CORRECTED: Final = re.compile(rf"(?:{'|'.join(_CORRECTING)})[a-z .:=\"'“]{{1,20}}(?=\d)")
_BIRTH_REACH: Final = 72
_NO_BIRTH: Final = re.compile(r"\b(?:daftar|terdaftar|masuk|tmt|surat|lapor|sk|phk|kontrak|mulai|kerja|bekerja|akta|cuti|berlaku|terbit|dicatat|diterima|hpl|per)\b")
_WEEKDAY: Final = re.compile(r"(?<![a-z])(?:senin|selasa|rabu|kamis|jum'?at|sabtu|minggu|ahad)(?: (?:legi|pahing|paing|pon|wage|kliwon))?,? (?:tgl\.? |tanggal )?\Z")
_BORN_AFTER: Final = re.compile(r"[ ,(\[]{1,3}(?:adalah |itu |= ?|sbg |sebagai )?(?:tgl\.? |tanggal )?(?:lahir|ttl|lhr|kelahiran)(?![a-z])")

AK1_WORDS: Final = frozenset(["ak", "aki", "akl", "kuning", "kuningnya", "pencari", "pk", "penta"])
_AK1: Final = re.compile(r"[ak](?<![a-z\d].)(?:(?<=a)k[ .\-/]{0,2}[1il](?:nya)?|(?<=k)artu (?:kuning(?:nya)?|pencari kerja|tanda pendaftaran))(?![a-z\d])")
_AK1_VALUE: Final = r"((?:ak ?[1il][./-])?(?:[a-z]{1,8}[./-]){0,2}\d[a-z\d]{0,24}(?:[./\-][a-z\d]{1,20}){0,7}(?: \d{2,16}(?![a-z\d])){0,5})"
_AK1_NUMBER: Final = re.compile(
    r"[\s:=.,()#\-]{0,5}(?:(?:no|nomor|nmr|nomer|adalah|dengan|dgn|nya|ybs|reg|registrasi|pendaftaran|pencaker|seri|dg|tertulis|bernomor|lama|baru)\b[\s:=.#]{0,3}){0,4}" + _AK1_VALUE
)
_AK1_LATER: Final = re.compile(r"[^;\d\n]{1,60}?(?<![a-z])(?:no|nomor|nmr)\b[ .:#=]{0,4}(?=[\w/.-]{8})" + _AK1_VALUE)
_AK1_FORM: Final = re.compile(
    r"[0-9](?<![\w./-].)(?:[0-9]{1,5}+[/.-][0-9]{1,6}+/ak[-. ]?[1il](?:/[\w.-]{1,20}){0,3}|[0-9]{1,5}+/ak[-. ]?[1il](?:/[\w.-]{1,20}){1,3}"
    r"|[0-9]{3,5}+/pk/[01]?[0-9]/(?:20)?[0-9]{2}(?![0-9])|[0-9]{0,4}+[/.-][0-9]{1,6}+/penta/[0-9]{4,6}/(?:20)?[0-9]{2}(?![0-9]))"
)
# In a text that speaks of the card: a district's code, a serial, month and year.
_AK1_DISTRICT: Final = re.compile(r"[0-9](?<![\w./-].)(?<=[1-9])[0-9]{3}([/.-])[0-9]{3,6}\1(?:[ivx]{1,4}|[01]?[0-9])\1(?:20)?[0-9]{2}(?![0-9])")


def find_emails(low: str, *, spelled: bool) -> Iterator[Finding]:
    """spelled: whether the sign may be written otherwise than "@"."""
    for m in (_AT if spelled else _AT_SIGN).finditer(low):
        domain = _DOMAIN.match(low, m.end())
        words = m.group().strip() in ("at", "et")
        end = _domain_end(low, domain) if domain else 0
        if not end:
            provider = _PROVIDERS.match(low, m.end())
            end = provider.end() if provider else 0
        if not end or (words and domain is not None and (domain.group(1).count(" ") > 8 or (m.group().strip() == "et" and ". " in domain.group(1)))):
            continue
        local = _LOCAL_BACK.match(low[max(0, m.start() - 68) : m.start()][::-1])
        if local:
            yield Finding(m.start() - local.end(1), end, "email", "valid" if m.group() in ("@", "@@") else "plausible", "address form")


def _domain_end(low: str, domain: re.Match[str]) -> int:
    """Where the domain ends: at the last part that can be a top-level domain, at most one word after a dot with a space."""
    start, end = domain.span(1)
    text = low[start:end]
    spaced = _SPACED.search(text)  # "a@b.com. Besok": a sentence's end, not another part
    if spaced and "." in text[: spaced.start()]:
        text = text[: spaced.start()]
    while text:
        if _TLD.search(text) and _DOTTED.search(text):
            return start + len(text)
        cut = max(text.rfind(sign) for sign in (".", " ", ",", "]", ")"))
        tail = _LETTERS.match(text, cut + 1)
        if cut > 0 and tail and "." in text[: cut + 1]:  # "b.com_x": the letters are the domain
            return start + tail.end()
        text = _TRAILING.sub("", text[:cut]) if cut > 0 else ""
    return 0


def find_plates(text: str, low: str, *, context: bool) -> Iterator[Finding]:
    """text: as written, folded. context: whether a word of `PLATE_WORDS` stands in the text."""
    for m in _PLATE_TAIL.finditer(text):
        head = _PLATE_HEAD.search(text[max(0, m.start() - 7) : m.start() + 1])
        if head and head.group(1).lower() in REGIONS and _strict(head.group(1), head.group(2), m.group(1)):
            yield Finding(m.start() + 1 - len(head.group()), m.end(1), "plate", "plausible", "region letters, number, series")
    if not context:
        return
    for m in _LOOSE_TAIL.finditer(low):
        head = _LOOSE_HEAD.search(low, max(0, m.start() - 7), m.start() + 1)
        if head and head.group(1) in REGIONS and len(head.group(2)) > 1 and (m.group(1) not in _NO_WORD or sure_plate(head.group(1), head.group(2))) and PLATE_WORDS & set(_words(low[max(0, head.start() - 48) : m.end() + 16])):
            yield Finding(head.start(), m.end(), "plate", "plausible", "region letters beside a vehicle")
    for m in _PLATE_NAMED.finditer(low):
        if m.group(1).replace(" ", "") in REGIONS and len(m.group(2)) > 2:
            yield Finding(m.start(1), m.end(), "plate", "plausible", "region letters behind the word for a plate")


def _strict(region: str, number: str, series: str) -> bool:
    if number[0] == "0" or series.lower() in (_NO_WORD if len(region) == 2 and len(number) == 4 else NO_SUFFIX):
        return False
    return len(number) > 2 and not (len(region) == 1 and len(series) == 1) and not (region == "S" and len(number) < 3)


def sure_plate(region: str, number: str) -> bool:
    """Whether two letters of a region and four digits, no year, are a plate's though a short word follows: "BB 9424 KM"."""
    return len(region) == 2 and len(number) == 4 and not number.startswith(("19", "20", "0"))


def _words(part: str) -> list[str]:
    return re.findall(r"[a-z]+", part)


def find_births(low: str) -> Iterator[Finding]:
    """Dates that a word of birth stands before, or right after."""
    until = 0
    for word in _BIRTH.finditer(low):
        start, end = word.span()
        if end <= until:
            continue
        date = _DATE.search(low, end, end + _BIRTH_REACH)
        if date and not _NO_BIRTH.search(low, end, date.start()):
            yield _birth(date)
            until = date.end()
            continue
        for date in _DATE.finditer(low, max(until, start - 32), start):
            if _BORN_AFTER.match(low, date.end()):
                yield _birth(date)
    if not any(word in low for word in _CORRECTING):
        return
    for said in _CORRECTED.finditer(low, until):
        corrected = _DATE.match(low, said.end())
        if corrected and OLDEST <= _day_month_year(corrected)[2] <= YOUNGEST:
            yield _birth(corrected)


def _birth(date: re.Match[str]) -> Finding:
    verdict = "valid" if day_exists(*_day_month_year(date)) else "shaped"
    start = date.start()
    if weekday := _WEEKDAY.search(date.string, max(0, start - 18), start):
        start = weekday.start()
    elif " b" in date.group() and date.string.endswith("tanggal ", 0, start):  # "tanggal 12 bulan 5 tahun 90"
        start -= len("tanggal ")
    return Finding(start, date.end(), "birth_date", verdict, "a date beside a word of birth or in a person's row")


def _digits(text: str) -> str:
    return text.replace("o", "0").replace("l", "1").replace("i", "1")


def find_ak1(low: str) -> Iterator[Finding]:
    named = False
    for m in _AK1.finditer(low):
        named = True
        number = _AK1_NUMBER.match(low, m.end()) or _AK1_LATER.match(low, m.end(), m.end() + 90)
        if number is None:
            continue
        value = number.group(1)
        digits = sum(map(str.isdigit, value.removeprefix("ak1")))
        if digits < 4 or _DATE.fullmatch(value) or re.fullmatch(r"(?:19|20)\d\d", value):
            continue
        start = number.start(1) if number.start(1) > m.end() + 1 or low[m.end()] not in "-/." else m.start()
        yield Finding(start, number.end(1), "ak1", "plausible" if digits >= 8 else "shaped", f"labelled, {digits} digits")
    for m in _AK1_FORM.finditer(low):
        yield Finding(m.start(), m.end(), "ak1", "plausible", "form of an AK-1 number")
    if named:
        for m in _AK1_DISTRICT.finditer(low):
            yield Finding(m.start(), m.end(), "ak1", "shaped", "form of an AK-1 number in a text on the card")


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
        date = _DATE.match(low, start)
        if date and start >= until:
            until = date.end()
            dates.append(date)
    return dates


def _nik_date(value: str) -> tuple[int, int, int]:
    digits = [c for c in _digits(value) if c.isdigit()]
    if len(digits) != 16:
        return 0, 0, 0
    day = int("".join(digits[6:8]))
    return day - 40 if day > 40 else day, int("".join(digits[8:10])), int("".join(digits[10:12]))


def _day_month_year(date: re.Match[str]) -> tuple[int, int, int]:
    d1, m1, y1, d2, name2, y2, y3, m3, name3, d3, d4, m4, y4, y5, m5, d5 = date.groups()
    name = name2 or name3
    month = _ROMAN.get(name) or _MONTHS[name[:3]] if name else int(_digits(m1 or m3 or m4 or m5))
    year = int(_digits((y1 or y2 or y3 or y4 or y5).strip("'’`")))
    return int(_digits(d1 or d2 or d3 or d4 or d5)), month, year if year > 99 else 2000 + year if year <= 30 else 1900 + year


def date_at(low: str, start: int) -> tuple[int, tuple[int, int, int]] | None:
    """The date that begins at `start` of a lower-cased text: its end; day, month and year as written, of no calendar perhaps."""
    date = _DATE.match(low, start)
    return (date.end(), _day_month_year(date)) if date else None
