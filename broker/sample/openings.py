"""Rows about employers, their vacancies and who was placed there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.sample.draw import digits, one, shares, whole
from broker.sample.people import person
from broker.sample.record import record
from broker.sample.texts import fill
from broker.sample.work import VACANCIES, employer, job, manager, vacancy

if TYPE_CHECKING:
    from broker.sample.draw import Draw
    from broker.sample.people import World
    from broker.sample.record import Row
    from broker.sample.work import Job

STATUS: Final = shares({"BUKA": 5, "TERISI": 3, "TUTUP": 2})
KINDS: Final = shares({"AKL": 60, "AKAD": 22, "MANDIRI": 10, "AKAN": 6, "AKSUS": 2})
ABROAD: Final = ("MY", "MY", "SG", "TW", "HK", "JP", "KR", "SA")
LEFT: Final = ("KONTRAK_SELESAI", "MENGUNDURKAN_DIRI", "DIPHK", "PINDAH_KERJA")
COMPLIANCE: Final = shares({"PATUH": 55, "SEBAGIAN": 20, "TIDAK_PATUH": 5, "BELUM_DIPERIKSA": 20})
DISTRICT: Final = 8  # length of a district code


def pemberi_kerja(world: World, j: int) -> Row:
    row, draw = record(world, "pemberi_kerja", j)
    firm, head = employer(world, j), manager(world, j)
    state = one(draw, COMPLIANCE)
    row |= {
        "nib": firm.nib,
        "npwp": firm.npwp,
        "npp": firm.npp if draw() < 0.8 else "",
        "nomor_wlkp": firm.wlkp if draw() < 0.7 else "",
        "nama_pemberi_kerja": firm.name,
        "bentuk_badan_usaha": firm.form,
        "status_kepemilikan": firm.ownership,
        "skala_usaha": firm.scale,
        "kbli": firm.sector.kbli,
        "alamat": firm.place.address,
        "kode_wilayah": firm.place.code,
        "kode_pos": firm.place.postcode,
        "telepon_kantor": firm.phone,
        "email_kantor": firm.email,
        "jumlah_pekerja_l": str(firm.men),
        "jumlah_pekerja_p": str(firm.women),
        "pimpinan_nama_lengkap": head.name,
        "pimpinan_nik": head.nik,
        "pimpinan_no_hp": head.phone,
        "pengelola_nama_lengkap": manager(world, j, 1).name if draw() < 0.7 else head.name,
        "status_kepatuhan": state,
        "sanksi": one(draw, ("TEGURAN", "TEGURAN", "PEMBATASAN")) if state == "TIDAK_PATUH" else "TIDAK_ADA",
    }
    return row


def lowongan(world: World, v: int) -> Row:
    row, draw = record(world, "lowongan", v)
    offer = vacancy(world, v)
    firm = offer.employer
    contact = manager(world, v // VACANCIES, 1)
    youngest = whole(draw, 17, 21)
    open_to = draw() < 0.15
    row |= {
        "id_lowongan": offer.id,
        "nib": firm.nib,
        "nama_pemberi_kerja": firm.name,
        "pemberi_perorangan": "true" if firm.personal else "false",
        "kode_jabatan": offer.code,
        "nama_jabatan": offer.title,
        "jumlah_l": str(whole(draw, 0, 6)),
        "jumlah_p": str(whole(draw, 0, 6)),
        "jumlah_lp": str(whole(draw, 1, 12)),
        "usia_min": str(youngest),
        "usia_maks": str(youngest + whole(draw, 7, 25)),
        "pendidikan_min": one(draw, ("02", "03", "04", "04", "05", "05", "07", "09")),
        "pengalaman_bulan": str(one(draw, (0, 0, 6, 12, 24))),
        "upah_min": str(offer.wage[0]),
        "upah_maks": str(offer.wage[1]),
        "kode_wilayah_kerja": firm.place.code[:DISTRICT],
        "masa_berlaku_mulai": offer.opens.isoformat(),
        "masa_berlaku_akhir": offer.closes.isoformat(),
        "status_lowongan": one(draw, STATUS) if offer.closes >= world.as_of else one(draw, ("TERISI", "TUTUP")),
        "terbuka_disabilitas": "true" if open_to else "false",
        "ragam_disabilitas_diterima": one(draw, ("F", "SR", "F;SR", "SN")) if open_to else "",
        "kontak_nama_lengkap": contact.name,
        "kontak_no_hp": contact.phone,
        "kontak_email": contact.email if draw() < 0.6 else "",
    }
    return row | fill(world, draw, contact, "kompetensi", "deskripsi")


def penempatan(world: World, i: int) -> Row:
    row, draw = record(world, "penempatan", i)
    who, work = person(world, i), job(world, i)
    firm = work.vacancy.employer
    row |= {
        "nik": who.nik,
        "nama_lengkap": who.name,
        "nomor_ak1": who.ak1 if draw() < 0.8 else "",
        "id_lowongan": work.vacancy.id,
        "nib": firm.nib,
        "nama_pemberi_kerja": firm.name,
        "kode_jabatan": work.vacancy.code,
        "kbli": firm.sector.kbli,
        "kode_wilayah_asal": who.place.code[:DISTRICT],
        "tgl_penempatan": work.since.isoformat(),
        "jenis_perjanjian_kerja": work.contract,
        "lama_kontrak_bulan": str(work.months) if work.months else "",
        "upah_sebulan": str(work.wage),
    }
    row |= _destination(world, draw, firm.place.code[:DISTRICT])
    return row | _outcome(world, draw, work) | fill(world, draw, who, "catatan_penempatan")


def _destination(world: World, draw: Draw, district: str) -> Row:
    """Where to, by kind of placement; abroad comes with a passport and the agency."""
    kind = one(draw, KINDS)
    if kind == "AKAN":
        return {
            "jenis_penempatan": kind,
            "negara_tujuan": one(draw, ABROAD),
            "nomor_paspor": f"X9{digits(draw, 6)}",
            "nama_p3mi": "PT Contoh Penempatan Migran",
        }
    to = one(draw, world.where.province) if kind == "AKAD" else district
    return {"jenis_penempatan": kind, "negara_tujuan": "ID", "kode_wilayah_tujuan": to}


def _outcome(world: World, draw: Draw, work: Job) -> Row:
    served = (world.as_of - work.since).days
    if served < 14 or draw() < 0.9:
        return {"status_penempatan": "BEKERJA"}
    left = work.since + timedelta(days=whole(draw, 7, served))
    return {"status_penempatan": "BERHENTI", "tgl_berhenti": left.isoformat(), "alasan_berhenti": one(draw, LEFT)}
