"""Auditors at the console: what they may not see first, then what each page says, then a whole job in a real browser."""

from __future__ import annotations

import io
import re
import threading
import time
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from broker.audit import unusual
from broker.client.bundle import verify_bundle
from broker.client.reports import check_file
from broker.errors import NotVerified, Refusal
from broker.keys import public_set
from broker.ledger.words import ENTRY_WORDS
from broker.record import event
from broker.web.console import anomalies
from broker.web.console.shell import PATH
from broker.web.console.telling import FAULTS
from broker.web.console.words import english
from tests.simulator import SIAPKERJA, SIBUSER

if TYPE_CHECKING:
    from tests.console.conftest import House, Screen

NK, BINJAI = "nk-sijunjung-2025", "nk-binjai-2025"
REASON = "Permintaan akses subjek nomor 12"
MARKUP = "<script>alert(1)</script>\"'&"
PAGES = ("/pertukaran", "/cari-orang", "/cari-orang/permintaan", "/kejanggalan", f"/kejanggalan?kesepakatan={NK}", "/laporan", f"/laporan?kesepakatan={NK}&tahun=2026", "/keutuhan")


def sent(house: House, seed: int = 1, n: int = 20, **asked: Any) -> str:
    house.town.now += timedelta(minutes=1)
    return house.town.exchange(house.town.csv(house.town.rows(n=n, seed=seed)), **asked)[0]


def of_binjai(house: House) -> str:
    town = house.town
    return town.exchange(town.csv(town.rows(n=4, party="binjai", agreement=BINJAI)), agreement=BINJAI, sender=SIBUSER, basis="UU 13/2003")[0]


def person(house: House, row: int = 0, n: int = 20) -> str:
    return house.town.rows(n=n)[row][house.town.office.contracts["pencari_kerja"].names.index("nik")]


def question(*numbers: str, **changed: str) -> dict[str, str]:
    return {"kesepakatan": NK, "dari": "2026-11-01", "sampai": "2026-11-30", "nomor": "\n".join(numbers), "alasan": REASON, **changed}


def crowd(n: int = 25) -> list[str]:
    return [f"3275019{i // 900:05d}{9001 + i % 900}" for i in range(n)]


def acts(house: House) -> list[str]:
    return [entry["act"] for entry in house.town.entries() if entry["type"] == "sinergi/query/v1"]


def taken(answer: Any) -> dict[str, bytes]:
    """What is in a download."""
    assert answer.headers["content-type"] == "application/zip", answer.text[-800:]
    assert answer.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# --- who may not
@pytest.mark.parametrize("path", [p for p in PAGES if "?" not in p])
def test_an_operator_sees_none_of_it(house: House, visitor: Any, path: str) -> None:
    one = visitor(house.officer("operator"))
    assert one.get(path).status_code == 403
    assert f'href="{PATH}{path}"' not in one.get("").text


def test_who_reads_the_log_but_may_not_search_people_does_not(house: House, visitor: Any) -> None:
    sent(house)
    one = visitor(house.officer("petugas_keamanan"))
    assert f'href="{PATH}/cari-orang"' not in one.get("/pertukaran").text
    for path in ("/cari-orang", "/cari-orang/bundel", "/cari-orang/laporan"):
        assert one.post(path, question(person(house), diterima="2026-11-21T09:00", format="pdf")).status_code == 403
    assert "answered" not in acts(house)


def test_another_agreements_exchange_is_one_that_is_not(house: House, visitor: Any) -> None:
    other = of_binjai(house)
    one = visitor(house.officer("auditor"))
    pages = {path: [one.get(path.format(name)) for name in (other, "0" * 32)] for path in ("/pertukaran/{}", "/pertukaran/{}/rekaman", "/pertukaran/{}/bukti")}
    for there, none in pages.values():
        assert there.status_code == none.status_code == 404
        assert there.text.replace(other, "") == none.text.replace("0" * 32, "")
    assert one.post(f"/pertukaran/{other}/periksa", {}).status_code == 404
    assert other not in one.get("/pertukaran").text
    for path, more in (("/laporan/ekspor", {"format": "csv"}), ("/laporan/tahunan", {"format": "pdf", "tahun": "2026"}), ("/laporan/bundel", {"dari": "2026-11-01", "sampai": "2026-11-30"})):
        assert one.post(path, {"kesepakatan": BINJAI, **more}).status_code == 403
    assert one.get(f"/kejanggalan?kesepakatan={BINJAI}").status_code == 403
    assert one.get(f"/laporan?kesepakatan={BINJAI}&tahun=2026").status_code == 400


