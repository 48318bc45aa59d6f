"""The flow. Read this file first.

    PARTY A                                                                        PARTY B
    seal to broker ─► 1 authenticate ─► Caller   who signed this request (door.py); the sealed body is spooled, its digest compared
                      2 agree        ─► Terms    an agreement in force, this dataset, this direction, this purpose (Pasal 4, 5, 8, 9)
                      3 decide       ─► Plan     per row class × column: the disclosure level; asked once, before any row is read
                      4 open         ─► chunks   decrypt in memory; at most 16,384 rows each, every column as text
                      5 validate     ─► verdict  Pasal 6: bad rows are withheld with reasons                      (rows.py: 5–7)
                      6 detect       ─► findings identifiers in columns that must not hold them
                      7 treat, seal  ─► sealed   pass · mask · generalise · pseudonym · hide; chunk by chunk into an outbox file under
                                                 a key already wrapped for the recipient; leaves gathered
                      8 record       ─► Entry    one transaction: vault, leaves, manifest, checkpoint, outbox row. Durable. (record.py)
                      9 release      ─► Entry    the state `recorded` is the release: only now does anyone get the file
                     10 receipt      ◄────────── the recipient opens, verifies and signs (door.py)
    any refusal at 1–7: recorded with its clause, raised, nothing leaves, the outbox file is deleted

A crash before step 8's commit leaves the accepted submission in the spool; start-up takes it up again from step 2. A crash after it
leaves a recorded exchange that is ready to be fetched. There is no state in between.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

import polars as pl

from broker.agreement import agree, sealed_in_x25519
from broker.contract.parse import CHUNK_BYTES, CSV_TYPE, NDJSON_TYPE, read_csv, read_ndjson
from broker.contract.tabular import PARQUET_TYPE, XLSX_TYPE, csv_from
from broker.delivery import DurableWriter
from broker.detection import searched_columns
from broker.envelope import Opener, open_envelope, read_submission, seal
from broker.envelope.dsse import MANIFEST, STATEMENT, sign_dsse
from broker.errors import Held, LedgerError, NotOpened, NotVerified, Refusal
from broker.jcs import strict_object
from broker.keys import AnyKemPublic, KemKey, ReceiptKey, ReceiptPublic, derive
from broker.ledger.leaves import LeafGatherer
from broker.ledger.manifest import manifest_json
from broker.model import Level, Request, System, utc_text
from broker.record import BROKER_LOG, entry_time, event
from broker.rows import MAX_REPORTED, WRITE_ROWS, Desk, Salts, Tally, treat_chunk
from broker.treatment import DomainKey, Treatment, profiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from broker.contract import CodeLists
    from broker.contract.parse import Chunk
    from broker.contract.validate import Validators
    from broker.delivery import Folders
    from broker.keys import Rings
    from broker.ledger.leaves import Tree
    from broker.ledger.quorum import Quorum
    from broker.model import Agreement, Contract, Entry, Plan, Terms
    from broker.peers import Peers
    from broker.policy import InForce, Policy
    from broker.record import Ledger
    from broker.store import Transaction
    from broker.treatment import Profiles

PIECE: Final = 256 << 10  # bytes read and decrypted at a time
UNIQUE_WARNING: Final = 50  # released rows alone in their quasi-identifiers, per thousand
FAULTS: Final = (ValueError, TypeError, LookupError, ArithmeticError, AssertionError, AttributeError, RecursionError, MemoryError)
READABLE: Final = frozenset({Level.MASK, Level.GENERALISE, Level.CLEAR})


@dataclass(frozen=True, slots=True)
class Office:
    """Everything an exchange needs, wired once (wiring.py)."""

    agreements: Mapping[str, Agreement]
    contracts: Mapping[str, Contract]
    codes: CodeLists
    validators: Validators
    force: InForce
    expectations: Mapping[str, bytes]  # by name, the files of what must stay true of every policy
    rings: Rings  # agreement → its secrets; `broker` → the broker log's
    peers: Peers  # system → its public keys, as they hold at the moment they are asked for
    ledger: Ledger
    folders: Folders
    quorums: Mapping[str, Quorum] = field(default_factory=dict)  # agreement → its witnesses; without an entry releases wait for none

    @property
    def policy(self) -> Policy:
        """The one in force now. Read it once: the next look may be another version."""
        return self.force.policy

    def log_for(self, agreement: str) -> str:
        return agreement if agreement in self.agreements else BROKER_LOG


@dataclass(frozen=True, slots=True)
class Submission:
    """A spooled submission's signed statement, parsed; `envelope_sha256` is what its envelope must turn out to be."""

    request: Request
    envelope_sha256: str
    statement_sha256: str
    kid: str  # of the receipt key that signed the statement


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
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, *FAULTS):
        # A fault of ours must not let anything out, nor may its text: it can quote cells.
        raise _refused(office, name, Refusal("pengolahan"), now) from None
    office.folders.spool(name).unlink(missing_ok=True)
    return entry


