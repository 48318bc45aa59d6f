"""The yearly report of Pasal 10: what one agreement's ledger says of one year, as figures, and how far the ledger vouches for them.

`figures` reads the log up to a checkpoint and the leaves of the year's exchanges, and nothing else: the same ledger gives the same bytes.
It costs one pass over the year's leaves (55 bytes each) and holds 16 bytes per leaf for the count of different persons.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from broker.audit.handout import at_checkpoint, handed_out
from broker.audit.search import require
from broker.errors import LedgerError, NotVerified, Refusal
from broker.jcs import canonical
from broker.keys import LogPublic, inverted, ref_key
from broker.ledger import RELEASED, leaf_hash, read_checkpoint, root_of, verify_consistency
from broker.ledger.leaves import STORED, tiles
from broker.lifecycle.officers import READ
from broker.model import LEVEL_NAMES, WIB, wib_date
from broker.record import origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from broker.audit.handout import File, Log
    from broker.jcs import Json
    from broker.ledger import Checkpoint
    from broker.model import Person
    from broker.office import Office

MEDIA: Final = {"json": "application/json", "pdf": "application/pdf"}
LEVELS: Final = len(LEVEL_NAMES)
IDENTITIES: Final = ("asked", "approved", "declined", "answered", "subjects", "told")
_ID: Final = "S16"  # all ids have 16 bytes, so that a zero at the end tells nothing apart


@dataclass(slots=True)
class _Flow:
    """What is counted of one dataset, purpose, sender and recipient."""

    exchanges: int = 0
    rows: int = 0
    released: int = 0
    leaves: int = 0
    without_leaves: int = 0  # exchanges whose leaves were dropped: no levels, no persons
    without_keys: int = 0  # exchanges whose references can be inverted no more: no persons
    cells: Counter[tuple[str, int]] = field(default_factory=Counter)  # column, level
    quality: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    people: list[NDArray[np.bytes_]] = field(default_factory=list)


@dataclass(slots=True)
class _Year:
    """What is counted while the log is read."""

    flows: dict[tuple[str, str, str, str], _Flow] = field(default_factory=dict)
    exchanges: list[int] = field(default_factory=lambda: [0] * 12)
    released: list[int] = field(default_factory=lambda: [0] * 12)
    refused: list[int] = field(default_factory=lambda: [0] * 12)
    refusals: Counter[tuple[str, str]] = field(default_factory=Counter)  # of exchanges: clause, reason
    denials: Counter[tuple[str, str]] = field(default_factory=Counter)  # of anything else
    outcomes: Counter[str] = field(default_factory=Counter)
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)  # type, act: all that is no exchange, outcome or refusal
    policy: list[dict[str, Json]] = field(default_factory=list)
    incidents: list[dict[str, Json]] = field(default_factory=list)
    erasures: list[dict[str, Json]] = field(default_factory=list)
    identities: dict[str, Counter[str]] = field(default_factory=dict)  # ground → requests by act; tokens asked about, persons told


def report(office: Office, person: Person, agreement: str, year: int, form: str, size: int | None, now: datetime) -> File:
    """The report as json or pdf, recorded. size: of the checkpoint to report as of; None for the latest. Refusal wewenang, parameter."""
    require(office, person, READ, agreement, now)
    if form not in MEDIA:
        raise Refusal("parameter", parameter="format")
    log = at_checkpoint(office, agreement, size)
    said = yearly(office, log, year, wib_date(now), as_of=size is not None)
    if form == "json":
        data = canonical(said)
    else:
        from broker.audit.yearly_pages import pages  # noqa: PLC0415 - see broker.audit.pdf

        data = pages(said)
    return handed_out(office, person, log, "tahunan", form, [data], lambda: sum(said["months"]["exchanges"]), now, asked={"size": size, "year": year})


def yearly(office: Office, log: Log, year: int, today: date, *, as_of: bool) -> dict[str, Any]:
    """The report as JSON (docs/formats/reports.md). as_of: the checkpoint was asked for, so that more may have followed in the year.

    Refusal parameter `tahun`: the log has no entry of that year. LedgerError: the ledger is not what its checkpoints say.
    """
    found, hashes, first, last = _Year(), [], None, None
    for at, entry in _entries(office, log):
        hashes.append(leaf_hash(entry))
        value = json.loads(entry)
        when = datetime.fromisoformat(value["time"]).astimezone(WIB)
        if when.year != year:
            continue
        first, last = at if first is None else first, (at, value["time"])
        _count(office, found, value, when)
    if first is None or last is None:
        raise Refusal("parameter", parameter="tahun")
    agreement = office.agreements[log.agreement]
    people = _sorted_ids(office, log.agreement)
    return {
        "agreement": {"ends": agreement.ends.isoformat(), "id": agreement.id, "nama": agreement.nama, "numbers": list(agreement.numbers), "parties": list(agreement.parties), "sha256": agreement.sha256, "starts": agreement.starts.isoformat()},
        "complete": not as_of and today > date(year, 12, 31),
        "denials": _by_clause(found.denials),
        "entries": {"first": first, "last": last[0], "until": last[1]},
        "erasures": list(found.erasures),
        "acts": [{"act": act, "count": count, "type": kind} for (kind, act), count in sorted(found.acts.items())],
        "flows": [_flow(key, flow, people) for key, flow in sorted(found.flows.items())],
        "identities": [{"ground": ground, **{name: counts[name] for name in IDENTITIES}} for ground, counts in sorted(found.identities.items())],
        "incidents": list(found.incidents),
        "integrity": _integrity(office, log, hashes, first, last[0] + 1),
        "months": {"exchanges": list(found.exchanges), "refused": list(found.refused), "released": list(found.released)},
        "outcomes": dict(sorted(found.outcomes.items())),
        "persons": _known(list(found.flows.values()), people)[0],
        "policy": list(found.policy),
        "refusals": _by_clause(found.refusals),
        "type": "sinergi/yearly-report/v1",
        "year": year,
    }


def _by_clause(counted: Counter[tuple[str, str]]) -> list[dict[str, Json]]:
    return [{"clause": clause, "count": count, "reason": reason} for (clause, reason), count in sorted(counted.items())]


def _entries(office: Office, log: Log) -> Iterator[tuple[int, bytes]]:
    with office.ledger.database.read() as tx:
        yield from tx.audit.entries(log.agreement, log.size)


def _count(office: Office, found: _Year, entry: dict[str, Any], when: datetime) -> None:
    month = when.month - 1
    match entry["type"].split("/")[1]:
        case "exchange":
            key = (entry["contract"]["dataset"], entry["purpose"], entry["sender"], entry["recipient"])
            found.exchanges[month] += 1
            found.released[month] += entry["outcomes"].get("terkirim", 0)
            _exchange(office, found.flows.setdefault(key, _Flow()), entry)
        case "refusal":
            found.refused[month] += "exchange" in entry
            (found.refusals if "exchange" in entry else found.denials)[entry["clause"], entry["reason"]] += 1
        case "outcome":
            found.outcomes[entry["outcome"]] += 1
        case kind:
            found.acts[kind, str(entry.get("act") or entry.get("what") or "")] += 1
            if kind == "policy" and entry["act"] == "published":
                found.policy.append({"changes": len((entry.get("diff") or {}).get("changes", ())), "time": entry["time"], "version": entry["version"]})
            if kind == "witness" or (kind == "policy" and entry["act"] in ("stopped", "resumed")):
                found.incidents.append({"act": entry["act"], "target": entry.get("target"), "time": entry["time"], "type": kind})
            if kind == "identity":
                counts = found.identities.setdefault(entry["ground"], Counter())
                counts.update({entry["act"]: 1, "subjects": entry["subjects"] if entry["act"] == "asked" else 0, "told": len(entry.get("refs", ()))})
            if kind == "erasure":
                found.erasures.append({name: value for name, value in entry.items() if name not in ("person", "reason_sha256", "type")})


def _exchange(office: Office, flow: _Flow, manifest: dict[str, Any]) -> None:
    records = manifest["records"]
    flow.exchanges += 1
    flow.rows += records["rows"]
    flow.released += manifest["outcomes"].get("terkirim", 0)
    flow.leaves += records["leaves"]
    flow.quality.update(manifest["quality"])
    flow.outcomes.update(manifest["outcomes"])
    profiles, refs, seen, roots = np.full(records["rows"], -1, np.int32), [], 0, []
    with office.ledger.database.read() as tx:
        for segment in tx.segments(manifest["exchange"]):
            leaves = np.frombuffer(segment, np.uint8).reshape(-1, STORED)
            seen += len(leaves)
            roots.append(root_of(tiles(bytes.fromhex(manifest["exchange"]), leaves)))
            leaves = leaves[leaves[:, 50] == RELEASED]
            # A row has as many leaves as it names persons, all of one profile.
            profiles[_numbers(leaves[:, 51:55], ">u4")] = _numbers(leaves[:, 48:50], ">u2")
            refs.append(leaves[:, :16].tobytes())
        dropped = tx.kept.dropped(manifest["exchange"])
    if dropped:
        flow.without_leaves += 1
        return
    if (seen, root_of(roots).hex()) != (records["leaves"], records["root"]):
        raise LedgerError(f"exchange {manifest['exchange']} has not the leaves of its manifest")
    for profile, rows in zip(*(found.tolist() for found in np.unique(profiles[profiles >= 0], return_counts=True)), strict=True):
        for column, level in zip(manifest["columns"], manifest["profiles"][profile]["levels"], strict=True):
            flow.cells[column, int(level)] += rows
    ids = _ids(office, manifest, b"".join(refs))
    if ids is None:
        flow.without_keys += 1
    else:
        flow.people.append(ids)


def _numbers(columns: NDArray[np.uint8], kind: str) -> NDArray[np.int64]:
    return np.ascontiguousarray(columns).view(kind).reshape(-1).astype(np.int64)


def _ids(office: Office, manifest: dict[str, Any], refs: bytes) -> NDArray[np.bytes_] | None:
    """The different blocks behind the references, sorted: vault ids of persons, tags of records. None: they were erased."""
    agreement, exchange = manifest["agreement"]["id"], manifest["exchange"]
    with office.ledger.database.read() as tx:
        secret = tx.kept.secret(exchange)
    key = ref_key(office.rings[agreement].seeds("root"), bytes.fromhex(exchange), secret)
    if key is None:
        return None
    return np.unique(np.frombuffer(inverted(key, refs), _ID))


def _sorted_ids(office: Office, agreement: str) -> NDArray[np.bytes_]:
    """The vault ids of all persons of an agreement, sorted."""
    with office.ledger.database.read() as tx:
        people = np.frombuffer(b"".join(tx.vault_ids(agreement)), np.uint8).reshape(-1, 32)
    return np.sort(np.ascontiguousarray(people[:, 16:]).view(_ID).reshape(-1))


def _known(flows: list[_Flow], people: NDArray[np.bytes_]) -> tuple[int, int]:
    """How many different persons, and how many other references: of records that name nobody, and of persons erased since."""
    parts = [ids for flow in flows for ids in flow.people]
    if not parts:
        return 0, 0
    ids = np.unique(np.concatenate(parts))
    if not len(people):
        return 0, len(ids)
    place = np.minimum(people.searchsorted(ids), len(people) - 1)
    known = int((people[place] == ids).sum())
    return known, len(ids) - known


def _flow(key: tuple[str, str, str, str], flow: _Flow, people: NDArray[np.bytes_]) -> dict[str, Json]:
    persons, others = _known([flow], people)
    columns: dict[str, list[int]] = {}
    for (column, level), count in flow.cells.items():
        columns.setdefault(column, [0] * LEVELS)[level] += count
    return {
        "cells": [sum(counts[level] for counts in columns.values()) for level in range(LEVELS)],
        "columns": {column: list(counts) for column, counts in sorted(columns.items())},
        "dataset": key[0], "purpose": key[1], "sender": key[2], "recipient": key[3],
        "exchanges": flow.exchanges, "leaves": flow.leaves, "others": others, "outcomes": dict(sorted(flow.outcomes.items())), "persons": persons,
        "quality": dict(sorted(flow.quality.items())), "released": flow.released, "rows": flow.rows,
        "without_keys": flow.without_keys, "without_leaves": flow.without_leaves,
    }  # fmt: skip


def _integrity(office: Office, log: Log, hashes: list[bytes], first: int, size: int) -> dict[str, Json]:
    """The log's checkpoint before the year's first entry (of the first entry where the log began with it) and after its last, and that the
    second holds the first unchanged: signatures, roots over all entries read, and the proof between them, all verified here.

    cosigned: the first checkpoint from the closing one on that witnesses cosigned, and that it holds the closing one.
    """
    opening = max(first, 1)
    before, after = (_checkpoint(office, log, at, hashes) for at in (opening, size))
    with office.ledger.database.read() as tx:
        later = [at for at in tx.cosignatures.sizes(log.agreement, log.size + 1) if at >= size]
    cosigned = _checkpoint(office, log, later[-1], hashes) if later else None
    return {
        "closing": after[0],
        "consistency": _proof(office, log, before[1], after[1]),
        "cosigned": None if cosigned is None else {"checkpoint": cosigned[0], "consistency": _proof(office, log, after[1], cosigned[1])},
        "opening": before[0],
        "origin": origin(log.agreement),
    }


def _proof(office: Office, log: Log, old: Checkpoint, new: Checkpoint) -> list[Json]:
    proof = office.ledger.consistency(log.agreement, old.size, new.size) if old.size < new.size else []
    try:
        verify_consistency(old.size, new.size, old.root, new.root, proof)
    except NotVerified as error:
        raise LedgerError(f"log {log.agreement}: {error}") from None
    return [b64encode(h).decode() for h in proof]


def _checkpoint(office: Office, log: Log, size: int, hashes: list[bytes]) -> tuple[str, Checkpoint]:
    with office.ledger.database.read() as tx:
        note = tx.checkpoint_at(log.agreement, size)
    if note is None:
        raise LedgerError(f"log {log.agreement} has no checkpoint of size {size}")
    try:
        signed = read_checkpoint(note, origin(log.agreement), *office.rings[log.agreement].verifying(LogPublic, "log"))
    except NotVerified as error:
        raise LedgerError(f"log {log.agreement}: {error}") from None
    if (signed.size, signed.root) != (size, root_of(hashes[:size])):
        raise LedgerError(f"log {log.agreement} is not what its checkpoint of size {size} says")
    return note, signed
