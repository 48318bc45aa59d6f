"""Reads the console blocks of a page and runs them as a reader would, in order, each on the machine it belongs to.

A block is preceded by `<!-- N place -->`: blocks run by N; `place` is a folder that stands for a machine. In it, a line `$ command` is
run; the lines below it are what it prints, `…` alone stands for any lines, and `[exit status N]` at the end for a status other than 0.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from pathlib import Path

BLOCK: Final = re.compile(r"^<!-- (\d+) (\w+) -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT: Final = "8470"
WITNESS_PORT: Final = "8471"
FINGERPRINT: Final = r"(?:[0-9a-f]{4} ){15}[0-9a-f]{4}"
NAMES: Final = re.compile(rf"{FINGERPRINT}|(?:[0-9a-f]{{4}} ){{3}}[0-9a-f]{{4}} …|\b(?:[0-9a-f]{{16}}){{1,2}}\b|\b[0-9a-f]{{64}}\b|\b[0-9a-f]{{8}}\+[A-Za-z0-9+/]{{44}}")  # what a run makes anew
TIMES: Final = re.compile(r"\b\d+(?:\.\d+)? detik\b")
COUNTS: Final = re.compile(r"\b\d+ (?=dikirim|ditahan|baris dibuka|baris ditulis)")  # a sample is of its day: which of its faults are faults changes with the date


@dataclass(frozen=True)
class Command:
    page: str
    place: str
    text: str
    printed: tuple[str, ...]
    status: int


def commands(pages: dict[str, str]) -> list[Command]:
    """Every command of the pages' blocks, in the order of the blocks' numbers."""
    found: list[tuple[int, Command]] = []
    for page, text in pages.items():
        for number, place, body in BLOCK.findall(text):
            found += [(int(number), command) for command in block_commands(page, place, body)]
    return [command for _, command in sorted(found, key=lambda item: item[0])]


def block_commands(page: str, place: str, body: str) -> list[Command]:
    """The commands of a block's text."""
    made = []
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        text, *lines = part.replace("\\\n", "").rstrip("\n").split("\n")
        ended = re.fullmatch(r"\[exit status (\d+)\]", lines[-1]) if lines else None
        made.append(Command(page, place, text, tuple(lines[:-1] if ended else lines), int(ended[1]) if ended else 0))
    return made


class Machines:
    """A folder for each place; what the pages hand over by mail is carried from one to the others."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.names: dict[str, str] = {}  # as the page has it → as this run made it
        self.port, self.witness = _free_port(), _free_port()
        self.serving: list[subprocess.Popen[bytes]] = []

    def run(self, command: Command) -> tuple[int, list[str]]:
        """Exit status and printed lines, with the names that the page uses."""
        text = command.text.replace(PORT, self.port).replace(WITNESS_PORT, self.witness)
        for shown, real in self.names.items():
            text = text.replace(shown, real)
        place = self.folder / command.place
        place.mkdir(exist_ok=True)
        if text.endswith("&"):
            return self._serve(text.removesuffix("&"), place), []
        done = subprocess.run(["bash", "-c", text], cwd=place, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self._learn(command.printed, done.stdout)
        self._carry()
        printed = done.stdout.replace(self.port, PORT)
        for shown, real in self.names.items():
            printed = printed.replace(real, shown)
        return done.returncode, [line.rstrip() for line in printed.rstrip("\n").split("\n")]

    def _serve(self, text: str, place: Path) -> int:
        with (place / "serve.log").open("wb") as log:
            self.serving.append(subprocess.Popen(["bash", "-c", f"exec {text}"], cwd=place, env=self.environment, stdout=log, stderr=log))
        for _ in range(600):
            try:
                urlopen(f"http://127.0.0.1:{self.port}/v1/health", timeout=5).close()
            except (URLError, OSError):
                time.sleep(0.1)
            else:
                return 0
        return 1

    def _learn(self, shown: tuple[str, ...], printed: str) -> None:
        pairs = zip(NAMES.findall("\n".join(shown)), NAMES.findall(printed), strict=False)
        self.names.update({before: now for before, now in pairs if before not in self.names})

    def _carry(self) -> None:
        for file in [*self.folder.glob("*/*home/*@*.json"), *self.folder.glob("*/sinergi-home/*.jaminan"), *self.folder.glob("*/broker-home/public.json")]:
            for place in self.folder.iterdir():
                if place.name != "checkout":
                    shutil.copy(file, place / file.name)

    def close(self) -> None:
        for process in self.serving:
            process.terminate()
            process.wait(20)


def _free_port() -> str:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def differs(shown: tuple[str, ...], printed: list[str]) -> str:
    """'' if what the page shows is what was printed, names, durations and rows sent aside; else the first line that is not."""
    at = 0
    anywhere = False
    for line in map(_plain, shown):
        if line == "…":
            anywhere = True
            continue
        rest = [_plain(p) for p in printed[at:]]
        if line not in rest or (not anywhere and rest[0] != line):
            return f"page: {line}\nprinted: {rest[0] if rest else '(nothing)'}"
        at, anywhere = at + rest.index(line) + 1, False
    return "" if anywhere or at == len(printed) or not shown else f"printed as well: {printed[at]}"


def _plain(line: str) -> str:
    return COUNTS.sub("N ", TIMES.sub("N detik", NAMES.sub("<name>", line))).rstrip()
