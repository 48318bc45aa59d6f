"""The first page: each thing that waits, is wrong or is due is told to whom it concerns, and to nobody else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker.errors import Refusal
from broker.lifecycle import new_draft, propose, stop
from broker.model import utc_text
from tests.simulator import SIAPKERJA, SIJOKER

if TYPE_CHECKING:
    from tests.console.conftest import House

NK = "nk-sijunjung-2025"


def test_nothing_waits_and_nothing_is_wrong(house: House, visitor: Any) -> None:
    page = visitor(house.officer("operator")).get("").text
    assert "Tidak ada yang menunggu Anda. Tidak ada yang tidak beres." in page
    assert "Tidak ada pertukaran yang ditolak." in page
    assert "Nothing waits for you." in visitor(house.officer("operator")).get("?bahasa=en").text


def test_a_log_without_witnesses_is_told_to_who_reads_it(house: House, visitor: Any) -> None:
    assert "tidak mempunyai saksi" in visitor(house.officer("auditor")).get("").text
    assert "tidak mempunyai saksi" not in visitor(house.officer("operator")).get("").text


def test_what_arrived_and_what_was_refused_is_told_to_each_side(house: House, visitor: Any) -> None:
    town = house.town
    town.exchange(town.csv(town.rows()))
    rows = [["bukan nik", *row[1:]] for row in town.rows()]
    with pytest.raises(Refusal):
        town.exchange(town.csv(rows))
    sender, recipient = visitor(house.officer("operator")).get("").text, visitor(house.officer("operator", "kemnaker")).get("").text
    assert f"1 kiriman {SIJOKER} ditolak dalam 7 hari terakhir." in sender
    assert f'<a href="/konsol/kotak-masuk">1 kiriman menunggu diambil {SIAPKERJA}.</a>' in recipient
    assert "kiriman menunggu diambil" not in sender
    for page in (sender, recipient):
        assert "2 pertukaran, 1 di antaranya ditolak." in " ".join(page.split())
        assert '<th scope="row">Pasal 6 ayat (1) huruf c</th>' in page
    other = visitor(house.officer("operator", "binjai")).get("").text
    assert "Tidak ada pertukaran yang ditolak." in other
    town.now += timedelta(days=8)
    assert "Tidak ada pertukaran yang ditolak." in visitor(house.officer("auditor")).get("").text


def test_a_refusal_among_others_is_told_only_to_who_reads_the_log(house: House, visitor: Any) -> None:
    town, at = house.town, utc_text(house.town.now)
    with town.office.ledger.writing() as book:
        book.tx.add_exchange(
            id="ab" * 16, state="refused", sender="lain@lain", recipient="asing@lain", agreement=NK, dataset="wlkp", purpose="perencanaan", accepted=at, changed=at,
            submission_sha256="00", idempotency="x", problem='{"reason":"kosong","pasal":"Pasal 6","facts":{}}',
        )  # fmt: skip
    assert "Berkas tidak berisi baris." not in visitor(house.officer("operator")).get("").text
    assert "Berkas tidak berisi baris." in visitor(house.officer("auditor")).get("").text


def test_a_proposed_draft_waits_for_every_other_who_may_approve(house: House, visitor: Any) -> None:
    town = house.town
    author, other = house.officer("petugas_keamanan"), house.officer("petugas_keamanan")
    rules = town.office.policy.rules + f"K.uji,*,{NK},pencari_kerja.pendidikan_tertinggi,*,*,*,0,2025-03-20,2028-03-20,{NK}: Pasal 9 ayat (1),deny,tidak\n".encode()
    person = house.registry.get(author.id)
    draft = new_draft(town.office, person, rules, town.now)
    assert draft.id not in visitor(other).get("").text
    propose(town.office, person, draft.id, town.now)
    assert f'href="/konsol/kebijakan/{draft.id}/setujui"' in visitor(other).get("").text
    assert draft.id not in visitor(author).get("").text
    assert draft.id not in visitor(house.officer("auditor")).get("").text


def test_a_stop_is_told_to_everyone_it_concerns(house: House, visitor: Any) -> None:
    officer = house.officer("petugas_keamanan")
    stop(house.town.office, house.registry.get(officer.id), NK, house.town.now)
    assert f"Pelepasan {NK} dihentikan {officer.id}" in visitor(house.officer("operator", "kemnaker")).get("").text
    assert "dihentikan" not in visitor(house.officer("operator", "binjai")).get("").text


def test_appointments_that_end_are_told(house: House, visitor: Any) -> None:
    soon = house.town.now.date() + timedelta(days=20)
    mine = house.officer("operator", ends=soon)
    assert "Penunjukan Anda berakhir" in visitor(mine).get("").text
    boss = house.officer("ppdp", ends=date(2028, 1, 1))
    page = visitor(boss).get("").text
    assert "Penunjukan 1 petugas pihak Anda segera berakhir." in page
    assert "Penunjukan Anda berakhir" not in page
    assert "petugas pihak Anda segera" not in visitor(house.officer("ppdp", "kemnaker")).get("").text
