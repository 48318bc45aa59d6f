"""The end of an agreement: what made and turned back its pseudonyms, and opened what was sealed to it, is destroyed, and that is certified.

    approve    an officer of each party    once the agreement is over, by a request signed with their own key, or by a passkey; it holds 30 days
    end        the host's administrator    the ring first; then, in one transaction, the entries in both logs and the certificate

A crash between the two is finished by the next start: the ring says by whose approval it was. The keys of the agreement's log and receipts stay:
refusals and erasures go on being recorded, and what was signed verifies.
"""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from broker.agreement import has_ended
from broker.assertions import APPROVE_ENDING, holds, proven
from broker.envelope import sign_dsse
from broker.envelope.dsse import DESTRUCTION
from broker.errors import Refusal
from broker.jcs import canonical
from broker.keys import ReceiptKey
from broker.keys.ring import DESTROYED, LASTING
from broker.keys.rotate import ended, is_ended
from broker.model import utc_text, wib_date
from broker.people import CONFIRM, refused
from broker.record import BROKER_LOG, event
from broker.roles import BODIES, may
from broker.vouching import denied, vouched

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from broker.jcs import Json
    from broker.keys import KeyRecord, Ring
    from broker.model import Person
    from broker.office import Office
    from broker.record import Book
    from broker.store import Transaction

READ: Final = "baca_log"
HOLDS: Final = timedelta(days=30)  # an approval
TYPE: Final = "sinergi/key-destruction/v1"


# --- an officer of each party
def approve(office: Office, person: Person, agreement: str, now: datetime, answer: bytes | None = None) -> datetime:
    """Records that the officer's party agrees to the destruction; until when that holds. Recorded, also when it is refused.

    answer: of a passkey, where no request signed with their own key asks. Refusal wewenang, belum_dijamin, persetujuan; kunci_dimusnahkan, kunci_langkah as of `destroyed`.
    """
    try:
        if agreement not in office.agreements or not (may(person, CONFIRM, agreement, wib_date(now)) and vouched(office, person)):
            raise denied(office, person, CONFIRM)
        _over(office, office.rings[agreement], now)
        with office.ledger.writing() as book:
            kept = {} if answer is None else proven(office, book.tx, person, APPROVE_ENDING, about(agreement), answer, now)
            book.append(agreement, event("keys", now, act="ending_approved", party=person.party, person=person.id, **kept))
    except Refusal as refusal:
        raise refused(office, person, refusal, now) from None
    return now + HOLDS


def about(agreement: str) -> dict[str, Json]:
    """What a passkey approves."""
    return {"agreement": agreement}


def _over(office: Office, ring: Ring, now: datetime) -> None:
    """Refusal kunci_dimusnahkan once it is done, kunci_langkah before the day after the agreement's last."""
    agreement = office.agreements[ring.name]
    if is_ended(ring):
        raise Refusal("kunci_dimusnahkan")
    if not has_ended(agreement, wib_date(now)):
        raise Refusal("kunci_langkah", sebab=f"{agreement.id} belum berakhir, hari terakhirnya {agreement.ends}")


# --- the host's administrator
def destroyed(office: Office, ring: Ring, now: datetime) -> Ring:
    """The agreement's ring without the keys that end with it; judged now, whatever was judged before.

    Refusal parameter for a ring of no agreement; kunci_dimusnahkan; kunci_langkah: the agreement is not over, something waits to be processed or fetched,
    or a party has no approval that holds. KeyRingError if nothing could sign the certificate.
    """
    if ring.name not in office.agreements:
        raise Refusal("parameter", parameter="ring")
    _over(office, ring, now)
    ring.get(ReceiptKey, "receipt")
    with office.ledger.database.read() as tx:
        if waiting := sum(row.agreement in (ring.name, "") and (row.state == "accepted" or row.header is not None) for row in tx.exchanges_in("accepted", "recorded")):
            raise Refusal("kunci_langkah", sebab=f"{waiting} kiriman masih menunggu diolah atau diambil penerimanya")
    by = approved(office, ring.name, now)
    if missing := sorted(set(office.agreements[ring.name].parties) - set(by)):
        raise Refusal("kunci_langkah", sebab=f"belum disetujui petugas {', '.join(missing)} dalam {HOLDS.days} hari terakhir")
    return ended(ring, now, " ".join(sorted(by.values())))