def test_another_officers_saved_search_is_not_shown_nor_deleted(house: House, visitor: Any) -> None:
    mine, other = visitor(house.officer("auditor")), visitor(house.officer("auditor"))
    mine.post("/pertukaran/tampilan", {"q": "keadaan=refused", "nama": "Yang ditolak"})
    assert "Yang ditolak" not in other.get("/pertukaran").text
    other.post("/pertukaran/tampilan/hapus", {"nama": "Yang ditolak"})
    assert "Yang ditolak" in mine.get("/pertukaran").text
    mine.post("/pertukaran/tampilan/hapus", {"nama": "Yang ditolak"})
    assert "Yang ditolak" not in mine.get("/pertukaran").text


# --- a number stands nowhere
def test_a_number_in_the_expression_never_comes_into_an_address_or_a_page(house: House, visitor: Any) -> None:
    nik = person(house)
    one = visitor(house.officer("auditor"))
    posted = one.post("/pertukaran", {"q": f"pelaku={nik}", "cari": "pertukaran"})
    assert posted.status_code == 400
    assert nik not in posted.text
    typed = one.get(f"/pertukaran?q=pelaku={nik}")
    assert (typed.status_code, typed.headers["location"]) == (303, f"{PATH}/pertukaran?galat=nomor")
    assert "nomor identitas tidak boleh" in one.get("/pertukaran?galat=nomor").text
    for name, expression in ((nik, "keadaan=refused"), ("benar", f"pelaku={nik}")):
        assert one.post("/pertukaran/tampilan", {"q": expression, "nama": name}).status_code == 400
    assert nik.encode() not in b"".join(path.read_bytes() for path in house.town.home.glob("ledger.db*"))


def test_a_number_asked_about_is_in_no_address_title_header_or_log(house: House, visitor: Any, caplog: pytest.LogCaptureFixture) -> None:
    name, nik = sent(house), person(house)
    one = visitor(house.officer("auditor"))
    answer = one.post("/cari-orang", question(f"{nik[:6]}.{nik[6:]}"))
    assert answer.status_code == 200
    assert name in answer.text
    assert answer.headers["cache-control"] == "no-store"
    title = re.search(r"<title>(.*?)</title>", answer.text)
    assert title
    assert nik not in title[1] + str(answer.headers) + caplog.text
    links = re.findall(r'(?:href|action)="([^"]*)"', answer.text)
    assert not any(nik in re.sub(r"\D", "", unquote(link)) for link in links)
    assert nik.encode() not in b"".join(path.read_bytes() for path in house.town.home.glob("ledger.db*"))
    assert one.get(f"/cari-orang?nomor={nik}").text.count(nik) == one.get(f"/cari-orang?nomor={nik}").text.count(f"nomor={nik}")  # nothing is taken from an address


# --- what is typed wrong comes back
@pytest.mark.parametrize(
    ("changed", "field"),
    [({"alasan": "pendek"}, "alasan"), ({"nomor": "123"}, "nomor"), ({"nomor": ""}, "nomor"), ({"dari": "kemarin"}, "dari"), ({"dari": "2026-12-01"}, "dari")],
)
def test_a_question_that_cannot_be_asked_comes_back_with_its_field_named(house: House, visitor: Any, changed: dict[str, str], field: str) -> None:
    one = visitor(house.officer("auditor"))
    answer = one.post("/cari-orang", question(person(house), **changed))
    assert answer.status_code in (400, 422)
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert 'role="alert" id="salah"' in answer.text
    assert "asked" not in acts(house)


