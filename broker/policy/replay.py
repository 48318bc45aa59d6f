"""Past exchanges under another policy, from their manifests alone: which decisions would be higher or lower, which exchanges refused.

A decision is one column in one row class that a manifest lists (the first of each treatment profile). A manifest records the level with which
a column really left: a level that the contract cannot do for it had stepped down. So

- **lower** is certain: the new level is under the one recorded;
- **higher** is held against the level that the recorded policy gave, if that is the policy at hand, else against the level recorded; either way
  the contract may not be able to do the rise, and in the second case it may not be one (`exact` is false);
- **unlisted** counts what a manifest does not show: cells (row class × column) of the other row classes in which the two policies differ.

Nothing here opens an envelope or knows a row.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from broker.errors import LedgerError
from broker.jcs import strict_object
from broker.model import MAP, Level
from broker.policy.plan import Cell
from broker.policy.universe import ROW_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from broker.policy.plan import Policy

TYPE: Final = "sinergi/exchange/v1"
_DAY: Final = re.compile(rb'"day":"([0-9]{4}-[0-9]{2}-[0-9]{2})"')  # in canonical JSON no text before it can hold this
NAMED: Final = 5  # columns that a sentence names before it counts the rest


class Flow(NamedTuple):
    """A question to a policy, its day aside, and the row classes that its manifests list."""

    agreement: str
    dataset: str
    purpose: str
    sender: str
    recipient: str
    columns: tuple[str, ...]
    classes: tuple[str, ...]


class Exchange(NamedTuple):
    """flow: place in Decisions.flows. version, sha256: of the policy that decided."""

    id: str
    flow: int
    day: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Decisions by number: exchange, row, column int32 (places in `exchanges`, `classes`, `objects`), level uint8 as recorded."""

    exchanges: tuple[Exchange, ...]
    flows: tuple[Flow, ...]
    classes: tuple[str, ...]
    objects: tuple[str, ...]
    exchange: NDArray[np.int32]
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    level: NDArray[np.uint8]


class Replayed(NamedTuple):
    """One exchange that would have been treated otherwise. higher, lower: decisions; their columns.

    refused: there would be no Plan at all. exact: `higher` is held against the policy that decided then. unlisted: None where it is not exact.
    """

    exchange: str
    agreement: str
    dataset: str
    purpose: str
    sender: str
    recipient: str
    day: str
    version: int
    decisions: int
    higher: int
    lower: int
    columns_higher: tuple[str, ...]
    columns_lower: tuple[str, ...]
    refused: bool
    exact: bool
    unlisted: int | None


# --- read
def may_be_of(manifest: bytes, since: date, until: date) -> bool:
    """Whether a manifest may be of a day in [since, until): all but those that plainly say another. Quicker than reading it."""
    found = _DAY.search(manifest)
    return found is None or since.isoformat() <= found[1].decode() < until.isoformat()


def load_manifests(manifests: Iterable[bytes], since: date, until: date) -> Decisions:
    """The decisions of the exchanges whose day is in [since, until). Entries of another type, and maps of tokens, are passed over.

    Raises LedgerError with the entry's number, from 0, for what is not a manifest.
    """
    first, end = since.isoformat(), until.isoformat()
    exchanges: list[Exchange] = []
    flows: dict[Flow, int] = {}
    classes: dict[str, int] = {}
    objects: dict[str, int] = {}
    blocks: dict[tuple[int, tuple[str, ...]], tuple[NDArray[Any], ...]] = {}  # most exchanges were decided like another
    found: list[tuple[NDArray[Any], ...]] = []
    for number, entry in enumerate(manifests):
        try:
            value: dict[str, Any] = strict_object(entry)
            if value["type"] != TYPE or not first <= value["day"] < end or value["contract"]["dataset"] == MAP:
                continue
            date.fromisoformat(value["day"])
            levels = tuple(profile["levels"] for profile in value["profiles"])
            flow = flows.setdefault(_flow(value), len(flows))
            if (flow, levels) not in blocks:
                blocks[flow, levels] = _block(_flow(value), levels, classes, objects)
            exchanges.append(Exchange(value["exchange"], flow, value["day"], value["policy"]["version"], value["policy"]["sha256"]))
        except (KeyError, TypeError, ValueError):
            raise LedgerError(f"entry {number} is no manifest of an exchange") from None
        found.append(blocks[flow, levels])
    rows, columns, recorded = (
        np.concatenate([np.empty(0, kind), *(block[n] for block in found)]) for n, kind in enumerate((np.int32, np.int32, np.uint8))
    )
    return Decisions(
        exchanges=tuple(exchanges),
        flows=tuple(flows),
        classes=tuple(classes),
        objects=tuple(objects),
        exchange=np.repeat(np.arange(len(exchanges), dtype=np.int32), [len(block[0]) for block in found]),
        row=rows,
        column=columns,
        level=recorded,
    )


