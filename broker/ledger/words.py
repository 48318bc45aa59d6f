"""What a log's entry tells of, in Indonesian: for whoever reads a log without the formats' words."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

# (kind, act) → in words; the act of an outcome is its outcome, of an export its `what`. docs/formats/log.md lists the kinds.
ENTRY_WORDS: Final = MappingProxyType(
    {
        ("exchange", ""): "pertukaran",
        ("refusal", ""): "penolakan",
        ("outcome", "delivered"): "penerima mengambil kiriman",
        ("outcome", "receipted"): "penerima menandatangani tanda terima",
        ("outcome", "countersigned"): "pengirim ikut menandatangani",
        ("policy", "proposed"): "perubahan kebijakan diusulkan",
        ("policy", "approved"): "perubahan kebijakan disetujui",
        ("policy", "published"): "versi kebijakan terbit",
        ("policy", "withdrawn"): "perubahan kebijakan ditarik",
        ("policy", "stopped"): "pelepasan dihentikan petugas",
        ("policy", "resume_asked"): "pencabutan penghentian diminta",
        ("policy", "resumed"): "penghentian dicabut",
        ("query", "searched"): "pencarian dalam log",
        ("query", "read"): "satu pertukaran dibaca",
        ("query", "unusual"): "pencarian yang tidak biasa",
        ("query", "asked"): "pertanyaan tentang orang diajukan",
        ("query", "approved"): "pertanyaan tentang orang disetujui",
        ("query", "declined"): "pertanyaan tentang orang ditolak",
        ("query", "answered"): "pertanyaan tentang orang dijawab",
        ("export", "pencarian"): "hasil pencarian diambil",
        ("export", "tahunan"): "laporan tahunan diambil",
        ("export", "subjek"): "laporan kepada subjek data diambil",
        ("export", "bundel"): "bundel diambil",
        ("erasure", "subject"): "orang dilepas dari daunnya",
        ("erasure", "exchange"): "kunci pertukaran dihapus",
        ("erasure", "retire"): "daun lama dilepas",
        ("witness", "stopped"): "pelepasan menunggu saksi",
        ("witness", "resumed"): "saksi menjawab lagi, pelepasan berjalan",
        ("witness", "rolled_back"): "saksi melihat log yang lebih panjang atau lain",
        ("keys", "proposed"): "kunci sebuah sistem diusulkan",
        ("keys", "withdrawn"): "usulan kunci ditarik",
        ("keys", "confirmed"): "kunci sebuah sistem disahkan",
        ("keys", "retired"): "kunci lama berhenti menandatangani",
        ("keys", "revoked"): "kunci sebuah sistem dicabut",
        ("keys", "ring_changed"): "kunci broker berganti",
        ("keys", "ending_approved"): "pemusnahan kunci kesepakatan disetujui",
        ("keys", "ended"): "kunci kesepakatan dimusnahkan",
        ("person", "invited"): "petugas diundang",
        ("person", "set_up"): "petugas memasang akunnya",
        ("person", "key_enrolled"): "kunci petugas didaftarkan",
        ("person", "console_link"): "tautan konsol demonstrasi dibuat",
        ("person", "passkey_enrolled"): "kunci sandi petugas dijamin",
        ("person", "passkey_removed"): "kunci sandi petugas dihapus",
        ("person", "signed_in"): "petugas masuk",
        ("person", "sign_in_failed"): "petugas gagal masuk",
        ("person", "locked"): "akun petugas dikunci sementara",
        ("person", "ended"): "penugasan petugas berakhir",
    }
)


def entry_words(kind: str, act: str = "") -> str:
    """kind: of `sinergi/KIND/v1`. One that is not in the table, as of a newer broker, as it stands."""
    return ENTRY_WORDS.get((kind, act), f"{kind} {act}".rstrip())
