"""Whether the logs that a person reads stand as they should: checkpoint, witnesses, keys. Small queries; nothing is recorded, as nothing of a log's content is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from broker.audit.search import logs_of
from broker.errors import Held
from broker.gates import not_held
from broker.ledger.checkpoint import read_body, split_note
from broker.ledger.cosign import NONE
from broker.model import expires_soon, utc_text
from broker.record import entry_time
from broker.witnessing import cosigned

if TYPE_CHECKING:
    from broker.ledger.quorum import Quorum
    from broker.model import Person
    from broker.office import Office
    from broker.store import Transaction

BEHIND: Final = 2  # the part of the agreement's limit after which what no quorum has cosigned is told of: half, as of unusual activity


@dataclass(frozen=True, slots=True)
class Witness:
    """size, at: of the last checkpoint it cosigned, None if it never did; at: UTC, by its own clock. lag: entries of the log that it has not cosigned."""

    name: str
    size: int | None
    at: str | None
    lag: int


@dataclass(frozen=True, slots=True)
class Keys:
    """A system's newest keys. not_after: None, it has none that stand."""

    system: str
    not_after: str | None
    soon: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A log. state: baik, tertinggal (witnesses are behind), menunggu (releases wait for them), lain (one saw another log), tanpa_saksi, tanpa_kuorum.

    waiting: how long its oldest entry without a quorum has waited; limit: after how long releases stop. Both None without witnesses.
    """

    log: str
    size: int
    root: str
    time: str
    state: str
    witnesses: tuple[Witness, ...]
    quorum_size: int | None
    waiting: timedelta | None
    limit: timedelta | None
    against: str
    keys: tuple[Keys, ...]


def integrity(office: Office, person: Person, now: datetime) -> tuple[Standing, ...]:
    """Of every log that the person reads. Refusal wewenang or belum_dijamin."""
    logs = logs_of(office, person, now)
    with office.ledger.database.read() as tx:
        return tuple(_standing(office, tx, log, now) for log in logs)


def _standing(office: Office, tx: Transaction, log: str, now: datetime) -> Standing:
    note = tx.checkpoint(log)
    assert note is not None  # its first entry is that a policy was published
    head = read_body(split_note(note)[0])
    last = entry_time(tx, log, head.size - 1)
    keys = tuple(_keys(office, system, now) for system in office.agreements[log].systems.values())
    quorum = office.quorums.get(log)
    at = utc_text(last) if last else ""
    if quorum is None:
        return Standing(log, head.size, head.root.hex(), at, "tanpa_saksi", (), None, None, None, "", keys)
    times = tx.cosignatures.times(log)
    witnesses = tuple(_witness(one.name, times.get(one.vkey.text), head.size) for one in quorum.policy.witnesses)
    found = cosigned(tx, quorum, head.size)
    since = entry_time(tx, log, found.size if found else 0)
    waiting = now - since if since else timedelta(0)
    state = _state(office, tx, quorum, now, waiting)
    return Standing(log, head.size, head.root.hex(), at, state, witnesses, found.size if found else None, waiting, quorum.limit, quorum.against, keys)


def _state(office: Office, tx: Transaction, quorum: Quorum, now: datetime, waiting: timedelta) -> str:
    if quorum.against:
        return "lain"
    if quorum.policy.quorum == NONE:
        return "tanpa_kuorum"
    try:
        not_held(office, tx, now, quorum.log)
    except Held:
        return "menunggu"
    return "tertinggal" if waiting * BEHIND > quorum.limit else "baik"


def _witness(name: str, last: tuple[int, int] | None, size: int) -> Witness:
    if last is None:
        return Witness(name, None, None, size)
    return Witness(name, last[0], utc_text(datetime.fromtimestamp(last[1], UTC)), max(0, size - last[0]))


def _keys(office: Office, system: str, now: datetime) -> Keys:
    active = [one.row.not_after for one in office.peers.ever(system) if one.row.state == "active" and one.row.not_after is not None]
    newest = max(active, default=None)
    return Keys(system, newest, newest is None or expires_soon(newest, now))
