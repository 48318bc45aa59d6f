"""From draft to live: four eyes, the other party's own signature, nothing that changed unread, and every act in the log."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from broker import lifecycle, people
from broker.client.approvals import Approver
from broker.errors import ClientError, LedgerError, NotVerified
from broker.lifecycle import take_up_policy
from broker.rows import treat_chunk
from tests.simulator import SYSTEMS

if TYPE_CHECKING:
    from broker.client.officer import Officer
    from broker.contract.parse import Chunk
    from broker.rows import Desk as Rows
    from broker.rows import Tally
    from tests.lifecycle.conftest import Desk

NK = "nk-sijunjung-2025"


def proposed(author: Officer, rules: bytes) -> str:
    name = author.new(rules)
    author.propose(name)
    return name


def approve(desk: Desk, officer: Officer, name: str) -> None:
    officer.approve(officer.draft(name))


def acts(desk: Desk, log: str = NK) -> list[str]:
    return [e["act"] for e in desk.town.entries(log) if e["type"] == "sinergi/policy/v1"]


def test_a_widening_needs_the_officer_whose_data_it_is(desk: Desk) -> None:
    author, same, other = desk.officer("kemnaker"), desk.officer("kemnaker"), desk.officer("sijunjung")
    name = proposed(author, desk.widened())
    assert author.check(name)["approval_of"] == {NK: ["sijunjung"]}
    with pytest.raises(ClientError, match="sijunjung"):
        author.publish(name)
    approve(desk, same, name)
    with pytest.raises(ClientError, match="sijunjung"):
        author.publish(name)
    approve(desk, other, name)
    assert author.publish(name)["version"] == 2
    assert desk.town.office.policy.version == 2
    record = lifecycle.history(desk.town.office)[-1]
    assert (record["gains"] > 0, record["losses"]) == (True, 0)
    assert acts(desk) == ["proposed", "approved", "approved", "published"]
    parties = [desk.town.province.public(system) for system in SYSTEMS]
    assert set(author.approvers(2, parties)) == {Approver(who.person, passkey=False) for who in (same, other)}
    for missing in parties[::2]:  # of Sijunjung, of the ministry
        with pytest.raises(NotVerified, match="none of the parties"):
            author.approvers(2, [keys for keys in parties if keys != missing])


def test_a_tightening_needs_one_other_officer(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    with pytest.raises(ClientError, match="petugas lain"):
        author.publish(name)
    approve(desk, other, name)
    assert author.publish(name)["version"] == 2


def test_the_author_never_approves(desk: Desk) -> None:
    author = desk.officer("sijunjung")
    name = proposed(author, desk.tightened())
    with pytest.raises(ClientError, match="penulis"):
        approve(desk, author, name)
    with pytest.raises(ClientError, match="petugas lain"):
        author.publish(name)


def test_an_approval_of_what_changed_since_it_was_read_is_refused(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    read = other.draft(name)
    author.edit(author.draft(name), desk.tightened("kode_wilayah"))
    author.propose(name)
    with pytest.raises(ClientError, match="berubah"):
        other.approve(read)
    with pytest.raises(ClientError, match="petugas lain"):
        author.publish(name)


def test_an_edit_takes_earlier_approvals_away(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    author.edit(author.draft(name), desk.tightened("kode_wilayah"))
    author.propose(name)
    with pytest.raises(ClientError, match="petugas lain"):
        author.publish(name)


def test_two_who_edit_one_draft_do_not_overwrite_each_other(desk: Desk) -> None:
    author = desk.officer("sijunjung")
    name = author.new()
    first, second = author.draft(name), author.draft(name)
    author.edit(first, desk.tightened())
    with pytest.raises(ClientError, match="berubah"):
        author.edit(second, desk.tightened("kode_wilayah"))
    assert author.draft(name).rules.encode() == desk.tightened()


def test_another_officer_edits_nothing_and_publishes_nothing_unproposed(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = author.new(desk.tightened())
    with pytest.raises(ClientError, match="penulis"):
        other.edit(other.draft(name), desk.tightened("kode_wilayah"))
    with pytest.raises(ClientError, match="draft"):
        approve(desk, other, name)
    with pytest.raises(ClientError, match="draft"):
        author.publish(name)


def test_an_approval_by_another_key_is_none(desk: Desk) -> None:
    author, other, third = desk.officer("sijunjung"), desk.officer("kemnaker"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    stolen = third.draft(name)
    other._ring, mine = third._ring, other._ring
    with pytest.raises(ClientError, match="kunci Anda sendiri"):
        other.approve(stolen)
    other._ring = mine


def test_an_approval_ends_with_its_officers_appointment(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker", ends=date(2026, 11, 21))
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    desk.town.now += timedelta(days=1)
    with pytest.raises(ClientError, match="petugas lain"):
        author.publish(name)


def test_an_ended_officer_is_nobody(desk: Desk) -> None:
    author = desk.officer("sijunjung")
    people.end(desk.town.office, author.person, desk.town.now)
    with pytest.raises(ClientError, match="kunci yang dikenal"):
        author.new()


@pytest.mark.parametrize("role", ["operator", "auditor", "admin_pihak", "pembuka_samaran"])
def test_other_roles_write_no_policy(desk: Desk, role: str) -> None:
    with pytest.raises(ClientError, match="tulis_kebijakan"):
        desk.officer("sijunjung", role).new()


def test_what_touches_anothers_agreement_is_not_proposed(desk: Desk) -> None:
    author = desk.officer("sijunjung")
    rules = (desk.rules + "K.uji,*,nk-binjai-2025,pencari_kerja.nik,*,*,*,0,2025-03-20,2028-03-20,nk-binjai-2025: Pasal 9 ayat (1),deny,tidak\n").encode()
    name = author.new(rules)
    assert author.check(name)["changes"] == []
    assert author.check(name)["elsewhere"] > 0
    with pytest.raises(ClientError, match="nk-binjai-2025"):
        author.propose(name)


def test_an_officer_of_one_agreement_approves_nothing_of_another(desk: Desk) -> None:
    """The ministry's officer for Binjai is of the right party, and not for this agreement."""
    author, sijunjung = desk.officer("sijunjung"), desk.officer("sijunjung")
    elsewhere = desk.officer("kemnaker", agreements=frozenset({"nk-binjai-2025"}))
    name = proposed(author, desk.tightened())
    with pytest.raises(ClientError, match=NK):
        approve(desk, elsewhere, name)
    with pytest.raises(ClientError, match="petugas lain"):
        author.publish(name)
    approve(desk, sijunjung, name)
    with pytest.raises(ClientError, match=NK):
        elsewhere.publish(name)
    assert author.publish(name)["version"] == 2


