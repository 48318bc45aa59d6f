"""The bench `ledger`: the ledger's own work beside one indexed SQL row per record; proofs; a person among 10 million leaves. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import hmac
import json
import os
import random
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from broker.audit.subject import look
from broker.envelope.dsse import MANIFEST, sign_dsse
from broker.jcs import canonical
from broker.keys import ReceiptKey, SecretKey, create_ring, derive, new_key_file, ref_key
from broker.keys.cmac import column_cmac, ecb
from broker.ledger import LogTree, verify_consistency, verify_inclusion
from broker.ledger.leaves import BLOCK, STORED, LeafGatherer
from broker.ledger.openings import Block, StoredTree, verify_placed, verify_presence
from broker.model import utc_text
from broker.record import Ledger
from broker.rows import Salts, commitments_to
from broker.store import Database, SubjectRequest
from broker.store.database import _PRAGMAS
from broker.wiring import open_office
from scripts.benchmarks import policy, world
from scripts.benchmarks.usage import cpu_seconds, peak_mb, reference_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from broker.office import Office
    from broker.record import Book

NOW: Final = policy.NOW
AGREEMENT: Final = "nk-sijunjung-2025"
LINE: Final = 1_238  # bytes of a released line of pencari_kerja, on average
TENTHS: Final = 10
LARGEST: Final = 100_000  # records of an exchange
CHUNK: Final = 16_384  # rows at a time, as the exchange hands them over
PROOFS: Final = 2_000
FULL: Final = 10_000_000
HEADER: Final = bytes(3_000)  # of an envelope: the outbox row
KEY: Final = bytes(32)


def main(arguments: list[str]) -> int:
    asked = _arguments(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=asked.cache) as work:
        result = measure(Path(work), asked)
    if asked.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        show(result)
    return 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench ledger", description="The ledger beside one SQL row per record; proofs; subject search. See docs/benchmarks.md.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} records instead of a million: ten times as long")
    parser.add_argument("--records", type=int, default=1_000_000, help="in exchanges of a tenth, of 100,000 at most")
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the log whose proofs are timed, and leaves of the exchange")
    parser.add_argument("--exchanges", type=int, default=1_000, help="that a person is searched in, each with --leaves")
    parser.add_argument("--leaves", type=int, default=10_000)
    parser.add_argument("--searches", type=int, default=15, help="persons searched; the median counts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder for the databases, deleted afterwards; by default the system's for temporary files")
    asked = parser.parse_args(arguments)
    asked.records = FULL if asked.full else asked.records
    return asked


def measure(work: Path, asked: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {"bench": "ledger", "seed": asked.seed, "records": asked.records, "line_bytes": LINE}
    result |= _recorded(work, asked.records, asked.seed)
    result |= _proofs(asked.entries, asked.seed)
    result |= _searches(work, asked)
    return result | {"peak_rss_mb": round(peak_mb(), 1), "reference_sha256_us": round(reference_us(), 3)}


# --- recording
@dataclass(frozen=True, slots=True)
class Batch:
    """One exchange's rows: each person's 16 digits, and the line released about them."""

    people: pl.Series
    lines: list[bytes]


def batches(records: int, seed: int) -> Iterator[Batch]:
    """TENTHS exchanges, or of at most LARGEST records; each of different people, drawn from half as many as there are records in all."""
    size = min(LARGEST, max(1, records // TENTHS))
    pool = max(size, records // 2)
    dice = np.random.default_rng(seed)
    start, end = b'{"nik":"', b'","sisa":"'
    rest = end + b"x" * (LINE - len(start + end) - 16 - 3) + b'"}\n'
    for _ in range(records // size):
        digits = [_digits(n) for n in dice.choice(pool, size, replace=False).tolist()]
        yield Batch(pl.Series(digits), [start + text.encode() + rest for text in digits])


def _digits(person: int) -> str:
    """16 digits of nobody: no province has the code 00."""
    return f"{person // 999:012d}{9001 + person % 999}"


def _treated(batch: Batch, exchange: bytes) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Tags and commitments, chunk by chunk, as the exchange makes them: what both sides pay for alike."""
    salts = Salts(derive(KEY, "salt", exchange))
    for start in range(0, len(batch.lines), CHUNK):
        lines = batch.lines[start : start + CHUNK]
        yield column_cmac(KEY, batch.people[start : start + CHUNK]), commitments_to(salts.next(len(lines)), lines)


