"""The frozen nouns that every package shares. What each means exactly is in docs/semantics.md.

Nothing here reads a file, a clock or a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

WIB: Final = timezone(timedelta(hours=7), "WIB")  # civil dates of agreements, policies and reports

REMINDER: Final = timedelta(days=60)  # before keys expire

def wib_date(now: datetime) -> date:
    return now.astimezone(WIB).date()


def wib_text(time: str) -> str:
    """A stored time as officials read it: `2026-11-21T03:04:05.678Z` → `21-11-2026 10:04 WIB`."""
    return f"{datetime.fromisoformat(time).astimezone(WIB):%d-%m-%Y %H:%M} WIB"


def expires_soon(not_after: str, now: datetime) -> bool:
    """Whether keys have expired or will so soon that they should be renewed."""
    return not_after <= utc_text(now + REMINDER)


def utc_text(now: datetime) -> str:
    """UTC with milliseconds: `2026-11-21T03:04:05.678Z`."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


class Level(IntEnum):
    """What a recipient sees of a column; `allow n` is up to n, `deny n` never above n."""

    HIDE = 0
    MASK = 1
    GENERALISE = 2
    PSEUDONYM = 3
    FORMAT_PRESERVING = 4
    CLEAR = 5


LEVEL_NAMES: Final = ("sembunyi", "masker", "generalisasi", "samaran", "samaran berformat", "jelas")
LEVEL_NOTE: Final = (
    "Tingkat adalah yang diizinkan kebijakan bagi kolom itu, bukan isinya: sel yang kosong dalam baris tetap kosong.",
    "A level is what the policy allowed of the column, not what its cell held: a cell that was empty in the row stayed empty.",
)

# Row flags in bit order: a row class is a set of flags, its number the sum of their bits (docs/formats/manifest.md).
ROW_FLAGS: Final = ("anak", "spesifik", "spesifik_kolom", "disabilitas", "perorangan", "keberatan")

MAP, MAP_NAME = "peta_samaran", "Peta samaran lama ke samaran baru"  # in the place of a dataset, in exchanges that the broker makes after a root's rotation
MAP_COLUMNS: Final = ("samaran_baru", "samaran_lama")


def class_name(number: int) -> str:
    """`umum` for no flag, otherwise the flags joined by `+` in bit order."""
    return "+".join(f for i, f in enumerate(ROW_FLAGS) if number >> i & 1) or "umum"


@dataclass(frozen=True, slots=True)
class System:
    """`sijoker@sijunjung`: a registered system of a party."""

    id: str

    @property
    def party(self) -> str:
        return self.id.partition("@")[2]

    @property
    def name(self) -> str:
        return self.id.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset contract; fields as in docs/formats/contract.md."""

    name: str
    type: str  # string int decimal date bool code text
    required: bool
    kind: str
    klass: str  # umum spesifik bukan_pribadi publik teks_bebas
    regex: str | None = None
    min: str | None = None
    max: str | None = None
    length: tuple[int, int] | None = None
    list_max: int | None = None
    check: str | None = None
    codelist: str | None = None
    flags: tuple[str, ...] = ()
    flag_when: str | None = None
    subject: str | None = None  # yes | perorangan
    evidence: str = "inferred"
    generalise: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # audience ('' = default) → generaliser
    mask: str | None = None
    token: str | None = None
    konsep: str = ""
    definisi: str = ""
    satuan: str = ""
    contoh: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A dataset's template: what a file of it must hold, and what each level does to each column."""

    dataset: str
    nama: str
    name_en: str
    template: str
    columns: tuple[Column, ...]
    freshness: str  # ISO 8601 duration; reported
    freshness_column: str
    stale_after: str | None  # ISO 8601 duration; an older row is withheld
    subjects: tuple[str, ...]  # person columns that are always indexed
    fallback: str  # the record's own id column
    public_basis: str | None
    standar: Mapping[str, str]  # the six attributes of Permenaker 15/2020
    sha256: str  # of the TOML file

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


