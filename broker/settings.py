"""The only reader of the environment and of a broker home's `broker.toml`."""

from __future__ import annotations

import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from broker.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_VARIABLE: Final = "SINERGI_HOME"  # a party's client home
BROKER_VARIABLE: Final = "BROKER_HOME"
MAX_SUBMISSION: Final = 2 << 30  # bytes of a sealed body
_KEYS: Final = {"host": str, "port": int, "public_url": str, "max_submission": int}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a broker serves. public_url: what clients sign; it must be set unless the address is loopback."""

    home: Path
    host: str = "127.0.0.1"
    port: int = 8470
    public_url: str = ""
    max_submission: int = MAX_SUBMISSION

    @property
    def url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def limit_polars() -> None:
    """One Polars thread, unless POLARS_MAX_THREADS says otherwise. Call it before Polars is imported.

    A chunk is one piece of work: a second thread mostly waits for it, and a tenth of the processor goes with the waiting.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")


def broker_home(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    return given or Path(environment.get(BROKER_VARIABLE, "broker-home"))


def client_home(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    return given or Path(environment.get(HOME_VARIABLE, "sinergi-home"))


def read_settings(home: Path) -> Settings:
    """The settings of a broker home. ConfigError for an unknown key or a wrong type; a missing file means the defaults."""
    path = home / "broker.toml"
    if not path.exists():
        return Settings(home)
    text = path.read_text()
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise ConfigError(str(path), 1, "is not TOML") from None
    for key, value in values.items():
        line = next((n for n, row in enumerate(text.splitlines(), 1) if row.strip().startswith(key)), 1)
        if key not in _KEYS:
            raise ConfigError(str(path), line, f"unknown key {key}")
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise ConfigError(str(path), line, f"{key} must be {_KEYS[key].__name__}")
    return Settings(home, **values)


def shipped_policies() -> Path:
    """The policies that `broker init` copies: beside the package in a checkout, in the installation's share folder otherwise."""
    beside = Path(__file__).resolve().parent.parent / "policies"
    return beside if beside.is_dir() else Path(sys.prefix) / "share" / "sinergi" / "policies"
