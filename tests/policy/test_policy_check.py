"""What a publication holds against Casbin: every rule it touches, then as many random cells as the time allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import TYPE_CHECKING

import pytest

from broker.errors import ConfigError
from broker.policy import publication_check
from broker.policy.check import AT_LEAST, PER_RULE, anywhere, cells_of_rule, in_an_exchange, touched_rules
from broker.policy.compile import Table, compile_tables, make_masks
from broker.policy.universe import ACTIONS, UNKNOWN
from tests.policy.conftest import LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from broker.policy import Cell, Policy

CAP = "K.uji,penerima,nk-sijunjung-2025,pencari_kerja.nik,terima,perencanaan,umum,1,2025-06-01,2025-06-03,nk-sijunjung-2025: Pasal 9 ayat (1),deny,tidak"


def lenient(policy: Policy) -> Policy:
    """Tables without caps."""
    return replace(policy, tables={where: Table(table.allows, table.allows) for where, table in policy.tables.items()})


def test_a_table_with_a_fault_stops_the_publication(seed: Policy) -> None:
    with pytest.raises(ConfigError, match=r"table \d, Casbin \d"):
        publication_check(seed, lenient(seed), 1, seconds=0)


def test_a_fault_that_one_changed_rule_alone_would_show_stops_the_publication(seed: Policy, compiled: Callable[..., Policy]) -> None:
    draft = compiled(*LINES, CAP)
    deaf = replace(draft, tables=compiled(*LINES, CAP.replace(",1,", ",3,")).tables)  # as if the new cap were not there
    with pytest.raises(ConfigError, match=r"table 3, Casbin 1: siapkerja@kemnaker, nk-sijunjung-2025, pencari_kerja.nik"):
        publication_check(seed, deaf, 1, seconds=0)


def test_a_rule_taken_away_but_still_in_the_tables_stops_the_publication(seed: Policy, compiled: Callable[..., Policy]) -> None:
    stale = replace(seed, tables=compiled(*LINES, CAP).tables, days=compiled(*LINES, CAP).days)
    with pytest.raises(ConfigError, match=r"table 1, Casbin 3"):
        publication_check(compiled(*LINES, CAP), stale, 1, seconds=0)


def test_no_publication_is_checked_in_fewer_cells_than_the_least(seed: Policy, compiled: Callable[..., Policy]) -> None:
    checked = publication_check(seed, compiled(*LINES, CAP), 1, seconds=0)
    assert (checked.cells, checked.rules, checked.unequal) == (AT_LEAST, 1, 0)
    assert AT_LEAST == 1000


def test_the_time_left_is_filled_with_random_cells(seed: Policy) -> None:
    assert publication_check(seed, seed, 1, seconds=5, clock=over_after(1200)).cells == 1200


def over_after(cells: int) -> Callable[[], float]:
    """A clock that is asked once at the start and once per cell beyond the least, and then says that the time is over."""
    return iter((0.0, *[4.9] * (cells - AT_LEAST), 5.0)).__next__


def test_the_first_version_has_every_rule_checked(compiled: Callable[..., Policy]) -> None:
    few = compiled(*LINES[:30])
    checked = publication_check(None, few, 1, seconds=0)
    assert (checked.rules, checked.cells) == (30, 30 * (PER_RULE + 2))


def test_the_same_seed_asks_the_same_cells(seed: Policy) -> None:
    first, again, other = ([draw(seed, Random(n)) for draw in (anywhere, in_an_exchange)] for n in (1, 1, 2))
    assert first == again != other


def test_rules_added_removed_and_changed_are_touched_and_no_others(seed: Policy, compiled: Callable[..., Policy]) -> None:
    changed = LINES[200].replace("2028-03-20", "2028-03-19")
    draft = compiled(*LINES[:20], *LINES[21:200], changed, *LINES[201:], CAP)
    found = [(policy is draft, policy.rows[n].id) for policy, n in touched_rules(seed, draft)]
    removed, edited = LINES[20].partition(",")[0], LINES[200].partition(",")[0]
    assert found == [(True, edited), (True, "K.uji"), (False, removed), (False, edited)]
    assert touched_rules(seed, compiled(*reversed(LINES))) == []
    assert len(touched_rules(None, draft)) == len(draft.rows)


def inside(policy: Policy, n: int, cell: Cell) -> bool:
    return n in policy.matching(cell)


def test_the_cells_of_a_rule_are_in_its_box_on_its_first_and_last_day_and_just_outside(compiled: Callable[..., Policy]) -> None:
    policy = compiled(*LINES, CAP)
    n = len(policy.rows) - 1
    cells = list(cells_of_rule(policy, n, Random(3)))
    assert len(cells) == PER_RULE + 2
    assert PER_RULE == 50
    assert all(inside(policy, n, cell) for cell in cells[:PER_RULE])
    assert {cell.day for cell in cells[:PER_RULE]} == {date(2025, 6, 1), date(2025, 6, 2)}
    assert [cell.day for cell in cells[PER_RULE:]] == [date(2025, 5, 31), date(2025, 6, 3)]
    assert not any(inside(policy, n, cell) for cell in cells[PER_RULE:])


def test_the_cells_of_every_rule_are_in_its_box(seed: Policy) -> None:
    for n in range(0, len(seed.rows), 7):
        *cells, before, after = cells_of_rule(seed, n, Random(n))
        assert all(inside(seed, n, cell) for cell in cells)
        assert not inside(seed, n, before)
        assert not inside(seed, n, after)
        assert (cells[0].day.isoformat(), after.day.isoformat()) == (seed.rows[n].dari, seed.rows[n].sampai)


def test_a_rule_from_the_first_day_of_the_calendar_has_no_day_before(compiled: Callable[..., Policy]) -> None:
    policy = compiled(*LINES, CAP.replace("2025-06-01", "0001-01-01"))
    assert date.min in {cell.day for cell in cells_of_rule(policy, len(policy.rows) - 1, Random(1))}
    assert publication_check(policy, policy, 1, seconds=0).cells == AT_LEAST


def test_random_cells_are_drawn_from_everything_the_unknown_too(seed: Policy) -> None:
    dice = Random(1)
    cells = [anywhere(seed, dice) for _ in range(600)]
    assert {cell.act for cell in cells} == {*ACTIONS, UNKNOWN}
    assert {UNKNOWN} <= {cell.sub for cell in cells} & {cell.dom for cell in cells} & {cell.pur for cell in cells}
    assert {cell.day for cell in cells} == {date(2025, 3, 19), date(2025, 3, 20), date(2028, 3, 19), date(2028, 3, 20), date(9999, 12, 30), date(9999, 12, 31)}
    assert {seed.level(in_an_exchange(seed, dice)) for _ in range(3000)} >= {0, 2, 3, 5}


def test_a_policy_of_caps_alone_is_checked_too(compiled: Callable[..., Policy]) -> None:
    caps = compiled(CAP)
    assert not caps.tables
    assert publication_check(None, caps, 1, seconds=0).cells == AT_LEAST


def levels_of(policy: Policy) -> Iterator[bytes]:
    return (policy.tables[where].levels.tobytes() for where in sorted(policy.tables))


def test_slices_between_which_nothing_changes_for_a_subject_share_its_table(compiled: Callable[..., Policy]) -> None:
    policy = compiled(*LINES, CAP)
    axes = policy.known.axes
    ours, theirs = (axes["sub"].index("siapkerja@kemnaker"), axes["dom"].index("nk-sijunjung-2025")), (axes["sub"].index("sibuser@binjai"), axes["dom"].index("nk-binjai-2025"))
    receive = axes["act"].index("terima")
    assert policy.days == ("2025-03-20", "2025-06-01", "2025-06-03", "2028-03-20", "9999-12-31")
    first, during, after = (policy.tables[day, *ours, receive] for day in policy.days[:3])
    assert first is not during
    assert first.levels.tobytes() == after.levels.tobytes() != during.levels.tobytes()
    assert len({id(policy.tables[day, *theirs, receive]) for day in policy.days[:3]}) == 1
    assert not any((day, *ours, receive) in policy.tables for day in policy.days[3:])


def test_the_order_of_many_overlapping_rules_of_many_days_changes_nothing(compiled: Callable[..., Policy]) -> None:
    dice = Random(9)
    caps = [
        CAP.replace("K.uji", f"K.{n}").replace(",1,", f",{dice.randrange(5)},").replace("umum", dice.choice(("*", "anak", "umum", "spesifik")))
        .replace("perencanaan", dice.choice(("*", "induk:perencanaan", "evaluasi_program"))).replace("2025-06-01", f"2025-0{dice.randint(4, 6)}-01")
        .replace("2025-06-03", f"2025-0{dice.randint(7, 9)}-01").replace("pencari_kerja.nik", dice.choice(("pencari_kerja.*", "kelas:umum", "pencari_kerja.nik")))
        for n in range(20)
    ]  # fmt: skip
    policy = compiled(*LINES, *caps)
    rows = list(policy.rows)
    dice.shuffle(rows)
    shuffled = replace(policy, tables=compile_tables(make_masks(rows, policy.known)))
    assert list(levels_of(policy)) == list(levels_of(shuffled))
    assert publication_check(compiled(*LINES), policy, 5, seconds=0).cells == 20 * (PER_RULE + 2)
