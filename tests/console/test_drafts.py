"""Drafts, versions and stops in the console: what is refused first, then each officer's whole job in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from broker import lifecycle
from broker.envelope import Approval, sign_dsse
from broker.envelope.dsse import APPROVAL
from broker.keys import ReceiptKey
from broker.model import utc_text
from broker.policy import Cell
from broker.web.console.drafts import spliced

if TYPE_CHECKING:

    from playwright.sync_api import Page

    from tests.console.conftest import House, Screen
    from tests.people.conftest import Officer

NK = "nk-sijunjung-2025"
CELL = {"kesepakatan": NK, "penerima": "siapkerja@kemnaker", "himpunan": "pencari_kerja", "kelas": "umum", "sel": "pendidikan_tertinggi.perencanaan"}
CAP = f"K.uji,*,{NK},pencari_kerja.pendidikan_tertinggi,*,*,*,0,2025-03-20,2028-03-20,{NK}: Pasal 9 ayat (1),deny,tidak"


@pytest.fixture(autouse=True)
def _no_random_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broker.lifecycle.drafts.CHECK_SECONDS", 0.0)


def rules(house: House) -> bytes:
    return house.town.office.policy.rules


def begun(house: House, officer: Officer, added: str = "") -> str:
    row = lifecycle.new_draft(house.town.office, house.registry.get(officer.id), rules(house) + (added + "\n").encode() if added else None, house.town.now)
    return row.id


def approve(house: House, officer: Officer, draft: str) -> None:
    """The officer's own signature, as their client makes it."""
    office, person = house.town.office, house.registry.get(officer.id)
    row = lifecycle.read_draft(office, person, draft, house.town.now)
    judged = lifecycle.judge(office, row)
    said = Approval(
        addendum=row.addendum or "", base_sha256=office.policy.sha256, base_version=office.policy.version, created=utc_text(house.town.now), draft=draft, person=officer.id,
        policy_sha256=judged.policy.sha256,
    )  # fmt: skip
    assert officer.ring
    lifecycle.approve(office, person, draft, sign_dsse(APPROVAL, said.to_json(), officer.ring.get(ReceiptKey, "receipt")).to_json(), house.town.now)


def code(house: House, officer: Officer) -> str:
    house.town.now += timedelta(seconds=90)
    return officer.code(house.town.now)


def digest(page: str) -> str:
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("role", ["auditor", "admin_pihak", "ppdp"])
def test_who_writes_no_policies_begins_no_draft(house: House, visitor: Any, role: str) -> None:
    one = visitor(house.officer(role))
    page = one.get("/kebijakan/draf")
    assert page.status_code == 200
    assert 'name="adendum"' not in page.text
    assert one.post("/kebijakan/draf", {"dari": "1"}).status_code == 403


def test_who_reads_anothers_draft_is_led_to_why(house: House, visitor: Any) -> None:
    draft = begun(house, house.officer("petugas_keamanan"), CAP)
    one = visitor(house.officer("ppdp"))
    links = re.findall(r'href="/konsol(/kebijakan/mengapa[^"]*)"', one.get(f"/kebijakan/draf/{draft}/sel").text)
    assert links
    assert draft in links[0]
    assert one.get(unescape(links[0])).status_code == 200


@pytest.mark.parametrize("path", ["", "/sel", "/aturan", "/ulang", "/sel/ubah?sel=nik.perencanaan"])
def test_a_draft_that_is_none(house: House, visitor: Any, path: str) -> None:
    assert visitor(house.officer("petugas_keamanan")).get(f"/kebijakan/draf/{'0' * 16}{path}").status_code == 404


