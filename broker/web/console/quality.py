"""A quality report in words: which column breaks which rule, in how many rows and in which; and what a sender is warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from broker.agreement import WARNINGS
from broker.contract.validate import RULES
from broker.web.console.words import N_

if TYPE_CHECKING:
    from broker.web.console.shell import Visit

NAMED: Final = 100  # rows named on a page
KINDS: Final = {  # of findings, as a page says them
    "nik": N_("NIK"), "kk": N_("nomor KK"), "npwp": N_("NPWP"), "nitku": N_("NITKU"), "bpjs": N_("nomor BPJS"), "kpj": N_("nomor KPJ"), "nib": N_("NIB"), "nip": N_("NIP"),
    "passport": N_("nomor paspor"), "sim": N_("nomor SIM"), "phone": N_("nomor telepon"), "plate": N_("nomor kendaraan"), "account": N_("nomor rekening"), "email": N_("surel"),
    "address": N_("alamat"), "birth_date": N_("tanggal lahir"), "ak1": N_("nomor AK-1"), "name": N_("nama orang"), "mother": N_("nama ibu"), "health": N_("kesehatan"),
    "disability": N_("disabilitas"), "religion": N_("agama"), "union": N_("serikat"), "crime": N_("pidana"), "finance": N_("keuangan"), "number": N_("nomor"), "place": N_("tempat, tetap"),
}  # fmt: skip
REST: Final = {"salah_tempat": N_("pengenal di kolom yang salah: dikirim setelah dibersihkan"), "deteksi": N_("teks tidak dapat diperiksa: baris ditahan"), "dibersihkan": N_("ada temuan dalam teks: dikirim setelah dibersihkan")}


def named(visit: Visit, report: Any) -> list[tuple[int, list[tuple[str, str]]]]:
    """The first rows that fail or were cleaned, by number: column and rule in words."""
    return [(row, [_rule(visit, rule) for rule in rules]) for row, rules in report["named"][:NAMED]]


def counts(visit: Visit, report: Any) -> list[tuple[str, str, int]]:
    """Every rule with its column and rows, the most first."""
    return [(*_rule(visit, rule), count) for rule, count in sorted(report["rules"].items(), key=lambda item: (-item[1], item[0]))]


def _rule(visit: Visit, rule: str) -> tuple[str, str]:
    """Column and words of a rule of a quality report."""
    parts, english = rule.split("."), visit.language == "en"
    word = parts[-1]
    if word in RULES:
        return parts[0], RULES[word][english]
    found = visit._(REST[word]) if word in REST else rule
    kind = f" ({visit._(KINDS[parts[1]])})" if len(parts) == 3 and parts[1] in KINDS else ""
    return (parts[0] if len(parts) > 1 else "–"), found + kind


def warnings(visit: Visit, report: Any) -> list[str]:
    own = {"unik_tinggi": visit._(N_("Lebih dari 5 % baris yang dikirim unik menurut wilayah, umur, dan sejenisnya: orangnya dapat dikenali."))}
    return [WARNINGS[word][visit.language == "en"] if word in WARNINGS else own.get(word, word) for word in report["warnings"]]
