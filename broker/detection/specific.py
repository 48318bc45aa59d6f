"""Specific personal data told in words: illness, disability, religion, union, crime, money, the mother's name. Pure: a text in, findings out.

1. Look for a word that only a finding has; most texts end here. 2. Read the part of the text that holds such words. 3. Match the
phrases of the lexicon there and ask the judge of the kind whether context makes one a fact of a person, and how far it reaches.
4. Findings of one kind that touch are one.

A word counts unless what stands around it makes it an institution, a trade, a course, a campaign, a rule or an offer; words that
collide with ordinary ones count only of a person. Recall comes first: where the context says nothing, a word that can only be an
illness is one. The span is what a cleaned text must lose: verb, illness, side, stage and time; label, amount and period; of the
mother, the name alone. Every rule looks at a bounded number of words, so time is linear in the text. Offsets are characters of the text.
Source: UU 27/2022 Pasal 4 ayat (2); the words and rules are this project's own.
"""

from __future__ import annotations

import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.detection.ailments import disability, health
from broker.detection.convictions import crime, religion, union
from broker.detection.lexicon import Lexicon, lexicon
from broker.detection.money import finance, paid
from broker.detection.mothers import mother
from broker.detection.sayings import PLAIN, Note, Span, match, read
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_JUDGES: Final = MappingProxyType({"health": health, "disability": disability, "religion": religion, "union": union, "crime": crime, "finance": finance, "mother": mother})
_VERDICTS: Final = ("valid", "plausible", "shaped")
_MARGIN: Final = 120  # characters read on each side of the words that began the search: more than the words a judge looks at
_LETTERS: Final = bytes(code + 32 if 65 <= code <= 90 else code if 97 <= code <= 122 else 32 for code in range(256))  # A letter in lower case, all else a space.


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
    known = lexicon()
    low = text.lower() if text.isascii() else text.translate(_FOLD)
    words = low.encode("ascii", "replace").translate(_LETTERS).decode("ascii").split()
    if known.triggers.isdisjoint(words):
        return []
    told = _told(words, known)
    if not told:
        return []
    start, stop = low.find(told[0]) - _MARGIN, low.rfind(told[-1]) + len(told[-1]) + _MARGIN
    start = low.rfind(" ", 0, start) + 1 if start > 0 else 0
    stop = low.find(" ", stop) + 1 or len(low)
    note = read(text, low[start:stop], start, known)
    return _merged(note, _spans(note, known.opening))


def _told(words: list[str], known: Lexicon) -> list[str]:
    """The words, in order, at which a phrase or an amount received can stand."""
    triggers, telling, form = known.triggers, known.telling, known.forms.get
    told = []
    for i in [i for i, word in enumerate(words) if word in triggers]:
        reach, needed = telling[form(words[i], words[i])]
        if needed:
            around = words[max(0, i - reach) : i + reach + 1]
            if needed.isdisjoint(around) and needed.isdisjoint([form(word, word) for word in around]):
                continue
        told.append(words[i])
    return told


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
        span = None if term.role == "neutral" else _JUDGES[term.kind](note, k, term, floor)
        if span is not None:
            yield term.kind, span
            floor = at = max(span.last, k + 1)
        elif term.role != "loose":
            at = k + len(term.words)


def _merged(note: Note, spans: Iterator[tuple[str, Span]]) -> list[Finding]:
    """Findings of one kind that only a space or a hyphen parts are one."""
    found: list[Finding] = []
    kind, reach = "", -1
    for new, span in spans:
        finding = _finding(note, new, span)
        if new == kind != "mother" and span.first == reach and note.breaks[reach] == PLAIN:
            last = found.pop()
            finding = Finding(last.start, finding.end, kind, min(last.verdict, finding.verdict, key=_VERDICTS.index), last.reason)
        found.append(finding)
        kind, reach = new, span.last
    return found


def _finding(note: Note, kind: str, span: Span) -> Finding:
    start, end = note.starts[span.first], note.end(span.last - 1)
    if note.text[end : end + 1] == ")" and "(" in note.text[start:end]:
        end += 1
    return Finding(start, end, kind, span.verdict, span.reason)
