"""Each decision of a policy's life, asked directly: one wrong thing at a time, and the refusal that answers it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from broker import lifecycle
from broker.envelope import Approval, read_approval, sign_dsse
from broker.envelope.dsse import APPROVAL, POLICY
from broker.errors import ConfigError, LedgerError, NotVerified, Refusal
from broker.jcs import canonical
from broker.keys import ReceiptKey
from broker.lifecycle import drafts, judging, sha256
from broker.model import utc_text
from broker.policy import Change, publication_check
from broker.record import BROKER_LOG, event
from broker.roles import may

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.client.officer import Officer
    from broker.model import Person
    from tests.lifecycle.conftest import Desk

NK, BINJAI = "nk-sijunjung-2025", "nk-binjai-2025"


def refused(reason: str, act: Callable[[], object], **facts: object) -> None:
    with pytest.raises(Refusal) as caught:
        act()
    assert caught.value.reason == reason
    assert caught.value.facts.items() >= facts.items()


def who(desk: Desk, officer: Officer) -> Person:
    with desk.town.office.ledger.database.read() as tx:
        found = tx.people.get(officer.person)
    assert found is not None
    return found


def new(desk: Desk, author: Person, rules: bytes | None, **more: Any) -> str:
    return lifecycle.new_draft(desk.town.office, author, rules, desk.town.now, **more).id


def proposed(desk: Desk, author: Person, rules: bytes | None, **more: Any) -> str:
    name = new(desk, author, rules, **more)
    lifecycle.propose(desk.town.office, author, name, desk.town.now)
    return name


def signed(desk: Desk, officer: Officer, name: str, kind: str = APPROVAL, **changed: Any) -> bytes:
    """An approval by the officer's own key of the draft as it is; `changed`: what it says otherwise."""
    office = desk.town.office
    with office.ledger.database.read() as tx:
        row = tx.versions.draft(name)
    assert row is not None
    said: dict[str, Any] = {
        "addendum": row.addendum or "", "base_sha256": office.policy.sha256, "base_version": office.policy.version, "created": utc_text(desk.town.now), "draft": name,
        "person": officer.person, "policy_sha256": hashlib.sha256(office.policy.model + row.rules).hexdigest(),
    }  # fmt: skip
    return sign_dsse(kind, Approval(**(said | changed)).to_json(), officer._ring.get(ReceiptKey, "receipt")).to_json()


def approve(desk: Desk, officer: Officer, name: str, **changed: Any) -> None:
    lifecycle.approve(desk.town.office, who(desk, officer), name, signed(desk, officer, name, **changed), desk.town.now)


def publish(desk: Desk, author: Person, draft: str) -> int:
    return lifecycle.publish(desk.town.office, author, draft, desk.town.now).version


def state(desk: Desk, draft: str) -> str:
    with desk.town.office.ledger.database.read() as tx:
        row = tx.versions.draft(draft)
    assert row is not None
    return row.state


def said(desk: Desk, log: str = NK) -> list[dict[str, Any]]:
    with desk.town.office.ledger.database.read() as tx:
        return [e for e in map(json.loads, tx.entries(log)) if e["type"] == "sinergi/policy/v1" and e.get("version") != 1]


def sql(desk: Desk, change: str, *values: str) -> None:
    with desk.town.office.ledger.database.write() as tx:
        tx._c.exec_driver_sql(change, values)


def forged(desk: Desk, number: int, rules: bytes | None = None, kind: str = POLICY, approval: dict[str, Any] | None = None, **changed: Any) -> None:
    """A version that the broker's own key signs, whatever it says, with an officer's approval of those rules, or of what `approval` says."""
    office, officer, draft = desk.town.office, desk.officer("kemnaker"), "00" * 8
    with office.ledger.database.write() as tx:
        last = tx.versions.all()[-1]
        body = last.rules if rules is None else rules
        digest = sha256(last.model + body)
        word = Approval("", office.policy.sha256, 1, utc_text(desk.town.now), draft, officer.person, digest)
        given = sign_dsse(APPROVAL, dataclasses.replace(word, **(approval or {})).to_json(), officer._ring.get(ReceiptKey, "receipt")).to_json()
        tx.versions.approve(draft, officer.person, given)
        approvals = [{"dsse_sha256": changed.pop("dsse_sha256", sha256(given)), "party": "kemnaker", "person": officer.person}]
        says: dict[str, Any] = {"approvals": approvals, "draft": draft, "policy_sha256": digest, "previous": sha256(last.record), "time": utc_text(desk.town.now), "version": number}
        record = canonical({**says, **changed})
        dsse = sign_dsse(kind, record, office.rings[BROKER_LOG].get(ReceiptKey, "receipt")).to_json()
        tx.versions.publish(dataclasses.replace(last, number=number, rules=body, record=record, dsse=dsse))


def unmoved(desk: Desk) -> bytes:
    """The rules in force in another order: no cell moves, and no rule changes."""
    head, *rules = desk.rules.splitlines()
    return ("\n".join([head, *rules[::-1]]) + "\n").encode()


