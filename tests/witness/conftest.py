"""A town whose agreement has two witnesses: real servers on loopback ports, one in the home of each party's client."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import shutil
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from broker.client.witness import Witness, WitnessServer, pinned
from broker.witnessing import Witnessing, read_quorums
from tests.simulator import SIAPKERJA, SIJOKER, Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NK = "nk-sijunjung-2025"
LIMIT_HOURS = 4


class Server(WitnessServer):
    """Ends with its connections, as a process does."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sockets: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        found, address = super().get_request()
        self.sockets.append(found)
        return found, address

    def server_close(self) -> None:
        super().server_close()
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class Stand:
    """A party's witness as a server that can be stopped and started again at the same port."""

    def __init__(self, town: Town, system: str, home: Path) -> None:
        self.town, self.system, self.home, self.port = town, system, home, 0
        self.server: Server | None = None
        self.start()

    def start(self) -> None:
        self.witness = Witness.at(self.home, self.system, lambda: pinned(self.home), lambda: self.town.now)
        self.server = Server(self.witness, "127.0.0.1", self.port)
        self.port = self.server.server_port
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self._thread.join()
            self.server.server_close()
            self.witness.__exit__()
            self.server = None

    @property
    def line(self) -> str:
        return f"witness {self.system} {self.witness.vkey.text} http://127.0.0.1:{self.port}\n"

    def post(self, body: bytes, path: str = "/add-checkpoint", headers: dict[str, str] | None = None) -> tuple[int, str, str]:
        return self._request("POST", path, body, headers)

    def get(self, path: str) -> tuple[int, str, str]:
        return self._request("GET", path)

    def _request(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
        finally:
            connection.close()


class Village:
    """The town with its witnesses; `witnessing.round()` is one round of asking."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.stands = [Stand(town, system, self.home_of(system)) for system in (SIJOKER, SIAPKERJA)]
        self.policy()

    def home_of(self, system: str) -> Path:
        home = self.town.folder / system
        if not home.exists():
            shutil.copytree(self.town.province.parties / system, home)
        return home

    def policy(self, threshold: str = "all", more: str = "") -> None:
        """Writes the agreement's policy and starts the broker's side anew, as a restart does."""
        names = " ".join(stand.system for stand in self.stands)
        lines = "".join(stand.line for stand in self.stands)
        (self.town.home / "witnesses").mkdir(exist_ok=True)
        (self.town.home / "witnesses" / f"{NK}.policy").write_text(f"{more}{lines}group para-pihak {threshold} {names}\nquorum para-pihak\n")
        self.restart()

    def restart(self) -> None:
        self.close_witnessing()
        self.town.reopen()
        quorums = read_quorums(self.town.home, self.town.office.agreements, self.town.office.rings, LIMIT_HOURS, self.town.now)
        self.town.office = dataclasses.replace(self.town.office, quorums=quorums)
        self.witnessing = Witnessing(self.town.office, lambda: self.town.now)

    def round(self) -> bool:
        return self.witnessing.round()

    def close_witnessing(self) -> None:
        if hasattr(self, "witnessing"):
            self.witnessing.close()

    def close(self) -> None:
        self.close_witnessing()
        for stand in self.stands:
            stand.stop()


@pytest.fixture
def village(town: Town) -> Iterator[Village]:
    village = Village(town)
    yield village
    village.close()
