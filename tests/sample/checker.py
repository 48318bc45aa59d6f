"""A second reading of a contract, written apart from the broker's: which constraints a row breaks."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.contract import CodeLists
    from broker.model import Column, Contract

SHAPES = {"bool": "true|false", "int": "[0-9]+", "decimal": r"[0-9]+(\.[0-9]+)?", "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}


def faults(contract: Contract, codes: CodeLists, row: Mapping[str, str], as_of: date) -> list[str]:
    """`column: what is wrong` for every broken constraint."""
    found = []
    for column in contract.columns:
        value = row[column.name]
        if not value:
            if column.required:
                found.append(f"{column.name}: missing")
            continue
        found += [f"{column.name}: {what}" for what in _cell(column, value, codes, as_of)]
        if not found:
            found += [f"{column.name}: {what}" for what in _check(column, value, row, codes, as_of)]
    return found


def bound(text: str, as_of: date) -> str | float:
    if text == "this_year":
        return as_of.year
    if match := re.fullmatch(r"today(?:([+-][0-9]+)([yd]))?", text):
        if match[1] is None:
            return as_of.isoformat()
        if match[2] == "y":
            return f"{as_of.year + int(match[1])}-{as_of:%m-%d}"  # compared as text: a 29 February that does not exist does no harm
        return (as_of + timedelta(days=int(match[1]))).isoformat()
    return text if "-" in text[1:] else float(text)


def _cell(column: Column, value: str, codes: CodeLists, as_of: date) -> list[str]:
    items = value.split(";") if column.list_max else [value]
    wrong = {
        "too many items": bool(column.list_max) and len(items) > (column.list_max or 0),
        "shape": bool(column.regex) and not all(re.search(column.regex or "", item) for item in items),
        "code": bool(column.codelist) and not all(item in codes.codes(column.codelist or "") for item in items),
        "length": bool(column.length) and not (column.length or (0, 0))[0] <= len(value) <= (column.length or (0, 0))[1],
        "type": not re.fullmatch(SHAPES.get(column.type, r"(?s:.*)"), value),
    }
    return [what for what, broken in wrong.items() if broken] or _range(column, value, as_of)


def _range(column: Column, value: str, as_of: date) -> list[str]:
    measure: str | float = float(value) if column.type in ("int", "decimal") else value
    try:
        date.fromisoformat(value if column.type == "date" else "2000-01-01")
    except ValueError:
        return ["date"]
    low = column.min and measure < bound(column.min, as_of)  # type: ignore[operator]
    high = column.max and measure > bound(column.max, as_of)  # type: ignore[operator]
    return [what for what, broken in (("min", low), ("max", high)) if broken]


def nik_facts(nik: str, as_of: date) -> tuple[str, date]:
    """Sex and birth date inside a NIK. Raises ValueError for an impossible date."""
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    century = 2000 if 2000 + year <= as_of.year else 1900
    return ("P" if day > 40 else "L"), date(century + year, month, day - 40 if day > 40 else day)


def _check(column: Column, value: str, row: Mapping[str, str], codes: CodeLists, as_of: date) -> list[str]:
    check = column.check
    if check is None or (check == "npwp" and value.startswith("0")):
        return []
    if check.startswith("ge:"):
        other = row[check[3:]]
        early = float(other or 0) > float(value) if column.type == "int" else other > value
        return [f"before {check[3:]}"] if early else []
    number = row["nik"] if check in ("nik_sex", "nik_lahir") else value
    if not number:
        return []
    try:
        sex, born = nik_facts(number, as_of)
    except ValueError:
        return ["impossible date"]
    wrong = {
        "nik_sex": {"sex": sex != value},
        "nik_lahir": {"birth date": born.isoformat() != value},
    }.get(check, {"future": born > as_of, "district": number[:6] not in codes.kecamatan, "serial": number[12:] < "9001"})
    return [what for what, broken in wrong.items() if broken]
