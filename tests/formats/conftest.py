"""One exchange that was really sent, received and countersigned, and which tests may damage copies of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from broker.keys import KemKey
from tests.conftest import NOW
from tests.simulator import SIAPKERJA, SIJOKER, Province, Town

if TYPE_CHECKING:
    from pathlib import Path

    from broker.keys import PublicSet


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reference-vectors", metavar="DIR", default=None, help="folder with the public merkle.json and aes_cmac.json, to run them too")


@dataclass(frozen=True)
class Kept:
    """What a recipient holds. files: the three of an exchange. entries: the agreement's log, as the broker has it."""

    files: dict[str, bytes]
    broker: PublicSet
    key: KemKey
    lines: bytes
    rows: int
    entries: list[dict[str, Any]]

    def write(self, folder: Path, **changed: bytes) -> Path:
        """The files in `folder`, some with other bytes; a name's dot is written `_`."""
        for name, data in self.files.items():
            (folder / name).write_bytes(changed.get(name.replace(".", "_"), data))
        return folder


@pytest.fixture(scope="session")
def kept(province: Province, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    town = Town(province, folder, NOW)
    rows = town.rows(n=60, mess=0.1)
    (folder / "kirim.csv").write_bytes(town.csv(rows))
    with town.http() as http:
        sijoker, siapkerja = town.client(SIJOKER, http), town.client(SIAPKERJA, http)
        answer = sijoker.send(folder / "kirim.csv", agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        assert answer.state == "recorded", answer.problem
        (received,) = siapkerja.receive()
        sijoker.countersign()
        refused = sijoker.send(folder / "kirim.csv", agreement="nk-sijunjung-2025", dataset="wlkp", purpose="perencanaan", recipient=SIAPKERJA)
        assert refused.state == "refused"
        siapkerja.open(received.exchange, folder / "terbuka.ndjson", form="ndjson")
        files = {name: (received.folder / name).read_bytes() for name in ("envelope.sng", "leaves.bin", "proof.json")}
        found = Kept(files, siapkerja.broker, province.ring(SIAPKERJA).get(KemKey, "kem"), (folder / "terbuka.ndjson").read_bytes(), len(rows), town.entries())
    town.close()
    assert 0 < received.verified.lines < len(rows)  # some rows were withheld
    return found