class Ours:
    """An empty ledger on disk that takes whole exchanges."""

    def __init__(self, work: Path) -> None:
        self._work, self._path = work, work / "ledger.db"
        self.database = Database(self._path)
        ring = create_ring(work / "rings" / AGREEMENT, ("log", "vault"), NOW, lambda _name, _new: new_key_file())
        self._ledger = Ledger(self.database, {AGREEMENT: ring})
        self._receipts = ReceiptKey(KEY)
        self._empty = self._bytes()

    def accept(self, exchange: bytes) -> None:
        """The door's row, which is no work of the ledger's."""
        words = dict.fromkeys(("sender", "recipient", "agreement", "dataset", "purpose", "accepted", "changed", "submission_sha256"), "-")
        with self._ledger.writing() as book:
            book.tx.add_exchange(id=exchange.hex(), state="accepted", idempotency=exchange.hex(), **words)

    def take(self, exchange: bytes, batch: Batch, manifest: bytes) -> None:
        leaves = LeafGatherer(exchange, derive(KEY, "ref", exchange), self._work)
        at = 0
        for tags, commitments in _treated(batch, exchange):
            n = len(tags)
            leaves.add(tags, np.ones(n, np.bool_), commitments, np.zeros(n, np.uint16), np.zeros(n, np.uint8), np.arange(at, at + n, dtype=np.uint32))
            at += n
        self._ledger.record(
            AGREEMENT, exchange, leaves, lambda _tree, _tx: manifest, NOW, sign=lambda entry: sign_dsse(MANIFEST, entry, self._receipts).to_json(), header=HEADER, report=lambda: "{}", secret=os.urandom(32), epoch=1,
        )  # fmt: skip
        leaves.close()

    def _bytes(self) -> int:
        with sqlite3.connect(self._path) as c:
            c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self._path.stat().st_size

    def grown(self) -> tuple[int, int | None]:
        """Bytes that the database file grew by; and without the vault and the pages that it left free, or None if this SQLite has no dbstat."""
        total = self._bytes() - self._empty
        with sqlite3.connect(self._path) as c:
            try:
                (vault,) = c.execute("SELECT SUM(pgsize) FROM dbstat WHERE name LIKE '%vault%'").fetchone()
            except sqlite3.OperationalError:
                return total, None
            (free,) = c.execute("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size").fetchone()
        return total, total - vault - free


class Peer:
    """What one would build instead: a row per record with an index on the subject, one transaction per exchange, as durable as ours.

    Each row says for itself who got what, for what and when: the audit row of the peers of the bench `exchange`, and a digest of the line.
    """

    table = "exchange TEXT, row INTEGER, subject TEXT, recipient TEXT, purpose TEXT, at TEXT, digest BLOB"

    def __init__(self, work: Path) -> None:
        self.path = work / f"{type(self).__name__.lower()}.db"
        self._c = sqlite3.connect(self.path, isolation_level=None)
        for pragma, value in _PRAGMAS.items():
            self._c.execute(f"PRAGMA {pragma}={value}")
        self._c.execute(f"CREATE TABLE audit ({self.table})")
        self._c.execute("CREATE INDEX audit_subject ON audit (subject)")

    def take(self, exchange: bytes, batch: Batch) -> None:
        marks = ", ".join("?" * len(self.table.split(",")))
        self._c.execute("BEGIN IMMEDIATE")
        self._c.executemany(f"INSERT INTO audit VALUES ({marks})", self.rows(exchange, batch))  # noqa: S608 - our own words
        self._c.execute("COMMIT")

    def rows(self, exchange: bytes, batch: Batch) -> Iterable[tuple[object, ...]]:
        name = exchange.hex()
        for row, (person, line) in enumerate(zip(batch.people.to_list(), batch.lines, strict=True)):
            yield name, row, hmac.digest(KEY, person.encode(), "sha256").hex(), "siapkerja@kemnaker", "perencanaan", "2026-11-21T03:00:00Z", sha256(line).digest()

    def close(self) -> int:
        """The bytes of its file."""
        self._c.close()
        return self.path.stat().st_size


class LeanPeer(Peer):
    """The same with no word more than our leaf has, and with our own quick tags and commitments: what remains is SQLite."""

    table = "exchange BLOB, subject BLOB, commitment BLOB, profile INTEGER, outcome INTEGER, row INTEGER"

    def rows(self, exchange: bytes, batch: Batch) -> Iterable[tuple[object, ...]]:
        at = 0
        for tags, commitments in _treated(batch, exchange):
            subjects, digests = tags.tobytes(), commitments.tobytes()
            for i in range(len(tags)):
                yield exchange, subjects[16 * i : 16 * i + 16], digests[32 * i : 32 * i + 32], 0, 0, at + i
            at += len(tags)


@dataclass(slots=True)
class Spent:
    """CPU seconds of the process, all threads, and wall seconds; `run` adds."""

    cpu: float = 0.0
    wall: float = 0.0

    def run(self, work: Callable[[], object]) -> None:
        cpu, wall = cpu_seconds(), time.perf_counter()
        work()
        self.cpu += cpu_seconds() - cpu
        self.wall += time.perf_counter() - wall


