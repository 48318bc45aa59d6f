"""Free text as officers write it, with the person's own name, NIK, phone and address inside: what a cleaner has to find.

Columns that are an officer's notes take the templates of broker.sample.notes; short answers have their own.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from broker.sample.draw import one
from broker.sample.notes import SPLITS, Scene, Subject, templates, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.sample.draw import Draw
    from broker.sample.people import Person, World

FILLED: Final = 0.8  # share of free-text cells that are not empty
TOPICS: Final = {
    "catatan_pengantar_kerja": ("konseling", "telepon"),
    "catatan_instruktur": ("instruktur",),
    "catatan_penempatan": ("penempatan",),
    "kronologi": ("sengketa",),
    "catatan_pengawas": ("wlkp",),
    "catatan_verifikator": ("jkp",),
}
CLEAN: Final = ("bersih", "kosong")  # topics of notes without personal data
PLAIN: Final = 0.2  # share of an officer's notes that hold none
FAITHS: Final = {"1": "Islam", "2": "Kristen Protestan", "3": "Katolik", "4": "Hindu", "5": "Buddha", "6": "Konghucu"}  # codes of agama.csv
TEMPLATES: Final = {
    "keterampilan": (
        "las SMAW; Excel",
        "mengemudi SIM B1; bongkar muat",
        "menjahit; membuat pola; hub. {hp}",
        "komputer dasar; bahasa Inggris pasif",
        "bisa masak, jaga toko, kontak WA {hp} a.n. {nama}",
    ),
    "kompetensi": (
        "Teliti, mampu memakai alat ukur.",
        "Memiliki SIM yang masih berlaku; tidak buta warna.",
        "Jujur dan mau belajar. Tanya ke {nama} ({hp}).",
        "Mampu bekerja dalam tim dan shift malam.",
    ),
    "deskripsi": (
        "Kirim lamaran ke kantor perusahaan.",
        "Lamaran dikirim lewat WA {hp} u.p. {nama}, paling lambat akhir bulan.",
        "Lamaran ke {email}. Tidak dipungut biaya.",
        "Penempatan di kebun; mess dan makan disediakan.",
    ),
    "riwayat_kesehatan": ("Tidak ada.", "Asma ringan, membawa obat sendiri.", "{nama} pernah operasi usus buntu tahun lalu.", "Alergi debu."),
    "pokok_perselisihan": (
        "Upah lembur tidak dibayar selama empat bulan.",
        "PHK sepihak terhadap {nama}, pesangon belum dibayar.",
        "Perbedaan tafsir perjanjian kerja bersama tentang tunjangan.",
    ),
    "tuntutan": ("Pembayaran pesangon dan upah proses.", "{nama} minta dipekerjakan kembali.", "Upah lembur dan THR; transfer ke rekening a.n. {nama}."),
}


def fill(world: World, draw: Draw, who: Person, *columns: str) -> dict[str, str]:
    """Text for the columns, about `who`; nothing unless the world asks for text."""
    if not world.text:
        return {}
    local = f"0{who.phone[3:]}"
    phone = one(draw, (who.phone, local, local, f"{local[:4]}-{local[4:8]}-{local[8:]}"))
    facts = {"nama": who.name, "nik": who.nik, "hp": phone, "email": who.email, "alamat": who.place.address}
    return {column: _note(draw, who, column) if column in TOPICS else _answer(draw, facts, column) for column in columns if draw() < FILLED}


def _answer(draw: Draw, facts: Mapping[str, str], column: str) -> str:
    return one(draw, TEMPLATES[column]).format_map(facts)


def _note(draw: Draw, who: Person, column: str) -> str:
    """An officer's note, on one line as in a form's cell, whose first person is `who`; the others are invented."""
    split = one(draw, SPLITS)
    name = one(draw, _about(split, CLEAN if draw() < PLAIN else TOPICS[column]))
    return written(Scene(draw, split, _subject(who)), (name,)).text.replace("\n", " ")


@cache
def _about(split: str, topics: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in templates(split) if name.split(".")[1] in topics)


def _subject(who: Person) -> Subject:
    name = who.name.partition(",")[0].removeprefix("H. ").removeprefix("Hj. ")
    facts = {
        "nik": who.nik,
        "kk": who.no_kk,
        "hp": f"0{who.phone[3:]}",
        "email": who.email,
        "alamat": who.place.address,
        "ak1": who.ak1,
        "agama": FAITHS[who.religion],
        "tempat": who.birthplace,
    }
    return Subject(tuple(name.split()), who.sex, who.people, who.born, facts)
