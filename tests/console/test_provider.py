"""Signing in to the console with the government's own provider: to the page that was wanted, in the browser that asked, and nowhere else."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from starlette.testclient import TestClient

from broker.people import token_sha256
from broker.settings import Oidc
from broker.web.console.shell import PATH
from broker.web.oidc import AT_ONCE, CALLBACK, CONSOLE
from tests.people.provider import at_the_provider, control, provider, settings
from tests.simulator import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx2

    from tests.console.conftest import House, Screen
    from tests.people.conftest import Officer

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def house(house: House) -> House:
    """In the provider's own time, which is the real one."""
    house.town.now = datetime.now(UTC).replace(microsecond=0)
    house.registry.asked["ends"] = None
    return house


@pytest.fixture
def browser(house: House, oidc: Oidc) -> Callable[[], TestClient]:
    """A browser with cookies of its own."""
    app = house.town.app(URL, oidc)
    return lambda: TestClient(app, base_url=URL, raise_server_exceptions=False, follow_redirects=False)


def leave(http: TestClient, to: str = PATH) -> str:
    """To the provider from the sign-in page; where it sends back to."""
    page = http.get(f"{PATH}/masuk?ke={quote(to)}")
    found = re.search(r'href="(/konsol/masuk/instansi[^"]*)"', page.text)
    assert found
    answer = http.get(unescape(found[1]), headers=OURS)
    assert answer.status_code == 303
    return at_the_provider(answer.headers["location"])


def back(http: TestClient, url: str) -> httpx2.Response:
    """From the provider: to the callback, and on to the console."""
    parts = urlsplit(url)
    assert parts.path == CALLBACK
    answer = http.get(f"{parts.path}?{parts.query}", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, urlsplit(answer.headers["location"]).path, urlsplit(answer.headers["location"]).netloc) == (303, CONSOLE, "")
    assert "sinergi" not in answer.cookies
    return http.get(answer.headers["location"], headers={"Sec-Fetch-Site": "cross-site"})


def post(http: TestClient, path: str, **fields: str) -> httpx2.Response:
    return http.post(PATH + path, data=fields, headers={"Origin": URL, **OURS})


def is_out(http: TestClient) -> None:
    assert http.get(PATH).headers.get("location", "").startswith(f"{PATH}/masuk")


def leads_to(answer: httpx2.Response) -> str:
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', answer.text)
    assert found
    return unescape(found[1])


def test_a_sign_in_begun_in_the_console_ends_at_the_page_that_was_wanted(house: House, oidc: Oidc, browser: Any) -> None:
    officer, http = house.officer("operator"), browser()
    control(oidc.issuer, account=officer.id, amr="otp")
    wanted = f"{PATH}/kotak-masuk?hal=2&bahasa=en"
    answer = back(http, leave(http, wanted))
    assert (answer.status_code, leads_to(answer)) == (200, wanted)
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("sinergi="))
    assert all(word in cookie.lower() for word in ("httponly", "samesite=strict"))
    assert "sinergi-oidc" not in http.cookies
    assert officer.id in http.get(PATH).text


def test_without_the_providers_second_factor_the_console_asks_for_ours(house: House, oidc: Oidc, browser: Any) -> None:
    officer, http = house.officer("operator"), browser()
    control(oidc.issuer, account=officer.id)
    answer = back(http, leave(http, f"{PATH}/kotak-masuk"))
    assert (answer.status_code, officer.id in answer.text) == (200, False)
    assert f'action="{PATH}/masuk/kode"' in answer.text
    is_out(http)
    assert post(http, "/masuk/kode", kode="abc").status_code == 403
    assert post(http, "/masuk/kode", kode=officer.code(house.town.now)).status_code == 403  # it was one try
    is_out(http)
    back(http, leave(http, f"{PATH}/kotak-masuk"))
    assert leads_to(post(http, "/masuk/kode", kode=officer.code(house.town.now))) == f"{PATH}/kotak-masuk"
    assert http.get(PATH).status_code == 200


