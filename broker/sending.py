"""What an officer sends from the console: a file sealed as it comes in, a draft for half an hour, then a submission like any other.

No system's key is in a browser. So the broker states for the signed-in officer what is sent, with its own receipt key of the agreement: weaker
than the sender's signature, and the manifest says so (docs/formats/submission.md).
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from broker.agreement import agree
from broker.contract.parse import CSV_TYPE
from broker.contract.tabular import XLSX_TYPE
from broker.delivery import DurableWriter
from broker.envelope import seal, sign_dsse, submission_prefix
from broker.envelope.dsse import STATEMENT
from broker.errors import LedgerError, Refusal
from broker.exchange import new_exchange_id
from broker.gates import not_held
from broker.jcs import canonical
from broker.keys import KemKey, ReceiptKey
from broker.model import Request, utc_text, wib_date
from broker.roles import may
from broker.store import DRAFT_LIFE, Sending
from broker.vouching import denied, vouched

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from broker.envelope import Sealer
    from broker.model import Agreement, Person, Terms
    from broker.office import Office

MAX_DRAFTS: Final = 5  # of one person at a time: each may be as large as an upload
MAX_BASIS: Final = 500
PIECE: Final = 256 << 10
_HEAD: Final = 512  # bytes by which a file is told from another
_ZIP: Final = b"PK\x03\x04"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")  # its reader says what is wrong with it
_BINARY: Final = frozenset({*range(9), 11, 12, *range(14, 32), 127})  # control bytes that no text file has
_SIGNS: Final = (b"%PDF-", b"PAR1", b"{\\rtf", b"<")  # of other files that are text


@dataclass(frozen=True, slots=True)
class Asked:
    """What an officer asks of a file."""

    agreement: str
    dataset: str
    purpose: str
    basis: str


def choices(office: Office, person: Person, agreement: Agreement, now: datetime) -> tuple[Terms, ...]:
    """What the person may send under an agreement today: the terms of each dataset and purpose that it allows from their party's system."""
    found = []
    for dataset in agreement.scope:
        for purpose in agreement.purposes:
            try:
                found.append(_terms(office, person, Asked(agreement.id, dataset, purpose.code, "-"), now))
            except Refusal:
                continue
    return tuple(found)


def _terms(office: Office, person: Person, asked: Asked, now: datetime, content_type: str = CSV_TYPE) -> Terms:
    """Refusal wewenang, belum_dijamin, or of `agree`."""
    agreement = office.agreements.get(asked.agreement)
    if agreement is None or person.party not in agreement.systems or not may(person, "kirim", agreement.id, wib_date(now)):
        raise denied(office, person, "kirim")
    (other,) = (system for party, system in agreement.systems.items() if party != person.party)
    contract = office.contracts.get(asked.dataset)
    template = contract.template if contract else ""
    request = Request(agreement.id, asked.dataset, template, agreement.systems[person.party], other, asked.purpose, asked.basis or None, content_type)
    return agree(request, office.agreements, {d: c.template for d, c in office.contracts.items()}, now)


def type_of(head: bytes) -> str:
    """What a file is by its first bytes: XLSX, or CSV as text. Refusal jenis_isi: it is neither."""
    if head.startswith(_ZIP):
        return XLSX_TYPE
    if head.startswith(_SIGNS) or (not head.startswith(_UTF16) and not _BINARY.isdisjoint(head)):
        raise Refusal("jenis_isi")
    return CSV_TYPE


