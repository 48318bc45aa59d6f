"""Every identifier in an Indonesian text, in order and without overlaps: numbers, e-mail, plates, addresses, birth dates. Pure.

1. Fold: other scripts' digits, full-width signs, dashes and invisible characters become their plain selves, one for one, so that
   offsets stay those of the text.
2. The text's words say which searches run at all; of many texts at once, by the forms of their tokens.
3. Search; 4. where findings overlap, the more specific wins, then the longer; an address keeps what lies before and after.
No look-up leaves the machine. Shapes and traps: docs/formats/contract.md (kinds).
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np

from broker.detection import labels
from broker.detection.addresses import ADDRESS_WORDS, find_addresses
from broker.detection.births import BIRTH_WORDS, find_births, find_row_births
from broker.detection.cards import AK1_WORDS, find_ak1
from broker.detection.mail import AT_WORDS, find_emails
from broker.detection.numbers import find_numbers
from broker.detection.plates import PLATE_WORDS, find_plates
from broker.detection.spoken import SPOKEN_WORDS, find_dictated
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.detection.forms import Line

_ENOUGH: Final = re.compile(r"[0-9][^0-9]{0,6}+[0-9][^0-9]{0,6}+[0-9]")
# Words are cut and compared as bytes: half the time of doing it in characters.
_WORDS_ONLY: Final = bytes(c if c > 127 or chr(c).isalpha() else 32 for c in range(256))
_ADDRESS: Final = {word.encode(): word for word in ADDRESS_WORDS}
_PLATE: Final = frozenset(word.encode() for word in PLATE_WORDS)
_BIRTH: Final = frozenset(word.encode() for word in BIRTH_WORDS)
_AK1: Final = frozenset(word.encode() for word in AK1_WORDS)
_SPOKEN: Final = frozenset(word.encode() for word in SPOKEN_WORDS)
_AT_WORDS: Final = frozenset(word.encode() for word in AT_WORDS)
_TRIGGERS: Final = frozenset({*_SPOKEN, *labels.TRIGGERS, *_ADDRESS, *_PLATE, *_BIRTH, *_AK1, *_AT_WORDS})
_NUMBERS, _MAIL, _AT, _LABELLED, _PLATES, _CARDS, _BIRTHS, _PLACES, SPOKEN, _MISREAD, _DICTATED = (1 << i for i in range(11))
_MARKED: Final = (
    (_AT, _AT_WORDS), (_LABELLED, labels.TRIGGERS), (_PLATES, _PLATE), (_CARDS, _AK1), (_BIRTHS, _BIRTH), (_PLACES, frozenset(_ADDRESS)),
    (SPOKEN, _SPOKEN),
)  # fmt: skip
_FEWEST: Final = 3  # digits of a text that may hold a number
# o, l and i stand for a digit where they touch one, up to the end of their word; and alone between digits that a sign parts. Each branch
# begins with a set of characters: the engine leaps over all others.
_MISREADABLE: Final = re.compile(r"[oOlLiI](?<![a-zA-Z].)[oOlLiI]{0,5}(?![a-zA-Z])")
_TOUCHING: Final = re.compile(
    r"[0-9][oOlLiI]+(?![a-zA-Z])|[oOlLiI](?<![a-zA-Z0-9].)[oOlLiI]*(?=[0-9])|[abcexABCEX](?<![a-zA-Z].)[oOlLiI]{1,4}(?=[0-9][0-9oOlLiI]{2})"
)
_BETWEEN: Final = re.compile(
    r"[0-9][ .\-][oOlLiI]{1,4}(?=[ .\-][0-9])|[0-9][.\-/][oO]{1,3}(?![a-zA-Z])|[0-9]-[oOlLiI]{1,4}(?![a-zA-Z0-9])|[0-9]\.(?=[lLiI]*[oO])[oOlLiI]{3,5}(?![a-zA-Z0-9])"
    r"|[0-9] [0-9] [oOlLiI](?![a-zA-Z0-9])|[0-9] (?!oli|ill|iii|OLI|III)(?:[oOlLiI]{3,6}|[oO]{2})(?![a-zA-Z])"
    r"|[oOlLiI](?<![a-zA-Z0-9].)(?:(?<=[oO])(?=[\-/][0-9])|(?= [0-9] [0-9] [0-9])|[oO]{1,3}(?=[.\-/][0-9])|(?!(?<=o)li |(?<=i)ll |(?<=i)ii |(?<=O)LI |(?<=I)II )(?:[oOlLiI]{2,5}|(?<=[oO])[oO])(?= [0-9]))"
)
_READ_AS: Final = str.maketrans("oOlLiI", "001111")
_START: Final = attrgetter("start")
_INVISIBLE: Final = "\x7f"
_FIRST: Final = {"ak1": 0, "email": 0, "birth_date": 2, "plate": 3, "address": 4}  # the numbers' kinds are 1


class Marks:
    """What the words of many texts say of which searches are worth while; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: list[str] = []
        self._said, self._digits = np.zeros(0, dtype=np.uint16), np.zeros(0, dtype=np.int32)

    def of(self, texts: Sequence[str], line: Line) -> list[int]:
        """Per text its marks, as `marks` gives them."""
        with self._lock:
            if line.known is not self._known:
                self._known = line.known
                self._said, self._digits = self._said[:0], self._digits[:0]
            new = self._known[len(self._said) :]
            self._said = np.append(self._said, np.array([_marked(form) for form in new], dtype=np.uint16))
            self._digits = np.append(self._digits, np.array([int(form[1:-1]) if form[0] == "<" and form[1:-1].isdigit() else 0 for form in new], dtype=np.int32))
            said, digits = self._said[line.forms], self._digits[line.forms]
        alone = np.flatnonzero(said & _MISREAD)  # a letter beside no digit is none
        said[alone[digits[alone - 2] + digits[alone - 1] + digits[alone + 1] + digits[alone + 2] == 0]] = 0
        found = np.bitwise_or.reduceat(said, line.begins) | (np.add.reduceat(digits, line.begins) >= _FEWEST) * np.uint16(_NUMBERS)
        found |= (np.add.reduceat((said & SPOKEN) != 0, line.begins, dtype=np.int32) > 1) * np.uint16(_DICTATED)
        return [here if text.isascii() else marks(_folded(text)) for text, here in zip(texts, found.tolist(), strict=True)]


