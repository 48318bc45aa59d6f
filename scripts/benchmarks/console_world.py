"""What the bench `console` looks at: a broker after a busy year, so that no page of its console is empty."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from broker import lifecycle, people, sending
from broker.audit import reidentify, subject, views
from broker.client import create_home
from broker.envelope import Approval, Passkey, Voucher, sign_dsse
from broker.envelope.dsse import APPROVAL, MANIFEST, VOUCHER
from broker.envelope.passkey import b64url, spki
from broker.keys import ReceiptKey, open_ring
from broker.lifecycle.drafts import new_draft, propose
from broker.lifecycle.versions import add_version, take_up_policy
from broker.model import utc_text
from broker.record import BROKER, event
from broker.store import PasskeyRow, Session
from scripts.benchmarks import ledger, world
from scripts.benchmarks.world import AGREEMENT, NOW, RECIPIENT, SENDER

if TYPE_CHECKING:
    import argparse
    from datetime import datetime
    from pathlib import Path

    from broker.model import Person
    from broker.office import Office
    from broker.record import Book

# Of the sender's party; of the recipient's, who sees an inbox and is asked about tokens.
ROLES: Final = ("operator", "admin_pihak", "auditor", "petugas_keamanan", "ppdp", "pembuka_samaran")
OTHERS: Final = ("operator", "ppdp")
YEAR: Final = timedelta(days=320)  # that the exchanges are spread over
REFUSED: Final = 10  # one refusal after so many exchanges
COLLEAGUES: Final = 55  # more than a page of them
QUESTIONS: Final = 55  # about tokens: the same
WAITING: Final = 20  # exchanges that the recipient has not fetched yet, or not receipted
ROWS: Final = 100  # of the file in the draft
CAPPED: Final = ("pendidikan_tertinggi", "tinggi_badan", "berat_badan", "kode_pos")


@dataclass(frozen=True, slots=True)
class Officer:
    """Someone who looks at pages. token: of their session."""

    name: str
    person: Person
    folder: Path
    token: str


def made(office: Office, work: Path, asked: argparse.Namespace) -> list[Officer]:
    """Fills the broker's home and returns who looks at it. asked: exchanges, leaves, queries, versions, seed."""
    officers = [_officer(office, work, role, "sijunjung") for role in ROLES] + [_officer(office, work, role, "kemnaker") for role in OTHERS]
    by_name = {one.name: one for one in officers}
    writer, second = by_name["petugas_keamanan"], by_name["ppdp"]
    other = _officer(office, work, "petugas_keamanan", "sijunjung")
    for number in range(COLLEAGUES):
        people.invite(office, people.Invitation("operator", "sijunjung", f"SK-{number}/2026", date(2026, 1, 1), None, frozenset(), "Petugas"), NOW)
    _versions(office, asked.versions, writer, second)
    _exchanges(office, asked)
    _drafts(office, writer, other)
    _waiting(office, by_name)
    return officers


def _officer(office: Office, work: Path, role: str, party: str) -> Officer:
    """A new officer whom their party's system vouches for, signed in."""
    person, _ = people.invite(office, people.Invitation(role, party, "SK-1/2026", date(2026, 1, 1), None, frozenset(), "Petugas"), NOW)
    folder = work / person.id
    public = create_home(folder, person.id, world.URL, NOW)
    system = SENDER if party == "sijunjung" else RECIPIENT
    said = Voucher(created=utc_text(NOW), keys_sha256=hashlib.sha256(public.to_json()).hexdigest(), person=person.id, system=system)
    voucher = sign_dsse(VOUCHER, said.to_json(), open_ring(work / system / "secrets").get(ReceiptKey, "receipt")).to_json()
    people.enrol_key(office, person.id, public.to_json(), public.fingerprint, NOW, voucher)
    token, at = f"bench-{person.id}", int(NOW.timestamp())
    with office.ledger.database.write() as tx:
        tx.people.change(person.id, state="active")
        tx.people.add_session(people.token_sha256(token), Session(person.id, at, at, at + 3600, totp=True))
        found = tx.people.get(person.id)
    assert found is not None
    return Officer(role if party == "sijunjung" else f"{role}@{party}", found, folder, token)


