"""After a rotation of an agreement's root: for each recipient, once, which new token each old one has become.

An ordinary exchange that the broker makes itself: sealed, with leaves, manifest and receipt, so that it is searched, proven and opened as any other. It
names those persons only whose tokens of the old epoch this recipient was given in this domain by exchanges whose leaves can still be opened, and only
where the policy in force still shows such tokens. Format: docs/formats/pseudonym.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from broker.agreement import in_force
from broker.delivery import DurableWriter
from broker.envelope import seal
from broker.envelope.dsse import MANIFEST, sign_dsse
from broker.errors import Held, Refusal
from broker.exchange import core_of, new_exchange_id, new_exchange_secret
from broker.gates import not_stopped, recipient_keys
from broker.jcs import canonical
from broker.keys import ReceiptKey, ReceiptPublic, derive
from broker.keys.cmac import uncmac
from broker.keys.derive import epoch_of_secret, inverted, ref_key
from broker.keys.ring import ACTIVE
from broker.keys.tags import FIRST
from broker.ledger.leaves import STORED, LeafGatherer
from broker.ledger.manifest import RELEASED, manifest_json
from broker.model import MAP, MAP_COLUMNS, Level, Plan, System, Terms, class_name, utc_text, wib_date
from broker.record import tags_in
from broker.rows import WRITE_ROWS, Salts, commitments_to
from broker.treatment import DomainKey, profiles, pseudonym_tokens
from broker.treatment.formatted import FORMATTED
from broker.treatment.reverse import NIK, PERSONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from numpy.typing import NDArray

    from broker.keys import AnyKemPublic
    from broker.keys.tags import Tags
    from broker.ledger.leaves import Tree
    from broker.model import Agreement, Contract, Entry, Purpose
    from broker.office import Office
    from broker.store import ExchangeRow, Made, Transaction

TEMPLATE: Final = "1.0.0"
ENTITIES: Final = tuple(entity for entity, kind in PERSONS.items() if kind == NIK)  # no contract's column shows a passport as a token
_DIGITS: Final = (ord("0"), ord("9"))


@dataclass(frozen=True, slots=True)
class Domain:
    """Whose pseudonyms changed: between two systems, for a purpose, of an entity type at one level, from one epoch to the one in use."""

    agreement: Agreement
    sender: System
    recipient: System
    purpose: Purpose
    entity: str
    level: Level
    before: int
    after: int

    @property
    def submission(self) -> dict[str, str]:
        """What the manifest has in the place of a sender's submission: nobody sent one."""
        return {"entity": self.entity, "from": f"p{self.before}", "level": str(int(self.level)), "to": f"p{self.after}"}

    @property
    def row(self) -> tuple[str, str, str, str, int, int]:
        """Its place in the table of maps."""
        return self.sender.id, self.recipient.id, self.purpose.code, self.entity, self.level, self.before

    def pseudonyms(self, numbers: pl.Series, root: bytes, epoch: int) -> pl.Series:
        key = DomainKey.of(
            root, agreement=self.agreement.id, sender=self.sender.party, recipient=self.recipient.party, entity=self.entity, purpose=self.purpose.code, epoch=epoch
        )
        return (pseudonym_tokens if self.level == Level.PSEUDONYM else FORMATTED["nik"])(numbers, key)


def due(office: Office, now: datetime) -> list[Domain]:
    """The domains whose recipients were given tokens of an epoch that is over, and no map from it yet; none where the agreement is not in term."""
    found = []
    with office.ledger.database.read() as tx:
        for name, agreement in office.agreements.items():
            ring = office.rings[name]
            roots, after = ring.seeds("root"), next((r.epoch for r in ring.records if r.purpose == "root" and r.state == ACTIVE), 1)
            if after == 1 or not _in_term(agreement, now):
                continue
            purposes, done = {p.code: p for p in agreement.purposes}, tx.keyrings.mapped(name)
            domains = {(one.sender, one.recipient, one.purpose, epoch_of_secret(one.secret)) for one in tx.kept.made(name)}
            found += [
                domain
                for sender, recipient, purpose, epoch in sorted(domains)
                if epoch < after and epoch in roots and purpose in purposes
                for entity in ENTITIES
                for level in (Level.PSEUDONYM, Level.FORMAT_PRESERVING)
                if (domain := Domain(agreement, System(sender), System(recipient), purposes[purpose], entity, level, epoch, after)).row not in done
            ]
    return found


