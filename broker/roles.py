"""Roles, the words their account ids begin with, and which act each may do."""

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

# role → the word its account ids begin with
WORDS: Final = MappingProxyType(
    {
        "operator": "operator",
        "admin_pihak": "admin",
        "auditor": "auditor",
        "petugas_keamanan": "petugas",
        "ppdp": "ppdp",
        "administrator": "pengelola",
        "pembuka_samaran": "pembuka",
    }
)
BODIES: Final = ("bpk", "inspektorat")  # external auditors: party to nothing, one agreement, an end


def may(person: Person, act: str, agreement: str, day: date) -> bool:
    """Whether the person's role covers the act, for that agreement, on that day. agreement: '' for `kelola_akun`, which is of none."""
    if act not in MAY.get(person.role, frozenset()) or not person.in_office(day):
        return False
    return agreement == "" if act == "kelola_akun" else agreement in person.agreements
