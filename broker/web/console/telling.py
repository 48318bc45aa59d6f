"""What the auditors' pages say of log entries: datasets, purposes, levels, outcomes and refusals in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from broker.agreement import WARNINGS
from broker.errors import REASONS, Refusal
from broker.ledger.words import entry_words
from broker.model import MAP, MAP_NAME
from broker.web.console.words import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.web.console.shell import Shell, Visit

LEVELS: Final = (N_("sembunyi"), N_("masker"), N_("generalisasi"), N_("samaran"), N_("samaran berformat"), N_("jelas"))
OUTCOMES: Final = {
    "terkirim": N_("diserahkan"), "ditahan_asal": N_("ditahan: baris kesepakatan atau pihak lain"), "ditahan_aturan": N_("ditahan: melanggar aturan templat"),
    "ditahan_salah_tempat": N_("ditahan: nomor identitas di kolom yang salah"), "ditahan_deteksi": N_("ditahan: pendeteksian tidak selesai"),
}  # fmt: skip
DECISIONS: Final = {"dirilis": N_("dirilis"), "ditahan": N_("ada baris ditahan"), "ditolak": N_("ditolak")}

FLAGS: Final = {  # of rows, as ROW_FLAGS
    "anak": N_("anak (di bawah 18 tahun)"), "spesifik": N_("memuat data spesifik"), "spesifik_kolom": N_("memuat kolom spesifik"), "disabilitas": N_("penyandang disabilitas"),
    "perorangan": N_("pemberi kerja perorangan"), "keberatan": N_("subjek berkeberatan"),
}  # fmt: skip

NUMBER: Final = N_("nomor identitas tidak boleh di sini")
# What `ungkapan` says is wrong, here so that it is said in English too.
FAULTS: Final = (
    NUMBER, N_("terlalu panjang"), N_("tanda tidak dikenal"), N_("dan, atau, atau akhir ungkapan diharapkan"), N_("terlalu banyak tanda kurung"), N_("tanda kurung tutup diharapkan"),
    N_("nama bidang diharapkan"), N_("bidang tidak dikenal"), N_("= != < <= > atau >= diharapkan"), N_("bidang ini hanya mengenal = dan !="), N_("nilai diharapkan"), N_("angka diharapkan"),
    N_("tanggal TTTT-BB-HH diharapkan"), N_("nilai tidak dikenal"), N_("nilai tidak berbentuk seperti itu"),
)  # fmt: skip


def class_words(visit: Visit, name: str) -> str:
    """A row class in words."""
    return visit._(N_("baris umum")) if name == "umum" else " + ".join(visit._(FLAGS[flag]) for flag in name.split("+"))


def text_of(visit: Visit, refusal: Refusal) -> str:
    """The refusal's sentence in the visit's language."""
    facts = {name: visit._(fact) if name == "salah" and isinstance(fact, str) else fact for name, fact in refusal.facts.items()}
    return Refusal(refusal.reason, refusal.pasal, **facts).said(visit.language)


def told(shell: Shell, visit: Visit) -> dict[str, Any]:
    """Functions and tables by which templates say these things, in the visit's language."""
    office, english = shell.office, visit.language == "en"

    def dataset(name: str | None) -> str:
        contract = office.contracts.get(name or "")
        return (contract.name_en if english else contract.nama) if contract else visit._(N_("Peta samaran lama ke samaran baru")) if name == MAP else name or ""

    def purpose(agreement: str, code: str) -> str:
        found = next((p for p in office.agreements[agreement].purposes if p.code == code), None)
        return code if found is None else found.name_en if english else found.nama

    def refusal(entry: Mapping[str, Any]) -> str:
        """The refusal's sentence with the figures that the log has; a broker that knew other reasons may have written it."""
        reason = REASONS.get(entry["reason"])
        if reason is None:
            return str(entry["reason"])
        facts = entry.get("facts", {})
        return re.sub(r"\{([a-z_]+)\}", lambda found: str(facts.get(found[1], "…")), reason.en if english else reason.id)

    return {
        "nama_data": dataset, "nama_tujuan": purpose, "penolakan": refusal, "tingkat_kata": LEVELS, "hasil_kata": OUTCOMES, "keputusan_kata": DECISIONS,
        "entri_kata": lambda kind, act="": visit._(entry_words(kind, act)),
        "peringatan": lambda word: WARNINGS[word][english] if word in WARNINGS else visit._(N_("Banyak baris yang sendirian dalam gabungan kolomnya.")) if word == "unik_tinggi" else word,
    }  # fmt: skip


assert MAP_NAME == "Peta samaran lama ke samaran baru"  # the message above, which must be a literal
