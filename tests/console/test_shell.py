"""What holds for every page: who may see it, whose form it takes, what its headers say, and that nothing typed is lost."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
import segno

from broker.web.console.shell import PATH, local
from tests.people.conftest import PASSWORD

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.console.conftest import House, Screen


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


def test_setting_up_shows_the_second_factor_as_a_picture_within_the_page_and_as_text(house: House, visitor: Any) -> None:
    _, token = house.registry.invite()
    page = visitor().post("/siapkan", {"tautan": token, "sandi": PASSWORD}, csrf="").text
    uri = re.search(r"<code>(otpauth://[^<]+)</code>", page)
    path = re.search(r'<path fill="#000" d="([^"]+)"></path>', page)
    assert uri
    assert path
    dark = {(int(x), int(y)) for x, y in re.findall(r"M([0-9]+) ([0-9]+)h1v1h-1z", path[1])}
    wanted = segno.make(unescape(uri[1]), error="m", micro=False, boost_error=False).matrix
    assert dark == {(x, y) for y, row in enumerate(wanted) for x, module in enumerate(row) if module}
    assert f'viewBox="-4 -4 {len(wanted) + 8} {len(wanted) + 8}"' in page  # four light squares on each side: ISO/IEC 18004
    secret = re.search(r"secret=([A-Z2-7]{32})", uri[1])
    assert secret
    assert " ".join(secret[1][i : i + 4] for i in range(0, 32, 4)) in page
    assert not re.search(r'(src|href)="[^"]*' + secret[1], page)
    assert "style=" not in page
    assert 'aria-labelledby="qr-t qr-d"' in page


def test_setting_up_in_a_real_browser(screen: Screen) -> None:
    _, token = screen.house.registry.invite()
    page = screen.page()
    screen.go(page, "/siapkan")
    page.get_by_label("Kode undangan").fill(token)
    page.get_by_label("Kata sandi baru").fill(PASSWORD)
    page.get_by_role("button", name="Teruskan").click()
    box = page.get_by_role("img", name="Kode QR kunci autentikator").bounding_box()
    assert box
    assert box["width"] == box["height"] > 200
    screen.check(page)


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


def lost(one: Any, house: House, **fields: str) -> str:
    """What the sign-in page carries after a form whose session had ended."""
    csrf = one.csrf()
    house.town.now += timedelta(hours=1)
    answer = one.post("/keluar", fields, csrf=csrf)
    assert answer.status_code == 401
    assert not [value for value in fields.values() if value in answer.text]
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
    assert hidden.keys() == {"ke", "simpanan"}
    return str(hidden["simpanan"])


def signed_in(house: House, visitor: Any, who: Any, kept: str) -> Any:
    house.town.now += timedelta(seconds=90)
    return visitor().post("/masuk", {"ke": PATH, "simpanan": kept, "id": who.id, "sandi": PASSWORD, "kode": who.code(house.town.now)}, csrf="")


def test_what_was_typed_when_the_session_ended_comes_back_to_who_typed_it(house: House, visitor: Any) -> None:
    officer, another = house.officer("operator"), house.officer("operator")
    kept = lost(visitor(officer), house, alasan='Panjang & "penting" <b>', nik="1303012312990001", kode="123456")
    wrong = visitor().post("/masuk", {"simpanan": kept, "id": officer.id, "sandi": "salah sama sekali", "kode": "000000"}, csrf="")
    assert f'value="{kept}"' in wrong.text  # a wrong password loses nothing
    for who, back in ((another, False), (officer, True)):
        answer = signed_in(house, visitor, who, kept)
        assert ("1303012312990001" in answer.text, "Panjang &amp; &#34;penting&#34; &lt;b&gt;" in answer.text) == (back, back)
        assert "123456" not in answer.text
        assert answer.status_code == (200 if back else 303)
    assert f'action="{PATH}/keluar"' in answer.text


def test_what_was_typed_is_no_secret_to_guess_change_or_keep(house: House, visitor: Any) -> None:
    officer = house.officer("operator")
    kept = lost(visitor(officer), house, nik="1303012312990001")
    assert "1303012312990001" not in b64decode(kept, altchars=b"-_").decode("latin-1")
    assert officer.id not in b64decode(kept, altchars=b"-_").decode("latin-1")
    for other in (kept[:-8] + "AAAAAAA=", "AAAA", "bukan base64 !", "é"):
        assert signed_in(house, visitor, officer, other).headers["location"] == PATH
    house.town.now += timedelta(hours=12)
    assert signed_in(house, visitor, officer, kept).headers["location"] == PATH


def test_a_form_as_large_as_may_be_comes_back(house: House, visitor: Any) -> None:
    officer = house.officer("operator")
    text = "&" * (84 << 10)  # three bytes each in the form
    answer = signed_in(house, visitor, officer, lost(visitor(officer), house, alasan=text))
    assert "&amp;" * (84 << 10) in answer.text


def test_of_who_never_was_signed_in_nothing_is_kept(house: House, visitor: Any) -> None:
    answer = visitor().post("/keluar", {"alasan": "Panjang"}, csrf="")
    assert (answer.status_code, "simpanan" in answer.text, "Panjang" in answer.text) == (401, False, False)


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
