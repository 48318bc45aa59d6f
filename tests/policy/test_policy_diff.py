"""The diff says exactly which cells change, in lines that a person reads; what the tables say is looked up cell by cell beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import pairwise, product
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.jcs import canonical, strict_object
from broker.model import ROW_FLAGS
from broker.policy import Cell, Change, Diff, Policy, as_json, diff, owed, part, sentences, summary, touched
from broker.policy.compile import compile_tables, make_masks, slices
from broker.policy.load import Row
from broker.policy.plan import compile_policy
from broker.policy.universe import ANY, UNKNOWN, Universe, universe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from broker.model import Agreement

ROOT = Path(__file__).resolve().parents[2]
RULES = (ROOT / "policies/rules.csv").read_text(encoding="utf-8")
BIRTH = "A.terima.perencanaan.pencari_kerja.tanggal_lahir,"
LINE = Change(
    sub="siapkerja@kemnaker",
    dom="nk-sijunjung-2025",
    act="terima",
    purposes=("perencanaan",),
    objects=("pencari_kerja.tanggal_lahir",),
    row_classes=("umum", "spesifik", "perorangan"),
    before=2,
    after=5,
    dari="2025-03-20",
    sampai="2028-03-20",
    cells=3,
)


# --- a universe small enough to look at every cell
def small(*, strangers: bool = False) -> Universe:
    """With `strangers`, a wildcard takes in whom nobody declares, which the shipped universe never lets it."""
    axes: dict[str, tuple[str, ...]] = {
        "sub": ("a@x", "b@y"),
        "dom": ("nk-1", "nk-2"),
        "act": ("terima",),
        "pur": ("p", "q"),
        "row": ("umum", "anak", "anak+sakit"),
        "obj": ("d.k", "d.l", "d.m"),
    }
    known = {axis: (*values, UNKNOWN) if strangers else values for axis, values in axes.items()}
    links = {
        "g": tuple((sub, ANY, dom) for sub, dom in product(known["sub"], known["dom"])),
        "g2": tuple((obj, ANY) for obj in known["obj"]),
        "g3": tuple((dom, "nk-*") for dom in known["dom"]),
        "g4": tuple((pur, ANY) for pur in known["pur"]),
        "g5": (("anak+sakit", "anak"), *((row, ANY) for row in known["row"])),
    }
    return replace(universe({}, {}), axes=MappingProxyType({axis: (*values, UNKNOWN) for axis, values in axes.items()}), links=MappingProxyType(links))


def compiled(rows: Sequence[Row], known: Universe) -> Policy:
    masks = make_masks(rows, known)
    return Policy(1, "", tuple(rows), known, masks, slices(masks), compile_tables(masks), model=b"", rules=b"")


def rule(n: int = 1, **given: str) -> Row:
    values = {
        "sub": "a@x", "dom": "nk-1", "obj": "d.k", "act": "terima", "pur": "p", "row": "umum", "lv": "3",
        "dari": "2025-01-01", "sampai": "2027-01-01", "pasal": "-", "eft": "allow", "kunci": "tidak",
    }  # fmt: skip
    return Row(n, f"R{n}", **{**values, **given})


DAYS = ("2025-01-01", "2025-07-01", "2026-01-01", "2026-07-01", "2027-01-01")
ROWS = st.builds(
    lambda days, **given: rule(dari=min(days), sampai=max(days), **given),
    days=st.sets(st.sampled_from(DAYS), min_size=2, max_size=2),
    sub=st.sampled_from(("a@x", "b@y", ANY)),
    dom=st.sampled_from(("nk-1", "nk-2", "nk-*")),
    obj=st.sampled_from(("d.k", "d.l", "d.m", ANY)),
    act=st.sampled_from(("terima", ANY)),
    pur=st.sampled_from(("p", "q", ANY)),
    row=st.sampled_from(("umum", "anak", "anak+sakit", ANY)),
    lv=st.sampled_from(("0", "1", "2", "5")),
    eft=st.sampled_from(("allow", "allow", "deny")),
)
POLICIES = st.builds(lambda rows, strangers: compiled(rows, small(strangers=strangers)), st.lists(ROWS, min_size=1, max_size=5), st.just(True))

Stretch = tuple[Cell, int, int, str, str]


def looked_up(old: Policy, new: Policy) -> set[Stretch]:
    """Every longest stretch of days on which a cell differs, found by asking every cell on every day that matters."""
    axes, days = old.known.axes, sorted({*old.days, *new.days})
    found = set()
    for values in product(*(axes[axis] for axis in Cell._fields[:-1])):
        cells = [Cell._make([*values, date.fromisoformat(day)]) for day in days]
        pairs = [(old.level(cell), new.level(cell)) for cell in cells]
        assert pairs[-1] == (0, 0)
        begin = 0
        for n in range(1, len(days)):
            if pairs[n] != pairs[begin]:
                if pairs[begin][0] != pairs[begin][1]:
                    found.add((cells[0], *pairs[begin], days[begin], days[n]))
                begin = n
    return found


def spelt_out(whole: Diff, day: date) -> list[Stretch]:
    return [
        (Cell(line.sub, line.dom, obj, line.act, pur, row, day), line.before, line.after, line.dari, line.sampai)
        for line in whole.changes
        for pur, obj, row in product(line.purposes, line.objects, line.row_classes)
    ]


@given(POLICIES, POLICIES)
@settings(max_examples=30, deadline=None)
def test_the_lines_spell_out_every_cell_that_differs_and_none_twice(old: Policy, new: Policy) -> None:
    expected = looked_up(old, new)
    whole = diff(old, new)
    found = spelt_out(whole, date.fromisoformat(min(*old.days, *new.days)))
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert whole.gains == sum(after > before for _, before, after, _, _ in expected)
    assert whole.losses == sum(after < before for _, before, after, _, _ in expected)
    assert [line.cells for line in whole.changes] == [len(line.purposes) * len(line.objects) * len(line.row_classes) for line in whole.changes]


@given(POLICIES, POLICIES)
@settings(max_examples=30, deadline=None)
def test_the_other_way_round_every_gain_is_a_loss(old: Policy, new: Policy) -> None:
    there, back = diff(old, new), diff(new, old)
    assert (there.gains, there.losses) == (back.losses, back.gains)
    assert {replace(line, before=line.after, after=line.before) for line in there.changes} == set(back.changes)


@given(POLICIES)
@settings(max_examples=20, deadline=None)
def test_a_policy_does_not_differ_from_itself(policy: Policy) -> None:
    again = compiled(policy.rows[::-1], policy.known)
    assert diff(policy, policy) == diff(policy, again) == Diff(0, 0, ())


@given(POLICIES, POLICIES)
@settings(max_examples=30, deadline=None)
def test_the_parts_of_the_agreements_are_the_whole(old: Policy, new: Policy) -> None:
    whole = diff(old, new)
    parts = [part(whole, agreement) for agreement in touched(whole)]
    assert all(one.changes and {line.dom for line in one.changes} == {name} for one, name in zip(parts, touched(whole), strict=True))
    assert sum(one.gains for one in parts) == whole.gains
    assert sum(one.losses for one in parts) == whole.losses
    assert tuple(line for one in parts for line in one.changes) == whole.changes
    assert part(whole, "nk-3") == Diff(0, 0, ())


def changed(*rows: Row, before: Sequence[Row] = ()) -> Diff:
    ground = rule(99, obj="d.m", lv="1")
    return diff(compiled([ground, *before], small()), compiled([ground, *rows], small()))


def test_a_level_that_changes_in_time_is_one_line_per_stretch() -> None:
    whole = changed(rule(1, sampai="2026-01-01"), rule(2, dari="2026-07-01", lv="5"))
    assert [(line.after, line.dari, line.sampai) for line in whole.changes] == [(3, "2025-01-01", "2026-01-01"), (5, "2026-07-01", "2027-01-01")]
    assert whole.gains == 2


def test_neighbouring_slices_that_change_alike_are_one_line() -> None:
    whole = changed(rule(1, sampai="2026-01-01"), rule(2, dari="2026-01-01"))
    assert [(line.dari, line.sampai, line.cells) for line in whole.changes] == [("2025-01-01", "2027-01-01", 1)]


def test_columns_purposes_and_row_classes_that_change_alike_are_one_line() -> None:
    (line,) = changed(rule(1, pur=ANY, row="anak"), rule(2, obj="d.l", pur=ANY, row="anak")).changes
    assert (line.purposes, line.objects, line.row_classes, line.cells) == (("p", "q"), ("d.k", "d.l"), ("anak", "anak+sakit"), 8)


def test_a_cap_that_nothing_runs_into_changes_nothing() -> None:
    allow = rule(1)
    assert changed(allow, rule(2, eft="deny", lv="3"), rule(3, eft="deny", sub="b@y", lv="0"), before=[allow]) == Diff(0, 0, ())


def test_gains_stand_before_losses() -> None:
    whole = changed(rule(2, obj="d.l"), before=[rule(1)])
    assert [(line.objects, line.before, line.after) for line in whole.changes] == [(("d.l",), 0, 3), (("d.k",), 3, 0)]


def test_a_wildcard_that_opens_something_to_a_stranger_shows() -> None:
    known = small(strangers=True)
    ground = rule(99, obj="d.m", lv="1")
    whole = diff(compiled([ground], known), compiled([ground, rule(sub=ANY, obj=ANY, row=ANY)], known))
    strange = [line for line in whole.changes if line.sub == UNKNOWN]
    assert strange[0].objects == ("d.k", "d.l", "d.m", UNKNOWN)
    assert sentences(strange[0])[0] == (
        "Pihak yang tidak dikenal, nk-1, penerimaan, tujuan p: d.k, d.l, d.m, kolom yang tidak dikenal naik dari sembunyi ke samaran, "
        "3 kelas baris, kelas baris yang tidak dikenal, 01-01-2025 s.d. 31-12-2026"
    )


def test_policies_of_different_universes_are_not_compared() -> None:
    known = small()
    wider = replace(known, axes={**known.axes, "obj": ("d.n", *known.axes["obj"])}, links={**known.links, "g2": (*known.links["g2"], ("d.n", ANY))})
    with pytest.raises(ValueError, match="different universes"):
        diff(compiled([rule()], known), compiled([rule()], wider))


# --- the shipped policy
@pytest.fixture(scope="module")
def agreements() -> Mapping[str, Agreement]:
    return load_agreements(ROOT / "policies/agreements")


@pytest.fixture(scope="module")
def load(agreements: Mapping[str, Agreement]) -> Callable[[str], Policy]:
    contracts, model = load_contracts(ROOT / "policies/datasets"), (ROOT / "policies/model.conf").read_bytes()
    return lambda rules: compile_policy(rules.encode(), model, contracts, agreements, clause_exists, 1)


@pytest.fixture(scope="module")
def shipped(load: Callable[[str], Policy]) -> Policy:
    return load(RULES)


def with_birth_dates_clear(rules: str) -> str:
    (line,) = (line for line in rules.splitlines() if line.startswith(BIRTH))
    return rules.replace(line, line.replace(",2,2025-03-20,", ",5,2025-03-20,"))


def test_one_edited_line_reads_as_it_would_be_said(shipped: Policy, load: Callable[[str], Policy]) -> None:
    whole = diff(shipped, load(with_birth_dates_clear(RULES)))
    ours = part(whole, "nk-sijunjung-2025")
    assert [sentences(line, {"siapkerja@kemnaker": "SIAPkerja"})[0] for line in ours.changes if line.sub == "siapkerja@kemnaker"] == [
        "Operator SIAPkerja (siapkerja@kemnaker), nk-sijunjung-2025, penerimaan, tujuan evaluasi_program, konsolidasi_data, penurunan_pengangguran, perencanaan,"
        f" perumusan_kebijakan, tata_kelola_data: pencari_kerja.tanggal_lahir naik dari generalisasi ke {level}, 16 kelas baris, 20-03-2025 s.d. 19-03-2028"
        for level in ("jelas", "samaran")  # rows of adults; rows of children, capped at 3
    ]
    assert len(whole.changes) == 8
    assert whole.losses == 0


def test_counts_equal_levels_looked_up_one_by_one(shipped: Policy, load: Callable[[str], Policy]) -> None:
    new = load(with_birth_dates_clear(RULES))
    whole, axes = diff(shipped, new), shipped.known.axes
    asked = (
        Cell(sub, dom, "pencari_kerja.tanggal_lahir", "terima", pur, row, date(2025, 3, 20))
        for sub, dom, pur, row in product(axes["sub"], axes["dom"], axes["pur"], axes["row"][:: len(ROW_FLAGS)])
    )
    rose = {cell for cell in asked if new.level(cell) > shipped.level(cell)}
    lines = [cell for cell, *_ in spelt_out(whole, date(2025, 3, 20)) if cell.row in axes["row"][:: len(ROW_FLAGS)]]
    assert len(lines) == len(rose)
    assert set(lines) == rose
    assert rose
    assert {obj for line in whole.changes for obj in line.objects} == {"pencari_kerja.tanggal_lahir"}


# --- who must approve
AGREED: dict[str, Any] = {"dom": "nk-sijunjung-2025", "sub": "siapkerja@kemnaker"}


def owes(agreements: Mapping[str, Agreement], **given: Any) -> Mapping[str, frozenset[str]]:
    return owed(Diff(0, 0, (replace(LINE, **given),)), agreements)


def test_a_loss_owes_nobody(agreements: Mapping[str, Agreement]) -> None:
    assert owes(agreements, before=5, after=2) == owes(agreements, before=2, after=2) == {}
    assert owed(Diff(0, 0, ()), agreements) == {}


@pytest.mark.parametrize(
    ("sub", "act", "parties"),
    [
        ("siapkerja@kemnaker", "terima", {"sijunjung"}),
        ("sijoker@sijunjung", "terima", {"kemnaker"}),
        ("siapkerja@kemnaker", "kirim", {"kemnaker"}),
        ("sijoker@sijunjung", "kirim", {"sijunjung"}),
        ("pihak_ketiga", "ungkap", {"kemnaker", "sijunjung"}),
        ("publik", "terbit", {"kemnaker", "sijunjung"}),
        ("siapkerja@kemnaker", "ungkap", {"kemnaker", "sijunjung"}),
        ("siapkerja@kemnaker", UNKNOWN, {"kemnaker", "sijunjung"}),
        (UNKNOWN, "terima", {"kemnaker", "sijunjung"}),
        (UNKNOWN, "kirim", {"kemnaker", "sijunjung"}),
        ("sibuser@binjai", "terima", {"kemnaker", "sijunjung"}),  # of no party of this agreement
    ],
)
def test_a_gain_owes_the_party_whose_data_it_is(agreements: Mapping[str, Agreement], sub: str, act: str, parties: set[str]) -> None:
    assert owes(agreements, sub=sub, act=act) == {"nk-sijunjung-2025": parties}


def test_gains_of_both_sides_owe_both_and_each_agreement_its_own(agreements: Mapping[str, Agreement]) -> None:
    lines = (LINE, replace(LINE, sub="sijoker@sijunjung"), replace(LINE, dom="nk-binjai-2025"), replace(LINE, dom="nk-binjai-2025", sub="sibuser@binjai", after=0))
    assert owed(Diff(0, 0, lines), agreements) == {"nk-sijunjung-2025": {"kemnaker", "sijunjung"}, "nk-binjai-2025": {"binjai"}}


def test_a_gain_under_an_agreement_that_nobody_declares_owes_everyone(agreements: Mapping[str, Agreement]) -> None:
    assert owes(agreements, dom=UNKNOWN) == owes(agreements, dom=UNKNOWN, act="kirim") == {"nk-sijunjung-2025": {"kemnaker", "sijunjung"}, "nk-binjai-2025": {"kemnaker", "binjai"}}


# --- words
def test_a_line_in_both_languages() -> None:
    assert sentences(LINE, {"siapkerja@kemnaker": "SIAPkerja"}) == (
        ("Operator SIAPkerja (siapkerja@kemnaker), nk-sijunjung-2025, penerimaan, tujuan perencanaan: pencari_kerja.tanggal_lahir naik dari generalisasi"
        " ke jelas, 3 kelas baris, 20-03-2025 s.d. 19-03-2028"),
        ("The operator of SIAPkerja (siapkerja@kemnaker), nk-sijunjung-2025, receiving, purpose perencanaan: pencari_kerja.tanggal_lahir up from generalised"
        " to clear, 3 row classes, 20-03-2025 to 19-03-2028"),
    )


def test_many_columns_and_purposes_are_counted_and_strangers_named() -> None:
    columns = tuple(f"{dataset}.k{n}" for dataset in ("jkp", "wlkp") for n in range(4))[:5]
    line = replace(
        LINE, sub="pihak_ketiga", act="ungkap", purposes=(*"abcdefg", UNKNOWN), objects=(*columns, "jkp.l", "jkp.m", "jkp.*", UNKNOWN), row_classes=("umum", UNKNOWN),
        before=3, after=0, sampai="9999-12-31",
    )  # fmt: skip
    assert sentences(line) == (
        ("Pihak ketiga, nk-sijunjung-2025, pengungkapan kepada pihak ketiga, 7 tujuan, tujuan yang tidak dikenal: 6 kolom jkp, 1 kolom wlkp, dataset jkp,"
        " kolom yang tidak dikenal turun dari samaran ke sembunyi, kelas baris umum, kelas baris yang tidak dikenal, sejak 20-03-2025"),
        ("Third parties, nk-sijunjung-2025, disclosure to third parties, 7 purposes, a purpose that nobody declares: 6 columns of jkp, 1 column of wlkp, dataset jkp,"
        " a column that nobody declares down from pseudonym to hidden, row class umum, a row class that nobody declares, from 20-03-2025"),
    )


def test_six_columns_are_named_and_a_stranger_to_everything_has_words() -> None:
    columns = tuple(f"jkp.k{n}" for n in range(6))
    line = replace(LINE, sub=UNKNOWN, dom=UNKNOWN, act=UNKNOWN, purposes=(UNKNOWN,), objects=columns, row_classes=(UNKNOWN,))
    assert sentences(line)[0].startswith(
        "Pihak yang tidak dikenal, kesepakatan yang tidak dikenal, tindakan yang tidak dikenal, tujuan yang tidak dikenal: jkp.k0, jkp.k1, jkp.k2, jkp.k3, jkp.k4, jkp.k5 naik"
    )


# --- JSON
def many(count: int) -> Diff:
    return Diff(3 * count, 0, tuple(replace(LINE, purposes=(f"p{n}",)) for n in range(count)))


def test_the_json_is_canonical_and_whole() -> None:
    found = strict_object(canonical(as_json(many(2))))
    assert set(found) == {"changes", "gains", "losses", "type"}
    changes = found["changes"]
    assert isinstance(changes, list)
    assert changes[0] == {
        "act": "terima", "after": 5, "before": 2, "cells": 3, "dari": "2025-03-20", "dom": "nk-sijunjung-2025", "objects": ["pencari_kerja.tanggal_lahir"],
        "purposes": ["p0"], "row_classes": ["umum", "spesifik", "perorangan"], "sampai": "2028-03-20", "sub": "siapkerja@kemnaker",
    }  # fmt: skip


def test_a_summary_of_few_lines_holds_them_all_and_their_digest() -> None:
    whole = many(3)
    short = summary(whole)
    assert short["changes"] == as_json(whole)["changes"]
    assert (short["lines"], short["gains"], short["losses"]) == (3, 9, 0)
    assert short["sha256"] == sha256(canonical(as_json(whole))).hexdigest()


def sizes(whole: Diff) -> Iterator[tuple[int, int]]:
    """(bytes of the summary, lines in it) for every room from the least upwards."""
    for room in range(len(canonical(summary(whole, 10_000))) - 900, len(canonical(summary(whole, 10_000))) + 1):
        short = summary(whole, room)
        assert len(canonical(short)) <= room
        assert isinstance(short["changes"], list)
        yield len(canonical(short)), len(short["changes"])


def test_a_summary_holds_as_many_first_lines_as_fit_and_never_more_bytes() -> None:
    found = list(sizes(many(12)))
    assert found[-1][1] == 12
    assert found[-2][1] == 11  # one byte less, one line less
    assert all(before[1] <= after[1] for before, after in pairwise(found))


def test_a_great_diff_still_fits_into_a_log_entry() -> None:
    whole = many(2_000)
    short = summary(whole)
    assert 50_000 < len(canonical(short)) <= 60_000
    assert short["lines"] == 2_000


def test_no_room_for_the_counts_is_an_error() -> None:
    least = len(canonical(summary(Diff(0, 0, ()))))
    assert summary(Diff(0, 0, ()), least)["lines"] == 0
    with pytest.raises(ValueError, match="no room"):
        summary(Diff(0, 0, ()), least - 1)
