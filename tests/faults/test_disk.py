"""A disk that is full or fails, for each file of the flow: refused with `penyimpanan`, or still accepted and taken up later; never half-done."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from starlette.testclient import TestClient

from broker.errors import LedgerError
from tests.faults.aftermath import DONE
from tests.keys.test_rotation import wired
from tests.keys.test_vault import epoch, vault
from tests.simulator import SIJOKER, URL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.aftermath import Aftermath, Driver

KEY = "kirim-ulang-aman-0001"
ROWS = 120
BLOCK: Final = 4096  # of a tmpfs
ROOMS: Final = (0, 1, 3, 6, 9, 12, 16, 22, 32, 50, 120)  # blocks


def send(after: Aftermath, driver: Driver, faults: tuple[tuple[str, str], ...] = (), *, times: int = 1, **order: Any) -> str:
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


@pytest.mark.parametrize("order", [{"faults": [("ring_rotated", "fill")]}, {"room": 20_001}, {"room": 60_001}, {"room": 120_001}])
def test_tags_that_a_full_disk_cannot_take_stay_as_they_are_and_are_made_later(after: Aftermath, driver: Driver, order: dict[str, Any]) -> None:
    town = after.town
    town.exchange(town.csv(town.rows(n=40 * ROWS)))
    before = vault(town)
    town.close()
    assert driver.order(town, "rotate", **order).said == "LedgerError"
    after.at_once()
    assert vault(town) == before
    wired(town)
    assert epoch(town) == 2
    assert not vault(town).keys() & before.keys()
    assert sorted(vault(town).values()) == sorted(before.values())
    after.restart()


@pytest.mark.parametrize(("at", "word"), [(1, "OSError"), (2, "OSError"), (3, "penyimpanan"), (4, "penyimpanan")])
def test_an_fsync_that_fails_is_never_taken_for_durable(after: Aftermath, driver: Driver, at: int, word: str) -> None:
    """1, 2: the spooled file and its folder; 3, 4: the outbox file and its folder."""
    assert send(after, driver, fsync=at) == word
    after.restart(resend=False)
    assert list(after.states().values()) == (["refused"] if word == "penyimpanan" else [])


@pytest.fixture
def counted(shim: object) -> None:
    if shim is None:
        assert os.environ.get("CI") != "true", "a C compiler is needed to make SQLite's syncs fail"
        pytest.skip("making SQLite's syncs fail needs a C compiler")


ERRORS: Final = {"OSError", "LedgerError", "penyimpanan"}


@pytest.mark.parametrize("at", [1, 2, 3, 5, 6, 7, 8])  # 4: SQLite's sync of the folder, whose failure it ignores; test_opening.py has ours
def test_a_sync_of_sqlite_or_ours_that_fails_ends_in_a_refusal_or_no_answer(after: Aftermath, driver: Driver, counted: None, at: int) -> None:
    """The process lives on and takes a second submission: it must not stand on what the first one left."""
    *words, made = send(after, driver, times=2, sync=[at, at]).split(",")
    assert int(made) >= at
    assert ERRORS.intersection(words)
    assert set(words) <= {*ERRORS, "recorded"}
    after.restart()
    assert words.count("recorded") <= list(after.states().values()).count("receipted")


@pytest.mark.parametrize("start", [1, 4, 6])
def test_on_a_disk_that_syncs_no_more_nothing_is_acknowledged(after: Aftermath, driver: Driver, counted: None, start: int) -> None:
    *words, _ = send(after, driver, times=3, sync=[start, 1_000_000]).split(",")
    assert set(words) <= ERRORS
    after.restart()


def test_a_recorded_refusal_is_an_answer_also_when_the_fault_was_ours(after: Aftermath, driver: Driver) -> None:
    assert send(after, driver, fsync=3) == "penyimpanan"
    with after.town.http() as http:
        sender = after.town.client(SIJOKER, http)
        (answer,) = sender.resend()
        assert answer.state == "refused"
        assert list((sender.home / "outgoing").iterdir()) == []


def on_a_disk_of(after: Aftermath, size: str) -> Iterator[Aftermath]:
    """The broker's home on a file system of its own."""
    home, mount = after.town.home, shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    after.town.close()
    kept = home.with_name("kept")
    shutil.copytree(home, kept)
    if subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(home)], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        shutil.copytree(kept, home, dirs_exist_ok=True)
        after.town.reopen()
        yield after
        after.town.close()
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


