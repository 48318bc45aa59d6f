"""AK-1 numbers, of the card of those who look for work, in a folded, lower-cased text: behind its name, or by their form. Pure, linear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.detection.births import DATE
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

AK1_WORDS: Final = frozenset(f"{word}{clitic}" for word in ("ak", "aki", "akl", "kuning", "kuniang", "koneng", "pencari", "pencaker", "pk", "penta") for clitic in ("", "nya", "nyo", "ku", "mu", "na", "e"))
_YELLOW: Final = r"(?:kuning|kuniang|koneng)(?:nya|nyo|ku|mu|na|e)?"
_SEEKERS: Final = r"(?:pencaker|pencari kerja)"
_AK1: Final = re.compile(
    rf"[akrp](?<![a-z\d].)(?:(?<=a)k[ .\-/]{{0,2}}(?:[1il]|satu)(?:nya|nyo)?|(?<=k)[ae]rtu (?:{_YELLOW}|(?:tanda )?(?:bukti )?(?:pendaftaran )?{_SEEKERS}|tanda pendaftaran)"
    rf"|(?:(?<=r)eg(?:istrasi|ister)?|(?<=p)end(?:aftaran|aft|f)?)\.? {_SEEKERS})(?![a-z\d])"
)
# A number's groups hang together by signs; with spaces about them only groups of a number go on.
_AK1_VALUE: Final = (
    r"((?:ak[ .\-]?[1il](?:[./-]| ?/ ?))?(?:[a-z]{1,8}[./-]){0,2}(?:[a-z] (?=\d{6}))?"
    r"(?:\d(?: ?[./\-]? ?\d(?!\d)){6,30}|\d[a-z\d]{0,24}(?:[./\\_\-][a-z\d]{1,20}|\n?[./\\\-]\n?(?=[\divx])[a-z\d]{1,20}| ?/ ?[a-z\d.\-]{1,20}| ?[.\-] ?(?:\d{2,6}|[ivx]{1,4})(?![a-z\d])){0,7}(?: \d{2,16}(?![a-z\d])){0,5}))"
)
_AK1_FILLING: Final = (
    r"(?:no|nomor|nmr|nomer|adalah|ialah|dengan|dgn|ybs|reg|regist[a-z]{1,8}|pen?da?f[a-z]{1,9}|pencaker|pencari kerja|seri|dg|tertulis|bernomor|lama|baru|urut|induk|itu|kalau|kalo|tak|tidak|gak|ga|salah|saya|sy)(?:nya|nyo|na|e)?"
)
_AK1_NUMBER: Final = re.compile(rf"[\s:=.,()#№/\-]{{0,5}}(?:(?:{_AK1_FILLING}|nya)\b[\s:=.#№]{{0,3}}){{0,4}}" + _AK1_VALUE)
_AK1_LATER: Final = re.compile(rf"[^;\d\n]{{1,60}}?(?<![a-z])(?:no|nomor|nmr|nomer)(?:nya|nyo|na|e)?\b[ .:#=]{{0,4}}(?:{_AK1_FILLING} ){{0,4}}(?=[\w/.-]{{8}})" + _AK1_VALUE)
# A count, years or hours are no number of a card.
_AK1_NOT: Final = re.compile(r"(?:19|20)\d\d(?: ?[/-] ?(?:19|20)\d\d)?|\d{1,3}(?:\.\d{3})+|[0-2]?\d\.[0-5]\d(?: ?- ?[0-2]?\d(?:\.[0-5]\d)?)?|\d{1,3}(?: ?[/-] ?\d{1,3})+")
_COUNTED: Final = re.compile(r" (?:orang|org|lembar|lbr|buah|pencaker|pencari|kartu|jiwa)\b")
_AK1_FORM: Final = re.compile(
    r"[0-9](?<![\w./-].)(?:[0-9]{1,5} / [0-9]{1,6} / ak[-. ]?[1il](?: / [\w.-]{1,24}){0,3}|[0-9]{1,5}+[/.-][0-9]{1,6}+/ak[-. ]?[1il](?:/[\w.-]{1,20}){0,3}|[0-9]{1,5}+/ak[-. ]?[1il](?:/[\w.-]{1,20}){1,3}"
    r"|[0-9]{3,5}+/pk/[01]?[0-9]/(?:20)?[0-9]{2}(?![0-9])|[0-9]{0,4}+[/.-][0-9]{1,6}+/penta/[0-9]{4,6}/(?:20)?[0-9]{2}(?![0-9]))"
)
# In a text that speaks of the card: a district's code, a serial, month and year.
_AK1_DISTRICT: Final = re.compile(r"[0-9](?<![\w./-].)(?<=[1-9])[0-9]{3}([/.-])[0-9]{3,6}\1(?:[ivx]{1,4}|[01]?[0-9])\1(?:20)?[0-9]{2}(?![0-9])")
_AK1_JOINED: Final = re.compile(r"[-/.]| ?/ ?")
_AK1_GROUPS: Final = re.compile(r"[0-9](?<![\w./-].)(?<=[1-9])[0-9]{3}([/.-])[0-9]{4,6}\1[0-9]{4,6}(?![0-9])")


def find_ak1(low: str) -> Iterator[Finding]:
    named = False
    for m in _AK1.finditer(low):
        named = True
        number = _AK1_NUMBER.match(low, m.end()) or _AK1_LATER.match(low, m.end(), m.end() + 90)
        if number is None:
            continue
        value = number.group(1)
        digits = sum(map(str.isdigit, value.removeprefix("ak1")))
        if digits < 4 or DATE.fullmatch(value) or _AK1_NOT.fullmatch(value) or (digits < 8 and _COUNTED.match(low, number.end(1))):
            continue
        start = m.start() if _AK1_JOINED.fullmatch(low, m.end(), number.start(1)) else number.start(1)
        yield Finding(start, number.end(1), "ak1", "plausible" if digits >= 8 else "shaped", f"labelled, {digits} digits")
    for m in _AK1_FORM.finditer(low):
        yield Finding(m.start(), m.end(), "ak1", "plausible", "form of an AK-1 number")
    if named:
        for m in (*_AK1_DISTRICT.finditer(low), *_AK1_GROUPS.finditer(low)):
            yield Finding(m.start(), m.end(), "ak1", "shaped", "form of an AK-1 number in a text on the card")
