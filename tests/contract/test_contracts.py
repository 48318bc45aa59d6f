"""The shipped dataset contracts, and how the loader refuses a wrong one."""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from broker.contract import load
from broker.contract.codelists import load_codelists
from broker.contract.load import load_contracts
from broker.errors import ConfigError

if TYPE_CHECKING:
    from broker.model import Column

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
CONTRACTS = load_contracts(POLICIES / "datasets")
CODELISTS = load_codelists(POLICIES / "codes")
COLUMNS = [pytest.param(column, id=f"{name}.{column.name}") for name, contract in CONTRACTS.items() for column in contract.columns]


def test_the_nine_datasets_load_with_their_390_columns() -> None:
    sizes = {name: len(contract.columns) for name, contract in CONTRACTS.items()}
    assert sorted(sizes) == [
        "jkp", "lowongan", "pelatihan", "pemberi_kerja", "pencari_kerja", "penduduk_bekerja", "penempatan", "perselisihan_hi", "wlkp",
    ]  # fmt: skip
    assert sum(sizes.values()) == 390


def test_columns_are_those_of_the_dictionary_in_its_order() -> None:
    with (ROOT / "tests" / "data" / "dictionary_levels.csv").open(newline="", encoding="utf-8") as file:
        expected = [
            (row["dataset"], row["column"], row["class"], row["kind"], row["flag"], row["public_basis"]) for row in csv.DictReader(file)
        ]
    datasets = dict.fromkeys(row[0] for row in expected)
    assert expected == [
        (name, column.name, column.klass, column.kind, ";".join(column.flags), CONTRACTS[name].public_basis or "")
        for name in datasets
        for column in CONTRACTS[name].columns
    ]


def test_a_contract_carries_the_digest_of_its_file() -> None:
    data = (POLICIES / "datasets" / "jkp.toml").read_bytes()
    assert CONTRACTS["jkp"].sha256 == hashlib.sha256(data).hexdigest()


def test_a_field_of_the_file_arrives_in_the_model() -> None:
    born = CONTRACTS["pencari_kerja"].column("tanggal_lahir")
    assert (born.type, born.required, born.min, born.max, born.flag_when) == ("date", True, "today-99y", "today-15y", "age<18")
    assert dict(born.generalise) == {"": "tahun", "ketiga": "pita_umur_5"}
    assert CONTRACTS["pencari_kerja"].column("bahasa").list_max == 10
    assert CONTRACTS["pencari_kerja"].stale_after == "P6M"
    assert CONTRACTS["lowongan"].subjects == ()
    assert CONTRACTS["wlkp"].subjects == (
        "pengurus_1_nik",
        "pengurus_2_nik",
        "pengurus_3_nik",
        "tka_1_paspor",
        "tka_2_paspor",
        "tka_3_paspor",
    )


def test_a_birth_date_beside_a_nik_is_checked_against_it() -> None:
    checks = {(name, c.name): c.check for name, contract in CONTRACTS.items() for c in contract.columns if c.kind == "birth_date"}
    assert checks == {("pencari_kerja", "tanggal_lahir"): "nik_lahir"}


def test_every_nik_is_indexed() -> None:
    for contract in CONTRACTS.values():
        assert {column.name for column in contract.columns if column.kind == "nik"} <= set(contract.subjects)


@pytest.mark.parametrize("column", COLUMNS)
def test_an_example_satisfies_its_own_column(column: Column) -> None:
    assert column.contoh or not column.required
    items = column.contoh.split(";") if column.list_max else [column.contoh] if column.contoh else []
    assert len(items) <= (column.list_max or 1)
    for item in items:
        assert column.regex is None or re.search(column.regex, item)
        assert column.length is None or column.length[0] <= len(item) <= column.length[1]
        assert column.codelist is None or item in CODELISTS.codes(column.codelist)
        assert column.type != "bool" or item in {"true", "false"}
        assert column.type != "date" or date.fromisoformat(item)
        if column.type in {"int", "decimal"}:
            assert column.min is None or float(column.min) <= float(item)
            assert column.max is None or column.max == "this_year" or float(item) <= float(column.max)


def test_examples_are_nobodys_data() -> None:
    for contract in CONTRACTS.values():
        for column in contract.columns:
            if column.contoh and column.kind in {"nik", "kk"}:
                assert 9001 <= int(column.contoh[12:]) <= 9999
            if column.contoh and column.kind == "email":
                assert re.search(r"@example\.(com|org)$", column.contoh)


def test_patterns_mean_the_same_in_both_engines() -> None:
    for contract in CONTRACTS.values():
        for column in contract.columns:
            if column.regex and column.contoh:
                values = pl.Series([column.contoh.partition(";")[0], column.contoh + " x"])
                assert values.str.contains(column.regex, strict=True).to_list() == [bool(re.search(column.regex, v)) for v in values]


