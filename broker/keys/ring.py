"""Key rings on disk: one file that holds every key of one owner, its secrets wrapped, 0600 in 0700, owned by us, no symbolic link.

`ring.json` is written whole or not at all, so that a rotation is one rename; its MAC covers states and epochs, its version only grows. The
format: docs/formats/keys.md.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
import stat
import threading
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from broker.errors import KeyRingError, Refusal
from broker.jcs import canonical, strict_object
from broker.keys.kek import new_kek, open_kek
from broker.keys.material import PUBLIC_TYPES, SEED, AnyKey, AnyPublic, from_seed
from broker.model import utc_text
from broker.settings import unlock as ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from broker.keys.kek import Kek, Unlock

K = TypeVar("K")
P = TypeVar("P")
RING: Final = "ring.json"
TYPE: Final = "sinergi/ring/v1"
PENDING, ACTIVE, RETIRED, DISABLED, DESTROYED = "pending", "active", "retired", "disabled", "destroyed"
DISTRUSTED: Final = "distrusted"  # in a public set: of a destroyed key, from when on others may have signed with it
STATES: Final = (PENDING, ACTIVE, RETIRED, DISABLED, DESTROYED)
USABLE: Final = (PENDING, ACTIVE, RETIRED)  # whose secrets are unwrapped when a ring is opened
LASTING: Final = ("receipt", "log", "witness")  # purposes whose signatures are looked at for as long as there is a ledger
_FIELDS: Final = {"approved", "changed", "created", "epoch", "kid", "made", "public", "purpose", "state", "wrapped"}
_HEAD: Final = {"kek", "keys", "mac", "name", "sealed", "type", "version"}


def write_private(path: Path, data: bytes) -> None:
    """Puts `data` at `path` readable by us alone: temporary file, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What a ring says of one key. epoch: counts the keys of a purpose from 1. made, approved: account ids, or `pemasangan` for the first ones.

    public: None of a secret key. wrapped: None once destroyed. changed: when it came into its state. distrusted: since when, and why.
    """

    kid: str
    purpose: str
    epoch: int
    state: str
    created: str
    changed: str
    made: str
    approved: str | None
    public: bytes | None
    wrapped: bytes | None
    distrusted: tuple[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "approved": self.approved, "changed": self.changed, "created": self.created, "epoch": self.epoch, "kid": self.kid, "made": self.made,
            "public": _text(self.public), "purpose": self.purpose, "state": self.state, "wrapped": _text(self.wrapped),
            **({"distrusted": {"reason": self.distrusted[1], "since": self.distrusted[0]}} if self.distrusted else {}),
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class Ring:
    """An open ring. keys: by key id, the secrets of those that are pending, active or retired.

    Says nothing of its secrets when printed. Not changed in place: `broker.keys.rotate` writes a new one.
    """

    name: str
    version: int
    records: tuple[KeyRecord, ...]
    keys: Mapping[str, AnyKey]
    kek: Kek
    mac_key: bytes

    def get(self, kind: type[K], purpose: str) -> K:
        """The active key of a purpose: what signs, seals and derives."""
        return self._typed(kind, purpose, self.active(purpose))

    def active(self, purpose: str) -> KeyRecord:
        for record in self.records:
            if record.purpose == purpose and record.state == ACTIVE:
                return record
        raise KeyRingError(f"no {purpose} key in this ring")

    def all(self, kind: type[K], purpose: str) -> tuple[K, ...]:
        """Active first, then retired ones from the youngest: what opens and verifies."""
        return tuple(self._typed(kind, purpose, record) for record in self._usable(purpose))

    def verifying(self, kind: type[P], purpose: str) -> tuple[P, ...]:
        """The public keys whose signatures hold: of the key in use, of retired and of destroyed ones."""
        shown = sorted((one for one in self.public if one[0] == purpose and one[1] != PENDING), key=lambda one: one[1] != ACTIVE)
        return tuple(key for _, _, key in shown if isinstance(key, kind))

    def seeds(self, purpose: str) -> dict[int, bytes]:
        """Epoch → seed, of the active key of a purpose, then of the retired ones from the youngest. Empty once they are destroyed."""
        return {r.epoch: self.keys[r.kid].seed for r in self._usable(purpose)}

    def secrets(self, purpose: str) -> dict[int, bytes]:
        """As `seeds`, for what cannot be done without one. Refusal kunci_dimusnahkan, kunci_nonaktif."""
        found = self.seeds(purpose)
        if not found:
            raise self._without(purpose)
        return found

    def secret(self, purpose: str) -> bytes:
        """The seed in use of a purpose that others are derived from. Refusal kunci_dimusnahkan, kunci_nonaktif."""
        usable = self._usable(purpose)
        if not usable or usable[0].state != ACTIVE:
            raise self._without(purpose)
        return self.keys[usable[0].kid].seed

    def _without(self, purpose: str) -> Refusal:
        gone = all(r.state == DESTROYED for r in self.records if r.purpose == purpose)
        return Refusal("kunci_dimusnahkan" if gone else "kunci_nonaktif")

    def _usable(self, purpose: str) -> list[KeyRecord]:
        return sorted((r for r in self.records if r.purpose == purpose and r.state in (ACTIVE, RETIRED)), key=lambda r: (r.state != ACTIVE, -r.epoch))

    def _typed(self, kind: type[K], purpose: str, record: KeyRecord) -> K:
        key = self.keys.get(record.kid)
        if not isinstance(key, kind):
            raise KeyRingError(f"no {purpose} key in this ring")
        return key

    @cached_property
    def public(self) -> tuple[tuple[str, str, AnyPublic], ...]:
        """Purpose, state and key of what a public set shows: of keys that were retired or destroyed only those that verify what they once signed."""
        shown = {PENDING: PENDING, ACTIVE: ACTIVE, RETIRED: RETIRED, DESTROYED: RETIRED}
        listed = [(r.purpose, DISTRUSTED if r.distrusted else shown[r.state], r.public) for r in self.records if r.public is not None and r.state in shown]
        return tuple((purpose, state, PUBLIC_TYPES[purpose][0](raw)) for purpose, state, raw in listed if state != RETIRED or purpose in LASTING)

    @property
    def distrusted(self) -> dict[str, str]:
        """Key id → since when, of the keys whose signatures count for nothing by themselves."""
        return {r.kid: r.distrusted[0] for r in self.records if r.distrusted}


def create_ring(folder: Path, purposes: Iterable[str], now: datetime, unlock: Unlock = ask, made: str = "pemasangan") -> Ring:
    """A new ring with an active key for each of `purposes`. KeyRingError if there is one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    if (folder / RING).exists():
        raise KeyRingError(f"{folder.name} has a ring already; keys are rotated, never overwritten")
    mac_key, kek = secrets.token_bytes(32), new_kek(unlock(folder.name, True))
    empty = Ring(folder.name, 0, (), {}, kek, mac_key)
    full = empty
    for purpose in purposes:
        full = with_key(full, purpose, ACTIVE, now, made)
    ring = replace(full, version=1)
    write_private(folder / RING, to_json(ring))
    return ring


