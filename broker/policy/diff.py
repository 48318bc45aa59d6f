"""Two versions of a policy, compared cell by cell over all time: who gains or loses what, in lines that a person reads.

A cell is one (sub, dom, act, pur, row, obj) of the universe, the synthetic UNKNOWN of each axis included. For each cell, each longest stretch of days
with one `before` and one `after` that differ counts once: a gain where `after` is higher, a loss where it is lower. A level that falls for a
year and then rises counts twice, and a column in 48 row classes counts 48 times. Levels are those under the caps: a cap that nothing runs
into yet is no change here.

Nothing here judges a change; `owed` says whose officer must.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from broker.jcs import canonical
from broker.model import LEVEL_NAMES
from broker.policy.load import NEVER
from broker.policy.universe import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from broker.jcs import Json
    from broker.model import Agreement
    from broker.policy.plan import Policy
    from broker.policy.universe import Universe

TYPE: Final = "sinergi/policy-diff/v1"
ENTRY_ROOM: Final = 60_000  # of a log entry's 65,535 bytes; the rest is for the other fields of the entry
_PSEUDONYMS: Final = (3, 4)  # levels that show nothing of a value itself
_PARTS: Final = (1, 2)  # levels that show a part of it
NAMED: Final = 6  # how many columns or purposes a sentence names before it counts them


@dataclass(frozen=True, slots=True)
class Change:
    """Every purpose × object × row class listed goes from `before` to `after` on the days from `dari` to the day before `sampai`.

    Words of the axes in the universe's order, UNKNOWN among them where it is concerned. cells: the product of the three lengths.
    No cell is in two changes for the same day.
    """

    sub: str
    dom: str
    act: str
    purposes: tuple[str, ...]
    objects: tuple[str, ...]
    row_classes: tuple[str, ...]
    before: int
    after: int
    dari: str
    sampai: str
    cells: int


@dataclass(frozen=True, slots=True)
class Diff:
    """gains, losses: cells, counted as the module says."""

    gains: int
    losses: int
    changes: tuple[Change, ...]


Place = tuple[int, int, int]  # sub, dom, act
Levels: TypeAlias = "NDArray[np.uint8] | None"  # [purpose, row class, object]; None: every cell is 0


def diff(old: Policy, new: Policy) -> Diff:
    """Every cell in which `new` says another level than `old`; by agreement and subject, gains first.

    Raises ValueError when they were compiled for different contracts or agreements.
    """
    known = old.known
    if known.axes != new.known.axes:
        raise ValueError("policies of different universes cannot be compared")
    days = sorted({*old.days, *new.days})
    places = sorted({(dom, sub, act) for policy in (old, new) for _, sub, dom, act in policy.tables})
    return _diff(change for dom, sub, act in places for change in _at(known, days, (sub, dom, act), old, new))


def part(whole: Diff, agreement: str) -> Diff:
    """The lines of one agreement alone, with counts of their own: what its log and its parties may read."""
    return _diff(change for change in whole.changes if change.dom == agreement)


def touched(whole: Diff) -> tuple[str, ...]:
    """The agreements with a line; the parts of all of them are the whole."""
    return tuple(dict.fromkeys(change.dom for change in whole.changes))


def owed(whole: Diff, agreements: Mapping[str, Agreement]) -> Mapping[str, frozenset[str]]:
    """By agreement, the parties whose officer must approve, because someone else gains more of their data; no gain, no entry.

    Receiving: the other party than the one that gains. Sending: the party itself. Anything else (third parties, the public, a stranger,
    a system outside the agreement): both. A gain under an agreement that nobody declares needs every party of every agreement.
    """
    found: dict[str, frozenset[str]] = {}
    for change in whole.changes:
        if not opens(change):
            continue
        concerned = [agreements[change.dom]] if change.dom in agreements else list(agreements.values())
        for agreement in concerned:
            found[agreement.id] = found.get(agreement.id, frozenset()) | _owed(change, agreement)
    return found


def opens(change: Change) -> bool:
    """Whether someone may see more of a value: at a higher level; and masked or generalised where a pseudonym stood, though that is lower."""
    return change.after > change.before or (change.before in _PSEUDONYMS and change.after in _PARTS)


def _owed(change: Change, agreement: Agreement) -> frozenset[str]:
    parties = frozenset(agreement.parties)
    gaining = frozenset(party for party, system in agreement.systems.items() if system == change.sub)
    if gaining and change.dom == agreement.id and change.act == "terima":
        return parties - gaining
    if gaining and change.dom == agreement.id and change.act == "kirim":
        return gaining
    return parties


def _diff(changes: Iterable[Change]) -> Diff:
    lines = tuple(changes)
    gains = sum(change.cells for change in lines if change.after > change.before)
    return Diff(gains, sum(change.cells for change in lines) - gains, lines)


# --- from tables to lines
def _at(known: Universe, days: Sequence[str], place: Place, old: Policy, new: Policy) -> list[Change]:
    """The lines of one subject, agreement and action. Cells alike over all time are looked at once."""
    days, codes = _codes(days, _levels(old, days, place), _levels(new, days, place))
    different = [code for code in codes if code is not None]
    if not different:
        return []
    objects = np.logical_or.reduce([code.any(axis=(0, 1)) for code in different]).nonzero()[0]
    shape = (different[0].shape[0], len(objects))
    # One row per (purpose, object): its levels in every slice and row class.
    stack = np.stack([code[:, :, objects] if code is not None else np.zeros_like(different[0][:, :, objects]) for code in codes])
    rows = np.ascontiguousarray(stack.transpose(1, 3, 0, 2)).reshape(shape[0] * shape[1], -1)
    _, first, alike = np.unique(rows.view(f"V{rows.shape[1]}").ravel(), return_index=True, return_inverse=True)
    spots: list[list[tuple[int, int]]] = [[] for _ in first]
    for n, which in enumerate(alike.tolist()):
        spots[which].append(divmod(n, len(objects)))
    axes, sub, dom, act = known.axes, *place
    lines = []
    for (begin, end, code), classes, those in _stretches(rows[first].reshape(len(first), len(days), -1)):
        for purposes, columns in _boxes(sorted(spot for which in those for spot in spots[which])):
            line = Change(
                sub=axes["sub"][sub],
                dom=axes["dom"][dom],
                act=axes["act"][act],
                purposes=tuple(axes["pur"][n] for n in purposes),
                objects=tuple(axes["obj"][objects[n]] for n in columns),
                row_classes=tuple(axes["row"][n] for n in classes),
                before=code // 6,
                after=code % 6,
                dari=days[begin],
                sampai=days[end],
                cells=len(purposes) * len(columns) * len(classes),
            )
            lines.append(((code // 6 > code % 6, begin, end, purposes, columns, classes), line))
    return [line for _, line in sorted(lines, key=lambda keyed: keyed[0])]


def _levels(policy: Policy, days: Sequence[str], place: Place) -> list[Levels]:
    """What the policy says from each of `days` on, until the next."""
    found = []
    for day in days:
        n = bisect_right(policy.days, day) - 1
        table = policy.tables.get((policy.days[n], *place)) if n >= 0 else None
        found.append(table.levels if table else None)
    return found


def _codes(days: Sequence[str], before: Sequence[Levels], after: Sequence[Levels]) -> tuple[list[str], list[Levels]]:
    """The days on which one of the two is another array than the day before, and for each: 0 where both say the same, elsewhere 6 × before + after."""
    pairs = [(id(was), id(now)) for was, now in zip(before, after, strict=True)]
    kept = [n for n, pair in enumerate(pairs) if n == 0 or pair != pairs[n - 1]]
    known = {pairs[n]: n for n in kept}
    codes = {pair: _code(before[n], after[n]) for pair, n in known.items()}
    return [days[n] for n in kept], [codes[pairs[n]] for n in kept]


def _code(was: Levels, now: Levels) -> Levels:
    if was is now:
        return None
    left, right = (np.uint8(0) if levels is None else levels for levels in (was, now))
    different = np.not_equal(left, right)
    return np.where(different, np.uint8(6) * left + right, np.uint8(0)) if different.any() else None


def _stretches(rows: NDArray[np.uint8]) -> Iterator[tuple[tuple[int, int, int], tuple[int, ...], list[int]]]:
    """rows: uint8[row, slice, row class] of codes. Yields ((first slice, slice after the last, code), row classes, rows).

    Of one stretch and code, a row is yielded once, with all its row classes.
    """
    count = rows.shape[1]
    earlier = np.zeros_like(rows)
    earlier[:, 1:] = rows[:, :-1]
    ends = np.full(rows.shape, count, np.intp)
    for n in range(count - 2, -1, -1):
        ends[:, n] = np.where(rows[:, n] == rows[:, n + 1], ends[:, n + 1], n + 1)
    row, begin, klass = np.nonzero(np.not_equal(rows, 0) & np.not_equal(rows, earlier))
    shape = (count, count + 1, 36, len(rows))
    keys = np.ravel_multi_index((begin, ends[row, begin, klass], rows[row, begin, klass], row), shape)
    distinct, inverse = np.unique(keys, return_inverse=True)
    classes = np.zeros((len(distinct), rows.shape[2]), dtype=np.bool_)
    classes[inverse, klass] = True
    found: dict[tuple[int, int, int, bytes], list[int]] = {}
    for (first, end, code, which), flags in zip(np.transpose(np.unravel_index(distinct, shape)).tolist(), classes, strict=True):
        found.setdefault((first, end, code, flags.tobytes()), []).append(which)
    for (first, end, code, data), those in found.items():
        yield (first, end, code), tuple(np.frombuffer(data, np.bool_).nonzero()[0].tolist()), those


def _boxes(spots: Sequence[tuple[int, int]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(purpose, object) pairs, sorted, as disjoint (purposes, objects): purposes alike together or objects alike, whichever is fewer."""
    by_purpose, by_object = _alike(spots), [(b, a) for a, b in _alike((b, a) for a, b in spots)]
    return by_object if len(by_object) <= len(by_purpose) else by_purpose


