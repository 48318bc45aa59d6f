"""What a client makes of a broker's word about keys: of sets that follow from the pinned one, and of its own system's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from broker.client.known import belief, renewed
from broker.envelope import sign_dsse
from broker.envelope.dsse import STATEMENT, SUCCESSION
from broker.errors import NotVerified
from broker.jcs import canonical
from broker.keys import PublicSet, ReceiptKey, create_ring, new_key_file, public_set
from broker.keys.rotate import rotated
from broker.model import REMINDER, utc_text, wib_text

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


@dataclass
class Says:
    """Stands for the connection to a broker that gives these steps."""

    steps: list[str] | None
    asked: list[str] = field(default_factory=list)

    def successions(self, fingerprint: str) -> list[str] | None:
        self.asked.append(fingerprint)
        return self.steps


@dataclass
class Sets:
    """Three sets of a broker, each by one rotation of its receipt key, and those keys."""

    sets: list[PublicSet]
    keys: list[ReceiptKey]

    def step(self, to: int, type_: str = SUCCESSION, key: int | None = None, **other: Any) -> str:
        """The succession to set `to`, signed as it should be, with other fields where given."""
        before = sha256(self.sets[to - 1].to_json()).hexdigest()
        said = {"before": before, "set": json.loads(self.sets[to].to_json()), "time": utc_text(NOW), "type": "sinergi/succession/v1"}
        return sign_dsse(type_, canonical(said | other), self.keys[to - 1 if key is None else key]).to_json().decode()


@pytest.fixture
def made(tmp_path: Path) -> Sets:
    rings = [create_ring(tmp_path / "broker", ("receipt", "log"), NOW, lambda *_: new_key_file())]
    for _ in range(2):
        rings.append(rotated(rings[-1], "receipt", NOW, "host"))
    return Sets([public_set("broker", {"broker": ring}) for ring in rings], [ring.get(ReceiptKey, "receipt") for ring in rings])


def renew(made: Sets, *steps: str) -> PublicSet:
    return renewed(Says(list(steps)), made.sets[0])  # type: ignore[arg-type]


def test_each_set_follows_from_the_one_before(made: Sets) -> None:
    says = Says([made.step(1), made.step(2)])
    assert renewed(says, made.sets[0]) == made.sets[2]  # type: ignore[arg-type]
    assert says.asked == [sha256(made.sets[0].to_json()).hexdigest()]


@pytest.mark.parametrize("steps", [None, []])
def test_a_broker_that_knows_no_step_changes_nothing(made: Sets, steps: list[str] | None) -> None:
    assert renewed(Says(steps), made.sets[0]) == made.sets[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [
    {"key": 1}, {"type_": STATEMENT}, {"before": "0" * 64}, {"type": "sinergi/succession/v2"}, {"set": {}}, {"set": None}, {"set": []},
])  # fmt: skip
def test_a_step_that_does_not_follow_is_refused(made: Sets, wrong: dict[str, Any]) -> None:
    with pytest.raises(NotVerified):
        renew(made, made.step(1, **wrong))
    with pytest.raises(NotVerified):
        renew(made, made.step(1), made.step(2, **({"key": 0} if wrong == {"key": 1} else wrong)))


def test_a_step_without_a_set_is_refused(made: Sets) -> None:
    said = {"before": sha256(made.sets[0].to_json()).hexdigest(), "type": "sinergi/succession/v1"}
    with pytest.raises(NotVerified, match="malformed"):
        renew(made, sign_dsse(SUCCESSION, canonical(said), made.keys[0]).to_json().decode())


def test_another_owners_set_does_not_follow(made: Sets) -> None:
    other = json.loads(PublicSet("broker-lain", made.sets[1].keys, made.sets[1].others).to_json())
    with pytest.raises(NotVerified, match="do not follow"):
        renew(made, made.step(1, set=other))


def test_a_step_of_before_or_a_step_left_out_is_refused(made: Sets) -> None:
    for steps in ((made.step(2),), (made.step(1), made.step(1)), (made.step(2), made.step(1))):
        with pytest.raises(NotVerified):
            renew(made, *steps)


# --- our own
OWN, OTHER = "sijoker@sijunjung", "siapkerja@kemnaker"


def peer(fingerprint: str, state: str = "active", system: str = OWN, until: str | None = None, not_after: str = "2028-01-01T00:00:00.000Z") -> dict[str, Any]:
    return {"system": system, "fingerprint": fingerprint, "state": state, "until": until, "not_after": not_after}


@pytest.fixture
def own(made: Sets) -> PublicSet:
    return PublicSet(OWN, {("", "receipt"): made.keys[2].public}, (("", "receipt", "retired", made.keys[1].public),))


@pytest.fixture
def mine(own: PublicSet) -> str:
    """As it was enrolled: without the earlier key."""
    return sha256(PublicSet(OWN, own.keys).to_json()).hexdigest()


def test_only_our_own_active_keys_count(own: PublicSet, mine: str) -> None:
    lain = "a" * 64
    later, passed = utc_text(NOW + MOMENT), utc_text(NOW)
    for peers, ok, word in (
        ([peer(mine)], True, "adalah kunci Anda."),
        ([peer(lain, system=OTHER), peer(mine), peer(lain, "ended")], True, "adalah kunci Anda."),
        ([peer(lain, "revoked"), peer(mine)], True, "adalah kunci Anda."),
        ([peer(mine, "revoked")], False, "DICABUT"),
        ([peer(mine, "revoked"), peer(lain)], False, "DICABUT"),
        ([peer(lain)], False, f"LAIN untuk {OWN}: sidik jari {lain[:16]} …."),
        ([peer(lain), peer(mine, "renewed", until=later)], True, f"; kunci ini masih menandatangani sampai {wib_text(later)}."),
        ([peer(lain), peer(mine, "renewed", until=passed)], False, f"{lain[:16]} …."),
        ([peer(lain), peer(mine, "renewed")], False, f"{lain[:16]} …."),
        ([peer(mine, "proposed")], False, "belum"),
        ([peer(mine, system=OTHER)], False, "belum"),
        ([], False, "belum"),
    ):  # fmt: skip
        found = belief({"peers": peers}, own, NOW)
        assert (found.ok, word in found.what) == (ok, True), found
    assert not belief({}, own, NOW).ok


def test_keys_that_expire_soon_are_told(own: PublicSet, mine: str) -> None:
    soon, later = (belief({"peers": [peer(mine, not_after=utc_text(NOW + REMINDER + more))]}, own, NOW) for more in (timedelta(), MOMENT))
    assert (soon.ok, "PERBARUI" in soon.what, later.ok, "PERBARUI" in later.what) == (True, True, True, False)
