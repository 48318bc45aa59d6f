"""Who received what about a person: asked by who may, with a written reason; above 20 people, or from outside, only with a second person.

1. The request is judged, stored and recorded; what needs an approver waits, the people it is about sealed under a key of the agreement's
root. 2. Another person approves or declines it: they see who asks, why, how many, over which days. 3. The answer is looked up, recorded,
and given once; then nothing says any more whom it was about. No entry, error or row in the clear holds an identity number or its digest.

A person that was never seen and one that was erased are answered alike.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from broker.audit.asked import allowed, names_of, reasoned, refused
from broker.audit.search import EXCHANGE, ID, OUTCOME, facts_of, states
from broker.errors import NotOpened, Refusal
from broker.identity.sealed import seal_secret, unseal_secret
from broker.jcs import canonical
from broker.keys import derive, ref_key, referred
from broker.ledger import OUTCOMES, RELEASED
from broker.ledger.openings import presence_json
from broker.lifecycle.officers import READ, readable
from broker.model import utc_text, wib_date
from broker.record import event, leaf_tree, tags_in
from broker.roles import BODIES, may
from broker.store import SubjectRequest, type_text
from broker.vouching import denied, vouched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.record import Book
    from broker.store import IdentityRequest, Transaction

SEARCH: Final = "cari_subjek"
ALONE: Final = 20  # that one person asks about within a day without a second
ALONE_WITHIN: Final = timedelta(hours=24)
PENDING: Final = timedelta(days=7)  # that a request waits for its approver
FETCHED_WITHIN: Final = timedelta(hours=24)  # of its approval
IDENTITY: Final = type_text("identity")
_WORDS: Final = {code: word for word, code in OUTCOMES.items()}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. subjects: NIK (16 digits) or passport numbers. starts, ends: civil dates (UTC+7), both inclusive."""

    agreement: str
    starts: date
    ends: date
    reason: str
    subjects: tuple[str, ...]
    proofs: bool = False


