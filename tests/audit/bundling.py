"""A real bundle, and ways to damage copies of it."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from broker.client.bundle import NAMES, SUBJECT, verify_bundle
from broker.envelope import sign_dsse
from broker.envelope.dsse import ANSWER
from broker.jcs import canonical
from broker.keys import ReceiptKey
from broker.ledger.stored import archive
from broker.ledger.tiles import bundle as entry_bundle
from broker.ledger.tiles import read_bundle
from tests.audit.reading import one

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from broker.client.bundle import Checked
    from broker.client.reports import Reports
    from broker.keys import PublicSet
    from tests.simulator import Town

SIJUNGJUNG = "nk-sijunjung-2025"
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
REASON = "Pemeriksaan tahunan, surat tugas nomor 4"


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return {name: z.read(name) for name in z.namelist()}


def packed(found: dict[str, bytes]) -> bytes:
    return b"".join(archive((name, lambda data=data: [data]) for name, data in found.items()))  # type: ignore[misc]


def with_member(data: bytes, **changed: bytes) -> bytes:
    """The archive with other bytes in a member, its checksums right. A name's dot is written `_`."""
    found = members(data)
    return packed({name: changed.get(name.replace(".", "_"), body) for name, body in found.items()})


def check(data: bytes, broker: PublicSet, **more: Any) -> Checked:
    return verify_bundle(io.BytesIO(data), broker, **more)


def entries(data: bytes) -> list[bytes]:
    found = members(data)
    return read_bundle(found["entries.bin"], json.loads(found["bundle.json"])["size"])


def with_entries(data: bytes, changed: list[bytes]) -> bytes:
    return with_member(data, entries_bin=entry_bundle(changed))


def receipts(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members(data)["receipts.ndjson"].splitlines()]


def with_receipts(data: bytes, changed: list[dict[str, Any]]) -> bytes:
    return with_member(data, receipts_ndjson=b"".join(canonical(line) + b"\n" for line in changed))


def with_answer(town: Town, data: bytes, answer: dict[str, Any]) -> bytes:
    """As a broker would make it that lies: it signs."""
    signed = sign_dsse(ANSWER, canonical({"answer": answer, "people": ["00" * 32], "type": "sinergi/subject-answer/v1"}), town.office.rings[SIJUNGJUNG].get(ReceiptKey, "receipt"))
    return packed({**members(data), SUBJECT: signed.to_json()})


@dataclass(frozen=True)
class Bundled:
    """plain, about: the bundle without and with an answer. nik: whom it is about: in the first exchange, not in the second. lines: the first's."""

    town: Town
    plain: bytes
    about: bytes
    about_path: Path
    foreign: bytes
    broker: PublicSet
    exchanges: tuple[str, ...]
    nik: str
    opening: bytes
    withheld: bytes


def taken(reports: Reports, path: Path, agreement: str = SIJUNGJUNG, starts: date = FIRST, ends: date = LAST) -> bytes:
    reports.bundle(agreement, starts, ends, path)
    return path.read_bytes()


def asked(reports: Reports, path: Path, *subjects: str) -> bytes:
    said = reports.bundle_about({"agreement": SIJUNGJUNG, "from": "2026-01-01", "reason": REASON, "subjects": list(subjects), "to": "2026-12-31"}, path)
    assert "state" not in said
    return path.read_bytes()


def auditor(town: Town, http: TestClient, role: str = "auditor", party: str = "sijunjung") -> Reports:
    return one(town, http, role, party)


__all__ = ["NAMES"]
