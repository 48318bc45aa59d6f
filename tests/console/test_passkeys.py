"""Passkeys at the console: made, vouched for, and approving what they were shown; and what a wrong one, a wrong page or a wrong moment gets."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from broker import lifecycle, people
from broker.client import Client
from broker.client.approvals import Approver, verify_version
from broker.client.officer import Officer as Desk
from broker.envelope.passkey import b64url, from_b64url
from broker.errors import ClientError, LedgerError, NotVerified, Refusal
from broker.jcs import canonical
from broker.keys import read_public_set
from tests.authenticator import CREDENTIAL, PRESENT, Authenticator
from tests.console.conftest import Visitor
from tests.simulator import SIJOKER, SYSTEMS, URL

if TYPE_CHECKING:

    from broker.model import Person
    from tests.console.conftest import House, Screen
    from tests.people.conftest import Officer

HOST = "http://localhost:8470"
NK = "nk-sijunjung-2025"
STEP = timedelta(seconds=90)  # so that the next code is a new one


@pytest.fixture(autouse=True)
def _quick_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.lifecycle.drafts.CHECK_SECONDS", 0.0)


@pytest.fixture
def url() -> str:
    """A name: browsers make no passkey for an address in numbers."""
    return HOST


def person(house: House, officer: Officer) -> Person:
    return house.registry.get(officer.id)


def proposed(house: House, author: Officer, column: str = "pendidikan_tertinggi") -> str:
    """A draft with one more cap, proposed."""
    office, who = house.town.office, person(house, author)
    rule = f"K.uji,*,{NK},pencari_kerja.{column},*,*,*,0,2025-03-20,2028-03-20,{NK}: Pasal 9 ayat (1),deny,tidak\n"
    draft = lifecycle.new_draft(office, who, office.policy.rules + rule.encode(), house.town.now).id
    lifecycle.propose(office, who, draft, house.town.now)
    return draft


def vouch(house: House, owner: str, file: Path, fingerprint: str) -> str:
    """What `broker keys vouch-passkey` writes in the home of `owner`: an officer, or a party's system."""
    home = house.town.folder / owner if "-" in owner.partition("@")[0] else house.town.province.parties / owner
    with Client.at(home, lambda: house.town.now) as client:
        return client.vouch_passkey(file.read_bytes(), fingerprint).read_text()


def form(text: str, kind: str) -> dict[str, str]:
    """The data attributes of the page's form for the authenticator."""
    found = re.search(rf'<form[^>]* data-passkey="{kind}"[^>]*>', text)
    assert found, text
    return {name: unescape(value) for name, value in re.findall(r'data-([a-z]+)="([^"]*)"', found[0])}


def make(house: House, visitor: Visitor, officer: Officer, authenticator: Authenticator, **wrong: Any) -> Any:
    page = visitor.get("/kunci-sandi").text
    client, data = authenticator.made(from_b64url(form(page, "create")["challenge"]), **wrong)
    house.town.now += STEP
    return visitor.post("/kunci-sandi", {"kode": officer.code(house.town.now), "klien": b64url(client), "autentikator": b64url(data)})


def ready(house: House, visitor: Any, role: str = "ppdp", party: str = "sijunjung", authenticator: Authenticator | None = None) -> tuple[Officer, Authenticator, Visitor]:
    """An officer with a passkey that their own key vouches for, signed in."""
    officer, authenticator = house.officer(role, party), authenticator or Authenticator(HOST)
    one = visitor(officer)
    assert make(house, one, officer, authenticator).status_code == 303
    passkey = authenticator.passkey(officer.id)
    file = house.town.folder / "kunci.json"
    file.write_bytes(one.get(f"/kunci-sandi/berkas/{passkey.credential}").content)
    voucher = vouch(house, officer.id, file, passkey.fingerprint)
    assert one.post("/kunci-sandi/jaminan", {"kunci": passkey.credential, "jaminan": voucher}).status_code == 303
    return officer, authenticator, one


