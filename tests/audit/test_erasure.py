"""Erasing a person, an exchange's secret, the leaves of years gone by: gone from every file, recorded, and every proof as before."""

from __future__ import annotations

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from typer.testing import CliRunner

from broker.audit import erasure
from broker.audit.erasure import GROUNDS, Ground
from broker.audit.subject import ALONE, ALONE_WITHIN
from broker.cli import erasure as commands
from broker.cli.app import app
from broker.client.erasure import Eraser
from broker.client.verify import verify_exchange
from broker.errors import ClientError, LedgerError, NotVerified, Refusal
from broker.keys import KemKey, LogKey, SecretKey, derive, read_public_set, ref_key
from broker.keys.cmac import column_cmac
from broker.ledger import leaf_hash, read_checkpoint, root_of, verify_inclusion
from broker.ledger.newcomers import newcomers_root, place
from broker.upkeep import finish_erasures, take_up
from tests.lifecycle.conftest import Desk
from tests.simulator import SIAPKERJA, SIJOKER, Town

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.jcs import Json
    from broker.model import Person


AGREEMENT = "nk-sijunjung-2025"
REASON = "Permohonan tertulis subjek, surat nomor 12 tahun ini"
GROUND = Ground("pasal_43_1_c", REASON)
RETENTION = Ground("pasal_44_1_a", "Jadwal retensi arsip, keputusan nomor 7")


@pytest.fixture
def desk(town: Town) -> Iterator[Desk]:
    with town.http() as http:
        yield Desk(town, http)


def officer(desk: Desk, party: str = "sijunjung", role: str = "ppdp") -> Person:
    person = desk.officer(party, role).person
    with desk.town.office.ledger.database.read() as tx:
        found = tx.people.get(person)
    assert found is not None
    return found


def eraser(desk: Desk, party: str = "sijunjung", role: str = "ppdp") -> Eraser:
    name = desk.officer(party, role).person
    return Eraser.at(desk.town.folder / name, lambda: desk.town.now, desk.http)


def tag_of(town: Town, nik: str) -> bytes:
    key = derive(town.office.rings[AGREEMENT].get(SecretKey, "vault").seed, "tag", AGREEMENT.encode())
    return bytes(column_cmac(key, pl.Series([nik]))[0])


def id_of(town: Town, nik: str) -> bytes | None:
    with town.office.ledger.database.read() as tx:
        return tx.vault(AGREEMENT).find(tag_of(town, nik))


def niks(town: Town, rows: list[list[str]]) -> list[str]:
    return [row[town.office.contracts["pencari_kerja"].names.index("nik")] for row in rows]


def holding(town: Town, *needles: bytes) -> set[str]:
    """The files of the broker's home that hold any of the byte strings."""
    return {p.name for p in town.home.rglob("*") if p.is_file() and any(needle in p.read_bytes() for needle in needles)}


def last(town: Town) -> dict[str, Any]:
    return town.entries(AGREEMENT)[-1]


# --- a person
@pytest.mark.parametrize("count", [1, 40, 1_100])
def test_an_erased_person_is_in_no_file_and_leads_to_no_leaf(desk: Desk, count: int) -> None:
    town = desk.town
    rows = town.rows(n=count)
    name, entry = town.exchange(town.csv(rows))
    nik = min(niks(town, rows), key=lambda n: tag_of(town, n))  # the first of its page: its tag is also the page's bound
    tag, person = tag_of(town, nik), id_of(town, nik)
    assert person is not None
    assert holding(town, tag, person) <= {"ledger.db", "ledger.db-wal"}
    assert holding(town, tag, person)
    with town.office.ledger.database.read() as tx:
        (new,) = tx.kept.new(AGREEMENT)
    number = place(new.hashes, new.salts, tag, person)
    assert number is not None
    salt = new.salts[16 * number : 16 * number + 16]

    done = erasure.erase_subject(town.office, officer(desk), AGREEMENT, nik, GROUND, town.now)

    assert done.complete
    assert id_of(town, nik) is None
    assert holding(town, tag, person, salt) == set()
    with town.office.ledger.database.read() as tx:
        (new,) = tx.kept.new(AGREEMENT)
        assert place(new.hashes, new.salts, tag, person) is None
        assert newcomers_root(new.hashes).hex() == json.loads(town.row(name).manifest or b"")["vault"]["root"]
    others = [other for other in niks(town, rows) if other != nik]
    assert all(id_of(town, other) is not None for other in others[:50])
    recorded = last(town)
    assert recorded == {
        "act": "subject", "ground": "pasal_43_1_c", "person": recorded["person"], "reason_sha256": sha256(REASON.encode()).hexdigest(), "subjects": 1,
        "time": recorded["time"], "type": "sinergi/erasure/v1",
    }  # fmt: skip
    assert holding(town, nik.encode()) == set()
    assert town.office.ledger.inclusion(AGREEMENT, entry.index, town.office.ledger.size(AGREEMENT))
    town.reopen()
    assert id_of(town, nik) is None