# --- the chain
@pytest.mark.parametrize("change", ["SET model = CAST(model AS TEXT)", "SET rules = CAST(rules AS TEXT)", "SET record = CAST(record AS TEXT)", "SET dsse = CAST(dsse AS TEXT)"])
def test_a_column_forced_to_another_type_is_a_change(desk: Desk, change: str) -> None:
    sql(desk, f"UPDATE policyversion {change}")
    with pytest.raises(LedgerError, match="version 1 was changed"):
        lifecycle.verified(desk.town.office, logs=False)


@pytest.mark.parametrize(("number", "changed"), [(3, {"version": 3}), (3, {"version": 2}), (2, {"version": 3}), (2, {"previous": None}), (2, {"policy_sha256": "00"})])
def test_what_we_signed_is_no_version_out_of_its_place(desk: Desk, number: int, changed: dict[str, Any]) -> None:
    forged(desk, number, **changed)
    with pytest.raises(LedgerError, match="version 2 is not what its record says"):
        lifecycle.verified(desk.town.office, logs=False)
    assert not lifecycle.take_up_policy(desk.town.office)
    assert desk.town.office.policy.version == 1


@pytest.mark.parametrize("wrong", [{"approval": {"policy_sha256": "00" * 32}}, {"approval": {"draft": "11" * 8}}, {"dsse_sha256": "00" * 32}])
def test_an_approval_of_something_else_approves_no_version(desk: Desk, wrong: dict[str, Any]) -> None:
    forged(desk, 2, **wrong)
    with pytest.raises(LedgerError, match="approval of policy version 2 is for something else"):
        lifecycle.verified(desk.town.office, logs=False)
    assert not lifecycle.take_up_policy(desk.town.office)


def test_a_version_that_names_no_approval_is_approved_by_nobody(desk: Desk) -> None:
    forged(desk, 2, approvals=[])
    with pytest.raises(LedgerError, match="version 2 was approved by nobody"):
        lifecycle.verified(desk.town.office, logs=False)


@pytest.mark.parametrize("keys", ["CAST('x' AS BLOB)", "NULL"])
def test_an_approval_by_who_has_no_key_approves_no_version(desk: Desk, keys: str) -> None:
    forged(desk, 2)
    sql(desk, f"UPDATE person SET keys = {keys}")  # noqa: S608
    with pytest.raises(LedgerError, match="approval of policy version 2 is missing or not signed"):
        lifecycle.verified(desk.town.office, logs=False)


@pytest.mark.parametrize("put", ["x", "{}", ""])
def test_a_version_without_our_signature_is_none(desk: Desk, put: str) -> None:
    dsse = lifecycle.version(desk.town.office, 1).dsse.decode()
    sql(desk, "UPDATE policyversion SET dsse = CAST(? AS BLOB)", put or dsse.replace('"sig":"', '"sig":"AAAA'))
    with pytest.raises(LedgerError, match="version 1 is not signed"):
        lifecycle.verified(desk.town.office, logs=False)


def test_what_we_signed_as_something_else_is_no_version(desk: Desk) -> None:
    forged(desk, 2, kind=APPROVAL)
    with pytest.raises(LedgerError, match="version 2 is not signed"):
        lifecycle.verified(desk.town.office, logs=False)


def test_a_record_beside_the_signed_one_is_a_change(desk: Desk) -> None:
    sql(desk, "UPDATE policyversion SET record = CAST(replace(CAST(record AS TEXT), '\"gains\":0', '\"gains\":1') AS BLOB)")
    with pytest.raises(LedgerError, match="version 1 is not what its record says"):
        lifecycle.verified(desk.town.office, logs=False)


def test_without_any_version_nothing_is_in_force(desk: Desk) -> None:
    sql(desk, "DELETE FROM policyversion")
    sql(desk, "DELETE FROM policyactive")
    with pytest.raises(LedgerError, match="no policy version"):
        lifecycle.verified(desk.town.office, logs=False)


def test_a_pointer_that_is_not_at_the_last_version_is_an_error(desk: Desk) -> None:
    forged(desk, 2)
    sql(desk, "UPDATE policyactive SET number = 1")
    with pytest.raises(LedgerError, match="not the last one published"):
        lifecycle.verified(desk.town.office, logs=False)


def test_a_version_that_no_log_tells_of_keeps_the_broker_from_starting(desk: Desk) -> None:
    forged(desk, 2)
    lifecycle.verified(desk.town.office, logs=False)
    with pytest.raises(LedgerError, match="logs tell"):
        lifecycle.start(desk.town.office, desk.town.now)


def test_logs_that_tell_of_two_policies_under_one_version_keep_the_broker_from_starting(desk: Desk) -> None:
    office = desk.town.office
    with office.ledger.writing() as book:
        book.append(BINJAI, event("policy", desk.town.now, act="published", approvals=[], record_sha256="00" * 32, version=1))
    with pytest.raises(LedgerError, match="two policies"):
        lifecycle.start(office, desk.town.now)


def test_a_signed_version_that_does_not_compile_stays_out_and_is_told_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    force = desk.town.office.force
    forged(desk, 2, rules=desk.rules.replace(",deny,", ",Deny,", 1).encode())
    assert not lifecycle.take_up_policy(desk.town.office)
    assert not lifecycle.take_up_policy(desk.town.office)
    assert force.policy.version == 1
    assert force.fault
    assert caplog.text.count("POLICY NOT TAKEN UP") == 1


