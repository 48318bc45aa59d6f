"""Editing a policy by cell: the rule that gives one cell another level."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from broker.errors import Refusal

if TYPE_CHECKING:
    from broker.policy import Cell, Policy


class CellRule(NamedTuple):
    """What a cell shall be worth. pasal: citations as in rules.csv. dari, sampai: ISO dates, half-open. The cell's own day is not asked: `dari` is."""

    cell: Cell
    level: int
    pasal: str
    dari: str
    sampai: str


def with_cell(policy: Policy, wanted: CellRule) -> bytes:
    """The policy's rules.csv with a rule for exactly this cell, an allow where its level is to rise and a cap where it is to fall.

    It takes the place of an earlier rule of ours for the cell, and is left out where the other rules give the level already. Refusal draf_batas
    where a cap of another rule holds the cell below the level: that cap is to be changed by rule.
    """
    cell = wanted.cell
    words = (cell.sub, cell.dom, cell.obj, cell.act, cell.pur, cell.row)
    mark = f"sel.{cell.obj}.{hashlib.sha256(','.join(words).encode()).hexdigest()[:8]}"
    own = {f"A.{mark}", f"K.{mark}"}
    matching = [rule for n in policy.matching(cell) if (rule := policy.rows[n]).id not in own]
    top = max((int(rule.lv) for rule in matching if rule.eft == "allow"), default=0)
    low, lowest = min(((int(rule.lv), rule.id) for rule in matching if rule.eft == "deny"), default=(5, ""))
    if wanted.level > low:
        raise Refusal("draf_batas", aturan=lowest, tingkat=low)
    lines = [line for line in policy.rules.decode().splitlines() if line.partition(",")[0] not in own]
    if wanted.level != min(top, low):
        letter, effect = ("A", "allow") if wanted.level > top else ("K", "deny")
        lines.append(",".join((f"{letter}.{mark}", *words, str(wanted.level), wanted.dari, wanted.sampai, wanted.pasal, effect, "tidak")))
    return ("\n".join(lines) + "\n").encode()
