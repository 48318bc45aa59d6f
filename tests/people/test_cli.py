"""`broker people` as administrator and officer type it, beside a broker that serves and one that does not; and what is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pyotp
import pytest

from broker.cli import main
from broker.keys import open_ring, read_public_set
from broker.record import Ledger
from broker.settings import UNLOCK_VARIABLE
from broker.store import Database
from tests.faults.test_canary import Search
from tests.people.conftest import NAME, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TODAY = (datetime.now(UTC) + timedelta(hours=7)).date().isoformat()
ADD = ("people", "add", "--role", "petugas_keamanan", "--party", "sijunjung", "--appointment", "800/12-BKD/2026", "--from", TODAY, "--name", NAME)
HTTP = httpx2.Client(trust_env=False)
WRONG = "Kanari salah ketik sekali"
DIGITS = "9001900190019001"  # in every search: it looks for grouped digits too, and must have some
COMMANDS = """
import json, sys
from broker.cli import main
for words in json.loads(sys.argv[1]):
    try:
        main(words)
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    sys.stderr.flush()
    print("status", code, flush=True)
"""


@dataclass
class Host:
    """A broker home of its own, and everything that was printed."""

    folder: Path
    port: int = 0
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = self.folder / "broker-home"

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k == UNLOCK_VARIABLE or not k.startswith(("BROKER", "SINERGI"))}
        return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", "NO_COLOR": "1"}

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-m", "broker", *words], cwd=self.folder, env=self.environment(), text=True, **more)

    def run(self, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
        """Commands one after another, in a process of their own: exit status and what was printed, of each."""
        done = subprocess.run(
            [sys.executable, "-u", "-c", COMMANDS, json.dumps(commands)], cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=True
        )
        return [(int(status), printed) for printed, status in re.findall(r"(.*?)^status (\d+)\n", done.stdout, re.MULTILINE | re.DOTALL)]

    def serve(self) -> subprocess.Popen[str]:
        with (self.folder / "serve.log").open("ab") as log:
            process = self.start("serve", "--port", str(self.port), stdout=log, stderr=log)
        for _ in range(600):
            assert process.poll() is None, (self.folder / "serve.log").read_text()
            try:
                HTTP.get(f"{self.url}/v1/health")
            except httpx2.TransportError:
                time.sleep(0.1)
            else:
                return process
        process.kill()
        raise AssertionError("serve does not answer")

    def set_up(self, token: str) -> str:
        """What the officer types; the secret of their authenticator."""
        process = self.start("people", "setup", "--url", self.url, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(f"{token}\n{PASSWORD}\n{PASSWORD}\n")
        process.stdin.flush()
        seen = ""
        while "otpauth://" not in seen:
            line = process.stdout.readline()
            assert line, seen + process.stderr.read()
            seen = line
        secret = pyotp.parse_uri(seen.strip()).secret
        out, err = process.communicate(pyotp.TOTP(secret).now() + "\n", timeout=60)
        self.printed.append(err)
        assert (process.returncode, "Akun aktif." in out) == (0, True), err
        return secret


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Host]:
    yield Host(tmp_path)
    HTTP.close()


def token_of(printed: str) -> str:
    found = re.search(r"sekali pakai\): (\S{43})$", printed, re.MULTILINE)
    assert found, printed
    return found[1]


def cells(database: Path) -> list[tuple[str, str, bytes]]:
    """Every value of every column of every table."""
    connection = sqlite3.connect(database)
    found = []
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        rows = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - the tables' own names
        names = [column[0] for column in rows.description]
        found += [(table, name, value if isinstance(value, bytes) else str(value).encode()) for row in rows for name, value in zip(names, row, strict=True)]
    connection.close()
    return found


def hidden(data: str) -> str:
    """Without the set-up codes, which a command prints for the administrator's eyes."""
    return re.sub(r"(sekali pakai\): )\S{43}$", r"\1…", data, flags=re.MULTILINE)


