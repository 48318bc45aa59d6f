"""`broker doctor` in an officer's home asks what matters to an officer, and of no system's files."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

import pytest

from broker import people
from broker.cli.say import fitted
from broker.client import create_home
from broker.client.doctor import examine
from tests.simulator import URL

if TYPE_CHECKING:
    from broker.client.doctor import Finding
    from tests.simulator import Town


@pytest.mark.parametrize(
    ("role", "enrolled", "voucher", "ok", "told"),
    [
        ("auditor", False, False, False, "tidak mengenal kunci Anda"),
        ("auditor", True, False, False, "belum menjaminnya"),
        ("auditor", True, True, True, "boleh membaca kebijakan dan log"),
        ("operator", True, True, True, "peran Anda tidak mencakup"),
    ],
)
def test_an_officer_is_told_whether_they_are_known_and_vouched_for(town: Town, role: str, enrolled: bool, voucher: bool, ok: bool, told: str) -> None:
    asked = people.Invitation(role, "sijunjung", "SK-12/2026", date(2026, 1, 1), None, frozenset(), "Nama Petugas")
    person, _ = people.invite(town.office, asked, town.now)
    home = town.folder / person.id
    public = create_home(home, person.id, URL, town.now)
    shutil.copy(town.province.home / "public.json", home / "broker.json")
    if enrolled:
        people.enrol_key(town.office, person.id, public.to_json(), public.fingerprint, town.now, town.voucher(public) if voucher else None)
    with town.http() as http:
        found: list[Finding] = examine(home, town.now, http)
    assert (found[-1].ok, told in found[-1].what, all(one.ok for one in found[:-1])) == (ok, True, True)
    said = " ".join(one.what + one.remedy for one in found)
    assert "Kunci petugas" in said
    assert not [word for word in ("Kunci sistem", "broker send", "keys enrol ", "Kiriman") if word in said]
    assert ok or "--voucher" in found[-1].remedy


def test_a_line_is_broken_between_words_and_an_id_stays_whole() -> None:
    name = "a" * 90
    assert fitted(f"  {'kata ' * 20}{name} akhir", 40).splitlines() == ["  " + "kata " * 6 + "kata", *["    " + "kata " * 6 + "kata"] * 1, "    " + "kata " * 5 + "kata", f"    {name}", "    akhir"]
    assert max(map(len, fitted("kata " * 50, 80).splitlines())) <= 80
