"""Addresses in a folded text: from a street, a hamlet, a ward or a word of living somewhere on, as far as their parts continue. Pure, linear.

A part is a keyword with its name ("Kel. Muaro"), a house number, RT/RW, a place after a comma, a postcode, a spot ("belakang masjid").
Names of streets are capitalised words where the text distinguishes, else the words up to one that no name has. "jalan" is also a verb:
then it is no address. What has no street or hamlet, or too little of one, is `shaped`: an address only beside a person.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_STREET: Final = ["jl", "jln", "jalan", "jlan", "jaln", "gg", "gang", "lr", "lrg", "lorong"]
_HAMLET: Final = ["dusun", "dsn", "jorong", "jrg", "jor", "jr", "nagari", "nag", "ngr", "kenagarian", "kenag", "kp", "kampung", "kampuang", "simp", "kpg", "kmp", "kamp", "komplek", "kompleks", "komp", "perum", "perumahan", "perumnas", "asrama", "apartemen", "rusun", "rusunawa", "cluster", "lingkungan", "lingk", "dukuh", "dk", "dukuhan", "padukuhan", "pedukuhan", "banjar", "kav", "kavling", "huta", "lumban", "sosor", "taratak", "gampong", "pekon"]
_AREA: Final = ["rt", "rw", "rtrw", "kel", "kelurahan", "desa", "ds", "blok", "blk", "kec", "kecamatan", "kab", "kabupaten", "lk", "link", "ling"]
# What may follow with any words: the address called one; the living somewhere, behind "di"; and the going there, only to a spot.
_CALLED: Final = [
    "alamat", "alamatnya", "alamatnyo", "alamate", "alamatku", "alamatmu", "almt", "almat", "alamt", "alarnat", "beralamat",
    "beralamatkan", "domisili", "domisilinya", "domisilinyo", "berdomisili", "kediaman", "kediamannya", "korespondensi",
]  # fmt: skip
_LIVING: Final = [
    "tinggal", "tinggalnya", "tinggalnyo", "tingga", "tggl", "tingal", "tinggl", "bertempat", "menetap", "netap", "bermukim", "mukim",
    "berumah", "berdiam", "bermalam", "menginap", "nginap", "ngekos", "ngekost", "indekos", "kos", "kost", "kosan", "kosnya", "kostnya",
    "ngontrak", "mengontrak", "ngontraknya", "kontrakan", "kontrakannya", "numpang", "menumpang", "nebeng", "mengungsi", "ngungsi",
    "rumah", "rumahnya", "rumahnyo", "rumahku", "rumahna", "rumahe", "rmh", "rmhnya", "omahe", "omah", "griyanipun", "griyane",
    "dalemipun", "imahna", "bumina", "jabuna", "manggon", "cicing", "matuh", "maringan", "menempati", "hidup", "ditempati", "tidur", "tingganyo", "tinggalna",
]  # fmt: skip
_GOING: Final = [
    "kirim", "dikirim", "kirimkan", "dikirimkan", "antar", "diantar", "antarkan", "diantarkan", "jemput", "dijemput", "pindah",
    "pulang", "asal", "berasal", "warga",
]  # fmt: skip
_NUMBERING: Final = ["no", "nomor"]
_KIND: Final = ["mess", "bedeng", "barak", "pasar", "psr"]
_SLIPPED: Final = ["j", "ji", "amat"]  # of J1., Ji. and a1amat
ADDRESS_WORDS: Final = frozenset((*_STREET, *_HAMLET, *_AREA, *_CALLED, *_LIVING, *_GOING, *_KIND, *_NUMBERING, *_SLIPPED, "d"))
_STREETS: Final = frozenset(_STREET)
_HAMLETS: Final = frozenset(_HAMLET)
_AREAS: Final = frozenset(_AREA)
_CALLS: Final = frozenset((*_CALLED, "d"))
_GOES_TO: Final = frozenset(_GOING)
_KINDS: Final = frozenset(_KIND)
_NUMBERS_A_HOUSE: Final = frozenset(_NUMBERING)
_OWN: Final = frozenset({"rumahnya", "rumahku", "rumahnyo", "alamatnya", "alamatku", "alamatnyo", "tinggalnya"})
_STAYS: Final = frozenset({"tinggal", "tingga", "tggl", "menetap", "bermukim", "ngekos", "ngekost", "ngontrak", "mengontrak", "numpang", "menumpang"})
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
    "hub|hubungi|kontak|a\\.?n|sdr|sdri|ybs|ttl|lahir|rp|nip|sim|paspor|kpj|nib|kbli|kbji|ak|alamat|domisili|jl|jln|jalan|gg|rt|rw|kel|kelurahan|kec|kecamatan|kab|kabupaten|prov|provinsi|jorong|blok|km|kode|"
    "nag|ngr|kenag|lk|link|lingk|no|nomor|nmr|ket|tgl|karena|krn|sudah|sdh|belum|blm|tidak|tdk|akan|demikian"
)
# Nor do these go on in one.
_HARD: Final = (
    f"{_CORE}|status|agama|pekerjaan|umur|usia|jenis|pendidikan|keterangan|tanggal|gang|kota(?=[ ](?!kab|prov|kec|kel|j[lan]|gg|r[tw]|lk|no|hp|wa|telp|an |dan |yg |yang |tks|sudah |sdh |minta |utk |untuk |di |ke )[A-Za-z])|dsn|ds|jr|jrg|jor|lr|lrg|kp|kpg|komp|blk|psr|ps|kav|afd|desa|dusun|nagari|kenagarian|lingkungan|perum|perumahan|komplek|kompleks"
)
# Nor these, where capitals do not tell.
_VERBS: Final = (
    "telah|tak|bisa|dapat|dpt|mau|ingin|minta|mohon|harap|kalau|kalo|jika|bila|saat|ketika|setelah|sebelum|sejak|selama|sampai|hingga|an|bekerja|kerja|datang|melapor|lapor|sekarang|skrg|lagi|masih|juga|serta|atau|oleh|sebagai|"
    "sbg|punya|ada|nanti|besok|kemarin|bukan|hanya|dihubungi|bersedia|siap|menunggu|mengaku|pkl|pukul|upah|gaji|sesuai|tapi(?! (?:balai|aia|air|sungai|batang|danau|bukik|pasa|lauik|banda)(?![a-z]))|tetapi|namun|lalu|kemudian|bersama|via|menurut|berdasarkan|cocok|valid|beralamat|tercatat|terdaftar|sedang|"
    "selalu|sering|setiap|tiap|terima|pemohon|pelapor|pencari|lowongan|posisi|jabatan|diterima|ditolak|diminta|dikirim|macet|rusak|banjir|longsor|ditutup|ya|orangnya|katanya|biar|supaya|agar|jadi|lebih|kini|udah|dah|ga|gak|nggak|"
    "berumur|kelahiran|meng[a-z]{4,}|meny[a-z]{4,}|memb[a-z]{3,}|memp[a-z]{4,}"
)
# Spots beside which somebody lives: a part of an address of their own, with what stands there.
_SPOTS: Final = (
    "dekat|dkt|deket|dakek|dakat|depan|dpn|belakang|blkg|blkng|balakang|samping|smpg|smping|sampiang|sebelah|sblh|seblah|sabalah|subalah|seberang|sebrang|sbrg|subarang|ujung|ujuang|pojok|sudut|tepi|pinggir|simpang|simp|spg|pertigaan|"
    "perempatan|masuk|bekas|eks|patokan|tepat|persis|gerbang|pagar|cat|kamar|kmr|pintu|lantai|unit|petak|rumah|rmh|kos|kost|kontrakan|mess|bedeng|barak|afdeling|emplasemen|emplasmen|tower|mburi|ngarep|cedhak|pengkeran|pengker|gigireun|hareupeun|caket|deukeut|jonok|wetan|kidul|kulon|tukang"
)
_SOFT: Final = f"{_VERBS}|(?:{_SPOTS})(?=[ ](?!(?:rt|rw|kel|kec|no|ds|kab)\\b)[a-z\\d])|nama|atas|bapak|ibu|pak|bu|tinggal|pindah|dalam(?= (?:rangka|keadaan|hal|waktu|masa|proses|kondisi|satu|perjalanan|daftar|data))|keluarga|anak|istri|suami|orang|milik|jam|sama|lewat|surat|sk|tempat|berkas|lengkap|dokumen"
_STOP: Final = f"{_HARD}|{_SOFT}"
_GOES: Final = rf"(?!(?i:kp|komp|dsn?|jor|jrg?|perum|lr|lrg|kav|kb|kc|kl|simp|psr|sp)\.|(?i:{_grouped(_CORE)}|{_grouped(_VERBS)})(?![A-Za-z]))"
_FIRST_WORD: Final = rf"(?!(?:{_grouped(_CORE)})(?![a-z]))"
_FIRST_CAPITAL: Final = rf"(?!(?i:{_grouped(_CORE)})(?![A-Za-z]))"
_END: Final = rf"(?!(?:{_grouped(_STOP)})(?![a-z]))"
_END_CASED: Final = rf"(?!(?i:{_grouped(_HARD)})(?![A-Za-z]))"
_TITLE: Final = "[a-z]{1,2}|prof|drs|jend|letjen|mayjen|brigjen|kapt|kol|letkol|pol|kompol|sei|moh|muh|kyai|tgk|simp|perk|bkt|tlk|btg|pdg|lbk|kpg|psr"
_INITIAL: Final = rf"(?:(?:{_TITLE})(?:\. ?|[ ])(?=[a-z]))"
_ORDINAL: Final = r"(?:(?i:[ivx]{1,5}|\d{1,2}(?: ?x ?\d{1,2})?)[ ](?!(?:no|rt|rw)\b))"  # "IV Koto", "2 x 11 Enam Lingkung", "Pasar 4 Padang Cermin"
_NAGARI: Final = r"(?i:[ivx]{1,4}|\d) (?i:nagari|jurai)(?![A-Za-z])(?:[ ](?!(?i:kab|kec|kota|prov)[a-z]*(?![A-Za-z]))[A-Z]\w+)?"  # a district of so many villages
_NAME_LOW: Final = rf"(?:{_NAGARI}|(?:{_FIRST_WORD}{_INITIAL}){{0,4}}{_ORDINAL}?{_FIRST_WORD}[a-z][\w'-]*(?:[ ]{_END}(?:[a-z]\. ?)?[a-z\d][\w'-]*){{0,5}})"
_NAME_SHORT: Final = rf"(?:{_FIRST_WORD}{_INITIAL}){{0,4}}{_FIRST_WORD}[a-z][\w'-]*(?:(?:[ ]{_END}[a-z][\w'-]*){{1,3}}(?=[ ]*(?:[,.\n;)]|no\b|rt\b|\d|$)|[ ](?:[A-Z]|(?:nagari|kec|kel|desa|blok|kab|gg)\b)))?"
_NAME_CASED: Final = (
    rf"{_ORDINAL}?(?:{_FIRST_CAPITAL}(?i:{_TITLE})(?:\. ?|[ ])(?=[A-Z])){{0,4}}{_FIRST_CAPITAL}[A-Z\d][\w'-]*(?:[ ](?:{_END_CASED}(?:[A-Z]{{1,2}}\. ?)?[A-Z\d][\w'-]*|[IVX]+\b)){{0,5}}"
)
_CASED: Final = rf"(?:{_NAGARI}|{_NAME_CASED}|{_NAME_SHORT}(?:[ ]{_END_CASED}[A-Z][\w'-]*){{0,3}})"
_NO: Final = r"(?:no(?:mor|mer)?|nmr)\b[. :]{0,3}(?:(?:rumah|rmh|rm)(?:nya|nyo|ku)?\b[. :]{0,3})?"
_NUMBER: Final = rf"(?:{_NO}|#)?\d{{1,4}}(?![\d.]*\d{{3}})(?:(?:[ \-/]|-\n)?[a-z](?![a-z]))?(?:[-/]\d{{1,4}}[a-z]?)?(?![\w])"
_HOUSE: Final = (
    rf"(?i:{_NUMBER}|{_NO}(?:[a-z][-. /]?\d{{1,3}}[a-z]?\b|-)|r[tw][ .]{{0,2}}-|(?:blok|blk)(?:[. ]{{1,2}}[a-z]{{1,3}}(?:[ ]?[-./]?[ ]?\d{{1,3}}[a-z]?)?|[. ]{{0,2}}\d{{1,3}}[a-z]?)\b|[a-z]{{1,2}}[-/]?\d{{1,3}}(?:/\d{{1,3}})?[a-z]?\b|"
    r"km[. ]{0,2}\d[\d,.]{0,5}|(?:lt|kamar|kmr|pintu|lantai|unit|petak|los|kios|tower|pondok|ruko|rumah|rmh|jalur)[. ]{1,2}(?:no(?:mor)?[. ]{1,2})?[a-z]?-?\d{1,3}[a-z]?\b|"
    r"(?:no|nomor|km|rt|rw)[. ]{1,2}(?:se(?:puluh|belas|ratus)|satu|dua|duo|tiga|tigo|empat|ampek|lima|limo|enam|anam|tujuh|tujuah|delapan|lapan|salapan|sembilan)(?: (?:puluh|belas|ratus|satu|dua|tiga|empat|lima|enam|tujuh|delapan|sembilan)){0,4}(?: [a-z])?(?![a-z]))"
)
_RT: Final = (
    r"(?i:\(?rt[ ]?[/.\-]?[ ]?rw[. :=\t]{0,4}\d{1,3}[ ]?[/\-.][ ]?\d{1,3}\)?|\(?r[tw][. :=\-]{0,3}\d{1,3}(?:[ ,]{0,2}[/\-,.]?[ ]?(?:r[tw][. :=\-]{0,3})?(?<![\d])\d{1,3}|"
    r"[ ]?/[ ]?\d{1,3})?\)?)(?!\d)"
)
_KEYWORDS: Final = (
    "jl|jln|jalan|gg|gang|lr|lrg|lorong|dusun|dsn|jorong|jrg|jor|jr|nagari|nag|ngr|kenagarian|kenag|kp|kampung|kampuang|kpg|komplek|kompleks|komp|perum|perumahan|perumnas|asrama|lingkungan|lingk|ling|lk|link|dukuh|banjar|huta|lumban|"
    "kel|kl|kelurahan|kelurah an|kelu rahan|desa|ds|kec|kc|kecamatan|kecamat an|keca matan|kab|kb|kabupaten|kota|kodya|prov|provinsi|propinsi|blok|blk|cluster|simpang|pasar|psr|pasa|ps|kaw|kawasan|kav|kavling|afdeling|afd|dasawisma|jalur|dk|ken|gampong"
)
_KEYWORD: Final = rf"(?i:{_grouped(_KEYWORDS)})"
_POSTCODE: Final = r"(?i:kode ?pos[ :=.\t]{0,4})?\d{5}(?!\d)"
_BETWEEN: Final = r"[ \t]?[)\]]?(?:[,.;/|(\[–-]|[ ]-)?[ \t]?(?:\n[ \t]{0,16}|[ ]{0,3})"
# Words that describe a spot, with titles and short forms among them; names of people and shops are no end of it.
_SHORT: Final = "t[jg]|k[bp]|ps|psr|sp|simp|s[eu]i|bt|btg|pd|pdg|lb|lbk|tb|bkt|tlk|perk"
_PIECE: Final = rf"(?:(?i:hj?|pt|cv|ud|drs?|ust|st|[kma]|{_SHORT})\. ?)?[A-Za-z\d][\w'/-]*"
_LANDMARK: Final = "ujung|simpang|depan|belakang|jalan|tikungan|pemandian|jembatan|pasar|masjid|mesjid|arah|tepi|pinggir|kanan|kiri|atas|bawah|kampung|sawah|sungai|kebun|rumah|tengah"
_WORDS: Final = rf"(?:[ ](?:{_GOES}{_PIECE}|(?i:no(?:mor)?)[. ]{{1,2}}\d{{1,3}}[a-z]?\b|(?i:(?:dari|ke|di) (?:{_LANDMARK}))(?![a-z])))"
_SPOT: Final = rf"(?i:{_grouped(_SPOTS)}|lewat|arah|ruko|pondok|kios|warung|kedai|toko|gubuk|kebun)(?![A-Za-z])\.?(?:(?:(?<=masuk)[ ](?:dari|lewat|ke|di))?{_WORDS}{{1,5}}|(?=[ ]{_KEYWORD}(?![a-z])))"


_PROVINCE: Final = (
    r"(?i:(?:sumatera|sumatra|jawa|kalimantan|sulawesi) (?:utara|barat|selatan|timur|tengah|tenggara)|(?:kepulauan )?riau|jambi|aceh|bengkulu|lampung|banten|sumut|sumbar|dki jakarta|bali)"
    r"(?![A-Za-z])"
)


def _tail(name: str, loose: str) -> re.Pattern[str]:
    """What an address goes on with, behind its first name; `loose` is a name after a comma without a keyword."""
    own = rf"{_KEYWORD}(?![A-Za-z])(?:\.?[ ]?/[ ]?{_KEYWORD}(?![A-Za-z]))?[. :,=\t-]{{0,4}}(?:{name}|(?i:[ivx]{{1,5}}|\d{{1,2}})(?!\w))"
    part = rf"(?=[IVXivx2]){_NAGARI}|{own}|{_RT}(?:[ ]{loose})?|{_HOUSE}(?:[ ]{loose})?|(?:(?=[A-Za-z ]{{3,30}}\d{{5}}){loose}[ ])?{_POSTCODE}|[a-z]{{2,9}}(?=[ ](?:no|nomor|rt)[. ]{{0,2}}\d)"
    return re.compile(rf"(?:(?:{_BETWEEN}|[ ]di[ ])(?:{part})|[ ]?[,(\[/-]?[ ]?\n?{_SPOT}|[ ]?[)\]]?[ ]?,[ ]?\n?{loose}|[ ]\((?i:[a-z]{{3,9}})\)(?=[ ,]{{1,2}}{_KEYWORD}(?![A-Za-z]))|[ ](?:dari|ke) (?:{_LANDMARK})(?![a-z])|[ ]?,?[ ]{_PROVINCE}){{0,14}}")


# A loose name must itself be followed by a sign, an end or a postcode where capitals do not tell it from other words.
_LOOSE_LOW: Final = rf"(?!{_KEYWORD}(?![a-z])){_END}(?:[a-z]\. ?)?[a-z][\w'-]*(?:[ ]{_END}(?!{_KEYWORD}(?![a-z]))[a-z][\w'-]*){{0,2}}(?:[ ]kota)?(?=[ ]?(?:[^\w ]|\d{{5}}|$)|[ ](?:{_grouped(_STOP)})(?![a-z]))"
_LOOSE_CASED: Final = rf"(?!{_KEYWORD}(?![A-Za-z]))(?:{_END_CASED}[A-Z][\w'-]*\.? ?){{0,2}}{_END_CASED}[A-Z][\w'-]*(?:[ ]{_END_CASED}[A-Z][\w'-]*){{0,1}}"
_TAIL_LOW: Final = _tail(_NAME_LOW, _LOOSE_LOW)
_TAIL_CASED: Final = _tail(_CASED, _LOOSE_CASED)
_FIRST_LOW: Final = re.compile(rf"[. :,]{{0,3}}(?:\n)?({_NAME_LOW}|\d{{1,3}}[a-z]?\b)")
_FIRST_CASED: Final = re.compile(rf"[. :,]{{0,3}}(?:\n)?({_CASED}|\d{{1,3}}[A-Za-z]?\b)")
_RT_BOTH: Final = re.compile(r"(?i:rt[^\d\n]{0,4}\d{1,3}[ ,]{0,2}/?[ ]?(?:rw[. :-]{0,3})?\d{1,3})(?!\d)")
_RT_HERE: Final = re.compile(_RT)
_BESIDE_LOW: Final = re.compile(rf"[ ]{_LOOSE_LOW}")
_BESIDE_CASED: Final = re.compile(rf"[ ]{_LOOSE_CASED}")
_NUMBER_AT: Final = re.compile(r"(?<= )no(?:mor)?[. :]{0,3}(?P<house>(?:rumah|rmh|rm)(?:nya|nyo|ku)?\b[. :]{0,3})?\d{1,3}(?:[ -]?[a-z])?(?!\w|[./-]\d)")
_PLACE: Final = rf"(?:(?i:{_SHORT}|br|ken)\.[ ]?)?{_GOES}[A-Za-z][A-Za-z'-]*"
_PLACE_BEFORE: Final = re.compile(rf"(?:^|[\n,(;|]|[ ]-)[ ]?((?!(?i:rumah|rmh)[ ]$)(?:{_PLACE}[ ]){{1,5}})$")
# What has a number and is no house.
_COUNTED: Final = re.compile(
    r"(?i)(?<![a-z])(?:surat|sk|nota|loket|antre?an|antrian|kursi|meja|ruang|ruangan|kelas|kamar|gelombang|angkatan|map|berkas|lampiran|formulir|halaman|pasal|ayat|butir|poin|kartu|ijazah|sertifikat|"
    r"akta|kuitansi|kwitansi|tiket|resi|urut|register|registrasi|agenda|perkara|putusan|laporan|kotak|lemari|rak|laci|folder|file|kolom|baris|soal|jawaban|peserta|absen|seri|mesin|unit|ukuran|sepatu|baju|paket|"
    r"lot|kavling|rapat|undangan|pengaduan|aduan|dokumen|bukti|foto|gambar|tabel|sim|peringkat|juara|prioritas|pilihan|lowongan|jalur|bus|angkot|hotline|dinas|kantor|bank|pt|cv|toko|peraturan|perda|permen|uu|pp)(?![a-z])"
)
_NUMBERED_AREAS: Final = frozenset({"rt", "rw", "rtrw", "blok", "blk", "lk", "link", "ling"})
_BLOCK: Final = re.compile(r"(?:blok|blk)[. ]{0,2}[a-z]{1,3}[ ]?[-./]?[ ]?\d{1,3}[a-z]?\b", re.IGNORECASE)
_STRONG: Final = re.compile(rf"{_RT}|(?i:\bno[. ]{{0,2}}\d|\bkel\b|\bkelurahan\b|\bkec\b|\bkecamatan\b|\b(?:lk|lingk|link|lingkungan)[. ]{{0,2}}(?:\d|[ivx]+\b)|\b(?:jl|jln|jorong|jor|jrg|jr|dusun|dsn|nagari|nag|desa|ds|kab|kota|blok|gg|gang|lr|lrg)\b|\bkm[. ]?\d)|\b\d{{5}}\b")
_PART_NEXT: Final = re.compile(rf"[ ,(]{{1,2}}(?:{_STRONG.pattern}|(?i:r[tw])[ ][dlestn])")

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
_GENERIC: Final = frozenset({"taratak", "banjar", "huta", "lumban", "sosor", "dukuh"})
_VILLAGES: Final = frozenset({"nagari", "nag", "desa", "ds", "kelurahan", "kel", "kecamatan", "kec", "jorong"})
_LOOSE_HAMLETS: Final = frozenset(["perumahan", "asrama", "lingkungan", "komplek", "kompleks", "banjar", "cluster", "apartemen", "rusun", "kamp", "jor", "kp", "simp"])
_NO_HAMLET: Final = frozenset(["halaman", "asal", "keluarga", "kelahiran", "sendiri", "inggris", "kerja", "hidup", "adat", "sebelah", "lain", "itu", "ini", "ybs", "saya", "kami", "dan", "di", "yang", "yg", "ke", "se", "sangat", "setempat", "kompleks", "masalah", "dinas"])
_BEFORE: Final = re.compile(r"([a-z]+)[^a-z\n]*$")
_WORD: Final = re.compile(r"[a-z]+")

# A highway with a house number, a lane or a ward is an address in any case.
_HIGHWAY: Final = re.compile(r"jalan raya [a-z' ]{2,40}?[, ]{1,2}(?:(?:no|nomor|km)[. ]{0,2}\d|(?:gg|gang|rt|kel|kelurahan|desa|lk|blok)\b)")
_A_ROAD: Final = re.compile(r" (?:sedang |yang |yg |masih |kembali )?(?:macet|rusak|longsor|banjir|ditutup|putus|diaspal|diperbaiki|berlubang|amblas|licin)(?![a-z])")
_PART_HERE: Final = re.compile(rf"(?:{'|'.join((*_STREET, *_HAMLET, *_AREA))})(?![a-z])")
_NONE: Final = (0, 0, "", "")
# Behind the word: whose, since when and with whom, then a sign or "di".
_FILLERS: Final = (
    "aja,?|saja,?|lengkap|lengkapnya|tinggal|domisili|ktp|asal|sekarang|skrg|skrang|skr|kini|sesuai|kantor|surat|suratnya|kirim|antar|jemput|pengiriman|baru|lama|terakhir|orang tua|orangtua|ortu|mertua|ybs|saya|sy|aku|gue|kami|beliau|inyo|tempat|sementara|"
    "tetap|saat ini|masih|memang|cuma|hanya|dibilang|katanya|ngakunya|dulu|dulunya|tadinya|tadi|juga|sendiri|sendirian|berdua|sekeluarga|numpang|menumpang|ngontrak|yang benar|yg|tertulis|tercatat|persisnya|tepatnya|surat-menyurat|"
    "suami|istri|ayah|ibu|bapak|keluarga|wali|pelapor|pemohon|pengadu|penerima|anak|kartu|kartunya|paket|paketnya|dieja|hidup|jauh|kerabat|saudara|teman|kawan|paman"
)
_SAY: Final = re.compile(
    rf"(?:[ ,]{{1,2}}\(?(?:{_grouped(_FILLERS)}|(?:rumah|kost?|kamar)(?=\)?[ ]?(?:[:=|]|(?:di|ke|saya|sy|sekarang|skrg|ybs|orang|ortu|beliau|lama|baru|sementara|tetap|asal)\b))|(?:menurut|versi|via)[ ]\w+(?=[ ]?[:,])|(?:di|no)[. ]\w+(?=[ ]?:)|/ ?no\.? ?rumah)\)?(?![a-z])){{0,5}}"
    r"(?:[ ](?:bersama|bareng|dengan|dgn|sama|ikut|di ?rumah|di ?tempat)(?:[ ][\w.']+){1,4}?(?=[ ]di[ ]))?"
    r"[ ]?(?:(?P<sign>\t?[:=|]|\t|\?(?=\s)|->)|(?P<at>ada di|di|d|dr|pada|pd|adalah|yaitu|yakni|ialah|ke|ka|kat|dari|nang|neng|ning|wonten ing|wonten|ing|ring)(?![a-z])[ :]?|)[ ]?\n?[ ]?"
)
_WHOSE: Final = re.compile(r"(?:(?:[Pp]ak|PAK|[Bb]a?pak|BAPAK|[Bb]u|BU|[Ii]bu|IBU|[Ss]dri?|SDRI?|[A-Z])[\w.']*(?:[ ][A-Za-z.']+){0,3}[ ]?)(?:[:=]|->)[ ]?\n?[ ]?")
_NOT_SAID: Final = re.compile(
    r"(?:-|tidak|tdk|belum|blm|sama|sesuai|idem|sda|s\.d\.a|kosong|tetap|dihilangkan|dihapus|dikosongkan|ditutup|disamarkan|dirahasiakan|tsb|tersebut|atas(?= (?:nama|dasar|benar|sudah|adalah)| ?[^ a-z]|$)|yang|yg|ybs|e-?mail|surel|web(?:site)?|situs|server|url|ip|mana|sini|sana|situ|milik|sewa|kontrak|ya|ada|sendiri|rantau|perantauan|luar (?:kota|negeri|daerah|pulau)|alamat|siapa|nya|tujuan|instansi|perusahaan|pengirim|aplikasi|sistem|data|berkas|formulir|isi|diisi|nama (?:jalan|jln|desa|tempat)|jalan(?=,))(?![a-z])"
)
# A kind of dwelling and no more: no address unless more is said.
_VAGUE: Final = re.compile(r"(?:mess|kos|kost|kosan|rumah|kontrakan|luar|dalam|bawah|daerah|tempat|asrama|panti|lokasi|perusahaan|kebun|mertua|orang|orangtua|keluarga|pekerja|pondok|kota|desa|kampung|kamar|(?:seberang|dekat|depan|belakang|sebelah)(?! ))(?![a-z])")
_HERE: Final = re.compile(rf"{_SPOT}|(?i:emplasemen|emplasmen|perkebunan|kebun|atas|bawah|tengah|kaki|puncak|lereng|pas|emperan|tikungan|sekitar|mush?all?a|mush?oll?a|mesjid|masjid|surau|gereja|kos-kosan|kontrakan|bedeng|barak|mess|rumah|pasar|psr|pasa|gang|lorong|huta|lumban)(?![A-Za-z]){_WORDS}")
_WITH: Final = re.compile(rf"(?!\d{{5}}|(?i:{_grouped(_CORE)})(?![A-Za-z])){_PIECE}(?:(?![ ](?i:dusun|dsn|jorong|jor|jrg?|nag|ngr|nagari|desa|ds|gg|gang|lrg?)[. ]{{1,2}}\w){_WORDS}){{0,7}}")
# Words before an address that belong to it.
_LEAD: Final = re.compile(rf"(?<![\w-])(?i:{_grouped(_SPOTS)}|kos-kosan|mush?oll?a|mush?all?a|mesjid|masjid|surau|toko|warung|kilang|bengkel|huta|bedeng|pasar|psr)(?![A-Za-z])[- ]?{_GOES}{_PIECE}{_WORDS}{{0,6}}[ ]?,?[ ]$")
_LEAD_NUMBER: Final = re.compile(rf"(?<![\w.])(?:{_NO}|(?<=, ))\d{{1,3}}[a-z]?,?[ ]$")
_LEAD_CASED: Final = re.compile(rf"(?<![\w.])(?:{_END_CASED}[A-Z][\w'-]+[ ]){{1,3}}$")
_LEAD_PLACE: Final = re.compile(rf"(?<![a-z])(?:di|ke|dari|asal)[ ]((?:{_GOES}[a-z][\w'-]+[ ]?){{1,3}},?[ ])$")
_SIGNS: Final = (", ", " (", "; ", "| ", "- ")
_LEAD_CELL: Final = re.compile(rf"(?<=[,(;| -][ (])((?!(?i:asal|warga|u?rang|tinggal|griyanipun|kost?|almt?|alamat|rumah|laki-laki|perempuan|wanita|pria|umur|usia|lajang|kawin|janda|duda)[ ,])(?:{_PLACE}[ ]){{0,2}}{_PLACE},?[ ])$")
_HEADS: Final = frozenset(
    (*_SPOTS.split("|"), *_STREET, *_HAMLET, *_AREA, *_KIND, "musholla", "mushola", "mushalla", "mesjid", "masjid", "surau", "lapau", "lepau", "warung", "toko", "gereja", "kosan", "kos-kosan", "gubuk", "pondok", "gudang", "karyawan", "kedai", "lapo", "kebun", "perkebunan", "atas", "bawah", "tengah", "kaki", "puncak", "lereng", "pas", "emperan", "tikungan", "sekitar", "lewat", "arah", "ruko")
)
_TOWARDS: Final = re.compile(r"(?:[ ](?:ke|ka|di|dari|dr))?[ :]{1,2}([a-z]+)")
_TOWARDS_FAR: Final = re.compile(r"(?:[ ][\w.-]+){1,3}?[ ](?:ke|ka|di)[ ]([a-z]+)")
_NUMBERED_HOUSE: Final = re.compile(r" ?,? ?(?:no|nomor|rt|gg)\b[. ]{0,2}\w")
_NAMED: Final = re.compile(_GOES)
_BESIDE: Final = re.compile(rf"[ ](?i:{_grouped(_SPOTS)})[ ]")
_DWELLING: Final = re.compile(rf"(?i:kost?|kosan|kos-kosan|kontrakan|mess)(?![A-Za-z]){_WORDS}{{1,6}}")
_NUMBERED: Final = re.compile(r"(?i:(?:pasar|psr|pasa|mess|bedeng|barak)[ ](?:no(?:mor)?[. ]{1,2})?(?:\d{1,3}|[ivx]{1,4}|[a-f])\b)(?:[ ][A-Z]\w+){0,3}")
_AT_A_SPOT: Final = re.compile(
    rf"(?i:dekat|dkt|dakek|depan|belakang|blkg|balakang|samping|sebelah|seberang|ujung|simpang|kos|kost|kos-kosan|kontrakan|bedeng|barak|rumah(?! sakit| makan)|karyawan|(?:pasar|psr|pasa)(?=[ ](?:\d|[ivx]+\b)))(?![A-Za-z]){_WORDS}"
)
_CELLS: Final = re.compile(r"[;|\t,]")
_FIELD: Final = re.compile(r"[ \"']*(?:alamat|almt|domisili|tempat tinggal)[a-z _]{0,20}[ \"']*")
_TOLD: Final = re.compile(rf"\d|(?<=[ ])[A-Z][a-z]|[ ](?i:{_grouped(_SPOTS)})[ ]")
_SENTENCE: Final = re.compile(r"\.(?:[ ]?\n|[ ][A-Z\d])")
_WARD: Final = re.compile(r"(?i:lk|ling|link)[. ]{0,2}(?:[ivx]{1,4}|\d{1,2})(?!\w|[ ,;/&]{1,3}(?:pr?|wanita|perempuan|orang|org)\b)", re.IGNORECASE)  # no count of men
_SLIP: Final = re.compile(r"\bj[1i](?=[.,] ?[a-z])|\bj1(?= [a-z])|\ba[1i]amat", re.IGNORECASE)
_SAID_END: Final = re.compile(
    rf"(?<!,)\n(?!(?:{_grouped(_KEYWORDS)}|rt|rw|no)(?![a-z]))|"
    r";|\t|[ ][/|][ ](?!r[tw])|\. (?=[A-Z])|\.$|\.\n|[,.]? ?\(?(?<![a-z])(?:no\.? ?(?:hp|wa|telp|ktp|nik|kk)|hp|wa|telp|tlp|telepon|nik|ktp|e-?mail|kontak|hub|hubungi|npwp|rek|rekening|bpjs|ttl|lahir|agama|status|pekerjaan|umur|usia|a\.n|an\.|"
    r"sudah|sdh|belum|tidak|tdk|dan|yang|yg|karena|krn|untuk|utk|bersedia|dapat|bisa|datang|melapor|mohon|minta|dengan|dgn|bekerja|ditempatkan|menurut|setelah|sejak)(?![a-z])",
    re.IGNORECASE,
)
_ABBREVIATED: Final = re.compile(r"\b[A-Za-z]{1,3}$|\b(?:perum|komp|letjen|mayjen|brigjen|letkol|prof|link|ling|lingk|blok|kapt|jend|drs|blkg|smpg|simp)$", re.IGNORECASE)


def find_addresses(plain: str, low: str, here: frozenset[str] | set[str]) -> Iterator[Finding]:
    """plain: as written. low: the same, lower-cased. here: those of `ADDRESS_WORDS` that occur."""
    if not here.isdisjoint(_SLIPPED) and _SLIP.search(low):
        plain, low, here = _SLIP.sub(_mended, plain), _SLIP.sub(_mended, low), {*here, "jl", "alamat"}
    starts = [(start, word) for start, word in _starts(low, here) if _may_begin(low, start, word)]
    if not starts:
        return
    text, first, tail = _reading(plain, low)
    until = 0
    for start, word in starts:
        if start < until:
            continue
        begin, end, verdict, reason = _address(text, low, start, word, first, tail)
        if end:
            yield Finding(_lead(text, low, begin, until), end, "address", verdict, reason)
            until = end
    if not here.isdisjoint(_CALLED):
        yield from _cells(low)


def _may_begin(low: str, start: int, word: str) -> bool:
    """A cheap look that spares the frequent words the dear one."""
    if word == "d":
        return low.startswith(("d/a", "d.a"), start)
    if word in _GOES_TO:
        return _towards(low, start + len(word)) > 0
    if word in _NUMBERS_A_HOUSE:
        return _NUMBER_AT.match(low, start) is not None
    return word not in _SLIPPED


def _towards(low: str, end: int) -> int:
    """Where a spot begins behind a word of going there, or 0."""
    ways = (_TOWARDS.match(low, end), _TOWARDS_FAR.match(low, end))
    return next((m.start(1) for m in ways if m and m.group(1) in _HEADS), 0)


def _mended(slip: re.Match[str]) -> str:
    """The same word read right, as long as it was."""
    word = slip.group()
    return f"{word[0]}{'l' if word[0].islower() else 'L'}{word[2:]}" if len(word) > 2 or word[0] in "jJ" else word


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
        if name is None:
            return _NONE
        if not _a_place(text, low, start, word, name):
            if word not in _LOOSE_HAMLETS or not _NAMED.match(text, name.start(1)):
                return _NONE
            stop = _onward(text, name.end(), tail)
            return (start, stop, "shaped", "perhaps a hamlet, with further parts") if stop > name.end() and (text is low or _STRONG.search(text, name.end(), stop)) else _NONE
        stop = _onward(text, name.end(), tail)
        if text[name.start(1)].islower() and text is not low:
            stop = max(stop, _onward(low, name.end(), _TAIL_LOW))  # written small though the text is not
        strong = _STRONG.search(text, name.start(), stop)
        if not strong and _A_ROAD.match(low, stop):
            return _NONE
        return start, stop, "valid" if strong else "plausible", "street or hamlet with further parts" if strong else "street or hamlet with a name"
    if word in _NUMBERS_A_HOUSE:
        return _house(text, low, start, tail)
    if word in _AREAS:
        return _area(text, low, start, end, first, tail, word)
    return _said(text, low, start, word, first, tail)


def _area(text: str, low: str, start: int, end: int, first: re.Pattern[str], tail: re.Pattern[str], word: str) -> tuple[int, int, str, str]:
    """RT/RW, a block, a ward or a village begins an address only with a named part behind it."""
    numbered = (_RT_HERE if word[0] == "r" else _BLOCK if word[0] == "b" else _WARD).match(text, start) if word in _NUMBERED_AREAS else None
    if numbered:
        at = numbered.end()
        beside = (_BESIDE_LOW if text[start].islower() else _BESIDE_CASED).match(text, at) if word[0] != "b" else None
        stop = _onward(text, beside.end() if beside else at, tail)
    elif word in ("blok", "blk") or word not in _NUMBERED_AREAS:
        name = first.match(text, end, end + _LONGEST)
        if low[end : end + 1] == "," or name is None or name.group(1).isdigit() or name.group(1).split()[0].lower() in _NO_HAMLET:
            return _NONE
        at = name.end()
        stop = _onward(text, at, tail)
        if word[0] in "bk" and word not in ("kel", "kelurahan") and not _STRONG.search(text, at, stop):
            return _NONE  # a block or a district as such
    else:
        return _NONE
    if stop - at < 4 and word not in ("ds", "kel") and not (word[0] == "r" and _lead(text, low, start, 0) < start):
        return _NONE
    return start, stop, "plausible" if _STRONG.search(text, at, stop) else "shaped", "parts of an address in a row"


def _house(text: str, low: str, start: int, tail: re.Pattern[str]) -> tuple[int, int, str, str]:
    """A place without any label, with its house's number: between signs, and with a further part unless the number is called a house's."""
    number, place = _NUMBER_AT.match(low, start), _PLACE_BEFORE.search(text, max(0, start - 48), start)
    if number is None or place is None or _COUNTED.search(text, place.start(1), start):
        return _NONE
    stop = _onward(text, start, tail)
    called = number["house"] or low.endswith("rumah ", place.start(1) + 9, start)
    named = text is low or text[place.start(1)].isupper()
    return (place.start(1), stop, "shaped", "parts of an address in a row") if called or (named and stop - number.end() > 3) else _NONE


def _onward(text: str, at: int, tail: re.Pattern[str]) -> int:
    m = tail.match(text, at, at + _LONGEST)
    stop = m.end() if m else at
    while stop > at and text[stop - 1] in " ,.;:\n\t|-(/":
        stop -= 1
    return stop


def _lead(text: str, low: str, begin: int, until: int) -> int:
    """Where an address begins with what stands before its first keyword: a spot beside the street, or a name before RT."""
    if low[max(0, begin - 4) : begin].endswith((" di ", " ke ", "\n", ": ")) or begin - until < 4:
        return begin
    before = max(until, begin - 72)
    m = _LEAD.search(text, before, begin) or _LEAD_NUMBER.search(low, max(until, begin - 20), begin)
    if m is None and text is not low and low.startswith(("r", "lk", "ling", "kel", "kec", "bl"), begin):
        m = _LEAD_CASED.search(text, before, begin)
    if m:
        return m.start()
    cell = _LEAD_CELL.match(text, max(text.rfind(sign, before, begin - 3) for sign in _SIGNS) + 2, begin)
    if cell and (text is low or text[cell.start(1)].isupper()) and not (text[begin - 2] == "," and low.startswith(("jl", "jal", "gg", "gang"), begin)):
        return cell.start(1)
    place = _LEAD_PLACE.search(low, before, begin)
    return place.start(1) if place else begin


def _cells(low: str) -> Iterator[Finding]:
    """The cells below a header's field that is called an address, line by line while they have as many fields."""
    at, field, fields, sign = 0, -1, 0, ""
    for line in low.splitlines(keepends=True):
        if field >= 0 and line.count(sign) == fields:
            cells = line.split(sign)
            start = at + sum(len(cell) + 1 for cell in cells[:field])
            cell = cells[field].strip()
            if len(cell) > 3 and not cell.isdigit():
                start += cells[field].index(cell)
                yield Finding(start, start + len(cell), "address", "shaped", "cell under an address's heading")
        else:
            field, m = -1, _CELLS.search(line)
            if m and line.count(sign := m.group()) > 1:
                cells = line.split(sign)
                field = next((k for k, cell in enumerate(cells) if _FIELD.fullmatch(cell.strip())), -1)
                fields = len(cells) - 1
        at += len(line)


