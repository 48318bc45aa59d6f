"""At the door, over HTTP: who asks is known, what was signed is what arrived, once; everything else is refused and nothing is kept."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from broker.envelope import sign_dsse, submission_prefix
from broker.envelope.dsse import STATEMENT
from broker.keys import ReceiptKey, RequestKey, create_ring, open_ring
from broker.web.app import create_app
from tests.refusals.refusing import BODY_TYPE, CANARY, assert_nowhere, signed
from tests.simulator import SIBUSER, SIJOKER, URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx2
    from starlette.testclient import TestClient

    from tests.simulator import Town


@pytest.fixture
def http(town: Town) -> Iterator[TestClient]:
    with town.http() as http:
        yield http


def post(http: TestClient, body: bytes, headers: dict[str, str] | list[tuple[str, str]]) -> httpx2.Response:
    return http.post("/v1/exchanges", content=body, headers=headers)


def good(town: Town, n: int = 2) -> bytes:
    return town.submission(town.csv(town.rows(n=n)))


def counted(town: Town) -> dict[str, int]:
    with town.office.ledger.database.read() as tx:
        return tx.refused_at_door()


def assert_problem(town: Town, answer: httpx2.Response, status: int, reason: str) -> None:
    document = answer.json()
    assert (answer.status_code, document["reason"], document["status"]) == (status, reason, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["pasal"].startswith(("Pasal", "Lampiran"))
    assert_nowhere(town, answer.text)


def assert_nothing_kept(town: Town) -> None:
    """No submission, no envelope, no exchange and no entry in an agreement's log."""
    for folder in ("spool", "outbox", "scratch"):
        assert list((town.home / folder).iterdir()) == []
    assert town.entries() == []
    with town.office.ledger.database.read() as tx:
        assert tx.sent(SIJOKER, 10) == []


def assert_refused_unknown(town: Town, answer: httpx2.Response, reason: str) -> None:
    """Counted, never described."""
    assert_problem(town, answer, 401, reason)
    assert counted(town) == {reason: 1}
    assert town.entries("broker") == []
    assert_nothing_kept(town)


def assert_refused_known(town: Town, answer: httpx2.Response, status: int, reason: str, *, system: str = SIJOKER) -> None:
    assert_problem(town, answer, status, reason)
    (entry,) = town.entries("broker")
    assert (entry["type"], entry["reason"], entry["sender"]) == ("sinergi/refusal/v1", reason, system)
    assert entry["clause"].startswith(("Pasal", "Lampiran"))
    assert_nothing_kept(town)


# --- who asks
def test_an_unsigned_submission_is_refused(town: Town, http: TestClient) -> None:
    answer = post(http, good(town), {"Content-Type": BODY_TYPE, "Idempotency-Key": "k" * 20})
    assert_refused_unknown(town, answer, "tanda_tangan")


@pytest.mark.parametrize("path", ["/v1/inbox", "/v1/outbox", "/v1/agreements", "/v1/logs/broker/checkpoint", f"/v1/exchanges/{'0' * 32}", f"/v1/exchanges/{'0' * 32}/envelope"])
def test_nothing_is_read_without_a_signature(town: Town, http: TestClient, path: str) -> None:
    assert_refused_unknown(town, http.get(path), "tanda_tangan")


def test_an_unknown_key_and_a_wrong_signature_get_the_same_answer(town: Town, http: TestClient, tmp_path: Path) -> None:
    body = good(town)
    create_ring(tmp_path / "stranger", ("request",), town.now)
    unknown = signed(town, body, key=open_ring(tmp_path / "stranger").get(RequestKey, "request"))
    label, _, signature = (known := signed(town, body))["Signature"].partition(":")
    wrong = known | {"Signature": f"{label}:{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"}
    answers = [post(http, body, headers) for headers in (unknown, wrong)]
    assert len({(a.status_code, a.text, str({k: v for k, v in a.headers.items() if k != "date"})) for a in answers}) == 1
    assert_problem(town, answers[0], 401, "tanda_tangan")
    assert counted(town) == {"tanda_tangan": 2}
    assert_nothing_kept(town)


