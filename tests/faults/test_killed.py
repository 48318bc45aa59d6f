"""kill -9 at every step, then a restart: every exchange is fully there or refused, and none is delivered without its entry."""

from __future__ import annotations

import json
import math
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from broker import rotation
from broker.client import Client
from broker.epochmap import due, map_epoch
from broker.errors import ClientError
from broker.jcs import canonical
from broker.upkeep import MAX_TRIES
from tests.keys.test_rotation import wired
from tests.keys.test_vault import epoch, vault
from tests.simulator import SIAPKERJA, SIJOKER, URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.aftermath import Aftermath, Driver

KEY = "kirim-ulang-aman-0001"
ROWS = 120
SENDING = (
    "spool_half_written", "spool_durable", "admit_before_commit", "admitted", "agreed", "planned", "first_chunk_read", "first_chunk_treated",
    "second_chunk_in_outbox", "outbox_before_fsync", "outbox_durable", "leaves_written", "entry_written", "checkpoint_written", "outbox_row_written", "recorded",
)  # fmt: skip
ROTATING = ("ring_rotated", "tags_half_written", "tags_written", "tags_durable")
MAPPING = ("map_in_outbox", "map_before_fsync", "outbox_durable", "leaves_written", "entry_written", "checkpoint_written", "outbox_row_written", "recorded")
REFUSING = ("refusal_begins", "refusal_written", "refusal_durable")
KILLS = 10  # of each of five seeds
MOMENTS = math.log(0.01), math.log(0.8)  # seconds after it answers
ROUNDS = 100


def seekers(after: Aftermath, seed: int = 1) -> bytes:
    return after.town.csv(after.town.rows(n=ROWS, seed=seed))


def crash(after: Aftermath, driver: Driver, do: str, **order: Any) -> tuple[str, ...]:
    """The order's fault kills it; what is on disk at that moment holds. Returns the exchanges that were acknowledged."""
    after.town.close()
    ended = driver.order(after.town, do, **order)
    assert ended.killed
    after.at_once()
    return ended.accepted


@pytest.mark.parametrize("point", SENDING)
def test_a_broker_killed_while_it_exchanges_ends_with_the_whole_exchange(after: Aftermath, driver: Driver, point: str) -> None:
    body = after.submit(seekers(after), KEY)
    accepted = crash(after, driver, "send", bodies=[body], faults=[(point, "kill")])
    after.restart()
    (name,) = after.states()
    assert set(accepted) <= {name}
    assert after.states() == {name: "receipted"}
    assert after.received == {name: ROWS}


@pytest.mark.parametrize("point", ["planned", "second_chunk_in_outbox", "outbox_durable", "entry_written", "recorded"])
def test_a_broker_killed_again_while_it_recovers_ends_with_the_whole_exchange(after: Aftermath, driver: Driver, point: str) -> None:
    (name,) = crash(after, driver, "send", bodies=[after.submit(seekers(after), KEY)], faults=[("outbox_durable", "kill")])
    crash(after, driver, "start", faults=[(point, "kill")])
    after.restart()
    assert after.states() == {name: "receipted"}


def test_a_commit_that_failed_only_by_name_keeps_its_envelope(after: Aftermath, driver: Driver) -> None:
    body = after.submit(seekers(after), KEY)
    crash(after, driver, "send", bodies=[body], faults=[("record_committed", "fail_commit"), ("refusal_begins", "kill")])
    after.restart()


@pytest.mark.parametrize("point", ROTATING)
def test_a_broker_killed_while_it_rotates_the_vault_knows_everyone_afterwards(after: Aftermath, driver: Driver, point: str) -> None:
    town, rows = after.town, after.town.rows(n=ROWS)
    town.exchange(town.csv(rows))
    before = vault(town)
    crash(after, driver, "rotate", faults=[(point, "kill")])
    assert (vault(town).keys() == before.keys()) == (point != "tags_durable")  # all of them or none
    wired(town)
    assert epoch(town) == 2
    assert not vault(town).keys() & before.keys()
    assert sorted(vault(town).values()) == sorted(before.values())
    name, _ = town.exchange(town.csv(rows))
    assert json.loads(town.row(name).manifest or b"")["vault"]["new"] == 0
    after.restart()


def due_map(after: Aftermath) -> str:
    """An exchange, and a root rotated since: its recipient is due a map."""
    name, _ = after.town.exchange(seekers(after))
    wired(after.town)
    rotation.by_host(after.town.office, canonical({"act": "rotate", "ring": "nk-sijunjung-2025", "purpose": "root"}), after.town.now)
    assert due(after.town.office, after.town.now)
    return name


def mapped_once(after: Aftermath, name: str) -> None:
    """Once there is a broker again, the recipient gets its map, and no second one."""
    after.restart()
    for domain in due(after.town.office, after.town.now):
        map_epoch(after.town.office, domain, after.town.now)
    after.restart()
    (other,) = set(after.states()) - {name}
    assert after.received == {name: ROWS, other: ROWS}
    assert due(after.town.office, after.town.now) == []


@pytest.mark.parametrize("point", MAPPING)
def test_a_broker_killed_while_it_maps_tokens_sends_the_map_once(after: Aftermath, driver: Driver, point: str) -> None:
    name = due_map(after)
    crash(after, driver, "map", faults=[(point, "kill")])
    mapped_once(after, name)


@pytest.mark.parametrize("room", [0, 20_001, 60_001])
def test_a_map_that_a_full_disk_cannot_take_is_sent_later(after: Aftermath, driver: Driver, room: int) -> None:
    name = due_map(after)
    after.town.close()
    assert driver.order(after.town, "map", room=room).said in ("LedgerError", "OSError", "mapped")
    after.at_once()
    mapped_once(after, name)


