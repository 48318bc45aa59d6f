"""E-mail, births, cards and plates as people write, spell and dictate them; and what only looks like them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.detection.births import BIRTH_WORDS, date_at, find_births
from broker.detection.cards import find_ak1
from broker.detection.mail import find_emails
from broker.detection.plates import find_plates
from broker.detection.spoken import find_dictated, find_spoken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from broker.model import Finding


def told(text: str, found: Iterable[Finding]) -> list[str]:
    return [text[f.start : f.end] for f in found]


def emails(text: str) -> list[str]:
    return told(text, find_emails(text.lower(), spelled=True))


@pytest.mark.parametrize(
    "value",
    [
        "budi.s(at)example(dot)com", "budi.s [at] example [dot] com", "b.u.d.i.96 (a) example.com", "budi {a} example.com", "budi [ a ] example . com", "budi_s (et) example titik com",
        "budi.s 'at' kantor.example.org", '"budi" "at" example.com'[1:].replace('" "', ' "', 1), "budi*at*example*dot*com", "budi -at- example -dot- com", "budi_at_example_dot_com", "budi /at/ example.com",
        "budi at example point com", "budi.at.example.com", "budi&#64;example.com", "budi a keong example titik com", "budi a-keong example.com", "budi (keong) example.com", "budi ad example.com",
        "budi.s @ example d o t com", "budi.p dash 88 @ example.com", "budi garis bawah santoso @ example.com", "budi (garis bawah) santoso @ example.com", "budi tanda strip 90 at example titik com",
        "budi t i t i k santoso @ example.com", "budi . santoso @ example . com", "budi + kerja @ example.com", "b u d i @ example . com", "b u d i . 0 7 @ example.com", "budi@e x a m p l e.com",
        "budi nol satu at example dot com", "budi 8 8 @ example.com", "budi angka 90 at example titik com", "budi(@)example.com", "budi[@]example[.]com", "budi@example..com", "budi@kantor.example. org",
        "budi_\nsantoso@example.com", "budi.s@exam\nple.com", "budi.s@example\n.com", "budi.s@example.\ncom", "budi@example ttk com",
    ],
)  # fmt: skip
def test_an_address_is_found_however_its_signs_are_written(value: str) -> None:
    assert emails(f"kirim ke {value}, ya") == [value]


def test_without_a_domains_end_the_word_for_an_address_must_stand_before() -> None:
    assert emails("emailnya budi.s@contoh, ya") == ["budi.s@contoh"]
    assert emails("kumpul budi.s@contoh, ya") == []


def test_a_name_told_word_by_word_behind_the_word_for_an_address_belongs_to_it() -> None:
    assert emails("email: rudi kurnia nol satu at example dot com") == ["rudi kurnia nol satu at example dot com"]


@pytest.mark.parametrize(
    "text",
    [
        "harga 2 kotak @ 50.000 per buah", "beras 5 kg @14.500. Total", "rapat at aula jam 10", "data at rest", "lihat www.example.com dan example.org", "(a) fotokopi ktp (b) pas foto",
        "pilih (a) atau (b), lihat example.com", "huruf (a) tentang kompensasi", "ikuti @dinas di kanal", "turun at terminal", "buka example dot com lalu daftar", "email dikirim, 2 kotak@Rp25.000",
        "rapat @ aula lantai 2. Bawa laptop", "titik kumpul di lapangan. Comeback",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_address_stays(text: str) -> None:
    assert emails(text) == []


@pytest.mark.parametrize("text", ["hubungi budi@example.com. Id pencaker menyusul", "hubungi budi@example.com.\nBesok", "3 x y budi@example.com, ya"])
def test_an_address_ends_with_its_sentence_and_begins_with_its_name(text: str) -> None:
    assert emails(text) == ["budi@example.com"]


def test_a_told_address_ends_with_its_sentence_too() -> None:
    assert emails("ke budi at example d o t com. mohon dibalas") == ["budi at example d o t com"]


@pytest.mark.parametrize(
    "value",
    [
        "12 mei taun 1990", "12 bl 6 th '90", "12, bulan 6, tahun 1990", "12 - juni - 1990", "12 agts 1990", "12 agustsu 1990", "12 setember 1990", "12 otkober 1990", "12 oktobr 1990", "12 novemeber 1990",
        "12 desmber 1990", "12 febuari 1990", "12 jnuari 1990", "12 aprl 1990", "12 juny 1990", "12 mai 1990", "2nd may 1990", "june 12, 1990", "1990, 12 juni", "th 1990 bln 6 tgl 12", "12 vi 1990", "12|06|1990",
        "12_06_1990", "12\\06\\1990", "12,06,1990", "1 2 - 0 5 - 1 9 9 0", "12 mei 1 9 9 0", "05/25/1990", "1990-5-2",
    ],
)  # fmt: skip
def test_a_birth_is_found_however_it_is_dated(value: str) -> None:
    text = f"lahir di solok {value} ya"
    assert told(text, find_births(text)) == [value]


@pytest.mark.parametrize("word", ["kelahran", "kelahiarn", "kelahirn", "lahirr", "lhir", "lahiir", "lahire", "lahirna", "lahianyo", "bday", "birthday", "ultahnya", "ulang tahun", "hut", "tubu", "medal", "miyos", "wedal", "brojol"])
def test_a_birth_is_found_behind_its_word(word: str) -> None:
    text = f"{word} 12 mei 1990"
    assert told(text, find_births(text)) == ["12 mei 1990"]
    assert not BIRTH_WORDS.isdisjoint(word.split())


@pytest.mark.parametrize(
    "text",
    [
        "tgl lahir wajib diisi. rapat 12 mei 2025", "kolom lahir kosong semuanya. selasa, 12 mei 2025", "akta kelahiran terbit 12-05-2025", "medali 12 mei 1990", "hut ri 17 agustus 1945", "hut ke-80, 17 agustus 2025",
        "ulang tahun perusahaan 12 mei 1990", "tubuh 12 mei 1990", "medal emas 12 mei 1990", "lahir batin", "cuti melahirkan mulai 1 juni 2025",
    ],
)  # fmt: skip
def test_an_events_date_beside_a_word_of_birth_stays(text: str) -> None:
    assert told(text, find_births(text)) == []


@pytest.mark.parametrize(
    ("written", "month"),
    [("jan", 1), ("jnuari", 1), ("feb", 2), ("pebruary", 2), ("mrt", 3), ("maret", 3), ("aprl", 4), ("mei", 5), ("may", 5), ("jun", 6), ("june", 6), ("juli", 7), ("july", 7), ("agt", 8), ("aug", 8), ("spt", 9), ("okt", 10), ("nop", 11), ("des", 12)],
)  # fmt: skip
def test_a_month_is_known_by_a_letter_or_two(written: str, month: int) -> None:
    assert date_at(f"3 {written} 1990", 0) == (len(written) + 7, (3, month, 1990))


def test_the_month_may_come_first() -> None:
    assert date_at("05/25/1990", 0) == (10, (25, 5, 1990))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ak/i\nno. pendaftaran: 1303 / 00271 / vii / 2025\nberlaku", "1303 / 00271 / vii / 2025"),
        ("ak/i no. pendaftaarn 1303 / 00271 / vii / 2025, berlaku", "1303 / 00271 / vii / 2025"),
        ("kartu ak1 saya hilang, nomornya kalau tak salah 1275.0625.00318. bisa", "1275.0625.00318"),
        ("kartu kuning saya hilang, nomornya 1275060025 ya", "1275060025"),
        ("ak1 nomor 1303 - 00271 - vii - 2025 ya", "1303 - 00271 - vii - 2025"),
        ("ak i : 1303. 00271. vii. 2025 ya", "1303. 00271. vii. 2025"),
        ("ak 1 560 / 1234 / disnaker / 2025 ya", "560 / 1234 / disnaker / 2025"),
        ("kartu kuniang 1303/00271/vii/2025", "1303/00271/vii/2025"),
        ("kertu kuningku 1303/00271/vii/2025", "1303/00271/vii/2025"),
        ("no reg pencaker 1303/271/vii/2025", "1303/271/vii/2025"),
        ("no pendaftaran pencari kerja: 1303.271.2025", "1303.271.2025"),
        ("kartu tanda bukti pendaftaran pencari kerja 1303/00271/2025", "1303/00271/2025"),
        ("kartu ak/1 no urut 271/vii/2025", "271/vii/2025"),
        ("ak satu: 1303.00271.2025", "1303.00271.2025"),
        ("ak1 1303_00271_vii_2025", "1303_00271_vii_2025"),
        ("ak1 1303\\00271\\2025", "1303\\00271\\2025"),
        ("ak-1 no. 1303/00271/vii\n/2025", "1303/00271/vii\n/2025"),
        ("ak1 nomernya itu 1 3 0 3 / 0 0 2 7 1", "1 3 0 3 / 0 0 2 7 1"),
        ("formulir ak1 bernomor seri b 0027145", "b 0027145"),
    ],
)
def test_a_cards_number_is_found_in_any_form(text: str, value: str) -> None:
    assert max(told(text, find_ak1(text)), key=len) == value


@pytest.mark.parametrize(
    "text",
    [
        "ak-1 2024/2025", "ak-1 2024 - 2025", "ak-1: 10.30 - 12.00 wib", "antrian ak-1 20 / 30 / 40 orang", "ak-1 1.275 lembar", "blanko ak1 2500 lembar", "rekap ak-1: jan 112, feb 118", "kartu kuning 2024",
        "registrasi pencaker 1275 orang", "reg. pencaker: 1.275", "no pendaftaran baru terdiri dari 4 digit", "ak-1 berlaku 2 tahun, permenaker 39 / 2016",
    ],
)  # fmt: skip
def test_counts_years_and_hours_are_no_cards_number(text: str) -> None:
    assert told(text, find_ak1(text)) == []


def plates(text: str) -> list[str]:
    return sorted({text[f.start : f.end] for f in find_plates(text, text.lower(), context=True)}, key=len)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plat motor yg nabrak pagar bk 2 7 0 5 rab tuh", "bk 2 7 0 5 rab"),
        ("motor dinas supra BA  4021  K, kunci 2", "BA  4021  K"),
        ("jemput pakai innova b 4586 a, sopirnya", "b 4586 a"),
        ("pakai innova bb 8241 cm, sopirnya", "bb 8241 cm"),
        ("nopol BA/1234/XY ya", "BA/1234/XY"),
        ("nopol B A 1 2 3 4 X Y ya", "B A 1 2 3 4 X Y"),
        ("no pol ba 1234 xy ya", "ba 1234 xy"),
        ("platnyo ba 5519 ran ya", "ba 5519 ran"),
        ("plat merah ba 21 k ya", "ba 21 k"),
        ("ertiga bm 1877 di ya", "bm 1877 di"),
        ("plat B 1234\nABC ya", "B 1234\nABC"),
    ],
)
def test_a_plate_is_found_however_it_is_parted(text: str, value: str) -> None:
    assert plates(text)[-1] == value


@pytest.mark.parametrize(
    "text",
    [
        "motor: kelas a 12 b 13", "sopir L 14 P 9 orang", "avanza h 2 m", "motor d 4500 an", "honda beat b 110 cc", "mobil e 100 di blk", "las plat 3 g dan 4 f", "innova 2020 dan avanza 2018", "motor r 2 dan r 4", "mobil da 12 m", "plat d 16 mm",
    ],
)  # fmt: skip
def test_counts_and_classes_beside_a_vehicle_are_no_plates(text: str) -> None:
    assert plates(text) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "kosong delapan satu tiga, enam dua, tujuh tujuh, nol satu, lima lima sembilan"),
        ("phone", "nol delapan satu tiga ... enam dua tujuh ... tujuh nol satu"),
        ("phone", "nol delapan satu dua koma dobel tujuh spasi tiga empat lima"),
        ("phone", "plus enam dua delapan satu tiga enam dua tujuh tujuh nol satu"),
        ("phone", "nol salapan duo tigo ampek limo anam tujuah salapan sambilan"),
        ("number", "satu tiga nol tiga nol tujuh empat tiga nol lima sembilan delapan sembilan nol nol satu"),
    ],
)
def test_a_long_number_told_digit_by_digit_needs_nobody_beside_it(kind: str, value: str) -> None:
    text = f"nomor saya {value}. iya"
    assert [(f.kind, text[f.start : f.end]) for f in find_dictated(text)] == [(kind, value)]


@pytest.mark.parametrize(
    "value",
    [
        "delapan-belas agustus sembilan lima", "dua-belas-juni-sembilan-puluh", "delapan belas - delapan - sembilan lima", "dua belas, enam, sembilan nol", "duabelas juni sembilanpuluh",
        "tanggal dua belas bulan enam tahun seribu sembilan ratus sembilan puluh", "dua puluh lima desember dua ribu nol satu", "rolas juni sangang puluh", "tigo baleh juni sambilan puluah",
    ],
)  # fmt: skip
def test_a_birth_in_words_is_found_behind_its_word(value: str) -> None:
    text = f"lahir {value} / verifikasi"
    assert told(text, find_dictated(text)) == [value]
    assert value in told(text, find_spoken(text))


@pytest.mark.parametrize(
    "text",
    [
        "dua, tiga, empat, lima, enam, tujuh, delapan, sembilan, sepuluh", "kosong delapan dari sepuluh soal", "nol koma lima persen", "upah dua juta lima ratus ribu", "lahir tiga bayi, dua kembar", "tingkat kelahiran dua koma tiga persen",
        "hadir dua puluh lima orang, tiga puluh laki-laki",
    ],
)  # fmt: skip
def test_counts_in_words_are_nobodys(text: str) -> None:
    assert told(text, find_dictated(text)) == []


@given(text=st.text(max_size=80) | st.text(alphabet="atdokeng@.()[] -_/\n\x7f019com", max_size=120))
@settings(max_examples=300, deadline=None)
def test_findings_lie_in_the_text(text: str) -> None:
    low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    found = [*find_emails(low, spelled=True), *find_births(low), *find_ak1(low), *find_plates(text, low, context=True), *find_dictated(low)]
    assert all(0 <= f.start < f.end <= len(text) for f in found)