@pytest.mark.parametrize(("name", "value"), [("content-type", "text/csv"), ("idempotency-key", "z" * 20), ("content-digest", "sha-256=:" + "A" * 43 + "=:")])
def test_a_signed_header_changed_on_the_way_is_refused(town: Town, http: TestClient, name: str, value: str) -> None:
    body = good(town)
    headers = {k.lower(): v for k, v in signed(town, body).items()} | {name: value}
    assert_refused_unknown(town, post(http, body, headers), "tanda_tangan")


def test_a_signature_for_another_address_is_refused(town: Town, http: TestClient) -> None:
    body = good(town)
    assert_refused_unknown(town, post(http, body, signed(town, body, url="https://elsewhere.example.org/v1/exchanges")), "tanda_tangan")


def test_a_second_idempotency_key_slipped_in_is_refused(town: Town, http: TestClient) -> None:
    """Else whoever stands between could give a retry another key, and the rows would be disclosed twice."""
    body = good(town)
    headers = [("Idempotency-Key", "z" * 20), *signed(town, body).items()]
    assert_refused_unknown(town, post(http, body, headers), "tanda_tangan")


@pytest.mark.parametrize("header", ["Signature", "Signature-Input"])
@pytest.mark.parametrize("value", ["", "sinergi=", 'sinergi=("@method");created=-9;keyid="x"', "a=:====:", "sinergi=()" * 50, "\u00e9"])
def test_a_malformed_signature_is_refused_as_an_unknown_one(town: Town, http: TestClient, header: str, value: str) -> None:
    body = good(town)
    headers: list[tuple[Any, Any]] = [(k.encode(), (value if k == header else v).encode("latin-1")) for k, v in signed(town, body).items()]
    assert_refused_unknown(town, post(http, body, headers), "tanda_tangan")


@pytest.mark.parametrize("later", [-61, 61, -86_400, 10**9])
def test_a_clock_that_is_off_is_named(town: Town, http: TestClient, later: int) -> None:
    body = good(town)
    answer = post(http, body, signed(town, body, later=later))
    assert_refused_unknown(town, answer, "waktu")
    assert answer.json()["facts"] == {"detik": 60}


@pytest.mark.parametrize("later", [-60, 60])
def test_a_clock_that_is_off_by_a_minute_is_right(town: Town, http: TestClient, later: int) -> None:
    body = good(town)
    assert post(http, body, signed(town, body, later=later)).json()["state"] == "recorded"


# --- what arrived
def test_a_body_swapped_on_the_way_is_refused(town: Town, http: TestClient) -> None:
    headers = signed(town, good(town))
    assert_refused_known(town, post(http, good(town), headers), 400, "isi_berubah")


def test_a_body_over_the_limit_is_refused(town: Town) -> None:
    from starlette.testclient import TestClient  # noqa: PLC0415

    body = good(town)
    with TestClient(create_app(town.office, URL, len(body) - 1, lambda: town.now), base_url=URL) as small:
        answer = post(small, body, signed(town, body))
    assert answer.json()["facts"] == {"batas": len(body) - 1}
    assert_refused_known(town, answer, 413, "terlalu_besar")


def test_a_replay_is_refused_also_after_a_restart(town: Town, http: TestClient) -> None:
    body = good(town)
    headers = signed(town, body)
    assert post(http, body, headers).status_code == 200
    again = post(http, body, headers)
    assert_problem(town, again, 409, "ulang")
    town.reopen()
    town.now += timedelta(seconds=60)
    with town.http() as restarted:
        assert_problem(town, post(restarted, body, headers), 409, "ulang")
    assert [e["reason"] for e in town.entries("broker")] == ["ulang", "ulang"]
    assert [e["type"] for e in town.entries()] == ["sinergi/exchange/v1"]


