"""Judges of faith, of membership in a union, and of crime. Pure.

Dress and rite are faith when said of someone; feasts, leave and schools are not. A union's name counts beside a word of membership
or a single person; as a party to a dispute it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.detection.extents import TAIL, leftward, named_on, rightward, time_on, widened
from broker.detection.sayings import HARD, PLAIN, SOFT, Span, before, capital, match, saying
from broker.detection.whose import blocked, denied, had, named, nobody, opens, person, policy, possessed, public, someone, sure, veto

if TYPE_CHECKING:
    from broker.detection.lexicon import Term
    from broker.detection.sayings import Note


_FAITHS: Final = 3  # faiths in one sentence that make it a list of them


def religion(note: Note, k: int, term: Term, floor: int) -> Span | None:
    left, right = saying(note, k, k)
    if sum(word in note.sets["religion.faith"] for word in left + right) >= _FAITHS and not note.lenient and not sure(note, k, k + 1) and veto(note):
        return None
    span = _religion(note, k, term, floor)
    return None if span is None or public(note, k, k + len(term.words)) else widened(note, span, "religion", floor)


def _religion(note: Note, k: int, term: Term, floor: int) -> Span | None:
    last = k + len(term.words)
    told = _told(note, k, floor)
    if term.role == "faith":
        if told is None:
            if blocked(note, k, last, "religion", 3) or policy(note, k, last) or (term.words == ("muslim",) and _named(note, k)):
                return None
            return Span(k, _faithward(note, last), "plausible", "faith by name")
        return Span(told, _faithward(note, last), "valid", "faith said of a person")
    if term.role == "group":
        cued = next((i for i in before(note, k, 3) if note.raw[i] in note.sets["religion.flock"]), None)
        if cued is None or policy(note, k, last):
            return None
        return Span(max(cued, floor), named_on(note, last, 2), "plausible", "member of a religious body")
    left, right = saying(note, k, last)
    if denied(note, k) and _ALLOWED.isdisjoint(note.raw[max(0, k - 4) : k]) and "agama" not in note.words[k:last] and "beragama" not in note.words[k:last]:
        return None
    if policy(note, k, last) or (term.words[0] not in _DEVOUT and not person(note, k, last) and not someone(note) and not ((opens(note, k) and term.words[0] not in _EVENTS) or had(note, k, 2) or _beside_name(note, k))) or not {"toko", "jual", "jualan", "boleh", "wanita", "pt", "cv", "ud", "bengkel", "rm"}.isdisjoint(left[-2:] + right[:1]):
        return None
    return Span(k, rightward(note, last), "plausible", "religious rite or dress")


def _beside_name(note: Note, k: int) -> bool:
    """Only a name may stand before the word; asked again once the sentence speaks against it."""
    return (note.lenient and named(note, max(0, k - 3), k)) or (not note.lenient and not veto(note))


_ALLOWED: Final = frozenset({"diberi", "dikasih", "boleh", "diizinkan", "diperbolehkan", "izin", "ijin", "bisa", "sempat", "dibolehkan"})  # who is not let does have a faith
_DEVOUT: Final = frozenset({"rajin", "aktif", "taat", "puasa", "mualaf", "hafal", "penghafal", "pengikut", "penganut"})  # who is, is somebody
_EVENTS: Final = frozenset({"pengajian", "ibadah", "kebaktian", "misa", "wirid", "wiridan", "yasinan", "perayaan", "sholat", "shalat", "salat", "solat", "majelis", "paskah", "natal", "waisak"})  # offices hold them
# Before "agama" these make it a subject or an office.
_TAUGHT: Final = frozenset({"pendidikan", "guru", "pelajaran", "mapel", "jurusan", "prodi", "studi", "fakultas", "dosen", "ilmu", "sarjana", "penyuluh", "buku", "materi", "ujian", "kementerian", "konsentrasi", "bidang"})


def _told(note: Note, k: int, floor: int) -> int | None:
    """Where "beragama", "agama:" or "seorang" before a faith begins."""
    first = None
    for i in range(k - 1, max(floor, k - 5) - 1, -1):
        sep = note.seps[i + 1]
        if note.breaks[i + 1] == HARD or (note.breaks[i + 1] == SOFT and sep.strip(" \t:=-(") != ""):
            return first
        if note.raw[i] in _TAUGHT and ":" not in sep:
            return None
        if note.raw[i] in note.sets["religion.tells"]:
            first = i
        elif note.raw[i] not in {"yang", "taat", "ke", "dari", "adalah", "ktp", "di", "saya", "ybs", "dia"}:
            return first
    return first


def _faithward(note: Note, last: int) -> int:
    stop = min(note.size, last + TAIL)
    while last < stop and note.breaks[last] == PLAIN:
        term = match(note, last)
        if note.raw[last] in {"taat", "fanatik", "kuat", "saleh"}:
            last += 1
        elif term is not None and term.kind == "religion" and term.role in {"faith", "group"} and term.words[0] not in {"gereja", "masjid", "pura", "kuil"}:
            last += len(term.words)
        else:
            break
    return last


def _named(note: Note, k: int) -> bool:
    """The word stands where a person's name stands: "Sdr. Muslim"."""
    titles = note.sets["words.title"]
    return bool(k) and note.breaks[k] != HARD and (note.raw[k - 1] in titles or (capital(note, k) and note.breaks[k] == PLAIN and capital(note, k - 1) and not note.text[note.starts[k] : note.end(k)].isupper()))


