"""What attackers tried, and unlucky operators did: each of these was once possible."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker import lifecycle, people
from broker.errors import ClientError, LedgerError, Refusal
from broker.identity import sign_request
from broker.lifecycle import judging, versions
from broker.lifecycle.versions import add_version
from tests.lifecycle.test_draft_to_live import NK, acts, approve, proposed

if TYPE_CHECKING:
    from broker.client.officer import Officer
    from tests.lifecycle.conftest import Desk

BINJAI = "nk-binjai-2025"


def sql(desk: Desk, *statements: str) -> None:
    with desk.town.office.ledger.database.write() as tx:
        for statement in statements:
            tx._c.exec_driver_sql(statement)


def live(desk: Desk, author: Officer, rules: bytes, *approvers: Officer) -> None:
    name = proposed(author, rules)
    for officer in approvers:
        approve(desk, officer, name)
    author.publish(name)


def test_a_cap_that_shows_part_of_what_was_a_pseudonym_needs_the_other_party(desk: Desk) -> None:
    """From level 3 to 2 a NIK steps down to its mask: fewer levels, more of the value."""
    author, colleague = desk.officer("kemnaker"), desk.officer("kemnaker")
    cap = "K.uji,siapkerja@kemnaker,nk-sijunjung-2025,pencari_kerja.nik,terima,*,*,2,2026-11-22,2028-03-20,nk-sijunjung-2025: Pasal 9 ayat (1),deny,tidak\n"
    name = proposed(author, (desk.rules + cap).encode())
    assert author.check(name)["approval_of"] == {NK: ["sijunjung"]}
    assert all("MENAMPAKKAN" in line["id"] and line["opens"] for line in author.check(name)["changes"])
    approve(desk, colleague, name)
    with pytest.raises(ClientError, match="sijunjung"):
        author.publish(name)


def test_a_rule_of_anothers_agreement_is_theirs_though_no_cell_changes(desk: Desk) -> None:
    author = desk.officer("binjai")
    row = next(line for line in desk.rules.splitlines() if line.startswith("A.") and ",nk-sijunjung-2025," in line and ",terima," in line)
    renamed = desk.rules.replace(row, row.replace(row.split(",")[0], "A.lain", 1)).encode()
    name = author.new(renamed)
    assert author.check(name)["gains"] == author.check(name)["losses"] == 0
    with pytest.raises(ClientError, match=NK):
        author.propose(name)


def test_unlocking_a_cap_needs_both_parties_though_no_cell_changes(desk: Desk) -> None:
    author, colleague = desk.officer("kemnaker"), desk.officer("kemnaker")
    row = next(line for line in desk.rules.splitlines() if ",nk-sijunjung-2025," in line and line.endswith(",deny,ya"))
    name = author.new(desk.rules.replace(row, row.removesuffix("ya") + "tidak").replace("9999-12-31", "9999-12-31").encode(), addendum="Adendum 1/2027")
    author.propose(name)
    assert author.check(name)["approval_of"] == {NK: ["kemnaker", "sijunjung"]}
    approve(desk, colleague, name)
    with pytest.raises(ClientError, match="sijunjung"):
        author.publish(name)
    assert acts(desk) == ["proposed", "approved"]


def test_version_1_cannot_be_made_again(desk: Desk) -> None:
    office = desk.town.office
    sql(desk, "DELETE FROM policyversion", "DELETE FROM policyactive")
    with pytest.raises(LedgerError, match="logs tell"):
        lifecycle.start(office, desk.town.now)
    assert acts(desk) == []  # and nothing was written while trying


def test_a_version_approved_by_nobody_is_not_taken_up(desk: Desk) -> None:
    author, other = desk.officer("kemnaker"), desk.officer("sijunjung")
    live(desk, author, desk.widened(), other)
    lifecycle.verified(desk.town.office, logs=True)
    assert author.version(2)["approvals"].keys() == {other.person}
    sql(desk, "DELETE FROM policyapproval")
    with pytest.raises(LedgerError, match="approval"):
        lifecycle.verified(desk.town.office, logs=False)


def test_a_version_that_the_broker_signed_alone_is_not_taken_up(desk: Desk) -> None:
    office, rules = desk.town.office, desk.widened()
    with office.ledger.writing() as book:
        first = book.tx.versions.version(1)
        assert first is not None
        add_version(office, book, first.model, rules, desk.town.now, number=2, previous=first, changed=(NK,))
    assert not lifecycle.take_up_policy(office)
    assert office.policy.version == 1
    assert "nobody" in (office.force.fault or "")


def test_a_role_changed_by_hand_approves_nothing(desk: Desk) -> None:
    author, operator = desk.officer("kemnaker"), desk.officer("sijunjung", "operator")
    name = proposed(author, desk.widened())
    sql(desk, f"UPDATE person SET role = 'petugas_keamanan', voucher = (SELECT voucher FROM person WHERE id = '{author.person}') WHERE id = '{operator.person}'")  # noqa: S608
    with pytest.raises(ClientError):
        approve(desk, operator, name)
    with pytest.raises(ClientError):
        operator.stop(NK)


def test_only_those_it_concerns_undo_a_stop_and_one_of_its_makers_party(desk: Desk) -> None:
    maker, ministry, colleague = desk.officer("sijunjung"), desk.officer("kemnaker"), desk.officer("kemnaker")
    binjai, elsewhere = desk.officer("binjai"), desk.officer("kemnaker", agreements=frozenset({BINJAI}))
    stop = maker.stop("kemnaker")["id"]
    for stranger in (binjai, elsewhere):
        with pytest.raises(ClientError, match="kemnaker"):
            stranger.resume(stop)
    assert ministry.resume(stop) is False
    with pytest.raises(ClientError, match="pihak yang menghentikan"):
        colleague.resume(stop)
    people.end(desk.town.office, ministry.person, desk.town.now)
    assert maker.resume(stop) is False  # the first is in office no longer
    assert colleague.resume(stop) is True
    with pytest.raises(ClientError, match=NK):
        elsewhere.stop(NK)


def test_a_stop_that_holds_is_not_made_twice(desk: Desk) -> None:
    officer = desk.officer("sijunjung")
    assert officer.stop(NK)["id"] == officer.stop(NK)["id"]


def test_an_officer_signs_only_on_what_the_broker_signed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that shows other rules as those in force gets no approval."""
    author, other = desk.officer("kemnaker"), desk.officer("sijunjung")
    name = proposed(author, desk.widened())
    read = other.draft(name)
    with pytest.raises(ClientError, match="not those of the published version"):
        other.approve(dataclasses.replace(read, base_rules=read.rules))
    monkeypatch.setattr(other, "_broker", None)
    with pytest.raises(ClientError, match="not pinned"):
        other.approve(read)


