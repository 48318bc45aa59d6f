"""A disk that is full or fails, for each file of the flow: refused with `penyimpanan`, or still accepted and taken up later; never half-done."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.simulator import SIJOKER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.aftermath import Aftermath, Driver

KEY = "kirim-ulang-aman-0001"
ROWS = 120


def send(after: Aftermath, driver: Driver, faults: tuple[tuple[str, str], ...] = (), *, times: int = 1, **order: int) -> str:
    """The driver's last word on `times` submissions sent under the faults; what is on disk then holds."""
    data = after.town.csv(after.town.rows(n=ROWS))
    bodies = [after.submit(data, KEY if n == 0 else f"kirim-ulang-aman-{n + 1:04d}") for n in range(times)]
    after.town.close()
    ended = driver.order(after.town, "send", bodies=bodies, faults=faults, **order)
    assert not ended.killed
    after.at_once()
    after.town.reopen()
    return ended.said


def test_a_full_disk_at_the_door_accepts_nothing(after: Aftermath, driver: Driver) -> None:
    assert send(after, driver, (("request_arrived", "fill"),)) == "OSError"
    assert after.states() == {}
    after.restart(resend=False)


def test_a_full_database_at_the_door_accepts_nothing(after: Aftermath, driver: Driver) -> None:
    assert send(after, driver, (("spool_durable", "fill"),)) == "LedgerError"
    assert after.states() == {}
    after.restart()
    assert list(after.states().values()) == ["receipted"]


def test_a_submission_the_database_cannot_take_is_not_kept(after: Aftermath, driver: Driver) -> None:
    body = after.submit(after.town.csv(after.town.rows(n=ROWS)), KEY)
    after.town.close()
    assert driver.order(after.town, "send", bodies=[body], faults=[("spool_durable", "fill")]).said == "LedgerError"
    assert list((after.town.home / "spool").iterdir()) == []


@pytest.mark.parametrize("point", ["first_chunk_read", "second_chunk_in_outbox", "outbox_durable"])
def test_a_disk_full_on_the_way_refuses_and_records_it(after: Aftermath, driver: Driver, point: str) -> None:
    assert send(after, driver, ((point, "fill"), ("refusal_begins", "free"))) == "penyimpanan"
    after.restart(resend=False)
    (name,) = after.states()
    after.town.assert_refused(name, "penyimpanan")


@pytest.mark.parametrize("point", ["first_chunk_read", "second_chunk_in_outbox", "outbox_durable", "entry_written"])
def test_a_disk_too_full_to_refuse_leaves_the_submission_for_later(after: Aftermath, driver: Driver, point: str) -> None:
    assert send(after, driver, ((point, "fill"),)) == "LedgerError"
    assert list(after.states().values()) == ["accepted"]
    after.restart()
    assert list(after.received.values()) == [ROWS]


@pytest.mark.parametrize("room", [0, 1, 8_192, 20_001, 70_000, 120_001, 150_000, 200_000, 260_000])
def test_whatever_room_is_left_nothing_is_half_done(after: Aftermath, driver: Driver, room: int) -> None:
    words = send(after, driver, times=3, room=room).split(",")
    assert set(words) <= {"OSError", "LedgerError", "penyimpanan", "recorded"}
    after.restart(resend=False)
    assert [w for w in words if w == "recorded"] == ["recorded"] * sum(s == "receipted" for s in after.states().values()) or "LedgerError" in words


@pytest.mark.parametrize(("at", "word"), [(1, "OSError"), (2, "OSError"), (3, "penyimpanan"), (4, "penyimpanan")])
def test_an_fsync_that_fails_is_never_taken_for_durable(after: Aftermath, driver: Driver, at: int, word: str) -> None:
    """1, 2: the spooled file and its folder; 3, 4: the outbox file and its folder."""
    assert send(after, driver, fsync=at) == word
    after.restart(resend=False)
    assert list(after.states().values()) == (["refused"] if word == "penyimpanan" else [])


def test_a_recorded_refusal_is_an_answer_also_when_the_fault_was_ours(after: Aftermath, driver: Driver) -> None:
    assert send(after, driver, fsync=3) == "penyimpanan"
    with after.town.http() as http:
        sender = after.town.client(SIJOKER, http)
        (answer,) = sender.resend()
        assert answer.state == "refused"
        assert list((sender.home / "outgoing").iterdir()) == []


@pytest.fixture
def small_disk(after: Aftermath) -> Iterator[Aftermath]:
    """The broker's home on a file system of 1.2 MB."""
    home, mount = after.town.home, shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    after.town.close()
    kept = home.with_name("kept")
    shutil.copytree(home, kept)
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=1200k,mode=700", "tmpfs", str(home)], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        shutil.copytree(kept, home, dirs_exist_ok=True)
        after.town.reopen()
        yield after
        after.town.close()
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


def test_a_disk_that_fills_up_and_is_enlarged_has_lost_nothing(small_disk: Aftermath, driver: Driver) -> None:
    after = small_disk
    data = after.town.csv(after.town.rows(n=ROWS))
    bodies = [after.submit(data, f"kirim-ulang-aman-{n:04d}") for n in range(14)]
    after.town.close()
    words = driver.order(after.town, "send", bodies=bodies).said.split(",")
    assert words[0] == "recorded"
    assert words[-1] in ("OSError", "LedgerError", "penyimpanan")
    subprocess.run(["mount", "-o", "remount,size=64m", str(after.town.home)], check=True)
    after.at_once()
    after.restart(resend=False)
    states = list(after.states().values())
    assert states.count("receipted") >= words.count("recorded")
    assert states.count("refused") == words.count("penyimpanan")
