"""Public sets: one JSON file with the public keys of one owner, that another side pins by its fingerprint. Standard library but for the key types."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from broker.errors import KeyRingError
from broker.jcs import canonical
from broker.keys.material import PUBLIC_TYPES, AnyPublic
from broker.keys.ring import ACTIVE, DISTRUSTED, PENDING, RETIRED
from broker.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.keys.ring import Ring

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class PublicSet:
    """The public keys of one owner: a party's system, or the broker (one set of keys per agreement).

    keys: by scope and purpose, those in use; scope is an agreement, `broker`, or '' for a party. others: those that come or that only verify:
    scope, purpose, state (`pending`, `retired`, `distrusted`) and key. distrusted: key id → since when others may sign with it.
    """

    owner: str
    keys: Mapping[tuple[str, str], AnyPublic]
    others: tuple[tuple[str, str, str, AnyPublic], ...] = ()
    distrusted: Mapping[str, str] = field(default_factory=dict)

    def get(self, kind: type[K], purpose: str, scope: str = "") -> K:
        key = self.keys.get((scope, purpose))
        if not isinstance(key, kind):
            raise KeyRingError(f"{self.owner} has no {purpose} key{' for ' + scope if scope else ''}")
        return key

    def all(self, kind: type[K], purpose: str, scope: str = "") -> tuple[K, ...]:
        """The one in use, then the retired ones: whose signatures hold."""
        return (self.get(kind, purpose, scope), *self._others(kind, purpose, scope, RETIRED))

    def doubted(self, kind: type[K], purpose: str, scope: str) -> tuple[K, ...]:
        """Those whose signatures count for nothing by themselves."""
        return self._others(kind, purpose, scope, DISTRUSTED)

    def _others(self, kind: type[K], purpose: str, scope: str, state: str) -> tuple[K, ...]:
        return tuple(key for of, what, its, key in self.others if (of, what, its) == (scope, purpose, state) and isinstance(key, kind))

    def to_json(self) -> bytes:
        listed = [(scope, purpose, "", key) for (scope, purpose), key in self.keys.items()] + list(self.others)
        keys = [
            {"kid": key.kid, "public": b64encode(key.raw).decode(), "purpose": purpose, "scope": scope} | ({"state": state} if state else {})
            | ({"since": self.distrusted[key.kid]} if state == DISTRUSTED else {})
            for scope, purpose, state, key in sorted(listed, key=lambda one: (*one[:3], one[3].kid))
        ]
        return canonical({"keys": keys, "owner": self.owner, "type": "sinergi/public-keys/v1"})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file in groups of four hex digits: what a written notice (Pasal 11) carries."""
        digest = hashlib.sha256(self.to_json()).hexdigest()
        return " ".join(digest[i : i + 4] for i in range(0, 64, 4))


def public_set(owner: str, rings: Mapping[str, Ring]) -> PublicSet:
    shown = [(scope, purpose, state, key) for scope, ring in rings.items() for purpose, state, key in ring.public]
    return PublicSet(
        owner,
        {(scope, purpose): key for scope, purpose, state, key in shown if state == ACTIVE},
        tuple(sorted((one for one in shown if one[2] != ACTIVE), key=lambda one: (*one[:3], one[3].kid))),
        {kid: since for ring in rings.values() for kid, since in ring.distrusted.items()},
    )


def read_public_set(data: bytes) -> PublicSet:
    """The set in a public key file. KeyRingError unless it is exactly what `to_json` writes."""
    try:
        value = json.loads(data)
        keys: dict[tuple[str, str], AnyPublic] = {}
        others, distrusted = [], {}
        for item in value["keys"]:
            kind, size = PUBLIC_TYPES[item["purpose"]]
            raw, state = b64decode(item["public"], validate=True), item.get("state", ACTIVE)
            if len(raw) != size or state not in (PENDING, ACTIVE, RETIRED, DISTRUSTED):
                raise ValueError
            if state == ACTIVE:
                keys[item["scope"], item["purpose"]] = kind(raw)
            else:
                others.append((item["scope"], item["purpose"], state, kind(raw)))
            if state == DISTRUSTED:
                distrusted[item["kid"]] = utc_text(datetime.fromisoformat(item["since"]))
        found = PublicSet(value["owner"], keys, tuple(others), distrusted)
        if found.to_json() != data:
            raise ValueError
    except (ValueError, KeyError, TypeError, OverflowError):
        raise KeyRingError("not a public key file") from None
    return found
