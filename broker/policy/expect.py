"""What a policy is held to beside its own rules: officers' expectations, invariants nobody edits, locked caps, rules that do nothing.

An expectation is a box of cells and the level they must have, in the words of rules.csv: docs/formats/policy.md. All of it is read
from the tables, whole arrays at a time, so it is exact for every cell of every day. This module judges; it stops nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from broker.errors import ConfigError
from broker.policy.load import COLUMNS
from broker.policy.plan import Cell, cited, deciding
from broker.policy.universe import ANY, UNKNOWN
from broker.toml import read_file, top_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from broker.policy.compile import Masks, Table
    from broker.policy.load import Row
    from broker.policy.plan import Policy
    from broker.toml import Table as Toml

INVARIANT: Final = "larangan tetap"  # stands where an expectation has its file
_KEYS: Final = {"pihak": "sub", "kesepakatan": "dom", "objek": "obj", "aksi": "act", "tujuan": "pur", "kelas": "row"}
_BEGINNING, _END = "0001-01-01", "~"  # before and after every ISO date
_HIGHEST: Final = 5
_SPECIFIC: Final = 2  # UU 27/2022 Pasal 4 ayat (2); docs/semantics.md: specific data never above 2


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """Every cell of a box has a level from `lowest` to `highest`. who: bool[sub, dom]; the others bool[value]; days: half-open ISO dates."""

    file: str
    line: int
    reason: str
    who: NDArray[np.bool_]
    act: NDArray[np.bool_]
    pur: NDArray[np.bool_]
    row: NDArray[np.bool_]
    obj: NDArray[np.bool_]
    days: tuple[str, str]
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that does not hold. file: INVARIANT, line 0, for an invariant. found: the highest wrong level, in `cell`.

    cells: wrong cells, one counted once for every slice of time between which the policy changes there. rules: ids that decide `cell`.
    """

    file: str
    line: int
    reason: str
    expected: str
    found: int
    cell: Cell
    cells: int
    rules: tuple[str, ...]

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at}: {self.reason}: {self.expected}, {self.found} ({', '.join(map(str, self.cell))}; {self.cells} sel; {', '.join(self.rules) or '-'})"


class Unreached(NamedTuple):
    """Ids, in the file's order. dead: allows that give no cell its height ("tidak pernah berlaku"). armed: caps that nothing runs into yet ("siaga")."""

    dead: tuple[str, ...]
    armed: tuple[str, ...]


# --- expectations and invariants


def expectation_files(folder: Path) -> dict[str, bytes]:
    """Every *.toml of a folder by its path. Raises ConfigError when there is none: a policy that nothing is expected of is not tested."""
    found = {str(path): read_file(path) for path in sorted(folder.glob("*.toml"))}
    if not found:
        raise ConfigError(str(folder), 0, "holds no expectation")
    return found


def check_expectations(policy: Policy, files: Mapping[str, bytes]) -> tuple[Failure, ...]:
    """What does not hold: invariants first, then the expectations of each file (name → bytes) in order. Raises ConfigError as read_expectations."""
    expected = [*invariants(policy), *(one for name, data in files.items() for one in read_expectations(name, data, policy))]
    return tuple(failure for one in expected if (failure := _failure(policy, one)))


def read_expectations(name: str, data: bytes, policy: Policy) -> tuple[Expectation, ...]:
    """The expectations of one file. Raises ConfigError with file and line: not TOML, an unknown or missing key, a word that rules.csv has not."""
    top = top_table(Path(name), data)
    top.only({"harapan"})
    return tuple(_expectation(table, policy) for table in top.tables("harapan"))


def _expectation(table: Toml, policy: Policy) -> Expectation:
    table.only({*_KEYS, "alasan", "tanggal", "tingkat", "paling_tinggi"})
    words = {axis: table.word(key, policy.known.words(axis) | {ANY, UNKNOWN}) for key, axis in _KEYS.items() if axis != "dom"}
    words["dom"] = table.word("kesepakatan", policy.known.words("dom") | {UNKNOWN})
    if ("tingkat" in table.data) == ("paling_tinggi" in table.data):
        raise table.wrong("tingkat", "one of tingkat and paling_tinggi, and not both")
    key = "tingkat" if "tingkat" in table.data else "paling_tinggi"
    level = table.value(key, int)
    if level not in range(_HIGHEST + (key == "tingkat")):
        raise table.wrong(key, f"{key} is out of bounds")
    reach = policy.masks.reach
    masks = {axis: reach.masks[axis, words[axis]] for axis in ("dom", "act", "pur", "row", "obj")}
    who = reach.who[words["sub"]] & masks.pop("dom")
    return Expectation(
        table.file, table.line("alasan"), table.text("alasan"), who, **masks, days=_days(table), lowest=level if key == "tingkat" else 0, highest=level
    )


