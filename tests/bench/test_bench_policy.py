"""`scripts/bench policy`, tiny: its figures are there and its rules are what it says. How fast anything is, no test judges."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from broker.policy import diff
from scripts.benchmarks import policy

RULES, DECISIONS = 640, 2_000


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    command = [sys.executable, "-m", "scripts.benchmarks", "policy", "--sizes", str(RULES), "--decisions", str(DECISIONS), "--seconds", "0.1", "--rounds", "1", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_json_has_every_figure(result: dict[str, Any]) -> None:
    numbers = (
        "plan_us", f"diff_s_{RULES}_rules", f"diff_alone_s_{RULES}_rules", f"load_s_{RULES}_rules", f"diff_unrelated_s_{RULES}_rules", f"publish_s_{RULES}_rules",
        "casbin_enforce_per_s", "table_decisions_per_s", "ratio", "replay_load_s", "replay_1m_decisions_s",
    )  # fmt: skip
    assert all(result[name] > 0 for name in numbers)
    assert result["plan_columns"] == 62


def test_enough_cells_were_checked_and_none_differs(result: dict[str, Any]) -> None:
    assert result["cells_checked"] >= 1_000
    assert result["cells"] > 200_000_000
    assert (result["cells_unequal"], result["casbin_enforce_unequal"]) == (0, 0)


def test_the_draft_changes_something_and_the_replay_as_well(result: dict[str, Any]) -> None:
    assert result[f"diff_cells_{RULES}_rules"] > 0
    assert result["replay_decisions"] >= DECISIONS
    assert result["replay_different"] > 0


def test_drawn_rules_are_as_many_as_asked_seeded_and_loadable() -> None:
    world = policy.shipped()
    rules = policy.drawn_rules(world, RULES, 1)
    assert rules == policy.drawn_rules(world, RULES, 1) != policy.drawn_rules(world, RULES, 2)
    compiled = world.compiled(rules)
    assert len(compiled.rows) == RULES
    drawn = compiled.rows[world.rules.count(b"\n") - 1 :]
    assert {row.eft for row in drawn} == {"allow", "deny"}
    assert all(len({getattr(row, column) for row in drawn}) > 3 for column in ("sub", "obj", "pur", "row", "lv", "dari", "sampai"))


def test_an_edit_touches_five_rules() -> None:
    world = policy.shipped()
    rules = policy.drawn_rules(world, RULES, 1)
    lines = [(a, b) for a, b in zip(rules.splitlines(), policy.edited(rules).splitlines(), strict=True) if a != b]
    assert 0 < len(lines) <= policy.EDITED
    assert diff(world.compiled(rules), world.compiled(policy.edited(rules))).losses > 0