def broken(tmp_path: Path, old: str, new: str, dataset: str = "pencari_kerja") -> tuple[Path, int]:
    """A copy of the policies where the first `old` of a contract is `new`; the datasets folder, and the line of the change."""
    shutil.copytree(POLICIES, tmp_path / "policies")
    path = tmp_path / "policies" / "datasets" / f"{dataset}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path.parent, text[: text.index(old)].count("\n") + 1


def refused(folder: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_contracts(folder)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('grain = "', 'butir = "', "unknown key butir"),
        ('template = "1.0.0"', 'template = "1.0"', "template has the wrong form"),
        ('template = "1.0.0"', "template = 1", "template must be a text"),
        ('dataset = "pencari_kerja"', 'dataset = "jkp"', "unknown dataset jkp"),
        ('dataset = "pencari_kerja"', 'dataset = "pencari_kerja', "is not TOML"),
        ('nama = "Pencari kerja"', 'nama = ""', "nama is empty"),
        ('period = "PT24H"', 'period = "24 hours"', "period has the wrong form"),
        ('column = "tgl_mutakhir"', 'column = "tgl_kirim"', "unknown column tgl_kirim"),
        ('stale_after = "P6M"', 'basi = "P6M"', "unknown key basi"),
        ('fallback = "id_rekaman"', 'cadangan = "id_rekaman"', "unknown key cadangan"),
        ('rule = "event-driven', 'rule = ""  # "event-driven', "rule is empty"),
        ('columns = ["nik"]', "columns = []", "columns must be those with subject"),
        ('columns = ["nik"]', 'columns = "nik"', "columns must be a list"),
        ('fallback = "id_rekaman"', 'fallback = "nomor"', "unknown fallback nomor"),
        ('ukuran = "', 'takaran = "', "unknown key takaran"),
        ("required = true", 'required = "yes"', "required must be true or false"),
        ("required = true", "required = 1", "required must be true or false"),
        ('type = "code"', 'type = "enum"', "unknown type enum"),
        ('kind = "kk"', 'kind = "ktp"', "unknown kind ktp"),
        ('class = "spesifik"', 'class = "rahasia"', "unknown class rahasia"),
        ('class = "bukan_pribadi"', 'kelas = "bukan_pribadi"', "unknown key kelas"),
        ('codelist = "agama"', 'codelist = "agama_baru"', "unknown codelist agama_baru"),
        ('flags = ["anak"]', 'flags = ["bayi"]', "flags must be some of"),
        ('flags = ["anak"]', "flags = []", "flags must be some of"),
        ('flag_when = "nik_age<18"', 'flag_when = "nik_age<17"', "flag_when has the wrong form"),
        ('flag_when = "not_in:0"', 'flag_when = "not_in:TIDAK"', "flag_when names a code that is not in disabilitas"),
        ('generalise = { default = "tahun"', 'generalise = { default = "abad"', "a known generaliser"),
        ('generalise = { default = "tahun"', 'generalise = { umum = "tahun"', "a known generaliser"),
        ('generalise = { default = "tahun"', 'generalise = { default = ["tahun"]', "a known generaliser"),
        ('mask = "nik_kab"', 'mask = "semua"', "unknown mask semua"),
        ('token = "rekaman"', 'token = "Rekaman 1"', "token has the wrong form"),
        ('regex = "^[1-9][0-9]{15}$"', 'regex = "^[1-9{15}$"', "regex does not compile"),
        ('regex = "^[1-9][0-9]{15}$"', 'regex = "[1-9][0-9]{15}"', "regex must be anchored"),
        ('regex = "^[1-9][0-9]{15}$"', "regex = '^\\d{16}$'", "regex must be anchored"),
        ("length = [1, 100]", "length = [100, 1]", "length must be"),
        ("length = [1, 100]", "length = [1, true]", "every item of length must be a whole number"),
        ("list_max = 10", "list_max = 0", "list_max must be"),
        ('min = "100"', 'min = "sepuluh"', "min does not fit type int"),
        ('check = "nik_lahir"', 'check = "nik_mati"', "unknown check nik_mati"),
        ('check = "ge:pengalaman_1_masuk"', 'check = "ge:pengalaman_9_masuk"', "its column is not there"),
        ('evidence = "form"', 'evidence = "kata orang"', "unknown evidence kata orang"),
        ('subject = "yes"', 'subject = "no"', "unknown subject no"),
        ('kind = "free_text"', 'kind = "none"', "type text goes with kind free_text"),
        ('type = "code"', 'type = "string"', "type code goes with a codelist"),
        ("length = [1, 100]", "list_max = 2\nlength = [1, 100]", "only a code can be a list"),
        ('name = "no_kk"', 'name = "nik"', "column nik is there twice"),
        ('name = "no_kk"', 'name = "No KK"', "name has the wrong form"),
    ],
)
def test_a_wrong_contract_is_refused_at_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    folder, line = broken(tmp_path, old, new)
    error = refused(folder)
    assert says in error.message
    assert (error.file, error.line) == (str(folder / "pencari_kerja.toml"), line)


