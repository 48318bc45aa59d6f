"""Tokens and their forms: what the names model sees of a word, and the table that gives a text's tokens without looking at its characters twice. Pure.

A text is cut at its blanks. A piece between two blanks was mostly met before: its tokens are then known, with where they stand in it.
"""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int32]

REACH: Final = 3  # tokens a feature may look to either side
OFFSETS: Final = range(-REACH, REACH + 1)
# How far each kind of feature is seen from: w word, g list, c common word, h shape, d dot, s and p ends, n digits, l length,
# x shape and lists, y shape and end.
REACHES: Final = {"w": 3, "g": 3, "c": 2, "h": 2, "x": 3, "d": 1, "s3": 1, "p3": 1, "s2": 1, "n": 2}
MODES: Final = "MUl"  # a text of mixed case, all capitals, all small letters: shapes are read against it
EDGE: Final = "\x02"  # stands before and after a text

_LETTERS: Final = "[a-zA-Z\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u02af]"  # Latin ones, spelt out because a set of ranges is read twice as fast as [^\\W\\d_]
# Marks and zero-width characters inside a word belong to it; a dot right behind it too (Sdr. M. S.T.). `a.n.` and `u.p.` are words.
_WORD: Final = rf"(?:[aAuU]\.[nNpP](?:\.|(?![^\W_]))|{_LETTERS}++(?:(?:['’`](?={_LETTERS})|[\u0300-\u036f\u200b-\u200d\u2060\ufeff\u00ad]){_LETTERS}*+)*+\.?)"
# Every character but a blank falls in exactly one token.
_TOKEN: Final = re.compile(rf"{_WORD}|\d++|\n\s*+|[^\w\s]|[^\W\d_a-zA-Z]++\.?|[\w_]")
_INVISIBLE: Final = re.compile(r"[\u0300-\u036f\u200b-\u200d\u2060\ufeff\u00ad]")
_DIGITS: Final = str.maketrans("123456789", "000000000")
_LONGEST_WORD: Final = 40  # a longer form is no word; its ends stand for it
_BATCH_CHARACTERS: Final = 250_000
_SHORT: Final = 4  # characters of a piece that is kept with its digits
_CHARACTERS: Final = 1 << 21  # of pieces kept before the table is emptied


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in batches of some size: one array for all would grow with the request."""
    first = size = 0
    for i, text in enumerate(texts):
        size += len(text)
        if size > _BATCH_CHARACTERS:
            yield texts[first : i + 1]
            first, size = i + 1, 0
    if first < len(texts):
        yield texts[first:]


def tokens(text: str) -> list[str]:
    """The text's tokens; only blanks stand between them."""
    return [token for piece in text.split(" ") for token in _TOKEN.findall(piece)]


def form(token: str) -> str:
    """The token as features see it: no invisible marks, digits as their count, any line break one."""
    if token.isdigit():
        return f"<{min(len(token), 20)}>"
    if token[0] == "\n":
        return "<br>"
    if not token.isascii():
        token = _INVISIBLE.sub("", token) or "."
    return token if len(token) <= _LONGEST_WORD else token[:8] + token[-8:]


