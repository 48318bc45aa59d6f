"""Sign-in by a real OpenID Connect provider (npm oidc-provider) on loopback, in a process of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from broker import people
from broker.errors import ConfigError, NotVerified
from broker.identity.oidc import Begun, Provider
from broker.settings import Oidc
from broker.web.oidc import CALLBACK, CONSOLE
from tests.people.provider import at_the_provider, control
from tests.simulator import URL

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2
    from starlette.testclient import TestClient

    from tests.people.conftest import Registry

LIES = ["aud", "aud_azp", "iss", "nonce", "no_nonce", "exp", "azp", "number", "no_claim", "foreign", "none", "secret", "absent"]


@pytest.fixture
def registry(registry: Registry) -> Registry:
    """In the provider's own time, which is the real one."""
    registry.town.now = datetime.now(UTC).replace(microsecond=0)
    registry.asked["ends"] = None
    return registry


def _now() -> datetime:
    return datetime.now(UTC)


def away(http: TestClient) -> str:
    response = http.get("/v1/session/oidc", follow_redirects=False)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def back(http: TestClient, url: str) -> httpx2.Response:
    parts = urlsplit(url)
    return http.get(f"{parts.path}?{parts.query}")


def refused(response: httpx2.Response) -> None:
    assert (response.status_code, response.json()["reason"], response.json()["facts"]) == (401, "masuk", {})
    assert "sinergi" not in {name for name, value in response.cookies.items() if value}


def test_the_request_has_a_challenge_a_state_and_a_nonce(registry: Registry, oidc: Oidc) -> None:
    http = registry.http(oidc=oidc)
    first, second = (parse_qs(urlsplit(away(http)).query) for _ in range(2))
    assert first["code_challenge_method"] == ["S256"]
    assert first["response_type"] == ["code"]
    assert first["redirect_uri"] == [URL + CALLBACK]
    for name in ("code_challenge", "state", "nonce"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]


def test_a_provider_with_its_own_second_factor_signs_in(registry: Registry, oidc: Oidc) -> None:
    officer = registry.active()
    for said in ({"amr": "otp"}, {"acr": "kuat"}):
        control(oidc.issuer, account=officer.id, **said)
        http = registry.http(oidc=oidc)
        response = back(http, at_the_provider(away(http)))
        assert (response.status_code, response.json()["person"]) == (200, officer.id), response.text
        assert http.get("/v1/session").json()["person"] == officer.id
    entry = registry.town.entries("broker")[-1]
    assert (entry["act"], entry["by"], entry["person"]) == ("signed_in", "oidc", officer.id)


@pytest.mark.parametrize("said", [{}, {"amr": "pwd"}, {"amr": "OTP"}, {"acr": "lemah"}])
def test_without_the_providers_second_factor_ours_is_asked(registry: Registry, oidc: Oidc, said: dict[str, str]) -> None:
    officer = registry.active()
    control(oidc.issuer, account=officer.id, **said)
    http = registry.http(oidc=oidc)
    response = back(http, at_the_provider(away(http)))
    assert response.json() == {"next": "code"}
    assert http.get("/v1/session").status_code == 401
    assert http.post("/v1/session/oidc", json={"code": officer.code(registry.town.now)}).json()["person"] == officer.id
    assert http.get("/v1/session").json()["person"] == officer.id


def test_a_wrong_code_is_one_try_and_counts(registry: Registry, oidc: Oidc) -> None:
    officer = registry.active()
    control(oidc.issuer, account=officer.id)
    for attempt in range(5):
        http = registry.http(oidc=oidc)
        back(http, at_the_provider(away(http)))
        refused(http.post("/v1/session/oidc", json={"code": "abc"}))
        refused(http.post("/v1/session/oidc", json={"code": officer.code(registry.town.now)}))
        assert ("locked" in registry.acts()) == (attempt == 4)


