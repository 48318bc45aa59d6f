"""The first page: each thing that waits, is wrong or is due is told to whom it concerns, and to nobody else."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker.enrolment import revoke
from broker.errors import Refusal
from broker.lifecycle import new_draft, propose, resume, stop
from broker.model import utc_text
from broker.web.console.words import time_tag
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
        assert "2 pertukaran, 1 di antaranya ditolak." in page
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


def test_a_draft_waits_only_for_who_may_decide_it(house: House, visitor: Any) -> None:
    """Another party's change is none of theirs; one that changes no agreement is any approver's; one on an older version is nobody's until it is proposed anew."""
    town = house.town
    author, ours, both, theirs = (house.officer("petugas_keamanan", party) for party in ("sijunjung", "sijunjung", "kemnaker", "binjai"))
    person = house.registry.get(author.id)
    rule = f"K.uji,*,{NK},pencari_kerja.pendidikan_tertinggi,*,*,*,0,2025-03-20,2028-03-20,{NK}: Pasal 9 ayat (1),deny,tidak\n".encode()
    head, *rest = town.office.policy.rules.splitlines(keepends=True)
    changes, nothing = (new_draft(town.office, person, rules, town.now) for rules in (town.office.policy.rules + rule, b"".join([head, *reversed(rest)])))
    town.now += timedelta(days=1)
    propose(town.office, person, changes.id, town.now)
    town.now += timedelta(days=1)
    propose(town.office, person, nothing.id, town.now)
    town.exchange(town.csv(town.rows()))
    told = {officer.id: [draft.id in visitor(officer).get("").text for draft in (changes, nothing)] for officer in (ours, both, theirs)}
    assert told == {ours.id: [True, True], both.id: [True, True], theirs.id: [False, True]}
    with town.office.ledger.database.write() as tx:
        tx.versions.change_draft(changes.id, base=99)
    assert changes.id not in visitor(ours).get("").text


@pytest.mark.parametrize("how", ["stop", "party", "key"])
def test_until_when_a_breach_is_to_be_told_of_is_said_to_who_must(house: House, visitor: Any, how: str) -> None:
    town = house.town
    officer, kemnaker = house.officer("petugas_keamanan"), house.officer("ppdp", "kemnaker")
    others = [house.officer("operator"), house.officer("auditor"), house.officer("ppdp", "binjai")]
    if how == "key":
        revoke(town.office, None, SIJOKER, town.now, "bocor", town.now)
    else:
        stop(town.office, house.registry.get(officer.id), NK if how == "stop" else "sijunjung", town.now)
    words, due = "karena kegagalan pelindungan data pribadi", time_tag("id", utc_text(town.now + timedelta(hours=72)))
    page = visitor(kemnaker).get("").text
    assert (words in page, f"paling lambat {due}" in page) == (True, True)
    for other in others:
        assert words not in visitor(other).get("").text, other.id
    begun = town.now
    for hours, said in ((71, "paling lambat"), (72, "sudah jatuh tempo"), (7 * 24 + 1, "")):
        town.now = begun + timedelta(hours=hours)
        page = visitor(officer).get("").text
        assert (words in page, f"{said} {due}" in page) == (bool(said), bool(said)), hours


def test_a_stop_that_was_lifted_and_a_key_that_was_only_replaced(house: House, visitor: Any) -> None:
    """The duty to tell does not end with the stop; there is none where a system was closed."""
    town = house.town
    one, two = house.officer("petugas_keamanan"), house.officer("ppdp")
    revoke(town.office, None, SIAPKERJA, town.now, "sistem_ditutup", town.now)
    assert "kegagalan" not in visitor(one).get("").text
    held = stop(town.office, house.registry.get(one.id), NK, town.now)
    resume(town.office, house.registry.get(one.id), held.id, town.now)
    assert resume(town.office, house.registry.get(two.id), held.id, town.now)
    page = visitor(one).get("").text
    assert ("kegagalan pelindungan" in page, "dihentikan" in page) == (True, False)


def test_appointments_that_end_are_told(house: House, visitor: Any) -> None:
    soon = house.town.now.date() + timedelta(days=20)
    mine = house.officer("operator", ends=soon)
    assert "Penunjukan Anda berakhir" in visitor(mine).get("").text
    boss = house.officer("ppdp", ends=date(2028, 1, 1))
    page = visitor(boss).get("").text
    assert "Penunjukan 1 petugas pihak Anda segera berakhir." in page
    assert "Penunjukan Anda berakhir" not in page
    assert "petugas pihak Anda segera" not in visitor(house.officer("ppdp", "kemnaker")).get("").text
