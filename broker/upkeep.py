"""What start-up and the passing of time ask of a broker: take up what a crash left, end what never gets through, delete what is over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.errors import LedgerError, Refusal
from broker.exchange import refuse
from broker.model import utc_text
from broker.store import DRAFT_LIFE

if TYPE_CHECKING:
    from datetime import datetime

    from broker.office import Office

MAX_TRIES: Final = 5  # starts that may take up one accepted exchange
SEGMENTS: Final = 64  # emptied in one transaction: 58 MB of log, and others wait no longer
RELEASED_STATES: Final = ("recorded", "delivered", "receipted")
JUMP: Final = 30  # days that a broker may have been off without more ado
RECEIPTED_KEPT, ENVELOPE_KEPT = timedelta(days=7), timedelta(days=30)


def take_up(office: Office, now: datetime) -> list[str]:
    """At start: sweeps what no row stands for, and returns the accepted exchanges to be taken through again.

    One that was taken up MAX_TRIES times before and never got through (it may be what ends the process) is refused.
    """
    with office.ledger.database.read() as tx:
        accepted = tx.exchanges_in("accepted")
    for row in accepted:
        if row.tries >= MAX_TRIES:
            refuse(office, row.id, Refusal("pengolahan"), now)
    waiting = [row.id for row in accepted if row.tries < MAX_TRIES]
    drop_drafts(office, now)
    with office.ledger.database.read() as tx:
        kept = [row.id for row in tx.exchanges_in(*RELEASED_STATES) if row.header is not None]
        drafts = [office.folders.draft(draft.id).name for draft in tx.sendings.drafts()]
    office.folders.sweep([*waiting, *drafts], kept)
    finish_erasures(office)
    return waiting


def drop_drafts(office: Office, now: datetime) -> int:
    """Every minute, and at start: ends the drafts whose time is over, first the row, then the sealed file. Returns how many."""
    oldest = utc_text(now - DRAFT_LIFE)
    with office.ledger.database.read() as tx:
        over = [draft.id for draft in tx.sendings.drafts() if draft.created <= oldest]
    for name in over:
        with office.ledger.database.write() as tx:
            tx.sendings.drop(name)
        office.folders.draft(name).unlink(missing_ok=True)
    return len(over)


def count_try(office: Office, name: str) -> None:
    """Before an exchange is taken up again: what ends the process every time must not be taken up for ever."""
    with office.ledger.writing() as book:
        row = book.tx.exchange(name)
        if row is not None:
            book.tx.change_exchange(name, tries=row.tries + 1)


def is_plausible(office: Office, now: datetime) -> bool:
    """Once a day, before anything is deleted by its age: False on the first day after the clock jumped, by more than 30 days or back.

    A clock that is wrong for one start must not destroy keys or delete envelopes; one that is right is so the next day too.
    """
    today = now.toordinal()
    with office.ledger.database.write() as tx:
        seen = tx.keyrings.day_seen()
        holds = seen is None or 0 < today - seen[0] <= JUMP or (today == seen[0] and not seen[1])
        tx.keyrings.see_day(today, jumped=not holds)
    return holds


def retire(office: Office, now: datetime) -> int:
    """Once a day: deletes the envelopes of exchanges receipted 7 days ago, or accepted 30 days ago, and returns how many; manifest and leaves stay.

    Ends the requests about people, or about tokens, that nobody approved or fetched in time, and with them whom they
    are about.
    """
    with office.ledger.database.read() as tx:
        rows = [row for row in tx.exchanges_in(*RELEASED_STATES) if row.header is not None]
    limits = {"receipted": utc_text(now - RECEIPTED_KEPT)}
    old = [row.id for row in rows if row.changed < limits.get(row.state, "") or row.accepted < utc_text(now - ENVELOPE_KEPT)]
    for name in old:
        with office.ledger.writing() as book:
            book.tx.change_exchange(name, header=None)  # first: without its header the file is noise
        office.folders.outbox(name).unlink(missing_ok=True)
    with office.ledger.writing() as book:
        book.tx.audit.lapse(utc_text(now))
        book.tx.identities.lapse(utc_text(now))
    finish_erasures(office)
    return len(old)


def finish_erasures(office: Office) -> bool:
    """Empties the segments of leaves that were dropped, then the write-ahead log; whether nothing erased is left in a file.

    It is recorded by then, so a disk that fails here is no refusal: the next start, or day, goes on.
    """
    emptied = SEGMENTS
    try:
        while emptied == SEGMENTS:
            with office.ledger.database.write() as tx:
                emptied = tx.kept.empty_segments(SEGMENTS)
        return office.ledger.database.truncate()
    except LedgerError:
        return False