@cache
def shared_marks() -> Marks:
    return Marks()


def _marked(form: str) -> int:
    """As `marks`, of a token's form: most are a word that says nothing."""
    word = form.lower().rstrip(".")
    if word and not word.strip("oli"):
        return _MISREAD
    return 0 if word.isalpha() and word.encode() not in _TRIGGERS else marks(form)


def marks(plain: str) -> int:
    """What a folded text's words say of which searches are worth while."""
    words = _TRIGGERS.intersection(plain.lower().encode(errors="surrogatepass").translate(_WORDS_ONLY).split())
    found = _NUMBERS if _ENOUGH.search(plain) else 0
    if "@" in plain or "%" in plain:
        found |= _MAIL
    if _MISREADABLE.search(plain):
        found |= _MISREAD
    if _SPOKEN.isdisjoint(words):
        return found | sum(mark for mark, said in _MARKED if not said.isdisjoint(words)) if words else found
    return found | _DICTATED | sum(mark for mark, said in _MARKED if not said.isdisjoint(words))


def find(text: str) -> list[Finding]:
    """Every finding in `text`, in order, without overlaps."""
    said = marks(text if text.isascii() else _folded(text))
    return find_marked(as_read(text, said), said)


def find_marked(plain: str, said: int) -> list[Finding]:
    """The same of a text as it is read, with its marks."""
    low = _lowered(plain)
    found: list[Finding] = []
    if said & (_MAIL | _AT):
        found += find_emails(low, spelled=bool(said & _AT) or "%40" in low)
    if said & _NUMBERS and _ENOUGH.search(low):
        found += find_numbers(low, labelled=bool(said & _LABELLED))
        if said & _CARDS:
            found += find_ak1(low)
        if said & _BIRTHS:
            found += find_births(low)
    context = bool(said & _PLATES)
    if context or (said & _NUMBERS and plain != low):
        found += find_plates(plain, low, context=context)
    if said & _DICTATED:
        found += find_dictated(low)
    if said & _PLACES:
        words = low.encode(errors="surrogatepass").translate(_WORDS_ONLY).split()
        found += find_addresses(plain, low, {_ADDRESS[word] for word in _ADDRESS.keys() & words})
    if found:
        found += find_row_births(low, found)
    return _settled(plain, found) if len(found) > 1 else found