def union(note: Note, k: int, term: Term, floor: int) -> Span | None:
    span = _union(note, k, term, floor)
    return None if span is None or public(note, k, k + len(term.words)) else widened(note, span, "union", floor)


def _union(note: Note, k: int, term: Term, floor: int) -> Span | None:
    last = k + len(term.words)
    last = _union_end(note, last)
    cues, bodies = note.sets["union.cue"], note.sets["union.before"]
    if any(note.raw[i] in {"jumlah", "para", "seluruh", "sejumlah", "semua", "setiap", "tentang"} for i in before(note, k, 3)):
        return None
    if term.role == "member":
        if policy(note, k, last):
            return None
        return Span(leftward(note, k, floor), _union_end(note, last), "valid", "membership of a union")
    cued = [i for i in before(note, k, 5) if note.raw[i] in cues]
    if term.words == ("serikat",) and (not cued or cued[0] < k - 2):
        return None
    if not cued and ((k and ":" in note.seps[k] and note.raw[k - 1] in cues) or _bracketed(note, k, last)):
        return Span(k, _union_end(note, last), "plausible", "member or officer of a union")
    if not cued and k and not {":", '"', "?", "“"}.isdisjoint(note.seps[k]) and any(word in cues or word == "serikat" for word in note.raw[max(0, k - 3) : k]) and len(term.words) + len(note.raw[k]) > _BARE:
        return Span(k, last, "plausible", "member or officer of a union")
    if cued and ((cued[0] == k - 1 and len(term.words) == 1) or not _statute(note, k, last)):
        return Span(max(floor, cued[-1]), _union_end(note, last), "valid", "member or officer of a union")
    near = [note.raw[i] for i in before(note, k, 4, SOFT)]
    after = note.raw[last : last + 2]
    if not {"anggota", "pengurus", "aktif", "member", "kartu", "ketua", "sekretaris", "bendahara"}.isdisjoint(after) and note.breaks[last] <= SOFT:
        return Span(k, last + 1, "plausible", "member or officer of a union")
    if len(term.words) == 1 and term.words != ("serikat",) and bodies.isdisjoint(near) and not note.sets["words.strong"].isdisjoint(near):
        return Span(k, last, "plausible", "union named of one person")
    if term.words != ("serikat",) and bodies.isdisjoint(near) and not policy(note, k, last) and (len(term.words) == 1 or "puk" in term.words) and someone(note):
        return Span(k, _union_end(note, last), "shaped", "union named beside a person")
    return None


_BARE: Final = 4  # letters and words of a union's name, at least: "serikat" alone is none


def _bracketed(note: Note, k: int, last: int) -> bool:
    """A union in brackets after a person: "unsur pekerja NAME (SPSI)"."""
    if not k or "(" not in note.seps[k] or ")" not in note.seps[last]:
        return False
    left, _ = saying(note, k, last)
    if left and (capital(note, k - 1) or note.small) and left[-1] not in {"indonesia", "pekerja", "buruh", "serikat", "federasi"} and not {"ketua", "sekretaris", "bendahara", "anggota"}.isdisjoint(left[-7:]):
        return True
    if not {"serikat", "federasi", "konfederasi", "gabungan", "persatuan", "perusahaan"}.isdisjoint(left[-7:]) or left[-1:] == ["indonesia"]:
        return False
    return not note.sets["union.unit"].isdisjoint(left[-8:-1]) or not note.sets["words.strong"].isdisjoint(left[-8:])