@pytest.fixture
def small_disk(after: Aftermath) -> Iterator[Aftermath]:
    yield from on_a_disk_of(after, "1200k")


@pytest.fixture
def full_disk(after: Aftermath) -> Iterator[Aftermath]:
    yield from on_a_disk_of(after, "8m")


@contextmanager
def full_but_for(home: Path, blocks: int) -> Iterator[None]:
    """No more than so many blocks of 4 KiB can be written below `home`."""
    ballast = home / "penuh"
    with ballast.open("wb", buffering=0) as f, suppress(OSError):
        while f.write(bytes(BLOCK)) == BLOCK:
            pass
    os.truncate(ballast, max(0, ballast.stat().st_size - blocks * BLOCK))
    try:
        yield
    finally:
        ballast.unlink()


def make_room(after: Aftermath) -> None:
    """SQLite's log is as long as some exchanges need, and may be written over from its beginning."""
    database = after.town.office.ledger.database
    if (after.town.home / "ledger.db-wal").stat().st_size < 300_000:
        with database.write() as tx:
            tx._c.exec_driver_sql("INSERT INTO meta VALUES ('panjang', zeroblob(300000))")
            tx._c.exec_driver_sql("DELETE FROM meta WHERE key = 'panjang'")
    with database._engine.connect() as c:
        c.exec_driver_sql("PRAGMA wal_checkpoint(RESTART)")


@pytest.mark.parametrize("roomy", [False, True])
def test_a_full_disk_is_answered_with_its_reason_and_with_room_the_same_request_succeeds(full_disk: Aftermath, roomy: bool) -> None:
    """Whatever the disk has no room for: the spooled file, the log of its acceptance, the outbox file, the record.

    roomy: SQLite's log has blocks to write over, so that only our own files find the disk full, and refusals can be recorded.
    """
    after = full_disk
    data, ends = after.town.csv(after.town.rows(n=ROWS)), set()
    app = after.town.app()
    with TestClient(app, base_url=URL, raise_server_exceptions=False) as http:
        sender = after.town.client(SIJOKER, http)
        for room in ROOMS:
            after.submit(data, f"penuh-{room:012d}")
            if roomy:
                make_room(after)
            with full_but_for(after.town.home, room):
                (answer,) = sender.resend(wait=0)
                app.state.worker.wait(answer.exchange, 60)
                states = after.states()
                ends.add(states.get(answer.exchange, "at the door"))
                for folder, wanted in (("spool", ("accepted",)), ("outbox", DONE)):
                    assert {p.name for p in (after.town.home / folder).iterdir()} == {n for n, s in states.items() if s in wanted}, "half-written"
            if not answer.exchange:  # it was refused before it was anything: the same bytes with the same key
                assert answer.problem is not None
                assert (answer.problem["reason"], answer.problem["status"]) == ("penyimpanan", 507)
                (answer,) = sender.resend(wait=0)
            app.state.worker.submit(answer.exchange)  # as its tick does
            app.state.worker.wait(answer.exchange, 60)
            row = after.town.row(answer.exchange)
            assert row.state == "recorded" or json.loads(row.problem or "")["reason"] == "penyimpanan"
            after.sound(after.town.office.ledger.database)
    assert ends > {"at the door", "recorded"}
    assert not roomy or "accepted" not in ends
    after.restart()


def test_a_disk_too_full_to_move_the_log_into_the_database_loses_nothing(full_disk: Aftermath) -> None:
    after, data = full_disk, full_disk.town.csv(full_disk.town.rows(n=ROWS))
    for _ in range(3):
        after.town.exchange(data)
    with full_but_for(after.town.home, 1), pytest.raises(LedgerError):
        after.town.office.ledger.database.truncate()
    after.town.close()
    after.at_once()
    after.restart(resend=False)
    assert len(after.received) == 3


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
