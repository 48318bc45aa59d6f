"""What each level makes of each kind of column, and which profiles a Plan has: over a small contract, without a broker."""

from __future__ import annotations

import hashlib
from datetime import date

import polars as pl
import pytest

from broker.model import ROW_FLAGS, Column, Contract, Finding, Level, Plan
from broker.treatment import DomainKey, Treatment, cleaned, effective_level, profiles, pseudonym_tokens
from broker.treatment.formatted import FORMATTED

NIK, PHONE = "1303014107959001", "+6281200009001"
COLUMNS = (
    Column("telepon", "string", False, "phone", "umum", mask="akhir_3"),
    Column("nik", "string", True, "nik", "umum", mask="nik_kab", token="orang"),
    Column("upah", "int", False, "none", "umum", generalise={"": "pita_upah", "publik": "pita_nilai"}),
    Column("catatan", "text", False, "free_text", "teks_bebas", token="orang"),
    Column("penyakit", "text", False, "free_text", "spesifik", token="orang", mask="akhir_3"),
    Column("jurusan", "string", False, "none", "teks_bebas", token="orang", mask="akhir_3"),
    Column("nik_ibu", "string", False, "nik", "umum", token="ibu"),
    Column("lahir", "date", False, "birth_date", "umum", generalise={"": "pita_umur_5"}),
)
ROW = (PHONE, NIK, "1500000", "asli", "asli", "asli", NIK, "2006-11-21")
CONTRACT = Contract("uji", "", "", "uji", COLUMNS, "P1D", "", None, ("nik",), "nik", None, {}, "0" * 64)
CLASSES = 1 << len(ROW_FLAGS)


class NoCodes:
    def parent(self, name: str) -> dict[str, str]:
        raise AssertionError(name)


def key_of(entity: str) -> DomainKey:
    return DomainKey(hashlib.sha256(entity.encode()).digest(), 1)


def levels_of(**levels: int) -> bytes:
    return bytes(levels.get(column.name, 0) for column in COLUMNS)


def planned(*levels: bytes, formatted: bool = True, audience: str = "perencanaan") -> Plan:
    """levels: of the first classes, the last of them also of all others."""
    every = (*levels, *(levels[-1:] * (CLASSES - len(levels))))
    return Plan("nk", 1, "0" * 64, "a@a", "b@b", "uji", "uji", "perencanaan", audience, date(2026, 11, 21), CONTRACT.names, every, {}, formatted)


def left(level: int, *, formatted: bool = True, audience: str = "perencanaan") -> dict[str, object]:
    """What leaves of one row whose columns all have `level`; free text stands for itself as it was cleaned."""
    plan = planned(bytes([level] * len(COLUMNS)), formatted=formatted, audience=audience)
    treatment = Treatment(plan, CONTRACT, profiles(plan, CONTRACT), NoCodes(), key_of)
    frame = pl.DataFrame([ROW], schema=dict.fromkeys(CONTRACT.names, pl.String), orient="row")
    texts = [pl.Series(cleaned(name, at), [f"{name} {at}"]) for name, at in treatment.texts]
    (row,) = treatment.apply(frame.hstack(texts), 0).to_dicts()
    assert list(row) == sorted(row)
    return row


def token(entity: str, value: str) -> str:
    return str(pseudonym_tokens(pl.Series([value]), key_of(entity))[0])


def formed(kind: str, entity: str, value: str) -> str:
    return str(FORMATTED[kind](pl.Series([value]), key_of(entity))[0])


@pytest.mark.parametrize(("level", "gives"), [
    (1, {"nik": "1303************", "telepon": "**********001"}),
    (2, {"catatan": "catatan 2", "lahir": "20-24", "nik": "1303************", "telepon": "**********001", "upah": "1-2 jt"}),
    (3, {"catatan": "catatan 3", "lahir": "20-24", "nik": token("orang", NIK), "nik_ibu": token("ibu", NIK), "telepon": "**********001", "upah": "1-2 jt"}),
    (4, {"catatan": "catatan 3", "lahir": "20-24", "nik": formed("nik", "orang", NIK), "nik_ibu": formed("nik", "ibu", NIK), "telepon": formed("phone", "telepon", PHONE), "upah": "1-2 jt"}),
    (5, {"catatan": "catatan 3", "lahir": "2006-11-21", "nik": NIK, "nik_ibu": NIK, "telepon": PHONE, "upah": "1500000"}),
])  # fmt: skip
def test_a_column_leaves_at_the_highest_level_it_can_do_and_no_higher(level: int, gives: dict[str, str]) -> None:
    """Free text never as written; of specific data, or where words are not looked for, not at all."""
    assert left(level) == gives


