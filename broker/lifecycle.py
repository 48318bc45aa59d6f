"""A policy's life: draft → proposed → approved → published; and stops. Every act is a person's, and an entry in each log it touches.

1. An officer drafts, by whole rules.csv; nothing is live. 2. `judge` reads the draft strictly, compiles it, holds it against the
expectations, the invariants and the version in force, and says exactly which cells change. 3. Proposing fixes what approvals are
for. 4. An approval is another officer's own signature over the draft's digest; whoever's data would be seen more of by another
party must be among them. 5. Publishing judges again, holds the tables against Casbin, and in one transaction writes the version,
its signed record, its entries and the pointer; then one reference is swapped.

The broker signs versions and cannot approve one. What is not exactly so leaves the version in force where it is.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import threading
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from broker.agreement import clause_exists
from broker.envelope import Approval, read_approval, read_dsse, sign_dsse, verify_dsse
from broker.envelope.dsse import APPROVAL, POLICY
from broker.errors import ConfigError, KeyRingError, LedgerError, NotVerified, Refusal
from broker.jcs import canonical, strict_object
from broker.keys import ReceiptKey, ReceiptPublic, read_public_set
from broker.model import Level, utc_text, wib_date
from broker.people import may, vouched
from broker.policy import (
    check_expectations,
    compile_policy,
    covered,
    diff,
    load_manifests,
    loosened,
    owed,
    part,
    publication_check,
    replay,
    summary,
    touched,
    unreached,
)
from broker.record import BROKER_LOG, event
from broker.store import DraftRow, StopRow, VersionRow
from broker.treatment import effective_level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from broker.exchange import Office
    from broker.jcs import Json
    from broker.model import Person
    from broker.policy import Change, Diff, Failure, Policy, Replayed
    from broker.record import Book
    from broker.store import Transaction

MAX_RULES: Final = 4 << 20  # bytes of a rules.csv: 10,000 rules need two
WRITE, APPROVE, STOP = "tulis_kebijakan", "setujui_kebijakan", "hentikan"
CHECK_SECONDS: Final = 5.0  # that a publication spends on random cells beyond those it must hold against Casbin
_OPEN: Final = ("draft", "proposed")
_ADDENDUM: Final = re.compile(r"Adendum [A-Za-z0-9./-]{1,60}")
log = logging.getLogger("sinergi")
_SWAPPING: Final = threading.Lock()
_JUDGING: Final = threading.Lock()  # one draft at a time: judging takes seconds and hundreds of megabytes
_PATIENCE: Final = 30  # seconds that a second one waits
MAX_OPEN: Final = 20  # drafts of one author


@dataclass(frozen=True, slots=True)
class Judged:
    """What a draft would be: the compiled policy, its exact difference from the one in force, and what stands against publishing it.

    failures: expectations and invariants that do not hold. loosened: locked caps that would rise. dead, armed: rule ids of the draft, not of
    the version in force, that decide nothing, and caps that nothing runs into yet. owed: agreement → parties whose officer must approve.
    touched: the agreements with a cell that changes, or a rule that does though no cell changes today.
    """

    policy: Policy
    diff: Diff
    failures: tuple[Failure, ...]
    loosened: tuple[str, ...]
    dead: tuple[str, ...]
    armed: tuple[str, ...]
    owed: dict[str, frozenset[str]]
    touched: tuple[str, ...]


# --- versions


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def seed(office: Office, now: datetime) -> None:
    """Version 1: the policy that the broker's home was made with; nothing if there is a version."""
    with office.ledger.database.read() as tx:
        if tx.versions.active() is not None:
            return
    with office.ledger.writing() as book:
        if published(book.tx, (*office.agreements, BROKER_LOG)) is not None:
            raise LedgerError("the logs tell of policy versions that the database has not")
        _publish(office, book, office.policy.model, office.policy.rules, now, number=1, changed=tuple(office.agreements), previous=None)


