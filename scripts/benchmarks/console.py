"""The bench `console`: server time and size of every page that each role can reach, at 1,000 exchanges of 10,000 records. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from rich.console import Console
from rich.table import Table
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from broker.web.app import create_app
from broker.web.console.shell import PATH
from broker.wiring import open_office, warm_up
from scripts.benchmarks import console_world, world
from scripts.benchmarks.usage import peak_mb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from scripts.benchmarks.console_world import Officer

NOBODY: Final = "tamu"  # who is not signed in
SAME: Final = 2  # addresses asked for of one kind: the same route, the same names in the query
ENTRANCES: Final = (  # what a form sent by POST leads to, or what is behind many pages
    "/pertukaran?cari=entri", "/pertukaran?q=jenis%3Dquery&cari=entri", "/pertukaran?q=keputusan%3Dditahan+dan+kolom.nik%3E%3D3&cari=pertukaran", "/pertukaran?q=keadaan%3Drefused&cari=pertukaran",
    "/kiriman?halaman=20", "/kebijakan/versi/1",
)  # fmt: skip
ASSET: Final = f"{PATH}/statis/"
WAITS: Final = "/statis/tunggu.js"  # on a page whose answer is being made
QUIET: Final = 3  # seconds that a broker just started is left to itself: it judges the open drafts by then


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench console", description="Server time and size of the console's pages. See docs/benchmarks.md.")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--exchanges", type=int, default=1_000)
    parser.add_argument("--leaves", type=int, default=10_000, help="of each exchange")
    parser.add_argument("--queries", type=int, default=4_000, help="entries of the log that say what auditors asked")
    parser.add_argument("--versions", type=int, default=12, help="of the policy")
    parser.add_argument("--repeat", type=int, default=7, help="times each page is asked for; the median counts")
    parser.add_argument("--starts", type=int, default=1_000, help="pages asked for once more as the first after a start of the broker, each after a start of its own")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--after-start", nargs=3, metavar=("HOME", "TOKEN", "PATH"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.after_start:
        print(json.dumps(after_start(*asked.after_start)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-") as work:
        result = measure(Path(work), asked)
    if asked.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        show(result)
    return 0


def measure(work: Path, asked: argparse.Namespace) -> dict[str, Any]:
    began = time.perf_counter()
    world.found(work)
    office = open_office(work / "broker", world.NOW)
    officers = console_world.made(office, work, asked)
    warm_up(office, world.NOW)
    entries, setup = office.ledger.size(world.AGREEMENT), time.perf_counter() - began
    app = create_app(office, world.URL, 64 << 20, lambda: world.NOW)
    app.state.console.warm_up()
    time.sleep(QUIET)
    walk = Walk(_routes(app.state.console.router), asked.repeat)
    with TestClient(app, base_url=world.URL, follow_redirects=False) as http:
        walk.through(http, NOBODY, [f"{PATH}/masuk"])
        for one in officers:
            http.cookies.set("sinergi", one.token)
            walk.through(http, one.name, [PATH, *(PATH + path for path in ENTRANCES)])
    app.state.worker.close()
    office.ledger.database.close()
    _ask_after_starts(work / "broker", officers, walk, asked.starts)
    figures = walk.pages.values()
    return {
        "bench": "console", "exchanges": asked.exchanges, "records": asked.exchanges * asked.leaves, "entries": entries, "versions": asked.versions, "setup_s": round(setup, 1),
        "pages": len(figures), "slowest_ms": max(one["ms"] for one in figures), "slowest_first_ms": max(one["first_ms"] for one in figures),
        "slowest_cpu_ms": max(one["cpu_ms"] for one in figures), "slowest_after_start_ms": max((one["after_start_ms"] for one in figures if "after_start_ms" in one), default=None), "start_s": round(median(walk.starts), 2) if walk.starts else None,
        "largest_kb": max(one["kb"] for one in figures), "not_reached": walk.not_reached(), "peak_rss_mb": round(peak_mb(), 1), "by_page": walk.pages,
    }  # fmt: skip


def _routes(router: APIRouter) -> list[Route]:
    """What the console answers to GET, but for files and for what is nowhere."""
    known = [route for route in router.routes if isinstance(route, Route) and "GET" in (route.methods or ())]
    return [route for route in known if route.path.startswith(PATH) and not route.path.startswith(ASSET) and "{rest" not in route.path]


@dataclass
class Walk:
    """Every page that links and filters lead to, of each kind a few; of every page its times and size."""

    routes: Sequence[Route]
    repeat: int
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    reached: dict[str, str] = field(default_factory=dict)  # route → the first page of it
    starts: list[float] = field(default_factory=list)

    def route(self, path: str) -> str:
        scope = {"type": "http", "path": urlsplit(path).path, "method": "GET"}
        return next((route.path for route in self.routes if route.matches(scope)[0] == Match.FULL), "")

    def not_reached(self) -> list[str]:
        return sorted({route.path for route in self.routes} - self.reached.keys())

    def through(self, http: TestClient, who: str, found: list[str]) -> None:
        """Asks for `found`, and for what that leads to."""
        known, optional = set(found), {PATH + path for path in ENTRANCES}
        kinds: dict[tuple[str, ...], int] = {}
        for path in found:  # grows meanwhile
            page = self._timed(http, who, path, refused=path in optional)
            for address in _addresses(path, page) if page else ():
                kind = (self.route(address), *sorted(dict(parse_qsl(urlsplit(address).query))))
                if kind[0] and address not in known and kinds.get(kind, 0) < SAME and "bahasa=" not in address:
                    kinds[kind] = kinds.get(kind, 0) + 1
                    known.add(address)
                    found.append(address)

    def _timed(self, http: TestClient, who: str, path: str, *, refused: bool) -> str:
        """The page's text; '' of a file, of what leads elsewhere, and of what is not for them. refused: whether it may be so."""
        times, cpu = [], []
        for _ in range(self.repeat):
            start, used = time.perf_counter(), time.process_time()
            answer = http.get(path)
            times.append(1000 * (time.perf_counter() - start))
            cpu.append(1000 * (time.process_time() - used))
            if answer.status_code == 303 or (answer.status_code in (403, 404) and refused):
                return ""
            if answer.status_code != 200:
                raise AssertionError(f"{who} {path}: {answer.status_code}")
        while WAITS in answer.text:  # as a browser does; what is made beside it would slow the next page down
            time.sleep(0.2)
            answer = http.get(path)
        page = answer.text if answer.headers["content-type"].startswith("text/html") else ""
        assets = sum(len(http.get(asset).content) for asset in set(_assets(page)))
        self.pages[f"{who} {path}"] = {"route": self.route(path), "ms": round(median(times), 1), "first_ms": round(times[0], 1), "cpu_ms": round(median(cpu), 1), "kb": round((len(answer.content) + assets) / 1000, 1)}
        self.reached.setdefault(self.route(path), f"{who} {path}")
        return page


