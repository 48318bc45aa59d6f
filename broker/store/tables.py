"""Tables, as SQLAlchemy Core: no object per row is wanted, and rows never leave this package: `database.py` gives frozen nouns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table

SCHEMA: Final = 7
TABLES: Final = MetaData()


def _text(name: str, *, key: bool = False, index: bool = False, unique: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, String, primary_key=key, index=index or None, unique=unique or None, nullable=optional)


def _whole(name: str, *, key: bool = False, index: bool = False, optional: bool = False) -> Column[int]:
    return Column(name, Integer, primary_key=key, index=index or None, nullable=optional, autoincrement=False)


def _blob(name: str, *, key: bool = False, optional: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=key, nullable=optional)


META: Final = Table("meta", TABLES, _text("key", key=True), _text("value"))

# One submission and what became of it.
EXCHANGE: Final = Table(
    "exchange", TABLES,
    _text("id", key=True),  # 32 hex digits
    _text("state", index=True),  # accepted recorded delivered receipted refused
    _text("sender", index=True),
    _text("recipient", index=True),
    _text("agreement", index=True),
    _text("dataset"),
    _text("purpose"),
    _text("accepted"),
    _text("changed"),
    _text("submission_sha256"),
    _text("idempotency", unique=True),  # SHA-256 of sending system and key
    Column("tries", Integer, nullable=False, default=0),  # starts that took it up while it was accepted
    _text("log", optional=True),
    _whole("entry", optional=True),
    _blob("header", optional=True),  # envelope prefix; its presence is the outbox row
    _blob("manifest", optional=True),
    _text("report", optional=True),  # quality report, JSON: row numbers, columns, rules
    _text("problem", optional=True),  # refusal, JSON
)  # fmt: skip

NONCE: Final = Table("nonce", TABLES, _text("kid", key=True), _text("nonce", key=True), _whole("until", index=True))

# Pages of `vault.py`; people: tag and id, 32 bytes each, by tag. A tag is keyed per agreement, so tags of two agreements never meet.
VAULT: Final = Table(
    "vault", TABLES, _text("agreement", key=True), _whole("run", key=True), _whole("page", key=True), _blob("low"), _blob("high"), _blob("people")
)  # fmt: skip

# `rows` last: what stands behind a blob of a megabyte is found only by way of all its pages.
SEGMENT: Final = Table("segment", TABLES, _text("exchange", key=True), _whole("number", key=True), _blob("low"), _blob("high"), _blob("tiles"), _blob("rows"))

LOG_ENTRY: Final = Table("logentry", TABLES, _text("log", key=True), _whole("position", key=True), _blob("entry"), _blob("leaf"))

LOG_CHECKPOINT: Final = Table("logcheckpoint", TABLES, _text("log", key=True), _whole("size", key=True), _text("note"))

RECEIPT: Final = Table("receipt", TABLES, _text("exchange", key=True), _text("signer", key=True), _blob("dsse"), _text("at"))

# Unauthenticated requests: counted, never described.
REFUSED_AT_DOOR: Final = Table("refusedatdoor", TABLES, _text("minute", key=True), _text("reason", key=True), _whole("count"))


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """A row of `exchange` as the rest of the house sees it."""

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