def _publish(
    office: Office, book: Book, model: bytes, rules: bytes, now: datetime, *, number: int, previous: VersionRow | None, changed: Sequence[str],
    found: Diff | None = None, draft: DraftRow | None = None, approvals: Iterable[tuple[Person, bytes]] = (), cells: int = 0,
) -> None:  # fmt: skip
    given: list[Json] = [{"dsse_sha256": sha256(dsse), "party": person.party, "person": person.id} for person, dsse in approvals]
    said: dict[str, Json] = {
        "addendum": draft.addendum if draft else None,
        "approvals": given,
        "author": draft.author if draft else None,
        "base": draft.base if draft else None,
        "cells_checked": cells,
        "draft": draft.id if draft else None,
        "gains": found.gains if found else 0,
        "losses": found.losses if found else 0,
        "policy_sha256": sha256(model + rules),
        "previous": sha256(previous.record) if previous else None,
        "rollback_of": draft.rollback_of if draft else None,
        "time": utc_text(now),
        "type": "sinergi/policy-version/v1",
        "version": number,
    }
    record = canonical(said)
    key = office.rings[BROKER_LOG].get(ReceiptKey, "receipt")
    book.tx.versions.publish(VersionRow(number, model, rules, record, sign_dsse(POLICY, record, key).to_json()))
    for agreement in changed or (BROKER_LOG,):
        shown = {"diff": summary(part(found, agreement))} if found and agreement != BROKER_LOG else {}
        book.append(agreement, event("policy", now, act="published", approvals=given, record_sha256=sha256(record), version=number, **shown))


def chain(office: Office, tx: Transaction) -> list[VersionRow]:
    """Every version, once each record is signed by us, follows the one before it and describes its files. LedgerError otherwise."""
    key = office.rings[BROKER_LOG].get(ReceiptKey, "receipt").public
    rows, before = tx.versions.all(), None
    for number, row in enumerate(rows, 1):
        if not all(isinstance(blob, bytes) for blob in (row.model, row.rules, row.record, row.dsse)):  # SQLite keeps whatever type was forced on it
            raise LedgerError(f"policy version {number} was changed")
        try:
            payload = verify_dsse(read_dsse(row.dsse), POLICY, key)
            record = strict_object(payload)
        except (NotVerified, ValueError):
            raise LedgerError(f"policy version {number} is not signed by this broker") from None
        wanted = {"version": number, "previous": before, "policy_sha256": sha256(row.model + row.rules)}
        if payload != row.record or row.number != number or any(record.get(name) != value for name, value in wanted.items()):
            raise LedgerError(f"policy version {number} is not what its record says")
        if number > 1:
            _approvals_kept(tx, record, number)
        before = sha256(row.record)
    if tx.versions.active() != (rows[-1].number if rows else None):
        raise LedgerError("the policy in force is not the last one published")
    return rows


def _approvals_kept(tx: Transaction, record: dict[str, Any], number: int) -> None:
    """LedgerError unless the approvals that a record names are there, and are their officers' signatures for this very policy."""
    draft, named = record.get("draft"), record.get("approvals")
    if not isinstance(draft, str) or not isinstance(named, list) or not named:
        raise LedgerError(f"policy version {number} was approved by nobody")
    given = tx.versions.approvals(draft)
    try:
        for said in named:
            person, dsse = tx.people.get(said["person"]), given.get(said["person"], b"")
            key = read_public_set((person.keys if person else None) or b"").get(ReceiptPublic, "receipt")
            found = read_approval(verify_dsse(read_dsse(dsse), APPROVAL, key))
            if (sha256(dsse), found.draft, found.policy_sha256) != (said["dsse_sha256"], draft, record["policy_sha256"]):
                raise LedgerError(f"an approval of policy version {number} is for something else")
    except (NotVerified, KeyRingError, KeyError, TypeError):
        raise LedgerError(f"an approval of policy version {number} is missing or not signed") from None