def test_the_person_comes_back_as_somebody_new(desk: Desk) -> None:
    town = desk.town
    rows = town.rows(n=5)
    town.exchange(town.csv(rows))
    nik = niks(town, rows)[2]
    before = id_of(town, nik)
    erasure.erase_subject(town.office, officer(desk), AGREEMENT, nik, GROUND, town.now)
    name, _ = town.exchange(town.csv(rows))
    assert id_of(town, nik) not in (None, before)
    assert json.loads(town.row(name).manifest or b"")["vault"]["new"] == 1


def test_the_senders_client_takes_the_change_for_what_it_is(desk: Desk, tmp_path: Path) -> None:
    town = desk.town
    rows = town.rows(n=6)
    client = town.client(SIJOKER, desk.http)
    file = tmp_path / "a.csv"
    file.write_bytes(town.csv(rows))

    def sent() -> int:
        answer = client.send(file, agreement=AGREEMENT, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        return client.compare(answer.exchange, file).changed

    assert sent() == 0
    assert eraser(desk).erase_subject(AGREEMENT, niks(town, rows)[0], "pasal_43_1_c", REASON)["complete"]
    assert sent() == 1
    assert sent() == 0
    with town.office.ledger.database.write() as tx:
        tx.vault(AGREEMENT).forget(tag_of(town, niks(town, rows)[1]))  # without a record
    with pytest.raises(NotVerified, match="another id than before"):
        sent()


def test_a_person_never_seen_is_answered_and_recorded_alike(desk: Desk) -> None:
    town = desk.town
    rows = town.rows(n=3)
    town.exchange(town.csv(rows))
    ppdp = eraser(desk)
    nik = niks(town, rows)[0]
    first = ppdp.erase_subject(AGREEMENT, nik, "pasal_43_1_c", REASON)
    again = ppdp.erase_subject(AGREEMENT, nik, "pasal_43_1_c", REASON)
    known = {"index": 0, "entry": {**first["entry"], "time": ""}}
    assert {**first, **known} == {**again, "index": 0, "entry": {**again["entry"], "time": ""}}
    assert first["entry"]["subjects"] == 1
    assert [one["reason"] for one in ppdp.erasures(AGREEMENT)] == [REASON, REASON]


def test_one_officer_erases_so_often_a_day_and_no_more(desk: Desk) -> None:
    town = desk.town
    rows = town.rows(n=30)
    name, _ = town.exchange(town.csv(rows))
    people, ppdp = niks(town, rows), eraser(desk, "kemnaker")
    for number in range(ALONE - 1):  # whether known or not, and in whatever agreement
        ppdp.erase_subject((AGREEMENT, "nk-binjai-2025")[number % 2], people[0], "pasal_43_1_c", REASON)
    ppdp.erase_exchange(AGREEMENT, name, "pasal_43_1_a", REASON)
    again, _ = town.exchange(town.csv(rows))
    asked: tuple[dict[str, Json], ...] = ({"subject": people[1]}, {"exchange": again}, {"before": 2020})
    for what in asked:
        for agreement in (AGREEMENT, "nk-binjai-2025"):
            with pytest.raises(ClientError, match="Penghapusan tidak dapat dilakukan: batas"):
                ppdp._erase({"agreement": agreement, "ground": "pasal_44_1_a", "reason": REASON, **what})
    assert (last(town)["type"], last(town)["reason"], last(town)["facts"]) == ("sinergi/refusal/v1", "penghapusan", {"bidang": "batas"})
    assert id_of(town, people[1]) is not None
    with town.office.ledger.database.read() as tx:
        assert tx.kept.secret(again)
    assert eraser(desk).erase_subject(AGREEMENT, people[1], "pasal_43_1_c", REASON)["complete"]  # another officer has a day of their own
    town.now += ALONE_WITHIN
    assert ppdp.erase_subject(AGREEMENT, people[2], "pasal_43_1_c", REASON)["complete"]
    assert id_of(town, people[2]) is None


def test_erasures_asked_for_at_once_are_counted_one_by_one(desk: Desk) -> None:
    town, who = desk.town, officer(desk)

    def erased(number: int) -> str:
        try:
            erasure.erase_subject(town.office, who, AGREEMENT, f"13030101019{number:05d}", GROUND, town.now)
        except Refusal as refusal:
            return str(refusal.facts["bidang"])
        return ""

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(erased, range(ALONE + 4))) == {"": ALONE, "batas": 4}


