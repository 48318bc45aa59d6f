"""Expectations, invariants, locked caps and idle rules, each against a policy that is changed by one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from broker.errors import ConfigError
from broker.policy import check_expectations, expectation_files, loosened, unreached
from broker.policy.compile import Table
from broker.policy.expect import INVARIANT, invariants
from tests.policy.conftest import LINES, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from broker.policy import Failure, Policy



KEYS = {
    "alasan": '"uji"', "pihak": '"siapkerja@kemnaker"', "kesepakatan": '"nk-sijunjung-2025"', "aksi": '"terima"', "objek": '"pencari_kerja.nik"',
    "tujuan": '"perencanaan"', "kelas": '"umum"', "tanggal": "2026-11-21", "tingkat": "3",
}  # fmt: skip
CAP = "K.uji,*,nk-sijunjung-2025,pencari_kerja.nik,*,*,*,1,2025-03-20,9999-12-31,nk-sijunjung-2025: Pasal 9 ayat (1),deny,ya"
ALLOW = (
    "A.uji,siapkerja@kemnaker,nk-sijunjung-2025,pencari_kerja.agama,terima,perencanaan,umum,5,2026-01-01,2026-02-01,"
    "nk-sijunjung-2025: Pasal 6 ayat (2) huruf d,allow,tidak"
)


def harapan(**changed: str | None) -> str:
    """One [[harapan]] of 10 lines, its keys changed or (None) left out."""
    keys = {**KEYS, **changed}
    return "[[harapan]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)


def found(policy: Policy, *texts: str) -> list[Failure]:
    return [failure for failure in check_expectations(policy, {"uji.toml": "".join(texts).encode()}) if failure.file != INVARIANT]


def without(prefix: str) -> list[str]:
    return [line for line in LINES if not line.startswith(prefix)]


# --- expectations


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (harapan(tingkat="6"), 10, "tingkat is out of bounds"),
        (harapan(tingkat="-1"), 10, "tingkat is out of bounds"),
        (harapan(tingkat=None, paling_tinggi="5"), 10, "paling_tinggi is out of bounds"),
        (harapan(tingkat=None), 1, "one of tingkat and paling_tinggi"),
        (harapan(paling_tinggi="3"), 10, "one of tingkat and paling_tinggi"),
        (harapan(tingkat='"3"'), 10, "tingkat must be a whole number"),
        (harapan(tingkat="true"), 10, "tingkat must be a whole number"),
        (harapan(alasan=None), 1, "missing key alasan"),
        (harapan(alasan='" "'), 2, "alasan is empty"),
        (harapan(pihak='"Siapkerja@kemnaker"'), 3, "unknown pihak"),
        (harapan(kesepakatan='"*"'), 4, "unknown kesepakatan"),
        (harapan(aksi='"Terima"'), 5, "unknown aksi"),
        (harapan(objek='"pencari_kerja.nikk"'), 6, "unknown objek"),
        (harapan(tujuan='"layanan"'), 7, "unknown tujuan"),
        (harapan(kelas='"spesifik+anak"'), 8, "unknown kelas"),
        (harapan(kelas=None), 1, "missing key kelas"),
        (harapan(tanggal='"2026-11-21"'), 9, "tanggal must be a date"),
        (harapan(tanggal="2026-11-21T00:00:00Z"), 9, "tanggal must be a date"),
        (harapan(tanggal="2026-02-30"), 9, "is not TOML"),
        (harapan(tanggal=None), 1, "tanggal must be a date"),
        (harapan(catatan='"x"'), 11, "unknown key catatan"),
        (harapan() + harapan(tujuan='"layanan"'), 17, "unknown tujuan"),
        ("versi = 1\n" + harapan(), 1, "unknown key versi"),
        ("", 1, "missing key harapan"),
        ("harapan = []\n", 1, "there is no harapan"),
        (harapan() + harapan(alasan="x"), 12, "is not TOML"),
    ],
)
def test_an_expectation_at_fault_is_refused_with_its_line(seed: Policy, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        check_expectations(seed, {"uji.toml": text.encode()})
    assert (refused.value.file, refused.value.line) == ("uji.toml", line)


def test_a_folder_without_expectations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no expectation"):
        expectation_files(tmp_path)
    (tmp_path / "b.toml").write_text("b")
    (tmp_path / "a.toml").write_text("a")
    (tmp_path / "a.txt").write_text("c")
    assert list(expectation_files(tmp_path).items()) == [(str(tmp_path / "a.toml"), b"a"), (str(tmp_path / "b.toml"), b"b")]


@pytest.mark.parametrize("level", [0, 1, 2, 4, 5])
def test_a_level_below_or_above_the_exact_one_is_a_failure(seed: Policy, level: int) -> None:
    (failure,) = found(seed, harapan(tingkat="3"), harapan(tingkat=str(level)))
    assert (failure.file, failure.line, failure.reason, failure.found, failure.cells) == ("uji.toml", 12, "uji", 3, 1)
    assert failure.rules == ("A.terima.perencanaan.pencari_kerja.nik",)
    assert str(failure) == (
        f"uji.toml:12: uji: {'tingkat' if level else 'paling tinggi'} {level}, 3 (siapkerja@kemnaker, nk-sijunjung-2025, pencari_kerja.nik, terima, "
        "perencanaan, umum, 2026-11-21; 1 sel; A.terima.perencanaan.pencari_kerja.nik)"
    )


@pytest.mark.parametrize(("level", "failures"), [(0, 1), (2, 1), (3, 0), (4, 0)])
def test_at_most_is_at_most(seed: Policy, level: int, failures: int) -> None:
    assert len(found(seed, harapan(tingkat=None, paling_tinggi=str(level)))) == failures


def test_the_highest_wrong_level_of_a_box_is_told_and_how_many_cells_are_wrong(seed: Policy) -> None:
    (failure,) = found(seed, harapan(objek='"pencari_kerja.*"', tingkat=None, paling_tinggi="3"))
    assert (failure.found, failure.expected) == (5, "paling tinggi 3")
    objects = [obj for obj in seed.known.axes["obj"] if obj.startswith("pencari_kerja.")]
    asked = [seed.level(failure.cell._replace(obj=obj)) for obj in objects]
    assert failure.cells == sum(level > 3 for level in asked) > 0


def test_a_day_outside_the_policy_has_level_zero(seed: Policy) -> None:
    for day in ("0001-01-01", "2025-03-19", "2028-03-20", "9999-12-31"):
        assert not found(seed, harapan(tanggal=day, tingkat="0"))
        (failure,) = found(seed, harapan(tanggal=day, tingkat="3"))
        assert (failure.found, failure.rules, failure.cell.day) == (0, (), date.fromisoformat(day))


def test_the_first_and_the_last_day_are_in_it(seed: Policy) -> None:
    assert not found(seed, harapan(tanggal="2025-03-20"), harapan(tanggal="2028-03-19"))


def test_every_day_looks_at_each_slice_of_time(compiled: Callable[..., Policy]) -> None:
    policy = compiled(*LINES, ALLOW.replace("agama", "tanggal_lahir"))
    every = harapan(objek='"pencari_kerja.tanggal_lahir"', tanggal='"*"', tingkat=None, paling_tinggi="2")
    (failure,) = found(policy, every)
    assert (failure.found, failure.cells, failure.cell.day, failure.rules) == (5, 1, date(2026, 1, 1), ("A.uji",))
    before, after = (harapan(objek='"pencari_kerja.tanggal_lahir"', tanggal=day, tingkat="2") for day in ("2025-12-31", "2026-02-01"))
    assert not found(policy, before, after)
    assert len(found(policy, *(harapan(objek='"pencari_kerja.tanggal_lahir"', tanggal=day, tingkat="2") for day in ("2026-01-01", "2026-01-31")))) == 2


def test_what_nobody_declared_can_be_expected_to_get_nothing(seed: Policy) -> None:
    for key in ("pihak", "kesepakatan", "aksi", "objek", "tujuan", "kelas"):
        assert not found(seed, harapan(**{key: '"?"', "tingkat": "0"}))


def test_the_seed_policy_is_what_its_officers_expect(seed: Policy) -> None:
    files = expectation_files(ROOT / "policies/tests")
    assert sum(data.count(b"[[harapan]]") for data in files.values()) >= 25
    assert check_expectations(seed, files) == ()


@pytest.mark.parametrize(
    "prefix",
    ["K.lingkup.nk-sijunjung-2025.jkp", "K.lingkup.nk-binjai-2025.perselisihan_hi"],
)
def test_caps_that_no_allow_presses_against_go_unnoticed_by_expectations(compiled: Callable[..., Policy], prefix: str) -> None:
    """Expectations are about levels; that such a cap went is for `loosened` to say."""
    draft = compiled(*without(prefix + ","))
    assert check_expectations(draft, expectation_files(ROOT / "policies/tests")) == ()
    assert loosened(compiled(*LINES), draft) == (prefix,)


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        ("K.ungkap,", "tidak ada yang diungkap"),
        ("K.terbit,", "tidak ada yang diterbitkan"),
        ("K.keberatan,", "siapa yang keberatan"),
        ("K.ibu_kandung,", "nama ibu kandung"),
        ("K.teks_bebas,", "teks bebas tidak pernah"),
        ("K.anak.umum,", "data umum anak"),
        ("K.anak.spesifik,", "data spesifik anak"),
        ("K.anak.teks_bebas,", "teks bebas tentang anak"),
        ("K.disabilitas.pencari_kerja", "ragam disabilitas"),
    ],
)
def test_a_cap_taken_away_is_noticed_by_what_its_officers_expect(compiled: Callable[..., Policy], prefix: str, reason: str) -> None:
    raised = [line.replace(",1,2025", ",5,2025").replace(",2,2025", ",5,2025").replace(",3,2025", ",5,2025") if line.startswith("A.") else line for line in without(prefix)]
    mother = ALLOW.replace("nk-sijunjung-2025", "nk-binjai-2025").replace("(2) huruf d", "(3) huruf d").replace("pencari_kerja.agama", "jkp.nama_ibu_kandung")
    failures = check_expectations(compiled(*raised, mother), expectation_files(ROOT / "policies/tests"))
    assert any(failure.reason.startswith(reason) for failure in failures if failure.file != INVARIANT)


# --- invariants


def broken(policy: Policy) -> set[str]:
    return {failure.reason for failure in check_expectations(policy, {"uji.toml": harapan().encode()}) if failure.file == INVARIANT}


def test_the_seed_breaks_no_invariant_and_there_are_many(seed: Policy) -> None:
    assert broken(seed) == set()
    assert len(list(invariants(seed))) == 1 + 6 + 2 + 2 * 2


def test_specific_data_above_two_breaks_an_invariant_in_a_single_cell(seed: Policy, compiled: Callable[..., Policy]) -> None:
    wrong = "data pribadi spesifik paling tinggi generalisasi"
    assert broken(compiled(*without("K.spesifik,"))) == {wrong}
    where = next(where for where in seed.tables if seed.known.axes["act"][where[3]] == "terima")
    specific = int(seed.masks.reach.masks["obj", "kelas:spesifik"].nonzero()[0][-1])
    for level, broke in ((2, set()), (3, {wrong})):
        levels = seed.tables[where].levels.copy()
        levels[0, 0, specific] = level
        assert broken(replace(seed, tables={**seed.tables, where: Table(levels, levels)})) == broke


@pytest.mark.parametrize("act", ["ungkap", "terbit"])
def test_a_disclosure_or_a_publication_breaks_an_invariant(compiled: Callable[..., Policy], act: str) -> None:
    assert broken(compiled(*without(f"K.{act},"))) == {f"tidak ada {act}"}


@pytest.mark.parametrize(("axis", "place"), [("sub", 0), ("dom", 1), ("act", 2)])
def test_a_table_for_what_nobody_declared_breaks_an_invariant(seed: Policy, axis: str, place: int) -> None:
    (where, table), *_ = seed.tables.items()
    day, *places = where
    places[place] = len(seed.known.axes[axis]) - 1
    sub, dom, act = places
    forged = replace(seed, tables={**seed.tables, (day, sub, dom, act): table})
    assert f"yang tidak dikenal tidak mendapat apa pun ({axis})" in broken(forged)


@pytest.mark.parametrize(("axis", "place"), [("pur", 0), ("row", 1), ("obj", 2)])
def test_a_level_for_what_nobody_declared_breaks_an_invariant(seed: Policy, axis: str, place: int) -> None:
    (where, table), *_ = seed.tables.items()
    levels = table.levels.copy()
    levels[tuple(-1 if n == place else 0 for n in range(3))] = 1
    assert broken(replace(seed, tables={**seed.tables, where: Table(levels, levels)})) == {f"yang tidak dikenal tidak mendapat apa pun ({axis})"}


@pytest.mark.parametrize(("day", "days"), [("2025-03-19", ("2025-03-19", "2025-03-20")), ("2028-03-20", ("2025-03-20", "2028-03-20", "2028-03-21"))])
def test_a_level_a_day_outside_the_term_breaks_an_invariant(seed: Policy, day: str, days: tuple[str, ...]) -> None:
    where = next(where for where in seed.tables if seed.known.axes["dom"][where[2]] == "nk-binjai-2025")
    tables = {where: seed.tables[where], (day, *where[1:]): seed.tables[where]}
    assert broken(replace(seed, days=days, tables=tables)) == {"tidak ada apa pun di luar masa berlaku nk-binjai-2025"}
    assert broken(replace(seed, days=("2025-03-20", "2028-03-20"), tables={where: seed.tables[where]})) == set()


# --- locked caps


def test_a_locked_cap_may_be_tightened_renamed_and_reworded(compiled: Callable[..., Policy]) -> None:
    old = compiled(*LINES, CAP)
    for new in (CAP.replace(",1,", ",0,"), CAP.replace("K.uji", "K.lain"), CAP.replace("ayat (1)", "ayat (3)"), CAP.replace("pencari_kerja.nik", "pencari_kerja.*")):
        assert loosened(old, compiled(*LINES, new)) == ()
    assert loosened(old, old) == ()
    assert loosened(compiled(*LINES), old) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (",1,", ",2,"),
        (",*,*,*,", ",terima,*,*,"),
        (",*,*,*,", ",*,perencanaan,*,"),
        (",*,*,*,", ",*,*,anak,"),
        ("K.uji,*", "K.uji,penerima"),
        ("pencari_kerja.nik", "pencari_kerja.nama_lengkap"),
        (",ya", ",tidak"),
        ("2025-03-20", "2025-03-21"),
    ],
)
def test_a_locked_cap_that_holds_less_is_loosened(compiled: Callable[..., Policy], before: str, after: str) -> None:
    changed = CAP.replace(before, after, 1)
    assert changed != CAP
    assert loosened(compiled(*LINES, CAP), compiled(*LINES, changed)) == ("K.uji",)


def test_a_locked_cap_of_one_subject_action_and_slice_is_looked_at_too(compiled: Callable[..., Policy]) -> None:
    narrow = CAP.replace("K.uji,*", "K.uji,siapkerja@kemnaker").replace(",*,*,*,", ",terima,perencanaan,umum,").replace("2025-03-20", "2028-03-20")
    assert loosened(compiled(*LINES, narrow), compiled(*LINES)) == ("K.uji",)


def test_a_locked_cap_for_every_agreement_may_not_shrink_to_one(compiled: Callable[..., Policy]) -> None:
    both = CAP.replace(",nk-sijunjung-2025,", ",nk-*,").replace("ayat (1)", "ayat (1); nk-binjai-2025: Pasal 9 ayat (1)")
    assert loosened(compiled(*LINES, both), compiled(*LINES, CAP)) == ("K.uji",)
    other = CAP.replace("K.uji", "K.lain").replace("nk-sijunjung-2025", "nk-binjai-2025")
    assert loosened(compiled(*LINES, both), compiled(*LINES, CAP, other)) == ()


def test_a_locked_cap_under_another_as_low_may_go_and_under_a_higher_one_not(compiled: Callable[..., Policy]) -> None:
    for level, rises in ((0, ()), (1, ()), (2, ("K.uji",))):
        under = CAP.replace("K.uji", "K.lain").replace(",1,", f",{level},")
        assert loosened(compiled(*LINES, CAP, under), compiled(*LINES, under)) == rises


def test_a_locked_cap_may_be_split_among_several_that_cover_it_all(compiled: Callable[..., Policy]) -> None:
    parts = [CAP.replace("K.uji", f"K.uji.{act}").replace("nik,*", f"nik,{act}") for act in ("terima", "kirim", "ungkap", "terbit")]
    old = compiled(*LINES, CAP)
    assert loosened(old, compiled(*LINES, *parts[1:])) == ("K.uji",)
    # An action that nobody declared is under `*` and under no part.
    assert loosened(old, compiled(*LINES, *parts)) == ("K.uji",)
    assert loosened(compiled(*LINES, parts[0]), old) == ()


def test_a_cap_that_is_not_locked_holds_no_locked_one(compiled: Callable[..., Policy]) -> None:
    free = CAP.replace("K.uji", "K.bebas").replace(",ya", ",tidak")
    assert loosened(compiled(*LINES, CAP, free), compiled(*LINES, free)) == ("K.uji",)
    assert loosened(compiled(*LINES, free), compiled(*LINES)) == ()


def test_every_locked_cap_taken_away_is_told_unless_another_covers_it(compiled: Callable[..., Policy], seed: Policy) -> None:
    taken = loosened(seed, compiled(*without("K.spesifik")))
    assert taken == tuple(line.partition(",")[0] for line in LINES if line.startswith("K.spesifik"))


def test_policies_about_different_agreements_cannot_be_compared(seed: Policy) -> None:
    other = replace(seed, known=replace(seed.known, terms={}))
    with pytest.raises(ConfigError, match="cannot be compared"):
        loosened(seed, other)


# --- rules that do nothing


def test_an_allow_below_another_or_under_a_cap_of_nothing_is_dead_and_one_cell_alone_is_not(compiled: Callable[..., Policy]) -> None:
    dead = set(unreached(compiled(*LINES)).dead)
    nik = ALLOW.replace("pencari_kerja.agama", "pencari_kerja.nik")
    for level, idle in ((2, True), (3, False), (4, False)):  # the seed gives 3
        assert ("A.uji" in unreached(compiled(*LINES, nik.replace("umum,5", f"umum,{level}"))).dead) is idle
    assert "A.uji" in unreached(compiled(*LINES, nik.replace("umum,5", "keberatan,5"))).dead
    assert dead >= {line.partition(",")[0] for line in LINES if line.startswith(("A.ungkap", "A.terbit"))}
    assert "A.terima.perencanaan.pencari_kerja.nik" not in dead


def test_a_cap_that_takes_nothing_away_is_armed_and_one_cell_alone_is_not(compiled: Callable[..., Policy]) -> None:
    for level, idle in ((4, True), (3, True), (2, False), (0, False)):  # the seed gives 3
        narrow = CAP.replace(",*,*,*,1,", f",terima,perencanaan,anak,{level},")
        assert ("K.uji" in unreached(compiled(*LINES, narrow)).armed) is idle
    under = CAP.replace("K.uji", "K.lain").replace(",1,", ",0,")
    assert "K.uji" in unreached(compiled(*LINES, CAP, under)).armed
    assert "K.uji" not in unreached(compiled(*LINES, CAP, CAP.replace("K.uji", "K.kembar"))).armed


def test_a_cap_for_a_day_that_no_allow_reaches_is_armed(compiled: Callable[..., Policy]) -> None:
    assert "K.uji" in unreached(compiled(*LINES, CAP.replace("2025-03-20", "2028-03-20"))).armed
    assert "K.uji" not in unreached(compiled(*LINES, CAP.replace("2025-03-20", "2028-03-19"))).armed


def test_the_seeds_guards_of_pasal_4_are_armed(seed: Policy) -> None:
    armed = unreached(seed).armed
    assert {"K.lingkup.nk-sijunjung-2025.jkp", "K.lingkup.nk-binjai-2025.perselisihan_hi"} <= set(armed)
    assert not {"K.ungkap", "K.terbit", "K.keberatan", "K.anak.umum", "K.teks_bebas"} & set(armed)