def _a_place(text: str, low: str, start: int, word: str, name: re.Match[str]) -> bool:
    """Whether the word is a street's or a hamlet's here, not a verb, an office or a firm."""
    follows = _WORD.match(low, name.start(1))
    following = follows.group() if follows else ""
    before = _BEFORE.search(low, max(0, start - 24), start)
    previous = before.group(1) if before else ""
    if word in ("jl", "jln"):
        return True
    if text[start].islower() and text is not low and len(word) > 3 and _SENTENCE.match(text, start + len(word)):
        return False  # a sentence that ends in "jalan"
    if word in _GENERIC and previous in _VILLAGES:
        return False  # a village's name begins so
    digit = name.group(1)[0].isdigit()
    if word in ("nagari", "nag", "ngr", "kenagarian", "kenag", "kampung") and previous not in _PLACING and _STRONG.match(text, name.end() + 1) is None and text[name.end() : name.end() + 1] != ",":
        return False  # the village as such, not somebody's address
    if word in _HAMLETS or word in ("gg", "gang", "lr", "lrg", "lorong"):
        if digit:
            return word in ("gg", "gang", "lr", "lrg", "lorong", "lingkungan", "lingk") or (word in ("dusun", "dsn") and _STRONG.match(text, name.end() + 1) is not None)
        if previous in _OFFICES or (following in _NO_HAMLET and word in _HAMLETS) or following == "motor" or (word == "perum" and following in _FIRMS) or low[start - 1 : start] == "-":
            return False
        if text is low and word in _LOOSE_HAMLETS:
            return _NAMED.match(text, name.start(1)) is not None and (previous in _PLACING or not previous or _STRONG.match(text, name.end() + 1) is not None)
        if text is low and word in _HAMLETS and not _NAMED.match(text, name.start(1)):
            return False
        return text is low or name.group(1)[0].isupper() or word in ("gg", "jorong", "dusun", "dsn", "jrg")
    capital = text is not low and name.group(1)[0].isupper()
    if capital and following not in ("kaki", "tol", "keluar"):
        return True
    walked = (following in _WALKED and not _HIGHWAY.match(low, start)) or (previous in _WALKING and not _NUMBERED_HOUSE.match(low, name.end()))
    if digit or walked or (start and low[start - 1] == "-") or low[start + 5 : start + 6] == "-":
        return False
    return capital or previous in _PLACING or _PART_NEXT.match(text, name.end()) is not None or (text is low and not previous)