def with_key(ring: Ring, purpose: str, state: str, now: datetime, made: str) -> Ring:
    """The ring with one more key, of the next epoch."""
    seed, at = secrets.token_bytes(SEED), utc_text(now)
    key = from_seed(purpose, seed)
    public = key.public
    kid = public.kid if public else secrets.token_urlsafe(16)
    epoch = 1 + max((r.epoch for r in ring.records if r.purpose == purpose), default=0)
    record = KeyRecord(kid, purpose, epoch, state, at, at, made, None, public.raw if public else None, ring.kek.wrap(seed, _aad(ring.name, purpose, kid, epoch)))
    return replace(ring, records=(*ring.records, record), keys={**ring.keys, kid: key})


def _aad(name: str, purpose: str, kid: str, epoch: int) -> bytes:
    return canonical([name, purpose, kid, epoch])


def to_json(ring: Ring) -> bytes:
    sealed = ring.kek.wrap(ring.mac_key, canonical([ring.name, "mac"]))
    said = {
        "kek": dict(ring.kek.about), "keys": [r.to_json() for r in ring.records], "name": ring.name, "sealed": _text(sealed), "type": TYPE, "version": ring.version,
    }  # fmt: skip
    return canonical({**said, "mac": _mac(ring.mac_key, said)})


def _mac(key: bytes, said: Mapping[str, Any]) -> str:
    return hmac.digest(key, canonical(said), "sha256").hex()


def open_ring(folder: Path, unlock: Unlock = ask, at_least: int = 0) -> Ring:
    """The ring in `folder`. KeyRingError if anyone else could read or swap it, if it was changed by hand, or if it is older than `at_least`."""
    if not (folder / RING).exists():
        raise KeyRingError(f"no key ring {folder.name}: run the command that makes it first")
    data = _private_bytes(folder, RING)
    try:
        said: dict[str, Any] = strict_object(data)
        if set(said) != _HEAD or said["type"] != TYPE or said["name"] != folder.name or type(said["version"]) is not int:
            raise ValueError
        records = tuple(_record(one) for one in said["keys"])
        sealed = b64decode(said["sealed"], validate=True)
        about, mac = said["kek"], said.pop("mac")
        if not isinstance(about, dict) or not isinstance(mac, str) or len({r.kid for r in records}) != len(records):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyRingError(f"{folder.name}/{RING} is no key ring") from None
    kek = open_kek(about, unlock(folder.name, False))
    mac_key = kek.unwrap(sealed, canonical([folder.name, "mac"]))
    if not hmac.compare_digest(mac.encode(), _mac(mac_key, said).encode()):
        raise KeyRingError(f"{folder.name}/{RING} was changed by hand")
    if said["version"] < at_least:
        raise KeyRingError(f"{folder.name}/{RING} is an older copy: it has version {said['version']}, {at_least} was in use")
    keys = {r.kid: unwrapped(folder.name, r, kek) for r in records if r.state in USABLE}
    return Ring(folder.name, said["version"], records, keys, kek, mac_key)