@pytest.mark.parametrize("key", [None, "", "short", "x" * 65, "with space in it", f"{CANARY}/../{CANARY}", "ключ-ключ-ключ-ключ"])
def test_an_idempotency_key_is_required_in_its_form(town: Town, http: TestClient, key: str | None) -> None:
    body = good(town)
    if key is not None and not key.isascii():
        answer = post(http, body, [(k.encode(), v.encode()) for k, v in (signed(town, body) | {"idempotency-key": key}).items()])  # type: ignore[misc]
        assert_refused_unknown(town, answer, "tanda_tangan")
        return
    assert_refused_known(town, post(http, body, signed(town, body, idempotency=key)), 400, "tanpa_kunci_ulang")


def test_an_idempotency_key_with_another_body_is_refused(town: Town, http: TestClient) -> None:
    first, other = good(town), good(town)
    assert post(http, first, signed(town, first)).status_code == 200
    assert_problem(town, post(http, other, signed(town, other)), 422, "kunci_ulang")
    assert [e["reason"] for e in town.entries("broker")] == ["kunci_ulang"]
    assert [e["type"] for e in town.entries()] == ["sinergi/exchange/v1"]
    assert list((town.home / "spool").iterdir()) == []


def test_a_retry_is_the_same_exchange_and_no_second_disclosure(town: Town, http: TestClient) -> None:
    body = good(town)
    first, again = (post(http, body, signed(town, body)) for _ in range(2))
    assert first.json() == again.json()
    assert [e["type"] for e in town.entries()] == ["sinergi/exchange/v1"]
    assert len(list((town.home / "outbox").iterdir())) == 1
    assert list((town.home / "spool").iterdir()) == []


def test_a_retry_of_a_refused_exchange_is_refused_alike_and_recorded_once(town: Town, http: TestClient) -> None:
    body = town.submission(town.csv(town.rows(n=2)), purpose="")
    first, again = (post(http, body, signed(town, body)) for _ in range(2))
    assert (first.status_code, first.json()) == (403, again.json())
    assert [e["reason"] for e in town.entries()] == ["tujuan_kosong"]


def test_another_systems_submission_is_not_ones_own(town: Town, http: TestClient) -> None:
    body = good(town)
    assert_refused_known(town, post(http, body, signed(town, body, system=SIBUSER)), 403, "pernyataan", system=SIBUSER)


def test_a_statement_signed_by_another_system_is_refused_at_the_door(town: Town, http: TestClient) -> None:
    body = town.submission(town.csv(town.rows(n=2)), signer=SIBUSER)
    assert_refused_known(town, post(http, body, signed(town, body)), 403, "pernyataan")


def with_statement(town: Town, payload: bytes) -> bytes:
    return submission_prefix(sign_dsse(STATEMENT, payload, town.province.ring(SIJOKER).get(ReceiptKey, "receipt")))


def framed(data: bytes) -> bytes:
    return b"SNGS" + len(data).to_bytes(4, "big") + data


