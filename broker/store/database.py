"""SQLite behind SQLAlchemy Core: one writer, WAL, synchronous=FULL (read back: anything less loses acknowledged commits in a power cut).

A transaction is BEGIN IMMEDIATE … COMMIT; what it wrote is durable when `with database.write()` ends, or it never happened.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from math import isqrt
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from broker.errors import LedgerError
from broker.model import MAP
from broker.store.audit import Audit
from broker.store.exports import Exports
from broker.store.kept import Kept
from broker.store.keyrings import KeyRings
from broker.store.peers import Peers
from broker.store.people import People
from broker.store.reidentify import Identities
from broker.store.sendings import Sendings
from broker.store.tables import EXCHANGE, LOG_CHECKPOINT, LOG_ENTRY, NONCE, RECEIPT, SCHEMA, SEGMENT, TABLES, ExchangeRow
from broker.store.vault import Vault
from broker.store.versions import Versions
from broker.store.views import Views
from broker.store.witness import Cosignatures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_PRAGMAS: Final = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "temp_store": 2, "secure_delete": 1}
_FIELDS: Final = tuple(ExchangeRow.__dataclass_fields__)
LEAF: Final = 55  # bytes of a stored leaf, its ref first (docs/formats/leaf.md)
_REF: Final = 16
_FEW: Final = 64  # refs looked for in one segment: more of them and reading it whole is cheaper
_MAPPED: Final = 0x7FFF0000  # the most that SQLite maps; pages beyond are read


def _connect(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # transactions are ours to begin
    for pragma, wanted in _PRAGMAS.items():
        connection.execute(f"PRAGMA {pragma}={wanted}")
        (got,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if got != wanted:
            raise LedgerError(f"SQLite will not keep {pragma}={wanted}")
    connection.execute("PRAGMA busy_timeout=60000")


def _map(connection: sqlite3.Connection, _: object) -> None:
    connection.execute(f"PRAGMA mmap_size={_MAPPED}")
    connection.execute("PRAGMA query_only=1")


def _schema(c: Connection) -> str | None:
    """The number of the database's schema; None of one that has no tables yet."""
    if c.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'meta'").first() is None:
        return None
    found: str | None = c.execute(text("SELECT value FROM meta WHERE key = 'schema'")).scalar()
    return found


