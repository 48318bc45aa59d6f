"""Step 2: what is inside an agreement passes with its clauses; everything else is refused with the agreement's own clause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from broker.agreement import WARNINGS, agree, clause_exists, load_agreements, sealed_in_x25519
from broker.errors import Refusal
from broker.model import WIB, Request, System

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.model import Agreement, Terms

AGREEMENTS = load_agreements(Path(__file__).parents[2] / "policies" / "agreements")
DATASETS = ("pencari_kerja", "lowongan", "pemberi_kerja", "penduduk_bekerja", "pelatihan", "penempatan", "perselisihan_hi", "wlkp", "jkp")
TEMPLATES = {name: f"{name}-1" for name in DATASETS}
SIJUNJUNG, BINJAI, KEMNAKER = "sijoker@sijunjung", "sibuser@binjai", "siapkerja@kemnaker"
CANARY = "1303019901019001"
NOON = datetime(2025, 11, 21, 12, tzinfo=WIB)

FROM_SIJUNJUNG = Request(
    agreement="nk-sijunjung-2025",
    dataset="pencari_kerja",
    template="pencari_kerja-1",
    sender=SIJUNJUNG,
    recipient=KEMNAKER,
    purpose="perencanaan",
    basis=None,
    content_type="text/csv",
)
FROM_BINJAI = replace(FROM_SIJUNJUNG, agreement="nk-binjai-2025", sender=BINJAI, basis="UU 13/2003 Pasal 7")
REQUESTS = {"sijunjung": FROM_SIJUNJUNG, "binjai": FROM_BINJAI}


def with_x25519(agreement: str, party: str, until: date) -> dict[str, Agreement]:
    """The agreements, one of which names X25519 for a party."""
    named = AGREEMENTS[agreement]
    sealing = {party: {"clause": "Pasal 14", "suite": "X25519/HKDF-SHA256/AES-256-GCM", "until": until}}
    return {**AGREEMENTS, agreement: replace(named, clauses={**named.clauses, "sealing": sealing})}


def terms(request: Request, now: datetime = NOON, templates: Mapping[str, str] = TEMPLATES) -> Terms:
    return agree(request, AGREEMENTS, templates, now)


def refused(request: Request, now: datetime = NOON, templates: Mapping[str, str] = TEMPLATES) -> tuple[str, str]:
    """Reason and clause; the texts must format and hold nothing the caller alone could have written."""
    with pytest.raises(Refusal) as caught:
        terms(request, now, templates)
    refusal = caught.value
    assert CANARY not in f"{refusal} {refusal.indonesian} {refusal.english} {refusal.facts}"
    assert request.agreement not in AGREEMENTS or clause_exists(AGREEMENTS[request.agreement], refusal.pasal)
    return refusal.reason, refusal.pasal


def test_a_request_inside_the_agreement_gets_its_terms() -> None:
    granted = terms(FROM_SIJUNJUNG)
    assert granted.agreement is AGREEMENTS["nk-sijunjung-2025"]
    assert (granted.sender, granted.recipient) == (System(SIJUNJUNG), System(KEMNAKER))
    assert (granted.dataset, granted.template, granted.purpose.code) == ("pencari_kerja", "pencari_kerja-1", "perencanaan")
    assert granted.day == date(2025, 11, 21)
    assert granted.clauses == ("Pasal 8 ayat (1)", "Pasal 4 huruf a angka 1", "Lampiran 2a", "Pasal 6 ayat (2) huruf d")


def test_the_other_way_cites_the_ministrys_access() -> None:
    back = replace(FROM_SIJUNJUNG, sender=KEMNAKER, recipient=SIJUNJUNG, purpose="layanan_penempatan", basis="UU 13/2003 Pasal 35")
    assert terms(back).clauses == ("Pasal 8 ayat (1)", "Pasal 4 huruf a angka 1", "Lampiran 2b", "Pasal 1 ayat (1)")


def test_binjais_purpose_cites_the_paragraph_only_binjai_has() -> None:
    assert terms(FROM_BINJAI).clauses[-1] == "Pasal 6 ayat (3) huruf d"


def test_several_clauses_of_a_purpose_are_cited_one_by_one() -> None:
    benefit = replace(FROM_BINJAI, dataset="jkp", template="jkp-1", sender=KEMNAKER, recipient=BINJAI, purpose="layanan_jkp")
    assert terms(benefit).clauses == (
        "Pasal 8 ayat (1)",
        "Pasal 4 huruf a angka 8",
        "Lampiran 2b",
        "Pasal 2 ayat (2) huruf a",
        "Pasal 6 ayat (3) huruf d",
    )


# The term: half-open on the next WIB day.


def test_an_unknown_agreement_is_refused() -> None:
    assert refused(replace(FROM_SIJUNJUNG, agreement=CANARY)) == ("kesepakatan", "Pasal 8 ayat (1)")


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_the_term_begins_with_the_first_second_of_the_first_day(request_: Request) -> None:
    first = datetime(2025, 3, 20, tzinfo=WIB)
    assert terms(request_, first).day == date(2025, 3, 20)
    assert refused(request_, first - timedelta(microseconds=1)) == ("belum_berlaku", "Pasal 15 ayat (2)")


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_the_term_ends_with_the_last_second_of_the_last_day(request_: Request) -> None:
    after = datetime(2028, 3, 20, tzinfo=WIB)
    assert terms(request_, after - timedelta(microseconds=1)).day == date(2028, 3, 19)
    assert refused(request_, after) == ("berakhir", "Pasal 8 ayat (1)")


def test_the_day_is_wib_whatever_zone_the_clock_is_in() -> None:
    assert terms(FROM_SIJUNJUNG, datetime(2025, 3, 19, 17, tzinfo=UTC)).day == date(2025, 3, 20)
    assert refused(FROM_SIJUNJUNG, datetime(2028, 3, 19, 17, tzinfo=UTC))[0] == "berakhir"


# The parties.


@pytest.mark.parametrize("stranger", [CANARY, "", "kemnaker", "sijoker", "siapkerja@sijunjung", "SIAPkerja@kemnaker", "siapkerja@kemnaker ", "karirhub@kemnaker"])
def test_only_the_registered_system_of_a_party_takes_part(stranger: str) -> None:
    assert refused(replace(FROM_SIJUNJUNG, sender=stranger)) == ("bukan_pihak", "Pasal 9 ayat (2)")
    assert refused(replace(FROM_SIJUNJUNG, recipient=stranger)) == ("bukan_pihak", "Pasal 9 ayat (2)")


def test_the_refusal_says_which_role_is_the_stranger() -> None:
    for role, request in (("pengirim", replace(FROM_SIJUNJUNG, sender=BINJAI)), ("penerima", replace(FROM_SIJUNJUNG, recipient=BINJAI))):
        with pytest.raises(Refusal) as caught:
            terms(request)
        assert caught.value.facts == {"peran": role, "kesepakatan": "nk-sijunjung-2025"}


@pytest.mark.parametrize("agreement", AGREEMENTS)
@pytest.mark.parametrize("dataset", DATASETS)
def test_no_agreement_holds_both_regions(agreement: str, dataset: str) -> None:
    across = replace(FROM_SIJUNJUNG, agreement=agreement, dataset=dataset, template=TEMPLATES[dataset], sender=SIJUNJUNG, recipient=BINJAI)
    assert refused(across) == ("bukan_pihak", "Pasal 9 ayat (2)")
    assert refused(replace(across, sender=BINJAI, recipient=SIJUNJUNG)) == ("bukan_pihak", "Pasal 9 ayat (2)")


@pytest.mark.parametrize("system", [SIJUNJUNG, KEMNAKER])
def test_a_party_does_not_send_to_itself(system: str) -> None:
    assert refused(replace(FROM_SIJUNJUNG, sender=system, recipient=system)) == ("pengirim_penerima", "Pasal 9 ayat (2)")


# Scope and direction.


def test_a_dataset_of_no_contract_is_refused_and_not_repeated() -> None:
    assert refused(replace(FROM_SIJUNJUNG, dataset=CANARY)) == ("dataset", "Pasal 4 huruf a")


def test_a_dataset_in_scope_without_a_contract_is_refused() -> None:
    assert refused(FROM_SIJUNJUNG, templates={"lowongan": "lowongan-1"}) == ("dataset", "Pasal 4 huruf a")


@pytest.mark.parametrize(
    ("request_", "dataset"),
    [(FROM_SIJUNJUNG, "wlkp"), (FROM_SIJUNJUNG, "jkp"), (FROM_BINJAI, "perselisihan_hi")],
    ids=["company reports to Sijunjung", "benefits to Sijunjung", "disputes to Binjai"],
)
def test_a_dataset_pasal_4_does_not_name_is_refused_both_ways(request_: Request, dataset: str) -> None:
    out = replace(request_, dataset=dataset, template=TEMPLATES[dataset])
    assert refused(out) == ("ruang_lingkup", "Pasal 4 huruf a")
    assert refused(replace(out, sender=out.recipient, recipient=out.sender)) == ("ruang_lingkup", "Pasal 4 huruf a")


def test_the_scope_refusal_points_to_the_addendum() -> None:
    with pytest.raises(Refusal, match="wlkp belum disebut dalam Pasal 4 nk-sijunjung-2025; perlu adendum"):
        terms(replace(FROM_SIJUNJUNG, dataset="wlkp"))


@pytest.mark.parametrize(
    ("request_", "dataset", "clause"),
    [
        (replace(FROM_SIJUNJUNG, sender=KEMNAKER, recipient=SIJUNJUNG), "penempatan", "Lampiran 2b"),
        (replace(FROM_SIJUNJUNG, sender=KEMNAKER, recipient=SIJUNJUNG), "perselisihan_hi", "Lampiran 2b"),
        (FROM_BINJAI, "wlkp", "Lampiran 2a"),
        (FROM_BINJAI, "jkp", "Lampiran 2a"),
    ],
    ids=["placements back", "disputes back", "company reports up", "benefits up"],
)
def test_a_dataset_does_not_flow_against_its_direction(request_: Request, dataset: str, clause: str) -> None:
    assert refused(replace(request_, dataset=dataset, template=TEMPLATES[dataset])) == ("arah", clause)


def test_the_direction_refusal_names_both_parties_in_order() -> None:
    with pytest.raises(Refusal, match="penempatan tidak mengalir dari kemnaker ke sijunjung"):
        terms(replace(FROM_SIJUNJUNG, dataset="penempatan", sender=KEMNAKER, recipient=SIJUNJUNG))


# Purpose, basis, template.


@pytest.mark.parametrize("purpose", ["", "  ", "\t"])
def test_an_empty_purpose_is_refused(purpose: str) -> None:
    assert refused(replace(FROM_SIJUNJUNG, purpose=purpose)) == ("tujuan_kosong", "Pasal 6 ayat (2) huruf d")
    assert refused(replace(FROM_BINJAI, purpose=purpose)) == ("tujuan_kosong", "Pasal 6 ayat (3) huruf d")


@pytest.mark.parametrize(
    ("purpose", "why"),
    [
        (CANARY, "no code of the table"),
        ("Perencanaan", "another spelling"),
        ("layanan_wlkp", "only the other agreement lists it"),
        ("layanan_penempatan", "the ministry gets no service purpose for Sijunjung's rows"),
        ("satu_data_daerah", "another recipient's"),
    ],
)
def test_a_purpose_not_listed_for_the_recipient_is_refused(purpose: str, why: str) -> None:
    assert refused(replace(FROM_SIJUNJUNG, purpose=purpose, basis="UU 13/2003")) == ("tujuan", "Pasal 6 ayat (2) huruf d"), why


def test_a_purpose_not_listed_for_the_dataset_is_refused() -> None:
    placements = replace(FROM_BINJAI, dataset="penempatan", template="penempatan-1", purpose="layanan_pelatihan")
    assert refused(placements) == ("tujuan", "Pasal 6 ayat (3) huruf d")


def test_the_regions_purposes_are_bounded_by_the_aims_in_sijunjung() -> None:
    back = replace(FROM_SIJUNJUNG, sender=KEMNAKER, recipient=SIJUNJUNG)
    assert refused(back) == ("tujuan", "Pasal 1 ayat (2)")


@pytest.mark.parametrize("basis", [None, "", "   "])
def test_a_purpose_that_needs_a_basis_is_refused_without_one(basis: str | None) -> None:
    assert refused(replace(FROM_BINJAI, basis=basis)) == ("dasar", "Pasal 6 ayat (3) huruf d")
    assert refused(replace(FROM_SIJUNJUNG, purpose="penurunan_pengangguran", basis=basis)) == ("dasar", "Pasal 1 ayat (2) huruf a")


def test_a_stated_purpose_needs_no_basis() -> None:
    assert terms(replace(FROM_SIJUNJUNG, basis=None)).basis is None


@pytest.mark.parametrize("template", ["", "pencari_kerja-2", "lowongan-1", CANARY])
def test_another_template_version_is_refused_and_the_current_one_named(template: str) -> None:
    old = replace(FROM_SIJUNJUNG, template=template)
    assert refused(old) == ("templat", "Lampiran 2a")
    with pytest.raises(Refusal, match="pakai pencari_kerja-1"):
        terms(old)


# The order: every reason shows while all later ones hold too.

WRONG = [
    ("kesepakatan", {"agreement": "nk-lain-2025"}),
    ("bukan_pihak", {"recipient": "lain@lain"}),
    ("dataset", {"dataset": "lain"}),
    ("tujuan", {"purpose": "lain"}),
    ("templat", {"template": "lain"}),
]


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_the_first_reason_in_order_is_the_one_given(first: int) -> None:
    request = FROM_SIJUNJUNG
    for _, change in WRONG[first:]:
        request = replace(request, **change)
    assert refused(request)[0] == WRONG[first][0]


def test_the_term_is_judged_before_the_parties() -> None:
    assert refused(replace(FROM_SIJUNJUNG, sender=BINJAI), datetime(2030, 1, 1, tzinfo=WIB))[0] == "berakhir"


# Everything that passes was listed, and nothing else passes.


def test_exactly_the_listed_combinations_pass() -> None:
    systems = (SIJUNJUNG, BINJAI, KEMNAKER)
    codes = sorted({p.code for a in AGREEMENTS.values() for p in a.purposes})
    passed = set()
    for agreement, dataset, sender, recipient, purpose in product(AGREEMENTS, DATASETS, systems, systems, codes):
        asked = Request(agreement, dataset, TEMPLATES[dataset], sender, recipient, purpose, "UU 13/2003", "text/csv")
        try:
            terms(asked)
        except Refusal:
            continue
        passed.add((agreement, dataset, sender.partition("@")[2], recipient.partition("@")[2], purpose))
    listed = {
        (a.id, dataset, sender, recipient, p.code)
        for a in AGREEMENTS.values()
        for p in a.purposes
        for dataset in p.datasets
        for sender, recipient in a.directions[dataset]
        if recipient in p.recipients
    }
    assert passed == listed
    assert len(passed) > 50


# Warnings.


def test_sijunjungs_work_plan_lapses_after_a_year_and_warns_without_blocking() -> None:
    lapse = datetime(2026, 3, 20, tzinfo=WIB)
    assert "rencana_kerja_lewat" not in terms(FROM_SIJUNJUNG, lapse - timedelta(microseconds=1)).warnings
    assert "rencana_kerja_lewat" in terms(FROM_SIJUNJUNG, lapse).warnings
    assert "rencana_kerja_lewat" not in terms(FROM_BINJAI, lapse).warnings


def test_an_inferred_direction_and_an_inferred_purpose_warn() -> None:
    assert terms(FROM_SIJUNJUNG).warnings == ("arah_disimpulkan",)
    assert terms(FROM_BINJAI).warnings == ("arah_disimpulkan", "tujuan_disimpulkan")


def test_the_last_thirty_days_warn() -> None:
    last = datetime(2028, 3, 19, 12, tzinfo=WIB)
    assert "masa_berlaku_segera_habis" in terms(FROM_BINJAI, last).warnings
    assert "masa_berlaku_segera_habis" in terms(FROM_BINJAI, last - timedelta(days=29)).warnings
    assert "masa_berlaku_segera_habis" not in terms(FROM_BINJAI, last - timedelta(days=30)).warnings


def test_x25519_holds_for_the_party_that_the_agreement_names_until_its_day_and_warns() -> None:
    until = date(2027, 6, 30)
    noon = datetime(2027, 6, 30, 12, tzinfo=WIB)
    named = with_x25519("nk-sijunjung-2025", "kemnaker", until)
    agreement = named["nk-sijunjung-2025"]
    assert [sealed_in_x25519(agreement, party, until) for party in ("kemnaker", "sijunjung", "binjai")] == [True, False, False]
    assert not sealed_in_x25519(agreement, "kemnaker", until + timedelta(days=1))
    assert not sealed_in_x25519(AGREEMENTS["nk-sijunjung-2025"], "kemnaker", until)
    assert "segel_x25519" in agree(FROM_SIJUNJUNG, named, TEMPLATES, noon).warnings
    assert "segel_x25519" not in agree(FROM_SIJUNJUNG, named, TEMPLATES, noon + timedelta(days=1)).warnings
    assert "segel_x25519" not in agree(FROM_BINJAI, named, TEMPLATES, noon).warnings


def test_every_warning_has_its_texts() -> None:
    last = datetime(2028, 3, 19, tzinfo=WIB)
    named = with_x25519("nk-sijunjung-2025", "kemnaker", last.date())
    given = {w for request in REQUESTS.values() for w in agree(request, named, TEMPLATES, last).warnings}
    assert given == set(WARNINGS)