@dataclass(frozen=True, slots=True)
class Disclosure:
    """An exchange that has leaves of a person. outcomes, sequences: per leaf, the row from 0. levels: column → the highest a released row of theirs had."""

    exchange: str
    index: int
    time: str
    sender: str
    recipient: str
    dataset: str
    purpose: str
    clauses: tuple[str, ...]
    policy_version: int
    state: str
    outcomes: tuple[str, ...]
    sequences: tuple[int, ...]
    levels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """That someone was told who is behind the person's token. person: who asked, at `asked`, for the system `recipient`; approvers: who agreed; time: of the answer, at `index`."""

    exchange: str
    index: int
    time: str
    asked: str
    person: str
    recipient: str
    ground: str
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, in the order asked. known: the vault has a number of theirs; if not, nothing was looked for, and nothing is said of them.

    identities: of who was told whose token it is, newest first. without: exchanges looked through that have no leaf of theirs; 0 of who is not known. proofs: as docs/formats/audit.md says.
    """

    known: bool
    disclosures: tuple[Disclosure, ...]
    without: int
    proofs: tuple[Mapping[str, Any], ...]
    identities: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """size: of the agreement's log that it is of. looked: exchanges looked through; unlooked: those whose leaves or key are gone.

    untold: of how many answers about tokens nobody can say any more whom they told of, for the same reason.
    """

    request: str
    agreement: str
    starts: str
    ends: str
    asked: str
    answered: str
    size: int
    looked: int
    unlooked: tuple[str, ...]
    subjects: tuple[Subject, ...]
    untold: int

    @property
    def hits(self) -> int:
        return sum(len(subject.disclosures) for subject in self.subjects)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


# --- asking
def ask(office: Office, person: Person, question: Question, now: datetime) -> SubjectRequest | Answer:
    """The answer; or the request that waits for a second person. Refusal wewenang, alasan, subjek, parameter."""
    allowed(office, person, SEARCH, question.agreement, now, outside=True)
    names = _names(question)
    reasoned(question.reason, question.subjects)
    name = secrets.token_hex(16)
    with office.ledger.writing() as book:
        book.tx.audit.lapse(utc_text(now))
        count = len(names) + book.tx.audit.unapproved(person.id, utc_text(now - ALONE_WITHIN))
        alone = count <= ALONE and person.party not in BODIES
        row = SubjectRequest(
            id=name, agreement=question.agreement, person=person.id, asked=utc_text(now), starts=question.starts.isoformat(), ends=question.ends.isoformat(),
            subjects=len(names), reason=question.reason, proofs=question.proofs, state="approved" if alone else "pending", approver=None,
            until=utc_text(now + (FETCHED_WITHIN if alone else PENDING)), sealed=None if alone else seal_asked(office, question.agreement, name, question.subjects),
        )  # fmt: skip
        book.tx.audit.add(row)
        _record(book, row, "asked", person, now)
    return _answered(office, person, row, names, now) if alone else row


def _names(question: Question) -> list[str]:
    if question.starts > question.ends:
        raise Refusal("parameter", parameter="from")
    return names_of(question.subjects)


def seal_asked(office: Office, agreement: str, request: str, subjects: Sequence[str]) -> bytes:
    """What a request that waits keeps of whom, or of which tokens, it is about."""
    return seal_secret(_sealing_keys(office, agreement, request)[0], canonical(list(subjects)), request.encode())


def asked_about(office: Office, row: SubjectRequest | IdentityRequest) -> tuple[str, ...]:
    """Whom a request that waits is about. Refusal permintaan_tidak_ada once nothing says so any more."""
    try:
        return tuple(json.loads(unseal_secret(row.sealed or b"", row.id.encode(), *_sealing_keys(office, row.agreement, row.id))))
    except NotOpened:
        raise Refusal("permintaan_tidak_ada") from None


def _sealing_keys(office: Office, agreement: str, request: str) -> list[bytes]:
    """Of the root in use, then of those before it: a request may wait while the root is rotated."""
    return [derive(root, "ask", request.encode()) for root in office.rings[agreement].secrets("root").values()]


# --- the second person
def open_requests(office: Office, person: Person, now: datetime) -> list[SubjectRequest]:
    """Requests that wait, in the agreements whose log the person reads and where they may search subjects. Refusal wewenang or belum_dijamin if there is none."""
    mine = [name for name in readable(office, person, now) if may(person, SEARCH, name, wib_date(now))]
    if not mine:
        raise denied(office, person, SEARCH)
    with office.ledger.writing() as book:
        book.tx.audit.lapse(utc_text(now))
        return [row for name in mine for row in book.tx.audit.open(name)]


def request(office: Office, person: Person, name: str, now: datetime) -> SubjectRequest:
    """A request whatever became of it, for who reads the agreement's log. Refusal permintaan_tidak_ada."""
    with office.ledger.database.read() as tx:
        row = _request(tx, person, name, READ, now)
    if row.agreement not in readable(office, person, now):
        raise Refusal("permintaan_tidak_ada")
    return row


def decide(office: Office, person: Person, name: str, now: datetime, *, approve: bool) -> SubjectRequest:
    """Approves or declines another's request. Refusal permintaan_tidak_ada, permintaan_keadaan, setuju_sendiri, wewenang, belum_dijamin."""
    with office.ledger.database.read() as tx:
        row = _request(tx, person, name, SEARCH, now)
    if not vouched(office, person):
        raise refused(office, person, row.agreement, denied(office, person, SEARCH), now)
    if approve and row.person == person.id:
        raise refused(office, person, row.agreement, Refusal("setuju_sendiri"), now)
    with office.ledger.writing() as book:
        book.tx.audit.lapse(utc_text(now))  # for itself: a refusal below takes back what it is in
    with office.ledger.writing() as book:
        row = _in_state(book.tx, name, "pending")
        if approve:
            book.tx.audit.change(name, state="approved", approver=person.id, until=utc_text(now + FETCHED_WITHIN))
        else:
            book.tx.audit.change(name, state="declined", approver=person.id, sealed=None)
        _record(book, row, "approved" if approve else "declined", person, now)
        return _in_state(book.tx, name, "approved", "declined")


