"""The bench `policy`: a decision by table and by Casbin, the exact diff, replay and the check before publishing; docs/benchmarks.md says what each figure means."""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.errors import Refusal
from broker.ledger.manifest import manifest_json
from broker.model import System, Terms, utc_text, wib_date
from broker.policy import Cell, Policy, compile_policy, diff, load_manifests, publication_check, replay
from broker.policy.compile import ONE_THREAD, make_enforcer
from broker.settings import shipped_policies
from broker.treatment.levels import profiles
from scripts.benchmarks.usage import peak_mb, reference_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from broker.model import Agreement, Contract

DATES: Final = 6  # that generated rules begin and end on, evenly over the term
EDITED: Final = 5  # rules that a change touches
SIZES: Final = (1_000, 10_000)
NOW: Final = datetime(2026, 11, 21, 3, tzinfo=UTC)
TODAY: Final = wib_date(NOW)


@dataclass(frozen=True, slots=True)
class World:
    """What the broker ships. model, rules: the bytes of its policy."""

    contracts: Mapping[str, Contract]
    agreements: Mapping[str, Agreement]
    model: bytes
    rules: bytes

    def compiled(self, rules: bytes) -> Policy:
        return compile_policy(rules, self.model, self.contracts, self.agreements, clause_exists, 1)


def shipped() -> World:
    folder = shipped_policies()
    return World(
        load_contracts(folder / "datasets"), load_agreements(folder / "agreements"), (folder / "model.conf").read_bytes(), (folder / "rules.csv").read_bytes()
    )


def main(arguments: list[str]) -> int:
    asked = _arguments(arguments)
    result = measure(asked)
    if asked.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        show(result)
    return 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench policy", description="Decisions, diff, replay and publishing; see docs/benchmarks.md.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--seed", type=int, default=1, help="of the generated rules and of the cells drawn")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="rules, the shipped ones among them; the first also for Casbin and publishing")
    parser.add_argument("--decisions", type=int, default=1_000_000, help="at least so many are replayed")
    parser.add_argument("--seconds", type=float, default=5.0, help="for the random cells before publishing, and for Casbin's rate")
    parser.add_argument("--rounds", type=int, default=3, help="of each measure; the best counts")
    return parser.parse_args(arguments)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    world = shipped()
    result: dict[str, Any] = {"bench": "policy", "seed": asked.seed, "rules_shipped": world.rules.count(b"\n") - 1}
    result |= _plan(world, asked.rounds)
    for size in asked.sizes:
        result |= _diff(world, size, asked.seed, asked.rounds)
    first = drawn_rules(world, asked.sizes[0], asked.seed)
    result |= _publish(world, first, asked.sizes[0], asked.seed, asked.seconds)
    result |= _casbin(world.compiled(first), asked.seed, asked.seconds, asked.rounds)
    result |= _replay(world, asked.decisions, asked.seed, asked.rounds)
    return result | {"peak_rss_mb": round(peak_mb(), 1), "reference_sha256_us": round(reference_us(), 3)}


