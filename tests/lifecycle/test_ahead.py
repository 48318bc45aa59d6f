"""What is worked out before anybody asks: drafts, past versions; and that nothing is remembered of what did not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from broker import lifecycle
from broker.errors import LedgerError
from broker.lifecycle import judging
from tests.lifecycle.test_decisions import approve, publish, sql, who

if TYPE_CHECKING:
    from tests.lifecycle.conftest import Desk


def published(desk: Desk) -> str:
    author, other = desk.officer("sijunjung"), desk.officer("kemnaker")
    draft = author.new(desk.tightened())
    author.propose(draft)
    approve(desk, other, draft)
    publish(desk, who(desk, author), draft)
    return draft


def _again(*_: object) -> None:
    raise AssertionError("worked out again")  # a fault to the broker's own threads, which look as well


def test_open_drafts_are_judged_once_and_one_that_does_not_read_is_passed_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    office, author = desk.town.office, desk.officer("sijunjung")
    author.new(b"not rules\n")
    good = author.new(desk.tightened())
    office.force.worked_out.clear()
    seen = lifecycle.judge_ahead(office)
    keys = {key[-1] for key in office.force.worked_out}
    with office.ledger.database.read() as tx:
        row = tx.versions.draft(good)
    assert row is not None
    assert keys == {lifecycle.sha256(row.rules)}
    monkeypatch.setattr(judging, "judge", _again)
    assert lifecycle.judge_ahead(office, seen) == seen


def test_the_versions_before_are_loaded_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    published(desk)
    office = desk.town.office
    office.force.compiled.clear()
    lifecycle.judge_ahead(office)
    (policy,) = office.force.compiled.values()
    assert policy is not None
    assert policy.version == 1
    monkeypatch.setattr(judging, "compiled", _again)
    assert judging._version_policy(office, 1, lifecycle.version(office, 1)) is policy


@pytest.mark.parametrize("change", ["UPDATE policyapproval SET dsse = CAST(replace(dsse, 'a', 'b') AS BLOB)", "UPDATE policyversion SET dsse = CAST(replace(dsse, 'a', 'b') AS BLOB) WHERE number = 2", "DELETE FROM policyapproval"])
def test_a_signature_changed_after_it_held_holds_no_more(desk: Desk, change: str) -> None:
    published(desk)
    assert [one["version"] for one in lifecycle.history(desk.town.office)] == [1, 2]
    sql(desk, change)
    for _ in range(2):
        with pytest.raises(LedgerError, match="version 2"):
            lifecycle.history(desk.town.office)