def shown(visitor: Visitor, draft: str) -> bytes:
    """The statement that the page asks to sign."""
    found = re.search(r'name="pernyataan" value="([^"]+)"', visitor.get(f"/kebijakan/{draft}/setujui").text)
    assert found
    return from_b64url(found[1])


def approvals(house: House, draft: str) -> dict[str, bytes]:
    with house.town.office.ledger.database.read() as tx:
        return tx.versions.approvals(draft)


def test_a_passkey_approves_and_the_version_keeps_its_answer(house: House, visitor: Any) -> None:
    author = house.officer("petugas_keamanan")
    draft = proposed(house, author)
    officer, authenticator, one = ready(house, visitor)
    assert one.post(f"/kebijakan/{draft}/setujui", authenticator.answer(shown(one, draft))).status_code == 303
    assert "Anda sudah menyetujui" in one.get(f"/kebijakan/{draft}/setujui").text
    policy = lifecycle.publish(house.town.office, person(house, author), draft, house.town.now)
    assert policy.version == 2
    assert json.loads(lifecycle.version(house.town.office, 2).record)["approvals"][0]["kind"] == "webauthn"
    kept = json.loads(lifecycle.approvals_of(house.town.office, 2)[officer.id])
    assert kept["kind"] == "webauthn"
    assert json.loads(from_b64url(kept["statement"]))["policy_sha256"] == policy.sha256
    house.town.reopen()
    assert house.town.office.policy.version == 2


@pytest.fixture
def scene(house: House, visitor: Any) -> Scene:
    author = house.officer("petugas_keamanan")
    draft = proposed(house, author)
    return Scene(house, author, draft, *ready(house, visitor))


@dataclass
class Scene:
    """A proposed draft, and an officer whose passkey counts. `send` posts an answer; `refused` says that it did nothing."""

    house: House
    author: Officer
    draft: str
    officer: Officer
    authenticator: Authenticator
    one: Visitor

    def send(self, answer: dict[str, str], draft: str = "") -> int:
        return int(self.one.post(f"/kebijakan/{draft or self.draft}/setujui", answer).status_code)

    def refused(self, answer: dict[str, str], status: int = 422) -> None:
        assert self.send(answer) == status
        assert approvals(self.house, self.draft) == {}

    def statement_of(self, version: dict[str, Any]) -> bytes:
        return from_b64url(json.loads(version["approvals"][self.officer.id])["statement"])

    def statement(self, **changed: Any) -> bytes:
        return canonical({**json.loads(shown(self.one, self.draft)), **changed})


OTHERWISE: list[dict[str, Any]] = [
    {"flags": PRESENT}, {"rp": "broker.example"}, {"origin": "http://localhost:9999"}, {"origin": "https://jahat.example"}, {"crossOrigin": True}, {"kind": "webauthn.create"}, {"challenge": b"another"},
]  # fmt: skip
OVER_ANOTHER: list[tuple[dict[str, Any], int]] = [
    ({"draft": "00" * 8}, 422), ({"person": "ppdp-9@sijunjung"}, 422), ({"type": "sinergi/voucher/v1"}, 422), ({"more": 1}, 422), ({"policy_sha256": "00" * 32}, 409),
    ({"base_version": 2}, 409), ({"base_sha256": "00" * 32}, 409), ({"addendum": "Adendum 1"}, 409), ({"base_version": "1"}, 422),
]  # fmt: skip


def test_an_answer_without_the_officer_from_another_page_or_over_something_else_approves_nothing(scene: Scene) -> None:
    statement = scene.statement()
    for wrong in OTHERWISE:
        scene.refused(scene.authenticator.answer(statement, **wrong))
    for changed, status in OVER_ANOTHER:
        scene.refused(scene.authenticator.answer(canonical({**json.loads(statement), **changed})), status)
    assert scene.send(scene.authenticator.answer(statement)) == 303


