"""What goes wrong in real files, one fault a row: each takes a clean row and gives the cells it spoils, or none where it does not apply.

A spoiled NIK keeps its serial over 9000, so that even a typing error hits no real person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from broker.sample.draw import one, whole, years_after
from broker.sample.places import HOMES, KECAMATAN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from broker.model import Contract
    from broker.sample.draw import Draw
    from broker.sample.record import Row

    Fault = Callable[["Ground", Row, Draw], Row]

NIK_LENGTH: Final = 16
WOMEN: Final = 40  # added to the day of birth


@dataclass(frozen=True, slots=True)
class Ground:
    """What faults are made from. before: the clean row above, or none for the first row."""

    contract: Contract
    as_of: date
    retired: tuple[str, ...]
    before: Callable[[], Row]


def spoiled(ground: Ground, row: Row, draw: Draw) -> Row:
    """The row with one fault: the first in the table, from a random start, that applies."""
    start = whole(draw, 0, len(FAULTS) - 1)
    for fault in (*TABLE[start:], *TABLE[:start]):
        cells = fault(ground, row, draw)
        if cells:
            return row | cells
    return row


def nik_typo(ground: Ground, row: Row, draw: Draw) -> Row:
    at, by = whole(draw, 0, 11), whole(draw, 1, 9)
    return {c: v[:at] + str((int(v[at]) + by) % 10) + v[at + 1 :] for c, v in _nik(ground, row, draw)}


def nik_from_excel(ground: Ground, row: Row, draw: Draw) -> Row:
    return {c: f"{v[0]}.{v[1:6]}E+15" for c, v in _nik(ground, row, draw)}


def nik_spaced(ground: Ground, row: Row, draw: Draw) -> Row:
    mark = one(draw, (" ", ".", "-"))
    return {c: mark.join((v[:6], v[6:12], v[12:])) for c, v in _nik(ground, row, draw)}


def date_in_other_order(ground: Ground, row: Row, draw: Draw) -> Row:
    return {c: f"{v[8:]}/{v[5:7]}/{v[:4]}" for c, v in _filled(ground, row, draw, type="date")}


def unknown_code(ground: Ground, row: Row, draw: Draw) -> Row:
    return {c: one(draw, ("??", "X9", "LAINNYA", "tidak ada")) for c, _ in _filled(ground, row, draw, type="code") if c != "kode_kesepakatan"}


def wrong_column(ground: Ground, row: Row, draw: Draw) -> Row:
    """A NIK or a phone number where a plain text belongs."""
    stray = [v for kind in ("nik", "phone") for _, v in _filled(ground, row, draw, kind=kind)]
    targets = [c.name for c in ground.contract.columns if c.type == "string" and c.regex is None]
    if not stray:
        return {}
    return {one(draw, targets): one(draw, ("{}", "NIK/HP {}", "hub. {}")).format(one(draw, stray))}


def retired_district(ground: Ground, row: Row, draw: Draw) -> Row:
    """A district code of an earlier edition, as a register that was never updated still holds."""
    return {c: one(draw, ground.retired) for c, v in _filled(ground, row, draw, codelist="wilayah") if len(v) >= KECAMATAN}


def impossible_birth_date(ground: Ground, row: Row, draw: Draw) -> Row:
    if row.get("tanggal_lahir") and draw() < 0.5:
        return {"tanggal_lahir": f"{row['tanggal_lahir'][:4]}-02-30"}
    return {c: f"{v[:6]}{30 + WOMEN * (v[6] > '3')}02{v[10:]}" for c, v in _nik(ground, row, draw)}


def sex_against_nik(_ground: Ground, row: Row, _draw: Draw) -> Row:
    if not row.get("nik") or "jenis_kelamin" not in row:
        return {}
    return {"jenis_kelamin": "P" if row["jenis_kelamin"] == "L" else "L"}


def other_agreement(_ground: Ground, row: Row, draw: Draw) -> Row:
    return {"kode_kesepakatan": one(draw, [code for code in HOMES if code != row["kode_kesepakatan"]])}


def missing_value(ground: Ground, _row: Row, draw: Draw) -> Row:
    return {one(draw, [c.name for c in ground.contract.columns if c.required]): ""}


def fourteen(ground: Ground, row: Row, draw: Draw) -> Row:
    """A person too young to work, in every column that tells the age."""
    if not row.get("nik"):
        return {}
    born, nik = years_after(ground.as_of, -14) - timedelta(days=whole(draw, 1, 300)), row["nik"]
    cells = {"nik": f"{nik[:6]}{born.day + WOMEN * (nik[6] > '3'):02d}{born:%m%y}{nik[12:]}", "tanggal_lahir": born.isoformat(), "umur": "14"}
    return {c: v for c, v in cells.items() if c in row}


def stale(ground: Ground, _row: Row, draw: Draw) -> Row:
    return {"tgl_mutakhir": (ground.as_of - timedelta(days=whole(draw, 200, 500))).isoformat()}


def overlong_name(ground: Ground, row: Row, draw: Draw) -> Row:
    columns = {c.name: c.length[1] for c in ground.contract.columns if c.kind == "name" and c.length}
    return {c: f"{v} " * (columns[c] // len(v)) + v for c, v in _filled(ground, row, draw, kind="name") if c in columns}


def duplicate_person(ground: Ground, _row: Row, _draw: Draw) -> Row:
    return {c: v for c, v in ground.before().items() if c != "id_rekaman"}


FAULTS: Final[Mapping[str, Fault]] = {
    "nik_typo": nik_typo,
    "nik_from_excel": nik_from_excel,
    "nik_spaced": nik_spaced,
    "date_in_other_order": date_in_other_order,
    "unknown_code": unknown_code,
    "wrong_column": wrong_column,
    "retired_district": retired_district,
    "impossible_birth_date": impossible_birth_date,
    "sex_against_nik": sex_against_nik,
    "other_agreement": other_agreement,
    "missing_value": missing_value,
    "fourteen": fourteen,
    "stale": stale,
    "overlong_name": overlong_name,
    "duplicate_person": duplicate_person,
}
TABLE: Final = tuple(FAULTS.values())


def _filled(ground: Ground, row: Row, draw: Draw, **facts: str) -> list[tuple[str, str]]:
    """One filled cell, as (column, value), among the columns with these facts; empty where there is none."""
    columns = [c.name for c in ground.contract.columns if row.get(c.name) and all(getattr(c, fact) == value for fact, value in facts.items())]
    if not columns:
        return []
    column = one(draw, columns)
    return [(column, row[column])]


def _nik(ground: Ground, row: Row, draw: Draw) -> list[tuple[str, str]]:
    return [(c, v) for c, v in _filled(ground, row, draw, kind="nik") if len(v) == NIK_LENGTH]