def _refused(office: Office, name: str, refusal: Refusal, now: datetime) -> Refusal:
    refuse(office, name, refusal, now)
    return refusal


def _exchange(office: Office, name: str, spooled: BinaryIO, now: datetime, chunk_bytes: int) -> Entry:
    submission = read_statement(office, spooled)
    terms = agree(submission.request, office.agreements, {d: c.template for d, c in office.contracts.items()}, now)  # 2 agree
    with office.ledger.database.read() as tx:
        not_stopped(office, tx, now, terms.agreement.id, terms.sender.party, terms.recipient.party)
    contract = office.contracts[terms.dataset]
    recipient_key = _recipient_key(office, terms)
    plan = office.policy.plan(terms, contract)  # 3 decide
    ring = office.rings[terms.agreement.id]
    root, epoch = ring.secret("root"), ring.active("root").epoch
    secret = new_exchange_secret(epoch)
    salt_key, ref_key = (derive(root, label, bytes.fromhex(name), secret) for label in ("salt", "ref"))
    desk = _desk(office, terms, plan, contract, root, epoch, salt_key)
    opened = _Opened(spooled, submission, terms, ring.all(KemKey, "kem"))  # 4 open
    sealer = seal(_core(name, terms, now), [recipient_key], extra=salt_key)
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
            if tally.released * 1000 < terms.agreement.pass_rate * tally.rows or not tally.released:
                refusal = Refusal("mutu", terms.agreement.quality_clause, lolos=tally.released, semua=tally.rows, batas=terms.agreement.pass_rate)
                refusal.report = json.dumps(_report(tally, 0, 0, ()), ensure_ascii=False, separators=(",", ":"))
                raise refusal
            outbox.write(sealer.finish())
            envelope: dict[str, str | int] = {"bytes": len(sealer.header.prefix) + outbox.size, "sha256": outbox.commit().hex()}
        # A commit that fails by name may yet be on disk: only the refusal's own commit, or start-up's sweep, deletes the file from here on.
        return _record(
            office, name, submission, terms, plan, contract, desk.profiles, tally, envelope, sealer.header.prefix, leaves, recipient_key, secret, now
        )
    finally:
        leaves.close()


