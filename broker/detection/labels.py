"""What a number is called: the label before or after it, as people write it in notes. Pure.

Whole words only: "simpanan" is no SIM. A label reaches over a few short words ("no", "nya", "adalah") and, less surely, over up to
three others ("rekening atas nama ..."); a word that names another thing (a decree, a wage, a time) ends its reach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

REACH: Final = 64  # characters before a number in which a label counts
_AFTER: Final = 36  # and after it
_UNKNOWN: Final = 3  # words we do not know, between a label and its number
_STEPS: Final = 10


@dataclass(frozen=True, slots=True)
class Label:
    """kind: what the number is called. direct: only known filler words stand between."""

    kind: str
    direct: bool


_WORDS: Final = {
    "nik": ["nik", "nikktp", "ktp", "ektp", "nonik", "noktp", "identitas", "kependudukan"],
    "kk": ["kk", "nokk"],
    "npwp": ["npwp", "nonpwp", "npwpd"],
    "nitku": ["nitku"],
    "bpjs": ["bpjs", "jkn", "kis", "nobpjs", "bpjskes", "bpjsks"],
    "kpj": ["kpj", "nokpj", "jht", "jamsos", "sostek", "jamsostek", "bpjstk", "bpjamsostek", "bpjsnaker"],
    "nib": ["nib", "nonib"],
    "nip": ["nip", "nonip", "nrp", "nippk", "nipppk"],
    "passport": ["paspor", "passport", "pasport", "pasfor", "nopaspor", "splp"],
    "sim": ["sim", "nosim"],
    "phone": ["hp", "nohp", "hape", "nope", "wa", "nowa", "whatsapp", "whatsap", "whatsup", "wasap", "tel", "telp", "telpon", "telepon", "telfon", "telephone", "telephon", "phone", "tlp", "tlpn", "tlf", "ponsel", "handphone", "hanphone", "seluler", "mobile", "kontak", "contact", "fax", "faks", "hub", "hubungi", "dihubungi", "menghubungi", "sms", "call", "ditelepon", "ditelpon", "telegram", "cp"],
    "account": ["rek", "rekening", "norek", "norekening", "tabungan", "simpedes", "britama", "taplus", "bukopin", "panin", "ocbc", "maybank", "btpn", "jenius", "acc", "account", "bri", "bni", "bca", "bsi", "btn", "bjb", "mandiri", "danamon", "permata", "cimb", "niaga", "muamalat", "seabank", "briva", "dana", "gopay", "ovo", "shopeepay"],
}
_MISREAD: Final = {"nlk": "nik", "nlp": "nip", "slm": "sim"}  # as a scan gives them
_CLITICS: Final = ("nya", "ku", "mu", "lah", "kah", "pun")
_KIND: Final = {word: kind for kind, words in _WORDS.items() for word in words}
# A long label with one letter dropped or two swapped is still read as one.
_TYPOS: Final = {
    typo: _KIND[word]
    for word in ("rekening", "paspor", "telepon", "telpon", "whatsapp", "identitas", "kependudukan", "handphone", "jamsostek")
    for i in range(1, len(word))
    for typo in (word[:i] + word[i + 1 :], word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :])
}
# A word that is a label only after another one.
_PAIRS: Final = {
    ("kartu", "keluarga"): "kk", ("induk", "kependudukan"): "nik", ("tanda", "penduduk"): "nik", ("kartu", "penduduk"): "nik",
    ("bpjs", "kesehatan"): "bpjs", ("bpjs", "kes"): "bpjs", ("indonesia", "sehat"): "bpjs", ("bpjs", "ketenagakerjaan"): "kpj", ("bpjs", "tk"): "kpj", ("kartu", "tk"): "kpj", ("peserta", "tk"): "kpj", ("kartu", "ketenagakerjaan"): "kpj",
    ("bpjs", "naker"): "kpj", ("jaminan", "sosial"): "kpj", ("wajib", "pajak"): "npwp", ("induk", "berusaha"): "nib", ("induk", "pegawai"): "nip",
    ("izin", "mengemudi"): "sim", ("ijin", "mengemudi"): "sim", ("bank", "nagari"): "account", ("bank", "sumut"): "account", ("a", "c"): "account",
    ("bank", "mega"): "account", ("virtual", "account"): "ends", ("e", "ktp"): "nik", ("peserta", "bpjs"): "bpjs", ("n", "nik"): "nik",
    ("h", "p"): "phone", ("w", "a"): "phone", ("k", "k"): "kk", ("i", "k"): "nik",
    ("nomor", "penelepon"): "phone", ("nomor", "penelpon"): "phone", ("no", "penelepon"): "phone", ("no", "penelpon"): "phone",
    ("kartu", "peserta"): "bpjs", ("no", "peserta"): "bpjs", ("nomor", "peserta"): "bpjs",
}  # fmt: skip
_SECOND: Final = frozenset(second for _, second in _PAIRS)
_FILLERS: Final = frozenset(
    ["nomerna", "nomorna", "nomornyo", "nomernyo", "nomere", "nomore", "nomeripun", "nomoripun", "abdi", "kulo", "ambo", "aden", "no", "nomor", "nomer", "nmr", "nmor", "num", "number", "nomornya", "nonya", "adalah", "ialah", "yaitu", "yakni", "itu", "ini", "nya", "ku", "mu", "lah", "atau", "dan", "serta", "dg", "dgn", "dengan", "di", "ke", "pada", "baru", "lama", "saya", "dia", "ybs", "beliau", "aktif", "pribadi", "an", "a", "n", "atas", "nama", "lengkap", "sbb", "berikut", "sebagai", "berikut", "tertulis", "tercatat", "terdaftar", "peserta", "kartu", "anggota", "kepesertaan", "b", "c", "d", "bi", "bii", "bu", "umum", "bank", "pemilik", "milik", "jo", "id", "seri", "kode", "saya", "aku", "awak", "sdr", "sdri", "saudara", "pak", "bu", "ibu", "bapak", "anak", "istri", "suami", "kerja", "rumah", "kantor", "alt", "lain", "kedua", "utama", "juga", "yg", "yang", "bisa", "via", "lewat", "ke", "melalui", "pd", "skrg", "sekarang", "jadi", "menjadi", "diganti", "ganti", "lapor", "isi", "oss", "sendiri", "istrinya", "suaminya", "anaknya", "ayah", "ortu", "keluarga", "pemohon", "pelapor", "pelamar", "pencaker", "pekerja", "bersangkutan", "masih", "benar", "betul", "tersebut", "tsb", "digit", "angka", "p", "0", "1", "2", "62", "x", "tujuan"]
)
# The number belongs to one of these instead.
_OTHERS: Final = frozenset(
    ["va", "rp", "idr", "rupiah", "upah", "gaji", "sebesar", "senilai", "total", "jumlah", "biaya", "honor", "belanja", "uang", "saldo", "tgl", "tanggal", "tahun", "thn", "th", "bulan", "jam", "pukul", "pkl", "sk", "surat", "perkara", "putusan", "pasal", "perda", "pergub", "perbup", "uu", "pp", "permen", "nota", "kbli", "kbji", "order", "pesanan", "invoice", "faktur", "resi", "transaksi", "tiket", "kuitansi", "barcode", "kuota", "sebanyak", "skor", "nilai", "km", "lowongan", "laporan", "registrasi", "agenda", "berkas", "berlaku", "sd", "hingga", "sampai", "umur", "usia", "halaman", "ref", "referensi", "antrian", "antrean", "serial", "sn", "imei", "versi", "unit", "ha", "meter", "koordinat"]
)
_TOKEN: Final = re.compile(r"[a-z]+|\d+|[;,!?\n]|\.(?=\s)")
_AFTER_FORM: Final = re.compile(
    r"[ \t\n\r\x7f]{0,2}(?:([(\[])[ ]?|([-=,:])?[ ]?(?:(adalah|ialah|itu|ini|merupakan|sbg|sebagai|yaitu)[ ])?)(?:(?:no|nomor|nmr)\b[. ]{0,2})?"
    r"([a-z]+)(?:[ \-/]([a-z]+))?"
)
_NUMBER_FOLLOWS: Final = re.compile(r"[^a-z\d;]{0,4}(?:(?:no|nomor|adalah|nya)\b[^a-z\d;]{0,3})?[\d+]")
_WEAK_AFTER: Final = frozenset(["hub", "hubungi", "dihubungi", "menghubungi", "call", "kontak", "contact", "identitas", "mandiri", "niaga", "oss", "cp", "tel", "mobile"])
_WEAK_BEFORE: Final = frozenset(["dana", "mandiri", "niaga", "permata", "identitas", "mobile", "call"])  # other things too, but right before a number

# Every word by which a text may show that it labels something: a cheap test before any search.
TRIGGERS: Final = frozenset(f"{word}{clitic}".encode() for word in (*_KIND, *_TYPOS, *_MISREAD, *_SECOND, "p", "a", "c", "k") for clitic in ("", *_CLITICS)) | {
    f"{word}{letter}".encode() for word in _WORDS["passport"] for letter in ascii_lowercase
}


def _with_clitics(word: str) -> Iterator[str]:
    """The word, and with each clitic; too short a word has none."""
    yield word
    yield from (word + clitic for clitic in _CLITICS if len(word + clitic) >= 4)


# What each word says by itself, a kind or one of the signs below; asked of every word before a number, so worked out beforehand.
_FILLS: Final = "fills"
_ENDS: Final = "ends"
_PAUSES: Final = "pauses"
_CLOSES: Final = "closes"
_NAMES: Final = {form: kind for word, kind in (_TYPOS | _MISREAD | _KIND).items() for form in _with_clitics(word)} | _TYPOS | _KIND
_SAYS: Final = (
    dict.fromkeys(_FILLERS, _FILLS) | dict.fromkeys(_OTHERS, _ENDS) | {",": _PAUSES, ".": _PAUSES, "\n": _PAUSES} | dict.fromkeys(";!?", _CLOSES) | _NAMES
)
# The same for words that need the one before: word → the one before → kind.
_SAYS_AFTER: Final[dict[str, dict[str, str]]] = {}
for (_first, _then), _called in _PAIRS.items():
    for _form in _with_clitics(_then):
        _SAYS_AFTER.setdefault(_form, {})[_first] = _called
_NUMBER_WORDS: Final = frozenset({"no", "nomor", "nomer", "nmr"})
_LABELS: Final = {kind: (Label(kind, direct=True), Label(kind, direct=False)) for kind in _WORDS}


def known_word(word: str) -> bool:
    """Whether a word before a number is a label, or one that stands between a label and its number."""
    return word in _SAYS and len(word) > 1


def glued_letters(word: str) -> int:
    """How many letters of a passport are glued to the word before its digits: 2 of "pasporat" in "pasporAT123456"."""
    return next((n for n in (1, 2) if len(word) > n and (word[:-n] in _NUMBER_WORDS or _NAMES.get(word[:-n]) == "passport")), 0) if word not in _SAYS else 0


def before(low: str, start: int) -> Label | None:
    """The label of a number that begins at `start` of a lower-cased text."""
    words = _words_before(low, start)
    unknown, closed = 0, False
    at = len(words)
    for word in words[: -_STEPS - 1 : -1]:
        at -= 1
        says = _SAYS.get(word)
        pairs = _SAYS_AFTER.get(word)
        if pairs is not None and at:
            says = pairs.get(words[at - 2] if at > 1 and words[at - 1] == "." else words[at - 1]) or says
        if says is None:
            if word.isdigit():
                if words[at + 1 : at + 2] in (["digit"], ["angka"]):  # "NPWP 16 digit"
                    continue
                return None
            unknown += 1
            if closed or unknown > _UNKNOWN:
                return None
        elif says is _FILLS:
            continue
        elif says is _ENDS:
            return None
        elif says is _PAUSES or says is _CLOSES:
            if unknown:
                return None
            closed = closed or says is _CLOSES
        else:
            return None if unknown and word in _WEAK_BEFORE else _LABELS[says][unknown > 0]
    return None


def _words_before(low: str, start: int) -> list[str]:
    """The words and signs before a number, without the letters of a passport's."""
    words = _TOKEN.findall(low, start - REACH if start > REACH else 0, start)
    if not words or (last := words[-1]) in _SAYS or last in _SAYS_AFTER or not last.isalpha():
        return words
    if len(last) < 3:
        words.pop()
    elif glued := glued_letters(last):
        words[-1] = last[:-glued]
    return words


def after(low: str, end: int) -> Label | None:
    """The label that follows a number: "(NIK)", "adalah nomor BPJS"; a label with a number of its own behind it is not this one's."""
    m = _AFTER_FORM.match(low, end, end + _AFTER)
    if m is None:
        return None
    bracket, _, verb, word, second = m.groups()
    kind = _NAMES.get(word)
    if second in _SECOND:
        kind = _SAYS_AFTER[second].get(word) or _NAMES.get(second) or kind
    if kind is None or kind == _ENDS:
        return None
    if not bracket and not verb:
        rest = m.end(4) if not second else m.start(5) - 1
        if word in _WEAK_AFTER or _NUMBER_FOLLOWS.match(low, rest, min(end + _AFTER, m.end() + 12)):
            return None
    return _LABELS[kind][0]