@pytest.mark.parametrize("account", ["petugas-9@sijunjung", "budi", "pengelola-1@broker"])
def test_no_account_is_made_by_signing_in(registry: Registry, oidc: Oidc, account: str) -> None:
    registry.active()
    control(oidc.issuer, account=account, amr="otp")
    http = registry.http(oidc=oidc)
    refused(back(http, at_the_provider(away(http))))
    control(oidc.issuer, account=account)
    http = registry.http(oidc=oidc)
    assert back(http, at_the_provider(away(http))).json() == {"next": "code"}  # nothing is told before the code
    refused(http.post("/v1/session/oidc", json={"code": "123456"}))
    with registry.town.office.ledger.database.read() as tx:
        assert len(tx.people.list()) == 1


def test_who_is_ended_or_locked_is_not_let_in_by_a_provider(registry: Registry, oidc: Oidc) -> None:
    ended, locked, invited = registry.active(), registry.active(), registry.invite()[0]
    people.end(registry.town.office, ended.id, registry.town.now)
    with registry.town.office.ledger.database.write() as tx:
        tx.people.change_credential(locked.id, locked=int(registry.town.now.timestamp()) + 1)
    for account in (ended.id, locked.id, invited.id):
        control(oidc.issuer, account=account, amr="otp")
        http = registry.http(oidc=oidc)
        refused(back(http, at_the_provider(away(http))))


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(registry: Registry, oidc: Oidc) -> None:
    officer = registry.active()
    control(oidc.issuer, account=officer.id, amr="otp")
    http, other = registry.http(oidc=oidc), registry.http(oidc=oidc)
    answer = at_the_provider(away(http))
    refused(back(other, answer))  # without the cookie
    away(other)
    refused(back(other, answer))  # with another sign-in's
    kept = http.cookies["sinergi-oidc"]
    assert back(http, answer).status_code == 200
    http.cookies.set("sinergi-oidc", kept, domain="127.0.0.1")
    refused(back(http, answer))
    (state,) = parse_qs(urlsplit(answer).query)["state"]
    with registry.town.office.ledger.database.write() as tx:  # not by the provider alone: we too know it as used
        assert not tx.use_nonce("oidc", state, int(registry.town.now.timestamp()), 0)


def test_an_answer_without_a_code_or_with_another_state_or_issuer_is_none(registry: Registry, oidc: Oidc) -> None:
    officer = registry.active()
    control(oidc.issuer, account=officer.id, amr="otp")
    http = registry.http(oidc=oidc)
    answer = at_the_provider(away(http))
    for old, new in (("code=", "kode="), ("state=", "state=x"), ("state=", "kode="), ("iss=http", "iss=https"), ("iss=", "isu=")):
        assert old in answer
        http = registry.http(oidc=oidc)
        refused(back(http, at_the_provider(away(http)).replace(old, new)))


def test_a_sign_in_under_way_is_over_after_ten_minutes(registry: Registry, oidc: Oidc) -> None:
    officer = registry.active()
    control(oidc.issuer, account=officer.id, amr="otp")
    http = registry.http(oidc=oidc)
    answer = at_the_provider(away(http))
    registry.town.now += timedelta(minutes=10)
    refused(back(http, answer))


def test_the_kept_cookie_is_sealed_for_its_step(registry: Registry, oidc: Oidc) -> None:
    officer = registry.active()
    control(oidc.issuer, account=officer.id)
    http = registry.http(oidc=oidc)
    answer = at_the_provider(away(http))
    assert back(http, answer).json() == {"next": "code"}
    refused(back(http, answer))  # `vouched` does not stand for `begun`
    begun = registry.http(oidc=oidc)
    away(begun)
    refused(begun.post("/v1/session/oidc", json={"code": officer.code(registry.town.now)}))
    for forged in ("", "AAAA", "bukan base64 !", http.cookies["sinergi-oidc"][:-4] + "AAAA"):
        fresh = registry.http(oidc=oidc)
        fresh.cookies.set("sinergi-oidc", forged, domain="127.0.0.1")
        refused(fresh.post("/v1/session/oidc", json={"code": officer.code(registry.town.now)}))