def test_a_body_of_ones_own_is_no_rollback(desk: Desk) -> None:
    author = desk.officer("kemnaker")
    with pytest.raises(ClientError, match="rollback"):
        author.new(desk.widened(), rollback=1)


def test_an_edit_is_no_rollback_any_more(desk: Desk) -> None:
    author, other = desk.officer("kemnaker"), desk.officer("sijunjung")
    live(desk, author, desk.tightened(), other)
    name = author.new(rollback=1)
    author.edit(author.draft(name), desk.tightened("kode_wilayah"))
    assert next(row for row in author.drafts() if row["id"] == name)["rollback_of"] is None


def test_a_header_that_the_signature_leaves_out_is_not_obeyed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    author = desk.officer("kemnaker")
    draft = author.draft(author.new())

    def without(method: str, url: str, headers: dict[str, str], *more: Any) -> dict[str, str]:
        return sign_request(method, url, {k: v for k, v in headers.items() if k != "if-match"}, *more) | {"if-match": headers["if-match"]}

    monkeypatch.setattr("broker.client.connection.sign_request", without)
    with pytest.raises(ClientError, match="ditandatangani"):
        author.edit(draft, desk.tightened())


@pytest.mark.parametrize(("role", "party"), [("operator", "sijunjung"), ("pembuka_samaran", "sijunjung"), ("administrator", "")])
def test_who_governs_nothing_reads_no_policy(desk: Desk, role: str, party: str) -> None:
    someone = desk.officer(party, role)
    for read in (someone.versions, lambda: someone.version(1), someone.drafts):
        with pytest.raises(ClientError, match="tulis_kebijakan"):
            read()


