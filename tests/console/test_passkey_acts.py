"""What officers approve by a passkey besides policies: keys of their system, the end of an agreement, who is behind a token. Anything but their own fresh answer for exactly that does nothing."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker import ending, enrolment
from broker.assertions import APPROVE_ENDING, holds
from broker.envelope.passkey import from_b64url
from broker.jcs import canonical
from broker.model import WIB
from broker.record import BROKER_LOG, event
from tests.authenticator import PRESENT, Authenticator
from tests.console.test_passkeys import HOST, make, ready, vouch
from tests.console.test_unmasking import asked, received
from tests.peers.conftest import Keys
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from tests.console.conftest import House, Screen, Visitor
    from tests.people.conftest import Officer

NK = "nk-sijunjung-2025"


@pytest.fixture
def url() -> str:
    """A name: browsers make no passkey for an address in numbers."""
    return HOST


@dataclass
class Act:
    """Something that waits for one officer's passkey. page: gives the page that asks. to: where its form goes. done: whether it is done."""

    house: House
    officer: Officer
    authenticator: Authenticator
    one: Visitor
    page: Callable[[], str]
    to: str
    more: dict[str, str]
    done: Callable[[], bool]
    log: str
    kept: tuple[str, str]  # type and act of the entry

    def statement(self) -> dict[str, Any]:
        found = re.search(r'name="pernyataan" value="([^"]+)"', self.page())
        assert found
        return dict(json.loads(from_b64url(found[1])))

    def send(self, answer: dict[str, str]) -> int:
        return int(self.one.post(self.to, {**answer, **self.more}).status_code)

    def entry(self) -> dict[str, Any]:
        found = [e for e in self.house.town.entries(self.log) if (e["type"], e.get("act", "")) == self.kept]
        return dict(found[-1])


def confirming(house: House, visitor: Any, _http: Any) -> Act:
    keys = Keys(house.town)
    officer, authenticator, one = ready(house, visitor)
    public, _ = keys.made("baru")
    keys.propose(public)
    more = {"sidik": public.fingerprint}
    return Act(
        house, officer, authenticator, one, lambda: one.post(f"/kunci/{SIJOKER}/sahkan", more).text, f"/kunci/{SIJOKER}/sahkan/jawab", more, lambda: keys.states() != ["active", "proposed"], NK,
        ("sinergi/keys/v1", "confirmed"),
    )  # fmt: skip


def over(house: House, visitor: Any, _http: Any) -> Act:
    house.registry.asked["ends"] = None
    house.town.now = datetime(2028, 3, 21, 8, tzinfo=WIB)
    officer, authenticator, one = ready(house, visitor, role="admin_pihak")
    path = f"/kunci/{NK}/pemusnahan"
    return Act(
        house, officer, authenticator, one, lambda: one.get(path).text, path, {}, lambda: bool(ending.approved(house.town.office, NK, house.town.now)), NK, ("sinergi/keys/v1", "ending_approved")
    )


def unmasking(house: House, visitor: Any, _http: Any) -> Act:
    exchange, tokens, _ = received(house.town, house.town.http())
    asker = visitor(house.officer("operator", "kemnaker"))
    path = asker.post("/samaran/ajukan", asked(asker, exchange, tokens[0])).headers["location"].removeprefix("/konsol")
    officer, authenticator, one = ready(house, visitor, role="pembuka_samaran")

    def approved() -> bool:
        with house.town.office.ledger.database.read() as tx:
            return bool(tx.identities.approvers(path.rpartition("/")[2]))

    return Act(house, officer, authenticator, one, lambda: one.get(path).text, f"{path}/setujui", {}, approved, NK, ("sinergi/identity/v1", "approved"))


@pytest.fixture(params=[confirming, over, unmasking], ids=["keys", "ending", "identities"])
def act(request: pytest.FixtureRequest, house: House, visitor: Any, http: TestClient) -> Act:
    return request.param(house, visitor, http)  # type: ignore[no-any-return]


def test_a_passkey_approves_and_the_entry_keeps_its_answer(act: Act) -> None:
    stated = act.statement()
    assert not act.done()
    assert act.send(act.authenticator.answer(canonical(stated))) == 303
    assert act.done()
    kept = act.entry()["answer"]
    assert json.loads(from_b64url(kept["statement"])) == stated
    assert json.loads(kept["passkey"])["person"] == act.officer.id
    person = act.house.registry.get(act.officer.id)
    assert holds(act.house.town.office, person, stated["act"], stated["about"], kept, act.entry()["time"])