def test_a_log_holds_its_own_agreements_part_only(desk: Desk) -> None:
    author, sijunjung = desk.officer("kemnaker"), desk.officer("sijunjung")
    both = "K.uji,*,nk-*,pencari_kerja.pendidikan_tertinggi,*,*,*,0,2025-03-20,2028-03-20,nk-sijunjung-2025: Pasal 9 ayat (1); nk-binjai-2025: Pasal 9 ayat (1),deny,tidak\n"
    name = proposed(author, (desk.rules + both).encode())
    approve(desk, sijunjung, name)
    author.publish(name)
    for log in (NK, "nk-binjai-2025"):
        said = [e["diff"] for e in desk.town.entries(log) if e.get("act") in ("proposed", "published") and "diff" in e]
        assert len(said) == 2
        assert {line["dom"] for one in said for line in one["changes"]} == {log}
    assert "approved" not in acts(desk, "nk-binjai-2025")


def test_a_wrong_draft_says_where_and_changes_nothing(desk: Desk) -> None:
    author = desk.officer("sijunjung")
    lines = desk.rules.splitlines()
    lines[4] = lines[4].replace(",deny,", ",Deny,")
    name = author.new(("\n".join(lines) + "\n").encode())
    with pytest.raises(ClientError, match="baris 5"):
        author.check(name)
    with pytest.raises(ClientError, match="baris 5"):
        author.propose(name)
    assert desk.town.office.policy.version == 1


