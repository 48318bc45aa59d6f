"""Rows about people who look for work, and about those who have it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.sample.draw import one, shares, whole, years_after, yes
from broker.sample.people import person
from broker.sample.record import record
from broker.sample.texts import fill
from broker.sample.work import SECTORS, employer, job, loss, rupiah

if TYPE_CHECKING:
    from datetime import date

    from broker.sample.draw import Draw
    from broker.sample.people import Person, World
    from broker.sample.record import Row
    from broker.sample.work import Loss

MONTH: Final = len("2026-11")
ADULT: Final = 19  # a younger seeker has never worked
STATUS: Final = shares({"1": 35, "2": 50, "3": 15})
CARD: Final = shares({"AKTIF": 70, "LAPOR_LEWAT": 14, "DITEMPATKAN": 10, "KEDALUWARSA": 5, "BATAL": 1})
MAJORS: Final = {  # by education code: name, group, kind of school
    "05": (("Teknik Kendaraan Ringan", "TEKNIK"), ("Akuntansi", "BISMAN"), ("Teknik Komputer dan Jaringan", "TIK"), ("Tata Boga", "PARIWISATA"), ("Agribisnis", "PERTANIAN")),
    "04": (("IPA", "SAINS"), ("IPS", "SOSIAL"), ("Umum", "UMUM")),
    "07": (("Akuntansi", "BISMAN"), ("Kebidanan", "KESEHATAN"), ("Teknik Informatika", "TIK")),
    "09": (("Manajemen", "BISMAN"), ("Pendidikan Agama Islam", "PENDIDIKAN"), ("Hukum", "SOSIAL"), ("Teknik Sipil", "TEKNIK"), ("Agroteknologi", "PERTANIAN")),
}
SCHOOLS: Final = {"02": "SDN {n} {kota}", "03": "SMPN {n} {kota}", "04": "SMAN {n} {kota}", "05": "SMKN {n} {kota}"}
LANGUAGES: Final = {"minang": "id;min", "jawa": "id;jv", "melayu": "id;ms", "karo": "id;btx", "toba": "id;bbc", "mandailing": "id;btm", "tionghoa": "id;nan;zh"}
WISHES: Final = tuple(code for sector in SECTORS.values() for code, _ in sector.jobs)
REGIONS: Final = ("12.75", "13.03", "12.71", "13.71", "14.71", "31.74", "21.71")
TRADES: Final = ("LAS", "OTO", "TIK", "BISMAN", "BUS", "PAR", "LIS")


def pencari_kerja(world: World, i: int) -> Row:
    row, draw = record(world, "pencari_kerja", i)
    who = person(world, i)
    status = one(draw, STATUS) if who.age >= ADULT else "1"
    row |= {
        "nomor_ak1": who.ak1,
        "nik": who.nik,
        "no_kk": who.no_kk,
        "nama_lengkap": who.name,
        "tempat_lahir": who.birthplace,
        "tanggal_lahir": who.born.isoformat(),
        "jenis_kelamin": who.sex,
        "status_perkawinan": who.marital,
        "agama": who.religion if draw() < 0.8 else "",
        "kewarganegaraan": "ID",
        "alamat": who.place.address,
        "kode_wilayah": who.place.code,
        "kode_pos": who.place.postcode,
        "no_hp": who.phone,
        "email": who.email if draw() < 0.8 else "",
        "tinggi_badan": str(whole(draw, 150, 175) + 5 * (who.sex == "L")),
        "berat_badan": str(whole(draw, 42, 85)),
        "foto": f"berkas/foto-{i}.jpg" if draw() < 0.5 else "",
        "ragam_disabilitas": who.disability,
        "persetujuan_disabilitas": yes(draw, 0.6) if who.disability != "0" else "false",
        "bahasa": LANGUAGES[who.people] + (";en" if draw() < 0.2 else ""),
        "lokasi_diinginkan": one(draw, ("DN", "DN", "DN", "DN_LN", "LN")),
        "lokasi_diinginkan_wilayah": f"{world.where.home.region};{one(draw, REGIONS)}" if draw() < 0.4 else world.where.home.region,
        "status_pencaker": status,
        "status_kartu_ak1": one(draw, CARD),
        "ak1_berlaku_sampai": years_after(who.registered, 2).isoformat(),
        "skck_ada": yes(draw, 0.5) if draw() < 0.6 else "",
    }
    row |= _schooling(draw, who, world.where.home.name)
    row |= _wishes(draw)
    if status != "1":
        row |= _experience(world, draw, i, loss(world, i), who.born)
    return row | fill(world, draw, who, "keterampilan", "catatan_pengantar_kerja")


def penduduk_bekerja(world: World, i: int) -> Row:
    row, draw = record(world, "penduduk_bekerja", i)
    who, work = person(world, i), job(world, i)
    unnumbered = draw() < 0.05
    paid = draw() < 0.9
    row |= {
        "nik": "" if unnumbered else who.nik,
        "alasan_nik_kosong": one(draw, ("TIDAK_PUNYA", "TIDAK_TAHU", "TIDAK_TAHU", "MENOLAK")) if unnumbered else "",
        "nama_lengkap": who.name,
        "kode_wilayah": who.place.code,
        "klasifikasi_desa": "1" if draw() < world.where.home.urban else "2",
        "umur": str(who.age),
        "jenis_kelamin": who.sex,
        "status_perkawinan": who.marital,
        "pendidikan_tertinggi": who.education,
        "kbli": work.vacancy.employer.sector.kbli,
        "kode_jabatan": work.vacancy.code,
        "status_pekerjaan_utama": "4" if paid else one(draw, ("1", "2", "5", "6", "7")),
        "jam_kerja_seminggu": str(whole(draw, 20, 54)),
        "hari_kerja_seminggu": str(whole(draw, 4, 7)),
        "upah_bersih_sebulan": str(work.wage) if paid else "",
        "punya_jaminan_sosial": yes(draw, 0.6),
        "anggota_serikat": yes(draw, 0.1),
        "pelatihan_bersertifikat": (trained := yes(draw, 0.2)),
        "kejuruan": one(draw, TRADES) if trained == "true" else "",
        "ragam_disabilitas": who.disability,
    }
    return row


def _schooling(draw: Draw, who: Person, town: str) -> Row:
    level = who.education
    major, group = one(draw, MAJORS[level]) if level in MAJORS else ("", "")
    school = SCHOOLS.get(level, "Universitas Contoh {kota}").format(n=whole(draw, 1, 12), kota=town)
    mark = f"{2.5 + 1.5 * draw():.2f}" if level >= "06" else f"{60 + 39 * draw():.1f}"
    return {
        "pendidikan_tertinggi": level,
        "jurusan": major,
        "kelompok_jurusan": group,
        "nama_satuan_pendidikan": school,
        "tahun_lulus": str(who.finished),
        "nilai_akhir": mark if draw() < 0.7 else "",
    }


def _wishes(draw: Draw) -> Row:
    row = {}
    for nth in range(1, whole(draw, 1, 3) + 1):
        row[f"jabatan_diinginkan_{nth}_kode"] = one(draw, WISHES)
        row[f"jabatan_diinginkan_{nth}_upah"] = str(rupiah(whole(draw, 2_500_000, 7_000_000)))
    return row


def _experience(world: World, draw: Draw, i: int, lost: Loss, born: date) -> Row:
    """Newest first: the job that was lost, then earlier ones at neighbouring employers, none before the age of 15."""
    row, nth, giver, code, since, until = {}, 1, lost.employer, lost.code, lost.since, lost.until
    first = years_after(born, 15)
    while True:
        head = f"pengalaman_{nth}_"
        row[f"{head}jabatan"], row[f"{head}kbli"] = code, giver.sector.kbli
        row[f"{head}masuk"], row[f"{head}keluar"] = max(since, first).isoformat()[:MONTH], until.isoformat()[:MONTH]
        row[f"{head}nama_pemberi_kerja"] = giver.name
        until = since - timedelta(days=whole(draw, 40, 400))
        since = until - timedelta(days=whole(draw, 100, 900))
        nth += 1
        if nth > 3 or since < first or draw() < 0.5:
            return row
        giver = employer(world, i // 6 + nth)
        code = one(draw, giver.sector.jobs)[0]
