"""docs/formats/people.md says what the code does: its tables are read and compared."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from broker import passkeys
from broker.client import Client
from broker.envelope import read_passkey
from broker.people import APART, LINK_LIFE, console_link, end
from broker.roles import BODIES, MAY, WORDS
from broker.settings import Oidc
from broker.signin import CONFIRM_LIFE, FIRST_LOCK, IDLE, LONGEST, LONGEST_LOCK, TRIES, sign_in
from broker.web.oidc import UNDER_WAY, Away
from broker.web.people import MAX_BODY, people_router
from tests.authenticator import Authenticator
from tests.formats.test_docs import table, words
from tests.people.conftest import PASSWORD
from tests.people.test_signin import fails
from tests.simulator import URL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.people.conftest import Registry


def test_roles_and_acts_are_the_codes() -> None:
    rows = table("people.md", "role")
    assert {role: word for role, word, _ in rows} == WORDS
    assert {role: frozenset(re.findall(r"`([a-z_0-9]+)`", f"`{acts.strip('`')}`")) for role, _, acts in rows} == MAY
    assert tuple(tuple(row) for row in table("people.md", "act | and")) == APART
    assert all(f"`{body}`" in words("people.md") for body in BODIES)


def test_the_limits_are_the_codes() -> None:
    text = words("people.md")
    assert (LINK_LIFE.total_seconds(), CONFIRM_LIFE.total_seconds(), TRIES, FIRST_LOCK, LONGEST_LOCK, IDLE, LONGEST, UNDER_WAY.total_seconds(), MAX_BODY) == (72 * 3600, 900, 5, 60, 3600, 1800, 43200, 600, 4096)
    for said in ("72 hours, once", "within 15 minutes, at most 5 tries", "after 5 failures for 1 minute", "to 1 hour", "30 minutes idle, 12 hours at most", "for 10 minutes, once", "at most 4,096 bytes"):
        assert said in text


def test_the_requests_are_the_routes(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "rahasia").write_text("x")
    away = Away(registry.town.office, URL, lambda: registry.town.now, Oidc("https://masuk.example.org", "sinergi", tmp_path / "rahasia", "petugas"))
    router = people_router(registry.town.office, URL, lambda: registry.town.now, away)
    routes = {f"{method} {route.path}" for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert {row[0] for row in table("people.md", "request")} == routes - {"POST /v1/people/host"}


def test_real_entries_have_the_fields_of_the_page(registry: Registry) -> None:
    rows = table("people.md", "`act` | when")
    said = {row[0]: set(re.findall(r"`([a-z_0-9]+)`", f"`{row[2].strip('`')}`")) for row in rows}
    assert said["signed_in"] == {"by", "password", "oidc", "tautan"}
    said |= {"signed_in": {"by"}, "sign_in_failed": said["sign_in_failed"] & {"failures"}}
    officer = registry.enrolled()
    office, now, person, authenticator = registry.town.office, registry.town.now, registry.get(officer.id), Authenticator("https://broker.example")
    row = passkeys.register(office, person, authenticator.origin, b"asked", *authenticator.made(b"asked"), now)
    with Client.at(registry.town.folder / officer.id, lambda: now) as client:
        passkeys.enrol(office, person, row.credential, client.vouch_passkey(row.file, read_passkey(row.file).fingerprint).read_bytes(), now)
    passkeys.remove(office, person, row.credential, now)
    for _ in range(TRIES):
        fails(registry, officer, code="abc")
    other = registry.active()
    sign_in(registry.town.office, other.id, PASSWORD, other.code(registry.town.now), registry.town.now)
    console_link(replace(registry.town.office, demonstration=True), other.id, registry.town.now)
    end(registry.town.office, other.id, registry.town.now)
    entries = [e for e in registry.town.entries("broker") if e["type"] == "sinergi/person/v1"]
    assert {e["act"] for e in entries} == set(said)
    for entry in entries:
        assert set(entry) - {"time", "type", "act", "person"} == said[entry["act"]], entry
