"""Specific personal data told in words: illness, disability, religion, union, crime, money, the mother's name. Pure: a text in, findings out.

1. Look, in many texts at once, for a word that only a finding has; many texts end here. 2. Read the part of the text that holds such words. 3. Match the
phrases of the lexicon there and ask the judge of the kind whether context makes one a fact of a person, and how far it reaches.
4. Findings of one kind that touch are one.

A word counts unless what stands around it makes it an institution, a trade, a course, a campaign, a rule or an offer; words that
collide with ordinary ones count only of a person. Recall comes first: where the context says nothing, a word that can only be an
illness is one. The span is what a cleaned text must lose: verb, illness, side, stage and time; label, amount and period; of the
mother, the name alone. Every rule looks at a bounded number of words, so time is linear in the text. Offsets are characters of the text.
Source: UU 27/2022 Pasal 4 ayat (2); the words and rules are this project's own.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from broker.detection.ailments import disability, health
from broker.detection.convictions import crime, religion, union
from broker.detection.extents import value
from broker.detection.forms import Line, table
from broker.detection.lexicon import NUMBER, Lexicon, Term, lexicon
from broker.detection.money import finance, paid
from broker.detection.mothers import mother
from broker.detection.sayings import HARD, PLAIN, Note, Span, match, read, saying
from broker.detection.whose import alone, named, someone, sure
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_JUDGES: Final = MappingProxyType({"health": health, "disability": disability, "religion": religion, "union": union, "crime": crime, "finance": finance, "mother": mother})
_VERDICTS: Final = ("valid", "plausible", "shaped")
_MARGIN: Final = 120  # characters read on each side of the words that began the search: more than the words a judge looks at
_WORDS: Final = re.compile("[a-z]+")
_LETTERED, _DIGITS, _TELLING, _ALONE = 1, 2, 4, 8  # sorts of forms
_A_NUMBER: Final = 1  # stands for any number in a pair
_FARTHEST: Final = 8  # words from a telling word to what it needs; lexicon.py has no longer reach



class _Folding(dict[int, str]):
    """Character → one lower-case character, accents and full width folded, so that offsets stay."""

    def __missing__(self, code: int) -> str:
        folded = unicodedata.normalize("NFKD", chr(code)).lower()[:1] or chr(code)
        one = folded if folded.isascii() and (folded.isalnum() or folded in " .,-/") else chr(code)
        if len(self) < 10_000:
            self[code] = one
        return one


_FOLD: Final = _Folding({i: chr(i).lower() for i in range(128)})


def find_specific(text: str) -> list[Finding]:
    """Every finding in `text`, in order, without overlaps."""
    (told,) = screen().told([text], table().line([text]))
    return [] if told is None else find_told(text, *told)


def find_told(text: str, first: int, last: int) -> list[Finding]:
    """The findings of a text whose telling words stand between the characters `first` and `last`."""
    known = lexicon()
    low = text.lower() if text.isascii() else text.translate(_FOLD)
    start, stop = first - _MARGIN, last + _MARGIN
    start = low.rfind(" ", 0, start) + 1 if start > 0 else 0
    stop = low.find(" ", stop) + 1 or len(low)
    note = read(text, low[start:stop], start, known)
    return _merged(note, _spans(note, known.opening))


class Screen:
    """Which texts of a line hold telling words, with what they need near them, and where; safe to share between threads."""

    def __init__(self, known: Lexicon) -> None:
        self._lexicon = known
        self._lock = threading.Lock()
        needed = sorted({name for need in known.telling.values() for name in need.sets})
        self._bits = {name: 1 << i for i, name in enumerate(needed)}
        self._given: dict[str, int] = {}
        for name, bit in self._bits.items():
            for word in known.sets[name]:
                self._given[word] = self._given.get(word, 0) | bit
        pairs = {(word, other) for word, need in known.telling.items() for other in need.beside}
        self._numbers = {word: i + 2 for i, word in enumerate(sorted({word for pair in pairs for word in pair} - {NUMBER}))}  # 0: no such word
        self._pairs = np.array(sorted(self._pair(*pair) for pair in pairs), dtype=np.int64)
        self._empty([])

    def _pair(self, word: str, other: str) -> int:
        return self._numbers[word] << 32 | (_A_NUMBER if other == NUMBER else self._numbers[other])

    def _empty(self, known: list[str]) -> None:
        self._known = known
        self._rows = np.zeros((6, 0), dtype=np.int64)

    def told(self, texts: Sequence[str], line: Line) -> list[tuple[int, int] | None]:
        """Per text where its first telling word begins and its last ends, in characters; a superset of where findings are."""
        with self._lock:
            if line.known is not self._known:
                self._empty(line.known)
            self._size_up()
            sort, reach, needs, gives, number, parting = self._rows[:, line.forms]
        at = np.flatnonzero(sort & _LETTERED)
        of = np.searchsorted(line.ends, at, side="right")
        place = np.arange(len(at)) + (of + 1) * _FARTHEST  # words alone, so far from those of the next text that no search meets them
        room = np.zeros((3, len(at) + (len(texts) + 2) * _FARTHEST + 1), dtype=np.int64)
        room[:, place] = gives[at], number[at], parting[at]
        telling = np.flatnonzero(sort[at] & _TELLING)
        token, spot = at[telling], place[telling]
        told = (sort[token] & _ALONE) != 0
        met, far = room[0, spot], reach[token]
        for k in range(1, _FARTHEST + 1):
            met |= np.where(far >= k, room[0, spot - k] | room[0, spot + k], 0)
        told |= (met & needs[token]) != 0
        own = number[token] << 32
        for other in (room[1, spot + 1], room[1, spot - 1]):
            told |= self._paired(own | other)
        told |= self._paired(own | _A_NUMBER) & (((sort[token - 1] | sort[token + 1]) & _DIGITS) != 0)
        told |= (own != 0) & ((room[2, spot + 1] | room[2, spot - 1]) != 0)  # "gaji-nya pokok"
        telling = telling[told]
        found: list[tuple[int, int] | None] = [None if text.isascii() else (0, len(text)) for text in texts]  # other scripts' letters may be read as ours
        if len(telling):
            which = of[telling]
            turns = np.flatnonzero(np.diff(which, prepend=-1))
            ends = np.append(turns[1:], len(which)) - 1
            tokens = at[telling]
            for text, first, last in zip(which[turns].tolist(), line.starts[tokens[turns]].tolist(), line.stops[tokens[ends]].tolist(), strict=True):
                if found[text] is None:
                    found[text] = (first, last)
        return found

    def _paired(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        near = np.minimum(np.searchsorted(self._pairs, keys), len(self._pairs) - 1)
        return np.equal(self._pairs[near], keys)

    def _size_up(self) -> None:
        new = [self._describe(shown) for shown in self._known[self._rows.shape[1] :]]
        if new:
            self._rows = np.concatenate([self._rows, np.array(new, dtype=np.int64).T], axis=1)

    def _describe(self, shown: str) -> tuple[int, int, int, int, int, int]:
        """Of a form: its sort; within how many words what it needs must stand; what it needs and gives; its number among words of pairs; 1 if it may part two."""
        low = shown.lower().rstrip(".")
        words = [low] if low.isalpha() and low.isascii() else _WORDS.findall(low)
        if not words or shown[0] == "<":
            return (_DIGITS if shown[1:2].isdigit() else 0, 0, 0, 0, 0, 0)
        base, given = self._lexicon.forms.get, self._given.get
        told = [need for word in words if (need := self._lexicon.telling.get(base(word, word))) is not None]
        gives = 0
        for word in words:
            gives |= given(word, 0) | given(base(word, word), 0)
        if len(words) > 1:  # seldom: initials, words with an apostrophe
            return (_LETTERED | _TELLING | _ALONE * bool(told), 0, 0, gives, 0, 1)
        number, parting = self._numbers.get(base(words[0], words[0]), 0), int(words[0] == "nya")
        if not told:
            return (_LETTERED, 0, 0, gives, number, parting)
        (need,) = told
        return (_LETTERED | _TELLING | _ALONE * (not need.sets and not need.beside), need.reach, sum(self._bits[name] for name in need.sets), gives, number, parting)


@cache
def screen() -> Screen:
    return Screen(lexicon())


def _spans(note: Note, opening: frozenset[str]) -> Iterator[tuple[str, Span]]:
    words, terms, verbs = note.words, note.terms, note.sets["finance.amount_verbs"]
    at = floor = 0
    for k in [k for k, word in enumerate(words) if word in opening]:
        word = words[k]
        if k < at or (k and word == words[k - 1] and note.breaks[k] == PLAIN):  # a word said again says no more
            continue
        if word in verbs and (received := paid(note, k)):
            yield "finance", received
            floor = at = received.last
            continue
        seconds = terms.get(word, {})
        term = match(note, k) if "" in seconds or (k + 1 < note.size and words[k + 1] in seconds) else None
        if term is None:
            continue
        span = None if term.role == "neutral" else _judged(note, k, term, floor)
        if span is not None:
            yield term.kind, span
            floor = at = max(span.last, k + 1)
        elif term.role not in {"loose", "field"}:
            at = k + len(term.words)


_NAMED: Final = 10  # words between a name and what a rule, an offer or a count says beside it


def _judged(note: Note, k: int, term: Term, floor: int) -> Span | None:
    """What the judge says; beside what may be a name, a rule, an offer or a count only casts doubt: the finding stays if the text has a person."""
    judge, last = _JUDGES[term.kind], k + len(term.words)
    labels = last < note.size and (":" in note.seps[last] or "=" in note.seps[last])
    if labels and (term.role == "field" or (len(term.words) == 1 and term.words[0] in note.sets.get(f"{term.kind}.field", ()))):
        labelled = _labelled(note, k, last, term)
        if labelled is not None:
            return labelled
    if term.role == "field":
        return None
    note.vetoed.clear()
    span = judge(note, k, term, floor)
    if span is None and note.vetoed and named(note, max(0, k - _NAMED), min(note.size, last + _NAMED)):
        span = judge(note._replace(lenient=True), k, term, floor)
        return span and span._replace(verdict="shaped")
    return span._replace(verdict="shaped") if span is not None and span.verdict != "shaped" and _ruled(note, span, term.kind) else span


def _labelled(note: Note, k: int, last: int, term: Term) -> Span | None:
    """What stands behind a label of the kind; what begins with a phrase of the kind is left to its judge."""
    first = match(note, last) if last < note.size else None
    end = value(note, last) if first is None or first.kind != term.kind or term.kind == "health" else last
    if end == last:
        return None
    tells = any(t.kind == term.kind for i in range(last, end) for t in note.terms.get(note.words[i], {}).get("", ()))
    return Span(last, end, "plausible" if tells or sure(note, k, last) or someone(note) or alone(note, k, end) else "shaped", "value behind a label")


_OWNER: Final = 3  # words: "cicilan laptop kantor"


def _ruled(note: Note, span: Span, kind: str) -> bool:
    """A rule or a lesson says it of whoever it is, or it is a thing's or an office's, and nothing but a clitic speaks of a person: "yang tekanan darahnya tinggi tidak boleh ikut"."""
    left, right = saying(note, span.first, span.last)
    sets = note.sets
    sure_words, strong = sets["words.sure"], sets["words.strong"]
    if not (sure_words.isdisjoint(left) and sure_words.isdisjoint(right) and strong.isdisjoint(left) and strong.isdisjoint(right)):
        return False
    said = {*note.raw[max(0, span.first - 1) : span.first + 1]}
    rule = not sets["words.rule"].isdisjoint(right) or not sets["words.policy"].isdisjoint(left + right[:_NAMED]) or not sets["words.event"].isdisjoint(left + right[:_NAMED])
    owned = not sets["words.thing"].isdisjoint(said) or (kind == "finance" and not sets["words.institution"].isdisjoint(note.raw[span.first : span.first + _OWNER]))
    return (rule or owned) and not someone(note)


def _merged(note: Note, spans: Iterator[tuple[str, Span]]) -> list[Finding]:
    """Findings of one kind that only a space, a hyphen or a short word parts are one."""
    found: list[Finding] = []
    kind, reach = "", -1
    for new, told in spans:
        span = told if new == kind else told._replace(first=max(told.first, reach))  # what another kind took stays its own
        if span.first >= span.last:
            continue
        finding = _finding(note, new, span)
        if new == kind != "mother" and (_beside(note, reach, span.first) if span.first > reach else note.breaks[reach] == PLAIN):
            last = found.pop()
            finding = Finding(last.start, finding.end, kind, min(last.verdict, finding.verdict, key=_VERDICTS.index), last.reason)
        found.append(finding)
        kind, reach = new, span.last
    return found


def _beside(note: Note, end: int, first: int) -> bool:
    """Only a short word in one sentence stands between two findings: "bed rest a/i abortus"."""
    gap = note.text[note.end(end - 1) : note.starts[first]]
    return first - end <= _SHORT and len(gap) <= _GAP and gap.islower() and HARD not in note.breaks[end : first + 1]


_SHORT: Final = 2  # words
_GAP: Final = 6  # characters: ", ", "dan", "a/i"


def _finding(note: Note, kind: str, span: Span) -> Finding:
    start, end = note.starts[span.first], note.end(span.last - 1)
    if note.text[end : end + 1] == ")" and "(" in note.text[start:end]:
        end += 1
    return Finding(start, end, kind, span.verdict, span.reason)
