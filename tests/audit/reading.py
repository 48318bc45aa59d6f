"""People who take files out of the ledger, over a real broker's API."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from broker.client.reports import Reports
from tests.lifecycle.conftest import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.testclient import TestClient

    from tests.simulator import Town


@contextmanager
def reader(town: Town, role: str = "ppdp", party: str = "sijunjung", agreements: frozenset[str] = frozenset()) -> Iterator[Reports]:
    """A person with keys of their own; a body's auditor (bpk, inspektorat) has an end."""
    with town.http() as http:
        yield one(town, http, role, party, agreements)


def one(town: Town, http: TestClient, role: str = "ppdp", party: str = "sijunjung", agreements: frozenset[str] = frozenset()) -> Reports:
    officer = Desk(town, http).officer(party, role, date(2027, 1, 1) if party in ("bpk", "inspektorat") else None, agreements)
    return Reports.at(town.folder / officer.person, lambda: town.now, http)
