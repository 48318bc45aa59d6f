"""A plan is a look-up: what one exchange may show, why, and when there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.errors import Refusal
from broker.model import ROW_FLAGS, Column, System, Terms
from broker.policy import load_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.model import Agreement, Contract, Plan, Rule
    from broker.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
ANAK, KEBERATAN = (1 << ROW_FLAGS.index(flag) for flag in ("anak", "keberatan"))


@pytest.fixture(scope="module")
def agreements() -> Mapping[str, Agreement]:
    return load_agreements(ROOT / "policies/agreements")


@pytest.fixture(scope="module")
def contracts() -> Mapping[str, Contract]:
    return load_contracts(ROOT / "policies/datasets")


@pytest.fixture(scope="module")
def policy(contracts: Mapping[str, Contract], agreements: Mapping[str, Agreement]) -> Policy:
    return load_policy(ROOT / "policies", contracts, agreements, clause_exists, version=7)


@pytest.fixture
def terms(agreements: Mapping[str, Agreement]) -> Terms:
    agreement = agreements["nk-sijunjung-2025"]
    planning = next(p for p in agreement.purposes if p.code == "perencanaan")
    return Terms(
        agreement=agreement,
        dataset="pencari_kerja",
        template="1.0.0",
        sender=System("sijoker@sijunjung"),
        recipient=System("siapkerja@kemnaker"),
        purpose=planning,
        basis=None,
        day=date(2026, 11, 21),
        clauses=(),
        warnings=(),
    )


def level(plan: Plan, number: int, column: str) -> int:
    return plan.levels[number][plan.columns.index(column)]


def test_a_plan_has_a_level_for_every_row_class_and_column_and_names_its_policy(
    policy: Policy, terms: Terms, contracts: Mapping[str, Contract]
) -> None:
    plan = policy.plan(terms, contracts["pencari_kerja"])
    assert plan.columns == contracts["pencari_kerja"].names
    assert [len(row) for row in plan.levels] == [len(plan.columns)] * (1 << len(ROW_FLAGS))
    assert (plan.policy_version, plan.policy_sha256, plan.audience) == (7, policy.sha256, "perencanaan")
    assert [level(plan, 0, c) for c in ("nik", "nama_lengkap", "tanggal_lahir", "jenis_kelamin", "keterampilan")] == [3, 0, 2, 5, 3]
    assert level(plan, ANAK, "jenis_kelamin") == 3
    assert not any(plan.levels[KEBERATAN])


def test_a_cell_names_the_allows_that_raise_it_and_the_caps_that_lower_it(
    policy: Policy, terms: Terms, contracts: Mapping[str, Contract]
) -> None:
    rules = policy.plan(terms, contracts["pencari_kerja"]).rules
    allow, cap = rules[ANAK, "jenis_kelamin"]
    assert (allow.id, allow.level, allow.effect) == ("A.terima.semua.pencari_kerja.jenis_kelamin", 5, "allow")
    assert (cap.id, cap.level, cap.effect, cap.pasal) == ("K.anak.umum", 3, "deny", "UU 27/2022 Pasal 25")
    assert [rule.id for rule in rules[0, "jenis_kelamin"]] == ["A.terima.semua.pencari_kerja.jenis_kelamin"]
    assert rules[0, "nama_lengkap"] == ()


def test_a_rule_cites_to_a_party_only_its_own_agreement(policy: Policy, terms: Terms, contracts: Mapping[str, Contract]) -> None:
    (rule,) = policy.plan(terms, contracts["pencari_kerja"]).rules[0, "nik"]
    assert rule.pasal == "Pasal 4 huruf a angka 1; Pasal 6 ayat (2) huruf d"


def height(rules: tuple[Rule, ...]) -> int:
    allows = [rule.level for rule in rules if rule.effect == "allow"]
    return min([max(allows, default=0), *(rule.level for rule in rules if rule.effect == "deny")])


def test_the_rules_of_every_cell_give_the_level_of_the_cell(policy: Policy, terms: Terms, contracts: Mapping[str, Contract]) -> None:
    plan = policy.plan(terms, contracts["pencari_kerja"])
    assert len(plan.rules) == len(plan.columns) << len(ROW_FLAGS)
    assert all(height(rules) == level(plan, *cell) for cell, rules in plan.rules.items())


def test_a_cell_outside_the_plan_has_no_rules(policy: Policy, terms: Terms, contracts: Mapping[str, Contract]) -> None:
    rules = policy.plan(terms, contracts["pencari_kerja"]).rules
    for cell in ((1 << len(ROW_FLAGS), "nik"), (-1, "nik"), (0, "asing")):
        assert cell not in rules


def test_a_column_that_no_contract_declared_to_the_policy_is_hidden(
    policy: Policy, terms: Terms, contracts: Mapping[str, Contract]
) -> None:
    contract = contracts["pencari_kerja"]
    wider = replace(contract, columns=(*contract.columns, Column("baru", "string", required=False, kind="none", klass="publik")))
    plan = policy.plan(terms, wider)
    assert {level(plan, number, "baru") for number in range(1 << len(ROW_FLAGS))} == {0}


def refused(policy: Policy, terms: Terms, contracts: Mapping[str, Contract]) -> str:
    with pytest.raises(Refusal) as refusal:
        policy.plan(terms, contracts[terms.dataset])
    assert refusal.value.reason == "kebijakan"
    return refusal.value.indonesian


def test_no_column_above_zero_is_a_refusal(policy: Policy, terms: Terms, contracts: Mapping[str, Contract]) -> None:
    service = next(p for p in terms.agreement.purposes if p.code == "layanan_penempatan")
    assert "kebijakan 7" in refused(policy, replace(terms, purpose=service), contracts)


def test_a_sender_that_may_not_send_the_dataset_is_refused(policy: Policy, terms: Terms, contracts: Mapping[str, Contract]) -> None:
    governance = next(p for p in terms.agreement.purposes if p.code == "tata_kelola_data")
    back = replace(terms, purpose=governance, sender=terms.recipient, recipient=terms.sender)
    assert policy.plan(back, contracts["pencari_kerja"])
    refused(policy, replace(back, dataset="penempatan"), contracts)  # placements flow from the region only


@pytest.mark.parametrize("dataset", ["wlkp", "jkp"])
def test_a_dataset_outside_pasal_4_is_refused(policy: Policy, terms: Terms, contracts: Mapping[str, Contract], dataset: str) -> None:
    refused(policy, replace(terms, dataset=dataset), contracts)


@pytest.mark.parametrize("day", [date(2025, 3, 19), date(2028, 3, 20)])
def test_a_day_outside_the_term_is_refused(policy: Policy, terms: Terms, contracts: Mapping[str, Contract], day: date) -> None:
    refused(policy, replace(terms, day=day), contracts)
