"""A stop halts releases at once, by one officer; two undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broker.errors import ClientError, Refusal
from broker.gates import not_stopped
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lifecycle.conftest import Desk

NK = "nk-sijunjung-2025"


@pytest.mark.parametrize("target", [NK, "sijunjung", "kemnaker"])
def test_a_stop_refuses_what_comes_and_two_undo_it(desk: Desk, target: str) -> None:
    town = desk.town
    first, second = desk.officer("sijunjung"), desk.officer("kemnaker")
    stop = first.stop(target)
    with pytest.raises(Refusal, match="dihentikan"):
        town.exchange(town.csv(town.rows()))
    town.assert_refused(town.last, "dihentikan")
    assert first.resume(stop["id"]) is False
    with pytest.raises(ClientError, match="kedua"):
        first.resume(stop["id"])
    with pytest.raises(Refusal, match="dihentikan"):
        town.exchange(town.csv(town.rows()))
    assert second.resume(stop["id"]) is True
    town.exchange(town.csv(town.rows()))
    acts = [e["act"] for e in town.entries(NK) if e["type"] == "sinergi/policy/v1"]
    assert acts == ["stopped", "resume_asked", "resumed"]


def test_a_stop_of_another_agreement_stops_nothing_here(desk: Desk) -> None:
    desk.officer("binjai").stop("nk-binjai-2025")
    desk.town.exchange(desk.town.csv(desk.town.rows()))


def test_a_stop_is_for_ones_own_agreements(desk: Desk) -> None:
    with pytest.raises(ClientError, match=NK):
        desk.officer("binjai").stop(NK)
    with pytest.raises(ClientError, match="target"):
        desk.officer("binjai").stop("siapa-saja")


def test_what_was_recorded_before_a_stop_is_not_fetched_during_it(desk: Desk, tmp_path: Path) -> None:
    town = desk.town
    file = tmp_path / "in.csv"
    file.write_bytes(town.csv(town.rows()))
    town.client(SIJOKER, desk.http).send(file, agreement=NK, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
    stop = desk.officer("sijunjung").stop(NK)
    siapkerja = town.client(SIAPKERJA, desk.http)
    with pytest.raises(ClientError, match="dihentikan"):
        siapkerja.receive()
    for party in ("sijunjung", "kemnaker"):
        desk.officer(party).resume(stop["id"])
    assert len(siapkerja.receive()) == 1


def test_a_stop_between_planning_and_recording_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for again inside the transaction that releases."""
    town, officer = desk.town, desk.officer("sijunjung")
    calls = []

    def stopping(tx: object, *of: str) -> None:
        calls.append(of)
        not_stopped(tx, *of)  # type: ignore[arg-type]
        if len(calls) == 1:
            officer.stop(NK)

    monkeypatch.setattr("broker.exchange.not_stopped", stopping)
    with pytest.raises(Refusal, match="dihentikan"):
        town.exchange(town.csv(town.rows()))
    assert len(calls) == 2
    monkeypatch.undo()
    town.assert_refused(town.last, "dihentikan")
