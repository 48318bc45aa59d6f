"""The vault key is rotated: everyone gets another tag and keeps their id, so whatever is asked about people is answered as before."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from broker.audit import erasure
from broker.audit.erasure import Ground
from broker.audit.handout import at_checkpoint
from broker.audit.subject import look
from broker.audit.yearly import yearly
from broker.errors import LedgerError, Refusal
from broker.exchange import exchange
from broker.keys import Rings, SecretKey, derive, open_ring, public_set
from broker.keys.cmac import column_cmac
from broker.keys.ring import ACTIVE, DISABLED, PENDING, RETIRED, changing
from broker.keys.rotate import ended, rotated
from broker.keys.tags import Tags
from broker.ledger.newcomers import enrolment, place, verify_enrolment
from broker.model import utc_text, wib_date
from broker.record import Ledger, tags_in
from broker.rotation import keep_fresh
from broker.store import SubjectRequest
from broker.store.vault import PAGE, Vault
from tests.audit.bundling import asked, auditor, check
from tests.audit.test_erasure import holding, officer
from tests.keys.test_rotation import act, kid, opened, states, wired
from tests.lifecycle.conftest import Desk
from tests.simulator import SIBUSER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulator import Town

AGREEMENT = "nk-sijunjung-2025"
GROUND = Ground("pasal_43_1_c", "Permohonan tertulis subjek, surat nomor 12 tahun ini")
LONG = "paspor:A1B2C3D4E5F6"  # more than one block: no key turns its tag back


@pytest.fixture
def town(town: Town) -> Town:
    wired(town)
    return town


def rotate(town: Town) -> None:
    act(town, act="rotate", ring=AGREEMENT, purpose="vault")


def vault(town: Town, agreement: str = AGREEMENT) -> dict[bytes, bytes]:
    """Tag → id of everyone, as stored; every page sorted and within its bounds."""
    with town.office.ledger.database.read() as tx:
        pages = list(tx._c.exec_driver_sql("SELECT low, high, people FROM vault WHERE agreement = ?", (agreement,)))
    found: dict[bytes, bytes] = {}
    for low, high, page in pages:
        people = [page[at : at + 32] for at in range(0, len(page), 32)]
        assert (people, low, high) == (sorted(people), people[0][:16], people[-1][:16])
        found |= {one[:16]: one[16:] for one in people}
    return found


def niks(town: Town, rows: list[list[str]]) -> list[str]:
    return [row[town.office.contracts["pencari_kerja"].names.index("nik")] for row in rows]


def ids(town: Town, names: list[str]) -> list[bytes | None]:
    with town.office.ledger.database.read() as tx:
        tags = tags_in(tx, town.office.rings, AGREEMENT).people(pl.Series(names))
        return [tx.vault(AGREEMENT).find(tag.tobytes()) for tag in tags]


def epoch(town: Town) -> int:
    with town.office.ledger.database.read() as tx:
        return tx.keyrings.vault_epoch(AGREEMENT)


def new(town: Town, name: str) -> int:
    return int(json.loads(town.row(name).manifest or b"")["vault"]["new"])


def found(town: Town, names: list[str]) -> Any:
    """What a search says of each person, without when it was asked."""
    day, at = wib_date(town.now).isoformat(), utc_text(town.now)
    row = SubjectRequest("-", AGREEMENT, "-", at, day, day, 1, "-", proofs=True, state="approved", approver=None, until=at, sealed=None)
    return look(town.office, row, names, town.now).subjects


def figures(town: Town) -> dict[str, Any]:
    said = yearly(town.office, at_checkpoint(town.office, AGREEMENT), 2026, wib_date(town.now), as_of=False)
    return {name: said[name] for name in ("flows", "persons")}


# --- tags
def test_in_the_first_epoch_a_tag_is_the_cmac_of_the_name(town: Town) -> None:
    ring, names = town.office.rings[AGREEMENT], pl.Series(["1303011203990001", "paspor:X1234567", LONG])
    cmac = column_cmac(derive(ring.get(SecretKey, "vault").seed, "tag", AGREEMENT.encode()), names)
    assert (Tags.of(ring, 1).people(names) == cmac).all()
    assert (Tags.of(ring, 1).records(names) == cmac).all()


def test_from_one_epoch_to_another_tags_follow_without_the_names(town: Town) -> None:
    for _ in range(2):
        rotate(town)
    ring, names = town.office.rings[AGREEMENT], pl.Series(["1303011203990001", "paspor:X1234567", LONG])
    made = {at: Tags.of(ring, at) for at in (1, 2, 3)}
    tags = {at: one.people(names) for at, one in made.items()}
    assert len(np.unique(np.concatenate(list(tags.values())), axis=0)) == 9
    for before in made:
        for after, one in made.items():
            assert (one.since(before, tags[before]) == tags[after]).all()
    assert (made[3].records(names) == tags[1]).all()


# --- people stay who they are
@pytest.mark.parametrize("times", [1, 3])
def test_everyone_has_another_tag_and_the_same_id(town: Town, times: int) -> None:
    runs = [town.rows(n=n, seed=n) for n in (2 * PAGE + 5, 40, 7)]
    for rows in runs:
        town.exchange(town.csv(rows))
    names = niks(town, runs[0] + runs[1])
    before, known = vault(town), ids(town, names)
    assert None not in known
    for _ in range(times):
        rotate(town)
    after = vault(town)
    assert sorted(after.values()) == sorted(before.values())
    assert not after.keys() & before.keys()
    assert ids(town, names) == known
    assert epoch(town) == 1 + times
    name, _ = town.exchange(town.csv(runs[0]))
    assert new(town, name) == 0
    wired(town)  # a restart
    assert vault(town) == after


def test_people_of_another_agreement_keep_their_tags(town: Town) -> None:
    other = "nk-binjai-2025"
    town.exchange(town.csv(town.rows(n=5)))
    town.exchange(town.csv(town.rows(n=4, party="binjai", agreement=other)), agreement=other, sender=SIBUSER, basis="UU 13/2003")
    before, mine = vault(town, other), vault(town)
    rotate(town)
    assert vault(town, other) == before != {}
    assert not vault(town).keys() & mine.keys()


def test_who_has_a_long_passport_number_is_found_again(town: Town) -> None:
    with town.office.ledger.writing() as book, book.tx.vault(AGREEMENT) as people:
        people.ids(tags_in(book.tx, town.office.rings, AGREEMENT).people(pl.Series([LONG])))
    known = ids(town, [LONG])
    assert known != [None]
    rotate(town)
    rotate(town)
    assert ids(town, [LONG]) == known


def test_search_and_yearly_figures_are_those_of_before(town: Town) -> None:
    rows, jobs = town.rows(n=12), town.rows("lowongan", n=9)
    town.exchange(town.csv(rows))
    town.exchange(town.csv(jobs, "lowongan"), dataset="lowongan")
    names = [*niks(town, rows), "1303015203999001"]
    before, said = found(town, names), figures(town)
    assert [one.known for one in before] == [True] * 12 + [False]
    rotate(town)
    assert (found(town, names), figures(town)) == (before, said)
    town.exchange(town.csv(rows[3:]))
    town.exchange(town.csv(jobs, "lowongan"), dataset="lowongan")
    assert [len(one.disclosures) for one in found(town, names)] == [1] * 3 + [2] * 9 + [0]
    again = figures(town)
    assert again["persons"] == said["persons"]
    assert [(one["persons"], one["others"]) for one in again["flows"]] == [(one["persons"], one["others"]) for one in said["flows"]]
    assert any(one["others"] for one in said["flows"])  # records that name nobody are counted once as well


@pytest.mark.parametrize("at", [0, 1])
def test_who_came_in_any_epoch_is_erased_with_their_commitment(town: Town, at: int) -> None:
    groups = [town.rows(n=8, seed=1), town.rows(n=8, seed=2)]
    made = [town.exchange(town.csv(groups[0]))[0]]
    first = vault(town)
    rotate(town)
    made.append(town.exchange(town.csv(groups[1]))[0])
    rotate(town)
    nik = niks(town, groups[at])[3]
    (person,) = ids(town, [nik])
    assert person is not None
    with town.office.ledger.database.read() as tx:
        tags = [dataclasses.replace(tags_in(tx, town.office.rings, AGREEMENT), epoch=number).people(pl.Series([nik])).tobytes() for number in (1, 2, 3)]
        lists = {one.exchange: one for one in tx.kept.new(AGREEMENT)}
    assert (tags[0] in first) == (at == 0)
    mine = lists[made[at]]
    number = place(mine.hashes, mine.salts, tags[at], person)
    assert number is not None  # the commitment is to the tag of its day, and opens under the manifest of its day
    said = json.loads(town.row(made[at]).manifest or b"")["vault"]
    verify_enrolment(enrolment(mine.hashes, mine.salts, number, tags[at], person), said["new"], bytes.fromhex(said["root"]))
    with town.http() as http:
        assert erasure.erase_subject(town.office, officer(Desk(town, http)), AGREEMENT, nik, GROUND, town.now).complete
    assert ids(town, [nik]) == [None]
    salt = mine.salts[16 * number : 16 * number + 16]
    assert holding(town, person, salt, *tags) == set()


def test_a_bundle_about_a_person_verifies_without_the_broker_from_before_and_after(town: Town, tmp_path: Path) -> None:
    rows = town.rows(n=6)
    town.exchange(town.csv(rows))
    with town.http() as http:
        reports, pinned = auditor(town, http), public_set("broker", town.office.rings)
        before = asked(reports, tmp_path / "a.zip", niks(town, rows)[1])
        rotate(town)
        town.exchange(town.csv(rows))
        after = asked(reports, tmp_path / "b.zip", niks(town, rows)[1])
    for data, times in ((before, 1), (after, 2)):
        about = check(data, pinned).answer
        assert about is not None
        assert [(one.known, len(one.disclosed)) for one in about.people] == [(True, times)]


def test_the_tags_of_before_are_in_no_file(town: Town) -> None:
    town.exchange(town.csv(town.rows(n=PAGE + 60)))
    before = list(vault(town))[::97]
    assert holding(town, *before)
    rotate(town)
    assert holding(town, *before) == set()


# --- under way, at once, cut short
@pytest.mark.parametrize("times", [1, 2])
def test_an_exchange_under_way_makes_nobody_new(town: Town, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    rows, jobs = town.rows(n=50), town.rows("lowongan", n=9)
    town.exchange(town.csv(rows))
    town.exchange(town.csv(jobs, "lowongan"), dataset="lowongan")
    said, plain = figures(town), Ledger.record

    def record(*args: Any, **kwargs: Any) -> Any:
        for _ in range(times):
            rotate(town)
        return plain(*args, **kwargs)

    monkeypatch.setattr(Ledger, "record", record)
    name, _ = town.exchange(town.csv([*rows, rows[7], *town.rows(n=3, seed=2)]))
    assert new(town, name) == 3
    name, _ = town.exchange(town.csv(jobs, "lowongan"), dataset="lowongan")
    assert new(town, name) == 0
    assert [one["others"] for one in figures(town)["flows"]] == [one["others"] for one in said["flows"]]
    assert len(vault(town)) == said["persons"] + 3
    assert len(found(town, niks(town, rows[7:8]))[0].disclosures) == 2
    assert list(town.office.folders.scratch.iterdir()) == []


def test_a_ring_that_a_crash_left_before_its_tags_is_followed_at_the_next_start(town: Town) -> None:
    rows = town.rows(n=30)
    town.exchange(town.csv(rows))
    known, before, folder = ids(town, niks(town, rows)), vault(town), town.home / "secrets" / AGREEMENT
    with changing(folder) as write:
        write(rotated(open_ring(folder), "vault", town.now, "host"))
    town.office = dataclasses.replace(town.office, rings=opened(town))
    assert vault(town) == before
    assert ids(town, niks(town, rows)) == known  # with the key that the tags are of
    wired(town)
    assert (epoch(town), town.entries(AGREEMENT)[-1]["act"]) == (2, "ring_changed")
    assert not vault(town).keys() & before.keys()
    assert ids(town, niks(town, rows)) == known


def failing(plain: Callable[..., Any], at: int) -> Callable[..., Any]:
    calls = 0

    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise LedgerError("no space")
        return plain(*args, **kwargs)

    return called


@pytest.mark.parametrize("at", [1, 2])
def test_tags_that_the_disk_could_not_take_stay_and_are_made_the_next_day(town: Town, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    rows = town.rows(n=PAGE + 60)
    town.exchange(town.csv(rows))
    known, before = ids(town, niks(town, rows)), vault(town)
    with monkeypatch.context() as broken:
        broken.setattr(Vault, "_insert", failing(Vault._insert, at))
        with pytest.raises(LedgerError):
            rotate(town)
    assert (epoch(town), states(town, "vault")) == (1, [RETIRED, ACTIVE])
    assert vault(town) == before
    assert ids(town, niks(town, rows)) == known
    name, _ = town.exchange(town.csv(rows))
    assert new(town, name) == 0
    assert keep_fresh(town.office, town.now) == 0
    assert (epoch(town), ids(town, niks(town, rows))) == (2, known)
    assert not vault(town).keys() & before.keys()


def test_of_two_rotations_at_once_both_hold(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = town.rows(n=30)
    town.exchange(town.csv(rows))
    known, plain, first = ids(town, niks(town, rows)), Ledger.writing, iter([True])

    def writing(ledger: Ledger) -> Any:
        if next(first, False):  # another rotation comes between the first one's ring and its tags
            rotate(town)
        return plain(ledger)

    monkeypatch.setattr(Ledger, "writing", writing)
    rotate(town)
    assert (epoch(town), states(town, "vault")) == (3, [RETIRED, RETIRED, ACTIVE])
    assert ids(town, niks(town, rows)) == known


# --- disabled, announced, ended
def test_while_a_key_of_the_vault_is_disabled_it_is_not_rotated(town: Town) -> None:
    act(town, act="disable", ring=AGREEMENT, kid=kid(town, "vault"))
    for step in ("rotate", "announce"):
        with pytest.raises(Refusal) as refused:
            act(town, act=step, ring=AGREEMENT, purpose="vault")
        assert "enable them first" in str(refused.value.facts["sebab"])
    assert states(town, "vault") == [DISABLED]
    act(town, act="rotate", ring=AGREEMENT, purpose="root")  # another purpose is


def test_a_disabled_key_of_another_purpose_holds_up_no_rotation(town: Town) -> None:
    act(town, act="disable", ring=AGREEMENT, kid=kid(town, "kem"))
    for purpose in ("vault", "kem"):
        act(town, act="rotate", ring=AGREEMENT, purpose=purpose)
    assert (states(town, "vault"), states(town, "kem")) == ([RETIRED, ACTIVE], [DISABLED, ACTIVE])


def test_only_a_new_vault_key_makes_tags_anew(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.exchange(town.csv(town.rows(n=5)))
    monkeypatch.setattr(Vault, "retag", failing(Vault.retag, 1))
    for purpose in ("root", "kem", "log", "receipt"):
        act(town, act="rotate", ring=AGREEMENT, purpose=purpose)
    wired(town)
    with pytest.raises(LedgerError):
        rotate(town)


@pytest.mark.parametrize("number", [1, 2])
def test_without_a_key_that_tags_take_nobody_is_looked_up_or_recorded(town: Town, number: int) -> None:
    rows = town.rows(n=5)
    town.exchange(town.csv(rows))
    known = ids(town, niks(town, rows))
    rotate(town)
    off = next(r.kid for r in town.office.rings[AGREEMENT].records if (r.purpose, r.epoch) == ("vault", number))
    act(town, act="disable", ring=AGREEMENT, kid=off)
    before = vault(town)
    with pytest.raises(Refusal, match="kunci_nonaktif"):
        found(town, niks(town, rows))
    with pytest.raises(Refusal, match="kunci_nonaktif"):
        town.exchange(town.csv(rows))
    town.assert_refused(town.last, "kunci_nonaktif")
    wired(town)  # it starts
    assert vault(town) == before
    act(town, act="enable", ring=AGREEMENT, kid=off)
    assert ids(town, niks(town, rows)) == known


def test_tags_that_wait_for_a_disabled_key_are_made_when_it_comes_back(town: Town) -> None:
    rows = town.rows(n=5)
    town.exchange(town.csv(rows))
    known, before = ids(town, niks(town, rows)), vault(town)
    act(town, act="announce", ring=AGREEMENT, purpose="vault")
    off, waiting = kid(town, "vault"), kid(town, "vault", PENDING)
    assert vault(town) == before
    act(town, act="disable", ring=AGREEMENT, kid=off)
    act(town, act="enable", ring=AGREEMENT, kid=waiting)
    assert (states(town, "vault"), epoch(town)) == ([DISABLED, ACTIVE], 1)
    with pytest.raises(Refusal, match="kunci_nonaktif"):
        ids(town, niks(town, rows))
    act(town, act="enable", ring=AGREEMENT, kid=off)
    assert (states(town, "vault"), epoch(town)) == ([RETIRED, ACTIVE], 2)
    assert ids(town, niks(town, rows)) == known


def test_a_start_that_finds_a_newer_key_and_the_first_one_disabled_makes_its_tags(town: Town) -> None:
    rows = town.rows(n=5)
    town.exchange(town.csv(rows))
    known, first, folder = ids(town, niks(town, rows)), kid(town, "vault"), town.home / "secrets" / AGREEMENT
    rotate(town)
    act(town, act="disable", ring=AGREEMENT, kid=first)
    with changing(folder) as write:
        write(rotated(open_ring(folder), "vault", town.now, "host"))
    wired(town)
    assert (states(town, "vault"), epoch(town)) == ([DISABLED, RETIRED, ACTIVE], 3)
    with pytest.raises(Refusal, match="kunci_nonaktif"):
        ids(town, niks(town, rows))
    act(town, act="enable", ring=AGREEMENT, kid=first)
    assert ids(town, niks(town, rows)) == known


def test_an_exchange_whose_key_is_disabled_before_it_is_recorded_is_refused_by_name(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, plain = town.rows(n=5), Ledger.record
    town.exchange(town.csv(rows))
    rotate(town)

    def record(*args: Any, **kwargs: Any) -> Any:
        off = kid(town, "vault")
        rotate(town)
        act(town, act="disable", ring=AGREEMENT, kid=off)
        return plain(*args, **kwargs)

    monkeypatch.setattr(Ledger, "record", record)
    with pytest.raises(Refusal):
        town.exchange(town.csv(rows))
    town.assert_refused(town.last, "kunci_nonaktif")


def test_with_an_ended_agreement_the_vault_names_nobody_in_any_epoch(town: Town) -> None:
    rows = town.rows(n=5)
    town.exchange(town.csv(rows))
    rotate(town)
    before = vault(town)
    rings = dict(town.office.rings)
    rings[AGREEMENT] = ended(rings[AGREEMENT], town.now, "a b")
    town.office = dataclasses.replace(town.office, rings=Rings(town.home / "secrets", rings))
    assert not rings[AGREEMENT].seeds("vault")
    with pytest.raises(Refusal, match="kunci_dimusnahkan"):
        found(town, niks(town, rows))
    assert keep_fresh(town.office, town.now) == 0
    assert vault(town) == before


def test_an_accepted_submission_is_taken_through_after_any_number_of_rotations(town: Town) -> None:
    rows = town.rows(n=5)
    town.exchange(town.csv(rows))
    waits = town.accept(town.submission(town.csv(rows)))
    rotate(town)
    wired(town)
    rotate(town)
    exchange(town.office, waits, town.now)
    assert new(town, waits) == 0