def test_a_version_taken_up_ends_the_fault(desk: Desk) -> None:
    force = desk.town.office.force
    force.fault = "x"
    forged(desk, 2)
    assert lifecycle.take_up_policy(desk.town.office) is True or force.policy.version == 2  # the broker's own look may come first
    assert force.policy.version == 2
    assert force.fault is None
    assert lifecycle.take_up_policy(desk.town.office) is False


def test_a_start_takes_the_last_version_into_force_and_seeds_no_second_one(desk: Desk) -> None:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    first = desk.town.office.policy
    name = proposed(desk, who(desk, author), desk.tightened())
    approve(desk, other, name)
    assert publish(desk, who(desk, author), name) == 2
    desk.town.office.force.policy = first
    lifecycle.start(desk.town.office, desk.town.now)
    assert desk.town.office.policy.version == 2
    assert desk.rules.encode() == desk.town.office.policy.rules != first.rules
    assert len(lifecycle.history(desk.town.office)) == 2
    name = proposed(desk, who(desk, author), None, rollback_of=1)
    for officer in (desk.officer("sijunjung"), other):
        approve(desk, officer, name)
    assert publish(desk, who(desk, author), name) == 3
    desk.town.office.force.policy = first  # the same rules under another number
    lifecycle.start(desk.town.office, desk.town.now)
    assert (desk.town.office.policy.version, desk.town.office.policy.sha256) == (3, first.sha256)


# --- drafts
def test_what_is_not_there_is_refused(desk: Desk) -> None:
    office, now, author = desk.town.office, desk.town.now, who(desk, desk.officer("sijunjung"))
    refused("draf_tidak_ada", lambda: lifecycle.read_draft(office, author, "00" * 8, now))
    refused("draf_tidak_ada", lambda: new(desk, author, None, rollback_of=2))
    refused("draf_tidak_ada", lambda: lifecycle.version(office, 2))
    refused("draf_tidak_ada", lambda: lifecycle.resume(office, author, "00" * 8, now))
    assert lifecycle.version(office, 1).number == 1


@pytest.mark.parametrize(("text", "good"), [("Adendum 1/2027", True), ("Adendum", False), ("Adendum 1/2027 ", False), ("", False), ("x Adendum 1", False), ("Adendum " + "1" * 61, False)])
def test_an_addendum_is_cited_by_number(desk: Desk, text: str, *, good: bool) -> None:
    author = who(desk, desk.officer("sijunjung"))
    if good:
        assert lifecycle.read_draft(desk.town.office, author, new(desk, author, None, addendum=text), desk.town.now).addendum == text
    else:
        refused("parameter", lambda: new(desk, author, None, addendum=text), parameter="addendum")