def test_another_officers_draft_is_read_and_not_touched(house: House, visitor: Any) -> None:
    author, other = house.officer("petugas_keamanan"), house.officer("petugas_keamanan")
    draft = begun(house, author, CAP)
    one = visitor(other)
    page = one.get(f"/kebijakan/draf/{draft}")
    assert page.status_code == 200
    assert "/usulkan" not in page.text
    before = lifecycle.sha256(rules(house) + (CAP + "\n").encode())
    assert one.post(f"/kebijakan/draf/{draft}/usulkan", {"kode": code(house, other)}).status_code == 403
    assert one.post(f"/kebijakan/draf/{draft}/tarik", {}).status_code == 403
    assert one.post(f"/kebijakan/draf/{draft}/aturan", {"digest": before, "nomor": "2", "teks": ""}).status_code == 403
    assert one.post(f"/kebijakan/draf/{draft}/sel/ubah", {**CELL, "digest": before, "tingkat": "0", "pasal": f"{NK}: Pasal 9 ayat (1)", "mulai": "2026-11-21", "akhir": "2027-01-01"}).status_code == 403
    row = lifecycle.read_draft(house.town.office, house.registry.get(author.id), draft, house.town.now)
    assert (row.state, lifecycle.sha256(row.rules)) == ("draft", before)


def test_without_a_right_code_nothing_is_proposed_published_or_stopped(house: House, visitor: Any) -> None:
    author, other = house.officer("petugas_keamanan"), house.officer("petugas_keamanan", party="kemnaker")
    draft = begun(house, author, CAP)
    one = visitor(author)
    for path, fields in ((f"/kebijakan/draf/{draft}/usulkan", {}), ("/kebijakan/henti", {"sasaran": NK})):
        answer = one.post(path, {**fields, "kode": "000000"})
        assert answer.status_code == 403
        assert 'aria-invalid="true"' in answer.text
    assert lifecycle.stops(house.town.office) == []
    lifecycle.propose(house.town.office, house.registry.get(author.id), draft, house.town.now)
    approve(house, other, draft)
    assert one.post(f"/kebijakan/draf/{draft}/terbitkan", {"kode": "000000"}).status_code == 403
    assert house.town.office.policy.version == 1


def test_a_session_alone_never_approves(house: House, visitor: Any) -> None:
    """Publishing without another officer's own signature is refused, whatever code is given."""
    author, other = house.officer("petugas_keamanan"), house.officer("petugas_keamanan", party="kemnaker")
    draft = begun(house, author, CAP)
    lifecycle.propose(house.town.office, house.registry.get(author.id), draft, house.town.now)
    page = visitor(other).get(f"/kebijakan/draf/{draft}").text
    assert f"/konsol/kebijakan/{draft}/setujui" in page
    assert f"broker policy approve {draft}" in page
    assert "/terbitkan" not in page
    answer = visitor(other).post(f"/kebijakan/draf/{draft}/terbitkan", {"kode": code(house, other)})
    assert answer.status_code == 409
    assert "draf_persetujuan" in answer.text


def test_going_back_after_publishing_is_refused_not_repeated(house: House, visitor: Any) -> None:
    author, other = house.officer("petugas_keamanan"), house.officer("petugas_keamanan", party="kemnaker")
    draft = begun(house, author, CAP)
    one = visitor(author)
    assert one.post(f"/kebijakan/draf/{draft}/usulkan", {"kode": code(house, author)}).status_code == 303
    approve(house, other, draft)
    assert one.post(f"/kebijakan/draf/{draft}/terbitkan", {"kode": code(house, author)}).status_code == 303
    for act in ("terbitkan", "usulkan", "tarik"):
        assert one.post(f"/kebijakan/draf/{draft}/{act}", {"kode": code(house, author)}).status_code == 409
    assert house.town.office.policy.version == 2
    assert one.get(f"/kebijakan/draf/{draft}").status_code == 200
    seen = one.get("/kebijakan/versi/2?bahasa=en").text
    assert other.id in seen
    assert "LESS" in seen
    assert one.get("/kebijakan/versi/3").status_code == 404
    assert one.get("/kebijakan/versi/0").status_code == 404