def test_at_level_zero_nothing_leaves() -> None:
    plan = planned(bytes(len(COLUMNS)))
    treated = profiles(plan, CONTRACT)
    assert (treated.released, treated.flags, treated.names, Treatment(plan, CONTRACT, treated, NoCodes(), key_of).texts) == ((), (), ("umum",), ())


def test_without_the_opt_in_level_four_is_level_three() -> None:
    assert left(4, formatted=False) == left(3)


def test_an_audience_has_its_own_generaliser_where_the_contract_names_one() -> None:
    assert (left(2, audience="publik")["upah"], left(2, audience="layanan")["upah"]) == ("<10 jt", "1-2 jt")


def test_a_row_leaves_by_its_own_profile_and_what_that_hides_is_null() -> None:
    plan = planned(levels_of(nik=3, catatan=3), levels_of(telepon=5, catatan=2), levels_of(telepon=5))
    treated = profiles(plan, CONTRACT)
    treatment = Treatment(plan, CONTRACT, treated, NoCodes(), key_of)
    assert (treated.released, treatment.texts) == (("catatan", "nik", "telepon"), (("catatan", 2), ("catatan", 3)))
    frame = pl.DataFrame([ROW], schema=dict.fromkeys(CONTRACT.names, pl.String), orient="row").with_columns(pl.lit(str(at)).alias(cleaned("catatan", at)) for at in (2, 3))
    assert treatment.apply(frame, 0).to_dicts() == [{"catatan": "3", "nik": token("orang", NIK), "telepon": None}]
    assert treatment.apply(frame, 1).to_dicts() == [{"catatan": "2", "nik": None, "telepon": PHONE}]
    assert treatment.apply(frame, 2).to_dicts() == [{"catatan": None, "nik": None, "telepon": PHONE}]


def test_a_text_is_cleaned_with_tokens_at_level_three_alone() -> None:
    plan = planned(levels_of(catatan=3))
    treatment = Treatment(plan, CONTRACT, profiles(plan, CONTRACT), NoCodes(), key_of)
    found, people = [[Finding(0, 6, "name", "valid", "")]], [((NIK, frozenset({"rahmat"})),)]
    assert treatment.clean(["Rahmat"], found, people, 3) == [f"[NAMA {token('orang', NIK)}]"]
    assert treatment.clean(["Rahmat"], found, people, 2) == ["[NAMA]"]


def test_profiles_are_numbered_as_they_come_and_named_after_their_first_class() -> None:
    """Level 4 and 5 of what can do only 2 are one treatment; a flag that changes nothing is none."""
    hidden, some, more = levels_of(), levels_of(upah=4), levels_of(upah=3)
    levels = [some if number & 0b10 else hidden for number in range(CLASSES)]
    levels[0b110] = more
    treated = profiles(planned(*levels), CONTRACT)
    assert treated.names == ("umum", ROW_FLAGS[1])
    assert treated.levels == (hidden, levels_of(upah=2))
    assert treated.of_class == tuple(number >> 1 & 1 for number in range(CLASSES))
    assert (treated.flags, treated.released) == ((ROW_FLAGS[1],), ("upah",))


def test_a_flag_counts_where_it_changes_anything_in_any_class() -> None:
    levels = [levels_of()] * CLASSES
    levels[-1] = levels_of(nik=5)
    treated = profiles(planned(*levels), CONTRACT)
    assert (treated.flags, treated.names, treated.of_class[-2:]) == (ROW_FLAGS, ("umum", "+".join(ROW_FLAGS)), (0, 1))


def test_keys_are_made_for_what_leaves_under_them_alone() -> None:
    asked: list[str] = []

    def noted(entity: str) -> DomainKey:
        asked.append(entity)
        return key_of(entity)

    for level in (2, 5, 3, 4):
        plan = planned(bytes([level] * len(COLUMNS)))
        Treatment(plan, CONTRACT, profiles(plan, CONTRACT), NoCodes(), noted)
    assert sorted(asked) == ["ibu", "ibu", "orang", "orang", "telepon"]


@pytest.mark.parametrize("level", list(Level))
def test_the_level_of_a_column_is_never_above_the_one_allowed(level: Level) -> None:
    assert all(effective_level(column, level, audience, formatted=formatted) <= level for column in COLUMNS for audience in ("publik", "layanan") for formatted in (True, False))
