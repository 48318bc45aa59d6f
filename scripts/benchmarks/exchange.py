"""The bench `exchange`: ours and two peers on the same rows of pencari_kerja; what each figure means is in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from broker.settings import limit_polars
from scripts.benchmarks import world

MILLION: Final = 1_000_000
BASE: Final = 100_000  # rows of the smaller run of the growth figure
MEDIUM: Final = 12_000  # an officer's Excel file
MEDIUMS: Final = 7
WARM: Final = 20_000  # rows of the exchange that warms up, at most: a broker that serves has its heap and its page cache
ROWWISE_ROWS: Final = 2_000
STRUCTURED_ROWS: Final = 20_000


def main(arguments: list[str]) -> int:
    asked = _arguments(arguments)
    limit_polars()  # here, for the processes that measure
    if asked.cache:
        asked.cache.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=asked.cache)))
        result = measure(work, asked)
    if asked.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        show(result)
    return 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench exchange", description="Ours and two peers on the same rows; see docs/benchmarks.md.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--ours-only", action="store_true", help="without the peers")
    parser.add_argument("--shares", action="store_true", help="only the time per step")
    parser.add_argument("--no-growth", action="store_true", help="without the run over a million rows")
    parser.add_argument("--repeat", type=int, default=3, help="runs of ours, each in a fresh process; the median counts")
    parser.add_argument("--smalls", type=int, default=31, help="1-row exchanges")
    parser.add_argument("--rowwise-rows", type=int, default=ROWWISE_ROWS)
    parser.add_argument("--structured-rows", type=int, default=STRUCTURED_ROWS)
    parser.add_argument("--cache", type=Path, help="folder that keeps the synthetic rows for the next run; the broker home is made there too")
    return parser.parse_args(arguments)


def measure(work: Path, asked: argparse.Namespace) -> dict[str, Any]:
    world.found(work)
    plain = rows_file(asked.cache or work, asked.rows)
    warm = world.seal_submission(work, _others(work, plain, asked.rows))
    sealed = world.seal_submission(work, plain)
    result: dict[str, Any] = {"bench": "exchange", "dataset": world.DATASET, "columns": len(world.contract().names), "rows": asked.rows, "mess": world.MESS}
    result |= _shares(work, warm, sealed)
    if asked.shares:
        return result
    result |= _rates(work, plain, warm, sealed, asked)
    result |= _walls(work, plain, warm, asked)
    return result | _growth(work, plain, warm, asked)


def _others(work: Path, plain: Path, rows: int) -> Path:
    """Rows to warm up with: as those at hand, of other people, so that the vault knows nobody who comes later."""
    turned, warm = work / "turned.csv", work / "warm.csv"
    count = min(WARM, rows)
    world.multiply(plain, turned, rows + count)
    world.cut(turned, warm, rows, count)
    turned.unlink()
    return warm


def rows_file(folder: Path, rows: int) -> Path:
    """The synthetic rows as CSV; made anew whenever the generator, the contract or the code lists changed."""
    root = Path(__file__).resolve().parents[2]
    made_by = [*sorted((root / "broker" / "sample").glob("*.*")), *sorted((root / "policies" / "codes").glob("*")), root / "policies" / "datasets" / f"{world.DATASET}.toml"]
    sha = hashlib.sha256(b"".join(path.read_bytes() for path in made_by if path.is_file())).hexdigest()[:12]
    path = folder / f"{world.DATASET}-{rows}-{sha}.csv"
    if not path.exists():
        world.write_rows(path, world.draw_rows(rows, world.MESS))
    return path


def _cut(work: Path, plain: Path, name: str, start: int, count: int) -> Path:
    world.cut(plain, work / f"{name}.csv", start, count)
    return work / f"{name}.csv"


def _run(module: str, *arguments: object) -> dict[str, Any]:
    """One measurement in a process of its own."""
    done = subprocess.run([sys.executable, "-m", f"scripts.benchmarks.{module}", *map(str, arguments)], check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _rates(work: Path, plain: Path, warm: Path, sealed: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Ours and the peers by turns, so that a busy machine is busy for all; medians of their rates."""
    peer_rows = {} if asked.ours_only else {"rowwise": min(asked.rowwise_rows, asked.rows), "structured": min(asked.structured_rows, asked.rows)}
    runs: list[dict[str, Any]] = []
    peers: dict[str, list[dict[str, Any]]] = {name: [] for name in peer_rows}
    for _ in range(asked.repeat):
        runs.append(_run("ours", "speed", work, warm, sealed))
        if peer_rows:
            for name, run in _run("peers", plain, *(f"{name}={count}" for name, count in peer_rows.items())).items():
                peers[name].append(run)
    assert all(run["rows"] == asked.rows for run in runs), "the ledger counts other rows than were sent"
    rates = [run["rows"] / run["cpu_s"] for run in runs]
    result: dict[str, Any] = {
        "rows_per_s_core": round(median(rates)),
        "rows_per_s_core_runs": [round(rate) for rate in rates],
        "rows_per_s_wall": round(median(run["rows"] / run["wall_s"] for run in runs)),
        "peak_rss_mb": round(max(run["peak_rss_mb"] for run in runs), 1),
        "polars_threads": runs[0]["polars_threads"],
        "reference_sha256_us": round(median(run["reference_us"] for run in runs), 3),
    }
    for name, done in peers.items():
        rate = median(run["rows_per_s"] for run in done)
        result |= {f"peer_{name}_rows_per_s_core": round(rate), f"ratio_{name}": round(median(rates) / rate, 2)}
    digests = {"ours": world.rows_sha256(plain, asked.rows)} | {name: done[0]["input_sha256"] for name, done in peers.items()}
    if peers:
        result |= {"peer_rows": peer_rows, "peer_ways": {name: [run["ways"] for run in done] for name, done in peers.items()}}
    return result | {"input_sha256": digests}