def _in_term(agreement: Agreement, now: datetime) -> bool:
    try:
        in_force(agreement, wib_date(now))
    except Refusal:
        return False
    return True


def map_epoch(office: Office, domain: Domain, now: datetime) -> Entry | None:
    """Makes and records a domain's map. None: nobody is in it, and that is noted. Refusal, LedgerError or OSError: it stays due.

    For the thread that takes exchanges through: none of the old epoch may be recorded beside it. Memory: about 200 bytes for a person of the vault.
    """
    agreement, ring = domain.agreement.id, office.rings[domain.agreement.id]
    policy = office.policy
    terms = _terms(domain, now)
    to = recipient_keys(office, terms.agreement, terms.recipient, terms.day)
    with office.ledger.database.read() as tx:
        not_stopped(office, tx, now, agreement, domain.sender.party, domain.recipient.party)
        tagged = tags_in(tx, office.rings, agreement)
        tags, numbers = _people(office, tx, domain, tagged, now)
    seeds = ring.seeds("root")
    old, new = (domain.pseudonyms(numbers, seeds[epoch], epoch) for epoch in (domain.before, domain.after))
    order = old.arg_sort()  # as tokens fall: nothing of the vault shows in it
    lines = pl.DataFrame({"samaran_baru": new, "samaran_lama": old})[order]
    tags = tags[order.to_numpy()]
    if lines.is_empty():
        with office.ledger.writing() as book:
            book.tx.keyrings.add_map(agreement, domain.row, "")
        return None
    name, secret = new_exchange_id(), new_exchange_secret(domain.after)
    salt_key, refs = (derive(seeds[domain.after], label, bytes.fromhex(name), secret) for label in ("salt", "ref"))
    sealer = seal(core_of(name, terms, now), to, extra=salt_key)
    salts, leaves = Salts(salt_key), LeafGatherer(bytes.fromhex(name), refs, office.folders.scratch)
    try:
        with DurableWriter(office.folders.outbox(name)) as outbox:
            outbox.hash_only(sealer.header.prefix)
            for start in range(0, lines.height, WRITE_ROWS):
                part = lines.slice(start, WRITE_ROWS).write_ndjson().encode().splitlines(keepends=True)
                outbox.write(sealer.update(b"".join(part)))
                n = len(part)
                leaves.add(
                    tags[start : start + n], np.ones(n, np.bool_), commitments_to(salts.next(n), part), np.zeros(n, np.uint16), np.full(n, RELEASED, np.uint8),
                    np.arange(start, start + n, dtype=np.uint32),
                )  # fmt: skip
            outbox.write(sealer.finish())
            envelope: dict[str, str | int] = {"bytes": len(sealer.header.prefix) + outbox.size, "sha256": outbox.commit().hex()}
        return _record(office, domain, terms, _plan(terms, policy.version, policy.sha256), name, leaves, tagged.epoch, envelope, sealer.header.prefix, to, secret, lines.height, now)
    except (Held, Refusal):
        office.folders.outbox(name).unlink(missing_ok=True)  # nothing was recorded. After a LedgerError it may have been: then start-up's sweep knows
        raise
    finally:
        leaves.close()


# --- who is in it
def _people(office: Office, tx: Transaction, domain: Domain, tagged: Tags, now: datetime) -> tuple[NDArray[np.uint8], pl.Series]:
    """Vault tags, uint8 (n, 16), and NIKs, String (n), of those the recipient was given tokens of. Who was erased is in no vault."""
    agreement = domain.agreement.id
    given = [ids for made in tx.kept.made(agreement) if (ids := _given(office, tx, domain, made, now)) is not None]
    vault = np.frombuffer(b"".join(tx.vault_ids(agreement)), np.uint8).reshape(-1, 32)
    named = np.isin(_whole(vault[:, 16:]), np.unique(_whole(np.concatenate(given)))) if given else np.zeros(len(vault), np.bool_)
    tags = vault[named, :16]
    whole, _ = uncmac(tagged.key(FIRST), replace(tagged, epoch=FIRST).since(tagged.epoch, tags))
    is_nik = ((whole >= _DIGITS[0]) & (whole <= _DIGITS[1])).all(axis=1)
    return tags[is_nik], pl.Series(_whole(whole[is_nik]).tolist(), dtype=pl.Binary).cast(pl.String)