def test_a_draft_has_a_size(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    office, now, author = desk.town.office, desk.town.now, who(desk, desk.officer("sijunjung"))
    monkeypatch.setattr(drafts, "MAX_RULES", 10)
    refused("terlalu_besar", lambda: new(desk, author, b"x" * 11), batas=10)
    name = new(desk, author, b"x" * 10)
    refused("terlalu_besar", lambda: lifecycle.edit(office, author, name, b"y" * 11, sha256(b"x" * 10), now), batas=10)
    assert lifecycle.edit(office, author, name, b"y" * 10, sha256(b"x" * 10), now).rules == b"y" * 10


def test_an_empty_draft_is_empty_and_one_from_nothing_is_what_is_in_force(desk: Desk) -> None:
    author = who(desk, desk.officer("sijunjung"))
    rules = [lifecycle.read_draft(desk.town.office, author, new(desk, author, given), desk.town.now).rules for given in (b"", None)]
    assert rules == [b"", desk.rules.encode()]


def test_a_withdrawn_draft_is_over(desk: Desk) -> None:
    office, now, author, other = desk.town.office, desk.town.now, who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    name, quiet = proposed(desk, author, desk.tightened()), new(desk, author, desk.tightened())
    approve(desk, other, name)
    refused("draf_bukan_milik", lambda: lifecycle.withdraw(office, who(desk, other), name, now))
    for draft in (name, quiet):
        lifecycle.withdraw(office, author, draft, now)
        assert state(desk, draft) == "withdrawn"
    for act in (
        lambda: lifecycle.withdraw(office, author, name, now),
        lambda: lifecycle.edit(office, author, name, b"x", sha256(desk.tightened()), now),
        lambda: lifecycle.propose(office, author, name, now),
        lambda: approve(desk, other, name),
        lambda: publish(desk, author, name),
    ):
        refused("draf_keadaan", act, keadaan="withdrawn")
    assert lifecycle.open_drafts(office, author, now) == []
    assert [(e["act"], e["draft"]) for e in said(desk)][2:] == [("withdrawn", name)]  # what was never proposed is no entry
    assert said(desk, BINJAI) == []


def test_a_draft_is_proposed_once_and_by_its_author(desk: Desk) -> None:
    office, now, author, other = desk.town.office, desk.town.now, who(desk, desk.officer("sijunjung")), who(desk, desk.officer("kemnaker"))
    name = new(desk, author, desk.tightened())
    refused("draf_bukan_milik", lambda: lifecycle.propose(office, other, name, now))
    assert state(desk, name) == "draft"
    lifecycle.propose(office, author, name, now)
    refused("draf_keadaan", lambda: lifecycle.propose(office, author, name, now), keadaan="proposed")
    lifecycle.edit(office, author, name, desk.tightened("kode_wilayah"), sha256(desk.tightened()), now)
    assert state(desk, name) == "draft"
    assert [d.id for d in lifecycle.open_drafts(office, author, now)] == [name]


def test_an_edit_and_its_undoing_leave_no_approval(desk: Desk) -> None:
    office, now, author, other = desk.town.office, desk.town.now, who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    first, second = desk.tightened(), desk.tightened("kode_wilayah")
    name = proposed(desk, author, first)
    approve(desk, other, name)
    lifecycle.edit(office, author, name, second, sha256(first), now)
    lifecycle.edit(office, author, name, first, sha256(second), now)
    lifecycle.propose(office, author, name, now)
    refused("draf_persetujuan", lambda: publish(desk, author, name))
    assert lifecycle.draft_with_base(office, author, name, now)[2] == []


def test_a_proposed_draft_that_no_longer_reads_can_be_withdrawn(desk: Desk) -> None:
    author = who(desk, desk.officer("sijunjung"))
    name = proposed(desk, author, desk.tightened())
    sql(desk, "UPDATE policydraft SET rules = CAST('x' AS BLOB) WHERE id = ?", name)
    lifecycle.withdraw(desk.town.office, author, name, desk.town.now)
    assert state(desk, name) == "withdrawn"
    assert said(desk, BROKER_LOG)[-1]["act"] == "withdrawn"


def test_what_changes_between_reading_and_writing_is_noticed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    office, now, author, other = desk.town.office, desk.town.now, who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    ready, judged = judging.ready, []

    def slow(*asked: Any) -> lifecycle.Judged:
        """Another tab of the author's puts other rules in while this one is judged."""
        found = ready(*asked)
        judged.append(found)
        sql(desk, "UPDATE policydraft SET rules = CAST(rules || 'x' AS BLOB) WHERE id = ?", name)
        return found

    name = new(desk, author, desk.tightened())
    monkeypatch.setattr(drafts, "ready", slow)
    refused("draf_berubah", lambda: lifecycle.propose(office, author, name, now))
    assert state(desk, name) == "draft"
    monkeypatch.undo()
    name = proposed(desk, author, desk.tightened())
    monkeypatch.setattr(drafts, "ready", slow)
    refused("draf_berubah", lambda: approve(desk, other, name))
    with office.ledger.database.read() as tx:
        assert tx.versions.approvals(name) == {}
    assert len(judged) == 2


# --- what stands against a draft
def test_the_rules_in_force_are_no_draft(desk: Desk) -> None:
    author = who(desk, desk.officer("sijunjung"))
    refused("draf_sama", lambda: proposed(desk, author, None), versi=1)


def test_shutting_everyone_out_is_refused_and_a_lock_opens_by_addendum_alone(desk: Desk) -> None:
    author = who(desk, desk.officer("kemnaker"))
    free = dataclasses.replace(desk.town.office, expectations={})
    shut = "K.uji,*,nk-*,*,*,*,*,0,2025-03-20,9999-12-31,nk-sijunjung-2025: Pasal 9 ayat (1); nk-binjai-2025: Pasal 9 ayat (1),deny,tidak\n"
    row = next(line for line in desk.rules.splitlines() if line.startswith("K.teks_bebas,"))
    raised = desk.rules.replace(row, row.replace(",*,3,", ",*,4,")).encode()

    def ready(rules: bytes, addendum: str | None = None) -> lifecycle.Judged:
        return judging.ready(free, lifecycle.read_draft(free, author, new(desk, author, rules, addendum=addendum), desk.town.now))

    refused("draf_kunci", lambda: ready(raised), jumlah=1)
    assert ready(raised, "Adendum 1/2027").loosened == ("K.teks_bebas",)
    if not lifecycle.judge(free, lifecycle.read_draft(free, author, new(desk, author, (desk.rules + shut).encode()), desk.town.now)).failures:
        refused("draf_menutup", lambda: ready((desk.rules + shut).encode()))


# --- who approves
@pytest.mark.parametrize(
    "changed",
    [{"draft": "00" * 8}, {"person": "petugas-9@kemnaker"}, {"kind": POLICY}],
)
def test_an_approval_that_is_not_the_persons_of_this_draft_is_none(desk: Desk, changed: dict[str, Any]) -> None:
    author, other = who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    name = proposed(desk, author, desk.tightened())
    refused("persetujuan", lambda: approve(desk, other, name, **changed))
    refused("draf_persetujuan", lambda: publish(desk, author, name), kurang="petugas lain")


@pytest.mark.parametrize("changed", [{"addendum": "Adendum 1/2027"}, {"base_version": 2}, {"base_sha256": "00" * 32}, {"policy_sha256": "00" * 32}])
def test_an_approval_of_something_else_is_none(desk: Desk, changed: dict[str, Any]) -> None:
    author, other = who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    name = proposed(desk, author, desk.tightened())
    refused("draf_berubah", lambda: approve(desk, other, name, **changed))
    refused("draf_persetujuan", lambda: publish(desk, author, name), kurang="petugas lain")


@pytest.mark.parametrize("keys", [None, b"", b"x"])
def test_an_officer_without_keys_approves_nothing(desk: Desk, keys: bytes | None) -> None:
    author, other = who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    name = proposed(desk, author, desk.tightened())
    person = dataclasses.replace(who(desk, other), keys=keys)
    refused("belum_dijamin", lambda: lifecycle.approve(desk.town.office, person, name, signed(desk, other, name), desk.town.now))


def test_an_officer_whom_the_party_does_not_vouch_for_approves_nothing(desk: Desk) -> None:
    author, other = who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    name = proposed(desk, author, desk.tightened())
    person, data = dataclasses.replace(who(desk, other), voucher=None), signed(desk, other, name)
    refused("belum_dijamin", lambda: lifecycle.approve(desk.town.office, person, name, data, desk.town.now))
    with desk.town.office.ledger.database.write() as tx:
        tx.versions.approve(name, other.person, data)
    sql(desk, "UPDATE person SET voucher = NULL WHERE id = ?", other.person)
    refused("draf_persetujuan", lambda: publish(desk, author, name), kurang="petugas lain")


def test_a_row_put_in_by_hand_approves_nothing(desk: Desk) -> None:
    """The author's own signature, one of nobody's, one that is no signature: none counts, and none keeps a good one from counting."""
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    admin = desk.officer("kemnaker", "admin_pihak")
    name = proposed(desk, who(desk, author), desk.tightened())
    with desk.town.office.ledger.database.write() as tx:
        tx.versions.approve(name, author.person, signed(desk, author, name))
        tx.versions.approve(name, admin.person, signed(desk, admin, name))
        tx.versions.approve(name, "admin-9@siapa", b"x")
        tx.versions.approve(name, other.person, b"x")
    refused("draf_persetujuan", lambda: publish(desk, who(desk, author), name), kurang="petugas lain")
    assert lifecycle.draft_with_base(desk.town.office, who(desk, author), name, desk.town.now)[2] == []
    approve(desk, other, name)
    row, base, given = lifecycle.draft_with_base(desk.town.office, who(desk, author), name, desk.town.now)
    assert (row.id, base.number, given) == (name, 1, [other.person])
    assert publish(desk, who(desk, author), name) == 2


def test_an_approval_counts_for_the_party_and_agreements_of_its_officer(desk: Desk) -> None:
    kemnaker, sijunjung = who(desk, desk.officer("kemnaker")), who(desk, desk.officer("sijunjung"))
    here = dataclasses.replace(kemnaker, agreements=frozenset({NK}))
    owed = {NK: frozenset({"kemnaker"}), BINJAI: frozenset({"kemnaker"})}

    def missing(owed: dict[str, frozenset[str]], *given: Person) -> list[str]:
        return drafts._missing(desk.town.office, owed, [(person, b"") for person in given], desk.town.now)

    assert missing(owed) == missing(owed, here) == missing(owed, sijunjung) == ["kemnaker"]
    assert missing(owed, dataclasses.replace(kemnaker, role="admin_pihak")) == ["kemnaker"]
    assert missing(owed, dataclasses.replace(kemnaker, role="ppdp")) == missing(owed, kemnaker) == []
    assert missing({NK: frozenset({"kemnaker", "sijunjung"})}, here) == ["sijunjung"]
    assert missing({NK: frozenset({"kemnaker", "sijunjung"})}, here, sijunjung) == []
    assert missing({}) == ["petugas lain"]
    assert missing({}, here) == []


def test_the_author_is_refused_whatever_they_sign(desk: Desk) -> None:
    author = desk.officer("sijunjung")
    name = proposed(desk, who(desk, author), desk.tightened())
    refused("draf_sendiri", lambda: approve(desk, author, name))


def test_an_officer_of_no_changed_agreement_approves_nothing(desk: Desk) -> None:
    author, binjai, kemnaker = who(desk, desk.officer("sijunjung")), desk.officer("binjai"), desk.officer("kemnaker")
    name = proposed(desk, author, desk.tightened())
    refused("draf_pihak", lambda: approve(desk, binjai, name), kesepakatan=NK)
    stranger = dataclasses.replace(who(desk, kemnaker), party="binjai", agreements=frozenset({NK, BINJAI}))
    refused("belum_dijamin", lambda: lifecycle.approve(desk.town.office, stranger, name, signed(desk, kemnaker, name), desk.town.now))


def test_a_change_that_moves_no_cell_needs_one_other_officer_and_is_in_the_brokers_log(desk: Desk) -> None:
    author, other = who(desk, desk.officer("sijunjung")), desk.officer("binjai")
    name = proposed(desk, author, unmoved(desk))
    refused("draf_persetujuan", lambda: publish(desk, author, name), kurang="petugas lain")
    approve(desk, other, name)
    assert publish(desk, author, name) == 2
    assert [e["act"] for e in said(desk, BROKER_LOG)] == ["proposed", "approved", "published"]
    assert not any("diff" in e for e in said(desk, BROKER_LOG))
    assert said(desk) == said(desk, BINJAI) == []
    lifecycle.start(desk.town.office, desk.town.now)


# --- publication
def test_publication_judges_the_draft_as_it_is_at_the_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    office, author, other = desk.town.office, who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    found: list[Any] = []
    asked: list[list[int]] = []
    then: Callable[[], None]

    def slow(*given: Any, **more: Any) -> Any:
        found[:] = found or [publication_check(*given, **more)]  # one check is enough for five
        asked.append([policy.version for policy in given])
        then()
        return found[0]

    monkeypatch.setattr(drafts, "publication_check", slow)
    name = proposed(desk, author, desk.tightened())
    approve(desk, other, name)
    for change, back, of, reason in (
        ("UPDATE policydraft SET addendum = 'Adendum 1' WHERE id = ?", "UPDATE policydraft SET addendum = NULL WHERE id = ?", name, "draf_berubah"),
        ("UPDATE policydraft SET state = 'draft' WHERE id = ?", "UPDATE policydraft SET state = 'proposed' WHERE id = ?", name, "draf_keadaan"),
        ("UPDATE policyactive SET number = ?", "UPDATE policyactive SET number = 1 WHERE ? = '2'", "2", "draf_berubah"),
        ("UPDATE person SET state = 'ended' WHERE id = ?", "UPDATE person SET state = 'invited' WHERE id = ?", other.person, "draf_persetujuan"),
    ):
        then = partial(sql, desk, change, of)
        refused(reason, lambda: publish(desk, author, name))
        sql(desk, back, of)
        office.force.fault = None
        assert (office.policy.version, len(lifecycle.history(office))) == (1, 1)
    then = partial(sql, desk, "UPDATE policystop SET lifter = ?", "x")  # nothing
    assert publish(desk, author, name) == 2
    assert asked == [[1, 2]] * 5
    assert state(desk, name) == "published"
    refused("draf_dasar", lambda: publish(desk, author, name), dasar=1, versi=2)


def test_one_cell_that_casbin_sees_otherwise_stops_the_publication(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    author, other = who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    name = proposed(desk, author, desk.tightened())
    approve(desk, other, name)

    def unequal(*_: object, **__: object) -> None:
        raise ConfigError("rules.csv", 0, "unequal")

    monkeypatch.setattr(drafts, "publication_check", unequal)
    with pytest.raises(ConfigError):
        publish(desk, author, name)
    assert (desk.town.office.policy.version, state(desk, name)) == (1, "proposed")


def test_a_record_says_all_that_was_decided(desk: Desk) -> None:
    office, author, other = desk.town.office, who(desk, desk.officer("sijunjung")), desk.officer("kemnaker")
    rules = desk.tightened()
    name = proposed(desk, author, rules, addendum="Adendum 1/2027")
    data = signed(desk, other, name)
    lifecycle.approve(office, who(desk, other), name, data, desk.town.now)
    judged = lifecycle.judge(office, lifecycle.read_draft(office, author, name, desk.town.now))
    publish(desk, author, name)
    first, second = lifecycle.history(office)
    given = [{"dsse_sha256": sha256(data), "party": "kemnaker", "person": other.person}]
    assert second["cells_checked"] >= 1000
    assert {n: v for n, v in second.items() if n not in ("cells_checked", "sha256")} == {
        "addendum": "Adendum 1/2027", "approvals": given, "author": author.id, "base": 1, "draft": name, "gains": 0, "losses": judged.diff.losses,
        "policy_sha256": sha256(office.policy.model + rules), "previous": first["sha256"], "rollback_of": None, "time": utc_text(desk.town.now),
        "type": "sinergi/policy-version/v1", "version": 2,
    }  # fmt: skip
    assert judged.diff.losses > 0
    assert {n: first[n] for n in ("addendum", "approvals", "author", "base", "cells_checked", "draft", "gains", "losses", "previous", "rollback_of", "version")} == {
        "addendum": None, "approvals": [], "author": None, "base": None, "cells_checked": 0, "draft": None, "gains": 0, "losses": 0, "previous": None, "rollback_of": None,
        "version": 1,
    }  # fmt: skip
    entries = {e["act"]: e for e in said(desk)}
    assert (entries["published"]["approvals"], entries["published"]["record_sha256"], entries["published"]["version"]) == (given, second["sha256"], 2)
    assert (entries["approved"]["draft"], entries["approved"]["dsse_sha256"], entries["approved"]["person"]) == (name, sha256(data), other.person)
    assert entries["approved"]["policy_sha256"] == entries["proposed"]["policy_sha256"] == second["policy_sha256"]
    assert (entries["proposed"]["draft"], entries["proposed"]["person"]) == (name, author.id)


# --- who
def test_each_act_asks_for_its_own_right(desk: Desk) -> None:
    """A data protection officer approves, stops and writes nothing; a party's administrator stops alone; an auditor reads; an operator none of it."""
    office, now = desk.town.office, desk.town.now
    author, other = who(desk, desk.officer("sijunjung")), desk.officer("kemnaker", "ppdp")
    name, draft = proposed(desk, author, desk.tightened()), new(desk, author, desk.tightened("kode_wilayah"))
    for role in ("ppdp", "admin_pihak", "auditor", "operator"):
        same = dataclasses.replace(author, role=role)
        for write in (
            lambda: new(desk, same, None),  # noqa: B023
            lambda: lifecycle.edit(office, same, draft, b"x", sha256(desk.tightened("kode_wilayah")), now),  # noqa: B023
            lambda: lifecycle.withdraw(office, same, draft, now),  # noqa: B023
            lambda: lifecycle.propose(office, same, draft, now),  # noqa: B023
            lambda: publish(desk, same, name),  # noqa: B023
        ):
            refused("wewenang", write, tindakan=lifecycle.WRITE)
    for role in ("admin_pihak", "auditor", "operator"):
        same = dataclasses.replace(who(desk, other), role=role)
        refused("wewenang", lambda: lifecycle.approve(office, same, name, signed(desk, other, name), now), tindakan=lifecycle.APPROVE)  # noqa: B023
    for role in ("auditor", "operator"):
        same = dataclasses.replace(author, role=role)
        refused("wewenang", lambda: lifecycle.stop(office, same, NK, now), tindakan=lifecycle.STOP)  # noqa: B023
        refused("wewenang", lambda: lifecycle.resume(office, same, "00" * 8, now), tindakan=lifecycle.STOP)  # noqa: B023
    assert state(desk, draft) == "draft"
    for role in ("ppdp", "auditor", "admin_pihak"):
        assert lifecycle.read_draft(office, who(desk, desk.officer("sijunjung", role)), name, now).id == name
        refused("belum_dijamin", lambda: lifecycle.read_draft(office, dataclasses.replace(author, role=role), name, now))  # noqa: B023 - nobody vouched for that role
    for nobody in (dataclasses.replace(author, role="operator"), dataclasses.replace(author, state="ended"), dataclasses.replace(author, agreements=frozenset())):
        refused("wewenang", lambda: lifecycle.read_draft(office, nobody, name, now))  # noqa: B023
        refused("wewenang", lambda: lifecycle.open_drafts(office, nobody, now))  # noqa: B023
    approve(desk, other, name)
    assert publish(desk, author, name) == 2
    admin = who(desk, desk.officer("sijunjung", "admin_pihak"))
    held = lifecycle.stop(office, admin, NK, now)
    assert lifecycle.resume(office, author, held.id, now) is False
    assert lifecycle.resume(office, admin, held.id, now) is True


def test_a_right_is_for_ones_own_party_agreement_and_time(desk: Desk) -> None:
    author = who(desk, desk.officer("sijunjung"))
    for nobody in (
        dataclasses.replace(author, agreements=frozenset({BINJAI})),
        dataclasses.replace(author, ends=date(2026, 11, 20)),
        dataclasses.replace(author, starts=date(2026, 11, 22)),
        dataclasses.replace(author, state="ended"),
        dataclasses.replace(author, role="siapa-saja"),
    ):
        refused("wewenang", lambda: new(desk, nobody, None))  # noqa: B023
    refused("belum_dijamin", lambda: new(desk, dataclasses.replace(author, party="binjai"), None))  # of NK alone, which is not Binjai's, nor is the voucher
    assert new(desk, dataclasses.replace(author, starts=date(2026, 11, 21), ends=date(2026, 11, 21)), None)


def test_an_account_is_made_by_no_agreement_and_all_else_by_one(desk: Desk) -> None:
    day = date(2026, 11, 21)
    officer = who(desk, desk.officer("sijunjung"))
    host = dataclasses.replace(officer, role="administrator", party="", agreements=frozenset({NK}))
    assert may(officer, lifecycle.APPROVE, NK, day)
    assert not may(officer, lifecycle.APPROVE, "", day)
    assert not may(officer, lifecycle.APPROVE, BINJAI, day)
    assert may(host, "kelola_akun", "", day)
    assert not may(host, "kelola_akun", NK, day)
    assert not may(host, lifecycle.APPROVE, NK, day)


# --- stops
def test_a_stop_is_undone_once_by_two_of_theirs(desk: Desk) -> None:
    office, now = desk.town.office, desk.town.now
    first, second, stranger = (who(desk, desk.officer(party)) for party in ("sijunjung", "kemnaker", "binjai"))
    held = lifecycle.stop(office, first, "sijunjung", now)
    assert [(s.id, s.target, s.person, s.lifter, s.lifted) for s in lifecycle.stops(office)] == [(held.id, "sijunjung", first.id, None, None)]
    refused("draf_pihak", lambda: lifecycle.resume(office, stranger, held.id, now))
    assert lifecycle.resume(office, first, held.id, now) is False
    refused("berhenti_dua", lambda: lifecycle.resume(office, first, held.id, now))
    assert [s.lifter for s in lifecycle.stops(office)] == [first.id]
    assert lifecycle.resume(office, second, held.id, now) is True
    assert lifecycle.stops(office) == []
    refused("draf_tidak_ada", lambda: lifecycle.resume(office, second, held.id, now))
    assert [(e["act"], e["person"], e["stop"], e["target"]) for e in said(desk)] == [
        ("stopped", first.id, held.id, "sijunjung"), ("resume_asked", first.id, held.id, "sijunjung"), ("resumed", second.id, held.id, "sijunjung"),
    ]  # fmt: skip
    assert said(desk, BINJAI) == []


def test_a_stop_of_a_party_is_in_the_log_of_every_agreement_of_theirs(desk: Desk) -> None:
    office, now = desk.town.office, desk.town.now
    lifecycle.stop(office, who(desk, desk.officer("binjai")), "kemnaker", now)
    assert [e["act"] for e in said(desk)] == [e["act"] for e in said(desk, BINJAI)] == ["stopped"]
    refused("parameter", lambda: lifecycle.stop(office, who(desk, desk.officer("binjai")), "", now), parameter="target")


# --- what an officer signs
GOOD: dict[str, Any] = {"addendum": "", "base_sha256": "a", "base_version": 1, "created": "b", "draft": "c", "person": "d", "policy_sha256": "e", "type": "sinergi/policy-approval/v1"}


def test_an_approval_reads_as_it_was_written() -> None:
    assert Approval("", "a", 1, "b", "c", "d", "e").to_json() == canonical(GOOD)
    assert read_approval(canonical(GOOD)) == Approval("", "a", 1, "b", "c", "d", "e")


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"x", canonical({**GOOD, "type": "x"}), canonical({**GOOD, "more": 1}), canonical({n: v for n, v in GOOD.items() if n != "draft"}), canonical(GOOD) + b" ",
     json.dumps(GOOD).encode(), canonical(GOOD).replace(b'"person"', b'"person":"x","person"')],
)  # fmt: skip
def test_what_is_not_exactly_an_approval_is_none(payload: bytes) -> None:
    with pytest.raises(NotVerified, match="approval"):
        read_approval(payload)


