"""Addresses in a folded text: from a street, a hamlet or the word "alamat" on, as far as their parts continue. Pure, linear.

A part is a keyword with its name ("Kel. Muaro"), a house number, RT/RW, a place after a comma, a postcode. Names of streets are
capitalised words where the text distinguishes, else the words up to one that no name has. "jalan" is also a verb: then it is no address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_STREET: Final = ["jl", "jln", "jalan", "jlan", "gg", "gang", "lr", "lorong"]
_HAMLET: Final = ["dusun", "dsn", "jorong", "jrg", "jor", "jr", "nagari", "nag", "kenagarian", "kp", "kampung", "kpg", "kamp", "komplek", "kompleks", "komp", "perum", "perumahan", "perumnas", "asrama", "apartemen", "rusun", "cluster", "lingkungan", "lingk", "dukuh", "banjar"]
_AREA: Final = ["rt", "rw", "rtrw", "kel", "kelurahan", "desa", "ds", "blok", "blk"]
_SAID: Final = ["alamat", "alamatnya", "almt", "almat", "beralamat", "alamatku", "alamatmu", "domisili", "berdomisili", "domisilinya", "tinggal", "kediaman", "bertempat"]
ADDRESS_WORDS: Final = frozenset((*_STREET, *_HAMLET, *_AREA, *_SAID))
_STREETS: Final = frozenset(_STREET)
_HAMLETS: Final = frozenset(_HAMLET)
_AREAS: Final = frozenset(_AREA)
_LONGEST: Final = 240  # characters of one address
_LABELLED: Final = 160  # characters behind "alamat:"



def _grouped(words: str) -> str:
    """An alternation of the same words, those that begin alike together: the engine tries its branches one by one, most often to no end."""
    heads: dict[str, list[str]] = {}
    for word in re.split(r"\|(?![^(]*\))", words):
        plain = word[:1].isalpha() and word[1:2] not in ("?", "*", "{")
        heads.setdefault(word[0] if plain else "", []).append(word[1:] if plain else word)
    odd = heads.pop("", [])
    return "|".join([*(head + (rest[0] if len(rest) == 1 else f"(?:{_grouped('|'.join(rest))})") for head, rest in heads.items()), *odd])


# No name begins with these in either case; where one stands, an address has ended or goes on with its next part.
_CORE: Final = (
    "yang|yg|dan|dgn|dengan|untuk|utk|dari|ke|kpd|kepada|di|pada|pd|adalah|ialah|itu|ini|nik|ktp|kk|hp|wa|telp|tlp|telepon|no\\.? ?hp|nohp|email|e-mail|npwp|bpjs|rek|rekening|nopol|plat|"
    "hub|hubungi|kontak|a\\.?n|sdr|sdri|ybs|ttl|lahir|rp|nip|sim|paspor|kpj|nib|ak|alamat|domisili|jl|jln|jalan|gg|rt|rw|kel|kelurahan|kec|kecamatan|kab|kabupaten|prov|provinsi|jorong|blok|km|kode|"
    "nag|lk|no|nomor|ket|tgl|karena|krn|sudah|sdh|belum|blm|tidak|tdk|akan|demikian"
)
# Nor do these go on in one.
_HARD: Final = (
    f"{_CORE}|status|agama|pekerjaan|umur|usia|jenis|pendidikan|keterangan|tanggal|gang|kota(?=[. ]{{1,2}}(?!kab|prov|kec|kel)[A-Za-z])|desa|dusun|nagari|kenagarian|lingkungan|perum|perumahan|komplek|kompleks"
)
# Nor these, where capitals do not tell.
_SOFT: Final = (
    "telah|tak|bisa|dapat|dpt|mau|ingin|minta|mohon|harap|kalau|kalo|jika|bila|saat|ketika|setelah|sebelum|sejak|selama|sampai|hingga|an|atas|nama|bapak|ibu|pak|bu|bekerja|kerja|tinggal|"
    "datang|melapor|lapor|pindah|sekarang|skrg|lagi|masih|juga|serta|atau|oleh|sebagai|sbg|dalam|punya|ada|nanti|besok|kemarin|dekat|depan|belakang|samping|sebelah|bukan|hanya|dihubungi|bersedia|"
    "siap|menunggu|mengaku|keluarga|anak|istri|suami|orang|rumah|mess|kos|kost|kontrakan|milik|jam|pukul|pkl|upah|gaji|sesuai|sama|tapi|tetapi|namun|lalu|kemudian|bersama|via|lewat|surat|sk|"
    "menurut|berdasarkan|tempat|berkas|lengkap|dokumen|cocok|valid|beralamat|tercatat|terdaftar|sedang|selalu|sering|setiap|tiap|terima|pemohon|pelapor|pencari|lowongan|posisi|jabatan|diterima|"
    "ditolak|diminta|dikirim|macet|rusak|banjir|longsor|ditutup"
)
_STOP: Final = f"{_HARD}|{_SOFT}"
_FIRST_WORD: Final = rf"(?!(?:{_grouped(_CORE)})(?![a-z]))"
_FIRST_CAPITAL: Final = rf"(?!(?i:{_grouped(_CORE)})(?![A-Za-z]))"
_END: Final = rf"(?!(?:{_grouped(_STOP)})(?![a-z]))"
_END_CASED: Final = rf"(?!(?i:{_grouped(_HARD)})(?![A-Za-z]))"
_TITLE: Final = "[a-z]{1,2}|prof|drs|jend|letjen|mayjen|brigjen|kapt|kol|letkol|sei|moh|muh|kyai|tgk"
_INITIAL: Final = rf"(?:(?:{_TITLE})\. ?(?=[a-z]))"
_NAME_LOW: Final = rf"(?:{_FIRST_WORD}{_INITIAL}){{0,2}}{_FIRST_WORD}[a-z][\w'-]*(?:[ ]{_END}(?:[a-z]\. ?)?[a-z\d][\w'-]*){{0,3}}"
_NAME_SHORT: Final = rf"(?:{_FIRST_WORD}{_INITIAL}){{0,2}}{_FIRST_WORD}[a-z][\w'-]*(?:[ ]{_END}[a-z][\w'-]*(?=[ ]*(?:[,.\n]|no\b|rt\b|\d|$))){{0,2}}"
_NAME_CASED: Final = (
    rf"(?:{_FIRST_CAPITAL}(?i:{_TITLE})\. ?(?=[A-Z])){{0,3}}{_FIRST_CAPITAL}[A-Z\d][\w'-]*(?:[ ](?:{_END_CASED}(?:[A-Z]{{1,2}}\. ?)?[A-Z\d][\w'-]*|[IVX]+\b)){{0,4}}"
)
_CASED: Final = rf"(?:{_NAME_CASED}|{_NAME_SHORT})"
_NUMBER: Final = r"(?:no(?:mor|mer)?\b[. :]{0,3}|nmr\b[. :]{0,3}|#)?\d{1,4}(?![\d.]*\d{3})(?: ?[a-z](?![a-z]))?(?:[-/]\d{1,4}[a-z]?)?(?![\w])"
_HOUSE: Final = rf"(?i:{_NUMBER}|no[. :]{{0,3}}[a-z][-. ]?\d{{1,3}}[a-z]?\b|(?:blok|blk)[. ]{{0,2}}[a-z]{{0,3}}[ ]?[-./]?[ ]?\d{{0,3}}[a-z]?\b|km[. ]{{0,2}}\d[\d,.]{{0,5}}|lt[. ]{{0,2}}\d{{1,2}}\b)"
_RT: Final = (
    r"(?i:\(?rt[ ]?[/.\-]?[ ]?rw[. :]{0,3}\d{1,3}[ ]?[/\-.][ ]?\d{1,3}\)?|\(?r[tw][. :]{0,3}\d{1,3}(?:[ ,]{0,2}[/\-,.]?[ ]?(?:r[tw][. :]{0,3})?(?<![\d])\d{1,3}|"
    r"[ ]?/[ ]?\d{1,3})?\)?)(?!\d)"
)
_KEYWORDS: Final = (
    "jl|jln|jalan|gg|gang|lr|lorong|dusun|dsn|jorong|jrg|jor|jr|nagari|nag|kenagarian|kp|kampung|kpg|komplek|kompleks|komp|perum|perumahan|perumnas|asrama|lingkungan|lingk|ling|lk|link|dukuh|banjar|"
    "kel|kelurahan|desa|ds|kec|kecamatan|kab|kabupaten|kota|kodya|prov|provinsi|propinsi|blok|blk|cluster|simpang|pasar"
)
_KEYWORD: Final = f"(?i:{_grouped(_KEYWORDS)})"
_POSTCODE: Final = r"(?i:kode ?pos[ :.]{0,3}|kodepos[ :.]{0,3})?\d{5}(?!\d)"
_BETWEEN: Final = r"[ ]?(?:[,.;/\-–(]|[ ]-)?[ ]?\n?[ ]?"


_PROVINCE: Final = (
    r"(?i:(?:sumatera|sumatra|jawa|kalimantan|sulawesi) (?:utara|barat|selatan|timur|tengah|tenggara)|(?:kepulauan )?riau|jambi|aceh|bengkulu|lampung|banten|sumut|sumbar|dki jakarta|bali)"
    r"(?![A-Za-z])"
)


def _tail(name: str, loose: str) -> re.Pattern[str]:
    """What an address goes on with, behind its first name; `loose` is a name after a comma without a keyword."""
    part = rf"{_RT}|{_HOUSE}|{_KEYWORD}(?![A-Za-z])[. :]{{0,3}}{name}|{_POSTCODE}"
    return re.compile(rf"(?:{_BETWEEN}(?:{part})|[ ]?,[ ]?\n?{loose}|[ ]?,?[ ]{_PROVINCE}){{0,14}}")


# A loose name must itself be followed by a sign, an end or a postcode where capitals do not tell it from other words.
_LOOSE_LOW: Final = rf"{_END}[a-z][\w'-]*(?:[ ]{_END}[a-z][\w'-]*){{0,2}}(?=[ ]?(?:[,.;)\n]|\d{{5}}|$))"
_LOOSE_CASED: Final = rf"(?:{_END_CASED}[A-Z][\w'-]*\.? ?){{0,2}}{_END_CASED}[A-Z][\w'-]*(?:[ ]{_END_CASED}[A-Z][\w'-]*){{0,1}}"
_TAIL_LOW: Final = _tail(_NAME_LOW, _LOOSE_LOW)
_TAIL_CASED: Final = _tail(_CASED, _LOOSE_CASED)
_FIRST_LOW: Final = re.compile(rf"[. :]{{0,3}}(?:\n)?({_NAME_LOW}|\d{{1,3}}[a-z]?\b)")
_FIRST_CASED: Final = re.compile(rf"[. :]{{0,3}}(?:\n)?({_CASED}|\d{{1,3}}[A-Za-z]?\b)")
_RT_HERE: Final = re.compile(_RT)
_BLOCK: Final = re.compile(r"(?i:blok|blk)[. ]{0,2}[a-z]{1,3}[ ]?[-./]?[ ]?\d{1,3}[a-z]?\b")
_STRONG: Final = re.compile(rf"{_RT}|(?i:\bno[. ]{{0,2}}\d|\bkel\b|\bkelurahan\b|\bkec\b|\bkecamatan\b|\bjorong\b|\bdusun\b|\bnagari\b|\bdesa\b|\bkab\b|\bkota\b|\bblok\b|\bgg\b|\bgang\b|\bkm[. ]?\d)|\b\d{{5}}\b")

# "jalan" is a verb, or a thing one walks: what stands after it, and before it.
_WALKED: Final = frozenset(
    ["kaki", "keluar", "masuk", "terus", "tengah", "buntu", "pintas", "damai", "raya", "tol", "rusak", "lain", "lurus", "sendiri", "sama", "pulang", "pergi", "ke", "dari", "di", "dengan", "yang", "yg", "dan", "untuk", "nafas", "napas", "hidup", "lancar", "baik", "kembali", "bareng", "bersama", "sehat", "santai", "pagi", "sore", "malam", "lagi", "saja", "aja", "dulu", "lama", "lambat", "cepat", "aspal", "tanah", "setapak", "nasional", "umum", "ini", "itu", "tersebut", "nya", "kok", "sih", "ya", "bagus", "jelek", "macet", "licin", "berlubang", "menuju", "atas", "bawah", "pikir", "cerita", "tikus", "belakang", "depan", "musyawarah", "perdamaian", "hukum", "produksi", "usaha", "sampai", "hingga", "karena", "belum", "tidak", "sudah", "masih", "akan", "oleh", "mulai", "ditutup", "tol", "utama", "lingkar", "layang", "poros", "penghubung", "alternatif"]
)
_WALKING: Final = frozenset(
    ["sedang", "sudah", "sdh", "masih", "bisa", "tidak", "tdk", "lagi", "mau", "belum", "blm", "tak", "akan", "terus", "tetap", "telah", "bila", "jika", "agar", "supaya", "sulit", "susah", "dapat", "sambil", "sanggup", "cari", "mencari", "rusaknya", "perbaikan", "pembangunan", "proyek", "kegiatan", "usaha", "pekerjaan", "mesin", "motor", "mobil", "biaya", "uang", "ongkos", "sepanjang", "surat", "lampu", "memberi", "beri", "tunjukkan", "kontrak", "program", "gak", "nggak", "ga", "kuat", "mampu", "lancar", "tersedia", "tenaga", "pengaspalan", "kondisi", "badan", "bahu", "rehab", "rehabilitasi", "pelebaran", "pemeliharaan", "jembatan"]
)
_PLACING: Final = frozenset(["asal", "lama", "baru", "ktp", "pindah", "di", "ke", "dari", "alamat", "almt", "rumah", "tinggal", "beralamat", "domisili", "berdomisili", "kos", "kost", "kantor", "d", "a", "alamatnya", "sepanjang", "dekat", "simpang", "persimpangan", "lewat", "toko", "warung"])
_OFFICES: Final = frozenset(["bank", "wali", "kantor", "kepala", "pemerintah", "pemerintahan", "perangkat", "ketua", "anggota", "badan", "balai", "aparat", "staf", "lembaga", "bumnag", "bumdes", "pendamping", "kades", "kerapatan", "forum", "sekretaris"])
_FIRMS: Final = frozenset(["bulog", "damri", "perhutani", "jasa", "peruri", "perindo", "antara", "bpr", "jamkrindo", "pegadaian", "produksi", "ppd", "lppnpi", "airnav", "pnri"])
_LOOSE_HAMLETS: Final = frozenset(["perumahan", "asrama", "lingkungan", "komplek", "kompleks", "banjar", "cluster", "apartemen", "rusun", "kamp", "jor", "kp"])
_NO_HAMLET: Final = frozenset(["halaman", "asal", "keluarga", "kelahiran", "sendiri", "inggris", "kerja", "hidup", "adat", "sebelah", "lain", "itu", "ini", "ybs", "saya", "kami", "dan", "di", "yang", "yg", "ke", "se", "sangat", "setempat", "kompleks", "masalah"])
_BEFORE: Final = re.compile(r"([a-z]+)[^a-z\n]*$")
_WORD: Final = re.compile(r"[a-z]+")

_HIGHWAY: Final = re.compile(r"jalan raya [a-z' ]{2,40}? (?:no|nomor|km)[. ]{0,2}\d")  # a highway with a house number is an address in any case
_A_ROAD: Final = re.compile(r" (?:sedang |yang |yg |masih |kembali )?(?:macet|rusak|longsor|banjir|ditutup|putus|diaspal|diperbaiki|berlubang|amblas|licin|selesai)(?![a-z])")
_PART_HERE: Final = re.compile(rf"(?:{'|'.join((*_STREET, *_HAMLET, *_AREA))})(?![a-z])")
_NONE: Final = (0, 0, "", "")
_SAY: Final = re.compile(
    r"(?:(?:ber)?alamat(?:nya|ku|mu)?|almt|almat|(?:ber)?domisili(?:nya)?|kediaman(?:nya)?|(?:bertempat )?tinggal|bertempat)(?![a-z])"
    r"(?: ?\(?(?:rumah|lengkap|lengkapnya|tinggal|domisili|ktp|asal|sekarang|skrg|sesuai ktp|kantor|surat|baru|lama|terakhir|kos|kost|orang tua|ortu|ybs|saya|beliau|tempat tinggal|sementara|tetap|saat ini)\)?(?![a-z])){0,3}"
    r"[ ]?(?:([:=])|(di|pada|adalah|yaitu|ialah)(?![a-z])[ :]?|(?=[A-Z]))[ ]?\n?[ ]?",
    re.IGNORECASE,
)
_NOT_SAID: Final = re.compile(
    r"(?:-|tidak|tdk|belum|blm|sama|sesuai|idem|sda|s\.d\.a|kosong|tetap|tsb|tersebut|atas|yang|yg|ybs|e-?mail|surel|web|ip|mess|kos(?:t)?\b|rumah|kontrakan|luar|dalam|mana|sini|sana|situ|bawah|jl|jln|jalan"
    r"|daerah|tempat|rantau|perantauan|asrama|panti|lokasi|perusahaan|kebun|mertua|orang|orangtua|keluarga|pekerja|pondok)(?![a-z])"
)
_SAID_END: Final = re.compile(
    r"\n|;|\. (?=[A-Z\d])|\.$|\.\n|[,.]? ?\(?(?<![a-z])(?:no\.? ?(?:hp|wa|telp|ktp|nik|kk)|hp|wa|telp|tlp|telepon|nik|ktp|e-?mail|kontak|hub|hubungi|npwp|rek|rekening|bpjs|ttl|lahir|agama|status|pekerjaan|umur|usia|a\.n|an\.|"
    r"sudah|sdh|belum|tidak|tdk|dan|yang|yg|karena|krn|untuk|utk|bersedia|dapat|bisa|datang|melapor|mohon|minta|dengan|dgn|bekerja|ditempatkan|menurut|setelah|sejak)(?![a-z])",
    re.IGNORECASE,
)
_ABBREVIATED: Final = re.compile(r"(?:\b(?:jl|jln|gg|kel|kec|kab|kp|no|ds|dsn|prov|komp|jor|jr|jrg|nag|lk|link|ling|blk|perum|moh|muh|lr|tg|sei|st|dr|prof|ir|h|kh|letjen|jend|mayjen|rt|rw|[a-z]))$", re.IGNORECASE)


def find_addresses(plain: str, low: str, here: frozenset[str] | set[str]) -> Iterator[Finding]:
    """plain: as written. low: the same, lower-cased. here: those of `ADDRESS_WORDS` that occur."""
    text, first, tail = _reading(plain, low)
    until = 0
    for start, word in _starts(low, here):
        if start < until:
            continue
        begin, end, verdict, reason = _address(text, low, start, word, first, tail)
        if end:
            until = end
            yield Finding(begin, end, "address", verdict, reason)


def _reading(plain: str, low: str) -> tuple[str, re.Pattern[str], re.Pattern[str]]:
    """The text to read and its patterns: by capitals where the text has both cases, else by words."""
    if plain in {low, plain.upper()}:
        return low, _FIRST_LOW, _TAIL_LOW
    return plain, _FIRST_CASED, _TAIL_CASED


def _starts(low: str, here: frozenset[str] | set[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for word in here:
        at = low.find(word)
        while at >= 0:
            end = at + len(word)
            if not (low[end : end + 1].isalpha() or (at and low[at - 1].isalpha())):
                found.append((at, word))
            at = low.find(word, end)
    found.sort()
    return found


def _address(text: str, low: str, start: int, word: str, first: re.Pattern[str], tail: re.Pattern[str]) -> tuple[int, int, str, str]:
    """(start, end, verdict, reason) of the address that this word begins; end 0 if it begins none."""
    end = start + len(word)
    if word in _STREETS or word in _HAMLETS:
        name = first.match(text, end, end + _LONGEST)
        if name is None or not _a_place(text, low, start, word, name):
            return _NONE
        stop = _onward(text, name.end(), tail)
        strong = _STRONG.search(text, name.start(), stop)
        if not strong and _A_ROAD.match(low, stop):
            return _NONE
        return start, stop, "valid" if strong else "plausible", "street or hamlet with further parts" if strong else "street or hamlet with a name"
    if word in _AREAS:
        return _area(text, start, end, first, tail, word)
    return _said(text, low, start, first, tail)


def _area(text: str, start: int, end: int, first: re.Pattern[str], tail: re.Pattern[str], word: str) -> tuple[int, int, str, str]:
    """RT/RW, a block or a village begins an address only with a named part behind it."""
    if word in ("rt", "rw", "rtrw", "blok", "blk"):
        block = (_RT_HERE if word[0] == "r" else _BLOCK).match(text, start)
        if block is None:
            return _NONE
        at = block.end()
    else:
        name = first.match(text, end, end + _LONGEST)
        if name is None or name.group(1)[0].isdigit() or name.group(1).split()[0].lower() in _NO_HAMLET:
            return _NONE
        at = name.end()
    stop = _onward(text, at, tail)
    if stop - at < 4 or not _STRONG.search(text, at, stop):
        return _NONE
    return start, stop, "plausible", "parts of an address in a row"


def _onward(text: str, at: int, tail: re.Pattern[str]) -> int:
    m = tail.match(text, at, at + _LONGEST)
    stop = m.end() if m else at
    while stop > at and text[stop - 1] in " ,.;:\n-(/":
        stop -= 1
    return stop


def _a_place(text: str, low: str, start: int, word: str, name: re.Match[str]) -> bool:
    """Whether the word is a street's or a hamlet's here, not a verb, an office or a firm."""
    follows = _WORD.match(low, name.start(1))
    following = follows.group() if follows else ""
    before = _BEFORE.search(low, max(0, start - 24), start)
    previous = before.group(1) if before else ""
    if word in ("jl", "jln"):
        return True
    digit = name.group(1)[0].isdigit()
    if word in ("nagari", "nag", "kenagarian", "kampung") and previous not in _PLACING and _STRONG.match(text, name.end() + 1) is None and text[name.end() : name.end() + 1] != ",":
        return False  # the village as such, not somebody's address
    if word in _HAMLETS or word in ("gg", "gang", "lr", "lorong"):
        if digit:
            return word in ("gg", "gang", "lr", "lorong", "lingkungan", "lingk")
        if previous in _OFFICES or (following in _NO_HAMLET and word in _HAMLETS) or following == "motor" or (word == "perum" and following in _FIRMS) or low[start - 1 : start] == "-":
            return False
        if text is low and word in _LOOSE_HAMLETS:
            return previous in _PLACING or not previous or _STRONG.match(text, name.end() + 1) is not None
        return text is low or name.group(1)[0].isupper() or word in ("gg", "jorong", "dusun", "dsn", "jrg")
    capital = text is not low and name.group(1)[0].isupper()
    if capital and following not in ("kaki", "tol", "keluar"):
        return True
    if digit or (following in _WALKED and not _HIGHWAY.match(low, start)) or previous in _WALKING or (start and low[start - 1] == "-") or low[start + 5 : start + 6] == "-":
        return False
    return capital or previous in _PLACING or _STRONG.match(text, name.end() + 1) is not None or (text is low and not previous)


def _said(text: str, low: str, start: int, first: re.Pattern[str], tail: re.Pattern[str]) -> tuple[int, int, str, str]:
    """What is called an address: behind a colon all of it up to the sentence's end, behind "di" as far as names go."""
    m = _SAY.match(text, start, start + 80)
    if m is None or (_NOT_SAID.match(low, m.end()) and not m.group(1)):
        return _NONE
    at = m.end()
    if m.group(1):
        if _NOT_SAID.match(low, at) and low[at : at + 2] != "jl" and low[at : at + 5] != "jalan":
            return _NONE
        stop = _sentence_end(text, at)
        return (at, stop, "plausible", "called an address") if stop - at >= 4 else _NONE
    if low.startswith(("tinggal", "domisili", "berdomisili"), start) and m.group(2) not in ("di", "dr", "pada", "ke") and text is low:
        return _NONE
    if low.startswith("tinggal", start) and m.group(2) != "di":
        return _NONE
    if _PART_HERE.match(low, at):  # the street or hamlet begins an address itself
        return _NONE
    name = first.match(text, at, at + _LONGEST)
    if name is None or (text is not low and not (name.group(1)[0].isupper() or name.group(1)[0].isdigit())):
        return _NONE
    stop = _onward(text, name.end(), tail)
    if m.group(2) is None and text is low and not _STRONG.search(text, at, stop):
        return _NONE
    return at, stop, "plausible", "called an address"


def _sentence_end(text: str, at: int) -> int:
    """Where what is called an address ends: a line, a sentence or the next label, not the dot of "Jl."."""
    limit = min(len(text), at + _LABELLED)
    end = limit
    for m in _SAID_END.finditer(text, at, limit):
        if m.group().startswith(".") and len(m.group()) == 2 and _ABBREVIATED.search(text, max(at, m.start() - 8), m.start()):
            continue
        end = m.start()
        break
    while end > at and text[end - 1] in " ,.;:\n-(":
        end -= 1
    return end
