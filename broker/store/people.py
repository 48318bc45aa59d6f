"""Officers' accounts: who they are, their keys, their secrets as hashes or sealed, their one-time links and sessions.

A display name stands in `person.name` and nowhere else; `Person` has none. Tokens are kept as SHA-256 only.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, text

from broker.errors import LedgerError
from broker.model import Person
from broker.store.tables import TABLES, _blob, _text, _whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row

PERSON: Final = Table(
    "person", TABLES,
    _text("id", key=True),
    _text("party", index=True),
    _text("role"),
    _text("agreements"),  # sorted, one space between
    _text("appointment"),
    _text("starts"),  # civil date, WIB
    _text("ends", optional=True),
    _text("state"),  # invited active ended
    _blob("keys", optional=True),
    _blob("voucher", optional=True),
    _text("name"),  # for people's eyes on the broker's host
)  # fmt: skip

PERSON_KEY: Final = Table("personkey", TABLES, _text("kid", key=True), _text("person", index=True))

CREDENTIAL: Final = Table(
    "credential", TABLES,
    _text("person", key=True),
    _text("password", optional=True),  # Argon2id, PHC string
    _blob("totp", optional=True),  # sealed
    _whole("step"),  # of the last code used: none counts twice
    _whole("failures"),
    _whole("locked"),  # until, Unix seconds
)  # fmt: skip

LINK: Final = Table("personlink", TABLES, _text("hash", key=True), _text("person", index=True), _text("purpose"), _whole("until"), _whole("used"))

SESSION: Final = Table(
    "personsession", TABLES,
    _text("hash", key=True),
    _text("person", index=True),
    _whole("created"),
    _whole("used"),
    _whole("until"),
    _whole("totp"),  # 1: by our own second factor; 0: by the provider's
)  # fmt: skip

PASSKEY: Final = Table(
    "passkey", TABLES,
    _text("credential", key=True),  # id, base64url
    _text("person", index=True),
    _blob("file"),
    _blob("voucher", optional=True),  # none while it waits for one, and counts for nothing
    _whole("counter"),
    _text("added"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Credential:
    """A person's secrets. password: Argon2id PHC string. totp: sealed. step: of the last code used. locked: until, Unix seconds."""

    person: str
    password: str | None
    totp: bytes | None
    step: int
    failures: int
    locked: int


@dataclass(frozen=True, slots=True)
class Link:
    """A one-time link; times in Unix seconds, used: 0 while it is not."""

    person: str
    purpose: str
    until: int
    used: int


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    """A passkey of an officer. file: what is vouched for. voucher: None while it waits for one. counter: the highest its authenticator told. added: time."""

    credential: str
    person: str
    file: bytes
    voucher: bytes | None
    counter: int
    added: str


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person; times in Unix seconds. totp: by our own second factor, not a provider's."""

    person: str
    created: int
    used: int
    until: int
    totp: bool


_PERSON: Final = ", ".join(f.name for f in fields(Person))
_CREDENTIAL: Final = ", ".join(f.name for f in fields(Credential))
_LINK: Final = ", ".join(f.name for f in fields(Link))
_SESSION: Final = ", ".join(f.name for f in fields(Session))


