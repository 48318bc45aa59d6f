"""The bench `pseudonym`: tokens and marked NIKs over columns, beside one call per value; docs/benchmarks.md says what each figure means."""

from __future__ import annotations

import argparse
import hmac
import json
import os
import random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # as for `broker serve`

import fastfpe.ff1
import polars as pl
from rich.console import Console
from rich.table import Table

from broker.keys import ff1
from broker.treatment import DomainKey, pseudonym_tokens
from broker.treatment.formatted import NIK_TWEAK, marked_niks, marked_phones, original_niks, ranked
from scripts.benchmarks.usage import cpu_seconds, peak_mb, reference_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LISTS: Final = 12  # of different values, one after the other
DIGITS: Final = "0123456789"
DAYS: Final = (*range(1, 29), *range(41, 69))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench pseudonym", description="Tokens and marked NIKs; see docs/benchmarks.md.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rows", type=int, default=16_384, help="values in a list; a chunk of the flow has at most so many")
    parser.add_argument("--peer-rows", type=int, default=1_024, help="of them for the peers, so that a round of theirs takes about as long")
    parser.add_argument("--rounds", type=int, default=200, help="of each, by turns; the best counts")
    parser.add_argument("--seed", type=int, default=1, help="of the values and the key")
    asked = parser.parse_args(arguments)
    result = measure(asked.rows, asked.peer_rows, asked.rounds, asked.seed)
    if asked.json:
        print(json.dumps(result))
    else:
        table = Table("figure", "value", title="pseudonym")
        for name, value in result.items():
            table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
        Console(highlight=False).print(table)
    return 0


def drawn(count: int, dice: random.Random) -> list[str]:
    """Numbers with a NIK's structure."""
    return [
        f"{dice.randrange(110_000, 970_000)}{dice.choice(DAYS):02}{dice.randrange(1, 13):02}{dice.randrange(100):02}{dice.randrange(1, 10_000):04}"
        for _ in range(count)
    ]


def measure(rows: int, peer_rows: int, rounds: int, seed: int) -> dict[str, Any]:
    dice = random.Random(seed)
    key = DomainKey(dice.randbytes(32), 1)
    niks = [drawn(rows, dice) for _ in range(LISTS)]
    phones = [[f"+628{dice.randrange(10**9, 10**10)}" for _ in part] for part in niks]
    ranks = [ranked(pl.Series(part))[0] for part in niks]
    marked = [marked_niks(pl.Series(part), key).to_list() for part in niks]
    asked = [part[:peer_rows] for part in niks]
    numbers = [[f"{rank:015}" for rank in part[:peer_rows].tolist()] for part in ranks]
    ff1_key, tweak = key.ff1_key.hex(), NIK_TWEAK.hex()
    works = (
        Work("tokens", niks, lambda part: pseudonym_tokens(pl.Series(part), key).to_list()),
        Work("hmac", asked, lambda part: [hmac.digest(key.key, value.encode(), "sha256") for value in part]),
        Work("ff1", niks, lambda part: marked_niks(pl.Series(part), key).to_list()),
        Work("fastfpe", numbers, lambda part: [fastfpe.ff1.encrypt(ff1_key, tweak, DIGITS, value) for value in part]),
        Work("ff1_back", marked, lambda part: original_niks(pl.Series(part), key).to_list()),
        Work("ff1_phones", phones, lambda part: marked_phones(pl.Series(part), key).to_list()),
        Work("ff1_numbers", ranks, lambda part: ff1.encrypt(key.ff1_key, NIK_TWEAK, 15, part)),
    )
    rates = best_rates(works, rounds)
    theirs = ["0" + fastfpe.ff1.encrypt(ff1_key, tweak, DIGITS, value) for value in numbers[0]]
    return {
        "bench": "pseudonym",
        "rows": rows,
        "peer_rows": peer_rows,
        **{f"{name}_per_s_core": round(rate) for name, rate in rates.items()},
        "tokens_ratio_hmac": round(rates["tokens"] / rates["hmac"], 2),
        "ff1_ratio_fastfpe": round(rates["ff1"] / rates["fastfpe"], 2),
        "fastfpe_unequal": sum(a != b for a, b in zip(marked[0], theirs, strict=False)),
        "niks_not_recovered": sum(a != b for part, back in zip(niks, marked, strict=True) for a, b in zip(part, original_niks(pl.Series(back), key), strict=True)),
        "peak_rss_mb": round(peak_mb(), 1),
        "reference_sha256_us": round(reference_us(), 3),
    }


class Work(NamedTuple):
    """A measure: what is done with each list, one of them a round."""

    name: str
    lists: Sequence[Any]
    do: Callable[[Any], object]


def best_rates(works: Sequence[Work], rounds: int) -> dict[str, float]:
    """Values per CPU second of the whole process, the best round of each; by turns, so that a busy machine slows all alike."""
    best = {work.name: 0.0 for work in works}
    for n in range(rounds):
        for work in works:
            part = work.lists[n % len(work.lists)]
            start = cpu_seconds()
            work.do(part)
            best[work.name] = max(best[work.name], len(part) / max(cpu_seconds() - start, 1e-6))
    return best
