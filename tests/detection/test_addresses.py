"""Addresses as officers write them: blocks, house numbers, form rows, short forms, places without any label."""

from __future__ import annotations

import time

import pytest

from broker.detection import detect
from broker.detection.identifiers import find


def _addresses(text: str) -> list[str]:
    return [text[f.start : f.end] for f in find(text) if f.kind == "address"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # A block that is a hamlet
        ("tinggal di Blok Karanganyar RT 14 RW 04 Ds. Juntikebon Kec. Juntinyuat. tolong", "Blok Karanganyar RT 14 RW 04 Ds. Juntikebon Kec. Juntinyuat"),
        ("di Blok Masjid, Desa Jatisura RT.05 RW.02.", "Blok Masjid, Desa Jatisura RT.05 RW.02"),
        # A house's number that is called so, and one before its street
        ("antar ke Jr. Taratak Betung no. rumah 14 (dekat SD 11), Nag. Padang Tarok", "Jr. Taratak Betung no. rumah 14 (dekat SD 11), Nag. Padang Tarok"),
        ("di Jln. Samanhudi no rumah 12 lk 3", "Jln. Samanhudi no rumah 12 lk 3"),
        ("di Jor. Guguak no.rmh 8 [sebelah masjid Raya] Nag. Palangki", "Jor. Guguak no.rmh 8 [sebelah masjid Raya] Nag. Palangki"),
        ("di Gg. Damai (masuk dari Indomaret) No 9 Lk II", "Gg. Damai (masuk dari Indomaret) No 9 Lk II"),
        ("di No. 23 Jl. Anggrek, Kel. Setia", "No. 23 Jl. Anggrek, Kel. Setia"),
        # Rows of a form, with labels of their own
        ("Alamat : Jorong Koto\nRT/RW : 001/002\nKel/Desa : Palangki\nKecamatan : IV Nagari\nAgama : Islam", "Jorong Koto\nRT/RW : 001/002\nKel/Desa : Palangki\nKecamatan : IV Nagari"),
        ("ALAMAT : LK. IV JALAN SAMANHUDI\n  RT/RW : 000/000\n  KEL/DESA : SATRIA\n  KECAMATAN : BINJAI KOTA\nAGAMA : ISLAM", "LK. IV JALAN SAMANHUDI\n  RT/RW : 000/000\n  KEL/DESA : SATRIA\n  KECAMATAN : BINJAI KOTA"),
        ("Alamat\t: Jorong Tanjung\nNagari\t: Muaro\nKab/Kota\t: Sijunjung\nHP : -", "Jorong Tanjung\nNagari\t: Muaro\nKab/Kota\t: Sijunjung"),
        ("Alamat : Jl. Melati No. 5\nRT / RW : 003 / 005\nKel. / Desa : Satria\nKode Pos : 20714\nHP : -", "Jl. Melati No. 5\nRT / RW : 003 / 005\nKel. / Desa : Satria\nKode Pos : 20714"),
        ("Jl. Ahmad Yani No. 34\nLingk. II, Tangsi\nBinjai 20714", "Jl. Ahmad Yani No. 34\nLingk. II, Tangsi\nBinjai 20714"),
        # Short forms of parts in any order
        ("asal Ds. Sei Mencirim Dsn. IV Kp. Jawa, nama", "Ds. Sei Mencirim Dsn. IV Kp. Jawa"),
        ("di Nag. Muaro Bodi Jor. Koto Kec. IV Nagari", "Nag. Muaro Bodi Jor. Koto Kec. IV Nagari"),
        ("di Kab. Sijunjung Kec. Kupitan Nag. Batu Manjulur Jr. Pamatang", "Kab. Sijunjung Kec. Kupitan Nag. Batu Manjulur Jr. Pamatang"),
        ("di Kel. Satria Kec. Binjai Kota Jl. Kartini No 8", "Kel. Satria Kec. Binjai Kota Jl. Kartini No 8"),
        ("di Perum. Bumi Indah Blk. D No.9 Kec. Sijunjung", "Perum. Bumi Indah Blk. D No.9 Kec. Sijunjung"),
        ("ALAMAT TJ. JATI GG. RUKUN, SEBELAH KILANG PADI, BINJAI BARAT. SUDAH", "TJ. JATI GG. RUKUN, SEBELAH KILANG PADI, BINJAI BARAT"),
        ("tinggal di Kb. Lada, Gg. Pinang 7.", "Kb. Lada, Gg. Pinang 7"),
        ("hadir, Ps. IV Gg. Bakti No 7 Kec. Binjai Utara", "Ps. IV Gg. Bakti No 7 Kec. Binjai Utara"),
        ("hadir, Padang Sibusuk, Jr. Simancung no 4", "Padang Sibusuk, Jr. Simancung no 4"),
        ("rumah lrg. Amal 3 no. 12 Ps. Kamis", "lrg. Amal 3 no. 12 Ps. Kamis"),
        ("Sdr. Budi, jl anggrek gg 3 no 23a setia binjai kota", "jl anggrek gg 3 no 23a setia binjai kota"),
        # RT, RW and wards with a bare place
        ("tinggal di RT 3 RW 5 Satria.", "RT 3 RW 5 Satria"),
        ("Rudi tinggal di rt3/rw5 tangsi.", "rt3/rw5 tangsi"),
        ("tinggal di RT 3 RW 5.", "RT 3 RW 5"),
        ("jalan samanhudi, rt tiga rw lima, pujidadi", "jalan samanhudi, rt tiga rw lima, pujidadi"),
        ("Jalan Samanhudi RT-003 RW-005 Pujidadi", "Jalan Samanhudi RT-003 RW-005 Pujidadi"),
        ("siap, LK 6 MENCIRIM, BINJAI TIMUR, siap", "LK 6 MENCIRIM, BINJAI TIMUR"),
        ("hadir, Muaro Kalaban, RT 2 RW 3", "Muaro Kalaban, RT 2 RW 3"),
        # A place without any label, with a house's number
        ("Calon Abyasa, Padang Laweh Malalo no rumah 6, Koto VII, punya", "Padang Laweh Malalo no rumah 6, Koto VII"),
        ("Siti (Guguak Sarai no. 9, Muaro), hadir", "Guguak Sarai no. 9, Muaro"),
        ("PELAPOR SITI, TANGSI LAMA NO. 5, BINJAI KOTA, MELAPOR", "TANGSI LAMA NO. 5, BINJAI KOTA"),
        ("Rina, Simp. Logas no 3 depan kedai Mak Itam, Muaro Takung", "Simp. Logas no 3 depan kedai Mak Itam, Muaro Takung"),
        ("Rudi tinggal di Blok C-12 Komplek Pemda", "Blok C-12 Komplek Pemda"),
        ("tinggal di Lingkungan 4 (empat), Kelurahan Damai", "Lingkungan 4 (empat), Kelurahan Damai"),
        ("Jl Danau Tondano Lk-V Sumber Karya", "Jl Danau Tondano Lk-V Sumber Karya"),
        ("alamatnya jr pinang no rumahnya 8.", "jr pinang no rumahnya 8"),
        ("Alamat: Perumahan Asri\n        Blok B4 No. 11\n        Kel. Muaro\nTelp: -", "Perumahan Asri\n        Blok B4 No. 11\n        Kel. Muaro"),
        # Somebody's address
        ("surat ke Budi, d.a. Toko Sinar, Jl. Bangau 10, Mencirim", "Toko Sinar, Jl. Bangau 10, Mencirim"),
        ("Alamat Pak Rahmat: Blok Sukamulya Desa Cikedung", "Blok Sukamulya Desa Cikedung"),
        ("Alamat Yusnidar: dekat surau tuo", "dekat surau tuo"),
    ],
)  # fmt: skip
def test_an_address_is_found_as_far_as_it_is_told(text: str, value: str) -> None:
    assert _addresses(text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "Blok anggaran dibuka lagi, blok desa menyusul.", "Blok mesin 4 jalan terus.", "Blok A untuk peserta", "Kel/Desa, Kecamatan dan Kab/Kota wajib diisi.", "dua digit provinsi, dua kab, dua kec, lalu tanggal lahir",
        "Kabupaten Sijunjung menerima 12 orang.", "L/P: Lk 6, Pr 4.", "LK 12 ORANG, PR 8 ORANG", "Surat no 12, Binjai Kota, sudah dibalas.", "Nomor antrean 7, loket no 3, hari Senin.", "Kursi no 7, meja no 12, lantai 2.",
        "Rapat no 6, Koto VII, ditunda.", "Rumah no 3 di perumahan dinas sudah diperbaiki.", "peserta juara no 2, Binjai", "Isi alamat lengkap: nama jalan, nomor, RT/RW, kelurahan.", "RT 3 menit", "Kerja bakti RT 03/RW 05.",
        "pekan depan balai Nagari Taratak Baru; lalu", "Tj. Balai, Tj. Morawa dan Tj. Pura ikut bursa kerja.", "alamat email Budi: lihat berkas", "Alamat server: rak 3.", "Alamat situs: example.org", "Bantuan untuk warga RT 03/RW 05 menyusul.", "LK 45 PR 38 JUMLAH 83", "CV Serikat; KBLI 38341; WNI 39",
    ],
)  # fmt: skip
def test_what_looks_like_a_part_is_no_address(text: str) -> None:
    assert _addresses(text) == []