def test_an_answer_of_another_page_moment_or_thing_does_nothing(act: Act) -> None:
    """And says so in the log, where a request that a key signed would."""
    stated = act.statement()
    lies: list[dict[str, Any]] = [{"act": "open_all"}, {"person": "ppdp-9@sijunjung"}, {"type": "x"}, {"more": 1}, {"about": {}}, {"nonce": 1}, {"nonce": "00"}, {"time": "kemarin"}]
    wrong = [
        *(act.authenticator.answer(canonical(stated), **how) for how in ({"flags": PRESENT}, {"rp": "broker.example"}, {"origin": "https://jahat.example"}, {"challenge": b"x"}, {"kind": "webauthn.create"})),
        *(act.authenticator.answer(canonical({**stated, **changed})) for changed in lies),
        *(act.authenticator.answer(canonical({**stated, "about": {**stated["about"], name: "lain"}})) for name in stated["about"]),
        act.authenticator.answer(canonical(stated), padding="1303082104839001" * 1024),  # right, and longer than the log takes
        act.authenticator.answer(b"bukan pernyataan"),
        {**act.authenticator.answer(canonical(stated)), "tanda": "AAAA"},
        Authenticator(HOST).answer(canonical(stated)),
        {},
    ]  # fmt: skip
    assert [act.send(answer) for answer in wrong] == [422] * len(wrong)
    assert not act.done()
    refusals = [e for log in (BROKER_LOG, NK) for e in act.house.town.entries(log) if e["type"] == "sinergi/refusal/v1" and (e["reason"], e["sender"]) == ("persetujuan", act.officer.id)]
    assert len(refusals) == len(wrong)
    act.house.town.now += timedelta(minutes=10)
    assert act.send(act.authenticator.answer(canonical(stated))) == 422
    assert not act.done()


def test_a_passkey_that_was_copied_or_removed_or_lost_its_word_does_nothing(act: Act) -> None:
    stated = canonical(act.statement())
    before = act.authenticator.counter
    act.authenticator.counter = 1  # what the broker saw when it was made
    assert act.send(act.authenticator.answer(stated)) == 422
    act.authenticator.counter = before
    credential = act.authenticator.passkey(act.officer.id).credential
    with act.house.town.office.ledger.database.write() as tx:
        row = tx.people.passkey(credential)
        assert row
        tx.people.change_passkey(credential, voucher=(row.voucher or b"")[:-20] + b"A" * 20)
    assert act.send(act.authenticator.answer(stated)) in (403, 422)
    with act.house.town.office.ledger.database.write() as tx:
        tx.people.drop_passkey(credential)
    assert act.send(act.authenticator.answer(stated)) == 422
    assert not act.done()


def test_another_officers_answer_is_none(act: Act, visitor: Any) -> None:
    _, other, _ = ready(act.house, visitor)
    assert act.send(other.answer(canonical(act.statement()))) == 422
    assert not act.done()


def test_an_answer_counts_once(house: House, visitor: Any) -> None:
    """The approval that holds 30 days is not renewed by what was seen once, though the authenticator does not count."""
    house.registry.asked["ends"] = None
    house.town.now = datetime(2028, 3, 21, 8, tzinfo=WIB)
    officer, authenticator, one = ready(house, visitor, authenticator=Authenticator(HOST, counter=0))
    found = re.search(r'name="pernyataan" value="([^"]+)"', one.get(f"/kunci/{NK}/pemusnahan").text)
    assert found
    answer = authenticator.answer(from_b64url(found[1]))
    assert [one.post(f"/kunci/{NK}/pemusnahan", answer).status_code for _ in range(2)] == [303, 422]
    assert [e["person"] for e in house.town.entries(NK) if e.get("act") == "ending_approved"] == [officer.id]
    assert "Tidak ada yang perlu disetujui" in one.get(f"/kunci/{NK}/pemusnahan").text


def test_the_fingerprint_is_typed_and_another_is_refused_and_recorded(house: House, visitor: Any) -> None:
    keys = Keys(house.town)
    public, _ = keys.made("baru")
    keys.propose(public)
    _, _, one = ready(house, visitor)
    assert public.fingerprint.replace(" ", "") not in one.get("/kunci").text.replace(" ", "")
    wrong = one.post(f"/kunci/{SIJOKER}/sahkan", {"sidik": "0" * 64})
    assert (wrong.status_code, "pernyataan" in wrong.text, public.fingerprint.replace(" ", "") in wrong.text) == (422, False, False)
    assert [e["reason"] for e in house.town.entries(BROKER_LOG) if e["type"] == "sinergi/refusal/v1"] == ["kunci_sidik"]
    assert one.post(f"/kunci/{SIAPKERJA}/sahkan", {"sidik": public.fingerprint}).status_code == 403
    assert visitor(house.officer("auditor")).post(f"/kunci/{SIJOKER}/sahkan", {"sidik": public.fingerprint}).status_code == 403
    assert keys.states() == ["active", "proposed"]


