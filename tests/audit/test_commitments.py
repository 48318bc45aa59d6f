"""The vault cannot be rewritten unseen, and a sender sees whom its rows stand for."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from broker.audit import refs
from broker.client import refs as sent
from broker.errors import ClientError, NotVerified
from broker.keys import SecretKey, derive, inverted, ref_key
from broker.keys.cmac import ecb
from broker.ledger.merkle import EMPTY_ROOT, leaf_hash
from broker.ledger.newcomers import Enrolment, commitment, enrolment, newcomers_root, place, verify_enrolment
from tests.simulator import SIAPKERJA, SIJOKER, Town

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from broker.client import Client

AGREEMENT = "nk-sijunjung-2025"


def manifest(town: Town, name: str) -> dict[str, Any]:
    return dict(json.loads(town.row(name).manifest or b""))


def people(town: Town) -> dict[bytes, bytes]:
    """Tag → id of everyone in the vault, as stored."""
    with town.office.ledger.database.read() as tx:
        rows = [r for (page,) in tx._c.exec_driver_sql("SELECT people FROM vault") for r in np.frombuffer(page, np.uint8).reshape(-1, 32)]
    return {bytes(r[:16]): bytes(r[16:]) for r in rows}


# --- the secret of an exchange
def test_the_keys_of_an_exchange_need_its_own_secret(town: Town) -> None:
    name, _ = town.exchange(town.csv(town.rows()))
    root = town.office.rings[AGREEMENT].get(SecretKey, "root").seed
    with town.office.ledger.database.read() as tx:
        secret, stored = tx.kept.secret(name), b"".join(tx.segments(name))
        assert tx.kept.secrets(AGREEMENT) == {name: secret}
    assert secret is not None
    assert (len(secret), secret[:2]) == (34, b"\0\1")
    key = ref_key({1: root}, bytes.fromhex(name), secret)
    assert key is not None
    ids = set(people(town).values())
    found = inverted(key, b"".join(stored[i : i + 16] for i in range(0, len(stored), 55)))
    assert {found[i : i + 16] for i in range(0, len(found), 16)} == ids
    without = inverted(derive(root, "ref", bytes.fromhex(name)), stored[:16])
    assert without not in ids


def test_an_exchange_without_a_secret_has_the_key_it_always_had() -> None:
    root, exchange = bytes(32), bytes(16)
    assert ref_key({1: root}, exchange, None) == derive(root, "ref", exchange)
    assert ref_key({1: root}, exchange, b"") is None


def test_the_key_of_an_exchange_is_of_the_root_of_its_epoch() -> None:
    roots, exchange = {1: bytes(32), 2: bytes([2]) * 32}, bytes(16)
    secret = b"\0\2" + bytes(32)
    assert ref_key(roots, exchange, secret) == derive(roots[2], "ref", exchange, secret)
    assert ref_key({1: roots[1]}, exchange, secret) is None  # that root was destroyed
    assert ref_key({2: roots[2]}, exchange, bytes(32)) is None
    recorded_before = b"\0\2" + bytes(30)  # 32 bytes without an epoch: of the first root, whatever they begin with
    assert ref_key(roots, exchange, recorded_before) == derive(roots[1], "ref", exchange, recorded_before)


# --- the vault's commitments
def test_each_newcomer_is_committed_to_once_and_opens_under_the_manifest(town: Town) -> None:
    first, _ = town.exchange(town.csv(town.rows(n=20, seed=1)))
    again, _ = town.exchange(town.csv([*town.rows(n=20, seed=1), *town.rows(n=5, seed=2)]))
    assert manifest(town, first)["vault"]["new"] + manifest(town, again)["vault"]["new"] == len(people(town))
    assert manifest(town, again)["vault"]["new"] < 20
    with town.office.ledger.database.read() as tx:
        made = {new.exchange: new for new in tx.kept.new(AGREEMENT)}
    opened = 0
    for name, new in made.items():
        said = manifest(town, name)["vault"]
        assert newcomers_root(new.hashes).hex() == said["root"]
        for tag, person in people(town).items():
            number = place(new.hashes, new.salts, tag, person)
            if number is not None:
                verify_enrolment(enrolment(new.hashes, new.salts, number, tag, person), said["new"], bytes.fromhex(said["root"]))
                opened += 1
    assert opened == len(people(town))


def test_an_exchange_of_known_people_commits_to_nobody(town: Town) -> None:
    data = town.csv(town.rows())
    town.exchange(data)
    name, _ = town.exchange(data)
    assert manifest(town, name)["vault"] == {"new": 0, "root": EMPTY_ROOT.hex()}


def changed(opened: Enrolment, name: str, value: Any) -> Enrolment:
    return dataclasses.replace(opened, **{name: value})


@pytest.mark.parametrize(
    ("part", "value"),
    [("number", 1), ("salt", bytes(16)), ("tag", b"\1" * 16), ("person", b"\2" * 16), ("path", ()), ("salt", b""), ("tag", bytes(15))],
)
def test_another_person_or_place_does_not_open(part: str, value: object) -> None:
    parts = [(hashlib.sha256(bytes([n])).digest()[:16], bytes([n]) * 16, bytes([n + 100]) * 16) for n in range(5)]
    hashes, salts = b"".join(commitment(*p) for p in parts), b"".join(p[0] for p in parts)
    good = enrolment(hashes, salts, 2, parts[2][1], parts[2][2])
    verify_enrolment(good, 5, newcomers_root(hashes))
    with pytest.raises(NotVerified):
        verify_enrolment(changed(good, part, value), 5, newcomers_root(hashes))
    with pytest.raises(NotVerified):
        verify_enrolment(good, 5, leaf_hash(b""))


# --- the sender's check
@pytest.fixture
def home(town: Town, tmp_path: Path) -> Path:
    return tmp_path


def send(town: Town, client: Client, path: Path, data: bytes) -> str:
    path.write_bytes(data)
    answer = client.send(path, agreement=AGREEMENT, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
    assert answer.state == "recorded"
    return answer.exchange


def test_a_sender_finds_every_row_it_sent_under_the_person_it_names(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        client = town.client(SIJOKER, http)
        rows = town.rows(n=30)
        rows[7] = [*rows[7]]
        rows.append([f"01JQ5ZK3M8T7V2XW9B4C6D1E0{'Z' if n == 0 else 'Y'}" if n == 0 else cell for n, cell in enumerate(rows[7])])  # the same person twice
        name = send(town, client, tmp_path / "a.csv", town.csv(rows))
        done = client.compare(name, tmp_path / "a.csv")
        assert (done.rows, done.changed) == (31, 0)
        assert done.people + done.skipped == 31
        assert done.people >= 30
        again = send(town, client, tmp_path / "b.csv", town.csv(rows[:10]))
        assert client.compare(again, tmp_path / "b.csv").people == 10
        lines = [json.dumps(dict(zip(town.office.contracts["pencari_kerja"].names, [c or None for c in row], strict=True))) for row in rows[:3]]
        third = send(town, client, tmp_path / "c.ndjson", ("\n".join(lines) + "\n").encode())
        assert client.compare(third, tmp_path / "c.ndjson").people == 3
        niks = {row[town.office.contracts["pencari_kerja"].names.index("nik")].encode() for row in rows}
        for file in (client.home / "people").iterdir():
            data = file.read_bytes()
            assert not any(nik in data for nik in niks)
            assert not any(id_ in data for id_ in people(town).values())
        assert list((client.home / "sent").glob("*.leaves")) == []


def swapped(town: Town, what: Callable[[list[bytes]], list[bytes]]) -> None:
    """A broker that gives ids otherwise than it should from now on."""
    pages = people(town)
    tags, ids = list(pages), what(list(pages.values()))
    rows = sorted(zip(tags, ids, strict=True))
    with town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("DELETE FROM vault")
        blob = b"".join(t + i for t, i in rows)
        tx._c.exec_driver_sql("INSERT INTO vault VALUES (?, 0, 0, ?, ?, ?)", (AGREEMENT, rows[0][0], rows[-1][0], blob))


def test_a_person_who_gets_another_id_is_an_alarm_with_its_row(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        client = town.client(SIJOKER, http)
        data = town.csv(town.rows(n=12))
        client.compare(send(town, client, tmp_path / "a.csv", data), tmp_path / "a.csv")
        swapped(town, lambda ids: [bytes(16), *ids[1:]])
        name = send(town, client, tmp_path / "b.csv", data)
        with pytest.raises(NotVerified, match=r"\(1 rows\)\. a person has another id than before: row \d+$"):
            client.compare(name, tmp_path / "b.csv")
        with pytest.raises(NotVerified, match="another id"):  # nothing of a failed check is kept
            client.compare(name, tmp_path / "b.csv")


def test_two_people_under_one_id_are_an_alarm(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        client = town.client(SIJOKER, http)
        data = town.csv(town.rows(n=12))
        town.exchange(data)
        swapped(town, lambda ids: [ids[1], *ids[1:]])
        name = send(town, client, tmp_path / "b.csv", data)
        with pytest.raises(NotVerified, match="two people have one id: row"):
            client.compare(name, tmp_path / "b.csv")


def test_a_broker_with_another_ref_key_for_the_sender_is_an_alarm(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with town.http() as http:
        client = town.client(SIJOKER, http)
        data = town.csv(town.rows(n=12))
        client.compare(send(town, client, tmp_path / "a.csv", data), tmp_path / "a.csv")
        monkeypatch.setattr(refs, "ref_key", lambda *_: bytes(32))
        name = send(town, client, tmp_path / "b.csv", data)
        with pytest.raises(NotVerified, match="another id than before"):
            client.compare(name, tmp_path / "b.csv")


def test_what_cannot_be_checked_says_so(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        client = town.client(SIJOKER, http)
        data = town.csv(town.rows(n=12))
        name = send(town, client, tmp_path / "a.csv", data)
        (tmp_path / "b.csv").write_bytes(town.csv(town.rows(n=11)))
        with pytest.raises(ClientError, match="not the one that was sent"):
            client.compare(name, tmp_path / "b.csv")
        (tmp_path / "c.xlsx").write_bytes(b"")
        with pytest.raises(ClientError, match="tidak diperiksa"):
            client.compare(name, tmp_path / "c.xlsx")
        with pytest.raises(ClientError, match="tidak diperiksa"):
            sent.subjects_of(b"", "0" * 64)


def test_only_the_sender_gets_the_ref_key(town: Town, tmp_path: Path) -> None:
    with town.http() as http:
        name = send(town, town.client(SIJOKER, http), tmp_path / "a.csv", town.csv(town.rows()))
        recipient = town.client(SIAPKERJA, http)
        with pytest.raises(ClientError, match="Tidak ada pertukaran"):
            recipient._to.get(f"/v1/exchanges/{name}/refs")


# --- rows that name several people
class Row:
    """A file of one row a line, `people` written `a+b`, against the ids that leaves give."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder, self.seen = tmp_path, sent.Seen(tmp_path / "s.db", b"k")
        self.subjects = sent.Subjects({"satu": "nik", "dua": "passport"}, {"tiga": "npwp"})
        self.key = b"\7" * 32

    def check(self, rows: list[tuple[str, str, str]], ids: list[str], entry: int = 1, outcomes: dict[int, int] | None = None, erasures: tuple[int, ...] = ()) -> sent.Compared:
        """ids: per row, a letter for each leaf."""
        path, leaves = self.folder / "f.ndjson", self.folder / "leaves"
        path.write_text("".join(json.dumps(dict(zip(("satu", "dua", "tiga"), (c or None for c in row), strict=True))) + "\n" for row in rows))
        blocks = [(letter.encode() * 16, n) for n, letters in enumerate(ids) for letter in letters]
        refs_ = ecb(self.key, np.frombuffer(b"".join(b for b, _ in blocks), np.uint8).reshape(-1, 16))
        leaves.write_bytes(b"".join(bytes(r) + bytes(34) + bytes([(outcomes or {}).get(n, 0)]) + n.to_bytes(4, "big") for r, (_, n) in zip(refs_, blocks, strict=True)))
        return sent.compare(path, leaves, {"records": {"rows": len(rows)}}, entry, self.subjects, self.key, erasures, self.seen)


