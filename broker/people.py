"""Officers: their accounts, their keys, how they are known. Every change is an entry in the ledger.

An officer is known by a request signed with a key of their own (`officer`), or by a session (`whose`). The host's administrator makes
accounts and can neither approve nor read: see `roles.MAY`. No name, address or token enters an entry, a log line or an error.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from base64 import b64decode
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from broker.errors import KeyRingError, Refusal
from broker.identity import NONCE_SECONDS, SignedRequest, verify_request
from broker.keys import ReceiptPublic, RequestKey, RequestPublic, derive, read_public_set
from broker.keys.sound import sound
from broker.model import Person, utc_text, wib_date
from broker.record import BROKER_LOG, event
from broker.roles import BODIES, MAY, WORDS, may
from broker.store import Link
from broker.vouching import denied, is_new, vouched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from broker.jcs import Json
    from broker.keys import Ring
    from broker.office import Office
    from broker.record import Book

HOST: Final = "broker"  # where an administrator's id says `@party`
ACTS: Final = (
    "baca_log", "cari_subjek", "hapus_subjek", "tulis_kebijakan", "setujui_kebijakan", "hentikan", "sahkan_kunci", "baca_data", "minta_identitas", "buka_samaran", "kelola_akun", "kirim",
)  # fmt: skip
# Acts that no role holds together, and why.
APART: Final = (
    ("kelola_akun", "tulis_kebijakan", "who makes accounts would write rules under a name of their making"),
    ("kelola_akun", "setujui_kebijakan", "who makes accounts would approve under a name of their making"),
    ("kelola_akun", "cari_subjek", "who runs the host never asks about a person"),
    ("kirim", "cari_subjek", "who sends or receives would look people up"),
    ("kelola_akun", "baca_data", "who runs the host never reads what passes through it"),
    ("kelola_akun", "buka_samaran", "who runs the host never undoes a pseudonym"),
    ("kelola_akun", "kirim", "who runs the host speaks for no party"),
    ("kelola_akun", "sahkan_kunci", "who proposes a party's keys would confirm them"),
    ("kirim", "sahkan_kunci", "who holds the keys would confirm them"),
    ("kirim", "tulis_kebijakan", "who sends would write what may be sent"),
    ("kirim", "setujui_kebijakan", "who sends would approve what may be sent"),
    ("baca_data", "setujui_kebijakan", "who reads would approve what may be read"),
    ("baca_data", "buka_samaran", "who holds the rows would undo their pseudonyms alone"),
    ("minta_identitas", "buka_samaran", "who asks who somebody is would approve it"),
    ("kelola_akun", "minta_identitas", "who runs the host never asks who somebody is"),
    ("buka_samaran", "setujui_kebijakan", "who undoes pseudonyms would approve that they are enough"),
)
CONFIRM: Final = "sahkan_kunci"
LINK_LIFE: Final = timedelta(hours=72)
CONSOLE_LINK_LIFE: Final = timedelta(minutes=10)
_APPOINTMENT: Final = re.compile(r"[A-Za-z0-9./-]{1,60}")
_KEYS: Final = frozenset({"request", "receipt"})
_GOVERNING: Final = frozenset({"tulis_kebijakan", "setujui_kebijakan", "hentikan"})


# --- who signed
def officer(office: Office, method: str, url: str, headers: Mapping[str, str], now: datetime, *, body: bool, also: tuple[str, ...] = ()) -> tuple[Person, SignedRequest]:
    """The officer whose own enrolled key signed the request, in office; the nonce is still owed: `spend_nonce`.

    Refusal tanda_tangan: unknown key, bad signature, appointment not begun or over, one answer; or waktu. Counted, never described.
    A lock-out of the password does not reach here: whoever knows an id could otherwise keep its officer from halting releases.
    """
    found: list[Person] = []

    def key(kid: str) -> RequestPublic | None:
        with office.ledger.database.read() as tx:
            person = tx.people.by_kid(kid)
        if person is None or person.keys is None or not person.in_office(wib_date(now)):
            return None
        public = read_public_set(person.keys).get(RequestPublic, "request")
        if public.kid != kid:  # a row that was changed by hand
            return None
        found.append(person)
        return public

    try:
        signed = verify_request(method, url, headers, key, now, body=body, also=also)
    except Refusal as refusal:
        with office.ledger.database.write() as tx:
            tx.count_refusal(utc_text(now)[:16], refusal.reason)
        raise
    return found[-1], signed


def spend_nonce(office: Office, person: Person, signed: SignedRequest, now: datetime, body: bytes | None = None) -> None:
    """Compares the body that came, if one was signed (Refusal isi_berubah), then uses the nonce (Refusal ulang if it was received before)."""
    if signed.body_sha256 != (None if body is None else hashlib.sha256(body).digest()):
        raise refused(office, person, Refusal("isi_berubah"), now)
    with office.ledger.writing() as book:
        fresh = book.tx.use_nonce(signed.kid, signed.nonce, int(now.timestamp()), int(now.timestamp()) + NONCE_SECONDS)
    if not fresh:
        raise refused(office, person, Refusal("ulang"), now)


def refused(office: Office, person: Person, refusal: Refusal, now: datetime) -> Refusal:
    """Records a known officer's refusal, and returns it to be raised."""
    with office.ledger.writing() as book:
        book.append(BROKER_LOG, event("refusal", now, clause=refusal.pasal, facts=dict(refusal.facts), reason=refusal.reason, sender=person.id))
    return refusal