def published(tx: Transaction, logs: Iterable[str]) -> str | None:
    """SHA-256 of the record that the logs say was published last, so that a database put back to an older state is noticed."""
    found: dict[int, str] = {}
    for name in logs:
        for entry in tx.entries(name):
            value = json.loads(entry) if b'"sinergi/policy/v1"' in entry else {}
            if (value.get("type"), value.get("act")) != ("sinergi/policy/v1", "published"):
                continue
            if found.setdefault(value["version"], value["record_sha256"]) != value["record_sha256"]:
                raise LedgerError("the logs tell of two policies under one version")
    return found[max(found)] if found else None


def _stops_told(tx: Transaction, logs: Iterable[str]) -> set[str]:
    """The stops that the logs say were made and not undone."""
    entries = [json.loads(entry) for name in logs for entry in tx.entries(name) if b'"sinergi/policy/v1"' in entry]
    made, undone = ({e["stop"] for e in entries if (e["type"], e.get("act")) == ("sinergi/policy/v1", act)} for act in ("stopped", "resumed"))
    return made - undone


def compiled(office: Office, model: bytes, rules: bytes, version: int) -> Policy:
    """ConfigError with line and column for whatever the strict reading refuses."""
    return compile_policy(rules, model, office.contracts, office.agreements, clause_exists, version)


def verified(office: Office, *, logs: bool) -> VersionRow:
    """The version to be in force. LedgerError unless the chain holds. logs: also held against what the logs say was published last."""
    with office.ledger.database.read() as tx:
        rows = chain(office, tx)
        if not rows:
            raise LedgerError("no policy version is published")
        if logs and published(tx, (*office.agreements, BROKER_LOG)) != sha256(rows[-1].record):
            raise LedgerError("the logs tell of another last policy version")
    return rows[-1]


def start(office: Office, now: datetime) -> None:
    """At the broker's start: version 1 if there is none, and nothing served unless the version in force is the one published last. LedgerError, ConfigError."""
    seed(office, now)
    row = verified(office, logs=True)
    with office.ledger.database.read() as tx:
        if {stop.id for stop in tx.versions.stops()} != _stops_told(tx, (*office.agreements, BROKER_LOG)):
            raise LedgerError("the stops that hold are not those that the logs tell of")
    if (row.number, sha256(row.model + row.rules)) != (office.policy.version, office.policy.sha256):
        office.force.policy = compiled(office, row.model, row.rules, row.number)


def take_up_policy(office: Office) -> bool:
    """Takes a newly published version into force; whether it did. What does not verify or compile stays out, loudly, and the old one decides on."""
    try:
        with office.ledger.database.read() as tx:
            number = tx.versions.active()
        if number == office.policy.version:
            office.force.fault = None
            return False
        row = verified(office, logs=False)
        if row.number < office.policy.version:
            raise LedgerError("the last policy version is older than the one in force: versions are lost")
        policy = compiled(office, row.model, row.rules, row.number)
    except (LedgerError, ConfigError) as error:
        if office.force.fault is None:
            log.error("POLICY NOT TAKEN UP, version %d stays in force: %s", office.policy.version, error)  # noqa: TRY400 - our own words
        office.force.fault = str(error)
        return False
    with _SWAPPING:
        if policy.version > office.policy.version:  # a slow look must not undo a quicker one
            office.force.policy, office.force.fault = policy, None
            log.info("policy in force version=%d", policy.version)
    return True


# --- drafts


def read_draft(office: Office, person: Person, draft: str, now: datetime) -> DraftRow:
    """For who may write or approve policies; Refusal draf_tidak_ada for what is not there."""
    reader(office, person, now)
    with office.ledger.database.read() as tx:
        return _draft(tx, draft)


def _draft(tx: Transaction, draft: str, *states: str) -> DraftRow:
    row = tx.versions.draft(draft)
    if row is None:
        raise Refusal("draf_tidak_ada")
    if states and row.state not in states:
        raise Refusal("draf_keadaan", keadaan=row.state)
    return row