def _statute(note: Note, k: int, last: int) -> bool:
    return policy(note, k, last) and not any(possessed(note, i, i + 1) for i in range(max(0, k - 3), k))


def _union_end(note: Note, last: int) -> int:
    stop = min(note.size, last + TAIL)
    if (whole := match(note, last - 1)) is not None and whole.role == "org":
        last += len(whole.words) - 1
    while last < stop and (note.breaks[last] == PLAIN or note.seps[last] == " ("):
        term = match(note, last)
        if term is not None and term.kind == "union" and term.role == "org":
            last += len(term.words)
        elif note.breaks[last] == PLAIN and note.raw[last] in note.sets["union.branch"]:
            last += 1
        else:
            break
    return last


def crime(note: Note, k: int, term: Term, floor: int) -> Span | None:
    span = _crime(note, k, term, floor)
    return None if span is None or public(note, k, k + len(term.words)) else widened(note, span, "crime", floor)


def _crime(note: Note, k: int, term: Term, floor: int) -> Span | None:
    last = k + len(term.words)
    left, right = saying(note, k, last)
    reporting = term.role == "record" and "wajib" in left  # who must report to the police is under no rule of an offer
    if _cleared(note, k) or blocked(note, k, last, "crime", 3) or (policy(note, k, last, 2) and not reporting) or _impersonal(note, k, last, term):
        return None
    if term.role == "sentence":
        timed = time_on(note, last, min(note.size, last + TAIL))
        if timed == last or (not note.raw[last][0].isdigit() and note.raw[last] not in note.sets["words.number"] and note.raw[last] != "selama"):
            return None
        return Span(leftward(note, k, floor), _crime_end(note, last), "valid", "criminal record said of a person")
    if term.role == "record":
        if "ditahan" in term.words and any(note.raw[i] in note.sets["crime.not_with"] for i in before(note, k, 3)):
            return None
        return Span(_sentenced(note, leftward(note, k, floor), floor), _crime_end(note, last), "valid", "criminal record said of a person")
    guilt = note.sets["crime.guilt"]
    if term.role == "offence":
        cued = [i for i in before(note, k, 4) if note.raw[i] in guilt]
        if not cued and not (term.words[0].startswith("men") and not nobody(note, k, last)) and guilt.isdisjoint(right[:2]):
            return None
        if cued and all(note.raw[i] in {"karena", "akibat", "kena", "suka", "main", "melakukan", "gara"} for i in cued) and not person(note, k, last):
            return None
        if term.words[0] in _VAGUE and not (sure(note, k, last) or someone(note)):
            return None
        first = max(floor, cued[-1]) if cued else k
        return Span(leftward(note, first, floor), _crime_end(note, _taken(note, last)), "plausible", "offence laid to a person")
    if term.role == "booth":
        booked = [i for i in before(note, k, 4) if note.raw[i] in note.sets["crime.booked"]]
        return Span(leftward(note, max(floor, booked[-1]), floor), _crime_end(note, last), "valid", "dealings with the police") if booked else None
    if not note.sets["crime.not_with"].isdisjoint(left) or not note.sets["crime.not_with"].isdisjoint(right[:3]):
        return None
    cue = note.sets["crime.custody_cue"]
    why = note.breaks[last] == PLAIN and bool(right) and right[0] in note.sets["crime.why"]  # "ditangkap soal pupuk oplosan"
    if cue.isdisjoint(left[-4:]) and cue.isdisjoint(right[:3]) and not why:
        return None
    end = _crime_end(note, last)
    return Span(leftward(note, k, floor), max(end, min(note.size, last + _REASON)) if why else end, "plausible", "dealings with the police")


_REASON: Final = 3  # words: "soal pupuk oplosan"


