"""Officers of the simulator's world: invited, set up, with authenticators and keys of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from broker import people, signin
from broker.client import create_home
from broker.errors import Refusal
from broker.identity import passwords
from broker.keys import RequestKey, open_ring
from broker.web.oidc import Away
from broker.web.people import people_router
from broker.web.problems import problem
from tests.people.provider import issuer, oidc
from tests.simulator import URL

if TYPE_CHECKING:
    from datetime import datetime

    from broker.keys import PublicSet, Ring
    from broker.model import Person
    from broker.settings import Oidc
    from tests.simulator import Town

__all__ = ["issuer", "oidc"]
PASSWORD = "baterai kuda lepas jangkar"
NAME = "Nyi Kenarianti Palsuwati"
ASKED: dict[str, Any] = {
    "role": "petugas_keamanan", "party": "sijunjung", "appointment": "800/12-BKD/2026", "starts": date(2026, 1, 1), "ends": date(2027, 6, 30), "agreements": frozenset(), "name": NAME,
}  # fmt: skip


@dataclass
class Officer:
    """A person with their own secrets."""

    id: str
    secret: str = ""
    public: PublicSet | None = None
    ring: Ring | None = None

    def code(self, now: datetime, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(now + timedelta(seconds=30 * steps))

    @property
    def key(self) -> RequestKey:
        assert self.ring is not None
        return self.ring.get(RequestKey, "request")


@dataclass
class Registry:
    """The officers of a town, and what happened to them."""

    town: Town
    tokens: list[str] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=lambda: dict(ASKED))

    def invite(self, **changed: Any) -> tuple[Person, str]:
        person, token = people.invite(self.town.office, people.Invitation(**{**self.asked, **changed}), self.town.now)
        self.tokens.append(token)
        return person, token

    def begun(self, token: str) -> tuple[Officer, str]:
        """The officer after the password, and the token to confirm with."""
        person, uri, confirm = signin.set_up(self.town.office, token, PASSWORD, self.town.now)
        found = re.search(r"secret=([A-Z2-7]{32})", uri)
        assert found
        self.tokens += [confirm, found[1]]
        return Officer(person.id, found[1]), confirm

    def active(self, **changed: Any) -> Officer:
        """An officer with a confirmed account; the clock is moved on, so that the next code is a new one."""
        officer, confirm = self.begun(self.invite(**changed)[1])
        signin.confirm(self.town.office, confirm, officer.code(self.town.now), self.town.now)
        self.town.now += timedelta(seconds=90)
        return officer

    def keys(self, officer: Officer, home: str = "") -> Officer:
        """The officer's own keys, made but not enrolled."""
        folder = self.town.folder / (home or officer.id)
        officer.public = create_home(folder, officer.id, URL, self.town.now)
        officer.ring = open_ring(folder / "secrets")
        return officer

    def enrolled(self, **changed: Any) -> Officer:
        officer = self.keys(self.active(**changed))
        assert officer.public
        people.enrol_key(self.town.office, officer.id, officer.public.to_json(), officer.public.fingerprint, self.town.now, self.town.voucher(officer.public))
        return officer

    def get(self, name: str) -> Person:
        with self.town.office.ledger.database.read() as tx:
            found = tx.people.get(name)
        assert found
        return found

    def acts(self, log: str = "broker") -> list[str]:
        return [e["act"] for e in self.town.entries(log) if e["type"] == "sinergi/person/v1"]

    def http(self, url: str = URL, oidc: Oidc | None = None) -> TestClient:
        """A browser without a Sec-Fetch-Site header of its own."""
        app = FastAPI()
        app.include_router(people_router(self.town.office, url, lambda: self.town.now, Away(self.town.office, url, lambda: self.town.now, oidc) if oidc else None))

        def refused(_: object, error: Exception) -> Any:
            assert isinstance(error, Refusal)
            return problem(error)

        app.add_exception_handler(Refusal, refused)
        return TestClient(app, base_url=url, raise_server_exceptions=False)


@pytest.fixture
def real_cost() -> None:
    """A test that names it hashes passwords at their real cost."""


@pytest.fixture(autouse=True)
def _quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords at the least cost: otherwise this folder would take half a minute to hash."""
    if "real_cost" not in request.fixturenames:
        monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()


@pytest.fixture
def registry(town: Town) -> Registry:
    return Registry(town)
