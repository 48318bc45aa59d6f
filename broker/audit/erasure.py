"""Erasing, with its legal ground: a person's row in the vault, an exchange's secret, the leaves of years gone by. Proofs hold as before.

1. Who may is asked, the ground and the written reason are read; one officer erases ALONE times a day. 2. One transaction: what is erased is gone from the database, and the
agreement's log says that it was, on which ground, by whom; never of whom. 3. The write-ahead log is emptied, so that no copy is left in the
broker's files; what a crash leaves of this step, start-up does.

Leaves stay unless they are dropped: erasing a person takes away what tells whose they are. Backups are outside this; so is what a recipient has.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from broker.audit.asked import allowed, names_of, reasoned, refused
from broker.audit.search import require
from broker.audit.subject import ALONE, ALONE_WITHIN
from broker.errors import Refusal
from broker.ledger.newcomers import place
from broker.lifecycle.officers import READ
from broker.model import utc_text, wib_date
from broker.record import event, tags_in
from broker.upkeep import finish_erasures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from broker.jcs import Json
    from broker.keys.tags import Tags
    from broker.model import Person
    from broker.office import Office
    from broker.record import Book
    from broker.store import Transaction

ERASE: Final = "hapus_subjek"
KEPT_YEARS: Final = 5  # whole civil years that leaves are kept: longer than any agreement runs
RETENTION: Final = "pasal_44_1_a"
GROUNDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pasal_43_1_a": "UU 27/2022 Pasal 43 ayat (1) huruf a: tidak lagi diperlukan untuk tujuan pemrosesan",
        "pasal_43_1_b": "UU 27/2022 Pasal 43 ayat (1) huruf b: persetujuan ditarik kembali",
        "pasal_43_1_c": "UU 27/2022 Pasal 43 ayat (1) huruf c: permintaan Subjek Data Pribadi",
        "pasal_43_1_d": "UU 27/2022 Pasal 43 ayat (1) huruf d: diperoleh atau diproses dengan cara melawan hukum",
        RETENTION: "UU 27/2022 Pasal 44 ayat (1) huruf a: masa retensi habis menurut jadwal retensi arsip",
        "pasal_44_1_b": "UU 27/2022 Pasal 44 ayat (1) huruf b: permintaan Subjek Data Pribadi",
        "pasal_44_1_d": "UU 27/2022 Pasal 44 ayat (1) huruf d: diperoleh atau diproses dengan cara melawan hukum",
    }
)


@dataclass(frozen=True, slots=True)
class Ground:
    """Why something is erased: a code of GROUNDS, and the reason in the officer's words, which the log has as a digest."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What the log says of an erasure. complete: no byte of it is left in the broker's files; otherwise the next start, or day, sees to it."""

    index: int
    entry: Mapping[str, Any]
    complete: bool


def erase_subject(office: Office, person: Person, agreement: str, subject: str, ground: Ground, now: datetime) -> Erased:
    """Unlinks a person (NIK or passport number) from all their leaves in an agreement. Someone the vault does not know is answered and recorded alike.

    Refusal wewenang, subjek, alasan, penghapusan.
    """
    allowed(office, person, ERASE, agreement, now)
    _grounded(ground, subject)
    name = pl.Series(names_of((subject,)))
    with office.ledger.database.read() as tx:  # a search through all commitments: not while everyone waits to write
        tags = tags_in(tx, office.rings, agreement)
        known = tx.vault(agreement).find(tags.people(name).tobytes())
        where = _committed(tx, agreement, tags, name, known)
    with _erasing(office, person, agreement, now) as book:
        tags = tags_in(book.tx, office.rings, agreement)
        gone = book.tx.vault(agreement).forget(tags.people(name).tobytes())
        where = where if gone == known else _committed(book.tx, agreement, tags, name, gone)
        if where is not None:
            book.tx.kept.erase_salt(*where)
        recorded = _record(book, person, agreement, "subject", ground, now, subjects=1)
    return _finished(office, recorded)


def _committed(tx: Transaction, agreement: str, tags: Tags, name: pl.Series, person: bytes | None) -> tuple[str, int] | None:
    """The exchange that brought a person into the vault, and their place in its list; None for who came before there were lists."""
    if person is None:
        return None
    ever = [replace(tags, epoch=epoch).people(name).tobytes() for epoch in tags.keys]  # a commitment is to the tag of its day
    for new in tx.kept.new(agreement):
        for tag in ever:
            if (number := place(new.hashes, new.salts, tag, person)) is not None:
                return new.exchange, number
    return None


def erase_exchange(office: Office, person: Person, agreement: str, exchange: str, ground: Ground, now: datetime) -> Erased:
    """Erases an exchange's secret: its commitments open no more here, and its references lead to nobody. Refusal wewenang, alasan, penghapusan, tidak_ada."""
    allowed(office, person, ERASE, agreement, now)
    _grounded(ground)
    with _erasing(office, person, agreement, now) as book:
        row = book.tx.exchange(exchange)
        if row is None or row.manifest is None or row.agreement != agreement:
            raise Refusal("tidak_ada")
        if book.tx.kept.secret(exchange) == b"":
            raise Refusal("rahasia_dihapus")
        book.tx.kept.erase_secret(exchange, agreement)
        recorded = _record(book, person, agreement, "exchange", ground, now, exchange=exchange)
    return _finished(office, recorded)