def new_draft(
    office: Office, person: Person, rules: bytes | None, now: datetime, *, addendum: str | None = None, rollback_of: int | None = None
) -> DraftRow:
    """A draft from given rules, from an older version's (rollback_of), or from those in force."""
    _officer(office, person, WRITE, now)
    if addendum is not None and not _ADDENDUM.fullmatch(addendum):
        raise Refusal("parameter", parameter="addendum")
    if rules is not None and rollback_of is not None:
        raise Refusal("parameter", parameter="rollback")
    with office.ledger.writing() as book:
        if sum(row.author == person.id for row in book.tx.versions.drafts(*_OPEN)) >= MAX_OPEN:
            raise Refusal("draf_banyak", batas=MAX_OPEN)
        active = book.tx.versions.active()
        assert active is not None
        base = book.tx.versions.version(rollback_of or active)
        if base is None:
            raise Refusal("draf_tidak_ada")
        draft = DraftRow(secrets.token_hex(8), active, person.id, "draft", _sized(base.rules if rules is None else rules), addendum, rollback_of, utc_text(now))
        book.tx.versions.add_draft(draft)
    return draft


def edit(office: Office, person: Person, draft: str, rules: bytes, read_sha256: str, now: datetime) -> DraftRow:
    """Puts new rules into a draft. read_sha256: of the rules that were edited; if the draft has others by now, Refusal draf_berubah and nothing changes."""
    _officer(office, person, WRITE, now)
    with office.ledger.writing() as book:
        row = _draft(book.tx, draft, *_OPEN)
        if row.author != person.id:
            raise Refusal("draf_bukan_milik")
        if sha256(row.rules) != read_sha256:
            raise Refusal("draf_berubah")
        book.tx.versions.forget_approvals(draft)
        book.tx.versions.change_draft(draft, rules=_sized(rules), state="draft", rollback_of=None, changed=utc_text(now))
        return _draft(book.tx, draft)


def withdraw(office: Office, person: Person, draft: str, now: datetime) -> None:
    _officer(office, person, WRITE, now)
    try:
        judged = judge(office, read_draft(office, person, draft, now))
    except Refusal:
        judged = None
    with office.ledger.writing() as book:
        row = _draft(book.tx, draft, *_OPEN)
        if row.author != person.id:
            raise Refusal("draf_bukan_milik")
        book.tx.versions.change_draft(draft, state="withdrawn", changed=utc_text(now))
        if row.state == "proposed":
            for name in judged.touched if judged else (BROKER_LOG,):
                book.append(name, event("policy", now, act="withdrawn", draft=draft, person=person.id))


def judge(office: Office, row: DraftRow) -> Judged:
    """Reads the draft as it would be published. Refusal draf_salah with line and column."""
    if not _JUDGING.acquire(timeout=_PATIENCE):
        raise Refusal("sibuk")
    try:
        return _judged(office, row)
    except ConfigError as error:
        raise Refusal("draf_salah", baris=error.line, kolom=error.column, salah=error.message) from None
    finally:
        _JUDGING.release()


def _judged(office: Office, row: DraftRow) -> Judged:
    old = office.policy
    policy = compiled(office, old.model, row.rules, old.version + 1)
    found = diff(old, policy)
    before, after = ({tuple(rule.values): rule for rule in each.rows} for each in (old, policy))
    both = before | after
    named = {name for values in before.keys() ^ after.keys() for name in covered(both[values], office.agreements)}
    loose = loosened(old, policy)
    debts = dict(owed(found, office.agreements))
    for rule in old.rows:
        if rule.id in loose:
            for name in covered(rule, office.agreements):
                debts[name] = frozenset(office.agreements[name].parties)
    dead, armed = unreached(policy)
    known = unreached(old)
    every = {*touched(found), *named}
    return Judged(
        policy, found, check_expectations(policy, office.expectations), loose, _new(dead, known.dead), _new(armed, known.armed), debts,
        tuple(name for name in office.agreements if name in every),
    )  # fmt: skip