def _whole(blocks: NDArray[np.uint8]) -> NDArray[np.void]:
    """uint8 (n, 16) as n things that compare byte by byte."""
    return np.ascontiguousarray(blocks).view("V16").reshape(-1)


def _given(office: Office, tx: Transaction, domain: Domain, made: Made, now: datetime) -> NDArray[np.uint8] | None:
    """The vault ids, and ids of records, that a domain's exchange showed tokens of: uint8 (n, 16).

    None: it is of another, tells nothing any more, never reached its recipient, or is not what the log says it is.
    """
    if (made.sender, made.recipient, made.purpose, epoch_of_secret(made.secret)) != (domain.sender.id, domain.recipient.id, domain.purpose.code, domain.before):
        return None
    row = tx.exchange(made.exchange)
    key = ref_key(office.rings[domain.agreement.id].secrets("root"), bytes.fromhex(made.exchange), made.secret)
    if row is None or row.manifest is None or row.entry is None or key is None or row.manifest != next(tx.entries(domain.agreement.id, row.entry), None):
        return None
    manifest = json.loads(row.manifest)
    if (manifest["exchange"], manifest["sender"], manifest["recipient"], manifest["purpose"]) != (made.exchange, made.sender, made.recipient, made.purpose):
        return None
    if row.state == "recorded" and not _waits(office, row, manifest):
        return None
    shows = np.array(_shown(office, domain, manifest, now), np.bool_)
    if not shows.any():
        return None
    ids = []
    for segment in tx.segments(made.exchange):
        leaves = np.frombuffer(segment, np.uint8).reshape(-1, STORED)
        leaves = leaves[leaves[:, 50] == RELEASED]
        profile = np.ascontiguousarray(leaves[:, 48:50]).view(">u2").reshape(-1)
        ids.append(np.frombuffer(inverted(key, leaves[shows[profile], :16].tobytes()), np.uint8).reshape(-1, 16))
    return np.concatenate(ids) if ids else None


def _waits(office: Office, row: ExchangeRow, manifest: dict[str, Any]) -> bool:
    """Whether its recipient, who never had all of it, can still fetch it."""
    return row.header is not None and office.folders.outbox(row.id).exists() and not any(map(office.peers.revoked, manifest["keys"]["recipient_kem"].split(" ")))


def _shown(office: Office, domain: Domain, manifest: dict[str, Any], now: datetime) -> list[bool]:
    """By profile of an exchange: whether everyone its rows name was shown as a token of the entity, and would be today.

    A leaf does not say which column named its person: with another column beside, hidden or of another entity, nobody knows whose token it was.
    """
    dataset = manifest["contract"]["dataset"]
    if dataset == MAP:
        same = (manifest["submission"]["entity"], manifest["profiles"][0]["levels"][0]) == (domain.entity, str(int(domain.level)))
        return [same and any(_allowed(office, domain, contract, now) for contract in office.contracts.values())]
    if dataset not in office.contracts:
        return [False] * len(manifest["profiles"])
    contract = office.contracts[dataset]
    naming = {c.name for c in contract.columns if c.subject is not None and c.kind != "passport"}  # a passport's number is no NIK
    if not naming or not naming <= _allowed(office, domain, contract, now):
        return [False] * len(manifest["profiles"])
    shown = [{column for column, level in zip(manifest["columns"], profile["levels"], strict=True) if int(level) == domain.level} for profile in manifest["profiles"]]
    return [naming <= columns for columns in shown]


