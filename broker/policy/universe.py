"""Everything a policy can be asked about, and how one name stands under another: made from the contracts and the agreements.

Finite, so that a policy compiles to tables. Each axis ends with UNKNOWN, a value that nothing declares: what a wildcard does
to a stranger is computed like everything else. Links are Casbin's grouping rules; roles are held by a party's own system only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from broker.errors import ConfigError
from broker.model import ROW_FLAGS, class_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from broker.model import Agreement, Contract

UNKNOWN: Final = "?"
ANY: Final = "*"
EVERY_AGREEMENT: Final = "nk-*"
ACTIONS: Final = ("terima", "kirim", "ungkap", "terbit")
OUTSIDERS: Final = ("pihak_ketiga", "publik")  # whom `ungkap` and `terbit` would serve
ROW_CLASSES: Final = tuple(class_name(number) for number in range(1 << len(ROW_FLAGS)))

Link = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Universe:
    """The axes, by the model's name for each (`sub dom act pur row obj`), and the links, by role definition (`g` to `g5`).

    terms: agreement → its first day and the day after its last, as ISO dates.
    """

    axes: Mapping[str, tuple[str, ...]]
    links: Mapping[str, tuple[Link, ...]]
    terms: Mapping[str, tuple[str, str]]
    _places: dict[str, dict[str, int]] = field(default_factory=dict, compare=False, repr=False)
    _columns: dict[tuple[str, tuple[str, ...]], NDArray[np.intp]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        self._places.update((axis, {value: n for n, value in enumerate(values)}) for axis, values in self.axes.items())

    def index(self, axis: str, value: str) -> int:
        """The place of `value` on an axis; what the axis does not hold is UNKNOWN, the last."""
        found = self._places[axis]
        return found.get(value, len(found) - 1)

    def columns(self, dataset: str, names: tuple[str, ...]) -> NDArray[np.intp]:
        """The places of a dataset's columns among the objects; worked out once for a contract."""
        found = self._columns.get((dataset, names))
        if found is None:
            found = self._columns[dataset, names] = np.array([self.index("obj", f"{dataset}.{name}") for name in names], dtype=np.intp)
        return found

    def words(self, axis: str) -> frozenset[str]:
        """What a rule may say in this column: every declared value, and every name that one stands under."""
        role = {"sub": "g", "dom": "g3", "obj": "g2", "pur": "g4", "row": "g5"}.get(axis)
        groups = {link[1] for link in self.links[role]} if role else {ANY}
        return frozenset({*self.axes[axis], *groups} - {UNKNOWN})


def term(agreement: Agreement) -> tuple[str, str]:
    """Its first day and the day after its last, as ISO dates."""
    return agreement.starts.isoformat(), (agreement.ends + timedelta(days=1)).isoformat()


def universe(contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> Universe:
    """Raises ConfigError where one word would mean two things, so that a rule could not tell them apart.

    That is: a purpose under different parents in two agreements, one system of two parties, a group called as something it groups.
    """
    parents = {(purpose.code, purpose.parent) for agreement in agreements.values() for purpose in agreement.purposes}
    purposes = _distinct(code for code, _ in sorted(parents))
    if len(purposes) < len(parents):
        raise ConfigError("agreements", 1, "a purpose has different parents in two agreements")
    held = {(party, system) for agreement in agreements.values() for party, system in agreement.systems.items()}
    systems = _distinct(system for agreement in agreements.values() for system in agreement.systems.values())
    if len(systems) < len(held):
        raise ConfigError("agreements", 1, "one system of two parties")
    columns = tuple((c.dataset, column) for c in contracts.values() for column in c.columns)
    axes = {
        "sub": (*systems, *OUTSIDERS),
        "dom": tuple(agreements),
        "act": ACTIONS,
        "pur": purposes,
        "row": ROW_CLASSES,
        "obj": (*(f"{dataset}.{column.name}" for dataset, column in columns), *(f"{dataset}.*" for dataset in contracts)),
    }
    links = {
        "g": (
            *((s, role, a.id) for a in agreements.values() for s in a.systems.values() for role in ("penerima", "pengirim")),
            *((s, ANY, dom) for s, dom in product(axes["sub"], axes["dom"])),
        ),
        "g2": (
            *((f"{d}.{c.name}", group) for d, c in columns for group in (f"{d}.*", f"{d}/kelas:{c.klass}", f"kelas:{c.klass}")),
            *((obj, ANY) for obj in axes["obj"]),
        ),
        "g3": tuple((dom, EVERY_AGREEMENT) for dom in axes["dom"]),
        "g4": (*((code, f"induk:{parent}") for code, parent in sorted(parents)), *((code, ANY) for code in purposes)),
        "g5": (*_more_general(), *((row, ANY) for row in ROW_CLASSES)),
    }
    _no_word_twice(axes, links)
    return Universe(
        MappingProxyType({axis: (*values, UNKNOWN) for axis, values in axes.items()}),
        MappingProxyType(links),
        MappingProxyType({name: term(agreement) for name, agreement in agreements.items()}),
    )


def _no_word_twice(axes: Mapping[str, tuple[str, ...]], links: Mapping[str, tuple[Link, ...]]) -> None:
    for axis, role in (("sub", "g"), ("dom", "g3"), ("obj", "g2"), ("pur", "g4")):
        values = axes[axis]
        # `dataset.*` is asked about and groups its columns; nothing else is both.
        groups = {UNKNOWN, ANY, *(group for _, group, *_ in links[role])} - {value for value in values if axis == "obj" and value.endswith(".*")}
        if len(set(values)) < len(values) or groups & set(values):
            raise ConfigError("agreements", 1, f"{axis}: one name for two things")


def _more_general() -> Iterable[Link]:
    """Each row class under every class whose flags it has; no flag at all is no group but a class of its own."""
    numbers = range(1, len(ROW_CLASSES))
    return ((ROW_CLASSES[n], ROW_CLASSES[m]) for n, m in product(numbers, numbers) if n != m and n & m == m)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