def awaited(office: Office, name: str, now: datetime) -> bool:
    """Whether the agreement is over and its keys are not destroyed: what the officers of its parties may approve now."""
    return has_ended(office.agreements[name], wib_date(now)) and not is_ended(office.rings[name])


def approved(office: Office, name: str, now: datetime) -> dict[str, str]:
    """By party, the officer whose approval holds now: given within 30 days, and they still may."""
    day, since = wib_date(now), utc_text(now - HOLDS)
    with office.ledger.database.read() as tx:
        found = [(tx.people.get(entry["person"]), entry) for _, entry in _approvals(office, tx, name) if since < entry["time"] <= utc_text(now)]
    return {
        person.party: person.id
        for person, entry in found
        if person is not None and may(person, CONFIRM, name, day) and vouched(office, person)
        if "answer" not in entry or holds(office, person, APPROVE_ENDING, about(name), entry["answer"], entry["time"])
    }  # fmt: skip


def _approvals(office: Office, tx: Transaction, agreement: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index and entry of each, oldest first. From the log: a row beside it could be written by hand."""
    for index, entry in tx.audit.entries(agreement, office.ledger.size(agreement), "keys"):
        said = json.loads(entry)
        if said["act"] == "ending_approved":
            yield index, said


# --- what is recorded of it
def certify(office: Office, book: Book, name: str, now: datetime) -> None:
    """Enters in the agreement's log and in the broker's that the keys of an ended ring are destroyed, and keeps the certificate; once."""
    ring = office.rings[name]
    if name not in office.agreements or not is_ended(ring) or book.tx.keyrings.certificate(name) is not None:
        return
    gone = [r for r in ring.records if r.state == DESTROYED and r.purpose not in LASTING]
    last = max(gone, key=lambda r: r.changed)
    by = {
        entry["party"]: {"entry": index, "party": entry["party"], "person": entry["person"]}
        for index, entry in _approvals(office, book.tx, name)
        if entry["person"] in (last.approved or "").split()
    }
    approvals: list[Json] = [by[party] for party in sorted(by)]
    keys: list[Json] = [_shown(r) for r in gone]
    appended = book.append(name, event("keys", now, act="ended", approvals=approvals, keys=keys))
    _, size, root, *_ = appended.checkpoint.split("\n")
    said: dict[str, Json] = {
        "agreement": name, "approvals": approvals, "checkpoint": {"root": b64decode(root).hex(), "size": int(size)}, "entry": appended.index, "keys": keys,
        "parties": list(office.agreements[name].parties), "time": utc_text(now), "type": TYPE,
    }  # fmt: skip
    dsse = sign_dsse(DESTRUCTION, canonical(said), ring.get(ReceiptKey, "receipt")).to_json()
    book.tx.keyrings.add_certificate(name, dsse)
    book.append(BROKER_LOG, event("keys", now, act="ended", agreement=name, approvals=approvals, certificate_sha256=sha256(dsse).hexdigest(), keys=keys))


def _shown(record: KeyRecord) -> dict[str, Json]:
    return {"destroyed": record.changed, "epoch": record.epoch, "kid": record.kid, "purpose": record.purpose}


def certificate(office: Office, person: Person, agreement: str, now: datetime) -> bytes:
    """The DSSE over what was destroyed, for who reads the agreement's log. Refusal wewenang, belum_dijamin, sertifikat_tidak_ada."""
    if not may(person, READ, agreement, wib_date(now)) or not (person.party in BODIES or vouched(office, person)):
        raise denied(office, person, READ)
    with office.ledger.database.read() as tx:
        dsse = tx.keyrings.certificate(agreement)
    if dsse is None:
        raise Refusal("sertifikat_tidak_ada")
    return dsse
