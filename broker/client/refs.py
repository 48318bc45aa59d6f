"""The sender's check: every row it sent stands in the ledger for the person it names, and always for the same one.

A leaf holds a person's vault id, encrypted under the exchange's ref key, which the broker gives to the sender alone. Whoever decrypts the
leaves of its own rows sees whether one person has one id and two people have two, within the exchange and against all it sent before.
Standard library only. What is kept of a person is a keyed hash, in the client's home; neither a NIK nor a vault id in clear.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import sqlite3
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from broker.client.verify import STORED
from broker.errors import ClientError, NotVerified
from broker.keys import inverted
from broker.ledger import OUTCOMES, RELEASED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

READ: Final = 16_384  # leaves at a time
REPORTED: Final = 20  # rows named
_JUDGED: Final = frozenset({RELEASED, OUTCOMES["ditahan_deteksi"]})  # a row withheld for its cells may name nobody whom the broker takes for a person
_LINE: Final = 1 << 20
csv.field_size_limit(_LINE)


@dataclass(frozen=True, slots=True)
class Compared:
    """What was held against the ledger. rows: of the file; people: times somebody was named in rows that could be judged; skipped: other rows.

    changed: people with another id than before, each explained by an erasure that the log records.
    """

    rows: int
    people: int
    skipped: int
    changed: int


@dataclass(frozen=True, slots=True)
class Subjects:
    """The person columns of a contract. always: column → kind; sometimes: those that name a person only if the row says so."""

    always: Mapping[str, str]
    sometimes: Mapping[str, str]


def subjects_of(contract: bytes, sha256: str) -> Subjects:
    """The person columns of a dataset's contract. ClientError unless it is the very file that the manifest names by its digest."""
    if hashlib.sha256(contract).hexdigest() != sha256:
        raise ClientError("tidak diperiksa: kontrak himpunan data di sini bukan yang dipakai broker (not checked: the dataset's contract here is not the one in the manifest)")
    columns = [c for c in tomllib.loads(contract.decode())["column"] if "subject" in c]
    return Subjects(*({c["name"]: c["kind"] for c in columns if (c["subject"] == "yes") is always} for always in (True, False)))


def named(kind: str, value: str) -> str:
    """The text a person's tag is made of, as docs/formats/leaf.md has it."""
    return value if kind in ("nik", "npwp") else f"paspor:{value}"


def rows_of(path: Path) -> Iterator[Mapping[str, str | None]]:
    """The rows of a CSV or NDJSON file as they were sent. ClientError for other types: they cannot be read with the standard library."""
    match path.suffix.lower():
        case ".csv":
            with path.open(encoding="utf-8-sig", newline="") as f:
                lines = csv.reader(f, strict=True)
                header = next(lines, [])
                yield from (dict(zip(header, row, strict=True)) for row in lines)
        case ".ndjson" | ".jsonl":
            with path.open(encoding="utf-8") as f:
                yield from (json.loads(line) for line in f)
        case _:
            raise ClientError("tidak diperiksa: hanya CSV dan NDJSON (not checked: CSV and NDJSON only)")


def compare(
    path: Path, leaves: Path, manifest: Mapping[str, Any], entry: int, subjects: Subjects, ref_key: bytes, erasures: Sequence[int], seen: Seen
) -> Compared:
    """Holds each row of `path` against the ids its leaves stand for. NotVerified names the rows that do not agree; then nothing is kept.

    leaves: already verified against the manifest. entry: the manifest's place in the log. erasures: places of the recorded erasures of people.
    """
    ids, outcomes = _ids(leaves, manifest["records"]["rows"], ref_key)
    check = _Check(seen, entry)
    waiting: list[tuple[int, list[str], list[bytes]]] = []
    count = 0
    try:
        for number, row in enumerate(rows_of(path), 1):
            count = number
            if number > len(ids):
                break
            found = ids[number - 1]
            people = _people(row, subjects, len(found))
            if outcomes[number - 1] not in _JUDGED or people is None:
                check.skipped += 1
            elif len(people) != len(found):
                check.wrong(number, "the ledger has more or fewer people than the row")
            elif len(set(people)) == 1:
                check.all_of(number, people[0], found)
            else:
                waiting.append((number, people, found))
        for number, people, found in waiting:  # those of one person first: they tell who of several is who
            check.several(number, people, found)
    except (ValueError, TypeError, LookupError, csv.Error, AttributeError):
        raise ClientError("the file cannot be read as it was sent") from None
    if count != len(ids):
        raise ClientError("the file does not have as many rows as the submission: it is not the one that was sent")
    check.end(erasures)
    return Compared(count, check.people, check.skipped, len(check.changed))


def _ids(leaves: Path, rows: int, ref_key: bytes) -> tuple[list[list[bytes]], bytearray]:
    """The blocks behind each row's leaves, and each row's outcome."""
    ids: list[list[bytes]] = [[] for _ in range(rows)]
    outcomes = bytearray(rows)
    with leaves.open("rb") as f:
        while data := f.read(STORED * READ):
            at = range(0, len(data), STORED)
            blocks = inverted(ref_key, b"".join(data[i : i + 16] for i in at))
            for n, i in enumerate(at):
                row = int.from_bytes(data[i + 51 : i + 55], "big")
                ids[row].append(blocks[16 * n : 16 * n + 16])
                outcomes[row] = data[i + 50]
    return ids, outcomes


