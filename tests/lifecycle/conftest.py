"""Officers of both sides with keys of their own, talking to a real broker over its API."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pytest

from broker import people
from broker.client import create_home
from broker.client.officer import Officer
from tests.simulator import URL, Town

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.testclient import TestClient


@dataclass
class Desk:
    """A town whose officers are at work."""

    town: Town
    http: TestClient

    def officer(self, party: str, role: str = "petugas_keamanan", ends: date | None = None, agreements: frozenset[str] = frozenset()) -> Officer:
        asked = people.Invitation(role, party, "SK-12/2026", date(2026, 1, 1), ends, agreements, "Nama Petugas")
        person, _ = people.invite(self.town.office, asked, self.town.now)
        home = self.town.folder / person.id
        public = create_home(home, person.id, URL, self.town.now)
        people.enrol_key(self.town.office, person.id, public.to_json(), public.fingerprint, self.town.now, self.town.voucher(public))
        shutil.copy(self.town.province.home / "public.json", home / "broker.json")
        return Officer.at(home, lambda: self.town.now, self.http)

    @property
    def rules(self) -> str:
        return self.town.office.policy.rules.decode()

    def tightened(self, column: str = "pendidikan_tertinggi") -> bytes:
        """The rules in force with one more cap: nobody gains."""
        return (self.rules + f"K.uji,*,nk-sijunjung-2025,pencari_kerja.{column},*,*,*,0,2025-03-20,2028-03-20,nk-sijunjung-2025: Pasal 9 ayat (1),deny,tidak\n").encode()

    def widened(self) -> bytes:
        """The rules in force with the postal code in clear for the ministry: it gains from Sijunjung."""
        rule = "A.uji,siapkerja@kemnaker,nk-sijunjung-2025,pencari_kerja.kode_pos,terima,perencanaan,*,5,2025-03-20,2028-03-20,nk-sijunjung-2025: Pasal 4 huruf a angka 1,allow,tidak\n"
        return (self.rules + rule).encode()


@pytest.fixture
def desk(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("broker.lifecycle.drafts.CHECK_SECONDS", 0.0)  # the thousand cells it must ask are asked all the same
    with town.http() as http:
        yield Desk(town, http)