def _recorded(work: Path, records: int, seed: int) -> dict[str, Any]:
    """All sides take the same exchanges by turns, so that a busy machine is busy for each."""
    ours, peers = Ours(work), (Peer(work), LeanPeer(work))
    spent, *theirs = sides = [Spent(), Spent(), Spent()]
    shipped = policy.shipped()
    manifests = policy.manifests(shipped, shipped.compiled(shipped.rules), seed)
    dice, done = random.Random(seed), 0
    ratios: list[tuple[int, float]] = []
    for number, batch in enumerate(batches(records, seed)):
        exchange, (manifest, _) = dice.randbytes(16), next(manifests)
        ours.accept(exchange)
        takes = [partial(ours.take, exchange, batch, manifest), *(partial(peer.take, exchange, batch) for peer in peers)]
        for side, take in list(zip(sides, takes, strict=True))[:: -1 if number % 2 else 1]:
            side.run(take)
        done += len(batch.lines)
        if done * TENTHS // records > len(ratios):
            ratios.append((done, round(theirs[0].cpu / spent.cpu, 2)))
    total, apart = ours.grown()
    ours.database.close()
    sizes = [peer.close() for peer in peers]
    for left in work.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()
    result: dict[str, Any] = {
        "exchanges": number + 1,
        "records_per_s_core": round(done / spent.cpu),
        "records_per_s_wall": round(done / spent.wall),
        "bytes_per_record": None if apart is None else round(apart / done, 1),
        "bytes_per_record_with_vault": round(total / done, 1),
    }
    for name, side, size in zip(("peer", "peer_lean"), theirs, sizes, strict=True):
        result |= {f"{name}_records_per_s": round(done / side.cpu), f"{name}_records_per_s_wall": round(done / side.wall), f"{name}_bytes_per_record": round(size / done, 1)}
    return result | {"ratio": round(theirs[0].cpu / spent.cpu, 2), "ratio_lean": round(theirs[1].cpu / spent.cpu, 2), "ratio_by_records": ratios}


# --- proofs
def _proofs(entries: int, seed: int) -> dict[str, Any]:
    """CPU microseconds, the mean of PROOFS random ones: in a log of `entries`, and in one exchange of as many leaves."""
    dice = random.Random(seed)
    hashes = [dice.randbytes(32) for _ in range(entries)]
    tree = LogTree(hashes)
    root, places = tree.root(), [dice.randrange(entries) for _ in range(min(PROOFS, entries))]
    proofs, making = _timed(lambda at: tree.inclusion(at, entries), places)
    _, checking = _timed(lambda n: verify_inclusion(places[n], entries, hashes[places[n]], proofs[n], root), range(len(places)))
    sizes = [max(1, at) for at in places]
    joins, joining = _timed(lambda old: tree.consistency(old, entries), sizes)
    roots = [tree.root(old) for old in sizes]
    _, comparing = _timed(lambda n: verify_consistency(sizes[n], entries, roots[n], root, joins[n]), range(len(places)))
    result = {"inclusion_us": making, "verify_us": checking, "consistency_us": joining, "verify_consistency_us": comparing}
    return {"entries": entries} | result | _openings(entries, dice)


