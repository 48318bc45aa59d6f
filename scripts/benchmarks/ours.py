"""Our side, in a process of its own: from the sealed, signed request to the recorded exchange, with the ledger on disk.

`python -m scripts.benchmarks.ours MODE FOLDER SUBMISSION...` prints one JSON object. Modes: speed, walls, shares. The first submission
warms up; the client's work (sealing, signing) is outside every measure.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from broker import door
from broker.delivery import DurableWriter
from broker.exchange import exchange, new_exchange_id
from broker.identity import sign_request
from broker.keys import RequestKey, open_ring
from broker.wiring import open_office, warm_up
from scripts.benchmarks.steps import Steps, step
from scripts.benchmarks.usage import cpu_seconds, peak_mb, reference_us
from scripts.benchmarks.world import NOW, SENDER, URL

if TYPE_CHECKING:
    from broker.office import Office

ARRIVING: Final = 64 << 10  # bytes at a time, as the HTTP server hands a body over


@dataclass(frozen=True, slots=True)
class Sealed:
    """A request as it stands at the broker's door."""

    body: Path
    headers: dict[str, str]


def signed(folder: Path, body: Path) -> Sealed:
    digest = hashlib.sha256()
    with body.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    key = open_ring(folder / SENDER / "secrets").get(RequestKey, "request")
    headers = {"content-type": "application/vnd.sinergi.submission", "idempotency-key": secrets.token_urlsafe(24)}
    return Sealed(body, sign_request("POST", f"{URL}/v1/exchanges", headers, key, NOW, digest.digest()))


def take(office: Office, request: Sealed) -> str:
    """What POST /v1/exchanges and its worker do, without HTTP: the id of the recorded exchange."""
    with step("door"):
        caller = door.authenticate(office, "POST", f"{URL}/v1/exchanges", request.headers, NOW, body=True, also=("idempotency-key",))
        key = door.idempotency(caller, request.headers["idempotency-key"])
    name = new_exchange_id()
    with step("spool"), request.body.open("rb", buffering=0) as source, DurableWriter(office.folders.spool(name)) as spool:
        while data := source.read(ARRIVING):
            spool.write(data)
        sha256 = spool.commit()
    with step("admit"):
        found, new = door.admit(office, caller, name, sha256, key, NOW)
    assert new
    with step("rest"):
        exchange(office, found, NOW)
    return found


def recorded_rows(office: Office, name: str) -> int:
    """The rows that the ledger says were judged, for the reader to compare with what was sent."""
    with office.ledger.database.read() as tx:
        row = tx.exchange(name)
    assert row is not None
    assert row.manifest is not None
    return int(json.loads(row.report or "{}")["rows"])


def speed(office: Office, requests: list[Sealed]) -> dict[str, object]:
    office.folders.outbox(take(office, requests[0])).unlink()
    cpu, wall = cpu_seconds(), time.perf_counter()
    name = take(office, requests[1])
    cpu, wall = cpu_seconds() - cpu, time.perf_counter() - wall
    return {
        "rows": recorded_rows(office, name),
        "cpu_s": cpu,
        "wall_s": wall,
        "peak_rss_mb": peak_mb(),
        "polars_threads": pl.thread_pool_size(),
        "reference_us": reference_us(),
    }


def walls(office: Office, requests: list[Sealed]) -> dict[str, object]:
    """Wall milliseconds of each exchange of the first half, unwatched; then the steps of the second half."""
    half = len(requests) // 2
    for request in requests[:2]:
        take(office, request)
    times = []
    for request in requests[2 : half + 1]:
        start = time.perf_counter()
        take(office, request)
        times.append(1000 * (time.perf_counter() - start))
    return {"ms": times, **watched(office, requests[half + 1 :])}


def shares(office: Office, requests: list[Sealed]) -> dict[str, object]:
    take(office, requests[0])
    return watched(office, requests[1:])


def watched(office: Office, requests: list[Sealed]) -> dict[str, object]:
    """Seconds per step over all requests: CPU of all threads, and wall."""
    with Steps.watching() as steps:
        rows = sum(recorded_rows(office, take(office, request)) for request in requests)
    return {"rows": rows, "exchanges": len(requests), "cpu_s": steps.cpu, "wall_s": steps.wall, "not_found": steps.not_found}


MODES: Final = {"speed": speed, "walls": walls, "shares": shares}

if __name__ == "__main__":
    mode, given, *bodies = sys.argv[1:]
    folder = Path(given)
    requests = [signed(folder, Path(body)) for body in bodies]
    with tempfile.TemporaryDirectory(dir=folder) as own:  # every run begins with an empty ledger
        home = Path(own) / "broker"
        shutil.copytree(folder / "broker", home)
        office = open_office(home, NOW)
        warm_up(office, NOW)
        print(json.dumps(MODES[mode](office, requests)))
        office.ledger.database.close()
    sys.stdout.flush()
    os._exit(0)  # no interpreter teardown after the figures
