"""Identifiers in text: what is found wherever it stands, what is not one, and that every way of asking gives the same answer."""

from __future__ import annotations

import random
import socket
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.detection import Misplaced, find
from broker.detection.forms import table
from broker.detection.homes import addressed
from broker.detection.identifiers import as_read, find_marked, shared_marks
from broker.detection.misplaced import _STRONG
from broker.detection.numbers import judge
from broker.detection.registry import ENTITIES, analyzer
from broker.detection.structures import luhn, nik_fits, nip_fits, npwp_fits
from broker.sample.notes import notes

NIK = "1303074305989718"
KK = "1303071204130001"


def kinds(text: str) -> list[str]:
    return [f.kind for f in find(text)]


def told(text: str) -> list[tuple[str, str]]:
    return [(f.kind, text[f.start : f.end]) for f in find(text)]


@pytest.mark.parametrize(
    "text",
    [
        NIK, f"NIK{NIK}", f"id_{NIK}", f"{NIK} lulus", f"{NIK} Oke", f"{NIK} Ibu", f"{NIK}, 2 anak", f"{NIK} 01/02", f"RT 3 {NIK}", f"Jl. 5, {NIK}", f"({NIK})",
        "1303 0743 0598 9718", "13.03.07.430598.9718", "130307-430598-9718", "13O3074305989718", "１３０３０７４３０５９８９７１８", f"{NIK}{NIK}", f"{NIK},{NIK}", f"KTP:{NIK}.",
        "1303/0743/0598/9718", "1303 0743\n0598 9718", "13030743\r\n05989718", "l303O74305989718", "I303074305989718", "١٣٠٣٠٧٤٣٠٥٩٨٩٧١٨", f"no{NIK}yg", f"{NIK}081234567890",
        "1303\u200b0743\u200b0598\u200b9718", "1303\u00a00743\u00a00598\u00a09718", "1303\u20110743\u20110598\u20119718", f"[{NIK}]", f"9{NIK}", "1303 - 0743 - 0598 - 9718",
    ],
)  # fmt: skip
def test_a_nik_is_found_wherever_it_stands(text: str) -> None:
    assert "nik" in kinds(text)


