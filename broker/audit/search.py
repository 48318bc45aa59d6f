"""Search over exchanges and other entries of the logs a person may read: complete, newest first, page by page, and recorded.

The log alone is the source: an exchange is its manifest or its refusal, its state what later entries say. A search is pinned to the sizes
the logs had at its first page, so that entries appended meanwhile move nothing: pages never overlap, never leave a gap, and say of which
checkpoint they are complete.
"""

from __future__ import annotations

import heapq
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from broker.audit.expression import COLUMN, parse
from broker.errors import REASONS, Refusal
from broker.jcs import canonical, strict_object
from broker.lifecycle.officers import READ, readable
from broker.model import MAP, MAP_COLUMNS, wib_date
from broker.record import event
from broker.roles import may
from broker.store import type_text
from broker.vouching import denied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from broker.audit.expression import Test, Value
    from broker.jcs import Json
    from broker.model import Person
    from broker.office import Office
    from broker.store import Transaction

MAX_PAGE: Final = 1000
TARGETS: Final = ("pertukaran", "entri")
STATES: Final = ("recorded", "delivered", "receipted", "refused")
DECISIONS: Final = ("dirilis", "ditahan", "ditolak")
EXCHANGE, OUTCOME, REFUSAL = map(type_text, ("exchange", "outcome", "refusal"))
CACHED: Final = 4096  # manifests kept decoded: some 10 MB
SMALL: Final = 16_384  # other entries: some 25 MB
ID: Final = slice(len(b'{"exchange":"'), len(b'{"exchange":"') + 32)  # of an outcome entry, in its canonical form: reading thousands whole would cost more than the look-up
_WORD: Final = ID.stop + len(b'","outcome":"')


def require(office: Office, person: Person, act: str, agreement: str, now: datetime) -> None:
    """Refusal wewenang or belum_dijamin unless the person may do the act in that agreement today, and read its log; one that is not theirs is as one that is not."""
    if agreement not in readable(office, person, now) or not may(person, act, agreement, wib_date(now)):
        raise denied(office, person, act)


def logs_of(office: Office, person: Person, now: datetime) -> list[str]:
    """The agreements whose log the person may read today. Refusal wewenang or belum_dijamin if there is none."""
    found = sorted(readable(office, person, now))
    if not found:
        raise denied(office, person, READ)
    return found