@pytest.mark.parametrize("role", ["auditor", "petugas_keamanan", "admin_pihak", "operator"])
def test_only_the_data_protection_officer_erases(desk: Desk, role: str) -> None:
    town = desk.town
    rows = town.rows(n=3)
    name, _ = town.exchange(town.csv(rows))
    other = eraser(desk, role=role)
    asked: tuple[dict[str, Json], ...] = ({"subject": niks(town, rows)[0]}, {"exchange": name}, {"before": 2020})
    for what in asked:
        with pytest.raises(ClientError, match="hapus_subjek"):
            other._erase({"agreement": AGREEMENT, "ground": "pasal_44_1_a", "reason": REASON, **what})
        assert (last(town)["type"], last(town)["reason"]) == ("sinergi/refusal/v1", "wewenang")
    assert id_of(town, niks(town, rows)[0]) is not None


def test_another_agreements_officer_erases_nothing_here(desk: Desk) -> None:
    town = desk.town
    rows = town.rows(n=3)
    name, _ = town.exchange(town.csv(rows))
    stranger = eraser(desk, "binjai")
    with pytest.raises(ClientError, match="hapus_subjek"):
        stranger.erase_subject(AGREEMENT, niks(town, rows)[0], "pasal_43_1_c", REASON)
    with pytest.raises(ClientError, match="Tidak ada pertukaran"):
        stranger.erase_exchange("nk-binjai-2025", name, "pasal_43_1_c", REASON)
    with pytest.raises(ClientError, match="baca_log"):
        stranger.erasures(AGREEMENT)
    assert id_of(town, niks(town, rows)[0]) is not None


@pytest.mark.parametrize(
    ("subject", "ground", "reason", "why"),
    [
        ("1303", "pasal_43_1_c", REASON, "subjek"),
        ("1303010101909001", "pasal_99", REASON, "penghapusan"),
        ("1303010101909001", "pasal_43_1_c", "pendek", "alasan"),
        ("1303010101909001", "pasal_43_1_c", "permohonan NIK 1303010101909001", "alasan"),
    ],
)
def test_without_a_ground_and_a_reason_nothing_is_erased(desk: Desk, subject: str, ground: str, reason: str, why: str) -> None:
    town = desk.town
    size = town.office.ledger.size(AGREEMENT)
    with pytest.raises(Refusal) as refused:
        erasure.erase_subject(town.office, officer(desk), AGREEMENT, subject, Ground(ground, reason), town.now)
    assert refused.value.reason == why
    assert town.office.ledger.size(AGREEMENT) == size


def test_a_nik_in_the_address_is_refused(desk: Desk) -> None:
    ppdp = eraser(desk)
    with pytest.raises(ClientError, match="Alamat ini"):
        ppdp._to.send("POST", "/v1/audit/erasures?subject=1303010101909001", b"{}", "application/json")


# --- an exchange's secret
def test_an_erased_secret_closes_the_exchange_here_and_leaves_every_proof(desk: Desk, tmp_path: Path) -> None:
    town = desk.town
    sender, recipient = town.client(SIJOKER, desk.http), town.client(SIAPKERJA, desk.http)
    file = tmp_path / "a.csv"
    file.write_bytes(town.csv(town.rows()))
    name = sender.send(file, agreement=AGREEMENT, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA).exchange
    (received,) = recipient.receive()
    with town.office.ledger.database.read() as tx:
        secret = tx.kept.secret(name)
    assert secret
    ppdp = eraser(desk)
    done = ppdp.erase_exchange(AGREEMENT, name, "pasal_43_1_a", REASON)
    assert (done["complete"], done["entry"]["exchange"]) == (True, name)
    assert holding(town, secret) == set()
    with town.office.ledger.database.read() as tx:
        assert ref_key({1: bytes(32)}, bytes.fromhex(name), tx.kept.secret(name)) is None
    with pytest.raises(ClientError, match="Rahasia"):
        sender.compare(name, file)
    with pytest.raises(ClientError, match="Rahasia"):
        ppdp.erase_exchange(AGREEMENT, name, "pasal_43_1_a", REASON)
    assert sender.countersign() == [name]
    verified = verify_exchange(received.folder, read_public_set((recipient.home / "broker.json").read_bytes()), town.province.ring(SIAPKERJA).all(KemKey, "kem"))
    assert verified.lines == 20  # the recipient's own copy has its salts with it