@pytest.mark.parametrize(
    ("text", "kind", "verdict", "value"),
    [
        (f"NIK {NIK}", "nik", "valid", NIK),
        ("NIKnya 9999 9999 9999 9999", "nik", "shaped", "9999 9999 9999 9999"),
        ("nik: 13030743059897180 ya", "nik", "shaped", "13030743059897180"),
        ("no. identitas = 13030743059", "nik", "shaped", "13030743059"),
        ("NIK ybs adalah 1303 0743 0598 97", "nik", "shaped", "1303 0743 0598 97"),
        ("9999999999999999 (NIK)", "nik", "shaped", "9999999999999999"),
        ("KTP yang bersangkutan 13030743059897", "nik", "shaped", "13030743059897"),
        (f"no KK: {KK}", "kk", "plausible", KK),
        ("kartu keluarga 99991204130001", "kk", "shaped", "99991204130001"),
        ("NPWP 09.254.294.3-407.000", "npwp", "valid", "09.254.294.3-407.000"),
        ("NPWP 09.254.294.4-407.000", "npwp", "shaped", "09.254.294.4-407.000"),
        ("092542943407000", "npwp", "valid", "092542943407000"),
        (f"NPWP {NIK}", "npwp", "plausible", NIK),
        (f"{NIK}000000", "nitku", "valid", f"{NIK}000000"),
        ("NITKU 1234567890123456000000", "nitku", "plausible", "1234567890123456000000"),
        ("BPJSnya 0001234567890", "bpjs", "plausible", "0001234567890"),
        ("0001234567890 adalah nomor BPJS", "bpjs", "plausible", "0001234567890"),
        ("kartu BPJS no. 00012345678", "kpj", "plausible", "00012345678"),
        ("BPJS 123456789", "bpjs", "shaped", "123456789"),
        ("BPJS Ketenagakerjaan 12345678901", "kpj", "plausible", "12345678901"),
        ("KPJ: 123456789", "kpj", "shaped", "123456789"),
        ("NIB 1234567890123", "nib", "plausible", "1234567890123"),
        ("198503302003121002", "nip", "valid", "198503302003121002"),
        ("NIP 19850330 200312 1 002", "nip", "valid", "19850330 200312 1 002"),
        ("NIP 198503302003129", "nip", "shaped", "198503302003129"),
        ("paspor A1234567", "passport", "plausible", "A1234567"),
        ("no. paspor: B 1234567", "passport", "plausible", "B 1234567"),
        ("SIM B1 umum no 1234-5678-901234", "sim", "plausible", "1234-5678-901234"),
        ("SIM C 123456789", "sim", "shaped", "123456789"),
        ("hub 0812-3456-7890 ya", "phone", "valid", "0812-3456-7890"),
        ("WA +62 812 3456 7890", "phone", "valid", "62 812 3456 7890"),
        ("0062 812 3456 7890", "phone", "valid", "0062 812 3456 7890"),
        ("O8l2-3456-789O", "phone", "valid", "O8l2-3456-789O"),
        ("telp 081234567890, 2 anak", "phone", "valid", "081234567890"),
        ("INV-081234567890", "phone", "valid", "081234567890"),
        ("hp 0812 345", "phone", "shaped", "0812 345"),
        ("(0754) 20123", "phone", "plausible", "0754) 20123"),
        ("021-5551234", "phone", "plausible", "021-5551234"),
        ("telp. 075420123", "phone", "plausible", "075420123"),
        ("rek BRI 0123-01-012345-50-9", "account", "plausible", "0123-01-012345-50-9"),
        ("rekening atas nama Siti 012345678901234", "account", "plausible", "012345678901234"),
        ("1234567890 (BCA)", "account", "plausible", "1234567890"),
        ("Bank Nagari 2100.0210.12345-6", "account", "shaped", "2100.0210.12345-6"),
        ("BA 1234 XY", "plate", "plausible", "BA 1234 XY"),
        ("motor plat ba1234xy", "plate", "plausible", "ba1234xy"),
        ("budi@example.com.", "email", "valid", "budi@example.com"),
        ("budi[AT]example.com", "email", "plausible", "budi[AT]example.com"),
        ("budi (at) example (dot) com", "email", "plausible", "budi (at) example (dot) com"),
        ("surat ke budi at example dot com ya", "email", "plausible", "budi at example dot com"),
        ("budi%40example.org", "email", "plausible", "budi%40example.org"),
        ("budi @ example.com", "email", "valid", "budi @ example.com"),
        ("budi@intranet.lokal", "email", "valid", "budi@intranet.lokal"),
        ("di Jl. Sudirman", "address", "plausible", "Jl. Sudirman"),
        ("Gg. Melati No 3 RT 01/RW 02, Kel. Tangsi, Kec. Binjai Kota 20714 sudah", "address", "valid", "Gg. Melati No 3 RT 01/RW 02, Kel. Tangsi, Kec. Binjai Kota 20714"),
        ("tinggal di jl sudirman no 5 rt 3 rw 4 sejak lama", "address", "valid", "jl sudirman no 5 rt 3 rw 4"),
        ("JALAN KARTINI NO 5 RT 003/004", "address", "valid", "JALAN KARTINI NO 5 RT 003/004"),
        ("Jorong Koto, Nagari Muaro, Kab. Sijunjung", "address", "valid", "Jorong Koto, Nagari Muaro, Kab. Sijunjung"),
        ("Jl. Lintas KM 47 No. 12", "address", "valid", "Jl. Lintas KM 47 No. 12"),
        ("Alamat: Simpang Tugu dekat mesjid, HP", "address", "plausible", "Simpang Tugu dekat mesjid"),
        ("TTL: Padang, 12 Agt 1987", "birth_date", "valid", "12 Agt 1987"),
        ("lahir di Solok tgl 1 Nop 88", "birth_date", "valid", "1 Nop 88"),
        ("lahir 05 Peb 1999", "birth_date", "valid", "05 Peb 1999"),
        ("tgl lahir 1990-03-12", "birth_date", "valid", "1990-03-12"),
        ("kelahiran Medan 12/03/90", "birth_date", "valid", "12/03/90"),
        ("lahir 31-02-1990", "birth_date", "shaped", "31-02-1990"),
        ("12-03-1990 (lahir)", "birth_date", "valid", "12-03-1990"),
        ("kartu kuning no. 560.123.20240001", "ak1", "plausible", "560.123.20240001"),
        ("AK/I: 1303/0045/2024", "ak1", "plausible", "1303/0045/2024"),
        ("AK-1 Budi sdh dicetak no 560/4992/AK-I/2024", "ak1", "plausible", "560/4992/AK-I/2024"),
        ("nomeripun 98586/PK/03/2025.", "ak1", "plausible", "98586/PK/03/2025"),
        ("diganti 2216/AK1/IV/26 ya", "ak1", "plausible", "2216/AK1/IV/26"),
        ("ralat: semula tertulis 31/12/67", "birth_date", "valid", "31/12/67"),
        ("tgl laihr 3 mei 1988", "birth_date", "valid", "3 mei 1988"),
        ("lahir 12 mei th 1988", "birth_date", "valid", "12 mei th 1988"),
        ("lahir 27-V-2001", "birth_date", "valid", "27-V-2001"),
        ("lahir 1988, Des 30", "birth_date", "valid", "1988, Des 30"),
        ("lahir Jumat Pon 9/4/1976", "birth_date", "valid", "Jumat Pon 9/4/1976"),
        ("kantor (061) 61688", "phone", "plausible", "061) 61688"),
        ("nomor penelpon 0213-777-0049-1", "phone", "plausible", "0213-777-0049-1"),
        ("budi@@example.com", "email", "valid", "budi@@example.com"),
        ("mobil BB 9424 KM", "plate", "plausible", "BB 9424 KM"),
        ("plat B 3373 KK ditahan", "plate", "plausible", "B 3373 KK"),
        ("plat nomor b 1234", "plate", "plausible", "b 1234"),
        ("mobil dinas BA 8 K dipakai", "plate", "plausible", "BA 8 K"),
        ("nopol BM 77 DA", "plate", "plausible", "BM 77 DA"),
        ("tlp. ( 061 ) 882 - 41 - 97", "phone", "plausible", "061 ) 882 - 41 - 97"),
        ("Bank Nagari, tertulis 33 4 4 – 0 1 0 0 – 8 8 – 9 kurang", "account", "plausible", "33 4 4 – 0 1 0 0 – 8 8 – 9"),
        ("#4 (061) 78010 - Saka", "phone", "plausible", "061) 78010"),
        ("12:15 061 882 4417 Mak Wadi", "phone", "plausible", "061 882 4417"),
        ("missed call (0754)20774 1x", "phone", "plausible", "0754)20774"),
        ("paspor c9 01 28 77 ditahan", "passport", "plausible", "c9 01 28 77"),
        ("cabang: 0021458893077000000014", "nitku", "valid", "0021458893077000000014"),
        ("No. Pencaker AK.1 / 1303 - 000 - 4471 / 25", "ak1", "plausible", "AK.1 / 1303 - 000 - 4471 / 25"),
        ("platnya b k 1234 a b", "plate", "plausible", "b k 1234 a b"),
        ("Lahir di/tgl : Solok, O5 Juni l984", "birth_date", "valid", "O5 Juni l984"),
        ("TGL LHR: 7/8/'99", "birth_date", "valid", "7/8/'99"),
        ("tgl lahir 19900512", "birth_date", "valid", "19900512"),
        ("lahir tanggal 12 bulan 5 tahun 1990", "birth_date", "valid", "tanggal 12 bulan 5 tahun 1990"),
        ("DOB: 12/05/1990", "birth_date", "valid", "12/05/1990"),
        ("email budi@example com", "email", "valid", "budi@example com"),
        ("email budi at gmail", "email", "plausible", "budi at gmail"),
        ("email budi #at# example.com", "email", "plausible", "budi #at# example.com"),
        ("kartu kuning hilang, yg lama 1303/0218/VII/2022 ya", "ak1", "shaped", "1303/0218/VII/2022"),
        ("03.12/PENTA/00918/2025", "ak1", "plausible", "03.12/PENTA/00918/2025"),
        ("manfaat utk kartu TK no. 15099522175 distop", "kpj", "plausible", "15099522175"),
        ("saldo JHT 110-5307-8378 cair", "kpj", "plausible", "110-5307-8378"),
        ("08.15 (0755) 4903754 salah sambung", "phone", "plausible", "0755) 4903754"),
    ],
)  # fmt: skip
def test_an_identifier_is_found_by_form_or_label(text: str, kind: str, verdict: str, value: str) -> None:
    assert [(f.kind, f.verdict, text[f.start : f.end]) for f in find(text)] == [(kind, verdict, value)]


