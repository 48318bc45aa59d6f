"""`broker explain`: what each column becomes, and by which rule and Pasal. Reads the policies and the version in force alone: no key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from broker.cli.say import say
from broker.errors import ClientError
from broker.model import LEVEL_NAMES, ROW_FLAGS, Request, class_name
from broker.settings import broker_home

if TYPE_CHECKING:
    from broker.model import Level, Rule

Home = Annotated[Path | None, typer.Option("--home", help="Broker home (or BROKER_HOME; ./broker-home).")]


@dataclass(frozen=True, slots=True)
class Asked:
    """The question: who sends what to whom, for which purpose."""

    agreement: str
    dataset: str
    sender: str
    recipient: str
    purpose: str
    basis: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one column becomes in rows of one class, and the rules that say so."""

    column: str
    level: Level
    rules: tuple[Rule, ...]


def explain(
    dataset: Annotated[str, typer.Argument(help="Himpunan data, as pencari_kerja.")],
    agreement: Annotated[str, typer.Option("--agreement", "-k", help="Kesepakatan, as nk-sijunjung-2025.")],
    sender: Annotated[str, typer.Option("--from", help="Sending system.")],
    recipient: Annotated[str, typer.Option("--to", help="Receiving system.")],
    purpose: Annotated[str, typer.Option("--purpose", "-t", help="Tujuan, as perencanaan.")],
    row_class: Annotated[str, typer.Option("--row", help="Row class, as umum or anak.")] = "umum",
    basis: Annotated[str | None, typer.Option(help="Dasar hukum, where the purpose needs one.")] = None,
    home: Home = None,
) -> None:
    """Show what each column would become for a recipient and purpose today, and by which rule and Pasal."""
    asked = Asked(agreement, dataset, sender, recipient, purpose, basis)
    cells, warnings = what_becomes(broker_home(home) / "policies", asked, row_class, datetime.now(UTC))
    say(f"[bold]{dataset} · {sender} → {recipient} · {purpose} · kelas baris {row_class}[/bold]")
    say("\n".join(lines(cells)))
    if warnings:
        say(f"Peringatan: {', '.join(warnings)}")


def what_becomes(policies: Path, asked: Asked, row_class: str, now: datetime) -> tuple[list[Cell], tuple[str, ...]]:
    """A cell for every column, and the warnings of the terms. Refusal: what an exchange that asks the same would be told."""
    from broker.agreement import agree, load_agreements  # noqa: PLC0415
    from broker.contract import load_contracts  # noqa: PLC0415
    from broker.treatment import effective_level  # noqa: PLC0415
    from broker.wiring import policy_of  # noqa: PLC0415

    classes = [class_name(n) for n in range(1 << len(ROW_FLAGS))]
    if row_class not in classes:
        raise ClientError(f"no such row class; flags are {', '.join(ROW_FLAGS)}, joined by +")
    if not policies.is_dir():
        raise ClientError(f"{policies.parent} is no broker home; make one with `broker init`")
    agreements, contracts = load_agreements(policies / "agreements"), load_contracts(policies / "datasets")
    templates = {name: contract.template for name, contract in contracts.items()}
    request = Request(asked.agreement, asked.dataset, templates.get(asked.dataset, ""), asked.sender, asked.recipient, asked.purpose, asked.basis, "text/csv")
    terms = agree(request, agreements, templates, now)
    contract = contracts[terms.dataset]
    plan = policy_of(policies.parent, contracts, agreements).plan(terms, contract)
    number = classes.index(row_class)
    levels = zip(contract.columns, plan.levels[number], strict=True)
    return [Cell(c.name, effective_level(c, level, plan.audience, formatted=plan.formatted), plan.rules[number, c.name]) for c, level in levels], terms.warnings


def lines(cells: list[Cell]) -> list[str]:
    """One line a column, in the template's order: column, level, Pasal, rule ids."""
    width = max(len(cell.column) for cell in cells)
    return [f"{cell.column:{width}}  {words(cell.level):16}  {pasal(cell.rules)}  {' '.join(rule.id for rule in cell.rules)}".rstrip() for cell in cells]


def words(level: Level) -> str:
    return f"{int(level)} {LEVEL_NAMES[level]}"


def pasal(rules: tuple[Rule, ...]) -> str:
    return "; ".join(dict.fromkeys(rule.pasal for rule in rules)) or "tidak ada aturan yang mengizinkan"
