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

# What may stand around a word said for a sign: budi (at) x, budi *at* x, budi -at- x.
_OPEN: Final = r"""[ \t\n\r\x7f\[({<#*|/_"'.\-]"""
_CLOSE: Final = r"""[ \t\n\r\x7f\])}>#*|/_"'.\-]"""
AT_WORDS: Final = frozenset(["at", "et", "ad", "com", "co", "org", "net", "go", "ac", "sch", "keong", "akeong"])
"""Words without one of which no sign of an e-mail address is written otherwise than as "@" or "%40"."""


def _signs(blanks: str) -> re.Pattern[str]:
    return re.compile(
        rf"""[@%&\[({{<#*|/_"'.\-{blanks}](?:(?<=@)@*|(?<=%)40|(?<=&)#64;"""
        rf"""|(?<=[^@%&]) ?(?:(?P<word>[ae]t)|(?P<odd>add?|a?[ -]?keong|(?:(?<=[\[({{<])|(?<=[\[({{<] ))a)) ?(?={_CLOSE}))"""
    )


# misplaced.py's prefilter has the same signs. Blanks are many: they are looked at only where a word stands between two.
_AT: Final = _signs(r" \t\n\r\x7f")
_AT_BRACKETED: Final = _signs("")
_AT_SAID: Final = (" at ", " at\n", "\nat ", "\x7fat", "at\x7f", " et ", " et\n", "\net ", " ad ", " add ", "keong")
_AT_SIGN: Final = re.compile("@+")
_TOP: Final = r"(?:com|co|id|org|net|go|ac|sch|info|biz)(?![^\W_])"
_SAID_DOT: Final = r"(?:dot|titik|d0t|ttk|point|d o t|t i t i k)"
_LABEL: Final = r"(?:\w(?: \w){2,40}(?!\w)|[\w-]{1,63})"
_DOT: Final = (
    rf"(?:(?: ?(?:\.{{1,2}}|[\[({{<] ?(?:{_SAID_DOT}|\.) ?[\])}}>])[ \n]?|\n\.)| {{0,1}}{_OPEN}{_SAID_DOT}{_CLOSE} {{0,1}}|,(?={_TOP})|[ \n](?=(?:com|co|org|net)\b))"
)
_DOMAIN: Final = re.compile(rf"""[ \n]?(?:[\])}}>#*|/_"'.\-] ?)?({_LABEL}(?:{_DOT}{_LABEL}){{1,6}}|[\w-]{{1,40}}\n[\w-]{{1,40}}\.{_TOP}(?:\.{_TOP})?)""")
_TLD: Final = re.compile(r"(?:[^\W\d_]{2,24}|\b(?:c o m|c o|o r g|n e t|i d))$")
# "a@b.com. Besok": a sentence's end, not another part.
_SPACED: Final = re.compile(rf"(?<![\])}}>])\.[ \n](?=\w)(?!{_TOP})|(?<=com)\.[ \n]|(?<=org)\.[ \n]|(?<=net)\.[ \n]|(?<=id)\.[ \n]|(?<=\w) \.(?! ?{_TOP})")
_DOTTED: Final = re.compile(rf"[.,]|{_SAID_DOT}|[ \n](?:com|co|org|net)\b")
_LETTERS: Final = re.compile(r"[^\W\d_]{2,24}")
_TRAILING: Final = re.compile(r"[\s.\])}>({\[<,]*(?:dot|titik)?[\s.]*$")
_TOPPED: Final = re.compile(rf"(?<![^\W_]){_TOP}|c o m\b")
_PROVIDERS: Final = re.compile(r" ?(?:gmail|gmai|gmal|gmial|yahoo|yaho|ymail|hotmail|outlook|icloud|rocketmail)(?![\w.-])")
_HOST: Final = re.compile(r"(?!rp|domain(?![a-z]))[a-z][a-z\d-]{2,30}(?![\w@])")
_CALLED: Final = re.compile(r"(?:e-?mail|surel|imel|e-?mel)(?![\w@.])|(?:e-?mail|surel|imel|e-?mel)(?:nya|nyo|ku|na|e)(?![\w@.])")
# The words of a name, told one by one behind the word for the address.
_TOLD_NAME: Final = re.compile(r"(?:e-?mail|surel|imel)(?:nya|ku)?[ :=?]{1,3}(?:[a-z]: )?((?!saya|sy|ambo|ini|itu|adalah|yg|yang|ke|di|ada|dan)[a-z]{2,20} )\Z")


def _turned(*words: str) -> str:
    return "|".join(word[::-1] for word in words)


