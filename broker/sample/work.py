"""Employers, their vacancies, and the jobs people got and lost, so that rows of different datasets tell one story.

Vacancy v belongs to employer v // 3; person i was placed through vacancy i // 2, hence at employer i // 6, and lost an earlier job at the employer
beside that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from broker.sample.draw import digits, one, seeded, shares, whole, years_after
from broker.sample.names import parts
from broker.sample.people import Person, leader
from broker.sample.places import at_home

if TYPE_CHECKING:
    from broker.sample.people import World
    from broker.sample.places import Place

LEADERS: Final = 3  # an employer's indexes among leaders: 3j, 3j + 1, 3j + 2
VACANCIES: Final = 3  # per employer
PLACED: Final = 2  # people per vacancy
WAGE: Final = (2_700_000, 6_500_000)  # rupiah a month; the lower bound lies under both regions' minimum wage, as real data do


@dataclass(frozen=True, slots=True)
class Sector:
    kbli: str
    words: tuple[str, ...]  # for company names
    jobs: tuple[tuple[str, str], ...]  # KBJI 2014 code and our own short name


SECTORS: Final = {
    "sawit": Sector("01262", ("Sawit", "Kebun", "Agro"), (("9211", "Pemanen sawit"), ("8341", "Operator alat berat kebun"), ("7543.01", "Penguji mutu"))),
    "karet": Sector("01291", ("Karet", "Getah", "Lateks"), (("9211", "Penyadap karet"), ("9213", "Pekerja kebun"), ("4110", "Staf administrasi"))),
    "batubara": Sector("05100", ("Tambang", "Energi", "Batubara"), (("8111", "Pekerja tambang"), ("8332.01", "Sopir truk tambang"), ("5414", "Petugas keamanan"))),
    "angkutan": Sector("49431", ("Angkutan", "Trans", "Logistik"), (("8332.01", "Sopir truk"), ("8322.02", "Sopir"), ("4110", "Staf administrasi"))),
    "minimarket": Sector("47111", ("Swalayan", "Mart", "Niaga"), (("5223.03", "Pramuniaga"), ("5221.01", "Kepala toko"), ("9321", "Petugas gudang"))),
    "garmen": Sector("14111", ("Garmen", "Busana", "Tekstil"), (("8153", "Operator jahit"), ("7531", "Penjahit"), ("7543.01", "Penguji mutu"))),
    "bengkel": Sector("45201", ("Motor", "Bengkel", "Auto"), (("7231", "Mekanik"), ("4311", "Staf pembukuan"), ("9112", "Petugas kebersihan"))),
    "las": Sector("25920", ("Teknik", "Logam", "Las"), (("7212.01", "Juru las"), ("7411", "Teknisi listrik"), ("4110", "Staf administrasi"))),
    "roti": Sector("10710", ("Roti", "Boga", "Pangan"), (("5120", "Juru masak"), ("9321", "Petugas kemas"), ("5223.03", "Pramuniaga"))),
    "restoran": Sector("56101", ("Rasa", "Kuliner", "Dapur"), (("5120", "Juru masak"), ("4226", "Penerima tamu"), ("9112", "Petugas kebersihan"))),
    "konstruksi": Sector("41011", ("Karya", "Bangun", "Konstruksi"), (("9313", "Buruh bangunan"), ("7115", "Tukang kayu"), ("7411", "Teknisi listrik"))),
    "piranti": Sector("62019", ("Data", "Digital", "Sistem"), (("2512", "Pengembang piranti lunak"), ("4120", "Sekretaris"), ("4311", "Staf pembukuan"))),
    "klinik": Sector("86103", ("Medika", "Husada", "Sehat"), (("3221", "Asisten perawat"), ("5322", "Perawat lansia"), ("4226", "Penerima tamu"))),
}
MIX: Final = {
    "sijunjung": shares({"sawit": 20, "karet": 20, "batubara": 14, "angkutan": 10, "minimarket": 12, "bengkel": 6, "roti": 4, "restoran": 6, "konstruksi": 6, "klinik": 2}),
    "binjai": shares({"minimarket": 22, "garmen": 12, "angkutan": 10, "las": 8, "roti": 8, "restoran": 12, "bengkel": 8, "konstruksi": 8, "sawit": 4, "piranti": 4, "klinik": 4}),
}
FORMS: Final = shares({"PT": 44, "CV": 18, "UD": 20, "KOP": 7, "PTP": 5, "YAY": 3, "BUMD": 2, "BUMN": 1})
PREFIX: Final = {"PT": "PT", "PTP": "PT", "CV": "CV", "UD": "UD", "KOP": "Koperasi", "YAY": "Yayasan", "BUMD": "Perumda", "BUMN": "PT"}
OWNERSHIP: Final = {"UD": "PERORANGAN", "PTP": "PERORANGAN", "BUMD": "BUMD", "BUMN": "BUMN"}
PRIVATE: Final = shares({"SWASTA_NAS": 14, "PMDN": 4, "PMA": 1, "PATUNGAN": 1})
LAST: Final = ("Jaya", "Makmur", "Sejahtera", "Mandiri", "Abadi", "Lestari", "Bersama", "Sentosa", "Utama", "Mulia", "Setia", "Ranah", "Persada")
SCALES: Final = shares({"MIKRO": 35, "KECIL": 40, "MENENGAH": 18, "BESAR": 7})
STAFF: Final = {"MIKRO": (1, 9), "KECIL": (5, 40), "MENENGAH": (30, 150), "BESAR": (120, 900)}
REASONS: Final = shares({"EFISIENSI": 34, "PKWT_HABIS": 16, "RUGI": 12, "TUTUP": 10, "PKWT_PUTUS": 8, "MANGKIR": 5, "KESALAHAN": 5, "PAILIT": 4, "MENGUNDURKAN_DIRI": 4, "CACAT_TETAP": 2})
MONTH: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Employer:
    """personal: the employer is a person (UD), so its NPWP is the owner's NIK."""

    j: int
    name: str
    form: str
    ownership: str
    scale: str
    sector: Sector
    nib: str
    npwp: str
    npp: str
    wlkp: str
    place: Place
    phone: str
    email: str
    men: int
    women: int
    lowest: int  # wage
    founded: date
    reported: date

    @property
    def personal(self) -> bool:
        return self.form == "UD"


