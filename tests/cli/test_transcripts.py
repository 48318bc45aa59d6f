"""What the command line says when something is wrong: each file of transcripts/ is run line by line and must print what it shows.

`$ broker …` is run, the lines below it are its output, `[exit status N]` ends one that fails. `% …` sets the scene:
`broker [SECONDS]` a broker, its clock ahead by SECONDS · `stop` ends it · `home SYSTEM` a client home, enrolled and with the broker's keys
pinned, in a folder named as the system · `edit FILE OLD NEW` · `remove FILE` · `write FILE TEXT`.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import shutil
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from broker.cli import main
from broker.web.app import create_app
from tests.docs.console import NAMES, PORT, block_commands, differs
from tests.simulator import URL, Province, Town

if TYPE_CHECKING:
    from collections.abc import Iterator

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


class Scene:
    """A folder to run commands in, and at most one broker, served by this process over real HTTP."""

    def __init__(self, province: Province, folder: Path) -> None:
        self.province, self.folder = province, folder
        self.town = Town(province, folder / "town", datetime.now(UTC))
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = str(s.getsockname()[1])
        self.server: uvicorn.Server | None = None
        self.names: dict[str, str] = {}

    def set(self, what: str) -> None:
        match shlex.split(what):
            case ["broker", *ahead]:
                self.serve(timedelta(seconds=int("".join(ahead) or 0)))
            case ["stop"]:
                self.stop()
            case ["home", system]:
                shutil.copytree(self.province.parties / system, self.folder / system)
                self.edit(self.folder / system / "client.toml", URL, f"http://127.0.0.1:{self.port}")
            case ["edit", file, old, new]:
                self.edit(self.folder / file, old, new)
            case ["remove", file]:
                (self.folder / file).unlink()
            case ["write", file, text]:
                (self.folder / file).write_text(text)
            case _:
                pytest.fail(f"unknown scene: {what}")

    @staticmethod
    def edit(file: Path, old: str, new: str) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def serve(self, ahead: timedelta) -> None:
        app = create_app(self.town.office, f"http://127.0.0.1:{self.port}", 64 << 20, lambda: datetime.now(UTC) + ahead)
        self.server = uvicorn.Server(uvicorn.Config(app, port=int(self.port), log_level="critical", access_log=False))
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        if self.server is not None:
            self.server.should_exit = True
            self.thread.join(20)
            self.server = None

    def run(self, text: str) -> tuple[int, str]:
        for shown, real in self.names.items():
            text = text.replace(shown, real)
        program, *arguments = shlex.split(text.replace(PORT, self.port))
        assert program == "broker"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), pytest.raises(SystemExit) as ended:
            main(arguments)
        return int(ended.value.code or 0), printed.getvalue().replace(self.port, PORT)

    def close(self) -> None:
        self.stop()
        self.town.close()


@pytest.fixture
def scene(province: Province, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SINERGI_HOME", raising=False)
    monkeypatch.delenv("BROKER_HOME", raising=False)
    shutil.copytree(province.home / "policies", tmp_path / "broker-home" / "policies")
    shutil.copytree(province.home / "secrets", tmp_path / "broker-home" / "secrets")
    shutil.copy(province.home / "public.json", tmp_path / "public.json")
    scene = Scene(province, tmp_path)
    yield scene
    scene.close()


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_command_line_says_what_the_transcript_shows(transcript: Path, scene: Scene) -> None:
    for part in steps(transcript.read_text()):
        if part.startswith("% "):
            scene.set(part[2:])
            continue
        (command,) = block_commands(transcript.name, "", part)
        status, printed = scene.run(command.text)
        what = f"{transcript.name}: $ {command.text}\n{printed}"
        assert status == command.status, what
        assert (said := differs(command.printed, printed.rstrip("\n").split("\n"))) == "", f"{what}\n{said}"
        assert "Traceback" not in printed
        scene.names.update(zip(NAMES.findall("\n".join(command.printed)), NAMES.findall(printed), strict=False))


def steps(text: str) -> list[str]:
    """Scenes and commands in order, comments left out; a command with the lines it prints."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("#") or (not line and not (found and found[-1].startswith("$ "))):
            continue
        if line.startswith(("$ ", "% ")) or not found:
            found.append(line)
        else:
            found[-1] += f"\n{line}"
    return [part.rstrip("\n") + "\n" if part.startswith("$ ") else part for part in found]
