"""Which act each role may do: the one table, below the flow, which asks it of who stands behind a sending from the console."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from broker.model import Person

MAY: Final = MappingProxyType(
    {
        "operator": frozenset({"baca_data", "kirim", "minta_identitas"}),
        "admin_pihak": frozenset({"baca_log", "hentikan", "sahkan_kunci"}),
        "auditor": frozenset({"baca_log", "cari_subjek"}),
        "petugas_keamanan": frozenset({"baca_log", "tulis_kebijakan", "setujui_kebijakan", "hentikan", "sahkan_kunci"}),
        "ppdp": frozenset({"baca_log", "cari_subjek", "hapus_subjek", "setujui_kebijakan", "hentikan", "sahkan_kunci"}),
        "administrator": frozenset({"kelola_akun"}),
        "pembuka_samaran": frozenset({"buka_samaran"}),
    }
)


def may(person: Person, act: str, agreement: str, day: date) -> bool:
    """Whether the person's role covers the act, for that agreement, on that day. agreement: '' for `kelola_akun`, which is of none."""
    if act not in MAY.get(person.role, frozenset()) or not person.in_office(day):
        return False
    return agreement == "" if act == "kelola_akun" else agreement in person.agreements