def _flow(value: dict[str, Any]) -> Flow:
    return Flow(
        agreement=value["agreement"]["id"],
        dataset=value["contract"]["dataset"],
        purpose=value["purpose"],
        sender=value["sender"],
        recipient=value["recipient"],
        columns=tuple(value["columns"]),
        classes=tuple(profile["class"] for profile in value["profiles"]),
    )


def _block(flow: Flow, levels: Sequence[str], classes: dict[str, int], objects: dict[str, int]) -> tuple[NDArray[Any], ...]:
    """(row, column, level) of each decision of an exchange. Raises ValueError where levels are not one digit 0–5 for each column."""
    digits = np.frombuffer("".join(levels).encode("ascii"), np.uint8) - np.uint8(ord("0"))
    if {len(text) for text in levels} - {len(flow.columns)} or (digits > max(Level)).any():
        raise ValueError("levels")
    rows = [classes.setdefault(name, len(classes)) for name in flow.classes]
    columns = [objects.setdefault(f"{flow.dataset}.{name}", len(objects)) for name in flow.columns]
    return np.repeat(np.array(rows, np.int32), len(columns)), np.tile(np.array(columns, np.int32), len(rows)), digits


# --- replay
def replay(decisions: Decisions, old: Policy | None, new: Policy) -> tuple[Replayed, ...]:
    """The exchanges, in their order, that `new` would have treated otherwise; `old` serves those that this very version decided."""
    exchanges, flows = decisions.exchanges, decisions.flows
    if not exchanges:
        return ()
    exact = [old is not None and exchange.sha256 == old.sha256 for exchange in exchanges]
    now, then = _answers(new, decisions), _answers(old, decisions) if old else None
    levels = _levels(now, decisions)
    before = np.where(np.array(exact)[decisions.exchange], _levels(then, decisions), decisions.level) if then else decisions.level
    higher, lower = _side(levels > before, decisions), _side(levels < decisions.level, decisions)
    refused = [_refused(now, flow, day, plane) for (flow, day), plane in zip(now.asked, now.planes, strict=True)]
    total = np.bincount(decisions.exchange, minlength=len(exchanges)).tolist()
    others: dict[tuple[int, int], int] = {}
    found = []
    for n, (exchange, case) in enumerate(zip(exchanges, now.case, strict=True)):
        unlisted = None
        if then and exact[n]:
            pair = (then.case[n], case)
            if pair not in others:
                others[pair] = _unlisted(flows[exchange.flow], then, pair[0], now, pair[1])
            unlisted = others[pair]
        if not (higher.counts[n] or lower.counts[n] or refused[case] or unlisted):
            continue
        counts = (total[n], higher.counts[n], lower.counts[n], higher.columns[n], lower.columns[n])
        found.append(Replayed(exchange.id, *flows[exchange.flow][:5], exchange.day, exchange.version, *counts, refused[case], exact[n], unlisted))
    return tuple(found)


class _Answers(NamedTuple):
    """What a policy says to each distinct question: a flow in a slice of time.

    planes: uint8[question, row class, object]. asked: flow and a day of each. case: by exchange, its question. place: object to its index.
    """

    policy: Policy
    planes: NDArray[np.uint8]
    asked: list[tuple[Flow, date]]
    case: list[int]
    place: dict[str, int]

    def objects(self, flow: Flow) -> list[int]:
        """The columns' places; one that the policy does not know is UNKNOWN, the last."""
        return [self.place.get(f"{flow.dataset}.{name}", len(self.place) - 1) for name in flow.columns]


def _answers(policy: Policy, decisions: Decisions) -> _Answers:
    numbers: dict[tuple[int, int], int] = {}
    asked, case = [], []
    for exchange in decisions.exchanges:
        question = (exchange.flow, bisect_right(policy.days, exchange.day))
        if question not in numbers:
            numbers[question] = len(numbers)
            asked.append((decisions.flows[exchange.flow], date.fromisoformat(exchange.day)))
        case.append(numbers[question])
    planes = np.stack([policy.levels(flow.recipient, flow.agreement, "terima", flow.purpose, day) for flow, day in asked])
    return _Answers(policy, planes, asked, case, {obj: n for n, obj in enumerate(policy.known.axes["obj"])})