def _record(
    office: Office, name: str, submission: Submission, terms: Terms, plan: Plan, contract: Contract, treated: Profiles,
    tally: Tally, envelope: Mapping[str, str | int], header: bytes, leaves: LeafGatherer, recipient: AnyKemPublic, secret: bytes, now: datetime,
) -> Entry:  # fmt: skip
    """Step 8, and with its commit step 9: the state `recorded` is the release."""
    agreement = terms.agreement.id
    unique = tally.unique_permille()
    warnings = (*terms.warnings, *(("unik_tinggi",) if unique > UNIQUE_WARNING else ()))
    receipt_key = office.rings[agreement].get(ReceiptKey, "receipt")
    report: dict[str, object] = {}

    def manifest(tree: Tree, tx: Transaction) -> bytes:
        not_stopped(office, tx, now, agreement, terms.sender.party, terms.recipient.party)  # in the transaction that releases: a stop before it holds
        if not office.peers.stands(terms.sender.id, submission.kid):  # and so does a revocation
            raise Refusal("pernyataan")
        if not office.peers.stands(terms.recipient.id, recipient.kid):
            raise Refusal("penerima_tanpa_kunci", penerima=terms.recipient.id)
        report.update(_report(tally, tree.repeated, unique, warnings))
        return manifest_json(
            exchange=bytes.fromhex(name),
            now=utc_text(now),
            terms=terms,
            plan=plan,
            contract_sha256=contract.sha256,
            agreement_sha256=terms.agreement.sha256,
            submission={"sealed_sha256": submission.envelope_sha256, "statement_sha256": submission.statement_sha256},
            envelope={**envelope, "header_sha256": hashlib.sha256(header).hexdigest()},
            keys={
                "broker": receipt_key.public.kid,
                "recipient": office.peers[terms.recipient.id].get(ReceiptPublic, "receipt").kid,
                "recipient_kem": recipient.kid,
                "sender": submission.kid,
            },
            profiles=list(zip(treated.names, treated.levels, strict=True)),
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
    )


def not_stopped(office: Office, tx: Transaction, now: datetime, agreement: str, *parties: str) -> None:
    """Refusal dihentikan while an officer's stop of the agreement or of a party holds; Held while its witnesses keep releases."""
    for stop in tx.versions.stops():
        if stop.target in (agreement, *parties):
            raise Refusal("dihentikan", sasaran=stop.target)
    not_held(office, tx, now, agreement)


def not_held(office: Office, tx: Transaction, now: datetime, agreement: str) -> None:
    """Held while the agreement's quorum of witnesses has not answered since the start, or not for longer than its limit, or saw another log."""
    quorum = office.quorums.get(agreement)
    if quorum is not None:
        quorum.check(now, lambda size: entry_time(tx, agreement, size))


def _report(tally: Tally, repeated: int, unique: int, warnings: tuple[str, ...]) -> dict[str, object]:
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


def _core(name: str, terms: Terms, now: datetime) -> dict[str, str | int]:
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


def _recipient_key(office: Office, terms: Terms) -> AnyKemPublic:
    """The recipient's KEM key of the one suite that the agreement names for its party. Refusal: it has none, or another party has the same."""
    purpose = "kem-x25519" if sealed_in_x25519(terms.agreement, terms.recipient.party, terms.day) else "kem"
    peer = office.peers.get(terms.recipient.id)
    key = peer.keys.get(("", purpose)) if peer else None
    others = (keys for system, keys in office.peers.items() if System(system).party != terms.recipient.party)
    if not isinstance(key, AnyKemPublic) or any(key == theirs for keys in others for theirs in keys.keys.values()):
        raise Refusal("penerima_tanpa_kunci", penerima=terms.recipient.id)
    return key


def _desk(office: Office, terms: Terms, plan: Plan, contract: Contract, root: bytes, epoch: int, salt_key: bytes) -> Desk:
    treated = profiles(plan, contract)

    def key_of(entity: str) -> DomainKey:
        return DomainKey.of(
            root, agreement=terms.agreement.id, sender=terms.sender.party, recipient=terms.recipient.party, entity=entity, purpose=plan.purpose, epoch=epoch
        )

    index = {c.name: i for i, c in enumerate(contract.columns)}
    readable = [n for n in treated.released if any(Level(row[index[n]]) in READABLE for row in treated.levels)]
    vault = office.rings[terms.agreement.id].secret("vault")
    return Desk(
        contract=contract,
        validator=office.validators.get(contract, terms.agreement.id, frozenset(terms.agreement.parties), terms.day),
        profiles=treated,
        treatment=Treatment(plan, contract, treated, office.codes, key_of),
        searched=searched_columns(contract, readable),
        quasi=tuple(n for n in treated.released if contract.columns[index[n]].kind in ("quasi", "birth_date")),
        tag_key=derive(vault, "tag", terms.agreement.id.encode()),
        salts=Salts(salt_key),
        day=terms.day,
    )


