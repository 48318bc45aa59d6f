"""Unusual activity in one agreement's log: a list of findings, each with the figures it rests on and the entries that show it. No score.

`unusual` is a pure function of the log's entries, the day and what is known besides; what is usual is a party's own past, never another's.
A finding accuses nobody: it says what differs, from what, and by which limit, so that a person can look. `ask` reads the log for someone
who may, and records that they looked.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median_low
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from broker.audit.search import require
from broker.keys import inverted, ref_key
from broker.ledger.cosign import NONE
from broker.ledger.leaves import STORED
from broker.lifecycle.officers import READ
from broker.model import MAP, WIB, Level, wib_date
from broker.record import entry_time, event
from broker.witnessing import cosigned

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from broker.model import Person
    from broker.office import Office
    from broker.store import Transaction

PAST: Final = timedelta(weeks=8)  # what is usual is judged by: long enough for monthly work, short enough to follow a change
DAYS_KNOWN: Final = 5  # days with exchanges before a flow's volume can be usual or not: fewer have no median to speak of
MADS: Final = 5  # median absolute deviations; of a normal flow some one day in three thousand lies beyond
TIMES: Final = 2  # and at least so many times the median: a flow of always the same size has a deviation of 0
HOURS: Final = range(7, 18)  # WIB, Monday to Friday: government office hours with an hour on either side
HABIT: Final = 4  # one act in so many outside the hours within the past makes them usual: a batch that runs at night
ACTS_KNOWN: Final = 5  # before a habit can be one
BURST: Final = 10  # refusals of one caller within BURST_WITHIN: a client that retries a broken file does not come to half of it
BURST_WITHIN: Final = timedelta(hours=1)
EXCHANGES_KNOWN: Final = 5  # before a share of clear columns can be above all before
REPEATED: Final = 5  # exchanges with one person to one recipient within the days asked: five in a month is more than weekly
REPEATED_TIMES: Final = 3  # and so many times the median person's: a daily whole register repeats everybody alike
UNWITNESSED: Final = 2  # the part of the agreement's limit after which a checkpoint without its quorum is told of: half
MAX_DAYS: Final = 366
_Key = TypeVar("_Key")

# kind → what it says, Indonesian and English; {who} {what} and the figures by name
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "volume": (
        "{who} mengirim {observed} baris {what} dalam sehari; median hari-hari kirimnya dalam 8 minggu sebelumnya {median}, batas {limit}.",
        "{who} sent {observed} rows of {what} in a day; the median of its days in the 8 weeks before is {median}, the limit {limit}.",
    ),
    "luar_jam": (
        "{who}: {observed} tindakan di luar jam kerja (Senin–Jumat {opens}.00–{closes}.00 WIB); dalam 8 minggu sebelumnya {past} dari {all} tindakan.",
        "{who}: {observed} acts outside working hours (Monday to Friday {opens}:00–{closes}:00 WIB); in the 8 weeks before {past} of {all} acts.",
    ),
    "tujuan_baru": ("{who} untuk pertama kali menerima data dengan tujuan {what}.", "{who} received data for the purpose {what} for the first time."),
    "kolom_baru": (
        "{who} untuk pertama kali menerima kolom {what}: tingkat {observed}, sebelumnya selalu {limit}.",
        "{who} received the column {what} for the first time: level {observed}, always {limit} before.",
    ),
    "pelaku_baru": ("{who} muncul untuk pertama kali dalam log ini.", "{who} appears in this log for the first time."),
    "kunci_baru": ("{who} untuk pertama kali memakai kunci {what}.", "{who} used the key {what} for the first time."),
    "subjek_berulang": (
        "{people} orang ada dalam lebih dari {limit} pertukaran {what} kepada {who}, terbanyak {observed}; median per orang {median}.",
        "{people} people are in more than {limit} exchanges of {what} to {who}, {observed} at most; the median person is in {median}.",
    ),
    "ditolak_beruntun": ("{who} ditolak {observed} kali dalam satu jam; batas {limit}.", "{who} was refused {observed} times within an hour; the limit is {limit}."),
    "jelas_naik": (
        "{observed} dari {all} kolom {what} keluar jelas kepada {who}; terbanyak dalam 8 minggu sebelumnya {limit}, median {median}.",
        "{observed} of {all} columns of {what} left in clear to {who}; the most in the 8 weeks before is {limit}, the median {median}.",
    ),
    "saksi_tertinggal": (
        "Titik periksa log {who} belum disaksikan kuorum selama {observed} menit; pelepasan berhenti setelah {stop} menit.",
        "The checkpoint of log {who} has been without its quorum for {observed} minutes; releases stop after {stop} minutes.",
    ),
    "setelah_berakhir": (
        "{observed} pelepasan kepada {who} setelah {what}, hari terakhir kesepakatan atau hari pemberitahuan pengakhirannya.",
        "{observed} releases to {who} after {what}, the agreement's last day or the day of the notice that ends it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that differs. day: WIB. who: a system, an officer's id or a log. what: words and ids of ours.

    figures: by name, whole numbers that the sentences quote. exchanges, entries: ids, and positions in the log, of everything it rests on.
    """

    kind: str
    day: date
    who: str
    what: str
    figures: Mapping[str, int]
    exchanges: tuple[str, ...]
    entries: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        indonesian, english = (said.format(who=self.who, what=self.what, **self.figures) for said in KINDS[self.kind])
        return {
            "kind": self.kind, "day": self.day.isoformat(), "who": self.who, "what": self.what, "figures": dict(self.figures),
            "exchanges": list(self.exchanges), "entries": list(self.entries), "id": indonesian, "en": english,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A log entry: its position, its moment in WIB, and what it says."""

    index: int
    at: datetime
    said: Mapping[str, Any]

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def kind(self) -> str:
        return str(self.said["type"]).split("/")[1]

    @property
    def is_map(self) -> bool:
        """Whether it is a map of tokens: the broker makes those, when a root is rotated, and its hours and columns are nobody's habit."""
        return self.kind == "exchange" and self.said["contract"]["dataset"] == MAP

    @property
    def flow(self) -> tuple[str, str, str]:
        """Of an exchange: sender, recipient, dataset."""
        return self.said["sender"], self.said["recipient"], self.said["contract"]["dataset"]

    def levels(self) -> dict[str, int]:
        """Of an exchange: column → the highest level that a row of it may have left with."""
        return {column: max(int(profile["levels"][i]) for profile in self.said["profiles"]) for i, column in enumerate(self.said["columns"])}

    def signers(self) -> list[tuple[str, str]]:
        """Of an exchange: the parties' systems and the keys that they signed with, or sign receipts with."""
        signed = ("sender", "recipient") if "person" not in self.said["submission"] else ("recipient",)  # the broker states for an officer at the console
        return [(self.said[side], self.said["keys"][side]) for side in signed]


@dataclass(frozen=True, slots=True)
class Days:
    """The days judged, both inclusive (WIB)."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def read_entry(index: int, entry: bytes) -> Entry:
    said = json.loads(entry)
    return Entry(index, datetime.fromisoformat(said["time"]).astimezone(WIB), said)


def unusual(
    entries: Iterable[Entry],
    last: date,
    days: int,
    *,
    ends: date,
    people: Mapping[str, NDArray[np.bytes_]] | None = None,
    unwitnessed: Sequence[tuple[str, timedelta, timedelta]] = (),
) -> tuple[Finding, ...]:
    """What is unusual in the `days` up to `last` (WIB), newest first; the same entries always give the same findings.

    entries: of one agreement's log, in order, from its first. ends: the agreement's last day, or of the notice that ends it.
    people: exchange → ids of the persons it names; an exchange that is not in it is not judged by them.
    unwitnessed: log, how long its oldest checkpoint has no quorum, and after how long releases stop; as it is on `last`.
    """
    told = [entry for entry in entries if not entry.is_map]
    sent = [entry for entry in told if entry.kind == "exchange"]
    window = Days(last - timedelta(days=days - 1), last)
    found = [
        *_volume(sent, window), *_hours(told, window), *_purposes(sent, window), *_columns(sent, window), *_actors(told, window), *_keys(sent, window),
        *_repeated(sent, window, people or {}), *_bursts(told, window), *_clear(sent, window), *_ended(told, window, ends), *_witnesses(unwitnessed, window),
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.day.toordinal(), one.kind, one.who, one.what)))


def _made(kind: str, group: Sequence[Entry], who: str, what: str = "", day: date | None = None, **figures: int) -> Finding:
    exchanges = dict.fromkeys(entry.said["exchange"] for entry in group if entry.said.get("exchange"))
    return Finding(kind, day or group[-1].day, who, what, figures, tuple(exchanges), tuple(entry.index for entry in group))


def _grouped(pairs: Iterable[tuple[_Key, Entry]]) -> ItemsView[_Key, list[Entry]]:
    groups: defaultdict[_Key, list[Entry]] = defaultdict(list)
    for key, entry in pairs:
        groups[key].append(entry)
    return groups.items()


def _by_day(entries: Iterable[Entry]) -> ItemsView[date, list[Entry]]:
    return _grouped((entry.day, entry) for entry in entries)


def _past(values: Iterable[tuple[date, Any]], day: date) -> list[Any]:
    """The values of the weeks before a day, the day itself left out: a flood must not raise its own limit."""
    return [value for at, value in values if day - PAST <= at < day]


# --- what a party sends
def _volume(sent: Sequence[Entry], window: Days) -> Iterator[Finding]:
    for (sender, recipient, dataset), group in _grouped((entry.flow, entry) for entry in sent):
        by_day = list(_by_day(group))
        totals = [(day, sum(entry.said["outcomes"]["terkirim"] for entry in of)) for day, of in by_day]
        for (day, of), (_, observed) in zip(by_day, totals, strict=True):
            before = _past(totals, day)
            if day not in window or len(before) < DAYS_KNOWN:
                continue
            usual = median_low(before)
            limit = max(TIMES * usual, usual + MADS * median_low(abs(one - usual) for one in before))
            if observed > limit:
                yield _made("volume", of, sender, f"{dataset} → {recipient}", observed=observed, median=usual, limit=limit)


def _clear(sent: Sequence[Entry], window: Days) -> Iterator[Finding]:
    for (recipient, dataset, purpose), group in _grouped(((*entry.flow[1:], entry.said["purpose"]), entry) for entry in sent):
        shares = [(entry, sum(level == Level.CLEAR for level in entry.levels().values())) for entry in group]
        for day, of in _by_day(entry for entry in group if entry.day in window):
            before = _past(((entry.day, count) for entry, count in shares), day)
            if len(before) < EXCHANGES_KNOWN:
                continue
            above = [(entry, count) for entry, count in shares if entry in of and count > max(before)]
            if above:
                most = max(count for _, count in above)
                columns, usual = len(above[-1][0].said["columns"]), median_low(before)
                evidence = [entry for entry, _ in above]
                yield _made("jelas_naik", evidence, recipient, f"{dataset} ({purpose})", observed=most, all=columns, median=usual, limit=max(before))


# --- when
def _hours(told: Sequence[Entry], window: Days) -> Iterator[Finding]:
    acts = ((_who(entry), entry) for entry in told if _who(entry) and entry.kind != "outcome")  # a client polls and signs by itself
    for who, group in _grouped(acts):
        strange = [(entry.day, _off(entry)) for entry in group]
        for day, of in _by_day(entry for entry in group if entry.day in window and _off(entry)):
            before = _past(strange, day)
            if len(before) >= ACTS_KNOWN and sum(before) * HABIT >= len(before):
                continue
            yield _made("luar_jam", of, who, observed=len(of), past=sum(before), all=len(before), opens=HOURS.start, closes=HOURS.stop)


def _off(entry: Entry) -> bool:
    return entry.at.weekday() >= 5 or entry.at.hour not in HOURS


def _who(entry: Entry) -> str:
    return str(entry.said.get("person") or entry.said.get("system") or entry.said.get("sender") or "")


# --- for the first time
def _purposes(sent: Sequence[Entry], window: Days) -> Iterator[Finding]:
    """Of a recipient that received something before: of another everything is new, and `pelaku_baru` says so."""
    for recipient, group in _grouped((entry.flow[1], entry) for entry in sent):
        for purpose, of in _grouped((entry.said["purpose"], entry) for entry in group):
            if of[0].day in window and of[0].day > group[0].day:
                yield _made("tujuan_baru", [entry for entry in of if entry.day == of[0].day], recipient, purpose)


def _columns(sent: Sequence[Entry], window: Days) -> Iterator[Finding]:
    for (recipient, dataset), group in _grouped((entry.flow[1:], entry) for entry in sent):
        seen: set[str] = set()
        for day, of in _by_day(group):
            shown: defaultdict[str, list[Entry]] = defaultdict(list)
            for entry in of:
                for column, level in entry.levels().items():
                    if level and column not in seen:
                        shown[column].append(entry)
            if seen and day in window:
                for column, first in shown.items():
                    yield _made("kolom_baru", first, recipient, f"{dataset}.{column}", observed=max(entry.levels()[column] for entry in first), limit=0)
            seen.update(shown)


def _actors(told: Sequence[Entry], window: Days) -> Iterator[Finding]:
    named = ((name, entry) for entry in told for name in dict.fromkeys((_who(entry), entry.said.get("recipient") or "")) if name)
    for name, of in _grouped(named):
        if of[0].day in window:
            yield _made("pelaku_baru", [entry for entry in of if entry.day == of[0].day], name)


def _keys(sent: Sequence[Entry], window: Days) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for (system, key), of in _grouped((pair, entry) for entry in sent for pair in entry.signers()):
        if first.setdefault(system, key) != key and of[0].day in window:
            yield _made("kunci_baru", [entry for entry in of if entry.day == of[0].day], system, key)


# --- about whom
def _repeated(sent: Sequence[Entry], window: Days, people: Mapping[str, NDArray[np.bytes_]]) -> Iterator[Finding]:
    """Who they are is not said: the finding has numbers and exchanges, and a search by subject has its own rules."""
    known = [entry for entry in sent if entry.day in window and len(people.get(entry.said["exchange"], ()))]
    for (recipient, dataset), group in _grouped((entry.flow[1:], entry) for entry in known):
        ids, counts = np.unique(np.concatenate([np.unique(people[entry.said["exchange"]]) for entry in group]), return_counts=True)
        usual = median_low(counts.tolist())
        limit = max(REPEATED, REPEATED_TIMES * usual)
        often = ids[counts > limit]
        if len(often):
            of = [entry for entry in group if np.isin(people[entry.said["exchange"]], often).any()]
            yield _made("subjek_berulang", of, recipient, dataset, people=len(often), observed=int(counts.max()), median=usual, limit=limit)


# --- what was refused, or should not have been
def _bursts(told: Sequence[Entry], window: Days) -> Iterator[Finding]:
    for who, of in _grouped((_who(entry), entry) for entry in told if entry.kind == "refusal"):
        start, most = 0, dict[date, tuple[int, int]]()
        for n, entry in enumerate(of):
            while entry.at - of[start].at >= BURST_WITHIN:
                start += 1
            before = most.get(entry.day, (0, 0))
            most[entry.day] = max(before, (start, n + 1), key=lambda run: run[1] - run[0])
        for day, (first, end) in most.items():
            if day in window and end - first > BURST:
                yield _made("ditolak_beruntun", of[first:end], who, observed=end - first, limit=BURST)


def _ended(told: Sequence[Entry], window: Days, ends: date) -> Iterator[Finding]:
    """Recorded, or fetched, when nothing should leave any more."""
    late = [entry for entry in told if entry.day > ends and entry.day in window]
    released = [(entry.flow[1], entry) for entry in late if entry.kind == "exchange"]
    fetched = [(entry.said["system"], entry) for entry in late if entry.kind == "outcome" and entry.said["outcome"] == "delivered"]
    for (who, day), of in _grouped(((who, entry.day), entry) for who, entry in released + fetched):
        yield _made("setelah_berakhir", of, who, f"{ends:%d-%m-%Y}", day, observed=len(of))


def _witnesses(unwitnessed: Sequence[tuple[str, timedelta, timedelta]], window: Days) -> Iterator[Finding]:
    for log, age, stop in unwitnessed:
        if age * UNWITNESSED > stop:
            minute = timedelta(minutes=1)
            yield _made("saksi_tertinggal", (), log, day=window.last, observed=age // minute, limit=stop // minute // UNWITNESSED, stop=stop // minute)


# --- asked of the ledger
@dataclass(frozen=True, slots=True)
class Answer:
    """size: of the log that it is of. unjudged: exchanges of the days asked whose persons are not known any more, and were not counted."""

    agreement: str
    first: date
    last: date
    size: int
    unjudged: int
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "agreement": self.agreement, "from": self.first.isoformat(), "to": self.last.isoformat(), "size": self.size, "unjudged": self.unjudged,
            "findings": [finding.as_json() for finding in self.findings],
        }  # fmt: skip


def ask(office: Office, person: Person, agreement: str, days: int, now: datetime) -> Answer:
    """What is unusual in the last `days` of an agreement's log, today among them; recorded. Refusal wewenang."""
    require(office, person, READ, agreement, now)
    last, size = wib_date(now), office.ledger.size(agreement)
    first = last - timedelta(days=days - 1)
    with office.ledger.database.read() as tx:
        entries = [read_entry(index, entry) for index, entry in tx.audit.entries(agreement, size)]
        recent = [entry.said["exchange"] for entry in entries if entry.kind == "exchange" and entry.day >= first]
        people = _people(office, tx, agreement, recent)
        unwitnessed = _unwitnessed(office, tx, agreement, now)
    ends = office.agreements[agreement].ends
    findings = unusual(entries, last, days, ends=ends, people=people, unwitnessed=unwitnessed)
    with office.ledger.writing() as book:
        book.append(agreement, event("query", now, act="unusual", days=days, found=len(findings), person=person.id, size=size))
    return Answer(agreement, first, last, size, len(recent) - len(people), findings)


def _people(office: Office, tx: Transaction, agreement: str, exchanges: Iterable[str]) -> dict[str, NDArray[np.bytes_]]:
    """Exchange → the vault ids that its leaves name, 16 bytes each; without those whose leaves or key are gone. Ids stay in this process."""
    roots, secrets, stored = office.rings[agreement].seeds("root"), tx.kept.secrets(agreement), tx.leaf_counts()
    vault = np.frombuffer(b"".join(tx.vault_ids(agreement)), np.uint8).reshape(-1, 32)
    persons = np.sort(np.ascontiguousarray(vault[:, 16:]).view("S16").reshape(-1))  # once: each exchange is looked up in it
    found = {}
    for exchange in exchanges:
        key = ref_key(roots, bytes.fromhex(exchange), secrets.get(exchange))
        if key is not None and stored.get(exchange, 0):
            rows = np.frombuffer(b"".join(tx.segments(exchange)), np.uint8).reshape(-1, STORED)
            ids = np.unique(np.frombuffer(inverted(key, rows[:, :16].tobytes()), "S16"))
            found[exchange] = ids[np.searchsorted(persons, ids, "right") > np.searchsorted(persons, ids)]  # what is no vault id is a record that names nobody
    return found


def _unwitnessed(office: Office, tx: Transaction, agreement: str, now: datetime) -> list[tuple[str, timedelta, timedelta]]:
    """The agreement's log, if it has witnesses and entries that no quorum stands behind."""
    quorum = office.quorums.get(agreement)
    if quorum is None or quorum.policy.quorum == NONE:
        return []
    last = cosigned(tx, quorum, office.ledger.size(agreement))
    since = entry_time(tx, agreement, last.size if last else 0)
    return [] if since is None else [(agreement, now - since, quorum.limit)]
