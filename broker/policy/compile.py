"""Rules to tables. Casbin's role managers say what each rule matches; painting those boxes says what every cell is worth.

A rule is a product of tests, one per axis, so it is a box; effective = min(max of allows, min of caps), and a cell that no allow
reaches is 0. Time is finite too: between two dates that some rule names, nothing changes. `check_against_casbin` holds tables
and enforce() against each other. Casbin is never asked during an exchange, and its policy and model parsers never.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import casbin
import numpy as np

from broker.policy.load import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from broker.policy.load import Row
    from broker.policy.universe import Universe


# CPython 3.11's AST builder fails now and then under threads (cpython gh-106905), and Casbin parses at every decision.
ONE_THREAD: Final = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What each rule matches; first axis = rule, second = the universe's axis. Read-only.

    who: bool[rule, sub, dom]. act, pur, row, obj: bool[rule, value]. level: uint8[rule]. deny: bool[rule].
    dari, sampai: ISO dates, half-open.
    """

    who: NDArray[np.bool_]
    act: NDArray[np.bool_]
    pur: NDArray[np.bool_]
    row: NDArray[np.bool_]
    obj: NDArray[np.bool_]
    level: NDArray[np.uint8]
    deny: NDArray[np.bool_]
    dari: NDArray[np.str_]
    sampai: NDArray[np.str_]

    def on(self, day: str) -> NDArray[np.bool_]:
        return (self.dari <= day) & (day < self.sampai)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """uint8[purpose, row class, object], read-only: what the allows alone say, and what is left under the caps."""

    allows: NDArray[np.uint8]
    levels: NDArray[np.uint8]


Where = tuple[str, int, int, int]  # first day of the slice; places of sub, dom, act


def make_enforcer(rows: Sequence[Row], known: Universe) -> Any:
    """A Casbin enforcer with these rules: values are handed over as lists, so nothing is joined and parsed again."""
    model = casbin.Model()
    for _, key, value in DEFINITIONS:
        model.add_def(key[0], key, value)
    model["p"]["p"].policy = [row.values for row in rows]
    for role, links in known.links.items():
        model["g"][role].policy = [list(link) for link in links]
    enforcer = casbin.Enforcer(model)  # silences Casbin's loggers: they would print every request
    enforcer.build_role_links()
    return enforcer


def make_masks(rows: Sequence[Row], known: Universe) -> Masks:
    managers, axes = make_enforcer(rows, known).rm_map, known.axes

    def under(role: str, axis: str) -> NDArray[np.bool_]:
        names = [_names(managers[role], value) for value in axes[axis]]
        return np.array([[getattr(row, axis) in found for found in names] for row in rows], dtype=np.bool_)

    held = [[_names(managers["g"], sub, dom) for dom in axes["dom"]] for sub in axes["sub"]]
    who = np.array([[[row.sub in found for found in doms] for doms in held] for row in rows], dtype=np.bool_)
    return Masks(
        who=_fixed(who & under("g3", "dom")[:, None, :]),
        act=_fixed(np.array([[row.act in (act, "*") for act in axes["act"]] for row in rows], dtype=np.bool_)),
        pur=_fixed(under("g4", "pur")),
        row=_fixed(under("g5", "row")),
        obj=_fixed(under("g2", "obj")),
        level=_fixed(np.array([int(row.lv) for row in rows], dtype=np.uint8)),
        deny=_fixed(np.array([row.eft == "deny" for row in rows], dtype=np.bool_)),
        dari=_fixed(np.array([row.dari for row in rows])),
        sampai=_fixed(np.array([row.sampai for row in rows])),
    )


def _names(manager: Any, value: str, *domain: str) -> frozenset[str]:
    """Every name that Casbin's has_link would accept for `value`: itself, and all it stands under."""
    found, new = {value}, {value}
    while new:
        new = {role for name in new for role in manager.get_roles(name, *domain)} - found
        found |= new
    return frozenset(found)


def compile_tables(masks: Masks) -> Mapping[Where, Table]:
    """One table per slice of time, subject, agreement and action that some allow reaches; every cell of the others is 0."""
    tables = {}
    for day in slices(masks):
        today = masks.on(day)
        reached = np.any((masks.who[:, :, :, None] & masks.act[:, None, None, :])[today & ~masks.deny], axis=0)
        for sub, dom, act in np.argwhere(reached).tolist():
            tables[day, sub, dom, act] = _paint(masks, today & masks.who[:, sub, dom] & masks.act[:, act])
    return MappingProxyType(tables)


def slices(masks: Masks) -> tuple[str, ...]:
    """The days on which some rule begins or ends: nothing changes between two of them."""
    return tuple(np.union1d(masks.dari, masks.sampai).tolist())


def _paint(masks: Masks, chosen: NDArray[np.bool_]) -> Table:
    shape = (masks.pur.shape[1], masks.row.shape[1], masks.obj.shape[1])
    allows, caps = np.zeros(shape, np.uint8), np.full(shape, 5, np.uint8)
    for deny, level, pur, row, obj in _boxes(masks, chosen):
        table, better = (caps, np.minimum) if deny else (allows, np.maximum)
        box = np.ix_(pur.nonzero()[0], row.nonzero()[0], obj.nonzero()[0])
        table[box] = better(table[box], level)
    return Table(_fixed(allows), _fixed(np.minimum(allows, caps)))


def _boxes(masks: Masks, chosen: NDArray[np.bool_]) -> list[tuple[bool, np.uint8, Any, Any, Any]]:
    """Boxes of the chosen rules; those alike in all but the object are one box, since a union over one axis is a box."""
    merged: dict[tuple[bool, int, bytes, bytes], NDArray[np.bool_]] = {}
    for n in chosen.nonzero()[0].tolist():
        key = (bool(masks.deny[n]), int(masks.level[n]), masks.pur[n].tobytes(), masks.row[n].tobytes())
        merged[key] = merged[key] | masks.obj[n] if key in merged else masks.obj[n]
    read = np.frombuffer
    return [(deny, np.uint8(level), read(pur, np.bool_), read(row, np.bool_), obj) for (deny, level, pur, row), obj in merged.items()]


def _fixed(array: Any) -> Any:
    array.flags.writeable = False
    return array
