"""Casbin says what the policy means; the tables must say the same."""

from __future__ import annotations

import logging
import random
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.errors import ConfigError
from broker.policy import Cell, Policy, check_against_casbin, load_policy
from broker.policy.compile import Table, compile_tables, make_masks

ROOT = Path(__file__).resolve().parents[2]
DAYS = (date(2025, 3, 19), date(2025, 3, 20), date(2026, 11, 21), date(2028, 3, 19), date(2028, 3, 20))
CELL = Cell("sijoker@sijunjung", "nk-sijunjung-2025", "pencari_kerja.nik", "terima", "layanan_penempatan", "anak", DAYS[2])


@pytest.fixture(scope="module")
def policy() -> Policy:
    agreements = load_agreements(ROOT / "policies/agreements")
    return load_policy(ROOT / "policies", load_contracts(ROOT / "policies/datasets"), agreements, clause_exists)


def anywhere(policy: Policy, dice: random.Random) -> Cell:
    return Cell._make([*(dice.choice(policy.known.axes[axis]) for axis in Cell._fields[:-1]), dice.choice(DAYS)])


def in_an_exchange(policy: Policy, dice: random.Random) -> Cell:
    dom = dice.choice(policy.known.axes["dom"][:-1])
    region = {"nk-sijunjung-2025": "sijoker@sijunjung", "nk-binjai-2025": "sibuser@binjai"}[dom]
    return anywhere(policy, dice)._replace(sub=dice.choice((region, "siapkerja@kemnaker")), dom=dom, act="terima", day=DAYS[2])


def matching(policy: Policy, cell: Cell) -> bytes:
    masks, place = policy.masks, policy.known.index
    who = masks.who[:, place("sub", cell.sub), place("dom", cell.dom)]
    what = masks.act[:, place("act", cell.act)] & masks.pur[:, place("pur", cell.pur)]
    where = masks.row[:, place("row", cell.row)] & masks.obj[:, place("obj", cell.obj)]
    return (who & what & where & masks.on(cell.day.isoformat())).tobytes()


def test_random_cells_equal_casbins_decisions(policy: Policy) -> None:
    dice = random.Random(20250320)
    check_against_casbin(policy, [anywhere(policy, dice) for _ in range(120)])
    check_against_casbin(policy, [in_an_exchange(policy, dice) for _ in range(380)])


def test_one_cell_per_set_of_matching_rules_equals_casbins_decision(policy: Policy) -> None:
    dice = random.Random(20280319)
    sample = (in_an_exchange(policy, dice) for _ in range(600))
    cells = {matching(policy, cell): cell for cell in sample}
    assert len(cells) > 300
    assert {policy.level(cell) for cell in cells.values()} == {0, 2, 3, 5}
    check_against_casbin(policy, cells.values())


def test_a_table_that_says_more_than_casbin_is_found(policy: Policy) -> None:
    check_against_casbin(policy, [CELL])
    wrong = {where: Table(table.allows, table.allows) for where, table in policy.tables.items()}
    forged = Policy(policy.version, policy.sha256, policy.rows, policy.known, policy.masks, policy.days, wrong)
    with pytest.raises(ConfigError, match="table 5, Casbin 3"):
        check_against_casbin(forged, [CELL])


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
    assert version("pycasbin").startswith("2.")
    with pytest.raises(PackageNotFoundError):
        version("casbin")


def test_the_expression_evaluator_is_one_without_the_known_hole() -> None:
    assert tuple(int(part) for part in version("simpleeval").split(".")[:3]) >= (1, 0, 7)  # CVE-2026-32640
