"""Whom a recipient can join: the same person over the datasets of one agreement, direction and purpose, and nowhere else. Tried over the real API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from broker.treatment import DomainKey, pseudonym_tokens
from broker.treatment.formatted import FORMATTED
from tests.simulator import SIAPKERJA, SIBUSER, SIJOKER, Town

if TYPE_CHECKING:
    from pathlib import Path

ONE: dict[str, Any] = {"agreement": "nk-binjai-2025", "dataset": "pencari_kerja", "purpose": "perencanaan", "basis": "Rencana Tenaga Kerja"}
DOMAIN: dict[str, Any] = {"agreement": "nk-a-2025", "sender": "a", "recipient": "b", "entity": "orang", "purpose": "perencanaan", "epoch": 1}


def token(town: Town, folder: Path, person: dict[str, str], sender: str, recipient: str, asked: dict[str, Any]) -> str:
    """What the recipient gets for this person's NIK, who is in the first row of what the sender sends."""
    party = sender.partition("@")[2]
    rows = [list(row) for row in town.rows(asked["dataset"], 20, party=party, agreement=asked["agreement"])]
    names = town.office.contracts[asked["dataset"]].names
    for column in person.keys() & set(names):
        rows[0][names.index(column)] = person[column]
    file = folder / "rows.csv"
    file.write_bytes(town.csv(rows, asked["dataset"]))
    with town.http() as http:
        town.client(sender, http).send(file, recipient=recipient, **asked)
        theirs = town.client(recipient, http)
        (received,) = theirs.receive()
        theirs.open(received.exchange, folder / "out.ndjson", form="ndjson")
    first = json.loads((folder / "out.ndjson").read_text().splitlines()[0])
    (folder / "out.ndjson").unlink()
    assert first["nik"].startswith("p1."), first["nik"]
    return str(first["nik"])


def test_a_person_joins_over_datasets_of_one_agreement_direction_and_purpose_and_nowhere_else(town: Town, tmp_path: Path) -> None:
    contract = town.office.contracts["pencari_kerja"]
    rows = [dict(zip(contract.names, row, strict=True)) for row in town.rows(n=20)]
    someone = next(row for row in rows if row["tanggal_lahir"] < "2000")
    person = {column: someone[column] for column in ("nik", "tanggal_lahir", "jenis_kelamin")}
    here = token(town, tmp_path, person, SIBUSER, SIAPKERJA, ONE)
    assert token(town, tmp_path, person, SIBUSER, SIAPKERJA, ONE) == here
    assert token(town, tmp_path, person, SIBUSER, SIAPKERJA, ONE | {"dataset": "pelatihan"}) == here
    elsewhere = {
        "purpose": token(town, tmp_path, person, SIBUSER, SIAPKERJA, ONE | {"purpose": "evaluasi_program"}),
        "direction": token(town, tmp_path, person, SIAPKERJA, SIBUSER, ONE),
        "agreement and sender": token(town, tmp_path, person, SIJOKER, SIAPKERJA, ONE | {"agreement": "nk-sijunjung-2025"}),
    }
    assert len({here, *elsewhere.values()}) == 1 + len(elsewhere), elsewhere


@pytest.mark.parametrize("make", [pseudonym_tokens, *FORMATTED.values()])
@pytest.mark.parametrize("changed", [{"agreement": "nk-b-2025"}, {"sender": "c"}, {"recipient": "c"}, {"entity": "nama"}, {"purpose": "evaluasi_program"}, {"epoch": 2}, {"agreement": "nk-a-2025a", "sender": ""}])  # fmt: skip
def test_every_part_of_the_domain_changes_every_pseudonym(make: Any, changed: dict[str, Any]) -> None:
    values = pl.Series(["1303014107959001", "3201011212909002", "+6281200009001", "C1234567"])
    here, there = ({text.rpartition(".")[2] for text in make(values, DomainKey.of(bytes(32), **domain))} for domain in (DOMAIN, DOMAIN | changed))
    assert len(here) == len(there) == len(values)
    assert not here & there
