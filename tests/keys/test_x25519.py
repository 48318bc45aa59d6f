"""A party whose agreement names X25519 for it: its keys made by the command, enrolled, sealed to, renewed and, at its day's end, sealed to no more."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from broker.cli.app import app
from broker.client import create_home
from broker.envelope.seal import SUITE, SUITE_X25519
from broker.errors import KeyRingError, NotVerified
from broker.keys import KemX25519Key, open_ring, read_public_set
from broker.ledger.manifest import manifest_json
from tests.audit.test_reidentify import Counter, unknown
from tests.envelope.test_suites import lines, name_x25519, sealed_to
from tests.interop.test_openers import command_of, judged
from tests.keys.test_ownkeys import confirmed, send
from tests.simulator import SIAPKERJA, SIJOKER, URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from broker.client import Client
    from tests.simulator import Town

__all__ = ["command_of"]
FOUR = {"request", "receipt", "kem", "kem-x25519"}


@pytest.fixture
def counter(town: Town) -> Iterator[Counter]:
    """The ministry's system has both keys, and the agreement names X25519 for it."""
    name_x25519(town)
    with town.http() as http:
        made = Counter(town, http)
        home = town.folder / SIAPKERJA
        public = create_home(home, SIAPKERJA, URL, town.now, x25519=True)
        (home / "broker.json").write_bytes((town.province.parties / SIAPKERJA / "broker.json").read_bytes())
        confirmed(made, public)
        yield made


def suite(client: Client, exchange: str) -> list[tuple[str, str]]:
    return sealed_to((client.home / "inbox" / exchange / "envelope.sng").read_bytes())


def received(counter: Counter, tmp_path: Path, name: str) -> str:
    sent = send(counter.town.client(SIJOKER, counter.http), counter, tmp_path, name)
    assert [one.exchange for one in counter.town.client(SIAPKERJA, counter.http).receive()] == [sent]
    return sent


def test_what_is_sealed_in_x25519_is_fetched_verified_and_opened_by_the_client_and_by_php(
    counter: Counter, tmp_path: Path, command_of: Callable[[str], list[str]]
) -> None:
    exchange, client = received(counter, tmp_path, "a"), counter.town.client(SIAPKERJA, counter.http)
    curve = open_ring(client.home / "secrets").get(KemX25519Key, "kem-x25519")
    assert suite(client, exchange) == [(curve.public.kid, SUITE_X25519)]
    assert client.verify(exchange).lines == 4
    client.open(exchange, tmp_path / "a.ndjson", form="ndjson")
    assert len((tmp_path / "a.ndjson").read_bytes().splitlines()) == 4
    (read,) = judged(command_of("php"), tmp_path, curve, [(client.home / "inbox" / exchange / "envelope.sng").read_bytes()])
    assert read["bytes"] == (tmp_path / "a.ndjson").stat().st_size


def test_it_is_renewed_like_the_others_and_what_was_sealed_before_still_opens(counter: Counter, tmp_path: Path) -> None:
    early, client = received(counter, tmp_path, "a"), counter.town.client(SIAPKERJA, counter.http)
    old = open_ring(client.home / "secrets").get(KemX25519Key, "kem-x25519")
    following = client.announce()
    assert {purpose for _, purpose in following.keys} == FOUR
    confirmed(counter, following)
    late = send(counter.town.client(SIJOKER, counter.http), counter, tmp_path, "b")
    client = counter.town.client(SIAPKERJA, counter.http)
    assert [one.exchange for one in client.receive()] == [late]
    new = open_ring(client.home / "secrets").get(KemX25519Key, "kem-x25519")
    assert new.public.kid != old.public.kid
    assert suite(client, late) == [(kid, SUITE_X25519) for kid in sorted((old.public.kid, new.public.kid))]
    assert [client.verify(name).lines for name in (early, late)] == [4, 4]


