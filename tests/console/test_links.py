"""Links that sign in to the console of a demonstration: made by its host, used once, from its own machine, and worth no second factor."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from broker import people
from broker.errors import ConfigError, Refusal
from broker.jcs import canonical
from broker.settings import read_settings
from broker.signin import again
from broker.web.console.shell import PATH
from tests.console.conftest import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.console.conftest import House
    from tests.people.conftest import Officer


@pytest.fixture
def officer(house: House) -> Officer:
    house.town.office = dataclasses.replace(house.town.office, demonstration=True)
    return house.officer("operator")


@pytest.fixture
def here(house: House, officer: Officer) -> Iterator[TestClient]:
    with TestClient(house.town.app(), base_url=house.url, raise_server_exceptions=False, client=("127.0.0.1", 5000)) as client:
        yield client


def link(house: House, officer: Officer) -> str:
    return str(people.by_host(house.town.office, canonical({"act": "console_link", "person": officer.id}), house.town.now)["token"])


def test_a_link_signs_in_once_and_every_page_says_what_this_is(house: House, officer: Officer, here: TestClient) -> None:
    path = f"{PATH}/tautan/{link(house, officer)}"
    answer = here.get(path, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    page = here.get(PATH)
    assert officer.id in page.text
    assert "Demonstrasi" in page.text
    assert house.registry.acts()[-2:] == ["console_link", "signed_in"]
    assert house.town.entries("broker")[-1]["by"] == "tautan"
    here.cookies.clear()
    again_ = here.get(path, follow_redirects=False)
    assert again_.status_code == 403
    assert "set-cookie" not in again_.headers


def test_another_machine_an_old_link_and_one_of_another_purpose_sign_nobody_in(house: House, officer: Officer, here: TestClient) -> None:
    token = link(house, officer)
    with TestClient(house.town.app(), base_url=house.url, client=("192.0.2.7", 5000)) as elsewhere:
        assert elsewhere.get(f"{PATH}/tautan/{token}", follow_redirects=False).status_code == 403
    _, setup = house.registry.invite(role="operator")
    assert here.get(f"{PATH}/tautan/{setup}", follow_redirects=False).status_code == 403
    house.town.now += timedelta(minutes=10)
    assert here.get(f"{PATH}/tautan/{token}", follow_redirects=False).status_code == 403
    assert house.registry.acts().count("signed_in") == 0


def test_what_asks_for_a_code_needs_it_of_who_came_by_a_link(house: House, officer: Officer, here: TestClient) -> None:
    here.get(f"{PATH}/tautan/{link(house, officer)}")
    with pytest.raises(Refusal, match="masuk"):
        again(house.town.office, house.registry.get(officer.id), "", house.town.now)


@pytest.mark.parametrize("state", ["invited", "ended"])
def test_only_who_could_sign_in_gets_a_link(house: House, officer: Officer, state: str) -> None:
    person = house.registry.invite(role="operator")[0].id
    if state == "ended":
        people.end(house.town.office, officer.id, house.town.now)
        person = officer.id
    with pytest.raises(Refusal, match="akun") as caught:
        people.console_link(house.town.office, person, house.town.now)
    assert caught.value.facts == {"bidang": "id"}


def test_no_broker_but_a_demonstration_makes_or_takes_a_link(house: House) -> None:
    officer = house.officer("operator")
    with pytest.raises(Refusal, match="akun") as caught:
        link(house, officer)
    assert caught.value.facts == {"bidang": "demonstrasi"}
    with TestClient(house.town.app(), base_url=house.url, client=("127.0.0.1", 5000)) as client:
        assert "set-cookie" not in Visitor(client, house.url).get("/tautan/x").headers
        assert "Demonstrasi" not in client.get(f"{PATH}/masuk").text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("demonstration = 1\n", "must be bool"), ('demonstration = true\npublic_url = "https://broker.example.go.id"\n', "this machine"),
        ('demonstration = true\nhost = "0.0.0.0"\n', "this machine"), ("port = true\n", "must be int"),
    ],
)  # fmt: skip
def test_a_demonstration_is_of_one_machine(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "broker.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_settings(tmp_path)
    (tmp_path / "broker.toml").write_text("demonstration = true\nport = 9000\n")
    assert read_settings(tmp_path).demonstration