def test_no_agreement_chosen_asks_for_one(house: House, visitor: Any) -> None:
    fields = question(person(house))
    del fields["kesepakatan"]
    assert visitor(house.officer("auditor")).post("/cari-orang", fields).status_code == 400


@pytest.mark.parametrize("q", [MARKUP, "dataset=", "(keadaan=refused", "baris>banyak", "hari>2026-13-01", "dataset=x", "a" * 3000])
def test_a_wrong_expression_points_at_the_place_and_escapes_what_was_typed(house: House, visitor: Any, q: str) -> None:
    one = visitor(house.officer("auditor"))
    for answer in (one.post("/pertukaran", {"q": q, "cari": "pertukaran"}), one.get("/pertukaran", params={"q": q})):
        assert answer.status_code == 400
        assert "<script>alert" not in answer.text
        assert re.search(r'aria-invalid="true"', answer.text)
        assert "<mark>" in answer.text
    assert "searched" not in acts(house)


def test_a_saved_search_may_have_any_name_and_none_of_it_is_markup(house: House, visitor: Any) -> None:
    one = visitor(house.officer("auditor"))
    assert one.post("/pertukaran/tampilan", {"q": "keadaan=refused", "nama": MARKUP}).status_code == 303
    assert "<script>alert" not in one.get("/pertukaran").text
    assert one.post("/pertukaran/tampilan", {"q": "bukan ungkapan", "nama": "x"}).status_code == 400
    assert one.post("/pertukaran/tampilan", {"q": "keadaan=refused", "nama": "x" * 61}).status_code == 400


@pytest.mark.parametrize("path", ["/pertukaran?sesudah=AAAA", "/pertukaran?cari=orang", "/kejanggalan?kesepakatan=nk-sijunjung-2025&hari=9999", "/laporan?kesepakatan=nk-sijunjung-2025&tahun=1"])
def test_an_address_that_no_page_gives_is_refused_and_not_a_fault(house: House, visitor: Any, path: str) -> None:
    assert visitor(house.officer("auditor")).get(path).status_code == 400


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "9999999999"])
def test_a_page_of_records_that_is_not_there_is_refused(house: House, visitor: Any, page: str) -> None:
    name = sent(house)
    assert visitor(house.officer("auditor")).get(f"/pertukaran/{name}/rekaman?hal={page}").status_code == 400


def test_every_page_of_the_menu_answers_with_figures_in_it(house: House, visitor: Any) -> None:
    sent(house)
    one = visitor(house.officer("auditor"))
    assert {path: one.get(path).status_code for path in PAGES} == dict.fromkeys(PAGES, 200)


# --- what is judged beside its page
def judgements(house: House) -> list[str]:
    return [entry["person"] for entry in house.town.entries(NK) if entry.get("act") == "unusual"]


def judged(one: Any, path: str) -> str:
    """The page, once it has its answer."""
    for _ in range(200):
        text: str = one.get(path).text
        if 'http-equiv="refresh"' not in text:
            return text
        time.sleep(0.05)
    pytest.fail("it is never judged")


