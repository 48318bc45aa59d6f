"""Who is behind a token that a party received: asked with a ground and a reason, approved by each party, sealed to the asker's party, once.

1. An operator of the recipient names an exchange that their party fetched, and tokens of it; the request is judged, stored with its tokens
sealed, and recorded. 2. One officer of each party approves, two of each where it is many; one of them can end it. 3. Within a day of the
last approval the asker fetches: in one transaction everything is judged again, the tokens are turned back with the exchange's pseudonym
keys, the answer is sealed, and what was told of whom is recorded; only then does it leave. Nothing is kept of it.

No identifier enters an entry: a person is named by their reference in that exchange. Nobody can hand in a number and be given its token.
A token of another exchange, of another domain, of no person and of someone erased are answered alike.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from broker.agreement import in_force
from broker.assertions import OPEN_IDENTITIES, proven
from broker.audit.asked import reasoned, refused
from broker.audit.subject import FETCHED_WITHIN, PENDING, asked_about, seal_asked
from broker.contract.parse import NDJSON_TYPE
from broker.envelope import seal
from broker.errors import Held, Refusal
from broker.gates import not_stopped, recipient_keys
from broker.jcs import canonical
from broker.keys import ref_key
from broker.keys.cmac import ecb
from broker.ledger import RELEASED
from broker.lifecycle.officers import READ, agreements_of
from broker.model import MAP, WIB, Level, System, utc_text, wib_date
from broker.record import event, tags_in
from broker.roles import may
from broker.store import Identities, IdentityRequest
from broker.treatment import NIK, PERSONS, TOKEN, DomainKey, epoch_of, turned_back
from broker.vouching import denied, vouched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.record import Book
    from broker.store import ExchangeRow, Transaction

ASK: Final = "minta_identitas"
APPROVE: Final = "buka_samaran"
KIND: Final = "identitas"  # of the sealed answer's envelope
FEW: Final = 20  # tokens of a party and month that one officer of each party may open; from there on it is a list of people, and takes two of each
QUOTA: Final = 200  # tokens a party may ask about in a month (WIB), ten a working day: complaints and corrections are about persons, not about files
GROUNDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pasal_20_2_a": "UU 27/2022 Pasal 20 ayat (2) huruf a: persetujuan Subjek Data Pribadi",
        "pasal_20_2_c": "UU 27/2022 Pasal 20 ayat (2) huruf c: kewajiban hukum Pengendali Data Pribadi",
        "pasal_20_2_d": "UU 27/2022 Pasal 20 ayat (2) huruf d: kepentingan vital Subjek Data Pribadi",
        "pasal_20_2_e": "UU 27/2022 Pasal 20 ayat (2) huruf e: kepentingan umum, pelayanan publik, atau kewenangan menurut undang-undang",
        "pasal_30_1": "UU 27/2022 Pasal 30 ayat (1): memperbaiki data yang salah atau tidak akurat",
        "mutu_data": "Nota Kesepakatan, pasal mutu data: memastikan data yang dipertukarkan akurat",
    }
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. tokens: as received in `exchange`. ground: a code of GROUNDS; reason: in words, without anyone's number."""

    agreement: str
    exchange: str
    ground: str
    reason: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as others may see it, and who approved it so far."""

    row: IdentityRequest
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The sealed answer, and the entry that says it was given, with its place in the agreement's log."""

    envelope: bytes
    log: str
    entry: bytes
    index: int
    inclusion: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class _Exchange:
    """An exchange that the asker's party received. key: of its references."""

    row: ExchangeRow
    manifest: Mapping[str, Any]
    key: bytes


# --- asking
def ask(office: Office, person: Person, question: Question, now: datetime) -> Shown:
    """The request, which waits. Refusal wewenang, dasar_identitas, alasan, samaran, parameter, tidak_ada, kuota_identitas; whatever stops an exchange."""
    agreement = _allowed(office, person, ASK, question.agreement, now)
    if question.ground not in GROUNDS:
        raise Refusal("dasar_identitas")
    reasoned(question.reason)
    if TOKEN.search(question.reason):
        raise Refusal("alasan")
    _well_formed(question.tokens)
    name = secrets.token_hex(16)
    try:
        with office.ledger.writing() as book:
            book.tx.identities.lapse(utc_text(now))
            _received(office, book.tx, person, agreement, question.exchange, now)
            used = book.tx.identities.used(agreement, person.party, _month(now))
            if used + len(question.tokens) > QUOTA:
                raise Refusal("kuota_identitas", batas=QUOTA, dipakai=used)
            row = IdentityRequest(
                id=name, agreement=agreement, party=person.party, person=person.id, exchange=question.exchange, ground=question.ground, reason=question.reason,
                subjects=len(question.tokens), pairs=1 if used + len(question.tokens) <= FEW else 2, asked=utc_text(now), state="pending",
                until=utc_text(now + PENDING), sealed=seal_asked(office, agreement, name, question.tokens),
            )  # fmt: skip
            book.tx.identities.add(row)
            _record(book, row, "asked", person, now)
    except Held:
        raise
    except Refusal as refusal:
        raise refused(office, person, agreement, refusal, now) from None
    return Shown(row, ())