@dataclass(frozen=True, slots=True)
class Facts:
    """What an entry says, in a search's terms: field → values. levels: of a manifest, column → the levels its profiles give it, ascending."""

    kind: str  # of `sinergi/KIND/v1`
    time: str
    exchange: str | None
    words: Mapping[str, tuple[Value, ...]]
    levels: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a log. state: of an exchange, as the log had it at the size the search is of."""

    log: str
    index: int
    entry: bytes
    facts: Facts
    state: str | None

    @property
    def key(self) -> tuple[str, str, int]:
        return self.facts.time, self.log, self.index

    def values(self, word: str) -> tuple[Value, ...]:
        if word.startswith(COLUMN):
            return self.facts.levels.get(word.removeprefix(COLUMN), ())
        if word == "keadaan":
            return (self.state,) if self.state else ()
        return (self.log,) if word == "kesepakatan" else self.facts.words.get(word, ())

    def shown(self) -> dict[str, Any]:
        """The entry itself with its place; of an exchange its state and the highest level of every column that is not hidden."""
        shown: dict[str, Any] = {"log": self.log, "index": self.index, "entry": json.loads(self.entry)}
        if self.facts.kind == "exchange":
            shown["levels"] = {column: found[-1] for column, found in self.facts.levels.items() if found[-1]}
        if self.state:
            shown["state"] = self.state
        return shown


@dataclass(frozen=True, slots=True)
class Page:
    """Part of what a search found. total: of the whole search. after: where the next page goes on, None behind the last. sizes: of the logs it is complete for."""

    found: tuple[Found, ...]
    total: int
    after: str | None
    sizes: Mapping[str, int]


def search(office: Office, person: Person, expression: str, now: datetime, *, target: str = "pertukaran", after: str | None = None, limit: int = 100) -> Page:
    """A page of what the expression finds in the logs that the person may read. Refusal wewenang, ungkapan, parameter.

    target: exchanges, or entries of any kind. after: of the page before. The asking is recorded in every log that was searched.
    """
    logs = logs_of(office, person, now)
    wanted = parse(expression, vocabulary(office, logs), columns(office))
    sizes, before = _cursor(after, {log: office.ledger.size(log) for log in logs})
    counts, total = dict.fromkeys(logs, 0), 0
    with office.ledger.database.read() as tx:

        def matching() -> Iterator[Found]:
            nonlocal total
            for one in found(tx, sizes, wanted, target):
                total += 1
                if before is None or one.key < before:
                    yield one

        page = heapq.nlargest(limit + 1, matching(), key=lambda one: one.key)
    page, rest = page[:limit], page[limit:]
    for one in page:
        counts[one.log] += 1
    with office.ledger.writing() as book:
        for log in logs:
            said: dict[str, Json] = {"filter_sha256": sha256(expression.encode()).hexdigest(), "found": counts[log], "person": person.id, "size": sizes[log], "target": target}
            book.append(log, event("query", now, act="searched", **said))
    return Page(tuple(page), total, _after(sizes, page[-1].key) if rest else None, sizes)


def found(tx: Transaction, sizes: Mapping[str, int], wanted: Test, target: str = "pertukaran", naming: bytes = b"") -> Iterator[Found]:
    """Every entry of the logs' first `sizes` that is wanted, log by log, oldest first; read as it is asked for.

    naming: bytes that a wanted entry has, so that the others need no reading.
    """
    for log, size in sizes.items():
        known = states(entry for _, entry in tx.audit.entries(log, size, "outcome") if naming in entry)
        for index, entry in tx.audit.entries(log, size):
            if naming not in entry or (target == "pertukaran" and EXCHANGE not in entry and REFUSAL not in entry):
                continue
            facts = facts_of(entry)
            state = "refused" if facts.kind == "refusal" and facts.exchange else known.get(facts.exchange or "", "recorded") if facts.kind == "exchange" else None
            one = Found(log, index, entry, facts, state)
            if (target == "entri" or state is not None) and wanted(one.values):
                yield one


def exchange(office: Office, person: Person, name: str, now: datetime) -> tuple[Found, list[Found]]:
    """An exchange that the person may read, and what the log says of it besides. Refusal tidak_ada: there is none, or it is another agreement's."""
    logs = logs_of(office, person, now)
    with office.ledger.database.read() as tx:
        row = tx.exchange(name)
        if row is None or row.log not in logs or row.entry is None:
            raise Refusal("tidak_ada")
        sizes = {row.log: office.ledger.size(row.log)}
        about = list(found(tx, sizes, lambda get: name in get("pertukaran"), "entri", name.encode()))
    (itself,) = (one for one in about if one.index == row.entry)
    with office.ledger.writing() as book:
        book.append(itself.log, event("query", now, act="read", exchange=name, person=person.id))
    return itself, [one for one in about if one.index != row.entry]


def vocabulary(office: Office, logs: list[str]) -> Mapping[str, frozenset[str]]:
    """The closed lists of words that an expression may compare with: nothing of agreements that are not the person's."""
    own = [office.agreements[log] for log in logs]
    parties = frozenset(party for a in own for party in a.parties)
    sides = parties | {system for a in own for system in a.systems.values()}
    return {
        "kesepakatan": frozenset(logs),
        "pengirim": sides,
        "penerima": sides,
        "pihak": parties,
        "dataset": frozenset((*office.contracts, MAP)),
        "tujuan": frozenset(p.code for a in own for p in a.purposes),
        "keputusan": frozenset(DECISIONS),
        "alasan": frozenset(REASONS),
        "keadaan": frozenset(STATES),
    }


def columns(office: Office) -> frozenset[str]:
    return frozenset((*MAP_COLUMNS, *(name for contract in office.contracts.values() for name in contract.names)))


def read_ahead(office: Office) -> None:
    """Decodes what the logs hold, as far as it is kept decoded: at a start, so that nobody's first search waits for it."""
    with office.ledger.database.read() as tx:
        for log in office.agreements:
            for _, entry in tx.audit.entries(log, office.ledger.size(log)):
                facts_of(entry)