def test_an_approval_that_the_log_has_without_its_answer_holding_is_none(house: House, visitor: Any) -> None:
    """As if someone wrote the entry: what it keeps is verified again when it counts."""
    act = over(house, visitor, None)
    stated = act.statement()
    assert act.send(act.authenticator.answer(canonical(stated))) == 303
    office, now = act.house.town.office, act.house.town.now + timedelta(days=31)
    kept, at = act.entry()["answer"], act.entry()["time"]
    stranger = Authenticator(HOST)
    forged = stranger.assertion(act.officer.id, kept["voucher"].encode(), stranger.answer(canonical(stated)))
    lies: list[dict[str, Any]] = [{**kept, "signature": kept["signature"][:-8] + "AAAAAAAA"}, {**kept, "statement": "e30"}, {}, {"more": "x"}, asdict(forged)]
    for changed in lies:
        assert not holds(office, act.house.registry.get(act.officer.id), APPROVE_ENDING, ending.about(NK), changed, at)
        with office.ledger.writing() as book:
            book.append(NK, event("keys", now, act="ending_approved", answer=changed, party="sijunjung", person=act.officer.id))
        assert ending.approved(office, NK, now) == {}
    with office.ledger.writing() as book:  # the very answer, of a month ago
        book.append(NK, event("keys", now, act="ending_approved", answer=kept, party="sijunjung", person=act.officer.id))
    assert ending.approved(office, NK, now) == {}
    other = act.house.officer("ppdp", ends=None)
    assert not holds(office, act.house.registry.get(other.id), APPROVE_ENDING, ending.about(NK), kept, at)


def test_an_approval_by_a_passkey_that_a_stolen_key_vouched_for_ends_nothing(house: House, visitor: Any) -> None:
    """One that was vouched for before the theft goes on to count, also when it was removed since."""
    house.registry.asked["ends"] = None
    house.town.now = datetime(2028, 3, 21, 8, tzinfo=WIB)
    office, officer, authenticator = house.town.office, house.registry.active(role="admin_pihak"), Authenticator(HOST)
    one, before = visitor(officer), house.town.now
    make(house, one, officer, authenticator)
    passkey, file = authenticator.passkey(officer.id), house.town.folder / "kunci.json"
    file.write_bytes(passkey.to_json())
    assert one.post("/kunci-sandi/jaminan", {"kunci": passkey.credential, "jaminan": vouch(house, SIJOKER, file, passkey.fingerprint)}).status_code == 303
    found = re.search(r'name="pernyataan" value="([^"]+)"', one.get(f"/kunci/{NK}/pemusnahan").text)
    assert found
    assert one.post(f"/kunci/{NK}/pemusnahan", authenticator.answer(from_b64url(found[1]))).status_code == 303
    entry = next(e for e in house.town.entries(NK) if e.get("act") == "ending_approved")
    house.town.now += timedelta(minutes=1)
    with office.ledger.database.write() as tx:
        tx.people.drop_passkey(passkey.credential)
    for since, counts in ((house.town.now, True), (before, False)):
        enrolment.revoke(office, None, SIJOKER, since, "bocor", house.town.now)
        assert holds(office, house.registry.get(officer.id), APPROVE_ENDING, ending.about(NK), entry["answer"], entry["time"]) is counts
        with office.ledger.database.write() as tx:
            for row in tx.peers.of(SIJOKER):
                tx.peers.change(row.fingerprint, state="active")


def test_in_a_real_browser_without_keys_of_their_own(screen: Screen) -> None:
    """Chromium's own authenticator confirms the system's new keys."""
    house = screen.house
    keys = Keys(house.town)
    public, _ = keys.made("baru")
    keys.propose(public)
    officer = house.officer("ppdp")
    page = screen.sign_in(officer)
    session = screen.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    screen.go(page, "/kunci-sandi")
    house.town.now += timedelta(seconds=90)
    page.get_by_label("Kode 6 angka").fill(officer.code(house.town.now))
    page.get_by_role("button", name="Buat kunci sandi").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(r"kunci-sandi-.*\.json")).click()
    found = re.search(r'"([0-9a-f ]+)"', page.locator("pre").inner_text())
    assert found
    page.locator("textarea").fill(vouch(house, officer.id, download.value.path(), found[1]))
    page.get_by_role("button", name="Serahkan jaminan").click()
    page.get_by_text("mulai sekarang berlaku").wait_for()
    screen.go(page, "/kunci")
    screen.check(page)
    page.get_by_label("Sidik jari dari surat itu").fill(public.fingerprint)
    page.get_by_role("button", name="Lanjut ke pengesahan").click()
    page.get_by_role("button", name="Sahkan dengan kunci sandi").wait_for()
    screen.check(page)
    assert keys.states() == ["active", "proposed"]
    page.get_by_role("button", name="Sahkan dengan kunci sandi").click()
    page.wait_for_url("**/konsol/kunci")
    assert keys.states() == ["retired", "active"]
