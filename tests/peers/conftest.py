"""A broker that knows no system's keys yet, or three; officers with keys of their own; and sets of keys to enrol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker import enrolment, people
from broker.client import create_home
from broker.client.officer import Officer
from broker.enrolment import LIFE, Notice
from broker.errors import Refusal
from broker.keys import open_ring
from broker.model import wib_date
from tests.conftest import NOW
from tests.simulator import SIJOKER, URL, Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from broker.keys import PublicSet, Ring
    from broker.model import Person
    from broker.store import PeerRow
    from tests.simulator import Province

DAY = timedelta(days=1)


@dataclass
class Keys:
    """A town and the people around its keys."""

    town: Town

    def made(self, name: str, system: str = SIJOKER) -> tuple[PublicSet, Ring]:
        """A new set of keys, known to nobody."""
        home = self.town.folder / name
        return create_home(home, system, URL, self.town.now), open_ring(home / "secrets")

    def propose(self, public: PublicSet, fingerprint: str = "", file: bytes | None = None, **notice: Any) -> PeerRow:
        given = Notice(**{"number": "800/4-DISNAKER/2026", "day": wib_date(self.town.now), **notice})
        return enrolment.propose(self.town.office, public.to_json() if file is None else file, fingerprint or public.fingerprint, given, self.town.now)

    def officer(self, party: str = "sijunjung", role: str = "ppdp", *, vouched: bool = True, ends: date | None = None) -> Person:
        """An officer in office whose own keys are enrolled."""
        office, now = self.town.office, self.town.now
        person, _ = people.invite(office, people.Invitation(role, party, "SK-12/2026", date(2026, 1, 1), ends, frozenset(), "Nama Petugas"), now)
        public = create_home(self.town.folder / person.id, person.id, URL, now)
        return people.enrol_key(office, person.id, public.to_json(), public.fingerprint, now, self.town.voucher(public) if vouched else None)

    def client(self, person: Person, http: TestClient) -> Officer:
        return Officer.at(self.town.folder / person.id, lambda: self.town.now, http)

    def confirm(self, person: Person, public: PublicSet, system: str = SIJOKER) -> PeerRow:
        return enrolment.confirm(self.town.office, person, system, public.fingerprint, self.town.now)

    def renewed(self, name: str, system: str = SIJOKER) -> tuple[PublicSet, Ring]:
        """A new set in place of the one there was."""
        public, ring = self.made(name, system)
        self.propose(public)
        self.confirm(self.officer(system.partition("@")[2]), public, system)
        return public, ring

    def rows(self, system: str = SIJOKER) -> list[PeerRow]:
        with self.town.office.ledger.database.read() as tx:
            return tx.peers.of(system)

    def states(self, system: str = SIJOKER) -> list[str]:
        return [row.state for row in self.rows(system)]

    def acts(self, log: str = "broker") -> list[str]:
        return [e["act"] for e in self.town.entries(log) if e["type"] == "sinergi/keys/v1"]


@pytest.fixture
def keys(province: Province, tmp_path: Path) -> Iterator[Keys]:
    """Three systems are enrolled, for as long as people would have enrolled them."""
    town = Town(province, tmp_path, NOW, life=LIFE)
    yield Keys(town)
    town.close()


@pytest.fixture
def blank(province: Province, tmp_path: Path) -> Iterator[Keys]:
    """No system is enrolled."""
    town = Town(province, tmp_path, NOW, enrolled=())
    yield Keys(town)
    town.close()


def refused(reason: str) -> Any:
    """With it, a block is refused for this very reason."""
    return pytest.raises(Refusal, check=lambda error: isinstance(error, Refusal) and error.reason == reason)