@pytest.mark.parametrize("point", REFUSING)
def test_a_broker_killed_while_it_refuses_ends_with_the_refusal(after: Aftermath, driver: Driver, point: str) -> None:
    body = after.submit(b"bukan,judul\n1,2\n", KEY)
    (name,) = crash(after, driver, "send", bodies=[body], faults=[(point, "kill")])
    after.restart()
    after.town.assert_refused(name, "tanpa_judul")


@pytest.mark.parametrize(("do", "point"), [
    ("fetch", "delivery_first_piece"), ("fetch", "delivery_before_commit"), ("fetch", "delivered"),
    ("receipt", "receipt_before_commit"), ("receipt", "receipted"),
])  # fmt: skip
def test_a_broker_killed_while_it_delivers_delivers_again(after: Aftermath, driver: Driver, do: str, point: str) -> None:
    name, _ = after.town.exchange(seekers(after))
    crash(after, driver, do, exchange=name, then=[(point, "kill")])
    if point == "receipted":
        after.received[name] = ROWS  # it no longer waits for the recipient, who signed for it
    after.restart()
    assert after.states() == {name: "receipted"}
    assert after.received == {name: ROWS}


def go_on(after: Aftermath, socket: Path) -> Iterator[str]:
    """Both parties' programs as long as the broker answers: each word is something one of them now counts on."""
    with httpx2.Client(transport=httpx2.HTTPTransport(uds=str(socket)), base_url=URL, timeout=30) as http:
        sender, recipient = (Client.at(after.home_of(system), lambda: after.town.now, http) for system in (SIJOKER, SIAPKERJA))
        with suppress(httpx2.TransportError, ClientError):
            while True:
                yield from [answer.exchange for answer in sender.resend()]
                for item in recipient.receive():
                    after.received[item.exchange] = item.verified.lines
                    yield item.exchange
                yield from sender.countersign()


def signed_for(after: Aftermath) -> dict[str, int]:
    """What the recipient signed for, which it must hold whole even if it never heard that its receipt arrived."""
    after.town.reopen()
    names = [name for name, state in after.states().items() if state == "receipted"]
    with Client.at(after.home_of(SIAPKERJA)) as recipient:
        return {name: recipient.verify(name).lines for name in names}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpx2 leaves the socket of a broken connection to the collector
@pytest.mark.parametrize("seed", range(5))
def test_a_broker_killed_at_random_moments_keeps_every_promise(after: Aftermath, driver: Driver, seed: int) -> None:
    """Fifty times in all: `broker serve` as its two parties see it, who try again with the same key until they have an answer."""
    chance, counted_on, kills, sound = random.Random(seed), set[str](), 0, seekers(after)
    while kills < KILLS:
        after.submit(b"bukan,judul\n1,2\n" if kills % 4 == 3 else sound, f"acak-{kills:012d}")
        after.town.close()
        socket = after.town.folder / f"{kills}.sock"
        driver.begin(after.town, "serve", socket=str(socket), kill_after=math.exp(chance.uniform(*MOMENTS)))
        until = time.monotonic() + 60
        while not socket.exists():
            assert time.monotonic() < until, "the driver's child does not serve"
            time.sleep(0.005)
        counted_on.update(go_on(after, socket))
        assert driver.ended().killed
        kills += 1
        after.at_once()
        assert counted_on <= after.promised(), "someone was told of what is not there"
    after.received |= signed_for(after)
    after.restart()
    states = after.states()
    assert counted_on <= set(states)
    assert len(states) == KILLS
    for name in states:
        row = after.town.row(name)
        assert row.state == "receipted" or json.loads(row.problem or "")["reason"] == "tanpa_judul" or row.tries == MAX_TRIES


def test_a_broker_that_releases_before_it_records_is_caught(after: Aftermath, driver: Driver) -> None:
    body = after.submit(seekers(after), KEY)
    after.town.close()
    assert driver.order(after.town, "send", bodies=[body], wrong_order="kill").killed
    with pytest.raises(AssertionError, match="deliverable without its entry"):
        after.at_once()


def killed_by_chance(after: Aftermath, driver: Driver, rounds: int, **order: Any) -> None:
    """Kills between any two calls of SQLite or of the system on a submission's way, each as likely; what is on disk then must hold."""
    chance, sound = random.Random(7), seekers(after)
    after.town.close()
    calls = 0
    for number in range(rounds):
        body = after.submit(sound, f"langkah-{number:012d}")
        if not calls:
            calls = int(driver.order(after.town, "send", bodies=[after.submit(sound, KEY)], call=0, **order).said)
        assert driver.order(after.town, "send", bodies=[body], call=chance.randint(1, calls - 20), **order).killed
        after.at_once()


def test_killing_between_any_two_steps_leaves_nothing_released_unrecorded(after: Aftermath, driver: Driver) -> None:
    killed_by_chance(after, driver, 10)
    after.restart()


def test_a_broker_that_releases_before_it_records_is_caught_by_chance_too(after: Aftermath, driver: Driver) -> None:
    with pytest.raises(AssertionError, match="deliverable without its entry"):
        killed_by_chance(after, driver, ROUNDS, wrong_order="nothing")


def test_an_accepted_submission_sent_again_is_the_same_exchange(after: Aftermath, driver: Driver) -> None:
    body = after.submit(seekers(after), KEY)
    (name,) = crash(after, driver, "send", bodies=[body], faults=[("recorded", "kill")])
    again = driver.order(after.town, "send", bodies=[body])
    assert (again.accepted, again.said) == ((name,), "known")
    after.restart()
    assert after.states() == {name: "receipted"}
    with after.town.http() as http:
        assert after.town.client(SIAPKERJA, http).inbox() == []
