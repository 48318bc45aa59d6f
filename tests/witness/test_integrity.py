"""What an auditor is told of a log and its witnesses: state, age, and how far behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from broker.audit.integrity import Standing, integrity
from broker.errors import Refusal
from tests.people.conftest import Registry, _quick
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from tests.witness.conftest import Village

__all__ = ["_quick"]


def standing(village: Village, registry: Registry, officer: str) -> Standing:
    (found,) = integrity(village.town.office, registry.get(officer), village.town.now)
    return found


def test_who_reads_no_log_is_told_nothing(village: Village) -> None:
    registry = Registry(village.town)
    operator = registry.enrolled(role="operator").id
    with pytest.raises(Refusal, match="wewenang"):
        standing(village, registry, operator)


def test_a_log_stands_falls_behind_waits_and_is_spoken_against(village: Village) -> None:
    registry = Registry(village.town)
    auditor = registry.enrolled(role="auditor").id
    assert standing(village, registry, auditor).state == "menunggu"  # nobody has answered since the start
    village.round()
    good = standing(village, registry, auditor)
    assert (good.state, good.waiting, good.quorum_size) == ("baik", timedelta(0), good.size)
    assert {(one.name, one.lag) for one in good.witnesses} == {(SIJOKER, 0), (SIAPKERJA, 0)}
    village.stands[0].stop()
    village.town.exchange(village.town.csv(village.town.rows(n=3)))
    village.round()
    lags = {one.name: one.lag for one in standing(village, registry, auditor).witnesses}
    assert (lags[SIJOKER], lags[SIAPKERJA]) == (1, 0)
    village.town.now += timedelta(hours=3)
    late = standing(village, registry, auditor)
    assert (late.state, late.waiting) == ("tertinggal", timedelta(hours=3))
    village.town.now += timedelta(hours=2)
    assert standing(village, registry, auditor).state == "menunggu"
    village.town.office.quorums["nk-sijunjung-2025"].speak_against(SIAPKERJA)
    assert (standing(village, registry, auditor).state, standing(village, registry, auditor).against) == ("lain", SIAPKERJA)