@dataclass(frozen=True, slots=True)
class Purpose:
    """A row of an agreement's closed purpose table."""

    code: str
    parent: str  # perencanaan | layanan
    nama: str
    name_en: str
    clause: str
    recipients: frozenset[str]
    datasets: frozenset[str]
    needs_basis: bool
    stated: bool  # False: inferred


@dataclass(frozen=True, slots=True)
class Agreement:
    """One signed agreement as data; `clauses` holds every parameter of its clause table."""

    id: str
    nama: str
    numbers: tuple[str, str]
    parties: tuple[str, str]  # pihak kesatu, pihak kedua
    systems: Mapping[str, str]  # party → system id
    regions: Mapping[str, str]  # party → wilayah code; the ministry has none
    starts: date
    ends: date  # last day, inclusive
    scope: Mapping[str, str]  # dataset → clause
    directions: Mapping[str, tuple[tuple[str, str], ...]]  # dataset → (sender party, recipient party)
    direction_clause: str
    purposes: tuple[Purpose, ...]
    pass_rate: int  # rows per thousand that must pass validation
    security_clause: str
    quality_clause: str
    clauses: Mapping[str, Mapping[str, object]]
    work_plan_ends: date
    sha256: str

    @property
    def formatted(self) -> bool:
        """Whether it has opted in to level 4, with the legal note that this asks for."""
        return "format_preserving" in self.clauses


@dataclass(frozen=True, slots=True)
class Request:
    """What a sender's signed statement asks: ids only, still unjudged."""

    agreement: str
    dataset: str
    template: str
    sender: str  # system id
    recipient: str  # system id
    purpose: str
    basis: str | None
    content_type: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Step 2's ticket: the request is inside this agreement, today."""

    agreement: Agreement
    dataset: str
    template: str
    sender: System
    recipient: System
    purpose: Purpose
    basis: str | None
    day: date  # WIB
    clauses: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of rules.csv that matched a cell: its id, level, effect, and the clause it cites."""

    id: str
    level: int
    effect: str  # allow | deny
    pasal: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Step 3's ticket: the level of every row class × column, decided before any row is read.

    levels: one bytes per row class number (0..2**len(ROW_FLAGS)-1), one byte per column in contract order.
    rules: per row class and column, the rules that allowed or capped it.
    """

    agreement: str
    policy_version: int
    policy_sha256: str
    sender: str
    recipient: str
    dataset: str
    template: str
    purpose: str
    audience: str  # perencanaan | layanan | ketiga | publik: which generaliser applies
    day: date
    columns: tuple[str, ...]
    levels: tuple[bytes, ...]
    rules: Mapping[tuple[int, str], tuple[Rule, ...]]
    formatted: bool  # whether the agreement has opted in to level 4


class Finding(NamedTuple):  # several are made for every text: a dataclass takes four times as long
    """Personal data found in a text: where, what kind, how sure, why."""

    start: int
    end: int
    kind: str
    verdict: str  # valid | plausible | shaped
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The ledger's word that a disclosure is durable; only `record.Ledger.record` makes one, and only with the outbox row that releases it."""

    exchange: bytes
    log: str
    index: int
    size: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Person:
    """An officer's account: role, party and appointment. The display name is no part of it: it never leaves its own table."""

    id: str  # `petugas-3@sijunjung`: the role's word, a number, the party
    party: str  # '' for the administrator; an external auditor's body otherwise (`inspektorat`, `bpk`)
    role: str  # operator admin_pihak auditor petugas_keamanan ppdp administrator pembuka_samaran
    agreements: frozenset[str]
    appointment: str  # number of the letter
    starts: date  # WIB
    ends: date | None  # last day, inclusive
    state: str  # invited active ended
    keys: bytes | None  # the enrolled public key file
    voucher: bytes | None = None  # the DSSE by which the party's own system vouches for them

    def in_office(self, day: date) -> bool:
        """Whether the appointment holds on `day` (WIB). An invited officer with an enrolled key is in office: key and password are apart."""
        return self.state in ("invited", "active") and self.starts <= day and (self.ends is None or day <= self.ends)