def test_an_exchange_from_before_there_were_secrets_can_be_closed_too(desk: Desk) -> None:
    town = desk.town
    name, _ = town.exchange(town.csv(town.rows()))
    with town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("DELETE FROM exchangesecret")
    erasure.erase_exchange(town.office, officer(desk), AGREEMENT, name, GROUND, town.now)
    with town.office.ledger.database.read() as tx:
        assert tx.kept.secret(name) == b""


# --- leaves of years gone by
@pytest.fixture
def aged(desk: Desk) -> Desk:
    """One exchange of 2026, then the clock of 2032."""
    desk.town.exchange(desk.town.csv(desk.town.rows()))
    desk.town.now = datetime(2032, 1, 5, 3, tzinfo=UTC)
    return desk


def test_old_leaves_are_dropped_and_their_hashes_kept(aged: Desk) -> None:
    town = aged.town
    name = town.last
    with town.office.ledger.database.read() as tx:
        stored, secret = b"".join(tx.segments(name)), tx.kept.secret(name)
        heads = tx.segment_heads(name)
    assert secret
    done = eraser(aged).retire(AGREEMENT, 2027, "pasal_44_1_a", RETENTION.reason)
    assert (done["entry"]["exchanges"], done["entry"]["leaves"], done["complete"]) == (1, 20, True)
    assert holding(town, stored[:16], stored[16:48], stored[-39:-7], secret) == set()
    manifest = json.loads(town.row(name).manifest or b"")
    with town.office.ledger.database.read() as tx:
        tiles = b"".join(tile for _, tile in tx.segment_heads(name))
        assert tiles == b"".join(tile for _, tile in heads)
        entry, note = next(tx.entries(AGREEMENT, town.row(name).entry or 0)), tx.checkpoint(AGREEMENT)
    assert root_of([tiles[i : i + 32] for i in range(0, len(tiles), 32)]).hex() == manifest["records"]["root"]
    checkpoint = read_checkpoint(note or "", f"sinergi/{AGREEMENT}", town.office.rings[AGREEMENT].get(LogKey, "log").public)
    index = town.row(name).entry or 0
    verify_inclusion(index, checkpoint.size, leaf_hash(entry), town.office.ledger.inclusion(AGREEMENT, index, checkpoint.size), checkpoint.root)
    sender = town.client(SIJOKER, aged.http)
    for path in ("leaves", "refs"):
        response = sender._to.request("GET", f"/v1/exchanges/{name}/{path}")
        assert (response.status_code, response.json()["reason"]) == (410, "retensi")
    assert sender._to.request("GET", f"/v1/exchanges/{name}/proof").status_code == 200
    town.reopen()
    assert town.office.ledger.size(AGREEMENT) == checkpoint.size


@pytest.mark.parametrize(("before", "ground", "field"), [(2028, "pasal_44_1_a", "tahun"), (2027, "pasal_43_1_c", "dasar"), (2026, "pasal_44_1_a", "kosong")])
def test_leaves_that_must_be_kept_are_kept(aged: Desk, before: int, ground: str, field: str) -> None:
    town = aged.town
    with pytest.raises(Refusal) as refused:
        erasure.retire_leaves(town.office, officer(aged), AGREEMENT, before, Ground(ground, REASON), town.now)
    assert (refused.value.reason, refused.value.facts) == ("penghapusan", {"bidang": field})
    with town.office.ledger.database.read() as tx:
        assert all(tx.segments(town.last))
        assert not tx.kept.dropped(town.last)


# --- crashes and a failing disk
def test_what_fails_before_its_entry_is_durable_erased_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    town = desk.town
    rows = town.rows(n=3)
    name, _ = town.exchange(town.csv(rows))
    who, before = officer(desk), id_of(town, niks(town, rows)[0])
    monkeypatch.setattr("broker.store.kept.Kept.add_reason", lambda *_: (_ for _ in ()).throw(LedgerError("full")))
    with pytest.raises(LedgerError):
        erasure.erase_subject(town.office, who, AGREEMENT, niks(town, rows)[0], GROUND, town.now)
    with pytest.raises(LedgerError):
        erasure.erase_exchange(town.office, who, AGREEMENT, name, GROUND, town.now)
    town.reopen()
    assert id_of(town, niks(town, rows)[0]) == before
    with town.office.ledger.database.read() as tx:
        assert tx.kept.secret(name)
    assert last(town)["type"] == "sinergi/exchange/v1"


