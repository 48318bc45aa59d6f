"""Tables against Casbin: what was compiled must say what enforce() says, before it decides anything.

Two calls settle a cell of level n: n is permitted and n+1 is not. That is exact, because permission is monotone in the level
asked: an allow matches every level up to its own and a cap every level above its own, so what is permitted is [0, n] for some n.

Casbin walks every rule at each call. It is handed the rules whose subject, agreement and object can match the cell, found by
Casbin's own has_link on the matcher's own terms; the matcher is a conjunction, so a rule left out could only have said no.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Final

from broker.errors import ConfigError
from broker.policy.compile import ONE_THREAD, make_enforcer
from broker.policy.plan import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from broker.policy.plan import Policy

PER_RULE: Final = 50  # cells of every rule that a change touches
AT_LEAST: Final = 1000  # cells of a publication
_HIGHEST: Final = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that found no difference. rules: how many the change touched. unequal: always 0, since one difference raises."""

    cells: int
    rules: int
    unequal: int = 0


def check_against_casbin(policy: Policy, cells: Iterable[Cell]) -> int:
    """How many cells were held against Casbin's own decisions, all of them equal.

    One thread at a time. Raises ConfigError at the first cell that differs. Costs milliseconds per cell.
    """
    count = 0
    with ONE_THREAD:
        permits = arbiter(policy)
        for count, cell in enumerate(cells, 1):  # noqa: B007 - counted as they come: nobody knows how many there are
            level = policy.level(cell)
            if (level and not permits(cell, level)) or (level < _HIGHEST and permits(cell, level + 1)):
                said = max((n for n in range(1, _HIGHEST + 1) if permits(cell, n)), default=0)
                raise ConfigError("rules.csv", 0, f"table {level}, Casbin {said}: {', '.join(map(str, cell))}")
    return count


def arbiter(policy: Policy) -> Callable[[Cell, int], bool]:
    """Whether Casbin permits a level of a cell. Not for two threads at once: take ONE_THREAD."""
    enforcer = make_enforcer(policy.rows, policy.known)
    managers = enforcer.rm_map
    holds = cache(managers["g"].has_link)
    under = cache(lambda role, value, word: managers[role].has_link(value, word))
    every = [(row, row.values) for row in policy.rows]
    whose = cache(lambda sub, dom: [(row.obj, values) for row, values in every if under("g3", dom, row.dom) and holds(sub, row.sub, dom)])

    def permits(cell: Cell, level: int) -> bool:
        *asked, day = cell
        possible = [values for word, values in whose(cell.sub, cell.dom) if under("g2", cell.obj, word)]
        enforcer.model["p"]["p"].policy = possible or [every[0][1]]  # one that says no: Casbin treats no rule at all as a case of its own
        return bool(enforcer.enforce(*asked, str(level), day.isoformat()))

    return permits


def publication_check(
    old: Policy | None, new: Policy, seed: int, seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
) -> Checked:
    """Holds `new` against Casbin: PER_RULE cells of each rule touched, then random ones for so many seconds; at least AT_LEAST in all.

    seed: fixes which cells, in which order; the time only says how many. Raises ConfigError at the first cell that differs.
    """
    touched = touched_rules(old, new)
    return Checked(check_against_casbin(new, _cells(touched, new, random.Random(seed), seconds, clock)), len(touched))  # noqa: S311 - a sample, no secret


def touched_rules(old: Policy | None, new: Policy) -> list[tuple[Policy, int]]:
    """Each rule that one policy has and the other has not, word for word: the policy that holds it, and its place there."""
    sides = ((new, old), (old, new)) if old else ((new, None),)
    words = {id(policy): {tuple(row.values) for row in policy.rows} if policy else set() for policy in (old, new)}
    return [(here, n) for here, there in sides if here for n, row in enumerate(here.rows) if tuple(row.values) not in words[id(there)]]


def _cells(
    touched: Sequence[tuple[Policy, int]], new: Policy, dice: random.Random, seconds: float, clock: Callable[[], float]
) -> Iterator[Cell]:
    count = 0
    for policy, n in touched:
        for cell in cells_of_rule(policy, n, dice):
            count += 1
            yield cell
    ends = clock() + seconds
    while count < AT_LEAST or clock() < ends:
        count += 1
        yield anywhere(new, dice) if count % 2 else in_an_exchange(new, dice)


def cells_of_rule(policy: Policy, n: int, dice: random.Random) -> Iterator[Cell]:
    """PER_RULE cells inside a rule's box, its first and its last day among them, and two just outside it in time."""
    masks, axes = policy.masks, policy.known.axes
    first, end = (date.fromisoformat(day).toordinal() for day in (policy.rows[n].dari, policy.rows[n].sampai))
    inside = {axis: getattr(masks, axis)[n].nonzero()[0].tolist() for axis in ("act", "pur", "row", "obj")}
    who = list(zip(*(found.tolist() for found in masks.who[n].nonzero()), strict=True))
    for number in range(PER_RULE + 2):
        day = {0: first, 1: end - 1, PER_RULE: max(first - 1, 1), PER_RULE + 1: end}.get(number) or dice.randrange(first, end)
        sub, dom = dice.choice(who)
        obj, act, pur, row = (axes[axis][dice.choice(inside[axis])] for axis in ("obj", "act", "pur", "row"))
        yield Cell(axes["sub"][sub], axes["dom"][dom], obj, act, pur, row, date.fromordinal(day))


def anywhere(policy: Policy, dice: random.Random) -> Cell:
    """A cell of the whole universe, the unknown values too, on a day on which some rule begins or ends or on the day before."""
    day = date.fromisoformat(dice.choice(policy.days)).toordinal() - dice.randrange(2)
    return Cell._make([*(dice.choice(policy.known.axes[axis]) for axis in Cell._fields[:-1]), date.fromordinal(max(day, 1))])


def in_an_exchange(policy: Policy, dice: random.Random) -> Cell:
    """A cell that some allow reaches in subject, agreement, action and time; anywhere, where no allow reaches any."""
    if not policy.tables:
        return anywhere(policy, dice)
    day, sub, dom, act = dice.choice(tuple(policy.tables))
    axes = policy.known.axes
    return anywhere(policy, dice)._replace(sub=axes["sub"][sub], dom=axes["dom"][dom], act=axes["act"][act], day=date.fromisoformat(day))