def retire_leaves(office: Office, person: Person, agreement: str, before: int, ground: Ground, now: datetime) -> Erased:
    """Drops the leaves of exchanges decided before the year `before` (WIB); manifests, their roots and the hashes of every 256 leaves stay.

    Refusal wewenang, alasan, penghapusan: `tahun` within KEPT_YEARS, `dasar` another ground than retention, `kosong` nothing that old.
    """
    allowed(office, person, ERASE, agreement, now)
    _grounded(ground)
    if ground.code != RETENTION:
        raise Refusal("penghapusan", bidang="dasar")
    if before > wib_date(now).year - KEPT_YEARS:
        raise Refusal("penghapusan", bidang="tahun")
    with _erasing(office, person, agreement, now) as book:
        old = [manifest for manifest in _manifests(book.tx, agreement) if int(manifest["day"][:4]) < before and not book.tx.kept.dropped(manifest["exchange"])]
        if not old:
            raise Refusal("penghapusan", bidang="kosong")
        for manifest in old:
            book.tx.kept.erase_secret(manifest["exchange"], agreement, dropped=True)
        leaves = sum(manifest["records"]["leaves"] for manifest in old)
        recorded = _record(book, person, agreement, "retire", ground, now, before=before, exchanges=len(old), leaves=leaves)
    return _finished(office, recorded)


def _manifests(tx: Transaction, agreement: str) -> list[dict[str, Any]]:
    return [manifest for entry in tx.entries(agreement) if (manifest := json.loads(entry))["type"] == "sinergi/exchange/v1"]


def erasures(office: Office, person: Person, agreement: str, now: datetime) -> list[tuple[int, dict[str, Any], str]]:
    """Every erasure of an agreement: its place in the log, its entry, the written reason. Refusal wewenang for who does not read the log."""
    require(office, person, READ, agreement, now)
    with office.ledger.database.read() as tx:
        return [(index, json.loads(next(tx.entries(agreement, index))), reason) for index, reason in tx.kept.reasons(agreement).items()]


def _grounded(ground: Ground, *subjects: str) -> None:
    """Refusal penghapusan `dasar`, alasan."""
    if ground.code not in GROUNDS:
        raise Refusal("penghapusan", bidang="dasar")
    reasoned(ground.reason, subjects)


@contextmanager
def _erasing(office: Office, person: Person, agreement: str, now: datetime) -> Iterator[Book]:
    """The transaction of one more erasure. Refusal penghapusan `batas`, recorded: the officer has done as many within a day as one does alone."""
    with office.ledger.writing() as book:
        alone = book.tx.kept.erased_by(person.id, utc_text(now - ALONE_WITHIN)) < ALONE
        if alone:
            yield book
    if not alone:
        raise refused(office, person, agreement, Refusal("penghapusan", bidang="batas"), now)


def _record(book: Book, person: Person, agreement: str, act: str, ground: Ground, now: datetime, **more: Json) -> tuple[int, bytes]:
    reason_sha256 = sha256(ground.reason.encode()).hexdigest()
    entry = event("erasure", now, act=act, ground=ground.code, person=person.id, reason_sha256=reason_sha256, **more)
    appended = book.append(agreement, entry)
    book.tx.kept.add_reason(agreement, appended.index, ground.reason)
    return appended.index, entry


def _finished(office: Office, recorded: tuple[int, bytes]) -> Erased:
    index, entry = recorded
    return Erased(index, json.loads(entry), finish_erasures(office))