def _allowed(office: Office, domain: Domain, contract: Contract, now: datetime) -> set[str]:
    """The columns that the policy in force shows as tokens of the entity at the domain's level, in rows of some class."""
    bearing = [(i, c.name) for i, c in enumerate(contract.columns) if c.token == domain.entity and (c.kind == "nik" or domain.level == Level.PSEUDONYM)]
    if not bearing:
        return set()
    try:
        today = profiles(office.policy.plan(_terms(domain, now, contract.dataset, contract.template), contract), contract)
    except Refusal:
        return set()
    return {name for i, name in bearing if any(levels[i] == domain.level for levels in today.levels)}


# --- the exchange
def _terms(domain: Domain, now: datetime, dataset: str = MAP, template: str = TEMPLATE) -> Terms:
    agreement, day = domain.agreement, wib_date(now)
    in_force(agreement, day)
    return Terms(
        agreement=agreement, dataset=dataset, template=template, sender=domain.sender, recipient=domain.recipient, purpose=domain.purpose, basis=None, day=day,
        clauses=tuple(dict.fromkeys((*agreement.security_clause.split("; "), *domain.purpose.clause.split("; ")))), warnings=(),
    )  # fmt: skip


def _plan(terms: Terms, version: int, policy_sha256: str) -> Plan:
    return Plan(
        agreement=terms.agreement.id, policy_version=version, policy_sha256=policy_sha256, sender=terms.sender.id, recipient=terms.recipient.id, dataset=MAP,
        template=TEMPLATE, purpose=terms.purpose.code, audience=terms.purpose.parent, day=terms.day, columns=MAP_COLUMNS, levels=(), rules={}, formatted=False,
    )  # fmt: skip


def _record(
    office: Office, domain: Domain, terms: Terms, plan: Plan, name: str, leaves: LeafGatherer, tagged: int, envelope: dict[str, str | int], header: bytes, to: Sequence[AnyKemPublic],
    secret: bytes, rows: int, now: datetime,
) -> Entry:  # fmt: skip
    agreement, at = domain.agreement, utc_text(now)
    receipt_key = office.rings[agreement.id].get(ReceiptKey, "receipt")

    def manifest(tree: Tree, tx: Transaction) -> bytes:
        not_stopped(office, tx, now, agreement.id, domain.sender.party, domain.recipient.party)
        if not all(office.peers.stands(domain.recipient.id, key.kid) for key in to):
            raise Refusal("penerima_tanpa_kunci", penerima=domain.recipient.id)
        if tree.newcomers:
            raise Refusal("pengolahan")  # someone was erased since we looked: no map brings them back
        stated = sha256(canonical({"exchange": name, **domain.submission})).hexdigest()
        tx.add_exchange(
            id=name, state="accepted", sender=domain.sender.id, recipient=domain.recipient.id, agreement=agreement.id, dataset=MAP, purpose=domain.purpose.code,
            accepted=at, changed=at, submission_sha256=stated, idempotency=stated,
        )  # fmt: skip
        tx.keyrings.add_map(agreement.id, domain.row, name)
        return manifest_json(
            exchange=bytes.fromhex(name), now=at, terms=terms, plan=plan,
            contract_sha256=sha256(canonical({"columns": list(MAP_COLUMNS), "dataset": MAP, "template": TEMPLATE})).hexdigest(),
            agreement_sha256=agreement.sha256,
            submission=domain.submission,
            envelope={**envelope, "header_sha256": sha256(header).hexdigest()},
            keys={
                "broker": receipt_key.public.kid, "recipient": office.peers[domain.recipient.id].get(ReceiptPublic, "receipt").kid, "recipient_kem": " ".join(sorted(key.kid for key in to)),
                "sender": receipt_key.public.kid,
            },
            profiles=[(class_name(0), bytes([domain.level] * len(MAP_COLUMNS)))],
            root=tree.root, leaves=tree.leaves, outcomes={"terkirim": rows}, rows=rows, quality={}, repeated=tree.repeated, unique_permille=0, warnings=(),
        )  # fmt: skip

    return office.ledger.record(
        agreement.id, bytes.fromhex(name), leaves, manifest, now,
        sign=lambda entry: sign_dsse(MANIFEST, entry, receipt_key).to_json(),
        header=header, report=lambda: json.dumps({"rows": rows, "released": rows, "withheld": 0}), secret=secret, epoch=tagged,
    )  # fmt: skip