def _sync_folder(folder: Path) -> None:
    """Makes the names of the database and its log durable, once per opening: SQLite syncs the folder too, but ignores an error of that sync."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Database:
    """A broker's durable state. Owns an engine; `close` releases it."""

    def __init__(self, path: Path) -> None:
        self._engine: Engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, hide_parameters=True)
        event.listen(self._engine, "connect", _connect)
        self._mapped: Engine = create_engine(self._engine.url, connect_args={"check_same_thread": False}, hide_parameters=True, pool_size=1)
        event.listen(self._mapped, "connect", _connect)
        event.listen(self._mapped, "connect", _map)
        self._writing = threading.Lock()
        self._path, self._looking = path, threading.Lock()
        self._looks: sqlite3.Connection | None = None
        try:
            with self._engine.connect() as c:
                c.exec_driver_sql("PRAGMA user_version").one()  # the first read makes the log's file
            _sync_folder(path.parent)
            self._prepare()
        except DBAPIError as error:
            raise LedgerError(f"the ledger cannot be opened: {type(error.orig).__name__}") from None
        except OSError as error:
            raise LedgerError(f"the ledger's folder cannot be made durable: {type(error).__name__}") from None

    def _prepare(self) -> None:
        """Makes the tables of a new or an earlier database, all or none: one transaction, and so one wait for the disk."""
        with self._engine.connect() as c:
            if _schema(c) == str(SCHEMA):
                return
            c.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                found = _schema(c)  # another process may have been quicker
                if found not in (None, "2", "3", "4", "5", "6", str(SCHEMA)):  # later schemas only added tables
                    raise LedgerError(f"the ledger has schema {found}, this broker knows {SCHEMA}")
                TABLES.create_all(c)
                c.execute(text("INSERT OR REPLACE INTO meta (key, value) VALUES ('schema', :v)"), {"v": str(SCHEMA)})
                c.exec_driver_sql("COMMIT")
            except BaseException:
                c.connection.rollback()
                raise

    def look(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """The rows of a small query as they are committed now, in microseconds: for what every request asks. LedgerError if it cannot be read.

        Its connection is its own, without SQLAlchemy, and between two looks holds no view of an earlier moment.
        """
        try:
            with self._looking:
                if self._looks is None:
                    self._looks = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False, timeout=60, isolation_level=None)
                return self._looks.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise LedgerError(f"not readable: {type(error).__name__}") from None

    def close(self) -> None:
        with self._looking:
            if self._looks is not None:
                self._looks.close()
                self._looks = None
        self._mapped.dispose()
        self._engine.dispose()

    def truncate(self) -> bool:
        """Empties the write-ahead log: what was deleted is then in no file. False while a reader keeps its view of an earlier moment."""
        try:
            with self._engine.connect() as c:
                busy: int = c.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise LedgerError(f"not durable: {type(error).__name__}") from None
        return not busy

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """One durable transaction; LedgerError if it cannot be made durable (a full or failing disk), and then nothing of it remains."""
        with self._writing:
            try:
                with self._engine.connect() as c:
                    c.exec_driver_sql("BEGIN IMMEDIATE")
                    try:
                        yield Transaction(c)
                        c.exec_driver_sql("COMMIT")
                    except BaseException:
                        c.connection.rollback()
                        raise
            except (SQLAlchemyError, sqlite3.Error) as error:
                raise LedgerError(f"not durable: {type(error).__name__}") from None

    @contextmanager
    def read(self, *, mapped: bool = False) -> Iterator[Transaction]:
        """A read-only view of one moment. LedgerError if the database cannot be read.

        mapped: for looking into many blobs, chains of pages that are walked six times as fast in a map of the file as by reading them. A
        failing disk is then a signal that ends the process, not an error: so the connections that write have no map.
        """
        try:
            with (self._mapped if mapped else self._engine).connect() as c:
                c.exec_driver_sql("BEGIN")
                try:
                    yield Transaction(c)
                finally:
                    c.connection.rollback()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise LedgerError(f"not readable: {type(error).__name__}") from None