def _said(text: str, low: str, start: int, word: str, first: re.Pattern[str], tail: re.Pattern[str]) -> tuple[int, int, str, str]:
    """What is called an address: behind a colon all of it up to the sentence's end, behind "di" as far as names and spots go."""
    if word in _KINDS:
        return _kind(text, start, tail)
    called = word in _CALLS
    m = _SAY.match(low, start + (3 + low.startswith("d.a.", start) if word == "d" else len(word)), start + 140)
    assert m
    at, sign, where = m.end(), bool(m["sign"]) or word == "d", (m["at"] or "").lower()
    if word in _GOES_TO:
        at, sign, where = _towards(low, start + len(word)), False, "ke"
    elif called and not sign and not where and (whose := _WHOSE.match(text, at)):
        at, sign = whose.end(), True
    if _NOT_SAID.match(low, at) or not (sign or where or low[at : at + 1].isalpha()):
        return _NONE
    if sign:
        part = first.match(text, at, at + _LONGEST)
        stop = max(_sentence_end(text, at), _onward(text, part.end() if part else at, tail))
        if stop - at < 4 or not (_described(text, low, at, stop) if called else _specific(text, low, at, stop)):
            return _NONE
        return at, stop, "plausible" if called else "shaped", "called an address"
    head = _WORD.match(low, at)
    if not (called or where) and (head is None or head.group() not in _HEADS):
        return _kind(text, start, tail) if word in ("kos", "kost", "kosan", "kontrakan") else _NONE
    if head and _PART_HERE.match(low, at) and (found := _address(text, low, at, head.group(), first, tail))[1]:
        return found  # the street or hamlet begins an address itself
    if where and word not in _GOES_TO and (ward := _RT_BOTH.match(text, at)):
        return at, ward.end(), "shaped", "called an address"
    return _placed(text, low, at, word, where, first, tail)


