"""Key files on disk: 0600 in 0700, owned by us, no symbolic links, written whole or not at all.

A ring is a folder with one JSON file per key, `<purpose>.json`: {"alg"?, "created", "kid", "purpose", "seed"}.
A public set is one JSON file that another side pins by its fingerprint; it holds no secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from broker.errors import KeyRingError
from broker.jcs import canonical
from broker.keys.material import PUBLIC_TYPES, SEED, AnyKey, AnyPublic, from_seed
from broker.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

K = TypeVar("K")


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


def create_ring(folder: Path, purposes: Iterable[str], now: datetime) -> None:
    """New keys for `purposes` in `folder`; an existing key is never overwritten (KeyRingError)."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    for purpose in purposes:
        path = folder / f"{purpose}.json"
        if path.exists():
            raise KeyRingError(f"{path.name} exists already; keys are rotated, never overwritten")
        seed = secrets.token_bytes(SEED)
        public = from_seed(purpose, seed).public
        record = {"created": utc_text(now), "kid": public.kid if public else secrets.token_urlsafe(16), "purpose": purpose, "seed": b64encode(seed).decode()}
        write_private(path, canonical(record))


@dataclass(frozen=True, slots=True)
class Ring:
    keys: Mapping[str, AnyKey]

    def get(self, kind: type[K], purpose: str) -> K:
        key = self.keys.get(purpose)
        if not isinstance(key, kind):
            raise KeyRingError(f"no {purpose} key in this ring")
        return key


def open_ring(folder: Path) -> Ring:
    """Every key of `folder`. KeyRingError if anyone else could read or swap one."""
    if not folder.is_dir():
        raise KeyRingError(f"no key ring {folder.name}: run the command that makes it first")
    _only_ours(folder, 0o700)
    keys: dict[str, AnyKey] = {}
    for path in sorted(folder.glob("*.json")):
        _only_ours(path, 0o600)
        try:
            record = json.loads(path.read_bytes())
            key = from_seed(record["purpose"], b64decode(record["seed"], validate=True))
        except (ValueError, KeyError, TypeError):
            raise KeyRingError(f"{path.name} is no key file") from None
        if path.stem != key.purpose or len(key.seed) != SEED:
            raise KeyRingError(f"{path.name} does not hold a {path.stem} key")
        keys[key.purpose] = key
    return Ring(keys)


def _only_ours(path: Path, mode: int) -> None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise KeyRingError(f"{path.name} is a symbolic link")
    if status.st_uid != os.geteuid():
        raise KeyRingError(f"{path.name} belongs to another user")
    if stat.S_IMODE(status.st_mode) & ~mode & 0o777:
        raise KeyRingError(f"{path.name} is open to others: chmod {mode:o}")


@dataclass(frozen=True, slots=True)
class PublicSet:
    """The public keys of one owner: a party's system, or the broker (one set of keys per agreement)."""

    owner: str
    keys: Mapping[tuple[str, str], AnyPublic]  # (scope, purpose): scope is an agreement, `broker`, or '' for a party

    def get(self, kind: type[K], purpose: str, scope: str = "") -> K:
        key = self.keys.get((scope, purpose))
        if not isinstance(key, kind):
            raise KeyRingError(f"{self.owner} has no {purpose} key{' for ' + scope if scope else ''}")
        return key

    def to_json(self) -> bytes:
        keys = [
            {"kid": key.kid, "public": b64encode(key.raw).decode(), "purpose": purpose, "scope": scope}
            for (scope, purpose), key in sorted(self.keys.items())
        ]
        return canonical({"keys": keys, "owner": self.owner, "type": "sinergi/public-keys/v1"})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file in groups of four hex digits: what a written notice (Pasal 11) carries."""
        digest = hashlib.sha256(self.to_json()).hexdigest()
        return " ".join(digest[i : i + 4] for i in range(0, 64, 4))


def public_set(owner: str, rings: Mapping[str, Ring]) -> PublicSet:
    return PublicSet(owner, {(scope, p): k.public for scope, ring in rings.items() for p, k in ring.keys.items() if k.public is not None})


def read_public_set(data: bytes) -> PublicSet:
    """The set in a public key file. KeyRingError unless it is exactly what `to_json` writes."""
    try:
        value = json.loads(data)
        keys: dict[tuple[str, str], AnyPublic] = {}
        for item in value["keys"]:
            kind, size = PUBLIC_TYPES[item["purpose"]]
            raw = b64decode(item["public"], validate=True)
            if len(raw) != size:
                raise ValueError
            keys[item["scope"], item["purpose"]] = kind(raw)
        found = PublicSet(value["owner"], keys)
        if found.to_json() != data:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise KeyRingError("not a public key file") from None
    return found
