"""What a hostile officer, or nobody signed in, tries against pages whose work is tested elsewhere."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from broker import lifecycle
from broker import preview as previews
from broker.audit import subject
from broker.errors import Refusal
from broker.rows import treat_chunk
from broker.sending import MAX_DRAFTS, Asked, Intake, drafts
from broker.signin import TRIES
from broker.web.console import outgoing
from broker.web.console.shell import PATH
from tests.console.conftest import PASSWORD, Visitor
from tests.console.test_auditor import NK, crowd, question, sent
from tests.console.test_outgoing import ASKED, _until, drafted, multipart, spooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.console.conftest import House
    from tests.people.conftest import Officer


# --- who only the host's administrator made
def test_why_someone_is_asked_about_is_not_told_to_who_nobody_vouches_for(house: House, visitor: Any) -> None:
    asks = visitor(house.officer("auditor"))
    assert asks.post("/cari-orang", question(*crowd())).status_code == 303
    (row,) = subject.open_requests(house.town.office, house.registry.get("auditor-1@sijunjung"), house.town.now)
    assert row.reason in visitor(house.officer("ppdp")).get("/cari-orang/permintaan").text
    for role in ("auditor", "ppdp"):
        made_up = house.registry.active(role=role)
        for path in ("/cari-orang", "/cari-orang/permintaan"):
            answer = visitor(made_up).get(path)
            assert (answer.status_code, row.reason in answer.text, row.id[:8] in answer.text) == (403, False, False)
        with pytest.raises(Refusal, match="permintaan_tidak_ada"):
            subject.request(house.town.office, house.registry.get(made_up.id), row.id, house.town.now)


def test_what_was_sent_and_received_is_not_told_to_who_nobody_vouches_for(house: House, visitor: Any) -> None:
    name = sent(house)
    for party, path in (("sijunjung", "/kiriman"), ("sijunjung", f"/kiriman/{name}"), ("kemnaker", "/samaran/ajukan"), ("kemnaker", "/kotak-masuk")):
        assert visitor(house.officer("operator", party)).get(path).status_code == 200
        answer = visitor(house.registry.active(role="operator", party=party)).get(path)
        assert (answer.status_code, "sijoker@" in answer.text, "broker keys vouch" in answer.text) == (403, False, True)


def test_the_first_page_of_who_nobody_vouches_for_tells_of_no_exchange(house: House, visitor: Any) -> None:
    sent(house)
    lifecycle.stop(house.town.office, house.registry.get(house.officer("ppdp").id), NK, house.town.now)
    told, untold = visitor(house.officer("auditor")).get("").text, visitor(house.registry.active(role="auditor")).get("").text
    for word in ("Pertukaran per minggu", "ppdp-1@sijunjung"):
        assert (word in told, word in untold) == (True, False)
    assert "belum menjamin Anda" in untold
    assert "belum menjamin Anda" not in visitor(house.registry.active(role="auditor", party="bpk", agreements=frozenset({NK}), ends=house.town.now.date() + timedelta(days=90))).get("").text


# --- another agreement's
def test_another_agreements_stop_is_not_shown(house: House, visitor: Any) -> None:
    office, now = house.town.office, house.town.now
    mine, theirs = (house.officer("petugas_keamanan", party) for party in ("sijunjung", "binjai"))
    held = lifecycle.stop(office, house.registry.get(mine.id), NK, now)
    assert mine.id in visitor(mine).get("/kebijakan/henti").text
    page = visitor(theirs).get("/kebijakan/henti").text
    assert (mine.id in page, held.id in page) == (False, False)
    both = lifecycle.stop(office, house.registry.get(mine.id), "kemnaker", now)
    assert both.id in visitor(theirs).get("/kebijakan/henti").text
    assert [row.id for row in lifecycle.stops_of(office, house.registry.get(theirs.id))] == [both.id]


# --- lock-outs
def _wrong(house: House, visitor: Any, officer: Officer, times: int) -> None:
    for _ in range(times):
        assert visitor().post("/masuk", {"id": officer.id, "sandi": "salah sama sekali", "kode": "000000"}, csrf="").status_code == 403


def test_who_knows_an_id_keeps_no_signed_in_officer_from_stopping(house: House, visitor: Any) -> None:
    officer = house.officer("petugas_keamanan")
    one = visitor(officer)
    _wrong(house, visitor, officer, TRIES)
    assert "locked" in house.registry.acts()
    house.town.now += timedelta(seconds=30)  # it lasts a minute
    assert one.post("/kebijakan/henti", {"sasaran": NK, "kode": officer.code(house.town.now)}).status_code == 303
    assert [row.target for row in lifecycle.stops(house.town.office)] == [NK]


def test_codes_that_are_guessed_in_a_session_end_it_and_stop_nothing(house: House, visitor: Any) -> None:
    officer = house.officer("petugas_keamanan")
    one, elsewhere = visitor(officer), visitor(officer)
    csrf = one.csrf()
    guess = {"sasaran": NK, "kode": "abcdef"}
    for _ in range(TRIES):
        assert one.get("").status_code == elsewhere.get("").status_code == 200
        assert one.post("/kebijakan/henti", guess, csrf=csrf).status_code == 403
    assert one.get("").status_code == elsewhere.get("").status_code == 303
    assert one.post("/kebijakan/henti", {"sasaran": NK, "kode": officer.code(house.town.now)}, csrf=csrf).status_code == 401
    assert visitor().post("/masuk", {"id": officer.id, "sandi": PASSWORD, "kode": officer.code(house.town.now)}, csrf="").status_code == 403
    assert lifecycle.stops(house.town.office) == []
    assert house.registry.acts()[-2:] == ["sign_in_failed", "locked"]


def test_a_form_without_its_code_is_no_guess(house: House, visitor: Any) -> None:
    """A form that was sent on after signing in again comes without it."""
    one = visitor(house.officer("petugas_keamanan"))
    for _ in range(TRIES + 1):
        assert one.post("/kebijakan/henti", {"sasaran": NK, "kode": " "}).status_code == 403
    assert one.get("").status_code == 200
    assert "sign_in_failed" not in house.registry.acts()
    assert lifecycle.stops(house.town.office) == []


def test_a_session_is_ended_by_one_guess_while_the_account_is_locked(house: House, visitor: Any) -> None:
    officer = house.officer("petugas_keamanan")
    one = visitor(officer)
    _wrong(house, visitor, officer, TRIES)
    assert one.post("/kebijakan/henti", {"sasaran": NK, "kode": "abcdef"}).status_code == 403
    assert one.get("").status_code == 303


# --- as much as one can ask for
@pytest.mark.parametrize("path", ["/kiriman?hal=" + "9" * 5_000, "/kiriman?halaman=0", "/kiriman?halaman=٣"])
def test_a_number_without_end_is_the_first_page(house: House, visitor: Any, path: str) -> None:
    assert visitor(house.officer("operator")).get(path).status_code == 200


@pytest.mark.parametrize("number", ["9" * 5_000, "٣", "0", "99999999"])
def test_a_version_without_end_is_none(house: House, visitor: Any, number: str) -> None:
    assert visitor(house.officer("auditor")).get(f"/kebijakan/versi/{number}").status_code == 404
    assert visitor().get(f"/kebijakan/versi/{number}").status_code == 303


def test_a_form_that_names_more_agreements_than_there_are_asks_nothing(house: House, visitor: Any) -> None:
    one, size = visitor(house.officer("auditor")), house.town.office.ledger.size("broker")
    fields = [(name, value) for name, value in question("3275019000009001").items() if name != "kesepakatan"]
    answer = one.post("/cari-orang", [*fields, *(("kesepakatan", f"nk-{n}") for n in range(500))])
    assert answer.status_code == 400
    assert house.town.office.ledger.size("broker") == size


# --- uploads
def test_drafts_that_are_finished_at_once_are_no_more_than_may_be(house: House) -> None:
    office, now = house.town.office, house.town.now
    person = house.registry.get(house.officer("operator").id)
    asked = Asked(ASKED["kesepakatan"], ASKED["himpunan"], ASKED["tujuan"], "")
    data = house.town.csv(house.town.rows(n=3))
    with ExitStack() as stack:
        begun = [stack.enter_context(Intake(office, person, asked, 1 << 20, now)) for _ in range(MAX_DRAFTS + 1)]
        for intake in begun:
            intake.take(data)
        for intake in begun[:-1]:
            intake.finish()
        with pytest.raises(Refusal, match="draf_banyak"):
            begun[-1].finish()
    assert len(drafts(office, person, now)) == len(spooled(house)) == MAX_DRAFTS


def _begun(house: House, token: str = "", csrf: str = "") -> socket.socket:
    """An upload whose end does not come."""
    host, port = house.url.removeprefix("http://").split(":")
    head = (
        f"POST {PATH}/kirim/unggah HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: sinergi={token}\r\nOrigin: {house.url}\r\nConnection: close\r\n"
        "Content-Type: multipart/form-data; boundary=batas\r\nContent-Length: 100000\r\n\r\n"
    )
    body = multipart({"csrf": csrf, **ASKED}, house.town.csv(house.town.rows(n=20)))[: None if csrf else 150]
    sending = socket.create_connection((host, int(port)))
    sending.settimeout(30)
    sending.sendall(head.encode() + body.removesuffix(b"\r\n--batas--\r\n"))
    return sending


def _answered(sending: socket.socket) -> int:
    return int(sending.recv(65_536).split(b" ")[1])


@pytest.fixture
def attacker(served: House) -> Iterator[Callable[[str], tuple[str, str]]]:
    """The session and the form's secret of a new officer of the house that is served."""
    with TestClient(served.town.app(served.url), base_url=served.url) as pages:

        def signed_in(party: str) -> tuple[str, str]:
            token = served.token(served.officer("operator", party))
            return token, Visitor(pages, served.url, token).csrf("/kirim")

        yield signed_in


