"""What a broker signed, held against its pinned public set: by a key that stands, or by one that others may hold since some time.

Whoever holds a key writes any date, so a signature of a distrusted key counts for nothing by itself. What is in a log under a checkpoint that a
standing key signed was in it all the same, and a witness's cosignature has a time of its own. Standard library and `cryptography` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.envelope import verify_dsse
from broker.errors import NotVerified
from broker.keys import LogPublic, ReceiptPublic
from broker.ledger import read_checkpoint
from broker.ledger.checkpoint import ED25519, key_id, split_note
from broker.model import wib_text

if TYPE_CHECKING:
    from broker.envelope import Dsse
    from broker.keys import PublicSet
    from broker.ledger import Checkpoint


def signed(dsse: Dsse, payload_type: str, broker: PublicSet, scope: str) -> bytes:
    """The payload, under a receipt key of the scope that stands. NotVerified otherwise; it says so where the key is distrusted."""
    payload, since = perhaps_signed(dsse, payload_type, broker, scope)
    if since is not None:
        raise NotVerified(f"signed only with a receipt key that the broker says is distrusted since {wib_text(since)}: ask for it anew")
    return payload


def perhaps_signed(dsse: Dsse, payload_type: str, broker: PublicSet, scope: str) -> tuple[bytes, str | None]:
    """The payload, and since when its only key is distrusted (None: one that stands signed it). Only for what a log under a standing key includes."""
    standing, named = broker.all(ReceiptPublic, "receipt", scope), dict(dsse.signatures)
    doubted = [key for key in broker.doubted(ReceiptPublic, "receipt", scope) if key.kid in named]
    if not doubted or any(key.kid in named for key in standing):
        return verify_dsse(dsse, payload_type, *standing), None
    return verify_dsse(dsse, payload_type, *doubted), min(broker.distrusted[key.kid] for key in doubted)


def checkpoint(note: str, broker: PublicSet, log: str) -> Checkpoint:
    """The checkpoint in a note of the log, under a log key that stands. NotVerified otherwise; it says so where the key is distrusted."""
    found, since = perhaps_checkpoint(note, broker, log)
    if since is not None:
        raise NotVerified(f"the checkpoint is signed only with a log key that the broker says is distrusted since {wib_text(since)}: ask for a later one")
    return found


def perhaps_checkpoint(note: str, broker: PublicSet, log: str) -> tuple[Checkpoint, str | None]:
    """The checkpoint, and since when its only key is distrusted (None: one that stands signed it). Only for what a witness or a later one vouches for."""
    origin = f"sinergi/{log}"
    standing, named = broker.all(LogPublic, "log", log), {raw[:4] for name, raw in split_note(note)[1] if name == origin}
    doubted = [key for key in broker.doubted(LogPublic, "log", log) if key_id(origin, ED25519, key.raw) in named]
    if not doubted or any(key_id(origin, ED25519, key.raw) in named for key in standing):
        return read_checkpoint(note, origin, *standing), None
    return read_checkpoint(note, origin, *doubted), min(broker.distrusted[key.kid] for key in doubted)
