"""What a text about a person holds beside what is known, and what is therefore taken for that person's, though nothing calls it so. Pure, linear.

Whatever still has five digits is somebody's, but for what says that it is something else: money, an event's date, a time, a letter's number,
a count with its unit, a ticket, a known code.
"""

from __future__ import annotations

import re
from typing import Final

from broker.detection.births import MONTH_NAME, OLDEST, YOUNGEST, date_at
from broker.detection.plates import NO_SUFFIX, REGIONS, sure_plate
from broker.detection.spoken import find_spoken
from broker.model import Finding

# What is known is blotted out before the search: \x01 for a number, \x02 for all else.
_NUMBER: Final = b"\x01"
_OTHER: Final = b"\x02"
# The first of five digits; or of fewer, behind or before a number, an extension's, or before what may go on as a number, a date or a plate.
_LOOK: Final = re.compile(
    r"[0-9](?<![0-9].)(?:(?<=\x01.)|(?<=\x01[ .\-/].)|(?<=\x01 / .)|(?<=(?:ext|kst|pes|swt)[ .].)"
    r"|(?=[0-9]{4}|[0-9]{0,3}(?:[ ./\-_+]{1,3}'?[0-9]|[./\-_][a-z]|xx|[ .\-]?\x01|[ .\-]?[a-z\x02]{1,3}(?![a-z\x02])"
    rf"|[ \-/.,]{{0,2}}{MONTH_NAME}| bulan)))"
)
_HEAD: Final = re.compile(r"(?<![a-z\d@])(?:[a-z][a-z\d]{0,7}[./\-_]?){1,2}\Z|(?<![a-z\d])[a-z]\d? \Z")
_TOKEN: Final = re.compile(r"[a-z\d]++(?:[./\-_+][a-z\d]++|(?<=\d)(?: |  | ?- ?)\d++(?![,.]\d)){0,24}+")
_LIGHT: Final = re.compile(r"[ .\-]?\x01")
_BEHIND: Final = re.compile(r"\x01(?:[ .\-]?| ?/ ?|([ ,(]{1,2}(?:ext|ekst|pes|pswt)[. ]{1,2}))\Z")
_PLATE: Final = re.compile(r"(?<![a-z\d])([a-z]{1,2})[ .-]?(\d{2,4})[ .-]?([a-z]{1,3})(?![a-z\d])")
_PLATE_APART: Final = re.compile(r"(?<![A-Z\d] )(?<![A-Z\d])[A-Z](?: [A-Z])? \d \d(?: \d){1,2} [A-Z](?: [A-Z]){0,2}(?![A-Z\d]| [A-Z\d](?![A-Za-z\d]))")
_TIME: Final = re.compile(r"[ ,]{1,2}(?:jam |pukul |pkl\.? )?\d{1,2}[.:]\d\d(?:[.:]\d\d)?(?![\d.])|t\d\d:\d\d")
# What is parted as hours, an amount, years, an address of the internet or a letter's number is no number of anybody.
_FORMATTED: Final = re.compile(
    r"\d(?:\.\d{1,2}){3,5}(?:\.\d{2,5})?|\d{1,3}(?:\.\d{3})+|[0-2]?\d\.[0-5]\d ?- ?[0-2]?\d\.[0-5]\d|(?:19|20)\d\d(?:[ /.-]{1,3}(?:19|20)\d\d)+|\d{1,3}(?:\.\d{1,3}){3}|\d{1,3}/\d{1,3}"
    r"|(?:.*/|(?=[^a-z/]*[a-z/]).*-|\d{1,4}-)(?:19\d\d|20[0-3]\d)|.*/[ivx]{1,4}/\d\d"
)
# A child's birth, which may be of any year; and a birth of which no whole date is told.
_CHILD: Final = re.compile(r"(?<!& )(?:anak|putra|putri|cucu|balita|bayi)(?![a-z]{4})(?:(?!senin|selasa|rabu|kamis|jum|sabtu|minggu)[^;\n]){0,120}(?:[,:(/\-]|\x02) ?\Z")
_CHILD_REACH: Final = 140
_MOON: Final = r"(?:mu(?:harr?am|lud)|maulu?d|sur[ao]|sa[fp]ar|rabiul|jumadil|rajab|sya'?ban|ruwah|puasa|ramad[ah]an|s[yh]?awal|besar|zul[a-z]{3,8}|dzul[a-z]{3,8}|rayagung|hapit)"
_ROUGHLY: Final = re.compile(
    r"(?:lahi[ra]|lhr|ultah)(?:nya|an)?(?![a-z])[^\d\n;'`\x01]{0,30}?(?<![a-z])"
    rf"((?:(?:tgl|tanggal) )?(?:\d\d?[ \-](?:{MONTH_NAME}|{_MOON}(?: a(?:wal|khir))?)(?![a-z])(?:[ ,\-]{{1,2}}(?:\d{{4}}|'?\d\d)(?!\d))?|\d\d?/\d\d?(?![\d/]))"
    rf"|(?:(?:(?:bulan|bln) )?(?:{MONTH_NAME}|(?<=bulan )[a-z]{{3,10}}|\d\d?)[ ,/\-]{{1,2}})?(?:(?:tahun|thn|th)[. ]{{1,2}})?"
    r"(?:19[3-9]\d|20[01]\d|(?:['`]|(?<=th )|(?<=thn )|(?<=tahun )|(?<=kelahiran ))\d\d)(?!\d)(?:,? (?:bulan|bln)\.? [a-z\d]+)?)"
)
_BEFORE: Final = 28  # characters in which a word explains a number
_WORD: Final = re.compile(r"[a-z]+")
_CUT: Final = re.compile(r".*(?:[;\n\t|\x01\x02]|\d{5})", re.DOTALL)  # what stands before something known explains that
_EXPLAINING: Final = frozenset(
    {
        "aduan", "agenda", "akun", "aset", "antrean", "antrian", "barang", "batch", "berkas", "billing", "build", "contoh", "developer", "dipa", "dokumen", "error", "faktur", "folder", "idmeter", "imei",
        "inv", "inventaris", "invoice", "ip", "jam", "job", "kbji", "kbli", "kegiatan", "kep", "kode", "kolom", "kontrak", "listrik", "lowongan", "mak", "mesin", "meter", "meteran", "nib",
        "nota", "notulen", "npp", "npsn", "ntpn", "order", "ordernya", "pasal", "pelanggan", "percobaan", "perkara", "permen", "permohonan", "pesanan", "pkl", "po", "proyek", "pukul",
        "rangka", "ref", "register", "req", "resi", "rp", "rupiah", "rup", "segel", "seri", "sert", "sertifikat", "sk", "skb", "sn", "spk", "spt", "surat", "tabung",
        "tagihan", "tiket", "timeout", "token", "transaksi", "undangan", "uu", "versi", "zoom",
    }
)  # fmt: skip
# Words that call a number a person's own, though another stands beside them: "NIK di surat".
_OWN: Final = frozenset({"nik", "ktp", "kk", "npwp", "bpjs", "kpj", "nip", "paspor", "sim", "hp", "wa", "telp", "rek", "rekening", "peserta", "kepesertaan"})
_FILLING: Final = frozenset({"no", "nomor", "nmr", "nomer", "id", "yang", "yg", "blk"})
# What is short beside these is an amount.
_MONEY: Final = frozenset(
    {
        "anggaran", "biaya", "denda", "gaji", "harga", "honor", "iuran", "km", "modal", "nominal", "omzet", "pagu", "pesangon", "pinjaman", "saldo", "sebesar",
        "senilai", "tarif", "total", "tunjangan", "uang", "upah", "utang",
    }
)  # fmt: skip
_UNIT: Final = re.compile(r" ?(?:%|,-|x\b|(?:rb|ribu|jt|juta|rupiah|orang|org|jiwa|lembar|lbr|buah|unit|km|kg|m2|ha|kwh|watt|va|baris|keping|koli|paket|ms)\b)")