@pytest.fixture
def row(tmp_path: Path) -> Row:
    return Row(tmp_path)


def test_several_people_of_a_row_are_told_apart_by_the_other_rows(row: Row) -> None:
    done = row.check([("1", "2", ""), ("1", "", ""), ("", "", ""), ("", "", "9"), ("1", "", "1"), ("3", "4", "")], ["xy", "x", "q", "r", "xx", "ab"])
    assert (done.rows, done.people, done.skipped) == (6, 4, 3)  # nobody, sometimes-only, and two strangers


@pytest.mark.parametrize(
    ("rows", "ids", "why"),
    [
        ([("1", "", ""), ("1", "", "")], ["x", "y"], "one person has several ids: row 2"),
        ([("1", "", ""), ("2", "", "")], ["x", "x"], "two people have one id: row 2"),
        ([("1", "2", "")], ["x"], "more or fewer people than the row: row 1"),
        ([("1", "", "")], ["xy"], "more or fewer people than the row: row 1"),
        ([("1", "2", "")], ["xx"], "or two people one: row 1"),
        ([("1", "", "1")], ["xy"], "one person has several ids: row 1"),
        ([("1", "2", ""), ("1", "", ""), ("", "2", "")], ["xz", "x", "y"], "several ids: row 1"),
    ],
)
def test_what_does_not_agree_is_named_by_its_row(row: Row, rows: list[tuple[str, str, str]], ids: list[str], why: str) -> None:
    with pytest.raises(NotVerified, match=why):
        row.check(rows, ids)


