"""Policy versions: chained, signed, held against the logs; and the one in force."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from broker.agreement import clause_exists
from broker.envelope import is_assertion, read_approved, read_dsse, sign_dsse, verify_dsse
from broker.envelope.dsse import POLICY
from broker.errors import ConfigError, LedgerError, NotVerified, Refusal
from broker.jcs import canonical, strict_object
from broker.keys import ReceiptKey, ReceiptPublic
from broker.model import utc_text
from broker.policy import compile_policy, part, summary
from broker.record import BROKER_LOG, event
from broker.store import VersionRow
from broker.vouching import passkey_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from broker.envelope import Approved
    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.policy import Diff, Policy
    from broker.record import Book
    from broker.store import DraftRow, Transaction

log = logging.getLogger("sinergi")
_SWAPPING: Final = threading.Lock()
_KNOWN: Final = 512  # signatures that held: of so many versions


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
        add_version(office, book, office.policy.model, office.policy.rules, now, number=1, changed=tuple(office.agreements), previous=None)


def add_version(
    office: Office, book: Book, model: bytes, rules: bytes, now: datetime, *, number: int, previous: VersionRow | None, changed: Sequence[str],
    found: Diff | None = None, draft: DraftRow | None = None, approvals: Iterable[tuple[Person, bytes]] = (), cells: int = 0,
) -> None:  # fmt: skip
    """Writes a version, its signed record and its entries; in force once this transaction is. changed: the agreements whose logs tell of it."""
    given: list[Json] = [{"dsse_sha256": sha256(dsse), "party": person.party, "person": person.id, **kind(dsse)} for person, dsse in approvals]
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
    keys = office.rings[BROKER_LOG].verifying(ReceiptPublic, "receipt")
    rows, before = tx.versions.all(), None
    for number, row in enumerate(rows, 1):
        if not all(isinstance(blob, bytes) for blob in (row.model, row.rules, row.record, row.dsse)):  # SQLite keeps whatever type was forced on it
            raise LedgerError(f"policy version {number} was changed")
        try:
            payload = _signed_by_us(row.dsse, keys)
            record = strict_object(payload)
        except (NotVerified, ValueError):
            raise LedgerError(f"policy version {number} is not signed by this broker") from None
        wanted = {"version": number, "previous": before, "policy_sha256": sha256(row.model + row.rules)}
        if payload != row.record or row.number != number or any(record.get(name) != value for name, value in wanted.items()):
            raise LedgerError(f"policy version {number} is not what its record says")
        if number > 1:
            _approvals_kept(office, tx, record, number)
        before = sha256(row.record)
    if tx.versions.active() != (rows[-1].number if rows else None):
        raise LedgerError("the policy in force is not the last one published")
    return rows


@lru_cache(_KNOWN)  # the same bytes under the same keys hold or do not, for ever; what did not hold is not remembered
def _signed_by_us(dsse: bytes, keys: tuple[ReceiptPublic, ...]) -> bytes:
    return verify_dsse(read_dsse(dsse), POLICY, *keys)


@lru_cache(_KNOWN)
def _signed_by_key(data: bytes, person: str, keys: bytes | None) -> Approved:
    return read_approved(data, person, keys, lambda *_: False)


def _approvals_kept(office: Office, tx: Transaction, record: dict[str, Any], number: int) -> None:
    """LedgerError unless the approvals that a record names are there, and are their officers' signatures for this very policy."""
    draft, named = record.get("draft"), record.get("approvals")
    if not isinstance(draft, str) or not isinstance(named, list) or not named:
        raise LedgerError(f"policy version {number} was approved by nobody")
    given = tx.versions.approvals(draft)
    try:
        for said in named:
            person, dsse = tx.people.get(said["person"]), given.get(said["person"], b"")
            if person is None:
                raise NotVerified("nobody")
            found = signed(office, person, dsse).approval
            if (sha256(dsse), found.draft, found.policy_sha256) != (said["dsse_sha256"], draft, record["policy_sha256"]):
                raise LedgerError(f"an approval of policy version {number} is for something else")
    except (NotVerified, KeyError, TypeError):
        raise LedgerError(f"an approval of policy version {number} is missing or not signed") from None


def signed(office: Office, person: Person, data: bytes) -> Approved:
    """NotVerified unless the person's own key signed, or a passkey that their key or their party's system vouched for, whatever became of the signer or the passkey since."""
    if not is_assertion(data):
        return _signed_by_key(data, person.id, person.keys)
    return read_approved(data, person.id, person.keys, lambda file, voucher: passkey_word(office, person, file, voucher) is not None)


def kind(approval: bytes) -> dict[str, Json]:
    """What a record or an entry says of an approval that is no DSSE."""
    return {"kind": "webauthn"} if is_assertion(approval) else {}


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


def approvers(office: Office, number: int) -> dict[str, dict[str, str]]:
    """Person → their public key file and the voucher over it, of who approved a published version; empty where they have none."""
    with office.ledger.database.read() as tx:
        row = tx.versions.version(number)
        found = [tx.people.get(one["person"]) for one in json.loads(row.record)["approvals"]] if row else []
    return {person.id: {"keys": (person.keys or b"").decode(), "voucher": (person.voucher or b"").decode()} for person in found if person}


def approvals_of(office: Office, number: int) -> dict[str, str]:
    """Person → what approved a published version: a DSSE, or an authenticator's answer."""
    with office.ledger.database.read() as tx:
        row = tx.versions.version(number)
        draft = json.loads(row.record)["draft"] if row else None
        return {person: dsse.decode() for person, dsse in tx.versions.approvals(draft).items()} if draft else {}
