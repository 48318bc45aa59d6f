"""How an officer sets up an account, signs in and stays signed in. One answer, and one time, for every way to fail.

What is tried is counted where the account is; the ledger has one entry per lock-out. Passwords are compared outside any transaction (they
take a tenth of a second), and judged inside one, so that two attempts at once are two attempts.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.errors import NotOpened, Refusal
from broker.identity.passwords import MIN_LENGTH, hashed, is_outdated, is_weak, verify
from broker.identity.sealed import seal_secret, unseal_secret
from broker.identity.totp import matching_step, new_secret, otpauth
from broker.keys import derive
from broker.model import utc_text, wib_date
from broker.people import record, token_sha256
from broker.record import BROKER_LOG
from broker.store import Credential, Link, Session

if TYPE_CHECKING:
    from datetime import datetime

    from broker.model import Person
    from broker.office import Office
    from broker.record import Book

CONFIRM_LIFE: Final = timedelta(minutes=15)
TRIES: Final = 5  # failures before a lock-out
FIRST_LOCK, LONGEST_LOCK = 60, 3600  # seconds; doubling between
IDLE: Final = 30 * 60  # seconds a session may rest
LONGEST: Final = 12 * 3600  # seconds a session may last
_TOUCH: Final = 30  # seconds between two notes of a session's use
_NO_SECRET: Final = "A" * 32


# --- set-up
def set_up(office: Office, token: str, password: str, now: datetime) -> tuple[Person, str, str]:
    """Uses the one-time link: (person, otpauth URI to show once, token to confirm with). Refusal tautan, or sandi, after which the link still holds."""
    with office.ledger.database.read() as tx:
        link = tx.people.link(token_sha256(token))
    if link is None:
        raise Refusal("tautan")
    if is_weak(password, link.person):
        raise Refusal("sandi", panjang=MIN_LENGTH)
    kept, secret, confirm = hashed(password), new_secret(), secrets.token_urlsafe(32)
    with office.ledger.writing() as book:
        person = _linked(book, token, "setup", now)
        book.tx.people.use_link(token_sha256(token), int(now.timestamp()))
        book.tx.people.set_credential(Credential(person.id, kept, _seal(office, person.id, secret), 0, 0, 0))
        book.tx.people.add_link(token_sha256(confirm), Link(person.id, "confirm", int((now + CONFIRM_LIFE).timestamp()), 0))
    return person, otpauth(secret, person.id), confirm


def confirm(office: Office, token: str, code: str, now: datetime) -> Person:
    """The account, active: its first code was right. Refusal masuk: it was not; after five the link is void. Refusal tautan."""
    with office.ledger.writing() as book:
        people = book.tx.people
        person = _linked(book, token, "confirm", now)
        secret = people.credential(person.id)
        assert secret is not None
        step = _step(office, secret, code, now)
        if step is None:
            people.change_credential(person.id, failures=secret.failures + 1)
            if secret.failures + 1 >= TRIES:
                people.drop_secrets(person.id)
        else:
            people.use_link(token_sha256(token), int(now.timestamp()))
            people.change_credential(person.id, failures=0, step=step)
            people.change(person.id, state="active")
            record(book, person, "set_up", now)
    if step is None:
        raise Refusal("masuk")
    return replace(person, state="active")


def _linked(book: Book, token: str, purpose: str, now: datetime) -> Person:
    """The invited person of an unused link of that purpose, in time. Refusal tautan."""
    link = book.tx.people.link(token_sha256(token))
    person = book.tx.people.get(link.person) if link else None
    if link is None or person is None or link.purpose != purpose or link.used or link.until <= now.timestamp() or person.state != "invited":
        raise Refusal("tautan")
    return person


# --- sign-in
def sign_in(office: Office, name: str, password: str, code: str, now: datetime) -> tuple[Person, str]:
    """The officer and the token of a new session. Refusal masuk: unknown, wrong, used code, locked, not in office; all alike."""
    with office.ledger.database.read() as tx:
        known = tx.people.credential(name)
    right = verify(known.password if known else None, password)
    fresh = hashed(password) if right and known and known.password and is_outdated(known.password) else None
    with office.ledger.writing() as book:
        found = _judged(office, book, name, code, now, right=right)
        if found is not None and fresh is not None:
            book.tx.people.change_credential(name, password=fresh)
        token = _opened(book, found, now, "password", totp=True) if found else None
    if found is None or token is None:
        raise Refusal("masuk")
    return found, token


def sign_in_by_provider(office: Office, name: str, code: str | None, now: datetime) -> tuple[Person, str]:
    """As `sign_in`, for one whom the OIDC provider vouches for. code: None if the provider asked for a second factor of its own. Refusal masuk."""
    with office.ledger.writing() as book:
        if code is None:
            person, secret = book.tx.people.get(name), book.tx.people.credential(name)
            found = person if person and secret and _open_for(person, secret, now) else None
        else:
            found = _judged(office, book, name, code, now, right=True)
        token = _opened(book, found, now, "oidc", totp=code is not None) if found else None
    if found is None or token is None:
        raise Refusal("masuk")
    return found, token


def sign_in_by_link(office: Office, token: str, now: datetime) -> tuple[Person, str]:
    """As `sign_in`, by a link that the host of a demonstration made; once. No second factor was asked for. Refusal tautan."""
    with office.ledger.writing() as book:
        people = book.tx.people
        link = people.link(token_sha256(token))
        person = people.get(link.person) if link else None
        if not office.demonstration or link is None or person is None or link.purpose != "console" or link.used or link.until <= now.timestamp():
            raise Refusal("tautan")
        if person.state != "active" or not person.in_office(wib_date(now)):
            raise Refusal("tautan")
        people.use_link(token_sha256(token), int(now.timestamp()))
        return person, _opened(book, person, now, "tautan", totp=False)


def _judged(office: Office, book: Book, name: str, code: str, now: datetime, *, right: bool, signed_in: bool = False) -> Person | None:
    """The person, if password and code are right and the account is open; otherwise None, and it is counted. signed_in: a lock-out does not bar them, and their own ends their sessions."""
    people = book.tx.people
    person, secret = people.get(name), people.credential(name)
    step = _step(office, secret, code, now)
    if person is None or secret is None or not _open_for(person, replace(secret, locked=0) if signed_in else secret, now):
        book.tx.count_refusal(utc_text(now)[:16], "masuk")
        return None
    if right and step is not None:
        people.change_credential(name, step=step)
        return person
    book.tx.count_refusal(utc_text(now)[:16], "masuk")
    failures = secret.failures + 1
    if failures < TRIES:
        people.change_credential(name, failures=failures)
        return None
    seconds = min(FIRST_LOCK << min(failures - TRIES, 10), LONGEST_LOCK)
    people.change_credential(name, failures=failures, locked=int(now.timestamp()) + seconds)
    if signed_in:
        people.end_sessions(name)
    record(book, person, "sign_in_failed", now, failures=failures)
    record(book, person, "locked", now, seconds=seconds)
    return None


def _open_for(person: Person, secret: Credential, now: datetime) -> bool:
    return person.state == "active" and person.in_office(wib_date(now)) and secret.locked <= now.timestamp()


def _opened(book: Book, person: Person, now: datetime, by: str, *, totp: bool) -> str:
    token, at = secrets.token_urlsafe(32), int(now.timestamp())
    book.tx.people.change_credential(person.id, failures=0, locked=0)
    book.tx.people.add_session(token_sha256(token), Session(person.id, at, at, at + LONGEST, totp))
    record(book, person, "signed_in", now, by=by)
    return token


def _step(office: Office, secret: Credential | None, code: str, now: datetime) -> int | None:
    sealed = _NO_SECRET if secret is None or secret.totp is None else _unsealed(office, secret.person, secret.totp)
    step = matching_step(sealed or _NO_SECRET, code, now, secret.step if secret else 0)
    return None if secret is None or secret.totp is None or sealed is None else step


# --- signed in
def whose(office: Office, token: str, now: datetime) -> tuple[Person, Session]:
    """Whose session it is: used within 30 minutes, begun within 12 hours, appointment still on. Refusal sesi."""
    at, name = int(now.timestamp()), token_sha256(token)
    with office.ledger.database.read() as tx:
        session = tx.people.session(name)
        person = tx.people.get(session.person) if session else None
    if session is None or person is None or person.state != "active" or not person.in_office(wib_date(now)) or at - session.used >= IDLE or at >= session.until:
        raise Refusal("sesi")
    if at - session.used >= _TOUCH:
        with office.ledger.database.write() as write:
            write.people.touch_session(name, at)
    return person, session


def again(office: Office, person: Person, code: str, now: datetime) -> None:
    """Asks for a signed-in officer's second factor once more, before something that is not undone. Refusal masuk; what is tried counts as a sign-in does.

    A lock-out does not reach here: whoever knows an id could otherwise keep its officer from halting releases. A try here that locks ends every session of theirs.
    """
    with office.ledger.writing() as book:
        found = _judged(office, book, person.id, code, now, right=True, signed_in=True)
        if found is not None:
            book.tx.people.change_credential(person.id, failures=0, locked=0)
    if found is None:
        raise Refusal("masuk")


def began(office: Office, token: str) -> str | None:
    """The id of whose session it was, also when it is over; None if there never was one or it was ended."""
    with office.ledger.database.read() as tx:
        session = tx.people.session(token_sha256(token))
    return session.person if session else None


def sign_out(office: Office, token: str) -> None:
    with office.ledger.database.write() as tx:
        tx.people.end_session(token_sha256(token))


# --- second factors at rest
def _keys(office: Office, person: str) -> list[bytes]:
    return [derive(root, "totp", person.encode()) for root in office.rings[BROKER_LOG].secrets("root").values()]


def _seal(office: Office, person: str, secret: str) -> bytes:
    return seal_secret(_keys(office, person)[0], secret.encode(), b"totp")


def _unsealed(office: Office, person: str, sealed: bytes) -> str | None:
    """None if the row was changed or moved: then no code is right."""
    try:
        return unseal_secret(sealed, b"totp", *_keys(office, person)).decode()
    except NotOpened:
        return None
