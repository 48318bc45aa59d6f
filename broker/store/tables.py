"""Tables. `SQLModel(table=True)` does not validate, so rows never leave this package: `database.py` gives frozen nouns."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

SCHEMA = 1


class Meta(SQLModel, table=True):
    key: str = Field(primary_key=True)
    value: str


class Exchange(SQLModel, table=True):
    """One submission and what became of it."""

    id: str = Field(primary_key=True)  # 32 hex digits
    state: str = Field(index=True)  # accepted recorded delivered receipted refused
    sender: str = Field(index=True)
    recipient: str = Field(index=True)
    agreement: str = Field(index=True)
    dataset: str
    purpose: str
    accepted: str
    changed: str
    submission_sha256: str
    idempotency: str = Field(unique=True)  # SHA-256 of sending system and key
    tries: int = 0  # starts that took it up while it was accepted
    log: str | None = None
    entry: int | None = None
    header: bytes | None = Field(default=None, sa_type=LargeBinary)  # envelope prefix; its presence is the outbox row
    manifest: bytes | None = Field(default=None, sa_type=LargeBinary)
    report: str | None = None  # quality report, JSON: row numbers, columns, rules
    problem: str | None = None  # refusal, JSON


class Nonce(SQLModel, table=True):
    kid: str = Field(primary_key=True)
    nonce: str = Field(primary_key=True)
    until: int = Field(index=True)


class Vault(SQLModel, table=True):
    __table_args__ = {"sqlite_with_rowid": False}
    tag: bytes = Field(primary_key=True, sa_type=LargeBinary)  # keyed per agreement, so tags of two agreements never meet
    agreement: str
    id: bytes = Field(sa_type=LargeBinary)


class Segment(SQLModel, table=True):
    exchange: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    low: bytes = Field(sa_type=LargeBinary)
    high: bytes = Field(sa_type=LargeBinary)
    rows: bytes = Field(sa_type=LargeBinary)
    tiles: bytes = Field(sa_type=LargeBinary)


class LogEntry(SQLModel, table=True):
    log: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    entry: bytes = Field(sa_type=LargeBinary)
    leaf: bytes = Field(sa_type=LargeBinary)


class LogCheckpoint(SQLModel, table=True):
    log: str = Field(primary_key=True)
    size: int = Field(primary_key=True)
    note: str


class Receipt(SQLModel, table=True):
    exchange: str = Field(primary_key=True)
    signer: str = Field(primary_key=True)
    dsse: bytes = Field(sa_type=LargeBinary)
    at: str


class RefusedAtDoor(SQLModel, table=True):
    """Unauthenticated requests: counted, never described."""

    minute: str = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    count: int


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """An `Exchange` as the rest of the house sees it."""

    id: str
    state: str
    sender: str
    recipient: str
    agreement: str
    dataset: str
    purpose: str
    accepted: str
    changed: str
    submission_sha256: str
    tries: int
    log: str | None
    entry: int | None
    header: bytes | None
    manifest: bytes | None
    report: str | None
    problem: str | None