def features(shown: str, lists: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The features of a form that do not depend on the text's case: `kind=value`."""
    word = shown.lower()
    if not word[0].isalpha():
        return [f"w={word}", "n"] if word[-1] == ">" and word[1:2].isdigit() else [f"w={word}"]
    found = ["d"] if word[-1] == "." else []
    word = word.rstrip(".")
    size = len(word)
    found += (f"w={word}", f"l={min(size, 9)}")
    found += lists.get(word) or lists.get(word.replace("'", "")) or ("g=",)
    if size > 3:  # written out: this is the costly part of a form
        found += (f"s1={word[-1]}", f"s2={word[-2:]}", f"s3={word[-3:]}", f"s4={word[-4:]}")
        found += (f"p1={word[0]}", f"p2={word[:2]}", f"p3={word[:3]}", f"p4={word[:4]}")
    elif size > 1:
        found += [f"{end}{n}={word[-n:] if end == 's' else word[:n]}" for end in "sp" for n in range(1, size + 1)]
    return found


def list_feature(name: str) -> str:
    """The feature that a word stands in the list; `umum` are the common words, seen from less far."""
    return f"c={name}" if name == "umum" else f"g={name}"


def shape(shown: str) -> str:
    """X one capital, U capitals, T title, l small letters, m mixed; empty for what has no letters."""
    word = shown.rstrip(".")
    if not word or not word[0].isalpha():
        return ""
    if word.islower():
        return "l"
    if word.isupper():
        return "X" if len(word) == 1 else "U"
    return "T" if word[0].isupper() and word[1:].islower() else "m"


def case_features(found: Sequence[str], shown: str, mode: str) -> list[str]:
    """What the text's case decides of a form with features `found`: its shape, alone, with its lists and with its end; no letters, no case."""
    seen = shape(shown)
    if not seen:
        return ["h="]
    lists = "+".join([f[2:] for f in found if f[:2] in ("g=", "c=")])
    end = shown.rstrip(".").lower()[-3:]
    return [f"h={mode}{seen}", f"x={mode}{seen}{lists}", f"y={mode}{seen}{end}"]


def case_mode(upper: int, capital: int, lower: int) -> int:
    """Index in MODES of a text with so many words (of two letters or more) in capitals, with a capital, in small letters."""
    words = upper + capital + lower
    if upper * 10 >= words * 7 and upper:
        return 1
    return 2 if (upper + capital) * 25 <= words else 0


def case_class(shown: str) -> int:
    """0 for what says nothing of a text's case, else 1 capitals, 2 a capital, 3 small letters."""
    return {"U": 1, "T": 2, "m": 2, "l": 3}.get(shape(shown), 0) if len(shown.rstrip(".")) > 1 else 0


def reach(feature: str) -> int:
    return REACHES.get(feature.split("=", 1)[0], 0)


# --- many texts in one line --------------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """All texts' tokens in one line, REACH edges before, between and after them."""

    known: list[str]  # forms by number; a list of its own after the table was emptied
    forms: Ints  # numbers of the tokens' forms
    starts: Ints  # of each token in its text, in characters
    stops: Ints
    begins: Ints  # of each text in the line
    ends: Ints


class Forms(dict[str, int]):
    """Piece → its row in a table of tokens, growing as pieces appear. `line` is safe to share between threads."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._empty()

    def _empty(self) -> None:
        self.clear()
        self._known: list[str] = []
        self._numbers: dict[str, int] = {}
        self._characters = 0
        self._pieces = np.zeros((3, 0), dtype=np.int32)  # characters, first token, tokens
        self._tokens = np.zeros((3, 0), dtype=np.int32)  # form, start and stop in the piece
        self._new_pieces: list[tuple[int, int, int]] = []
        self._new_tokens: list[tuple[int, int, int]] = []
        self[EDGE]

    def __missing__(self, piece: str) -> int:
        like = piece.translate(_DIGITS) if piece.isascii() else piece  # digits differ, their tokens do not
        row = self.get(like)
        if row is None:
            row = self[like] = self._pieces.shape[1] + len(self._new_pieces)
            if like.isalpha() and like.isascii():  # most new ones are a word
                found = [(self._number(form(like)), 0, len(like))]
            else:
                found = [(self._number(form(m.group())), *m.span()) for m in _TOKEN.finditer(like)]
            self._new_pieces.append((len(piece), self._tokens.shape[1] + len(self._new_tokens), len(found)))
            self._new_tokens += found
            self._characters += len(piece)
        if len(piece) < _SHORT:
            self[piece] = row
        return row

    def _number(self, shown: str) -> int:
        number = self._numbers.get(shown)
        if number is None:
            number = self._numbers[shown] = len(self._known)
            self._known.append(shown)
        return number

    def line(self, texts: Sequence[str]) -> Line:
        """The texts' tokens."""
        with self._lock:
            if self._characters > _CHARACTERS:
                self._empty()
            rows = [self[EDGE]] * REACH
            counts = []
            for text in texts:
                parts = text.split(" ")
                rows += map(self.__getitem__, parts)
                rows += rows[:REACH]
                counts.append(len(parts))
            return self._line(np.array(rows, dtype=np.int32), np.array(counts, dtype=np.int32))

    def _line(self, rows: Ints, counts: Ints) -> Line:
        """From the rows of all pieces, edges included, and how many pieces each text has."""
        self._grow()
        size, first, count = self._pieces[:, rows]
        after = (size + 1).cumsum(dtype=np.int32)
        last = np.cumsum(counts + REACH, dtype=np.int32)  # behind the last piece of each text
        before = np.repeat(after[last - counts - 1], counts + REACH)  # characters before the text a piece is of
        at = np.zeros(len(rows), dtype=np.int32)
        at[REACH:] = after[REACH - 1 : -1] - before
        tokens = count.cumsum(dtype=np.int32)
        forms, starts, stops = self._tokens[:, np.arange(tokens[-1], dtype=np.int32) + np.repeat(first - tokens + count, count)]
        moved = np.repeat(at, count)
        return Line(self._known, forms, starts + moved, stops + moved, tokens[last - counts - 1], tokens[last - 1])

    def _grow(self) -> None:
        if self._new_pieces:
            self._pieces = np.concatenate([self._pieces, np.array(self._new_pieces, dtype=np.int32).T], axis=1)
            self._new_pieces.clear()
        if self._new_tokens:
            self._tokens = np.concatenate([self._tokens, np.array(self._new_tokens, dtype=np.int32).T], axis=1)
            self._new_tokens.clear()


@cache
def table() -> Forms:
    """The one that all searches share."""
    return Forms()