class People:
    """The accounts inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    # accounts
    def add(self, person: Person, name: str) -> None:
        self._c.execute(PERSON.insert(), {**_columns({f.name: getattr(person, f.name) for f in fields(Person)}), "name": name})

    def change(self, person: str, **values: object) -> None:
        """values: fields of Person, as they are there."""
        self._c.execute(PERSON.update().where(PERSON.c.id == person).values(**_columns(values)))

    def get(self, person: str) -> Person | None:
        return next(iter(self._persons("id = :v", v=person)), None)

    def by_kid(self, kid: str) -> Person | None:
        """The person whose enrolled key this is."""
        return next(iter(self._persons("id = (SELECT person FROM personkey WHERE kid = :v)", v=kid)), None)

    def list(self, party: str | None = None) -> tuple[Person, ...]:
        """Everyone, or everyone of a party, by id."""
        return self._persons("1 = 1 ORDER BY id") if party is None else self._persons("party = :v ORDER BY id", v=party)

    def next_number(self, role: str, party: str) -> int:
        """One more than there ever were of this role and party: a number is never given twice, since accounts end and are not deleted."""
        found: Any = self._c.execute(text("SELECT COUNT(*) FROM person WHERE role = :r AND party = :p"), {"r": role, "p": party}).scalar()
        return int(found) + 1

    def name(self, person: str) -> str:
        """The display name, for the administrator's own screen. LedgerError if there is no such person."""
        found: Any = self._c.execute(text("SELECT name FROM person WHERE id = :p"), {"p": person}).scalar()
        if found is None:
            raise LedgerError("no such person")
        return str(found)

    def _persons(self, where: str, **values: object) -> tuple[Person, ...]:
        return tuple(_person(row) for row in self._c.execute(text(f"SELECT {_PERSON} FROM person WHERE {where}"), values))  # noqa: S608 - our own words

    # keys
    def enrol(self, person: str, keys: bytes, kids: tuple[str, ...], voucher: bytes | None = None) -> None:
        """kids: those that are theirs already stay so, and so do those of an earlier file: a key is never another's."""
        self._c.execute(text("INSERT INTO personkey (kid, person) VALUES (:kid, :person) ON CONFLICT (kid) DO NOTHING"), [{"kid": kid, "person": person} for kid in kids])
        self.change(person, keys=keys, voucher=voucher)

    # passkeys
    def add_passkey(self, row: PasskeyRow) -> None:
        self._c.execute(PASSKEY.insert(), {f.name: getattr(row, f.name) for f in fields(PasskeyRow)})

    def passkey(self, credential: str) -> PasskeyRow | None:
        row = self._c.execute(PASSKEY.select().where(PASSKEY.c.credential == credential)).first()
        return PasskeyRow(*row) if row else None

    def passkeys(self, person: str) -> tuple[PasskeyRow, ...]:
        """Of a person, the oldest first."""
        return tuple(PasskeyRow(*row) for row in self._c.execute(PASSKEY.select().where(PASSKEY.c.person == person).order_by(PASSKEY.c.added, PASSKEY.c.credential)))

    def change_passkey(self, credential: str, **values: object) -> None:
        self._c.execute(PASSKEY.update().where(PASSKEY.c.credential == credential).values(**values))

    def drop_passkey(self, credential: str) -> None:
        self._c.execute(PASSKEY.delete().where(PASSKEY.c.credential == credential))

    # secrets
    def credential(self, person: str) -> Credential | None:
        row = self._c.execute(text(f"SELECT {_CREDENTIAL} FROM credential WHERE person = :p"), {"p": person}).first()  # noqa: S608 - our own words
        return Credential(*row) if row else None

    def set_credential(self, value: Credential) -> None:
        self._c.execute(CREDENTIAL.delete().where(CREDENTIAL.c.person == value.person))
        self._c.execute(CREDENTIAL.insert(), {f.name: getattr(value, f.name) for f in fields(Credential)})

    def change_credential(self, person: str, **values: object) -> None:
        self._c.execute(CREDENTIAL.update().where(CREDENTIAL.c.person == person).values(**values))

    # links
    def add_link(self, token_sha256: str, link: Link) -> None:
        self._c.execute(LINK.insert(), {"hash": token_sha256, **{f.name: getattr(link, f.name) for f in fields(Link)}})

    def link(self, token_sha256: str) -> Link | None:
        row = self._c.execute(text(f"SELECT {_LINK} FROM personlink WHERE hash = :h"), {"h": token_sha256}).first()  # noqa: S608 - our own words
        return Link(*row) if row else None

    def use_link(self, token_sha256: str, now: int) -> None:
        self._c.execute(LINK.update().where(LINK.c.hash == token_sha256).values(used=now))

    def drop_secrets(self, person: str) -> None:
        """Password, second factor, links and sessions of a person."""
        for table in (CREDENTIAL, LINK, SESSION):
            self._c.execute(table.delete().where(table.c.person == person))

    # sessions
    def add_session(self, token_sha256: str, session: Session) -> None:
        self._c.execute(SESSION.delete().where(SESSION.c.until <= session.created))
        self._c.execute(SESSION.insert(), {"hash": token_sha256, **{f.name: getattr(session, f.name) for f in fields(Session)}, "totp": int(session.totp)})

    def session(self, token_sha256: str) -> Session | None:
        row = self._c.execute(text(f"SELECT {_SESSION} FROM personsession WHERE hash = :h"), {"h": token_sha256}).first()  # noqa: S608 - our own words
        return Session(row.person, row.created, row.used, row.until, bool(row.totp)) if row else None

    def touch_session(self, token_sha256: str, now: int) -> None:
        self._c.execute(SESSION.update().where(SESSION.c.hash == token_sha256).values(used=now))

    def end_sessions(self, person: str) -> None:
        self._c.execute(SESSION.delete().where(SESSION.c.person == person))

    def end_session(self, token_sha256: str) -> None:
        self._c.execute(SESSION.delete().where(SESSION.c.hash == token_sha256))


def _columns(values: Mapping[str, object]) -> dict[str, object]:
    """Fields of Person as they are stored."""
    return {k: " ".join(sorted(v)) if isinstance(v, frozenset) else v.isoformat() if isinstance(v, date) else v for k, v in values.items()}


def _person(row: Row[Any]) -> Person:
    try:
        return Person(
            row.id, row.party, row.role, frozenset(row.agreements.split()), row.appointment,
            date.fromisoformat(row.starts), date.fromisoformat(row.ends) if row.ends is not None else None, row.state, row.keys, row.voucher,
        )  # fmt: skip
    except (TypeError, ValueError, AttributeError):  # SQLite keeps whatever was forced on it
        raise LedgerError("a row of person is none of ours") from None
