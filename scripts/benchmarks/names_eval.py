"""How well names are found: `evaluate(FOLDER)`, also `python -m scripts.benchmarks.names_eval FOLDER`.

FOLDER holds idner-news-2k/ and nergrit/ as published; without it only the generator's notes are measured. Nothing is chosen here: the test parts only.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from broker.detection import detect
from broker.detection.names import NameFinder, found_by, shipped
from broker.sample.notes import notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from broker.model import Finding

NOTES: Final = 3000
SEED: Final = 20261121  # of the notes measured; the trainer draws from others
NAMES: Final = ("name", "mother")  # kinds of the generator that are a person's name
PERSON: Final = frozenset({"PER", "PERSON", "PPL"})
PLACE: Final = frozenset({"LOC", "PLACE", "PLC"})
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and where its persons and places stand: (start, end, "PER" or "LOC"), in characters, ordered.

    `masked` are its other personal data: a name found in an e-mail address or a street is neither right nor wrong.
    """

    text: str
    spans: tuple[tuple[int, int, str], ...]
    masked: tuple[tuple[int, int], ...] = ()


def read_marked(file: Path) -> list[Marked]:
    """The sentences of a CoNLL file: the word first on a line, its tag last, an empty line between sentences; words joined by single blanks."""
    blocks = re.split(r"\n\s*\n", file.read_text(encoding="utf-8").strip())
    return [_marked([(line.split()[0], line.split()[-1]) for line in block.splitlines() if line.split()]) for block in blocks]


def _marked(words: Sequence[tuple[str, str]]) -> Marked:
    spans: list[tuple[int, int, str]] = []
    at = 0
    open_tag = ""
    for word, tag in words:
        begin, _, name = tag.partition("-")
        kind = "PER" if name in PERSON else "LOC" if name in PLACE else ""
        if kind and begin == "I" and open_tag == kind:
            spans[-1] = (spans[-1][0], at + len(word), kind)
        elif kind:
            spans.append((at, at + len(word), kind))
        open_tag = kind
        at += len(word) + 1
    text = " ".join(word for word, _ in words)
    return Marked(text, tuple((*_bare(text, start, end), kind) for start, end, kind in spans))


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without brackets and other signs at its ends: some published words keep them, as in `(Budi)`."""
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end


def note_marked(seed: int, count: int, split: str, *, upper: float = 0.0, form: str = "mixed") -> list[Marked]:
    """The generator's notes; a mother's name is a person's too."""
    return [
        Marked(
            note.text,
            tuple((start, end, "PER") for start, end, kind in note.spans if kind in NAMES),
            tuple((start, end) for start, end, kind in note.spans if kind not in NAMES),
        )
        for note in notes(seed, count, split, upper=upper, form=form)
    ]


def evaluate(folder: Path | None) -> dict[str, dict[str, float] | None]:
    """By all of detection, as a note would leave. Per test set: the share of persons' names covered whole, token precision, and the share of person-free texts with any name flagged."""
    form = note_marked(SEED, NOTES, "test", form="form")
    return {
        "idner": scores(read_marked(folder / "idner-news-2k" / "test.txt")) if folder else None,
        "nergrit": scores(read_marked(folder / "nergrit" / "test_preprocess.txt")) if folder else None,
        "form": scores(form),
        "form_upper": scores(note_marked(SEED, NOTES, "test", form="form", upper=1.0)),
        "form_unlisted": scores(form, partial(found_by, unlisted(form))),
        "mixed": scores(note_marked(SEED, NOTES, "test")),
    }


def unlisted(texts: Sequence[Marked]) -> NameFinder:
    """The shipped model as if no word of these texts' names stood in a word list: what surroundings and spelling alone are worth."""
    names = {w.lower() for text in texts for start, end, _ in text.spans for w in _TOKEN.findall(text.text[start:end])}
    model = shipped()
    return NameFinder(replace(model, lists={word: lists for word, lists in model.lists.items() if word not in names}))


def scores(texts: Sequence[Marked], find: Callable[[list[str]], list[list[Finding]]] = detect) -> dict[str, float]:
    found = find([t.text for t in texts])
    gold = covered = flagged = right = free = alarmed = leaking = 0
    for text, findings in zip(texts, found, strict=True):
        names = [f for f in findings if f.kind in NAMES]
        gone = [f for f in findings if f.kind != "place"]
        persons = [(start, end) for start, end, kind in text.spans if kind == "PER"]
        misses = sum(not whole(span, gone) for span in persons)
        gold += len(persons)
        covered += len(persons) - misses
        leaking += misses > 0
        free += not persons
        tokens = [at for at in flagged_tokens(text.text, names) if not inside(at, text.masked)]
        alarmed += not persons and bool(tokens)
        for start in tokens:
            flagged += 1
            right += inside(start, persons)
    return {
        "names_full_cover": round(covered / max(gold, 1), 4),
        "token_precision": round(right / max(flagged, 1), 4),
        "false_alarm_texts": round(alarmed / max(free, 1), 4),
        "leaking_texts_per_1000": round(1000 * leaking / max(len(texts), 1), 1),
        "names": gold,
        "person_free_texts": free,
    }


def whole(span: tuple[int, int], names: Iterable[Finding]) -> bool:
    """Whether every character of the span stands in a found name."""
    at = span[0]
    for name in names:
        if name.start <= at < name.end:
            at = name.end
    return at >= span[1]


def inside(at: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def flagged_tokens(text: str, names: Iterable[Finding]) -> Iterator[int]:
    """Where each word or number in a found name begins."""
    for name in names:
        yield from (m.start() for m in _TOKEN.finditer(text, name.start, name.end) if m.group()[0].isalnum())


if __name__ == "__main__":
    print(json.dumps(evaluate(Path(sys.argv[1]) if sys.argv[1:] else None), indent=1))