@pytest.mark.parametrize(
    "text",
    [
        "", "Teknik Kendaraan Ringan", "upah 3200000", "tgl 20-03-2025 s.d. 2026-01-01", "9999999999999999", "RT 001/RW 002", "1.30307E+15", "Rp 3.500.000", "2.750.000,-",
        "upah Rp. 4.250.000 per bulan", "tahun 2019-2024", "SK No. 560/123/2024", "KBLI 47111", "KBJI 2149.01", "jam 08.00-12.00, 13.00-16.00", "order 20240512123456",
        "simpanan 12345678901234", "simulasi 123456789012", "perwakilan 1234567890", "rekan 1234567890", "2024-03-12 08:00:00", "20240312080000", "4111111111111111",
        "jalan kaki", "jalan-jalan", "sedang jalan", "jalan keluar", "masih jalan terus", "surat jalan 12", "Perum Bulog", "Bank Nagari", "alamat email", "tinggal di mess",
        "BPJS 2023-2024", "KTP tgl 12-03-2020", "SIM berlaku 12-03-2025", "WA jam 08.00-16.00", "telp 3 kali", "telp 08.00-16.00", "WA 08.00 - 16.00", "hp 2 unit 3.500.000", "rekening sebesar Rp 3.500.000",
        "123/PK/03/2025", "virtual account 202618243642686", "token 4471 0283 9915 6620 3378", "mestinya 12/03/2024", "SABTU, 08-10-2025, 07:00 WIB", "08-10-2026 14:30 WIB", "Kode rekening belanja 5.1.02.01.01.0024", "surat 1303/0218/VII/2022", "plat besi 3 mm", "plat d 16 mm", "motor dinas, surat B.296/PHI/X/2025", "kode rekening 5.1.02.04.01.0003", "lahir, data per 24 Juni 2026", "stan A2 UD Maju motor",
        "kartu kuning 2024", "AK-1 tgl 12-03-2024", "AK/I diperpanjang", "D 3 TI", "UU 13/2003", "lahir batin", "data at rest", "versi 1.2.3.4", "192.168.10.112",
        "1 2 3 4 5 6 7 8 9 10 11 12", "2019 2020 2021 2022 2023", "skor 85,5 90,25 77,0", "Sijunjung, 12 Maret 2024", "12345678901234567890", "A1234567",
    ],
)  # fmt: skip
def test_what_is_no_identifier_is_left_alone(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tinggal di Kec. IV Nagari, Jorong Koto Baru sejak lama", "Kec. IV Nagari, Jorong Koto Baru"),
        ("JORONG TAPI BALAI, NAGARI LANGKI KEC. IV NAGARI KAB. SOLOK", "JORONG TAPI BALAI, NAGARI LANGKI KEC. IV NAGARI KAB. SOLOK"),
        ("alamat: JL. GATOT SUBROTO GG. BANTEN NO 7-\nA KEL. BANDAR SENEMBAH", "JL. GATOT SUBROTO GG. BANTEN NO 7-\nA KEL. BANDAR SENEMBAH"),
        ("alamat Dusun III Sei Mencirim, Ps. IV, Kec. Sunggal tdk dikenal", "Dusun III Sei Mencirim, Ps. IV, Kec. Sunggal"),
        ("ALAMAT JALAN RAYA SOLOK GG. KARYA NO 23, LK. VI", "JALAN RAYA SOLOK GG. KARYA NO 23, LK. VI"),
        ("warga Kec. 2 x 11 Enam Lingkung, Nagari Sicincin.", "Kec. 2 x 11 Enam Lingkung, Nagari Sicincin"),
        ("dia di RT 3 Lk IV Tanah Seribu.", "RT 3 Lk IV Tanah Seribu"),
        ("anak itu di Tanjung Jaya RT 02, Nagari Muaro.", "Tanjung Jaya RT 02, Nagari Muaro"),
        ("dari Gg. Sempit belakang Masjid Jamik, Kel. Berngam. Ia", "Gg. Sempit belakang Masjid Jamik, Kel. Berngam"),
        ("DARI GG. SEMPIT DEKAT KILANG PADI, BERNGAM SUDAH PINDAH", "GG. SEMPIT DEKAT KILANG PADI, BERNGAM"),
        ("Domisili: Kost Anggrek kamar 7, Jl. Nila, Binjai", "Kost Anggrek kamar 7, Jl. Nila, Binjai"),
        ("tinggal di kosan Bu Rina, Jl. Mawar 5 belakang SMK.", "kosan Bu Rina, Jl. Mawar 5 belakang SMK"),
        ("tingga di balakang pasa Kumanis dakek surau. Inyo", "balakang pasa Kumanis dakek surau"),
        ("Rumahnya sebelah kiri jembatan, cat hijau, Jorong Silungkang.", "sebelah kiri jembatan, cat hijau, Jorong Silungkang"),
        ("griyanipun wonten Dukuh Ngablak RT 3 Ds. Karangrejo, Kc. Gajah", "Dukuh Ngablak RT 3 Ds. Karangrejo, Kc. Gajah"),
        ("numpang di mushola Al-Huda Lk. II Kel. Satria.", "mushola Al-Huda Lk. II Kel. Satria"),
        ("pindah ke Pasar 5 Tanjung Jati, rumah papan", "Pasar 5 Tanjung Jati, rumah papan"),
        ("kirim kartunya ke rumah mertuanya di Kp. Tangah saja", "rumah mertuanya di Kp. Tangah"),
        ("d/a Warung Mak Uni, simpang Muaro Bodi", "Warung Mak Uni, simpang Muaro Bodi"),
        ("A1amat: J1. Nila 45", "J1. Nila 45"),
        ("alamat rumah Jl. Dahlia No. 18-B, Kel. Satria", "rumah Jl. Dahlia No. 18-B, Kel. Satria"),
        ("Alamat menurut KTP: Sp. 3 jalur 6 no. 11", "Sp. 3 jalur 6 no. 11"),
        ("Alamat: Jl. Lintas KM 2,\nKenagarian Timpeh", "Jl. Lintas KM 2,\nKenagarian Timpeh"),
        ("alamat | Jl. Nila 3/12 RT 4 | HP", "Jl. Nila 3/12 RT 4"),
        ("G: P\tH: kos bu Ani, blkg SPBU Lama\tI: -", "kos bu Ani, blkg SPBU Lama"),
        ("alamat di aplikasi masih jalan lintas timur no 20a, rt 12/5", "jalan lintas timur no 20a, rt 12/5"),
        ("no;nama;alamat;hp\n1;Siti;Simpang Logas blok B;-", "simpang logas blok b"),
    ],
)  # fmt: skip
def test_an_address_goes_as_far_as_it_is_told(text: str, value: str) -> None:
    found = [text[f.start : f.end] for f in find(text) if f.kind == "address"]
    assert [each.lower() for each in found] == [value.lower()]


