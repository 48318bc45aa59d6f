"""Rules to tables. Casbin's role managers say what each word matches; painting those boxes says what every cell is worth.

A rule is a product of tests, one per axis, so it is a box; effective = min(max of allows, min of caps), and a cell that no allow
reaches is 0. Time is finite too: between two dates that some rule names, nothing changes. check.py holds tables and enforce()
against each other. Casbin is never asked during an exchange, and its policy and model parsers never.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import casbin
import numpy as np

from broker.errors import ConfigError
from broker.policy.load import DEFINITIONS
from broker.policy.universe import ANY, Universe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from broker.policy.load import Row
    from broker.policy.universe import Link


# CPython 3.11's AST builder fails now and then under threads (cpython gh-106905), and Casbin parses at every decision.
ONE_THREAD: Final = threading.Lock()


# Tables kept by one policy, in bytes: a thousand rules of a thousand different days would fill any memory.
MAX_TABLES: Final = 1 << 30


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What each word of a rule matches, as Casbin's role managers say. Read-only.

    who: word of `sub` → bool[sub, dom], since a role is held under one agreement. masks: (axis, word) → bool[value].
    """

    who: Mapping[str, NDArray[np.bool_]]
    masks: Mapping[tuple[str, str], NDArray[np.bool_]]


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
    reach: Reach

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


def make_reach(known: Universe) -> Reach:
    managers, axes = make_enforcer((), known).rm_map, known.axes
    who: dict[str, NDArray[np.bool_]] = {}
    for (n, sub), (m, dom) in product(enumerate(axes["sub"]), enumerate(axes["dom"])):
        for name in _names(managers["g"], sub, dom):
            who.setdefault(name, np.zeros((len(axes["sub"]), len(axes["dom"])), np.bool_))[n, m] = True
    masks: dict[tuple[str, str], NDArray[np.bool_]] = {("act", ANY): np.ones(len(axes["act"]), np.bool_)}
    for n, act in enumerate(axes["act"]):
        masks["act", act] = np.arange(len(axes["act"])) == n
    for axis, role in (("dom", "g3"), ("pur", "g4"), ("row", "g5"), ("obj", "g2")):
        for n, value in enumerate(axes[axis]):
            for name in _names(managers[role], value):
                masks.setdefault((axis, name), np.zeros(len(axes[axis]), np.bool_))[n] = True
    return Reach(MappingProxyType({word: _fixed(mask) for word, mask in who.items()}), MappingProxyType({key: _fixed(mask) for key, mask in masks.items()}))


@lru_cache(2)  # every version and draft is compiled beside the same contracts and agreements
def _reach(axes: tuple[tuple[str, tuple[str, ...]], ...], links: tuple[tuple[str, tuple[Link, ...]], ...]) -> Reach:
    return make_reach(Universe(dict(axes), dict(links), {}))


def make_masks(rows: Sequence[Row], known: Universe) -> Masks:
    """Rules share few words: each word's mask is made once, and a rule's is a look at it."""
    reach = _reach(tuple(known.axes.items()), tuple(known.links.items()))

    def under(axis: str) -> NDArray[np.bool_]:
        words = {word: n for n, word in enumerate({getattr(row, axis) for row in rows})}
        return np.array([reach.masks[axis, word] for word in words])[[words[getattr(row, axis)] for row in rows]]

    holders = {word: n for n, word in enumerate({row.sub for row in rows})}
    who = np.array([reach.who[word] for word in holders])[[holders[row.sub] for row in rows]]
    return Masks(
        who=_fixed(who & under("dom")[:, None, :]),
        act=_fixed(under("act")),
        pur=_fixed(under("pur")),
        row=_fixed(under("row")),
        obj=_fixed(under("obj")),
        level=_fixed(np.array([int(row.lv) for row in rows], dtype=np.uint8)),
        deny=_fixed(np.array([row.eft == "deny" for row in rows], dtype=np.bool_)),
        dari=_fixed(np.array([row.dari for row in rows])),
        sampai=_fixed(np.array([row.sampai for row in rows])),
        reach=reach,
    )


def _names(manager: Any, value: str, *domain: str) -> frozenset[str]:
    """Every name that Casbin's has_link would accept for `value`: itself, and all it stands under."""
    found, new = {value}, {value}
    while new:
        new = {role for name in new for role in manager.get_roles(name, *domain)} - found
        found |= new
    return frozenset(found)