# --- versions of the policy, and drafts
def _rules(office: Office, count: int, columns: tuple[str, ...] = CAPPED) -> bytes:
    """The shipped rules, and so many caps after them."""
    lines = [f"K.{n:03d},*,{AGREEMENT},pencari_kerja.{columns[n % len(columns)]},*,*,*,{n % 3},2025-03-20,2028-03-20,{AGREEMENT}: Pasal 9 ayat (1),deny,tidak\n" for n in range(count)]
    return world_rules(office) + "".join(lines).encode()


def world_rules(office: Office) -> bytes:
    with office.ledger.database.read() as tx:
        first = tx.versions.version(1)
    assert first is not None
    return first.rules


def _versions(office: Office, count: int, author: Officer, second: Officer) -> None:
    """Versions 2 to `count`, each approved by another officer; held against Casbin by the bench `policy`, not here."""
    for number in range(2, count + 1):
        rules, at = _rules(office, number - 1), _day(number - 1, count)
        with office.ledger.database.read() as tx:
            before = tx.versions.version(number - 1)
        assert before is not None
        draft = new_draft(office, author.person, rules, at)
        base, new = lifecycle.sha256(before.model + before.rules), lifecycle.sha256(before.model + rules)
        said = Approval(addendum="", base_sha256=base, base_version=number - 1, created=utc_text(at), draft=draft.id, person=second.person.id, policy_sha256=new)
        dsse = sign_dsse(APPROVAL, said.to_json(), open_ring(second.folder / "secrets").get(ReceiptKey, "receipt")).to_json()
        with office.ledger.writing() as book:
            book.tx.versions.approve(draft.id, second.person.id, dsse)
            add_version(office, book, before.model, rules, at, number=number, previous=before, changed=(AGREEMENT,), draft=draft, approvals=[(second.person, dsse)])
            book.tx.versions.change_draft(draft.id, state="published")
    if count > 1 and not take_up_policy(office):
        raise AssertionError(f"the last version is not in force: {office.force.fault}")


def _drafts(office: Office, writer: Officer, other: Officer) -> None:
    """One that is being written, with a change, and one of another officer that waits for approvals."""
    rules = office.policy.rules
    cap = f"K.draf,*,{AGREEMENT},pencari_kerja.*,*,*,*,1,2025-03-20,2028-03-20,{AGREEMENT}: Pasal 9 ayat (1),deny,tidak\n".encode()
    new_draft(office, writer.person, rules + cap, NOW)
    proposed = new_draft(office, other.person, rules + cap.replace(b"K.draf", b"K.usul").replace(b".*,*,*,*,1,", b".jurusan,*,*,*,0,"), NOW)
    propose(office, other.person, proposed.id, NOW)


# --- the year's exchanges
def _day(number: int, of: int) -> datetime:
    return NOW - YEAR + YEAR * number / of


def _exchanges(office: Office, asked: argparse.Namespace) -> None:
    """Each with its row, its receipt and what became of it; between them refusals, and what auditors asked. In the order of their times."""
    with office.ledger.database.read() as tx:
        digests = {row.number: lifecycle.sha256(row.model + row.rules) for row in tx.versions.all()}
    key = office.rings[AGREEMENT].get(ReceiptKey, "receipt")
    each = asked.queries / asked.exchanges

    def said(n: int) -> dict[str, Any]:
        at, version = _day(n, asked.exchanges), 1 + n * len(digests) // asked.exchanges
        more = {"contract": office.contracts["pencari_kerja"], "rows": asked.leaves + n % 7}
        return {
            "time": utc_text(at), "day": utc_text(at)[:10], "policy": {"sha256": digests[version], "version": version}, "outcomes": {"terkirim": asked.leaves, "ditahan_aturan": n % 7},
            "records": {"leaves": asked.leaves, "repeated": 0, "root": "0" * 64, "rows": more["rows"], "unique_permille": 0},
        }  # fmt: skip

    def after(book: Book, n: int, entry: bytes) -> None:
        manifest, at, log_entry = json.loads(entry), _day(n, asked.exchanges), office.ledger.size(AGREEMENT)
        name = manifest["exchange"]
        _row(book, name, manifest, at)
        book.tx.change_exchange(name, state="recorded", log=AGREEMENT, entry=log_entry, manifest=entry)
        book.tx.add_receipt(name, BROKER, sign_dsse(MANIFEST, entry, key).to_json(), utc_text(at))
        left = asked.exchanges - n
        for state in ("delivered", "receipted")[: 2 if left > WAITING else left % 3]:
            book.append(AGREEMENT, event("outcome", at, exchange=name, outcome=state, system=RECIPIENT))
            book.tx.change_exchange(name, state=state, changed=utc_text(at))
        if n % REFUSED == 0:
            _refused(book, hashlib.sha256(name.encode()).hexdigest()[:32], manifest, at)
        for _ in range(int((n + 1) * each) - int(n * each)):
            book.append(AGREEMENT, event("query", at, act="searched", filter_sha256=hashlib.sha256(b"").hexdigest(), found=50, person="auditor-1@sijunjung", size=n, target="pertukaran"))

    ledger.filled(office, asked, said, after)


