"""Who is behind a token, at the console: asked once, approved with a second factor, fetched once, and no token shown or kept in an address."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from broker.audit import reidentify
from tests.simulator import SIAPKERJA

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from tests.console.conftest import House, Screen, Visitor
    from tests.people.conftest import Officer
    from tests.simulator import Town

NK = "nk-sijunjung-2025"
REASON = "Pengaduan tanggal lahir yang salah, surat nomor 12"


def received(town: Town, http: Any, n: int = 6) -> tuple[str, list[str], list[str]]:
    """An exchange that the ministry fetched, its tokens, and the numbers behind them."""
    rows = town.rows(n=n)
    exchange, _ = town.exchange(town.csv(rows))
    client = town.client(SIAPKERJA, http)
    client.receive()
    out = town.folder / "baris.ndjson"
    client.open(exchange, out, form="ndjson")
    at = town.office.contracts["pencari_kerja"].names.index("nik")
    return exchange, [json.loads(line)["nik"] for line in out.read_text().splitlines()], [row[at] for row in rows]


def asked(one: Visitor, exchange: str, *tokens: str, **changed: str) -> dict[str, str]:
    once = re.search(r'name="sekali" value="([^"]+)"', one.get("/samaran/ajukan").text)
    assert once
    return {"sekali": once[1], "pertukaran": exchange, "dasar": "pasal_30_1", "alasan": REASON, "samaran": "\r\n".join(tokens), **changed}


@pytest.fixture
def case(house: House, http: TestClient) -> tuple[str, list[str], list[str]]:
    return received(house.town, http)


def requests(house: House) -> list[Any]:
    with house.town.office.ledger.database.read() as tx:
        return tx.identities.of(NK)


@pytest.mark.parametrize("role", ["auditor", "petugas_keamanan", "ppdp", "admin_pihak"])
def test_other_roles_neither_see_nor_ask(house: House, visitor: Any, role: str) -> None:
    one = visitor(house.officer(role, "kemnaker"))
    for path in ("/samaran", "/samaran/ajukan", f"/samaran/{'0' * 32}"):
        assert one.get(path).status_code in (403, 404)
    assert one.post("/samaran/ajukan", {"sekali": "x"}).status_code == 403
    assert "/konsol/samaran" not in one.get("").text


def test_who_approves_cannot_ask_and_who_asks_cannot_approve(house: House, visitor: Any, case: Any) -> None:
    exchange, tokens, _ = case
    asker, approver = house.officer("operator", "kemnaker"), house.officer("pembuka_samaran", "kemnaker")
    one = visitor(asker)
    assert visitor(approver).post("/samaran/ajukan", asked(one, exchange, tokens[0])).status_code == 403
    path = one.post("/samaran/ajukan", asked(one, exchange, tokens[0])).headers["location"].removeprefix("/konsol")
    assert one.post(path, {"putusan": "setujui", "kode": asker.code(house.town.now)}).status_code == 404
    assert one.post(path, {"putusan": "tolak"}).status_code == 404
    assert visitor(house.officer("operator", "binjai")).get(path).status_code == 404
    assert visitor(house.officer("pembuka_samaran", "binjai")).get(path).status_code == 404
    assert requests(house)[0].state == "pending"


def test_a_wrong_form_comes_back_with_what_was_typed_and_names_its_field(house: House, visitor: Any, case: Any) -> None:
    exchange, tokens, niks = case
    one = visitor(house.officer("operator", "kemnaker"))
    markup = '<script>alert("1")</script>'
    wrong = [
        ({"alasan": "pendek"}, "alasan"), ({"alasan": f"tentang {niks[0]}"}, "alasan"), ({"dasar": "lain"}, "dasar"), ({"samaran": markup}, "samaran"), ({"samaran": ""}, "samaran"),
        ({"pertukaran": "ff" * 16}, "pertukaran"), ({"pertukaran": ""}, "pertukaran"),
    ]  # fmt: skip
    for changed, field in wrong:
        answer = one.post("/samaran/ajukan", asked(one, exchange, tokens[0], **changed))
        assert answer.status_code in (400, 403, 404, 422), changed
        assert 'role="alert"' in answer.text
        assert markup not in answer.text
        assert escape(changed.get("alasan", REASON), quote=False) in answer.text
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text), changed
    assert requests(house) == []


def test_a_form_sent_twice_asks_once(house: House, visitor: Any, case: Any) -> None:
    exchange, tokens, _ = case
    one = visitor(house.officer("operator", "kemnaker"))
    fields = asked(one, exchange, tokens[0])
    assert one.post("/samaran/ajukan", fields).headers["location"].startswith("/konsol/samaran/")
    assert one.post("/samaran/ajukan", fields).headers["location"] == "/konsol/samaran"
    assert len(requests(house)) == 1
    assert one.post("/samaran/ajukan", {**fields, "sekali": ""}).status_code == 400


def approve(house: House, visitor: Any, path: str, *officers: Officer) -> None:
    for officer in officers:
        house.town.now += timedelta(seconds=60)
        assert visitor(officer).post(path, {"putusan": "setujui", "kode": officer.code(house.town.now)}).status_code == 303


def test_the_whole_way_and_no_token_is_shown_again(house: House, visitor: Any, http: TestClient, case: Any) -> None:
    exchange, tokens, niks = case
    town = house.town
    asker, mine, theirs = house.officer("operator", "kemnaker"), house.officer("pembuka_samaran", "kemnaker"), house.officer("pembuka_samaran")
    one = visitor(asker)
    path = one.post("/samaran/ajukan", asked(one, exchange, tokens[2], tokens[0])).headers["location"].removeprefix("/konsol")
    seen = [one.get("/samaran").text, one.get(path).text, visitor(mine).get("/samaran").text, visitor(mine).get(path).text, visitor(mine).get("").text]
    assert not any(token in page for page in seen for token in tokens)
    assert "2 dari paling banyak 200 samaran" in " ".join(seen[0].split())
    assert "menunggu keputusan Anda" in seen[-1]
    wrong = visitor(mine).post(path, {"putusan": "setujui", "kode": "000000"})
    assert wrong.status_code == 401
    assert "Kode salah" in wrong.text
    assert one.post(f"{path}/jawaban", {}).status_code == 409
    approve(house, visitor, path, mine)
    assert "Anda sudah menyetujui" in visitor(mine).get(path).text
    approve(house, visitor, path, theirs)
    assert visitor(mine).post(f"{path}/jawaban", {}).status_code == 404
    assert "ambil jawabannya" in visitor(asker).get("").text
    answer = visitor(asker).post(f"{path}/jawaban", {})
    assert answer.headers["content-disposition"].startswith('attachment; filename="jawaban-')
    assert not any(number in answer.text for number in (*niks, *tokens))
    lines = town.client(SIAPKERJA, http).identities(answer.content).lines
    assert [line["nomor"] for line in lines] == [niks[2], niks[0]]
    assert visitor(asker).post(f"{path}/jawaban", {}).status_code == 409
    assert "Jawaban sudah diambil" in visitor(asker).get(path).text


def test_a_late_approval_meets_what_another_decided(house: House, visitor: Any, case: Any) -> None:
    exchange, tokens, _ = case
    mine, theirs = house.officer("pembuka_samaran", "kemnaker"), house.officer("pembuka_samaran")
    one = visitor(house.officer("operator", "kemnaker"))
    path = one.post("/samaran/ajukan", asked(one, exchange, tokens[0])).headers["location"].removeprefix("/konsol")
    assert visitor(theirs).post(path, {"putusan": "tolak"}).status_code == 303
    late = visitor(mine).post(path, {"putusan": "setujui", "kode": mine.code(house.town.now)})
    assert late.status_code == 409
    assert "permintaan_keadaan" in late.text
    assert visitor(theirs).post(path, {"putusan": "tolak"}).status_code == 409
    assert visitor(theirs).post(path, {"putusan": "lain"}).status_code == 400
    assert reidentify.requests(house.town.office, house.registry.get(mine.id), house.town.now)[0].row.state == "declined"


# --- in a real browser
def walk(screen: Screen, tmp_path: Path, language: str) -> None:
    """Each role's whole job, once."""
    house = screen.house
    with house.town.http() as http:
        exchange, tokens, niks = received(house.town, http)
    asker, mine, theirs = house.officer("operator", "kemnaker"), house.officer("pembuka_samaran", "kemnaker"), house.officer("pembuka_samaran")
    words = {"id": ("Ajukan permintaan", "Ajukan", "Setujui", "Unduh jawaban tersegel"), "en": ("Make a request", "Submit", "Approve", "Download the sealed answer")}[language]
    page = screen.sign_in(asker)
    screen.go(page, f"/samaran?bahasa={language}")
    page.get_by_role("link", name=words[0]).click()
    page.locator("#pertukaran").fill(exchange)
    page.locator("#dasar").select_option("pasal_30_1")
    page.locator("#alasan").fill(REASON)
    page.locator("#samaran").fill("bukan samaran")
    page.get_by_role("button", name=words[1], exact=True).click()
    page.locator("[role=alert]").wait_for()
    screen.check(page)
    page.locator("#samaran").fill(tokens[1])
    page.get_by_role("button", name=words[1], exact=True).click()
    page.wait_for_url(re.compile(r"/samaran/[0-9a-f]{32}$"))
    path = page.url.partition("/konsol")[2]
    for officer in (mine, theirs):
        house.town.now += timedelta(seconds=60)
        page = screen.sign_in(officer)
        screen.go(page, path)
        page.locator("#kode").fill(officer.code(house.town.now))
        page.get_by_role("button", name=words[2], exact=True).click()
        page.locator("#kode").wait_for(state="detached")
    page = screen.sign_in(asker)
    screen.go(page, path)
    with page.expect_download() as download:
        page.get_by_role("button", name=words[3]).click()
    file = tmp_path / "jawaban.json"
    download.value.save_as(file)
    with house.town.http() as http:
        assert house.town.client(SIAPKERJA, http).identities(file.read_bytes()).lines[0]["nomor"] == niks[1]
    screen.go(page, "/samaran")


def test_asking_approving_and_fetching_in_a_real_browser(screen: Screen, tmp_path: Path) -> None:
    walk(screen, tmp_path, "en")


def test_the_same_without_javascript(plain_screen: Screen, tmp_path: Path) -> None:
    walk(plain_screen, tmp_path, "id")
