"""Vehicles' plates in a folded text, lower-cased or as written: region letters, number, series. Pure, linear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_VEHICLES: Final = (
    "motor", "sepedamotor", "sepmor", "mobil", "kendaraan", "truk", "truck", "pickup", "pick", "mopen", "angkot", "roda", "oto", "onda", "ojek", "ojol", "kereta", "kreta", "becak", "bentor", "minibus",
    "sopir", "supir", "driver", "avanza", "xenia", "innova", "inova", "kijang", "fortuner", "pajero", "ertiga", "carry", "brio", "calya", "sigra", "rush", "terios", "hilux", "triton", "l300",
    "honda", "yamaha", "suzuki", "toyota", "daihatsu", "mitsubishi", "isuzu", "beat", "vario", "supra", "scoopy", "revo", "jupiter", "mio", "nmax", "aerox", "pcx", "vixion",
)  # fmt: skip
PLATE_WORDS: Final = frozenset(
    f"{word}{clitic}" for word in ("plat", "plate", "nopol", "pol", "tnkb", "bpkb", "stnk", "nomorpolisi", "polisi", *_VEHICLES) for clitic in ("", "nya", "nyo", "ku", "na", "e")
)
REGIONS: Final = frozenset(
    ["a", "aa", "ab", "ad", "ae", "ag", "b", "ba", "bb", "bd", "be", "bg", "bh", "bk", "bl", "bm", "bn", "bp", "d", "da", "db", "dc", "dd", "de", "dg", "dh", "dk", "dl", "dm", "dn", "dp", "dr", "ds", "dt", "dw", "e", "ea", "eb", "ed", "f", "g", "h", "k", "kb", "kh", "kt", "ku", "l", "m", "n", "p", "pa", "pb", "pg", "ps", "py", "r", "s", "t", "w", "z"]
)
_PLATE_TAIL: Final = re.compile(r"[0-9] {1,3}([A-Z]{1,3})(?![A-Za-z\d])")
_PLATE_HEAD: Final = re.compile(r"(?<![A-Za-z\d.,/-])([A-Z]{1,2}) {1,3}(\d{2,4})$")
_LOOSE_TAIL: Final = re.compile(r"\d[ .\-/\n]{0,3}([a-z](?: [a-z]){1,2}|[a-z]{1,3})(?![a-z\d]|/[a-z\d])")
_LOOSE_HEAD: Final = re.compile(r"(?<![a-z\d])([a-z][ -]?[a-z]|[a-z])[ .\-/\n]{0,3}(\d{1,4}|\d(?: \d){2,3}|\d\d \d\d)$")
# Behind a word for the plate itself the letters are a region's whatever follows them, and the series may be missing.
_PLATE_NAMED: Final = re.compile(
    r"(?:plat|nopol|polisi|tnkb|no\.? ?pol)(?:nya|nyo)?[ :=.(\"]{1,3}(?:(?:no|nomor|nmr|mobil|motor|kendaraan|truk|merah|hitam|putih|dinas|dgn|dengan)(?:nya)?[ .:]{1,2}){0,3}"
    r"([a-z](?: ?[a-z])?)[ .\-/\n]{0,3}(\d(?: ?\d){0,3}(?!\d))(?:[ .\-/\n]{0,3}([a-z](?: [a-z](?![a-z])){1,2}|[a-z]{1,3})(?![a-z\d]))?"
)
_NO_WORD: Final = frozenset(["di", "ke", "dan", "th", "thn", "org", "jam", "kg", "km", "rp", "pt", "cv", "ud", "kk", "rt", "rw", "no", "yg", "per", "tgl", "an", "cc", "mm", "cm", "gr", "ton", "pk"])
NO_SUFFIX: Final = frozenset(["di", "ke", "dan", "th", "thn", "org", "jam", "kg", "km", "rp", "pt", "cv", "kk", "rt", "rw", "no", "hr", "ha", "bln", "pcs", "cm", "mm", "gr", "kw", "dr", "dg", "yg", "ada", "per", "sd", "tgl", "jt", "rb", "kali", "kel", "kec", "wib", "m", "x", "s"])


def find_plates(text: str, low: str, *, context: bool) -> Iterator[Finding]:
    """text: as written, folded. context: whether a word of `PLATE_WORDS` stands in the text."""
    for m in _PLATE_TAIL.finditer(text):
        head = _PLATE_HEAD.search(text, max(0, m.start() - 9), m.start() + 1)
        if head and head.group(1).lower() in REGIONS and _strict(head.group(1), head.group(2), m.group(1)):
            yield Finding(head.start(), m.end(1), "plate", "plausible", "region letters, number, series")
    if not context:
        return
    for m in _LOOSE_TAIL.finditer(low):
        head = _LOOSE_HEAD.search(low, max(0, m.start() - 14), m.start() + 1)
        if head and _loose(head.group(1).replace(" ", "").replace("-", ""), head.group(2).replace(" ", ""), m.group(1)) and PLATE_WORDS & set(_words(low[max(0, head.start() - 48) : m.end() + 16])):
            yield Finding(head.start(), m.end(), "plate", "plausible", "region letters beside a vehicle")
    for m in _PLATE_NAMED.finditer(low):
        if m.group(1).replace(" ", "") in REGIONS and (len(m.group(2)) > 2 or (m.group(3) and m.group(3) not in NO_SUFFIX)):
            yield Finding(m.start(1), m.end(), "plate", "plausible", "region letters behind the word for a plate")


def _loose(region: str, number: str, series: str) -> bool:
    """Whether what stands beside a vehicle is a plate rather than a count, a size or a class: "l 14 p", "mobil 12 x"."""
    if region not in REGIONS or (len(region) == len(series) == 1 and len(number) < 3):
        return False
    if len(number) < 3:
        return len(region) == 2 and series not in NO_SUFFIX
    return series not in _NO_WORD or sure_plate(region, number)


def _strict(region: str, number: str, series: str) -> bool:
    if number[0] == "0" or series.lower() in (_NO_WORD if len(region) == 2 and len(number) == 4 else NO_SUFFIX):
        return False
    return len(number) > 2 and not (len(region) == 1 and len(series) == 1) and not (region == "S" and len(number) < 3)


def sure_plate(region: str, number: str) -> bool:
    """Whether two letters of a region and four digits, no year, are a plate's though a short word follows: "BB 9424 KM"."""
    return len(region) == 2 and len(number) == 4 and not number.startswith(("19", "20", "0"))


def _words(part: str) -> list[str]:
    return re.findall(r"[a-z]+", part)