def test_a_replay_is_of_ones_own_agreements(desk: Desk) -> None:
    office, today = desk.town.office, date(2026, 11, 21)
    desk.town.exchange(desk.town.csv(desk.town.rows()))
    for party, count in (("sijunjung", 1), ("kemnaker", 1), ("binjai", 0)):
        person = who(desk, desk.officer(party))
        assert lifecycle.replayed(office, person, office.policy, today - timedelta(days=1), today + timedelta(days=1), desk.town.now) == (count, ())
        assert lifecycle.replayed(office, person, office.policy, today - timedelta(days=1), today, desk.town.now)[0] == 0


def test_who_is_vouched_for_no_more_counts_as_not_having_asked(desk: Desk) -> None:
    office, now = desk.town.office, desk.town.now
    first, second, third = who(desk, desk.officer("sijunjung")), who(desk, desk.officer("sijunjung")), who(desk, desk.officer("kemnaker"))
    held = lifecycle.stop(office, first, "sijunjung", now)
    assert lifecycle.resume(office, first, held.id, now) is False
    sql(desk, "UPDATE person SET voucher = NULL WHERE id = ?", first.id)
    assert lifecycle.resume(office, second, held.id, now) is False
    assert lifecycle.resume(office, third, held.id, now) is True


def test_each_target_has_a_stop_of_its_own_and_only_one(desk: Desk) -> None:
    office, now, officer = desk.town.office, desk.town.now, who(desk, desk.officer("sijunjung"))
    agreement, party = lifecycle.stop(office, officer, NK, now), lifecycle.stop(office, officer, "sijunjung", now)
    assert lifecycle.stop(office, officer, "sijunjung", now) == party
    assert {(held.id, held.target) for held in lifecycle.stops(office)} == {(agreement.id, NK), (party.id, "sijunjung")}


