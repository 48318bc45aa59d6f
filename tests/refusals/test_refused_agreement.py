"""What no agreement allows is refused with its clause, before any row is read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from broker.keys import KemKey, KemPublic
from tests.refusals.refusing import CANARY, assert_nowhere, signed
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER

if TYPE_CHECKING:
    from tests.refusals.refusing import Refuse
    from tests.simulator import Town

SIJUNJUNG, BINJAI, BROKER = "nk-sijunjung-2025", "nk-binjai-2025", "broker"
FIRST_SECOND = datetime(2025, 3, 19, 17, tzinfo=UTC)  # 20-03-2025 00.00 WIB
AFTER_LAST = datetime(2028, 3, 19, 17, tzinfo=UTC)  # 19-03-2028 24.00 WIB


@pytest.fixture
def data(town: Town) -> bytes:
    return town.csv(town.rows(n=3))


@pytest.mark.parametrize(
    ("asked", "reason", "facts"),
    [
        ({"agreement": f"nk-{CANARY}"}, "kesepakatan", {}),
        ({"dataset": CANARY}, "dataset", {}),
        ({"purpose": CANARY}, "tujuan", {"penerima": "kemnaker", "dataset": "pencari_kerja"}),
        ({"recipient": f"{CANARY}@kemnaker"}, "bukan_pihak", {"peran": "penerima", "kesepakatan": SIJUNJUNG}),
        ({"template": CANARY}, "templat", {"templat": "1.0.0"}),
    ],
)
def test_an_unknown_word_is_refused_and_echoed_nowhere(town: Town, data: bytes, asked: dict[str, str], reason: str, facts: dict[str, str]) -> None:
    body = town.submission(data, **asked)  # type: ignore[arg-type]
    with town.http() as http:
        answer = http.post("/v1/exchanges", content=body, headers=signed(town, body)).json()
    assert (answer["reason"], answer["facts"]) == (reason, facts)
    town.assert_refused(answer["exchange"], reason, BROKER if "agreement" in asked else SIJUNJUNG)
    assert_nowhere(town, str(answer))


def test_the_second_before_the_first_day_is_refused(town: Town, data: bytes, refuse: Refuse) -> None:
    town.now = FIRST_SECOND.replace(hour=16, minute=59, second=59)
    assert refuse(data, "belum_berlaku").facts == {"kesepakatan": SIJUNJUNG, "mulai": "2025-03-20"}


def test_the_second_after_the_last_day_is_refused(town: Town, data: bytes, refuse: Refuse) -> None:
    town.now = AFTER_LAST
    assert refuse(data, "berakhir").facts == {"kesepakatan": SIJUNJUNG, "akhir": "2028-03-19"}


@pytest.mark.parametrize("now", [FIRST_SECOND, AFTER_LAST.replace(hour=16, minute=59, second=59)], ids=["first", "last"])
def test_the_first_and_the_last_second_of_the_term_are_inside_it(town: Town, now: datetime) -> None:
    town.now = now
    name, _ = town.exchange(town.csv(town.rows(n=3)))
    assert town.row(name).state == "recorded"


def test_wlkp_is_outside_pasal_4_of_sijunjung(town: Town, refuse: Refuse) -> None:
    found = refuse(town.csv(town.rows("wlkp", 3, party="binjai", agreement=BINJAI), "wlkp"), "ruang_lingkup", dataset="wlkp")
    assert found.facts == {"dataset": "wlkp", "kesepakatan": SIJUNJUNG}
    assert found.pasal == "Pasal 4 huruf a"


def test_industrial_disputes_are_outside_pasal_4_of_binjai(town: Town, refuse: Refuse) -> None:
    rows = town.csv(town.rows("perselisihan_hi", 3), "perselisihan_hi")
    found = refuse(rows, "ruang_lingkup", log=BINJAI, agreement=BINJAI, dataset="perselisihan_hi", sender=SIBUSER)
    assert found.facts == {"dataset": "perselisihan_hi", "kesepakatan": BINJAI}


def test_a_dataset_does_not_flow_the_wrong_way(town: Town, refuse: Refuse) -> None:
    agreement = town.office.agreements[BINJAI]
    sender, recipient, dataset = next((a, b, d) for d, pairs in sorted(agreement.directions.items()) for b, a in pairs if (a, b) not in pairs)
    rows = town.csv(town.rows(dataset, 3, party=sender, agreement=BINJAI), dataset)
    found = refuse(rows, "arah", log=BINJAI, agreement=BINJAI, dataset=dataset, sender=agreement.systems[sender], recipient=agreement.systems[recipient])
    assert found.facts == {"dataset": dataset, "pengirim": sender, "penerima": recipient}


@pytest.mark.parametrize("purpose", ["", "  "])
def test_a_purpose_must_be_named(data: bytes, refuse: Refuse, purpose: str) -> None:
    refuse(data, "tujuan_kosong", purpose=purpose)


@pytest.mark.parametrize("purpose", ["layanan", "Perencanaan", "perencanaan "])
def test_an_unlisted_purpose_is_refused(data: bytes, refuse: Refuse, purpose: str) -> None:
    assert refuse(data, "tujuan", purpose=purpose).facts == {"penerima": "kemnaker", "dataset": "pencari_kerja"}


@pytest.mark.parametrize("basis", [None, "", "   "])
def test_a_purpose_that_needs_a_legal_basis_is_refused_without_one(town: Town, refuse: Refuse, basis: str | None) -> None:
    agreement, purpose, dataset, sender, recipient = needing_basis(town)
    rows = town.csv(town.rows(dataset, 3, party=sender.partition("@")[2], agreement=agreement), dataset)
    found = refuse(rows, "dasar", log=agreement, agreement=agreement, dataset=dataset, purpose=purpose, sender=sender, recipient=recipient, basis=basis)
    assert found.facts == {"tujuan": purpose}


def needing_basis(town: Town) -> tuple[str, str, str, str, str]:
    """Agreement, purpose, dataset, sender and recipient of a purpose that needs a legal basis."""
    return next(
        (a.id, p.code, dataset, a.systems[sender], a.systems[recipient])
        for a in town.office.agreements.values()
        for p in a.purposes
        if p.needs_basis
        for dataset in sorted(p.datasets)
        for sender, recipient in a.directions[dataset]
        if recipient in p.recipients
    )


def test_a_third_party_does_not_receive_without_consent(data: bytes, refuse: Refuse) -> None:
    found = refuse(data, "bukan_pihak", recipient=SIBUSER)
    assert found.facts == {"peran": "penerima", "kesepakatan": SIJUNJUNG}
    assert found.pasal == "Pasal 9 ayat (2)"


def test_sijunjungs_rows_are_not_offered_to_binjai(data: bytes, refuse: Refuse) -> None:
    assert refuse(data, "bukan_pihak", log=BINJAI, agreement=BINJAI, recipient=SIBUSER).facts["peran"] == "pengirim"


def test_sender_and_recipient_must_differ(data: bytes, refuse: Refuse) -> None:
    assert refuse(data, "pengirim_penerima", recipient=SIJOKER).pasal == "Pasal 9 ayat (2)"


# --- the sealed payload and the statement over it
def test_a_payload_sealed_to_a_partys_key_does_not_open(town: Town, data: bytes, refuse: Refuse) -> None:

    refuse(data, "tidak_terbuka", sealed_to=town.office.peers[SIAPKERJA].get(KemPublic, "kem"))


def test_a_payload_sealed_for_another_agreement_does_not_open(town: Town, data: bytes, refuse: Refuse) -> None:

    refuse(data, "tidak_terbuka", sealed_to=town.office.rings[BINJAI].get(KemKey, "kem").public)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("agreement", BINJAI), ("dataset", "wlkp"), ("sender", SIBUSER), ("recipient", SIBUSER), ("purpose", "layanan"), ("template", "0.9.0"),
        ("content_type", "application/x-ndjson"), ("kind", "pengungkapan"),
    ],
)  # fmt: skip
def test_an_envelope_whose_header_says_otherwise_than_its_statement_is_refused(data: bytes, refuse: Refuse, field: str, value: str) -> None:
    refuse(data, "pernyataan", core={field: value})


def test_a_statement_signed_by_another_system_is_refused(data: bytes, refuse: Refuse) -> None:
    refuse(data, "pernyataan", signer=SIBUSER)


def test_a_statement_over_another_envelope_is_refused(data: bytes, refuse: Refuse) -> None:
    refuse(data, "pernyataan", statement={"envelope_sha256": "00" * 32})


@pytest.mark.parametrize("statement", [{"type": "sinergi/statement/v2"}, {"created": 1}, {CANARY: "x"}, {"dataset": None}, {"basis": 7}])
def test_a_statement_of_another_shape_is_refused(data: bytes, refuse: Refuse, statement: dict[str, object]) -> None:
    refuse(data, "bentuk_kiriman", statement=statement)
