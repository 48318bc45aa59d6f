"""What the demonstration is made of: a folder, processes that run the real command line, and small tables."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from broker.cli.explain import pasal, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from broker.cli.explain import Cell

NK: Final = "nk-sijunjung-2025"
SIJOKER, SIAPKERJA, SIBUSER = "sijoker@sijunjung", "siapkerja@kemnaker", "sibuser@binjai"
HOMES: Final = {SIJOKER: "sijoker", SIAPKERJA: "siapkerja", SIBUSER: "sibuser"}
SECONDS: Final = 60  # a single command may take
console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


class Failed(Exception):
    """A step that did not happen as expected; says which and what was seen instead."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A recorded disclosure, as its sender was told."""

    exchange: str
    rows: int
    released: int
    withheld: int
    named: frozenset[int]  # rows withheld, counted from 1; the report names the first few


def tell(indonesian: str, english: str) -> None:
    console.print(f"{indonesian}\n[dim]{english}[/dim]")


def heading(number: int, indonesian: str, english: str) -> None:
    console.print(f"\n[bold]{number}. {indonesian}[/bold]  [dim]{english}[/dim]")


def expect(holds: bool, step: str, seen: str) -> None:
    if not holds:
        raise Failed(f"{step}: {seen}")


class Demo:
    """A folder with a broker home and two client homes, and the broker's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "berkas"
        self.files.mkdir()
        self.unlock = folder / "pembuka"  # unlocks the key rings of this demonstration alone
        self.broker("keys", "file", self.unlock)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.serving: subprocess.Popen[bytes] | None = None

    # --- processes
    def broker(self, *arguments: str | Path, home: str = "broker", status: int = 0, step: str = "") -> str:
        """What `broker ARGUMENTS` prints, run in a process of its own. Failed unless it exits with `status`."""
        command = [sys.executable, "-m", "broker", *map(str, arguments), *(() if arguments[0] in ("sample", "detect") or arguments[:2] == ("keys", "file") else ("--home", self.folder / home))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment(self.unlock))
        printed = done.stdout + done.stderr
        expect(done.returncode == status, step or f"broker {arguments[0]}", f"exit status {done.returncode}, {status} expected\n{printed}")
        return printed

    def serve(self) -> float:
        """Starts the broker and waits until it answers; the seconds it took."""
        began = time.monotonic()
        with (self.folder / "broker.log").open("ab") as log:
            command = [sys.executable, "-m", "broker", "serve", "--port", str(self.port), "--home", str(self.folder / "broker")]
            self.serving = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment(self.unlock))
        while not self.answers():
            waited = time.monotonic() - began
            if self.serving.poll() is not None or waited > SECONDS:
                raise Failed(f"broker serve: no answer after {waited:.0f} s\n{(self.folder / 'broker.log').read_text()}")
            time.sleep(0.05)
        return time.monotonic() - began

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/v1/health", timeout=5) as response:  # noqa: S310 - our own loopback address
                return bool(json.load(response)["status"] == "ok")
        except (URLError, OSError):
            return False

    def post(self, path: str, **asked: str) -> dict[str, str]:
        """The broker's answer to a small JSON body."""
        request = Request(self.url + path, json.dumps(asked).encode(), {"Content-Type": "application/json"})  # noqa: S310 - our own loopback address
        try:
            with urlopen(request, timeout=SECONDS) as response:  # noqa: S310
                return dict(json.load(response))
        except (URLError, OSError) as error:
            raise Failed(f"{path}: {error}") from None

    def stop(self) -> None:
        """Ends the broker's process, by its id."""
        if self.serving is None:
            return
        self.serving.terminate()
        try:
            self.serving.wait(10)
        except subprocess.TimeoutExpired:
            self.serving.kill()
            self.serving.wait()
        self.serving = None

    # --- steps
    def send(self, sender: str, file: str, dataset: str, purpose: str, to: str, *basis: str) -> Sent:
        step = f"{sender} mengirim {file}"
        printed = self.broker("send", self.files / file, "-k", NK, "-d", dataset, "-t", purpose, "--to", to, *basis, home=HOMES[sender], step=step)
        name, counts = re.search(r"Pertukaran ([0-9a-f]{32}): tercatat", printed), re.search(r"(\d+) baris: (\d+) dikirim, (\d+) ditahan", printed)
        if name is None or counts is None:
            raise Failed(f"{step}: the answer is not that of a recorded exchange\n{printed}")
        console.print(printed.rstrip(), markup=False)
        rows, released, withheld = map(int, counts.groups())
        return Sent(name[1], rows, released, withheld, frozenset(map(int, re.findall(r"^ +baris (\d+): (?!salah_tempat$)", printed, re.MULTILINE))))

    def receive(self, system: str, sent: Sent, output: str) -> list[dict[str, str | None]]:
        """The rows that `system` opened, after its client fetched, verified and receipted them."""
        step = f"{system} menerima"
        printed = self.broker("receive", home=HOMES[system], step=step)
        console.print(printed.rstrip(), markup=False)
        expect(f"SAH pertukaran {sent.exchange}" in printed and f"{sent.released} baris dibuka" in printed, step, printed)
        expect(f"tanda terima: broker, {system}" in printed, step, f"the receipt is missing\n{printed}")
        self.broker("open", sent.exchange, "-o", self.files / output, home=HOMES[system], step=f"{system} membuka")
        rows = [json.loads(line) for line in (self.files / output).read_text().splitlines()]
        expect(len(rows) == sent.released, f"{system} membuka", f"{len(rows)} rows, {sent.released} expected")
        return rows

    def refused(self, reason: str, words_of_it: str, sender: str, file: str, dataset: str, purpose: str, to: str, *basis: str) -> str:
        """What the sender reads. Failed unless it was refused for this very reason."""
        step = f"penolakan {reason}"
        printed = self.broker("send", self.files / file, "-k", NK, "-d", dataset, "-t", purpose, "--to", to, *basis, home=HOMES[sender], status=3, step=step)
        expect(f"alasan: {reason}\n" in printed and words_of_it in printed, step, f"refused for another reason\n{printed}")
        return f"  {sender} → {to}: {dataset}, {purpose}, {file}\n  " + printed.strip().replace("\n", "\n  ")


