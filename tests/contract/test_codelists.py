"""The shipped code lists, and how the loader refuses an altered one."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from broker.contract.codelists import KEYS, STATUSES, CodeLists, load_codelists
from broker.errors import ConfigError

ROOT = Path(__file__).parents[2]
CODES = ROOT / "policies" / "codes"
LISTS = load_codelists(CODES)


def test_every_list_has_its_rows_source_and_licence() -> None:
    assert len(LISTS.lists) == 50
    for name, listed in LISTS.lists.items():
        assert len(LISTS.codes(name)) == listed.rows > 0
        assert listed.source
        assert listed.licence


def test_regions_of_every_edition_are_there() -> None:
    codes = LISTS.codes("wilayah")
    assert len([code for code in codes if code.startswith("13.03.") and len(code) == 13]) == 62
    assert len([code for code in codes if code.startswith("12.75.") and len(code) == 13]) == 37
    assert LISTS.label("wilayah", "13.03") == "Kabupaten Sijunjung"


def test_a_retired_region_is_present_and_marked() -> None:
    assert {"91.01", "91.01.01", "64.04"} <= LISTS.codes("wilayah") & LISTS.retired("wilayah")
    assert "13.03" not in LISTS.retired("wilayah")
    assert len(LISTS.retired("wilayah")) == 26 + 594 + 5


def test_a_nik_prefix_of_any_edition_is_known() -> None:
    assert {"1303", "1275", "9101", "6404"} <= LISTS.kabupaten
    assert {"130304", "127501", "910101"} <= LISTS.kecamatan
    assert (len(LISTS.kabupaten), len(LISTS.kecamatan)) == (545, 7879)


def test_a_business_field_has_its_category_and_no_title() -> None:
    assert LISTS.parent("kbli2020")["49431"] == "H"
    assert "H" not in LISTS.parent("kbli2020")
    assert LISTS.label("kbli2020", "49431") == "49431"
    assert LISTS.label("kbji2014", "8332.01") == "8332.01"


def test_the_group_maps_cover_their_lists() -> None:
    assert LISTS.parent("peta_pendidikan_3").keys() == LISTS.codes("pendidikan")
    assert LISTS.parent("peta_alasan_phk_3").keys() == LISTS.codes("alasan_phk")
    assert set(LISTS.parent("peta_pendidikan_3").values()) == {"DASAR", "MENENGAH", "TINGGI"}


def test_a_list_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        LISTS.codes("warna")
    with pytest.raises(KeyError):
        LISTS.label("agama", "99")


def test_the_notice_of_the_regions_licence_is_carried() -> None:
    notice = (CODES / "LICENSE-wilayah").read_text(encoding="utf-8")
    assert "Copyright (c) 2017-2025 Cahya DSN" in notice
    assert "Permission is hereby granted" in notice


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One small list and its index."""
    write(tmp_path, "code,name\nL,Laki-laki\nP,Perempuan\n", 2)
    return tmp_path


def write(folder: Path, text: str, rows: int) -> None:
    data = text.encode()
    (folder / "sex.csv").write_bytes(data)
    (folder / "index.toml").write_text(
        '[[list]]\nname = "sex"\nnama = "Jenis kelamin"\nedition = "2026"\nsource = "KTP"\nlicence = "own"\nstatus = "read"\n'
        f'rows = {rows}\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n',
        encoding="utf-8",
    )


def refused(folder: Path) -> tuple[str, int, str]:
    with pytest.raises(ConfigError) as caught:
        load_codelists(folder).codes("sex")
    return Path(caught.value.file).name, caught.value.line, caught.value.message


def test_a_small_list_loads(folder: Path) -> None:
    lists = load_codelists(folder)
    assert lists.codes("sex") == {"L", "P"}
    assert lists.retired("sex") == frozenset()
    assert lists.label("sex", "P") == "Perempuan"


