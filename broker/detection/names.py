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
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from broker.detection.chain import LABELS, chances
from broker.detection.forms import MODES, OFFSETS, REACH, Line, batches, case_class, case_features, features, list_feature, table
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int32]

_SURE: Final = 0.9
_LIKELY: Final = 0.5
_PLACE: Final = 0.5
_FAINT: Final = 0.2  # chosen on the dev parts: below it a name needs another sign of a person in its text (detect.py)
FAINT: Final = "name model, a faint chance"
_LISTED: Final = 0.005  # the chance that is enough of a word that only names hold
_BESIDE: Final = 0.0001  # and of any part of a listed name that touches a likely one
_NAMES: Final = frozenset({"g=depan", "g=marga"})
_WORDS: Final = frozenset({"c=umum", "g=wilayah", "g=ganda"})  # lists of what a name's part may mean besides
_BANDS: Final = (("shaped", FAINT), ("shaped", "name model, less likely than not"), ("plausible", "name model, likely"), ("valid", "name model, sure"))
_JOINERS: Final = frozenset({"-", ".", "'", "’", "`", "br", "br.", "bin", "binti", "boru", "b.", "bt.", "van", "de", "al", "el"})
_TITLE_WORDS: Final = (
    "bapak bpk pak bpk. ibu bu sdr sdr. sdri sdri. saudara saudari tn tn. ny ny. nyonya tuan nn nn. h. hj. haji hajah hajjah dr. drs. dra. ir. prof. prof "
    "kh. k.h. ustad ustadz ustadzah mas mbak mba mbk bang kak kakak adik dik om tante uda uni uwan mak etek amai lae ito eda inang amang kang teh teteh "
    "neng aa cak cik koh ko ci cici s.t s.t. s.e. s.h. s.pd. s.kom. a.md. m.m. m.t. m.h. m.pd. m.si. s.sos. s.ag. s.ip. s.ap. s.farm. s.kep. s.tr. amd. "
    "st. se. sh. spd. skom. mm. nama a.n. a.n an. u.p. u.p yth yth."
)
_GOES_ON: Final = re.compile(r"(?:-[^\W\d_]+| (?!(?i:[sm]\. ?[a-z]|a\. ?md|a\.n|u\.p))[A-Za-z]\.(?:[A-Za-z]\.){0,3}(?!\w))*")
_INITIAL: Final = re.compile(r"(?<!\S)(?:[A-GI-Z]\. ?|m\. ?){1,3}\Z")
_WORD_BEHIND: Final = re.compile(r" ?[A-Z][a-z][^\W\d_]+")  # of a name that was found as its initial
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


# --- rows: the emissions of a form, computed once ----------------------------------------------------------------------------------------


class _Read(NamedTuple):
    scores: Floats  # (tokens, labels), logarithms
    core: NDArray[np.int8]  # 2 a word that may begin or end a name, 1 a title, which seldom does, 0 no word
    joins: NDArray[np.bool_]  # what may stand between two parts of a name
    named: NDArray[np.int8]  # 2 a part of listed names and no other word, 1 a part of names that is a word too


