"""What an exchange's leaves can still be opened with: its secret, the list of the people it brought into the vault. Both can be erased.

Deleted bytes are overwritten in the database (`secure_delete`); `Database.truncate` then empties the write-ahead log as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Integer, LargeBinary, String, Table, text

from broker.store.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

SALT: Final = 16
HASH: Final = 32

_SECRET: Final = Table(
    "exchangesecret", TABLES,
    Column("exchange", String, primary_key=True),
    Column("agreement", String, nullable=False, index=True),
    Column("secret", LargeBinary, nullable=False),  # empty: erased
    Column("dropped", Integer, nullable=False),  # 1: its leaves are dropped, their hashes kept
)  # fmt: skip

# Who came into the vault with an exchange, by ascending tag. A salt of zeros is of someone erased since.
_NEW: Final = Table(
    "vaultnew", TABLES,
    Column("exchange", String, primary_key=True),
    Column("agreement", String, nullable=False, index=True),
    Column("hashes", LargeBinary, nullable=False),
    Column("salts", LargeBinary, nullable=False),
)  # fmt: skip

_ERASURE: Final = Table(
    "erasure", TABLES,
    Column("agreement", String, primary_key=True),
    Column("entry", Integer, primary_key=True, autoincrement=False),
    Column("reason", String, nullable=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewPeople:
    """The commitments to people new with an exchange, 32 bytes each, and their salts, 16 each, in one order."""

    exchange: str
    hashes: bytes
    salts: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """A released exchange whose leaves are still there, and can be opened with its secret."""

    exchange: str
    sender: str
    recipient: str
    purpose: str
    secret: bytes


class Kept:
    """What a transaction can ask and write of secrets, new people and the reasons of erasures."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection

    # secrets
    def add_secret(self, exchange: str, agreement: str, secret: bytes) -> None:
        self._c.execute(_SECRET.insert(), {"exchange": exchange, "agreement": agreement, "secret": secret, "dropped": 0})

    def secret(self, exchange: str) -> bytes | None:
        """None: recorded before there were secrets. Empty: erased. As `keys.ref_key` takes it."""
        found: bytes | None = self._c.execute(text("SELECT secret FROM exchangesecret WHERE exchange = :e"), {"e": exchange}).scalar()
        return found

    def secrets(self, agreement: str) -> dict[str, bytes]:
        """By exchange, those of an agreement; one recorded before there were secrets is not in it."""
        rows = self._c.execute(text("SELECT exchange, secret FROM exchangesecret WHERE agreement = :a"), {"a": agreement})
        return {exchange: secret for exchange, secret in rows}  # noqa: C416 - rows are not pairs to dict()

    def made(self, agreement: str) -> list[Made]:
        """The released exchanges of an agreement that have their secret, in no order that means anything."""
        rows = self._c.execute(
            text(
                "SELECT e.id, e.sender, e.recipient, e.purpose, s.secret FROM exchangesecret s JOIN exchange e ON e.id = s.exchange"
                " WHERE s.agreement = :a AND s.dropped = 0 AND s.secret != x'' AND e.manifest IS NOT NULL"
            ),
            {"a": agreement},
        )
        return [Made(*row) for row in rows]

    def erase_secret(self, exchange: str, agreement: str, *, dropped: bool = False) -> None:
        """Also of an exchange that never had one: from now on its keys are not made again. dropped: its leaves go as well."""
        self._c.execute(
            text(
                "INSERT INTO exchangesecret (exchange, agreement, secret, dropped) VALUES (:e, :a, x'', :d)"
                " ON CONFLICT (exchange) DO UPDATE SET secret = x'', dropped = max(dropped, :d)"
            ),
            {"e": exchange, "a": agreement, "d": int(dropped)},
        )

    # leaves
    def dropped(self, exchange: str) -> bool:
        """Whether a retention run dropped the leaves of an exchange."""
        return self._c.execute(text("SELECT 1 FROM exchangesecret WHERE exchange = :e AND dropped = 1"), {"e": exchange}).first() is not None

    def empty_segments(self, limit: int) -> int:
        """Empties at most `limit` segments whose exchange's leaves are dropped, tile hashes apart; returns how many."""
        dropped = "SELECT exchange FROM exchangesecret WHERE dropped = 1"
        full = f"SELECT rowid FROM segment WHERE exchange IN ({dropped}) AND low != x'' LIMIT :n"  # noqa: S608 - our own words
        return self._c.execute(text(f"UPDATE segment SET rows = x'', low = x'', high = x'' WHERE rowid IN ({full})"), {"n": limit}).rowcount  # noqa: S608

    # people
    def add_new(self, exchange: str, agreement: str, hashes: bytes, salts: bytes) -> None:
        self._c.execute(_NEW.insert(), {"exchange": exchange, "agreement": agreement, "hashes": hashes, "salts": salts})

    def new(self, agreement: str) -> Iterator[NewPeople]:
        """Per exchange, in no order that means anything."""
        for row in self._c.execute(text("SELECT exchange, hashes, salts FROM vaultnew WHERE agreement = :a"), {"a": agreement}):
            yield NewPeople(*row)

    def erase_salt(self, exchange: str, number: int) -> None:
        """Makes the commitment to one person unopenable for ever."""
        found: bytes = self._c.execute(text("SELECT salts FROM vaultnew WHERE exchange = :e"), {"e": exchange}).scalar_one()
        salts = found[: number * SALT] + bytes(SALT) + found[(number + 1) * SALT :]
        self._c.execute(text("UPDATE vaultnew SET salts = :s WHERE exchange = :e"), {"s": salts, "e": exchange})

    def erased_by(self, person: str, since: str) -> int:
        """How many erasures an officer made since then, in all agreements together."""
        entry = "CAST(logentry.entry AS TEXT)"
        query = (
            "SELECT COUNT(*) FROM erasure JOIN logentry ON logentry.log = erasure.agreement AND logentry.position = erasure.entry"  # noqa: S608 - our own words
            f" WHERE json_extract({entry}, '$.person') = :p AND json_extract({entry}, '$.time') > :s"
        )
        return int(self._c.execute(text(query), {"p": person, "s": since}).scalar_one())

    # reasons
    def add_reason(self, agreement: str, entry: int, reason: str) -> None:
        """The written reason of an erasure; the log has its digest."""
        self._c.execute(_ERASURE.insert(), {"agreement": agreement, "entry": entry, "reason": reason})

    def reasons(self, agreement: str) -> dict[int, str]:
        """By the erasure's place in the agreement's log."""
        rows = self._c.execute(text("SELECT entry, reason FROM erasure WHERE agreement = :a ORDER BY entry"), {"a": agreement})
        return {entry: reason for entry, reason in rows}  # noqa: C416 - rows are not pairs to dict()
