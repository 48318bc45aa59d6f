"""What must hold after any fault, checked with the parties' own means: the ledger on disk, real clients over a restarted broker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broker.keys import LogKey
from broker.ledger import read_checkpoint
from broker.record import origin
from broker.store import Database
from tests.simulator import SIAPKERJA, SIJOKER, Province, Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from broker.store import ExchangeRow

DONE = ("recorded", "delivered", "receipted")
STORED = 55  # bytes of a leaf without what all leaves of an exchange share (docs/formats/leaf.md)


@dataclass(frozen=True)
class Ended:
    """How an order's child ended. killed: by SIGKILL. accepted: the exchanges it was told of, as by a 202. said: its last word, if it lived."""

    killed: bool
    accepted: tuple[str, ...]
    said: str


class Driver:
    """The program of driver.py, running; owns the process."""

    def __init__(self, province: Province, preloaded: Path | None = None) -> None:
        command = [sys.executable, "-m", "tests.faults.driver", str(province.home), str(province.parties)]
        environment = os.environ | ({} if preloaded is None else {"LD_PRELOAD": str(preloaded)})
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def order(self, town: Town, do: str, **order: Any) -> Ended:
        """Lets the driver work on the town's home; the town itself must be closed meanwhile."""
        self.begin(town, do, **order)
        return self.ended()

    def begin(self, town: Town, do: str, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "home": str(town.home), "now": town.now.isoformat(), **order}) + "\n")
        self._process.stdin.flush()

    def ended(self) -> Ended:
        """How the order begun last ended, once it has."""
        assert self._process.stdout is not None
        said: list[list[str]] = []
        while not said or said[-1][0] != "end":
            said.append(json.loads(self._process.stdout.readline()))
        status = int(said[-1][1])
        assert status in (0, 9), f"the driver's child failed: {status}"
        word = next((words[1] for words in said if words[0] == "said"), "")
        return Ended(status == 9, tuple(words[1] for words in said if words[0] == "accepted"), word)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass
class Aftermath:
    """A town after a fault. Remembers the logs it saw: they may only grow."""

    town: Town
    seen: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)  # exchange → lines the ministry opened and verified

    def submit(self, data: bytes, key: str, **asked: Any) -> tuple[str, str]:
        """A sealed submission as the sending client keeps it until it has an answer: (its path, its Idempotency-Key)."""
        path = self.home_of(SIJOKER) / "outgoing" / key
        path.write_bytes(self.town.submission(data, **asked))
        return str(path), key

    def home_of(self, system: str) -> Path:
        """A party's own home in this test, as the simulator makes it, without a broker to talk to."""
        home = self.town.folder / system
        if not home.exists():
            shutil.copytree(self.town.province.parties / system, home)
        return home

    def at_once(self) -> None:
        """Before any recovery: the logs are consistent, and what anyone could fetch is in them."""
        with closing(Database(self.town.home / "ledger.db")) as database:
            self.sound(database)

    def promised(self) -> set[str]:
        """Every exchange on disk."""
        with closing(Database(self.town.home / "ledger.db")) as database:
            return {row.id for row in self._rows(database)}

    def sound(self, database: Database) -> None:
        entry = self._record(database)
        for row in self._rows(database):
            if row.header is not None or row.state in DONE:
                assert entry(row) == row.manifest, "deliverable without its entry"
                self._whole(database, row)
        self._logs(database)

    def _whole(self, database: Database, row: ExchangeRow) -> None:
        """The envelope and the leaves that its manifest speaks of are there, to the byte."""
        assert row.manifest is not None
        manifest = json.loads(row.manifest)
        if row.header is not None:
            path = self.town.home / "outbox" / row.id
            assert path.exists(), "recorded without its envelope"
            assert sha256(row.header + path.read_bytes()).hexdigest() == manifest["envelope"]["sha256"], "another envelope than the one recorded"
        with database.read() as tx:
            rows = b"".join(tx.segments(row.id))
        leaves = [sha256(b"\0\1" + bytes.fromhex(row.id) + rows[at : at + STORED]).digest() for at in range(0, len(rows), STORED)]
        assert tree_root(leaves).hex() == manifest["records"]["root"], "other leaves than those recorded"

    def restart(self, *, resend: bool = True) -> None:
        """Starts the broker again, lets the sender send again what it has no answer to and the recipient fetch; then everything must hold."""
        self.town.reopen()
        app = self.town.app()
        for future in list(app.state.worker._running.values()):
            future.result(60)
        with self.town.http() as http:
            sender = self.town.client(SIJOKER, http)
            if resend:
                answers = sender.resend()
                assert all(a.state != "accepted" for a in answers)
                assert list((sender.home / "outgoing").iterdir()) == []
            recipient = self.town.client(SIAPKERJA, http)
            for item in recipient.receive():
                self.received[item.exchange] = item.verified.lines
        app.state.worker.close()
        self.holds()

    def holds(self) -> None:
        """Every exchange is fully there or refused, nothing lies about, and the logs hold."""
        folders, database = self.town.office.folders, self.town.office.ledger.database
        rows, entry = self._rows(database), self._record(database)
        self._logs(database)
        for row in rows:
            if row.state == "refused":
                self._is_refused(database, row, entry(row))
            else:
                assert row.state in DONE, f"{row.state} is half-done"
                assert row.id in self.received, "recorded, but the recipient cannot open it"
                assert entry(row) == row.manifest
                assert folders.outbox(row.id).exists()
        there = {row.id for row in rows if row.state in DONE}
        assert {p.name for p in (self.town.home / "outbox").iterdir()} == there
        assert list((self.town.home / "spool").iterdir()) == []
        assert list(folders.scratch.iterdir()) == []
        events = [json.loads(e) for log in self.town.office.rings for e in self._entries(database, log)]
        disclosed = [e["exchange"] for e in events if e["type"] == "sinergi/exchange/v1"]
        assert sorted(disclosed) == sorted(there), "an entry too few or too many"
        once = [e["submission"].get("sealed_sha256", e["exchange"]) for e in events if e["type"] == "sinergi/exchange/v1"]
        assert len(once) == len(set(once)), "one submission disclosed twice"

    def states(self) -> dict[str, str]:
        return {row.id: row.state for row in self._rows(self.town.office.ledger.database)}

    @staticmethod
    def _is_refused(database: Database, row: ExchangeRow, entry: bytes | None) -> None:
        assert entry is not None
        assert (json.loads(entry)["type"], json.loads(entry)["exchange"]) == ("sinergi/refusal/v1", row.id)
        assert row.header is None
        assert row.manifest is None
        with database.read() as tx:
            assert list(tx.segments(row.id)) == []

    def _logs(self, database: Database) -> None:
        """Signature and root of every log's checkpoint, and that the log contains the one seen before."""
        for log, ring in self.town.office.rings.items():
            with database.read() as tx:
                note, stored = tx.checkpoint(log), [leaf for _, leaf in tx.log_entries(log)]
            leaves = [sha256(b"\0" + e).digest() for e in self._entries(database, log)]
            assert stored == leaves
            if note is None:
                assert not leaves
                assert log not in self.seen
                continue
            checkpoint = read_checkpoint(note, origin(log), ring.get(LogKey, "log").public)
            assert (checkpoint.size, checkpoint.root) == (len(leaves), tree_root(leaves)), "the checkpoint is of another log"
            size, root = self.seen.get(log, (0, tree_root([])))
            assert size <= checkpoint.size, "the log shrank"
            assert tree_root(leaves[:size]) == root, "the log was rewritten"
            self.seen[log] = checkpoint.size, checkpoint.root

    def _record(self, database: Database) -> Callable[[ExchangeRow], bytes | None]:
        """Gives the entry a row points at, if exactly that one speaks of it as its record."""
        entries = {log: self._entries(database, log) for log in self.town.office.rings}
        own: dict[tuple[str, str], list[int]] = {}
        for log, all_of_it in entries.items():
            for n, entry in enumerate(all_of_it):
                value = json.loads(entry)
                if "exchange" in value and value["type"] != "sinergi/outcome/v1":
                    own.setdefault((log, value["exchange"]), []).append(n)

        def of(row: ExchangeRow) -> bytes | None:
            if row.log is None or row.entry is None:
                return None
            assert own.get((row.log, row.id)) == [row.entry], "not exactly one entry"
            return entries[row.log][row.entry]

        return of

    @staticmethod
    def _entries(database: Database, log: str) -> list[bytes]:
        with database.read() as tx:
            return list(tx.entries(log))

    @staticmethod
    def _rows(database: Database) -> list[ExchangeRow]:
        with database.read() as tx:
            return tx.exchanges_in("accepted", *DONE, "refused")


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 2.1, word for word: an oracle that shares no code with the product."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree_root(leaves[:k]) + tree_root(leaves[k:])).digest()


@contextmanager
def running(province: Province, preloaded: Path | None = None) -> Iterator[Driver]:
    driver = Driver(province, preloaded)
    try:
        yield driver
    finally:
        driver.close()