def test_what_is_called_an_address_and_has_a_lane_needs_no_name_beside_it() -> None:
    text = "INGIN KERJA DARI RUMAH. ALAMAT TJ. JATI GG. RUKUN, BINJAI BARAT. SUDAH DIRUJUK"
    assert [f.kind for f in detect([text])[0] if f.kind == "address"] == ["address"]


@pytest.mark.parametrize("text", ["Kompor no 3 bocor, resep rendang", "Sosialisasi di Kel. Satria Kec. Binjai Kota, peserta 40.", "Pos ronda depan masjid RT 3 RW 5 akan dicat.", "Rehab drainase Gg. Mesjid Lk. III Kel. Nangka", "Blok Masela, Kec. Babar, mencari tenaga"])
def test_a_part_that_is_nobodys_is_left_alone(text: str) -> None:
    assert [f for f in detect([text])[0] if f.kind == "address"] == []


def test_an_address_ends_before_a_number_of_copies() -> None:
    assert "satu" not in _addresses("beralamat di Jalan Thamrin KM 34, 1 (satu) berkas asli")[0]


def test_a_road_ends_before_a_number_that_is_no_postcode() -> None:
    assert _addresses("PT Karya; Jl. Samanhudi; KBLI 36221; WNI 42") == ["Jl. Samanhudi"]


@pytest.mark.parametrize("piece", ["Koto Tuo no 3, ", "Jr. Koto, ", "Kel/Desa : Muaro\n", "blok a ", "Ps. IV ", "alamat pak ", "rt 3 rw 5 ", ", Padang Padang Padang "])
def test_much_of_it_takes_no_longer_than_its_length(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    start = time.process_time()
    find(text)
    assert time.process_time() - start < 2
