"""Set-up and sessions over HTTP: strict small bodies, a cookie that nothing else can use, nothing for another site's page."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from argon2.exceptions import VerifyMismatchError

from broker.identity import passwords, sign_request
from broker.jcs import canonical
from broker.keys import RequestKey
from broker.people import host_key
from broker.web.people import AT_ONCE
from tests.people.conftest import ASKED, NAME, PASSWORD
from tests.simulator import SIJOKER, URL

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from tests.people.conftest import Officer, Registry

HTTPS = "https://sinergi.example.org"
HOST = f"{URL}/v1/people/host"


def body(officer: Officer, registry: Registry, **changed: Any) -> dict[str, Any]:
    return {"id": officer.id, "password": PASSWORD, "code": officer.code(registry.town.now), **changed}


def reason(response: Any, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["reason"])


@pytest.mark.parametrize(("headers", "allowed"), [
    ({}, True), ({"Origin": URL}, True), ({"Sec-Fetch-Site": "same-origin"}, True), ({"Origin": URL, "Sec-Fetch-Site": "same-origin"}, True),
    ({"Origin": "null"}, False), ({"Origin": "https://sinergi.example.com"}, False), ({"Origin": URL + "0"}, False), ({"Origin": ""}, False), ({"Origin": URL.replace("127.0.0.1", "localhost")}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False), ({"Sec-Fetch-Site": "same-site"}, False), ({"Sec-Fetch-Site": "none"}, False), ({"Origin": URL, "Sec-Fetch-Site": "cross-site"}, False),
])  # fmt: skip
def test_a_state_change_comes_from_our_own_page_or_from_a_program(registry: Registry, headers: dict[str, str], allowed: bool) -> None:
    officer, http = registry.active(), registry.http()
    answers = [http.post("/v1/session", json=body(officer, registry), headers=headers)]
    if not allowed:
        assert reason(answers[0], 403) == "asal"
        assert http.post("/v1/session", json=body(officer, registry)).status_code == 200
    _, token = registry.invite()
    setup = http.post("/v1/people/setup", json={"token": token, "password": PASSWORD}, headers=headers)
    out = http.delete("/v1/session", headers=headers)
    assert [setup.status_code, out.status_code] == ([200, 204] if allowed else [403, 403])
    assert http.get("/v1/session").status_code == (401 if allowed else 200)


def test_setting_up_over_http(registry: Registry) -> None:
    http, (person, token) = registry.http(), registry.invite()
    first = http.post("/v1/people/setup", json={"token": token, "password": PASSWORD})
    assert (first.status_code, first.json()["person"], first.headers["cache-control"]) == (200, person.id, "no-store")
    assert first.json()["otpauth"].startswith("otpauth://totp/Sinergi:petugas-1%40sijunjung?secret=")
    assert reason(http.post("/v1/people/setup", json={"token": token, "password": PASSWORD}), 403) == "tautan"
    assert reason(http.post("/v1/people/setup", json={"confirm": first.json()["confirm"], "code": "abc"}), 401) == "masuk"
    app = pyotp.parse_uri(first.json()["otpauth"])
    assert isinstance(app, pyotp.TOTP)
    code = app.at(registry.town.now)
    assert http.post("/v1/people/setup", json={"confirm": first.json()["confirm"], "code": code}).json() == {"person": person.id, "state": "active"}


def test_a_weak_password_says_what_is_wanted_and_not_what_was_given(registry: Registry) -> None:
    response = registry.http().post("/v1/people/setup", json={"token": registry.invite()[1], "password": "password1234"})
    assert reason(response, 422) == "sandi"
    assert "password1234" not in response.text


@pytest.mark.parametrize("sent", [
    b"", b"[]", b"{}", b"null", b'{"id": "x", "password": "y"}', b'{"id": "x", "password": "y", "code": 123456}', b'{"id": "x", "password": "y", "code": "1", "more": ""}',
    b'{"id": "x", "id": "z", "password": "y", "code": "1"}', b'{"id": ["x"], "password": "y", "code": "1"}', b'{"id": "x\\u0000", "password": "y", "code": "1"}',
    b'{"id": "\\ud800", "password": "y", "code": "1"}', b"\xff{}", b"[" * 4000, b"id=x&password=y&code=1", b'{"id": "x", "password": "y", "code": "1"} {}', b'{"id": NaN, "password": "y", "code": "1"}',
])  # fmt: skip
def test_a_body_of_another_shape_is_refused(registry: Registry, sent: bytes) -> None:
    http = registry.http()
    response = http.post("/v1/session", content=sent, headers={"Content-Type": "application/json"})
    assert reason(response, 400) == "parameter"
    assert response.json()["facts"] == {"parameter": "isi"}


def test_a_body_that_is_large_or_a_form_is_refused(registry: Registry) -> None:
    officer, http = registry.active(), registry.http()
    large = http.post("/v1/session", json=body(officer, registry, password="x" * 4096))
    assert reason(large, 413) == "terlalu_besar"
    sent = json.dumps(body(officer, registry)).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert reason(http.post("/v1/session", content=sent, headers={"Content-Type": kind}), 400) == "parameter"
    assert http.post("/v1/session", content=sent, headers={"Content-Type": "application/json; charset=utf-8"}).status_code == 200


def test_every_failure_is_the_same_answer_to_the_byte(registry: Registry) -> None:
    officer, http = registry.active(), registry.http()
    tried = [body(officer, registry, password="salah sekali ini"), body(officer, registry, code="000000x"), body(officer, registry, id="petugas-9@sijunjung")]
    answers = [http.post("/v1/session", json=one) for one in tried]
    with registry.town.office.ledger.database.write() as tx:
        tx.people.change_credential(officer.id, locked=int(registry.town.now.timestamp()) + 60)
    answers.append(http.post("/v1/session", json=body(officer, registry)))
    assert {(a.status_code, a.content, tuple(sorted(a.headers))) for a in answers} == {(401, answers[0].content, tuple(sorted(answers[0].headers)))}
    assert not any("set-cookie" in a.headers for a in answers)


def signed_in(registry: Registry, url: str = URL, **changed: Any) -> tuple[TestClient, Officer, str]:
    officer, http = registry.active(**changed), registry.http(url)
    response = http.post("/v1/session", json=body(officer, registry))
    assert response.status_code == 200, response.text
    return http, officer, response.headers["set-cookie"]


def test_the_cookie_is_for_us_alone(registry: Registry) -> None:
    _, _, plain = signed_in(registry)
    assert set(plain.split("; ")[1:]) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"}
    assert plain.startswith("sinergi=")
    http, officer, safe = signed_in(registry, HTTPS)
    assert safe.startswith("__Host-sinergi=")
    assert set(safe.split("; ")[1:]) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict", "Secure"}
    assert http.get("/v1/session").json()["person"] == officer.id
    out = http.delete("/v1/session")
    assert out.headers["set-cookie"].startswith('__Host-sinergi=""')
    assert "Secure" in out.headers["set-cookie"]


def test_a_session_says_who_and_what_the_role_covers_today(registry: Registry) -> None:
    http, officer, _ = signed_in(registry)
    assert http.get("/v1/session").json() == {
        "person": officer.id, "party": "sijunjung", "role": "petugas_keamanan", "agreements": ["nk-sijunjung-2025"],
        "acts": ["baca_log", "hentikan", "sahkan_kunci", "setujui_kebijakan", "tulis_kebijakan"], "starts": "2026-01-01", "ends": "2027-06-30",
    }  # fmt: skip
    http, officer, _ = signed_in(registry, role="administrator", party="", ends=None)
    said = http.get("/v1/session").json()
    assert (said["person"], said["acts"], said["ends"]) == (officer.id, ["kelola_akun"], None)


def test_signing_out_is_for_good_and_needs_a_session(registry: Registry) -> None:
    http, _, cookie = signed_in(registry)
    token = cookie.split(";")[0].partition("=")[2]
    assert http.delete("/v1/session").status_code == 204
    http.cookies.set("sinergi", token, domain="127.0.0.1")
    assert reason(http.get("/v1/session"), 401) == "sesi"
    assert reason(http.delete("/v1/session"), 401) == "sesi"
    for forged in ("", "x", token.upper()):
        http.cookies.set("sinergi", forged, domain="127.0.0.1")
        assert reason(http.get("/v1/session"), 401) == "sesi"


def test_a_session_over_http_rests_half_an_hour(registry: Registry) -> None:
    http, _, _ = signed_in(registry)
    registry.town.now += timedelta(minutes=29)
    assert http.get("/v1/session").status_code == 200
    registry.town.now += timedelta(minutes=30)
    assert reason(http.get("/v1/session"), 401) == "sesi"


def test_sign_ins_do_not_take_every_thread(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    officer, http, go = registry.active(), registry.http(), threading.Event()
    sent, seen = body(officer, registry), []

    class Slow:
        def verify(self, *_: str) -> None:
            go.wait(30)
            raise VerifyMismatchError

    monkeypatch.setattr(passwords, "_HASHER", Slow())
    threads = [threading.Thread(target=lambda: seen.append(http.post("/v1/session", json=sent).status_code)) for _ in range(AT_ONCE + 4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        if len(seen) == 4:
            break
        threading.Event().wait(0.1)
    assert seen == [503] * 4
    go.set()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [401] * AT_ONCE + [503] * 4


# --- the host
def asked(**changed: Any) -> bytes:
    values = {"act": "invite", "role": ASKED["role"], "party": ASKED["party"], "appointment": ASKED["appointment"], "from": "2026-01-01", "to": "2027-06-30", "agreements": [], "name": NAME}
    return canonical({**values, **changed})


def by_host(registry: Registry, data: bytes, *, key: RequestKey | None = None, sent: bytes | None = None, url: str = HOST) -> Any:
    headers = sign_request("POST", url, {"Content-Type": "application/json"}, key or host_key(registry.town.office), registry.town.now, hashlib.sha256(data).digest())
    return registry.http().post("/v1/people/host", content=data if sent is None else sent, headers=headers)


def test_only_the_hosts_own_key_makes_accounts(registry: Registry) -> None:
    officer = registry.enrolled(role="administrator", party="", ends=None)
    for key in (officer.key, registry.town.province.ring(SIJOKER).get(RequestKey, "request")):
        assert reason(by_host(registry, asked(), key=key), 401) == "tanda_tangan"
    assert reason(registry.http().post("/v1/people/host", json={}), 401) == "tanda_tangan"
    assert reason(by_host(registry, asked(), url="http://localhost:8470/v1/people/host"), 401) == "tanda_tangan"
    assert reason(by_host(registry, asked(), sent=asked(role="ppdp")), 400) == "isi_berubah"
    with registry.town.office.ledger.database.read() as tx:
        assert len(tx.people.list()) == 1
    made = by_host(registry, asked())
    assert (made.status_code, made.json()["person"], made.headers["cache-control"]) == (200, "petugas-1@sijunjung", "no-store")


def test_the_hosts_request_counts_once(registry: Registry) -> None:
    data = asked()
    headers = sign_request("POST", HOST, {"Content-Type": "application/json"}, host_key(registry.town.office), registry.town.now, hashlib.sha256(data).digest())
    http = registry.http()
    assert http.post("/v1/people/host", content=data, headers=headers).status_code == 200
    assert reason(http.post("/v1/people/host", content=data, headers=headers), 409) == "ulang"
    registry.town.now += timedelta(seconds=61)
    assert reason(http.post("/v1/people/host", content=data, headers=headers), 401) == "waktu"


@pytest.mark.parametrize("changed", [
    {"act": "hapus"}, {"from": "2026-13-01"}, {"from": "1 Januari"}, {"to": ""}, {"to": 7}, {"agreements": [["x"]]}, {"agreements": "nk"}, {"more": ""}, {"role": None},
])  # fmt: skip
def test_a_host_act_of_another_shape_is_refused(registry: Registry, changed: dict[str, Any]) -> None:
    assert reason(by_host(registry, asked(**changed)), 400) == "parameter"
    assert registry.acts() == []


def test_the_host_ends_renews_and_enrols(registry: Registry) -> None:
    officer = registry.keys(registry.active())
    assert officer.public
    voucher = registry.town.voucher(officer.public)
    assert voucher
    keys = {"act": "enrol", "person": officer.id, "keys": base64.b64encode(officer.public.to_json()).decode(), "fingerprint": officer.public.fingerprint, "voucher": base64.b64encode(voucher).decode()}
    assert reason(by_host(registry, canonical({**keys, "keys": "bukan base64"})), 400) == "parameter"
    assert reason(by_host(registry, canonical({**keys, "fingerprint": "0"})), 422) == "akun"
    assert reason(by_host(registry, canonical({**keys, "voucher": ""})), 422) == "akun"
    assert by_host(registry, canonical(keys)).json() == {"person": officer.id}
    person, old = registry.invite()
    answer = by_host(registry, canonical({"act": "link", "person": person.id})).json()
    assert answer["person"] == person.id
    assert answer["token"] != old
    assert by_host(registry, canonical({"act": "end", "person": officer.id})).json() == {"person": officer.id}
    assert reason(by_host(registry, canonical({"act": "end", "person": officer.id})), 422) == "akun"
    assert registry.acts() == ["invited", "set_up", "key_enrolled", "invited", "invited", "ended"]
