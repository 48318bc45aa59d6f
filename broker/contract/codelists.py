"""Closed code lists: what a column of type `code` may hold (docs/formats/codelist.md).

Every byte is read and compared with its digest in `index.toml` at the start; a list is parsed when it is first asked for.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.errors import ConfigError
from broker.toml import Table, decoded, read_file, top_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STATUSES: Final = frozenset({"read", "memory", "composed"})
KEYS: Final = ("name", "nama", "edition", "source", "licence", "status", "rows", "sha256")
FIELDS: Final = ("code", "name", "parent", "from", "to")  # a list has `code` and any of the others, in this order


@dataclass(frozen=True)
class CodeList:
    """One list with where it comes from; `data` are the bytes whose digest was checked."""

    name: str
    nama: str
    edition: str
    source: str
    licence: str
    status: str  # how its codes are known: read | memory | composed
    rows: int
    sha256: str
    path: Path
    data: bytes = field(repr=False)

    @cached_property
    def entries(self) -> Mapping[str, Mapping[str, str]]:
        """Fields by code, in the order of the file. Raises ConfigError: header, a short row, an empty or double code, row count."""
        reader = csv.reader(io.StringIO(decoded(self.path, self.data), newline=""), strict=True)
        header = next(reader, [])
        if header[:1] != ["code"] or header != [name for name in FIELDS if name in header]:
            raise self.wrong(1, f"the header must be code and any of {', '.join(FIELDS[1:])}, in this order")
        found: dict[str, Mapping[str, str]] = {}
        try:
            for cells in reader:
                if len(cells) != len(header):
                    raise self.wrong(reader.line_num, f"has {len(cells)} cells, {len(header)} expected")
                if not cells[0] or cells[0] in found:
                    raise self.wrong(reader.line_num, "the code is empty or already in the list")
                found[cells[0]] = dict(zip(header, cells, strict=True))
        except csv.Error as error:
            raise self.wrong(reader.line_num, f"is not CSV: {error}") from error
        if len(found) != self.rows:
            raise self.wrong(reader.line_num, f"has {len(found)} codes, index.toml says {self.rows}")
        return MappingProxyType(found)

    def wrong(self, line: int, message: str) -> ConfigError:
        return ConfigError(str(self.path), line, message)

    @cached_property
    def codes(self) -> frozenset[str]:
        return frozenset(self.entries)

    @cached_property
    def retired(self) -> frozenset[str]:
        return frozenset(code for code, entry in self.entries.items() if entry.get("to"))

    @cached_property
    def parent(self) -> Mapping[str, str]:
        return MappingProxyType({code: entry["parent"] for code, entry in self.entries.items() if entry.get("parent")})


@dataclass(frozen=True)
class CodeLists:
    """All lists of a folder. An unknown list or code is a KeyError: contracts name only lists that exist."""

    lists: Mapping[str, CodeList]

    def codes(self, name: str) -> frozenset[str]:
        """Every code of the list, the retired ones too."""
        return self.lists[name].codes

    def retired(self, name: str) -> frozenset[str]:
        """Codes of earlier editions: they pass, with a note."""
        return self.lists[name].retired

    def parent(self, name: str) -> Mapping[str, str]:
        """The code that each code belongs to, for those that have one."""
        return self.lists[name].parent

    def label(self, name: str, code: str) -> str:
        """The code's Indonesian name, or the code itself in a list whose titles are not ours to carry."""
        return self.lists[name].entries[code].get("name", code)

    @cached_property
    def kabupaten(self) -> frozenset[str]:
        """`1303`: the first four digits that a NIK can have, in any edition."""
        return frozenset(code.replace(".", "") for code in self.codes("wilayah") if len(code) == len("13.03"))

    @cached_property
    def kecamatan(self) -> frozenset[str]:
        """`130307`: the first six digits that a NIK can have, in any edition."""
        return frozenset(code.replace(".", "") for code in self.codes("wilayah") if len(code) == len("13.03.07"))


def load_codelists(folder: Path) -> CodeLists:
    """The code lists that `folder/index.toml` names, every digest checked.

    Raises ConfigError: an unknown, missing or wrong key, a list named twice, a CSV file that is missing, altered or not in the index.
    """
    index = top_table(folder / "index.toml", read_file(folder / "index.toml"))
    index.only(["list"])
    lists: dict[str, CodeList] = {}
    for row in index.tables("list"):
        found = _code_list(folder, row)
        if found.name in lists:
            raise row.wrong("name", f"{found.name} is listed twice")
        lists[found.name] = found
    for path in sorted(folder.glob("*.csv")):
        if path.stem not in lists:
            raise ConfigError(str(path), 1, "is not in index.toml")
    return CodeLists(MappingProxyType(lists))


def _code_list(folder: Path, row: Table) -> CodeList:
    row.only(KEYS)
    name = row.text("name")
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise row.wrong("name", "a list's name is lower-case letters, digits and _")
    path = folder / f"{name}.csv"
    data = read_file(path)
    sha256 = row.text("sha256")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise row.wrong("sha256", f"{path.name} is not the file this digest was made of")
    return CodeList(
        name=name,
        nama=row.text("nama"),
        edition=row.text("edition"),
        source=row.text("source"),
        licence=row.text("licence"),
        status=row.word("status", STATUSES),
        rows=row.value("rows", int),
        sha256=sha256,
        path=path,
        data=data,
    )
