"""What every asking about a person has in common: who may, whom it is about, and why; refusals of it are recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from broker.audit.search import require
from broker.detection import detect
from broker.errors import Refusal
from broker.record import BROKER_LOG, event
from broker.roles import BODIES
from broker.vouching import denied, vouched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from broker.model import Person
    from broker.office import Office

MAX_SUBJECTS: Final = 1000  # of one request
_REASON: Final = range(10, 501)  # characters
_NIK: Final = re.compile(r"[0-9]{16}")
_PASSPORT: Final = re.compile(r"[A-Z0-9]{6,12}")  # as the contracts have it
_SIGNS: Final = re.compile(r"[\W_]")
_DATES: Final = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?!\d)")
_DIGITS: Final = 15  # in all, dates apart: an identity number written in pieces has more
_IDENTIFIERS: Final = frozenset({"nik", "kk", "npwp", "bpjs", "kpj", "nip", "passport", "sim", "phone", "email", "account", "ak1"})


def allowed(office: Office, person: Person, act: str, agreement: str, now: datetime, *, outside: bool = False) -> None:
    """Refusal wewenang or belum_dijamin, recorded, unless the person may do the act and their party's system vouches for their key.

    outside: an external auditor may too; they have no system, so whoever lets them must ask for a second person.
    """
    try:
        require(office, person, act, agreement, now)
        if not (outside and person.party in BODIES) and not vouched(office, person):
            raise denied(office, person, act)
    except Refusal as refusal:
        raise refused(office, person, agreement, refusal, now) from None


def refused(office: Office, person: Person, agreement: str, refusal: Refusal, now: datetime) -> Refusal:
    """Records that someone asked or approved who may not, and returns the refusal to be raised. Of an agreement that is not theirs the `broker` log has it."""
    log = office.log_for(agreement) if agreement in person.agreements else BROKER_LOG
    with office.ledger.writing() as book:
        book.append(log, event("refusal", now, clause=refusal.pasal, facts=dict(refusal.facts), reason=refusal.reason, sender=person.id))
    return refusal


def names_of(subjects: Sequence[str]) -> list[str]:
    """What the people's tags are made of (docs/formats/leaf.md). Refusal subjek names the place in the list, parameter an empty or too long one."""
    if not 1 <= len(subjects) <= MAX_SUBJECTS:
        raise Refusal("parameter", parameter="subjects")
    names: dict[str, None] = {}
    for number, subject in enumerate(subjects, 1):
        if subject in names or f"paspor:{subject}" in names or not (_NIK.fullmatch(subject) or _PASSPORT.fullmatch(subject)):
            raise Refusal("subjek", nomor=number)
        names[subject if _NIK.fullmatch(subject) else f"paspor:{subject}"] = None
    return list(names)


def reasoned(reason: str, subjects: Sequence[str] = ()) -> None:
    """Refusal alasan unless the reason is one that may be kept: it is stored, so nobody's number may be in it."""
    bare = _SIGNS.sub("", reason).upper()
    if len(reason.strip()) not in _REASON or len(reason) not in _REASON or not reason.isprintable() or any(subject in bare for subject in subjects):
        raise Refusal("alasan")
    if sum(c.isdecimal() for c in _DATES.sub("", reason)) >= _DIGITS or any(finding.kind in _IDENTIFIERS for finding in detect([reason])[0]):
        raise Refusal("alasan")
