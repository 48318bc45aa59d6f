"""Changes of a ring: a key of the next epoch, retired ones, disabled ones, destroyed ones. Each is one new ring, written by `ring.changing`.

pending → active → retired → destroyed; active or retired → disabled → back. Only an active key signs, seals or derives; a retired one opens and
verifies; of a destroyed one the public part stays, so that what it signed still verifies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from broker.errors import KeyRingError
from broker.keys.public import PublicSet
from broker.keys.ring import ACTIVE, DESTROYED, DISABLED, LASTING, PENDING, RETIRED, USABLE, KeyRecord, Ring, unwrapped, with_key
from broker.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from broker.keys.material import AnyKey

_MAY: Final[Mapping[str, tuple[str, ...]]] = {
    ACTIVE: (PENDING, DISABLED),
    RETIRED: (ACTIVE, DISABLED),
    DISABLED: (PENDING, ACTIVE, RETIRED),
    DESTROYED: (PENDING, RETIRED, DISABLED),
}


def rotated(ring: Ring, purpose: str, now: datetime, made: str) -> Ring:
    """The ring with a new active key of `purpose`; the one before is retired, unless it is disabled. A pending key of the purpose becomes the active one instead."""
    if not any(r.purpose == purpose and r.state != DESTROYED for r in ring.records):
        raise KeyRingError(f"tidak ada kunci {purpose} · no {purpose} key in this ring")
    waiting = [r for r in ring.records if r.purpose == purpose and r.state == PENDING]
    ring = ring if waiting else with_key(ring, purpose, PENDING, now, made)
    kid = waiting[0].kid if waiting else ring.records[-1].kid
    return in_state(ring, kid, ACTIVE, now)


def announced(ring: Ring, purpose: str, now: datetime, made: str) -> Ring:
    """The ring with a pending key: others can learn its public part before anything is made with it. KeyRingError if one waits already."""
    if any(r.purpose == purpose and r.state == PENDING for r in ring.records):
        raise KeyRingError(f"kunci {purpose} berikutnya sudah diumumkan · a {purpose} key is pending already")
    if is_ended(ring) and purpose not in LASTING:
        raise KeyRingError("kesepakatan ini sudah berakhir · the agreement of this ring has ended: it gets no new keys but those of its log and receipts")
    return with_key(ring, purpose, PENDING, now, made)


def next_set(owner: str, ring: Ring) -> PublicSet | None:
    """The public set of a party's pending keys: what is enrolled before they are used. None if none are pending."""
    waiting = {("", purpose): key for purpose, state, key in ring.public if state == PENDING}
    return PublicSet(owner, waiting) if waiting else None


def in_state(ring: Ring, kid: str, state: str, now: datetime, approved: str | None = None) -> Ring:
    """The ring with one key in another state; what was active then retires. KeyRingError for a step that is none, or an unknown key.

    approved: who approved it. An active key does not retire by itself: another takes its place. Disabled, it leaves its purpose without one, and
    what needs one refuses.
    """
    record = found(ring, kid)
    if record.state not in _MAY.get(state, ()):
        raise KeyRingError(f"langkah itu tidak ada bagi kunci ini · a key that is {record.state} does not become {state}")
    if record.state == ACTIVE and state == RETIRED:
        raise KeyRingError(f"hanya kunci {record.purpose} ini yang dipakai, gantilah dahulu · the only active {record.purpose} key: rotate it, and it retires")
    changed = {kid: _changed(record, state, now, approved)}
    if state == ACTIVE:
        changed |= {r.kid: _changed(r, RETIRED, now, None) for r in ring.records if r.purpose == record.purpose and r.state == ACTIVE}
    records = tuple(changed.get(r.kid, r) for r in ring.records)
    return replace(ring, records=records, keys=_keys(ring, records))


def distrusted(ring: Ring, kid: str, since: datetime, reason: str, now: datetime, approved: str) -> Ring:
    """The ring with a key that others may have signed with since then: its secret is destroyed, and what it signed counts for nothing by itself.

    KeyRingError for the one in use, which is rotated first, and for one that never signed; what is distrusted already is so only from earlier on.
    """
    record = found(ring, kid)
    if record.purpose not in LASTING:
        raise KeyRingError("hanya kunci log atau tanda terima yang dinyatakan tidak dipercaya · only a log or receipt key is distrusted: what others are is disabled or destroyed")
    if record.state not in (RETIRED, DESTROYED):
        raise KeyRingError(f"gantilah kunci {record.purpose} itu dahulu · the {record.purpose} key is {record.state}: rotate first, and distrust the one before")
    if record.distrusted and record.distrusted[0] <= utc_text(since):
        raise KeyRingError("sudah dinyatakan sejak saat itu atau sebelumnya · it is distrusted since then, or before")
    changed = replace(record if record.state == DESTROYED else _changed(record, DESTROYED, now, approved), distrusted=(utc_text(since), reason))
    records = tuple(changed if r.kid == kid else r for r in ring.records)
    return replace(ring, records=records, keys=_keys(ring, records))


def ended(ring: Ring, now: datetime, approved: str) -> Ring:
    """The ring at the end of an agreement: of what derives, seals and opens no secret is left, of any state. What signs for as long as there is a log stays."""
    records = tuple(r if r.state == DESTROYED or r.purpose in LASTING else _changed(r, DESTROYED, now, approved) for r in ring.records)
    return replace(ring, records=records, keys=_keys(ring, records))


def is_ended(ring: Ring) -> bool:
    """Whether all is destroyed that ends with an agreement."""
    states = {r.state for r in ring.records if r.purpose not in LASTING}
    return states == {DESTROYED}


def found(ring: Ring, kid: str) -> KeyRecord:
    for record in ring.records:
        if record.kid == kid:
            return record
    raise KeyRingError("tidak ada kunci itu · no such key in this ring")


def _changed(record: KeyRecord, state: str, now: datetime, approved: str | None) -> KeyRecord:
    wrapped = None if state == DESTROYED else record.wrapped
    return replace(record, state=state, changed=utc_text(now), approved=approved or record.approved, wrapped=wrapped)


def _keys(ring: Ring, records: tuple[KeyRecord, ...]) -> dict[str, AnyKey]:
    return {r.kid: ring.keys[r.kid] if r.kid in ring.keys else unwrapped(ring.name, r, ring.kek) for r in records if r.state in USABLE}
