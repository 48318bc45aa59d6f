"""What holds for every page: who may see it, whose form it takes, what its headers say, and that nothing typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker.web.console.shell import PATH, local

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.console.conftest import House


def test_who_is_not_signed_in_is_asked_to_and_comes_back(house: House, visitor: Any) -> None:
    answer = visitor().get("")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}/masuk?ke=/konsol")


def test_signing_in_by_form_and_out_again(house: House, http: TestClient, visitor: Any) -> None:
    officer = house.officer("operator")
    wrong = visitor().post("/masuk", {"id": officer.id, "sandi": "salah sama sekali", "kode": "000000"}, csrf="")
    assert wrong.status_code == 403
    assert "set-cookie" not in wrong.headers
    right = visitor().post("/masuk", {"id": officer.id, "sandi": "baterai kuda lepas jangkar", "kode": officer.code(house.town.now), "ke": f"{PATH}?bahasa=en"}, csrf="")
    assert (right.status_code, right.headers["location"]) == (303, f"{PATH}?bahasa=en")
    cookie = right.headers["set-cookie"]
    assert all(word in cookie.lower() for word in ("httponly", "samesite=strict"))
    one = visitor()
    one.headers = {"Cookie": cookie.partition(";")[0]}
    assert officer.id in one.get("").text
    assert one.post("/keluar", {}).headers["location"] == f"{PATH}/masuk"
    assert one.get("").status_code == 303


def test_every_answer_has_the_strict_headers(house: House, visitor: Any) -> None:
    one = visitor(house.officer("auditor"))
    style = re.search(r'href="(/konsol/statis/console.css[^"]*)"', one.get("").text)
    assert style
    for path in ("", "/masuk", "/tidak-ada", style[1].removeprefix(PATH)):
        headers = one.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert one.get("").headers["cache-control"] == "no-store"


def test_an_address_that_is_no_page_is_told_so_in_the_readers_language(house: House, visitor: Any) -> None:
    one = visitor(house.officer("auditor"))
    answer = one.get("/tidak/ada?bahasa=en")
    assert answer.status_code == 404
    assert "<h1>This cannot be done</h1>" in answer.text
    assert visitor().get("/tidak/ada").status_code == 303


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [("", {}), ("A" * 43, {}), (None, {"Origin": "https://jahat.example"}), (None, {"Origin": "null"}), (None, {"Sec-Fetch-Site": "cross-site"}), (None, {"Content-Type": "text/plain"})],
)
def test_a_form_of_another_page_or_site_does_nothing(house: House, visitor: Any, csrf: str | None, headers: dict[str, str]) -> None:
    one = visitor(house.officer("operator"))
    assert one.post("/keluar", {}, csrf=csrf, **headers).status_code in (400, 403)
    assert one.get("").status_code == 200


def test_the_form_token_of_another_session_is_none(house: House, visitor: Any) -> None:
    officer = house.officer("operator")
    one, other = visitor(officer), visitor(officer)
    assert one.csrf() != other.csrf()
    assert one.post("/keluar", {}, csrf=other.csrf()).status_code == 403


def test_what_was_typed_when_the_session_ended_comes_back_to_who_typed_it(house: House, visitor: Any) -> None:
    officer, another = house.officer("operator"), house.officer("operator")
    one = visitor(officer)
    csrf = one.csrf()
    house.town.now += timedelta(hours=1)
    kept = one.post("/keluar", {"alasan": 'Panjang & "penting" <b>', "kode": "123456"}, csrf=csrf)
    assert kept.status_code == 401
    assert 'value="Panjang &amp; &#34;penting&#34; &lt;b&gt;"' in kept.text
    assert "123456" not in kept.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', kept.text))
    assert fields["ke"] == f"{PATH}/keluar"
    for who, back in ((another, False), (officer, True)):
        house.town.now += timedelta(seconds=90)
        answer = visitor().post("/masuk", {**fields, "isi.alasan": "Panjang", "id": who.id, "sandi": "baterai kuda lepas jangkar", "kode": who.code(house.town.now)}, csrf="")
        assert ("Panjang" in answer.text) is back
        assert answer.status_code == (200 if back else 303)


@pytest.mark.parametrize("path", ["//jahat.example", "https://jahat.example", "/konsol\\..", "/konsolan", "/v1/session", "/konsol/\r\nX: 1", ""])
def test_signing_in_leads_to_no_other_place(path: str) -> None:
    assert not local(path)


def test_the_language_is_indonesian_until_asked_otherwise(house: House, visitor: Any) -> None:
    one = visitor(house.officer("auditor"))
    assert '<html lang="id">' in one.get("").text
    answer = one.get("?bahasa=en")
    assert '<html lang="en">' in answer.text
    assert "Sign out" in answer.text
    one.headers["Cookie"] += "; " + answer.headers["set-cookie"].partition(";")[0]
    assert '<html lang="en">' in one.get("").text
    assert '<html lang="id">' in one.get("?bahasa=<script>").text or '<html lang="en">' in one.get("?bahasa=<script>").text


def test_a_console_that_was_warmed_up_has_read_every_page(house: House, http: TestClient) -> None:
    shell = http.app.state.console  # type: ignore[attr-defined]
    assert not any(len(pages.cache) for pages in shell._pages.values())
    shell.warm_up()
    for pages in shell._pages.values():
        assert len(pages.cache) == len(pages.list_templates()) > 40