def test_an_altered_list_is_refused_at_its_digest(folder: Path) -> None:
    (folder / "sex.csv").write_text("code,name\nL,Laki-laki\nP,Perempuan\nX,X\n", encoding="utf-8")
    assert refused(folder) == ("index.toml", 9, "sex.csv is not the file this digest was made of")


def test_what_was_checked_is_what_is_parsed(folder: Path) -> None:
    lists = load_codelists(folder)
    (folder / "sex.csv").write_text("code\nX\n", encoding="utf-8")
    assert lists.codes("sex") == {"L", "P"}


def test_a_missing_list_is_refused(folder: Path) -> None:
    (folder / "sex.csv").unlink()
    assert refused(folder)[0] == "sex.csv"


def test_a_list_outside_the_index_is_refused(folder: Path) -> None:
    (folder / "extra.csv").write_text("code\n1\n", encoding="utf-8")
    assert refused(folder) == ("extra.csv", 1, "is not in index.toml")


def test_a_missing_index_is_refused(folder: Path) -> None:
    (folder / "index.toml").unlink()
    assert refused(folder)[0] == "index.toml"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('edition = "2026"', 'edisi = "2026"', 4, "unknown key edisi"),
        ('edition = "2026"', "edition = 2026", 4, "edition must be a text"),
        ('edition = "2026"\n', "", 1, "missing key edition"),
        ('status = "read"', 'status = "guessed"', 7, "unknown status guessed"),
        ("rows = 2", "rows = true", 8, "rows must be a whole number"),
        ('name = "sex"', 'name = "../sex"', 2, "a list's name is lower-case letters, digits and _"),
        ("[[list]]", "[[lists]]", 1, "unknown key lists"),
    ],
)
def test_a_wrong_index_is_refused_at_its_line(folder: Path, old: str, new: str, line: int, says: str) -> None:
    path = folder / "index.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert refused(folder) == ("index.toml", line, says)


def test_a_list_named_twice_is_refused_where_it_comes_again(folder: Path) -> None:
    path = folder / "index.toml"
    path.write_text(path.read_text(encoding="utf-8") * 2, encoding="utf-8")
    assert refused(folder) == ("index.toml", 11, "sex is listed twice")


@pytest.mark.parametrize(
    ("text", "rows", "line", "says"),
    [
        ("kode,nama\nL,x\n", 1, 1, "the header must be"),
        ("code,to,from\nL,1,2\n", 1, 1, "the header must be"),
        ("code,code\nL,L\n", 1, 1, "the header must be"),
        ("", 0, 1, "the header must be"),
        ("code,name\nL\n", 1, 2, "has 1 cells, 2 expected"),
        ("code,name\nL,x\nL,y\n", 2, 3, "the code is empty or already in the list"),
        ("code,name\n,x\n", 1, 2, "the code is empty or already in the list"),
        ('code,name\nL,"x"y\n', 1, 2, "is not CSV"),
        ("code,name\nL,x\n", 2, 2, "has 1 codes, index.toml says 2"),
    ],
)
def test_a_wrong_list_is_refused_at_its_line(folder: Path, text: str, rows: int, line: int, says: str) -> None:
    write(folder, text, rows)
    file, at, message = refused(folder)
    assert (file, at) == ("sex.csv", line)
    assert message.startswith(says)


def test_a_shipped_list_that_was_altered_stops_the_broker(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(CODES, tmp_path / "codes"))
    with (copy / "wilayah.csv").open("a", encoding="utf-8") as file:
        file.write("99,Antah Berantah,2025,\n")
    with pytest.raises(ConfigError, match="is not the file"):
        load_codelists(copy)


def test_lists_are_frozen() -> None:
    with pytest.raises(AttributeError):
        CodeLists({}).lists = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        LISTS.parent("kbli2020")["49431"] = "A"  # type: ignore[index]


def test_the_format_page_explains_every_key_and_word() -> None:
    page = (ROOT / "docs" / "formats" / "codelist.md").read_text(encoding="utf-8")
    assert [word for word in [*KEYS, *STATUSES] if f"`{word}`" not in page] == []