def test_an_id_token_that_is_not_of_them_for_us_now_is_not_believed(registry: Registry, oidc: Oidc) -> None:
    officer, http = registry.active(), registry.http(oidc=oidc)
    for lie in LIES:
        control(oidc.issuer, account=officer.id, amr="otp", tamper=lie)
        response = back(http, at_the_provider(away(http)))
        assert response.status_code == 401, lie
        refused(response)
    control(oidc.issuer, account=officer.id, amr="otp", tamper="nothing")  # signed anew too, and true: the lies failed for what they say
    assert back(http, at_the_provider(away(http))).status_code == 200


@pytest.mark.parametrize("which", ["verifier", "nonce"])
def test_the_verifier_and_the_nonce_are_compared(registry: Registry, oidc: Oidc, which: str) -> None:
    control(oidc.issuer, account="petugas-1@sijunjung", amr="otp")
    provider = Provider(oidc, URL + CALLBACK)
    for wrong in (True, False):
        url, begun = provider.begin()
        code = parse_qs(urlsplit(at_the_provider(url)).query)["code"][0]
        if not wrong:
            assert provider.finish(code, oidc.issuer, begun, _now()).person == "petugas-1@sijunjung"
            continue
        other = Begun(begun.state, "x" * 43 if which == "nonce" else begun.nonce, "y" * 64 if which == "verifier" else begun.verifier)
        with pytest.raises(NotVerified):
            provider.finish(code, oidc.issuer, other, _now())


def test_a_provider_that_is_another_or_does_not_answer_or_has_another_secret_is_not_believed(registry: Registry, oidc: Oidc, tmp_path: Path) -> None:
    port = urlsplit(oidc.issuer).port
    for issuer in (f"http://localhost:{port}", "http://127.0.0.1:1", f"http://127.0.0.1:{port}/token"):
        http = registry.http(oidc=Oidc(issuer, oidc.client_id, oidc.client_secret_file, oidc.claim))
        refused(http.get("/v1/session/oidc", follow_redirects=False))
    control(oidc.issuer, account="petugas-1@sijunjung", amr="otp")
    (tmp_path / "salah").write_text("bukan-rahasianya")
    http = registry.http(oidc=Oidc(oidc.issuer, "sinergi", tmp_path / "salah", "petugas"))
    refused(back(http, at_the_provider(away(http))))


def test_another_sites_page_begins_no_sign_in(registry: Registry, oidc: Oidc) -> None:
    http = registry.http(oidc=oidc)
    for site, status in (("cross-site", 403), ("same-site", 403), ("none", 303), ("same-origin", 303)):
        response = http.get("/v1/session/oidc", headers={"Sec-Fetch-Site": site}, follow_redirects=False)
        assert (response.status_code, "sinergi-oidc" in response.cookies) == (status, status == 303), site


def test_a_person_who_comes_back_too_late_lands_in_the_console(registry: Registry, oidc: Oidc) -> None:
    http = registry.http(oidc=oidc)
    control(oidc.issuer, account=registry.active().id, amr="otp")
    answer = at_the_provider(away(http))
    registry.town.now += timedelta(minutes=10)
    parts = urlsplit(answer)
    response = http.get(f"{parts.path}?{parts.query}", headers={"Accept": "text/html,*/*"}, follow_redirects=False)
    assert (response.status_code, response.headers["location"].partition("?")[0]) == (303, CONSOLE)
    assert "sinergi" not in response.cookies


def test_without_a_provider_there_is_no_such_address(registry: Registry) -> None:
    assert registry.http().get("/v1/session/oidc").status_code in (404, 405)


def test_a_missing_client_secret_stops_the_start(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        registry.http(oidc=Oidc("https://masuk.example.org", "sinergi", tmp_path / "tidak-ada", "petugas"))
