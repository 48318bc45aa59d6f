"""A ledger that cannot be trusted is not opened."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from broker.cli import main
from broker.errors import LedgerError
from broker.store import Database
from broker.store.database import _connect

if TYPE_CHECKING:
    from tests.simulator import Province, Town


class Deaf(sqlite3.Connection):
    """A SQLite that keeps its own idea of one pragma, as a build or a URI can."""

    deaf_to = ""

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        return super().execute("SELECT 1" if sql.startswith(f"PRAGMA {self.deaf_to}=") else sql, *args)


def tamper(town: Town, sql: str, *values: object) -> None:
    town.close()
    with closing(sqlite3.connect(town.home / "ledger.db", isolation_level=None)) as connection:
        changed = connection.execute(sql, values).rowcount
    assert changed == 1


def three_entries(town: Town) -> None:
    for _ in range(3):
        town.exchange(town.csv(town.rows(n=2)))


def test_every_connection_is_full_synchronous_and_says_so(town: Town) -> None:
    with town.office.ledger.database.read() as tx:
        got = {p: tx._c.exec_driver_sql(f"PRAGMA {p}").scalar() for p in ("synchronous", "journal_mode", "secure_delete")}
    assert got == {"synchronous": 2, "journal_mode": "wal", "secure_delete": 1}


@pytest.mark.parametrize("pragma", ["synchronous", "journal_mode", "secure_delete"])
def test_a_database_that_will_not_be_durable_refuses(tmp_path: Path, pragma: str) -> None:
    kind: type[Deaf] = type("DeafToOne", (Deaf,), {"deaf_to": pragma})
    with closing(sqlite3.connect(tmp_path / "x.db", factory=kind)) as connection:
        # What each is when nobody asks; Debian's build has its own secure_delete.
        sqlite3.Connection.execute(connection, "PRAGMA synchronous=1")
        sqlite3.Connection.execute(connection, "PRAGMA secure_delete=0")
        with pytest.raises(LedgerError, match=pragma):
            _connect(connection, None)


def lying(kind: type[Deaf], monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, the SQLite of this process is `kind`."""
    plain = sqlite3.dbapi2.connect
    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda *args, **kwargs: plain(*args, **kwargs, factory=kind))


class Lying(Deaf):
    """A SQLite that commits without waiting for the disk, whatever it is told."""

    deaf_to = "synchronous"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sqlite3.Connection.execute(self, "PRAGMA synchronous=1")


def test_a_broker_on_a_sqlite_that_lies_does_not_serve(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    lying(Lying, monkeypatch)
    with pytest.raises(LedgerError, match="synchronous"):
        town.reopen()


def test_serve_on_a_sqlite_that_lies_ends_before_it_listens(province: Province, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole command, on a port that nobody could take: it does not come to that."""
    lying(Lying, monkeypatch)
    monkeypatch.setattr("sys.argv", ["broker", "serve", "--home", str(province.home), "--port", "1"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "synchronous=2" in capsys.readouterr().err


def test_a_ledger_whose_folder_cannot_be_made_durable_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite would go on: it ignores that the folder of its log was not synced, and a power cut could take the log away."""

    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(LedgerError, match="folder"):
        Database(tmp_path / "x.db")


def test_a_database_without_a_file_refuses() -> None:
    with pytest.raises(LedgerError, match="journal_mode"):
        Database(Path(":memory:"))


def test_a_ledger_with_a_gap_refuses_to_open(town: Town) -> None:
    three_entries(town)
    tamper(town, "DELETE FROM logentry WHERE log = 'nk-sijunjung-2025' AND position = 1")
    with pytest.raises(LedgerError, match="gap at 1"):
        town.reopen()


def test_a_ledger_of_another_schema_refuses_to_open(town: Town) -> None:
    tamper(town, "UPDATE meta SET value = '9' WHERE key = 'schema'")
    with pytest.raises(LedgerError, match="schema 9"):
        town.reopen()




@pytest.mark.parametrize(("schema", "without"), [("4", ("identityrequest", "identityapproval", "vaultepoch")), ("5", ("vaultepoch",))])
def test_a_ledger_of_a_schema_before_is_taken_over_with_what_it_holds(town: Town, schema: str, without: tuple[str, ...]) -> None:
    three_entries(town)
    tamper(town, "UPDATE meta SET value = ? WHERE key = 'schema'", schema)
    with closing(sqlite3.connect(town.home / "ledger.db", isolation_level=None)) as connection:
        for table in without:
            connection.execute(f"DROP TABLE {table}")
    town.reopen()
    assert len(town.entries()) == 3
    with town.office.ledger.database.read() as tx:
        assert tx.identities.open("nk-sijunjung-2025") == []
        assert tx.keyrings.vault_epoch("nk-sijunjung-2025") == 1


def test_a_ledger_that_lost_its_last_entry_refuses_to_open(town: Town) -> None:
    three_entries(town)
    tamper(town, "DELETE FROM logentry WHERE log = 'nk-sijunjung-2025' AND position = 2")
    with pytest.raises(LedgerError):
        town.reopen()


def test_a_ledger_with_a_changed_leaf_refuses_to_open(town: Town) -> None:
    three_entries(town)
    tamper(town, "UPDATE logentry SET leaf = zeroblob(32) WHERE log = 'nk-sijunjung-2025' AND position = 1")
    with pytest.raises(LedgerError):
        town.reopen()


def test_a_ledger_with_a_changed_entry_refuses_to_open(town: Town) -> None:
    three_entries(town)
    tamper(town, "UPDATE logentry SET entry = replace(entry, 'siapkerja', 'siapkerjb') WHERE log = 'nk-sijunjung-2025' AND position = 1")
    with pytest.raises(LedgerError):
        town.reopen()
