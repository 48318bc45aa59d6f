"""The flow. Read this file first.

    PARTY A                                                                        PARTY B
    seal to broker ─► 1 authenticate ─► Caller   who signed this request (door.py); the sealed body is spooled, its digest compared
                      2 agree        ─► Terms    an agreement in force, this dataset, this direction, this purpose (Pasal 4, 5, 8, 9)
                      3 decide       ─► Plan     per row class × column: the disclosure level; asked once, before any row is read (gates.py: what may stop it)
                      4 open         ─► chunks   decrypt in memory; at most 16,384 rows each, every column as text (submission.py)
                      5 validate     ─► verdict  Pasal 6: bad rows are withheld with reasons                      (rows.py: 5–7)
                      6 detect       ─► findings identifiers in columns that must not hold them
                      7 treat, seal  ─► sealed   pass · mask · generalise · pseudonym · hide; chunk by chunk into an outbox file under
                                                 a key already wrapped for the recipient; leaves gathered
                      8 record       ─► Entry    one transaction: vault, leaves, manifest, checkpoint, outbox row. Durable. (record.py)
                      9 release      ─► Entry    the state `recorded` is the release: only now does anyone get the file
                     10 receipt      ◄────────── the recipient opens, verifies and signs (door.py)
    an officer at the console uploads instead (sending.py): the broker states it for them at step 1, steps 2–10 are the same
    any refusal at 1–7: recorded with its clause, raised, nothing leaves, the outbox file is deleted

A crash before step 8's commit leaves the accepted submission in the spool; start-up takes it up again from step 2. A crash after it
leaves a recorded exchange that is ready to be fetched. There is no state in between.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import polars as pl

from broker.agreement import agree
from broker.contract.parse import CHUNK_BYTES, NDJSON_TYPE
from broker.delivery import DurableWriter
from broker.detection import searched_columns
from broker.envelope import seal
from broker.envelope.dsse import MANIFEST, sign_dsse
from broker.errors import Held, LedgerError, Refusal
from broker.gates import not_stopped, recipient_keys, still_sends
from broker.keys import AnyKemPublic, KemKey, ReceiptKey, ReceiptPublic, derive
from broker.ledger.leaves import LeafGatherer
from broker.ledger.manifest import manifest_json
from broker.model import Level, Request, utc_text
from broker.record import event, tags_in
from broker.rows import MAX_REPORTED, WRITE_ROWS, Desk, Salts, Tally, treat_chunk
from broker.submission import Opened, Submission, read_console_statement, read_statement
from broker.treatment import DomainKey, Treatment, profiles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from broker.keys.tags import Tags
    from broker.ledger.leaves import Tree
    from broker.model import Agreement, Contract, Entry, Plan, Terms
    from broker.office import Office
    from broker.store import Transaction

UNIQUE_WARNING: Final = 50  # released rows alone in their quasi-identifiers, per thousand
FAULTS: Final = (
    pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, AttributeError, RecursionError, MemoryError,
)  # fmt: skip
READABLE: Final = frozenset({Level.MASK, Level.GENERALISE, Level.CLEAR})


@dataclass(frozen=True, slots=True)
class Decided:
    """Steps 2 and 3: the request is inside an agreement, nobody stopped it, and what each cell may become is settled."""

    terms: Terms
    contract: Contract
    recipients: tuple[AnyKemPublic, ...]
    plan: Plan


def exchange(office: Office, name: str, now: datetime, *, chunk_bytes: int = CHUNK_BYTES) -> Entry:
    """Takes the accepted submission `name` (hex id) through steps 2–9. Returns the ledger's Entry; a Refusal is recorded, then raised.

    Raises LedgerError when not even the refusal could be made durable, and Held while witnesses keep releases: the submission then stays
    accepted and is taken up again.
    """
    try:
        with office.folders.spool(name).open("rb") as spooled:
            entry = _exchange(office, name, spooled, now, chunk_bytes)
    except Held:
        raise  # nothing is decided: it stays accepted
    except Refusal as refusal:
        refuse(office, name, refusal, now)
        raise
    except (LedgerError, OSError):
        raise _refused(office, name, Refusal("penyimpanan"), now) from None
    except FAULTS:
        # A fault of ours must not let anything out, nor may its text: it can quote cells.
        raise _refused(office, name, Refusal("pengolahan"), now) from None
    office.folders.spool(name).unlink(missing_ok=True)
    return entry


def _refused(office: Office, name: str, refusal: Refusal, now: datetime) -> Refusal:
    refuse(office, name, refusal, now)
    return refusal


def _exchange(office: Office, name: str, spooled: BinaryIO, now: datetime, chunk_bytes: int) -> Entry:
    with office.ledger.database.read() as tx:
        sending = tx.sendings.get(name)
    submission = read_statement(office.peers, spooled) if sending is None else read_console_statement(office.rings, spooled, sending)
    decided = decide(office, submission.request, now)  # 2 agree, 3 decide
    terms, contract, recipients, plan = decided.terms, decided.contract, decided.recipients, decided.plan
    if sending is not None and sending.plan != plan_sha256(plan):
        raise Refusal("pratinjau")
    ring = office.rings[terms.agreement.id]
    root, epoch = ring.secret("root"), ring.active("root").epoch
    secret = new_exchange_secret(epoch)
    salt_key, ref_key = (derive(root, label, bytes.fromhex(name), secret) for label in ("salt", "ref"))
    with office.ledger.database.read() as tx:
        tags = tags_in(tx, office.rings, terms.agreement.id)
        still_sends(office, tx, submission, terms, now)
    desk = desk_of(office, decided, root, epoch, salt_key, tags)
    opened = Opened(spooled, submission, terms, ring.all(KemKey, "kem"))  # 4 open
    sealer = seal(core_of(name, terms, now), recipients, extra=salt_key)
    leaves = LeafGatherer(bytes.fromhex(name), ref_key, office.folders.scratch)
    tally = Tally()
    office.folders.outbox(name).unlink(missing_ok=True)  # what a crash may have left: noise without its key
    try:
        with DurableWriter(office.folders.outbox(name)) as outbox:
            outbox.hash_only(sealer.header.prefix)
            for chunk in opened.chunks(submission.request.content_type, contract, chunk_bytes):
                lines, rows = treat_chunk(chunk, desk, tally)  # 5 validate, 6 detect, 7 treat
                for start in range(0, len(lines), WRITE_ROWS):
                    outbox.write(sealer.update(b"".join(lines[start : start + WRITE_ROWS])))
                leaves.add(rows.tags, rows.person, rows.commitments, rows.profiles, rows.outcomes, rows.sequence)
            opened.check_digest()
            good_enough(tally, terms.agreement)
            outbox.write(sealer.finish())
            envelope: dict[str, str | int] = {"bytes": len(sealer.header.prefix) + outbox.size, "sha256": outbox.commit().hex()}
        # A commit that fails by name may yet be on disk: only the refusal's own commit, or start-up's sweep, deletes the file from here on.
        return _record(
            office, name, submission, terms, plan, contract, desk, tally, envelope, sealer.header.prefix, leaves, recipients, secret, now
        )
    finally:
        leaves.close()


def decide(office: Office, request: Request, now: datetime) -> Decided:
    """Steps 2 and 3. Refusal: of `agree`, dihentikan, penerima_tanpa_kunci, kebijakan; Held while witnesses keep releases."""
    terms = agree(request, office.agreements, {d: c.template for d, c in office.contracts.items()}, now)  # 2 agree
    with office.ledger.database.read() as tx:
        not_stopped(office, tx, now, terms.agreement.id, terms.sender.party, terms.recipient.party)
    contract = office.contracts[terms.dataset]
    recipients = recipient_keys(office, terms.agreement, terms.recipient, terms.day)
    return Decided(terms, contract, recipients, office.policy.plan(terms, contract))  # 3 decide


def plan_sha256(plan: Plan) -> str:
    """What an officer saw in the preview is what leaves, or nothing does: digest of the policy and of every level of the plan."""
    return hashlib.sha256(b"".join([plan.policy_sha256.encode(), *plan.levels])).hexdigest()


def good_enough(tally: Tally, agreement: Agreement) -> None:
    """Refusal mutu, with the report, unless enough of the whole may leave."""
    if tally.released * 1000 < agreement.pass_rate * tally.rows or not tally.released:
        refusal = Refusal("mutu", agreement.quality_clause, lolos=tally.released, semua=tally.rows, batas=agreement.pass_rate)
        refusal.report = json.dumps(report_of(tally, 0, 0, ()), ensure_ascii=False, separators=(",", ":"))
        raise refusal


def _record(
    office: Office, name: str, submission: Submission, terms: Terms, plan: Plan, contract: Contract, desk: Desk,
    tally: Tally, envelope: Mapping[str, str | int], header: bytes, leaves: LeafGatherer, recipients: Sequence[AnyKemPublic], secret: bytes, now: datetime,
) -> Entry:  # fmt: skip
    """Step 8, and with its commit step 9: the state `recorded` is the release."""
    agreement = terms.agreement.id
    unique = tally.unique_permille()
    warnings = (*terms.warnings, *(("unik_tinggi",) if unique > UNIQUE_WARNING else ()))
    receipt_key = office.rings[agreement].get(ReceiptKey, "receipt")
    report: dict[str, object] = {}
    by = {} if submission.person is None else {"person": submission.person}

    def manifest(tree: Tree, tx: Transaction) -> bytes:
        not_stopped(office, tx, now, agreement, terms.sender.party, terms.recipient.party)  # in the transaction that releases: a stop before it holds
        still_sends(office, tx, submission, terms, now)  # and so does a revocation
        if not all(office.peers.stands(terms.recipient.id, key.kid) for key in recipients):
            raise Refusal("penerima_tanpa_kunci", penerima=terms.recipient.id)
        report.update(report_of(tally, tree.repeated, unique, warnings))
        return manifest_json(
            exchange=bytes.fromhex(name),
            now=utc_text(now),
            terms=terms,
            plan=plan,
            contract_sha256=contract.sha256,
            agreement_sha256=terms.agreement.sha256,
            submission={"sealed_sha256": submission.envelope_sha256, "statement_sha256": submission.statement_sha256, **by},
            envelope={**envelope, "header_sha256": hashlib.sha256(header).hexdigest()},
            keys={
                "broker": receipt_key.public.kid,
                "recipient": office.peers[terms.recipient.id].get(ReceiptPublic, "receipt").kid,
                "recipient_kem": " ".join(sorted(key.kid for key in recipients)),
                "sender": submission.kid,
            },
            profiles=list(zip(desk.profiles.names, desk.profiles.levels, strict=True)),
            root=tree.root,
            leaves=tree.leaves,
            outcomes=tally.outcomes,
            rows=tally.rows,
            quality=tally.rules,
            repeated=tree.repeated,
            unique_permille=unique,
            warnings=warnings,
            newcomers=tree.newcomers,
            newcomers_root=tree.newcomers_root,
        )

    return office.ledger.record(
        agreement,
        bytes.fromhex(name),
        leaves,
        manifest,
        now,
        sign=lambda entry: sign_dsse(MANIFEST, entry, receipt_key).to_json(),
        header=header,
        report=lambda: json.dumps(report, ensure_ascii=False, separators=(",", ":")),
        secret=secret,
        epoch=desk.tags.epoch,
    )


def report_of(tally: Tally, repeated: int, unique: int, warnings: tuple[str, ...]) -> dict[str, object]:
    """What the sender is told: every count, and the first rows by number. Rows count from 1 below the header."""
    return {
        "rows": tally.rows,
        "released": tally.released,
        "withheld": tally.rows - tally.released,
        "rules": tally.rules,
        "named": [[row, list(rules)] for row, rules in tally.named],
        "named_all": tally.rows - tally.released <= MAX_REPORTED,
        "repeated_persons": repeated,
        "unique_permille": unique,
        "warnings": list(warnings),
    }


def core_of(name: str, terms: Terms, now: datetime) -> dict[str, str | int]:
    """The core of a disclosure's envelope (docs/formats/envelope.md)."""
    return {
        "agreement": terms.agreement.id,
        "content_type": NDJSON_TYPE,
        "created": utc_text(now),
        "dataset": terms.dataset,
        "exchange": name,
        "kind": "pengungkapan",
        "purpose": terms.purpose.code,
        "recipient": terms.recipient.id,
        "sender": terms.sender.id,
        "template": terms.template,
        "v": 1,
    }


