"""Everything that the console says is said in English too, and nothing is translated that it does not say."""

from __future__ import annotations

import runpy
from pathlib import Path

from broker.web.console.words import english


def test_every_message_has_english() -> None:
    messages = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "translate.py"))["messages"]
    assert set(messages()) == set(english())
