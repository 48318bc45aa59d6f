"""Kirim data: what an attacker or an accident could send, then an officer's whole job."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import re
import socket
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from python_calamine import CalamineWorkbook
from starlette.testclient import TestClient

from broker import preview as previews
from broker import sending
from broker.envelope import read_submission, sign_dsse, submission_prefix
from broker.envelope.dsse import STATEMENT
from broker.errors import Refusal
from broker.exchange import decide, exchange, plan_sha256
from broker.jcs import canonical
from broker.keys import ReceiptKey
from broker.sending import PIECE, send
from broker.submission import asked_in
from broker.upkeep import drop_drafts
from broker.web.console import outgoing
from broker.web.console.shell import PATH
from tests.console.conftest import Visitor
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.console.conftest import House, Screen

ASKED = {"kesepakatan": "nk-sijunjung-2025", "himpunan": "pencari_kerja", "tujuan": "perencanaan"}


def multipart(fields: dict[str, str], data: bytes, name: str = "a.csv") -> bytes:
    parts = [f'--batas\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()]
    return b"".join(parts) + f'--batas\r\nContent-Disposition: form-data; name="berkas"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'.encode() + data + b"\r\n--batas--\r\n"


def upload(one: Visitor, data: bytes, asked: Mapping[str, str] = ASKED, *, csrf: str | None = None, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """What the form sends."""
    fields = {"csrf": one.csrf() if csrf is None else csrf, **asked}
    sent = {**one.headers, "Content-Type": "multipart/form-data; boundary=batas", "Origin": one.url, "Sec-Fetch-Site": "same-origin", **(headers or {})}
    return one.http.post(f"{PATH}/kirim/unggah", content=multipart(fields, data) if body is None else body, headers=sent, follow_redirects=False)


def spooled(house: House) -> list[str]:
    return sorted(path.name for path in (house.town.home / "spool").iterdir())


def drafted(one: Visitor, data: bytes, asked: Mapping[str, str] = ASKED) -> str:
    answer = upload(one, data, asked)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"].removeprefix(f"{PATH}/kiriman/"))


def plan(page: str) -> str:
    found = re.search(r'name="rencana" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


def sent(one: Visitor, data: bytes, asked: Mapping[str, str] = ASKED) -> str:
    name = drafted(one, data, asked)
    answer = one.post(f"/kiriman/{name}/kirim", {"rencana": plan(one.get(f"/kiriman/{name}").text)})
    assert answer.headers["location"] == f"{PATH}/kiriman/{name}"
    return name


def through(house: House, name: str) -> None:
    house.town._workers[-1].wait(name, 30)


def test_an_officer_uploads_looks_and_sends(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    name = sent(one, house.town.csv(house.town.rows()))
    through(house, name)
    row = house.town.row(name)
    assert (row.state, row.sender) == ("recorded", "sijoker@sijunjung")
    manifest = json.loads(row.manifest or b"")
    assert manifest["submission"]["person"] == "operator-1@sijunjung"
    assert manifest["keys"]["sender"] == manifest["keys"]["broker"]
    assert spooled(house) == []
    assert "operator-1@sijunjung" in one.get(f"/kiriman/{name}").text


# --- who may, and what is refused before the file
@pytest.mark.parametrize("role", ["auditor", "petugas_keamanan", "admin_pihak", "ppdp", "pembuka_samaran"])
def test_nobody_else_sends(house: House, visitor: Any, role: str) -> None:
    one = visitor(house.officer(role))
    for path in ("/kirim", "/kirim/berkas?kesepakatan=nk-sijunjung-2025&himpunan=pencari_kerja", "/kirim/templat/pencari_kerja.xlsx", "/kiriman", f"/kiriman/{'0' * 32}", "/kotak-masuk"):
        assert one.get(path).status_code == 403, path
    assert upload(one, house.town.csv(house.town.rows())).status_code == 403
    assert spooled(house) == []


def test_an_officer_whose_key_nobody_vouches_for_does_not_send(house: House, visitor: Any) -> None:
    officer = house.registry.active(role="operator")
    one = visitor(officer)
    assert "broker keys vouch" in one.get("/kirim").text
    answer = upload(one, house.town.csv(house.town.rows()))
    assert (answer.status_code, "belum_dijamin" in answer.text or "menjamin" in answer.text) == (403, True)
    assert spooled(house) == []


@pytest.mark.parametrize(
    ("csrf", "headers"),
    [("", {}), ("A" * 43, {}), (None, {"Origin": "https://jahat.example"}), (None, {"Origin": "null"}), (None, {"Sec-Fetch-Site": "cross-site"})],
)
def test_a_form_of_another_page_or_site_uploads_nothing(house: House, visitor: Any, csrf: str | None, headers: dict[str, str]) -> None:
    one = visitor(house.officer("operator"))
    assert upload(one, house.town.csv(house.town.rows()), csrf=csrf, headers=headers).status_code == 403
    assert spooled(house) == []


def test_the_csrf_field_must_come_before_the_file(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    body = multipart({**ASKED}, house.town.csv(house.town.rows()))
    late = body.replace(b"\r\n--batas--\r\n", f'\r\n--batas\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{one.csrf()}\r\n--batas--\r\n'.encode())
    assert upload(one, b"", body=late).status_code in (400, 403)  # a field behind the file is malformed besides
    assert spooled(house) == []


class _Watched:
    """The start of a body, and whether more of it was asked for than the fields."""

    def __init__(self, head: bytes, rest: bytes) -> None:
        self.head, self.rest, self.asked = head, rest, 0

    def __iter__(self) -> Iterator[bytes]:
        yield self.head
        for _ in range(64):
            self.asked += 1
            yield self.rest


def test_a_forged_form_is_refused_before_its_file_is_looked_at(house: House, visitor: Any) -> None:
    """Driven as ASGI, since a test client would send the whole body whatever the answer."""
    one = visitor(house.officer("operator"))
    head = multipart({"csrf": "salah", **ASKED}, b"x" * 10)[:-20]
    body, said = _Watched(head, b"y" * 65_536), []
    pieces = iter(body)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    async def answer(message: Any) -> None:
        said.append(message)

    headers = {"cookie": one.headers["Cookie"], "content-type": "multipart/form-data; boundary=batas", "origin": one.url, "sec-fetch-site": "same-origin"}
    scope = {
        "type": "http", "method": "POST", "path": f"{PATH}/kirim/unggah", "raw_path": b"", "query_string": b"", "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "scheme": "http", "server": ("127.0.0.1", 8470), "client": ("127.0.0.1", 1), "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    with ThreadPoolExecutor(1) as apart:  # a browser may have a loop of its own in this thread
        apart.submit(lambda: asyncio.run(one.http.app(scope, receive, answer))).result()
    assert (said[0]["status"], body.asked) == (403, 0)
    assert spooled(house) == []


def test_another_partys_purpose_agreement_or_dataset_is_refused(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    data = house.town.csv(house.town.rows())
    for changed in ({"kesepakatan": "nk-binjai-2025"}, {"kesepakatan": "tidak-ada"}, {"himpunan": "wlkp"}, {"tujuan": "satu_data_daerah"}, {"tujuan": ""}, {"tujuan": "<script>"}):
        answer = upload(one, data, {**ASKED, **changed})
        assert answer.status_code in (403, 404), changed
        assert "<script>" not in answer.text
    assert spooled(house) == []


def test_a_purpose_that_needs_a_basis_says_so_and_keeps_what_was_typed(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    data = house.town.csv(house.town.rows())
    answer = upload(one, data, {**ASKED, "tujuan": "penurunan_pengangguran", "dasar": "  "})
    assert answer.status_code == 403
    assert 'aria-invalid="true"' in answer.text
    assert 'value="penurunan_pengangguran" required checked' in answer.text
    name = drafted(one, data, {**ASKED, "tujuan": "penurunan_pengangguran", "dasar": 'Surat "1" <b>'})
    one.post(f"/kiriman/{name}/kirim", {"rencana": plan(one.get(f"/kiriman/{name}").text)})
    through(house, name)
    assert json.loads(house.town.row(name).manifest or b"")["basis_sha256"] == hashlib.sha256(b'Surat "1" <b>').hexdigest()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 berkas lain", "Jenis berkas"), (b"\x89PNG\r\n\x1a\n\0\0", "Jenis berkas"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Jenis berkas"),
        (b"<html><table>", "Jenis berkas"), (b"", "tidak berisi baris"), (b"a,b\0c", "Jenis berkas"),
    ],
)  # fmt: skip
def test_a_file_that_is_neither_is_refused(house: House, visitor: Any, data: bytes, reason: str) -> None:
    one = visitor(house.officer("operator"))
    answer = upload(one, data)
    assert answer.status_code in (415, 422)
    assert reason in answer.text
    assert spooled(house) == []


def test_a_file_that_is_too_large_is_refused_by_its_length_and_by_counting(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    limit = 64 << 20
    said = upload(one, b"", headers={"Content-Length": str(limit + (1 << 20))}, body=b"")
    assert said.status_code == 413
    body = multipart({"csrf": one.csrf(), **ASKED}, b"a" * (limit + 1))
    counted = one.http.post(f"{PATH}/kirim/unggah", content=(body[at : at + (1 << 20)] for at in range(0, len(body), 1 << 20)), headers={
        **one.headers, "Content-Type": "multipart/form-data; boundary=batas", "Origin": one.url, "Sec-Fetch-Site": "same-origin",
    })  # fmt: skip
    assert counted.status_code == 413
    assert spooled(house) == []


@pytest.mark.parametrize("cut", [-3, -16, -400])
def test_a_form_that_breaks_off_keeps_nothing(house: House, visitor: Any, cut: int) -> None:
    one = visitor(house.officer("operator"))
    body = multipart({"csrf": one.csrf(), **ASKED}, house.town.csv(house.town.rows()))
    answer = upload(one, b"", body=body[:cut])
    assert answer.status_code == 400
    assert "terputus" in answer.text
    assert spooled(house) == []


def test_the_sixth_draft_waits_for_one_to_go(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    data = house.town.csv(house.town.rows(n=1))
    names = [drafted(one, data) for _ in range(5)]
    assert upload(one, data).status_code == 409
    assert one.post(f"/kiriman/{names[0]}/buang", {}).status_code == 303
    assert not house.town.office.folders.draft(names[0]).exists()
    drafted(one, data)


def test_what_was_chosen_comes_back_when_the_session_ended(house: House, visitor: Any) -> None:
    officer = house.officer("operator")
    one = visitor(officer)
    csrf = one.csrf()
    house.town.now += timedelta(hours=1)
    kept = upload(one, house.town.csv(house.town.rows()), {**ASKED, "dasar": "Surat 12"}, csrf=csrf)
    assert kept.status_code == 401
    assert "Surat 12" not in kept.text
    (simpanan,) = re.findall(r'name="simpanan" value="([^"]*)"', kept.text)
    again = visitor(officer)
    shown = again.post("/lanjut", {"simpanan": simpanan}, csrf="")
    assert f'<form method="post" action="{PATH}/kirim/unggah">' in shown.text
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', shown.text.partition("unggah")[2]))
    assert fields["dasar"] == "Surat 12"
    answer = again.post("/kirim/unggah", fields, csrf=fields.pop("csrf"))
    assert answer.status_code == 200
    assert "Berkasnya harus dipilih lagi" in answer.text
    assert 'value="perencanaan" required checked' in answer.text
    assert spooled(house) == []


def test_a_script_is_told_in_json(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    data = house.town.csv(house.town.rows())
    said = upload(one, data, headers={"Accept": "application/json"})
    assert (said.status_code, list(said.json())) == (201, ["ke"])
    assert upload(one, b"%PDF-", headers={"Accept": "application/json"}).json()["alasan"] == "jenis_isi"
    house.town.now += timedelta(hours=1)
    assert upload(one, data, csrf="x", headers={"Accept": "application/json"}).json()["alasan"] == "sesi"


# --- a draft is one officer's, for half an hour
def test_a_draft_is_nobody_elses(house: House, visitor: Any) -> None:
    one, other = visitor(house.officer("operator")), visitor(house.officer("operator"))
    name = drafted(one, house.town.csv(house.town.rows()))
    seen = plan(one.get(f"/kiriman/{name}").text)
    assert other.get(f"/kiriman/{name}").status_code == 404
    assert other.post(f"/kiriman/{name}/kirim", {"rencana": seen}).status_code == 404
    assert other.post(f"/kiriman/{name}/buang", {}).status_code == 404
    assert spooled(house) == [f"{name}.draf"]
    assert name not in other.get("/kirim").text
    assert name in one.get("/kirim").text


def test_a_draft_ends_after_half_an_hour(house: House, visitor: Any) -> None:
    officer = house.officer("operator")
    one = visitor(officer)
    name = drafted(one, house.town.csv(house.town.rows()))
    seen = plan(one.get(f"/kiriman/{name}").text)
    house.town.now += timedelta(minutes=31)
    one = visitor(officer)
    assert one.get(f"/kiriman/{name}").status_code == 404
    assert one.post(f"/kiriman/{name}/kirim", {"rencana": seen}).status_code == 404
    assert drop_drafts(house.town.office, house.town.now) == 1
    assert spooled(house) == []


def test_a_restart_keeps_live_drafts_and_no_dead_ones(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    data = house.town.csv(house.town.rows())
    old = drafted(one, data)
    house.town.now += timedelta(minutes=20)
    young = drafted(one, data)
    house.town.office.folders.draft("f" * 32).write_bytes(b"an upload that a crash cut short")
    house.town.now += timedelta(minutes=15)
    house.town.reopen()
    assert spooled(house) == [f"{young}.draf"]
    with house.town.office.ledger.database.read() as tx:
        assert [draft.id for draft in tx.sendings.drafts()] == [young]
    assert old != young


def test_a_draft_is_not_taken_for_a_submission(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    name = drafted(one, house.town.csv(house.town.rows()))
    assert house.town.reopen() == []
    with house.town.office.ledger.database.read() as tx:
        assert tx.exchange(name) is None


# --- sending
def test_two_clicks_send_once(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    name = drafted(one, house.town.csv(house.town.rows()))
    seen = plan(one.get(f"/kiriman/{name}").text)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: one.post(f"/kiriman/{name}/kirim", {"rencana": seen}, csrf=csrf_of(one)), range(4)))
    assert {(a.status_code, a.headers.get("location")) for a in answers} == {(303, f"{PATH}/kiriman/{name}")}
    through(house, name)
    assert one.post(f"/kiriman/{name}/kirim", {"rencana": seen}).status_code == 303
    assert [e["exchange"] for e in house.town.entries() if e["type"] == "sinergi/exchange/v1"] == [name]
    assert spooled(house) == []


def test_a_click_that_comes_as_the_first_ends_does_not_take_what_it_sent(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It found a draft, and a moment later the first click had sent it: the submission that waits in the spool is not this one's to delete."""
    officer, office = house.officer("operator"), house.town.office
    name = drafted(visitor(officer), house.town.csv(house.town.rows()))
    with office.ledger.database.read() as tx:
        person, draft = tx.people.get(officer.id), tx.sendings.get(name)
    assert person is not None
    assert send(office, person, name, "0" * 64, house.town.now)
    found = iter([draft])
    real = sending.mine
    monkeypatch.setattr(sending, "mine", lambda *asked: next(found, None) or real(*asked))
    assert not send(office, person, name, "0" * 64, house.town.now)
    assert office.folders.spool(name).exists()
    assert house.town.row(name).state == "accepted"