def _placed(text: str, low: str, at: int, word: str, where: str, first: re.Pattern[str], tail: re.Pattern[str]) -> tuple[int, int, str, str]:
    """The place or spot at `at`, behind a word of living or going there."""
    called = word in _CALLS
    spot = bool(_HERE.match(text, at))
    cased = text is not low and (text[at : at + 1].isupper() or text[at : at + 1].isdigit())
    name = (first if cased and not spot else _WITH).match(text, at, at + _LONGEST)
    if name is None:
        return _NONE
    stop = _onward(text, name.end(), tail)
    if word in _GOES_TO:
        told = bool(_AT_A_SPOT.match(text, at) or _BESIDE.search(text, at, stop))
    else:
        told = spot or (_described(text, low, at, stop) if where or (called and cased) else called and (stop > name.end() or bool(_STRONG.search(text, at, stop))))
    if not told:
        return _NONE
    sure = (cased and (called or (word == "tinggal" and where == "di"))) or (called and _STRONG.search(text, at, stop)) or (spot and (word in _OWN or (where == "di" and word in _STAYS)))
    return at, stop, "plausible" if sure else "shaped", "called an address"


def _kind(text: str, start: int, tail: re.Pattern[str]) -> tuple[int, int, str, str]:
    """A numbered market road, as in Deli, or a dwelling for workers, with further parts."""
    name = _NUMBERED.match(text, start) or _DWELLING.match(text, start)
    if name is None:
        return _NONE
    stop = _onward(text, name.end(), tail)
    told = stop - name.end() > 3 or text[start] in "bB" or (name.re is _DWELLING and _BESIDE.search(text, start, stop))
    return (start, stop, "shaped", "a numbered road or dwelling") if told else _NONE


def _described(text: str, low: str, at: int, stop: int) -> bool:
    return not _VAGUE.match(low, at) or _specific(text, low, at, stop)


def _specific(text: str, low: str, at: int, stop: int) -> bool:
    """Whether a dwelling is told by more than its kind: a number, a name, or a spot with what stands there."""
    return _TOLD.search(text, at, stop) is not None or (text is low and low.count(" ", at, stop) > 1)


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
