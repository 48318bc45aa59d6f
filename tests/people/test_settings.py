"""`[oidc]` of broker.toml is read strictly: a slip there would decide who signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broker.errors import ConfigError
from broker.settings import Oidc, read_settings

if TYPE_CHECKING:
    from pathlib import Path

GOOD = 'port = 9000\n[oidc]\nissuer = "https://masuk.example.org/"\nclient_id = "sinergi"\nclient_secret_file = "secrets/oidc"\nclaim = "petugas"\n'


def test_the_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "broker.toml").write_text(GOOD + 'second_factor = ["otp", "mfa"]\n')
    settings = read_settings(tmp_path)
    assert settings.oidc == Oidc("https://masuk.example.org", "sinergi", tmp_path / "secrets" / "oidc", "petugas", ("otp", "mfa"))
    assert settings.port == 9000
    (tmp_path / "broker.toml").write_text(GOOD)
    oidc = read_settings(tmp_path).oidc
    assert oidc
    assert oidc.second_factor == ()
    (tmp_path / "broker.toml").write_text("port = 9000\n")
    assert read_settings(tmp_path).oidc is None


@pytest.mark.parametrize(("old", "new", "line"), [
    ('claim = "petugas"\n', "", 2), ('claim = "petugas"', 'claim = ""', 6), ('claim = "petugas"', "claim = 7", 6), ('claim = "petugas"', 'klaim = "petugas"', 6),
    ("https://masuk", "http://masuk", 3), ("https://masuk.example.org/", "masuk.example.org", 3), ("https://", "ftp://", 3), ("https://masuk.example.org", "http://127.0.0.1.example.org", 3),
    ('claim = "petugas"\n', 'claim = "petugas"\nsecond_factor = "otp"\n', 7), ('claim = "petugas"\n', 'claim = "petugas"\nsecond_factor = [7]\n', 7),
    ("[oidc]\n", '[oidc]\nscope = "openid"\n', 3),
])  # fmt: skip
def test_a_slip_names_its_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    assert old in GOOD
    (tmp_path / "broker.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_settings(tmp_path)
    assert caught.value.line == line


def test_oidc_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "broker.toml").write_text('oidc = "https://masuk.example.org"\n')
    with pytest.raises(ConfigError):
        read_settings(tmp_path)
