"""A text as words and what parts them: the phrases that stand in it, the words around one, the same saying. Pure.

Every question looks at a bounded number of words.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from broker.detection.lexicon import TOKEN, Lexicon, Term, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PLAIN, SOFT, HARD = 0, 1, 2  # what parts two words: nothing that matters, a comma or a bracket, the end of a sentence or line
_REACH: Final = 14  # words on each side that count as the same saying
_INSIDE: Final = frozenset({"", "-", "'", "’", "–", "/", "‐", "‑", "`", "."})  # between the words of one phrase, spaces aside
_COMMON: Final = {" ": PLAIN, "": PLAIN, "-": PLAIN, ".": PLAIN, ", ": SOFT, ",": SOFT, ": ": SOFT, ":": SOFT, " (": SOFT, ") ": SOFT, "/": SOFT}
_PLAIN_SIGNS: Final = frozenset({"", "-", "–", "'", "’", "&"})
_ENDS: Final = frozenset(".!?;\n\r|•")


class Note(NamedTuple):  # one is made for every text: a dataclass takes five times as long
    """A text as words and what parts them. seps[k] and breaks[k] stand before word k; the last of each stands after the last word.

    raw: the words as written, in lower case; words: as the lexicon has them. hard: where breaks are HARD. capitals: the text has no small letter; small: no capital.
    """

    text: str
    capitals: bool
    small: bool
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
    vetoed: list[bool]  # filled while a judge finds that a rule, an offer or a count speaks against a finding
    lenient: bool = False  # whether those speak against nothing

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
    return Note(text, text.isupper(), text.islower(), raw, words, seps, starts, breaks, hard, len(raw), lexicon.terms, lexicon.sets, [], [])


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
        second = note.words[k + 1]
        if k + 2 < note.size and second in seconds:
            for term in seconds.get(f"{second} {note.words[k + 2]}", ()):
                if _same(note, k, term.words):
                    return term
        for term in seconds.get(second, ()):
            if _same(note, k, term.words):
                return term
    alone = seconds.get("")
    return alone[0] if alone else None


def _same(note: Note, k: int, phrase: tuple[str, ...]) -> bool:
    """phrase: its first three words are known to stand at k."""
    size = len(phrase)
    if size > 3 and tuple(note.words[k : k + size]) != phrase:
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


def capital(note: Note, k: int) -> bool:
    return note.text[note.starts[k] : note.starts[k] + 1].isupper()