def _openings(leaves: int, dice: random.Random) -> dict[str, Any]:
    """The same for leaves of an exchange as stored, hashing their tiles; and for the absence of people it does not name."""
    exchange, drawn = dice.randbytes(16), np.random.default_rng(dice.randrange(1 << 32))
    gatherer = LeafGatherer(exchange, KEY, Path(tempfile.gettempdir()))
    for start in range(0, leaves, CHUNK):
        n = min(CHUNK, leaves - start)
        tags, digests = (drawn.integers(0, 256, (n, width), dtype=np.uint8) for width in (16, 32))
        gatherer.add(tags, np.zeros(n, np.bool_), digests, np.zeros(n, np.uint16), np.zeros(n, np.uint8), np.arange(start, start + n, dtype=np.uint32))
    blocks = [Block(s.high, s.tiles, partial(bytes, s.rows)) for s in gatherer.segments(lambda tags: tags)]
    gatherer.close()
    assert gatherer.tree is not None
    tree, root = StoredTree(exchange, leaves, blocks), gatherer.tree.root
    placed, placing = _timed(tree.placed, [dice.randrange(leaves) for _ in range(PROOFS // 10)])
    _, checking = _timed(lambda one: verify_placed(exchange, leaves, root, one), placed)
    refs = [dice.randbytes(16) for _ in range(PROOFS // 10)]
    absent, showing = _timed(tree.presence, refs)
    _, judging = _timed(lambda n: verify_presence(exchange, refs[n], leaves, root, absent[n]), range(len(refs)))
    return {"exchange_inclusion_us": placing, "exchange_verify_us": checking, "absence_us": showing, "verify_absence_us": judging}


def _timed(work: Callable[[Any], Any], over: Sequence[Any]) -> tuple[list[Any], float]:
    """What `work` gave for each, and its mean CPU microseconds in the best of three rounds."""
    times = []
    for _ in range(3):
        start = time.process_time()
        found = [work(one) for one in over]
        times.append(time.process_time() - start)
    return found, round(min(times) / len(found) * 1e6, 1)


# --- search
def _searches(work: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Wall milliseconds of what a search by subject does between being asked and being recorded: one person, every exchange of an agreement."""
    world.found(work)
    office = open_office(work / "broker", NOW)
    named = filled(office, asked)
    office.ledger.database.close()
    office = open_office(work / "broker", NOW)  # the first search finds nothing of the database in this process
    day, at = policy.TODAY.isoformat(), utc_text(NOW)
    row = SubjectRequest("-", AGREEMENT, "-", at, day, day, 1, "-", proofs=False, state="approved", approver=None, until=at, sealed=None)
    times, hits = [], 0
    for person in random.Random(asked.seed).sample(range(10 * asked.leaves), asked.searches):
        start = time.perf_counter()
        (found,) = look(office, row, [_digits(person)], NOW).subjects
        times.append(1000 * (time.perf_counter() - start))
        wanted = {exchange for exchange, people in named.items() if person in people}
        if {one.exchange for one in found.disclosures} != wanted or found.without != asked.exchanges - len(wanted):
            raise AssertionError("the search finds other exchanges than those that name the person")
        hits += len(wanted)
    office.ledger.database.close()
    records = asked.exchanges * asked.leaves
    return {
        "search_records": records,
        "search_exchanges": asked.exchanges,
        "search_hits_mean": round(hits / len(times), 1),
        "subject_search_ms_10m" if records == FULL else "subject_search_ms": round(median(times), 1),
        "subject_search_first_ms": round(times[0], 1),
        "subject_search_worst_ms": round(max(times), 1),
    }


def filled(
    office: Office, asked: argparse.Namespace, said: Callable[[int], dict[str, Any]] = lambda _: {}, after: Callable[[Book, int, bytes], None] | None = None
) -> dict[str, NDArray[np.int64]]:  # fmt: skip
    """Exchange → the numbers of the people that it names: of ten times as many, so that each is in a tenth of the exchanges.

    Secrets, manifests and sorted segments as the ledger keeps them; of a leaf only the reference is real, and no tree is made.
    said: what the manifest of exchange n has in place of the usual. after: what else is written with it.
    """
    dice, ring = np.random.default_rng(asked.seed), office.rings[AGREEMENT]
    root, vault_key = (ring.get(SecretKey, purpose).seed for purpose in ("root", "vault"))
    tags = column_cmac(derive(vault_key, "tag", AGREEMENT.encode()), pl.Series([_digits(n) for n in range(10 * asked.leaves)]))
    order = np.argsort(tags.view("S16").reshape(-1))
    ids = np.empty_like(tags)
    with office.ledger.writing() as book, book.tx.vault(AGREEMENT) as vault:
        ids[order] = vault.ids(tags[order])
    shipped = policy.shipped()
    made = policy.manifests(shipped, shipped.compiled(shipped.rules), asked.seed)
    manifest: dict[str, Any] = next(m for m in (json.loads(entry) for entry, _ in made) if m["agreement"]["id"] == AGREEMENT)
    named = {}
    for n in range(asked.exchanges):
        name, secret = dice.bytes(16), dice.bytes(32)
        key = ref_key({1: root}, name, secret)
        assert key is not None
        people = named[name.hex()] = dice.choice(len(tags), asked.leaves, replace=False)
        rows = dice.integers(0, 256, (asked.leaves, STORED), dtype=np.uint8)
        refs = ecb(key, ids[people])
        rows[:, :16] = refs[np.argsort(refs.view("S16").reshape(-1))]
        rows[:, 48:51] = 0  # the first profile, released
        with office.ledger.writing() as book:
            book.tx.kept.add_secret(name.hex(), AGREEMENT, secret)
            for number, block in enumerate(rows[at : at + BLOCK] for at in range(0, asked.leaves, BLOCK)):
                book.tx.add_segment(name.hex(), number, block[0, :16].tobytes(), block[-1, :16].tobytes(), block.tobytes(), bytes(-(-len(block) // 256) * 32))
            entry = canonical(manifest | {"exchange": name.hex(), "records": manifest["records"] | {"leaves": asked.leaves}} | said(n))
            book.append(AGREEMENT, entry)
            if after is not None:
                after(book, n, entry)
    return named


def show(result: dict[str, Any]) -> None:
    table = Table("figure", "value", title="ledger")
    for name, value in result.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    Console(highlight=False).print(table)