def _days(table: Toml) -> tuple[str, str]:
    found = table.data.get("tanggal", "")
    if found == ANY:
        return _BEGINNING, _END
    if type(found) is not date:  # a datetime is a date too
        raise table.wrong("tanggal", f'tanggal must be a date, or "{ANY}" for every day')
    return found.isoformat(), (found + timedelta(days=1)).isoformat() if found < date.max else _END


def invariants(policy: Policy) -> Iterator[Expectation]:
    """What holds for every policy, whatever its officers write. Every unknown value is in it: `*` here is wider than in rules.csv."""
    known, reach = policy.known, policy.masks.reach
    every = {axis: np.ones(len(values), np.bool_) for axis, values in known.axes.items()}

    def box(reason: str, highest: int, days: tuple[str, str] = (_BEGINNING, _END), **narrow: NDArray[np.bool_]) -> Expectation:
        axes = {**every, **narrow}
        who = axes["sub"][:, None] & axes["dom"]
        return Expectation(INVARIANT, 0, reason, who, axes["act"], axes["pur"], axes["row"], axes["obj"], days, 0, highest)

    if ("obj", "kelas:spesifik") in reach.masks:
        yield box("data pribadi spesifik paling tinggi generalisasi", _SPECIFIC, obj=reach.masks["obj", "kelas:spesifik"])
    for axis, values in known.axes.items():
        yield box(f"yang tidak dikenal tidak mendapat apa pun ({axis})", 0, **{axis: np.arange(len(values)) == len(values) - 1})
    for act in ("ungkap", "terbit"):
        yield box(f"tidak ada {act}", 0, act=reach.masks["act", act])
    for name, (first, after) in known.terms.items():
        for days in ((_BEGINNING, first), (after, _END)):
            yield box(f"tidak ada apa pun di luar masa berlaku {name}", 0, days, dom=np.array([dom == name for dom in known.axes["dom"]]))


def _failure(policy: Policy, expected: Expectation) -> Failure | None:
    axes = policy.known.axes
    worst, cell, count = -1, None, 0
    for first, (sub, dom, act), levels in _tables_of(policy, expected):
        part = levels.transpose(2, 0, 1)[expected.obj]
        wrong = ((part < expected.lowest) | (part > expected.highest)) & (expected.pur[:, None] & expected.row)
        count += int(wrong.sum())
        height = np.where(wrong, part.astype(np.int8), np.int8(-1))
        if height.max(initial=-1) > worst:
            worst = int(height.max())
            obj, pur, row = np.unravel_index(height.argmax(), height.shape)
            name = axes["obj"][expected.obj.nonzero()[0][obj]]
            cell = Cell(axes["sub"][sub], axes["dom"][dom], name, axes["act"][act], axes["pur"][pur], axes["row"][row], date.fromisoformat(first))
    if cell is None:
        return None
    said = f"tingkat {expected.highest}" if expected.lowest else f"paling tinggi {expected.highest}"
    rules = deciding([cited(policy.rows[n], cell.dom) for n in policy.matching(cell)])
    return Failure(expected.file, expected.line, expected.reason, said, worst, cell, count, tuple(rule.id for rule in rules))