def loose(text: str, known: list[tuple[int, int]], *, spoken: bool = True) -> list[Finding]:
    """What beside a person is taken for that person's, though nothing calls it so: a long number, a date of birth's age, a plate; words for them.

    spoken: whether a word for a digit stands in the text.
    """
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    found = list(find_spoken(low)) if spoken else []
    blotted = _blotted(low, known)
    if "lahi" in low or "lhr" in low or "ultah" in low:
        found += (Finding(*m.span(1), "birth_date", "shaped", "part of a date behind a word of birth") for m in _ROUGHLY.finditer(blotted))
    found += (Finding(*m.span(), "plate", "shaped", "plate's form beside a person") for m in _PLATE_APART.finditer(text))
    reach = 0
    for m in _LOOK.finditer(blotted):
        if m.start() >= reach:
            finding, reach = _at(text, low, blotted, m.start(), reach)
            if finding is not None:
                found.append(finding)
    return found


def _blotted(low: str, known: list[tuple[int, int]]) -> str:
    """What is known as a sign of `_NUMBER` or `_OTHER`, all that is not ASCII as "?"; the letters keep their places."""
    blotted = bytearray(low.replace("’", "'").encode("ascii", "replace"))
    at = 0
    for start, end in sorted(known):
        if end > at:
            number = low[end - 1].isdigit() and end - start > 5 and (low[start].isdigit() or low[start + 1].isdigit() or low[start + 2].isdigit())
            at = max(at, start)
            blotted[at:end] = (_NUMBER if number else _OTHER) * (end - at)
            at = end
    return blotted.decode()