@pytest.mark.parametrize(
    "text",
    [
        "Jl. Melati ditutup dua hari.", "Lowongan satpam di Perumahan Citra Graha Blok A No. 3", "Kantor pindah ke Jl. Sudirman No. 45, Binjai", "Toko Holland, Jl. Ringroad No. 5",
        "PT Maju, Jl. Gatot Subroto Km 7 No. 12", "Interview di Jl. Nila No. 79, bawa CV, Senin jam 9", "Peserta tinggal di asrama selama pelatihan", "PEKERJA TINGGAL DI BARAK 4",
        "Desa Sei Limbat dan Desa Cermin, Kec. Selesai, terendam", "Truk terguling di Jl. Lintas Sumatera KM 112", "Layanan daring tetap jalan. Toner habis", "alamat kantor Jl. Sudirman No. 4",
        "Dokumen dikirim ke bagian umum, dekat ruang arsip", "Rapat di lantai 2 ruang belakang, depan mushala", "legalisir 17, salah alamat 3. Selesai",
    ],
)  # fmt: skip
def test_an_address_of_nobody_is_left_alone(text: str) -> None:
    assert addressed(text, find(text), about_a_person=False) == []


@pytest.mark.parametrize("text", ["ybs tinggal di Jl. Melati", "menurut tetangganya di Lk. V Gg. Karya", "Gg. Melati No 3 RT 01/RW 02, Kel. Tangsi", "Rumah Pak Anu di Jl. Nila", "PHK PT Maju, menumpang di Dusun II, Desa Cermin"])
def test_an_address_of_somebody_unnamed_is_kept(text: str) -> None:
    assert [f.kind for f in addressed(text, find(text), about_a_person=False)] == ["address"]


