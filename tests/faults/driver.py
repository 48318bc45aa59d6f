"""A broker that dies on command, as a program: one JSON order per line on standard input, one JSON answer per line.

It loads the policies once and forks a child for each order: the child opens the home as a fresh process does, takes a submission through the
door and the flow, and meets the ordered fault at a named point. The product is wrapped from outside and knows nothing of it.

    python -m tests.faults.driver HOME-OF-THE-PROVINCE ITS-PARTIES
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import hashlib
import json
import os
import resource
import signal
import sqlite3
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvicorn

import broker.exchange as flow
from broker import door, rotation, submission, upkeep
from broker.delivery import DurableWriter
from broker.envelope import sign_dsse
from broker.envelope.dsse import MANIFEST
from broker.epochmap import due, map_epoch
from broker.errors import LedgerError, Refusal
from broker.identity import sign_request
from broker.jcs import canonical
from broker.keys import ReceiptKey, RequestKey, Rings, open_ring
from broker.policy import Policy
from broker.record import Ledger
from broker.store import Database, Transaction, database
from broker.store.keyrings import KeyRings
from broker.store.vault import Vault
from broker.web.app import create_app
from broker.wiring import open_office
from tests.conftest import NOW
from tests.simulator import LONG, SIAPKERJA, SIJOKER, SYSTEMS, URL, Province, Town

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from broker.door import Caller
    from tests.faults.recording import Recording

PIECE: Final = 16 << 10  # bytes of a piece, and so of a chunk: a small file has several

# Where the flow can be stopped: (owner, function, before or after it, at which call counted from 1).
POINTS: Final[dict[str, tuple[Any, str, str, int]]] = {
    "request_arrived": (DurableWriter, "write", "before", 1),
    "spool_half_written": (DurableWriter, "write", "after", 2),
    "spool_durable": (door, "admit", "before", 1),
    "admit_before_commit": (Transaction, "add_exchange", "after", 1),
    "admitted": (door, "admit", "after", 1),
    "agreed": (flow, "agree", "after", 1),
    "planned": (Policy, "plan", "after", 1),
    "first_chunk_read": (flow, "treat_chunk", "before", 1),
    "first_chunk_treated": (flow, "treat_chunk", "after", 1),
    "second_chunk_in_outbox": (flow, "treat_chunk", "before", 3),
    "outbox_before_fsync": (DurableWriter, "commit", "before", 2),
    "outbox_durable": (Ledger, "record", "before", 1),
    "leaves_written": (Transaction, "add_segment", "after", 1),
    "entry_written": (Transaction, "add_entry", "after", 1),
    "checkpoint_written": (Transaction, "add_checkpoint", "after", 1),
    "outbox_row_written": (Transaction, "change_exchange", "after", 1),
    "recorded": (Ledger, "record", "after", 1),
    "record_committed": (Database, "write", "committed", 2),
    "refusal_begins": (flow, "refuse", "before", 1),
    "refusal_written": (Transaction, "change_exchange", "after", 1),
    "refusal_durable": (Database, "write", "committed", 2),
    "delivery_first_piece": (door, "_delivered", "yielded", 1),
    "delivery_before_commit": (Transaction, "change_exchange", "after", 1),
    "delivered": (Database, "write", "committed", 1),
    "receipt_before_commit": (Transaction, "add_receipt", "after", 1),
    "receipted": (Database, "write", "committed", 1),
    "ring_rotated": (rotation, "settle", "before", 1),
    "tags_half_written": (Vault, "_insert", "after", 1),
    "tags_written": (KeyRings, "note_vault_epoch", "after", 1),
    "tags_durable": (Database, "write", "committed", 1),
    "map_in_outbox": (DurableWriter, "write", "after", 1),
    "map_before_fsync": (DurableWriter, "commit", "before", 1),
}


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill(room: int = 0) -> None:
    """No file may grow beyond `room` bytes any more: what a full disk does, as EFBIG instead of ENOSPC."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))


def free() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def fail_commit() -> None:
    """The commit is on disk but reported as failed. SQLite leaves this behind when the fsync of its last frames fails: recovery reads them."""
    raise LedgerError("not durable: OperationalError")


FAULTS: Final[dict[str, Callable[[], None]]] = {"kill": kill, "fill": fill, "free": free, "fail_commit": fail_commit, "nothing": lambda: None}


