"""What one person is told who received their data (UU 27/2022 Pasal 32), within 3×24 hours, as PDF or JSON in Indonesian.

Neither the file nor anything kept of it names the person: the officer writes the name by hand, or a case number stands for it. A disclosure is
left out only under a ground of Pasal 33, and then the report says that something is, and under which ground.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from broker.audit.handout import at_checkpoint, handed_out
from broker.audit.reidentify import GROUNDS as IDENTITY_GROUNDS
from broker.audit.subject import Answer, Question, answer, ask
from broker.audit.subject import request as request_of
from broker.errors import Refusal
from broker.jcs import canonical
from broker.ledger import OUTCOMES, RELEASED
from broker.model import LEVEL_NAMES, MAP, MAP_NAME, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.audit.handout import File, Log
    from broker.audit.subject import Disclosure, Told
    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.store import SubjectRequest

DEADLINE: Final = timedelta(hours=72)  # Pasal 32 ayat (2)
# Pasal 33: when access must be refused. The words are the law's.
GROUNDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "a": "membahayakan keamanan, kesehatan fisik, atau kesehatan mental Subjek Data Pribadi dan/atau orang lain",
        "b": "berdampak pada pengungkapan Data Pribadi milik orang lain",
        "c": "bertentangan dengan kepentingan pertahanan dan keamanan nasional",
    }
)
MEDIA: Final = {"json": "application/json", "pdf": "application/pdf"}
_WITHHELD: Final = {word: "tidak diserahkan: baris ditahan" for word, code in OUTCOMES.items() if code != RELEASED}
_CASE: Final = re.compile(r"[A-Za-z0-9./-]{0,60}")
_MAX_DIGITS: Final = 12  # of a case number: an identity number has more


@dataclass(frozen=True, slots=True)
class About:
    """received: when the person's request came, from which the 3×24 hours run. case: a number that stands for them, may be empty.
    hidden: exchange → letter of the ground in Pasal 33.
    """

    received: datetime
    case: str
    hidden: Mapping[str, str]


def report(office: Office, person: Person, asked: Question | str, about: About, form: str, now: datetime) -> File | SubjectRequest:
    """The report as json or pdf, recorded; or the request that waits for a second person. asked: the question, or the id of an approved request.

    Refusal wewenang, alasan, subjek, parameter and those of `subject.answer`. Nothing is looked up before all else is in order.
    """
    if form not in MEDIA:
        raise Refusal("parameter", parameter="format")
    _checked(about, asked, now)
    if (request_of(office, person, asked, now).subjects if isinstance(asked, str) else len(asked.subjects)) != 1:
        raise Refusal("parameter", parameter="subjects")  # before the answer, which is given once
    found = answer(office, person, asked, now) if isinstance(asked, str) else ask(office, person, asked, now)
    if not isinstance(found, Answer):
        return found
    log = at_checkpoint(office, found.agreement, found.size)
    said = told(office, log, found, about, now)
    if form == "json":
        data = canonical(said)
    else:
        from broker.audit.subject_pages import pages  # noqa: PLC0415 - see broker.audit.pdf

        data = pages(said)
    facts: dict[str, Json] = {"hidden": dict(Counter(about.hidden.values())), "request": found.request}
    when = {"due": said["due"], "received": said["received"]}
    return handed_out(office, person, log, "subjek", form, [data], lambda: len(said["disclosures"]), now, asked=when, facts=facts)


def _checked(about: About, asked: Question | str, now: datetime) -> None:
    if about.received > now:
        raise Refusal("parameter", parameter="received")
    named = () if isinstance(asked, str) else asked.subjects
    if not _CASE.fullmatch(about.case) or sum(map(str.isdigit, about.case)) > _MAX_DIGITS or any(subject in about.case.upper() for subject in named):
        raise Refusal("parameter", parameter="case")
    if not set(about.hidden.values()) <= GROUNDS.keys():
        raise Refusal("parameter", parameter="hidden")
    if not isinstance(asked, str) and len(asked.subjects) != 1:
        raise Refusal("parameter", parameter="subjects")


def told(office: Office, log: Log, found: Answer, about: About, now: datetime) -> dict[str, Any]:
    """The report as JSON (docs/formats/reports.md), newest disclosure first. Refusal parameter `hidden`: an exchange to hide is not among them."""
    (subject,) = found.subjects
    if not about.hidden.keys() <= {*(one.exchange for one in subject.disclosures), *(one.exchange for one in subject.identities)}:
        raise Refusal("parameter", parameter="hidden")
    due = about.received + DEADLINE
    grounds = Counter(about.hidden.values())
    return {
        "agreement": {"id": found.agreement, "nama": office.agreements[found.agreement].nama},
        "case": about.case,
        "checkpoint": log.note,
        "disclosures": [_shown(office, found.agreement, one) for one in subject.disclosures if one.exchange not in about.hidden],
        "due": utc_text(due),
        "from": found.starts,
        "identities": [_opened(one) for one in subject.identities if one.exchange not in about.hidden],
        "known": subject.known,
        "looked": found.looked,
        "made": utc_text(now),
        "on_time": now <= due,
        "received": utc_text(about.received),
        "to": found.ends,
        "type": "sinergi/subject-report/v1",
        "unlooked": len(found.unlooked),
        "untold": found.untold,
        "withheld": [{"count": grounds[letter], "ground": f"Pasal 33 huruf {letter}", "text": GROUNDS[letter]} for letter in sorted(grounds)],
        "without": subject.without,
    }


def _opened(one: Told) -> dict[str, Any]:
    """`index` leads to the entry in the log."""
    return {**asdict(one), "approvers": list(one.approvers), "ground_text": IDENTITY_GROUNDS[one.ground]}


def _shown(office: Office, agreement: str, one: Disclosure) -> dict[str, Any]:
    contract, purposes = office.contracts.get(one.dataset), {p.code: p.nama for p in office.agreements[agreement].purposes}
    released = "terkirim" in one.outcomes
    return {
        "clauses": list(one.clauses),
        "columns": {column: LEVEL_NAMES[level] for column, level in sorted(one.levels.items()) if level},
        "dataset": one.dataset,
        "dataset_nama": contract.nama if contract else MAP_NAME if one.dataset == MAP else one.dataset,
        "exchange": one.exchange,
        "outcome": "diserahkan" if released else next(map(_WITHHELD.get, one.outcomes), ""),
        "purpose": one.purpose,
        "purpose_nama": purposes.get(one.purpose, one.purpose),
        "recipient": one.recipient,
        "rows": len(set(one.sequences)),
        "sender": one.sender,
        "state": one.state,
        "time": one.time,
    }
