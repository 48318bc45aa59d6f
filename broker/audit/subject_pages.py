"""The report to one person as pages in Indonesian: what the JSON says and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from broker.audit.export import wib
from broker.audit.pdf import Document
from broker.model import LEVEL_NAMES, LEVEL_NOTE

if TYPE_CHECKING:
    from collections.abc import Mapping

MEANINGS: Final = (
    "tidak diserahkan", "sebagian huruf atau angka ditutup", "diganti golongan yang lebih umum", "diganti kode tetap yang tidak menyebut orangnya",
    "diganti kode dengan bentuk yang sama", "diserahkan apa adanya",
)  # fmt: skip

UNKNOWN: Final = (
    "Broker tidak mengenal siapa pun dengan nomor yang ditanyakan: nomor itu mungkin salah ketik, datanya mungkin sudah dihapus, atau tidak pernah melewati broker ini. "
    "Ini bukan bukti bahwa data Anda tidak pernah diserahkan; mintalah petugas mencocokkan nomor itu dengan dokumen Anda."
)


def _by_level(columns: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Level, what it means, the columns that have it; the most open first."""
    of = {level: ", ".join(column for column, name in columns.items() if name == level) for level in LEVEL_NAMES}
    return [(level, MEANINGS[LEVEL_NAMES.index(level)], of[level]) for level in reversed(LEVEL_NAMES) if of[level]]


def pages(said: Mapping[str, Any]) -> bytes:
    """The PDF. Its date is when the report was made."""
    shown = said["disclosures"]
    page = Document("Laporan rekam jejak pemrosesan data pribadi", f"{said['agreement']['id']} · laporan kepada subjek data pribadi", datetime.fromisoformat(said["made"]))
    page.text_line(f"Pasal 32 Undang-Undang Nomor 27 Tahun 2022 · {said['agreement']['nama']}", size=11, grey=True, after=3)
    if said["case"]:
        page.pairs([("Nomor perkara", said["case"])])
    else:
        page.blank("Nama (diisi petugas)")
        page.blank("NIK (diisi petugas)")
    page.pairs(
        [
            ("Permintaan diterima", f"{wib(said['received'])} WIB"),
            ("Batas waktu 3 × 24 jam", f"{wib(said['due'])} WIB"),
            ("Laporan dibuat", f"{wib(said['made'])} WIB, {'dalam' if said['on_time'] else 'MELEWATI'} batas waktu"),
            ("Masa yang diperiksa", f"{said['from']} sampai {said['to']}"),
        ]
    )
    page.heading("Ringkasan")
    if said["known"]:
        page.text_line(f"Dari {said['looked']} pertukaran data dalam masa itu, {said['without']} tidak memuat data Anda, dan {len(shown)} ditampilkan di bawah, yang terbaru lebih dahulu.")
    else:
        page.text_line(UNKNOWN, style="B")
    if said["unlooked"]:
        page.text_line(f"{said['unlooked']} pertukaran lain tidak dapat diperiksa lagi: rinciannya sudah dihapus menurut aturan retensi atau penghapusan.")
    if said["untold"]:
        page.text_line(f"Tentang {said['untold']} pembukaan kode lain tidak dapat dikatakan lagi siapa orangnya: kunci pertukarannya sudah dihapus.")
    for one in said["withheld"]:
        page.text_line(f"Tidak ditampilkan: {one['count']} pengungkapan, berdasarkan {one['ground']}: {one['text']}.", style="B")
    for number, one in enumerate(shown, 1):
        page.heading(f"{number}. {wib(one['time'])} WIB: {one['dataset_nama']}", room=55)
        page.pairs(
            [
                ("Dari", one["sender"]), ("Kepada", one["recipient"]), ("Tujuan", one["purpose_nama"]), ("Dasar dalam kesepakatan", "; ".join(one["clauses"])),
                ("Hasil", f"{one['outcome']}; {one['rows']} baris tentang Anda"), ("Pertukaran", one["exchange"]),
            ]
        )  # fmt: skip
        page.rows(("Bentuk", "Artinya", "Kolom"), _by_level(one["columns"]), (16, 28, 60), size=8)
    if said["identities"]:
        page.heading("Kode Anda dibuka", room=45)
        page.text_line("Penerima meminta tahu siapa di balik kode Anda, dan diberi tahu setelah petugas kedua pihak menyetujuinya.")
    for one in said["identities"]:
        page.pairs(
            [
                ("Waktu", f"{wib(one['time'])} WIB, diminta {wib(one['asked'])} WIB"), ("Diberitahukan kepada", one["recipient"]), ("Diminta oleh", one["person"]),
                ("Disetujui oleh", ", ".join(one["approvers"])), ("Dasar", one["ground_text"]), ("Pertukaran", one["exchange"]),
            ]
        )  # fmt: skip
    page.heading("Keterangan")
    page.text_line(
        f"Kolom yang tidak disebut tidak diserahkan. Yang ditampilkan adalah bentuk paling terbuka dari baris tentang Anda. {LEVEL_NOTE[0]} Laporan ini dibuat dari log yang tidak dapat diubah tanpa "
        "ketahuan; titik periksa log di bawah dan tanda tangan broker atas berkas ini memungkinkan siapa pun memeriksanya."
    )
    page.text_line(
        "Laporan ini tanpa bukti per baris: isinya dibaca dari basis data broker. Kesepakatan yang sama dapat dijawab dengan bukti yang diperiksa tanpa broker (bundel); mintalah itu bila Anda meragukannya."
    )
    page.mono(said["checkpoint"])
    return page.bytes()