def _walls(work: Path, plain: Path, warm: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Medians of 1-row and of 12,000-row exchanges, and their steps. A file with fewer rows has no medium figure."""
    smalls = []
    for i, row in enumerate(world.draw_rows(2 * asked.smalls + 1, 0.0)):
        path = work / f"small-{i}.csv"
        world.write_rows(path, [row])
        smalls.append(world.seal_submission(work, path))
    small = _run("ours", "walls", work, warm, *smalls)
    result = {"small_ms": round(median(small["ms"]), 2), "medium_ms": None, "small_share_ms": _milliseconds(small)}
    if asked.rows < MEDIUM:
        return result
    starts = [n * MEDIUM % (asked.rows - MEDIUM + 1) for n in range(2 * MEDIUMS + 1)]
    mediums = [world.seal_submission(work, _cut(work, plain, f"medium-{i}", start, MEDIUM)) for i, start in enumerate(starts)]
    medium = _run("ours", "walls", work, warm, *mediums)
    return result | {"medium_ms": round(median(medium["ms"]), 1), "medium_share_ms": _milliseconds(medium)}


def _milliseconds(run: dict[str, Any]) -> dict[str, float]:
    return {name: round(1000 * s / run["exchanges"], 3) for name, s in _largest(run["wall_s"])}


def _shares(work: Path, warm: Path, sealed: Path) -> dict[str, Any]:
    run = _run("ours", "shares", work, warm, sealed)
    total = sum(run["cpu_s"].values())
    result: dict[str, Any] = {
        "share": {name: round(s / total, 4) for name, s in _largest(run["cpu_s"])},
        "step_cpu_us_per_row": {name: round(1e6 * s / run["rows"], 3) for name, s in _largest(run["cpu_s"])},
        "step_wall_us_per_row": {name: round(1e6 * run["wall_s"][name] / run["rows"], 3) for name, _ in _largest(run["cpu_s"])},
    }
    return result | ({"steps_not_found": run["not_found"]} if run["not_found"] else {})


def _largest(values: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(values.items(), key=lambda item: -item[1])


def _growth(work: Path, plain: Path, warm: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Peak at a million rows less peak at a hundred thousand, per million rows; None where it was not asked for or makes no sense."""
    if asked.no_growth or asked.rows < BASE:
        return {"rss_growth_mb_per_million_rows": None}
    peaks = []
    for rows in (BASE, MILLION):
        path = work / f"growth-{rows}.csv"
        world.multiply(plain, path, rows)
        sealed = world.seal_submission(work, path)
        path.unlink()
        peaks.append(_run("ours", "speed", work, warm, sealed))
        sealed.unlink()
    low, high = (peak["peak_rss_mb"] for peak in peaks)
    return {
        "rss_growth_mb_per_million_rows": round((high - low) / ((MILLION - BASE) / MILLION), 1),
        "peak_rss_mb_million": round(high, 1),
        "rows_per_s_core_million": round(MILLION / peaks[1]["cpu_s"]),
    }


def show(result: dict[str, Any]) -> None:
    out = Console(highlight=False)
    table = Table("figure", "value", title=f"exchange · {result['dataset']} · {result['rows']:,} rows · {result['columns']} columns")
    for name, value in result.items():
        if "share" not in name and not name.startswith("step_"):
            table.add_row(name, f"{value:,}" if isinstance(value, int | float) else str(value))
    out.print(table)
    table = Table("step", "share", "CPU µs/row", "wall µs/row", "ms, 1 row", "ms, 12,000", title="time per step")
    cpu, wall = result["step_cpu_us_per_row"], result["step_wall_us_per_row"]
    small, medium = result.get("small_share_ms", {}), result.get("medium_share_ms", {})
    for name, share in result["share"].items():
        table.add_row(name, f"{share:6.1%}", f"{cpu[name]:.3f}", f"{wall[name]:.3f}", f"{small.get(name, 0):.3f}", f"{medium.get(name, 0):.3f}")
    table.add_section()
    table.add_row("all", "", *(f"{sum(column.values()):.3f}" for column in (cpu, wall, small, medium)))
    out.print(table)
