"""One exchange down to its records, and whether all of it holds: what its page shows, and what is checked when someone asks.

A leaf names nobody: it has a reference that only this exchange has. What is checked here is checked by the broker itself; who does not want to
take its word takes the bundle, or the proof, and checks elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from broker import door
from broker.audit.search import exchange
from broker.client.verify import check_leaves
from broker.envelope import read_dsse, verify_dsse
from broker.envelope.dsse import MANIFEST
from broker.errors import NotVerified, Refusal
from broker.keys import LogPublic, ReceiptPublic
from broker.ledger import OUTCOMES, leaf_hash, read_checkpoint, verify_inclusion
from broker.ledger.cosign import cosigners
from broker.ledger.openings import BLOCK, STORED
from broker.record import BROKER, origin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from broker.audit.search import Found
    from broker.model import Person
    from broker.office import Office
    from broker.store import Transaction

SHOWN: Final = 50  # leaves on a page
_WORDS: Final = {code: word for word, code in OUTCOMES.items()}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A record of an exchange. ref: hex. row: from 1. profile: the row class it was treated as; None of a withheld row."""

    ref: str
    row: int
    outcome: str
    profile: str | None


def leaves(office: Office, person: Person, name: str, page: int, now: datetime) -> tuple[Found, tuple[Leaf, ...]]:
    """The exchange and a page of its leaves, from page 0, in their order: by reference. Recorded. Refusal tidak_ada, belum_siap, retensi, parameter."""
    itself, manifest = _recorded(office, person, name, now)
    start = page * SHOWN
    if not 0 <= start < max(1, manifest["records"]["leaves"]):
        raise Refusal("parameter", parameter="hal")
    with office.ledger.database.read() as tx:
        if tx.kept.dropped(name):
            raise Refusal("retensi")
        rows = tx.segment(name, start // BLOCK) or b""
        at = start % BLOCK * STORED
        cut = rows[at : at + SHOWN * STORED]
        if len(cut) < SHOWN * STORED:  # a page may begin in one segment and end in the next
            cut += (tx.segment(name, start // BLOCK + 1) or b"")[: SHOWN * STORED - len(cut)]
    classes = [profile["class"] for profile in manifest["profiles"]]
    return itself, tuple(_leaf(cut[i : i + STORED], classes) for i in range(0, len(cut), STORED))


def _leaf(stored: bytes, classes: list[str]) -> Leaf:
    profile = int.from_bytes(stored[48:50], "big")
    return Leaf(stored[:16].hex(), int.from_bytes(stored[51:], "big") + 1, _WORDS[stored[50]], classes[profile] if profile < len(classes) else None)


def _recorded(office: Office, person: Person, name: str, now: datetime) -> tuple[Found, dict[str, Any]]:
    itself, _ = exchange(office, person, name, now)
    if itself.facts.kind != "exchange":
        raise Refusal("belum_siap", keadaan="refused")
    return itself, json.loads(itself.entry)


# --- whether it holds
@dataclass(frozen=True, slots=True)
class Step:
    """what: manifes, log, saksi, daun, or tanda_terima of `who`. held: None where there was nothing to check. fault: in English, of ours."""

    what: str
    held: bool | None
    who: str = ""
    figures: Mapping[str, int] | None = None
    fault: str = ""


def check(office: Office, person: Person, name: str, now: datetime) -> tuple[Found, tuple[Step, ...]]:
    """Everything of a recorded exchange that can be checked here, step by step, whatever fails. Recorded as a reading. Refusal tidak_ada, belum_siap."""
    itself, manifest = _recorded(office, person, name, now)
    with office.ledger.database.read() as tx:
        receipts = tx.receipts(name)
        signed = _step("manifes", lambda: _by_broker(office, itself, receipts.get(BROKER, b"")))
        placed = _step("log", lambda: _placed(office, tx, itself))
        held = [_step("tanda_terima", lambda side=side: _by_party(office, itself, manifest, side, receipts), manifest[side]) for side in ("recipient", "sender")]
        return itself, (signed, placed, _step("saksi", lambda: _cosigned(office, tx, itself.log)), _step("daun", lambda: _leaves(tx, name, manifest)), *held)


def _step(what: str, checked: Any, who: str = "") -> Step:
    try:
        figures = checked()
    except NotVerified as error:
        return Step(what, False, who, fault=str(error))
    return Step(what, None if figures is None else True, who, figures)


def _by_broker(office: Office, itself: Found, dsse: bytes) -> Mapping[str, int]:
    _same(verify_dsse(read_dsse(dsse), MANIFEST, *office.rings[itself.log].verifying(ReceiptPublic, "receipt")), itself.entry)
    return {}


def _same(payload: bytes, entry: bytes) -> None:
    if payload != entry:
        raise NotVerified("the signature is over another manifest")


def _placed(office: Office, tx: Transaction, itself: Found) -> Mapping[str, int]:
    checkpoint = read_checkpoint(tx.checkpoint(itself.log) or "", origin(itself.log), *office.rings[itself.log].verifying(LogPublic, "log"))
    verify_inclusion(itself.index, checkpoint.size, leaf_hash(itself.entry), office.ledger.inclusion(itself.log, itself.index, checkpoint.size), checkpoint.root)
    return {"index": itself.index, "size": checkpoint.size}


def _cosigned(office: Office, tx: Transaction, log: str) -> Mapping[str, int] | None:
    """How many witnesses have cosigned the latest checkpoint; None: the log has none."""
    quorum = office.quorums.get(log)
    if quorum is None:
        return None
    found = cosigners(quorum.policy, tx.checkpoint(log) or "")
    return {"cosigned": len(found), "witnesses": len(quorum.policy.witnesses)}


def _leaves(tx: Transaction, name: str, manifest: Mapping[str, Any]) -> Mapping[str, int] | None:
    if tx.kept.dropped(name):
        return None
    check_leaves((rows[i : i + STORED] for rows in tx.segments(name) for i in range(0, len(rows), STORED)), manifest)
    return {"leaves": manifest["records"]["leaves"], "rows": manifest["records"]["rows"]}


def _by_party(office: Office, itself: Found, manifest: Mapping[str, Any], side: str, receipts: Mapping[str, bytes]) -> Mapping[str, int] | None:
    """None: that system has not signed, as the broker itself never does of a map of tokens that it made."""
    system = manifest[side]
    if system not in receipts:
        return None
    keys = [one.keys.get(ReceiptPublic, "receipt") for one in reversed(office.peers.ever(system))]
    if not keys:
        raise NotVerified("the system has no key any more")
    _same(verify_dsse(read_dsse(receipts[system]), MANIFEST, *keys), itself.entry)
    return {}


# --- to check elsewhere
def proof(office: Office, person: Person, name: str, now: datetime) -> dict[str, object]:
    """The proof file of a recorded exchange (docs/formats/proof.md). Recorded as a reading. Refusal tidak_ada, belum_siap."""
    _recorded(office, person, name, now)
    with office.ledger.database.read() as tx:
        row = tx.exchange(name)
    assert row is not None
    return door.proof(office, row)