def _best(work: Callable[[], object], rounds: int) -> float:
    """Wall seconds of the quickest round."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


# --- rules
def drawn_rules(world: World, count: int, seed: int) -> bytes:
    """The shipped rules, then generated ones up to `count`: allows within a purpose table and a term, and caps of every shape."""
    dice = random.Random(seed)
    lines = world.rules.decode().splitlines()
    lines += [_allow(world, dice, n) if dice.random() < 0.7 else _cap(world, dice, n) for n in range(max(0, count - len(lines) + 1))]
    return ("\n".join(lines[: count + 1]) + "\n").encode()


def edited(rules: bytes) -> bytes:
    """The last EDITED rules as caps of 0 over every row: whatever else allows, this shows."""
    lines = [line.split(",") for line in rules.decode().splitlines()]
    for cells in lines[-EDITED:]:
        cells[6:8], cells[11] = ["*", "0"], "deny"
    return ("\n".join(map(",".join, lines)) + "\n").encode()


def _allow(world: World, dice: random.Random, n: int) -> str:
    agreement = dice.choice(list(world.agreements.values()))
    purpose = dice.choice(agreement.purposes)
    dataset = dice.choice(sorted(purpose.datasets))
    recipient = agreement.systems[dice.choice(sorted(purpose.recipients))]
    cited = f"{agreement.id}: {agreement.scope[dataset]}"
    what = (recipient, agreement.id, _object(world, dice, dataset), "terima", purpose.code, _row(dice), str(dice.randint(1, 5)))
    return ",".join((f"G.{n:05d}", *what, *_days(agreement, dice), cited, "allow", "tidak"))


def _cap(world: World, dice: random.Random, n: int) -> str:
    agreement = dice.choice(list(world.agreements.values()))
    purpose = dice.choice(agreement.purposes)
    dataset = dice.choice(sorted(purpose.datasets))
    who = dice.choice(("*", "penerima", *agreement.systems.values()))
    why = dice.choice(("*", f"induk:{purpose.parent}", purpose.code))
    cited = f"{agreement.id}: {agreement.scope[dataset]}"
    what = (who, agreement.id, _object(world, dice, dataset), dice.choice(("*", "terima")), why, _row(dice), str(dice.randint(0, 4)))
    return ",".join((f"G.{n:05d}", *what, *_days(agreement, dice), cited, "deny", "tidak"))


def _object(world: World, dice: random.Random, dataset: str) -> str:
    column = dice.choice(world.contracts[dataset].columns)
    return dice.choice((f"{dataset}.{column.name}",) * 8 + (f"{dataset}/kelas:{column.klass}", f"{dataset}.*"))


def _row(dice: random.Random) -> str:
    return dice.choice(("*", "umum", "anak", "spesifik", "disabilitas", "perorangan", "anak+spesifik", "spesifik_kolom+disabilitas"))


def _days(agreement: Agreement, dice: random.Random) -> tuple[str, str]:
    term = (agreement.ends - agreement.starts).days + 1
    begin, end = sorted(dice.sample(range(DATES), 2))
    first, last = (agreement.starts + timedelta(days=term * n // (DATES - 1)) for n in (begin, end))
    return first.isoformat(), last.isoformat()


# --- decisions
def _flows(world: World, policy: Policy) -> Iterator[tuple[Terms, Contract]]:
    """Every flow that a purpose table lists and the policy does not refuse."""
    for agreement, contract in product(world.agreements.values(), world.contracts.values()):
        for (sender, recipient), purpose in product(agreement.directions.get(contract.dataset, ()), agreement.purposes):
            terms = Terms(
                agreement=agreement,
                dataset=contract.dataset,
                template=contract.template,
                sender=System(agreement.systems[sender]),
                recipient=System(agreement.systems[recipient]),
                purpose=purpose,
                basis=None,
                day=TODAY,
                clauses=(purpose.clause,),
                warnings=(),
            )
            try:
                policy.plan(terms, contract)
            except Refusal:
                continue
            yield terms, contract


def _plan(world: World, rounds: int) -> dict[str, Any]:
    """Microseconds of a Plan for pencari_kerja under the shipped rules: the mean over 2,000, in the best round."""
    policy = world.compiled(world.rules)
    terms, contract = next(flow for flow in _flows(world, policy) if flow[0].dataset == "pencari_kerja")
    times = 2_000

    def plans() -> None:
        for _ in range(times):
            policy.plan(terms, contract)

    return {"plan_columns": len(contract.columns), "plan_us": round(_best(plans, rounds) / times * 1e6, 1)}


def _casbin(policy: Policy, seed: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Decisions per second on the same cells, drawn anywhere in an agreement: Casbin's enforce(), and a look-up in the tables."""
    dice = random.Random(seed)
    systems = [sub for sub in policy.known.axes["sub"] if "@" in sub]
    axes = {**policy.known.axes, "sub": systems, "dom": policy.known.axes["dom"][:-1], "act": ("terima",)}
    cells = [Cell._make([*(dice.choice(axes[axis]) for axis in Cell._fields[:-1]), TODAY]) for _ in range(20_000)]
    enforcer, asked, equal = make_enforcer(policy.rows, policy.known), 0, 0
    with ONE_THREAD:
        start = time.perf_counter()
        while time.perf_counter() - start < seconds and asked < len(cells):
            *question, day = cells[asked]
            level = asked % 5 + 1
            equal += enforcer.enforce(*question, str(level), day.isoformat()) == (level <= policy.level(cells[asked]))
            asked += 1
        casbin = asked / (time.perf_counter() - start)
    table = len(cells) / _best(lambda: [policy.level(cell) for cell in cells], rounds)
    return {
        "casbin_enforce_per_s": round(casbin, 1),
        "casbin_enforce_unequal": asked - equal,
        "table_decisions_per_s": round(table),
        "ratio": round(table / casbin, 1),
    }


