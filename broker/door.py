"""Steps 1 and 10: who asks, what is spooled, who may fetch what, whose receipt it is. The web layer calls these and adds nothing.

A caller is a system whose pinned key signed the request. What a caller may not see does not exist for it (404).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO, Final

from broker.envelope import read_dsse
from broker.envelope.dsse import MANIFEST
from broker.errors import Held, LedgerError, NotVerified, Refusal
from broker.gates import not_held, not_stopped
from broker.identity import NONCE_SECONDS, SignedRequest, verify_request
from broker.model import MAP, utc_text
from broker.record import BROKER_LOG, event
from broker.submission import read_statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from broker.keys import RequestPublic
    from broker.model import Request
    from broker.office import Office
    from broker.store import ExchangeRow

_IDEMPOTENCY = re.compile(r"[A-Za-z0-9_-]{16,64}")
PIECE: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Caller:
    """A system whose signature held; `signed` still owes its nonce and, with a body, its digest."""

    system: str
    signed: SignedRequest

    @property
    def party(self) -> str:
        return self.system.partition("@")[2]


def authenticate(office: Office, method: str, url: str, headers: Mapping[str, str], now: datetime, *, body: bool, also: tuple[str, ...] = ()) -> Caller:
    """The caller. Refusal tanda_tangan (unknown key and bad signature alike) or waktu; counted by minute and reason, never described."""
    owners: dict[str, str] = {}

    def key(kid: str) -> RequestPublic | None:
        found = office.peers.signer(kid)
        if found is None:
            return None
        owners[kid], public = found
        return public

    try:
        signed = verify_request(method, url, headers, key, now, body=body, also=also)
    except Refusal as refusal:
        with office.ledger.database.write() as tx:
            tx.count_refusal(utc_text(now)[:16], refusal.reason)
        raise
    return Caller(owners[signed.kid], signed)


def spend_nonce(office: Office, caller: Caller, now: datetime) -> None:
    """For a request without a body: Refusal `ulang` if it was received before, also before a restart."""
    with office.ledger.writing() as book:
        fresh = book.tx.use_nonce(caller.signed.kid, caller.signed.nonce, *_until(now))
    if not fresh:
        raise refused_at_door(office, caller, Refusal("ulang"), now)


def _until(now: datetime) -> tuple[int, int]:
    return int(now.timestamp()), int((now + timedelta(seconds=NONCE_SECONDS)).timestamp())


def refused_at_door(office: Office, caller: Caller, refusal: Refusal, now: datetime, log: str = BROKER_LOG) -> Refusal:
    """Records a known caller's refusal that belongs to no exchange, and returns it to be raised. log: the agreement's, where one is known."""
    with office.ledger.writing() as book:
        book.append(log, event("refusal", now, clause=refusal.pasal, facts=dict(refusal.facts), reason=refusal.reason, sender=caller.system))
    return refusal


def idempotency(caller: Caller, key: str | None) -> str:
    """The stored form of an Idempotency-Key, scoped to the sending system. Refusal tanpa_kunci_ulang."""
    if key is None or not _IDEMPOTENCY.fullmatch(key):
        raise Refusal("tanpa_kunci_ulang")
    return hashlib.sha256(f"{caller.system}\0{key}".encode()).hexdigest()


def admit(office: Office, caller: Caller, name: str, sha256: bytes, key: str, now: datetime) -> tuple[str, bool]:
    """Accepts the durably spooled body `name`: (exchange id, whether it is new). A retry gets the exchange it already has.

    Raises Refusal isi_berubah, ulang, kunci_ulang, pernyataan, bentuk_kiriman; then the spooled file is gone and the refusal recorded.
    Held while witnesses keep releases: the spooled file is gone, and the same may be sent again.
    """
    spooled = office.folders.spool(name)
    try:
        if sha256 != caller.signed.body_sha256:
            raise Refusal("isi_berubah")
        asked = _statement(office, spooled)
        if asked.sender != caller.system:
            raise Refusal("pernyataan")
        with office.ledger.writing() as book:
            tx = book.tx
            if not tx.use_nonce(caller.signed.kid, caller.signed.nonce, *_until(now)):
                raise Refusal("ulang")
            before = tx.exchange_by_idempotency(key)
            if before is None:
                if caller.party in (office.agreements[asked.agreement].parties if asked.agreement in office.agreements else ()):
                    not_held(office, tx, now, asked.agreement)  # it says when and who: not for others' ears
                at = utc_text(now)
                known = {"agreement": office.agreements, "dataset": office.contracts, "recipient": office.peers}
                words = {field: value if (value := getattr(asked, field)) in words else "" for field, words in known.items()}
                listed = {p.code for a in office.agreements.values() for p in a.purposes}
                purpose = asked.purpose if asked.purpose in listed else ""
                tx.add_exchange(
                    id=name, state="accepted", sender=caller.system, purpose=purpose, accepted=at, changed=at,
                    submission_sha256=sha256.hex(), idempotency=key, **words,
                )  # fmt: skip
            elif before.submission_sha256 != sha256.hex():
                raise Refusal("kunci_ulang")
    except Held:  # nothing is decided, so nothing recorded: the sender keeps its sealed bytes
        spooled.unlink(missing_ok=True)
        raise
    except Refusal as refusal:
        spooled.unlink(missing_ok=True)
        raise refused_at_door(office, caller, refusal, now) from None
    except LedgerError:
        spooled.unlink(missing_ok=True)  # it has no row: nobody would ever take it up
        raise
    if before is not None:
        spooled.unlink(missing_ok=True)
        return before.id, False
    return name, True


def _statement(office: Office, spooled: Path) -> Request:
    try:
        with spooled.open("rb") as source:
            return read_statement(office.peers, source).request
    except (TypeError, RecursionError):  # a float, a key that is a list, nesting without end: JSON, but no statement
        raise Refusal("bentuk_kiriman") from None


def visible(office: Office, caller: Caller, name: str) -> ExchangeRow:
    """The exchange, if the caller sent it, or is its recipient once it is recorded. Refusal tidak_ada otherwise.

    A map of tokens nobody sent: with the key of its references a sender would know where everyone's token stands among all.
    """
    with office.ledger.database.read() as tx:
        row = tx.exchange(name)
    if row is None or not ((row.sender == caller.system and row.dataset != MAP) or (row.recipient == caller.system and row.manifest is not None)):
        raise Refusal("tidak_ada")
    return row


def for_recipient(office: Office, caller: Caller, name: str, now: datetime) -> ExchangeRow:
    row = visible(office, caller, name)
    if row.recipient != caller.system or row.header is None:
        raise Refusal("tidak_ada")
    if any(map(office.peers.revoked, json.loads(row.manifest or b"")["keys"]["recipient_kem"].split(" "))):
        raise refused_at_door(office, caller, Refusal("amplop_dicabut"), now, row.log or BROKER_LOG)
    with office.ledger.database.read() as tx:
        not_stopped(office, tx, now, row.agreement, row.sender.partition("@")[2], caller.party)
    return row


def envelope(office: Office, row: ExchangeRow, caller: Caller, now: datetime) -> tuple[int, Iterator[bytes]]:
    """The envelope's size and bytes: header from the ledger, stream from the outbox. Before the last ones the delivery is recorded, once."""
    assert row.header is not None
    try:
        stream = office.folders.outbox(row.id).open("rb")
    except FileNotFoundError:  # its time is over
        raise Refusal("tidak_ada") from None
    size = len(row.header) + os.fstat(stream.fileno()).st_size
    return size, _delivered(office, row, stream, caller, now)