def answer(office: Office, person: Person, name: str, now: datetime) -> Answer:
    """The answer to the person's own approved request; once. Refusal permintaan_tidak_ada, permintaan_keadaan, wewenang."""
    with office.ledger.writing() as book:
        book.tx.audit.lapse(utc_text(now))
    with office.ledger.database.read() as tx:
        row = _request(tx, person, name, SEARCH, now)
        if row.person != person.id:
            raise Refusal("permintaan_tidak_ada")
        row = _in_state(tx, name, "approved")
        second = tx.people.get(row.approver or "")
    allowed(office, person, SEARCH, row.agreement, now, outside=True)
    if second is None or not may(second, SEARCH, row.agreement, wib_date(now)) or not vouched(office, second):
        raise Refusal("permintaan_keadaan", keadaan="pending")  # who approved is no longer in office: as if they had not
    question = Question(row.agreement, date.fromisoformat(row.starts), date.fromisoformat(row.ends), row.reason, asked_about(office, row))
    return _answered(office, person, row, _names(question), now)


def _request(tx: Transaction, person: Person, name: str, act: str, now: datetime) -> SubjectRequest:
    row = tx.audit.request(name)
    if row is None or not may(person, act, row.agreement, wib_date(now)):
        raise Refusal("permintaan_tidak_ada")
    return row


def _in_state(tx: Transaction, name: str, *wanted: str) -> SubjectRequest:
    row = tx.audit.request(name)
    if row is None or row.state not in wanted:
        raise Refusal("permintaan_keadaan", keadaan=row.state if row else "expired")
    return row


def _record(book: Book, row: SubjectRequest, act: str, person: Person, now: datetime, **more: Json) -> None:
    said: dict[str, Json] = {
        "from": row.starts, "person": person.id, "reason_sha256": sha256(row.reason.encode()).hexdigest(), "request": row.id, "subjects": row.subjects, "to": row.ends,
    }  # fmt: skip
    book.append(row.agreement, event("query", now, act=act, **said, **more))


# --- answering
def _answered(office: Office, person: Person, row: SubjectRequest, names: Sequence[str], now: datetime) -> Answer:
    """Looks, records that it was answered, and only then returns; a request answers once, however often it is asked at the same time."""
    found = look(office, row, names, now)
    with office.ledger.writing() as book:
        _in_state(book.tx, row.id, "approved")
        book.tx.audit.change(row.id, state="answered", sealed=None)
        _record(book, row, "answered", person, now, hits=found.hits, looked=found.looked)
    return found


