"""`broker keys …` as the administrator and a party type it."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from broker.cli import main
from broker.keys import read_public_set
from broker.store import Database
from scripts.benchmarks.world import enrol_directly
from tests.simulator import SIAPKERJA, SIJOKER, Province

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(province: Province, tmp_path: Path) -> Path:
    """A broker's home that nobody serves; one set is good for two years, the other for a month."""
    home = tmp_path / "broker"
    shutil.copytree(province.home, home)
    with closing(Database(home / "ledger.db")) as database, database.write() as tx:
        enrol_directly(tx, province.public(SIAPKERJA), datetime.now(UTC))
        enrol_directly(tx, province.public(SIJOKER), datetime.now(UTC), timedelta(days=30, hours=1))
    return home


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main([*map(str, words)])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out + printed.err


def test_the_administrator_sees_what_holds_and_what_must_be_renewed(capsys: pytest.CaptureFixture[str], home: Path, province: Province) -> None:
    status, said = run(capsys, "keys", "list", "--home", home)
    assert status == 0
    first, _, second = said.partition(SIJOKER)
    assert (f"{SIAPKERJA}  aktif sampai" in first, "PERBARUI" in first) == (True, False)
    assert "PERBARUI: kedaluwarsa dalam 30 hari" in second
    assert province.public(SIJOKER).fingerprint in said
    assert "pemberitahuan UJI/1" in said


def test_the_administrator_revokes_once_and_for_good(capsys: pytest.CaptureFixture[str], home: Path, province: Province) -> None:
    asked = ("keys", "revoke", SIJOKER, "--since", "2026-01-01T08:00", "--reason", "bocor", "--home", home)
    assert run(capsys, *asked)[0] == 1  # nobody said yes
    assert "dicabut" not in run(capsys, "keys", "list", "--home", home)[1]
    status, said = run(capsys, *asked, "--yes")
    assert (status, f"Kunci {SIJOKER} dicabut" in said, "sejak 01-01-2026 08:00 WIB: 0" in said) == (0, True, True), said
    listed = run(capsys, "keys", "list", "--home", home)[1]
    assert "oleh host: bocor, sejak 01-01-2026 08:00 WIB; 0 pertukaran" in listed
    status, said = run(capsys, *asked, "--yes")
    assert (status, "Tidak ada usulan atau kunci" in said) == (1, True)
    file, public = home / "lama.json", province.public(SIJOKER)
    file.write_bytes(public.to_json())
    status, said = run(capsys, "keys", "enrol", file, "--fingerprint", public.fingerprint, "--notice", "800/9", "--date", "2026-01-02", "--home", home)
    assert (status, "pernah dicabut" in said) == (1, True)


def test_public_keys_are_written_out_once_and_hold_no_secret(capsys: pytest.CaptureFixture[str], home: Path, province: Province, tmp_path: Path) -> None:
    for folder, expected in ((home, home / "public.json"), (province.parties / SIJOKER, province.parties / SIJOKER / f"{SIJOKER}.json")):
        output = tmp_path / f"{folder.name}.keluar"
        status, said = run(capsys, "keys", "export-public", "-o", output, "--home", folder)
        assert (status, output.read_bytes()) == (0, expected.read_bytes())
        assert read_public_set(output.read_bytes()).fingerprint in said
        assert run(capsys, "keys", "export-public", "-o", output, "--home", folder)[0] == 1


def test_which_home_is_meant_is_never_guessed(capsys: pytest.CaptureFixture[str], home: Path, province: Province, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BROKER_HOME", str(home))
    assert run(capsys, "keys", "list")[0] == 0
    monkeypatch.setenv("SINERGI_HOME", str(province.parties / SIJOKER))
    status, said = run(capsys, "keys", "list")
    assert (status, "--home" in said) == (1, True)