def test_a_row_withheld_for_its_cells_is_not_judged(row: Row) -> None:
    done = row.check([("1", "", ""), ("1", "", "")], ["x", "y"], outcomes={1: 0x11})
    assert (done.people, done.skipped) == (1, 1)


def test_an_erasure_explains_one_changed_person_once(row: Row, tmp_path: Path) -> None:
    row.check([("1", "", ""), ("2", "", "")], ["x", "y"], entry=1)

    def later(ids: list[str], entry: int, erasures: tuple[int, ...]) -> sent.Compared:
        row.seen.close()
        row.seen = sent.Seen(tmp_path / "s.db", b"k")
        return row.check([("1", "", ""), ("2", "", "")], ids, entry, erasures=erasures)

    with pytest.raises(NotVerified, match="another id than before: row 1"):
        later(["z", "y"], 5, ())
    with pytest.raises(NotVerified, match="another id than before: row 1"):
        later(["z", "y"], 5, (7,))  # recorded after the exchange
    assert later(["z", "y"], 5, (3,)).changed == 1
    assert later(["z", "y"], 6, (3,)).changed == 0
    with pytest.raises(NotVerified, match="another id than before: row 2"):
        later(["z", "w"], 7, (3,))
    with pytest.raises(NotVerified, match="another id than before"):
        later(["u", "w"], 9, (3, 8))  # two changed, one erasure
    assert later(["x", "y"], 1, (3,)).changed == 1  # the first file again
    assert later(["z", "y"], 9, (3,)).changed == 0


def test_a_persons_place_among_the_commitments_says_nothing_of_their_tag(town: Town) -> None:
    """In the order of tags, an erased one would stand between two that are known, in the exchange that brought them all."""
    town.exchange(town.csv(town.rows(n=40)))
    with town.office.ledger.database.read() as tx:
        (new,) = tx.kept.new(AGREEMENT)
        hashes = [new.hashes[at : at + 32] for at in range(0, len(new.hashes), 32)]
        places = [place(new.hashes, new.salts, tag, known) for tag, known in sorted(people(town).items())]
    assert hashes == sorted(hashes)
    assert places != list(range(40))
    assert len(set(places)) == len(hashes) == 40
