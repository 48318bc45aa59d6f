"""How far a finding reaches: side, stage, part of the body, time, cause, a second symptom. Pure.

Every question looks at a bounded number of words.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.detection.sayings import HARD, PLAIN, SOFT, Span, before, capital, match
from broker.detection.whose import known

if TYPE_CHECKING:
    from broker.detection.sayings import Note

_SIDES: Final = frozenset({"kiri", "kanan", "sebelah", "kanannya", "kirinya", "suok", "kida", "sing", "tengen", "kiwa", "kiwo", "katuhu", "kenca", "siamun", "hambirang", "kidanyo", "manis", "tengah", "dan", "serta", "ujung", "ruas", "satu", "dua", "tiga", "empat", "duo", "kedua", "lagi", "lg", "habis", "abis", "baru", "masih", "sudah", "sdh", "udah", "alah", "lah", "sering", "suka", "agak", "mulai", "pernah", "sempat"})
TAIL: Final = 12  # words a finding may add on its right
_SINCE: Final = frozenset({"sejak", "sajak", "semenjak", "selama", "sekitar", "wiwit", "wit", "since", "for"})


def leftward(note: Note, k: int, floor: int) -> int:
    joins = note.sets["words.left"]
    first = k
    for i in before(note, k, 5):
        if i < floor or note.raw[i] not in joins:
            break
        first = i
    while first < k and note.raw[first] in {"obat", "dokter", "dan"}:
        first += 1
    return first


def rightward(note: Note, last: int) -> int:
    """Takes side, stage, part of the body and time."""
    stop = min(note.size, last + TAIL)
    body, qualifiers, grades, onward = note.sets["health.body"], note.sets["words.qualifier"], note.sets["words.grade"], note.sets["words.onward"]
    while last < stop:
        sep = note.seps[last]
        if note.breaks[last] == HARD or (note.breaks[last] == SOFT and sep.strip() not in {"(", "/", "%"}):
            break
        word = note.words[last]
        if word not in onward and note.raw[last] not in onward and not word[0].isdigit():
            break
        after = note.words[last + 1] if last + 1 < stop and note.breaks[last + 1] == PLAIN else ""
        if word in qualifiers or word in body or (word[0].isdigit() and (note.raw[last - 1] in grades or "%" in note.seps[last + 1])):
            last += 1
        elif after and _pair(note, word, after):
            last += 2
        else:
            grown = time_on(note, last, stop)
            if grown == last:
                break
            last = grown
    return last


def _pair(note: Note, word: str, after: str) -> bool:
    """Two words that say how far or where: "stadium 3", "di kaki", "dan ginjal"."""
    body, qualifiers, anchors = note.sets["health.body"], note.sets["words.qualifier"], note.sets["words.time_anchor"]
    if word in note.sets["words.grade"]:
        return after.isdigit() or _roman(after) or after in qualifiers or after in anchors
    if word in note.sets["words.site"]:
        return after in body or (after in qualifiers and after not in anchors)
    return (word == "dan" and after in body and after != "dalam") or (word in _GROWING and after in qualifiers and after not in anchors)


_GROWING: Final = frozenset({"sudah", "sdh", "udah", "makin", "semakin", "tambah", "mulai", "masih", "agak", "cukup", "sangat"})


def _roman(word: str) -> bool:
    return bool(word) and set(word) <= {"i", "v", "x", "a", "b"} and len(word) <= 4


def time_on(note: Note, at: int, stop: int) -> int:
    """The end of a time from word `at`: "sejak tahun 2019", "7 bulan", "3 tahun yang lalu"; `at` itself if there is none."""
    units, links, anchors = note.sets["words.time"], note.sets["words.time_link"], note.sets["words.time_anchor"]
    number = unit = link = False
    end = at
    for i in range(at, min(stop, at + 8)):
        if i > at and note.breaks[i] != PLAIN and note.seps[i].strip() not in {"/", "."}:
            break
        word = note.raw[i]
        if word[0].isdigit():
            number, complete = True, unit or link
        elif word in units:
            complete = number or link or (i > at and (note.raw[i - 1] in anchors or note.raw[i - 1] in units))
            unit = True
        elif word in links:
            link = link or word in _SINCE
            complete = word == "lalu" and (end > at or unit)
        elif word in anchors:
            complete = link
        else:
            break
        if complete:
            end = i + 1
    return end


def named_on(note: Note, last: int, most: int) -> int:
    """The end of the capitalised words that follow, at most `most`; none in a text without small letters."""
    if note.capitals:
        return last
    end = last
    while end < note.size and end - last < most and note.breaks[end] == PLAIN and capital(note, end):
        end += 1
    return end


def _among(note: Note, i: int, words: frozenset[str]) -> bool:
    """The word at i, as written or without a clitic, is one of `words`."""
    raw = note.raw[i]
    return note.words[i] in words or raw in words or (raw.endswith(("nya", "nyo")) and raw[:-3] in words) or (raw.endswith(("e", "na", "ne")) and (raw[:-1] in words or raw[:-2] in words))


def limb(note: Note, k: int, floor: int) -> int:
    """Where the part of the body before word k begins: "kaki kanannya diamputasi"."""
    first = k
    met = False
    for i in before(note, k, 6):
        part = _among(note, i, note.sets["health.body"])
        if i < floor or not (part or note.raw[i] in _SIDES or note.raw[i] in _OWNERS):
            break
        met = met or part
        first = i
    return first if met else k


_OWNERS: Final = frozenset({"saya", "sy", "aku", "ambo", "awak", "dia", "beliau", "ybs"})
_LEAD: Final = 7  # words a finding may add on its left
_CALLED: Final = re.compile(r"(?:me[mn]|ber|di)[a-z]{4,}")  # a verb begins another statement


def widened(note: Note, span: Span, kind: str, floor: int) -> Span:
    """The saying whole: of whom and since when on the left, what of, how and why on the right, up to the next statement."""
    verdict = span.verdict if known(note, span.first, span.last) else "shaped"
    return Span(_lead(note, span.first, kind, floor), _tail(note, span.last, kind), verdict, span.reason)


_OWN: Final = MappingProxyType(
    {
        "health": ("health.body",),
        "disability": ("health.body",),
        "finance": ("finance.owned", "finance.asset"),
        "union": ("union.cue",),
        "crime": ("crime.guilt", "crime.booked"),
        "religion": ("religion.tells",),
    }
)
_NO_START: Final = frozenset({"di", "dari", "dengan", "dgn", "dan", "tahun", "bulan"})
_VALUE: Final = 16  # words


def value(note: Note, last: int) -> int:
    """The end of what stands behind a label that ends before word `last`; `last` itself if it says that there is nothing, or nothing at all."""
    end = last
    if last >= note.size or not {":", "="} & set(note.seps[last]) or note.raw[last] in note.sets["words.nothing"]:
        return last
    stop = min(note.size, last + _VALUE)
    while end < stop and (end == last or note.breaks[end] != HARD) and (note.raw[end][0].isalpha() or len(note.raw[end]) < _YEAR) and ":" not in note.seps[end + 1]:
        if end > last and note.breaks[end] == SOFT and (note.raw[end] in note.sets["words.tail_stop"] or _CALLED.fullmatch(note.raw[end])) and note.raw[end] not in note.sets["words.still"]:
            break
        end += 1
    return last if note.raw[last] in {"ada", "ya", "yes"} and end == last + 1 else end


_AFTER_ALL: Final = frozenset({"dokter", "dan", "yang", "yg", "ya", "kali", "karena", "krn", "akibat", "gara", "kasus"})  # no finding of illness begins so


def _lead(note: Note, k: int, kind: str, floor: int) -> int:
    sets = note.sets
    joins, lead = sets["words.left"], sets["words.lead"]
    own = [sets[name] for name in _OWN[kind]]
    first = k
    for i in before(note, k, _LEAD):
        if first < k and len(note.raw[i]) < _YEAR and note.raw[i].isdigit() and note.raw[first] in sets["words.time"]:  # "8 bln"
            first = i
            continue
        if i < floor or not (note.raw[i] in joins or note.raw[i] in lead or note.raw[i] in _SIDES or any(_among(note, i, words) for words in own)):
            break
        first = i
    while first < k and (note.raw[first] in _NO_START or (kind == "health" and note.raw[first] in _AFTER_ALL)):
        first += 1
    return first


def _whole(note: Note, last: int, kind: str) -> int:
    """The end of a longer phrase that the last word begins: "indikasi cemas menyeluruh"; else `last`."""
    within = match(note, last - 1)
    return last + len(within.words) - 1 if within is not None and within.kind == kind and within.role != "neutral" else last


def _tail(note: Note, last: int, kind: str) -> int:
    end = _whole(note, last, kind)
    floor, stop = end, min(note.size, end + _LEAD)
    if kind == "finance":
        end = _unpaid(note, end)
    while end < stop:
        grown = _joined(note, end, stop, kind) or (end + 1 if _continues(note, end, floor, kind) else end)
        if grown == end and (grown := _whole(note, end, kind)) == end:
            break
        end = grown
    while end > floor and note.raw[end - 1] in note.sets["words.dangle"]:
        end -= 1
    return end


_PURPOSE: Final = frozenset({"buat", "untuk", "utk", "demi"})  # of a debt or a sale: "dijual buat ongkos"


def _joined(note: Note, end: int, stop: int, kind: str) -> int:
    """The end of what words from `end` on join to the saying: another phrase of the kind, a time, a degree; 0 if they join nothing."""
    sets, word = note.sets, note.raw[end]
    if note.breaks[end] != PLAIN:
        return _more(note, end, kind) if note.seps[end] == " (" else _aside(note, end, kind) if note.seps[end] == ", " else 0
    if word in sets["words.tail_join"] and (more := _more(note, end + 1, kind)):
        return more
    follows = note.raw[end + 1] if end + 1 < stop and note.breaks[end + 1] == PLAIN else ""
    if word in {"terus", "trs"} and (not follows or follows in sets["words.tail_stop"]):
        return end + 1
    if word in {"oleh", "sama"} and kind == "health" and (follows in sets["words.place"] or follows == "tim"):
        return end + 2
    degree = (word == "tinggal" and (follows in sets["words.qualifier"] or follows in sets["words.number"])) or (word in {"yang", "yg"} and follows in sets["words.order"])
    if degree or (word == "dan" and follows in sets["words.time"]) or (kind == "finance" and word in {"sudah", "sdh", "udah"} and follows[:1].isdigit()):
        return end + 2
    if word in _WHENEVER and follows in sets["words.trigger"]:
        return end + 2
    grown = time_on(note, end, stop)
    return grown if grown > end else 0


_WHENEVER: Final = frozenset({"kalau", "kalo", "klo", "kl", "bila", "jika", "nek", "yen", "mun", "tiap", "setiap"})


def _aside(note: Note, at: int, kind: str) -> int:
    """The end of what a comma adds: how it ended or how long it took, of money the sum: "pernah TBC, sudah tuntas 6 bulan"; 0 if it adds nothing."""
    sets, stop = note.sets, min(note.size, at + _LEAD)
    end = at
    while end < stop and (end == at or note.breaks[end] == PLAIN) and note.raw[end] in sets["words.still"]:
        end += 1
    end = end + 1 if end < stop and note.raw[end] in sets["words.ended"] and (end == at or note.breaks[end] == PLAIN) else at
    if kind == "finance" and note.raw[end] in {"total", "sekitar", "sisa", "sebesar", "senilai"}:
        sum_of = end + 1
        while sum_of < stop and (note.raw[sum_of][0].isdigit() or note.raw[sum_of] in sets["words.unit"] or note.raw[sum_of] == "rp"):
            sum_of += 1
        return sum_of if sum_of > end + 1 else 0
    grown = time_on(note, end, stop) if end < stop and (end == at or note.breaks[end] == PLAIN) else end
    return grown if grown > at + 1 else 0


_SPOKEN: Final = frozenset({"saudara", "kawan", "teman", "orang", "gaji", "mertua"})  # may begin the next statement


def _continues(note: Note, end: int, floor: int, kind: str) -> bool:
    """The word at `end` still tells how or why; a new verb, a name or a long number does not."""
    sets, word = note.sets, note.raw[end]
    before_it = note.raw[end - 1]
    if note.breaks[end] != PLAIN:
        return note.seps[end] == "/" and word[0].isdigit() and before_it[0].isdigit()  # a blood pressure
    cause = word in sets["words.tail_cause"] or (end > floor and before_it in sets["words.tail_cause"])
    if kind == "finance":
        cause = cause or word in _PURPOSE or (end > floor and before_it in _PURPOSE)
    if (end > floor and word in sets["words.that"]) or (kind == "finance" and word in sets["finance.owed_for"] and word not in _SPOKEN):
        return True
    if not cause and (word in sets["words.tail_stop"] or _CALLED.fullmatch(word) or word in sets["words.title"]):
        return False
    if word[0].isdigit():
        return len(word) < _YEAR or (len(word) == _YEAR and word[:2] in {"19", "20"})
    if note.capitals or not capital(note, end) or note.text[note.starts[end] : note.end(end)].isupper():
        return True
    house = sets["words.house"]
    return word in house or word in sets["words.time"] or before_it in house or before_it in sets["words.site"] or before_it in {"ke", "dari"} or _more(note, end, kind) > 0


_YEAR: Final = 4  # digits


def _unpaid(note: Note, end: int) -> int:
    """What became of a debt: "kredit motornya sudah dua bulan macet", "yang belum dibalikin"."""
    low = note.sets["words.low"]
    for i in range(end, min(note.size, end + 5)):
        if note.breaks[i] != PLAIN:
            break
        if (note.raw[i] in {"gaji", "upah"} and i and note.raw[i - 1] in {"bulan", "bln"}) or note.raw[i] in low or note.raw[i] in note.sets["finance.seized"] or note.raw[i] in {"nunggak", "tertunggak", "lunas", "dibayar", "dilunasi", "terkuras", "bulan", "anak", "hp"}:
            end = i + 1
        elif note.raw[i] in {"yang", "yg"}:
            stop = i + 1
            while stop < note.size and stop < i + 3 and note.breaks[stop] == PLAIN:
                stop += 1
            return stop
    return end


def _more(note: Note, at: int, kind: str) -> int:
    """The end of another phrase of the same kind at word `at` or after a word of degree; 0 if there is none."""
    for i in (at, at + 1, at + 2):
        if i >= note.size or (note.breaks[i] != PLAIN and i > at):
            return 0
        term = match(note, i)
        if term is not None and term.role != "neutral" and (term.kind == kind or {term.kind, kind} == {"health", "disability"}):
            return i + len(term.words)
        if kind == "finance" and (note.raw[i] in note.sets["finance.owed_for"] or note.raw[i] in note.sets["finance.asset"]):
            return i + 1
        if note.raw[i] not in note.sets["words.lead"] and note.raw[i] not in note.sets["words.left"] and note.raw[i] not in note.sets["words.site"] and note.raw[i] != "ke":
            return 0
    return 0
