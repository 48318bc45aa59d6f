"""Past exchanges under another policy: what would be higher, lower, hidden from the manifest's view, or refused."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.agreement import clause_exists, load_agreements
from broker.contract import load_contracts
from broker.errors import LedgerError
from broker.jcs import canonical
from broker.ledger.manifest import manifest_json
from broker.model import ROW_FLAGS, System, Terms
from broker.policy import Cell, Policy, Replayed, load_manifests, may_be_of, replay, replay_sentences
from broker.policy.plan import compile_policy
from broker.treatment.levels import profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.model import Agreement, Contract

ROOT = Path(__file__).resolve().parents[2]
RULES = (ROOT / "policies/rules.csv").read_text(encoding="utf-8")
DAY = date(2026, 11, 21)
SINCE, UNTIL = date(2026, 11, 1), date(2026, 12, 1)
CLASSES = range(1 << len(ROW_FLAGS))


@pytest.fixture(scope="module")
def agreements() -> Mapping[str, Agreement]:
    return load_agreements(ROOT / "policies/agreements")


@pytest.fixture(scope="module")
def contracts() -> Mapping[str, Contract]:
    return load_contracts(ROOT / "policies/datasets")


@pytest.fixture(scope="module")
def load(agreements: Mapping[str, Agreement], contracts: Mapping[str, Contract]) -> Callable[..., Policy]:
    model = (ROOT / "policies/model.conf").read_bytes()

    def load_edited(*edits: tuple[str, str, str]) -> Policy:
        """The shipped rules, each edit applied to the rule of that id; an empty replacement drops the rule."""
        rules = RULES
        for name, before, after in edits:
            (line,) = (line for line in rules.splitlines() if line.startswith(f"{name},"))
            rules = rules.replace(f"{line}\n", f"{line.replace(before, after)}\n" if after else "")
        return compile_policy(rules.encode(), model, contracts, agreements, clause_exists, 1)

    return load_edited


@pytest.fixture(scope="module")
def shipped(load: Callable[..., Policy]) -> Policy:
    return load()


@pytest.fixture(scope="module")
def recorded(shipped: Policy, agreements: Mapping[str, Agreement], contracts: Mapping[str, Contract]) -> bytes:
    """The manifest of an exchange of pencari_kerja under the shipped policy, as the ledger writes it."""
    agreement, contract = agreements["nk-sijunjung-2025"], contracts["pencari_kerja"]
    purpose = next(p for p in agreement.purposes if p.code == "perencanaan")
    terms = Terms(agreement, contract.dataset, contract.template, System("sijoker@sijunjung"), System("siapkerja@kemnaker"), purpose, None, DAY, (), ())
    plan = shipped.plan(terms, contract)
    treated = profiles(plan, contract)
    digest = "0" * 64
    return manifest_json(
        exchange=bytes(16), now="2026-11-21T03:00:00.000Z", terms=terms, plan=plan, contract_sha256=contract.sha256, agreement_sha256=agreement.sha256,
        submission={"sealed_sha256": digest, "statement_sha256": digest}, envelope={"bytes": 1, "header_sha256": digest, "sha256": digest},
        keys={"broker": "k", "recipient": "k", "recipient_kem": "k", "sender": "k"}, profiles=tuple(zip(treated.names, treated.levels, strict=True)),
        root=bytes(32), leaves=1, outcomes={"terkirim": 1}, rows=1, quality={}, repeated=0, unique_permille=0, warnings=(),
    )  # fmt: skip


def manifest(by: Policy | None, levels: Mapping[str, str], *columns: str, **given: Any) -> bytes:
    """A manifest of the fields that replay reads; levels: row class → digits of the columns."""
    fields = {
        "agreement": {"id": "nk-sijunjung-2025"}, "columns": list(columns), "contract": {"dataset": "pencari_kerja"}, "day": "2026-11-21", "exchange": "e1",
        "policy": {"sha256": by.sha256 if by else "0" * 64, "version": 7}, "profiles": [{"class": name, "levels": digits} for name, digits in levels.items()],
        "purpose": "perencanaan", "recipient": "siapkerja@kemnaker", "sender": "sijoker@sijunjung", "type": "sinergi/exchange/v1",
    }  # fmt: skip
    return canonical(fields | given)


def replayed(old: Policy | None, new: Policy, *entries: bytes) -> tuple[Replayed, ...]:
    return replay(load_manifests(entries, SINCE, UNTIL), old, new)


BIRTH = "A.terima.perencanaan.pencari_kerja.tanggal_lahir"
SEX = "A.terima.semua.pencari_kerja.jenis_kelamin"


# --- what is no manifest
@pytest.mark.parametrize(
    "given",
    [
        {"profiles": [{"class": "umum", "levels": "2"}]},
        {"profiles": [{"class": "umum", "levels": "26"}]},
        {"profiles": [{"class": "umum", "levels": "2x"}]},
        {"profiles": [{"class": "umum", "levels": "2²"}]},
        {"profiles": [{"class": "umum"}]},
        {"profiles": ["umum"]},
        {"policy": {"version": 7}},
        {"columns": None},
        {"day": "2026-11-2x"},
        {"day": 20261121},
    ],
)
def test_an_entry_that_is_no_manifest_is_refused_by_its_number(shipped: Policy, given: dict[str, Any]) -> None:
    good = manifest(shipped, {"umum": "25"}, "tanggal_lahir", "jenis_kelamin")
    bad = manifest(shipped, {"umum": "25"}, "tanggal_lahir", "jenis_kelamin", **given)
    with pytest.raises(LedgerError, match=r"^entry 1 is no manifest of an exchange$"):
        load_manifests([good, bad], SINCE, UNTIL)


@pytest.mark.parametrize("entry", [b"", b"[]", b"{}", b'{"type": "sinergi/exchange/v1"}', b"\xff"])
def test_what_is_not_canonical_json_is_refused(entry: bytes) -> None:
    with pytest.raises(LedgerError, match="entry 0"):
        load_manifests([entry], SINCE, UNTIL)


def test_entries_of_another_type_are_passed_over() -> None:
    found = load_manifests([canonical({"type": "sinergi/policy/v1", "time": "t"})], SINCE, UNTIL)
    assert found.exchanges == ()
    assert replay(found, None, None) == ()  # type: ignore[arg-type]  # no question, no policy asked


def test_the_window_holds_its_first_day_and_not_its_last(shipped: Policy) -> None:
    entries = [manifest(shipped, {"umum": "2"}, "tanggal_lahir", day=day) for day in ("2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01")]
    assert [exchange.day for exchange in load_manifests(entries, SINCE, UNTIL).exchanges] == ["2026-11-01", "2026-11-30"]


def test_a_decision_is_a_column_in_a_listed_row_class(shipped: Policy) -> None:
    found = load_manifests([manifest(shipped, {"umum": "25", "keberatan": "00"}, "tanggal_lahir", "jenis_kelamin")], SINCE, UNTIL)
    assert [(found.classes[row], found.objects[column], level) for row, column, level in zip(found.row, found.column, found.level.tolist(), strict=True)] == [
        ("umum", "pencari_kerja.tanggal_lahir", 2),
        ("umum", "pencari_kerja.jenis_kelamin", 5),
        ("keberatan", "pencari_kerja.tanggal_lahir", 0),
        ("keberatan", "pencari_kerja.jenis_kelamin", 0),
    ]


# --- the same policy
def test_under_its_own_policy_nothing_differs(shipped: Policy, recorded: bytes) -> None:
    assert replayed(shipped, shipped, recorded) == ()


def test_without_the_policy_that_decided_a_level_that_stepped_down_may_be_higher_and_is_marked(shipped: Policy) -> None:
    stepped = manifest(None, {"umum": "13"}, "tanggal_lahir", "jenis_kelamin")
    for old in (None, shipped):
        (found,) = replayed(old, shipped, stepped)
        assert (found.exact, found.higher, found.lower, found.unlisted) == (False, 2, 0, None)
        assert "2 keputusan mungkin lebih tinggi (tanggal_lahir, jenis_kelamin)" in replay_sentences(found)[0]


# --- another policy
def test_a_column_that_the_draft_opens_is_higher_in_every_listed_class(shipped: Policy, load: Callable[..., Policy], recorded: bytes) -> None:
    (found,) = replayed(shipped, load((BIRTH, ",2,2025", ",5,2025")), recorded)
    assert (found.exchange, found.agreement, found.dataset, found.purpose) == ("0" * 32, "nk-sijunjung-2025", "pencari_kerja", "perencanaan")
    assert (found.columns_higher, found.columns_lower, found.lower, found.refused, found.exact) == (("tanggal_lahir",), (), 0, False, True)
    assert found.decisions % 62 == 0
    assert found.higher > 1  # not in the classes of an objection


def test_a_column_that_the_draft_hides_is_lower(shipped: Policy, load: Callable[..., Policy]) -> None:
    entry = manifest(shipped, {"umum": "25", "anak": "23", "keberatan": "00"}, "tanggal_lahir", "jenis_kelamin")
    (found,) = replayed(shipped, load((SEX, ",5,2025", ",2,2025")), entry)
    assert (found.higher, found.lower, found.columns_lower) == (0, 2, ("jenis_kelamin",))


def test_a_fall_that_stops_above_what_really_left_is_no_fall(shipped: Policy, load: Callable[..., Policy]) -> None:
    entry = manifest(shipped, {"umum": "3"}, "jenis_kelamin")  # permitted 5, but the contract could do 3 only
    draft = load((SEX, ",5,2025", ",3,2025"))
    (found,) = replayed(shipped, draft, entry)
    assert (found.higher, found.lower) == (0, 0)
    assert found.unlisted  # classes of which the manifest does not say what left


def test_row_classes_that_the_manifest_does_not_list_are_counted_apart(shipped: Policy, load: Callable[..., Policy]) -> None:
    entry = manifest(shipped, {"umum": "5", "keberatan": "0"}, "jenis_kelamin")
    draft = load((SEX, ",*,5,", ",anak,5,"))
    (found,) = replayed(shipped, draft, entry)
    assert (found.higher, found.lower) == (0, 1)  # umum itself
    differ = [n for n in CLASSES if n & 1 == 0 and not n >> 5 & 1]  # neither children nor objections
    assert found.unlisted == len(differ) - 1


def test_a_sender_that_may_no_longer_send_is_a_refusal(shipped: Policy, load: Callable[..., Policy], recorded: bytes) -> None:
    (found,) = replayed(shipped, load(("A.kirim.pencari_kerja", "", "")), recorded)
    assert (found.refused, found.higher, found.lower) == (True, 0, 0)


def test_no_column_above_zero_in_any_row_class_is_a_refusal(shipped: Policy, load: Callable[..., Policy]) -> None:
    draft = load((SEX, "", ""))
    entry = manifest(shipped, {"umum": "5"}, "jenis_kelamin")
    (found,) = replayed(shipped, draft, entry)
    assert (found.refused, found.lower) == (True, 1)
    both = manifest(shipped, {"umum": "52"}, "jenis_kelamin", "tanggal_lahir")
    assert not replayed(shipped, draft, both)[0].refused
    children = load((SEX, ",*,5,", ",anak,5,"))  # still something, if only for children's rows
    assert not replayed(shipped, children, entry)[0].refused


def test_a_column_or_class_that_nobody_declares_any_more_is_hidden(shipped: Policy) -> None:
    (found,) = replayed(shipped, shipped, manifest(shipped, {"umum": "52"}, "jenis_kelamin", "kolom_lama"))
    assert (found.lower, found.columns_lower) == (1, ("kolom_lama",))
    (found,) = replayed(shipped, shipped, manifest(shipped, {"kelas_lama": "5"}, "jenis_kelamin"))
    assert found.lower == 1


def test_an_undeclared_column_is_not_taken_for_the_first_that_is_declared(shipped: Policy) -> None:
    assert shipped.known.axes["obj"][0] == "jkp.id_rekaman"
    flow = {"agreement": {"id": "nk-binjai-2025"}, "contract": {"dataset": "jkp"}, "purpose": "layanan_jkp", "recipient": "sibuser@binjai", "sender": "siapkerja@kemnaker"}
    assert replayed(shipped, shipped, manifest(shipped, {"umum": "3"}, "id_rekaman", **flow)) == ()
    (found,) = replayed(shipped, shipped, manifest(shipped, {"umum": "3"}, "kolom_lama", **flow))
    assert (found.lower, found.refused) == (1, True)


@pytest.mark.parametrize("given", [{"agreement": {"id": "nk-lama"}}, {"recipient": "x@y"}, {"sender": "x@y"}, {"purpose": "lama"}, {"contract": {"dataset": "lama"}}])
def test_a_flow_that_nobody_declares_any_more_is_refused(shipped: Policy, given: dict[str, Any]) -> None:
    (found,) = replayed(shipped, shipped, manifest(shipped, {"umum": "5"}, "jenis_kelamin", **given))
    assert found.refused


def test_each_day_is_judged_in_its_own_slice(load: Callable[..., Policy], shipped: Policy) -> None:
    draft = load((SEX, "2028-03-20", "2026-11-15"))
    entries = [manifest(shipped, {"umum": "5"}, "jenis_kelamin", exchange=day, day=day) for day in ("2026-11-14", "2026-11-15", "2026-11-16")]
    assert [found.exchange for found in replayed(shipped, draft, *entries)] == ["2026-11-15", "2026-11-16"]


@pytest.fixture(scope="module")
def draft(load: Callable[..., Policy]) -> Policy:
    return load((SEX, ",5,2025-03-20", ",3,2026-11-10"), (BIRTH, ",2,2025", ",5,2025"))


CASES = st.lists(
    st.tuples(
        st.sampled_from(("siapkerja@kemnaker", "sijoker@sijunjung")),
        st.sampled_from(("perencanaan", "satu_data_daerah", "layanan_penempatan")),
        st.lists(st.sampled_from(("jenis_kelamin", "tanggal_lahir", "nik", "agama", "keterampilan")), min_size=1, unique=True),
        st.lists(st.sampled_from(("umum", "anak", "spesifik", "disabilitas", "keberatan")), min_size=1, unique=True),
        st.sampled_from((date(2026, 11, 2), DAY)),
        st.booleans(),
        st.randoms(use_true_random=False),
    ),
    max_size=6,
)


@given(CASES)
@settings(max_examples=60, deadline=None)
def test_counts_equal_levels_looked_up_one_by_one(draft: Policy, shipped: Policy, cases: list[Any]) -> None:
    entries, expected = [], {}
    for n, (recipient, purpose, columns, classes, day, exact, dice) in enumerate(cases):
        higher = lower = 0
        levels = dict.fromkeys(classes, "")
        for name, column in product(classes, columns):
            cell = Cell(recipient, "nk-sijunjung-2025", f"pencari_kerja.{column}", "terima", purpose, name, day)
            left = dice.randint(0, shipped.level(cell))  # a level that the contract cannot do steps down
            levels[name] += str(left)
            higher += draft.level(cell) > (shipped.level(cell) if exact else left)
            lower += draft.level(cell) < left
        sender = {"siapkerja@kemnaker": "sijoker@sijunjung"}.get(recipient, "siapkerja@kemnaker")
        entries.append(
            manifest(shipped if exact else None, levels, *columns, exchange=str(n), day=day.isoformat(), recipient=recipient, sender=sender, purpose=purpose)
        )
        expected[str(n)] = (higher, lower)
    found = {one.exchange: (one.higher, one.lower) for one in replayed(shipped, draft, *entries)}
    assert {**dict.fromkeys(expected, (0, 0)), **found} == expected


# --- words
ONE = Replayed(
    "e1", "nk-sijunjung-2025", "pencari_kerja", "perencanaan", "sijoker@sijunjung", "siapkerja@kemnaker", "2026-11-21", 7,
    decisions=186, higher=1, lower=12, columns_higher=("tanggal_lahir",), columns_lower=tuple("abcdefg"), refused=True, exact=True, unlisted=40,
)  # fmt: skip


def test_an_exchange_in_both_languages() -> None:
    flow = "e1, 21-11-2026, sijoker@sijunjung → siapkerja@kemnaker, nk-sijunjung-2025, pencari_kerja"
    assert replay_sentences(ONE) == (
        (f"{flow}, tujuan perencanaan: akan ditolak; 1 keputusan lebih tinggi (tanggal_lahir); 12 keputusan lebih rendah (a, b, c, d, e + 2 lainnya);"
        " 40 sel kelas baris lain berbeda"),
        (f"{flow}, purpose perencanaan: would be refused; 1 decision higher (tanggal_lahir); 12 decisions lower (a, b, c, d, e + 2 more);"
        " 40 cells of other row classes differ"),
    )


def test_what_does_not_differ_is_not_said() -> None:
    assert replay_sentences(ONE._replace(refused=False, higher=0, unlisted=None, columns_lower=tuple("abcde")))[1].endswith("perencanaan: 12 decisions lower (a, b, c, d, e)")


@pytest.mark.parametrize(("day", "may"), [("2026-10-31", False), ("2026-11-01", True), ("2026-11-30", True), ("2026-12-01", False)])
def test_a_manifest_of_another_day_need_not_be_read(day: str, *, may: bool) -> None:
    misleading = 'x","day":"2026-11-15'
    entry = manifest(None, {"umum": "5"}, misleading, day=day, clauses=[misleading])
    assert may_be_of(entry, date(2026, 11, 1), date(2026, 12, 1)) is may


def test_what_says_no_day_is_read_and_refused_there() -> None:
    assert may_be_of(manifest(None, {"umum": "5"}, "nik", day=7), SINCE, UNTIL)