@dataclass(frozen=True, slots=True)
class Vacancy:
    v: int
    id: str
    employer: Employer
    code: str
    title: str
    wage: tuple[int, int]
    opens: date
    closes: date


@dataclass(frozen=True, slots=True)
class Job:
    """A person's placement: through which vacancy, since when, on what terms."""

    vacancy: Vacancy
    since: date
    contract: str
    months: int
    wage: int


@dataclass(frozen=True, slots=True)
class Loss:
    """A person's dismissal, the same in perselisihan_hi, jkp and the first line of a job seeker's experience."""

    employer: Employer
    code: str
    since: date
    until: date
    reason: str
    contract: str
    wage: int

    @property
    def months(self) -> int:
        return (self.until.year - self.since.year) * 12 + self.until.month - self.since.month


def manager(world: World, j: int, nth: int = 0) -> Person:
    """The head (0) or a manager (1, 2) of employer j."""
    return leader(world, LEADERS * j + nth)


@lru_cache(maxsize=64)
def employer(world: World, j: int) -> Employer:
    home = world.where.home
    draw = seeded(world.seed, home.party, "pemberi", j)
    form, scale = one(draw, FORMS), one(draw, SCALES)
    sector = SECTORS[one(draw, MIX[home.party])]
    first = one(draw, parts()["minang_depan_L" if home.party == "sijunjung" else "umum_depan_L"]) if draw() < 0.3 else home.name
    if form == "UD":
        scale, first = "MIKRO", manager(world, j).name.partition(",")[0]
    staff = whole(draw, *STAFF[scale])
    men = round(staff * (0.2 + 0.6 * draw()))
    reported = world.as_of - timedelta(days=whole(draw, 5, 300))
    return Employer(
        j=j,
        name=f"{PREFIX[form]} {one(draw, sector.words)} {first} {one(draw, LAST)}",
        form=form,
        ownership=OWNERSHIP.get(form) or one(draw, PRIVATE),
        scale=scale,
        sector=sector,
        nib=f"9999{j:09d}",  # no NIB begins so: its first digits are the office's
        npwp=manager(world, j).nik if form == "UD" else f"099{j:07d}999000",
        npp=f"ZZ{j:08d}",
        wlkp=f"{home.region.replace('.', '')}0.{reported:%Y%m%d}.{9001 + j}",
        place=at_home(world.where, draw, one(draw, world.where.districts)),
        phone=f"{home.landline}{digits(draw, 6 if home.party == 'sijunjung' else 7)}",
        email=f"kantor{j}@example.{'com' if draw() < 0.7 else 'org'}",
        men=men,
        women=staff - men,
        lowest=rupiah(whole(draw, WAGE[0], WAGE[0] + 600_000)),
        founded=years_after(world.as_of, -whole(draw, 1, 35)) - timedelta(days=whole(draw, 0, 364)),
        reported=reported,
    )


@lru_cache(maxsize=64)
def vacancy(world: World, v: int) -> Vacancy:
    home = world.where.home
    draw = seeded(world.seed, home.party, "lowongan", v)
    giver = employer(world, v // VACANCIES)
    code, title = giver.sector.jobs[v % VACANCIES]
    low = rupiah(whole(draw, *WAGE))
    opens = world.as_of - timedelta(days=whole(draw, 0, 120))
    return Vacancy(
        v=v,
        id=f"LWK-{home.region.replace('.', '')}-{v:06d}",
        employer=giver,
        code=code,
        title=title,
        wage=(low, low + rupiah(whole(draw, 0, 1_500_000))),
        opens=opens,
        closes=opens + timedelta(days=whole(draw, 14, 90)),
    )


def job(world: World, i: int) -> Job:
    draw = seeded(world.seed, world.where.home.party, "kerja", i)
    through = vacancy(world, i // PLACED)
    since = min(through.opens + timedelta(days=whole(draw, 3, 45)), world.as_of + timedelta(days=14))
    contract = one(draw, ("PKWT", "PKWT", "PKWT", "PKWTT", "HARIAN", "ALIHDAYA", "MAGANG"))
    months = 0 if contract == "PKWTT" else one(draw, (3, 6, 6, 12, 12, 12, 24))
    return Job(through, since, contract, months, rupiah(whole(draw, *through.wage)))


def loss(world: World, i: int) -> Loss:
    draw = seeded(world.seed, world.where.home.party, "phk", i)
    giver = employer(world, i // (VACANCIES * PLACED) ^ 1)
    until = world.as_of - timedelta(days=whole(draw, 20, 170))
    return Loss(
        employer=giver,
        code=one(draw, giver.sector.jobs)[0],
        since=until - whole(draw, 6, 60) * MONTH,
        until=until,
        reason=one(draw, REASONS),
        contract="PKWT" if draw() < 0.5 else "PKWTT",
        wage=rupiah(whole(draw, *WAGE)),
    )


def rupiah(amount: int) -> int:
    """The amount in steps of Rp 50,000."""
    return amount // 50_000 * 50_000