def read_statement(office: Office, spooled: BinaryIO) -> Submission:
    """The statement at the start of a submission, once its sender's signatures hold; leaves `spooled` at the envelope."""
    try:
        dsse = read_submission(spooled)
        claimed = strict_object(dsse.payload)
        if set(claimed) != STATEMENT_FIELDS or claimed["type"] != "sinergi/statement/v1":
            raise Refusal("bentuk_kiriman")
        texts = {k: v for k, v in claimed.items() if isinstance(v, str)}
        if set(claimed) - set(texts) - {"basis"} or not isinstance(claimed["basis"], str | None):
            raise Refusal("bentuk_kiriman")
        _, kid = office.peers.verify(texts["sender"], dsse, STATEMENT)
    except NotVerified:
        raise Refusal("pernyataan") from None
    except (NotOpened, ValueError):
        raise Refusal("bentuk_kiriman") from None
    request = Request(
        agreement=texts["agreement"],
        dataset=texts["dataset"],
        template=texts["template"],
        sender=texts["sender"],
        recipient=texts["recipient"],
        purpose=texts["purpose"],
        basis=texts.get("basis"),
        content_type=texts["content_type"],
    )
    return Submission(request, texts["envelope_sha256"], hashlib.sha256(dsse.to_json()).hexdigest(), kid)


STATEMENT_FIELDS: Final = frozenset(
    {"agreement", "basis", "content_type", "created", "dataset", "envelope_sha256", "purpose", "recipient", "sender", "template", "type"}
)


class _Opened:
    """Step 4: the spooled envelope as decrypted pieces; its digest is compared with the statement's at the end."""

    def __init__(self, spooled: BinaryIO, submission: Submission, terms: Terms, keys: tuple[KemKey, ...]) -> None:
        self._source, self._submission = spooled, submission
        try:
            self._opener: Opener = open_envelope(spooled, *keys)
        except NotOpened:
            raise Refusal("tidak_terbuka") from None
        core = self._opener.header.core
        asked = submission.request
        same = (asked.agreement, asked.dataset, asked.sender, asked.recipient, asked.purpose, asked.template, asked.content_type, "kiriman")
        found = tuple(core[k] for k in ("agreement", "dataset", "sender", "recipient", "purpose", "template", "content_type", "kind"))
        if found != same or terms.agreement.id != core["agreement"]:
            raise Refusal("pernyataan")
        self._digest = hashlib.sha256(self._opener.header.prefix)

    def _pieces(self) -> Iterator[bytes]:
        while data := self._source.read(PIECE):
            self._digest.update(data)
            yield self._piece(data)
        yield self._piece(None)

    def _piece(self, data: bytes | None) -> bytes:
        try:
            return self._opener.finish() if data is None else self._opener.update(data)
        except NotOpened:
            raise Refusal("tidak_terbuka") from None

    def chunks(self, content_type: str, contract: Contract, chunk_bytes: int) -> Iterator[Chunk]:
        match content_type:
            case str() if content_type == CSV_TYPE:
                return read_csv(self._pieces(), contract, chunk_bytes)
            case str() if content_type == NDJSON_TYPE:
                return read_ndjson(self._pieces(), contract, chunk_bytes)
            case str() if content_type in (XLSX_TYPE, PARQUET_TYPE):
                return read_csv(csv_from(content_type, self._pieces()), contract, chunk_bytes)
        raise Refusal("jenis_isi")

    def check_digest(self) -> None:
        """Refusal unless every byte of the envelope was read and is what the sender signed."""
        if self._source.read(1) or self._digest.hexdigest() != self._submission.envelope_sha256:
            raise Refusal("pernyataan")


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