def look(office: Office, row: SubjectRequest, names: Sequence[str], now: datetime) -> Answer:
    """What the leaves of an agreement's exchanges say of the people. names: as their tags are made of. Asks nobody's leave and records nothing."""
    roots, size = office.rings[row.agreement].secrets("root"), office.ledger.size(row.agreement)
    with office.ledger.database.read(mapped=True) as tx:
        tags = tags_in(tx, office.rings, row.agreement).people(pl.Series(names, dtype=pl.String))
        vault, erased = tx.vault(row.agreement), tx.kept.secrets(row.agreement)
        ids = [vault.find(tag.tobytes()) for tag in tags]
        known = b"".join(filter(None, ids))
        stored, manifests, refs, unlooked, outcomes, identities = tx.leaf_counts(), {}, {}, [], [], []
        for index, entry in tx.audit.entries(row.agreement, size):
            if OUTCOME in entry:
                outcomes.append(entry)
            if EXCHANGE not in entry:
                if IDENTITY in entry:
                    identities.append((index, json.loads(entry)))
                continue
            facts = facts_of(entry)
            name = facts.exchange or ""
            if not row.starts <= str(facts.words["hari"][0]) <= row.ends:
                continue
            key = ref_key(roots, bytes.fromhex(name), erased.get(name))
            if key is None or stored.get(name, 0) != facts.words["daun"][0]:
                unlooked.append(name)
                continue
            manifests[name] = (index, entry)
            made = BytesIO(referred(key, known))
            refs[name] = [None if who is None else made.read(16) for who in ids]
        told, untold = [], 0
        for one, whose in _told(identities, row):
            key = ref_key(roots, bytes.fromhex(one.exchange), erased.get(one.exchange))
            if key is None:
                untold += 1
                continue
            made = BytesIO(referred(key, known))
            told.append((one, [who is not None and made.read(16).hex() in whose for who in ids]))
        leaves = tx.leaves_of({name: [ref for ref in of if ref is not None] for name, of in refs.items()})
        reached = {name for name, _ in leaves}
        state = states(entry for entry in outcomes if entry[ID].decode() in reached)
        subjects = []
        for number in range(len(names)):
            hits = {name: leaves[name, ref] for name, of in refs.items() if (ref := of[number]) is not None and (name, ref) in leaves}
            made_of = [_disclosure(*manifests[name], state.get(name, "recorded"), found) for name, found in hits.items()]
            proofs = [_proof(tx, name, ref, manifests[name][1]) for name, of in refs.items() if row.proofs and (ref := of[number]) is not None]
            known_now, newest = ids[number] is not None, tuple(sorted(made_of, key=lambda d: (d.time, d.index), reverse=True))
            subjects.append(Subject(known_now, newest, len(refs) - len(hits) if known_now else 0, tuple(proofs), tuple(one for one, of in reversed(told) if of[number])))
    return Answer(row.id, row.agreement, row.starts, row.ends, row.asked, utc_text(now), size, len(refs), tuple(unlooked), tuple(subjects), untold)


def _told(entries: Sequence[tuple[int, Mapping[str, Any]]], row: SubjectRequest) -> Iterator[tuple[Told, Sequence[str]]]:
    """Each answer of the days asked about, and the references of whom it told. entries: `sinergi/identity/v1` with their places, in order."""
    earlier: dict[str, list[Mapping[str, Any]]] = {}
    for index, entry in entries:
        before = earlier.setdefault(entry["request"], [])
        if entry["act"] == "answered" and row.starts <= wib_date(datetime.fromisoformat(entry["time"])).isoformat() <= row.ends:
            asked = next(one["time"] for one in before if one["act"] == "asked")
            approvers = tuple(one["person"] for one in before if one["act"] == "approved")
            yield Told(entry["exchange"], index, entry["time"], asked, entry["person"], entry["recipient"], entry["ground"], approvers), entry["refs"]
        before.append(entry)


def _disclosure(index: int, entry: bytes, state: str, leaves: Sequence[bytes]) -> Disclosure:
    manifest: dict[str, Any] = json.loads(entry)
    levels: dict[str, int] = {}
    for leaf in leaves:
        if leaf[50] == RELEASED:
            digits = manifest["profiles"][int.from_bytes(leaf[48:50], "big")]["levels"]
            for column, level in zip(manifest["columns"], map(int, digits), strict=True):
                levels[column] = max(level, levels.get(column, 0))
    return Disclosure(
        exchange=manifest["exchange"], index=index, time=manifest["time"], sender=manifest["sender"], recipient=manifest["recipient"],
        dataset=manifest["contract"]["dataset"], purpose=manifest["purpose"], clauses=tuple(manifest["clauses"]), policy_version=manifest["policy"]["version"],
        state=state, outcomes=tuple(_WORDS[leaf[50]] for leaf in leaves), sequences=tuple(int.from_bytes(leaf[51:], "big") for leaf in leaves), levels=levels,
    )  # fmt: skip


def _proof(tx: Transaction, name: str, ref: bytes, entry: bytes) -> Mapping[str, Any]:
    leaves: int = json.loads(entry)["records"]["leaves"]
    return {"exchange": name, "ref": ref.hex(), "presence": presence_json(leaf_tree(tx, name, leaves).presence(ref))}
