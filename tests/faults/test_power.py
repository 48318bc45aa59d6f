"""The power fails at any moment of a broker's day: whatever anyone was told is still there, and what was begun ends whole or not at all."""

from __future__ import annotations

import os
import random
import shutil
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from broker.record import Ledger
from broker.store import Database
from tests.faults.aftermath import DONE, Aftermath
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from tests.faults.aftermath import Driver
    from tests.faults.recording import Recording

ROWS: Final = 40
CUTS: Final = 200
RECOVERED: Final = 6  # cuts after which the whole broker and both parties go on
SHARES: Final = (0.0, 0.5, 0.9, 1.0)  # of what was not synced

if os.environ.get("CI") != "true":
    pytest.importorskip("apsw", reason="power cuts are recorded through apsw's VFS")


def bodies(after: Aftermath, sent: str = "ssbss") -> list[tuple[str, str]]:
    """Submissions of a day: s sound, b broken."""
    return [
        after.submit(after.town.csv(after.town.rows(n=ROWS, seed=n + 1)) if kind == "s" else b"bukan,judul\n1,2\n", f"sehari-{n:012d}") for n, kind in enumerate(sent)
    ]


def day(after: Aftermath, driver: Driver, sent: list[tuple[str, str]], *, anew: bool = True, **order: Any) -> Recording:
    """The recording of a day's work. anew: on an empty home."""
    from tests.faults.recording import Recording, contents, image  # noqa: PLC0415 - apsw may not be here

    path = after.town.folder / "rekaman"
    after.town.close()
    for old in after.town.home.glob("ledger.db*") if anew else ():  # cuts also fall into the making of it
        old.unlink()
    ended = driver.order(after.town, "live", record=str(path), bodies=sent, **order)
    assert not ended.killed
    recording = Recording.load(path)
    if not order.get("fail"):
        assert image(recording, len(recording.events), random.Random(0), 1.0) == contents(after.town.home), "something was written unrecorded"
    return recording


def kept(after: Aftermath) -> list[tuple[str, str]]:
    """As `bodies`, out of the client's home: it can be made again."""
    folder = after.town.folder / "dikirim"
    shutil.copytree(Path(bodies(after)[0][0]).parent, folder)
    return [(str(path), path.name) for path in sorted(folder.iterdir())]


def boundaries(recording: Recording) -> list[int]:
    """Numbers of events just before and after each sync, and just after someone was told something."""
    from tests.faults.recording import Sync, SyncFolder, Told  # noqa: PLC0415

    return sorted({at + d for at, e in enumerate(recording.events) if isinstance(e, Sync | SyncFolder | Told) for d in (0, 1)})


def cut(after: Aftermath, recording: Recording, at: int, chance: random.Random) -> None:
    """The home becomes what the disk may hold if the power fails there."""
    from tests.faults.recording import image  # noqa: PLC0415

    shutil.rmtree(after.town.home)
    for folder in ("", "spool", "outbox", "scratch"):
        (after.town.home / folder).mkdir()
    for name, data in image(recording, at, chance, chance.choice(SHARES)).items():
        path = after.town.home / name
        path.parent.mkdir(parents=True, exist_ok=True)  # the rings' folders
        path.write_bytes(data)


def survives(after: Aftermath, recording: Recording, at: int) -> None:
    """Whatever was told before the cut holds in the image, and what is there is whole."""
    from tests.faults.recording import Told  # noqa: PLC0415

    told = [e.words for e in recording.events[:at] if isinstance(e, Told)]
    with closing(Database(after.town.home / "ledger.db")) as database:
        after.sound(database)
        Ledger(database, after.town.office.rings)  # it would start
        with database.read() as tx:
            assert tx._c.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            rows = {row.id: row for row in tx.exchanges_in("accepted", *DONE, "refused")}
            notes = {note for (note,) in tx._c.exec_driver_sql("SELECT note FROM logcheckpoint")}
        for word, name, *shown in told:
            row = rows.get(name)
            assert row is not None, f"{word} and forgotten"
            if row.state == "accepted":
                spooled = after.town.home / "spool" / name
                assert spooled.exists(), "accepted and lost"
                assert sha256(spooled.read_bytes()).hexdigest() == row.submission_sha256
            assert word != "recorded" or row.state in DONE, "released and forgotten"
            assert word not in ("delivered", "receipted", "refused") or row.state in (word, "receipted"), f"{word} and forgotten"
            assert notes.issuperset(shown), "a checkpoint was shown that the log does not have"