def _alike(pairs: Iterable[tuple[int, int]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    found: dict[int, list[int]] = {}
    for left, right in pairs:
        found.setdefault(left, []).append(right)
    groups: dict[tuple[int, ...], list[int]] = {}
    for left, rights in found.items():
        groups.setdefault(tuple(rights), []).append(left)
    return [(tuple(sorted(lefts)), rights) for rights, lefts in groups.items()]


# --- in words
_ACTS: Final = {
    "terima": ("penerimaan", "receiving"),
    "kirim": ("pengiriman", "sending"),
    "ungkap": ("pengungkapan kepada pihak ketiga", "disclosure to third parties"),
    "terbit": ("penerbitan untuk publik", "publication"),
    UNKNOWN: ("tindakan yang tidak dikenal", "an action that nobody declares"),
}
_OUTSIDERS: Final = {
    "pihak_ketiga": ("Pihak ketiga", "Third parties"),
    "publik": ("Publik", "The public"),
    UNKNOWN: ("Pihak yang tidak dikenal", "A party that nobody declares"),
}
_LEVELS: Final = ("hidden", "masked", "generalised", "pseudonym", "format-preserving pseudonym", "clear")


def sentences(change: Change, names: Mapping[str, str] | None = None) -> tuple[str, str]:
    """A line in Indonesian and in English; the last day named is the last day on which it holds.

    names: system id to the name people use, `siapkerja@kemnaker` to `SIAPkerja`; without one the id alone is shown. More than NAMED columns or
    purposes are counted, those that nobody declares are always named.
    """
    name = (names or {}).get(change.sub)
    who = f"{name} ({change.sub})" if name else change.sub
    party = _OUTSIDERS.get(change.sub, (f"Operator {who}", f"The operator of {who}"))
    agreement = ("kesepakatan yang tidak dikenal", "an agreement that nobody declares") if change.dom == UNKNOWN else (change.dom, change.dom)
    verb = ("naik", "up") if change.after > change.before else ("turun", "down")
    if opens(change) and change.after < change.before:
        verb = ("MENAMPAKKAN sebagian nilai, turun", "SHOWS a part of the value, down")
    columns, first, last = _columns(change.objects), _date(change.dari), _last(change.sampai)
    levels = (
        f"{columns[0]} {verb[0]} dari {LEVEL_NAMES[change.before]} ke {LEVEL_NAMES[change.after]}",
        f"{columns[1]} {verb[1]} from {_LEVELS[change.before]} to {_LEVELS[change.after]}",
    )
    days = (f"sejak {first}", f"from {first}") if last is None else (f"{first} s.d. {last}", f"{first} to {last}")
    heads, tails = zip(party, agreement, _ACTS[change.act], _purposes(change.purposes), strict=True), zip(levels, _classes(change.row_classes), days, strict=True)
    indonesian, english = (f"{', '.join(head)}: {', '.join(tail)}" for head, tail in zip(heads, tails, strict=True))
    return indonesian, english


def _purposes(purposes: Sequence[str]) -> tuple[str, str]:
    declared = [code for code in purposes if code != UNKNOWN]
    listed, count = ", ".join(declared), len(declared)
    words = [(f"tujuan {listed}", f"{_plural('purpose', count)} {listed}") if count <= NAMED else (f"{count} tujuan", f"{count} purposes")] if declared else []
    return _listed(words + [("tujuan yang tidak dikenal", "a purpose that nobody declares")] * (UNKNOWN in purposes))


def _columns(objects: Sequence[str]) -> tuple[str, str]:
    """A dataset as such (`dataset.*`, what a sender is asked for) is no column of it."""
    datasets = [obj.removesuffix(".*") for obj in objects if obj.endswith(".*")]
    columns = [obj for obj in objects if obj != UNKNOWN and not obj.endswith(".*")]
    counted = Counter(column.partition(".")[0] for column in columns)
    words = (
        [(column, column) for column in columns]
        if len(columns) <= NAMED
        else [(f"{count} kolom {dataset}", f"{count} {_plural('column', count)} of {dataset}") for dataset, count in counted.items()]
    )
    words += [(f"dataset {dataset}", f"dataset {dataset}") for dataset in datasets]
    return _listed(words + [("kolom yang tidak dikenal", "a column that nobody declares")] * (UNKNOWN in objects))


def _classes(classes: Sequence[str]) -> tuple[str, str]:
    declared = [klass for klass in classes if klass != UNKNOWN]
    words = [(f"{len(declared)} kelas baris", f"{len(declared)} row classes")] if len(declared) > 1 else [(f"kelas baris {k}", f"row class {k}") for k in declared]
    return _listed(words + [("kelas baris yang tidak dikenal", "a row class that nobody declares")] * (UNKNOWN in classes))


def _listed(words: Sequence[tuple[str, str]]) -> tuple[str, str]:
    return ", ".join(word for word, _ in words), ", ".join(word for _, word in words)


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _date(day: str) -> str:
    year, month, of_month = day.split("-")
    return f"{of_month}-{month}-{year}"


def _last(sampai: str) -> str | None:
    return None if sampai == NEVER else _date((date.fromisoformat(sampai) - timedelta(days=1)).isoformat())


# --- as JSON
def as_json(whole: Diff) -> dict[str, Json]:
    """The whole diff for RFC 8785; a line's fields have the names of Change, levels are integers."""
    return {"changes": [_line(change) for change in whole.changes], "gains": whole.gains, "losses": whole.losses, "type": TYPE}


def summary(whole: Diff, room: int = ENTRY_ROOM) -> dict[str, Json]:
    """The counts, the SHA-256 of as_json() as canonical JSON, and the first lines that fit into `room` bytes of canonical JSON.

    lines: how many there are in all; changes: the first of them, all if they fit. Raises ValueError when `room` does not hold the counts.
    """
    full = as_json(whole)
    head: dict[str, Json] = {
        "changes": [],
        "gains": whole.gains,
        "lines": len(whole.changes),
        "losses": whole.losses,
        "sha256": sha256(canonical(full)).hexdigest(),
        "type": TYPE,
    }
    left = room - len(canonical(head))
    if left < 0:
        raise ValueError("no room for the counts")
    fitting: list[Json] = []
    for change in whole.changes:
        line = _line(change)
        left -= len(canonical(line)) + bool(fitting)  # a comma before all but the first
        if left < 0:
            break
        fitting.append(line)
    return head | {"changes": fitting}


def _line(change: Change) -> dict[str, Json]:
    return {
        "act": change.act,
        "after": change.after,
        "before": change.before,
        "cells": change.cells,
        "dari": change.dari,
        "dom": change.dom,
        "objects": list(change.objects),
        "purposes": list(change.purposes),
        "row_classes": list(change.row_classes),
        "sampai": change.sampai,
        "sub": change.sub,
    }