def test_a_crash_after_the_entry_is_finished_by_the_next_start(aged: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    town = aged.town
    with town.office.ledger.database.read() as tx:
        stored = b"".join(tx.segments(town.last))
    monkeypatch.setattr(erasure, "finish_erasures", lambda _: False)  # the process ends here
    done = erasure.retire_leaves(town.office, officer(aged), AGREEMENT, 2027, RETENTION, town.now)
    assert not done.complete
    assert holding(town, stored[16:48])
    assert aged.http.get(f"/v1/exchanges/{town.last}/leaves").status_code == 401
    take_up(town.office, town.now)
    assert holding(town, stored[16:48]) == set()


def test_a_reader_in_the_way_is_waited_for_and_then_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    town = desk.town
    rows = town.rows(n=3)
    town.exchange(town.csv(rows))
    nik, who = niks(town, rows)[0], officer(desk)
    tag = tag_of(town, nik)
    with town.office.ledger.database.read() as view:
        assert view.checkpoint(AGREEMENT)
        monkeypatch.setattr("broker.store.database.Database.truncate", _impatient)
        assert not erasure.erase_subject(town.office, who, AGREEMENT, nik, GROUND, town.now).complete
    assert finish_erasures(town.office)
    assert holding(town, tag) == set()


def _impatient(database: Any) -> bool:
    with database._engine.connect() as c:
        c.exec_driver_sql("PRAGMA busy_timeout=50")
        busy = c.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        c.exec_driver_sql("PRAGMA busy_timeout=60000")
    return not busy


# --- the page
def test_the_page_has_the_grounds_and_fields_of_the_code(aged: Desk) -> None:
    page = (Path(__file__).parents[2] / "docs/formats/erasure.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(pasal_[0-9a-d_]+)` \|", page, re.MULTILINE) == list(GROUNDS)
    assert f"the last {erasure.KEPT_YEARS} whole civil years" in page
    town, who = aged.town, officer(aged)
    for done in (
        erasure.erase_subject(town.office, who, AGREEMENT, "1303010101909001", GROUND, town.now),
        erasure.erase_exchange(town.office, who, AGREEMENT, town.last, GROUND, town.now),
        erasure.retire_leaves(town.office, who, AGREEMENT, 2027, RETENTION, town.now),
    ):
        fields = {name for row in re.findall(r"^\| (`.*`) \|", page[page.index("| field |") :], re.MULTILINE) for name in re.findall("`([a-z0-9_]+)`", row)}
        assert set(done.entry) - {"time", "type"} <= fields


# --- the command
def test_the_command_asks_for_the_nik_and_says_what_was_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    town = desk.town
    rows = town.rows(n=3)
    name, _ = town.exchange(town.csv(rows))
    ppdp = eraser(desk)
    monkeypatch.setattr(commands, "_eraser", lambda _: nullcontext(ppdp))
    words = ["--agreement", AGREEMENT, "--ground", "pasal_43_1_c", "--reason", REASON]
    nik = niks(town, rows)[0]
    done = CliRunner().invoke(app, ["log", "erase", *words], input=f"{nik}\n")
    assert (done.exit_code, nik in done.output) == (0, False)
    assert "terhubung dengan nomor itu lagi" in done.output
    again = CliRunner().invoke(app, ["log", "erase", *words], input=f"{nik}\n")
    assert again.output.partition("Tercatat")[0] == done.output.partition("Tercatat")[0]  # nor does it say now that nobody is known
    assert id_of(town, nik) is None
    assert "komitmennya tidak dapat dibuka" in CliRunner().invoke(app, ["log", "erase", *words, "--exchange", name]).output
    listed = CliRunner().invoke(app, ["log", "erasures", "--agreement", AGREEMENT]).output
    assert listed.count("pasal_43_1_c") == 3
    assert REASON in listed.replace("\n", " ")
    refused = CliRunner().invoke(app, ["log", "retire", "--before", "2026", "--agreement", AGREEMENT, "--reason", REASON])
    assert isinstance(refused.exception, ClientError)
    assert "tahun" in str(refused.exception)
