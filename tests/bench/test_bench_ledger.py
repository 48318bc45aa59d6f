"""`scripts/bench ledger`, tiny: its figures are there, both sides kept the same records, and the search is of what it says. How fast anything is, no test judges."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from broker.ledger.leaves import STORED
from scripts.benchmarks import ledger

if TYPE_CHECKING:
    from pathlib import Path

RECORDS, ENTRIES, EXCHANGES, LEAVES = 400, 300, 3, 60


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    sizes = {"--records": RECORDS, "--entries": ENTRIES, "--exchanges": EXCHANGES, "--leaves": LEAVES, "--searches": 3}
    command = [sys.executable, "-m", "scripts.benchmarks", "ledger", "--json", *(str(word) for pair in sizes.items() for word in pair)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_json_has_every_figure(result: dict[str, Any]) -> None:
    numbers = (
        "records_per_s_core", "records_per_s_wall", "peer_records_per_s", "peer_lean_records_per_s", "ratio", "ratio_lean", "inclusion_us", "verify_us", "consistency_us",
        "verify_consistency_us", "exchange_inclusion_us", "exchange_verify_us", "absence_us", "verify_absence_us", "subject_search_ms", "subject_search_first_ms",
        "peak_rss_mb", "reference_sha256_us",
    )  # fmt: skip
    assert all(result[name] > 0 for name in numbers)
    assert (result["records"], result["exchanges"], result["entries"], result["search_records"]) == (RECORDS, ledger.TENTHS, ENTRIES, EXCHANGES * LEAVES)
    assert [records for records, _ in result["ratio_by_records"]] == list(range(RECORDS // 10, RECORDS + 1, RECORDS // 10))


def test_only_ten_million_leaves_are_called_so(result: dict[str, Any]) -> None:
    assert "subject_search_ms_10m" not in result


def test_a_leaf_costs_its_bytes_and_the_vault_is_left_out(result: dict[str, Any]) -> None:
    assert result["bytes_per_record"] >= STORED
    assert result["bytes_per_record_with_vault"] > result["bytes_per_record"]


def test_batches_are_seeded_and_of_nobody() -> None:
    one, again, other = (next(ledger.batches(RECORDS, seed)) for seed in (1, 1, 2))
    assert one.lines == again.lines != other.lines
    assert {len(line) for line in one.lines} == {ledger.LINE}
    assert one.people.str.starts_with("00").all(), "no province has the code 00"
    assert one.people.n_unique() == len(one.lines) == RECORDS // ledger.TENTHS


def test_ours_and_the_peers_hold_every_record_of_a_batch(tmp_path: Path) -> None:
    (batch, *_), exchange = ledger.batches(RECORDS, 1), bytes(16)
    ours = ledger.Ours(tmp_path)
    ours.accept(exchange)
    ours.take(exchange, batch, b"{}")
    with ours.database.read() as tx:
        leaves = b"".join(tx.segments(exchange.hex()))
    ours.database.close()
    assert len(leaves) == len(batch.lines) * STORED
    commitments = {leaves[at + 16 : at + 48] for at in range(0, len(leaves), STORED)}
    lean = list(ledger.LeanPeer(tmp_path).rows(exchange, batch))
    assert {row[2] for row in lean} == commitments
    peer = ledger.Peer(tmp_path)
    peer.take(exchange, batch)
    assert peer._c.execute("SELECT COUNT(*), COUNT(DISTINCT subject) FROM audit").fetchone() == (len(batch.lines), len(batch.lines))
    assert "USING COVERING INDEX" in str(peer._c.execute("EXPLAIN QUERY PLAN SELECT COUNT(*) FROM audit WHERE subject = 'x'").fetchall())