class Intake:
    """A file on its way into a draft: sealed to the broker's own key piece by piece, so that it is on no disk as it is. Leaving the block before `finish` deletes it.

    limit: bytes. Refusal wewenang, belum_dijamin, draf_banyak, or of `agree`, before anything is read.
    """

    def __init__(self, office: Office, person: Person, asked: Asked, limit: int, now: datetime) -> None:
        self._office, self._person, self._limit, self._now = office, person, limit, now
        self._terms = _terms(office, person, asked, now)
        if not vouched(office, person):
            raise denied(office, person, "kirim")
        if len(asked.basis) > MAX_BASIS or not asked.basis.isprintable():
            raise Refusal("parameter", parameter="dasar")
        if len(drafts(office, person, now)) >= MAX_DRAFTS:
            raise Refusal("draf_banyak", batas=MAX_DRAFTS)
        self.name, self._head, self._taken, self._type = new_exchange_id(), b"", 0, ""
        self._sealer: Sealer | None = None
        self._spool = DurableWriter(office.folders.draft(self.name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._spool.__exit__(kind, error, trace)

    def take(self, piece: bytes) -> None:
        """The next bytes of the file. Refusal terlalu_besar, jenis_isi, penyimpanan."""
        self._taken += len(piece)
        if self._taken > self._limit:
            raise Refusal("terlalu_besar", batas=self._limit)
        if self._sealer is None:
            self._head += piece
            if len(self._head) < _HEAD:
                return
            piece = b""
        self._seal(piece)

    def finish(self) -> Sending:
        """The draft, once the file is durable and its row too. Refusal kosong, jenis_isi, penyimpanan; draf_banyak, when others were finished meanwhile."""
        if not self._taken:
            raise Refusal("kosong")
        self._seal(b"", last=True)
        try:
            sha256 = self._spool.commit()
        except OSError:
            raise Refusal("penyimpanan") from None
        terms = self._terms
        draft = Sending(
            self.name, "draft", self._person.id, terms.agreement.id, terms.dataset, terms.template, terms.purpose.code, terms.sender.id, terms.recipient.id, terms.basis,
            self._type, utc_text(self._now), sha256.hex(), self._spool.size, None,
        )  # fmt: skip
        try:
            with self._office.ledger.database.write() as tx:
                if sum(_lives(other, self._now) for other in tx.sendings.drafts(self._person.id)) >= MAX_DRAFTS:
                    raise Refusal("draf_banyak", batas=MAX_DRAFTS)
                tx.sendings.add(draft)
        except (Refusal, LedgerError):
            self._office.folders.draft(self.name).unlink(missing_ok=True)  # it has no row: nobody would ever see it
            raise
        return draft

    def _seal(self, piece: bytes, *, last: bool = False) -> None:
        try:
            if self._sealer is None:
                self._type, piece = type_of(self._head[:_HEAD]), self._head
                self._sealer = seal(self._core(), [self._office.rings[self._terms.agreement.id].get(KemKey, "kem").public])
                self._head = b""
                self._spool.write(self._sealer.header.prefix)
            self._spool.write(self._sealer.update(piece))
            if last:
                self._spool.write(self._sealer.finish())
        except OSError:
            raise Refusal("penyimpanan") from None

    def _core(self) -> dict[str, str | int]:
        terms = self._terms
        return {
            "agreement": terms.agreement.id, "content_type": self._type, "created": utc_text(self._now), "dataset": terms.dataset, "exchange": self.name, "kind": "kiriman",
            "purpose": terms.purpose.code, "recipient": terms.recipient.id, "sender": terms.sender.id, "template": terms.template, "v": 1,
        }  # fmt: skip


def drafts(office: Office, person: Person, now: datetime) -> list[Sending]:
    """Their drafts that can still be sent."""
    with office.ledger.database.read() as tx:
        return [draft for draft in tx.sendings.drafts(person.id) if _lives(draft, now)]


def mine(office: Office, person: Person, name: str, now: datetime) -> Sending:
    """A draft of the person's that can still be sent, or what they sent. Refusal tidak_ada: there is none, it is another's, or its time is over."""
    with office.ledger.database.read() as tx:
        return _mine(tx.sendings.get(name), person, now)


def _mine(found: Sending | None, person: Person, now: datetime) -> Sending:
    if found is None or found.person != person.id or (found.state == "draft" and not _lives(found, now)):
        raise Refusal("tidak_ada")
    return found


def _lives(draft: Sending, now: datetime) -> bool:
    return draft.created > utc_text(now - DRAFT_LIFE)


def walk_away(office: Office, person: Person, name: str, now: datetime) -> None:
    """Deletes a draft and its sealed file; what was sent stays sent. Refusal tidak_ada."""
    with office.ledger.database.write() as tx:
        if _mine(tx.sendings.get(name), person, now).state != "draft":
            raise Refusal("tidak_ada")
        tx.sendings.drop(name)
    office.folders.draft(name).unlink(missing_ok=True)


def send(office: Office, person: Person, name: str, plan: str, now: datetime) -> bool:
    """Accepts a draft as the exchange of the same id, and whether this did: sent twice, it is one exchange. plan: digest of what the preview showed.

    Refusal tidak_ada, wewenang, belum_dijamin, penyimpanan; Held while witnesses keep releases: the draft stays. That `plan` is still what the policy
    says is judged when it is released (`exchange`).
    """
    draft = mine(office, person, name, now)
    if draft.state == "sent":
        return False
    if not may(person, "kirim", draft.agreement, wib_date(now)) or not vouched(office, person):
        raise denied(office, person, "kirim")
    try:
        sha256 = _spooled(office, draft, now)
    except FileExistsError:  # a second click, while the first is on its way
        return False
    except FileNotFoundError:  # the first is through with the draft; what it spooled is not ours to touch
        if mine(office, person, name, now).state != "sent":
            raise Refusal("tidak_ada") from None
        return False
    except OSError:
        raise Refusal("penyimpanan") from None
    try:
        with office.ledger.writing() as book:
            tx = book.tx
            late = _mine(tx.sendings.get(name), person, now).state == "sent"
            if not late:
                not_held(office, tx, now, draft.agreement)
                at = utc_text(now)
                tx.add_exchange(
                    id=name, state="accepted", sender=draft.sender, recipient=draft.recipient, agreement=draft.agreement, dataset=draft.dataset, purpose=draft.purpose,
                    accepted=at, changed=at, submission_sha256=sha256.hex(), idempotency=hashlib.sha256(f"konsol\0{name}".encode()).hexdigest(),
                )  # fmt: skip
                tx.sendings.send(name, plan)
    except (Refusal, LedgerError):
        office.folders.spool(name).unlink(missing_ok=True)
        raise
    if late:  # another click's is through already: what we spooled is nobody's
        office.folders.spool(name).unlink(missing_ok=True)
        return False
    office.folders.draft(name).unlink(missing_ok=True)
    return True


def _spooled(office: Office, draft: Sending, now: datetime) -> bytes:
    """SHA-256 of the submission of a draft, once it is durable in the spool under its name. FileExistsError if it is there."""
    statement = {
        "agreement": draft.agreement, "basis": draft.basis, "content_type": draft.content_type, "created": utc_text(now), "dataset": draft.dataset,
        "envelope_sha256": draft.envelope_sha256, "person": draft.person, "purpose": draft.purpose, "recipient": draft.recipient, "sender": draft.sender,
        "template": draft.template, "type": "sinergi/console-statement/v1",
    }  # fmt: skip
    signed = sign_dsse(STATEMENT, canonical(statement), office.rings[draft.agreement].get(ReceiptKey, "receipt"))
    with office.folders.draft(draft.id).open("rb") as sealed, DurableWriter(office.folders.spool(draft.id)) as spool:
        spool.write(submission_prefix(signed))
        shutil.copyfileobj(sealed, _Sink(spool), PIECE)
        return spool.commit()


class _Sink:
    """A writer as `copyfileobj` wants one."""

    def __init__(self, spool: DurableWriter) -> None:
        self.write = spool.write
