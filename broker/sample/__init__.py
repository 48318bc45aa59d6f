"""Synthetic labour data: valid against the contracts, linked across the nine datasets, and about nobody.

The same arguments give the same rows in every process. Person, employer and vacancy i depend on the seed, the party and `as_of` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.errors import ClientError
from broker.sample.draw import seeded, shares
from broker.sample.losses import jkp, perselisihan_hi
from broker.sample.mess import Ground, spoiled
from broker.sample.openings import lowongan, pemberi_kerja, penempatan
from broker.sample.people import World
from broker.sample.places import SYSTEMS, home_of, places
from broker.sample.reports import wlkp
from broker.sample.seekers import pencari_kerja, penduduk_bekerja
from broker.sample.training import pelatihan
from broker.sample.writing import write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from broker.model import Contract
    from broker.sample.places import Codes
    from broker.sample.record import Row

__all__ = ["DATASETS", "rows", "write"]

DATASETS: Final[Mapping[str, Callable[[World, int], Row]]] = {
    "pencari_kerja": pencari_kerja,
    "lowongan": lowongan,
    "pemberi_kerja": pemberi_kerja,
    "penduduk_bekerja": penduduk_bekerja,
    "pelatihan": pelatihan,
    "penempatan": penempatan,
    "perselisihan_hi": perselisihan_hi,
    "wlkp": wlkp,
    "jkp": jkp,
}


def rows(
    dataset: str,
    n: int,
    seed: int,
    as_of: date,
    *,
    party: str,
    agreement: str,
    contract: Contract,
    codes: Codes,
    mess: float = 0.0,
    text: bool = False,
) -> Iterator[list[str]]:
    """N rows in the contract's column order, '' for an empty cell, one at a time.

    party: whose file it is, of the agreement's two. mess: share of rows that get one fault. text: fill free text too, with personal data in it.
    Raises ClientError: an unknown dataset, agreement or party, another dataset's contract, a share outside 0..1.
    """
    make = DATASETS.get(dataset)
    if make is None:
        raise ClientError(f"Himpunan data tidak dikenal; pilih {', '.join(DATASETS)}. · Unknown dataset.")
    if contract.dataset != dataset:
        raise ClientError(f"Kontrak {contract.dataset} bukan kontrak {dataset}. · The contract is another dataset's.")
    if not 0.0 <= mess <= 1.0:
        raise ClientError("Bagian baris rusak harus antara 0 dan 1. · The share of faulty rows must lie between 0 and 1.")
    return _rows(_world(seed, as_of, party, agreement, codes, contract, text=text), make, contract, n, mess)


def _world(seed: int, as_of: date, party: str, agreement: str, codes: Codes, contract: Contract, *, text: bool) -> World:
    home = home_of(agreement, party)
    return World(
        seed=seed,
        party=party,
        agreement=agreement,
        system=SYSTEMS[party],
        as_of=as_of,
        template=contract.template,
        text=text,
        where=places(home, codes),
        peoples=shares(home.peoples),
        nik_key=int(seeded(seed, home.party, "nik")() * 10**9),
    )


def _rows(world: World, make: Callable[[World, int], Row], contract: Contract, n: int, mess: float) -> Iterator[list[str]]:
    empty = dict.fromkeys(contract.names, "")
    for i in range(n):
        row = make(world, i)
        if mess:
            row = _maybe_spoiled(world, make, contract, i, row, mess)
        cells = list((empty | row).values())
        assert len(cells) == len(empty), "a cell outside the contract"
        yield cells


def _maybe_spoiled(world: World, make: Callable[[World, int], Row], contract: Contract, i: int, row: Row, mess: float) -> Row:
    draw = seeded(world.seed, world.party, contract.dataset, "rusak", i)
    if draw() >= mess:
        return row
    return spoiled(Ground(contract, world.as_of, world.where.retired, lambda: make(world, i - 1) if i else {}), row, draw)
