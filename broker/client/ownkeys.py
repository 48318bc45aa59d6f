"""A party's own keys from one set to the next: announced, enrolled by two people at the broker, taken over when the broker says that they count.

Until then the present set signs and opens, so nothing waits for letters. Afterwards it opens what was sealed to it, and its receipts hold.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from broker.errors import KeyRingError
from broker.keys import PublicSet, Rings, open_ring, public_set, write_private
from broker.keys.rotate import announced, next_set, rotated

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from broker.keys import Ring

PARTY_KEYS: Final = ("request", "receipt", "kem")
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


def announce(home: Path, system: str, ring: Ring, now: datetime) -> Ring:
    """The ring with a next set, made if there is none; its public file is written."""
    if next_set(system, ring) is None:
        ring = _rings(home, ring).change("secrets", lambda held: reduce(lambda one, purpose: announced(one, purpose, now, system), PARTY_KEYS, held))
    waiting = next_set(system, ring)
    assert waiting is not None
    write_private(home / f"{system}{NEXT}", waiting.to_json())
    return ring


def taken_over(home: Path, system: str, ring: Ring, known: dict[str, Any], now: datetime) -> Ring:
    """The ring with its next set in use, if the broker says that this set counts; else as it is. known: the broker's answer at the well-known address."""
    waiting = next_set(system, ring)
    counting = {(one["system"], one["fingerprint"]) for one in known["peers"] if one["state"] == "active"}
    if waiting is None:  # a crash came after the ring's change
        return _shown(home, system, ring)
    if (system, waiting.fingerprint.replace(" ", "")) not in counting:
        return ring
    ring = _rings(home, ring).change("secrets", lambda held: reduce(lambda one, purpose: rotated(one, purpose, now, system), PARTY_KEYS, held))
    return _shown(home, system, ring)


def _shown(home: Path, system: str, ring: Ring) -> Ring:
    """The ring, once the public file is that of its keys in use, and no next one lies beside it."""
    write_private(home / f"{system}.json", PublicSet(system, public_set(system, {"": ring}).keys).to_json())
    (home / f"{system}{NEXT}").unlink(missing_ok=True)
    return ring


def _rings(home: Path, ring: Ring) -> Rings:
    return Rings(home, {"secrets": ring})
