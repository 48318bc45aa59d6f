"""What a broker believes of public keys, held against a party's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from broker.envelope import read_dsse, verify_dsse
from broker.envelope.dsse import SUCCESSION
from broker.errors import KeyRingError, NotVerified
from broker.jcs import canonical, strict_object
from broker.keys import PublicSet, ReceiptPublic, read_public_set
from broker.model import expires_soon, utc_text, wib_text

if TYPE_CHECKING:
    from datetime import datetime

    from broker.client.connection import Connection


STEPS: Final = 20  # successions that a broker sends at once
MOST_STEPS: Final = 2_000  # that a client follows: at 22 KB each some 44 MB


@dataclass(frozen=True, slots=True)
class Belief:
    """ok: our own keys count, and none beside them. what: the same in words."""

    ok: bool
    what: str


def renewed(to: Connection, broker: PublicSet) -> PublicSet:
    """The broker's public set in use: the pinned one, or what follows from it, each signed with the receipt key that the one before names.

    NotVerified for a step that is not: then nothing the broker says is to be believed. A broker that never had the pinned set changes nothing.
    """
    steps: list[tuple[str, str]] = []
    more = True
    while more:
        some = to.successions(broker.fingerprint.replace(" ", "")) or []
        more = len(some) == STEPS
        if len(some) > STEPS or len(steps) + len(some) > MOST_STEPS:
            raise NotVerified(f"the broker's keys changed more than {MOST_STEPS} times since you pinned them, or it sends too many steps at once: pin anew, by written notice")
        for text in some:
            before = hashlib.sha256(broker.to_json()).hexdigest()
            key = broker.get(ReceiptPublic, "receipt", "broker")
            said = strict_object(verify_dsse(read_dsse(str(text).encode()), SUCCESSION, key))
            steps.append((key.kid, str(said.get("time"))))
            try:
                after = read_public_set(canonical(said["set"]))  # type: ignore[arg-type]
            except (KeyRingError, KeyError, TypeError, ValueError):
                raise NotVerified("the broker's next public keys are malformed") from None
            if said.get("before") != before or said.get("type") != "sinergi/succession/v1" or after.owner != broker.owner:
                raise NotVerified("the broker's next public keys do not follow from those you pinned")
            broker = after
    for kid, time in steps:
        if not time < broker.distrusted.get(kid, "~"):
            raise NotVerified(f"the keys you pinned were followed by a key that the broker says is distrusted since {wib_text(broker.distrusted[kid])}: pin anew, by written notice")
    return broker


def belief(known: dict[str, Any], own: PublicSet, now: datetime) -> Belief:
    """What the broker believes of our system's keys. known: its answer at the well-known address; it is the broker's word alone."""
    mine = PublicSet(own.owner, own.keys).fingerprint.replace(" ", "")  # what was enrolled has no earlier keys in it
    sets = [one for one in known.get("peers", []) if one["system"] == own.owner]
    ours = next((one for one in sets if one["fingerprint"] == mine), None)
    active = next((one for one in sets if one["state"] == "active"), None)
    if ours is not None and ours["state"] == "revoked":
        return Belief(False, f"Kunci {own.owner} ini sudah DICABUT di broker.")
    if active is not None and active is not ours:
        last = ours["until"] or "" if ours else ""
        until = f"; kunci ini masih menandatangani sampai {wib_text(last)}" if last > utc_text(now) else ""
        return Belief(bool(until), f"Broker memakai kunci LAIN untuk {own.owner}: sidik jari {active['fingerprint'][:16]} …{until}.")
    if ours is None or ours is not active:
        return Belief(False, f"Broker belum mempunyai kunci {own.owner} ini, atau belum disahkan petugas pihak Anda.")
    renew = f" PERBARUI sebelum {wib_text(active['not_after'])}." if expires_soon(active["not_after"], now) else ""
    return Belief(True, f"Kunci {own.owner} yang dipakai broker adalah kunci Anda.{renew}")
