"""Every clean row keeps its contract, people are consistent, and the datasets tell one story."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path

import phonenumbers
import pytest

from broker.errors import ClientError
from broker.sample import DATASETS, _world, rows
from broker.sample.names import parts
from broker.sample.people import person
from tests.sample.checker import faults, nik_facts
from tests.sample.sampling import AS_OF, CODES, CONTRACTS, sample

SIDES = [("sijunjung", "sijunjung"), ("sijunjung", "kemnaker"), ("binjai", "binjai"), ("binjai", "kemnaker")]


def by(key: str, made: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row[key]: row for row in made}


def share(made: list[bool]) -> float:
    return sum(made) / len(made)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize(("region", "party"), SIDES)
@pytest.mark.parametrize(("as_of", "n"), [(AS_OF, 150), (date(2028, 2, 29), 40)])
def test_every_clean_row_keeps_its_contract(
    dataset: str, region: str, party: str, as_of: date, n: int
) -> None:
    made = sample(dataset, n, region, party=party, as_of=as_of, text=True)
    found = Counter(fault for row in made for fault in faults(CONTRACTS[dataset], CODES, row, as_of))
    assert not found
    assert len({row["id_rekaman"] for row in made}) == n
    assert {(row["kode_kesepakatan"], row["pihak_asal"], row["templat_versi"]) for row in made} == {(f"nk-{region}-2025", party, "1.0.0")}
    ages = [(as_of - date.fromisoformat(row["tgl_mutakhir"])).days for row in made]
    assert max(ages) <= 150
    assert share([age <= 14 for age in ages]) > 0.75


def test_every_dataset_of_the_contracts_can_be_made() -> None:
    assert set(DATASETS) == set(CONTRACTS)


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_column_is_filled_somewhere(dataset: str) -> None:
    made = sample(dataset, 800, "binjai", text=True)
    assert not [column for column in made[0] if not any(row[column] for row in made)]


@pytest.mark.parametrize("dataset", DATASETS)
def test_free_text_is_empty_unless_asked_for(dataset: str) -> None:
    texts = [c.name for c in CONTRACTS[dataset].columns if c.type == "text"]
    assert not any(row[name] for row in sample(dataset, 50) for name in texts)
    if texts:
        assert share([bool(row[name]) for row in sample(dataset, 200, text=True) for name in texts]) > 0.6


def test_asking_for_text_changes_nothing_else() -> None:
    plain, full = sample("pelatihan", 50), sample("pelatihan", 50, text=True)
    texts = ("riwayat_kesehatan", "catatan_instruktur")
    assert plain == [row | dict.fromkeys(texts, "") for row in full]


@pytest.mark.parametrize(("region", "party"), SIDES)
def test_no_nik_is_given_twice_or_could_be_a_real_persons(region: str, party: str) -> None:
    niks: list[str] = [row["nik"] for row in sample("pelatihan", 4000, region, party=party)]
    assert len(set(niks)) == len(niks)
    for dataset, contract in CONTRACTS.items():
        columns = [c.name for c in contract.columns if c.kind in ("nik", "kk")]
        numbers = [row[name] for row in sample(dataset, 100, region, party=party) for name in columns if row[name]]
        assert all("9001" <= number[12:] <= "9999" for number in numbers)
    ours = {row["nik"][:4] for row in sample("pelatihan", 300, region)}
    assert {"sijunjung": "1303", "binjai": "1275"}[region] in ours


def test_niks_stay_apart_far_into_the_index() -> None:
    # Binjai has the fewest districts. A serial comes back every 900 people: follow two of them.
    for party, people in (("binjai", 1_000_000), ("kemnaker", 800_000)):
        world = _world(7, AS_OF, party, "nk-binjai-2025", CODES, CONTRACTS["pencari_kerja"], text=False)
        niks = [person(world, i).nik for start in (0, 450) for i in range(start, people, 900)]
        assert len(niks) == len(set(niks))


@pytest.mark.parametrize("region", ["sijunjung", "binjai"])
def test_job_seekers_are_mixed_as_described(region: str) -> None:
    made = sample("pencari_kerja", 4000, region)
    home = {"sijunjung": "1303", "binjai": "1275"}[region]
    assert share([row["nik"][:4] == home for row in made]) == pytest.approx(0.9, abs=0.02)
    retired = {code.replace(".", "") for code in CODES.retired("wilayah") if len(code) == 8}
    assert any(row["nik"][:6] in retired for row in made)
    assert not any(row["kode_wilayah"] in CODES.retired("wilayah") for row in made)
    ages = [(AS_OF - nik_facts(row["nik"], AS_OF)[1]).days / 365.25 for row in made]
    assert share([age < 18 for age in ages]) == pytest.approx(0.01, abs=0.005)
    assert share([18 <= age < 36 for age in ages]) > 0.7
    assert share([" " not in row["nama_lengkap"] for row in made]) == pytest.approx(0.23, abs=0.04)
    assert share([row["jenis_kelamin"] == "P" for row in made]) == pytest.approx(0.48, abs=0.03)
    families = Counter(row["no_kk"] for row in made)
    assert share([families[row["no_kk"]] > 1 for row in made]) == pytest.approx(0.4, abs=0.05)
    together = {row["no_kk"]: row["alamat"] for row in made}
    assert all(together[row["no_kk"]] == row["alamat"] for row in made if families[row["no_kk"]] == 3)
    assert any("," in row["alamat"] for row in made)
    assert any("," not in row["alamat"] for row in made)
    assert {row["email"].partition("@")[2] for row in made} <= {"", "example.com", "example.org"}


def test_binjai_has_batak_names_with_the_marga_last() -> None:
    made = sample("pelatihan", 1500, "binjai")
    marga = {name for group in ("karo", "toba", "mandailing") for name in parts()[f"marga_{group}"]}
    assert share([row["nama_lengkap"].split()[-1] in marga for row in made]) > 0.2
    with_br = [row for row in made if " br " in row["nama_lengkap"]]
    assert len(with_br) > 25
    assert all(nik_facts(row["nik"], AS_OF)[0] == "P" for row in with_br)


def test_every_phone_number_is_a_possible_mobile_of_indonesia() -> None:
    for row in sample("pelatihan", 300):
        number = phonenumbers.parse(row["no_hp"])
        assert phonenumbers.is_valid_number_for_region(number, "ID")
        assert phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def test_a_person_is_the_same_in_every_dataset() -> None:
    seekers = by("nik", sample("pencari_kerja", 300, "binjai"))
    placed = sample("penempatan", 300, "binjai")
    for dataset in ("penempatan", "pelatihan", "jkp"):
        for row in sample(dataset, 300, "binjai"):
            assert row["nama_lengkap"] == seekers[row["nik"]]["nama_lengkap"]
    for row, work in zip(sample("penduduk_bekerja", 300, "binjai"), placed, strict=True):
        assert row["nik"] in ("", work["nik"])
        assert (row["kbli"], row["kode_jabatan"]) == (work["kbli"], work["kode_jabatan"])
    for row in placed:
        assert row["nomor_ak1"] in ("", seekers[row["nik"]]["nomor_ak1"])


def test_vacancies_placements_and_reports_agree_about_the_employer() -> None:
    employers = by("nib", sample("pemberi_kerja", 100))
    vacancies = by("id_lowongan", sample("lowongan", 300))
    reports = by("nib", sample("wlkp", 100))
    for row in vacancies.values():
        giver = employers[row["nib"]]
        assert row["nama_pemberi_kerja"] == giver["nama_pemberi_kerja"]
        assert (row["pemberi_perorangan"] == "true") == (giver["bentuk_badan_usaha"] == "UD")
    for row in sample("penempatan", 600):
        offer = vacancies[row["id_lowongan"]]
        assert (row["nib"], row["kode_jabatan"]) == (offer["nib"], offer["kode_jabatan"])
        assert int(offer["upah_min"]) <= int(row["upah_sebulan"]) <= int(offer["upah_maks"])
    for nib, row in reports.items():
        giver = employers[nib]
        same = ("nama_pemberi_kerja", "npwp", "kbli", "alamat", "kode_wilayah", "bentuk_badan_usaha")
        assert [row[c] for c in same] == [giver[c] for c in same]
        assert row["pengurus_1_nik"] == giver["pimpinan_nik"]


def test_a_person_employers_npwp_is_the_owners_nik() -> None:
    made = sample("pemberi_kerja", 300)
    persons = [row for row in made if row["bentuk_badan_usaha"] == "UD"]
    assert persons
    assert all(row["npwp"] == row["pimpinan_nik"] for row in persons)
    assert all(row["npwp"].startswith("0") for row in made if row not in persons)


def test_a_dismissal_is_told_alike_in_dispute_claim_and_experience() -> None:
    claims = by("nik", sample("jkp", 300, "binjai"))
    for row in sample("perselisihan_hi", 300, "binjai"):
        claim = claims[row["pekerja_nik"]]
        assert (row["nib"], row["pekerja_upah_sebulan"]) == (claim["nib"], claim["upah_terakhir"])
        assert row["alasan_phk"] in ("", claim["alasan_phk"])
    experienced = [row for row in sample("pencari_kerja", 300, "binjai") if row["status_pencaker"] != "1"]
    assert len(experienced) > 100
    for row in experienced:
        assert row["pengalaman_1_keluar"] == claims[row["nik"]]["tgl_phk"][:7]
        assert row["pengalaman_1_nama_pemberi_kerja"] == claims[row["nik"]]["nama_pemberi_kerja"]


def test_every_breakdown_of_a_company_report_sums_to_its_workers() -> None:
    for row in sample("wlkp", 200, "binjai"):
        staff = int(row["jumlah_tk_l"]) + int(row["jumlah_tk_p"])
        for group in ("usia", "pendidikan"):
            assert sum(int(v) for c, v in row.items() if c.startswith(f"jumlah_tk_{group}_")) == staff
        assert int(row["jumlah_tk_pkwt"]) + int(row["jumlah_tk_pkwtt"]) == staff
        assert int(row["jumlah_tk_wni"]) + int(row["jumlah_tk_tka"]) == staff


@pytest.mark.parametrize("region", ["sijunjung", "binjai"])
def test_both_parties_of_an_agreement_hold_some_of_the_same_people(region: str) -> None:
    ours = by("nik", sample("pencari_kerja", 1000, region))
    theirs = by("nik", sample("pencari_kerja", 1000, region, party="kemnaker"))
    both = ours.keys() & theirs.keys()
    assert len(both) / 1000 == pytest.approx(0.6, abs=0.05)
    assert all(ours[nik]["nama_lengkap"] == theirs[nik]["nama_lengkap"] for nik in both)
    home = {"sijunjung": "13.03", "binjai": "12.75"}[region]
    assert all(row["kode_wilayah"].startswith(home) for row in ours.values())
    assert 0.7 < share([row["kode_wilayah"].startswith(home) for row in theirs.values()]) < 0.95


def test_another_seed_gives_other_people() -> None:
    assert not {row["nik"] for row in sample("pelatihan", 200)} & {row["nik"] for row in sample("pelatihan", 200, seed=8)}


def test_rows_come_one_at_a_time() -> None:
    endless = rows("jkp", 10**12, 7, AS_OF, party="binjai", agreement="nk-binjai-2025", contract=CONTRACTS["jkp"], codes=CODES)
    assert len(list(islice(endless, 3))) == 3


def test_another_process_gives_the_same_rows() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from sampling import AS_OF, CODES, CONTRACTS, rows\n"
        "made = rows('wlkp', 20, 7, AS_OF, party='binjai', agreement='nk-binjai-2025', contract=CONTRACTS['wlkp'], codes=CODES)\n"
        "print(list(made))"
    )
    folder = Path(__file__).parent
    ours = [list(row.values()) for row in sample("wlkp", 20, "binjai")]
    for hash_seed in ("0", "1"):
        command = [sys.executable, "-c", script, str(folder)]
        told = subprocess.run(command, capture_output=True, check=True, text=True, env={"PYTHONHASHSEED": hash_seed}, cwd=folder.parents[1])
        assert told.stdout.strip() == str(ours)


@pytest.mark.parametrize(
    ("dataset", "party", "agreement", "mess"),
    [
        ("gaji", "binjai", "nk-binjai-2025", 0.0),
        ("jkp", "binjai", "nk-medan-2025", 0.0),
        ("jkp", "sijunjung", "nk-binjai-2025", 0.0),
        ("jkp", "binjai", "nk-binjai-2025", 1.5),
        ("wlkp", "binjai", "nk-binjai-2025", 0.0),
    ],
)
def test_what_is_unknown_is_refused_at_once(
    dataset: str, party: str, agreement: str, mess: float
) -> None:
    with pytest.raises(ClientError):
        rows(dataset, 1, 7, AS_OF, party=party, agreement=agreement, contract=CONTRACTS["jkp"], codes=CODES, mess=mess)
