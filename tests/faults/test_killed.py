"""kill -9 at every step, then a restart: every exchange is fully there or refused, and none is delivered without its entry."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulator import SIAPKERJA

if TYPE_CHECKING:
    from tests.faults.aftermath import Aftermath, Driver

KEY = "kirim-ulang-aman-0001"
ROWS = 120
SENDING = (
    "spool_half_written", "spool_durable", "admit_before_commit", "admitted", "agreed", "planned", "first_chunk_read", "first_chunk_treated",
    "second_chunk_in_outbox", "outbox_before_fsync", "outbox_durable", "leaves_written", "entry_written", "checkpoint_written", "outbox_row_written", "recorded",
)  # fmt: skip
REFUSING = ("refusal_begins", "refusal_written", "refusal_durable")
BUDGET = 12.0  # seconds


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


def test_killing_at_random_moments_never_leaves_a_half_done_exchange(after: Aftermath, driver: Driver) -> None:
    chance, until, kills, number = random.Random(20261121), time.monotonic() + BUDGET, 0, 0
    sound, broken = seekers(after), b"bukan,judul\n1,2\n"
    accepted: set[str] = set()
    while time.monotonic() < until:
        bodies = [after.submit(data, f"acak-{number + i:012d}") for i, data in enumerate((sound, broken, sound))]
        number += 3
        after.town.close()
        ended = driver.order(after.town, "send", bodies=bodies, kill_after=chance.uniform(0.01, 0.6))
        kills += ended.killed
        accepted |= set(ended.accepted)
        after.at_once()
        after.restart()
    states = after.states()
    assert accepted <= set(states)
    assert len(states) == number
    assert sorted(set(states.values())) == ["receipted", "refused"]
    assert kills >= 5


def test_a_broker_that_releases_before_it_records_is_caught(after: Aftermath, driver: Driver) -> None:
    after.town.close()
    body = after.submit(seekers(after), KEY)
    after.town.close()
    assert driver.order(after.town, "send", bodies=[body], wrong_order=True).killed
    with pytest.raises(AssertionError, match="deliverable without its entry"):
        after.at_once()


def test_an_accepted_submission_sent_again_is_the_same_exchange(after: Aftermath, driver: Driver) -> None:
    body = after.submit(seekers(after), KEY)
    (name,) = crash(after, driver, "send", bodies=[body], faults=[("recorded", "kill")])
    again = driver.order(after.town, "send", bodies=[body])
    assert (again.accepted, again.said) == ((name,), "known")
    after.restart()
    assert after.states() == {name: "receipted"}
    with after.town.http() as http:
        assert after.town.client(SIAPKERJA, http).inbox() == []
