"""How a party's public keys come to count, and cease to. Two people open, one closes.

    propose   the broker's host    a file, held against the fingerprint of the written notice (Pasal 11); nothing counts yet
    confirm   an officer           of the system's own party, with their own key or a passkey, who types the fingerprint from the notice
    renew     both, as above       the new set is sealed to at once; the one before it still signs, and is sealed to, for the overlap
    revoke    either of them       at once; never undone: the same key is never enrolled again, by anyone

Nobody does both: what is proposed is signed by the host, what is confirmed by an officer's own key, or by a passkey that is vouched for. Every act is an entry in the broker's log and in that of each
agreement of the system. Keys that arrive are never believed because they came first.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from broker.assertions import CONFIRM_KEYS, proven
from broker.envelope import sign_dsse
from broker.envelope.dsse import CONFIRMED
from broker.errors import KeyRingError, Refusal
from broker.jcs import canonical
from broker.keys import ReceiptKey, read_public_set
from broker.keys.sound import sound
from broker.model import utc_text, wib_date, wib_text
from broker.peers import REASONS, plain, read_set, read_time
from broker.people import CONFIRM, read_strict, refused
from broker.record import BROKER_LOG, event
from broker.roles import may
from broker.store import PeerRow
from broker.vouching import is_new, vouched

if TYPE_CHECKING:
    from broker.jcs import Json
    from broker.keys import PublicSet
    from broker.model import Person
    from broker.office import Office
    from broker.record import Book
    from broker.store import Affected, Transaction

HOST: Final = "host"  # as who proposes
WAITS: Final = timedelta(days=7)  # a proposal for its confirmation
OVERLAP: Final = timedelta(days=14)  # in which the set before still signs
LIFE: Final = timedelta(days=730)
_NOTICE: Final = re.compile(r"[A-Za-z0-9./-]{1,60}")


@dataclass(frozen=True, slots=True)
class Notice:
    """The written notice (Pasal 11) that carried the fingerprint. number: of the letter."""

    number: str
    day: date

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{self.number}\n{self.day.isoformat()}".encode()).hexdigest()


# --- the host's administrator
def propose(office: Office, file: bytes, fingerprint: str, notice: Notice, now: datetime) -> PeerRow:
    """A system's public key file, waiting for its party's confirmation. Refusal kunci_bentuk, kunci_sidik, kunci_dipakai, kunci_dicabut, kunci_usulan, parameter."""
    try:
        public = read_public_set(file)
    except (KeyRingError, RecursionError):
        raise Refusal("kunci_bentuk") from None
    if plain(public.fingerprint) != plain(fingerprint):
        raise Refusal("kunci_sidik")
    if not _NOTICE.fullmatch(notice.number) or notice.day > wib_date(now):
        raise Refusal("parameter", parameter="surat")
    with office.ledger.writing() as book:
        _enrollable(office, book.tx, public, file)
        waiting = _waiting(book.tx, public.owner, now)
        if waiting is not None:
            raise Refusal("kunci_usulan", sistem=public.owner, sampai=wib_text(lapses(waiting)))
        for row in book.tx.peers.of(public.owner):
            book.tx.peers.drop(row.fingerprint)  # what waited too long
        row = PeerRow(
            plain(public.fingerprint), public.owner, "proposed", file, notice.number, notice.day.isoformat(), utc_text(now),
            None, None, 0, None, None, None, None, None, None,
        )  # fmt: skip
        book.tx.peers.add(row)
        _record(office, book, "proposed", row, now, kids=_kids(public), notice_sha256=notice.sha256, proposed_by=HOST)
    return row


def withdraw(office: Office, system: str, now: datetime) -> None:
    """Takes back a proposal that nobody confirmed. Refusal kunci_tidak_ada."""
    with office.ledger.writing() as book:
        row = _waiting(book.tx, system, now)
        if row is None:
            raise Refusal("kunci_tidak_ada")
        book.tx.peers.drop(row.fingerprint)
        _record(office, book, "withdrawn", row, now)


def end_overlap(office: Office, system: str, now: datetime) -> None:
    """The sets before the newest sign nothing more from now on. Refusal kunci_tidak_ada."""
    with office.ledger.writing() as book:
        at = utc_text(now)
        rows = [row for row in book.tx.peers.of(system) if row.state == "retired" and row.until is not None and row.until > at]
        if not rows:
            raise Refusal("kunci_tidak_ada")
        for row in rows:
            book.tx.peers.change(row.fingerprint, until=at)
            _record(office, book, "retired", row, now)


def by_host(office: Office, body: bytes, now: datetime) -> dict[str, Json]:
    """An act of the host's administrator, as docs/formats/keys.md has it, and its answer. Refusal parameter `isi`, or the act's own."""
    asked = read_strict(body)
    try:
        match asked:
            case {"act": "propose", "keys": str(), "fingerprint": str(), "notice": str(), "date": str()} if len(asked) == 5:
                row = propose(office, b64decode(asked["keys"], validate=True), asked["fingerprint"], Notice(asked["notice"], date.fromisoformat(asked["date"])), now)
                return {"system": row.system, "until": utc_text(now + WAITS)}
            case {"act": "withdraw", "system": str()} if len(asked) == 2:
                withdraw(office, asked["system"], now)
                return {"system": asked["system"]}
            case {"act": "end_overlap", "system": str()} if len(asked) == 2:
                end_overlap(office, asked["system"], now)
                return {"system": asked["system"]}
            case {"act": "revoke", "system": str(), "since": str(), "reason": str()} if len(asked) == 4:
                return revoked_answer(asked["system"], revoke(office, None, asked["system"], read_time(asked["since"]), asked["reason"], now))
    except (ValueError, TypeError):  # a date or base64 of something else
        raise Refusal("parameter", parameter="isi") from None
    raise Refusal("parameter", parameter="isi")


# --- an officer of the party
def confirm(office: Office, person: Person, system: str, fingerprint: str, now: datetime, answer: bytes | None = None) -> PeerRow:
    """The set counts from here on; the one before it signs for the overlap. Recorded, also when it is refused.

    answer: of a passkey, where no request signed with their own key asks. Refusal persetujuan, kunci_pihak, wewenang, belum_dijamin, kunci_tidak_ada (also for a proposal of more than 7 days), kunci_sidik, kunci_bentuk, kunci_dipakai, kunci_dicabut.
    """
    try:
        return _confirm(office, person, system, fingerprint, now, answer)
    except Refusal as refusal:
        raise refused(office, person, refusal, now) from None


def confirmable(office: Office, person: Person, system: str, fingerprint: str, now: datetime) -> PeerRow:
    """The proposal that the person could confirm now, of exactly this fingerprint. Changes nothing; refused and recorded as `confirm`."""
    try:
        with office.ledger.database.read() as tx:
            return _confirmable(office, tx, person, system, fingerprint, now)[0]
    except Refusal as refusal:
        raise refused(office, person, refusal, now) from None


def about(system: str, fingerprint: str) -> dict[str, Json]:
    """What a passkey confirms."""
    return {"fingerprint": plain(fingerprint), "system": system}


def _confirmable(office: Office, tx: Transaction, person: Person, system: str, fingerprint: str, now: datetime) -> tuple[PeerRow, PublicSet, bool]:
    """The proposal, its keys, and whether the person is vouched for."""
    _own(office, person, system, now)
    is_vouched = vouched(office, person)
    if not is_vouched and not is_new(office, person.party):
        raise Refusal("belum_dijamin")
    waiting = _waiting(tx, system, now)
    if waiting is None:
        raise Refusal("kunci_tidak_ada")
    if waiting.fingerprint != plain(fingerprint):
        raise Refusal("kunci_sidik")
    public = read_set(waiting.file, system, waiting.fingerprint)
    if public is None:  # changed since it was proposed
        raise Refusal("kunci_bentuk")
    _enrollable(office, tx, public, waiting.file)
    return waiting, public, is_vouched


def _confirm(office: Office, person: Person, system: str, fingerprint: str, now: datetime, answer: bytes | None) -> PeerRow:
    with office.ledger.writing() as book:
        waiting, public, is_vouched = _confirmable(office, book.tx, person, system, fingerprint, now)
        kept = {} if answer is None else proven(office, book.tx, person, CONFIRM_KEYS, about(system, fingerprint), answer, now)
        at, peers = utc_text(now), book.tx.peers
        for row in peers.of(system):
            if row.state == "active":
                peers.change(row.fingerprint, state="retired", until=utc_text(now + OVERLAP))
        peers.change(waiting.fingerprint, state="active", confirmed=at, confirmed_by=person.id, vouched=int(is_vouched), not_after=utc_text(now + LIFE))
        peers.keep_kids(system, _kids(public))
        done = peers.get(waiting.fingerprint)
        assert done is not None
        notice = Notice(done.notice, date.fromisoformat(done.notice_date))
        _record(
            office, book, "confirmed", done, now, confirmed_by=person.id, kids=_kids(public), not_after=done.not_after, notice_sha256=notice.sha256,
            proposed_by=HOST, vouched=is_vouched, **kept,
        )  # fmt: skip
    return done


# --- either
def revoke(office: Office, person: Person | None, system: str, since: datetime, reason: str, now: datetime) -> list[Affected]:
    """Every set of the system counts for nothing from here on, and none of its keys ever again; the exchanges that it signed or received since then.

    person: the officer of the party who asks; None for the host. Refusal parameter, kunci_pihak, wewenang, kunci_tidak_ada.
    """
    if reason not in REASONS or since > now:
        raise Refusal("parameter", parameter="alasan" if reason not in REASONS else "sejak")
    if person is not None:
        try:
            _own(office, person, system, now)
        except Refusal as refusal:
            raise refused(office, person, refusal, now) from None
    with office.ledger.writing() as book:
        rows = [row for row in book.tx.peers.of(system) if row.state in ("active", "retired")]
        if not rows:
            raise Refusal("kunci_tidak_ada")
        by = HOST if person is None else person.id
        affected = book.tx.peers.affected(system, utc_text(since))
        book.tx.peers.revoke_kids(system)
        for row in rows:
            book.tx.peers.change(row.fingerprint, state="revoked", revoked=utc_text(now), revoked_by=by, compromised_since=utc_text(since), reason=reason)
            _record(office, book, "revoked", row, now, exchanges=len(affected), reason=reason, revoked_by=by, since=utc_text(since))
    return affected


def revoked_answer(system: str, affected: list[Affected]) -> dict[str, Json]:
    listed: list[Json] = [{"dataset": a.dataset, "exchange": a.exchange, "recipient": a.recipient, "sender": a.sender, "time": a.time} for a in affected]
    return {"system": system, "exchanges": listed}


def confirmed(office: Office, fingerprint: str, now: datetime) -> bytes:
    """That a set is active, as the broker signs it: a DSSE by the receipt key of its own log. For anyone. Refusal kunci_tidak_ada."""
    with office.ledger.database.read() as tx:
        row = tx.peers.get(fingerprint)
    if row is None or row.state != "active":
        raise Refusal("kunci_tidak_ada")
    said: dict[str, Json] = {"fingerprint": row.fingerprint, "system": row.system, "time": utc_text(now), "type": "sinergi/key-confirmed/v1"}
    return sign_dsse(CONFIRMED, canonical(said), office.rings[BROKER_LOG].get(ReceiptKey, "receipt")).to_json()


def proposed(office: Office, system: str, now: datetime) -> PeerRow | None:
    """What waits for its confirmation."""
    with office.ledger.database.read() as tx:
        return _waiting(tx, system, now)


def lapses(row: PeerRow) -> str:
    """When a proposal that nobody confirms is none any more."""
    return utc_text(datetime.fromisoformat(row.proposed) + WAITS)


# --- what they share
def _own(office: Office, person: Person, system: str, now: datetime) -> None:
    """Refusal kunci_pihak for a system that is not of the person's party; wewenang for who may not act for it today."""
    agreements = [a.id for a in office.agreements.values() if a.systems.get(person.party) == system]
    if not agreements:
        raise Refusal("kunci_pihak")
    if not any(may(person, CONFIRM, name, wib_date(now)) for name in agreements):
        raise Refusal("wewenang", tindakan=CONFIRM)


