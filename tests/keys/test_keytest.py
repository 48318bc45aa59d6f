"""`broker keys test`: a line for each ring and each self-test, and what to do about what fails."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from broker.cli import main
from broker.client.doctor import examine
from broker.jcs import canonical
from broker.keys import open_ring
from broker.keys.ring import changing
from broker.keys.rotate import rotated
from broker.selftest import CLIENT, known
from broker.selftest.columns import SERVER
from broker.store import Database
from tests.conftest import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Town

SYSTEM = "sijoker@sijunjung"


@pytest.fixture
def homes(town: Town, tmp_path: Path) -> tuple[Path, Path]:
    """A client's home and a broker's, copied so that they can be spoilt."""
    client, broker = tmp_path / "rumah" / "klien", tmp_path / "rumah" / "broker"
    shutil.copytree(town.province.parties / SYSTEM, client)
    shutil.copytree(town.province.home, broker)
    return client, broker


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    """Exit status and lines of standard output."""
    with pytest.raises(SystemExit) as ended:
        main(["keys", "test", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out.splitlines()


def test_a_ring_that_does_not_open_is_told_with_what_to_do(homes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    ring = homes[0] / "secrets" / "ring.json"
    said = json.loads(ring.read_bytes())
    said["keys"][0]["state"] = "retired"
    ring.write_bytes(canonical(said))
    status, lines = ran(capsys, "--home", str(homes[0]))
    assert status == 1
    assert lines[0].startswith("GAGAL Kunci ")
    assert "changed by hand" in lines[0]
    assert lines[1].startswith("      → Jangan mengubah ring.json.")
    assert [line.split()[0] for line in lines[2:]] == ["baik"] * len(CLIENT)


def test_an_older_copy_of_a_brokers_ring_is_told(homes: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    database = Database(homes[1] / "ledger.db")
    with database.write() as tx:
        tx.keyrings.note("broker", 2)
    database.close()
    status, lines = ran(capsys, "--home", str(homes[1]))
    assert status == 1
    assert [line for line in lines if line.startswith("GAGAL")] == [f"GAGAL Kunci {homes[1]}/secrets/broker: broker/ring.json is an older copy: it has version 1, 2 was in use"]


def test_a_self_test_that_fails_is_told(homes: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "leaf_hash", lambda _: bytes(32))
    status, lines = ran(capsys, "--home", str(homes[0]))
    assert (status, [line for line in lines if line.startswith("GAGAL")]) == (1, ["GAGAL Uji diri SHA-256 tree."])
    (finding,) = examine(homes[0], NOW)
    assert (finding.ok, "SHA-256 tree" in finding.what) == (False, True)


def test_a_folder_without_keys_is_no_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines = ran(capsys, "--home", str(tmp_path))
    assert (status, lines) == (1, [])


def test_every_ring_and_every_self_test_has_its_line(homes: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with changing(homes[1] / "secrets" / "broker") as write:
        write(rotated(open_ring(homes[1] / "secrets" / "broker"), "log", NOW, "administrator-1"))
    status, lines = ran(capsys, "--home", str(homes[0]))
    assert (status, lines[0]) == (0, f"baik  Kunci {homes[0]}/secrets: 3 kunci terbuka, versi 1.")
    assert lines[1:] == [f"baik  Uji diri {name}." for name in CLIENT]
    monkeypatch.setenv("SINERGI_HOME", str(homes[0]))
    monkeypatch.setenv("BROKER_HOME", str(homes[1]))
    status, lines = ran(capsys)
    rings = [homes[0] / "secrets", *sorted(path.parent for path in homes[1].glob("secrets/*/ring.json"))]
    assert status == 0
    assert [line.split(": ")[0] for line in lines[: len(rings)]] == [f"baik  Kunci {ring}" for ring in rings]
    assert f"baik  Kunci {homes[1]}/secrets/broker: 4 kunci terbuka, versi 2." in lines
    assert lines[len(rings) :] == [f"baik  Uji diri {name}." for name in SERVER]
