"""A copy of a log that any static file server can serve: entries fetched, everything else worked out here, nothing taken on the broker's word.

The copy grows only by entries whose hashes make the root that the log's pinned key signed, on top of the very entries mirrored before:
that is a consistency check by doing. Source: C2SP tlog-tiles v0.1.0, a log's resources as static files.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from broker.client.connection import answered, problem_text
from broker.client.standing import checkpoint, perhaps_checkpoint
from broker.errors import ClientError, NotVerified
from broker.keys import LogPublic, write_private
from broker.ledger import LogTree, leaf_hash
from broker.ledger.merkle import HASH
from broker.ledger.tiles import WIDTH, Tile, bundles_between, hashes, read_bundle, tiles_between

if TYPE_CHECKING:
    from broker.client.connection import Connection
    from broker.keys import PublicSet

CHECKPOINT: Final = "checkpoint"


@dataclass(frozen=True, slots=True)
class Mirrored:
    """The sizes of the copy before and after."""

    before: int
    after: int


def mirror(to: Connection, log: str, broker: PublicSet, folder: Path) -> Mirrored:
    """Brings the copy in `folder` up to the log's latest checkpoint. NotVerified or ClientError: the copy is as it was."""
    broker.get(LogPublic, "log", log)  # KeyRingError for a log that the broker has no key of, before it is asked
    before, tree = _kept(log, broker, folder)
    note = _get(to, f"/tlog/{log}/{CHECKPOINT}").decode("utf-8", "replace")
    seen = checkpoint(note, broker, log)
    if seen.size < before:
        raise NotVerified(f"the log {log} has shrunk: it was rewritten or restored from an old copy")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".baru-", dir=folder) as fetched:
        for tile in bundles_between(before, seen.size):
            data = _get(to, f"/tlog/{log}/{tile.path}")
            _extend(tree, tile, data)
            (Path(fetched) / str(tile.index)).write_bytes(data)
        if tree.size != seen.size or tree.root() != seen.root:
            raise NotVerified(f"the log {log} is not the one mirrored before, or its entries are not those of its checkpoint")
        for tile in bundles_between(before, seen.size):
            _put(folder, tile, (Path(fetched) / str(tile.index)).read_bytes())
    write_tiles(folder, tree, before)
    write_private(folder / CHECKPOINT, note.encode())  # last: what it speaks of is there
    return Mirrored(before, seen.size)


def write_tiles(folder: Path, tree: LogTree, before: int) -> None:
    """Every hash tile of the tree that one of `before` entries had not."""
    for tile in tiles_between(before, tree.size):
        _put(folder, tile, hashes(tree, tile))


def _kept(log: str, broker: PublicSet, folder: Path) -> tuple[int, LogTree]:
    """The copy's size and tree, once its hashes make the root of its own checkpoint."""
    if not (folder / CHECKPOINT).exists():
        return 0, LogTree()
    kept, _ = perhaps_checkpoint((folder / CHECKPOINT).read_text("utf-8"), broker, log)  # what it grows to must be under a key that stands
    leaves: list[bytes] = []
    for tile in (tile for tile in tiles_between(0, kept.size) if tile.level == 0):
        data = (folder / tile.path).read_bytes()
        leaves += [data[i : i + HASH] for i in range(0, len(data), HASH)]
    tree = LogTree(leaves)
    if tree.size != kept.size or tree.root() != kept.root:
        raise NotVerified(f"the copy in {folder} is not what its checkpoint says: it was changed here; mirror into a new folder")
    return kept.size, tree


def _extend(tree: LogTree, tile: Tile, data: bytes) -> None:
    """Appends a bundle's new entries; those mirrored before must be the same."""
    found = [leaf_hash(entry) for entry in read_bundle(data, tile.width)]
    known = tree.size - tile.index * WIDTH
    if tree.nodes(0, tile.index * WIDTH, tree.size) != found[:known]:
        raise NotVerified("an entry mirrored before is another by now: the log was rewritten")
    for leaf in found[known:]:
        tree.append(leaf)


def _put(folder: Path, tile: Tile, data: bytes) -> None:
    """Puts a file, whole or not at all; a full tile replaces its partial ones."""
    path = folder / tile.path
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, data)
    if tile.width == WIDTH:
        shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)


def _get(to: Connection, path: str) -> bytes:
    response = to.request("GET", path)
    if response.status_code >= 400:
        raise ClientError(problem_text(answered(response)))
    return response.content
