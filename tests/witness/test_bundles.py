"""A bundle carries the cosignatures of its checkpoint."""

from __future__ import annotations

import io
from datetime import date
from typing import TYPE_CHECKING

import pytest

from broker.audit.bundle import bundle
from broker.client.bundle import NotHeld, verify_bundle
from broker.keys import read_public_set
from tests.audit.test_export import person
from tests.witness.conftest import NK, Village

if TYPE_CHECKING:
    from broker.client.bundle import Checked


def taken(village: Village) -> io.BytesIO:
    town = village.town
    return io.BytesIO(b"".join(bundle(town.office, person(town), NK, date(2026, 1, 1), date(2026, 12, 31), town.now).pieces))


def checked(village: Village, file: io.BytesIO) -> Checked:
    broker = read_public_set((village.town.province.home / "public.json").read_bytes())
    return verify_bundle(file, broker, policy=village.town.office.quorums[NK].policy)


def test_a_bundle_waits_for_its_checkpoint_to_be_cosigned(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[bool] = []
    monkeypatch.setattr("broker.audit.bundle.time.sleep", lambda _: rounds.append(village.round()))
    found = checked(village, taken(village))
    assert rounds
    assert found.cosigned is not None
    assert set(found.cosigned) == {stand.system for stand in village.stands}


def test_without_witnesses_it_is_made_all_the_same_and_says_so(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.audit.bundle.PATIENCE", 0.0)
    for stand in village.stands:
        stand.stop()
    file = taken(village)
    with pytest.raises(NotHeld, match="lacks the quorum") as error:
        checked(village, file)
    assert error.value.step == "saksi"