def _new(now: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in now if name not in frozenset(before))


def propose(office: Office, person: Person, draft: str, now: datetime) -> Judged:
    """Fixes the draft for approval. Refusals: what `ready` refuses, and draf_pihak for what is not the author's party's to change."""
    _officer(office, person, WRITE, now)
    row = read_draft(office, person, draft, now)
    judged = ready(office, row)
    _officer(office, person, WRITE, now, every=judged.touched)
    with office.ledger.writing() as book:
        now_row = _draft(book.tx, draft, "draft")
        if now_row.author != person.id:
            raise Refusal("draf_bukan_milik")
        if now_row.rules != row.rules:
            raise Refusal("draf_berubah")
        book.tx.versions.change_draft(draft, state="proposed", changed=utc_text(now))
        for agreement in judged.touched or (BROKER_LOG,):
            said = {"diff": summary(part(judged.diff, agreement))} if agreement != BROKER_LOG else {}
            book.append(agreement, event("policy", now, act="proposed", draft=draft, person=person.id, policy_sha256=judged.policy.sha256, **said))
    return judged


def ready(office: Office, row: DraftRow) -> Judged:
    """The judged draft, if nothing but approvals stands against it. Refusals draf_dasar, draf_salah, draf_sama, draf_kunci, draf_uji, draf_menutup."""
    old = office.policy
    if row.base != old.version:
        raise Refusal("draf_dasar", dasar=row.base, versi=old.version)
    judged = judge(office, row)
    if judged.policy.sha256 == old.sha256:
        raise Refusal("draf_sama", versi=old.version)
    if judged.loosened and row.addendum is None:
        raise Refusal("draf_kunci", jumlah=len(judged.loosened))
    if judged.failures:
        raise Refusal("draf_uji", jumlah=len(judged.failures))
    if not any(table.levels.any() for table in judged.policy.tables.values()):
        raise Refusal("draf_menutup")
    return judged


def approve(office: Office, person: Person, draft: str, data: bytes, now: datetime) -> None:
    """Takes an officer's signed approval. Refusals draf_sendiri for the author, draf_berubah for another digest, persetujuan for a signature that does not hold."""
    _officer(office, person, APPROVE, now)
    row = read_draft(office, person, draft, now)
    if row.author == person.id:
        raise Refusal("draf_sendiri")
    judged = ready(office, row)
    changed = judged.touched
    own = [name for name in changed if person.party in office.agreements[name].parties and may(person, APPROVE, name, wib_date(now))]
    if changed and not own:
        raise Refusal("draf_pihak", kesepakatan=changed[0])
    approved(office, row, judged.policy.sha256, office.policy.version, office.policy.sha256, person, data)
    with office.ledger.writing() as book:
        if _draft(book.tx, draft, "proposed").rules != row.rules:
            raise Refusal("draf_berubah")
        book.tx.versions.approve(draft, person.id, data)
        for agreement in own or (BROKER_LOG,):
            book.append(agreement, event("policy", now, act="approved", draft=draft, dsse_sha256=sha256(data), person=person.id, policy_sha256=judged.policy.sha256))


def approved(office: Office, row: DraftRow, policy_sha256: str, base: int, base_sha256: str, person: Person, data: bytes) -> Approval:
    """The approval in a DSSE, once the person's own key, which their party vouches for, signed exactly this draft on exactly this base. Refusals persetujuan, draf_berubah."""
    if not vouched(office, person):
        raise Refusal("persetujuan")
    try:
        key = read_public_set(person.keys or b"").get(ReceiptPublic, "receipt")
        found = read_approval(verify_dsse(read_dsse(data), APPROVAL, key))
    except (NotVerified, KeyRingError):
        raise Refusal("persetujuan") from None
    if (found.draft, found.person) != (row.id, person.id):
        raise Refusal("persetujuan")
    if (found.policy_sha256, found.base_version, found.base_sha256, found.addendum) != (policy_sha256, base, base_sha256, row.addendum or ""):
        raise Refusal("draf_berubah")
    return found