def test_a_form_that_was_tampered_with_approves_nothing(scene: Scene) -> None:
    answer = scene.authenticator.answer(scene.statement())
    for field in ("kunci", "klien", "autentikator", "tanda", "pernyataan"):
        scene.refused({name: text for name, text in answer.items() if name != field})
        for value in ("", "A", "====", "<script>", "\u0660"):
            scene.refused(answer | {field: value})


def test_the_same_answer_twice_is_one_approval_and_one_entry(scene: Scene) -> None:
    answer = scene.authenticator.answer(scene.statement())
    assert [scene.send(answer), scene.send(answer)] == [303, 303]
    assert list(approvals(scene.house, scene.draft)) == [scene.officer.id]
    entries = [e for e in scene.house.town.entries(NK) if e.get("act") == "approved"]
    assert [(e["person"], e["kind"]) for e in entries] == [(scene.officer.id, "webauthn")]


def test_an_answer_does_not_approve_another_draft(scene: Scene) -> None:
    other = proposed(scene.house, scene.author, "kode_pos")
    assert scene.send(scene.authenticator.answer(scene.statement()), other) == 422
    assert approvals(scene.house, other) == {}


def test_a_counter_that_goes_back_approves_nothing(scene: Scene) -> None:
    scene.authenticator.counter = 1
    scene.refused(scene.authenticator.answer(scene.statement()))
    scene.authenticator.counter = 0
    scene.refused(scene.authenticator.answer(scene.statement()))
    scene.authenticator.counter = 9
    assert scene.send(scene.authenticator.answer(scene.statement())) == 303


def test_an_edit_takes_the_approval_away_and_its_answer_does_not_come_back(scene: Scene) -> None:
    office, who, now = scene.house.town.office, person(scene.house, scene.author), scene.house.town.now
    answer = scene.authenticator.answer(scene.statement())
    assert scene.send(answer) == 303
    row = lifecycle.read_draft(office, who, scene.draft, now)
    lifecycle.edit(office, who, scene.draft, row.rules.replace(b"pendidikan_tertinggi,*", b"kode_pos,*"), lifecycle.sha256(row.rules), now)
    scene.refused(answer, 409)
    lifecycle.propose(office, who, scene.draft, now)
    scene.refused(answer, 409)


def test_the_passkey_of_another_officer_approves_nothing(scene: Scene, visitor: Any) -> None:
    other, _, one = ready(scene.house, visitor, "petugas_keamanan")
    statement = shown(one, scene.draft)
    assert one.post(f"/kebijakan/{scene.draft}/setujui", scene.authenticator.answer(statement)).status_code == 422
    assert approvals(scene.house, scene.draft) == {}
    assert other.id != scene.officer.id


def test_two_officers_at_once_are_two_approvals(scene: Scene, visitor: Any) -> None:
    _, authenticator, one = ready(scene.house, visitor, "petugas_keamanan")
    answers = [(scene.one, scene.authenticator.answer(scene.statement())), (one, authenticator.answer(shown(one, scene.draft)))]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda pair: pair[0].post(f"/kebijakan/{scene.draft}/setujui", pair[1], csrf=None).status_code, answers))
    assert done == [303, 303]
    assert len(approvals(scene.house, scene.draft)) == 2


def test_the_author_and_a_published_draft_are_told_so(scene: Scene, visitor: Any) -> None:
    author, authenticator = scene.author, Authenticator(HOST)
    one = visitor(author)
    make(scene.house, one, author, authenticator)
    assert "harus petugas lain" in one.get(f"/kebijakan/{scene.draft}/setujui").text
    answer = scene.authenticator.answer(scene.statement())
    assert scene.send(answer) == 303
    lifecycle.publish(scene.house.town.office, person(scene.house, author), scene.draft, scene.house.town.now)
    assert "sudah terbit" in scene.one.get(f"/kebijakan/{scene.draft}/setujui").text
    assert scene.send(answer) == 409
    assert scene.one.get("/kebijakan/<script>/setujui").status_code == 404


