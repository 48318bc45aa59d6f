"""What a broker believes of public keys, held against a party's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from broker.model import wib_text

if TYPE_CHECKING:
    from broker.keys import PublicSet


@dataclass(frozen=True, slots=True)
class Belief:
    """ok: our own keys count, and none beside them. what: the same in words."""

    ok: bool
    what: str


def belief(known: dict[str, Any], own: PublicSet) -> Belief:
    """What the broker believes of our system's keys. known: its answer at the well-known address; it is the broker's word alone."""
    mine = own.fingerprint.replace(" ", "")
    sets = [one for one in known.get("peers", []) if one["system"] == own.owner]
    ours = next((one for one in sets if one["fingerprint"] == mine), None)
    active = next((one for one in sets if one["state"] == "active"), None)
    if ours is not None and ours["state"] == "revoked":
        return Belief(False, f"Kunci {own.owner} ini sudah DICABUT di broker.")
    if active is not None and active is not ours:
        until = f"; kunci ini masih menandatangani sampai {wib_text(ours['until'])}" if ours and ours["until"] else ""
        return Belief(bool(until), f"Broker memakai kunci LAIN untuk {own.owner}: sidik jari {active['fingerprint'][:16]} …{until}.")
    if ours is None or ours is not active:
        return Belief(False, f"Broker belum mempunyai kunci {own.owner} ini, atau belum disahkan petugas pihak Anda.")
    return Belief(True, f"Kunci {own.owner} yang dipakai broker adalah kunci Anda, sampai {wib_text(active['not_after'])}.")
