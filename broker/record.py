"""Step 8: the ledger. Only this module makes an `Entry`, and only after its transaction is on disk.

One append-only log per agreement, and one named `broker` for what concerns no agreement. Log positions, checkpoints and the tree in
memory move together: a transaction that fails takes all three back. A checkpoint is shown to nobody before it is durable.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from broker.errors import LedgerError, NotVerified, Refusal
from broker.jcs import canonical
from broker.keys import LogKey, LogPublic
from broker.keys.tags import Tags
from broker.ledger import Checkpoint, LogTree, leaf_hash, read_checkpoint, sign_checkpoint
from broker.ledger.manifest import MAX_ENTRY
from broker.ledger.merkle import HASH
from broker.ledger.newcomers import in_order, newcomers_root
from broker.ledger.openings import Block, StoredTree
from broker.ledger.tiles import ENTRIES, WIDTH, bundle, hashes, in_log
from broker.model import Entry, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from broker.jcs import Json
    from broker.keys import Ring
    from broker.ledger.leaves import LeafGatherer, Tree
    from broker.ledger.tiles import Tile
    from broker.store import Database, Transaction

BROKER_LOG: Final = "broker"
BROKER: Final = "broker"  # as a signer of receipts


def origin(log: str) -> str:
    """The log's name in checkpoints and the name of its key."""
    return f"sinergi/{log}"


@dataclass(frozen=True, slots=True)
class Appended:
    index: int
    size: int
    checkpoint: str


class Book:
    """An open ledger transaction: everything written through it becomes durable together."""

    def __init__(self, tx: Transaction, trees: Mapping[str, LogTree], rings: Mapping[str, Ring]) -> None:
        self.tx = tx
        self._trees, self._rings = trees, rings

    def append(self, log: str, entry: bytes) -> Appended:
        """Adds one event and signs the new size."""
        if len(entry) > MAX_ENTRY:
            raise LedgerError("entry too large")
        tree = self._trees[log]
        index, leaf = tree.size, leaf_hash(entry)
        tree.append(leaf)
        self.tx.add_entry(log, index, entry, leaf)
        note = sign_checkpoint(Checkpoint(origin(log), tree.size, tree.root()), *self._rings[log].all(LogKey, "log"))
        self.tx.add_checkpoint(log, tree.size, note)
        return Appended(index, tree.size, note)