SHAPES: dict[str, Callable[[Town], bytes]] = {
    "nothing": lambda _: b"",
    "no submission": lambda _: CANARY.encode() * 9,
    "an envelope alone": lambda _: b"SNG1\0\0\0\x02{}",
    "a length without end": lambda _: b"SNGS\xff\xff\xff\xff" + CANARY.encode(),
    "cut in the statement": lambda town: good(town)[:100],
    "nesting without end": lambda _: framed(b'{"payload":' + b"[" * 60_000),
    "nesting in the statement": lambda town: with_statement(town, b'{"a":' + b"[" * 30_000),
    "a float": lambda town: with_statement(town, b'{"agreement":1.5}'),
    "a list": lambda town: with_statement(town, b"[]"),
    "half a character": lambda town: with_statement(town, b'{"agreement":"\\ud800"}'),
    "a list for a key": lambda _: framed(b'{"payload":"e30=","payloadType":"application/vnd.sinergi.statement+json","signatures":[{"keyid":[],"sig":""}]}'),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_body_of_another_shape_is_refused(town: Town, http: TestClient, shape: str) -> None:
    body = SHAPES[shape](town)
    assert_refused_known(town, post(http, body, signed(town, body)), 400, "bentuk_kiriman")


def test_a_list_for_a_key_under_a_whole_statement_is_refused(town: Town, http: TestClient) -> None:
    body = good(town)
    size = int.from_bytes(body[4:8], "big")
    statement = json.loads(body[8 : 8 + size])
    statement["signatures"][0]["keyid"] = []
    changed = framed(json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()) + body[8 + size :]
    assert_refused_known(town, post(http, changed, signed(town, changed)), 400, "bentuk_kiriman")


@pytest.mark.parametrize("damage", ["cut", "one byte more", "one byte less"])
def test_a_stream_that_is_cut_or_goes_on_is_refused(town: Town, http: TestClient, damage: str) -> None:
    body = good(town)
    changed = {"cut": body[:-400], "one byte more": body + b"x", "one byte less": body[:-1]}[damage]
    answer = post(http, changed, signed(town, changed))
    assert_problem(town, answer, 422, "tidak_terbuka")
    town.assert_refused(answer.json()["exchange"], "tidak_terbuka")


def test_one_flipped_byte_anywhere_is_refused(town: Town, http: TestClient) -> None:
    body = good(town, 1)
    statement = 8 + int.from_bytes(body[4:8], "big")
    header = statement + 8 + int.from_bytes(body[statement + 4 : statement + 8], "big")
    places = {0, 5, 7, 8, 40, 900, statement - 9, statement, statement + 6, statement + 9, statement + 500, header - 2, header, header + 40, len(body) - 1}
    for place in sorted(places):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        answer = post(http, changed, signed(town, changed, idempotency=f"flipped-{place:010d}"))
        assert answer.json()["reason"] in {"bentuk_kiriman", "pernyataan", "tidak_terbuka"}, place
    assert all(e["type"] == "sinergi/refusal/v1" for e in town.entries() + town.entries("broker"))
    assert len(town.entries() + town.entries("broker")) == len(places)
    assert list((town.home / "outbox").iterdir()) == []
    assert list((town.home / "spool").iterdir()) == []


def test_a_path_that_is_no_text_is_refused_as_unsigned(town: Town) -> None:
    with served(town) as port, socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET /v1/logs/%E9\xe9/checkpoint?\xe9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert b" 40" in answer.split(b"\r\n")[0]


# --- the sender goes away
class served:  # noqa: N801 - reads as what it does
    """The broker on a real loopback port, in a thread."""

    def __init__(self, town: Town) -> None:
        self._server = uvicorn.Server(uvicorn.Config(town.app(), host="127.0.0.1", port=0, log_config=None, access_log=False))
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        until(lambda: self._server.started)
        port: int = self._server.servers[0].sockets[0].getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()


def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("never came true")


@pytest.mark.parametrize("chunked", [False, True], ids=["length given", "chunked"])
def test_a_sender_that_disconnects_half_way_leaves_nothing(town: Town, chunked: bool) -> None:
    body = good(town)
    headers = signed(town, body)
    half = body[: len(body) // 2]
    with served(town) as port:
        with socket.create_connection(("127.0.0.1", port)) as raw:
            framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
            head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
            raw.sendall(f"POST /v1/exchanges HTTP/1.1\r\nHost: x\r\n{framing}\r\n{head}\r\n".encode())
            raw.sendall(b"%x\r\n%b\r\n" % (len(half), half) if chunked else half)
            until(lambda: any(p.stat().st_size for p in (town.home / "spool").iterdir()))
        until(lambda: len(town.entries("broker")) == 1)
        until(lambda: list((town.home / "spool").iterdir()) == [])
    (entry,) = town.entries("broker")
    assert (entry["reason"], entry["sender"]) == ("terputus", SIJOKER)
    assert_nothing_kept(town)
