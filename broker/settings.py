"""The only reader of the environment and of a broker home's `broker.toml`."""

from __future__ import annotations

import getpass
import os
import stat
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from broker.errors import ConfigError, KeyRingError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_VARIABLE: Final = "SINERGI_HOME"  # a party's client home
BROKER_VARIABLE: Final = "BROKER_HOME"
UNLOCK_VARIABLE: Final = "SINERGI_UNLOCK"  # a file with what unlocks the key rings: a passphrase, a key or a PIN
CREDENTIAL: Final = "sinergi-unlock"  # its name among a systemd service's credentials
MAX_SUBMISSION: Final = 2 << 30  # bytes of a sealed body
MAX_LIMIT_HOURS: Final = 168
_KEYS: Final = {"host": str, "port": int, "public_url": str, "max_submission": int, "witness_limit_hours": int, "demonstration": bool, "oidc": dict}
_HERE: Final = ("127.0.0.1", "::1", "localhost")
_OIDC: Final = {"issuer": str, "client_id": str, "client_secret_file": str, "claim": str, "second_factor": list}


@dataclass(frozen=True, slots=True)
class Oidc:
    """A provider that officers may sign in with. claim: of the ID token, which carries the account's id.

    second_factor: `acr` or `amr` values of the provider that stand for a second factor of its own; none of them: ours is asked.
    """

    issuer: str
    client_id: str
    client_secret_file: Path
    claim: str
    second_factor: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a broker serves. public_url: what clients sign; it must be set unless the address is loopback.

    witness_limit_hours: how old a log's oldest entry without its quorum of cosignatures may be before its releases wait.
    demonstration: whether the host may hand out links that sign in to the console; on this machine alone.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8470
    public_url: str = ""
    max_submission: int = MAX_SUBMISSION
    witness_limit_hours: int = 4
    demonstration: bool = False
    oidc: Oidc | None = None

    @property
    def url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def limit_polars() -> None:
    """One Polars thread, unless POLARS_MAX_THREADS says otherwise. Call it before Polars is imported.

    A chunk is one piece of work: a second thread mostly waits for it, and a tenth of the processor goes with the waiting.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")


def unlock(ring: str, new: bool, environment: Mapping[str, str] = os.environ) -> bytes:
    """What unlocks a key ring: out of the file SINERGI_UNLOCK names, out of a systemd credential, or typed at the terminal, asked once a process.

    KeyRingError if it can be had nowhere, or if others can read the file. The environment holds a path, never the secret.
    """
    folder, path = environment.get("CREDENTIALS_DIRECTORY"), environment.get(UNLOCK_VARIABLE)
    if path is None and folder and (Path(folder) / CREDENTIAL).exists():
        path = str(Path(folder) / CREDENTIAL)
    if path is not None:
        return _private(Path(path))
    if not _TYPED:
        if not sys.stdin.isatty():
            raise KeyRingError(f"kunci {ring} terkunci: jalankan di terminal, atau tunjuk berkas pembukanya dengan {UNLOCK_VARIABLE}. "
                               f"The keys are locked: use a terminal, or name the file that unlocks them in {UNLOCK_VARIABLE}.")  # fmt: skip
        _TYPED.append(getpass.getpass("Frasa sandi kunci (passphrase): ").encode())
        if new and getpass.getpass("Sekali lagi (again): ").encode() != _TYPED[0]:
            _TYPED.clear()
            raise KeyRingError("dua frasa sandi itu berbeda. The two passphrases differ.")
    return _TYPED[0]


_TYPED: Final[list[bytes]] = []


def _private(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would be waited for
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError
    except OSError:
        raise KeyRingError(f"{UNLOCK_VARIABLE}: {path.name} is a symbolic link, no file, or cannot be read") from None
    with os.fdopen(fd, "rb") as f:
        status = os.fstat(fd)
        if status.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(status.st_mode) & 0o077:
            raise KeyRingError(f"{UNLOCK_VARIABLE}: {path.name} is open to others, or belongs to another: chmod 600")
        return f.read(4096)


def broker_home(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    return given or Path(environment.get(BROKER_VARIABLE, "broker-home"))


def editor(environment: Mapping[str, str] = os.environ) -> str:
    """The user's own editor as a command line, empty if none is set."""
    return environment.get("VISUAL") or environment.get("EDITOR") or ""


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
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool) != (_KEYS[key] is bool):
            raise ConfigError(str(path), line, f"{key} must be {_KEYS[key].__name__}")
        if key == "witness_limit_hours" and isinstance(value, int) and not 1 <= value <= MAX_LIMIT_HOURS:
            raise ConfigError(str(path), line, f"{key} must be from 1 to {MAX_LIMIT_HOURS}")
    oidc = values.pop("oidc", None)
    settings = Settings(home, **values, oidc=None if oidc is None else _oidc(path, text, oidc))
    if settings.demonstration and urlsplit(settings.url).hostname not in _HERE:
        raise ConfigError(str(path), 1, "demonstration is for an address of this machine alone")
    return settings


def _oidc(path: Path, text: str, values: dict[str, object]) -> Oidc:
    """The table `[oidc]`. ConfigError for an unknown or missing key, a wrong type, or an issuer that is neither https nor on this machine."""
    lines = text.splitlines()
    table = next((n for n, row in enumerate(lines, 1) if row.strip().startswith("[oidc]")), 1)
    for key, value in values.items():
        line = next((n for n, row in enumerate(lines, 1) if n > table and row.strip().startswith(key)), table)
        if key not in _OIDC:
            raise ConfigError(str(path), line, "unknown key in [oidc]")
        if not isinstance(value, _OIDC[key]) or not value or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
            raise ConfigError(str(path), line, f"{key} must be {_OIDC[key].__name__}, and not empty")
        if key == "issuer" and not _is_safe(str(value)):
            raise ConfigError(str(path), line, "issuer must be https://…, or http:// on this machine")
    if missing := sorted(_OIDC.keys() - values.keys() - {"second_factor"}):
        raise ConfigError(str(path), table, f"[oidc] needs {', '.join(missing)}")
    factors = values.get("second_factor", [])
    assert isinstance(factors, list)
    secret = path.parent / str(values["client_secret_file"])
    return Oidc(str(values["issuer"]).rstrip("/"), str(values["client_id"]), secret, str(values["claim"]), tuple(factors))


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)


def shipped_policies() -> Path:
    """The policies that `broker init` copies: beside the package in a checkout, in the installation's share folder otherwise."""
    beside = Path(__file__).resolve().parent.parent / "policies"
    return beside if beside.is_dir() else Path(sys.prefix) / "share" / "sinergi" / "policies"
