"""The yearly report as pages in Indonesian: the JSON's figures and nothing else."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from broker.audit.export import wib
from broker.audit.pdf import Document, number
from broker.errors import REASONS
from broker.ledger.words import entry_words
from broker.model import LEVEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

FAULTS: Final = ("pengolahan", "penyimpanan", "dihentikan", "saksi", "saksi_mundur")  # refusals that are no sender's doing
ASKED: Final = ("query", "export")  # entry types: someone asked the ledger


def pages(report: Mapping[str, Any]) -> bytes:
    """The PDF. Its date is that of the last entry it tells of."""
    agreement, year = report["agreement"], report["year"]
    page = Document(f"Laporan tahunan pertukaran data {year}", f"{agreement['id']} · laporan tahunan {year}", datetime.fromisoformat(report["entries"]["until"]))
    page.text_line(f"{agreement['nama']} · laporan menurut Pasal 10", size=11, grey=True, after=3)
    page.pairs(
        [
            ("Kesepakatan", f"{agreement['id']} ({'; '.join(agreement['numbers'])})"),
            ("Para pihak", ", ".join(agreement["parties"])),
            ("Masa berlaku", f"{agreement['starts']} sampai {agreement['ends']}"),
            ("Meliputi", f"entri log {number(report['entries']['first'])} sampai {number(report['entries']['last'])}, terakhir {wib(report['entries']['until'])} WIB"),
            ("Keadaan", "lengkap" if report["complete"] else "SEMENTARA: tahun belum berakhir, atau laporan dibuat pada titik periksa tertentu"),
        ]
    )
    _summary(page, report)
    _flows(page, report["flows"])
    _refusals(page, report["refusals"], report["denials"])
    _quality(page, report["flows"])
    _governance(page, report)
    _integrity(page, report["integrity"])
    page.heading("Tanda tangan pejabat penghubung", room=70)
    for party in agreement["parties"]:
        page.text_line(f"Untuk {party}", style="B")
        for name in ("Nama", "Jabatan", "Tanggal", "Tanda tangan"):
            page.blank(name)
        page.ln(3)
    return page.bytes()


def _summary(page: Document, report: Mapping[str, Any]) -> None:
    flows, months = report["flows"], report["months"]
    page.heading("1. Ringkasan")
    page.pairs(
        [
            ("Pertukaran", sum(months["exchanges"])),
            ("Baris diserahkan", sum(months["released"])),
            ("Baris ditahan", sum(flow["rows"] - flow["released"] for flow in flows)),
            ("Orang berbeda", report["persons"]),
            ("Pertukaran yang ditolak", sum(months["refused"])),
            ("Permintaan lain yang ditolak", sum(one["count"] for one in report["denials"])),
            ("Tanda terima penerima", report["outcomes"].get("receipted", 0)),
        ]
    )
    page.months("Pertukaran per bulan", months["exchanges"])
    page.months("Baris diserahkan per bulan", months["released"])
    page.months("Pertukaran yang ditolak per bulan", months["refused"])


def _flows(page: Document, flows: list[dict[str, Any]]) -> None:
    page.heading("2. Menurut himpunan data dan tujuan")
    page.rows(
        ("Himpunan data", "Tujuan", "Pengirim", "Penerima", "Pertu-\nkaran", "Baris\ndiserahkan", "Baris\nditahan", "Orang\nberbeda"),
        [(f["dataset"], f["purpose"], f["sender"], f["recipient"], f["exchanges"], f["released"], f["rows"] - f["released"], f["persons"]) for f in flows],
        (20, 17, 18, 18, 8, 11, 9, 9),
        size=7.5,
    )
    page.text_line(
        "Orang berbeda dihitung tepat dari daun log, hanya dari baris yang diserahkan; jumlah seluruhnya dalam Ringkasan lebih kecil dari penjumlahan bila orang yang sama ada dalam beberapa "
        f"himpunan. Rujukan lain (rekaman tanpa orang, atau orang yang sudah dihapus): {number(sum(f['others'] for f in flows))}.",
        size=8, grey=True,
    )  # fmt: skip
    dropped, unkeyed = sum(f["without_leaves"] for f in flows), sum(f["without_keys"] for f in flows)
    if dropped or unkeyed:
        page.text_line(f"Tidak dapat dihitung lagi: tingkat dan orang dari {dropped} pertukaran yang daunnya sudah dilepas; orang dari {unkeyed} pertukaran yang kuncinya sudah dihapus.", size=8)
    page.heading("3. Tingkat pengungkapan")
    page.text_line("Sel menurut tingkat: baris yang diserahkan kali kolomnya.", size=8, grey=True)
    page.rows(
        ("Himpunan data", "Tujuan", "Penerima", *(name.capitalize() for name in LEVEL_NAMES)),
        [(f["dataset"], f["purpose"], f["recipient"], *f["cells"]) for f in flows],
        (19, 16, 17, 10, 8, 13, 9, 10, 9),
        size=7,
    )
    shown = [(f["dataset"], f["purpose"], column, *counts) for f in flows for column, counts in f["columns"].items() if any(counts[1:])]
    page.text_line("Menurut kolom; kolom yang selalu disembunyikan tidak dimuat.", size=8, grey=True)
    page.rows(("Himpunan data", "Tujuan", "Kolom", *(name.capitalize() for name in LEVEL_NAMES)), shown, (17, 15, 22, 10, 8, 13, 9, 10, 9), size=7)


def _refusals(page: Document, refusals: list[dict[str, Any]], denials: list[dict[str, Any]]) -> None:
    page.heading("4. Penolakan menurut pasal")
    for what, of in (("Pertukaran.", refusals), ("Permintaan lain para pihak, petugas, dan auditor.", denials)):
        page.text_line(what, size=8, grey=True)
        page.rows(
            ("Pasal", "Alasan", "Arti", "Jumlah"),
            [(r["clause"], r["reason"], re.sub(r"\{[a-z_]+\}", "…", REASONS[r["reason"]].id) if r["reason"] in REASONS else "", r["count"]) for r in of],
            (18, 14, 48, 8),
            size=7.5,
        )


def _quality(page: Document, flows: list[dict[str, Any]]) -> None:
    page.heading("5. Mutu data")
    page.text_line("Baris menurut aturan yang dilanggar; satu baris dapat melanggar beberapa.", size=8, grey=True)
    page.rows(("Himpunan data", "Pengirim", "Aturan", "Baris"), [(f["dataset"], f["sender"], rule, count) for f in flows for rule, count in f["quality"].items()], (20, 20, 38, 10), size=7.5)


def _governance(page: Document, report: Mapping[str, Any]) -> None:
    acts = report["acts"]
    page.heading("6. Perubahan kebijakan")
    page.rows(("Waktu (WIB)", "Versi", "Perubahan sel"), [(wib(p["time"]), f"versi {p['version']}", p["changes"]) for p in report["policy"]], (25, 20, 20))
    page.heading("7. Persetujuan")
    page.rows(("Apa", "Jumlah"), [(a["act"], a["count"]) for a in acts if a["type"] == "consent"], (50, 10))
    page.heading("8. Insiden")
    faults = [("sepanjang tahun", f"penolakan karena {r['reason']}", f"{r['count']} kali") for r in (*report["refusals"], *report["denials"]) if r["reason"] in FAULTS]
    stops = [(wib(i["time"]), entry_words(i["type"], i["act"]), i["target"] or "") for i in report["incidents"]]
    page.rows(("Waktu (WIB)", "Apa", "Sasaran atau jumlah"), [*stops, *faults], (20, 40, 20))
    page.heading("9. Penghapusan dan retensi")
    erased = [(wib(e["time"]), entry_words("erasure", e["act"]), e["ground"], str(e.get("exchange") or e.get("exchanges") or e.get("subjects", ""))) for e in report["erasures"]]
    page.rows(("Waktu (WIB)", "Apa", "Dasar", "Pertukaran atau jumlah"), erased, (20, 25, 18, 28))
    page.heading("10. Pencarian, laporan, dan ekspor")
    page.rows(("Apa", "Jumlah"), [(entry_words(a["type"], a["act"]), a["count"]) for a in acts if a["type"] in ASKED], (50, 10))
    page.heading("11. Entri log lainnya")
    others = [(entry_words(a["type"], a["act"]), a["count"]) for a in acts if a["type"] not in (*ASKED, "erasure", "identity", "consent")]
    page.rows(("Apa", "Jumlah"), [*((entry_words("outcome", word), count) for word, count in report["outcomes"].items()), *others], (50, 10))
    page.heading("12. Pembukaan samaran")
    page.text_line("Permintaan untuk mengetahui siapa di balik suatu samaran; setiap pihak harus menyetujuinya. Orang: berapa orang yang diberitahukan, dihitung per permintaan.", size=8, grey=True)
    page.rows(
        ("Dasar", "Diminta", "Persetujuan", "Ditolak", "Dijawab", "Samaran", "Orang"),
        [(i["ground"], i["asked"], i["approved"], i["declined"], i["answered"], i["subjects"], i["told"]) for i in report["identities"]],
        (24, 10, 13, 10, 10, 10, 10),
    )


def _integrity(page: Document, integrity: Mapping[str, Any]) -> None:
    page.heading("13. Pernyataan keutuhan", room=60)
    page.text_line(
        "Semua angka dihitung dari log kesepakatan. Sebelum laporan dibuat, broker menghitung ulang akar pohon dari semua entri dan membandingkannya dengan kedua titik periksa di bawah, "
        "memeriksa tanda tangan keduanya, dan membuktikan bahwa titik penutup memuat titik pembuka tanpa perubahan. Siapa pun yang memegang kunci publik log dapat memeriksanya lagi dari "
        "berkas JSON laporan ini."
    )
    for name, note in (("Titik periksa pembuka", integrity["opening"]), ("Titik periksa penutup", integrity["closing"])):
        page.text_line(name, style="B", after=0.5, room=28)
        page.mono(note)
    page.text_line("Bukti konsistensi (RFC 6962)", style="B", after=0.5, room=20)
    page.mono("\n".join(integrity["consistency"]) or "(ukuran sama: tidak ada bukti yang diperlukan)")
    cosigned = integrity["cosigned"]
    if cosigned is None:
        page.text_line("Belum ada saksi yang menandatangani titik periksa penutup atau sesudahnya.", grey=True, size=8)
        return
    page.text_line("Titik periksa bertanda tangan saksi, dan bukti bahwa ia memuat titik penutup", style="B", after=0.5, room=28)
    page.mono(cosigned["checkpoint"])
    page.mono("\n".join(cosigned["consistency"]) or "(ukuran sama: tidak ada bukti yang diperlukan)")