def test_the_later_of_two_saves_is_refused_and_shows_both(house: House, visitor: Any) -> None:
    author = house.officer("petugas_keamanan")
    draft = begun(house, author, CAP)
    one, two = visitor(author), visitor(author)
    number = str(rules(house).count(b"\n") + 1)
    first, second = one.get(f"/kebijakan/draf/{draft}/aturan?cari=K.uji").text, two.get(f"/kebijakan/draf/{draft}/aturan?cari=K.uji").text
    assert one.post(f"/kebijakan/draf/{draft}/aturan", {"digest": digest(first), "nomor": number, "teks": CAP.replace(",0,", ",1,")}).status_code == 303
    answer = two.post(f"/kebijakan/draf/{draft}/aturan", {"digest": digest(second), "nomor": number, "teks": CAP.replace(",0,", ",2,")})
    assert answer.status_code == 409
    shown = unescape(answer.text)
    assert CAP.replace(",0,", ",1,") in shown
    assert CAP.replace(",0,", ",2,") in shown
    answer = two.post(f"/kebijakan/draf/{draft}/sel/ubah", {**CELL, "digest": digest(second), "tingkat": "1", "pasal": f"{NK}: Pasal 9 ayat (1)", "mulai": "2026-11-21", "akhir": "2027-01-01"})
    assert answer.status_code == 409


@pytest.mark.parametrize("text", [CAP.replace(",deny,", ",Deny,"), "<script>alert(1)</script>", CAP + "\n" + CAP, '"a","b"'])
def test_a_wrong_rule_comes_back_with_what_was_typed(house: House, visitor: Any, text: str) -> None:
    author = house.officer("petugas_keamanan")
    draft = begun(house, author)
    one = visitor(author)
    fields = {"digest": lifecycle.sha256(rules(house)), "nomor": "", "teks": text.replace("\n", "\r\n")}
    answer = one.post(f"/kebijakan/draf/{draft}/aturan", fields)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert text in unescape(answer.text).replace("\r\n", "\n")
    said = one.post(f"/kebijakan/draf/{draft}/aturan/periksa", fields).json()["salah"]
    assert said
    assert said[0]["box"] >= 1
    assert lifecycle.read_draft(house.town.office, house.registry.get(author.id), draft, house.town.now).rules == rules(house)


@pytest.mark.parametrize("numbers", ["x", "-1", "0", "1,,a", ",".join(["2"] * 51)])
def test_line_numbers_that_are_none(house: House, visitor: Any, numbers: str) -> None:
    author = house.officer("petugas_keamanan")
    draft = begun(house, author)
    assert visitor(author).post(f"/kebijakan/draf/{draft}/aturan/periksa", {"nomor": numbers, "teks": ""}).status_code == 400


def test_lines_are_replaced_where_they_were() -> None:
    assert spliced(b"h\na\nb\nc\n", [2, 4], "x\r\ny") == (b"h\nx\nb\ny\n", [2, 4])
    assert spliced(b"h\na\nb\nc\n", [2, 4], "x\n\ny\nz\n") == (b"h\nx\ny\nz\nb\n", [2, 3, 4])
    assert spliced(b"h\na\n", [], "x") == (b"h\na\nx\n", [3])
    assert spliced(b"h\na\nb\n", [3], "") == (b"h\na\n", [])
    assert spliced(b"h\na\n", [9], "x") == (b"h\na\nx\n", [3])


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"tingkat": "5"}, 303), ({"tingkat": "0"}, 303), ({"tingkat": "6"}, 422), ({"mulai": "kemarin"}, 422), ({"akhir": "9999-12-31"}, 422), ({"pasal": f"{NK}: Pasal 99"}, 422),
        ({"pasal": "<b>,x"}, 422), ({"akhir": "2026-01-01"}, 422), ({"sel": "nik.x"}, 400), ({"tingkat": "5", "sel": "tinggi_badan.perencanaan"}, 422),
    ],
)  # fmt: skip
def test_a_cell_gets_its_level_or_says_why_not(house: House, visitor: Any, changed: dict[str, str], status: int) -> None:
    author = house.officer("petugas_keamanan")
    draft = begun(house, author)
    fields = {**CELL, "digest": lifecycle.sha256(rules(house)), "tingkat": "1", "pasal": f"{NK}: Pasal 9 ayat (1)", "mulai": "2026-11-21", "akhir": "2028-03-19", **changed}
    answer = visitor(author).post(f"/kebijakan/draf/{draft}/sel/ubah", fields)
    assert answer.status_code == status, answer.text[-3000:]
    row = lifecycle.read_draft(house.town.office, house.registry.get(author.id), draft, house.town.now)
    if status == 303:
        dataset_column, purpose = fields["sel"].split(".")
        found = lifecycle.judge(house.town.office, row).policy.levels(CELL["penerima"], NK, "terima", purpose, house.town.now.date())[0]
        assert found[house.town.office.policy.known.index("obj", f"pencari_kerja.{dataset_column}")] == int(fields["tingkat"])
    else:
        assert row.rules == rules(house)