def _waiting(tx: Transaction, system: str, now: datetime) -> PeerRow | None:
    """The proposal that waits for its confirmation."""
    since = utc_text(now - WAITS)
    return next((row for row in tx.peers.of(system) if row.state == "proposed" and row.proposed > since), None)


def _enrollable(office: Office, tx: Transaction, public: PublicSet, file: bytes) -> None:
    """Refusal kunci_bentuk, kunci_dicabut or kunci_dipakai."""
    known = {system for a in office.agreements.values() for system in a.systems.values()}
    if public.owner not in known or read_set(file, public.owner, plain(public.fingerprint)) is None or not sound(tuple(public.keys.values())):
        raise Refusal("kunci_bentuk")
    before = {kid: tx.peers.kid(kid) for kid in _kids(public)}
    if any(found is not None and found[1] for found in before.values()):
        raise Refusal("kunci_dicabut")
    same = tx.peers.get(plain(public.fingerprint))
    if (same is not None and same.confirmed is not None) or any(found is not None and found[0] != public.owner for found in before.values()):
        raise Refusal("kunci_dipakai")
    if any(tx.people.by_kid(kid) for kid in before):
        raise Refusal("kunci_dipakai")


def _kids(public: PublicSet) -> list[str]:
    return sorted(key.kid for key in public.keys.values())


def _record(office: Office, book: Book, act: str, row: PeerRow, now: datetime, **facts: Json) -> None:
    entry = event("keys", now, act=act, fingerprint=row.fingerprint, system=row.system, **facts)
    for log in (BROKER_LOG, *sorted(a.id for a in office.agreements.values() if row.system in a.systems.values())):
        book.append(log, entry)