def test_a_draft_is_told_of_its_own_rules_that_decide_nothing(desk: Desk) -> None:
    """Not of those that decided nothing before; allows and caps apart."""
    author, column = who(desk, desk.officer("sijunjung")), "pencari_kerja.pendidikan_tertinggi"
    idle = desk.rules + (
        f"A.uji,siapkerja@kemnaker,{NK},{column},terima,perencanaan,*,1,2025-03-20,2028-03-20,{NK}: Pasal 4 huruf a angka 1,allow,tidak\n"
        f"K.uji,*,{NK},pencari_kerja.nik,terima,perencanaan,anak,4,2025-03-20,2028-03-20,{NK}: Pasal 9 ayat (1),deny,tidak\n"
    )
    office = desk.town.office
    judged = lifecycle.judge(office, lifecycle.read_draft(office, author, new(desk, author, idle.encode()), desk.town.now))
    assert (judged.dead, judged.armed) == (("A.uji",), ("K.uji",))


def test_a_broker_starts_after_a_stop_was_undone_and_with_one_that_holds(desk: Desk) -> None:
    office, now = desk.town.office, desk.town.now
    first, second = who(desk, desk.officer("sijunjung")), who(desk, desk.officer("kemnaker"))
    for resumed in (True, False):
        held = lifecycle.stop(office, first, "sijunjung", now)
        if resumed:
            assert [lifecycle.resume(office, person, held.id, now) for person in (first, second)] == [False, True]
        lifecycle.start(office, now)
    assert [each.id for each in lifecycle.stops(office)] == [held.id]


def test_what_really_leaves_is_said_of_columns_that_leave(desk: Desk) -> None:
    """From pseudonym to generalisation an identity number steps down to its mask; whatever is no such column has nothing to say."""
    said = Change("siapkerja@kemnaker", NK, "terima", ("perencanaan",), ("pencari_kerja.nik",), ("umum",), 3, 2, "2026-01-01", "2028-03-20", 1)
    office = desk.town.office
    assert lifecycle.released(office, said) == ((3, 1),)
    for other in ({"act": "kirim"}, {"objects": ("lain.nik",)}, {"objects": ("pencari_kerja.lain",)}, {"objects": ("pencari_kerja",)}, {"purposes": ("lain",)}):
        assert lifecycle.released(office, dataclasses.replace(said, **other)) == ()
    assert lifecycle.released(office, dataclasses.replace(said, after=0)) == ()  # the contract can do both