class Transaction:
    """What can be asked and written inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    # exchanges
    def add_exchange(self, **values: str) -> None:
        self._c.execute(EXCHANGE.insert(), values)

    def change_exchange(self, exchange: str, **values: object) -> None:
        self._c.execute(EXCHANGE.update().where(EXCHANGE.c.id == exchange).values(**values))

    def exchange(self, exchange: str) -> ExchangeRow | None:
        return next(iter(self._exchanges("id = :v", v=exchange)), None)

    def exchange_by_idempotency(self, key: str) -> ExchangeRow | None:
        return next(iter(self._exchanges("idempotency = :v", v=key)), None)

    def exchanges_in(self, *states: str) -> list[ExchangeRow]:
        return [row for state in states for row in self._exchanges("state = :v ORDER BY accepted, id", v=state)]

    def exchanges_since(self, agreements: Sequence[str], since: str) -> list[tuple[datetime, str]]:
        """When each exchange of the agreements was accepted, and its state now."""
        rows = self._c.execute(text("SELECT agreement, accepted, state FROM exchange WHERE accepted >= :s"), {"s": since})
        return [(datetime.fromisoformat(accepted), state) for agreement, accepted, state in rows if agreement in agreements]

    def exchanges_waiting(self, system: str, since: str) -> tuple[int, int, int, int]:
        """How many wait to be fetched by the system, were fetched by it without a receipt, were fetched from it without one, and of its own were refused since then."""
        query = (
            "SELECT SUM(recipient = :s AND state = 'recorded'), SUM(recipient = :s AND state = 'delivered'), SUM(sender = :s AND state = 'delivered'),"
            " SUM(sender = :s AND state = 'refused' AND changed >= :t) FROM exchange WHERE sender = :s OR recipient = :s"
        )
        one, two, three, four = self._c.execute(text(query), {"s": system, "t": since}).one()
        return int(one or 0), int(two or 0), int(three or 0), int(four or 0)

    def refusals_since(self, agreement: str, since: str, systems: tuple[str, ...] = ()) -> list[tuple[str, int]]:
        """The latest problem of each reason and clause among an agreement's refused exchanges, and how many there are. systems: only of those that one of them sent or would have received."""
        query = (
            "SELECT problem, COUNT(*), MAX(changed) FROM exchange WHERE state = 'refused' AND agreement = :a AND changed >= :t"
            " AND (:all OR sender IN (SELECT value FROM json_each(:s)) OR recipient IN (SELECT value FROM json_each(:s)))"
            " GROUP BY json_extract(problem, '$.reason'), json_extract(problem, '$.pasal')"
        )
        rows = self._c.execute(text(query), {"a": agreement, "t": since, "all": not systems, "s": json.dumps(systems)})
        return [(problem, int(n)) for problem, n, _ in rows]

    def inbox(self, recipient: str) -> list[ExchangeRow]:
        return self._exchanges("recipient = :v AND state IN ('recorded', 'delivered') ORDER BY accepted, id", v=recipient)

    def sent(self, sender: str, limit: int, skip: int = 0) -> list[ExchangeRow]:
        """Without the maps that the broker made."""
        return self._exchanges("sender = :v AND dataset != :m ORDER BY accepted DESC, id LIMIT :n OFFSET :s", v=sender, m=MAP, n=limit, s=skip)

    def sent_in(self, flows: Sequence[tuple[str, str]], limit: int, skip: int) -> tuple[list[ExchangeRow], int]:
        """What systems sent in agreements, newest first, without the maps that the broker made; and how many there are. flows: (agreement, system)."""
        return self._flows("sender", "dataset != :m", flows, limit, skip, m=MAP)

    def arrived_in(self, flows: Sequence[tuple[str, str]], limit: int, skip: int) -> tuple[list[ExchangeRow], int]:
        """What was released for systems in agreements, fetched or not, newest first; and how many there are. flows: (agreement, system)."""
        return self._flows("recipient", "state IN ('recorded', 'delivered', 'receipted')", flows, limit, skip)

    def _flows(self, side: str, only: str, flows: Sequence[tuple[str, str]], limit: int, skip: int, **values: object) -> tuple[list[ExchangeRow], int]:
        own = " OR ".join(f"(agreement = :a{i} AND {side} = :v{i})" for i in range(len(flows))) or "1 = 0"
        values |= {f"a{i}": agreement for i, (agreement, _) in enumerate(flows)} | {f"v{i}": system for i, (_, system) in enumerate(flows)}
        total: Any = self._c.execute(text(f"SELECT COUNT(*) FROM exchange WHERE ({own}) AND {only}"), values).scalar()  # noqa: S608 - our own words
        return self._exchanges(f"({own}) AND {only} ORDER BY accepted DESC, id LIMIT :n OFFSET :s", **values, n=limit, s=skip), int(total)

    def received(self, recipient: str, limit: int) -> list[ExchangeRow]:
        """What its client fetched, the latest first."""
        return self._exchanges("recipient = :v AND state IN ('delivered', 'receipted') ORDER BY accepted DESC, id LIMIT :n", v=recipient, n=limit)

    def _exchanges(self, where: str, **values: object) -> list[ExchangeRow]:
        rows = self._c.execute(text(f"SELECT {', '.join(_FIELDS)} FROM exchange WHERE {where}"), values)  # noqa: S608 - our own words
        return [ExchangeRow(*row) for row in rows]

    # requests
    def use_nonce(self, kid: str, nonce: str, now: int, until: int) -> bool:
        """Whether this nonce was unused; marks it used. Expired ones are forgotten on the way."""
        self._c.execute(text("DELETE FROM nonce WHERE until < :now"), {"now": now})
        if self._c.execute(text("SELECT 1 FROM nonce WHERE kid = :k AND nonce = :n"), {"k": kid, "n": nonce}).first():
            return False
        self._c.execute(NONCE.insert(), {"kid": kid, "nonce": nonce, "until": until})
        return True

    def count_refusal(self, minute: str, reason: str) -> None:
        self._c.execute(
            text("INSERT INTO refusedatdoor (minute, reason, count) VALUES (:m, :r, 1) ON CONFLICT (minute, reason) DO UPDATE SET count = count + 1"),
            {"m": minute, "r": reason},
        )

    def refused_at_door(self) -> dict[str, int]:
        rows = self._c.execute(text("SELECT reason, SUM(count) FROM refusedatdoor GROUP BY reason"))
        return {reason: int(count) for reason, count in rows}

    @property
    def sendings(self) -> Sendings:
        return Sendings(self._c)

    @property
    def versions(self) -> Versions:
        return Versions(self._c)

    @property
    def exports(self) -> Exports:
        return Exports(self._c)

    @property
    def audit(self) -> Audit:
        return Audit(self._c)

    @property
    def views(self) -> Views:
        return Views(self._c)

    @property
    def cosignatures(self) -> Cosignatures:
        return Cosignatures(self._c)

    @property
    def people(self) -> People:
        return People(self._c)

    @property
    def identities(self) -> Identities:
        return Identities(self._c)

    @property
    def keyrings(self) -> KeyRings:
        return KeyRings(self._c)

    @property
    def peers(self) -> Peers:
        return Peers(self._c)

    @property
    def kept(self) -> Kept:
        return Kept(self._c)

    @property
    def _driver(self) -> sqlite3.Connection:
        """What lies below SQLAlchemy, which would make an object of every row."""
        connection = self._c.connection.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return connection

    def vault(self, agreement: str) -> Vault:
        return Vault(self._driver.cursor(), agreement)

    def vault_ids(self, agreement: str) -> Iterator[bytes]:
        """Tag and id of everyone in an agreement's vault, 32 bytes each, page by page."""
        for (people,) in self._c.execute(text("SELECT people FROM vault WHERE agreement = :a"), {"a": agreement}):
            yield people

    # leaves and logs
    def add_segment(self, exchange: str, number: int, low: bytes, high: bytes, rows: bytes, tiles: bytes) -> None:
        self._c.execute(SEGMENT.insert(), {"exchange": exchange, "number": number, "low": low, "high": high, "rows": rows, "tiles": tiles})

    def segment(self, exchange: str, number: int) -> bytes | None:
        found: Any = self._c.execute(text("SELECT rows FROM segment WHERE exchange = :e AND number = :n"), {"e": exchange, "n": number}).scalar()
        return None if found is None else bytes(found)

    def segment_heads(self, exchange: str) -> list[tuple[bytes, bytes]]:
        """The last ref of every segment in order, and the hashes of its tiles."""
        rows = self._c.execute(text("SELECT high, tiles FROM segment WHERE exchange = :e ORDER BY number"), {"e": exchange})
        return [(bytes(high), bytes(tiles)) for high, tiles in rows]

    def segments(self, exchange: str) -> Iterator[bytes]:
        for (rows,) in self._c.execute(text("SELECT rows FROM segment WHERE exchange = :e ORDER BY number"), {"e": exchange}):
            yield rows

    def leaf_counts(self) -> dict[str, int]:
        """How many leaves are stored of each exchange."""
        counts: dict[str, int] = {}
        for exchange, size in self._driver.execute("SELECT exchange, length(rows) FROM segment"):
            counts[exchange] = counts.get(exchange, 0) + size // LEAF
        return counts

    def leaves_of(self, refs: Mapping[str, Sequence[bytes]]) -> dict[tuple[str, bytes], list[bytes]]:
        """The stored leaves of each exchange and ref, in order; a pair that has none is left out.

        refs: exchange → 16 bytes each. They are looked for where they lie: ask in a `mapped` transaction.
        """
        found: dict[tuple[str, bytes], list[bytes]] = {}
        driver = self._driver
        for exchange, _, rowid, low, high, size in sorted(driver.execute("SELECT exchange, number, rowid, low, high, length(rows) FROM segment")):
            asked = [ref for ref in refs.get(exchange, ()) if low <= ref <= high]
            if not asked:
                continue
            with driver.blobopen("segment", "rows", rowid, readonly=True) as blob:
                rows: Any = blob if len(asked) < _FEW else BytesIO(blob.read())
                for ref in asked:
                    if leaves := _leaves_at(rows, size // LEAF, ref, low, high):
                        found.setdefault((exchange, ref), []).extend(leaves)
        return found

    def add_entry(self, log: str, position: int, entry: bytes, leaf: bytes) -> None:
        self._c.execute(LOG_ENTRY.insert(), {"log": log, "position": position, "entry": entry, "leaf": leaf})

    def log_entries(self, log: str) -> Iterator[tuple[bytes, bytes]]:
        """Every entry of a log with its leaf hash, in order. LedgerError at a gap."""
        rows = self._c.execute(text("SELECT position, entry, leaf FROM logentry WHERE log = :l ORDER BY position"), {"l": log})
        for expected, (position, entry, leaf) in enumerate(rows):
            if position != expected:
                raise LedgerError(f"log {log} has a gap at {expected}")
            yield entry, leaf

    def entries(self, log: str, start: int = 0) -> Iterator[bytes]:
        for (entry,) in self._c.execute(text("SELECT entry FROM logentry WHERE log = :l AND position >= :s ORDER BY position"), {"l": log, "s": start}):
            yield entry

    def add_checkpoint(self, log: str, size: int, note: str) -> None:
        self._c.execute(LOG_CHECKPOINT.insert(), {"log": log, "size": size, "note": note})

    def checkpoint_at(self, log: str, size: int) -> str | None:
        """The note we signed for exactly this size, if the log was ever signed at it, with its witnesses' lines."""
        found: Any = self._c.execute(text("SELECT note FROM logcheckpoint WHERE log = :l AND size = :s"), {"l": log, "s": size}).scalar()
        return None if found is None else str(found) + self.cosignatures.lines(log, size)

    def checkpoint(self, log: str) -> str | None:
        """The latest, with the lines of those witnesses that cosigned it so far."""
        found: Any = self._c.execute(text("SELECT MAX(size) FROM logcheckpoint WHERE log = :l"), {"l": log}).scalar()
        return None if found is None else self.checkpoint_at(log, found)

    # receipts
    def add_receipt(self, exchange: str, signer: str, dsse: bytes, at: str) -> bool:
        """Whether this signer's receipt is new."""
        if self._c.execute(text("SELECT 1 FROM receipt WHERE exchange = :e AND signer = :s"), {"e": exchange, "s": signer}).first():
            return False
        self._c.execute(RECEIPT.insert(), {"exchange": exchange, "signer": signer, "dsse": dsse, "at": at})
        return True

    def receipts(self, exchange: str) -> dict[str, bytes]:
        rows = self._c.execute(text("SELECT signer, dsse FROM receipt WHERE exchange = :e ORDER BY signer"), {"e": exchange})
        return {signer: dsse for signer, dsse in rows}  # noqa: C416 - rows are not pairs to dict()


def _leaves_at(rows: Any, count: int, ref: bytes, low: bytes, high: bytes) -> list[bytes]:
    """The leaves of `ref` among `count` sorted ones, of refs from `low` to `high`, in an open blob or file.

    Refs are spread evenly: nearly always a few hundred leaves around where one should be show all of its own. If not, everything is read.
    """
    first, last, at = (int.from_bytes(one[:8], "big") for one in (low, high, ref))
    expected, near = (at - first) * count // (last - first + 1), 2 * isqrt(count)  # four deviations
    for start, end in ((max(0, expected - near), min(count, expected + near)), (0, count)):
        rows.seek(start * LEAF)
        window: bytes = rows.read((end - start) * LEAF)
        if (start == 0 or window[:_REF] < ref) and (end == count or window[-LEAF : _REF - LEAF] > ref):
            break
    found, place = [], window.find(ref)
    while place >= 0:
        if place % LEAF == 0:
            found.append(window[place : place + LEAF])
        place = window.find(ref, place + 1)
    return found