class Ledger:
    """The logs of a broker home. One writer at a time; reading needs no lock beyond the tree's own sizes."""

    def __init__(self, database: Database, rings: Mapping[str, Ring]) -> None:
        """rings: by log, whose log keys sign; looked at for every checkpoint, so a rotation takes effect with the next."""
        self.database = database
        self._rings = rings
        with database.read() as tx:
            self._trees = {log: _opened(tx, log, ring) for log, ring in rings.items()}
        self._durable = {log: tree.size for log, tree in self._trees.items()}
        self._writing = threading.Lock()

    @contextmanager
    def writing(self) -> Iterator[Book]:
        """A transaction over state, vault, leaves and logs. LedgerError: nothing of it happened."""
        with self._writing:  # the trees belong to one writer from its first append until its commit or its undoing
            try:
                with self.database.write() as tx:
                    yield Book(tx, self._trees, self._rings)
            except BaseException:
                for log, tree in self._trees.items():
                    tree.truncate(self._durable[log])
                raise
            self._durable = {log: tree.size for log, tree in self._trees.items()}

    @property
    def logs(self) -> tuple[str, ...]:
        return tuple(self._trees)

    def size(self, log: str) -> int:
        return self._durable[log]

    def note(self, log: str) -> str | None:
        """The latest durable checkpoint, if the log has an entry."""
        with self.database.read() as tx:
            return tx.checkpoint(log)

    def inclusion(self, log: str, index: int, size: int) -> list[bytes]:
        return self._trees[log].inclusion(index, size)

    def consistency(self, log: str, old: int, new: int) -> list[bytes]:
        return self._trees[log].consistency(old, new)

    def tile(self, log: str, tile: Tile) -> bytes | None:
        """A hash tile's bytes or an entry bundle's; None unless the log has durably come as far."""
        with self.database.read() as tx:
            note = tx.checkpoint(log)  # not our own idea of the size: whoever has read this note may have what it covers
            if note is None or not in_log(tile, int(note.split("\n")[1])):
                return None
            if tile.level == ENTRIES:
                return bundle(islice(tx.entries(log, tile.index * WIDTH), tile.width))
        return hashes(self._trees[log], tile)

    def record(
        self,
        log: str,
        exchange: bytes,
        leaves: LeafGatherer,
        manifest: Callable[[Tree, Transaction], bytes],
        now: datetime,
        *,
        sign: Callable[[bytes], bytes],
        header: bytes,
        report: Callable[[], str],
        secret: bytes,
        epoch: int,
    ) -> Entry:
        """Vault rows, secret, leaves, manifest, our receipt, signed checkpoint and outbox row in one transaction; the Entry once it is durable.

        manifest: the entry's bytes from the finished tree; it may refuse, and then nothing of this happened. sign: our DSSE over it.
        secret: what the exchange's keys were derived with (docs/formats/keys.md).
        epoch: of the vault key that the leaves' tags were made with; if the vault was rotated meanwhile, they are made anew.
        header: the envelope's prefix, without which the outbox file is noise. report: the sender's quality report, asked after `manifest`.
        """
        with self.writing() as book:
            tx, name = book.tx, exchange.hex()
            tags = tags_in(tx, self._rings, log)
            if tags.epoch != epoch:  # under the tags of before everyone would be somebody new
                leaves.retag(partial(tags.since, epoch))
            with tx.vault(log) as vault:
                for s in leaves.segments(vault.ids):
                    tx.add_segment(name, s.number, s.low, s.high, s.rows, s.tiles)
            assert leaves.tree is not None
            hashes, salts = in_order(bytes(vault.hashes), bytes(vault.salts))
            if hashes:
                tx.kept.add_new(name, log, hashes, salts)
            tx.kept.add_secret(name, log, secret)
            entry = manifest(replace(leaves.tree, newcomers=len(hashes) // HASH, newcomers_root=newcomers_root(hashes)), tx)
            appended = book.append(log, entry)
            at = utc_text(now)
            tx.add_receipt(name, BROKER, sign(entry), at)
            tx.change_exchange(name, state="recorded", changed=at, log=log, entry=appended.index, manifest=entry, header=header, report=report())
        return Entry(exchange, log, appended.index, appended.size, appended.checkpoint)


def tags_in(tx: Transaction, rings: Mapping[str, Ring], agreement: str) -> Tags:
    """How the agreement's people are tagged in this transaction's vault, and only in it. Refusal kunci_dimusnahkan, kunci_nonaktif."""
    epoch = tx.keyrings.vault_epoch(agreement)  # before the ring is looked at: it has a key before the vault does
    return Tags.of(rings[agreement], epoch)


def leaf_tree(tx: Transaction, exchange: str, leaves: int) -> StoredTree:
    """The leaves of a recorded exchange, for proofs as long as `tx` is open. leaves: their number, from the manifest. Refusal retensi once they are dropped."""

    def rows(number: int) -> bytes:
        found = tx.segment(exchange, number)
        if not found:
            raise LedgerError("these leaves were dropped")
        return found

    if tx.kept.dropped(exchange):
        raise Refusal("retensi")
    heads = tx.segment_heads(exchange)
    return StoredTree(bytes.fromhex(exchange), leaves, [Block(high, tiles, partial(rows, n)) for n, (high, tiles) in enumerate(heads)])


def _opened(tx: Transaction, log: str, ring: Ring) -> LogTree:
    """The tree of a stored log. LedgerError unless its entries are those of the last checkpoint we signed."""
    tree = LogTree()
    for entry, leaf in tx.log_entries(log):
        if not isinstance(entry, bytes) or leaf_hash(entry) != leaf:  # SQLite keeps whatever type was forced on it
            raise LedgerError(f"entry {tree.size} of log {log} was changed")
        tree.append(leaf)
    note = tx.checkpoint(log)
    if note is None:
        if tree.size:
            raise LedgerError(f"log {log} has entries and no checkpoint")
        return tree
    try:
        signed = read_checkpoint(note, origin(log), *ring.verifying(LogPublic, "log"))
    except NotVerified:
        raise LedgerError(f"the last checkpoint of log {log} is not ours") from None
    if (signed.size, signed.root) != (tree.size, tree.root()):
        raise LedgerError(f"log {log} is not what its last checkpoint says: it was changed, or entries are lost")
    return tree


def event(kind: str, now: datetime, /, **fields: Json) -> bytes:
    """A log entry that is no manifest: refusal, outcome, key or policy event. Words and ids of ours, numbers, digests."""
    return canonical({"time": utc_text(now), "type": f"sinergi/{kind}/v1", **fields})


def entry_time(tx: Transaction, log: str, position: int) -> datetime | None:
    """When the entry at `position` was recorded, None if the log has not come as far."""
    entry = next(tx.entries(log, position), None)
    return None if entry is None else datetime.fromisoformat(json.loads(entry)["time"])
