"""`scripts/bench console`, tiny: every role's pages are asked for, and its figures are there. How fast anything is, no test judges."""

from __future__ import annotations

import json
import subprocess
import sys

from scripts.benchmarks.console import ROLES


def test_every_roles_pages_are_measured() -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "console", "--json", "--exchanges", "3", "--leaves", "40", "--repeat", "1"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert {page.split()[0] for page in result["by_page"]} == set(ROLES)
    assert result["pages"] == len(result["by_page"])
    assert result["slowest_ms"] == max(one["ms"] for one in result["by_page"].values()) > 0
    assert result["largest_kb"] > 10
    assert (result["exchanges"], result["records"]) == (3, 120)
