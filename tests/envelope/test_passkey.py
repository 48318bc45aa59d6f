"""What an authenticator answers, verified by itself: one wrong thing at a time. The software authenticator is held against an independent reader in tests/console."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from broker.envelope import read_assertion, read_passkey, registered, verify_assertion
from broker.envelope.passkey import b64url, from_b64url, is_assertion, takes_passkeys
from broker.errors import NotVerified
from tests.authenticator import CREDENTIAL, PRESENT, VERIFIED, Authenticator

ORIGIN, WHO, SAID = "https://broker.example.go.id", "ppdp-1@sijunjung", b'{"a":1}'
ASKED = hashlib.sha256(b"asked").digest()
P384 = ec.generate_private_key(ec.SECP384R1())


@pytest.fixture(params=["es256", "ed25519"])
def authenticator(request: pytest.FixtureRequest) -> Authenticator:
    return Authenticator(ORIGIN, ed25519.Ed25519PrivateKey.generate() if request.param == "ed25519" else ec.generate_private_key(ec.SECP256R1()))


def test_what_was_made_and_answered_verifies(authenticator: Authenticator) -> None:
    client, data = authenticator.made(ASKED)
    passkey, counter = registered(WHO, ORIGIN, ASKED, client, data)
    assert (passkey, counter) == (authenticator.passkey(WHO), 1)
    said = authenticator.assertion(WHO, b"{}", authenticator.answer(SAID))
    assert verify_assertion(read_assertion(said.to_json())) == (passkey, SAID, 2)
    assert is_assertion(said.to_json())


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": PRESENT}, {"flags": VERIFIED}, {"flags": 0}, {"rp": "example.go.id"}, {"rp": "broker.example.go.id.jahat.example"}, {"kind": "webauthn.create"},
        {"kind": "payment.get"}, {"challenge": hashlib.sha256(b'{"a":2}').digest()}, {"challenge": b""}, {"origin": "https://example.go.id"}, {"origin": ORIGIN + "/"},
        {"origin": "http://broker.example.go.id"}, {"origin": ORIGIN + ":8443"}, {"origin": None}, {"crossOrigin": True}, {"crossOrigin": 1}, {"topOrigin": "https://jahat.example"}, {"type": None},
    ],
)  # fmt: skip
def test_an_answer_to_something_else_is_none(authenticator: Authenticator, wrong: dict[str, Any]) -> None:
    said = authenticator.assertion(WHO, b"{}", authenticator.answer(SAID, **wrong))
    with pytest.raises(NotVerified):
        verify_assertion(said)


def test_every_changed_byte_is_noticed(authenticator: Authenticator) -> None:
    said = authenticator.assertion(WHO, b"{}", authenticator.answer(SAID))
    for name in ("authenticator_data", "client_data", "signature", "statement"):
        data = from_b64url(getattr(said, name))
        for at in range(len(data)):
            changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            with pytest.raises(NotVerified):
                verify_assertion(dataclasses.replace(said, **{name: b64url(changed)}))


def test_a_passkey_signs_for_no_other(authenticator: Authenticator) -> None:
    said = authenticator.assertion(WHO, b"{}", authenticator.answer(SAID))
    other = Authenticator(ORIGIN).passkey(WHO).to_json().decode()
    with pytest.raises(NotVerified):
        verify_assertion(dataclasses.replace(said, passkey=other))


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": PRESENT | CREDENTIAL}, {"flags": VERIFIED | CREDENTIAL}, {"flags": PRESENT | VERIFIED}, {"rp": "example.go.id"}, {"kind": "webauthn.get"},
        {"origin": "https://jahat.example"}, {"crossOrigin": True}, {"tail": b"\xa0"}, {"challenge": "AAAA"},
    ],
)  # fmt: skip
def test_what_was_not_asked_for_is_not_registered(authenticator: Authenticator, wrong: dict[str, Any]) -> None:
    changed = {name: value for name, value in wrong.items() if name != "challenge"}
    client, data = authenticator.made(ASKED, **changed)
    if "challenge" in wrong:
        client = json.dumps({**json.loads(client), "challenge": wrong["challenge"]}).encode()
    with pytest.raises(NotVerified):
        registered(WHO, ORIGIN, ASKED, client, data)


def test_extensions_may_follow_where_the_flag_says_so(authenticator: Authenticator) -> None:
    client, data = authenticator.made(ASKED, flags=PRESENT | VERIFIED | CREDENTIAL | 0x80, tail=b"\xa0")
    assert registered(WHO, ORIGIN, ASKED, client, data)[0] == authenticator.passkey(WHO)


@pytest.mark.parametrize("cut", range(37, 100, 3))
def test_what_was_cut_short_is_not_registered(authenticator: Authenticator, cut: int) -> None:
    client, data = authenticator.made(ASKED)
    with pytest.raises(NotVerified):
        registered(WHO, ORIGIN, ASKED, client, data[:-cut])


@pytest.mark.parametrize("client", [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'"type"'])
def test_client_data_that_is_none_proves_nothing(client: bytes) -> None:
    with pytest.raises(NotVerified):
        registered(WHO, ORIGIN, ASKED, client, Authenticator(ORIGIN).made(ASKED)[1])


@pytest.mark.parametrize("cose", ["a5010203262001215820" + "01" * 32 + "225820" + "02" * 32, "a401010327200621 5820" + "00" * 31, "a0", "", "a30101032720 06"])
def test_a_key_that_is_none_of_ours_is_not_registered(cose: str) -> None:
    authenticator = Authenticator(ORIGIN)
    client, data = authenticator.made(ASKED)
    with pytest.raises(NotVerified):
        registered(WHO, ORIGIN, ASKED, client, data[: -len(authenticator.cose())] + bytes.fromhex(cose))


@pytest.mark.parametrize(
    "changed",
    [
        {"credential": ""}, {"credential": "a b"}, {"origin": "https://192.0.2.7"}, {"origin": "http://broker.example.go.id"}, {"origin": ORIGIN + "/a"}, {"public": ""}, {"public": "AAAA"},
        {"public": Authenticator(ORIGIN).passkey(WHO).public + "\n"}, {"person": 1},
    ],
)  # fmt: skip
def test_a_file_that_is_no_passkeys_is_refused(changed: dict[str, Any]) -> None:
    value = json.loads(Authenticator(ORIGIN).passkey(WHO).to_json())
    with pytest.raises(NotVerified):
        read_passkey(json.dumps({**value, **changed}, sort_keys=True, separators=(",", ":")).encode())


def test_a_key_of_another_curve_is_no_passkeys() -> None:
    with pytest.raises(NotVerified):
        read_passkey(Authenticator(ORIGIN, P384).passkey(WHO).to_json())


@pytest.mark.parametrize(("origin", "yes"), [("https://broker.example.go.id", True), ("https://a.b:8443", True), ("http://localhost:8470", True), ("http://127.0.0.1:8470", False), ("https://[::1]", False), ("http://a.b", False)])
def test_an_address_in_numbers_takes_no_passkeys(origin: str, yes: bool) -> None:
    assert takes_passkeys(origin) is yes