def _levels(answers: _Answers, decisions: Decisions) -> NDArray[np.uint8]:
    """uint8[decision]: what the policy says to each; a class or column that it does not know is UNKNOWN, the last, to it."""
    _, rows, columns = answers.planes.shape
    row = np.array([answers.policy.known.index("row", name) * columns for name in decisions.classes], np.intp)
    column = np.array([answers.place.get(name, columns - 1) for name in decisions.objects], np.intp)
    start = np.array(answers.case, np.intp) * (rows * columns)
    found: NDArray[np.uint8] = answers.planes.reshape(-1)[start[decisions.exchange] + row[decisions.row] + column[decisions.column]]
    return found


class _Side(NamedTuple):
    """By exchange: how many decisions, and the names of their columns."""

    counts: list[int]
    columns: list[tuple[str, ...]]


def _side(hit: NDArray[np.bool_], decisions: Decisions) -> _Side:
    exchange, column = decisions.exchange[hit], decisions.column[hit]
    flags = np.zeros((len(decisions.exchanges), len(decisions.objects)), dtype=np.bool_)
    flags[exchange, column] = True
    names: dict[bytes, tuple[str, ...]] = {}
    columns = []
    for row in flags:
        data = row.tobytes()
        if data not in names:
            names[data] = tuple(decisions.objects[n].partition(".")[2] for n in row.nonzero()[0].tolist())
        columns.append(names[data])
    return _Side(np.bincount(exchange, minlength=len(flags)).tolist(), columns)


def _refused(answers: _Answers, flow: Flow, day: date, plane: NDArray[np.uint8]) -> bool:
    """As Policy.plan refuses: the sender may not send, or no column is above 0 in any row class."""
    sending = Cell(flow.sender, flow.agreement, f"{flow.dataset}.*", "kirim", flow.purpose, ROW_CLASSES[0], day)
    return not answers.policy.level(sending) or not plane[: len(ROW_CLASSES), answers.objects(flow)].any()


def _unlisted(flow: Flow, then: _Answers, was: int, now: _Answers, new: int) -> int:
    """In how many cells of the row classes that the flow's manifests do not list the two policies differ."""
    other = [number for number, name in enumerate(ROW_CLASSES) if name not in flow.classes]
    before, after = then.planes[was][np.ix_(other, then.objects(flow))], now.planes[new][np.ix_(other, now.objects(flow))]
    return int(np.count_nonzero(before != after))


# --- in words
def replay_sentences(replayed: Replayed) -> tuple[str, str]:
    """One exchange in Indonesian and in English; more than NAMED columns are counted."""
    year, month, day = replayed.day.split("-")
    said = [
        (f"{count} keputusan {words[0]} ({_named(columns, 'lainnya')})", f"{count} {'decision' if count == 1 else 'decisions'} {words[1]} ({_named(columns, 'more')})")
        for count, columns, words in (
            (replayed.higher, replayed.columns_higher, ("lebih tinggi", "higher") if replayed.exact else ("mungkin lebih tinggi", "perhaps higher")),
            (replayed.lower, replayed.columns_lower, ("lebih rendah", "lower")),
        )
        if count
    ]
    if replayed.unlisted:
        said.append((f"{replayed.unlisted} sel kelas baris lain berbeda", f"{replayed.unlisted} cells of other row classes differ"))
    if replayed.refused:
        said.insert(0, ("akan ditolak", "would be refused"))
    indonesian, english = ("; ".join(words) for words in zip(*said, strict=True))
    flow = f"{replayed.sender} → {replayed.recipient}, {replayed.agreement}, {replayed.dataset}"
    return (
        f"{replayed.exchange}, {day}-{month}-{year}, {flow}, tujuan {replayed.purpose}: {indonesian}",
        f"{replayed.exchange}, {day}-{month}-{year}, {flow}, purpose {replayed.purpose}: {english}",
    )


def _named(columns: Sequence[str], others: str) -> str:
    more = len(columns) - NAMED
    return ", ".join(columns) if more <= 0 else f"{', '.join(columns[:NAMED])} + {more} {others}"
