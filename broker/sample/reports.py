"""Rows of the yearly company report (WLKP): every breakdown sums to the company's workers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.sample.draw import digits, one, whole, years_after, yes
from broker.sample.names import full_name
from broker.sample.record import record
from broker.sample.texts import fill
from broker.sample.work import employer, manager, rupiah

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.sample.draw import Draw
    from broker.sample.people import World
    from broker.sample.record import Row
    from broker.sample.work import Employer

AGE_GROUPS: Final = {"usia_15_17": 0.002, "usia_18_24": 0.3, "usia_25_34": 0.35, "usia_35_44": 0.2, "usia_45_54": 0.11, "usia_55_atas": 0.038}
EDUCATION: Final = {"pendidikan_sd": 0.1, "pendidikan_smp": 0.16, "pendidikan_sma": 0.32, "pendidikan_smk": 0.27, "pendidikan_diploma": 0.06, "pendidikan_s1": 0.085, "pendidikan_s2_s3": 0.005}
CONTRACTS: Final = {"pkwt": 0.45, "pkwtt": 0.55}
FOREIGNERS: Final = (("MY", "Contoh bin Contoh"), ("CN", "Contoh Li"), ("IN", "Contoh Kumar"), ("JP", "Contoh Sato"), ("KR", "Contoh Kim"))
OFFICES: Final = ("Direktur", "Manajer personalia", "Staf administrasi")


def wlkp(world: World, j: int) -> Row:
    row, draw = record(world, "wlkp", j)
    firm = employer(world, j)
    staff = firm.men + firm.women
    row |= {
        "nomor_pelaporan": firm.wlkp,
        "tgl_lapor": firm.reported.isoformat(),
        "berlaku_sampai": (years_after(firm.reported, 1) - timedelta(days=1)).isoformat(),
        "periode": str(firm.reported.year),
        "nib": firm.nib,
        "npwp": firm.npwp,
        "npp": firm.npp,
        "nama_pemberi_kerja": firm.name,
        "alamat": firm.place.address,
        "kode_wilayah": firm.place.code,
        "kbli": firm.sector.kbli,
        "bentuk_badan_usaha": firm.form,
        "status_kepemilikan": firm.ownership,
        "tgl_pendirian": firm.founded.isoformat(),
        "jenis_kantor": "PUSAT" if draw() < 0.85 else "CABANG",
        "jumlah_tk_l": str(firm.men),
        "jumlah_tk_p": str(firm.women),
    }
    for groups in (AGE_GROUPS, EDUCATION, CONTRACTS):
        row |= {f"jumlah_tk_{group}": str(count) for group, count in split(draw, staff, groups).items()}
    row |= _foreigners(draw, firm, j)
    row |= _terms(draw, firm, staff)
    row |= _safety(draw, staff, world)
    row |= _managers(world, draw, j)
    return row | fill(world, draw, manager(world, j), "catatan_pengawas")


def split(draw: Draw, total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """The total in whole parts near the weights; the parts sum to the total."""
    left, parts = total, {}
    for name, weight in weights.items():
        parts[name] = min(left, int(total * weight + draw()))
        left -= parts[name]
    parts[max(weights, key=lambda name: weights[name])] += left
    return parts


def _foreigners(draw: Draw, firm: Employer, j: int) -> Row:
    count = whole(draw, 1, 3) if firm.scale == "BESAR" and draw() < 0.5 else 0
    staff = firm.men + firm.women
    row = {"jumlah_tk_wni": str(staff - count), "jumlah_tk_tka": str(count), "jumlah_tk_disabilitas": str(staff // 100)}
    for nth in range(1, count + 1):
        country, name = one(draw, FOREIGNERS)
        row |= {
            f"tka_{nth}_nama_lengkap": name,
            f"tka_{nth}_paspor": f"X9{digits(draw, 6)}",
            f"tka_{nth}_negara": country,
            f"tka_{nth}_kode_jabatan": one(draw, firm.sector.jobs)[0],
            f"tka_{nth}_rptka": f"RPTKA-{9001 + j}-{nth}",
        }
    return row


def _terms(draw: Draw, firm: Employer, staff: int) -> Row:
    rule = one(draw, ("PP", "PP", "PKB", "TIDAK_ADA", "TIDAK_ADA"))
    insured = round(staff * (0.7 + 0.3 * draw()))
    row = {
        "hari_kerja_seminggu": str(whole(draw, 5, 6)),
        "jam_kerja_seminggu": "40",
        "jam_lembur_sebulan": str(whole(draw, 0, 40)),
        "jumlah_shift": str(whole(draw, 1, 3)),
        "upah_terendah": str(firm.lowest),
        "upah_tertinggi": str(firm.lowest + rupiah(whole(draw, 0, 12_000_000))),
        "struktur_skala_upah": yes(draw, 0.6),
        "jumlah_peserta_bpjs_tk": str(insured),
        "iuran_bpjs_tk": str(insured * firm.lowest * 8 // 100),
        "jumlah_peserta_bpjs_kes": str(insured),
        "iuran_bpjs_kes": str(insured * firm.lowest * 5 // 100),
        "ada_serikat_pekerja": yes(draw, 0.2),
        "ada_lks_bipartit": yes(draw, 0.2),
        "jenis_pengaturan_kerja": rule,
    }
    if rule != "TIDAK_ADA":
        row |= {"nomor_pp_pkb": f"{rule}-{9001 + firm.j}/{firm.reported.year}", "pp_pkb_berlaku_sampai": years_after(firm.reported, 2).isoformat()}
    return row


def _safety(draw: Draw, staff: int, world: World) -> Row:
    committee = staff >= 100  # UU 1/1970 and Permenaker 4/1987: P2K3 from 100 workers
    row = {
        "ada_p2k3": "true" if committee else "false",
        "jumlah_kecelakaan_kerja": str(int(draw() * draw() * staff / 40)),
        "jumlah_penyakit_akibat_kerja": "0",
        "rencana_pelatihan_orang": str(int(draw() * staff / 5)),
        "rencana_pemagangan_orang": str(int(draw() * staff / 8)),
        "rencana_kebutuhan_tk_l": str(whole(draw, 0, 10)),
        "rencana_kebutuhan_tk_p": str(whole(draw, 0, 10)),
    }
    if committee:
        row |= {"ahli_k3_nama_lengkap": full_name(draw, one(draw, world.peoples), "L"), "ahli_k3_nomor": f"SKP-{whole(draw, 9001, 9999)}"}
    return row


def _managers(world: World, draw: Draw, j: int) -> Row:
    row: Row = {}
    for nth in range(whole(draw, 1, 3)):
        who, head = manager(world, j, nth), f"pengurus_{nth + 1}_"
        row |= {
            f"{head}nama_lengkap": who.name,
            f"{head}nik": who.nik,
            f"{head}jabatan": OFFICES[nth],
            f"{head}no_hp": who.phone,
            f"{head}email": who.email,
        }
    return row
