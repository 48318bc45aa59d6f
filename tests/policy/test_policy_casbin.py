"""Casbin says what the policy means; the tables must say the same."""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from itertools import islice, product
from pathlib import Path

import numpy as np
import pytest

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.errors import ConfigError
from broker.policy import Cell, Policy, check_against_casbin, load_policy
from broker.policy.check import anywhere, arbiter, cells_of_rule, in_an_exchange
from broker.policy.compile import Table, compile_tables, make_enforcer, make_masks

ROOT = Path(__file__).resolve().parents[2]
CELL = Cell("sijoker@sijunjung", "nk-sijunjung-2025", "pencari_kerja.nik", "terima", "layanan_penempatan", "anak", date(2026, 11, 21))


@pytest.fixture(scope="module")
def policy() -> Policy:
    agreements = load_agreements(ROOT / "policies/agreements")
    return load_policy(ROOT / "policies", load_contracts(ROOT / "policies/datasets"), agreements, clause_exists)


def a_cell_per_set_of_matching_rules(policy: Policy) -> dict[bytes, Cell]:
    """Exactly: the sets that some cell of the universe has, before the first day too, each with one such cell."""
    masks, axes = policy.masks, policy.known.axes
    cells: dict[bytes, Cell] = {}
    done: set[tuple[str, bytes]] = set()
    subs, doms, acts = (range(len(axes[axis])) for axis in ("sub", "dom", "act"))
    for day, sub, dom, act in product(("2025-03-19", *policy.days), subs, doms, acts):
        chosen = (masks.on(day) & masks.who[:, sub, dom] & masks.act[:, act]).nonzero()[0]
        for obj in () if ("chosen", chosen.tobytes()) in done else range(masks.obj.shape[1]):
            rules = chosen[masks.obj[chosen, obj]]
            if ("object", rules.tobytes()) in done:
                continue
            done.add(("object", rules.tobytes()))
            boxes = (masks.pur[rules][:, :, None] & masks.row[rules][:, None, :]).reshape(len(rules), masks.pur.shape[1] * masks.row.shape[1])
            for place in np.unique(np.packbits(boxes, axis=0), axis=1, return_index=True)[1].tolist() if len(rules) else [0]:
                pur, row = divmod(place, masks.row.shape[1])
                cell = (axes["sub"][sub], axes["dom"][dom], axes["obj"][obj], axes["act"][act], axes["pur"][pur], axes["row"][row])
                cells.setdefault(rules[boxes[:, place]].tobytes(), Cell(*cell, date.fromisoformat(day)))
        done.add(("chosen", chosen.tobytes()))
    return cells


def test_one_cell_per_set_of_matching_rules_equals_casbins_decision(policy: Policy) -> None:
    cells = a_cell_per_set_of_matching_rules(policy)
    assert len(cells) > 16_000
    assert all(policy.matching(cell).tobytes() == rules for rules, cell in islice(cells.items(), 500))
    assert {policy.level(cell) for cell in cells.values()} == {0, 2, 3, 5}
    assert check_against_casbin(policy, cells.values()) == len(cells)


def test_twenty_thousand_random_cells_equal_casbins_decisions(policy: Policy) -> None:
    dice = random.Random(20250320)
    assert check_against_casbin(policy, (anywhere(policy, dice) for _ in range(10_000))) == 10_000
    assert check_against_casbin(policy, (in_an_exchange(policy, dice) for _ in range(10_000))) == 10_000


def test_what_casbin_permits_is_every_level_up_to_some_level(policy: Policy) -> None:
    """So that two calls settle a cell."""
    dice, permits = random.Random(20280319), arbiter(policy)
    for cell in [in_an_exchange(policy, dice) for _ in range(150)]:
        said = [permits(cell, level) for level in range(1, 6)]
        assert said == sorted(said, reverse=True)
        assert sum(said) == policy.level(cell)


def test_rules_that_casbin_is_not_handed_would_change_nothing(policy: Policy) -> None:
    dice, permits = random.Random(20260101), arbiter(policy)
    whole = make_enforcer(policy.rows, policy.known)
    cells = [*(anywhere(policy, dice) for _ in range(60)), *(in_an_exchange(policy, dice) for _ in range(60)), *one_for_each_rule(policy, dice)]
    for cell, level in product(cells, (1, 3, 4)):
        assert permits(cell, level) == whole.enforce(*cell[:-1], str(level), cell.day.isoformat()), cell


def one_for_each_rule(policy: Policy, dice: random.Random) -> list[Cell]:
    return [next(cells_of_rule(policy, n, dice)) for n in range(0, len(policy.rows), 3)]


def test_a_table_that_says_more_than_casbin_is_found(policy: Policy) -> None:
    check_against_casbin(policy, [CELL])
    forged = replace(policy, tables={where: Table(table.allows, table.allows) for where, table in policy.tables.items()})
    with pytest.raises(ConfigError, match="table 5, Casbin 3"):
        check_against_casbin(forged, [CELL])


@pytest.mark.parametrize(("level", "said"), [(0, 3), (2, 3), (4, 3), (5, 3)])
def test_a_table_that_says_one_level_more_or_less_than_casbin_is_found(policy: Policy, level: int, said: int) -> None:
    levels = {where: Table(table.allows, np.full_like(table.levels, level)) for where, table in policy.tables.items()}
    with pytest.raises(ConfigError, match=f"table {level}, Casbin {said}: sijoker@sijunjung, nk-sijunjung-2025"):
        check_against_casbin(replace(policy, tables=levels), [CELL])


def test_a_difference_tells_the_highest_level_that_casbin_permits(policy: Policy) -> None:
    shut = replace(policy, tables={})
    clear = CELL._replace(sub="siapkerja@kemnaker", obj="pencari_kerja.jenis_kelamin", pur="perencanaan", row="umum")
    with pytest.raises(ConfigError, match="table 0, Casbin 5"):
        check_against_casbin(shut, [clear])


def test_the_order_of_rules_changes_nothing(policy: Policy) -> None:
    rows = list(policy.rows)
    random.Random(14).shuffle(rows)
    shuffled = compile_tables(make_masks(rows, policy.known))
    assert shuffled.keys() == policy.tables.keys()
    for where, table in policy.tables.items():
        assert np.array_equal(table.levels, shuffled[where].levels)
        assert np.array_equal(table.allows, shuffled[where].allows)


def test_casbin_logs_no_request(policy: Policy, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        check_against_casbin(policy, [CELL, CELL._replace(row="keberatan")])
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_the_frozen_twin_of_casbin_is_not_installed_beside_the_maintained_one() -> None:
    assert (2, 8) <= tuple(int(part) for part in version("pycasbin").split(".")[:2]) < (3, 0)
    with pytest.raises(PackageNotFoundError):
        version("casbin")


def test_the_expression_evaluator_is_one_without_the_known_hole() -> None:
    assert tuple(int(part) for part in version("simpleeval").split(".")[:3]) >= (1, 0, 7)  # CVE-2026-32640
