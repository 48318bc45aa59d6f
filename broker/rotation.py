"""The broker's own keys from one to the next, by the administrator on its host, while it serves. No exchange is lost on the way.

    announce   a pending key           others learn its public part before anything is made with it
    rotate     pending → active        and what was active retires: it opens what was sealed to it, its signatures hold, log keys cross-sign
    disable    out of use at once      until `enable`; what needs it is refused meanwhile
    destroy    retired → destroyed     never one that something still waits to be opened with
    distrust   retired → destroyed     a log or receipt key that others may hold: what it signed counts for nothing by itself
    end        any → destroyed         what ends with an agreement that is over: ending.py says when

The ring is written first, then an entry in the log that it is of says what it holds now; the next start says so if a crash came between. A change that others see is
followed by a succession: the new public set, signed with the receipt key that the set before it names, so that who pinned that one need not be told by letter.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from broker.client.known import STEPS
from broker.ending import certify, destroyed
from broker.envelope import sign_dsse
from broker.envelope.dsse import SUCCESSION
from broker.errors import KeyRingError, Refusal
from broker.jcs import canonical
from broker.keys import ReceiptKey, ReceiptPublic, public_set, read_public_set, write_private
from broker.keys.ring import ACTIVE, DESTROYED, DISABLED, LASTING, RETIRED
from broker.keys.rotate import announced, distrusted, found, in_state, rotated
from broker.keys.tags import Tags
from broker.model import utc_text
from broker.peers import REASONS, read_time
from broker.people import read_strict
from broker.record import BROKER_LOG, event
from broker.upkeep import finish_erasures

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from broker.jcs import Json
    from broker.keys import KeyRecord, Ring
    from broker.office import Office
    from broker.store import Transaction

HOST, SCHEDULE = "host", "jadwal"  # as who made or changed a key
BROKER: Final = "broker"  # as the owner of the public set
LIFE: Final = {"kem": timedelta(days=92)}  # that a key of a purpose is used before the broker rotates it by itself
OVERLAP: Final = timedelta(days=30)  # that a retired key still opens, or a log key cross-signs: a client keeps sealed bytes until it has an answer
_PASSING: Final = ("kem", "log")  # purposes whose retired keys are destroyed when their overlap is over


# --- by the host's administrator
def by_host(office: Office, body: bytes, now: datetime) -> dict[str, Json]:
    """An act, as docs/formats/keys.md has it, and the ring's keys after it. Refusal parameter `isi`, kunci_langkah."""
    asked = read_strict(body)
    match asked:
        case {"act": "rotate" | "announce" as act, "ring": str(name), "purpose": str(purpose)} if len(asked) == 3:
            step = rotated if act == "rotate" else announced
            return changed(office, name, lambda ring: step(_ready(ring, purpose), purpose, now, HOST), now)
        case {"act": "enable" | "disable" | "destroy" as act, "ring": str(name), "kid": str(kid)} if len(asked) == 3:
            return changed(office, name, lambda ring: _stepped(office, ring, kid, act, now), now)
        case {"act": "distrust", "ring": str(name), "kid": str(kid), "since": str(text), "reason": str(reason)} if len(asked) == 5:
            since = _since(text, now)
            if reason not in REASONS:
                raise Refusal("parameter", parameter="alasan")
            return changed(office, name, lambda ring: distrusted(ring, kid, since, reason, now, HOST), now)
        case {"act": "end", "ring": str(name), "typed": str(typed)} if len(asked) == 3 and typed == name:
            return changed(office, name, lambda ring: destroyed(office, ring, now), now)
    raise Refusal("parameter", parameter="isi")


def _ready(ring: Ring, purpose: str) -> Ring:
    if not any(r.purpose == purpose for r in ring.records):  # a ring has from its beginning what it is for
        raise Refusal("parameter", parameter="purpose")
    if purpose == "vault" and any(r.purpose == purpose and r.state == DISABLED for r in ring.records):
        raise KeyRingError("aktifkan dahulu kunci vault yang nonaktif · people's tags are made anew out of those of the keys before: enable them first")
    return ring


def _since(text: str, now: datetime) -> datetime:
    try:
        since = read_time(text)
        if since > now:
            raise ValueError
    except ValueError:
        raise Refusal("parameter", parameter="sejak") from None
    return since


def _stepped(office: Office, ring: Ring, kid: str, act: str, now: datetime) -> Ring:
    record = found(ring, kid)
    if act == "destroy":
        if _waited_for(office, ring, record):
            raise KeyRingError("kiriman yang diterima masih menunggu dibuka dengannya · submissions that were accepted still wait to be opened with it")
        if record.purpose in ("root", "vault"):
            raise KeyRingError("yang dibuatnya hanya dapat dicari dengannya · what it made can be looked up only with it: it is destroyed when the agreement ends")
        return in_state(ring, kid, DESTROYED, now, HOST)
    if act == "disable":
        if ring.name == BROKER_LOG and record.purpose == "root":
            raise KeyRingError("permintaan pengelola sendiri ditandatangani dengannya · the administrator's own requests are signed with a key of it: nobody could enable it again")
        if record.purpose in LASTING:
            raise KeyRingError("tanda tangannya harus tetap dapat diperiksa, gantilah · what it signed must still verify, our own records first: rotate it instead")
        return in_state(ring, kid, DISABLED, now, HOST)
    taken = any(r.purpose == record.purpose and (r.state == ACTIVE or _follows(r, record)) for r in ring.records)
    return in_state(ring, kid, RETIRED if taken else ACTIVE, now, HOST)