def desk_of(office: Office, decided: Decided, root: bytes, epoch: int, salt_key: bytes, tags: Tags) -> Desk:
    """What steps 5–7 need. root, epoch: of the pseudonyms' keys."""
    terms, plan, contract = decided.terms, decided.plan, decided.contract
    treated = profiles(plan, contract)

    def key_of(entity: str) -> DomainKey:
        return DomainKey.of(
            root, agreement=terms.agreement.id, sender=terms.sender.party, recipient=terms.recipient.party, entity=entity, purpose=plan.purpose, epoch=epoch
        )

    index = {c.name: i for i, c in enumerate(contract.columns)}
    readable = [n for n in treated.released if any(Level(row[index[n]]) in READABLE for row in treated.levels)]
    return Desk(
        contract=contract,
        validator=office.validators.get(contract, terms.agreement.id, frozenset(terms.agreement.parties), terms.day),
        profiles=treated,
        treatment=Treatment(plan, contract, treated, office.codes, key_of),
        searched=searched_columns(contract, readable),
        quasi=tuple(n for n in treated.released if contract.columns[index[n]].kind in ("quasi", "birth_date")),
        tags=tags,
        salts=Salts(salt_key),
        day=terms.day,
    )


def refuse(office: Office, name: str, refusal: Refusal, now: datetime) -> None:
    """Records a refusal with its clause in the agreement's log, or the broker's; deletes what was spooled and sealed."""
    with office.ledger.writing() as book:
        row = book.tx.exchange(name)
        if row is None or row.state != "accepted":
            raise LedgerError("only an accepted exchange can be refused")
        log = office.log_for(row.agreement)
        known = {"dataset": row.dataset if row.dataset in office.contracts else None, "recipient": row.recipient if row.recipient in office.peers else None}
        entry = event(
            "refusal", now, clause=refusal.pasal, exchange=name, facts=dict(refusal.facts), reason=refusal.reason, sender=row.sender,
            submission_sha256=row.submission_sha256, **known,
        )  # fmt: skip
        appended = book.append(log, entry)
        book.tx.change_exchange(name, state="refused", changed=utc_text(now), log=log, entry=appended.index, problem=problem_json(refusal), report=refusal.report)
    office.folders.outbox(name).unlink(missing_ok=True)
    office.folders.spool(name).unlink(missing_ok=True)


def problem_json(refusal: Refusal) -> str:
    return json.dumps({"reason": refusal.reason, "pasal": refusal.pasal, "facts": refusal.facts}, ensure_ascii=False)


def new_exchange_id() -> str:
    return os.urandom(16).hex()


def new_exchange_secret(epoch: int) -> bytes:
    """What the keys of an exchange's salts and references are made with besides the root: they die with it (docs/formats/keys.md).

    epoch: of that root; it stands in front, 2 bytes.
    """
    return epoch.to_bytes(2, "big") + os.urandom(32)
