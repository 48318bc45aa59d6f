"""Auditors of either side, and from outside, with keys of their own, talking to a real broker over its API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pytest

from broker.client.auditor import Auditor
from tests.lifecycle.conftest import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Town

SIJUNJUNG, BINJAI = "nk-sijunjung-2025", "nk-binjai-2025"
REASON = "Permintaan akses subjek data nomor 12"


@dataclass
class Bureau(Desk):
    """A town whose auditors are at work."""

    def auditor(self, party: str = "sijunjung", role: str = "auditor", agreement: str = SIJUNJUNG) -> Auditor:
        """Someone of a party; of an outside body for one agreement until the end of the year."""
        outside = party in ("bpk", "inspektorat")
        person = self.officer(party, role, *((date(2026, 12, 31), frozenset({agreement})) if outside else ())).person
        return Auditor.at(self.town.folder / person, lambda: self.town.now, self.http)


@pytest.fixture
def bureau(town: Town) -> Iterator[Bureau]:
    with town.http() as http:
        yield Bureau(town, http)