def _tables_of(policy: Policy, expected: Expectation) -> Iterator[tuple[str, tuple[int, int, int], NDArray[np.uint8]]]:
    """First day asked about, place and levels of everything that the box touches and that can be wrong; slices that share a table once."""
    nothing = np.zeros([len(policy.known.axes[axis]) for axis in ("pur", "row", "obj")], np.uint8)
    slices = list(zip((_BEGINNING, *policy.days), (*policy.days, _END), strict=True))
    asked = [first for first, after in slices if first < expected.days[1] and expected.days[0] < after]
    for (sub, dom), act in ((who, act) for who in np.argwhere(expected.who).tolist() for act in expected.act.nonzero()[0].tolist()):
        seen: set[int] = set()
        for first in asked:
            table = policy.tables.get((first, sub, dom, act))
            if id(table) in seen or (table is None and not expected.lowest):
                continue
            seen.add(id(table))
            yield max(first, expected.days[0]), (sub, dom, act), table.levels if table else nothing


# --- locked caps


def loosened(old: Policy, new: Policy) -> tuple[str, ...]:
    """Ids of old locked caps whose going, or changing, lets the ceiling of all locked caps rise in some cell on some day.

    It rises exactly where an old locked cap covers a cell that no locked cap of `new` holds as low; so only the box of an old cap
    that `new` has not is looked at. Raises ConfigError when the two are not about the same contracts and agreements.
    """
    if old.known != new.known:
        raise ConfigError("rules.csv", 0, "two policies about different contracts or agreements cannot be compared")
    kept = {_meaning(row) for row in new.rows if row.kunci == "ya"}
    gone = [n for n, row in enumerate(old.rows) if row.kunci == "ya" and _meaning(row) not in kept]
    return tuple(old.rows[n].id for n in gone if _rises(old, n, new))


def _meaning(row: Row) -> tuple[str, ...]:
    """What a cap says, without its id and what it cites."""
    return tuple(getattr(row, name) for name in COLUMNS if name not in ("id", "pasal"))


def _rises(old: Policy, n: int, new: Policy) -> bool:
    """Whether some cell of the old cap's box is under no locked cap of `new` that is as low."""
    masks, caps, row = old.masks, new.masks, old.rows[n]
    low = np.array([rule.kunci == "ya" for rule in new.rows]) & (caps.level <= masks.level[n])
    judged: set[bytes] = set()
    for day in (row.dari, *(day for day in new.days if row.dari < day < row.sampai)):
        today = low & caps.on(day)
        for sub, dom in np.argwhere(masks.who[n]).tolist():
            for act in masks.act[n].nonzero()[0].tolist():
                chosen = today & caps.who[:, sub, dom] & caps.act[:, act]
                if chosen.tobytes() not in judged and not _covered(masks, n, caps, chosen):
                    return True
                judged.add(chosen.tobytes())
    return False


def _covered(masks: Masks, n: int, caps: Masks, chosen: NDArray[np.bool_]) -> bool:
    pur, row, obj = masks.pur[n], masks.row[n], masks.obj[n]
    held = np.zeros((int(obj.sum()), int(pur.sum()), int(row.sum())), np.bool_)
    for cap in chosen.nonzero()[0].tolist():
        held[caps.obj[cap][obj]] |= caps.pur[cap][pur][:, None] & caps.row[cap][row]
    return bool(held.all())


# --- rules that do nothing


def unreached(policy: Policy) -> Unreached:
    """An allow decides a cell where none is higher and the caps leave something; a cap where it is the lowest and an allow is higher.

    Of two rules that say the same both decide. A rule over a day, subject, agreement or action that no allow reaches decides nothing.
    """
    masks = policy.masks
    idle = np.ones(len(policy.rows), np.bool_)
    seen: set[int] = set()
    for (day, sub, dom, act), table in policy.tables.items():
        if id(table) not in seen:
            seen.add(id(table))
            for n in (idle & masks.on(day) & masks.who[:, sub, dom] & masks.act[:, act]).nonzero()[0].tolist():
                idle[n] = not _decides(masks, n, table)
    dead, armed = ([policy.rows[n].id for n in (idle & side).nonzero()[0].tolist()] for side in (~masks.deny, masks.deny))
    return Unreached(tuple(dead), tuple(armed))


def _decides(masks: Masks, n: int, table: Table) -> bool:
    allows, levels = (array.transpose(2, 0, 1)[masks.obj[n]] for array in (table.allows, table.levels))
    mine = (levels == masks.level[n]) & (levels < allows) if masks.deny[n] else (allows == masks.level[n]) & (levels > 0)
    return bool((mine & (masks.pur[n][:, None] & masks.row[n])).any())