def test_a_removed_passkey_counts_no_more_and_what_was_published_stays(scene: Scene) -> None:
    assert scene.send(scene.authenticator.answer(scene.statement())) == 303
    credential = scene.authenticator.passkey(scene.officer.id).credential
    assert scene.one.post("/kunci-sandi/hapus", {"kunci": credential, "kode": "000000"}).status_code == 401
    assert "Kode salah" in scene.one.post("/kunci-sandi/hapus", {"kunci": credential, "kode": "000000"}).text
    scene.house.town.now += STEP
    assert scene.one.post("/kunci-sandi/hapus", {"kunci": credential, "kode": scene.officer.code(scene.house.town.now)}).status_code == 303
    with pytest.raises(Refusal, match="draf_persetujuan"):
        lifecycle.publish(scene.house.town.office, person(scene.house, scene.author), scene.draft, scene.house.town.now)
    assert [a for a in scene.house.registry.acts() if a.startswith("passkey")] == ["passkey_enrolled", "passkey_removed"]


def test_an_ended_officers_approval_counts_no_more(scene: Scene) -> None:
    office, now = scene.house.town.office, scene.house.town.now
    assert scene.send(scene.authenticator.answer(scene.statement())) == 303
    people.end(office, scene.officer.id, now)
    with pytest.raises(Refusal, match="draf_persetujuan"):
        lifecycle.publish(office, person(scene.house, scene.author), scene.draft, now)


def test_the_host_cannot_put_a_passkey_in_by_hand(scene: Scene) -> None:
    answer, statement = scene.authenticator.answer(scene.statement()), scene.statement()
    for change in ("SET voucher = CAST('{}' AS BLOB)", "SET voucher = NULL", "SET person = 'ppdp-9@sijunjung'"):
        with scene.house.town.office.ledger.database.write() as tx:
            tx._c.exec_driver_sql(f"UPDATE passkey {change}")
        scene.refused(answer)
    with scene.house.town.office.ledger.database.write() as tx:
        tx.people.change_passkey(answer["kunci"], person=scene.officer.id)
    forger = Authenticator(HOST, credential=scene.authenticator.credential)
    with scene.house.town.office.ledger.database.write() as tx:
        tx.people.change_passkey(forger.passkey("").credential, file=forger.passkey(scene.officer.id).to_json(), counter=0)
    scene.refused(forger.answer(statement))


def test_a_published_version_whose_kept_answer_was_changed_does_not_start(scene: Scene) -> None:
    house, statement = scene.house, scene.statement()
    assert scene.send(scene.authenticator.answer(statement)) == 303
    lifecycle.publish(house.town.office, person(house, scene.author), scene.draft, house.town.now)
    forger = Authenticator(HOST, credential=scene.authenticator.credential)
    forged = forger.assertion(scene.officer.id, json.loads(approvals(house, scene.draft)[scene.officer.id])["voucher"].encode(), forger.answer(statement))
    with house.town.office.ledger.database.write() as tx:
        tx.versions.approve(scene.draft, scene.officer.id, forged.to_json())
    with pytest.raises(LedgerError, match="approval of policy version 2 is missing or not signed"):
        lifecycle.verified(house.town.office, logs=False)


def test_anyone_checks_a_passkeys_approval_offline_and_notices_what_was_changed(scene: Scene) -> None:
    house, town = scene.house, scene.house.town
    assert scene.send(scene.authenticator.answer(scene.statement())) == 303
    lifecycle.publish(town.office, person(house, scene.author), scene.draft, town.now)
    home = town.folder / scene.author.id
    shutil.copy(town.province.home / "public.json", home / "broker.json")
    parties = [town.province.public(system) for system in SYSTEMS]
    with TestClient(town.app(), base_url=URL) as http:
        officer = Desk.at(home, lambda: town.now, http)
        assert officer.approvers(2, parties) == [Approver(scene.officer.id, passkey=True)]
        assert officer.approvers(1, parties) == []
        found = officer.version(2)
    broker = read_public_set((home / "broker.json").read_bytes())
    who = scene.officer.id
    forger = Authenticator(HOST)
    forged = forger.assertion(who, json.loads(found["approvals"][who])["voucher"].encode(), forger.answer(scene.statement_of(found))).to_json().decode()
    wrongs: list[dict[str, Any]] = [
        {"approvals": {who: forged}}, {"approvals": {}}, {"rules": found["rules"] + " "}, {"number": 3}, {"officers": {}}, {"officers": {who: {**found["officers"][who], "voucher": ""}}}, {"dsse": "{}"},
    ]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(NotVerified):
            verify_version(found | wrong, broker, parties)
    with pytest.raises(NotVerified):
        verify_version(found, broker, [keys for keys in parties if "sijunjung" not in keys.owner])