def publish(office: Office, person: Person, draft: str, now: datetime) -> Policy:
    """The draft as the next version, in force when this returns. Refusals: as `ready`; draf_persetujuan names the parties whose officer is missing."""
    _officer(office, person, WRITE, now)
    row = read_draft(office, person, draft, now)
    judged = ready(office, row)
    old, changed = office.policy, judged.touched
    _officer(office, person, WRITE, now, every=changed)
    with office.ledger.database.read() as tx:  # before the seconds that the check takes; asked again in the transaction that publishes
        _approved(office, tx, row, judged, now)
    checked = publication_check(old, judged.policy, seed=int.from_bytes(bytes.fromhex(judged.policy.sha256[:16])), seconds=CHECK_SECONDS)
    with office.ledger.writing() as book:
        if _draft(book.tx, draft, "proposed") != row or book.tx.versions.active() != old.version:
            raise Refusal("draf_berubah")
        rows = chain(office, book.tx)
        if json.loads(rows[-1].record)["time"] > utc_text(now):
            raise Refusal("jam_mundur")
        given = _approved(office, book.tx, row, judged, now)
        _publish(
            office, book, rows[-1].model, row.rules, now, number=old.version + 1, previous=rows[-1], changed=changed, found=judged.diff, draft=row,
            approvals=given, cells=checked.cells,
        )  # fmt: skip
        book.tx.versions.change_draft(draft, state="published", changed=utc_text(now))
    take_up_policy(office)
    return judged.policy


def _approved(office: Office, tx: Transaction, row: DraftRow, judged: Judged, now: datetime) -> list[tuple[Person, bytes]]:
    """The approvals of a proposed draft, once they are enough. Refusals draf_keadaan, draf_persetujuan."""
    if row.state != "proposed":
        raise Refusal("draf_keadaan", keadaan=row.state)
    given = _approvals(office, tx, row, judged.policy.sha256, office.policy.version, office.policy.sha256, now, judged.touched)
    missing = _missing(judged.owed, given, now)
    if missing:
        raise Refusal("draf_persetujuan", kurang=", ".join(missing))
    return given


def _approvals(office: Office, tx: Transaction, row: DraftRow, policy_sha256: str, base: int, base_sha256: str, now: datetime, changed: Sequence[str] = ()) -> list[tuple[Person, bytes]]:
    """The approvals that hold today: the person is still in office, may approve, is not the author, and signed this very draft."""
    found = []
    for name, dsse in tx.versions.approvals(row.id).items():
        person = tx.people.get(name)
        if person is None or name == row.author:
            continue
        try:
            _officer(office, person, APPROVE, now)
            approved(office, row, policy_sha256, base, base_sha256, person, dsse)
        except Refusal:
            continue
        if not changed or any(person.party in office.agreements[name].parties and may(person, APPROVE, name, wib_date(now)) for name in changed):
            found.append((person, dsse))
    return found


def _missing(owed_to: Mapping[str, frozenset[str]], given: Sequence[tuple[Person, bytes]], now: datetime) -> list[str]:
    """Parties whose officer for that very agreement has yet to approve; a change that owes nobody needs any one other officer."""
    have = {(name, person.party) for person, _ in given for name in owed_to if may(person, APPROVE, name, wib_date(now))}
    return sorted({party for name, parties in owed_to.items() for party in parties if (name, party) not in have}) or ([] if given else ["petugas lain"])


# --- stops