def _impersonal(note: Note, k: int, last: int, term: Term) -> bool:
    """A deed, a report or an arrest of nobody in particular: "dugaan pencurian kabel"."""
    cued = [i for i in before(note, k, 4) if note.raw[i] in note.sets["crime.guilt"]] if term.role == "offence" else [k]
    if term.role in {"sentence", "custody"} or not all(note.raw[i] in _TOLD_OF and ":" not in note.seps[i] for i in cued):
        return False
    return nobody(note, k, last)


_TOLD_OF: Final = frozenset({"dugaan", "pelaku", "kasus", "perkara", "laporan", "sidang", "tuduhan", "pasal", "status", "membawa", "bawa", "diduga", "main", "pengguna", "pemakai", "pakai", "pemeriksaan", "diperiksa", "diserahkan", "diproses", "dilapor"})  # of a deed, by whomever
_VAGUE: Final = frozenset({"pidana", "tindak", "hukum", "kriminal", "kejahatan", "kekerasan", "miras", "calo"})  # what laws and figures speak of
_CLEARING: Final = frozenset({"terlibat", "tersangkut", "terjerat", "terkena", "kasus", "perkara", "terbukti", "catatan", "dalam", "termasuk", "lagi", "mempunyai", "melakukan", "berurusan", "menjadi", "jadi"})


def _cleared(note: Note, k: int) -> bool:
    """A denial of the deed itself; "tidak boleh" asks, "tidak terima disebut" protests: neither denies."""
    negation, joins = note.sets["words.negation"], note.sets["words.left"]
    for i in before(note, k, 4):
        if note.raw[i] in negation:
            return True
        if note.raw[i] not in joins and note.raw[i] not in _CLEARING:
            return False
    return False


def _sentenced(note: Note, k: int, floor: int) -> int:
    """Where "divonis 2 tahun" before word k begins; k itself if it does not stand there."""
    for i in before(note, k, 5):
        if i < floor:
            break
        if note.raw[i] in {"divonis", "vonis", "dihukum", "hukuman", "dituntut", "kena", "dijatuhi"}:
            return i
        if not note.raw[i][0].isdigit() and note.raw[i] not in note.sets["words.time"] and note.raw[i] not in note.sets["words.time_anchor"]:
            break
    return k


_TAKING: Final = frozenset({"mencuri", "menggelapkan", "nyolong", "maling", "mencopet", "menjambret", "merampas", "menadah", "memalsukan", "menyelundupkan", "mengedarkan"})
_NO_LOOT: Final = frozenset({"dan", "atau", "di", "dari", "ke", "pada", "yang", "yg", "milik", "saat", "ketika", "waktu", "oleh", "lalu", "sehingga", "namun", "tapi", "tetapi", "padahal", "dengan", "dgn", "untuk", "utk", "agar", "bersama", "karena", "krn", "tidak", "sudah", "sejak", "selama", "dalam"})


def _taken(note: Note, last: int) -> int:
    """Takes what was taken: "mencuri sawit"."""
    if last < note.size and note.raw[last - 1] in _TAKING and note.breaks[last] == PLAIN and note.raw[last].isalpha() and note.raw[last] not in _NO_LOOT:
        return last if note.raw[last] in note.sets["words.person"] else last + 1
    return last


_HOLDING: Final = frozenset({"lapas", "rutan", "polres", "polsek", "polda", "bapas"})  # whose name follows


def _crime_end(note: Note, last: int) -> int:
    """Takes the offence after "karena", the place of custody and the time."""
    stop = min(note.size, last + TAIL)
    if note.raw[last - 1] in _HOLDING:
        last = named_on(note, last, 2)
    while last < stop and note.breaks[last] == PLAIN:
        word = note.raw[last]
        skip = 1 if word in {"karena", "kasus", "krn", "akibat", "atas", "perkara", "di", "dari", "ke", "dalam", "tindak", "gara"} else 0
        term = match(note, last + skip) if last + skip < stop else None
        if term is not None and term.kind == "crime" and term.role != "neutral":
            last += skip + len(term.words)
            if term.role == "custody" or note.raw[last - 1] in _HOLDING:
                last = named_on(note, last, 2)
            continue
        if word in {"kurungan", "percobaan"}:
            last += 1
            continue
        if skip and last + 1 < stop and note.raw[last + 1] in {"kasus", "perkara", "lapas", "rutan", "polres", "polsek", "polda", "penjara"}:
            last += 2
            continue
        grown = time_on(note, last, stop)
        if grown == last:
            break
        last = grown
    return last
