"""`scripts/bench console`, tiny: every page that links lead to is asked for, and its figures are there. How fast anything is, no test judges."""

from __future__ import annotations

import json
import subprocess
import sys

from scripts.benchmarks.console import NOBODY
from scripts.benchmarks.console_world import OTHERS, ROLES


def test_every_roles_pages_are_measured_and_no_link_leads_nowhere() -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "console", "--json", "--exchanges", "3", "--leaves", "120", "--queries", "3", "--versions", "2", "--repeat", "1", "--starts", "1"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    pages = result["by_page"]
    assert {page.split()[0] for page in pages} == {NOBODY, *ROLES, *(f"{role}@kemnaker" for role in OTHERS)}
    assert result["pages"] == len(pages)
    assert result["slowest_ms"] == max(one["ms"] for one in pages.values()) > 0
    assert result["slowest_after_start_ms"] == max(one["after_start_ms"] for one in pages.values() if "after_start_ms" in one) > 0
    assert result["not_reached"] == ["/konsol/kunci/{agreement}/pemusnahan", "/konsol/kunci/{agreement}/sertifikat"]  # only once an agreement is over
    assert result["largest_kb"] > 10
    assert (result["exchanges"], result["records"], result["versions"]) == (3, 360, 2)