def csrf_of(one: Visitor) -> str:
    return one.csrf()


def test_another_policy_than_the_previews_sends_nothing(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    name = drafted(one, house.town.csv(house.town.rows()))
    answer = one.post(f"/kiriman/{name}/kirim", {"rencana": "0" * 64})
    assert answer.headers["location"] == f"{PATH}/kiriman/{name}?berubah=1"
    assert "Kebijakan berubah" in one.get(f"/kiriman/{name}?berubah=1").text
    with house.town.office.ledger.database.read() as tx:
        assert tx.exchange(name) is None


def test_a_policy_that_changes_between_sending_and_release_lets_nothing_out(house: House, visitor: Any) -> None:
    officer = house.officer("operator")
    name = drafted(visitor(officer), house.town.csv(house.town.rows()))
    send(house.town.office, house.registry.get(officer.id), name, "0" * 64, house.town.now)  # what the preview showed is not what the policy says now
    with pytest.raises(Refusal, match="pratinjau"):
        exchange(house.town.office, name, house.town.now)
    house.town.assert_refused(name, "pratinjau")


@pytest.mark.parametrize(("changed", "reason"), [({"state": "ended"}, "wewenang"), ({"voucher": None}, "belum_dijamin")])
def test_an_officer_who_no_longer_may_or_is_vouched_for_lets_nothing_out(house: House, visitor: Any, changed: dict[str, Any], reason: str) -> None:
    officer = house.officer("operator")
    one = visitor(officer)
    name = drafted(one, house.town.csv(house.town.rows()))
    send(house.town.office, house.registry.get(officer.id), name, plan(one.get(f"/kiriman/{name}").text), house.town.now)
    with house.town.office.ledger.database.write() as tx:
        tx.people.change(officer.id, **changed)
    with pytest.raises(Refusal, match=reason):
        exchange(house.town.office, name, house.town.now)
    house.town.assert_refused(name, reason)


@pytest.mark.parametrize("changed", [{"person": "operator-2@sijunjung"}, {"purpose": "evaluasi_program"}, {"envelope_sha256": "0" * 64}, {"type": "sinergi/statement/v1"}, {"basis": 7}, {"x": "1"}])
def test_a_console_statement_that_says_something_else_lets_nothing_out(house: House, visitor: Any, changed: dict[str, Any]) -> None:
    officer = house.officer("operator")
    one = visitor(officer)
    name = drafted(one, house.town.csv(house.town.rows()))
    send(house.town.office, house.registry.get(officer.id), name, plan(one.get(f"/kiriman/{name}").text), house.town.now)
    path = house.town.office.folders.spool(name)
    with path.open("rb") as whole:
        said, rest = json.loads(read_submission(whole).payload), whole.read()
    path.write_bytes(console_statement(house, {**said, **changed}) + rest)
    with pytest.raises(Refusal, match=r"pernyataan|bentuk_kiriman"):
        exchange(house.town.office, name, house.town.now)


def test_a_console_statement_by_the_senders_own_key_is_none(house: House, visitor: Any) -> None:
    officer = house.officer("operator")
    one = visitor(officer)
    name = drafted(one, house.town.csv(house.town.rows()))
    send(house.town.office, house.registry.get(officer.id), name, plan(one.get(f"/kiriman/{name}").text), house.town.now)
    path = house.town.office.folders.spool(name)
    with path.open("rb") as whole:
        said, rest = read_submission(whole).payload, whole.read()
    path.write_bytes(submission_prefix(sign_dsse(STATEMENT, said, house.town.province.ring(SIJOKER).get(ReceiptKey, "receipt"))) + rest)
    with pytest.raises(Refusal, match="pernyataan"):
        exchange(house.town.office, name, house.town.now)


def console_statement(house: House, said: dict[str, Any]) -> bytes:
    return submission_prefix(sign_dsse(STATEMENT, canonical(said), house.town.office.rings["nk-sijunjung-2025"].get(ReceiptKey, "receipt")))


def test_no_request_brings_a_console_statement_in(house: House, visitor: Any) -> None:
    """Not even one that the broker itself signed: a spooled submission that leaked is of no use to a system's key."""
    house.officer("operator")
    body = house.town.submission(house.town.csv(house.town.rows()))
    source = io.BytesIO(body)
    said, rest = json.loads(read_submission(source).payload), source.read()
    leaked = console_statement(house, {**said, "type": "sinergi/console-statement/v1", "person": "operator-1@sijunjung"}) + rest
    client = house.town.client(SIJOKER, visitor().http)
    path = client.home / "outgoing" / "leaked"
    path.write_bytes(leaked)
    answer = client._post(path, "kunci-ulang-0123456789", 5)
    assert (answer.state, answer.problem and answer.problem["reason"]) == ("refused", "bentuk_kiriman")
    accepted = house.town.accept(leaked)
    with pytest.raises(Refusal, match="bentuk_kiriman"):
        exchange(house.town.office, accepted, house.town.now)
    house.town.assert_refused(accepted, "bentuk_kiriman")


def test_the_sending_system_does_not_sign_for_what_it_did_not_send(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    name = sent(one, house.town.csv(house.town.rows()))
    through(house, name)
    assert house.town.client(SIAPKERJA, one.http).receive()[0].exchange == name
    assert house.town.client(SIJOKER, one.http).countersign() == []
    page = one.get(f"/kiriman/{name}").text
    assert "menandatangani tanda terimanya" in page
    assert page.count('<time datetime="') >= 4


# --- no plaintext on a disk
def test_no_plaintext_is_on_a_disk_while_an_upload_is_under_way_nor_after_it_broke_off(served: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house, temporary = served, tmp_path / "sementara"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    one = house.officer("operator")
    token = house.token(one)
    rows = house.town.rows(n=50)
    canary = rows[0][house.town.office.contracts["pencari_kerja"].names.index("nik")].encode()
    data = house.town.csv(rows) * 40  # more than a piece, so that the spool grows on the way
    host, port = house.url.removeprefix("http://").split(":")
    page = f"GET {PATH}/kirim HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: sinergi={token}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection((host, int(port))) as asked:
        asked.sendall(page)
        csrf = re.search(rb'name="csrf" value="([^"]*)"', b"".join(iter(lambda: asked.recv(65_536), b"")))
    assert csrf
    body = multipart({"csrf": csrf[1].decode(), **ASKED}, data)
    head = (
        f"POST {PATH}/kirim/unggah HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: sinergi={token}\r\nOrigin: {house.url}\r\nSec-Fetch-Site: same-origin\r\n"
        f"Content-Type: multipart/form-data; boundary=batas\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as sending:
        sending.sendall(head.encode() + body[: len(body) * 3 // 4])
        (draft,) = _until(lambda: [path for path in (house.town.home / "spool").iterdir() if path.stat().st_size > PIECE])
        assert draft.suffix == ".draf"
        files = [path for folder in (house.town.home, temporary) for path in folder.rglob("*") if path.is_file()]
        assert files
        assert [path for path in files if canary in path.read_bytes()] == []
        assert list(temporary.rglob("*")) == []
    _until(lambda: not draft.exists())
    files = [path for folder in (house.town.home, temporary) for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if canary in path.read_bytes()] == []
    with house.town.office.ledger.database.read() as tx:
        assert tx.sendings.drafts() == []


def _until(found: Callable[[], Any]) -> Any:
    """What comes to be within a minute."""
    for _ in range(1_200):
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come to be")


# --- the preview
def test_the_preview_shows_what_leaves_and_no_real_token(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    rows = house.town.rows(n=20)
    name, twin = (drafted(one, house.town.csv(rows)) for _ in range(2))
    first, second = one.get(f"/kiriman/{name}").text, one.get(f"/kiriman/{twin}").text
    tokens = [set(re.findall(r"p[0-9]+\.[A-Za-z0-9_-]{22}", page)) for page in (first, second)]
    assert tokens[0]
    assert tokens[0].isdisjoint(tokens[1])
    assert all(token.startswith("p0.") for token in tokens[0] | tokens[1])
    assert rows[0][house.town.office.contracts["pencari_kerja"].names.index("nik")] in first
    assert "Pasal" in first
    one.post(f"/kiriman/{name}/kirim", {"rencana": plan(first)})
    through(house, name)
    received = house.town.client(SIAPKERJA, one.http).receive()[0]
    out = house.town.folder / "keluar.ndjson"
    house.town.client(SIAPKERJA, one.http).open(received.exchange, out, form="ndjson")
    kept = re.findall(r"p[0-9]+\.[A-Za-z0-9_-]{22}", out.read_text())
    assert kept
    assert not any(token in first or token in second for token in kept)
    clear = json.loads(out.read_text().split("\n")[0])
    assert all(value in unescape(first) for value in clear.values() if value and not value.startswith("p1."))


def test_a_file_is_read_once_and_the_page_that_waits_says_how_far(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real, go_on = [], previews.preview, threading.Event()

    def slow(office: Any, draft: Any, decided: Any, tally: Any) -> Any:
        made.append(draft.id)
        tally.rows = 1234
        go_on.wait(30)
        tally.rows = 0
        return real(office, draft, decided, tally)

    monkeypatch.setattr(previews, "preview", slow)
    monkeypatch.setattr(outgoing, "LOOK", 0.01)
    monkeypatch.setattr(outgoing, "FIRST_LOOK", 0.01)
    one = visitor(house.officer("operator"))
    name = drafted(one, house.town.csv(house.town.rows()))
    waiting = one.get(f"/kiriman/{name}").text
    assert "1.234 baris sudah diperiksa" in waiting
    assert 'name="rencana"' not in waiting
    go_on.set()
    monkeypatch.setattr(outgoing, "LOOK", 60)
    assert plan(one.get(f"/kiriman/{name}").text) == plan(one.get(f"/kiriman/{name}").text)
    assert made == [name]
    monkeypatch.setattr(previews, "plan_sha256", lambda _: "1" * 64)  # other levels hold
    one.get(f"/kiriman/{name}")
    assert made == [name, name]


def test_nothing_of_a_preview_is_kept_when_its_draft_is_over(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    real = previews.Previews.of

    def of(self: Any, *asked: Any) -> Any:
        kept[:] = [self]
        return real(self, *asked)

    monkeypatch.setattr(previews.Previews, "of", of)
    with TestClient(house.town.app(house.url), base_url=house.url) as http:
        one = Visitor(http, house.url, house.token(house.officer("operator")))
        names = [drafted(one, house.town.csv(house.town.rows())) for _ in range(3)]
        assert set(kept[0]._made) == set(names)
        one.post(f"/kiriman/{names[0]}/kirim", {"rencana": plan(one.get(f"/kiriman/{names[0]}").text)})
        one.post(f"/kiriman/{names[1]}/buang", {})
        assert set(kept[0]._made) == {names[2]}
        house.town.now += timedelta(minutes=31)
        last = drafted(Visitor(http, house.url, house.token(house.officers["operator-1@sijunjung"])), house.town.csv(house.town.rows()))
        assert set(kept[0]._made) == {last}


def test_a_preview_that_failed_for_want_of_the_file_is_tried_again(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(*_: Any) -> Any:
        raise Refusal("penyimpanan")

    one = visitor(house.officer("operator"))
    with monkeypatch.context() as broken:
        broken.setattr(previews, "preview", torn)
        name = drafted(one, house.town.csv(house.town.rows()))
        assert one.get(f"/kiriman/{name}").status_code == 507
    assert plan(one.get(f"/kiriman/{name}").text)


def test_a_fault_in_a_preview_says_nothing_of_its_cause(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: Any) -> Any:
        raise RuntimeError("1303082104839001")

    one = visitor(house.officer("operator"))
    monkeypatch.setattr(previews, "preview", faulty)
    answer = one.get(f"/kiriman/{drafted(one, house.town.csv(house.town.rows()))}")
    assert (answer.status_code, "1303082104839001" in answer.text) == (500, False)


def test_the_preview_names_rows_columns_and_rules_and_says_why_it_would_be_refused(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    rows = house.town.rows(n=20)
    nik = house.town.office.contracts["pencari_kerja"].names.index("nik")
    for row in rows[:12]:
        row[nik] = "1234"
    name = drafted(one, house.town.csv(rows))
    page = one.get(f"/kiriman/{name}").text
    assert "8 dari 20 baris lolos" in page
    assert "<code>nik</code>: bentuk nilai tidak sesuai templat" in page
    assert 'name="rencana"' not in page
    answer = one.post(f"/kiriman/{name}/kirim", {"rencana": plan_of(house, one, name)})
    assert answer.status_code == 303
    through(house, name)
    house.town.assert_refused(name, "mutu")
    story = one.get(f"/kiriman/{name}").text
    assert "<code>nik</code>: bentuk nilai tidak sesuai templat" in story
    assert "http-equiv" not in story


def plan_of(house: House, one: Visitor, name: str) -> str:
    """The digest that a page without a button does not carry."""
    with house.town.office.ledger.database.read() as tx:
        draft = tx.sendings.get(name)
    assert draft
    return plan_sha256(decide(house.town.office, asked_in(draft, draft.basis), house.town.now).plan)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"nama;nik\n", "titik koma"), (b"bukan,judul\n1,2\n", "baris judul"), (b"PK\x03\x04 bukan zip" + bytes(600), "bukan XLSX"), (b"\xff\xfen\0i\0k\0", "bukan UTF-8"),
        (b"<a", "Jenis berkas"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_the_template_is_told_so(house: House, visitor: Any, data: bytes, reason: str) -> None:
    one = visitor(house.officer("operator"))
    answer = upload(one, data)
    page = one.get(answer.headers["location"].removeprefix(PATH)) if answer.status_code == 303 else answer
    assert reason in page.text
    assert page.status_code in (200, 415)
    assert 'name="rencana"' not in page.text


def test_a_zip_bomb_and_a_file_without_rows_are_told_so(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
        for _ in range(600):
            sheet.write(bytes(1 << 20))
    for data, reason in ((bomb.getvalue(), "mengembang"), (house.town.csv([]), "tidak berisi baris")):
        page = one.get(f"/kiriman/{drafted(one, data)}").text
        assert reason in page
        assert 'name="rencana"' not in page


def test_markup_in_cells_stays_text(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    rows = house.town.rows(n=3)
    rows[0][house.town.office.contracts["pencari_kerja"].names.index("nama_lengkap")] = '<script>alert("1")</script>'
    page = one.get(f"/kiriman/{drafted(one, house.town.csv(rows))}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# --- what others sent, and what arrived
def test_an_exchange_of_another_party_does_not_exist(house: House, visitor: Any) -> None:
    name, _ = house.town.exchange(house.town.csv(house.town.rows()))
    assert visitor(house.officer("operator")).get(f"/kiriman/{name}").status_code == 200
    for party in ("kemnaker", "binjai"):
        other = visitor(house.officer("operator", party))
        assert other.get(f"/kiriman/{name}").status_code == 404
        assert name not in other.get("/kiriman").text
        assert (f"broker open {name}" in other.get("/kotak-masuk").text) is (party == "kemnaker")


def test_the_template_of_every_dataset_is_read_back(house: House, visitor: Any) -> None:
    one = visitor(house.officer("operator"))
    for dataset, contract in house.town.office.contracts.items():
        answer = one.get(f"/kirim/templat/{dataset}.xlsx")
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        assert book.get_sheet_by_index(0).to_python() == [list(contract.names)]
        guide = book.get_sheet_by_name("petunjuk").to_python()
        assert [row[0] for row in guide[3:]] == list(contract.names)
    assert one.get("/kirim/templat/tidak_ada.xlsx").status_code == 404
    assert b"dataValidation" in zipfile.ZipFile(io.BytesIO(answer.content)).read("xl/worksheets/sheet1.xml")


# --- in a real browser
def _file(house: House, folder: Path) -> Path:
    """Twenty good rows, one that fails, and a note with somebody's number in it."""
    contract = house.town.office.contracts["pencari_kerja"]
    rows = house.town.rows(n=21, text=True)
    at = contract.names.index
    rows[20][at("nik")] = "1234"
    path = folder / "pencari_kerja.csv"
    path.write_bytes(house.town.csv(rows))
    return path


def _whole_job(screen: Screen, folder: Path, language: str) -> None:
    house = screen.house
    page = screen.sign_in(house.officer("operator"))
    screen.go(page, f"/kirim?bahasa={language}")
    page.locator("table a").first.click()
    page.locator("input[value=perencanaan]").check()
    page.locator("#berkas").set_input_files(folder / "salah.pdf")
    page.locator("form#unggah button").click()
    page.get_by_role("alert").or_(page.locator("#jalan")).first.wait_for()
    screen.check(page)
    page.locator("input[value=perencanaan]").check()
    page.locator("#berkas").set_input_files(_file(house, folder))
    page.locator("form#unggah button").click()
    page.wait_for_url(re.compile(r"/kiriman/[0-9a-f]{32}$"))
    assert page.locator("mark").count()
    page.locator("form[action$='/kirim'] button").first.click()
    page.wait_for_url(re.compile(r"/kiriman/[0-9a-f]{32}$"))
    name = page.url.rpartition("/")[2]
    through(house, name)
    page.goto(page.url)
    assert "operator-1@sijunjung" in page.inner_text("main")
    screen.go(page, "/kiriman")
    screen.go(page, "/kotak-masuk")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "salah.pdf").write_bytes(b"%PDF-1.7")
    return tmp_path


def test_the_whole_job_in_a_browser(screen: Screen, folder: Path) -> None:
    _whole_job(screen, folder, "id")


def test_the_whole_job_in_english_without_javascript(plain_screen: Screen, folder: Path) -> None:
    _whole_job(plain_screen, folder, "en")


def test_a_browser_is_told_that_the_broker_does_not_answer_and_nothing_is_lost(screen: Screen, folder: Path) -> None:
    page = screen.sign_in(screen.house.officer("operator"))
    screen.go(page, "/kirim/berkas?kesepakatan=nk-sijunjung-2025&himpunan=pencari_kerja")
    page.locator("input[value=perencanaan]").check()
    page.locator("#berkas").set_input_files(_file(screen.house, folder))
    page.context.set_offline(True)
    page.locator("form#unggah button").click()
    page.get_by_text("Broker tidak menjawab").wait_for()
    screen.trouble[:] = [one for one in screen.trouble if "ERR_INTERNET_DISCONNECTED" not in one]
    page.context.set_offline(False)
    assert page.locator("input[value=perencanaan]").is_checked()
    page.locator("form#unggah button").click()
    page.wait_for_url(re.compile(r"/kiriman/[0-9a-f]{32}$"))