_DIGIT_WORDS: Final = _turned("nol", "kosong", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "lapan", "sembilan")
_JOIN_WORDS: Final = _turned(
    "dot", "titik", "d0t", "ttk", "t i t i k", "d o t", "tanda strip", "tanda minus", "strip", "dash", "min", "minus", "garis bawah", "garis datar", "underscore", "underskor", "under score", "plus"
)
# The part before the sign, read backwards: digits told in words or apart, then letters, parted by signs or by words for signs.
_LOCAL_BACK: Final = re.compile(
    rf""" ?\n?(?:[\[({{<#*|/_"'-](?: |(?=\w)))?((?:(?:\d{{1,4}}|{_DIGIT_WORDS}) (?:(?:akgna|{_JOIN_WORDS}) )?){{0,8}}(?:(?<!\w)\w(?: \w){{1,30}}(?!\w)|[\w+%'-]"""
    rf"""|(?:\.| ?[._+] |\n(?=[_-])| ?[)\]}}>] ?(?:{_JOIN_WORDS}) ?[(\[{{<] ?| (?:{_JOIN_WORDS}) )(?=[\w+%'-])){{1,64}})"""
)

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
_LOOSE_TAIL: Final = re.compile(r"\d[ .\-/\n]{0,3}([a-z]{1,3}|[a-z](?: [a-z]){1,2})(?![a-z\d]|/[a-z\d])")
_LOOSE_HEAD: Final = re.compile(r"(?<![a-z\d])([a-z][ -]?[a-z]|[a-z])[ .\-/\n]{0,3}(\d{1,4}|\d(?: \d){2,3}|\d\d \d\d)$")
# Behind a word for the plate itself the letters are a region's whatever follows them, and the series may be missing.
_PLATE_NAMED: Final = re.compile(
    r"(?:plat|nopol|polisi|tnkb|no\.? ?pol)(?:nya|nyo)?[ :=.(\"]{1,3}(?:(?:no|nomor|nmr|mobil|motor|kendaraan|truk|merah|hitam|putih|dinas|dgn|dengan)(?:nya)?[ .:]{1,2}){0,3}"
    r"([a-z](?: ?[a-z])?)[ .\-/\n]{0,3}(\d(?: ?\d){0,3}(?!\d))(?:[ .\-/\n]{0,3}([a-z](?: [a-z](?![a-z])){1,2}|[a-z]{1,3})(?![a-z\d]))?"
)
_NO_WORD: Final = frozenset(["di", "ke", "dan", "th", "thn", "org", "jam", "kg", "km", "rp", "pt", "cv", "ud", "kk", "rt", "rw", "no", "yg", "per", "tgl", "an", "cc", "mm", "cm", "gr", "ton", "pk"])
NO_SUFFIX: Final = frozenset(["di", "ke", "dan", "th", "thn", "org", "jam", "kg", "km", "rp", "pt", "cv", "kk", "rt", "rw", "no", "hr", "ha", "bln", "pcs", "cm", "mm", "gr", "kw", "dr", "dg", "yg", "ada", "per", "sd", "tgl", "jt", "rb", "kali", "kel", "kec", "wib", "m", "x", "s"])

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
# o, l and i are digits where a typist or a scan put them.
_DAY: Final = r"(?:(?:[0-3]|(?<![a-z])[oli])?\d|[0-3][oli])"
_YEAR: Final = r"((?:[1li]9|2[0o])[\doli]{2}(?![a-z])|['’`]?\d\d)"
_YEAR_WORD: Final = r"(?:tahun|taun|taon|thn|th)"
_PARTED: Final = r" ?[-/.] ?"
_DATE: Final = re.compile(
    rf"(?<!\d)(?=[\doli])(?:({_DAY})(?:{_PARTED}| |,? (?:bulan|bln|bl)[. ]{{1,2}})([0-3oli]?[\doli])(?:{_PARTED}| |,? {_YEAR_WORD}[. ]{{1,2}}){_YEAR}"
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
    r"[0-9](?<![\w./-].)(?:[0-9]{1,5}+[/.-][0-9]{1,6}+/ak[-. ]?[1il](?:/[\w.-]{1,20}){0,3}|[0-9]{1,5}+/ak[-. ]?[1il](?:/[\w.-]{1,20}){1,3}"
    r"|[0-9]{3,5}+/pk/[01]?[0-9]/(?:20)?[0-9]{2}(?![0-9])|[0-9]{0,4}+[/.-][0-9]{1,6}+/penta/[0-9]{4,6}/(?:20)?[0-9]{2}(?![0-9]))"
)
# In a text that speaks of the card: a district's code, a serial, month and year.
_AK1_DISTRICT: Final = re.compile(r"[0-9](?<![\w./-].)(?<=[1-9])[0-9]{3}([/.-])[0-9]{3,6}\1(?:[ivx]{1,4}|[01]?[0-9])\1(?:20)?[0-9]{2}(?![0-9])")