def test_after_its_day_only_the_other_suite_is_used(counter: Counter, tmp_path: Path) -> None:
    counter.town.now += timedelta(days=1)
    exchange, client = received(counter, tmp_path, "a"), counter.town.client(SIAPKERJA, counter.http)
    assert {one for _, one in suite(client, exchange)} == {SUITE}
    assert client.verify(exchange).lines == 4


def test_who_is_behind_a_token_is_answered_in_the_agreements_suite(counter: Counter) -> None:
    counter.receive()
    asker = counter.who()
    name = counter.ask(asker, *counter.tokens()[:1], "p1." + "A" * 22)
    for approver in counter.approvers():
        approver.approve(name)
    path = counter.town.folder / f"{name}.json"
    asker.fetch(name, path)
    client = counter.town.client(SIAPKERJA, counter.http)
    told = list(client.identities(path.read_bytes()).lines)
    assert told == [{"jenis": "nik", "nomor": counter.niks()[0], "samaran": counter.tokens()[0]}, unknown("p1." + "A" * 22)]


    envelope = b64decode(json.loads(path.read_bytes())["envelope"])
    assert [one for _, one in sealed_to(envelope)] == [SUITE_X25519]
    ring = open_ring(client.home / "secrets")
    assert len(lines(envelope, ring.get(KemX25519Key, "kem-x25519"))) == 2


@pytest.mark.parametrize(
    "lie",
    [
        lambda said: said | {"warnings": tuple(word for word in said["warnings"] if word != "segel_x25519")},
        lambda said: said | {"keys": {**said["keys"], "recipient_kem": said["keys"]["recipient"]}},
        lambda said: said | {"keys": {**said["keys"], "recipient_kem": f"{said['keys']['recipient_kem']} {said['keys']['recipient']}"}},
    ],
)
def test_an_envelope_that_is_sealed_otherwise_than_the_manifest_says_is_not_taken(
    counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    real = manifest_json
    monkeypatch.setattr("broker.exchange.manifest_json", lambda **said: real(**lie(said)))
    with pytest.raises(NotVerified, match="sealed to other keys than the manifest names, or in another suite"):
        received(counter, tmp_path, "a")


def test_a_party_without_the_key_gets_it_with_its_next_set(counter: Counter) -> None:
    client = counter.town.client(SIJOKER, counter.http)
    assert {purpose for _, purpose in client.own.keys} == FOUR - {"kem-x25519"}
    assert {purpose for _, purpose in client.announce(x25519=True).keys} == FOUR
    assert client.announce() == client.announce(x25519=True)
    confirmed(counter, client.announce())
    client.renew()
    assert {purpose for _, purpose in client.own.keys} == FOUR
    assert read_public_set((client.home / f"{SIJOKER}.json").read_bytes()).keys == client.own.keys


def test_a_next_set_that_waits_is_not_changed(counter: Counter) -> None:
    client = counter.town.client(SIJOKER, counter.http)
    waiting = client.announce()
    with pytest.raises(KeyRingError, match="waits"):
        client.announce(x25519=True)
    assert client.announce() == waiting


def test_the_commands_make_it_where_asked(tmp_path: Path) -> None:
    run = CliRunner().invoke
    for name, more, purposes in (("with", ["--x25519"], FOUR), ("without", [], FOUR - {"kem-x25519"})):
        home = tmp_path / name
        done = run(app, ["keys", "new", "--system", SIAPKERJA, "--url", URL, "--home", str(home), *more])
        assert done.exit_code == 0, done.output
        assert {purpose for _, purpose in read_public_set((home / f"{SIAPKERJA}.json").read_bytes()).keys} == purposes
    done = run(app, ["keys", "rotate", "--x25519", "--home", str(tmp_path / "without")])
    assert done.exit_code == 0, done.output
    assert {purpose for _, purpose in read_public_set((tmp_path / "without" / f"{SIAPKERJA}.baru.json").read_bytes()).keys} == FOUR