def test_an_officers_whole_life_and_nothing_of_it_stays_where_it_should_not(at: Host) -> None:
    wrong = "broker: Akun tidak dapat dibuat atau diubah: {0}.{1} · The account cannot be made or changed: {0}.\n"
    (at.folder / "bukan.json").write_text("{}")
    (made, _), (added, printed), *mistakes = at.run(  # nobody serves: written here
        ("init",), ADD, (*ADD, "--agreement", "nk-binjai-2025"), (*ADD, "--home", "lain"), ("people", "setup", "--url", "http://sinergi.example.org"), ("people", "enrol-key", "bukan.json", "--fingerprint", "0")
    )
    assert (made, added, "Akun: petugas-1@sijunjung" in printed) == (0, 0, True), printed
    first = token_of(printed)
    assert mistakes == [
        (1, wrong.format("kesepakatan", "")), (1, "broker: lain is no broker home; make one with `broker init`\n"),
        (1, "broker: a password goes only to https://, or to this machine\n"), (1, "broker: not a public key file\n"),
    ]  # fmt: skip
    port, said = ("--port", str(at.port)), [printed]
    served = at.serve()
    try:
        elsewhere, second, renewed = at.run((*ADD, "--port", "1"), (*ADD, *port), ("people", "link", "petugas-1@sijunjung", *port))  # asked of who serves
        assert elsewhere == (1, "broker: nothing answers on port 1: if the broker serves this home on another, name it with --port; or another command holds the home: try again\n")
        assert (second[0], "Akun: petugas-2@sijunjung" in second[1]) == (0, True), second
        assert renewed[0] == 0, renewed
        tokens = [first, token_of(second[1]), token_of(renewed[1])]
        secret = at.set_up(tokens[2])
        sent = {"id": "petugas-1@sijunjung", "password": PASSWORD, "code": pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))}
        answer = HTTP.post(f"{at.url}/v1/session", json=sent)
        assert answer.status_code == 200, answer.text
        session = answer.cookies["sinergi"]
        assert HTTP.post(f"{at.url}/v1/session", json={**sent, "password": WRONG}).status_code == 401
        assert [s for s, _ in at.run(("keys", "new", "--system", "petugas-1@sijunjung", "--url", at.url, "--home", "petugas"))] == [0]
        file = at.folder / "petugas" / "petugas-1@sijunjung.json"
        enrol = ("people", "enrol-key", str(file), *port, "--fingerprint")
        refused, enrolled, listed = at.run((*enrol, "0000"), (*enrol, read_public_set(file.read_bytes()).fingerprint), ("people", "list"))
        assert refused == (1, wrong.format("sidik_jari", " (Pasal 6)"))
        assert enrolled == (0, "Kunci petugas-1@sijunjung terdaftar.\n")  # no system of the party could vouch yet
        assert [re.sub(r"[^\w@-]+", " ", line).split()[0] for line in listed[1].splitlines() if NAME in line] == ["petugas-1@sijunjung", "petugas-2@sijunjung"]
        assert max(map(len, listed[1].splitlines())) <= 80
        assert "diundang, tanpa kunci" in listed[1]
        secrets, named = Search({PASSWORD, WRONG, secret, session, DIGITS, *tokens}), Search({NAME, DIGITS})
        kept = cells(at.home / "ledger.db")
        assert [(table, column) for table, column, value in kept if secrets.hits(value)] == []
        assert {(table, column) for table, column, value in kept if named.hits(value)} == {("person", "name")}
        ended, again = at.run(*[("people", "end", "petugas-1@sijunjung", *port)] * 2)
        assert ended == (0, "Penugasan petugas-1@sijunjung berakhir.\n")
        assert again == (1, wrong.format("id", " (Pasal 6)"))
        assert HTTP.get(f"{at.url}/v1/session", headers={"Cookie": f"sinergi={session}"}).json()["reason"] == "sesi"
        said += [second[1], renewed[1], refused[1], enrolled[1], *at.printed]
        assert secrets.files(at.home) == []  # while it serves: -wal and -shm are there
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(30)
    assert secrets.files(at.home) == []
    assert named.files(at.home) == [str(at.home / "ledger.db")]
    for text in (hidden("".join(said)), (at.folder / "serve.log").read_text()):
        assert not secrets.hits(text.encode())
        assert not named.hits(text.encode())
    assert secrets.hits("".join(said).encode())  # it does find them where they are
    database = Database(at.home / "ledger.db")
    Ledger(database, {folder.name: open_ring(folder) for folder in (at.home / "secrets").iterdir()})  # it is whole: it opens
    database.close()


def test_an_external_auditor_is_not_invited_without_an_agreement_and_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["people", "add", "--role", "auditor", "--party", "bpk", "--appointment", "1/2026", "--from", TODAY, "--name", NAME]
    for more, missing in (([], "one --agreement; --to, the last day"), (["--agreement", "nk-sijunjung-2025"], "--to, the last day"), (["--to", TODAY], "one --agreement")):
        with pytest.raises(SystemExit):
            main([*words, *more])
        assert capsys.readouterr().err.endswith(f"missing: {missing}\n")