def test_uploads_of_nobody_keep_no_officer_from_theirs(served: House, attacker: Any) -> None:
    with ExitStack() as stack:
        for _ in range(outgoing.AT_ONCE + 2):
            stack.enter_context(_begun(served))
        time.sleep(0.3)
        stack.enter_context(_begun(served, *attacker("sijunjung")))
        _until(lambda: spooled(served))  # it was taken in hand


def test_one_officer_does_not_take_every_upload(served: House, attacker: Any) -> None:
    mine, theirs = attacker("sijunjung"), attacker("sijunjung")
    with ExitStack() as stack:
        for _ in range(outgoing.BY_ONE):
            stack.enter_context(_begun(served, *mine))
        _until(lambda: len(spooled(served)) == outgoing.BY_ONE)
        assert _answered(stack.enter_context(_begun(served, *mine))) == 503
        assert len(spooled(served)) == outgoing.BY_ONE
        stack.enter_context(_begun(served, *theirs))
        _until(lambda: len(spooled(served)) == outgoing.BY_ONE + 1)


def test_too_many_uploads_at_once_are_refused(served: House, attacker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "AT_ONCE", 1)
    with _begun(served, *attacker("sijunjung")) as first:
        _until(lambda: spooled(served))
        with _begun(served, *attacker("sijunjung")) as second:
            assert _answered(second) == 503
        assert len(spooled(served)) == 1
        assert first