# --- what an entry says
def facts_of(entry: bytes) -> Facts:
    return _manifest_facts(entry) if EXCHANGE in entry else _small_facts(entry)


@lru_cache(CACHED)
def _manifest_facts(entry: bytes) -> Facts:
    return _facts(entry)


@lru_cache(SMALL)
def _small_facts(entry: bytes) -> Facts:
    return _facts(entry)


def _facts(entry: bytes) -> Facts:
    value: dict[str, Any] = json.loads(entry)
    kind = value["type"].split("/")[1]
    sides = [value.get("sender"), value.get("recipient")]
    parties = {side.partition("@")[2] for side in sides if side}
    actor = value.get("person") or value.get("system") or value.get("sender")
    clauses = value.get("clauses") or [value.get("clause")]
    fields: dict[str, list[Value | None]] = {
        "jenis": [kind],
        "hari": [wib_date(datetime.fromisoformat(value["time"])).isoformat()],
        "pengirim": _side(sides[0]),
        "penerima": _side(sides[1]),
        "pihak": sorted(parties),
        "pelaku": [actor],
        "dataset": [value.get("dataset")],
        "pasal": clauses,
        "alasan": [value.get("reason")],
        "tindakan": [value.get("act") or value.get("outcome")],
        "pertukaran": [value.get("exchange")],
        "versi": [value.get("version")],
        "keputusan": ["ditolak"] if kind == "refusal" else [],
    }
    levels: Mapping[str, tuple[int, ...]] = {}
    if kind == "exchange":
        records, released = value["records"], value["outcomes"]["terkirim"]
        fields |= {
            "dataset": [value["contract"]["dataset"]],
            "tujuan": [value["purpose"]],
            "dasar": ["ada", value["basis_sha256"]] if value["basis_sha256"] else ["tidak"],
            "versi": [value["policy"]["version"]],
            "keputusan": ["dirilis", *(["ditahan"] if records["rows"] > released else [])],
            "baris": [records["rows"]],
            "dirilis": [released],
            "ditahan": [records["rows"] - released],
            "daun": [records["leaves"]],
        }
        levels = _levels(tuple(value["columns"]), tuple(profile["levels"] for profile in value["profiles"]))
    words = {word: tuple(v for v in values if v is not None) for word, values in fields.items()}
    return Facts(kind, value["time"], value.get("exchange"), MappingProxyType(words), levels)


def _side(system: str | None) -> list[Value | None]:
    """A system is found by its own name and by its party's."""
    return [system, system.partition("@")[2]] if system else []


@lru_cache(256)
def _levels(names: tuple[str, ...], profiles: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    """Many exchanges share one: as many as there are policies and contracts."""
    return MappingProxyType({name: tuple(sorted({int(levels[i]) for levels in profiles})) for i, name in enumerate(names)})


def states(outcomes: Iterable[bytes]) -> dict[str, str]:
    """Exchange → the last state that outcome entries, in order, tell of; one that is not in it is recorded."""
    told = ((entry[ID].decode(), entry[_WORD : entry.index(b'"', _WORD)].decode()) for entry in outcomes)
    return {exchange: word for exchange, word in told if word in STATES}


# --- pages
def _after(sizes: Mapping[str, int], key: tuple[str, str, int]) -> str:
    return urlsafe_b64encode(canonical({"key": list(key), "sizes": dict(sizes)})).decode().rstrip("=")


def _cursor(after: str | None, durable: Mapping[str, int]) -> tuple[Mapping[str, int], tuple[str, str, int] | None]:
    """The sizes that the search is of, and the key of the last one shown. Refusal parameter for what no page gave."""
    if after is None:
        return durable, None
    try:
        said = strict_object(urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        match said:
            case {"key": [str() as time, str() as log, int() as index], "sizes": dict() as sizes} if len(said) == 2 and sizes.keys() == durable.keys():
                if all(type(sizes[name]) is int and 0 <= sizes[name] <= durable[name] for name in durable):
                    return {name: sizes[name] for name in durable}, (time, log, index)
    except ValueError:
        pass
    raise Refusal("parameter", parameter="after")