def arm(point: str, fault: Callable[[], None]) -> None:
    """Wraps the point's function so that `fault` happens there, once."""
    owner, name, when, at = POINTS[point]
    plain, calls = getattr(owner, name), 0

    def due() -> bool:
        nonlocal calls
        calls += 1
        return calls == at

    def called(*args: Any, **kwargs: Any) -> Any:
        now = due()
        if now and when == "before":
            fault()
        result = plain(*args, **kwargs)
        if now and when == "after":
            fault()
        return result

    def yielding(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for item in plain(*args, **kwargs):
            yield item
            if due():
                fault()

    @contextmanager
    def committing(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with plain(*args, **kwargs) as value:
            yield value
        if due():
            fault()

    setattr(owner, name, {"yielded": yielding, "committed": committing}.get(when, called))


def failing_fsync(at: int) -> None:
    """The `at`-th fsync of this process, from 1, is an input/output error."""
    plain, calls = os.fsync, 0

    def fsync(fd: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        plain(fd)

    os.fsync = fsync


def release_before_record(meanwhile: Callable[[], None]) -> None:
    """The wrong order, to prove that the tests would see it: the recipient may fetch before the ledger has the entry."""
    plain = Ledger.record

    def record(ledger: Ledger, log: str, exchange: bytes, *args: Any, header: bytes, **kwargs: Any) -> Any:
        with ledger.writing() as book:
            book.tx.change_exchange(exchange.hex(), state="recorded", header=header, manifest=b"{}")
        meanwhile()
        return plain(ledger, log, exchange, *args, header=header, **kwargs)

    Ledger.record = record  # type: ignore[method-assign, assignment]


class Calls:
    """Counts this thread's calls of SQLite and of the system, and kills before the one at `at`; 0 for none."""

    def __init__(self, at: int) -> None:
        self.made, self._at = 0, at
        sys.setprofile(self._count)

    def _count(self, _frame: object, kind: str, called: Any) -> None:
        if kind == "c_call" and (called.__module__ == "posix" or isinstance(called.__self__, sqlite3.Connection | sqlite3.Cursor)):
            self.made += 1
            if self.made == self._at:
                kill()


class Hand:
    """One order's child: a freshly opened broker home, and the parties' keys to sign requests with."""

    def __init__(self, province: Province, order: dict[str, Any]) -> None:
        self.order, self.accepted = order, list[str]()
        self.recording: Recording | None = None
        self.town = Town.__new__(Town)
        self.town.province, self.town.now = province, datetime.fromisoformat(order["now"])
        self.town.home = Path(order["home"])
        self.town.enrolled, self.town.life = SYSTEMS, LONG  # of a home without a database
        self.town.rings = Rings(self.town.home / "secrets", province.office.rings)
        database._PRAGMAS.update(order.get("pragmas", {}))
        if "record" in order:
            from tests.faults.recording import record  # noqa: PLC0415 - apsw is needed here alone

            self.recording = record(self.town.home, fail=order.get("fail", 0))

    def prepare(self) -> None:
        """Opens the home, and lays the faults for what comes."""
        self.town.reopen()
        for point, fault in self.order.get("faults", []):
            arm(point, FAULTS[fault])
        if "room" in self.order:
            fill(self.order["room"])
        if "fsync" in self.order:
            failing_fsync(self.order["fsync"])
        if "sync" in self.order:
            ctypes.CDLL(None).sync_fail(*self.order["sync"])  # sync.c
        if self.order.get("wrong_order"):
            release_before_record(FAULTS[self.order["wrong_order"]])

    def caller(self, system: str, method: str, path: str, body: bytes | None = None, key: str = "") -> Caller:
        headers = {} if body is None else {"Content-Type": "application/octet-stream", "Idempotency-Key": key}
        digest = None if body is None else hashlib.sha256(body).digest()
        signed = sign_request(method, URL + path, headers, self.town.province.ring(system).get(RequestKey, "request"), self.town.now, digest)
        return door.authenticate(self.town.office, method, URL + path, signed, self.town.now, body=body is not None)

    def send(self, body: Path, key: str) -> str:
        """What POST /v1/exchanges and the worker do."""
        office, data = self.town.office, body.read_bytes()
        caller, name = self.caller(SIJOKER, "POST", "/v1/exchanges", data, key), flow.new_exchange_id()
        with DurableWriter(office.folders.spool(name)) as spool:
            for at in range(0, len(data), PIECE):
                spool.write(data[at : at + PIECE])
            sha256 = spool.commit()
        found, new = door.admit(office, caller, name, sha256, door.idempotency(caller, key), self.town.now)
        self.accepted.append(found)
        self.say("accepted", found)
        return self.take_through(found) if new else "known"

    def sends(self) -> Iterator[str]:
        yield from (self._word(partial(self.send, Path(body), key)) for body, key in self.order["bodies"])
        if "sync" in self.order:
            yield str(ctypes.CDLL(None).sync_made())

    def take_through(self, name: str) -> str:
        try:
            entry = flow.exchange(self.town.office, name, self.town.now, chunk_bytes=PIECE)
        except Refusal as refusal:
            self.say("refused", name)
            return refusal.reason
        self.say("recorded", name, entry.checkpoint)
        return "recorded"

    def fetch(self, name: str) -> str:
        caller = self.caller(SIAPKERJA, "GET", f"/v1/exchanges/{name}/envelope")
        door.spend_nonce(self.town.office, caller, self.town.now)
        self.arm_later()
        _, pieces = door.envelope(self.town.office, door.for_recipient(self.town.office, caller, name, self.town.now), caller, self.town.now)
        for _ in pieces:
            continue
        self.say("delivered", name)
        return "delivered"

    def receipt(self, name: str) -> str:
        caller = self.caller(SIAPKERJA, "GET", f"/v1/exchanges/{name}")
        manifest = self.town.row(name).manifest
        assert manifest is not None
        data = sign_dsse(MANIFEST, manifest, self.town.province.ring(SIAPKERJA).get(ReceiptKey, "receipt")).to_json()
        self.arm_later()
        door.take_receipt(self.town.office, caller, name, data, self.town.now)
        self.say("receipted", name)
        return "receipted"

    def serve(self) -> None:
        """The whole broker: its routes and its worker, on a socket of this machine."""
        app = create_app(self.town.office, URL, 64 << 20, lambda: self.town.now)
        uvicorn.run(app, uds=self.order["socket"], log_level="critical", access_log=False)

    def rotate(self) -> str:
        rotation.by_host(self.town.office, canonical({"act": "rotate", "ring": "nk-sijunjung-2025", "purpose": "vault"}), self.town.now)
        return "rotated"

    def map(self) -> str:
        """What the worker does each minute, with the rings as they are on disk: a root was rotated."""
        folder, office = self.town.home / "secrets", self.town.office
        rings = Rings(folder, {name: open_ring(folder / name) for name in office.rings})
        self.town.office = dataclasses.replace(office, rings=rings, ledger=Ledger(office.ledger.database, rings))
        for domain in due(self.town.office, self.town.now):
            map_epoch(self.town.office, domain, self.town.now)
        return "mapped"

    def arm_later(self) -> None:
        """Faults of the step itself: what comes before it makes the same calls."""
        for point, fault in self.order.get("then", []):
            arm(point, FAULTS[fault])

    def live(self) -> Iterator[str]:
        """A day of a broker: some sent, some of them fetched and receipted at once, more sent."""
        for name in upkeep.take_up(self.town.office, self.town.now):
            yield self._word(partial(self.take_through, name))
        for number, (body, key) in enumerate(self.order["bodies"]):
            yield self._word(partial(self.send, Path(body), key))
            if number % 2 == 0 and self.accepted and self.town.row(self.accepted[-1]).state == "recorded":
                yield self._word(partial(self.fetch, self.accepted[-1]))
                yield self._word(partial(self.receipt, self.accepted[-1]))

    def say(self, *words: str) -> None:
        if self.recording is not None:
            self.recording.told(words)
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()

    def _word(self, step: Callable[[], str]) -> str:
        try:
            return step()
        except (LedgerError, OSError) as error:
            return type(error).__name__

    def obey(self) -> str:
        try:
            self.prepare()
            if "call" in self.order:
                calls = Calls(self.order["call"])
                self._obeyed()
                return str(calls.made)
            return self._obeyed()
        except LedgerError as error:  # it does not start
            return type(error).__name__
        finally:
            if self.recording is not None:
                self.recording.save(Path(self.order["record"]))

    def _obeyed(self) -> str:
        match self.order["do"]:
            case "send":
                return ",".join(self.sends())
            case "live":
                return ",".join(self.live())
            case "serve":
                self.serve()
                return "served"
            case "start":
                return ",".join([self.take_through(name) for name in upkeep.take_up(self.town.office, self.town.now)])
            case "rotate":
                return self._word(self.rotate)
            case "map":
                return self._word(self.map)
            case "fetch":
                return self.fetch(self.order["exchange"])
            case "receipt":
                return self.receipt(self.order["exchange"])
        raise SystemExit(2)


def serve(province: Province) -> None:
    """Obeys orders until standard input ends. An order's own lines come first, then `["end", status, word]`."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if not child:
            hand = Hand(province, order)
            hand.say("said", hand.obey())
            os._exit(0)
        if "kill_after" in order:
            while "socket" in order and not os.path.exists(order["socket"]) and not os.waitpid(child, os.WNOHANG)[0]:  # noqa: PTH110 - a socket
                time.sleep(0.005)
            time.sleep(order["kill_after"])
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps(["end", str(status)]) + "\n")
        sys.stdout.flush()


def main() -> None:
    home, parties = map(Path, sys.argv[1:3])
    vars(submission)["PIECE"] = PIECE
    office = open_office(home, NOW)
    create_app(office, URL, 64 << 20, lambda: NOW).state.worker.close()  # the first one takes its time
    office.ledger.database.close()
    serve(Province(home, parties, office))


if __name__ == "__main__":
    main()
