"""The compiled table against the dictionary, cell for cell; what the caps take away is spelt out here a second time."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.model import ROW_FLAGS
from broker.policy import Cell, load_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from broker.model import Agreement
    from broker.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 21)
AUDIENCES = ("perencanaan", "layanan", "ketiga", "publik")
CLASSES = range(1 << len(ROW_FLAGS))
SYSTEMS = {"kemnaker": "siapkerja@kemnaker", "sijunjung": "sijoker@sijunjung", "binjai": "sibuser@binjai"}
with (ROOT / "tests/data/dictionary_levels.csv").open(newline="", encoding="utf-8") as file:
    DICTIONARY = tuple(csv.DictReader(file))


@pytest.fixture(scope="module")
def agreements() -> Mapping[str, Agreement]:
    return load_agreements(ROOT / "policies/agreements")


@pytest.fixture(scope="module")
def policy(agreements: Mapping[str, Agreement]) -> Policy:
    return load_policy(ROOT / "policies", load_contracts(ROOT / "policies/datasets"), agreements, clause_exists)


def objects(policy: Policy) -> list[int]:
    return [policy.known.index("obj", f"{c['dataset']}.{c['column']}") for c in DICTIONARY]


def capped(column: Mapping[str, str], audience: str, number: int) -> int:
    """The dictionary's level under the caps that row flags and classes put on it."""
    flags = {flag for n, flag in enumerate(ROW_FLAGS) if number >> n & 1}
    klass, raises, level = column["class"], column["flag"].split(";"), int(column[audience])
    caps = [5]
    if column["column"] == "nama_ibu_kandung" or "keberatan" in flags:
        caps.append(0)  # an authentication secret; an objection
    if klass == "teks_bebas":
        caps.append(3)  # cleaned, never as written
    if klass == "spesifik":
        caps.append(2)
    if "anak" in flags:
        caps.append({"umum": 3, "spesifik": 0, "teks_bebas": 0}.get(klass, 5))
    if "spesifik_kolom" in flags and klass != "spesifik" and "spesifik" in raises:
        caps.append(2)
    if "disabilitas" in flags and "disabilitas" in raises:
        caps.append(0)
    if "perorangan" in flags and column["perorangan"]:
        caps.append(int(column["perorangan"].split("/")[AUDIENCES.index(audience)]))
    return min(level, *caps)


@pytest.fixture(scope="module")
def dictionary() -> Mapping[str, NDArray[np.uint8]]:
    """By parent purpose: uint8[row class, column of DICTIONARY]."""
    return {a: np.array([[capped(c, a, n) for c in DICTIONARY] for n in CLASSES], np.uint8) for a in ("perencanaan", "layanan")}


def test_received_levels_are_the_dictionarys_where_the_purpose_table_lists_the_flow_and_zero_elsewhere(
    policy: Policy, agreements: Mapping[str, Agreement], dictionary: Mapping[str, NDArray[np.uint8]]
) -> None:
    datasets, columns = np.array([c["dataset"] for c in DICTIONARY]), objects(policy)
    parents = {purpose.code: purpose.parent for agreement in agreements.values() for purpose in agreement.purposes}
    flows = 0
    for agreement, party, code in product(agreements.values(), SYSTEMS, parents):
        listed = [p.datasets for p in agreement.purposes if p.code == code and party in p.recipients]
        expected = dictionary[parents[code]] * np.isin(datasets, list(frozenset().union(*listed)))
        found = policy.levels(SYSTEMS[party], agreement.id, "terima", code, TODAY)[: len(CLASSES), columns]
        assert np.array_equal(found, expected), (agreement.id, party, code)
        flows += bool(listed)
    assert flows == 30  # pairs of purpose and recipient in the two purpose tables


def test_levels_before_caps_are_the_dictionarys_for_third_parties_and_for_the_public(
    policy: Policy, agreements: Mapping[str, Agreement]
) -> None:
    for agreement in agreements.values():
        inside = [n for n, c in enumerate(DICTIONARY) if c["dataset"] in agreement.scope]
        for sub, act, column in (("pihak_ketiga", "ungkap", "ketiga"), ("publik", "terbit", "publik")):
            expected = [int(c[column]) if act == "ungkap" or c["public_basis"] else 0 for c in DICTIONARY]
            found = policy.allows(sub, agreement.id, act, "perencanaan", TODAY)[: len(CLASSES), objects(policy)]
            assert np.array_equal(found[:, inside], np.tile(expected, (len(CLASSES), 1))[:, inside])
            assert max(expected[n] for n in inside) > 0


