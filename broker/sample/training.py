"""Rows about training and its certificates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.sample.draw import digits, one, shares, whole
from broker.sample.people import person
from broker.sample.record import record
from broker.sample.texts import fill

if TYPE_CHECKING:
    from datetime import date

    from broker.sample.draw import Draw
    from broker.sample.people import World
    from broker.sample.record import Row

PROGRAMMES: Final = (  # code, name, trade, KKNI level, hours
    ("LAS-SMAW-3G", "Las SMAW posisi 3G", "LAS", 3, 240),
    ("OTO-SPM-2", "Servis sepeda motor", "OTO", 2, 240),
    ("TIK-OKM-2", "Operator komputer madya", "TIK", 2, 160),
    ("TIK-DGM-3", "Desain grafis muda", "TIK", 3, 260),
    ("BUS-JHT-2", "Menjahit pakaian sesuai gaya", "BUS", 2, 260),
    ("PAR-BKR-2", "Pembuatan roti dan kue", "PAR", 2, 160),
    ("LIS-INST-3", "Instalasi listrik bangunan sederhana", "LIS", 3, 240),
    ("REF-AC-2", "Teknisi AC residensial", "REF", 2, 240),
    ("BIS-ADM-2", "Administrasi perkantoran", "BISMAN", 2, 160),
    ("PER-HTI-2", "Budi daya hortikultura", "PER", 2, 120),
)
BODIES: Final = (("BLK", "UPTD BLK {kota}"), ("BLKK", "BLK Komunitas Contoh {kota}"), ("LPK", "LPK Contoh {kota}"), ("PERUSAHAAN", "Pusat Latihan PT Contoh"))
RESULTS: Final = shares({"KOMPETEN": 55, "LULUS": 25, "BELUM_KOMPETEN": 10, "TIDAK_LULUS": 5, "MUNDUR": 5})
BNSP: Final = {"KOMPETEN": "KOMPETEN", "BELUM_KOMPETEN": "BELUM_KOMPETEN"}
DISTRICT: Final = 8


def pelatihan(world: World, i: int) -> Row:
    row, draw = record(world, "pelatihan", i)
    who, home = person(world, i), world.where.home
    code, name, trade, level, hours = one(draw, PROGRAMMES)
    kind, body = one(draw, BODIES)
    starts = world.as_of - timedelta(days=whole(draw, 0, 200))
    row |= {
        "id_peserta": f"PST-{home.region.replace('.', '')}-{i}",
        "nik": who.nik,
        "nama_lengkap": who.name,
        "no_hp": who.phone,
        "email": who.email if draw() < 0.7 else "",
        "kode_program": code,
        "nama_program": name,
        "kejuruan": trade,
        "skema_skkni": f"SKKNI {whole(draw, 9001, 9099)}-2020",
        "jenjang_kkni": str(level),
        "jenis_lembaga": kind,
        "nama_lembaga": body.format(kota=home.name),
        "vin_lembaga": f"9001{home.region.replace('.', '')}{whole(draw, 1, 20):02d}",
        "nomor_izin_lembaga": f"563/{whole(draw, 900, 999)}/2024" if kind == "LPK" else "",
        "kode_wilayah_lembaga": one(draw, world.where.districts)[:DISTRICT],
        "jenis_pelatihan": one(draw, ("INSTITUSIONAL", "PBK", "PBK", "MTU", "BOARDING", "PEMAGANGAN")),
        "metode_pelatihan": one(draw, ("LURING", "LURING", "LURING", "CAMPURAN", "DARING")),
        "jam_pelatihan": str(hours),
        "tgl_mulai": starts.isoformat(),
        "sumber_dana": one(draw, ("APBN", "APBD", "APBD", "MANDIRI")),
        "ragam_disabilitas": who.disability,
        "ukuran_seragam": one(draw, ("S", "M", "M", "L", "L", "XL", "XXL")),
        "nomor_rekening": f"9001{digits(draw, 9)}" if draw() < 0.5 else "",
        "uang_saku": str(hours * 5_000) if draw() < 0.5 else "",
    }
    row |= _result(world, draw, i, starts + timedelta(days=hours // 8 + whole(draw, 5, 15)))
    return row | fill(world, draw, who, "riwayat_kesehatan", "catatan_instruktur")


def _result(world: World, draw: Draw, i: int, ends: date) -> Row:
    """Nothing but the last day while the course runs; a certificate within two weeks of its end."""
    row = {"tgl_selesai": ends.isoformat()}
    if ends > world.as_of:
        return row
    result = one(draw, RESULTS)
    row |= {"hasil_pelatihan": result, "status_bnsp": BNSP.get(result, "TIDAK_UJI"), "nilai_akhir": f"{50 + 50 * draw():.1f}"}
    row["status_pasca_pelatihan"] = one(draw, ("BEKERJA", "BEKERJA", "WIRAUSAHA", "BELUM", "BELUM"))
    issued = ends + timedelta(days=whole(draw, 1, 14))
    if result in ("KOMPETEN", "LULUS") and issued <= world.as_of:
        row |= {"nomor_sertifikat": f"SRT-{issued:%Y}-{9001 + i}", "tgl_sertifikat": issued.isoformat()}
    return row