def compile_tables(masks: Masks, name: str = "rules.csv") -> Mapping[Where, Table]:
    """One table per slice of time, subject, agreement and action that some allow reaches; every cell of the others is 0.

    Slices between which nothing changes for the three share one Table. Raises ConfigError where tables would pass MAX_TABLES.
    """
    days = slices(masks)
    first, last = np.searchsorted(days, masks.dari), np.searchsorted(days, masks.sampai)  # a rule is on in the slices [first, last)
    reached = np.any((masks.who[:, :, :, None] & masks.act[:, None, None, :])[~masks.deny], axis=0)
    stretches = []
    for sub, dom, act in np.argwhere(reached).tolist():
        chosen = (masks.who[:, sub, dom] & masks.act[:, act]).nonzero()[0]
        cuts = np.union1d(first[chosen], last[chosen])
        some = np.array([np.any((first[chosen] <= cut) & (cut < last[chosen]) & ~masks.deny[chosen]) for cut in cuts])
        stretches.append((sub, dom, act, chosen, cuts, some))
    cells = masks.pur.shape[1] * masks.row.shape[1] * masks.obj.shape[1]
    if 2 * cells * sum(int(some.sum()) for *_, some in stretches) > MAX_TABLES:
        raise ConfigError(name, 0, "too many different days in dari and sampai: the tables would not fit in memory")
    tables = {}
    for sub, dom, act, chosen, cuts, some in stretches:
        kept = np.concatenate(([0], np.cumsum(some)))  # place of a cut among the stretches that some allow reaches
        spans = zip(kept[np.searchsorted(cuts, first[chosen])].tolist(), kept[np.searchsorted(cuts, last[chosen])].tolist(), strict=True)
        painted = iter(_paint(masks, chosen.tolist(), list(spans), int(kept[-1])))
        for n in some.nonzero()[0].tolist():
            table = next(painted)
            tables.update({(days[day], sub, dom, act): table for day in range(cuts[n], cuts[n + 1])})
    return MappingProxyType(tables)


def slices(masks: Masks) -> tuple[str, ...]:
    """The days on which some rule begins or ends: nothing changes between two of them."""
    return tuple(np.union1d(masks.dari, masks.sampai).tolist())


def _paint(masks: Masks, chosen: Sequence[int], spans: Sequence[tuple[int, int]], stretches: int) -> Iterable[Table]:
    """The tables of so many stretches of time; rule chosen[n] is on in the stretches [spans[n]).

    Painted low allows first and high caps first, so that what is painted later is the max, or the min, of what was there.
    """
    shape = (stretches, masks.obj.shape[1], masks.pur.shape[1], masks.row.shape[1])  # most rules name one object: its cells lie together
    allows, levels = np.zeros(shape, np.uint8), np.full(shape, 5, np.uint8)
    for deny, level, span, pur, row, obj in _boxes(masks, chosen, spans):
        target = (levels if deny else allows)[slice(*span)]
        rows = _runs(row.tobytes())
        for objects in _runs(obj.tobytes()):
            if len(rows) == 1:  # most rules: filled in runs, a third faster
                for purposes in _runs(pur.tobytes()):
                    target[:, objects, purposes, rows[0]] = level
            else:
                np.copyto(target[:, objects], level, where=pur[:, None] & row)
    np.minimum(levels, allows, out=levels)
    return (Table(_fixed(a.transpose(1, 2, 0)), _fixed(b.transpose(1, 2, 0))) for a, b in zip(allows, levels, strict=True))


Box = tuple[bool, int, tuple[int, int], "NDArray[np.bool_]", "NDArray[np.bool_]", "NDArray[np.bool_]"]


def _boxes(masks: Masks, chosen: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[Box]:
    """Boxes of the chosen rules; those alike in all but the object are one box, since a union over one axis is a box."""
    merged: dict[tuple[bool, int, tuple[int, int], bytes, bytes], NDArray[np.bool_]] = {}
    for n, span in zip(chosen, spans, strict=True):
        if span[0] < span[1]:
            key = (bool(masks.deny[n]), int(masks.level[n]), span, masks.pur[n].tobytes(), masks.row[n].tobytes())
            merged[key] = merged[key] | masks.obj[n] if key in merged else masks.obj[n]
    boxes = [(*key[:3], np.frombuffer(key[3], np.bool_), np.frombuffer(key[4], np.bool_), obj) for key, obj in merged.items()]
    return sorted(boxes, key=lambda box: -box[1] if box[0] else box[1])


@lru_cache(4096)  # most rules name one column, and many name the same
def _runs(mask: bytes) -> tuple[slice, ...]:
    """A mask as runs of neighbours."""
    edges = np.diff(np.frombuffer(mask, np.bool_), prepend=False, append=False).nonzero()[0].tolist()
    return tuple(slice(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True))


def _fixed(array: Any) -> Any:
    array.flags.writeable = False
    return array