def test_nothing_is_disclosed_to_third_parties_or_published_today(policy: Policy) -> None:
    axes = policy.known.axes
    for sub, dom, act, pur in product(axes["sub"], axes["dom"], ("ungkap", "terbit"), axes["pur"]):
        assert not policy.levels(sub, dom, act, pur, TODAY).any()


def test_the_disability_exception_of_the_dictionary_is_not_granted(policy: Policy) -> None:
    asked = [c for c in DICTIONARY if c["per_tujuan"]]
    assert len(asked) == 2
    for column, number, (dom, sub) in product(
        asked, ROW_FLAGS, (("nk-binjai-2025", "siapkerja@kemnaker"), ("nk-sijunjung-2025", "sijoker@sijunjung"))
    ):
        obj = f"{column['dataset']}.{column['column']}"
        assert policy.level(Cell(sub, dom, obj, "terima", "penempatan_disabilitas", number, TODAY)) == 0


def test_a_dataset_outside_pasal_4_is_zero_for_everyone_every_action_and_every_purpose(
    policy: Policy, agreements: Mapping[str, Agreement]
) -> None:
    axes = policy.known.axes
    for agreement in agreements.values():
        outside = [n for n, obj in enumerate(axes["obj"]) if obj.partition(".")[0] not in agreement.scope]
        assert len(outside) > 30
        for sub, act, pur in product(axes["sub"], axes["act"], axes["pur"]):
            assert not policy.levels(sub, agreement.id, act, pur, TODAY)[:, outside].any()


def test_only_a_party_that_provides_a_dataset_may_send_it(policy: Policy, agreements: Mapping[str, Agreement]) -> None:
    datasets = {c["dataset"] for c in DICTIONARY}
    for agreement, party, dataset in product(agreements.values(), SYSTEMS, datasets):
        provides = party in {sender for sender, _ in agreement.directions.get(dataset, ())}
        cell = Cell(SYSTEMS[party], agreement.id, f"{dataset}.*", "kirim", agreement.purposes[0].code, "umum", TODAY)
        assert (policy.level(cell) > 0) == provides, cell


@pytest.mark.parametrize("axis", ["sub", "dom", "obj", "act", "pur", "row"])
def test_anything_unknown_is_zero(policy: Policy, axis: str) -> None:
    cell = Cell("siapkerja@kemnaker", "nk-sijunjung-2025", "pencari_kerja.jenis_kelamin", "terima", "perencanaan", "umum", TODAY)
    assert policy.level(cell) == 5
    strange: dict[str, Any] = {name: "asing" if name == axis else value for name, value in cell._asdict().items()}
    assert policy.level(Cell(**strange)) == 0


def test_what_no_one_declares_is_zero_in_every_table(policy: Policy) -> None:
    for table in policy.tables.values():
        assert not table.levels[-1].any()
        assert not table.levels[:, -1].any()
        assert not table.levels[:, :, -1].any()


def test_the_policy_gives_something_from_the_first_day_to_the_last_and_nothing_before_or_after(policy: Policy) -> None:
    first, last = date(2025, 3, 20), date(2028, 3, 19)
    cell = Cell("siapkerja@kemnaker", "nk-binjai-2025", "pencari_kerja.jenis_kelamin", "terima", "perencanaan", "umum", first)
    assert policy.level(cell) == policy.level(cell._replace(day=last)) == 5
    axes = policy.known.axes
    for day in (first - timedelta(days=1), last + timedelta(days=1), date(2031, 1, 1), date(9999, 12, 31)):
        for sub, dom, act, pur in product(axes["sub"], axes["dom"], axes["act"], axes["pur"]):
            assert not policy.levels(sub, dom, act, pur, day).any()
            assert not policy.allows(sub, dom, act, pur, day).any()


def test_every_cap_is_locked_and_outlives_the_agreement(policy: Policy) -> None:
    caps = [row for row in policy.rows if row.eft == "deny"]
    assert caps
    assert {(row.kunci, row.sampai) for row in caps} == {("ya", "9999-12-31")}


def test_tables_cannot_be_written(policy: Policy) -> None:
    table = next(iter(policy.tables.values()))
    for array in (table.levels, table.allows, policy.masks.obj, policy.masks.level):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