@pytest.mark.parametrize(
    ("old", "header", "says"),
    [
        ('kind = "kk"\n', '[[column]]\nname = "no_kk"', "missing key kind"),
        ('evidence = "inferred"\ntoken = "rekaman"\n', '[[column]]\nname = "id_rekaman"', "missing key evidence"),
        ('column = "tgl_mutakhir"\n', "[freshness]", "missing key column"),
        ('name_en = "Job seekers"\n', 'dataset = "', "missing key name_en"),
        ('min = "100"\n', '[[column]]\nname = "tinggi_badan"', "an int needs min and max"),
        ('subject = "yes"\n', '[[column]]\nname = "nik"', "a NIK is always indexed"),
        ('flag_when = "nik_age<18"\n', '[[column]]\nname = "nik"', "flags and flag_when go together"),
    ],
)
def test_what_is_missing_is_refused_near_its_table(tmp_path: Path, old: str, header: str, says: str) -> None:
    folder, _ = broken(tmp_path, old, "")
    text = (folder / "pencari_kerja.toml").read_text(encoding="utf-8")
    begin = text[: text.index(header)].count("\n") + 1
    error = refused(folder)
    # The header names the table that lacks the key; a demand between two keys points at the one that is there.
    assert begin <= error.line <= begin + 12
    assert says in error.message


def test_a_table_that_nobody_knows_is_refused_at_its_header(tmp_path: Path) -> None:
    folder, line = broken(tmp_path, "[subjects]", "[orang]")
    error = refused(folder)
    assert (error.line, error.message) == (line, "unknown key orang")


def test_specific_data_that_raises_no_flag_is_refused(tmp_path: Path) -> None:
    folder, _ = broken(tmp_path, 'class = "umum"\nlength = [5, 200]', 'class = "spesifik"\nlength = [5, 200]')
    assert "must raise the flag spesifik" in refused(folder).message


def test_a_check_against_the_nik_needs_one(tmp_path: Path) -> None:
    folder, line = broken(tmp_path, 'flags = ["perorangan"]', 'check = "nik_lahir"\nflags = ["perorangan"]', "lowongan")
    error = refused(folder)
    assert (error.line, error.message) == (line, "check nik_lahir needs a column nik")


def test_a_sum_over_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    folder, line = broken(tmp_path, 'flag_when = "sum:jumlah_tk_l,', 'flag_when = "sum:jumlah_tk_x,', "wlkp")
    error = refused(folder)
    assert (error.line, error.message) == (line, "flag_when names a column that is not there")


def test_a_contract_without_columns_is_refused(tmp_path: Path) -> None:
    folder, _ = broken(tmp_path, "[freshness]", "[freshness]")
    path = folder / "pencari_kerja.toml"
    path.write_text("column = []\n" + path.read_text(encoding="utf-8").partition("[[column]]")[0], encoding="utf-8")
    assert (refused(folder).line, refused(folder).message) == (1, "there is no column")


def test_free_text_under_another_class_is_refused(tmp_path: Path) -> None:
    folder, _ = broken(tmp_path, 'kind = "free_text"\nclass = "teks_bebas"', 'kind = "free_text"\nclass = "umum"')
    assert "free text is of class" in refused(folder).message


def test_a_file_that_is_not_utf_8_is_refused_at_its_line(tmp_path: Path) -> None:
    folder, line = broken(tmp_path, "[standar]", "[standar]")
    path = folder / "pencari_kerja.toml"
    path.write_bytes(path.read_bytes().replace(b"[standar]", b"# \xff\n[standar]", 1))
    assert (refused(folder).line, refused(folder).message) == (line, "is not UTF-8")


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    shutil.copytree(POLICIES / "codes", tmp_path / "codes")
    (tmp_path / "datasets").mkdir()
    assert refused(tmp_path / "datasets").message == "holds no contract"


def test_the_format_page_explains_every_closed_word() -> None:
    page = (ROOT / "docs" / "formats" / "contract.md").read_text(encoding="utf-8")
    words = [load.TYPES, load.KINDS, load.CLASSES, load.CHECKS, load.FLAGS, load.SUBJECTS, load.EVIDENCE, load.AUDIENCES, load.GENERALISERS]
    missing = [
        word for closed in [*words, load.MASKS, load.TOP_KEYS, load.COLUMN_KEYS, load.STANDAR] for word in closed if f"`{word}`" not in page
    ]
    assert missing == []