def stop(office: Office, person: Person, target: str, now: datetime) -> StopRow:
    """Halts every release of an agreement, or from and to a party, at once. Any one officer of theirs may."""
    _officer(office, person, STOP, now)
    logs = _logs(office, person, target, now)
    row = StopRow(secrets.token_hex(8), target, person.id, utc_text(now), None, None)
    with office.ledger.writing() as book:
        if held := next((held for held in book.tx.versions.stops() if held.target == target), None):
            return held
        book.tx.versions.add_stop(row)
        for name in logs:
            book.append(name, event("policy", now, act="stopped", person=person.id, stop=row.id, target=target))
    return row


def resume(office: Office, person: Person, name: str, now: datetime) -> bool:
    """Undoes a stop once a second officer asks the same; whether it is undone.

    Each must be an officer of an agreement that the stop concerns and its maker's party is in; one of the two, of that party.
    Refusal berhenti_dua as long as they are not two such.
    """
    _officer(office, person, STOP, now)
    with office.ledger.writing() as book:
        row = book.tx.versions.stop(name)
        if row is None or row.lifted:
            raise Refusal("draf_tidak_ada")
        party = row.person.partition("@")[2]
        shared = [log_ for log_ in _concerned(office, row.target) if party in office.agreements[log_].parties]
        if not _of(office, person, shared, now):
            raise Refusal("draf_pihak", kesepakatan=row.target)
        first = book.tx.people.get(row.lifter) if row.lifter else None
        if first is not None and not (_of(office, first, shared, now) and vouched(office, first)):
            first = None  # no longer in office: as if they had not asked
        if first is not None and (first.id == person.id or party not in (first.party, person.party)):
            raise Refusal("berhenti_dua")
        book.tx.versions.change_stop(name, **({"lifted": utc_text(now)} if first else {"lifter": person.id}))
        for log_ in _concerned(office, row.target):
            book.append(log_, event("policy", now, act="resumed" if first else "resume_asked", person=person.id, stop=name, target=row.target))
    return first is not None


def _of(office: Office, person: Person, agreements: Iterable[str], now: datetime) -> bool:
    return any(person.party in office.agreements[name].parties and may(person, STOP, name, wib_date(now)) for name in agreements)


def _concerned(office: Office, target: str) -> list[str]:
    """The agreements that a stop of `target` concerns."""
    return [a.id for a in office.agreements.values() if target == a.id or target in a.parties]


def _logs(office: Office, person: Person, target: str, now: datetime) -> list[str]:
    """The logs of the agreements that a stop of `target` concerns. Refusal for what is not the person's to stop."""
    found = _concerned(office, target)
    if not found:
        raise Refusal("parameter", parameter="target")
    if not _of(office, person, found, now):
        raise Refusal("draf_pihak", kesepakatan=found[0])
    return found


# --- views


def history(office: Office) -> list[dict[str, Any]]:
    """Every version's record, oldest first, each with its own digest."""
    with office.ledger.database.read() as tx:
        return [{**json.loads(row.record), "sha256": sha256(row.record)} for row in chain(office, tx)]


def version(office: Office, number: int) -> VersionRow:
    with office.ledger.database.read() as tx:
        row = tx.versions.version(number)
    if row is None:
        raise Refusal("draf_tidak_ada")
    return row


def approvals_of(office: Office, number: int) -> dict[str, str]:
    """Person → the DSSE that approved a published version."""
    with office.ledger.database.read() as tx:
        row = tx.versions.version(number)
        draft = json.loads(row.record)["draft"] if row else None
        return {person: dsse.decode() for person, dsse in tx.versions.approvals(draft).items()} if draft else {}


def open_drafts(office: Office, person: Person, now: datetime) -> list[DraftRow]:
    reader(office, person, now)
    with office.ledger.database.read() as tx:
        return tx.versions.drafts(*_OPEN)


def draft_with_base(office: Office, person: Person, draft: str, now: datetime) -> tuple[DraftRow, VersionRow, list[str]]:
    """A draft, the version it is based on, and who has approved it as it is."""
    row = read_draft(office, person, draft, now)
    base = version(office, row.base)
    with office.ledger.database.read() as tx:
        policy_sha256 = sha256(base.model + row.rules)
        given = _approvals(office, tx, row, policy_sha256, base.number, sha256(base.model + base.rules), now)
    return row, base, [who.id for who, _ in given]


