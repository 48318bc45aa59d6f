"""From draft to live: write, propose, approve, publish."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Final

from broker.assertions import count, own
from broker.envelope import Approval
from broker.errors import NotVerified, Refusal
from broker.lifecycle.faults import in_indonesian
from broker.lifecycle.judging import OPEN, judge, ready
from broker.lifecycle.officers import APPROVE, WRITE, agreements_of, may_in, reader, require
from broker.lifecycle.versions import add_version, chain, kind, sha256, signed, take_up_policy, version
from broker.model import utc_text
from broker.policy import part, publication_check, summary
from broker.record import BROKER_LOG, event
from broker.store import DraftRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from broker.envelope import Approved
    from broker.lifecycle.judging import Judged
    from broker.model import Person
    from broker.office import Office
    from broker.policy import Policy
    from broker.store import Transaction, VersionRow

MAX_RULES: Final = 4 << 20  # bytes of a rules.csv: 10,000 rules need two
MAX_OPEN: Final = 20  # drafts of one author
CHECK_SECONDS: Final = 5.0  # that a publication spends on random cells beyond those it must hold against Casbin
_ADDENDUM: Final = re.compile(r"Adendum [A-Za-z0-9./-]{1,60}")


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


def open_drafts(office: Office, person: Person, now: datetime) -> list[DraftRow]:
    reader(office, person, now)
    with office.ledger.database.read() as tx:
        return tx.versions.drafts(*OPEN)


def draft_with_base(office: Office, person: Person, draft: str, now: datetime) -> tuple[DraftRow, VersionRow, list[str]]:
    """A draft, the version it is based on, and who has approved it as it is."""
    row = read_draft(office, person, draft, now)
    base = version(office, row.base)
    with office.ledger.database.read() as tx:
        policy_sha256 = sha256(base.model + row.rules)
        given = _approvals(office, tx, row, policy_sha256, base.number, sha256(base.model + base.rules), now)
    return row, base, [who.id for who, _ in given]


def new_draft(
    office: Office, person: Person, rules: bytes | None, now: datetime, *, addendum: str | None = None, rollback_of: int | None = None
) -> DraftRow:
    """A draft from given rules, from an older version's (rollback_of), or from those in force."""
    require(office, person, WRITE, now)
    if addendum is not None and not _ADDENDUM.fullmatch(addendum):
        raise Refusal("parameter", parameter="addendum")
    if rules is not None and rollback_of is not None:
        raise Refusal("parameter", parameter="rollback")
    with office.ledger.writing() as book:
        if sum(row.author == person.id for row in book.tx.versions.drafts(*OPEN)) >= MAX_OPEN:
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
    require(office, person, WRITE, now)
    with office.ledger.writing() as book:
        row = _draft(book.tx, draft, *OPEN)
        if row.author != person.id:
            raise Refusal("draf_bukan_milik")
        if sha256(row.rules) != read_sha256:
            raise Refusal("draf_berubah")
        book.tx.versions.forget_approvals(draft)
        book.tx.versions.change_draft(draft, rules=_sized(rules), state="draft", rollback_of=None, changed=utc_text(now))
        return _draft(book.tx, draft)


def withdraw(office: Office, person: Person, draft: str, now: datetime) -> None:
    require(office, person, WRITE, now)
    try:
        judged = judge(office, read_draft(office, person, draft, now))
    except Refusal:
        judged = None
    with office.ledger.writing() as book:
        row = _draft(book.tx, draft, *OPEN)
        if row.author != person.id:
            raise Refusal("draf_bukan_milik")
        book.tx.versions.change_draft(draft, state="withdrawn", changed=utc_text(now))
        if row.state == "proposed":
            for name in judged.touched if judged else (BROKER_LOG,):
                book.append(name, event("policy", now, act="withdrawn", draft=draft, person=person.id))


def propose(office: Office, person: Person, draft: str, now: datetime) -> Judged:
    """Fixes the draft for approval. Refusals: what `ready` refuses, and draf_pihak for what is not the author's party's to change."""
    require(office, person, WRITE, now)
    row = read_draft(office, person, draft, now)
    judged = ready(office, row)
    require(office, person, WRITE, now, every=judged.touched)
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


