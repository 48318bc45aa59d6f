"""Public sets: one JSON file with the public keys of one owner, that another side pins by its fingerprint. Standard library but for the key types."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from broker.errors import KeyRingError
from broker.jcs import canonical
from broker.keys.material import PUBLIC_TYPES, AnyPublic
from broker.keys.ring import ACTIVE, PENDING, RETIRED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.keys.ring import Ring

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class PublicSet:
    """The public keys of one owner: a party's system, or the broker (one set of keys per agreement).

    keys: by scope and purpose, those in use; scope is an agreement, `broker`, or '' for a party. others: those that come or that only verify:
    scope, purpose, state (`pending`, `retired`) and key.
    """

    owner: str
    keys: Mapping[tuple[str, str], AnyPublic]
    others: tuple[tuple[str, str, str, AnyPublic], ...] = ()

    def get(self, kind: type[K], purpose: str, scope: str = "") -> K:
        key = self.keys.get((scope, purpose))
        if not isinstance(key, kind):
            raise KeyRingError(f"{self.owner} has no {purpose} key{' for ' + scope if scope else ''}")
        return key

    def all(self, kind: type[K], purpose: str, scope: str = "") -> tuple[K, ...]:
        """The one in use, then the retired ones: whose signatures hold."""
        retired = (key for of, what, state, key in self.others if (of, what, state) == (scope, purpose, RETIRED))
        return (self.get(kind, purpose, scope), *(key for key in retired if isinstance(key, kind)))

    def to_json(self) -> bytes:
        listed = [(scope, purpose, "", key) for (scope, purpose), key in self.keys.items()] + list(self.others)
        keys = [
            {"kid": key.kid, "public": b64encode(key.raw).decode(), "purpose": purpose, "scope": scope} | ({"state": state} if state else {})
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
    )


def read_public_set(data: bytes) -> PublicSet:
    """The set in a public key file. KeyRingError unless it is exactly what `to_json` writes."""
    try:
        value = json.loads(data)
        keys: dict[tuple[str, str], AnyPublic] = {}
        others = []
        for item in value["keys"]:
            kind, size = PUBLIC_TYPES[item["purpose"]]
            raw, state = b64decode(item["public"], validate=True), item.get("state", ACTIVE)
            if len(raw) != size or state not in (PENDING, ACTIVE, RETIRED):
                raise ValueError
            if state == ACTIVE:
                keys[item["scope"], item["purpose"]] = kind(raw)
            else:
                others.append((item["scope"], item["purpose"], state, kind(raw)))
        found = PublicSet(value["owner"], keys, tuple(others))
        if found.to_json() != data:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise KeyRingError("not a public key file") from None
    return found
