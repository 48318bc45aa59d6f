"""Which level a column really gets: one it cannot do steps down; and the distinct treatment profiles of a Plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.model import ROW_FLAGS, Level, class_name

if TYPE_CHECKING:
    from broker.model import Column, Contract, Plan


def generaliser(column: Column, audience: str) -> str | None:
    return column.generalise.get(audience) or column.generalise.get("")


def effective_level(column: Column, level: int, audience: str) -> Level:
    """The highest level ≤ `level` that this column can do. Free text does none until it can be cleaned; level 4 needs FF1."""
    if column.klass == "teks_bebas" or column.type == "text":
        return Level.HIDE
    able = {
        Level.CLEAR: True,
        Level.PSEUDONYM: column.token is not None,
        Level.GENERALISE: generaliser(column, audience) is not None,
        Level.MASK: column.mask is not None,
    }
    return next((Level(n) for n in range(level, 0, -1) if able.get(Level(n), False)), Level.HIDE)


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
    rows = [bytes(effective_level(c, level, plan.audience) for c, level in zip(contract.columns, levels, strict=True)) for levels in plan.levels]
    distinct: dict[bytes, int] = {}
    for row in rows:
        distinct.setdefault(row, len(distinct))
    of_class = tuple(distinct[row] for row in rows)
    flags = tuple(f for bit, f in enumerate(ROW_FLAGS) if any(of_class[n] != of_class[n | 1 << bit] for n in range(len(rows)) if not n >> bit & 1))
    first = {number: next(n for n, p in enumerate(of_class) if p == number) for number in distinct.values()}
    released = sorted(c.name for i, c in enumerate(contract.columns) if any(row[i] for row in distinct))
    return Profiles(tuple(class_name(first[p]) for p in distinct.values()), tuple(distinct), of_class, flags, tuple(released))