@pytest.mark.parametrize("text", ["Jl. Melati", "Sukamaju", "tinggal di dekat pasar lama"])
def test_beside_a_person_every_address_counts(text: str) -> None:
    assert addressed(text, find(text), about_a_person=True) == find(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"NIK {NIK}/KK {KK}", [("nik", NIK), ("kk", KK)]),
        ("0812-3456-7890 / 0813-1111-2222", [("phone", "0812-3456-7890"), ("phone", "0813-1111-2222")]),
        (f"{NIK}081234567890", [("nik", NIK), ("phone", "081234567890")]),
        (f"081234567890{NIK}", [("phone", "081234567890"), ("nik", NIK)]),
        (f"{NIK} 081234567890", [("nik", NIK), ("phone", "081234567890")]),
        (f"Alamat: Jl. Melati 5 {NIK}", [("address", "Jl. Melati 5"), ("nik", NIK)]),
        ("paspor A1234567, B 7654321 dan C1122334", [("passport", "A1234567"), ("passport", "B 7654321"), ("passport", "C1122334")]),
        ("12345678 WA 081234567890", [("phone", "081234567890")]),
        ("202682289093\n08/08/2024 13.45", []),
        (f"{NIK}\tSITI\t17/08/82\t0877 708 895 96", [("nik", NIK), ("birth_date", "17/08/82"), ("phone", "0877 708 895 96")]),
        ("budi@example.com,siti@example.com", [("email", "budi@example.com"), ("email", "siti@example.com")]),
    ],
)
def test_one_identifier_never_hides_another(text: str, expected: list[tuple[str, str]]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize("before", ["😀 ", "é ", "e\u0301 ", "İ ", "ẞ", "\u202e", "𝟎 ", "👩‍👩‍👧 "])
def test_offsets_are_characters_of_the_text(before: str) -> None:
    text = f"{before}NIK {NIK} dan budi@example.com"
    assert told(text) == [("nik", NIK), ("email", "budi@example.com")]


@given(before=st.text(max_size=12), after=st.text(max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_surrounding_text_hides_a_nik(before: str, after: str) -> None:
    text = before + NIK + after
    assert any(f.start < len(before) + 16 and len(before) < f.end for f in find(text))


@given(text=st.text(max_size=80) | st.text(alphabet="0123456789 .-/,+()OolI@atRTrwjlJLno\n\x7fk：", max_size=120))
@settings(max_examples=300, deadline=None)
def test_findings_are_in_order_and_do_not_overlap(text: str) -> None:
    found = find(text)
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(text=st.text(alphabet="0123456789 .-/,+()OolI@aAtT[]%\n１３x\u200b", max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_column_search_misses_nothing_that_find_finds(text: str) -> None:
    frame = pl.DataFrame({"a": [text]}, schema={"a": pl.String})
    strong = any(f.kind in _STRONG for f in find(text))
    assert Misplaced.search(frame, ("a",), pl.Series([True])).cells == ({"a": {0: find(text)}} if strong else {})


@pytest.mark.parametrize("text", ["BA 1234 XY", "Wali Jorong Koto", "Jl. Sudirman", "lahir 12-03-1990", "NIB 1234567890123", "AK-1 12345678"])
def test_a_column_may_hold_a_place_a_plate_a_date_or_a_business_number(text: str) -> None:
    frame = pl.DataFrame({"a": [text]}, schema={"a": pl.String})
    assert Misplaced.search(frame, ("a",), pl.Series([True])).cells == {}


def test_random_numbers_are_seldom_called_nik() -> None:
    draw = random.Random(20261122)
    numbers = [f"{draw.randrange(10**16):016d}" for _ in range(300_000)]
    fitting = [n for n in numbers if nik_fits(n)]
    assert len(fitting) <= 300  # 0.1 %
    assert all("nik" in kinds(n) for n in fitting[:20])
    assert not any(find(n) for n in numbers[:3000] if not nik_fits(n) and not npwp_fits(n))


def test_card_numbers_are_seldom_called_nik() -> None:
    draw = random.Random(4)
    doubled = dict(zip("0123456789", (0, 2, 4, 6, 8, 1, 3, 5, 7, 9), strict=True))
    cards = []
    for _ in range(200_000):
        body = f"{draw.choice('3456')}{draw.randrange(10**14):014d}"
        total = sum(map(doubled.__getitem__, body[::2])) + sum(map(int, body[1::2]))
        cards.append(f"{body}{-total % 10}")
    assert all(map(luhn, cards[:1000]))
    assert sum(map(nik_fits, cards)) <= 600  # 0.3 %


def test_a_nik_needs_a_region_of_some_edition_unless_labelled() -> None:
    assert nik_fits("6404011203909001")  # Bulungan, until 2012 in Kalimantan Timur
    assert not nik_fits("1399011203909001")
    assert kinds("1399011203909001") == []
    assert kinds("NIK 1399011203909001") == ["nik"]


@pytest.mark.parametrize(("digits", "fits"), [("198503302003121002", True), ("198513302003121002", False), ("198503301990121002", False), ("198503302003123002", False)])
def test_a_nip_is_a_birth_an_appointment_a_sex_and_a_serial(digits: str, *, fits: bool) -> None:
    assert nip_fits(digits) is fits


def test_a_reason_never_tells_the_number() -> None:
    text = f"NIK {NIK} hp 0812-3456-7890 rek 1234567890 budi@example.com Jl. Melati 5"
    assert not any(part in f.reason for f in find(text) for part in (NIK, "0812", "1234567890", "budi", "Melati"))
    assert judge("nik", "123")[1:] == ("shaped", "labelled, 3 digits")


def test_presidio_finds_them_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the analyzer asked the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    engine = analyzer()
    for text in (f"NIK {NIK} hp 0812-3456-7890", "budi@example.com", "upah 3200000", f"{NIK} lulus"):
        asked = {(r.start, r.end, r.entity_type) for r in engine.analyze(text, language="id")}
        assert {(f.start, f.end, ENTITIES[f.kind]) for f in find(text)} <= asked


def test_a_line_of_texts_is_marked_as_each_text_by_itself() -> None:
    texts = [*(note.text for note in notes(4, 400, "dev", upper=0.2)), "", "hp 1", "％", "a@b", "d/a x", "d'nik 12345678", "nik: l2345", "Ｎｉｋ 1"]
    together = shared_marks().of(texts, table().line(texts))
    assert [find_marked(as_read(text, said), said) for text, said in zip(texts, together, strict=True)] == [find(text) for text in texts]
    assert len({*together}) > 20


@pytest.mark.parametrize("value", ["NIK l3O3O5OOOOOO9OO1", "rek BRI 4OO-OO1-OOO-7O", "ＮＩＫ ｌ３Ｏ３Ｏ５ＯＯＯＯＯＯ９ＯＯ１"])
def test_no_misread_number_slips_past_the_search_of_a_column(value: str) -> None:
    frame = pl.DataFrame({"jabatan": [value, "penjual oli dan loli"]})
    found = Misplaced.search(frame, ("jabatan",), pl.Series([True, True]))
    assert find(value)
    assert list(found.cells) == ["jabatan"]
    assert list(found.cells["jabatan"]) == [0]
    assert not found.failed.any()