def _allowed(office: Office, person: Person, act: str, agreement: str, now: datetime) -> str:
    """The agreement. Refusal wewenang or belum_dijamin, recorded, unless it is of the person's party, they may do the act in it today, and their system vouches for their key."""
    if agreement not in agreements_of(office, person, act, now) or not vouched(office, person):
        raise refused(office, person, agreement, denied(office, person, act), now)
    return agreement


def _well_formed(tokens: Sequence[str]) -> None:
    """Refusal samaran names the place in the list, parameter an empty or too long one."""
    if not 1 <= len(tokens) <= QUOTA:
        raise Refusal("parameter", parameter="tokens")
    epoch = epoch_of(tokens[0])
    for number, token in enumerate(tokens, 1):
        if epoch is None or epoch_of(token) != epoch or token in tokens[: number - 1]:
            raise Refusal("samaran", nomor=number)


def _month(now: datetime) -> str:
    """When the civil month (UTC+7) of `now` began."""
    return utc_text(now.astimezone(WIB).replace(day=1, hour=0, minute=0, second=0, microsecond=0))


def _received(office: Office, tx: Transaction, person: Person, agreement: str, exchange: str, now: datetime) -> _Exchange:
    """The exchange, if the person's party fetched it under this agreement and it may flow now.

    Refusal tidak_ada: there is none, it is another's, or nobody fetched it. belum_berlaku, berakhir, dihentikan; retensi, rahasia_dihapus.
    """
    row = tx.exchange(exchange)
    if row is None or row.manifest is None or row.agreement != agreement or System(row.recipient).party != person.party or row.state not in ("delivered", "receipted"):
        raise Refusal("tidak_ada")
    in_force(office.agreements[agreement], wib_date(now))
    not_stopped(office, tx, now, agreement, *office.agreements[agreement].parties)
    if tx.kept.dropped(exchange):
        raise Refusal("retensi")
    key = ref_key(office.rings[agreement].secrets("root"), bytes.fromhex(exchange), tx.kept.secret(exchange))
    if key is None:
        raise Refusal("rahasia_dihapus")
    return _Exchange(row, json.loads(row.manifest), key)


def _record(book: Book, row: IdentityRequest, act: str, person: Person, now: datetime, **more: Json) -> tuple[bytes, int, int, str]:
    """The entry, its index, the log's size with it, and the checkpoint over it."""
    entry = event(
        "identity", now, act=act, exchange=row.exchange, ground=row.ground, person=person.id, reason_sha256=sha256(row.reason.encode()).hexdigest(), request=row.id,
        subjects=row.subjects, **more,
    )  # fmt: skip
    appended = book.append(row.agreement, entry)
    return entry, appended.index, appended.size, appended.checkpoint


# --- the two parties
def open_requests(office: Office, person: Person, now: datetime) -> list[Shown]:
    """Requests that wait, by agreement: to an operator those of their party, to who approves all of their agreements. Refusal wewenang for anyone else."""
    return _seen_by(office, person, now, Identities.open)


def requests(office: Office, person: Person, now: datetime) -> list[Shown]:
    """The same whatever became of them, the newest first. Refusal wewenang."""
    return sorted(_seen_by(office, person, now, Identities.of), key=lambda one: (one.row.asked, one.row.id), reverse=True)


def _seen_by(office: Office, person: Person, now: datetime, rows: Callable[[Identities, str], list[IdentityRequest]]) -> list[Shown]:
    mine = {act: agreements_of(office, person, act, now) for act in (ASK, APPROVE)}
    if not any(mine.values()) or not vouched(office, person):
        raise Refusal("wewenang", tindakan=APPROVE)
    with office.ledger.writing() as book:
        identities = book.tx.identities
        identities.lapse(utc_text(now))
        found = [row for name in office.agreements for row in rows(identities, name) if name in mine[APPROVE] or (name in mine[ASK] and row.party == person.party)]
        return [_shown(book.tx, row) for row in found]


def used(office: Office, person: Person, agreement: str, now: datetime) -> int:
    """How many tokens of QUOTA the person's party asked about in this civil month."""
    with office.ledger.database.read() as tx:
        return tx.identities.used(agreement, person.party, _month(now))