def _follows(other: KeyRecord, root: KeyRecord) -> bool:
    """Whether the other is a root of a later epoch: tokens of the one before are not made again, who has them was sent what they became."""
    return root.purpose == other.purpose == "root" and other.epoch > root.epoch and other.state in (RETIRED, DISABLED)


def _waited_for(office: Office, ring: Ring, record: KeyRecord) -> bool:
    with office.ledger.database.read() as tx:
        return record.purpose == "kem" and any(row.agreement in (ring.name, "") for row in tx.exchanges_in("accepted"))


def changed(office: Office, name: str, change: Callable[[Ring], Ring], now: datetime) -> dict[str, Json]:
    """Makes the change and records it. Refusal kunci_langkah says why not; then nothing changed."""
    if name not in office.rings:
        raise Refusal("parameter", parameter="ring")
    try:
        office.rings.change(name, change)
    except KeyRingError as error:
        raise Refusal("kunci_langkah", sebab=str(error)) from None
    settle(office, now)
    return {"fingerprint": public_set(BROKER, office.rings).fingerprint, "keys": [_shown(record) for record in office.rings[name].records]}


def settle(office: Office, now: datetime) -> None:
    """After a change, and at start: each ring that the ledger knows no longer is entered in its log; a new public set follows the one before it.

    With a new vault key come new tags of the agreement's people, in the same transaction.
    The set is signed with the receipt key that the set before names. If that key is gone nothing vouches for the new one, and it goes out by letter.
    """
    with office.ledger.writing() as book:
        retagged = [name for name in office.agreements if _retagged(office, book.tx, name)]
        ours, own = public_set(BROKER, office.rings), office.rings[BROKER_LOG].all(ReceiptKey, "receipt")  # while no other settles: a set never follows a later one
        for name, ring in office.rings.items():
            known = book.tx.keyrings.version(name)
            if known and ring.version > known:
                shown = [_shown(record) for record in ring.records]
                book.append(name, event("keys", now, act="ring_changed", fingerprint=sha256(ours.to_json()).hexdigest(), keys=shown, version=ring.version))
            book.tx.keyrings.note(name, ring.version)
            certify(office, book, name, now)
        file = book.tx.keyrings.last_set()
        dsse = b""
        if file is not None and file != ours.to_json():
            kid = read_public_set(file).get(ReceiptPublic, "receipt", BROKER_LOG).kid
            said = {"before": sha256(file).hexdigest(), "set": json.loads(ours.to_json()), "time": utc_text(now), "type": "sinergi/succession/v1"}
            dsse = next((sign_dsse(SUCCESSION, canonical(said), key).to_json() for key in own if key.public.kid == kid), b"")
        if file != ours.to_json():
            book.tx.keyrings.add_set(sha256(ours.to_json()).hexdigest(), ours.to_json(), dsse)
    write_private(office.folders.home / "public.json", ours.to_json())
    if retagged:
        finish_erasures(office)  # so that no file of ours has the tags of before


def _retagged(office: Office, tx: Transaction, agreement: str) -> bool:
    """Makes the tags of an agreement's people those of its vault key in use, if they are of another and that one is not disabled or destroyed."""
    ring, noted = office.rings[agreement], tx.keyrings.vault_epoch(agreement)
    used = next((r.epoch for r in ring.records if r.purpose == "vault" and r.state == ACTIVE), noted)
    if used == noted or noted not in ring.seeds("vault"):
        return False
    tx.vault(agreement).retag(partial(Tags.of(ring, used).since, noted))
    tx.keyrings.note_vault_epoch(agreement, used)
    return True


def successions(office: Office, fingerprint: str) -> list[str]:
    """The first STEPS that lead from a public set (SHA-256 of its file, hex) to the one in use, in order.

    Refusal kunci_tidak_ada: we never had it, or one step of all is vouched for by nobody.
    """
    with office.ledger.database.read() as tx:
        found = tx.keyrings.sets_after(fingerprint, STEPS)
    if found is None:
        raise Refusal("kunci_tidak_ada")
    return [dsse.decode() for dsse in found]


def _shown(record: KeyRecord) -> dict[str, Json]:
    said = record.to_json()
    return {name: said[name] for name in ("distrusted", "epoch", "kid", "purpose", "state") if name in said}


# --- by the passing of time
def catch_up(office: Office, now: datetime) -> bool:
    """Enters what a ledger that failed could not take, within minutes; whether there was anything. Cheap when there is not."""
    with office.ledger.database.read() as tx:
        late = any(ring.version > tx.keyrings.version(name) for name, ring in office.rings.items()) or tx.keyrings.last_set() != public_set(BROKER, office.rings).to_json()
    if late:
        settle(office, now)
    return late


def keep_fresh(office: Office, now: datetime) -> int:
    """Once a day: rotates what was in use for its life, destroys what retired an overlap ago and nothing waits for. How many keys."""
    settle(office, now)  # should the ledger have failed after a ring was written
    due = [(name, record) for name, ring in office.rings.items() for record in ring.records if _is_due(office, ring, record, now)]
    for name, record in due:
        if record.state == ACTIVE:
            changed(office, name, lambda ring, of=record: rotated(ring, of.purpose, now, SCHEDULE), now)  # type: ignore[misc]
        else:
            changed(office, name, lambda ring, of=record: in_state(ring, of.kid, DESTROYED, now, SCHEDULE), now)  # type: ignore[misc]
    return len(due)


def _is_due(office: Office, ring: Ring, record: KeyRecord, now: datetime) -> bool:
    if record.state == ACTIVE:
        return record.purpose in LIFE and record.changed <= utc_text(now - LIFE[record.purpose])
    return record.state == RETIRED and record.purpose in _PASSING and record.changed <= utc_text(now - OVERLAP) and not _waited_for(office, ring, record)