def find_emails(low: str, *, spelled: bool) -> Iterator[Finding]:
    """spelled: whether the sign may be written otherwise than "@"."""
    signs = _AT_SIGN if not spelled else _AT if any(said in low for said in _AT_SAID) else _AT_BRACKETED
    for m in signs.finditer(low):
        word, odd = (m["word"], m["odd"]) if spelled else (None, None)
        domain = _DOMAIN.match(low, m.end())
        end = _domain_end(low, domain) if domain else 0
        if not end:
            provider = _PROVIDERS.match(low, m.end())
            end = provider.end() if provider else 0
        if odd and not _TOPPED.search(low, m.end(), end):
            continue
        if word and m.group()[0] == " " and domain and (domain.group(1).count(" ") > 8 or (word == "et" and ". " in domain.group(1))):
            continue
        if not end and not word and not odd and (host := _HOST.match(low, m.end())) and _CALLED.search(low, max(0, m.start() - 48), m.start()) and low[m.start() - 1].isalnum():
            end = host.end()
        local = _LOCAL_BACK.match(low[max(0, m.start() - 68) : m.start()][::-1]) if end else None
        if local:
            start = m.start() - local.end(1)
            if word and " " in local.group(1) and (told := _TOLD_NAME.search(low, max(0, start - 48), start)):
                start = told.start(1)
            yield Finding(start, end, "email", "valid" if m.group() in ("@", "@@") else "plausible", "address form")


def _domain_end(low: str, domain: re.Match[str]) -> int:
    """Where the domain ends: at the last part that can be a top-level domain, at most one word after a dot with a space."""
    start, end = domain.span(1)
    text = low[start:end]
    spaced = _SPACED.search(text)  # "a@b.com. Besok": a sentence's end, not another part
    if spaced and _DOTTED.search(text, 0, spaced.start()):
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


def find_births(low: str) -> Iterator[Finding]:
    """Dates that a word of birth stands before, or right after."""
    until = 0
    for word in _BIRTH.finditer(low):
        start, end = word.span()
        if end <= until:
            continue
        date = _DATE.search(low, end, end + _BIRTH_REACH)
        if date and not _NO_BIRTH.search(low, end, date.start()):
            if not (_day_month_year(date)[2] > YOUNGEST and _SENTENCE.search(low, end, date.start())):
                yield _birth(date)
            until = date.end()
            continue
        if date is None and (turned := _DATE_TURNED.search(low, end, end + _BIRTH_REACH // 2)):
            yield Finding(turned.start(), turned.end(), "birth_date", "plausible", "a date beside a word of birth or in a person's row")
            until = turned.end()
            continue
        for date in _DATE.finditer(low, max(until, start - 32), start):
            if _BORN_AFTER.match(low, date.end()):
                yield _birth(date)
    for word in _BIRTH_TOO.finditer(low) if any(stem in low for stem in _STEMS) else ():
        date = _DATE.search(low, word.end(), word.end() + _BIRTH_REACH // 2)
        if date and OLDEST <= _day_month_year(date)[2] <= YOUNGEST and not _FOUNDED.search(low, word.end(), date.start()) and not _NO_BIRTH.search(low, word.end(), date.start()):
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
    elif _IN_FULL.search(date.group()) and (said := _DATED_BY.search(date.string, max(0, start - 9), start)):  # "tanggal 12 bulan 5 tahun 90"
        start = said.start()
    return Finding(start, date.end(), "birth_date", verdict, "a date beside a word of birth or in a person's row")
_AK1_JOINED: Final = re.compile(r"[-/.]| ?/ ?")
_AK1_GROUPS: Final = re.compile(r"[0-9](?<![\w./-].)(?<=[1-9])[0-9]{3}([/.-])[0-9]{4,6}\1[0-9]{4,6}(?![0-9])")


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
        if digits < 4 or _DATE.fullmatch(value) or _AK1_NOT.fullmatch(value) or (digits < 8 and _COUNTED.match(low, number.end(1))):
            continue
        start = m.start() if _AK1_JOINED.fullmatch(low, m.end(), number.start(1)) else number.start(1)
        yield Finding(start, number.end(1), "ak1", "plausible" if digits >= 8 else "shaped", f"labelled, {digits} digits")
    for m in _AK1_FORM.finditer(low):
        yield Finding(m.start(), m.end(), "ak1", "plausible", "form of an AK-1 number")
    if named:
        for m in (*_AK1_DISTRICT.finditer(low), *_AK1_GROUPS.finditer(low)):
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
    month = _ROMAN.get(name) or _month(name) if name else int(_digits(m1 or m3 or m4 or m5))
    year = int(_digits((y1 or y2 or y3 or y4 or y5).strip("'’`")))
    day = int(_digits(d1 or d2 or d3 or d4 or d5))
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
    date = _DATE.match(low, start)
    return (date.end(), _day_month_year(date)) if date else None