def approve(office: Office, person: Person, draft: str, data: bytes, now: datetime) -> None:
    """Takes an officer's signed approval; the same one twice is one.

    Refusals draf_sendiri for the author, draf_berubah for another digest, persetujuan for a signature that does not hold, or an authenticator whose counter went back.
    """
    require(office, person, APPROVE, now)
    row = read_draft(office, person, draft, now)
    if row.author == person.id:
        raise Refusal("draf_sendiri")
    judged = ready(office, row)
    changed = judged.touched
    own = [name for name in agreements_of(office, person, APPROVE, now) if name in changed]
    if changed and not own:
        raise Refusal("draf_pihak", kesepakatan=changed[0])
    with office.ledger.writing() as book:
        if _draft(book.tx, draft, "proposed").rules != row.rules:
            raise Refusal("draf_berubah")
        found = _signed_for(office, book.tx, row, judged.policy.sha256, office.policy.version, office.policy.sha256, person, data)
        if book.tx.versions.approvals(draft).get(person.id) == data:
            return
        if found.passkey is not None:
            count(book.tx, found.passkey.credential, found.counter)
        book.tx.versions.approve(draft, person.id, data)
        for agreement in own or (BROKER_LOG,):
            book.append(agreement, event("policy", now, act="approved", draft=draft, dsse_sha256=sha256(data), person=person.id, policy_sha256=judged.policy.sha256, **kind(data)))


def statement(office: Office, person: Person, row: DraftRow, now: datetime) -> Approval:
    """What the person would approve: this draft as it is, on the version in force."""
    policy = office.policy
    return Approval(row.addendum or "", policy.sha256, policy.version, utc_text(now), row.id, person.id, sha256(policy.model + row.rules))


def _signed_for(office: Office, tx: Transaction, row: DraftRow, policy_sha256: str, base: int, base_sha256: str, person: Person, data: bytes) -> Approved:
    """Refusals unless the person's own key signed exactly this draft on exactly this base, or a passkey of theirs that counts today: persetujuan, draf_berubah.

    That their party vouches for the person, `require` has asked.
    """
    try:
        whole = signed(office, person, data)
    except NotVerified:
        raise Refusal("persetujuan") from None
    found = whole.approval
    if whole.passkey is not None:
        own(office, tx, person, whole.passkey, whole.voucher)
    if (found.draft, found.person) != (row.id, person.id):
        raise Refusal("persetujuan")
    if (found.policy_sha256, found.base_version, found.base_sha256, found.addendum) != (policy_sha256, base, base_sha256, row.addendum or ""):
        raise Refusal("draf_berubah")
    return whole


def publish(office: Office, person: Person, draft: str, now: datetime) -> Policy:
    """The draft as the next version, in force when this returns. Refusals: as `ready`; draf_persetujuan names the parties whose officer is missing."""
    require(office, person, WRITE, now)
    row = read_draft(office, person, draft, now)
    judged = ready(office, row)
    old, changed = office.policy, judged.touched
    require(office, person, WRITE, now, every=changed)
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
        add_version(
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
    missing = _missing(office, judged.owed, given, now)
    if missing:
        raise Refusal("draf_persetujuan", kurang=", ".join(missing))
    return given


def approvals_given(office: Office, row: DraftRow, judged: Judged, now: datetime) -> tuple[list[str], list[str]]:
    """Who approved the draft as it is, and the parties whose officer is still missing."""
    with office.ledger.database.read() as tx:
        given = _approvals(office, tx, row, judged.policy.sha256, office.policy.version, office.policy.sha256, now, judged.touched)
    return [person.id for person, _ in given], _missing(office, judged.owed, given, now)


def _approvals(office: Office, tx: Transaction, row: DraftRow, policy_sha256: str, base: int, base_sha256: str, now: datetime, changed: Sequence[str] = ()) -> list[tuple[Person, bytes]]:
    """The approvals that hold today: the person is still in office, may approve, is not the author, and signed this very draft."""
    found = []
    for name, dsse in tx.versions.approvals(row.id).items():
        person = tx.people.get(name)
        if person is None or name == row.author:
            continue
        try:
            require(office, person, APPROVE, now)
            _signed_for(office, tx, row, policy_sha256, base, base_sha256, person, dsse)
        except Refusal:
            continue
        if not changed or may_in(office, person, APPROVE, changed, now):
            found.append((person, dsse))
    return found


def _missing(office: Office, owed_to: Mapping[str, frozenset[str]], given: Sequence[tuple[Person, bytes]], now: datetime) -> list[str]:
    """Parties whose officer for that very agreement has yet to approve; a change that owes nobody needs any one other officer."""
    have = {(name, person.party) for person, _ in given for name in agreements_of(office, person, APPROVE, now)}
    return sorted({party for name, parties in owed_to.items() for party in parties if (name, party) not in have}) or ([] if given else ["petugas lain"])


def _sized(rules: bytes) -> bytes:
    if len(rules) > MAX_RULES:
        raise Refusal("terlalu_besar", batas=MAX_RULES)
    try:
        rules.decode()
    except UnicodeDecodeError as error:
        raise Refusal("draf_salah", baris=rules.count(b"\n", 0, error.start) + 1, kolom=0, salah=in_indonesian("not UTF-8"), fault="not UTF-8") from None
    return rules
