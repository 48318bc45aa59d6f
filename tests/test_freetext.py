"""Free text leaves cleaned: what was found is gone, who it was about stays linkable, what could not be searched stays here."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.cli.reasons import indonesian
from broker.detection import KINDS, detect, find, readable
from broker.detection.names import FAINT, find_names
from broker.detection.specific import find_specific
from broker.freetext import clean_texts
from broker.model import ROW_FLAGS, Column, Finding, Level
from broker.sample.notes import notes
from broker.treatment import DomainKey, clean, placeholder
from broker.treatment.levels import able
from tests.simulator import SIAPKERJA, SIJOKER, Town

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = r"p1\.[A-Za-z0-9_-]{22}"


def sent(town: Town, folder: Path, rows: list[list[str]]) -> list[dict[str, Any]]:
    """What the ministry opens of job seekers sent for planning."""
    file = folder / "in.csv"
    file.write_bytes(town.csv(rows))
    with town.http() as http:
        town.client(SIJOKER, http).send(file, agreement="nk-sijunjung-2025", dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        siapkerja = town.client(SIAPKERJA, http)
        (received,) = siapkerja.receive()
        siapkerja.open(received.exchange, folder / "out.ndjson", form="ndjson")
    return [json.loads(line) for line in (folder / "out.ndjson").read_text().splitlines()]


def noted(town: Town, note: str, n: int = 12) -> tuple[list[list[str]], list[str]]:
    """Rows of job seekers, the note at the first; names of the columns."""
    names = list(town.office.contracts["pencari_kerja"].names)
    rows = town.rows(n=n)
    rows[0][names.index("catatan_pengantar_kerja")] = note
    return rows, names


def test_a_nik_in_a_note_leaves_as_the_token_of_its_column(town: Town, tmp_path: Path) -> None:
    rows, names = noted(town, "")
    nik = rows[0][names.index("nik")]
    rows[0][names.index("catatan_pengantar_kerja")] = f"NIK {nik[:4]} {nik[4:8]} {nik[8:12]} {nik[12:]} sudah dicek."
    line = sent(town, tmp_path, rows)[0]
    assert line["catatan_pengantar_kerja"] == f"NIK [NIK {line['nik']}] sudah dicek."


def test_the_rows_own_name_leaves_as_that_persons_token(town: Town, tmp_path: Path) -> None:
    rows, names = noted(town, "")
    rows[0][names.index("nama_lengkap")] = "Rahmat Hidayat"
    rows[0][names.index("catatan_pengantar_kerja")] = "Sdr. Rahmat Hidayat tidak bisa hadir. Digantikan Siti Aminah."
    line = sent(town, tmp_path, rows)[0]
    found = re.fullmatch(rf"Sdr\. \[NAMA ({TOKEN})\] tidak bisa hadir\. Digantikan \[NAMA ({TOKEN})\]\.", line["catatan_pengantar_kerja"])
    assert found, "a name stayed"
    assert found.group(1) == line["nik"] != found.group(2)


def test_an_illness_in_a_note_leaves_as_a_placeholder(town: Town, tmp_path: Path) -> None:
    rows, _ = noted(town, "Ybs. sakit jantung sejak 2021, belum bisa kerja berat.")
    assert "[KESEHATAN]" in (note := sent(town, tmp_path, rows)[0]["catatan_pengantar_kerja"])
    assert "jantung" not in note


def test_a_note_with_nothing_in_it_leaves_as_written(town: Town, tmp_path: Path) -> None:
    note = "Bahasa Inggris lancar, cocok untuk penerima tamu."
    rows, _ = noted(town, note)
    assert sent(town, tmp_path, rows)[0]["catatan_pengantar_kerja"] == note


def test_a_childs_note_is_hidden(town: Town, tmp_path: Path) -> None:
    rows, names = noted(town, "Bahasa Inggris lancar.")
    at = {name: i for i, name in enumerate(names)}
    child = rows[0]
    child[at["tanggal_lahir"]] = "2010-05-14"
    child[at["nik"]] = f"{child[at['nik']][:6]}{14 + 40 * (child[at['jenis_kelamin']] == 'P'):02d}0510{child[at['nik']][12:]}"
    line = sent(town, tmp_path, rows)[0]
    assert line["catatan_pengantar_kerja"] is None


@pytest.mark.parametrize("note", ["baik\x00sekali", "baik\x1bsekali", "rusak \ufffd sekali"])
def test_a_note_that_cannot_be_searched_withholds_its_row(town: Town, tmp_path: Path, note: str) -> None:
    rows, _ = noted(town, note)
    lines = sent(town, tmp_path, rows)
    assert len(lines) == len(rows) - 1
    (entry,) = [e for e in town.entries() if e["type"] == "sinergi/exchange/v1"]
    assert entry["outcomes"]["ditahan_deteksi"] == 1


def test_an_identifier_in_a_wrong_column_turns_that_cell_and_no_other(town: Town, tmp_path: Path) -> None:
    rows, names = noted(town, "")
    at = names.index("jurusan")
    before = [row[at] or None for row in rows]
    rows[2][at] = "SMK Negeri 1, NIK 1303 0512 0488 9001"
    lines = sent(town, tmp_path, rows)
    assert [line["jurusan"] for line in lines] == [*before[:2], "SMK Negeri 1, NIK [NIK]", *before[3:]]
    (entry,) = [e for e in town.entries() if e["type"] == "sinergi/exchange/v1"]
    assert entry["quality"]["jurusan.nik.salah_tempat"] == entry["quality"]["salah_tempat"] == 1


def test_the_report_counts_the_cleaned_notes(town: Town, tmp_path: Path) -> None:
    rows, _ = noted(town, "Hubungi 0812 3456 7890.")
    sent(town, tmp_path, rows)
    (entry,) = [e for e in town.entries() if e["type"] == "sinergi/exchange/v1"]
    assert entry["quality"]["catatan_pengantar_kerja.dibersihkan"] == 1


class _Hides:
    """Stands for a treatment: one free-text column, hidden behind one word."""

    texts = (("catatan_pengantar_kerja", 2),)

    def clean(self, texts: list[str], *_: object) -> list[str]:
        return ["-"] * len(texts)


def test_a_disability_in_a_note_raises_the_flag_that_its_column_would(town: Town) -> None:
    contract = town.office.contracts["pencari_kerja"]
    notes = ["Ybs. tuna rungu sejak lahir.", "Ybs. rajin.", "Ybs. tuna rungu, tidak dibaca."]
    frame = pl.DataFrame({name: notes if name == "catatan_pengantar_kerja" else [None] * 3 for name in contract.names}, schema=dict.fromkeys(contract.names, pl.String))
    among = np.array([True, True, False])
    found = clean_texts(frame, among, contract, _Hides(), ("disabilitas",))  # type: ignore[arg-type]
    assert found.flags.tolist() == [1 << ROW_FLAGS.index("disabilitas"), 0, 0]
    assert found.columns[0].to_list() == ["-", "-", None], "a row that cannot leave was read"
    assert not clean_texts(frame, among, contract, _Hides(), ()).flags.any(), "a flag that changes nothing was raised"  # type: ignore[arg-type]


def test_free_text_of_specific_data_can_only_be_hidden() -> None:
    assert able(Column("a", "text", False, "free_text", "spesifik"), "perencanaan", formatted=True) == (Level.HIDE,)
    assert able(Column("a", "text", False, "free_text", "teks_bebas"), "perencanaan", formatted=True) == (Level.PSEUDONYM, Level.GENERALISE, Level.HIDE)


def test_one_phone_written_two_ways_has_one_token() -> None:
    text = "0812-3456-7890 +62 81234567890 081300001111"
    findings = [Finding(0, 14, "phone", "valid", ""), Finding(15, 30, "phone", "valid", ""), Finding(31, 43, "phone", "valid", "")]
    (left,) = clean([text], [findings], [()], lambda _: DomainKey(bytes(32), 1))
    first, second, third = re.findall(TOKEN, left)
    assert first == second != third


def test_a_long_number_counts_beside_a_person_unless_a_word_explains_it() -> None:
    def numbers(text: str) -> list[str]:
        return [text[f.start : f.end] for f in detect([text])[0] if f.kind == "number"]

    assert numbers("Sdr. Rahmat Hidayat (11706225164234)") == ["11706225164234"]
    assert numbers("Sdr. Rahmat Hidayat, nomor faktur 11706225164234") == []
    assert numbers("Mesin las (11706225164234)") == []


def test_a_doubtful_name_alone_is_left() -> None:
    texts = [note.text for note in notes(5, 1500, "dev")]
    names = [[f for f in found if f.kind == "name"] for found in find_names(texts)]
    alone = [text for text, found in zip(texts, names, strict=True) if found and all(f.reason == FAINT for f in found) and not find(text)]
    assert alone
    assert not any(f.kind == "name" for found in detect(alone) for f in found)


def test_level_2_says_the_kind_and_nothing_more() -> None:
    text = "Hub. Rahmat 081234567890 di Padang"
    findings = [Finding(5, 11, "name", "valid", ""), Finding(12, 24, "phone", "valid", ""), Finding(28, 34, "place", "valid", "")]
    assert clean([text], [findings], [()]) == ["Hub. [NAMA] [TELEPON] di Padang"]


def test_every_kind_but_a_place_has_a_placeholder() -> None:
    assert [kind for kind in KINDS if not placeholder(kind)] == ["place"]


WORDS = st.sampled_from(["NIK 1303051204889001", "Rahmat Hidayat", "hub. 0812-3456-7890", "sakit jantung", "di Padang", "😀", "e\u0301", "İstanbul", "\u200b", "\n", "a@example.org", "Jl. Sudirman No. 5", "Rp 3.500.000", "dan", "", "PT Maju", "ß", "１３０３０５１２０４８８９００１"])  # fmt: skip


@given(st.lists(WORDS | st.text(max_size=12), max_size=12).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_what_was_found_is_gone_and_all_else_is_as_written(text: str) -> None:
    if not readable(text):
        return
    (findings,) = detect([text])
    assert all(0 <= f.start < f.end <= len(text) for f in findings)
    assert all(a.end <= b.start for a, b in itertools.pairwise(findings)), "findings overlap"
    gone = [f for f in findings if placeholder(f.kind)]
    edges = [0, *(edge for f in gone for edge in (f.start, f.end)), len(text)]
    kept = [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    (left,) = clean([text], [findings], [()])
    assert left == "".join(part for pair in zip(kept, [placeholder(f.kind) for f in gone] + [""], strict=True) for part in pair)


@given(st.lists(WORDS | st.text(max_size=30), max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_text_is_judged_alone(texts: list[str]) -> None:
    assert detect(texts) == [detect([text])[0] for text in texts]


def test_every_reason_is_told_in_indonesian() -> None:
    found = detect([note.text for split in ("train", "dev") for note in notes(6, 2500, split)])
    reasons = {f.reason for findings in found for f in findings}
    assert len(reasons) > 60
    assert [reason for reason in reasons if indonesian(reason) == reason] == []
    assert indonesian("labelled, 11 digits") == "berlabel, 11 angka"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tlg pak, alamat sy mess kebun afdeling 4 pintu 12", "mess kebun afdeling 4 pintu 12"),
        ("rumahnya di simpang Megawati masuk Gang Keluarga nomor lapan", "simpang Megawati masuk Gang Keluarga nomor lapan"),
        ("alamat saya belum berubah", None),
        ("alamat kantor kami Jl. Melati 5", None),
        ("dikirim pos ke LORONG SEPAKAT NO.3C RT 011/RW 04, KEL. SIMPANG IV SIPIN", "LORONG SEPAKAT NO.3C RT 011/RW 04, KEL. SIMPANG IV SIPIN"),
        ("surat untuk pemilik: Jl. Letjen. Soeprapto No. 9-B, Kel. Tangsi", "Jl. Letjen. Soeprapto No. 9-B, Kel. Tangsi"),
        ("PT Maju Jaya, Jl. Letjen. Soeprapto No. 9-B, Kel. Tangsi", None),
        ("Dibutuhkan sopir, usia maksimal 30 tahun, domisili Muaro Sijunjung.", None),
    ],
)
def test_who_says_where_they_live_is_a_person(text: str, address: str | None) -> None:
    assert [text[f.start : f.end] for f in detect([text])[0] if f.kind == "address"] == ([address] if address else [])


def test_a_number_in_words_counts_beside_a_person_only() -> None:
    spoken = "kodenya satu delapan tiga dua empat lima enam"
    assert "number" in {f.kind for f in detect([f"Sdr. Rahmat Hidayat {spoken}"])[0]}
    assert detect([spoken]) == [[]]


def test_a_low_wage_of_a_workplace_needs_a_person_in_its_text() -> None:
    said = "Pengadu minta namanya jangan dibuka. Soal upah di bawah UMK pada toko grosir."
    assert detect([said]) == [[]]
    assert "finance" in {f.kind for f in detect([f"{said} A.n. Rahmat Hidayat, HP 0812 6655 4433."])[0]}


def test_a_word_of_illness_tied_to_nobody_is_left() -> None:
    kinds = {"health", "disability", "religion", "union", "crime", "finance"}
    people = {"name", "mother", "nik", "kk", "npwp", "bpjs", "kpj", "nip", "passport", "sim", "phone", "email", "birth_date"}
    texts = [note.text for note in notes(5, 3000, "train") if any(f.verdict == "shaped" and f.kind in kinds for f in find_specific(note.text))]
    left = [found for found in detect(texts) if not any(f.kind in people for f in found)]
    assert len(left) > 10
    assert not any(f.verdict == "shaped" and f.kind in kinds for found in left for f in found)


@pytest.mark.parametrize("date", ["O5 Juni l984", "l2-O5-198O"])
def test_a_misread_date_beside_a_person_is_a_birth(date: str) -> None:
    text = f"Sdr. Rahmat Hidayat, {date}, lengkap"
    assert ("birth_date", date) in [(f.kind, text[f.start : f.end]) for f in detect([text])[0]]