# --- making one, and having it vouched for
def test_what_the_page_did_not_ask_for_is_not_registered(house: House, visitor: Any) -> None:
    officer = house.officer("ppdp")
    one = visitor(officer)
    wrongs: list[dict[str, Any]] = [{"flags": PRESENT | CREDENTIAL}, {"origin": "https://jahat.example"}, {"rp": "jahat.example"}, {"kind": "webauthn.get"}]
    for wrong in wrongs:
        answer = make(house, one, officer, Authenticator(HOST), **wrong)
        assert answer.status_code == 422
        assert "tidak dapat didaftarkan" in answer.text
    assert "belum punya" in one.get("/kunci-sandi").text


def test_a_passkey_made_for_another_session_or_twice_is_not_registered(house: House, visitor: Any) -> None:
    officer, another = house.officer("ppdp"), house.officer("ppdp")
    authenticator, one = Authenticator(HOST), visitor(officer)
    page = visitor(another).get("/kunci-sandi").text
    client, data = authenticator.made(from_b64url(form(page, "create")["challenge"]))
    house.town.now += STEP
    assert one.post("/kunci-sandi", {"kode": officer.code(house.town.now), "klien": b64url(client), "autentikator": b64url(data)}).status_code == 422
    assert make(house, one, officer, authenticator).status_code == 303
    assert make(house, visitor(another), another, authenticator).status_code == 422


def test_no_more_than_five(house: House, visitor: Any) -> None:
    officer = house.officer("ppdp")
    one = visitor(officer)
    assert [make(house, one, officer, Authenticator(HOST)).status_code for _ in range(6)] == [303] * 5 + [422]