# --- changes
def _diff(world: World, size: int, seed: int, rounds: int) -> dict[str, Any]:
    """Seconds from the bytes of a draft with EDITED other rules to its exact diff; the two parts; and two policies that share the shipped rules alone."""
    rules = drawn_rules(world, size, seed)
    old, draft = world.compiled(rules), edited(rules)
    new = world.compiled(draft)
    found = diff(old, new)
    result = {
        "diff_s": round(_best(lambda: diff(old, world.compiled(draft)), rounds), 4),
        "diff_alone_s": round(_best(lambda: diff(old, new), rounds), 4),
        "load_s": round(_best(lambda: world.compiled(draft), rounds), 4),
        "diff_cells": found.gains + found.losses,
        "diff_lines": len(found.changes),
    }
    other = world.compiled(drawn_rules(world, size, seed + 1))
    result |= {"diff_unrelated_s": round(_best(lambda: diff(old, other), 1), 4), "diff_unrelated_lines": len(diff(old, other).changes)}
    return {f"{name}_{size}_rules": value for name, value in result.items()}


def _publish(world: World, rules: bytes, size: int, seed: int, seconds: float) -> dict[str, Any]:
    """Seconds from a draft's bytes to tables held against Casbin."""
    old, draft = world.compiled(rules), edited(rules)
    start = time.perf_counter()
    new = world.compiled(draft)
    checked = publication_check(old, new, seed, seconds)
    took = time.perf_counter() - start
    cells = 1
    for values in new.known.axes.values():
        cells *= len(values)
    return {
        f"publish_s_{size}_rules": round(took, 3),
        "cells": cells * len(new.days),
        "cells_checked": checked.cells,
        "cells_unequal": checked.unequal,
    }


# --- replay
def _replay(world: World, count: int, seed: int, rounds: int) -> dict[str, Any]:
    """Seconds to read the manifests of at least `count` decisions, and to replay them once read."""
    old = world.compiled(world.rules)
    new = world.compiled(_tighter(world.rules))
    entries: list[bytes] = []
    decisions = 0
    for entry, size in manifests(world, old, seed):
        entries.append(entry)
        decisions += size
        if decisions >= count:
            break
    since, until = TODAY - timedelta(days=30), TODAY + timedelta(days=1)
    loaded = load_manifests(entries, since, until)
    return {
        "replay_exchanges": len(loaded.exchanges),
        "replay_decisions": len(loaded.level),
        "replay_load_s": round(_best(lambda: load_manifests(entries, since, until), 1), 3),
        "replay_1m_decisions_s": round(_best(lambda: replay(loaded, old, new), rounds), 4),
        "replay_different": len(replay(loaded, old, new)),
    }


def _tighter(rules: bytes) -> bytes:
    """Every other allow that gives 5 gives 2: most exchanges differ."""
    lines = rules.decode().splitlines()
    for n in range(2, len(lines), 2):
        cells = lines[n].split(",")
        if cells[11] == "allow" and cells[4] == "terima" and cells[7] == "5":
            lines[n] = ",".join((*cells[:7], "2", *cells[8:]))
    return ("\n".join(lines) + "\n").encode()


def manifests(world: World, policy: Policy, seed: int) -> Iterator[tuple[bytes, int]]:
    """Manifests without end, as the ledger writes them, of 30 days and of every flow; each with its number of decisions."""
    dice = random.Random(seed)
    flows = []
    for terms, contract in _flows(world, policy):
        plan = policy.plan(terms, contract)
        found = profiles(plan, contract)
        flows.append((terms, contract, plan, tuple(zip(found.names, found.levels, strict=True))))
    while True:
        terms, contract, plan, treated = dice.choice(flows)
        digest = dice.randbytes(32)
        entry = manifest_json(
            exchange=digest[:16],
            now=utc_text(NOW),
            terms=replace(terms, day=TODAY - timedelta(days=dice.randrange(30))),
            plan=plan,
            contract_sha256=contract.sha256,
            agreement_sha256=terms.agreement.sha256,
            submission={"sealed_sha256": digest.hex(), "statement_sha256": digest.hex()},
            envelope={"bytes": 1_000_000, "header_sha256": digest.hex(), "sha256": digest.hex()},
            keys={"broker": "k", "recipient": "k", "recipient_kem": "k", "sender": "k"},
            profiles=treated,
            root=digest,
            leaves=1_000,
            outcomes={"terkirim": 1_000},
            rows=1_000,
            quality={},
            repeated=0,
            unique_permille=0,
            warnings=(),
        )
        yield entry, len(treated) * len(contract.columns)


def show(result: dict[str, Any]) -> None:
    table = Table("figure", "value", title="policy")
    for name, value in result.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    Console(highlight=False).print(table)
