"""`scripts/bench pseudonym`, tiny: its figures are there and both sides did the same. How fast anything is, no test judges."""

from __future__ import annotations

import json
import subprocess
import sys


def test_the_json_has_every_figure_and_the_peer_enciphers_alike() -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "pseudonym", "--rows", "300", "--peer-rows", "50", "--rounds", "2", "--json"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    names = ("tokens", "hmac", "ff1", "fastfpe", "ff1_back", "ff1_phones", "ff1_numbers")
    assert all(result[f"{name}_per_s_core"] > 0 for name in names)
    assert result["tokens_ratio_hmac"] > 0
    assert result["ff1_ratio_fastfpe"] > 0
    assert (result["fastfpe_unequal"], result["niks_not_recovered"]) == (0, 0)