def _delivered(office: Office, row: ExchangeRow, stream: BinaryIO, caller: Caller, now: datetime) -> Iterator[bytes]:
    last = row.header or b""
    with stream:
        while data := stream.read(PIECE):
            yield last
            last = data
    _outcome(office, row, "delivered", now, system=caller.system)  # before the last bytes: nobody has it all unrecorded
    yield last


def _outcome(office: Office, row: ExchangeRow, state: str, now: datetime, **fields: str) -> None:
    with office.ledger.writing() as book:
        current = book.tx.exchange(row.id)
        assert current is not None
        assert current.log is not None
        if state == "delivered" and current.state != "recorded":
            return
        book.append(current.log, event("outcome", now, exchange=row.id, outcome=state, **fields))
        book.tx.change_exchange(row.id, state=state, changed=utc_text(now))


def take_receipt(office: Office, caller: Caller, name: str, data: bytes, now: datetime) -> None:
    """Step 10: stores the recipient's receipt, or the sender's countersignature, over the very manifest. Refusal tanda_terima."""
    row = visible(office, caller, name)
    if row.manifest is None or row.log is None:
        raise Refusal("belum_siap", keadaan=row.state)
    try:
        payload, _ = office.peers.verify(caller.system, read_dsse(data), MANIFEST)
    except NotVerified:
        raise refused_at_door(office, caller, Refusal("tanda_terima"), now, row.log) from None
    if payload != row.manifest:
        raise refused_at_door(office, caller, Refusal("tanda_terima"), now, row.log)
    role = "receipted" if caller.system == row.recipient else "countersigned"
    with office.ledger.writing() as book:
        if not book.tx.add_receipt(name, caller.system, data, utc_text(now)):
            return
        book.append(row.log, event("outcome", now, exchange=name, outcome=role, receipt_sha256=hashlib.sha256(data).hexdigest(), system=caller.system))
        if role == "receipted":
            book.tx.change_exchange(name, state="receipted", changed=utc_text(now))


def receipts(office: Office, name: str) -> dict[str, bytes]:
    with office.ledger.database.read() as tx:
        return tx.receipts(name)


def proof(office: Office, row: ExchangeRow) -> dict[str, object]:
    """The proof file of a recorded exchange, under the latest checkpoint (docs/formats/proof.md). Refusal belum_siap."""
    note = None if row.log is None else office.ledger.note(row.log)
    if row.log is None or row.entry is None or row.manifest is None or note is None:
        raise Refusal("belum_siap", keadaan=row.state)
    return {
        "exchange": row.id,
        "log": row.log,
        "index": row.entry,
        "manifest": b64encode(row.manifest).decode(),
        "receipts": {signer: json.loads(dsse) for signer, dsse in receipts(office, row.id).items()},
        "inclusion": [b64encode(h).decode() for h in office.ledger.inclusion(row.log, row.entry, int(note.split("\n")[1]))],
        "checkpoint": note,
    }


def leaves(office: Office, name: str) -> Iterator[bytes]:
    """The leaves, segment by segment. Refusal retensi once they are dropped."""
    with office.ledger.database.read() as tx:
        if tx.kept.dropped(name):
            raise Refusal("retensi")
    return _segments(office, name)


def _segments(office: Office, name: str) -> Iterator[bytes]:
    number = 0
    while True:  # one short read each: a slow reader must not hold a connection
        with office.ledger.database.read() as tx:
            rows = tx.segment(name, number)
        if rows is None:
            return
        yield rows
        number += 1


def log_of(office: Office, caller: Caller, log: str) -> str:
    """`log`, if the caller's party is in its agreement; the broker's own log is for every enrolled system."""
    agreement = office.agreements.get(log)
    if log != BROKER_LOG and (agreement is None or caller.party not in agreement.parties):
        raise Refusal("tidak_ada")
    return log