def _row(book: Book, name: str, manifest: dict[str, Any], at: datetime) -> None:
    book.tx.add_exchange(
        id=name, state="accepted", sender=manifest["sender"], recipient=manifest["recipient"], agreement=AGREEMENT, dataset=manifest["contract"]["dataset"], purpose=manifest["purpose"],
        accepted=utc_text(at), changed=utc_text(at), submission_sha256="0" * 64, idempotency=name,
    )  # fmt: skip


def _refused(book: Book, name: str, manifest: dict[str, Any], at: datetime) -> None:
    _row(book, name, manifest, at)
    said: dict[str, Any] = {"clause": "Pasal 6 ayat (2) huruf d", "exchange": name, "facts": {}, "reason": "kosong", "sender": manifest["sender"], "submission_sha256": "0" * 64}
    appended = book.append(AGREEMENT, event("refusal", at, **said, dataset=manifest["contract"]["dataset"], recipient=manifest["recipient"]))
    problem = json.dumps({"reason": "kosong", "pasal": said["clause"], "facts": {}})
    book.tx.change_exchange(name, state="refused", log=AGREEMENT, entry=appended.index, problem=problem)


# --- what waits for somebody
def _waiting(office: Office, officers: dict[str, Officer]) -> None:
    """A search for people that needs a second person, questions about tokens, a draft of a sending, a passkey without its voucher, a search that is kept."""
    auditor, asker = officers["auditor"].person, officers["operator@kemnaker"].person
    numbers = tuple(f"{n:012d}9001" for n in range(subject.ALONE + 1))
    subject.ask(office, auditor, subject.Question(AGREEMENT, date(2026, 1, 1), date(2026, 11, 21), "Pengaduan tentang data yang keliru", numbers), NOW)
    views.keep(office, auditor, "Yang ditahan", "keputusan=ditahan", NOW)
    with office.ledger.database.read() as tx:
        received = next(row.id for row in tx.received(RECIPIENT, 1))
    for number in range(QUESTIONS):
        token = "p1." + b64url(hashlib.sha256(bytes([number])).digest()[:16])
        reidentify.ask(office, asker, reidentify.Question(AGREEMENT, received, "mutu_data", "Data yang keliru harus dibetulkan", (token,)), NOW)
    text = [",".join(world.contract().names), *(",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in world.draw_rows(ROWS, world.MESS))]
    with sending.Intake(office, officers["operator"].person, sending.Asked(AGREEMENT, world.DATASET, world.PURPOSE, ""), 1 << 20, NOW) as intake:
        intake.take(("\n".join(text) + "\n").encode())
        intake.finish()
    key, person = ec.generate_private_key(ec.SECP256R1()), officers["ppdp"].person.id
    passkey = Passkey(b64url(bytes(32)), "https://broker.example", person, b64encode(spki(key.public_key())).decode())
    with office.ledger.database.write() as tx:
        tx.people.add_passkey(PasskeyRow(passkey.credential, person, passkey.to_json(), None, 0, utc_text(NOW)))