def test_who_approves_no_policies_has_no_passkeys(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    assert (one.get("/kunci-sandi").status_code, one.post("/kunci-sandi", {"kode": "1"}).status_code) == (403, 403)
    assert "Kunci sandi" not in one.get("").text


def test_only_the_right_word_makes_a_passkey_count(house: House, visitor: Any) -> None:
    officer, other = house.officer("ppdp"), house.officer("petugas_keamanan")
    draft = proposed(house, other)
    authenticator, one = Authenticator(HOST), visitor(officer)
    make(house, one, officer, authenticator)
    passkey = authenticator.passkey(officer.id)
    file = house.town.folder / "kunci.json"
    file.write_bytes(passkey.to_json())
    with pytest.raises(ClientError, match="fingerprint"):
        vouch(house, officer.id, file, "00" * 32)
    with pytest.raises(ClientError, match="no officer of your party"):
        vouch(house, "siapkerja@kemnaker", file, passkey.fingerprint)
    of_keys = house.town.voucher(officer.public) if officer.public else None
    wrong = [vouch(house, other.id, file, passkey.fingerprint), vouch(house, SIJOKER, file, passkey.fingerprint), "", "{}", "<script>", (of_keys or b"").decode()]
    for text in wrong:
        answer = one.post("/kunci-sandi/jaminan", {"kunci": passkey.credential, "jaminan": text})
        assert answer.status_code == 422
        assert "Jaminan ini tidak berlaku" in answer.text
        assert "<script>" not in answer.text.replace("<script src", "")
    assert one.post(f"/kebijakan/{draft}/setujui", authenticator.answer(b"{}")).status_code == 422
    assert "belum punya kunci sandi yang dijamin" in one.get(f"/kebijakan/{draft}/setujui").text
    assert visitor(other).post("/kunci-sandi/jaminan", {"kunci": passkey.credential, "jaminan": vouch(house, officer.id, file, passkey.fingerprint)}).status_code == 422
    assert visitor(other).get(f"/kunci-sandi/berkas/{passkey.credential}").status_code == 422


def test_an_officer_without_keys_approves_once_their_partys_system_vouches(house: House, visitor: Any) -> None:
    author, officer = house.officer("petugas_keamanan"), house.registry.active(role="ppdp")
    draft = proposed(house, author)
    authenticator, one = Authenticator(HOST), visitor(officer)
    assert one.get(f"/kebijakan/{draft}/setujui").status_code == 403
    make(house, one, officer, authenticator)
    passkey = authenticator.passkey(officer.id)
    file = house.town.folder / "kunci.json"
    file.write_bytes(passkey.to_json())
    assert one.post("/kunci-sandi/jaminan", {"kunci": passkey.credential, "jaminan": vouch(house, SIJOKER, file, passkey.fingerprint)}).status_code == 303
    assert one.post(f"/kebijakan/{draft}/setujui", authenticator.answer(shown(one, draft))).status_code == 303
    assert lifecycle.publish(house.town.office, person(house, author), draft, house.town.now).version == 2
    house.town.reopen()


def test_at_an_address_in_numbers_the_page_says_why_not(house: House, visitor: Any, http: Any) -> None:
    officer = house.officer("ppdp")
    with TestClient(house.town.app(), base_url=URL, raise_server_exceptions=False) as other:
        page = Visitor(other, URL, house.token(officer)).get("/kunci-sandi").text
    assert "berupa angka" in page
    assert "data-passkey" not in page


# --- in a real browser, with chromium's own authenticator
def test_an_officer_makes_a_passkey_has_it_vouched_for_and_approves(screen: Screen) -> None:
    house = screen.house
    author, officer = house.officer("petugas_keamanan"), house.officer("ppdp")
    draft = proposed(house, author)
    page = screen.sign_in(officer)
    session = screen.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    authenticator = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    screen.go(page, "/kunci-sandi")
    house.town.now += STEP
    page.get_by_label("Kode 6 angka").fill(officer.code(house.town.now))
    page.get_by_role("button", name="Buat kunci sandi").click()
    page.get_by_text("Menunggu jaminan").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(r"kunci-sandi-.*\.json")).click()
    command = page.locator("pre").inner_text()
    voucher = house.town.folder / "jaminan"
    fingerprint = re.search(r'"([0-9a-f ]+)"', command)
    assert fingerprint
    voucher.write_text(vouch(house, officer.id, Path(download.value.path()), fingerprint[1]))
    page.get_by_label("Berkas jaminan").set_input_files(voucher)
    page.get_by_role("button", name="Serahkan jaminan").click()
    page.get_by_text("mulai sekarang berlaku").wait_for()

    screen.go(page, f"/kebijakan/{draft}/setujui")
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    page.get_by_role("button", name="Setujui dengan kunci sandi").click()
    page.get_by_text("Dibatalkan").wait_for()
    screen.check(page)
    assert approvals(house, draft) == {}
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    page.get_by_role("button", name="Setujui dengan kunci sandi").click()
    page.get_by_text("Anda sudah menyetujui").wait_for()
    assert lifecycle.publish(house.town.office, person(house, author), draft, house.town.now).version == 2


def test_without_javascript_the_page_says_so_and_shows_the_command(plain_screen: Screen) -> None:
    house = plain_screen.house
    author, officer = house.officer("petugas_keamanan"), house.officer("ppdp")
    draft = proposed(house, author)
    page = plain_screen.sign_in(officer)
    plain_screen.go(page, "/kunci-sandi")
    assert page.get_by_text("memerlukan JavaScript").is_visible()
    assert page.get_by_role("button", name="Buat kunci sandi").is_disabled()
    plain_screen.go(page, f"/kebijakan/{draft}/setujui")
    assert page.get_by_text(f"broker policy approve {draft}").is_visible()