def environment(unlock: Path) -> dict[str, str]:
    """Ours without what would point a command at another home; plain text, wide enough for a line."""
    own = {k: v for k, v in os.environ.items() if k not in ("SINERGI_HOME", "BROKER_HOME")}
    return own | {"COLUMNS": "120", "NO_COLOR": "1", "SINERGI_UNLOCK": str(unlock)}


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def together(*calls: Callable[[], str]) -> list[str]:
    """What the commands printed, in order; two run at a time."""
    with ThreadPoolExecutor(2) as pool:
        return [f.result() for f in [pool.submit(call) for call in calls]]


def table(*columns: str) -> Table:
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        made.add_column(name, overflow="fold")
    return made


def xlsx_rows(path: Path) -> list[dict[str, str]]:
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - to look at what was sent

    header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, header), map(str, row), strict=True)) for row in rows]


def rows_table(rows: Sequence[dict[str, str]] | Sequence[dict[str, str | None]], columns: tuple[str, ...]) -> Table:
    made = table(*columns)
    for row in rows:
        made.add_row(*(str(row[name]) if row.get(name) else "[dim]kosong[/dim]" if name in row else "[dim]—[/dim]" for name in columns))
    return made


def cells_table(cells: list[Cell]) -> Table:
    """Columns that share level and Pasal together, the clearest first; of many rule ids, the first."""
    groups: dict[tuple[int, str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((-cell.level, words(cell.level), pasal(cell.rules)), []).append(cell)
    made = table("tingkat", "kolom", "Pasal", "aturan")
    for (_, level, clause), group in sorted(groups.items()):
        rules = list(dict.fromkeys(rule.id for cell in group for rule in cell.rules))
        more = f" dan {len(rules) - 1} lagi" if len(rules) > 1 else ""
        made.add_row(level, ", ".join(cell.column for cell in group), clause, "".join(rules[:1]) + more, end_section=True)
    return made
