"""What the bench `detect` reads: generated notes, and what of their personal data is left when the findings are gone. Test split; the warm-up reads train.

A row leaks if a letter or digit of a marked span stands outside every finding that cleaning replaces.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from broker.sample.notes import notes
from broker.treatment.clean import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from broker.model import Finding
    from broker.sample.notes import Note

IDENTIFIERS: Final = (
    "nik", "kk", "npwp", "nitku", "bpjs", "kpj", "nib", "nip", "passport", "sim", "phone", "plate", "account", "email", "address", "birth_date", "ak1",
)  # fmt: skip
OTHERS: Final = ("name", "mother", "health", "disability", "religion", "union", "crime", "finance")
CASES: Final = ("upper", "lower", "title")
SEED: Final = 20261122
UPPER: Final = 0.2  # share of the rows that are in capitals throughout
SHORTEST, LENGTH, LONGEST = 270, 300, 330  # characters of a text whose speed is measured
WORST: Final = 10
_Z: Final = 1.959964  # of 95 %, both sides


# --- rows and what leaks from them
def rows(count: int) -> Iterator[Note]:
    return notes(SEED, count, "test", upper=UPPER)


def survives(text: str, start: int, end: int, findings: Iterable[Finding]) -> bool:
    """Whether a letter or digit of text[start:end] is in none of the findings. Signs and blanks at a seam tell nothing."""
    at = start
    for f in sorted((f for f in findings if f.kind not in KEPT and f.end > start and f.start < end), key=lambda f: f.start):
        if any(map(str.isalnum, text[at : f.start])):
            return True
        at = max(at, f.end)
    return any(map(str.isalnum, text[at:end]))


@dataclass(slots=True)
class Tally:
    """Rows that hold each kind, and rows from which it leaks; the same by case, topic and template."""

    rows: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    slices: dict[str, Tally] = field(default_factory=dict)
    templates: dict[str, Tally] = field(default_factory=dict)
    overmasked: Counter[str] = field(default_factory=Counter)

    def take(self, note: Note, findings: Sequence[Finding]) -> None:
        held = {kind for _, _, kind in note.spans}
        leaked = {kind for start, end, kind in note.spans if survives(note.text, start, end, findings)}
        parts = note.template.split("+")  # a row of several notes counts for each of their templates
        here = [self, *(self.templates.setdefault(name, Tally()) for name in dict.fromkeys(parts))]
        here += [self.slices.setdefault(name, Tally()) for name in (case(note.text), *{topic(name) for name in parts})]
        for tally in here:
            tally.count(held, leaked)
        if not held:
            seen = {f.kind for f in findings} - KEPT
            self.overmasked.update(seen | {"any"} if seen else ())

    def count(self, held: set[str], leaked: set[str]) -> None:
        for counts, kinds in ((self.rows, held), (self.leaks, leaked)):
            counts.update(kinds)
            counts["identifiers"] += not kinds.isdisjoint(IDENTIFIERS)
            counts["anything"] += bool(kinds)
        self.rows["all"] += 1
        self.rows["clean"] += not held


def case(text: str) -> str:
    return "upper" if text.isupper() else "lower" if text.islower() else "title"


def topic(template: str) -> str:
    """`test.jkp.3` → `jkp`."""
    return template.split(".")[1] if template.count(".") > 1 else template


# --- figures
def leak_per_1000(tally: Tally) -> dict[str, Any]:
    """`all`: rows that leak an identifier, of all rows; a kind: of the rows that hold it; `with_identifier`: of the rows that hold any."""
    total, leaks = tally.rows["all"], tally.leaks["identifiers"]
    named = [kind for kind in (*IDENTIFIERS, *OTHERS) if tally.rows[kind]]
    return {
        "all": per_1000(leaks, total),
        "all_95": wilson(leaks, total),
        "with_identifier": figure(leaks, tally.rows["identifiers"]),
        **{kind: figure(tally.leaks[kind], tally.rows[kind]) for kind in named},
        "slices": {name: sliced(tally.slices[name]) for name in (*CASES, *sorted(tally.slices.keys() - set(CASES))) if name in tally.slices},
    }


def sliced(tally: Tally) -> dict[str, Any]:
    return figure(tally.leaks["identifiers"], tally.rows["all"]) | {"name": figure(tally.leaks["name"], tally.rows["name"])}


def figure(hits: int, of: int) -> dict[str, Any]:
    return {"per_1000": per_1000(hits, of), "95": wilson(hits, of), "rows": of}


def per_1000(hits: int, of: int) -> float | None:
    return round(1000 * hits / of, 3) if of else None


def wilson(hits: int, of: int) -> list[float] | None:
    """Bounds of 95 % per 1,000 (Wilson 1927)."""
    if not of:
        return None
    share, square = hits / of, _Z * _Z
    middle, width = share + square / (2 * of), _Z * sqrt(share * (1 - share) / of + square / (4 * of * of))
    low, high = ((middle + sign * width) / (1 + square / of) for sign in (-1, 1))
    return [round(1000 * max(0.0, low), 3), round(1000 * min(1.0, high), 3)]


def worst_templates(tally: Tally) -> list[dict[str, Any]]:
    """The templates by rows that leak anything, with the kinds; ids only."""
    order = sorted(((t.leaks["anything"], name) for name, t in tally.templates.items() if t.leaks["anything"]), key=lambda pair: (-pair[0], pair[1]))
    found = [(name, leaks, tally.templates[name]) for leaks, name in order[:WORST]]
    return [
        {"template": name, "leaks": leaks, "rows": t.rows["all"], "kinds": {kind: t.leaks[kind] for kind in (*IDENTIFIERS, *OTHERS) if t.leaks[kind]}}
        for name, leaks, t in found
    ]


# --- texts whose speed is measured
def speed_texts(split: str, count: int) -> list[str]:
    """Distinct texts of 270 to 330 characters, by turns with personal data and without."""
    streams = [_texts(split, personal=personal) for personal in (True, False)]
    texts: dict[str, None] = {}
    while len(texts) < count:
        texts[next(streams[len(texts) % 2])] = None
    return list(texts)


def _texts(split: str, *, personal: bool) -> Iterator[str]:
    """Notes of one sort joined until they are long enough, cut between words."""
    text, marked = "", False
    for note in notes(SEED + 1 + personal, 1 << 40, split):
        if bool(note.spans) is not personal:
            continue
        marked = marked or any(len(text) + end <= SHORTEST for _, end, _ in note.spans)
        text += note.text
        if len(text) < LENGTH:
            text += " "
            continue
        if marked is personal:
            yield text[: _cut(text)]
        text, marked = "", False


def _cut(text: str) -> int:
    """Where a word ends between the shortest and the longest length, the nearest below the middle first."""
    at = text.rfind(" ", SHORTEST, LENGTH + 1)
    return at if at > 0 else LENGTH


def long_text(size: int) -> str:
    """`size` characters of notes, one under the other."""
    text, parts = 0, []
    for note in notes(SEED + 3, 1 << 40, "test"):
        parts.append(note.text)
        text += len(note.text) + 1
        if text >= size:
            break
    return "\n".join(parts)[:size]


# --- sixteen digits that are nobody's
def random16(count: int) -> Iterator[str]:
    draw = random.Random(SEED)
    return (str(draw.randrange(10**15, 10**16)) for _ in range(count))


def luhn16(count: int) -> Iterator[str]:
    """Card numbers: first digit 3 to 6, the last as Luhn's rule wants it (ISO/IEC 7812-1)."""
    draw = random.Random(SEED + 1)
    return (_carded(str(draw.randrange(3 * 10**14, 7 * 10**14))) for _ in range(count))


def _carded(front: str) -> str:
    doubled = (int(d) * (2 - i % 2) for i, d in enumerate(front))
    return front + str(-sum(n - 9 * (n > 9) for n in doubled) % 10)


def batches(texts: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(texts)
    while batch := list(islice(left, size)):
        yield batch
