"""Names of persons and places in free text: a linear-chain CRF of ours, decoded in numpy over a batch of texts.

Every feature looks at one token at a fixed offset, so a token's emissions are a sum of table rows: a form costs something once and a look-up after.
The numbered flow is in `find_names`. Recall first: a token is a person's when the chance of that exceeds the model's threshold, not when it is the likeliest.
Nothing here trains (scripts/train_names does) and nothing leaves the machine. Offsets are in characters.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np

from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int32]

LABELS: Final = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
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
# Every character falls in exactly one token, blanks in the token behind them, so that lengths give offsets.
_TOKEN: Final = re.compile(rf"[^\S\n]*+(?:{_WORD}|\d++|\n\s*+|[^\w\s]|[^\W\d_a-zA-Z]++\.?|[\w_])|\s++")
_INVISIBLE: Final = re.compile(r"[\u0300-\u036f\u200b-\u200d\u2060\ufeff\u00ad]")
_WINDOW: Final = 256  # tokens decoded in one piece
_OVERLAP: Final = 24  # tokens two pieces share: the chain forgets within a few
_BATCH_CHARACTERS: Final = 250_000
_FORMS: Final = 1 << 17  # forms kept before the table is emptied
_LONGEST_WORD: Final = 40  # a longer form is no word; its ends stand for it

_STEADY: Final = 4  # steps between two rescalings: one changes a number by less than e^70 either way, double precision holds e^700

_SURE: Final = 0.9
_LIKELY: Final = 0.5
_PLACE: Final = 0.5
_FAINT: Final = 0.12  # chosen on the dev parts: below it a name needs another sign of a person in its text (detect.py)
FAINT: Final = "name model, a faint chance"
_BANDS: Final = (("shaped", FAINT), ("shaped", "name model, less likely than not"), ("plausible", "name model, likely"), ("valid", "name model, sure"))
_JOINERS: Final = frozenset({"-", ".", "'", "’", "`", "br", "br.", "bin", "binti", "boru", "b.", "bt.", "van", "de", "al", "el"})
_TITLE_WORDS: Final = (
    "bapak bpk pak bpk. ibu bu sdr sdr. sdri sdri. saudara saudari tn tn. ny ny. nyonya tuan nn nn. h. hj. haji hajah hajjah dr. drs. dra. ir. prof. prof "
    "kh. k.h. ustad ustadz ustadzah mas mbak mba mbk bang kak kakak adik dik om tante uda uni uwan mak etek amai lae ito eda inang amang kang teh teteh "
    "neng aa cak cik koh ko ci cici s.t s.t. s.e. s.h. s.pd. s.kom. a.md. m.m. m.t. m.h. m.pd. m.si. s.sos. s.ag. s.ip. s.ap. s.farm. s.kep. s.tr. amd. "
    "st. se. sh. spd. skom. mm. nama a.n. a.n an. u.p. u.p yth yth."
)
_TITLES: Final = frozenset(_TITLE_WORDS.split())  # never part of a name; `St.` is not here: Sutan, part of a Minang gelar


@dataclass(frozen=True, slots=True)
class Model:
    """What scripts/train_names wrote: weights of (feature, offset, label), transitions of (label, label), word lists, the threshold."""

    index: Mapping[str, int]
    weights: Floats  # (features + 1, offsets, labels); the last row is zero: a feature the model does not know
    transitions: Floats  # (from, to)
    lists: Mapping[str, tuple[str, ...]]  # the features of a listed word
    threshold: float


@cache
def shipped() -> Model:
    with files("broker.detection").joinpath("names.npz").open("rb") as file:
        return read_model(file)


def read_model(file: IO[bytes]) -> Model:
    """The model in an .npz of `names`, `weights`, `transitions`, `lists` and `threshold`; nothing in it is executed."""
    with np.load(file, allow_pickle=False) as box:
        names = box["names"].tobytes().decode().split("\n")
        weights = np.zeros((len(names) + 1, len(OFFSETS), len(LABELS)), dtype=np.float32)
        weights.reshape(-1)[box["at"].astype(np.int64).cumsum()] = box["weights"]
        lists: dict[str, tuple[str, ...]] = {}
        for name, words in json.loads(box["lists"].tobytes()).items():
            for word in words.split(" "):
                lists[word] = (*lists.get(word, ()), list_feature(name))
        return Model({name: i for i, name in enumerate(names)}, weights, box["transitions"].astype(np.float32), lists, float(box["threshold"]))


# --- what a token looks like -------------------------------------------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """The text in pieces, blanks before each piece included: their concatenation is the text."""
    return _TOKEN.findall(text)


def form(token: str) -> str:
    """The token as features see it: no blanks, no invisible marks, digits as their count, any line break one."""
    bare = token.lstrip()
    if not bare:
        return "<br>" if "\n" in token else "<sp>"
    if bare.isdigit():
        return f"<{min(len(bare), 20)}>"
    if not bare.isascii():
        bare = _INVISIBLE.sub("", bare) or "."
    return bare if len(bare) <= _LONGEST_WORD else bare[:8] + bare[-8:]


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


# --- rows: the emissions of a form, computed once ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Read:
    scores: Floats  # (tokens, labels), logarithms
    core: NDArray[np.int8]  # 2 a word that may begin or end a name, 1 a title, which seldom does, 0 no word
    joins: NDArray[np.bool_]  # what may stand between two parts of a name


class _Vocabulary(dict[str, int]):
    """Token → number of its form, growing as tokens appear; `table[offset, row]` are emissions, a row per form and mode met."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.lock = threading.Lock()
        self.empty()

    def empty(self) -> None:
        self.clear()
        self.forms: list[str] = []
        self.numbers: dict[str, int] = {}
        self.case, self.core, self.joins = (np.zeros(1024, dtype=np.int8) for _ in range(3))
        self.described = 0
        self.rows = np.full((1024, len(MODES)), -1, dtype=np.int32)
        self.table = np.zeros((len(OFFSETS), 1024, len(LABELS)), dtype=np.float32)
        self.used = 0
        self[EDGE] = self._number(EDGE)

    def __missing__(self, token: str) -> int:
        number = self._number(form(token))
        if not token[-1].isdigit() or len(token) < 4:  # numbers hardly come twice: they must not fill the table
            self[token] = number
        return number

    def _number(self, shown: str) -> int:
        number = self.numbers.get(shown)
        if number is None:
            number = self.numbers[shown] = len(self.forms)
            self.forms.append(shown)
        return number

    def read(self, line: Sequence[str], begins: Ints) -> _Read:
        """What the model says of each token of the line by itself; the first and last REACH rows are zero."""
        with self.lock:
            if len(self) > _FORMS:
                self.empty()
            numbers = np.fromiter(map(self.__getitem__, line), dtype=np.int32, count=len(line))
            starts = begins.copy()
            starts[0] = 0
            self._size_up()
            return _Read(self._emissions(numbers, starts), self.core[numbers], self.joins[numbers].view(np.bool_))

    def _emissions(self, numbers: Ints, starts: Ints) -> Floats:
        modes = self._modes(numbers, starts)
        rows = self.rows[numbers, modes]
        if (rows < 0).any():
            missing = np.flatnonzero(rows < 0)
            self._add_rows(np.unique(numbers[missing].astype(np.int64) * len(MODES) + modes[missing]))
            rows = self.rows[numbers, modes]
        scores = np.zeros((len(rows), len(LABELS)), dtype=np.float32)
        inner = slice(REACH, len(rows) - REACH)
        for k in range(len(OFFSETS)):
            scores[inner] += self.table[k].take(rows[k : len(rows) - 2 * REACH + k], axis=0)
        return scores

    def _size_up(self) -> None:
        known = len(self.forms)
        if known > len(self.case):
            self.case, self.core, self.joins = (np.concatenate([old, np.zeros(known, dtype=np.int8)]) for old in (self.case, self.core, self.joins))
            self.rows = np.concatenate([self.rows, np.full((known, len(MODES)), -1, dtype=np.int32)])
        for i in range(self.described, known):
            shown = self.forms[i]
            self.case[i] = case_class(shown)
            self.core[i] = (shown[0].isalpha()) * (2 - (shown.lower() in _TITLES))
            self.joins[i] = shown.lower() in _JOINERS
        self.described = known

    def _modes(self, numbers: Ints, starts: Ints) -> Ints:
        case = self.case[numbers]
        upper, capital, lower = (np.add.reduceat(case == c, starts, dtype=np.int32) for c in (1, 2, 3))
        words = upper + capital + lower
        mode = np.where((upper * 10 >= words * 7) & (upper > 0), 1, np.where((upper + capital) * 25 <= words, 2, 0)).astype(np.int32)
        return np.repeat(mode, np.diff(starts, append=len(numbers)))

    def _add_rows(self, wanted: NDArray[np.int64]) -> None:
        index, last = self.model.index, len(self.model.index)
        at: list[int] = []
        begins: list[int] = []
        for pair in wanted.tolist():
            shown = self.forms[pair // len(MODES)]
            begins.append(len(at))
            found = features(shown, self.model.lists)
            found += case_features(found, shown, MODES[pair % len(MODES)])
            at += [index.get(f, last) for f in found]
        rows = np.add.reduceat(self.model.weights[at], begins, axis=0)
        end = self.used + len(rows)
        if end > self.table.shape[1]:
            grown = np.zeros((len(OFFSETS), 2 * end, len(LABELS)), dtype=np.float32)
            grown[:, : self.used] = self.table[:, : self.used]
            self.table = grown
        self.table[:, self.used : end] = rows.transpose(1, 0, 2)
        self.rows[wanted // len(MODES), wanted % len(MODES)] = np.arange(self.used, end)
        self.used = end


# --- the chain ---------------------------------------------------------------------------------------------------------------------------


def marginals(scores: Floats, begins: Ints, ends: Ints, transitions: Floats) -> Floats:
    """Chances (tokens, labels) by forward-backward over the sequences [begin, end) of `scores` (tokens, labels); rows outside all are zero.

    Sequences run side by side, longest first, so that those still running at a step are a prefix.
    """
    found = np.zeros(scores.shape)
    order = np.argsort(begins - ends, kind="stable")
    begins, lengths = begins[order], (ends - begins)[order]
    steps = int(lengths[0]) if len(lengths) else 0
    running = np.searchsorted(-lengths, -np.arange(steps), side="left")  # sequences longer than each step
    highest = scores[:, 0]
    for label in range(1, len(LABELS)):
        highest = np.maximum(highest, scores[:, label])
    weight = np.exp(scores - highest[:, None]).astype(np.float64)
    move = np.exp(transitions, dtype=np.float64)
    forward = np.empty((steps, len(begins), len(LABELS)))
    for t, n in enumerate(running.tolist()):
        here = weight[begins[:n] + t]
        if t:
            here *= _times(forward[t - 1, :n], move)
        if t % _STEADY == 0:
            here /= here.max(axis=1, keepdims=True)
        forward[t, :n] = here
    back = move.T.copy()
    backward = np.ones((len(begins), len(LABELS)))
    for t in range(steps - 1, -1, -1):
        n = int(running[t])
        at = begins[:n] + t
        found[at] = forward[t, :n] * backward[:n]
        ahead = _times(backward[:n] * weight[at], back)
        if t % _STEADY == 0:
            ahead /= ahead.max(axis=1, keepdims=True)
        backward[:n] = ahead
    sums = sum(found[:, label] for label in range(len(LABELS)))
    found /= np.maximum(sums, np.finfo(np.float64).tiny)[:, None]
    return found.astype(np.float32)


def _times(rows: NDArray[np.float64], move: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product `rows @ move`, added up in one order however many rows there are: BLAS does not, and then a text would depend on those beside it."""
    total: NDArray[np.float64] = rows[:, 0:1] * move[0]
    for k in range(1, len(move)):
        total += rows[:, k : k + 1] * move[k]
    return total


def _windows(begins: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Sequences of at most _WINDOW tokens that cover the texts, with overlap where a text is cut."""
    lengths = ends - begins
    if not len(lengths) or lengths.max() <= _WINDOW:
        return begins, ends
    pairs = [(b, min(b + _WINDOW, e)) for begin, e in zip(begins.tolist(), ends.tolist(), strict=True) for b in _cuts(begin, e)]
    cut = np.array(pairs, dtype=np.int32)
    return cut[:, 0], cut[:, 1]


def _cuts(begin: int, end: int) -> range | tuple[int]:
    return (begin,) if end - begin <= _WINDOW else range(begin, end - _OVERLAP, _WINDOW - _OVERLAP)


def _chances(scores: Floats, begins: Ints, ends: Ints, transitions: Floats) -> Floats:
    """As `marginals`, over texts of any length: where two windows meet, each gives the half of the overlap that is deeper inside it."""
    first, last = _windows(begins, ends)
    if first is begins:
        return marginals(scores, first, last, transitions)
    # Even windows, then odd ones: no two of a kind share a token, except across texts, where they never do.
    even, odd = marginals(scores, first[::2], last[::2], transitions), marginals(scores, first[1::2], last[1::2], transitions)
    take: NDArray[np.bool_] = np.greater(odd.sum(axis=1), even.sum(axis=1))
    for i in np.flatnonzero(first[1:] < last[:-1]).tolist():  # windows i and i+1 overlap
        middle = (int(first[i + 1]) + int(last[i])) // 2
        take[first[i + 1] : middle] = i % 2 == 1
        take[middle : last[i]] = i % 2 == 0
    return np.where(take[:, None], odd, even)


# --- spans -------------------------------------------------------------------------------------------------------------------------------


def find_names(texts: Sequence[str]) -> list[list[Finding]]:
    """Names of persons (`name`) and places (`place`) in each text, in order, without overlaps, by the model shipped."""
    return _shipped_finder().find(texts)


class NameFinder:
    """A model and the emissions of the forms it has met; safe to share between threads."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._vocabulary = _Vocabulary(model)

    def find(self, texts: Sequence[str]) -> list[list[Finding]]:
        found: list[list[Finding]] = []
        batch: list[str] = []
        size = 0
        for text in texts:
            batch.append(text)
            size += len(text)
            if size > _BATCH_CHARACTERS:
                found += self._find_batch(batch)
                batch, size = [], 0
        return found + self._find_batch(batch)

    def _find_batch(self, texts: list[str]) -> list[list[Finding]]:
        if not texts:
            return []
        # 1. Every text in tokens, edges around.
        line, begins, ends = _line(texts)
        # 2. Emissions from the table.
        read = self._vocabulary.read(line, begins)
        # 3. Chances by forward-backward.
        chances = _chances(read.scores, begins, ends, self.model.transitions)
        # 4. Spans of the tokens above the threshold.
        return _findings(line, begins, ends, _spans(chances, read, self.model.threshold))


@cache
def _shipped_finder() -> NameFinder:
    return NameFinder(shipped())


def _line(texts: list[str]) -> tuple[list[str], Ints, Ints]:
    """All texts' tokens in one line, REACH edges before, between and after them; where each text begins and ends in it."""
    pieces = [_TOKEN.findall(text) for text in texts]
    counts = np.fromiter(map(len, pieces), dtype=np.int32, count=len(pieces))
    edges = [EDGE] * REACH
    line = edges.copy()
    for piece in pieces:
        line += piece
        line += edges
    ends = np.cumsum(counts + REACH, dtype=np.int32)
    return line, ends - counts, ends


@dataclass(frozen=True, slots=True)
class _Spans:
    """Spans of tokens [first, last), ordered, whether each is a person's, and the mean chance."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    person: NDArray[np.bool_]
    chance: Floats


def _spans(chances: Floats, read: _Read, threshold: float) -> _Spans:
    person, place = chances[:, 1] + chances[:, 2], chances[:, 3] + chances[:, 4]
    flagged: NDArray[np.bool_] = np.greater(person, threshold)
    flagged[1:-1] |= read.joins[1:-1] & flagged[:-2] & flagged[2:]
    core = read.core + (person > _SURE) > 1  # a title begins a name only where the model insists
    names, places = _runs(flagged, core), _runs((place > _PLACE) & ~flagged, core)
    first, last = np.concatenate([names[0], places[0]]), np.concatenate([names[1], places[1]])
    is_person = np.arange(len(first)) < len(names[0])
    order = np.argsort(first, kind="stable")
    first, last, is_person = first[order], last[order], is_person[order]
    # Each span added up by itself: a running sum over the batch would round with what stands before it.
    at = np.stack([first, last], axis=1).ravel()
    sums = [np.add.reduceat(np.append(each, np.float32(0)), at)[::2] for each in (place, person)]
    chance = np.where(is_person, sums[1], sums[0]) / (last - first)
    return _Spans(first, last, is_person, chance.astype(np.float32))


def _runs(flags: NDArray[np.bool_], core: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Runs of flags, cut back to their first and last core token; those without one are no runs."""
    turns = np.flatnonzero(flags[1:] != flags[:-1]) + 1  # the first and the last token are edges, never flagged
    at = np.flatnonzero(flags & core)
    low, high = np.searchsorted(at, turns[::2]), np.searchsorted(at, turns[1::2])
    low, high = low[low < high], high[low < high]
    return at[low], at[high - 1] + 1


def _findings(line: Sequence[str], begins: Ints, ends: Ints, spans: _Spans) -> list[list[Finding]]:
    widths = np.fromiter(map(len, line), dtype=np.int64, count=len(line))
    after = widths.cumsum()
    which = np.searchsorted(ends, spans.first, side="right")
    base = after[begins - 1][which]
    starts, stops = after[spans.first - 1] - base, after[spans.last - 1] - base
    bands = np.digitize(spans.chance, (_FAINT, _LIKELY, _SURE))
    found: list[list[Finding]] = [[] for _ in begins]
    rows = zip(which.tolist(), spans.first.tolist(), spans.last.tolist(), starts.tolist(), stops.tolist(), spans.person.tolist(), bands.tolist(), strict=True)
    for text, first, last, start, stop, person, band in rows:
        head, tail = line[first], line[last - 1]
        begin = start + len(head) - len(head.lstrip())
        end = stop - (tail[-1] == "." and len(tail.strip()) > 2)  # the dot of a sentence, not of an initial
        found[text].append(Finding(begin, end, "name" if person else "place", *_BANDS[band]))
    return found