def test_a_second_choice_for_a_cell_takes_the_place_of_the_first(house: House) -> None:
    office = house.town.office
    cell = Cell(CELL["penerima"], NK, "pencari_kerja.pendidikan_tertinggi", "terima", "perencanaan", "umum", house.town.now.date())
    author = house.registry.get(house.officer("petugas_keamanan").id)
    draft = lifecycle.new_draft(office, author, None, house.town.now)
    kept = []
    for level in (0, 1, office.policy.level(cell)):
        wanted = lifecycle.CellRule(cell, level, f"{NK}: Pasal 9 ayat (1)", "2026-11-21", "2027-01-01")
        draft = replace(draft, rules=lifecycle.with_cell(lifecycle.judge(office, draft).policy, wanted))
        kept.append(draft.rules.count(b"\n") - rules(house).count(b"\n"))
    assert kept == [1, 1, 0]


def test_a_stop_is_undone_by_the_second_officer(house: House, visitor: Any) -> None:
    first, second = house.officer("petugas_keamanan"), house.officer("ppdp")
    one, two = visitor(first), visitor(second)
    assert one.post("/kebijakan/henti", {"sasaran": "nk-binjai-2025", "kode": code(house, first)}).status_code == 403
    assert one.post("/kebijakan/henti", {"sasaran": "<script>", "kode": code(house, first)}).status_code == 400
    assert one.post("/kebijakan/henti", {"sasaran": NK, "kode": code(house, first)}).status_code == 303
    (stop,) = lifecycle.stops(house.town.office)
    assert one.post(f"/kebijakan/henti/{stop.id}/cabut", {"kode": code(house, first)}).status_code == 303
    assert one.post(f"/kebijakan/henti/{stop.id}/cabut", {"kode": code(house, first)}).status_code == 409
    assert lifecycle.stops(house.town.office) != []
    assert two.post(f"/kebijakan/henti/{stop.id}/cabut", {"kode": code(house, second)}).status_code == 303
    assert lifecycle.stops(house.town.office) == []
    assert two.post(f"/kebijakan/henti/{stop.id}/cabut", {"kode": code(house, second)}).status_code == 404


@pytest.mark.parametrize("addendum", ["x", "Adendum <script>", "Adendum 1\n2"])
def test_an_addendum_that_is_none_comes_back(house: House, visitor: Any, addendum: str) -> None:
    answer = visitor(house.officer("petugas_keamanan")).post("/kebijakan/draf", {"dari": "1", "adendum": addendum})
    assert answer.status_code == 422
    assert "<script>" not in answer.text.replace("<script src", "")
    assert 'aria-invalid="true"' in answer.text