def request(office: Office, person: Person, name: str, now: datetime) -> Shown:
    """A request whatever became of it, for who asks in its party, approves in its agreement or reads its log. Refusal permintaan_tidak_ada."""
    with office.ledger.database.read() as tx:
        row = tx.identities.request(name)
        if row is not None and vouched(office, person):
            asks = row.party == person.party and row.agreement in agreements_of(office, person, ASK, now)
            if asks or any(row.agreement in agreements_of(office, person, act, now) for act in (APPROVE, READ)):
                return _shown(tx, row)
    raise Refusal("permintaan_tidak_ada")


def _shown(tx: Transaction, row: IdentityRequest) -> Shown:
    return Shown(row, tuple(tx.identities.approvers(row.id)))


def decide(office: Office, person: Person, name: str, now: datetime, *, approve: bool, answer: bytes | None = None) -> Shown:
    """Approves a request for the person's party, or ends it, for both, until it is answered. answer: of a passkey that approves.

    Refusal permintaan_tidak_ada, permintaan_keadaan, wewenang, persetujuan.
    """
    with office.ledger.database.read() as tx:
        found = tx.identities.request(name)
    if found is None or not may(person, APPROVE, found.agreement, wib_date(now)):
        raise Refusal("permintaan_tidak_ada")
    _allowed(office, person, APPROVE, found.agreement, now)
    try:
        return _decided(office, person, name, now, answer, approve=approve)
    except Refusal as refusal:
        if refusal.reason != "persetujuan":
            raise
        raise refused(office, person, found.agreement, refusal, now) from None


def _decided(office: Office, person: Person, name: str, now: datetime, answer: bytes | None, *, approve: bool) -> Shown:
    with office.ledger.writing() as book:
        identities = book.tx.identities
        identities.lapse(utc_text(now))
        row = _in_state(book.tx, name, *(("pending",) if approve else ("pending", "approved")))
        if not approve:
            identities.change(name, state="declined", sealed=None)
        elif not identities.approve(name, person.id):
            raise Refusal("permintaan_keadaan", keadaan=row.state)
        elif _enough(office, book.tx, row, now):
            identities.change(name, state="approved", until=utc_text(now + FETCHED_WITHIN))
        kept = {} if answer is None or not approve else proven(office, book.tx, person, OPEN_IDENTITIES, about(row), answer, now)
        _record(book, row, "approved" if approve else "declined", person, now, **kept)
        return _shown(book.tx, _in_state(book.tx, name, "pending", "approved", "declined"))


def about(row: IdentityRequest) -> dict[str, Json]:
    """What a passkey approves: how many tokens, of which exchange, on which ground and for which reason. The tokens are in the request, and not shown."""
    return {
        "agreement": row.agreement, "exchange": row.exchange, "ground": row.ground, "reason_sha256": sha256(row.reason.encode()).hexdigest(), "request": row.id, "subjects": row.subjects,
    }  # fmt: skip


def _in_state(tx: Transaction, name: str, *wanted: str) -> IdentityRequest:
    row = tx.identities.request(name)
    if row is None or row.state not in wanted:
        raise Refusal("permintaan_keadaan", keadaan=row.state if row else "expired")
    return row


def _enough(office: Office, tx: Transaction, row: IdentityRequest, now: datetime) -> bool:
    """Whether as many officers of each party approved as must, who all still may: one who is no longer in office never did."""
    found = [person for name in tx.identities.approvers(row.id) if (person := tx.people.get(name)) is not None]
    parties = [person.party for person in found if row.agreement in agreements_of(office, person, APPROVE, now) and vouched(office, person)]
    return all(parties.count(party) >= row.pairs for party in office.agreements[row.agreement].parties)


# --- answering
def answer(office: Office, person: Person, name: str, now: datetime) -> Answer:
    """The answer to the person's own approved request, sealed to their party's system; once. Refusal as for asking, permintaan_tidak_ada, permintaan_keadaan."""
    with office.ledger.writing() as book:
        book.tx.identities.lapse(utc_text(now))
        row = book.tx.identities.request(name)
    if row is None or row.person != person.id:
        raise Refusal("permintaan_tidak_ada")
    agreement = _allowed(office, person, ASK, row.agreement, now)
    try:
        with office.ledger.writing() as book:
            row = _in_state(book.tx, name, "approved")
            if not _enough(office, book.tx, row, now):
                raise Refusal("permintaan_keadaan", keadaan="pending")
            exchange = _received(office, book.tx, person, agreement, row.exchange, now)
            tokens = asked_about(office, row)
            told = _behind(office, book.tx, exchange, tokens)
            envelope = _sealed(office, exchange, tokens, told, now)
            book.tx.identities.change(name, state="answered", sealed=None)
            refs = sorted({one.ref.hex() for one in told.values()})
            entry, index, size, checkpoint = _record(
                book, row, "answered", person, now, envelope_sha256=sha256(envelope).hexdigest(), recipient=exchange.row.recipient, refs=refs, told=len(told)
            )
    except Held:
        raise
    except Refusal as refusal:
        raise refused(office, person, agreement, refusal, now) from None
    return Answer(envelope, agreement, entry, index, tuple(office.ledger.inclusion(agreement, index, size)), checkpoint)


