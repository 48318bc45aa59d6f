"""A compiled policy: frozen, read by any thread; a Plan is a look-up in its tables."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from broker.errors import ConfigError, Refusal
from broker.model import Agreement, Contract, Plan, Rule, Terms
from broker.policy.compile import Masks, Table, Where, compile_tables, make_masks, slices
from broker.policy.load import Row, citations, place, read_model, read_rules
from broker.policy.universe import ROW_CLASSES, Universe, universe
from broker.toml import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class Cell(NamedTuple):
    """One question to a policy, level aside: Casbin's request in the model's words; `day` is the WIB date."""

    sub: str
    dom: str
    obj: str
    act: str
    pur: str
    row: str
    day: date


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Policy:
    """One version of a policy, compiled. model, rules: the bytes of model.conf and rules.csv. sha256 covers model.conf and rules.csv."""

    version: int
    sha256: str
    rows: tuple[Row, ...]
    known: Universe
    masks: Masks
    days: tuple[str, ...]
    tables: Mapping[Where, Table]
    model: bytes
    rules: bytes

    def allows(self, sub: str, dom: str, act: str, pur: str, day: date) -> NDArray[np.uint8]:
        """uint8[row class, object]: the highest level that some allow gives, as if there were no caps."""
        table = self._table(sub, dom, act, day)
        return table.allows[self.known.index("pur", pur)] if table else self._nothing()

    def levels(self, sub: str, dom: str, act: str, pur: str, day: date) -> NDArray[np.uint8]:
        """uint8[row class, object]: what is left under the caps, and so what Casbin permits."""
        table = self._table(sub, dom, act, day)
        return table.levels[self.known.index("pur", pur)] if table else self._nothing()

    def level(self, cell: Cell) -> int:
        levels = self.levels(cell.sub, cell.dom, cell.act, cell.pur, cell.day)
        return int(levels[self.known.index("row", cell.row), self.known.index("obj", cell.obj)])

    def locked(self, sub: str, dom: str, act: str, row: str, day: date) -> NDArray[np.uint8]:
        """uint8[purpose, object]: the lowest locked cap on each cell of a row class; 5 where there is none."""
        masks, at = self.masks, self.known.index
        found = np.full((len(self.known.axes["pur"]), len(self.known.axes["obj"])), 5, np.uint8)
        caps = masks.on(day.isoformat()) & masks.who[:, at("sub", sub), at("dom", dom)] & masks.act[:, at("act", act)] & masks.row[:, at("row", row)]
        for n in (caps & masks.deny).nonzero()[0].tolist():
            if self.rows[n].kunci == "ya":
                np.minimum(found, masks.level[n], out=found, where=masks.pur[n][:, None] & masks.obj[n])
        return found

    def matching(self, cell: Cell) -> NDArray[np.intp]:
        """Places in `rows` of every rule whose test the cell passes, level aside."""
        masks, at = self.masks, self.known.index
        who = masks.on(cell.day.isoformat()) & masks.who[:, at("sub", cell.sub), at("dom", cell.dom)]
        what = masks.act[:, at("act", cell.act)] & masks.pur[:, at("pur", cell.pur)]
        where = masks.row[:, at("row", cell.row)] & masks.obj[:, at("obj", cell.obj)]
        return (who & what & where).nonzero()[0]

    def plan(self, terms: Terms, contract: Contract) -> Plan:
        """Step 3: the level of every row class × column for these terms, columns in the contract's order.

        Raises Refusal `kebijakan` when the sender may not send the dataset, or no column is above 0 in any row class.
        """
        agreement, purpose, day = terms.agreement.id, terms.purpose.code, terms.day
        sending = Cell(terms.sender.id, agreement, f"{terms.dataset}.*", "kirim", purpose, ROW_CLASSES[0], day)
        names = contract.names
        objects = self.known.columns(terms.dataset, names)
        levels = self.levels(terms.recipient.id, agreement, "terima", purpose, day)[: len(ROW_CLASSES)].T[objects].T.tobytes()  # tables lie object by object
        if not self.level(sending) or not any(levels):
            raise Refusal("kebijakan", versi=self.version)
        return Plan(
            agreement=agreement,
            policy_version=self.version,
            policy_sha256=self.sha256,
            sender=terms.sender.id,
            recipient=terms.recipient.id,
            dataset=terms.dataset,
            template=terms.template,
            purpose=purpose,
            audience=terms.purpose.parent,
            day=day,
            columns=names,
            levels=tuple(levels[n : n + len(names)] for n in range(0, len(levels), len(names))),
            rules=Reasons(self, terms, names),
            formatted=terms.agreement.formatted,
        )

    def _table(self, sub: str, dom: str, act: str, day: date) -> Table | None:
        slice_ = bisect_right(self.days, day.isoformat()) - 1
        if slice_ < 0:
            return None
        place = self.known.index
        return self.tables.get((self.days[slice_], place("sub", sub), place("dom", dom), place("act", act)))

    def _nothing(self) -> NDArray[np.uint8]:
        return np.zeros((len(self.known.axes["row"]), len(self.known.axes["obj"])), np.uint8)


class Reasons(Mapping[tuple[int, str], tuple[Rule, ...]]):
    """Per (row class number, column): the allows that give the cell its height, then the caps that take some of it away.

    Computed when asked: a plan has thousands of cells and a reader looks at a few.
    """

    __slots__ = ("_columns", "_policy", "_terms")

    def __init__(self, policy: Policy, terms: Terms, columns: tuple[str, ...]) -> None:
        self._policy, self._terms, self._columns = policy, terms, columns

    def __getitem__(self, key: tuple[int, str]) -> tuple[Rule, ...]:
        number, column = key
        if number not in range(len(ROW_CLASSES)) or column not in self._columns:
            raise KeyError(key)
        terms = self._terms
        cell = Cell(terms.recipient.id, terms.agreement.id, f"{terms.dataset}.{column}", "terima", terms.purpose.code, ROW_CLASSES[number], terms.day)
        return deciding([cited(self._policy.rows[n], terms.agreement.id) for n in self._policy.matching(cell).tolist()])

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return ((number, column) for number in range(len(ROW_CLASSES)) for column in self._columns)

    def __len__(self) -> int:
        return len(ROW_CLASSES) * len(self._columns)


def deciding(matching: Sequence[Rule]) -> tuple[Rule, ...]:
    """Of the rules that match a cell: the allows that give it its height, then the caps that take some of it away."""
    top = max((rule.level for rule in matching if rule.effect == "allow"), default=0)
    low = min((rule.level for rule in matching if rule.effect == "deny"), default=5)
    allows = tuple(rule for rule in matching if rule.effect == "allow" and rule.level == top)
    caps = tuple(rule for rule in matching if rule.effect == "deny" and rule.level == low and (low < top or not top))
    return allows + caps


def cited(row: Row, agreement: str) -> Rule:
    """The rule as one agreement's parties read it: their own clauses and the laws, not the other agreement's."""
    pasal = "; ".join(clause for name, clause in citations(row.pasal) if name in ("", agreement))
    return Rule(row.id, int(row.lv), row.eft, pasal)


def load_policy(
    folder: Path,
    contracts: Mapping[str, Contract],
    agreements: Mapping[str, Agreement],
    clause_exists: Callable[[Agreement, str], bool],
    version: int = 1,
) -> Policy:
    """The policy of `folder` (model.conf, rules.csv). Raises ConfigError as compile_policy."""
    model, rules = folder / "model.conf", folder / "rules.csv"
    model_data, rules_data = read_file(model), read_file(rules)
    return compile_policy(rules_data, model_data, contracts, agreements, clause_exists, version, str(rules), str(model))


def compile_policy(
    rules: bytes,
    model: bytes,
    contracts: Mapping[str, Contract],
    agreements: Mapping[str, Agreement],
    clause_exists: Callable[[Agreement, str], bool],
    version: int,
    name: str = "rules.csv",
    model_name: str = "model.conf",
) -> Policy:
    """The policy of these bytes, strictly read and compiled.

    Raises ConfigError with name, line and column for anything the formats do not allow, and for a rule that would give a recipient
    something that no row of its agreement's purpose table lists, or let a party send what it does not provide.
    """
    known = universe(contracts, agreements)
    read_model(model_name, model)
    rows = read_rules(name, rules, known, agreements, clause_exists)
    masks = make_masks(rows, known)
    tables = compile_tables(masks, name)
    policy = Policy(version, hashlib.sha256(model + rules).hexdigest(), rows, known, masks, slices(masks), tables, model, rules)
    _no_wider(policy, name, agreements)
    return policy


def _no_wider(policy: Policy, file: str, agreements: Mapping[str, Agreement]) -> None:
    """Levels exist only where the agreement's own tables allow the flow; a new purpose row never opens a door by itself."""
    axes = policy.known.axes
    datasets = [obj.partition(".")[0] for obj in axes["obj"]]
    judged: set[int] = set()  # slices share tables
    for (first, sub, dom, act), table in policy.tables.items():
        if axes["act"][act] not in ("terima", "kirim") or id(table) in judged:
            continue  # a third party and the public stand in no table; their caps decide
        judged.add(id(table))
        agreement, action = agreements[axes["dom"][dom]], axes["act"][act]
        party = {system: name for name, system in agreement.systems.items()}.get(axes["sub"][sub])
        if action == "kirim":
            sent = {dataset for dataset, pairs in agreement.directions.items() for sender, _ in pairs if sender == party}
            listed = set(product(axes["pur"], sent))
        else:
            listed = {(p.code, dataset) for p in agreement.purposes if party in p.recipients for dataset in p.datasets}
        inside = np.array([[(code, dataset) in listed for dataset in datasets] for code in axes["pur"]])
        wider = np.argwhere(table.levels.any(axis=1) & ~inside)
        if len(wider):
            pur, obj = wider[0].tolist()
            row = table.levels[pur, :, obj].nonzero()[0][0]
            cell = Cell(axes["sub"][sub], agreement.id, axes["obj"][obj], action, axes["pur"][pur], axes["row"][row], date.fromisoformat(first))
            rule = next(rule for n in policy.matching(cell) if (rule := policy.rows[n]).eft == "allow")
            words = f"{action}: wider than {agreement.id} for {cell.sub}, {datasets[obj]}, {cell.pur}"
            raise ConfigError(file, rule.line, words, place(rule, "obj"))
