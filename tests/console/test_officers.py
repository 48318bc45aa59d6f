"""Officers, read only: of one's own party and the auditors from outside, to who confirms its keys."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.people.conftest import NAME

if TYPE_CHECKING:
    from tests.console.conftest import House

NK = "nk-sijunjung-2025"


@pytest.mark.parametrize("role", ["operator", "auditor", "pembuka_samaran", "administrator"])
def test_other_roles_are_refused(house: House, visitor: Any, role: str) -> None:
    officer = house.registry.active(role=role, party="" if role == "administrator" else "sijunjung")
    answer = visitor(officer).get("/petugas")
    assert answer.status_code == 403
    assert "/konsol/petugas" not in visitor(officer).get("").text


def test_who_nobody_vouches_for_is_refused(house: House, visitor: Any) -> None:
    answer = visitor(house.registry.active(role="ppdp")).get("/petugas")
    assert answer.status_code == 403
    assert "broker keys vouch" in answer.text


def test_ones_own_party_and_auditors_from_outside_are_listed_without_names(house: House, visitor: Any) -> None:
    admin = house.officer("admin_pihak")
    soon = house.town.now.date() + timedelta(days=30)
    invited = house.registry.invite(role="operator", appointment="800/77-BKD/2026", ends=soon)[0].id
    auditor = house.registry.invite(role="auditor", party="bpk", agreements=frozenset({NK}), ends=date(2027, 1, 1))[0].id
    elsewhere = house.registry.invite(role="auditor", party="inspektorat", agreements=frozenset({"nk-binjai-2025"}), ends=date(2027, 1, 1))[0].id
    stranger = house.officer("operator", "kemnaker").id
    page = visitor(admin).get("/petugas").text
    wanted = (admin.id, invited, auditor, "800/77-BKD/2026", "Segera berakhir", "Terdaftar dan dijamin sistem pihaknya", "Belum ada kunci", "Diundang")
    assert [text for text in wanted if text not in page] == []
    assert not any(text in page for text in (NAME, stranger, elsewhere))


def test_a_long_list_is_fifty_at_a_time(house: House, visitor: Any) -> None:
    admin = house.officer("admin_pihak")
    for _ in range(60):
        house.registry.invite(role="operator")
    one = visitor(admin)
    first, second = one.get("/petugas").text, one.get("/petugas?hal=2").text
    assert (first.count('<th scope="row">'), second.count('<th scope="row">')) == (50, 11)
    assert 'href="/konsol/petugas?hal=2"' in first
    for asked in ("0", "-1", "9999999999", "²", "<script>"):
        assert one.get(f"/petugas?hal={asked}").status_code == 200