class _Emissions:
    """What the model says of each form by itself; `table[offset, row]` are its scores, a row per form and mode met."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._lock = threading.Lock()
        self._empty([])

    def _empty(self, known: list[str]) -> None:
        self.known = known
        self.case, self.core, self.joins, self.named = (np.zeros(1024, dtype=np.int8) for _ in range(4))
        self.described = 0
        self.rows = np.full((1024, len(MODES)), -1, dtype=np.int32)
        self.table = np.zeros((len(OFFSETS), 1024, len(LABELS)), dtype=np.float32)
        self.used = 0

    def read(self, line: Line) -> _Read:
        """What the model says of each token of the line by itself; the first and last REACH rows are zero."""
        with self._lock:
            if line.known is not self.known:
                self._empty(line.known)
            self._size_up()
            return _Read(self._scores(line), self.core[line.forms], self.joins[line.forms].view(np.bool_), self.named[line.forms])

    def _scores(self, line: Line) -> Floats:
        modes = self._modes(line)
        rows = self.rows[line.forms, modes]
        if (rows < 0).any():
            missing = np.flatnonzero(rows < 0)
            self._add_rows(np.unique(line.forms[missing].astype(np.int64) * len(MODES) + modes[missing]))
            rows = self.rows[line.forms, modes]
        scores = np.zeros((len(rows), len(LABELS)), dtype=np.float32)
        inner = slice(REACH, len(rows) - REACH)
        for k in range(len(OFFSETS)):
            scores[inner] += self.table[k].take(rows[k : len(rows) - 2 * REACH + k], axis=0)
        return scores

    def _size_up(self) -> None:
        known = len(self.known)
        if known > len(self.case):
            grown = (np.concatenate([old, np.zeros(known, dtype=np.int8)]) for old in (self.case, self.core, self.joins, self.named))
            self.case, self.core, self.joins, self.named = grown
            self.rows = np.concatenate([self.rows, np.full((known, len(MODES)), -1, dtype=np.int32)])
        for i in range(self.described, known):
            shown = self.known[i]
            self.case[i] = case_class(shown)
            self.core[i] = (shown[0].isalpha()) * (2 - (shown.lower() in _TITLES))
            self.joins[i] = shown.lower() in _JOINERS
            lists = self.model.lists.get(shown.lower().rstrip("."))
            if lists is not None and len(shown) > 2 and not _NAMES.isdisjoint(lists):
                self.named[i] = 1 + _WORDS.isdisjoint(lists)
        self.described = known

    def _modes(self, line: Line) -> Ints:
        case, starts = self.case[line.forms], line.begins.copy()
        starts[0] = 0
        upper, capital, lower = (np.add.reduceat(case == c, starts, dtype=np.int32) for c in (1, 2, 3))
        words = upper + capital + lower
        mode = np.where((upper * 10 >= words * 7) & (upper > 0), 1, np.where((upper + capital) * 25 <= words, 2, 0)).astype(np.int32)
        return np.repeat(mode, np.diff(starts, append=len(case)))

    def _add_rows(self, wanted: NDArray[np.int64]) -> None:
        index, last = self.model.index, len(self.model.index)
        at: list[int] = []
        begins: list[int] = []
        for pair in wanted.tolist():
            shown = self.known[pair // len(MODES)]
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


# --- spans -------------------------------------------------------------------------------------------------------------------------------


def find_names(texts: Sequence[str]) -> list[list[Finding]]:
    """Names of persons (`name`) and places (`place`) in each text, in order, without overlaps, by the model shipped."""
    return found_by(shipped_finder(), texts)


def found_by(finder: NameFinder, texts: Sequence[str]) -> list[list[Finding]]:
    return [found for batch in batches(texts) for found in finder.find(batch, table().line(batch))]


class NameFinder:
    """A model and what it says of the forms it has met; safe to share between threads."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._emissions = _Emissions(model)

    def find(self, texts: Sequence[str], line: Line) -> list[list[Finding]]:
        """line: the texts' tokens (step 1)."""
        # 2. Emissions from the table.
        read = self._emissions.read(line)
        # 3. Chances by forward-backward.
        likely = chances(read.scores, line.begins, line.ends, self.model.transitions)
        # 4. Spans of the tokens above the threshold.
        return _findings(texts, line, _spans(likely, read, self.model.threshold))


@cache
def shipped_finder() -> NameFinder:
    return NameFinder(shipped())


@dataclass(frozen=True, slots=True)
class _Spans:
    """Spans of tokens [first, last), ordered, whether each is a person's, and the mean chance."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    person: NDArray[np.bool_]
    chance: Floats


def _spans(likely: Floats, read: _Read, threshold: float) -> _Spans:
    person, place = likely[:, 1] + likely[:, 2], likely[:, 3] + likely[:, 4]
    flagged: NDArray[np.bool_] = (person > threshold) | ((read.named > 1) & (person > _LISTED))
    likely_name = (person > _LIKELY) & (read.core > 1)
    beside = (read.named > 0) & (person > _BESIDE)
    flagged[1:] |= beside[1:] & likely_name[:-1]
    flagged[:-1] |= beside[:-1] & likely_name[1:]
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


def _findings(texts: Sequence[str], line: Line, spans: _Spans) -> list[list[Finding]]:
    which = np.searchsorted(line.ends, spans.first, side="right")
    rows = zip(which.tolist(), line.starts[spans.first].tolist(), line.stops[spans.last - 1].tolist(), line.starts[spans.last - 1].tolist(), spans.person.tolist(), np.digitize(spans.chance, (_FAINT, _LIKELY, _SURE)).tolist(), strict=True)
    found: list[list[Finding]] = [[] for _ in texts]
    for text, start, stop, last, person, band in rows:
        stop -= texts[text][stop - 1] == "." and stop - last > 2  # noqa: PLW2901 - the dot of a sentence, not of an initial
        if person:
            start, stop = _whole(texts[text], start, stop)  # noqa: PLW2901
        if found[text] and start < found[text][-1].end:  # what the name before was given belongs to it
            start = found[text][-1].end  # noqa: PLW2901
            start += len(texts[text][start:stop]) - len(texts[text][start:stop].lstrip())  # noqa: PLW2901
        if start < stop:
            found[text].append(Finding(start, stop, "name" if person else "place", *_BANDS[band]))
    return found


def _whole(text: str, start: int, stop: int) -> tuple[int, int]:
    """A name with its double ("Karo-karo") and its initials on both sides; with the word behind what is only an initial."""
    if stop - start < 3 and text[stop - 1] == "." and (word := _WORD_BEHIND.match(text, stop)):
        stop = word.end()
    if text[stop : stop + 1] in ("-", " "):
        stop = _GOES_ON.match(text, stop).end()  # type: ignore[union-attr]  # matches nothing at least
    if start > 2 and text[start - 2] in ". " and (initial := _INITIAL.search(text, max(0, start - 12), start)):
        start = initial.start()
    return start, stop