def test_an_upload_that_stands_still_ends_and_keeps_nothing(served: House, attacker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "STALLED", 0.5)
    token, csrf = attacker("sijunjung")
    with _begun(served, token, csrf) as sending:
        _until(lambda: spooled(served))
        assert _answered(sending) == 400
        _until(lambda: not spooled(served))
    with served.town.office.ledger.database.read() as tx:
        assert tx.sendings.drafts() == []


# --- previews
def test_the_files_of_one_officer_keep_no_other_waiting(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, go_on, made = previews.preview, threading.Event(), []
    one, other = house.officer("operator"), house.officer("operator")

    def slow(office: Any, draft: Any, *more: Any) -> Any:
        made.append(draft.person)
        if draft.person == one.id:
            go_on.wait(30)
        return real(office, draft, *more)

    monkeypatch.setattr(previews, "preview", slow)
    monkeypatch.setattr(outgoing, "FIRST_LOOK", 0.01)
    data = house.town.csv(house.town.rows(n=3))
    busy, quick = visitor(one), visitor(other)
    for _ in range(previews.AT_ONCE):
        drafted(busy, data)
    try:
        monkeypatch.setattr(outgoing, "LOOK", 10)
        assert 'name="rencana"' in quick.get(f"/kiriman/{drafted(quick, data)}").text
        assert made == [one.id, other.id]
    finally:
        go_on.set()


def test_a_file_that_is_thrown_away_is_read_no_further(house: House, visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks, thrown = [], threading.Event()

    def slow(*chunk: Any) -> Any:
        chunks.append(chunk)
        thrown.wait(30)
        return treat_chunk(*chunk)

    monkeypatch.setattr("broker.preview.treat_chunk", slow)
    monkeypatch.setattr(previews, "CHUNK_BYTES", 2_000)
    monkeypatch.setattr(outgoing, "FIRST_LOOK", 0.01)
    one = visitor(house.officer("operator"))
    name = drafted(one, house.town.csv(house.town.rows(n=200)))
    (reading,) = (thread for thread in threading.enumerate() if thread.name == "preview")
    _until(lambda: chunks)
    one.post(f"/kiriman/{name}/buang", {})
    thrown.set()
    reading.join(30)
    assert len(chunks) == 1