class _Links(HTMLParser):
    """Of a page: where it leads to by GET. Each form once as it stands, and once with the last choice of every list."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.assets: list[str] = []
        self._form: str | None = None
        self._fields: dict[str, list[str]] = {}
        self._select = ""
        self._option: bool | None = None  # whether the one whose text comes next is selected

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in has:
            self.found.append(has["href"])
        elif tag in ("link", "script", "img"):
            self.assets += [has[name] for name in ("href", "src") if name in has]
        elif tag == "form" and has.get("method", "get").lower() == "get":
            self._form, self._fields = has.get("action", ""), {}
        elif self._form is not None and tag == "input" and has.get("name") and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            self._fields[has["name"]] = [has.get("value", "")]
        elif self._form is not None and tag == "select":
            self._select = has.get("name", "")
            self._fields[self._select] = []
        elif self._form is not None and tag == "option" and self._select:
            self._fields[self._select].insert(0 if "selected" in has else len(self._fields[self._select]), has.get("value", ""))
            self._option = "selected" in has if "value" not in has else None

    def handle_data(self, data: str) -> None:
        if self._option is not None:  # an option without a value is what it says
            self._fields[self._select][0 if self._option else -1] = data.strip()
            self._option = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "form" and self._form is not None:
            for which in (0, -1):
                self.found.append(f"{self._form}?{urlencode({name: values[which] for name, values in self._fields.items() if values})}")
            self._form = None


def _links(page: str) -> _Links:
    links = _Links()
    links.feed(page)
    return links


def _addresses(here: str, page: str) -> list[str]:
    """Of this host's console, the first and the last of them first: so both ends of a long list are looked at."""
    found = [address for link in _links(page).found if (address := urljoin(here, link).partition("#")[0]).startswith(PATH)]
    return list(chain.from_iterable(zip(found, reversed(found), strict=True)))


def _assets(page: str) -> list[str]:
    return [asset for asset in _links(page).assets if asset.startswith(ASSET)]


# --- the first page after a start
def _ask_after_starts(home: Path, officers: Sequence[Officer], walk: Walk, most: int) -> None:
    """Of every route one page, each in a process of its own that has just begun to serve."""
    tokens = {one.name: one.token for one in officers}
    for page in list(walk.reached.values())[:most]:
        who, _, path = page.partition(" ")
        command = [sys.executable, "-m", "scripts.benchmarks", "console", "--after-start", str(home), tokens.get(who, ""), path]
        said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        walk.starts.append(said["start_s"])
        walk.pages[page]["after_start_ms"] = said["ms"]


def after_start(home: str, token: str, path: str) -> dict[str, float]:
    """Opens the broker as `broker serve` does and asks for one page."""
    begun = time.perf_counter()
    office = open_office(Path(home), world.NOW)
    warm_up(office, world.NOW)
    app = create_app(office, world.URL, 64 << 20, lambda: world.NOW)
    app.state.console.warm_up()
    time.sleep(QUIET)
    with TestClient(app, base_url=world.URL, follow_redirects=False) as http:
        http.cookies.set("sinergi", token)
        http.get("/v1/health")  # the routes themselves, and what the client needs
        start = time.perf_counter()
        answer = http.get(path)
        done = time.perf_counter()
    app.state.worker.close()
    office.ledger.database.close()
    if answer.status_code != 200:
        raise AssertionError(f"{path}: {answer.status_code}")
    return {"start_s": round(start - begun - QUIET, 3), "ms": round(1000 * (done - start), 1)}


def show(result: dict[str, Any]) -> None:
    table = Table("page", "ms", "first", "cpu", "after start", "KB", title=f"console: {result['exchanges']:,} exchanges, {result['records']:,} records, {result['entries']:,} entries")
    for page, one in sorted(result["by_page"].items(), key=lambda pair: -pair[1]["ms"]):
        table.add_row(page, str(one["ms"]), str(one["first_ms"]), str(one["cpu_ms"]), str(one.get("after_start_ms", "")), str(one["kb"]))
    console = Console(highlight=False)
    console.print(table)
    console.print("not reached: " + (", ".join(result["not_reached"]) or "-"))