def test_past_exchanges_are_told_in_sentences(house: House, visitor: Any) -> None:
    town = house.town
    name, _ = town.exchange(town.csv(town.rows()))
    author = house.officer("petugas_keamanan")
    one, path = visitor(author), f"/kebijakan/draf/{begun(house, author, CAP)}/ulang"
    assert name in one.get(path).text
    assert name not in one.get(f"{path}?mulai=2025-01-01&akhir=2025-02-01").text
    assert one.get(f"{path}?mulai=kemarin").status_code == 400


def test_a_draft_that_does_not_load_says_where(house: House, visitor: Any) -> None:
    author = house.officer("petugas_keamanan")
    draft = begun(house, author, CAP.replace("K.uji", "<script>x"))
    one = visitor(author)
    page = one.get(f"/kebijakan/draf/{draft}")
    assert page.status_code == 200
    assert "/usulkan" not in page.text
    assert "<script>x" not in page.text + one.get(f"/kebijakan/draf/{draft}/aturan?cari=script").text
    for path in ("sel", "ulang"):
        assert one.get(f"/kebijakan/draf/{draft}/{path}").status_code == 422


# --- the whole job, in a real browser
def _walk(screen: Screen, page: Page, house: House, language: str, *, scripts: bool) -> None:
    """From the policy in force to a version of one's own, and a stop: every page on the way is looked at."""
    author, other = house.officers.values()
    screen.go(page, f"/kebijakan?bahasa={language}")
    page.locator("td a").first.click()
    screen.go(page, "/kebijakan/draf")
    page.locator("main form button").click()
    draft = page.url.rpartition("/")[2]
    screen.go(page, f"/kebijakan/draf/{draft}/sel?kesepakatan={NK}&penerima=siapkerja@kemnaker")
    page.locator("a[href$='sel=pendidikan_tertinggi.perencanaan']").click()
    page.locator("#tingkat").select_option("0")
    page.locator("main form button").click()
    screen.go(page, f"/kebijakan/draf/{draft}/aturan?cari=sel.pencari_kerja")
    typed = page.locator("#teks").input_value()
    page.locator("#teks").fill(typed.replace(",deny,", ",Deny,"))
    if scripts:
        page.locator("#salah li", has_text="eft").wait_for()
    page.locator("textarea + ul + button").click()
    page.locator("[role=alert]").wait_for()
    screen.check(page)
    assert ",Deny," in page.locator("#teks").input_value()
    page.locator("#teks").fill(typed)
    page.locator("main form[method=post] button").click()
    page.locator(".changes li").first.wait_for()
    screen.go(page, f"/kebijakan/draf/{draft}/ulang")
    screen.go(page, f"/kebijakan/draf/{draft}")
    page.locator("#kode-usulkan").fill(code(house, author))
    page.locator("form[action$=usulkan] button").click()
    page.locator("pre").wait_for()
    approve(house, other, draft)
    page.reload()
    page.locator("#kode-terbitkan").fill(code(house, author))
    page.locator("form[action$=terbitkan] button").click()
    page.locator("form[action$=terbitkan]").wait_for(state="detached")
    assert house.town.office.policy.version == 2
    for path in ("/kebijakan/versi", "/kebijakan/versi/2", "/kebijakan/henti"):
        screen.go(page, path)
    page.locator("#kode-baru").fill(code(house, author))
    page.locator("form[action$=henti] button").click()
    page.locator("section.card").wait_for()


def test_a_security_officers_whole_job(screen: Screen) -> None:
    author = screen.house.officer("petugas_keamanan")
    screen.house.officer("petugas_keamanan", party="kemnaker")
    _walk(screen, screen.sign_in(author), screen.house, "id", scripts=True)


def test_the_same_in_english_without_javascript(plain_screen: Screen) -> None:
    author = plain_screen.house.officer("petugas_keamanan")
    plain_screen.house.officer("petugas_keamanan", party="kemnaker")
    _walk(plain_screen, plain_screen.sign_in(author), plain_screen.house, "en", scripts=False)