def _people(row: Mapping[str, str | None], subjects: Subjects, leaves: int) -> list[str] | None:
    """Who the row names, once per column that does; None where that cannot be told here: nobody, or a column that does so only sometimes."""
    always = [named(kind, value) for column, kind in subjects.always.items() if (value := row[column])]
    sometimes = [named(kind, value) for column, kind in subjects.sometimes.items() if (value := row[column])]
    if always and len(always) + len(sometimes) == leaves:
        return always + sometimes
    return always if always and (len(always) == leaves or not sometimes) else None


@dataclass(slots=True)
class _Check:
    """One file's check in progress. changed: per person with another id: the log's places of the two exchanges, the row, the person's hash."""

    seen: Seen
    entry: int
    people: int = 0
    skipped: int = 0
    changed: list[tuple[int, int, int, bytes]] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def wrong(self, number: int, why: str) -> None:
        self.faults.append((number, why))

    def all_of(self, number: int, person: str, found: list[bytes]) -> None:
        if len(set(found)) != 1:
            self.wrong(number, "one person has several ids")
            return
        self.one(number, person, found[0])

    def one(self, number: int, person: str, found: bytes) -> None:
        self.people += 1
        mine, id_ = self.seen.hash("orang", person.encode()), self.seen.hash("id", found)
        before, owner = self.seen.of(mine), self.seen.whose(id_)
        if owner is not None and owner != mine:
            self.wrong(number, "two people have one id")
            return
        if before is not None and before[0] != id_:
            if before[1] == self.entry:
                self.wrong(number, "one person has several ids")
                return
            self.changed.append((max(before[1], self.entry), min(before[1], self.entry), number, mine))
        if before is None or before[1] < self.entry:
            self.seen.keep(mine, id_, self.entry)

    def several(self, number: int, people: list[str], found: list[bytes]) -> None:
        """Pairs people and ids by who is known already, and the last by what is left."""
        if sorted(Counter(people).values()) != sorted(Counter(found).values()):
            self.wrong(number, "one person has several ids, or two people one")
            return
        left, ids = dict.fromkeys(people), dict.fromkeys(found)
        hashes = {self.seen.hash("id", id_): id_ for id_ in ids}
        for person in list(left):
            before = self.seen.of(self.seen.hash("orang", person.encode()))
            if before is not None and (id_ := hashes.get(before[0])) is not None and id_ in ids:
                self.one(number, person, id_)
                del left[person], ids[id_]
        if len(left) == 1:
            self.one(number, next(iter(left)), next(iter(ids)))
        elif left:
            self.skipped += 1

    def end(self, erasures: Sequence[int]) -> None:
        """Keeps what was learnt. NotVerified, and nothing is kept, unless each change is explained by an erasure of its own."""
        explained = self.seen.explained()
        for later, earlier, number, person in sorted(self.changed):  # by the end of their time: the first free erasure takes none from the others
            between = (e for e in sorted(erasures) if earlier < e < later and explained.get(e, person) == person)
            if (erasure := next(between, None)) is None:
                self.wrong(number, "a person has another id than before")
            else:
                explained[erasure] = person
                self.seen.explain(erasure, person)
        if self.faults:
            raise NotVerified(_told(self.faults))
        self.seen.commit()


def _told(faults: list[tuple[int, str]]) -> str:
    by_why: dict[str, list[int]] = {}
    for number, why in sorted(faults):
        by_why.setdefault(why, []).append(number)
    said = "; ".join(f"{why}: row {', '.join(map(str, numbers[:REPORTED]))}{' …' * (len(numbers) > REPORTED)}" for why, numbers in by_why.items())
    return f"the ledger does not stand for the people you sent ({len(faults)} rows). {said}"


class Seen:
    """Who was sent before under one agreement, and for which vault id they stood, as keyed hashes. Owns a connection; `close` forgets what was not committed."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._key = key
        self._c = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        self._c.execute("PRAGMA secure_delete=1")
        self._c.execute("CREATE TABLE IF NOT EXISTS seen (person BLOB PRIMARY KEY, id BLOB NOT NULL UNIQUE, entry INTEGER NOT NULL) WITHOUT ROWID")
        self._c.execute("CREATE TABLE IF NOT EXISTS explained (entry INTEGER PRIMARY KEY, person BLOB NOT NULL)")
        self._c.execute("BEGIN IMMEDIATE")

    def hash(self, what: str, value: bytes) -> bytes:
        return hmac.digest(self._key, f"{what}\0".encode() + value, "sha256")[:16]

    def of(self, person: bytes) -> tuple[bytes, int] | None:
        """The id of a person, and the log's place of the last exchange they were in."""
        found: tuple[bytes, int] | None = self._c.execute("SELECT id, entry FROM seen WHERE person = ?", (person,)).fetchone()
        return found

    def whose(self, id_: bytes) -> bytes | None:
        found: tuple[bytes] | None = self._c.execute("SELECT person FROM seen WHERE id = ?", (id_,)).fetchone()
        return None if found is None else found[0]

    def keep(self, person: bytes, id_: bytes, entry: int) -> None:
        self._c.execute("INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT (person) DO UPDATE SET id = excluded.id, entry = excluded.entry", (person, id_, entry))

    def explained(self) -> dict[int, bytes]:
        """Erasures that have explained somebody's change already, and whose: one explains one."""
        return dict(self._c.execute("SELECT entry, person FROM explained"))

    def explain(self, entry: int, person: bytes) -> None:
        self._c.execute("INSERT OR IGNORE INTO explained VALUES (?, ?)", (entry, person))

    def commit(self) -> None:
        self._c.execute("COMMIT")

    def close(self) -> None:
        self._c.close()