def _record(said: Mapping[str, Any]) -> KeyRecord:
    distrusted = said.get("distrusted")
    if set(said) - {"distrusted"} != _FIELDS or said["state"] not in STATES or type(said["epoch"]) is not int:
        raise ValueError
    if not all(isinstance(said[name], str) for name in ("changed", "created", "kid", "made", "purpose")) or not isinstance(said["approved"], str | None):
        raise ValueError
    if "distrusted" in said and not (isinstance(distrusted, dict) and distrusted.keys() == {"reason", "since"} and all(isinstance(one, str) for one in distrusted.values())):
        raise ValueError
    return KeyRecord(**{**said, "public": _bytes(said["public"]), "wrapped": _bytes(said["wrapped"]), "distrusted": (distrusted["since"], distrusted["reason"]) if distrusted else None})


def unwrapped(name: str, record: KeyRecord, kek: Kek) -> AnyKey:
    """The secret of a record. KeyRingError unless it is the one the record speaks of."""
    try:
        key = from_seed(record.purpose, kek.unwrap(record.wrapped or b"", _aad(name, record.purpose, record.kid, record.epoch)))
    except ValueError:
        raise KeyRingError(f"{name} holds a key of an unknown purpose") from None
    public = key.public
    if len(key.seed) != SEED or (public.raw if public else None) != record.public or (public is not None and public.kid != record.kid):
        raise KeyRingError(f"{name}: a {record.purpose} key is not the one its record speaks of")
    return key


@contextmanager
def changing(folder: Path) -> Iterator[Callable[[Ring], Ring]]:
    """While nobody else may change the ring in `folder`: what writes the changed one, its version one higher. KeyRingError if another does."""
    fd = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise KeyRingError(f"the ring {folder.name} is being changed by another command") from None
        for left in folder.glob(f".{RING}.*"):  # of a change that a crash cut short: it would outlive the keys in it
            left.unlink()

        def write(ring: Ring) -> Ring:
            raised = replace(ring, version=ring.version + 1)
            write_private(folder / RING, to_json(raised))
            return raised

        yield write
    finally:
        os.close(fd)


def sweep(folder: Path) -> None:
    """Deletes what a crash left of a change, unless one is under way."""
    with suppress(KeyRingError, OSError), changing(folder):  # what is wrong with the folder is told when its ring is opened
        pass


class Rings(Mapping[str, Ring]):
    """The open rings of a home, by name: each in a folder of its own. A change is on disk before anyone here sees it."""

    def __init__(self, folder: Path, rings: Mapping[str, Ring]) -> None:
        self._folder, self._rings, self._changing = folder, dict(rings), threading.Lock()

    def __getitem__(self, name: str) -> Ring:
        return self._rings[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rings)

    def __len__(self) -> int:
        return len(self._rings)

    def change(self, name: str, change: Callable[[Ring], Ring]) -> Ring:
        """The ring as `change` makes it of the one in use. KeyRingError if the file is another than the one that was opened; then it stays as it is."""
        with self._changing, changing(self._folder / name) as write:
            ring = self._rings[name]
            if strict_object(_private_bytes(self._folder / name, RING)).get("version") != ring.version:
                raise KeyRingError(f"the ring {name} was changed since this broker opened it: restart it")
            self._rings[name] = write(change(ring))
            return self._rings[name]


def _text(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


def _private_bytes(folder: Path, name: str) -> bytes:
    """A file's bytes, once its folder and it are ours alone; read through the descriptor that was judged."""
    _only_ours(folder.lstat(), folder.name, 0o700)
    try:
        fd = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would be waited for
    except OSError:
        raise KeyRingError(f"{folder.name}/{name} is a symbolic link, or cannot be read") from None
    with os.fdopen(fd, "rb") as f:
        _only_ours(os.fstat(fd), f"{folder.name}/{name}", 0o600)
        return f.read()


def _only_ours(status: os.stat_result, name: str, mode: int) -> None:
    if not (stat.S_ISREG(status.st_mode) if mode == 0o600 else stat.S_ISDIR(status.st_mode)):
        raise KeyRingError(f"{name} is a symbolic link, or no {'file' if mode == 0o600 else 'folder'}")
    if status.st_uid != os.geteuid():
        raise KeyRingError(f"{name} belongs to another user")
    if stat.S_IMODE(status.st_mode) & ~mode & 0o777:
        raise KeyRingError(f"{name} is open to others: chmod {mode:o}")
