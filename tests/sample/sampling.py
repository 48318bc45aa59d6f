"""The shipped contracts and code lists, and rows as dictionaries."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from broker.contract import load_codelists, load_contracts
from broker.sample import rows

POLICIES = Path(__file__).resolve().parents[2] / "policies"
AS_OF = date(2026, 11, 21)
CODES = load_codelists(POLICIES / "codes")
CONTRACTS = load_contracts(POLICIES / "datasets")


def sample(
    dataset: str,
    n: int,
    region: str = "sijunjung",
    *,
    party: str = "",
    seed: int = 7,
    as_of: date = AS_OF,
    mess: float = 0.0,
    text: bool = False,
) -> list[dict[str, str]]:
    """party: the region's own unless named."""
    contract, agreement = CONTRACTS[dataset], f"nk-{region}-2025"
    made = rows(
        dataset, n, seed, as_of, party=party or region, agreement=agreement, contract=contract, codes=CODES, mess=mess, text=text
    )
    return [dict(zip(contract.names, row, strict=True)) for row in made]