def test_who_the_provider_knows_and_we_do_not_is_not_let_in(house: House, oidc: Oidc, browser: Any) -> None:
    house.officer("operator")
    for amr in ("otp", ""):
        control(oidc.issuer, account="operator-77@sijunjung", amr=amr)
        http = browser()
        answer = back(http, leave(http))
        assert (answer.status_code, "operator-77" in answer.text) == (403 if amr else 200, False)
        assert post(http, "/masuk/kode", kode="123456").status_code == 403
        is_out(http)


def test_another_browsers_answer_signs_nobody_in(house: House, oidc: Oidc, browser: Any) -> None:
    """Otherwise a page could sign an officer in as someone else, who would read what they do."""
    control(oidc.issuer, account=house.officer("operator").id, amr="otp")
    theirs, without, other = browser(), browser(), browser()
    answer = leave(theirs)
    for http in (without, other):
        if http is other:
            leave(other)
        parts = urlsplit(answer)
        assert http.get(f"{CONSOLE}?{parts.query}").status_code == 403
        is_out(http)
    assert back(theirs, answer).status_code == 200
    again = urlsplit(answer)
    assert theirs.get(f"{CONSOLE}?{again.query}").status_code == 403  # it counted once


def test_the_way_to_the_provider_begins_on_our_own_page_alone(browser: Any) -> None:
    for site in ("cross-site", "same-site", "none", ""):
        http = browser()
        answer = http.get(f"{PATH}/masuk/instansi?ke={PATH}", headers={"Sec-Fetch-Site": site} if site else {})
        assert (answer.status_code, "sinergi-oidc" in http.cookies) == (200, False), site
        assert f'action="{PATH}/masuk"' in answer.text


@pytest.mark.parametrize("to", ["//jahat.example", "https://jahat.example", "/konsolan", "/konsol\\..", f"{PATH}/" + "x" * 3000])
def test_it_leads_to_no_other_place(house: House, oidc: Oidc, browser: Any, to: str) -> None:
    control(oidc.issuer, account=house.officer("operator").id, amr="otp")
    http = browser()
    answer = http.get(f"{PATH}/masuk/instansi?ke={quote(to)}", headers=OURS)
    assert leads_to(back(http, at_the_provider(answer.headers["location"]))) == PATH


def test_a_provider_that_does_not_answer_is_a_page(house: House, tmp_path: Path) -> None:
    (tmp_path / "rahasia").write_text("x")
    http = TestClient(house.town.app(URL, Oidc("http://127.0.0.1:1", "sinergi", tmp_path / "rahasia", "petugas")), base_url=URL)
    answer = http.get(f"{PATH}/masuk/instansi", headers=OURS)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")


def test_a_provider_that_is_slow_holds_no_more_threads_than_others_can_spare(house: House, tmp_path: Path) -> None:
    """Nobody need be signed in to ask for the way there: it must not keep exchanges waiting."""
    (tmp_path / "rahasia").write_text("x")
    with socket.create_server(("127.0.0.1", 0), backlog=32) as silent:
        app = house.town.app(URL, Oidc(f"http://127.0.0.1:{silent.getsockname()[1]}", "sinergi", tmp_path / "rahasia", "petugas"))
        with TestClient(app, base_url=URL, follow_redirects=False) as http, ThreadPoolExecutor(AT_ONCE) as asking:
            waiting = [asking.submit(http.get, f"{PATH}/masuk/instansi", headers=OURS) for _ in range(AT_ONCE)]
            held = [silent.accept()[0] for _ in range(AT_ONCE)]
            for path in (f"{PATH}/masuk/instansi", "/v1/session/oidc"):
                assert http.get(path, headers=OURS).status_code == 503
            for connection in held:
                connection.close()
            assert [one.result().status_code for one in waiting] == [401] * AT_ONCE
            silent.close()
            assert http.get(f"{PATH}/masuk/instansi", headers=OURS).status_code == 401  # there is room again


