"""What a verified bundle says of people, and the answer that gives to a question: did this recipient receive that of this person, in that year?

Pure; what is said was verified by `bundle.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from broker.model import wib_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.client.bundle import Checked


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A person's leaves in one exchange. levels: column → the highest that a released row of theirs has; empty if none was released."""

    exchange: str
    index: int
    time: str
    sender: str
    recipient: str
    dataset: str
    purpose: str
    columns: tuple[str, ...]
    outcomes: tuple[str, ...]
    rows: tuple[int, ...]  # of the submission, from 0
    levels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Absent:
    """An exchange that is proven to hold no leaf of the person's reference."""

    exchange: str
    time: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Person:
    """One that was asked about, in the order asked. Not known: the broker says so, gives no proof, and nothing is proven of them."""

    known: bool
    disclosed: tuple[Disclosed, ...]
    absent: tuple[Absent, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked about people, verified. size: of the log as it was then. looked: exchanges that were looked through.

    unlooked: those whose leaves or secret were erased, as the log says, and those recorded since.
    """

    request: str
    starts: date
    ends: date
    size: int
    time: str
    looked: int
    unlooked: tuple[Absent, ...]
    people: tuple[Person, ...]
    commitments: tuple[bytes, ...]

    def about(self, key: bytes, subject: str) -> int | None:
        """Which of the people, from 0, the broker signed to be this NIK or passport number; None if none of them."""
        return next((number for number, said in enumerate(self.commitments) if said == whose(key, number, subject)), None)


def whose(key: bytes, number: int, subject: str) -> bytes:
    """The commitment to whom an answer's person is. key: 16 random bytes; without it a number cannot be tried."""
    return sha256(key + number.to_bytes(4, "big") + subject.encode()).digest()


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a recipient received a person's columns in a year. column: its name, or a word of several (`upah` of `upah_min`, `upah_sebulan`)."""

    column: str
    recipient: str
    year: int

    def columns(self, known: frozenset[str]) -> frozenset[str]:
        """Which of the columns that the log knows are meant: the one of that very name, or else every one that has it as a word."""
        return frozenset({self.column}) & known or frozenset(name for name in known if self.column in name.split("_"))


DOUBTS: Final = ("orang", "penerima", "kolom", "masa")


@dataclass(frozen=True, slots=True)
class Verdict:
    """columns: what the question means. received: exchanges that gave one above level 0, with the columns' levels: what was allowed out, be the cell
    empty or not. hidden: that hold the person, and not the column. absent: that do not.

    unlooked: that the answer says nothing of. doubts: of DOUBTS, why finding nothing proves nothing: the broker knows nobody of that number; no
    recipient or no column of that name is in the log, so nobody could receive it; not every day of the year was asked about.
    """

    columns: frozenset[str]
    received: tuple[tuple[Disclosed, Mapping[str, int]], ...]
    hidden: tuple[Disclosed, ...]
    absent: tuple[Absent, ...]
    unlooked: tuple[Absent, ...]
    doubts: tuple[str, ...]

    @property
    def answer(self) -> bool | None:
        """None: it cannot be told."""
        if self.received:
            return True
        return None if self.doubts or self.unlooked else False


def answered(checked: Checked, found: Answered, person: Person, question: Question) -> Verdict:
    """The answer that the proofs of one person give. Pure; nothing is looked up."""

    def asked(time: str, recipient: str) -> bool:
        return recipient == question.recipient and wib_date(datetime.fromisoformat(time)).year == question.year

    columns = question.columns(checked.columns)
    received, hidden = [], []
    for one in (one for one in person.disclosed if asked(one.time, one.recipient)):
        levels = {column: level for column, level in one.levels.items() if level and column in columns}
        if levels:
            received.append((one, levels))
        else:
            hidden.append(one)
    absent, unlooked = (tuple(one for one in some if asked(one.time, one.recipient)) for some in (person.absent, found.unlooked))
    doubted = (  # in the order of DOUBTS; of a log without exchanges no name can be wrong
        found.looked and not person.known,
        checked.systems and question.recipient not in checked.systems,
        checked.systems and not columns,
        found.starts > date(question.year, 1, 1) or found.ends < date(question.year, 12, 31),
    )
    doubts = tuple(doubt for doubt, holds in zip(DOUBTS, doubted, strict=True) if holds)
    return Verdict(columns, tuple(received), tuple(hidden), absent, unlooked, doubts)