@dataclass(frozen=True, slots=True, repr=False)
class _Identity:
    kind: str
    number: str
    ref: bytes


def _behind(office: Office, tx: Transaction, exchange: _Exchange, tokens: Sequence[str]) -> dict[str, _Identity]:
    """Who is behind each token that this exchange released; a token that it did not is left out.

    Of who a token turns back to, the vault must know them, and a released row of theirs must have shown a column of that entity, or a text, as tokens.
    """
    row, ring = exchange.row, office.rings[exchange.row.agreement]
    in_vault, vault = tags_in(tx, office.rings, row.agreement), tx.vault(row.agreement)
    epoch = epoch_of(tokens[0])
    root = ring.seeds("root").get(epoch or 0)
    if epoch is None or root is None:
        return {}  # of an epoch whose root is gone nothing turns back
    known: dict[str, tuple[str, _Identity]] = {}  # a token is of one domain, and so of one entity
    for entity, kind in PERSONS.items():
        key = DomainKey.of(
            root, agreement=row.agreement, sender=System(row.sender).party, recipient=System(row.recipient).party, entity=entity, purpose=row.purpose, epoch=epoch
        )
        numbers = {token: number for token, number in zip(tokens, turned_back(tokens, entity, key), strict=True) if number is not None}
        names = [number if kind == NIK else f"paspor:{number}" for number in numbers.values()]
        tags = in_vault.people(pl.Series(names, dtype=pl.String))
        for (token, number), tag in zip(numbers.items(), tags, strict=True):
            person = vault.find(tag.tobytes())
            if person is None:
                continue
            ref = ecb(exchange.key, np.frombuffer(person, np.uint8).reshape(1, -1)).tobytes()
            known[token] = entity, _Identity(kind, number, ref)
    leaves = tx.leaves_of({row.id: [one.ref for _, one in known.values()]})
    return {token: one for token, (entity, one) in known.items() if any(_shows(office, exchange, leaf, entity) for leaf in leaves.get((row.id, one.ref), ()))}


def _shows(office: Office, exchange: _Exchange, leaf: bytes, entity: str) -> bool:
    """Whether the row of a stored leaf left with tokens of the entity in it."""
    if leaf[50] != RELEASED:
        return False
    manifest, contract = exchange.manifest, office.contracts.get(exchange.row.dataset)
    if contract is None:
        return exchange.row.dataset == MAP and bool(manifest["submission"]["entity"] == entity)
    bearing = {column.name for column in contract.columns if column.token == entity or column.type == "text"}
    levels = manifest["profiles"][int.from_bytes(leaf[48:50], "big")]["levels"]
    return any(column in bearing and int(level) == Level.PSEUDONYM for column, level in zip(manifest["columns"], levels, strict=True))


def _sealed(office: Office, exchange: _Exchange, tokens: Sequence[str], told: Mapping[str, _Identity], now: datetime) -> bytes:
    """An SNG1 envelope to the recipient's system: a line per token in the order asked, `jenis` and `nomor` null where nobody is told."""
    row = exchange.row
    core: dict[str, str | int] = {
        "agreement": row.agreement, "content_type": NDJSON_TYPE, "created": utc_text(now), "dataset": row.dataset, "exchange": row.id, "kind": KIND, "purpose": row.purpose,
        "recipient": row.recipient, "sender": row.sender, "template": exchange.manifest["contract"]["template"], "v": 1,
    }  # fmt: skip
    sealer = seal(core, recipient_keys(office, office.agreements[row.agreement], System(row.recipient), wib_date(now)))
    lines = [{"jenis": one.kind if one else None, "nomor": one.number if one else None, "samaran": token} for token in tokens for one in [told.get(token)]]
    return sealer.header.prefix + sealer.update(b"".join(canonical(line) + b"\n" for line in lines)) + sealer.finish()


def as_json(answer: Answer) -> dict[str, Json]:
    """As docs/formats/reidentify.md has it."""
    return {
        "checkpoint": answer.checkpoint, "entry": b64encode(answer.entry).decode(), "envelope": b64encode(answer.envelope).decode(),
        "inclusion": [b64encode(h).decode() for h in answer.inclusion], "index": answer.index, "log": answer.log,
    }  # fmt: skip