# --- accounts, by the host's administrator
def by_host(office: Office, body: bytes, now: datetime) -> dict[str, Json]:
    """An act of the host's administrator, as docs/formats/people.md has it, and its answer. Refusal parameter `isi`, or akun."""
    asked = read_strict(body)
    try:
        match asked:
            case {"act": "invite", "role": str(), "party": str(), "appointment": str(), "from": str(), "to": str() | None, "agreements": list(), "name": str()} if len(asked) == 8:
                ends = None if asked["to"] is None else date.fromisoformat(asked["to"])
                invitation = Invitation(asked["role"], asked["party"], asked["appointment"], date.fromisoformat(asked["from"]), ends, frozenset(asked["agreements"]), asked["name"])
                person, token = invite(office, invitation, now)
                return {"person": person.id, "token": token}
            case {"act": "link", "person": str()} if len(asked) == 2:
                return {"person": asked["person"], "token": renew_link(office, asked["person"], now)}
            case {"act": "console_link", "person": str()} if len(asked) == 2:
                return {"person": asked["person"], "token": console_link(office, asked["person"], now)}
            case {"act": "enrol", "person": str(), "keys": str(), "fingerprint": str(), "voucher": str()} if len(asked) == 5:
                keys, voucher = (b64decode(asked[name], validate=True) for name in ("keys", "voucher"))
                return {"person": enrol_key(office, asked["person"], keys, asked["fingerprint"], now, voucher or None).id}
            case {"act": "end", "person": str()} if len(asked) == 2:
                end(office, asked["person"], now)
                return {"person": asked["person"]}
    except (ValueError, TypeError):  # a date, base64 or list of something else
        raise Refusal("parameter", parameter="isi") from None
    raise Refusal("parameter", parameter="isi")


