"""Beside a person: what nothing names is that person's, unless something says what else it is; and numbers told in words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.detection.loose import loose
from broker.detection.spoken import find_spoken

NIK = "1303074305989718"


def told(text: str, *known: str) -> list[tuple[str, str]]:
    spans = [(text.index(part), text.index(part) + len(part)) for part in known]
    return [(f.kind, text[f.start : f.end]) for f in sorted(loose(text, spans))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("berkas Siti ada di map 88213 ya", "88213"),
        ("Siti, B 6815055, sudah", "B 6815055"),
        ("Siti PNP-2024-00417 diterima", "PNP-2024-00417"),
        ("Siti 14 0429 54274 belum cair", "14 0429 54274"),
        ("Mariam;68028730158694;Rp32.375.000", "68028730158694"),
        ("upah Rp 3.500.000;Mariam;68028730158694", "68028730158694"),
        ("NIK di surat (130307303969442) beda", "130307303969442"),
        ("kepesertaan 12091087732", "12091087732"),
        ("Siti 0213-777-0049-1", "0213-777-0049-1"),
        ("bawa kartu 091-0104-1966, nomor", "091-0104-1966"),
        ("rek punya istrinya a/n Dipa Gunawan nomor 6728311979", "6728311979"),
        ("bernomor c 2959006, visa", "c 2959006"),
        ("hp 0812xxxx3456 aktif", "0812xxxx3456"),
    ],
)
def test_a_number_that_nothing_explains_is_the_persons(text: str, value: str) -> None:
    assert told(text) == [("number", value)]


@pytest.mark.parametrize(
    "text",
    [
        "surat 800.1.31/866/2024", "UU 13/2003", "SK B.047/PHI/III/2025", "Rp 32.375.000", "gaji 3500000", "3500000 rupiah", "tiket 20260418009312", "token listrik 4471 0283 9915 6620",
        "nomor tiket 9912345678", "08.00-15.30", "20/06/2025 19.30", "12-03-2026, 07.00 WIB", "2026-03-11 08:14:02", "2024-11-08t09:14:33", "tahun 2019-2024", "IP 10.20.30.44", "KBLI 47111",
        "akun 521211", "DIPA 026.13.2.470471", "85,5 90,25", "3 orang 2 kali", "RT 003/004", "bukti no 2026941300293197", "skor 12 14 15", "10000 lembar", "kode proyek BRK-2020-0417", "4 Juli 2024",
    ],
)  # fmt: skip
def test_what_something_explains_is_nobodys(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    "value",
    ["Solok/24 Jun 2003", "12/08/89", "05 Peb 1999", "1994-04-03", "27-V-2001", "1988, Des 30", "3 mei th 88", "13 bulan 2 tahun 91", "02/06/01", "14 Jul 2004", "7 JUNI '93", "31 Pebruari 1994", "7/8/'99", "21/12/'01", "12 bulan Mei tahun 1990"],
)
def test_an_old_date_is_a_birth(value: str) -> None:
    assert told(f"Siti {value} lulus") == [("birth_date", value.rpartition("Solok/")[2])]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Anak ke-1 : Bagas, 12 Juli 2012", "12 Juli 2012"),
        ("anak pertama Gendis (1 Jan 2016), sehat", "1 Jan 2016"),
        ("anaknya: Tio, 01/02/2016", "01/02/2016"),
        ('lahir "kira-kira th 1949, bulan Suro". Ada', "th 1949, bulan Suro"),
        ("lahir Mei 1990 di desa", "Mei 1990"),
        ("kelahiran Solok 1988, tamat SMA", "1988"),
        ("thn lahir: 1990", "1990"),
        ("lahir '88", "'88"),
        ("kelahiran th 90", "th 90"),
        ("ultah 12 Mei", "12 Mei"),
        ("lahir 12 Syawal 1405", "12 Syawal 1405"),
    ],
)
def test_a_childs_birth_and_part_of_a_birth_are_found(text: str, value: str) -> None:
    assert told(text) == [("birth_date", value)]


@pytest.mark.parametrize(
    "text", ["PT Budi & Anak, 15 Februari 2025", "anaknya sakit. Kamis, 12 Juli 2024", "43 tanggal lahir kosong, 7 alamat", "melahirkan 2 kali", "lahir batin 3 kali", "anak buah 3 orang, masuk 2024"]
)
def test_an_event_beside_a_child_and_a_count_behind_birth_stay(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize("value", ["12/08/24", "05 Peb 2019", "2026-04-03", "08.10-09.00", "1.2.3.4"])
def test_a_late_date_is_an_events(value: str) -> None:
    assert told(f"Siti {value} lulus") == []


@pytest.mark.parametrize("value", ["ba1874ks", "BA1874KS", "BK 5519-RAN", "bk-5519-ran", "BB 9424 KM", "B 123 XYZ", "B 3906 M", "BK.1234.AB"])
def test_a_plates_form_is_a_plate(value: str) -> None:
    assert told(f"Siti bawa {value} tiap hari") == [("plate", value)]


def test_a_plate_whose_letters_are_taken_for_a_name_is_found() -> None:
    assert told("bawa BK-1234-AB tiap hari", "AB") == [("plate", "BK-1234-AB")]


@pytest.mark.parametrize("text", ["di 2024 an", "BB 65 kg", "PT 12 org", "A 2024 Jan", "ke 1200 km"])
def test_a_count_is_no_plate(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "known", "value"),
    [
        ("Siti 16 0657 09398,", "0657 09398", "16"),
        ("paspor X2 207 118", "207 118", "X2"),
        ("telp (061) 8820 417 ext 12", "061) 8820 417", " ext 12"),
        (f"NIK {NIK}7", NIK, "7"),
        (f"NIK {NIK} 77", NIK, "77"),
        ("hp 0812 3456 7890 / 91", "0812 3456 7890", "91"),
    ],
)
def test_digits_that_touch_a_number_belong_to_it(text: str, known: str, value: str) -> None:
    assert told(text, known) == [("number", value)]


@pytest.mark.parametrize(
    ("text", "known"), [(f"AK-1 {NIK}", NIK), (f"{NIK} 3 anak", NIK), (f"{NIK}, 12 hari", NIK), ("Jl. Melati 5 12 orang", "Jl. Melati 5"), (f"masing2 {NIK}", NIK)]
)
def test_a_count_beside_a_number_stays(text: str, known: str) -> None:
    assert told(text, known) == []


def test_one_numbers_label_does_not_reach_the_next() -> None:
    assert told(f"KK {NIK}. inv-2024/041/KRN", NIK) == []


def test_a_word_before_a_name_does_not_explain_what_follows_it() -> None:
    assert told("berkas Rahmat (121920022026238859)", "Rahmat") == [("number", "121920022026238859")]
    assert told("Rahmat, nomor berkas 560123456", "Rahmat") == []


def test_what_is_known_is_not_found_again() -> None:
    assert told(f"Siti {NIK} dan 081234567890", NIK, "081234567890") == []


def spoken(text: str) -> list[tuple[str, str]]:
    return [(f.kind, text[f.start : f.end]) for f in find_spoken(text)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "kosong delapan lima dua, tujuh tujuh satu, kosong kosong tiga, sembilan dua"),
        ("number", "nol lapan satu dua - enam enam tujuh - delapan belas"),
        ("number", "0813 6100 44 tujuh tujuh"),
        ("number", "0838 tujuh tujuh 01 4526"),
        ("number", "lima enam puluh garis miring dua tiga satu garis miring ak satu"),
        ("birth_date", "tujuh agustus seribu sembilan ratus delapan puluh sembilan"),
        ("birth_date", "dua belas november sembilan tujuh"),
        ("birth_date", "duapuluh tujuh mei 2001"),
        ("birth_date", "tahun sembilan lima bulan dua tanggal empat belas"),
        ("birth_date", "tahun delapan lima"),
        ("birth_date", "tiga mei dua ribu dua"),
        ("email", "adi underscore tekong 77 et example titik com"),
        ("email", "rahma dot putri88 di example.com"),
        ("email", "budi88 a keong example titik com"),
        ("plate", "bravo alfa delapan tiga empat enam bravo quebec"),
        ("plate", "BA tiga empat satu dua KX"),
    ],
)
def test_what_is_told_in_words_is_found(kind: str, value: str) -> None:
    assert spoken(f"{'motor ' if kind == 'plate' else ''}katanya {value.lower()}.") == [(kind, value.lower())]


@pytest.mark.parametrize(
    "text",
    [
        "dua kali, tiga orang, satu berkas", "lima juta tiga ratus ribu rupiah", "dua atau tiga hari, empat atau lima orang", "satu dua kali", "tahun dua ribu dua puluh lima", "tahun kedua",
        "dua belas maret dua ribu dua puluh lima", "tiga mei 2025", "dua tiga empat lima orang", "bertemu di lapangan titik kumpul", "tahun tiga", "1 (satu) berkas dan 2 (dua) foto", "buka example.com", "mobil dua, motor tiga unit", "kode alfa bravo",
    ],
)  # fmt: skip
def test_counts_money_and_events_in_words_stay(text: str) -> None:
    assert spoken(text) == []


@given(text=st.text(max_size=80) | st.text(alphabet="0123456789 .-/,+()abBkK\n\x01\x02'", max_size=120), spans=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4))
@settings(max_examples=300, deadline=None)
def test_findings_lie_in_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    known = [(start, min(start + size, len(text))) for start, size in spans if start < len(text)]
    assert all(0 <= f.start < f.end <= len(text) for f in loose(text, known))
