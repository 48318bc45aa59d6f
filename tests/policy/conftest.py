"""Policies of rules of one's own, beside the shipped ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.policy import compile_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
HEADER, *LINES = (ROOT / "policies/rules.csv").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def compiled() -> Callable[..., Policy]:
    agreements, contracts = load_agreements(ROOT / "policies/agreements"), load_contracts(ROOT / "policies/datasets")
    model = (ROOT / "policies/model.conf").read_bytes()

    def of(*lines: str) -> Policy:
        return compile_policy(("\n".join((HEADER, *lines)) + "\n").encode(), model, contracts, agreements, clause_exists, 2)

    return of


@pytest.fixture(scope="module")
def seed(compiled: Callable[..., Policy]) -> Policy:
    return compiled(*LINES)
