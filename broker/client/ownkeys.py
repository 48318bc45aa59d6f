"""A party's own keys from one set to the next: announced, enrolled by two people at the broker, taken over when the broker signs that they count.

Until then the present set signs and opens, so nothing waits for letters. Afterwards it opens what was sealed to it, and its receipts hold.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from broker.client.standing import signed
from broker.envelope import read_dsse
from broker.envelope.dsse import CONFIRMED
from broker.errors import KeyRingError, NotVerified
from broker.jcs import strict_object
from broker.keys import PublicSet, Rings, open_ring, public_set, write_private
from broker.keys.ring import ACTIVE
from broker.keys.rotate import announced, next_set, rotated

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from broker.keys import Ring

PARTY_KEYS: Final = ("request", "receipt", "kem")
X25519: Final = "kem-x25519"  # beside them, for a party whose agreement names that suite
SEEN: Final = "kunci.versi"  # beside the ring's folder: the version of the ring last in use
NEXT: Final = ".baru.json"  # behind the system's name: the public file of its next set


def open_own(home: Path) -> Ring:
    """The ring of a party's home. KeyRingError also for an older copy than the one that was last in use here."""
    seen = home / SEEN
    text = seen.read_text() if seen.exists() else "0"
    if not text.isdecimal():
        raise KeyRingError(f"{seen} does not say which version of the keys was last in use: put it back, or write that number")
    version = int(text)
    ring = open_ring(home / "secrets", at_least=version)
    if ring.version > version:
        write_private(seen, str(ring.version).encode())
    return ring


def announce(home: Path, system: str, ring: Ring, now: datetime, *, x25519: bool = False) -> Ring:
    """The ring with a next set, made if there is none; its public file is written. x25519: with a key of that suite; where one is in use, in any case.

    KeyRingError: one without it waits already.
    """
    more = x25519 or any(purpose == X25519 and state == ACTIVE for purpose, state, _ in ring.public)
    if next_set(system, ring) is None:
        wanted = (*PARTY_KEYS, *([X25519] if more else []))
        ring = _rings(home, ring).change("secrets", lambda held: reduce(lambda one, purpose: announced(one, purpose, now, system), wanted, held))
    waiting = next_set(system, ring)
    assert waiting is not None
    if x25519 and ("", X25519) not in waiting.keys:
        raise KeyRingError("a next set without an X25519 key waits: it is to be enrolled first")
    write_private(home / f"{system}{NEXT}", waiting.to_json())
    return ring


def taken_over(home: Path, system: str, ring: Ring, broker: PublicSet, confirmed: Callable[[str], bytes | None], now: datetime) -> Ring:
    """The ring with its next set in use, if the broker signed that this set counts; else as it is. confirmed: asks it, by fingerprint.

    broker: its pinned set, or what follows. NotVerified for another signature or another set: who lies here would leave the party without keys that count.
    """
    waiting = next_set(system, ring)
    if waiting is None:  # a crash came after the ring's change
        return _shown(home, system, ring)
    fingerprint = waiting.fingerprint.replace(" ", "")
    answer = confirmed(fingerprint)
    if answer is None:
        return ring
    said = strict_object(signed(read_dsse(answer), CONFIRMED, broker, "broker"))
    if (said.get("type"), said.get("system"), said.get("fingerprint")) != ("sinergi/key-confirmed/v1", system, fingerprint):
        raise NotVerified("the broker's word on our next keys is of another set")
    ring = _rings(home, ring).change("secrets", lambda held: reduce(lambda one, purpose: rotated(one, purpose, now, system), (purpose for _, purpose in waiting.keys), held))
    return _shown(home, system, ring)


def _shown(home: Path, system: str, ring: Ring) -> Ring:
    """The ring, once the public file is that of its keys in use, and no next one lies beside it."""
    write_private(home / f"{system}.json", PublicSet(system, public_set(system, {"": ring}).keys).to_json())
    (home / f"{system}{NEXT}").unlink(missing_ok=True)
    return ring


def _rings(home: Path, ring: Ring) -> Rings:
    return Rings(home, {"secrets": ring})