def test_a_header_changed_on_the_way_is_not_obeyed(desk: Desk) -> None:
    author = desk.officer("kemnaker")
    draft = author.draft(author.new())
    send = author._to._http.request
    author._to._http.request = lambda *a, **k: send(*a, **{**k, "headers": {**k["headers"], "if-match": "0" * 64}})  # type: ignore[method-assign]
    with pytest.raises(ClientError, match="ditandatangani"):
        author.edit(draft, desk.tightened())


def test_rules_that_are_no_text_are_refused_and_drafts_are_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    author = desk.officer("kemnaker")
    with pytest.raises(ClientError, match=r"baris 2, kolom 0: bukan UTF-8\. .*line 2, column 0: not UTF-8"):
        author.new(b"id,sub\n\xff\n")
    monkeypatch.setattr("broker.lifecycle.drafts.MAX_OPEN", 1)
    author.new()
    with pytest.raises(ClientError, match="draf terbuka"):
        author.new()


def test_one_draft_is_judged_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    author = desk.officer("kemnaker")
    name = author.new(desk.tightened())
    monkeypatch.setattr("broker.lifecycle.judging._PATIENCE", 0)
    with judging._JUDGING, pytest.raises(ClientError, match="penuh"):
        author.check(name)
    assert author.check(name)["losses"]


def test_a_slow_look_undoes_nothing(desk: Desk) -> None:
    """The look that compiled version 2 ends after version 3 is in force."""
    office, author, other = desk.town.office, desk.officer("kemnaker"), desk.officer("sijunjung")
    live(desk, author, desk.tightened(), other)
    third = dataclasses.replace(office.policy, version=3)
    real = versions.compiled

    def slow(*args: object) -> object:
        found = real(*args)  # type: ignore[arg-type]
        office.force.policy = third
        return found

    office.force.policy = dataclasses.replace(office.policy, version=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "compiled", slow)
        lifecycle.take_up_policy(office)
    assert office.policy.version == 3


def test_a_fault_is_over_when_the_pointer_is_right_again(desk: Desk) -> None:
    sql(desk, "UPDATE policyactive SET number = 9")
    lifecycle.take_up_policy(desk.town.office)
    assert desk.town.office.force.fault
    sql(desk, "UPDATE policyactive SET number = 1")
    lifecycle.take_up_policy(desk.town.office)
    assert desk.town.office.force.fault is None


def test_an_approval_ends_where_the_account_does(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    name = proposed(author, desk.tightened())
    approve(desk, other, name)
    sql(desk, f"UPDATE person SET agreements = '{BINJAI}' WHERE id = '{other.person}'")  # noqa: S608
    with pytest.raises(ClientError, match="petugas lain"):
        author.publish(name)


def test_no_refusal_of_the_lifecycle_lacks_its_words() -> None:
    for reason, facts in (("draf_banyak", {"batas": 1}), ("berhenti_dua", {})):
        assert str(Refusal(reason, **facts))  # type: ignore[arg-type]


def test_a_stop_holds_over_days(desk: Desk) -> None:
    desk.officer("sijunjung").stop(NK)
    desk.town.now += timedelta(days=30)
    with pytest.raises(Refusal, match="dihentikan"):
        desk.town.exchange(desk.town.csv(desk.town.rows()))


@pytest.mark.parametrize("change", ["DELETE FROM policystop", "UPDATE policystop SET lifted = '2026-11-21T03:00:00.000Z'"])
def test_a_stop_taken_away_by_hand_is_noticed(desk: Desk, change: str) -> None:
    desk.officer("sijunjung").stop(NK)
    lifecycle.start(desk.town.office, desk.town.now)
    sql(desk, change)
    with pytest.raises(LedgerError, match="stops"):
        lifecycle.start(desk.town.office, desk.town.now)