def as_read(text: str, said: int) -> str:
    """The text as a reader takes it: folded, and with the digits that a typist or a scan gave as letters ("l3O3 05..."); as long as before. said: its marks."""
    plain = text if text.isascii() else _folded(text)
    return _BETWEEN.sub(_as_digits, _TOUCHING.sub(_as_digits, plain)) if said & _MISREAD else plain


def _as_digits(letters: re.Match[str]) -> str:
    return letters.group().translate(_READ_AS)


def _folded(text: str) -> str:
    return text.translate({ord(c): _fold(c) for c in set(text) if not c.isascii()})


@cache
def _fold(char: str) -> str:
    """The one ASCII character that a reader takes this one for, or the character itself."""
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if kind in ("Zs", "Zl", "Zp") or char == "\x85":
        return " " if kind == "Zs" else "\n"
    if kind in ("Cf", "Mn", "Me"):
        return _INVISIBLE
    if kind == "Pd" or char == "−":
        return "-"
    if "！" <= char <= "～":
        return chr(ord(char) - 0xFEE0)
    return {"·": ".", "•": ".", "․": ".", "⁄": "/", "∕": "/", "﹫": "@", "’": "'", "‘": "'", "。": "."}.get(char, char)


def _lowered(plain: str) -> str:
    low = plain.lower()
    return low if len(low) == len(plain) else "".join(c if len(c.lower()) != 1 else c.lower() for c in plain)


def _settled(text: str, found: list[Finding]) -> list[Finding]:
    """In order, without overlaps."""
    found.sort(key=_START)
    end = 0
    for f in found:
        if f.start < end:
            break
        end = f.end
    else:
        return found
    kept: list[Finding] = []
    found.sort(key=lambda f: (f.start, -f.end))
    for cluster in _clusters(found):
        kept += _chosen(text, cluster) if len(cluster) > 1 else cluster
    return kept


def _clusters(found: list[Finding]) -> list[list[Finding]]:
    """Findings, in order of their start, that overlap in a chain."""
    clusters: list[list[Finding]] = []
    end = -1
    for f in found:
        if f.start < end:
            clusters[-1].append(f)
        else:
            clusters.append([f])
        end = max(end, f.end)
    return clusters


def _chosen(text: str, cluster: list[Finding]) -> list[Finding]:
    cluster.sort(key=lambda f: (_FIRST.get(f.kind, 1), f.start - f.end, f.start))
    free = bytearray(max(f.end for f in cluster) - (base := min(f.start for f in cluster)))
    kept: list[Finding] = []
    for f in cluster:
        parts = [(f.start, f.end)] if not any(free[f.start - base : f.end - base]) else _rest(text, f, free, base) if f.kind == "address" else []
        for start, end in parts:
            kept.append(Finding(start, end, f.kind, f.verdict, f.reason))
            free[start - base : end - base] = b"\1" * (end - start)
    return sorted(kept, key=lambda f: f.start)


def _rest(text: str, finding: Finding, taken: bytearray, base: int) -> list[tuple[int, int]]:
    """What of an address is not another identifier's, its edges without signs and spaces."""
    rest: list[tuple[int, int]] = []
    for part in re.finditer(rb"\0{3,}", taken[finding.start - base : finding.end - base]):
        start, end = finding.start + part.start(), finding.start + part.end()
        piece = text[start:end]
        start, end = start + len(piece) - len(piece.lstrip(" \t\n,.;:-()")), end - len(piece) + len(piece.rstrip(" \t\n,.;:-("))
        if end - start >= 3:
            rest.append((start, end))
    return rest