def test_what_was_typed_comes_back_after_signing_in_there_too(house: House, oidc: Oidc, browser: Any) -> None:
    officer, http = house.officer("auditor"), browser()
    http.cookies.set("sinergi", house.token(officer), domain="127.0.0.1")
    _over(house, officer)
    page = post(http, "/keluar", alasan="Panjang dan penting")
    assert page.status_code == 401
    assert "Panjang" not in page.text
    kept = re.search(r'name="simpanan" value="([^"]*)"', page.text)
    assert kept
    assert post(http, "/lanjut", simpanan=kept[1]).status_code == 401  # not signed in yet: asked again, with what was typed
    assert kept[1] in post(http, "/lanjut", simpanan=kept[1]).text
    control(oidc.issuer, account=officer.id, amr="otp")
    back(http, leave(http))
    answer = post(http, "/lanjut", simpanan=kept[1])
    assert (answer.status_code, "Panjang dan penting" in answer.text) == (200, True)
    assert http.post(f"{PATH}/lanjut", data={"simpanan": kept[1]}, headers={"Origin": "https://jahat.example"}).status_code == 403
    other = browser()
    control(oidc.issuer, account=house.officer("auditor").id, amr="otp")
    back(other, leave(other))
    assert post(other, "/lanjut", simpanan=kept[1]).headers["location"] == PATH


def _over(house: House, officer: Officer) -> None:
    """Their sessions have lapsed, without the clock that the provider shares."""
    with house.town.office.ledger.database.write() as tx:
        for token in house.registry.tokens:
            if tx.people.session(token_sha256(token)):
                tx.people.touch_session(token_sha256(token), int(house.town.now.timestamp()) - 3600)


# --- a real browser keeps a strict cookie from what another site sent it to
@pytest.fixture
def begun() -> list[Oidc]:
    """The provider of the broker that serves, once it does."""
    return []


@pytest.fixture
def oidc_at(begun: list[Oidc], tmp_path: Path) -> Iterator[Callable[[str], Oidc]]:
    with ExitStack() as running:

        def started(url: str) -> Oidc:
            begun.append(settings(running.enter_context(provider(url)), tmp_path))
            return begun[0]

        yield started


@pytest.mark.parametrize("url", ["http://localhost"])  # another site than the provider's
@pytest.mark.parametrize("browser_of", ["screen", "plain_screen"])
def test_a_real_browser_goes_out_and_comes_back_signed_in(request: pytest.FixtureRequest, begun: list[Oidc], url: str, browser_of: str) -> None:
    screen: Screen = request.getfixturevalue(browser_of)
    screen.house.town.now = datetime.now(UTC).replace(microsecond=0)
    screen.house.registry.asked["ends"] = None
    officer = screen.house.officer("operator")
    control(begun[0].issuer, account=officer.id, page="1")
    page = screen.context.new_page()
    screen.go(page, "/kotak-masuk")
    page.get_by_role("link", name="Masuk dengan akun instansi").click()
    page.get_by_role("link", name="Ya, saya").click()
    page.wait_for_url(f"**{CONSOLE}?*")
    screen.check(page)
    page.fill("#kode", officer.code(screen.house.town.now))
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url(f"**{PATH}/kotak-masuk")
    assert officer.id in page.inner_text("header")
    control(begun[0].issuer, account=officer.id, amr="otp", page="1")
    page.get_by_role("button", name="Keluar").click()
    page.wait_for_url(f"**{PATH}/masuk")
    screen.context.clear_cookies()  # the provider's own among them: it asks anew
    page.goto(f"{screen.house.url}{PATH}/masuk?ke={PATH}/kiriman")
    page.get_by_role("link", name="Masuk dengan akun instansi").click()
    page.get_by_role("link", name="Ya, saya").click()
    page.wait_for_url(f"**{PATH}/kiriman")
    assert officer.id in page.inner_text("header")
