"""A compiled policy: frozen, read by any thread; a Plan is a look-up in its tables."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from broker.errors import ConfigError, Refusal
from broker.model import Agreement, Contract, Plan, Rule, Terms
from broker.policy.compile import ONE_THREAD, Masks, Table, Where, compile_tables, make_enforcer, make_masks, slices
from broker.policy.load import Row, citations, read_model, read_rules
from broker.policy.universe import ROW_CLASSES, Universe, universe

if TYPE_CHECKING:
    from datetime import date
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
    """One version of a policy, compiled. sha256 covers model.conf and rules.csv."""

    version: int
    sha256: str
    rows: tuple[Row, ...]
    known: Universe
    masks: Masks
    days: tuple[str, ...]
    tables: Mapping[Where, Table]

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

    def plan(self, terms: Terms, contract: Contract) -> Plan:
        """Step 3: the level of every row class × column for these terms, columns in the contract's order.

        Raises Refusal `kebijakan` when the sender may not send the dataset, or no column is above 0 in any row class.
        """
        agreement, purpose, day = terms.agreement.id, terms.purpose.code, terms.day
        sending = Cell(terms.sender.id, agreement, f"{terms.dataset}.*", "kirim", purpose, ROW_CLASSES[0], day)
        objects = [self.known.index("obj", f"{terms.dataset}.{name}") for name in contract.names]
        levels = self.levels(terms.recipient.id, agreement, "terima", purpose, day)[: len(ROW_CLASSES), objects]
        if not self.level(sending) or not levels.any():
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
            columns=contract.names,
            levels=tuple(row.tobytes() for row in levels),
            rules=self._rules(terms, contract.names, objects),
        )

    def _rules(self, terms: Terms, columns: tuple[str, ...], objects: list[int]) -> Reasons:
        masks, place = self.masks, self.known.index
        chosen = masks.on(terms.day.isoformat()) & masks.who[:, place("sub", terms.recipient.id), place("dom", terms.agreement.id)]
        chosen &= masks.act[:, place("act", "terima")] & masks.pur[:, place("pur", terms.purpose.code)]
        rows = tuple(self.rows[n] for n in chosen.nonzero()[0].tolist())
        return Reasons(rows, terms.agreement.id, columns, masks.row[chosen], masks.obj[chosen][:, objects])

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

    __slots__ = ("_agreement", "_columns", "_obj", "_row", "_rows")

    def __init__(self, rows: tuple[Row, ...], agreement: str, columns: tuple[str, ...], row: NDArray[np.bool_], obj: NDArray[np.bool_]) -> None:
        self._rows, self._agreement, self._row, self._obj = rows, agreement, row, obj
        self._columns = {name: n for n, name in enumerate(columns)}

    def __getitem__(self, key: tuple[int, str]) -> tuple[Rule, ...]:
        number, column = key
        if number not in range(len(ROW_CLASSES)):
            raise KeyError(key)
        matching = [_rule(self._rows[n], self._agreement) for n in (self._row[:, number] & self._obj[:, self._columns[column]]).nonzero()[0].tolist()]
        top = max((rule.level for rule in matching if rule.effect == "allow"), default=0)
        low = min((rule.level for rule in matching if rule.effect == "deny"), default=5)
        allows = tuple(rule for rule in matching if rule.effect == "allow" and rule.level == top)
        caps = tuple(rule for rule in matching if rule.effect == "deny" and rule.level == low and (low < top or not top))
        return allows + caps

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return ((number, column) for number in range(len(ROW_CLASSES)) for column in self._columns)

    def __len__(self) -> int:
        return len(ROW_CLASSES) * len(self._columns)


def _rule(row: Row, agreement: str) -> Rule:
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
    """The policy of `folder` (model.conf, rules.csv), strictly read and compiled.

    Raises ConfigError with file and line for anything the formats do not allow, and for a rule that would give a recipient
    something that no row of its agreement's purpose table lists, or let a party send what it does not provide.
    """
    model, rules = folder / "model.conf", folder / "rules.csv"
    model_data, rules_data = _bytes(model), _bytes(rules)
    known = universe(contracts, agreements)
    read_model(str(model), model_data)
    rows = read_rules(str(rules), rules_data, known, agreements, clause_exists)
    masks = make_masks(rows, known)
    policy = Policy(version, hashlib.sha256(model_data + rules_data).hexdigest(), rows, known, masks, slices(masks), compile_tables(masks))
    _no_wider(policy, str(rules), contracts, agreements)
    return policy


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), 1, "cannot be read") from error


def _no_wider(policy: Policy, file: str, contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> None:
    """Levels exist only where the agreement's own tables allow the flow; a new purpose row never opens a door by itself."""
    axes = policy.known.axes
    datasets = np.array([obj.partition(".")[0] for obj in axes["obj"]])
    for (_, sub, dom, act), table in policy.tables.items():
        agreement, action = agreements[axes["dom"][dom]], axes["act"][act]
        party = {system: name for name, system in agreement.systems.items()}.get(axes["sub"][sub])
        if action == "kirim":
            listed = {
                (code, d) for d, pairs in agreement.directions.items() for sender, _ in pairs if sender == party for code in axes["pur"]
            }
        elif action == "terima":
            listed = {(p.code, d) for p in agreement.purposes if party in p.recipients for d in p.datasets}
        else:
            continue  # a third party and the public stand in no table; their caps decide
        for n, code in enumerate(axes["pur"]):
            for dataset in contracts:
                if (code, dataset) not in listed and table.levels[n][:, datasets == dataset].any():
                    wider = f"{action}: wider than {agreement.id} for {axes['sub'][sub]}, {dataset}, {code}"
                    raise ConfigError(file, 1, wider)


def check_against_casbin(policy: Policy, cells: Iterable[Cell]) -> None:
    """Holds cells of the tables against Casbin's own decisions: the highest level that enforce() permits, asked from 5 down.

    One thread at a time. Raises ConfigError at the first cell that differs. Costs milliseconds per cell: for tests and reviews.
    """
    enforcer = make_enforcer(policy.rows, policy.known)
    with ONE_THREAD:
        for cell in cells:
            *asked, day = cell
            said = next((lv for lv in "54321" if enforcer.enforce(*asked, lv, day.isoformat())), "0")
            if int(said) != policy.level(cell):
                raise ConfigError("rules.csv", 1, f"table {policy.level(cell)}, Casbin {said}: {', '.join(asked)}, {day}")
