"""Keutuhan log: at a glance, whether the logs stand as they should, and what to do where not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.audit.integrity import integrity
from broker.web.console.shell import Entry
from broker.web.console.words import N_

if TYPE_CHECKING:
    from fastapi import Request, Response

    from broker.web.console.shell import Shell, Visit

PATH: Final = "/keutuhan"
# state → how it looks, what it says, what to do
STATES: Final = {
    "baik": ("good", N_("Baik"), N_("Para saksi berdiri di belakang log ini. Tidak ada yang perlu dilakukan.")),
    "tertinggal": (
        "warn", N_("Saksi tertinggal"),
        N_("Lebih dari separuh batas waktu lewat tanpa tanda tangan kuorum saksi. Hubungi pihak yang saksinya tertinggal: mintalah mereka memeriksa apakah `broker witness` berjalan dan tersambung."),
    ),
    "menunggu": (
        "bad", N_("Pelepasan menunggu saksi"),
        N_("Kuorum saksi tidak menjawab melewati batas waktu, atau belum menjawab sejak broker mulai; tidak ada data yang keluar. Kiriman yang sudah diterima tidak hilang. Mintalah pihak yang saksinya tertinggal menjalankan `broker witness`; pelepasan berjalan lagi dengan sendirinya."),
    ),
    "lain": (
        "bad", N_("SAKSI MELIHAT LOG LAIN"),
        N_("Sebuah saksi pernah melihat log yang lebih panjang, atau lain. Log ini mungkin dipulihkan dari cadangan lama atau diubah. Pelepasan berhenti. Jangan hapus apa pun; unduh bundel; beri tahu pejabat penghubung kedua pihak dan pengelola broker; bandingkan titik periksa di bawah dengan milik saksi itu."),
    ),
    "tanpa_saksi": ("warn", N_("Tanpa saksi"), N_("Tidak ada pihak lain yang akan tahu bila log ini ditulis ulang. Mintalah pengelola broker dan para pihak memasang saksi.")),
    "tanpa_kuorum": ("warn", N_("Kuorum tidak diwajibkan"), N_("Saksi boleh menandatangani, tetapi pelepasan tidak menunggu siapa pun. Mintalah para pihak menetapkan kuorum.")),
}  # fmt: skip


def add(shell: Shell) -> None:
    shell.menu.append(Entry(PATH, N_("Keutuhan log"), ("baca_log",)))

    def page(request: Request, visit: Visit) -> Response:
        found = integrity(shell.office, visit.person, visit.now)
        return shell.show(request, visit, "keutuhan.html", logs=[(shell.office.agreements[one.log], one, STATES[one.state]) for one in found], minutes=lambda time: time // timedelta(minutes=1))

    shell.get(PATH, page)
