"""Rows about lost work: disputes before the mediator and job-loss benefit claims, both about the same dismissal of person i."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.sample.draw import digits, one, seeded, shares, whole, yes
from broker.sample.names import full_name
from broker.sample.people import person
from broker.sample.record import record
from broker.sample.texts import fill
from broker.sample.work import loss

if TYPE_CHECKING:
    from datetime import date

    from broker.sample.draw import Draw
    from broker.sample.people import World
    from broker.sample.record import Row

PER_CASE: Final = 3  # workers of one employer in one dispute; a row each
KINDS: Final = shares({"PHK": 65, "HAK": 25, "KEPENTINGAN": 7, "ANTAR_SP": 3})
STAGES: Final = ("PENCATATAN", "BIPARTIT", "MEDIASI", "MEDIASI", "MEDIASI", "KONSILIASI", "ANJURAN", "PB", "PB", "PHI", "CABUT")
RESULTS: Final = {"PB": "PB", "PHI": "PHI", "CABUT": "CABUT", "ANJURAN": "ANJURAN"}  # stages with a result
CLAIMS: Final = shares({"BAYAR": 60, "VERIFIKASI": 12, "LAYAK": 8, "LAPOR": 7, "TIDAK_LAYAK": 7, "HENTI_KERJA": 4, "GUGUR": 2})
PAID: Final = ("BAYAR", "HENTI_KERJA")
WAGE_CAP: Final = 5_000_000  # PP 6/2025: 60 % of a wage of at most Rp 5 million
BANKS: Final = ("Bank Contoh", "Bank Contoh Syariah", "BPD Contoh")


def perselisihan_hi(world: World, i: int) -> Row:
    row, draw = record(world, "perselisihan_hi", i)
    who, lost = person(world, i), loss(world, i)
    case = seeded(world.seed, world.where.home.party, "perkara", i // PER_CASE)  # equal for every worker of the case
    lodged = world.as_of - timedelta(days=whole(case, 1, 160))
    kind, stage, mediator = one(case, KINDS), one(case, STAGES), full_name(case, one(case, world.peoples), "L")
    union, claim = case() < 0.3, lost.wage * whole(draw, 2, 18)
    firm = lost.employer
    row |= {
        "nomor_perkara": f"567/{9001 + i // PER_CASE}/PHI/{lodged.year}",
        "tgl_pencatatan": lodged.isoformat(),
        "jenis_perselisihan": kind,
        "tahap_perselisihan": stage,
        "pekerja_nik": who.nik,
        "pekerja_nama_lengkap": who.name,
        "pekerja_no_hp": who.phone,
        "pekerja_alamat": who.place.address,
        "pekerja_kode_jabatan": lost.code,
        "pekerja_masa_kerja_bulan": str(lost.months),
        "pekerja_upah_sebulan": str(lost.wage),
        "jumlah_pekerja_terlibat_l": str(whole(case, 1, 12)),
        "jumlah_pekerja_terlibat_p": str(whole(case, 2, 12)),
        "nib": firm.nib,
        "nama_pemberi_kerja": firm.name,
        "kbli": firm.sector.kbli,
        "alamat": firm.place.address,
        "nama_serikat_pekerja": f"SP Contoh {firm.sector.words[0]}" if union else "",
        "nomor_pencatatan_serikat": f"SP/{9001 + firm.j}/{world.where.home.name}" if union else "",
        "pekerja_anggota_serikat": yes(draw, 0.8) if union else "",
        "kuasa_hukum_nama_lengkap": f"{full_name(draw, one(draw, world.peoples), 'P')}, S.H." if draw() < 0.3 else "",
        "mediator_nama_lengkap": mediator,
        "konsiliator_nama_lengkap": full_name(case, one(case, world.peoples), "L") if stage == "KONSILIASI" else "",
        "nilai_tuntutan": str(claim),
        "alasan_phk": lost.reason if kind == "PHK" else "",
        "berkas_bukti": f"berkas/phi-{9001 + i}.pdf" if draw() < 0.6 else "",
    }
    if stage in RESULTS:
        row |= _result(world, case, lodged, RESULTS[stage], i // PER_CASE, claim)
    return row | fill(world, draw, who, "pokok_perselisihan", "kronologi", "tuntutan")


def jkp(world: World, i: int) -> Row:
    row, draw = record(world, "jkp", i)
    who, lost = person(world, i), loss(world, i)
    firm, state = lost.employer, one(draw, CLAIMS)
    mother = full_name(draw, who.people, "P")
    row |= {
        "nik": who.nik,
        "nama_lengkap": who.name,
        "no_hp": who.phone,
        "email": who.email,
        "alamat": who.place.address,
        "kode_wilayah": who.place.code,
        "nama_ibu_kandung": mother,
        "swafoto": f"berkas/swafoto-{i}.jpg",
        "nomor_kpj": f"9{i % 10**10:010d}",
        "npp": firm.npp,
        "nib": firm.nib,
        "nama_pemberi_kerja": firm.name,
        "tgl_phk": lost.until.isoformat(),
        "alasan_phk": lost.reason,
        "jenis_bukti_phk": one(draw, ("SURAT_PHK", "SURAT_PHK", "SURAT_PHK", "PB", "PUTUSAN")),
        "jenis_perjanjian_kerja": lost.contract,
        "masa_iuran_bulan": str(min(lost.months, 24)),
        "upah_terakhir": str(lost.wage),
        "nomor_rekening": f"9001{digits(draw, 9)}",
        "nama_bank": one(draw, BANKS),
        "nama_pemilik_rekening": who.name,
        "status_klaim_jkp": state,
        "alasan_tolak_jkp": one(draw, ("IURAN_KURANG", "ALASAN_TIDAK_LAYAK", "LEWAT_BATAS", "DOKUMEN")) if state == "TIDAK_LAYAK" else "",
        "kapk_setuju": yes(draw, 0.9),
        "jumlah_lamaran": str(whole(draw, 0, 12)),
        "jumlah_wawancara": str(whole(draw, 0, 3)),
        "pelatihan_diikuti": yes(draw, 0.3),
        "hasil_asesmen": one(draw, ("Siap kerja", "Perlu pelatihan ulang", "Perlu konseling")) if draw() < 0.6 else "",
    }
    if state in PAID:
        row |= _payment(world, draw, lost.until, lost.wage)
    return row | fill(world, draw, who, "catatan_verifikator")


def _result(world: World, case: Draw, lodged: date, result: str, number: int, claim: int) -> Row:
    on = lodged + timedelta(days=whole(case, 0, (world.as_of - lodged).days))
    row = {"hasil_perselisihan": result, "tgl_hasil": on.isoformat()}
    if result == "PB":
        row |= {"nomor_pb": f"PB-{9001 + number}/{on.year}", "nilai_pesangon": str(claim * 2 // 3)}
    if result in ("PB", "PHI"):
        row["nomor_pendaftaran_phi"] = f"{9001 + number}/Pdt.Sus-PHI/{on.year}"
    return row


def _payment(world: World, draw: Draw, dismissed: date, wage: int) -> Row:
    """Months are counted from the dismissal; the benefit lasts six."""
    since = (world.as_of - dismissed).days
    return {
        "manfaat_bulanan": str(min(wage, WAGE_CAP) * 6 // 10),
        "bulan_ke": str(min(since // 30 + 1, 6)),
        "tgl_bayar": (dismissed + timedelta(days=whole(draw, since // 2, since))).isoformat(),
    }
