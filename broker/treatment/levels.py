"""Which level a column really gets: one it cannot do steps down; and the distinct treatment profiles of a Plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from broker.model import ROW_FLAGS, Level, class_name
from broker.treatment.formatted import FORMATTED

if TYPE_CHECKING:
    from broker.model import Column, Contract, Plan


def generaliser(column: Column, audience: str) -> str | None:
    return column.generalise.get(audience) or column.generalise.get("")


def able(column: Column, audience: str, *, formatted: bool) -> tuple[Level, ...]:
    """The levels this column can do, highest first. Free text leaves cleaned or not at all. formatted: whether the agreement has opted in to level 4."""
    if column.type == "text":
        return (Level.PSEUDONYM, Level.GENERALISE, Level.HIDE) if column.klass == "teks_bebas" else (Level.HIDE,)
    if column.klass == "teks_bebas":
        return (Level.HIDE,)
    can = (
        (Level.CLEAR, True),
        (Level.FORMAT_PRESERVING, formatted and column.kind in FORMATTED),
        (Level.PSEUDONYM, column.token),
        (Level.GENERALISE, generaliser(column, audience)),
        (Level.MASK, column.mask),
        (Level.HIDE, True),
    )
    return tuple(level for level, means in can if means)


def effective_level(column: Column, level: int, audience: str, *, formatted: bool) -> Level:
    """The highest level ≤ `level` that this column can do."""
    return next(can for can in able(column, audience, formatted=formatted) if can <= level)


@dataclass(frozen=True, slots=True)
class Profiles:
    """The distinct treatments of a Plan. A leaf names its profile by number, the manifest spells them out.

    levels: per profile, the effective level of each contract column. of_class: row class number → profile.
    flags: the row flags that change anything. released: columns that leave in at least one profile, sorted by name.
    """

    names: tuple[str, ...]
    levels: tuple[bytes, ...]
    of_class: tuple[int, ...]
    flags: tuple[str, ...]
    released: tuple[str, ...]


def profiles(plan: Plan, contract: Contract) -> Profiles:
    steps = np.zeros((len(contract.columns), len(Level)), np.uint8)
    for i, column in enumerate(contract.columns):
        for can in reversed(able(column, plan.audience, formatted=plan.formatted)):
            steps[i, can:] = can
    asked = np.frombuffer(b"".join(plan.levels), np.uint8).reshape(len(plan.levels), -1)
    rows = [row.tobytes() for row in steps[np.arange(len(steps)), asked]]
    distinct: dict[bytes, int] = {}
    for row in rows:
        distinct.setdefault(row, len(distinct))
    of_class = tuple(distinct[row] for row in rows)
    flags = tuple(f for bit, f in enumerate(ROW_FLAGS) if any(of_class[n] != of_class[n | 1 << bit] for n in range(len(rows)) if not n >> bit & 1))
    first = {number: n for n, number in reversed(list(enumerate(of_class)))}
    released = sorted(c.name for i, c in enumerate(contract.columns) if any(row[i] for row in distinct))
    return Profiles(tuple(class_name(first[p]) for p in distinct.values()), tuple(distinct), of_class, flags, tuple(released))