def read_strict(body: bytes) -> dict[str, Any]:
    """The JSON object of a small body, no key twice. Refusal parameter `isi`."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        value = json.loads(body.decode(), object_pairs_hook=once)
        value_text = json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise Refusal("parameter", parameter="isi") from None
    if not isinstance(value, dict) or b"\\u0000" in value_text:
        raise Refusal("parameter", parameter="isi")
    return value


def host_key(office: Office) -> RequestKey:
    """Signs the administrator's requests from the host: whoever can read the broker's own secrets is the host."""
    return host_key_of(office.rings[BROKER_LOG])


def host_key_of(ring: Ring) -> RequestKey:
    return RequestKey(derive(ring.secret("root"), "host"))


def host(office: Office, method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Refusal tanda_tangan, waktu, isi_berubah or ulang unless the host's own key signed this request, once."""
    own = host_key(office).public
    try:
        signed = verify_request(method, url, headers, lambda kid: own if kid == own.kid else None, now, body=True)
        if signed.body_sha256 != hashlib.sha256(body).digest():
            raise Refusal("isi_berubah")
    except Refusal as refusal:
        with office.ledger.database.write() as tx:
            tx.count_refusal(utc_text(now)[:16], refusal.reason)
        raise
    with office.ledger.database.write() as tx:
        fresh = tx.use_nonce(signed.kid, signed.nonce, int(now.timestamp()), int(now.timestamp()) + NONCE_SECONDS)
    if not fresh:
        raise Refusal("ulang")


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the administrator fills in. agreements: empty for all of the party's. name: for the host's own list, never recorded."""

    role: str
    party: str
    appointment: str
    starts: date
    ends: date | None
    agreements: frozenset[str]
    name: str


def invite(office: Office, asked: Invitation, now: datetime) -> tuple[Person, str]:
    """A new account and the token of its one-time set-up link, valid 72 hours. Refusal akun names the field that is wrong."""
    agreements = _covered(office, asked)
    if asked.ends is not None and (asked.ends < asked.starts or asked.ends < wib_date(now)):
        raise Refusal("akun", bidang="sampai")
    if not _APPOINTMENT.fullmatch(asked.appointment):
        raise Refusal("akun", bidang="surat")
    if not 1 <= len(asked.name.strip()) <= 100 or not asked.name.isprintable():
        raise Refusal("akun", bidang="nama")
    with office.ledger.writing() as book:
        people = book.tx.people
        number = people.next_number(asked.role, asked.party)
        name = f"{WORDS[asked.role]}-{number}@{asked.party or HOST}"
        person = Person(name, asked.party, asked.role, agreements, asked.appointment, asked.starts, asked.ends, "invited", None)
        people.add(person, asked.name.strip())
        return person, _link(book, person, now)


def renew_link(office: Office, name: str, now: datetime) -> str:
    """Another set-up link for who did not use theirs; the earlier one is void. Refusal akun `id`: whoever has set up needs a new account instead,
    or the host could take over theirs.
    """
    with office.ledger.writing() as book:
        person = _living(book, name)
        if person.state != "invited":
            raise Refusal("akun", bidang="id")
        book.tx.people.drop_secrets(name)
        return _link(book, person, now)


def console_link(office: Office, name: str, now: datetime) -> str:
    """The token of a link that signs in to the console of a demonstration, once, within 10 minutes. Refusal akun: `demonstrasi`, where this is none; `id`."""
    if not office.demonstration:
        raise Refusal("akun", bidang="demonstrasi")
    token = secrets.token_urlsafe(32)
    with office.ledger.writing() as book:
        person = _living(book, name)
        if person.state != "active" or not person.in_office(wib_date(now)):
            raise Refusal("akun", bidang="id")
        book.tx.people.add_link(token_sha256(token), Link(name, "console", int((now + CONSOLE_LINK_LIFE).timestamp()), 0))
        record(book, person, "console_link", now)
    return token


def _link(book: Book, person: Person, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    book.tx.people.add_link(token_sha256(token), Link(person.id, "setup", int((now + LINK_LIFE).timestamp()), 0))
    ends = person.ends.isoformat() if person.ends else None
    record(
        book, person, "invited", now,
        agreements=sorted(person.agreements), appointment=person.appointment, ends=ends, party=person.party, role=person.role, starts=person.starts.isoformat(),
    )  # fmt: skip
    return token


def _covered(office: Office, asked: Invitation) -> frozenset[str]:
    """The agreements of the new account. Refusal akun for a role, party or agreement that is not one, or a pair that does not go together."""
    if asked.role not in WORDS:
        raise Refusal("akun", bidang="peran")
    if asked.role == "administrator":
        if asked.party or asked.agreements:
            raise Refusal("akun", bidang="pihak")
        return frozenset()
    if asked.party in BODIES:
        if asked.role != "auditor":
            raise Refusal("akun", bidang="peran")
        if len(asked.agreements) != 1 or not asked.agreements <= office.agreements.keys():
            raise Refusal("akun", bidang="kesepakatan")
        if asked.ends is None:
            raise Refusal("akun", bidang="sampai")
        return asked.agreements
    mine = frozenset(a.id for a in office.agreements.values() if asked.party in a.parties)
    if not mine:
        raise Refusal("akun", bidang="pihak")
    if not asked.agreements <= mine:
        raise Refusal("akun", bidang="kesepakatan")
    return asked.agreements or mine


def enrol_key(office: Office, name: str, keys: bytes, fingerprint: str, now: datetime, voucher: bytes | None = None) -> Person:
    """Pins the officer's own public key file, by the fingerprint of their written notice; never on first use, never over one that is vouched for.

    voucher: the DSSE by which the party's system vouches for the file; without it nobody writes, approves or stops. Before a party's first system is
    confirmed nobody can have one. Who was enrolled without one
    is enrolled again with one, by the same file or another: the earlier key opens nothing from then on, and is never another's.

    Refusal akun: `id`, `sidik_jari`, `kunci` (no key file of this person, or a key that is somebody's already), `jaminan`.
    """
    try:
        public = read_public_set(keys)
    except KeyRingError:
        raise Refusal("akun", bidang="kunci") from None
    if public.fingerprint.replace(" ", "") != fingerprint.replace(" ", "").lower():
        raise Refusal("akun", bidang="sidik_jari")
    purposes = {purpose for scope, purpose in public.keys if not scope}
    if public.owner != name or not purposes >= _KEYS or any(scope for scope, _ in public.keys) or not sound(tuple(public.keys.values())):
        raise Refusal("akun", bidang="kunci")
    kids = tuple(key.kid for key in public.keys.values())
    with office.ledger.writing() as book:
        person = _living(book, name)
        systems = {kid for kid in kids if book.tx.peers.kid(kid)}
        again = person.keys is not None and voucher is not None and not vouched(office, person)
        owners = {owner.id for kid in kids if (owner := book.tx.people.by_kid(kid))}
        if (person.keys is not None and not again) or systems or owners - {name}:
            raise Refusal("akun", bidang="kunci")
        needed = MAY[person.role] & _GOVERNING and not is_new(office, person.party)
        if (voucher is not None or needed) and not vouched(office, replace(person, keys=keys, voucher=voucher), fresh=True):
            raise Refusal("akun", bidang="jaminan")
        book.tx.people.enrol(name, keys, kids, voucher)
        request, receipt = public.get(RequestPublic, "request"), public.get(ReceiptPublic, "receipt")
        record(book, person, "key_enrolled", now, keys_sha256=hashlib.sha256(keys).hexdigest(), receipt_kid=receipt.kid, request_kid=request.kid)
        found = book.tx.people.get(name)
    assert found is not None
    return found


def colleagues(office: Office, person: Person, now: datetime) -> tuple[Person, ...]:
    """Every account of the person's party, then the external auditors of their agreements. For who confirms its keys. Refusal wewenang, belum_dijamin."""
    if not any(may(person, CONFIRM, name, wib_date(now)) for name in person.agreements) or not vouched(office, person):
        raise denied(office, person, CONFIRM)
    with office.ledger.database.read() as tx:
        return tx.people.list(person.party) + tuple(one for body in BODIES for one in tx.people.list(body) if one.agreements & person.agreements)


def end(office: Office, name: str, now: datetime) -> None:
    """Ends an appointment at once: sessions, links and secrets are deleted; the keys count no more and are never another's. Refusal akun: `id`."""
    with office.ledger.writing() as book:
        person, people = _living(book, name), book.tx.people
        people.change(name, state="ended")
        people.drop_secrets(name)
        record(book, person, "ended", now)


def _living(book: Book, name: str) -> Person:
    person = book.tx.people.get(name)
    if person is None or person.state == "ended":
        raise Refusal("akun", bidang="id")
    return person


def record(book: Book, person: Person, act: str, now: datetime, **facts: Json) -> None:
    """The act in the broker's log; an external auditor's also in the log of their agreement, for the parties to see."""
    entry = event("person", now, act=act, person=person.id, **facts)
    for log in (BROKER_LOG, *(sorted(person.agreements) if person.party in BODIES else ())):
        book.append(log, entry)


def token_sha256(token: str) -> str:
    """What is kept of a link's or a session's token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
