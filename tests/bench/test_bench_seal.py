"""`scripts/bench seal`, tiny: its figures are there and each side opens what it sealed. How fast anything is, no test judges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from scripts.benchmarks import seal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("segel")
    command = [sys.executable, "-m", "scripts.benchmarks", "seal", "--mb", "1", "--stream-mb", "8", "--rounds", "1", "--json", "--cache", str(folder)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert list(folder.iterdir()) == []
    return found


def test_the_json_has_every_figure(result: dict[str, Any]) -> None:
    sides = ("raw_aes", "pyrage", "jwe")
    numbers = [f"ratio_{side}" for side in sides] + [f"ratio_open_{side}" for side in sides] + [f"{side}_{way}_mb_per_s" for side in sides for way in ("seal", "open")]
    assert all(result[name] > 0 for name in (*numbers, "seal_mb_per_s", "open_mb_per_s", "seal_1kib_us", "open_1kib_us", "stream_peak_rss_mb"))
    assert (result["mb"], result["stream_mb"]) == (1, 8)
    assert result["open_growth_mb"] >= result["seal_growth_mb"]


@pytest.mark.parametrize("side", [seal.age, seal.age_stream, seal.jwe])
def test_a_peer_gives_back_what_it_sealed(side: Any) -> None:
    data = os.urandom(3 * seal.PIECE + 5)
    sealing, opening = side(data)
    sealing()
    opened = opening()
    assert getattr(opened, "plaintext", opened) in (data, None)  # age from file to file returns nothing


def test_the_streamed_file_is_the_whole_payload(tmp_path: Path) -> None:
    seal._through(tmp_path / "x.sng", 1)
    size = (tmp_path / "x.sng").stat().st_size
    assert size > seal.MB + seal.MB // 16_384 * seal.TAG
