"""Keys of systems and of the broker: what holds, what waits, and that no page confirms anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from broker import ending, enrolment
from broker.enrolment import LIFE
from broker.jcs import canonical
from broker.model import WIB
from broker.rotation import by_host
from tests.conftest import NOW
from tests.peers.conftest import Keys
from tests.simulator import SIAPKERJA, SIJOKER, Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.console.conftest import House
    from tests.simulator import Province

NK = "nk-sijunjung-2025"


@pytest.fixture
def town(province: Province, tmp_path: Path) -> Iterator[Town]:
    """Keys for as long as people would have enrolled them."""
    town = Town(province, tmp_path, NOW, life=LIFE)
    yield town
    town.close()


@pytest.mark.parametrize("role", ["operator", "pembuka_samaran"])
def test_other_roles_are_refused(house: House, visitor: Any, role: str) -> None:
    assert visitor(house.officer(role)).get("/kunci").status_code == 403
    assert visitor(house.officer(role)).get(f"/kunci/{NK}/sertifikat").status_code == 403


def test_a_proposal_waits_and_its_fingerprint_is_shown_nowhere(house: House, visitor: Any) -> None:
    keys = Keys(house.town)
    public, _ = keys.made("baru")
    keys.propose(public)
    officer = house.officer("ppdp")
    page = visitor(officer).get("/kunci").text
    assert "800/4-DISNAKER/2026" in page
    assert f"broker keys confirm {SIJOKER} --fingerprint" in page
    assert public.fingerprint not in page
    assert public.fingerprint.replace(" ", "") not in page
    assert not any(key.kid in page for key in public.keys.values())
    assert f"Kunci baru {SIJOKER} menunggu pengesahan" in visitor(officer).get("").text
    others = visitor(house.officer("ppdp", "kemnaker"))
    assert "broker keys confirm" not in others.get("/kunci").text
    assert "menunggu pengesahan" not in others.get("").text
    assert '<form method="post" action="/konsol/kunci' not in page
    assert visitor(officer).post("/kunci", {"fingerprint": public.fingerprint, "system": SIJOKER}).status_code in (404, 405)
    assert keys.states() == ["active", "proposed"]
    house.town.now += timedelta(days=7, hours=1)
    assert "broker keys confirm" not in visitor(officer).get("/kunci").text


def test_a_key_of_the_brokers_that_others_may_hold_is_said_to_be_distrusted(house: House, visitor: Any) -> None:
    auditor, ring = house.officer("auditor", ends=None), house.town.office.rings[NK]
    kid = ring.active("log").kid
    assert "Tidak dipercaya sejak" not in visitor(auditor).get("/kunci").text
    for act in ({"act": "rotate", "purpose": "log"}, {"act": "distrust", "kid": kid, "since": "2026-11-20T10:00:00+07:00", "reason": "bocor"}):
        by_host(house.town.office, canonical({**act, "ring": NK}), house.town.now)
    assert "Tidak dipercaya sejak" in visitor(auditor).get("/kunci").text


def test_every_state_of_a_set_is_said_in_words(house: House, visitor: Any) -> None:
    keys, town = Keys(house.town), house.town
    auditor = house.officer("auditor", ends=None)
    assert ">Berlaku<" in visitor(auditor).get("/kunci").text
    keys.renewed("baru")
    page = visitor(auditor).get("/kunci").text
    assert "Diganti, masih berlaku dalam masa tumpang tindih" in page
    enrolment.revoke(town.office, None, SIAPKERJA, town.now, "bocor", town.now)
    page = visitor(auditor).get("/kunci").text
    assert all(text in page for text in ("Dicabut", ": bocor", "tidak dipercaya sejak"))
    assert f"{SIAPKERJA} tidak mempunyai kunci yang berlaku" in visitor(auditor).get("").text
    town.now += LIFE - timedelta(days=40)
    page = visitor(auditor).get("/kunci").text
    assert all(text in page for text in ("Segera berakhir", "Diganti, tidak berlaku lagi", "broker keys new"))
    town.now += timedelta(days=41)
    assert "Kedaluwarsa" in visitor(auditor).get("/kunci").text


def test_of_another_agreement_nothing_is_shown(house: House, visitor: Any) -> None:
    page = visitor(house.officer("admin_pihak")).get("/kunci").text
    assert "binjai" not in page


def test_the_end_of_an_agreement_waits_and_its_certificate_is_there(house: House, visitor: Any) -> None:
    town = house.town
    officers = [house.officer("ppdp", party, ends=None) for party in ("sijunjung", "kemnaker")]
    auditor = house.officer("auditor", ends=None)
    assert visitor(auditor).get(f"/kunci/{NK}/sertifikat").status_code == 404
    town.now = datetime(2028, 3, 21, 8, tzinfo=WIB)
    one = visitor(officers[0])
    assert f"broker keys approve-end -k {NK}" in one.get("/kunci").text
    assert "pemusnahan kuncinya menunggu" in one.get("").text
    ending.approve(town.office, house.registry.get(officers[0].id), NK, town.now)
    page = one.get("/kunci").text
    assert f"disetujui <code>{officers[0].id}</code>" in page
    assert "approve-end" not in page
    assert "pemusnahan kuncinya menunggu" not in one.get("").text
    ending.approve(town.office, house.registry.get(officers[1].id), NK, town.now)
    by_host(town.office, f'{{"act":"end","ring":"{NK}","typed":"{NK}"}}'.encode(), town.now)
    page = visitor(auditor).get("/kunci").text
    assert "Dimusnahkan" in page
    assert "approve-end" not in page
    found = visitor(auditor).get(f"/kunci/{NK}/sertifikat")
    assert found.headers["content-disposition"] == f'attachment; filename="pemusnahan-{NK}.json"'
    assert found.json()["payloadType"] == "application/vnd.sinergi.key-destruction+json"
