"""A text as words, and what judges of every kind ask of the words around one: who is spoken of, what is denied, how far a saying reaches. Pure.

Every question looks at a bounded number of words.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from broker.detection.lexicon import TOKEN, Lexicon, Term, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLAIN, SOFT, HARD = 0, 1, 2  # what parts two words: nothing that matters, a comma or a bracket, the end of a sentence or line
_HOUSES: Final = frozenset({"rs", "rsu", "rsud", "rsup", "klinik", "puskesmas"})
_HOUSED: Final = 2  # words: farther from such a house stands its name, then what was found there
_SIDES: Final = frozenset({"kiri", "kanan", "sebelah", "kanannya", "kirinya", "suok", "kida", "kidanyo", "manis", "tengah", "ujung", "ruas", "satu", "dua", "tiga", "empat", "duo", "kedua", "lagi", "lg", "habis", "abis", "baru", "masih", "sudah", "sdh", "udah", "alah", "lah", "sering", "suka", "agak", "mulai", "pernah", "sempat"})
TAIL: Final = 12  # words a finding may add on its right
_REACH: Final = 14  # words on each side that count as the same saying
_INSIDE: Final = frozenset({"", "-", "'", "’", "–", "/", "‐", "‑", "`", "."})  # between the words of one phrase, spaces aside
_COMMON: Final = {" ": PLAIN, "": PLAIN, "-": PLAIN, ".": PLAIN, ", ": SOFT, ",": SOFT, ": ": SOFT, ":": SOFT, " (": SOFT, ") ": SOFT, "/": SOFT}
_PLAIN_SIGNS: Final = frozenset({"", "-", "–", "'", "’", "&"})
_ENDS: Final = frozenset(".!?;\n\r|•")
_SINCE: Final = frozenset({"sejak", "sajak", "semenjak", "selama", "sekitar", "wiwit", "wit", "since", "for"})


class Note(NamedTuple):  # one is made for every text: a dataclass takes five times as long
    """A text as words and what parts them. seps[k] and breaks[k] stand before word k; the last of each stands after the last word.

    raw: the words as written, in lower case; words: as the lexicon has them. hard: where breaks are HARD. capitals: the text has no small letter.
    """

    text: str
    capitals: bool
    raw: list[str]
    words: list[str]
    seps: list[str]
    starts: list[int]
    breaks: list[int]
    hard: list[int]
    size: int
    terms: Terms
    sets: Mapping[str, frozenset[str]]
    told: list[bool]  # whether the whole text speaks of a person, and whether it offers work; empty until asked

    def end(self, k: int) -> int:
        return self.starts[k] + len(self.raw[k])


class Span(NamedTuple):
    """Words first..last-1 of a note, with the verdict and reason of the finding they are."""

    first: int
    last: int
    verdict: str
    reason: str


def read(text: str, low: str, base: int, lexicon: Lexicon) -> Note:
    """low: the folded part of `text` from character `base` on."""
    parts = TOKEN.split(low)
    starts = list(accumulate(map(len, parts), initial=base))[1:-1:2]
    raw, seps = parts[1::2], parts[::2]
    form = lexicon.forms.get
    words = [form(word, word) for word in raw]
    short = lexicon.sets["words.abbreviation"]
    breaks = [_COMMON.get(sep, HARD) for sep in seps]
    hard = []
    for k in [k for k, part in enumerate(breaks) if part == HARD]:
        breaks[k] = _break(seps[k], raw[k - 1] if k else "", short)
        if breaks[k] == HARD:
            hard.append(k)
    return Note(text, text.isupper(), raw, words, seps, starts, breaks, hard, len(raw), lexicon.terms, lexicon.sets, [])


def _break(sep: str, before: str, short: frozenset[str]) -> int:
    if sep == ". ":
        return PLAIN if len(before) == 1 or before in short else HARD
    if sep.strip() in _PLAIN_SIGNS and "\n" not in sep:
        return PLAIN
    if sep[0] == "." and not sep.strip(" .") and (len(sep) == 1 or len(before) == 1 or before in short):
        return PLAIN
    return SOFT if _ENDS.isdisjoint(sep) else HARD


def match(note: Note, k: int) -> Term | None:
    """The longest phrase of the lexicon at word k."""
    seconds = note.terms.get(note.words[k])
    if seconds is None:
        return None
    if k + 1 < note.size:
        for term in seconds.get(note.words[k + 1], ()):
            if _same(note, k, term.words):
                return term
    alone = seconds.get("")
    return alone[0] if alone else None


def _same(note: Note, k: int, phrase: tuple[str, ...]) -> bool:
    """phrase: its first two words are known to stand at k."""
    size = len(phrase)
    if size > 2 and tuple(note.words[k : k + size]) != phrase:
        return False
    return all(note.seps[i] == " " or _inside(note.seps[i], note.raw[i]) for i in range(k + 1, k + size))


def _inside(sep: str, word: str) -> bool:
    return sep.strip() in _INSIDE and sep.count("\n") <= 1 and (sep[:1] != "." or len(word) == 1)


def before(note: Note, k: int, reach: int, over: int = PLAIN) -> Sequence[int]:
    """Positions left of word k, nearest first, as far as no break above `over` parts them."""
    low, floor, breaks = k, k - reach if k > reach else 0, note.breaks
    while low > floor and breaks[low] <= over:
        low -= 1
    return range(k - 1, low - 1, -1)


def saying(note: Note, k: int, last: int) -> tuple[list[str], list[str]]:
    """The words of the same sentence on the left of k and from `last` on, at most _REACH each."""
    hard = note.hard
    low, high = k - _REACH if k > _REACH else 0, last + _REACH
    if hard:
        left, right = bisect_right(hard, k), bisect_left(hard, last)
        if left and hard[left - 1] > low:
            low = hard[left - 1]
        if right < len(hard) and hard[right] < high:
            high = hard[right]
    return note.raw[low:k], note.raw[last:high]


def blocked(note: Note, k: int, last: int, kind: str, reach: int = 4) -> bool:
    """An institution, a trade or a campaign just before the word, with no verb of having between, or one just after."""
    blocks, having = note.sets[f"{kind}.before"], note.sets["words.having"]
    for i in before(note, k, reach):
        word = note.raw[i]
        if word in blocks and not (i and note.raw[i - 1] == "hasil") and (k - i <= _HOUSED or word not in _HOUSES):
            return True
        if word in having or word in note.sets["words.sure"]:
            break
    if kind in {"health", "disability", "religion"} and last < note.size and note.breaks[last] == PLAIN:
        return note.raw[last] in note.sets[f"{kind}.after"]
    return False


def denied(note: Note, k: int) -> bool:
    negation, having = note.sets["words.negation"], note.sets["words.left"]
    for i in before(note, k, 4):
        if note.raw[i] in negation:
            return True
        if note.raw[i] in {"karena", "krn", "akibat"} or (note.words[i] not in having and i < k - 2):
            return False
    return False


def policy(note: Note, k: int, last: int, onward: int = 6) -> bool:
    """A sentence about rules, offers, figures or campaigns, and about no one person."""
    left, right = saying(note, k, last)
    if "(" in note.seps[k]:  # what a bracket says is said of the word before it
        return False
    if note.sets["words.policy"].isdisjoint(left) and note.sets["words.policy"].isdisjoint(right[:onward]):
        return False
    return not one_person(note, k, last, left, right)


def one_person(note: Note, k: int, last: int, left: list[str], right: list[str]) -> bool:
    strong = note.sets["words.strong"]
    return not strong.isdisjoint(left) or not strong.isdisjoint(right) or possessed(note, k, last)


def possessed(note: Note, k: int, last: int) -> bool:
    return any(note.raw[i] != note.words[i] and note.raw[i].endswith(("nya", "ku", "mu", "nyo")) for i in range(k, last))


def person(note: Note, k: int, last: int) -> bool:
    left, right = saying(note, k, last)
    people = note.sets["words.person"]
    return not people.isdisjoint(left) or not people.isdisjoint(right) or possessed(note, k, last)


def had(note: Note, k: int, reach: int = 3) -> bool:
    having = note.sets["words.having"]
    return any(note.raw[i] in having for i in before(note, k, reach))


def opens(note: Note, k: int) -> bool:
    """The word opens a line, a sentence or the value of a label."""
    return k == 0 or note.breaks[k] == HARD or ":" in note.seps[k]


def capital(note: Note, k: int) -> bool:
    return note.text[note.starts[k] : note.starts[k] + 1].isupper()


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
        if note.breaks[last] == HARD or (note.breaks[last] == SOFT and sep.strip() not in {"(", "/"}):
            break
        word = note.words[last]
        if word not in onward and note.raw[last] not in onward and not word[0].isdigit():
            break
        after = note.words[last + 1] if last + 1 < stop and note.breaks[last + 1] == PLAIN else ""
        if word in qualifiers or word in body or (word[0].isdigit() and note.raw[last - 1] in grades):
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
    return word == "dan" and after in body and after != "dalam"


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
    return note.words[i] in words or raw in words or (raw.endswith(("nya", "nyo")) and raw[:-3] in words)


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
_LETTERED: Final = re.compile("[A-Za-z]+")
_LABELLED: Final = re.compile(r"(?i)\b(?:nik|ktp|kpj|hp|wa|telp|nama)\b\W{0,3}\d{5}|\bnama(?: lengkap)? ?[:=] ?[a-z]")
_ON_BEHALF: Final = frozenset({"a.n.", "a/n", "atas nama"})


def someone(note: Note) -> bool:
    """The text speaks of a person somewhere, be it far from here."""
    if not note.told:
        note.told.extend((_someone(note), _offers(note)))
    return note.told[0]


def _someone(note: Note) -> bool:
    low = note.text.lower()
    words = _LETTERED.findall(note.text)
    lower = [word.lower() for word in words]
    if not note.sets["words.somebody"].isdisjoint(lower) or any(sign in low for sign in _ON_BEHALF):
        return True
    called, those = note.sets["words.called"], note.sets["words.that"]
    for i in [i for i, word in enumerate(lower[:-1]) if word in called]:
        if (words[i + 1].istitle() and len(words[i + 1]) > 1) or lower[i + 1] in those:
            return True
    return not note.sets["words.labelled"].isdisjoint(lower) and _LABELLED.search(note.text) is not None


def sure(note: Note, k: int, last: int) -> bool:
    """One person is spoken of in this sentence."""
    left, right = saying(note, k, last)
    people = note.sets["words.sure"]
    return not people.isdisjoint(left) or not people.isdisjoint(right) or possessed(note, k, last)


def alone(note: Note, k: int, last: int) -> bool:
    """The text holds this saying and little else: nothing tells what it is about."""
    left, right = saying(note, k, last)
    whole = note.starts[0] <= _EDGE and len(note.text) - note.end(note.size - 1) <= _EDGE
    return whole and note.size <= len(left) + len(right) + last - k + _FEW


_EDGE: Final = 12  # characters of signs and bullets at either end
_FEW: Final = 4  # words of other sayings


def known(note: Note, k: int, last: int) -> bool:
    return sure(note, k, last) or someone(note) or alone(note, k, last) or ":" in note.seps[k]


def public(note: Note, k: int, last: int) -> bool:
    """Of nobody: a row of counts, a rule for whoever it is, a question that asks for a rule."""
    left, right = saying(note, k, last)
    if right and right[0].isdigit() and len(right[0]) <= _DIGITS and (len(right) == 1 or note.seps[last + 1].strip()) and note.breaks[last] == PLAIN:
        return sum(word.isdigit() for word in left + right) >= _COUNTS
    sets = note.sets
    if not sets["words.sure"].isdisjoint(left) or not sets["words.sure"].isdisjoint(right):
        return False
    if left and left[-1].isdigit() and not _FIGURES.isdisjoint(left):
        return True
    if any(note.raw[i] in sets["words.counting"] for i in before(note, k, 6, SOFT)) or not _ASKED.isdisjoint(left):
        return True
    if nobody(note, k, last) and _general(note, k, last, left, right):
        return True
    if not someone(note) and (note.told[1] or (left and left[-1].isdigit() and "=" in note.seps[k]) or left[-1:] == ["atau"] or not _MAYBE.isdisjoint(left) or not _MAYBE.isdisjoint(right) or not _SUCH.isdisjoint(left[-8:])):
        return True
    if not someone(note) and not sets["words.rule"].isdisjoint(left[-6:]) and not sets["words.generic"].isdisjoint(left):
        return True
    meant = not {"untuk", "utk", "bagi"}.isdisjoint(left[-4:])
    if not meant and sets["words.rule"].isdisjoint(left[-6:]) and sets["words.rule"].isdisjoint(right) and (someone(note) or sets["words.duty"].isdisjoint(right[:6])):
        return False
    for i in before(note, k + 1, 6):
        if note.raw[i] in sets["words.generic"]:
            return True
        if i < k and note.raw[i] not in sets["words.linking"]:
            break
    return False


def nobody(note: Note, k: int, last: int) -> bool:
    """No person is told of: none by any word, and no name stands before the word as far as capitals tell."""
    if note.size <= _FEW or note.capitals or someone(note) or sure(note, k, last):
        return False
    if note.text.islower():
        return False
    return not any(capital(note, i) and note.breaks[i] != HARD and i and len(note.raw[i]) > 1 and not note.text[note.starts[i] : note.end(i)].isupper() for i in range(max(0, k - _NAMED), k))


def _general(note: Note, k: int, last: int, left: list[str], right: list[str]) -> bool:
    """Of a thing, of an event or a lesson, of whoever may or must."""
    sets = note.sets
    if k and note.breaks[k] == PLAIN and note.raw[k - 1] in sets["words.thing"]:
        return True
    if not _PERSONAL.isdisjoint(left[-3:]):
        return False
    if not sets["words.event"].isdisjoint(left) or not sets["words.event"].isdisjoint(right[:_NAMED]):
        return True
    if opens(note, k) and not sets["words.rule"].isdisjoint(right[:2]) and not alone(note, k, last):
        return True
    return any(word in _FOR and after in sets["words.generic"] for word, after in pairwise(right[:4]))


_PERSONAL: Final = frozenset({"riwayat", "mengidap", "menderita"})
_NAMED: Final = 6  # words from a name to what is said of its bearer
_FOR: Final = frozenset({"buat", "untuk", "utk", "bagi"})


def _offers(note: Note) -> bool:
    low = note.text.lower()
    return "dibutuhkan" in low or "loker" in low or "butuh segera" in low


_MAYBE: Final = frozenset({"apakah", "bolehkah", "bisakah", "dapatkah"})
_SUCH: Final = frozenset({"termasuk", "misalnya", "meliputi", "contohnya"})
_FIGURES: Final = frozenset({"kasus", "turun", "naik", "jumlah", "sebanyak", "tercatat"})
_ASKED: Final = frozenset({"tanyakan", "ditanyakan"})
_DIGITS: Final = 5  # of a count, at most
_COUNTS: Final = 3  # numbers in a sentence that make it a table
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


def _tail(note: Note, last: int, kind: str) -> int:
    within = match(note, last - 1)  # "indikasi cemas menyeluruh": the last word may begin a longer phrase
    end = last + len(within.words) - 1 if within is not None and within.kind == kind and within.role != "neutral" else last
    floor, stop = end, min(note.size, end + _LEAD)
    if kind == "finance":
        end = _unpaid(note, end)
    while end < stop:
        grown = _joined(note, end, stop, kind) or (end + 1 if _continues(note, end, floor, kind) else end)
        if grown == end:
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
        return _more(note, end, kind) if note.seps[end] == " (" else 0
    if word in sets["words.tail_join"] and (more := _more(note, end + 1, kind)):
        return more
    follows = note.raw[end + 1] if end + 1 < stop and note.breaks[end + 1] == PLAIN else ""
    if word in {"terus", "trs"} and (not follows or follows in sets["words.tail_stop"]):
        return end + 1
    degree = (word == "tinggal" and (follows in sets["words.qualifier"] or follows in sets["words.number"])) or (word in {"yang", "yg"} and follows in sets["words.order"])
    if degree or (word == "dan" and follows in sets["words.time"]) or (kind == "finance" and word in {"sudah", "sdh", "udah"} and follows[:1].isdigit()):
        return end + 2
    grown = time_on(note, end, stop)
    return grown if grown > end else 0


def _continues(note: Note, end: int, floor: int, kind: str) -> bool:
    """The word at `end` still tells how or why; a new verb, a name or a long number does not."""
    sets, word = note.sets, note.raw[end]
    before_it = note.raw[end - 1]
    if note.breaks[end] != PLAIN:
        return note.seps[end] == "/" and word[0].isdigit() and before_it[0].isdigit()  # a blood pressure
    cause = word in sets["words.tail_cause"] or (end > floor and before_it in sets["words.tail_cause"])
    if kind == "finance":
        cause = cause or word in _PURPOSE or (end > floor and before_it in _PURPOSE)
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
        if (note.raw[i] in {"gaji", "upah"} and i and note.raw[i - 1] in {"bulan", "bln"}) or note.raw[i] in low or note.raw[i] in {"nunggak", "tertunggak", "terkuras", "bulan", "anak", "hp"}:
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