def lost(after: Aftermath, recording: Recording, cuts: int, seed: int) -> list[str]:
    """What did not survive each of so many cuts."""
    chance, found = random.Random(seed), []
    places = boundaries(recording)
    for _ in range(cuts):
        at = chance.choice(places)
        cut(after, recording, at, chance)
        try:
            survives(Aftermath(after.town), recording, at)
        except AssertionError as error:
            found.append(str(error).partition("\n")[0])
    return found


def goes_on(after: Aftermath, sent: list[tuple[str, str]]) -> None:
    """After the cut the broker starts, the sender sends all of the day again and the recipient fetches: each exchange is there once."""
    town = after.town
    for system in (SIJOKER, SIAPKERJA):  # what they saw of the other cuts is not of this world
        shutil.rmtree(town.folder / system, ignore_errors=True)
    fresh = Aftermath(town)
    for path, key in sent:
        shutil.copy(path, fresh.home_of(SIJOKER) / "outgoing" / key)
    with closing(Database(town.home / "ledger.db")) as database, database.read() as tx:
        fresh.received = {row.id: ROWS for row in tx.exchanges_in("receipted")}
    fresh.restart()
    assert sorted(fresh.states().values()) == [*["receipted"] * (len(sent) - 1), "refused"]


def test_whatever_anyone_was_told_survives_a_power_cut(after: Aftermath, driver: Driver) -> None:
    recording = day(after, driver, bodies(after))
    assert lost(after, recording, CUTS, 1) == []


def test_after_a_power_cut_the_day_ends_as_without_it(after: Aftermath, driver: Driver) -> None:
    sent, chance = kept(after), random.Random(4)
    recording = day(after, driver, sent)
    for at in chance.sample(boundaries(recording), RECOVERED):
        cut(after, recording, at, chance)
        goes_on(after, sent)


def test_a_second_power_cut_while_it_recovers_loses_nothing_either(after: Aftermath, driver: Driver) -> None:
    from tests.faults.recording import Told  # noqa: PLC0415

    sent, chance = bodies(after), random.Random(5)
    first = day(after, driver, sent)
    for at in chance.sample(boundaries(first), 3):
        cut(after, first, at, chance)
        again = day(after, driver, sent, anew=False)
        again.events[:0] = [e for e in first.events[:at] if isinstance(e, Told)]
        assert lost(after, again, 10, at) == []


def own(recording: Recording) -> set[int]:
    """The files that are ours and not SQLite's."""
    from tests.faults.recording import Create  # noqa: PLC0415

    return {e.file for e in recording.events if isinstance(e, Create) and "/" in e.name}


def test_a_sync_that_fails_is_never_taken_for_one_that_did_not(after: Aftermath, driver: Driver) -> None:
    """What the failed sync was of may be lost for ever, although the next one succeeds: it must have been written again, or told to nobody."""
    from tests.faults.recording import Sync  # noqa: PLC0415

    sent, chance = bodies(after), random.Random(6)
    whole = day(after, driver, sent)
    files = [e.file for e in whole.events if isinstance(e, Sync)]
    ours = [n for n, file in enumerate(files, 1) if file in own(whole)]
    theirs = [n for n, file in enumerate(files, 1) if file not in own(whole)]
    for fail in (*chance.sample(ours, 2), *chance.sample(theirs, 4)):
        recording = day(after, driver, sent, fail=fail)
        assert sum(isinstance(e, Sync) and e.failed for e in recording.events) == 1
        assert lost(after, recording, 12, fail) == [], f"sync {fail}"


def test_synchronous_normal_would_lose_what_was_told(after: Aftermath, driver: Driver) -> None:
    """The same harness over a broker that does not wait for its disk: it must lose."""
    recording = day(after, driver, bodies(after), pragmas={"synchronous": 1})
    assert any("forgotten" in what for what in lost(after, recording, 40, 2))


def test_files_not_waited_for_would_be_lost(after: Aftermath, driver: Driver) -> None:
    """As if the broker did not wait for its own files: SQLite's syncs alone are left."""
    from tests.faults.recording import Sync, SyncFolder  # noqa: PLC0415

    recording = day(after, driver, bodies(after))
    files = own(recording)
    recording.events = [e for e in recording.events if not (isinstance(e, Sync) and e.file in files) and not (isinstance(e, SyncFolder) and e.folder)]
    assert lost(after, recording, 40, 3)