def test_a_locked_cap_rises_with_an_addendum_only(desk: Desk) -> None:
    author = desk.officer("kemnaker")
    row = next(line for line in desk.rules.splitlines() if line.startswith("K.teks_bebas,"))
    rules = desk.rules.replace(row, row.replace(",*,3,", ",*,4,")).encode()
    name = author.new(rules)
    assert author.check(name)["loosened"] == ["K.teks_bebas"]
    with pytest.raises(ClientError, match="adendum"):
        author.propose(name)
    with_addendum = author.new(rules, addendum="Adendum 1/2027")
    with pytest.raises(ClientError, match="harapan"):  # past the lock, what is expected of every policy still stands
        author.propose(with_addendum)


def test_a_draft_made_from_an_older_version_is_not_published(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    first, second = proposed(author, desk.tightened()), proposed(author, desk.tightened("kode_wilayah"))
    approve(desk, other, first)
    approve(desk, other, second)
    author.publish(first)
    with pytest.raises(ClientError, match="versi 2"):
        author.publish(second)


def test_a_rollback_is_an_older_body_as_a_new_version(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    first = desk.rules
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    author.publish(name)
    back = author.new(rollback=1)
    owed = author.propose(back)["approval_of"]
    assert owed == {NK: ["kemnaker", "sijunjung"]}  # each gains again what the cap took
    approve(desk, desk.officer("sijunjung"), back)
    approve(desk, other, back)
    assert author.publish(back)["version"] == 3
    assert desk.rules == first
    assert [one["rollback_of"] for one in author.versions()] == [None, None, 1]


def test_who_shuts_everyone_out_is_told_to_stop_instead(desk: Desk) -> None:
    author = desk.officer("kemnaker")
    shut = "K.uji,*,nk-*,*,*,*,*,0,2025-03-20,9999-12-31,nk-sijunjung-2025: Pasal 9 ayat (1); nk-binjai-2025: Pasal 9 ayat (1),deny,tidak\n"
    name = author.new((desk.rules + shut).encode())
    with pytest.raises(ClientError, match=r"penghentian|harapan"):
        author.propose(name)


def test_a_clock_before_the_last_version_publishes_nothing(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    desk.town.now -= timedelta(days=2)
    with pytest.raises(ClientError, match=r"[Jj]am"):
        author.publish(name)
    assert desk.town.office.policy.version == 1


def test_a_clock_between_the_first_version_and_the_last_publishes_nothing(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    second = desk.tightened()
    third = second + second.splitlines(keepends=True)[-1].replace(b"K.uji", b"K.uji2").replace(b"pendidikan_tertinggi", b"kode_wilayah")
    desk.town.now += timedelta(days=2)
    name = proposed(author, second)
    approve(desk, other, name)
    author.publish(name)
    desk.town.now -= timedelta(days=1)
    name = proposed(author, third)
    approve(desk, other, name)
    with pytest.raises(ClientError, match="Jam broker"):
        author.publish(name)
    assert desk.town.office.policy.version == 2


def test_versions_are_chained_signed_and_byte_for_byte(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    rules = desk.tightened()
    name = proposed(author, rules)
    approve(desk, other, name)
    author.publish(name)
    first, second = (author.version(n) for n in (1, 2))
    assert json.loads(second["record"])["previous"] == hashlib.sha256(first["record"].encode()).hexdigest()
    assert second["rules"].encode() == rules
    assert json.loads(second["record"])["approvals"][0]["person"] == other.person


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE policyversion SET rules = rules || 'x' WHERE number = 1",
        "UPDATE policyversion SET record = replace(record, '\"gains\":0', '\"gains\":1') WHERE number = 1",
        "UPDATE policyactive SET number = 2",
        "DELETE FROM policyactive",
        "DELETE FROM policyversion",
    ],
)
def test_a_row_changed_by_hand_keeps_the_broker_from_starting(desk: Desk, change: str) -> None:
    with desk.town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql(change)
    with pytest.raises(LedgerError, match="policy"):
        lifecycle.verified(desk.town.office, logs=True)


def test_a_database_put_back_to_an_older_version_is_noticed(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    author.publish(name)
    with desk.town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("DELETE FROM policyversion WHERE number = 2")
        tx._c.exec_driver_sql("UPDATE policyactive SET number = 1")
    assert not take_up_policy(desk.town.office)
    assert desk.town.office.policy.version == 2
    with pytest.raises(LedgerError, match="logs"):
        lifecycle.verified(desk.town.office, logs=True)


def test_a_version_that_does_not_verify_leaves_the_old_one_deciding_and_says_so(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with desk.town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql("UPDATE policyactive SET number = 7")
    assert not take_up_policy(desk.town.office)
    assert "POLICY NOT TAKEN UP" in caplog.text
    assert desk.http.get("/v1/health").json()["policy"]["fault"]
    assert desk.town.office.policy.version == 1


def test_what_another_process_published_is_taken_up(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    before = desk.town.office.policy
    author.publish(name)
    desk.town.office.force.policy = before  # as a process that has not looked yet
    for _ in range(100):
        if desk.town.office.policy.version == 2:
            break
        time.sleep(0.05)
    assert desk.town.office.policy.version == 2


def test_the_administrator_can_do_nothing_here(desk: Desk) -> None:
    with pytest.raises(ClientError, match="tulis_kebijakan"):
        desk.officer("", "administrator").new()


def test_a_line_says_what_really_leaves_where_a_column_cannot_do_the_level(desk: Desk) -> None:
    """status_perkawinan has no format-preserving pseudonym: level 4 is nothing at all."""
    author = desk.officer("sijunjung")
    cap = "K.uji,siapkerja@kemnaker,nk-sijunjung-2025,pencari_kerja.status_perkawinan,terima,perencanaan,*,4,2025-03-20,2028-03-20,nk-sijunjung-2025: Pasal 9 ayat (1),deny,tidak\n"
    lines = author.check(author.new((desk.rules + cap).encode()))["changes"]
    assert lines
    assert all("turun dari jelas ke samaran berformat" in line["id"] and "yang keluar: jelas → sembunyi" in line["id"] for line in lines)
    whole = author.check(author.new(desk.tightened()))["changes"]
    assert not any(line["released"] for line in whole if line["before"] in (0, 5))


def test_a_replay_holds_each_exchange_against_the_version_that_decided_it(desk: Desk) -> None:
    town, author, other = desk.town, desk.officer("sijunjung"), desk.officer("kemnaker")
    first, _ = town.exchange(town.csv(town.rows()))
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    author.publish(name)
    second, _ = town.exchange(town.csv(town.rows()))
    found = author.replay(author.new(desk.tightened("kode_wilayah").replace(b"K.uji,*,nk-sijunjung-2025,pencari_kerja.kode", b"K.uji2,*,nk-sijunjung-2025,pencari_kerja.kode")), 30)
    assert found["exchanges"] == 2
    told = {one["exchange"]: one for one in found["changed"]}
    assert told.keys() == {first, second}
    assert all(one["exact"] and not one["higher"] for one in told.values())
    assert [told[first]["columns_lower"], told[second]["columns_lower"]] == [["kode_wilayah", "pendidikan_tertinggi"], ["kode_wilayah"]]
    back = author.replay(author.new(rollback=1), 30)["changed"]
    assert [(one["exchange"], one["columns_higher"]) for one in back] == [(second, ["pendidikan_tertinggi"])]


def test_an_exchange_keeps_the_version_it_began_under(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version published between two of its chunks decides the next exchange, not this one."""
    town, author, other = desk.town, desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened("pendidikan_tertinggi"))
    approve(desk, other, name)
    calls: list[None] = []

    def publishing(chunk: Chunk, at: Rows, tally: Tally) -> object:
        calls.append(None)
        if len(calls) == 2:
            author.publish(name)
        return treat_chunk(chunk, at, tally)

    monkeypatch.setattr("broker.exchange.treat_chunk", publishing)
    body = town.csv(town.rows(n=40))
    first, _ = town.exchange(body, chunk_bytes=2000)
    assert len(calls) == 2
    assert town.office.policy.version == 2
    second, _ = town.exchange(body)
    during, after = (json.loads(town.row(each).manifest or b"") for each in (first, second))
    column = during["columns"].index("pendidikan_tertinggi")
    assert (during["policy"]["version"], "5" in {p["levels"][column] for p in during["profiles"]}) == (1, True)
    assert (after["policy"]["version"], {p["levels"][column] for p in after["profiles"]}) == (2, {"0"})
