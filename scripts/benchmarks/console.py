"""The bench `console`: server time and size of every page that each role's menu leads to, at 1,000 exchanges of 10,000 records. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from starlette.testclient import TestClient

from broker import people
from broker.client import create_home
from broker.envelope import Voucher, sign_dsse
from broker.envelope.dsse import VOUCHER
from broker.keys import ReceiptKey, open_ring
from broker.model import utc_text
from broker.store import Session
from broker.web.app import create_app
from broker.wiring import open_office
from scripts.benchmarks import ledger, world
from scripts.benchmarks.usage import peak_mb

if TYPE_CHECKING:
    from broker.office import Office

ROLES: Final = ("operator", "admin_pihak", "auditor", "petugas_keamanan", "ppdp", "pembuka_samaran")
LINK: Final = re.compile(r'href="(/konsol[^"#]*)"')
ASSET: Final = re.compile(r'(?:href|src)="(/konsol/statis/[^"]*)"')
EXCHANGE: Final = re.compile(r"/konsol/pertukaran/[0-9a-f]{32}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench console", description="Server time and size of the console's pages. See docs/benchmarks.md.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--exchanges", type=int, default=1_000)
    parser.add_argument("--leaves", type=int, default=10_000, help="of each exchange")
    parser.add_argument("--repeat", type=int, default=7, help="times each page is asked for; the median counts")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as work:
        result = measure(Path(work), asked)
    if asked.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        show(result)
    return 0


def measure(work: Path, asked: argparse.Namespace) -> dict[str, Any]:
    world.found(work)
    office = open_office(work / "broker", world.NOW)
    _recorded(office, list(ledger.filled(office, asked)))
    app = create_app(office, world.URL, 64 << 20, lambda: world.NOW)
    pages: dict[str, dict[str, float]] = {}
    with TestClient(app, base_url=world.URL) as http:
        for role in ROLES:
            http.cookies.set("sinergi", _signed_in(office, work, role))
            first = http.get("/konsol").text
            asked_for = list(dict.fromkeys(path for path in LINK.findall(first) if "bahasa=" not in path and "/statis/" not in path))
            for path in asked_for:
                if f"{role} {path}" not in pages:
                    pages[f"{role} {path}"] = _timed(http, path, asked.repeat)
                    deeper = EXCHANGE.search(http.get(path).text)
                    if deeper and deeper[0] not in asked_for:
                        asked_for.append(deeper[0])
    app.state.worker.close()
    office.ledger.database.close()
    return {
        "bench": "console", "exchanges": asked.exchanges, "records": asked.exchanges * asked.leaves, "pages": len(pages), "slowest_ms": max(one["ms"] for one in pages.values()),
        "largest_kb": max(one["kb"] for one in pages.values()), "peak_rss_mb": round(peak_mb(), 1), "by_page": pages,
    }  # fmt: skip


def _recorded(office: Office, names: list[str]) -> None:
    """The rows that say what became of each exchange: the ledger bench needs the log alone."""
    at = utc_text(world.NOW)
    with office.ledger.writing() as book:
        places = {said["exchange"]: (n, entry) for n, entry in enumerate(book.tx.entries(world.AGREEMENT)) if (said := json.loads(entry)).get("exchange")}
        for name in names:
            entry, manifest = places[name]
            said = json.loads(manifest)
            book.tx.add_exchange(
                id=name, state="accepted", sender=said["sender"], recipient=said["recipient"], agreement=world.AGREEMENT, dataset=said["contract"]["dataset"], purpose=said["purpose"],
                accepted=at, changed=at, submission_sha256="0" * 64, idempotency=name,
            )  # fmt: skip
            book.tx.change_exchange(name, state="recorded", log=world.AGREEMENT, entry=entry, manifest=manifest)


def _signed_in(office: Office, work: Path, role: str) -> str:
    """The session's token of a new officer of the sender's party, whom their system vouches for."""
    person, _ = people.invite(office, people.Invitation(role, "sijunjung", "SK-1/2026", date(2026, 1, 1), None, frozenset(), "Petugas"), world.NOW)
    public = create_home(work / person.id, person.id, world.URL, world.NOW)
    said = Voucher(created=utc_text(world.NOW), keys_sha256=public.fingerprint.replace(" ", "").lower(), person=person.id, system=world.SENDER)
    voucher = sign_dsse(VOUCHER, said.to_json(), open_ring(work / world.SENDER / "secrets").get(ReceiptKey, "receipt")).to_json()
    people.enrol_key(office, person.id, public.to_json(), public.fingerprint, world.NOW, voucher)
    token, at = f"bench {role}", int(world.NOW.timestamp())
    with office.ledger.database.write() as tx:
        tx.people.change(person.id, state="active")
        tx.people.add_session(people.token_sha256(token), Session(person.id, at, at, at + 3600, True))
    return token


def _timed(http: TestClient, path: str, repeat: int) -> dict[str, float]:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        answer = http.get(path)
        times.append(1000 * (time.perf_counter() - start))
        if answer.status_code != 200:
            raise AssertionError(f"{path}: {answer.status_code}")
    assets = sum(len(http.get(asset).content) for asset in set(ASSET.findall(answer.text)))
    return {"ms": round(median(times), 1), "first_ms": round(times[0], 1), "kb": round((len(answer.content) + assets) / 1000, 1)}


def show(result: dict[str, Any]) -> None:
    table = Table("page", "ms", "first", "KB", title=f"console: {result['exchanges']:,} exchanges, {result['records']:,} records")
    for page, one in sorted(result["by_page"].items(), key=lambda pair: -pair[1]["ms"]):
        table.add_row(page, str(one["ms"]), str(one["first_ms"]), str(one["kb"]))
    Console(highlight=False).print(table)