def stops(office: Office) -> list[StopRow]:
    with office.ledger.database.read() as tx:
        return tx.versions.stops()


def replayed(office: Office, person: Person, policy: Policy, since: date, until: date, now: datetime) -> tuple[int, tuple[Replayed, ...]]:
    """How many exchanges of the person's agreements fall in [since, until), and those that `policy` would have treated otherwise.

    From the manifests alone, each held against the very version that decided it.
    """
    own = readable(office, person, now)
    with office.ledger.database.read() as tx:
        by_version: dict[int, list[bytes]] = {}
        for row in tx.exchanges_in("recorded", "delivered", "receipted"):
            if row.manifest and row.agreement in own:
                by_version.setdefault(json.loads(row.manifest)["policy"]["version"], []).append(row.manifest)
        files = {number: tx.versions.version(number) for number in by_version}
    count = 0
    found: list[Replayed] = []
    for number, manifests in sorted(by_version.items()):
        decisions = load_manifests(manifests, since, until)
        if decisions.exchanges:
            count += len(decisions.exchanges)
            found += replay(decisions, _version_policy(office, number, files[number]), policy)
    return count, tuple(found)


def _version_policy(office: Office, number: int, row: VersionRow | None) -> Policy | None:
    """A version as it was, unless it no longer loads beside today's contracts and agreements."""
    if number == office.policy.version:
        return office.policy
    try:
        return compiled(office, row.model, row.rules, number) if row else None
    except ConfigError:
        return None


def released(office: Office, change: Change) -> tuple[tuple[int, int], ...]:
    """What leaves before and after, as level pairs, where a contract cannot do the policy's level for one of the columns and steps down; else nothing."""
    parents = {purpose.code: purpose.parent for agreement in office.agreements.values() for purpose in agreement.purposes}
    pairs = set()
    for name, purpose in product(change.objects, change.purposes):
        dataset, _, column = name.partition(".")
        if change.act == "terima" and dataset in office.contracts and column in office.contracts[dataset].names and purpose in parents:
            known = office.contracts[dataset].column(column)
            pairs.add((int(effective_level(known, Level(change.before), parents[purpose])), int(effective_level(known, Level(change.after), parents[purpose]))))
    return tuple(sorted(pairs)) if pairs - {(change.before, change.after)} else ()


# --- who


def _officer(office: Office, person: Person, act: str, now: datetime, every: Iterable[str] = ()) -> None:
    """Refusal wewenang unless the person may do the act in some agreement of their party's; draf_pihak unless in each of `every`."""
    own = {a.id for a in office.agreements.values() if person.party in a.parties and may(person, act, a.id, wib_date(now))}
    if not own or not vouched(office, person):
        raise Refusal("wewenang", tindakan=act)
    for name in every:
        if name not in own:
            raise Refusal("draf_pihak", kesepakatan=name)


def readable(office: Office, person: Person, now: datetime) -> list[str]:
    """The agreements whose part of a change the person may read: where they write, approve or audit."""
    return [name for name in office.agreements if any(may(person, act, name, wib_date(now)) for act in (WRITE, APPROVE, "baca_log"))]


def reader(office: Office, person: Person, now: datetime) -> None:
    """Refusal wewenang for who reads no policies. The rules of all agreements are one file, and whoever reads policies reads it whole."""
    if not readable(office, person, now):
        raise Refusal("wewenang", tindakan=WRITE)


def _sized(rules: bytes) -> bytes:
    if len(rules) > MAX_RULES:
        raise Refusal("terlalu_besar", batas=MAX_RULES)
    try:
        rules.decode()
    except UnicodeDecodeError as error:
        raise Refusal("draf_salah", baris=rules.count(b"\n", 0, error.start) + 1, kolom=0, salah="not UTF-8") from None
    return rules