def test_a_long_judgement_keeps_no_page_waiting_and_is_recorded_once_for_who_asked(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(house)
    asker, other = house.officer("auditor"), house.officer("ppdp")
    one, two = visitor(asker), visitor(other)
    free, ask = threading.Event(), unusual.ask
    monkeypatch.setattr(unusual, "ask", lambda *asked: free.wait(60) and ask(*asked))
    path = f"/kejanggalan?kesepakatan={NK}"
    for visit in (one, one, two):
        text = visit.get(path).text
        assert 'http-equiv="refresh"' in text
        assert "Temuan:" not in text
    assert judgements(house) == []
    free.set()
    assert "Temuan:" in judged(one, path)
    assert "Temuan:" in judged(two, path)
    assert judgements(house) == [asker.id, other.id]
    assert "Temuan:" in judged(one, path)
    assert judgements(house) == [asker.id, other.id]  # the page that waited may look twice
    house.town.now += anomalies.KEPT
    assert "Temuan:" in judged(one, path)
    assert judgements(house) == [asker.id, other.id, asker.id]
    free.clear()
    assert "Temuan:" not in two.get(f"{path}&hari=7").text
    free.set()
    time.sleep(0.5)
    free.clear()
    house.town.now += anomalies.UNSEEN
    assert "Temuan:" not in two.get(f"{path}&hari=7").text  # what nobody came back for in time is no answer of today
    free.set()
    assert "Temuan:" in judged(two, f"{path}&hari=7")


def test_for_who_may_not_nothing_is_judged(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(unusual, "ask", lambda *what: asked.append(what))
    assert visitor(house.officer("auditor")).get(f"/kejanggalan?kesepakatan={BINJAI}").status_code == 403
    assert asked == []
    assert judgements(house) == []


def test_no_more_is_judged_at_a_time_than_is_kept_and_a_fault_is_told(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anomalies, "MOST", 1)
    one, two = visitor(house.officer("auditor")), visitor(house.officer("ppdp"))
    free = threading.Event()

    def fails(*_: object) -> None:
        free.wait(60)
        raise Refusal("penyimpanan")

    monkeypatch.setattr(unusual, "ask", fails)
    path = f"/kejanggalan?kesepakatan={NK}"
    assert one.get(path).status_code == 200
    assert two.get(path).status_code == 503
    free.set()
    time.sleep(0.2)
    assert one.get(path).status_code == 507
    assert judgements(house) == []


# --- the second person
def test_a_question_about_many_waits_for_another_and_is_answered_once(house: House, visitor: Any) -> None:
    sent(house)
    asker, second = house.officer("auditor"), house.officer("auditor")
    one, other = visitor(asker), visitor(second)
    numbers = [*crowd(), person(house)]
    assert one.post("/cari-orang", question(*numbers)).headers["location"] == f"{PATH}/cari-orang/permintaan?baru=1"
    page = other.get("/cari-orang/permintaan").text
    assert REASON in page
    assert not any(number in page for number in numbers)
    name = re.search(r"permintaan/([0-9a-f]{32})/setujui", page)
    assert name
    own, approve, answer = (f"/cari-orang/permintaan/{name[1]}{act}" for act in ("/setujui", "/setujui", "/jawaban"))
    assert one.post(answer, {"bentuk": "tampil"}).status_code == 409
    assert one.post(own, {"kode": asker.code(house.town.now)}).status_code == 403  # nobody approves their own
    assert other.post(approve, {"kode": "000000"}).status_code == 401
    assert other.post(answer, {"bentuk": "tampil"}).status_code == 404
    house.town.now += timedelta(seconds=60)
    assert other.post(approve, {"kode": second.code(house.town.now)}).status_code == 303
    house.town.now += timedelta(seconds=60)
    assert other.post(approve, {"kode": second.code(house.town.now)}).status_code == 409  # the back button
    assert one.post(answer, {"bentuk": "tampil"}).status_code == 200
    assert one.post(answer, {"bentuk": "tampil"}).status_code == 409
    assert acts(house).count("answered") == 1


def test_a_declined_request_says_whom_it_was_about_no_more(house: House, visitor: Any) -> None:
    one, other = visitor(house.officer("auditor")), visitor(house.officer("auditor"))
    one.post("/cari-orang", question(*crowd()))
    name = re.search(r"permintaan/([0-9a-f]{32})/tolak", other.get("/cari-orang/permintaan").text)
    assert name
    assert other.post(f"/cari-orang/permintaan/{name[1]}/tolak", {}).status_code == 303
    assert one.post(f"/cari-orang/permintaan/{name[1]}/jawaban", {}).status_code == 409
    assert other.post(f"/cari-orang/permintaan/{name[1]}/tolak", {}).status_code == 409


# --- what the pages say
def test_pages_of_fifty_neither_overlap_nor_leave_a_gap(house: House, visitor: Any) -> None:
    sent(house)
    manifest = next(entry for entry in house.town.entries() if entry["type"] == "sinergi/exchange/v1")
    with house.town.office.ledger.writing() as book:
        for i in range(60):
            rest = {name: value for name, value in manifest.items() if name not in ("time", "type", "exchange")}
            book.append(NK, event("exchange", house.town.now + timedelta(seconds=i), exchange=f"{i:032x}", **rest))
    one = visitor(house.officer("auditor"))
    first = one.get(f"/pertukaran?kesepakatan={NK}&dataset=pencari_kerja&kolom=nik&tingkat=1").text
    assert "Ditemukan: 61." in first
    following = re.search(r'href="(/konsol/pertukaran\?[^"]*sesudah=[^"]*)"', first)
    assert following
    second = one.get(following[1].replace("&amp;", "&").removeprefix(PATH)).text
    found = [re.findall(r'pertukaran/([0-9a-f]{32})"', page) for page in (first, second)]
    assert (len(found[0]), len(found[1]), len(set(found[0] + found[1]))) == (50, 11, 61)
    assert acts(house).count("searched") == 2


def test_every_kind_of_entry_is_shown(house: House, visitor: Any) -> None:
    sent(house)
    with pytest.raises(Refusal):
        sent(house, purpose="jahat")
    with house.town.http() as http:
        house.town.client(SIAPKERJA, http).receive()
    one = visitor(house.officer("auditor"))
    one.post("/cari-orang", question(person(house)))
    visitor(house.officer("petugas_keamanan")).post("/cari-orang", question(person(house)))  # a refusal of a person: without recipient and dataset
    page = one.get("/pertukaran?cari=entri")
    assert page.status_code == 200
    assert "penerima mengambil kiriman" in page.text
    refused = one.get("/pertukaran?keputusan=ditolak").text
    name = re.search(r'pertukaran/([0-9a-f]{32})"', refused)
    assert name
    assert "Tidak ada data yang keluar" in one.get(f"/pertukaran/{name[1]}").text
    assert one.post(f"/pertukaran/{name[1]}/periksa", {}).status_code == 409


def test_checking_says_what_holds_and_what_was_changed(house: House, visitor: Any) -> None:
    name = sent(house)
    with house.town.http() as http:
        house.town.client(SIAPKERJA, http).receive()
    one = visitor(house.officer("auditor"))
    good = one.post(f"/pertukaran/{name}/periksa", {}).text
    assert "Sah: semua yang dapat diperiksa cocok" in good
    assert f"Tanda terima ditandatangani oleh {SIAPKERJA}." in good
    with house.town.office.ledger.database.write() as tx:
        rows = bytearray(tx.segment(name, 0) or b"")
        rows[20] ^= 1
        tx._c.exec_driver_sql("UPDATE segment SET rows = ? WHERE exchange = ?", (bytes(rows), name))
        tx._c.exec_driver_sql("UPDATE receipt SET dsse = replace(dsse, 'A', 'B') WHERE exchange = ? AND signer = ?", (name, SIAPKERJA))
    bad = one.post(f"/pertukaran/{name}/periksa", {}).text
    assert bad.count("TIDAK COCOK") == 2
    assert "Yang harus dilakukan" in bad


def test_files_verify_with_their_statements_and_bundles_by_themselves(house: House, visitor: Any, tmp_path: Any) -> None:
    sent(house)
    one, nik, broker = visitor(house.officer("auditor")), person(house), public_set("broker", house.town.office.rings)
    report = question(nik, diterima="2026-11-21T09:00", format="json", perkara="12/2026")
    asked = (
        ("/laporan/ekspor", {"kesepakatan": NK, "format": "csv", "q": "dataset=pencari_kerja"}), ("/laporan/ekspor", {"kesepakatan": NK, "format": "ocsf", "cari": "entri"}),
        ("/laporan/tahunan", {"kesepakatan": NK, "format": "pdf", "tahun": "2026"}), ("/laporan/bundel", question()), ("/cari-orang/bundel", question(nik)), ("/cari-orang/laporan", report),
    )  # fmt: skip
    for path, fields in asked:
        files = taken(one.post(path, fields))
        (name,) = (one for one in files if f"{one}.dsse" in files)
        for file, data in files.items():
            (tmp_path / file).write_bytes(data)
        check_file(tmp_path / name, broker)
        assert nik.encode() not in b"".join(files.values())
        if name.endswith(".zip"):
            with (tmp_path / name).open("rb") as bundle:
                answer = verify_bundle(bundle, broker).answer
            assert (answer.about(files[f"{name}.siapa"], nik) if answer else None) == (0 if path == "/cari-orang/bundel" else None)
        (tmp_path / name).write_bytes(files[name][:-1] + b"!")
        with pytest.raises(NotVerified):
            check_file(tmp_path / name, broker)


@pytest.mark.parametrize("fields", [{"format": "exe"}, {"format": "csv", "q": "dataset="}, {"format": "csv", "cari": "orang"}])
def test_a_file_that_cannot_be_made_brings_the_form_back(house: House, visitor: Any, fields: dict[str, str]) -> None:
    answer = visitor(house.officer("auditor")).post("/laporan/ekspor", {"kesepakatan": NK, **fields})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "export" not in [entry["type"].split("/")[1] for entry in house.town.entries()]


def test_integrity_without_witnesses_says_what_to_do_and_records_nothing(house: House, visitor: Any) -> None:
    one = visitor(house.officer("auditor"))
    before = len(house.town.entries())
    page = one.get("/keutuhan").text
    assert "Tanpa saksi" in page
    assert "sijoker@sijunjung" in page
    assert BINJAI not in page
    assert len(house.town.entries()) == before


def test_what_a_log_or_the_language_says_is_said_in_english_too() -> None:
    assert {*ENTRY_WORDS.values(), *FAULTS} <= english().keys()


# --- in a real browser
def test_an_auditors_whole_job_in_a_real_browser(screen: Screen) -> None:
    house = screen.house
    sent(house)
    nik = person(house)
    page = screen.sign_in(house.officer("auditor"))
    screen.go(page, "/pertukaran?bahasa=id")
    page.get_by_label("Himpunan data").select_option("pencari_kerja")
    page.get_by_role("button", name="Saring").click()
    page.get_by_role("link", name="Pencari kerja").click()
    page.get_by_role("button", name="Periksa sekarang").click()
    page.get_by_text("Sah: semua yang dapat diperiksa cocok").wait_for()
    screen.check(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Unduh bundel hari itu").click()
    assert download.value.suggested_filename.endswith(".zip")
    screen.go(page, "/cari-orang")
    page.get_by_label("NIK atau nomor paspor").fill(nik)
    page.get_by_label("Alasan").fill(REASON)
    page.get_by_role("button", name="Cari", exact=True).click()
    page.get_by_text("Orang ke-1").wait_for()
    assert nik not in page.url + page.title()
    for summary in page.locator("summary").all():
        summary.click()
    screen.check(page)


def test_asking_and_approving_without_javascript(plain_screen: Screen) -> None:
    house = plain_screen.house
    sent(house)
    asker, second = house.officer("auditor"), house.officer("auditor")
    page = plain_screen.sign_in(asker)
    plain_screen.go(page, "/cari-orang")
    page.get_by_label("NIK atau nomor paspor").fill("\n".join(crowd()))
    page.get_by_label("Alasan").fill(REASON)
    page.get_by_role("button", name="Cari", exact=True).click()
    assert page.get_by_role("status").first.inner_text().startswith("Permintaan Anda tercatat")
    other = plain_screen.sign_in(second)
    plain_screen.go(other, "/cari-orang/permintaan")
    house.town.now += timedelta(seconds=60)
    other.get_by_label("Kode 6 angka").fill(second.code(house.town.now))
    other.get_by_role("button", name="Setujui").click()
    assert "Permintaan Anda setujui" in other.get_by_role("status").first.inner_text()
    again = plain_screen.sign_in(asker)
    plain_screen.go(again, "/cari-orang/permintaan")
    again.get_by_role("button", name="Tampilkan jawaban").click()
    assert again.get_by_role("heading", name="Jawaban tentang orang").is_visible()
