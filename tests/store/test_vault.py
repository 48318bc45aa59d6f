"""The vault: one id per person and agreement, for ever, whatever the order and the size of the exchanges that name them."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from broker.errors import LedgerError
from broker.store import Database
from broker.store.vault import PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = (1, 1, 1, 3, PAGE, PAGE + 1, 2, 5 * PAGE, 1, 700, 3 * PAGE, 1, 1, 1, 1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with closing(Database(tmp_path / "ledger.db")) as database:
        yield database


def _ask(database: Database, agreement: str, tags: list[bytes], parts: int = 1) -> dict[bytes, bytes]:
    """The ids of `tags`, asked as an exchange asks: sorted, in ascending parts, in one transaction."""
    rows = np.frombuffer(b"".join(sorted(tags)), np.uint8).reshape(-1, 16)
    with database.write() as tx, tx.vault(agreement) as vault:
        ids = np.concatenate([vault.ids(part) for part in np.array_split(rows, parts)])
    return {tag.tobytes(): id_.tobytes() for tag, id_ in zip(rows, ids, strict=True)}


def _runs(database: Database) -> list[list[bytes]]:
    """The tags of every run, page after page, as stored."""
    runs: dict[int, list[bytes]] = {}
    with database.read() as tx:
        for run, people in tx._c.exec_driver_sql("SELECT run, people FROM vault ORDER BY run, page"):
            runs.setdefault(run, []).extend(people[i : i + 16] for i in range(0, len(people), 32))
    return list(runs.values())


def test_a_person_keeps_one_id_through_merges_and_pages(database: Database) -> None:
    draw = random.Random(7)
    known: dict[bytes, bytes] = {}
    # Tags that end or begin with zero bytes, and neighbours that differ in the last byte only.
    odd = [bytes(16), bytes(15) + b"\1", b"\1" + bytes(15), b"\1" + bytes(14) + b"\1", b"\xff" * 16]
    for size in SIZES:
        tags = {*draw.sample(sorted(known), min(len(known), size // 3)), *(draw.randbytes(16) for _ in range(size)), *draw.sample(odd, 2)}
        found = _ask(database, "nk", list(tags), parts=draw.choice((1, 3, 64)))
        assert all(known.setdefault(tag, id_) == id_ for tag, id_ in found.items())
    assert len(set(known.values())) == len(known), "two people share an id"
    runs = _runs(database)
    assert sorted(tag for run in runs for tag in run) == sorted(known), "a person is stored twice, or lost"
    assert all(run == sorted(run) for run in runs)
    assert len(runs) < len(SIZES) / 2, "small runs are merged"
    assert _ask(database, "nk", list(known)) == known


def test_the_same_tag_is_another_person_in_another_agreement(database: Database) -> None:
    tag = b"\7" * 16
    assert _ask(database, "nk-a", [tag]) != _ask(database, "nk-b", [tag])


def test_a_transaction_that_fails_leaves_nobody_behind(database: Database) -> None:
    _ask(database, "nk", [b"\1" * 16])
    before = _runs(database)
    with pytest.raises(LedgerError):
        _fail(database)
    assert _runs(database) == before


def _fail(database: Database) -> None:
    with database.write() as tx, tx.vault("nk") as vault:
        vault.ids(np.frombuffer(b"\2" * 16, np.uint8).reshape(-1, 16))
        tx.add_checkpoint("log", 1, "x")
        tx.add_checkpoint("log", 1, "x")  # the same key twice
