"""Level 4 end to end: numbers of the same form leave where the agreement has opted in, and nothing else changes."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from broker import rotation
from broker.detection import phones
from broker.epochmap import due, map_epoch
from broker.jcs import canonical
from broker.keys import SecretKey
from broker.model import Level
from broker.treatment import DomainKey, effective_level
from broker.treatment.formatted import FORMATTED, original_niks
from broker.wiring import open_office
from tests.conftest import NOW
from tests.simulator import SIAPKERJA, SIJOKER, Province, Town

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

AGREEMENT = "nk-sijunjung-2025"
OPT_IN = '\n[format_preserving]\nlegal_note = "ND-7/HK.01/2026: tidak ada paten FF1 yang terdaftar di Indonesia"\ndated = 2026-11-02\n'
RULES = "".join(
    f"A.uji.{column},siapkerja@kemnaker,{AGREEMENT},pencari_kerja.{column},terima,perencanaan,*,4,2025-03-20,2028-03-20,{AGREEMENT}: Pasal 4 huruf a angka 1,allow,tidak\n"
    for column in ("nik", "no_hp", "jenis_kelamin")
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Province:
    """A province whose rules allow level 4; its agreement has not opted in."""
    province = Province.found(tmp_path_factory.mktemp("province"), NOW)
    rules = province.home / "policies" / "rules.csv"
    rules.write_text(rules.read_text() + RULES)
    return opened(province)


def opened(province: Province) -> Province:
    for file in province.home.glob("ledger.db*"):  # its first policy version is the one without these rules
        file.unlink()
    office = open_office(province.home, NOW)
    office.ledger.database.close()
    return replace(province, office=office)


@pytest.fixture(scope="module")
def opted(found: Province) -> Iterator[Province]:
    file = found.home / "policies" / "agreements" / f"{AGREEMENT}.toml"
    before = file.read_text()
    file.write_text(before + OPT_IN)
    yield opened(found)
    file.write_text(before)


def told(province: Province, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Mapping[str, Any], Town]:
    """Rows sent, lines received, manifest of one exchange of pencari_kerja."""
    town = Town(province, folder / "town", NOW)
    rows = town.rows(n=60)
    file = folder / "rows.csv"
    file.write_bytes(town.csv(rows))
    with town.http() as http:
        town.client(SIJOKER, http).send(file, agreement=AGREEMENT, dataset="pencari_kerja", purpose="perencanaan", recipient=SIAPKERJA)
        siapkerja = town.client(SIAPKERJA, http)
        (received,) = siapkerja.receive()
        siapkerja.open(received.exchange, folder / "out.ndjson", form="ndjson")
        manifest = siapkerja.verify(received.exchange).manifest
    town.close()
    names = town.office.contracts["pencari_kerja"].names
    return [dict(zip(names, row, strict=True)) for row in rows], [json.loads(line) for line in (folder / "out.ndjson").read_text().splitlines()], manifest, town


def test_an_agreement_that_has_opted_in_releases_numbers_that_are_nobodys(opted: Province, tmp_path: Path) -> None:
    sent, got, manifest, town = told(opted, tmp_path)
    children = manifest_levels(manifest, "anak", "nik")
    assert manifest_levels(manifest, "umum", "nik") == "4"
    assert manifest_levels(manifest, "umum", "no_hp") == "4"
    marked = [(row["nik"], line["nik"]) for row, line in zip(sent, got, strict=True) if not line["nik"].startswith("p1.")]
    assert len(marked) > 30
    assert all(re.fullmatch(r"0[0-9]{15}", after) for _, after in marked)
    assert {before for before, _ in marked}.isdisjoint(after for _, after in marked)
    assert children in ("3", None), "a child's NIK goes by its own cap"
    key = domain(town)
    assert original_niks(pl.Series([after for _, after in marked]), key).to_list() == [before for before, _ in marked]
    dialled = [line["no_hp"] for line in got if line["no_hp"]]
    assert dialled
    for number in dialled:
        assert re.fullmatch(r"\+621[0-9]{6,12}", number) or number.startswith(("p1.", "*"))
        assert not phones.MOBILE.match(number[1:])
        assert not phones.LANDLINE.match(number[1:])


def test_a_new_root_maps_a_marked_number_to_the_next_one(opted: Province, tmp_path: Path) -> None:
    town = Town(opted, tmp_path / "town", NOW)
    data = town.csv(town.rows(n=60))
    with town.http() as http:
        client, found = town.client(SIAPKERJA, http), []

        def lines() -> list[dict[str, str]]:
            read = []
            for one in client.receive():
                client.open(one.exchange, tmp_path / one.exchange, form="ndjson")
                read += [json.loads(line) for line in (tmp_path / one.exchange).read_text().splitlines()]
            return read

        for _ in range(2):
            town.exchange(data)
            found.append([line["nik"] for line in lines()])
            rotation.by_host(town.office, canonical({"act": "rotate", "ring": AGREEMENT, "purpose": "root"}), NOW)
            for domain_ in due(town.office, NOW):
                map_epoch(town.office, domain_, NOW)
            if len(found) == 1:
                mapped = {line["samaran_lama"]: line["samaran_baru"] for line in lines()}
    town.close()
    assert [mapped[before] for before in found[0]] == found[1]
    assert any(re.fullmatch(r"0[0-9]{15}", before) for before in mapped)


def test_without_the_opt_in_tokens_leave_as_before(found: Province, tmp_path: Path) -> None:
    sent, got, manifest, _ = told(found, tmp_path)
    assert manifest_levels(manifest, "umum", "nik") == "3"
    assert all(re.fullmatch(r"p1\.[\w-]{22}", line["nik"], re.ASCII) for line in got)
    assert manifest_levels(manifest, "umum", "no_hp") == "1", "a phone has no token in the contract: it is masked"
    assert len(sent) == len(got)


def test_who_reads_the_ledger_sees_the_opt_in(opted: Province, tmp_path: Path) -> None:
    """In the digest of the agreement's file, where the legal note stands, and in the levels."""
    _, _, manifest, town = told(opted, tmp_path)
    file = town.province.home / "policies" / "agreements" / f"{AGREEMENT}.toml"
    assert b"ND-7/HK.01/2026" in file.read_bytes()
    assert manifest["agreement"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert any("4" in profile["levels"] for profile in manifest["profiles"])


def test_only_a_nik_and_a_phone_can_do_level_four_and_only_after_the_opt_in(found: Province) -> None:
    columns = [column for contract in found.office.contracts.values() for column in contract.columns]
    for column in columns:
        after, before = (effective_level(column, 4, "perencanaan", formatted=formatted) for formatted in (True, False))
        assert (after == Level.FORMAT_PRESERVING) is (column.kind in FORMATTED)
        assert before != Level.FORMAT_PRESERVING
        assert before == effective_level(column, 3, "perencanaan", formatted=True)
        assert effective_level(column, 5, "perencanaan", formatted=True) == effective_level(column, 5, "perencanaan", formatted=False)
    assert {column.kind for column in columns if column.kind in FORMATTED} == {"nik", "phone"}


def test_a_nik_that_is_none_does_not_get_as_far_as_level_four(opted: Province, tmp_path: Path) -> None:
    """Its row is withheld (Pasal 6); the other rows leave."""
    town = Town(opted, tmp_path / "town", NOW)
    rows = [list(row) for row in town.rows(n=30)]
    at = town.office.contracts["pencari_kerja"].names.index("nik")
    rows[3][at] = rows[3][at][:6] + "32" + rows[3][at][8:]
    town.exchange(town.csv(rows))
    (entry,) = town.entries()
    town.close()
    assert entry["outcomes"] == {"ditahan_aturan": 1, "terkirim": 29}
    assert entry["quality"]["nik.nik"] == 1


def manifest_levels(manifest: Mapping[str, Any], row_class: str, column: str) -> str | None:
    """The level of a column in the first profile of this class; None where no profile has its name."""
    at = manifest["columns"].index(column)
    return next((profile["levels"][at] for profile in manifest["profiles"] if profile["class"] == row_class), None)


def domain(town: Town) -> DomainKey:
    root = town.office.rings[AGREEMENT].get(SecretKey, "root").seed
    return DomainKey.of(root, agreement=AGREEMENT, sender="sijunjung", recipient="kemnaker", entity="orang", purpose="perencanaan", epoch=1)