def _at(text: str, plain: str, low: str, start: int, free: int) -> tuple[Finding | None, int]:
    """What begins with the digits at `start`, perhaps with letters before them from `free` on; and where to go on.

    plain: lower-cased. low: with what is known blotted out too.
    """
    dated = None if low[start : start + 5].isdigit() else date_at(low, start)
    if dated is not None:
        end, (day, month, year) = dated
        if 1 <= day <= 31 and 1 <= month <= 12 and _is_date(low[start:end], low[end : end + 2]):
            if OLDEST <= year <= YOUNGEST or (year > YOUNGEST and _CHILD.search(low, max(0, start - _CHILD_REACH), start)):
                return Finding(start, end, "birth_date", "shaped", "date of a birth beside a person"), end
            time = _TIME.match(low, end)
            return None, time.end() if time else end
    token = _TOKEN.match(low, start)
    assert token is not None  # it begins with a digit
    end = token.end()
    begin = start
    if start > free and low[start - 1] not in "\n\t,;:(":
        plate = _PLATE.search(plain, max(free, start - 3), start + 9)  # its letters may be taken for a name's
        if plate and plate.start(2) == start and _may_be_plate(plate, text):
            return Finding(plate.start(), plate.end(), "plate", "shaped", "plate's form beside a person"), plate.end()
        head = _HEAD.search(low, max(free, start - 16), start)
        if head and (low[start - 1] != " " or text[head.start()].isupper() or text.islower()):
            begin = head.start()
    number = low[begin:end]
    size = len(number) if number.isdigit() else sum(map(str.isdigit, number))
    if _FORMATTED.fullmatch(number.removeprefix("rp").removeprefix(".")):
        return None, end
    touched = _BEHIND.search(low, max(0, begin - 10), begin) if begin and (end - begin > 1 or low[begin - 1] != " ") else None
    if touched or (_LIGHT.match(low, end) and (begin == start or low[begin:start].rstrip("0123456789 ")[1:] == "")):
        return Finding(touched.start(1) if touched and touched[1] else begin, end, "number", "shaped", "digits that touch a number beside a person"), end
    if size < 5 or (size < (8 if begin == start and low[max(0, start - 2) : start] != "\x02 " else 7) and " " in low[start:end]) or (low[end : end + 1] == "," and low[end + 1 : end + 2].isdigit()):
        return None, start + 1
    if _explained(low, start, end, size):
        return None, end
    return Finding(begin, end, "number", "shaped", "long number beside a person"), end


def _is_date(written: str, behind: str) -> bool:
    """Whether what reads as a date has its parts parted alike, and ends where it does; without signs it is a number."""
    if behind[:1] in "./-" and behind[1:].isdigit():
        return False
    return not written.isdigit() and (len(written) >= 8 or not written.replace(" ", "").isdigit()) and ("." not in written or "-" not in written)


def _may_be_plate(plate: re.Match[str], text: str) -> bool:
    region, number, series = plate.groups()
    if region not in REGIONS or number[0] == "0" or re.fullmatch(MONTH_NAME, series):
        return False
    large = text[plate.start()].isupper() and text[plate.end() - 1].isupper()
    if series in NO_SUFFIX and not ((large or text.islower()) and (sure_plate(region, number) or (sure_plate("b" + region, number) and not text.isupper()))):
        return False
    return large or (len(region) == 2 and len(number) > 2 and region not in ("da", "pa", "de", "ab"))


def _explained(low: str, start: int, end: int, size: int) -> bool:
    """Whether one of the three words before a number, in its line or field, says what it is, or a unit behind it."""
    every = [word for word in _WORD.findall(_CUT.sub("", low[max(0, start - _BEFORE) : start])) if word not in _FILLING]
    words = every[-3:]
    if "dipa" in words[:-1]:  # a name, too
        words = words[words.index("dipa") + 1 :]
    if not _EXPLAINING.isdisjoint(words) or words[-1:] == ["bukti"]:
        return _OWN.isdisjoint(every)
    return size < 10 and (not _MONEY.isdisjoint(words) or _UNIT.match(low, end) is not None)
