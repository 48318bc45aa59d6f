"""Dataset contracts: strict loading of `policies/datasets/*.toml` (docs/formats/contract.md).

Levels are not here: rules decide them. What each level does to a column is. The closed words below are the whole vocabulary;
validation and treatment give each its meaning.
"""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.contract.codelists import CodeLists, load_codelists
from broker.errors import ConfigError
from broker.model import Column, Contract
from broker.toml import Table, read_file, top_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TYPES: Final = frozenset({"string", "int", "decimal", "date", "bool", "code", "text"})
KINDS: Final = frozenset({
    "nik", "kk", "npwp", "nib", "kpj", "bpjs", "phone", "email", "name", "address", "birth_date",
    "passport", "account", "plate", "free_text", "quasi", "other_id", "none",
})  # fmt: skip
CLASSES: Final = frozenset({"umum", "spesifik", "bukan_pribadi", "publik", "teks_bebas"})
CHECKS: Final = frozenset({"nik", "kk", "npwp", "nik_sex", "nik_lahir"})  # and ge:COLUMN
CHECKS_OF_NIK: Final = frozenset({"nik_sex", "nik_lahir"})  # read the column `nik` of the same row
FLAGS: Final = frozenset({"anak", "spesifik", "disabilitas", "perorangan", "luar_wilayah", "asal_lain"})
SUBJECTS: Final = frozenset({"yes", "perorangan"})
EVIDENCE: Final = frozenset({"form", "inferred"})
AUDIENCES: Final = frozenset({"perencanaan", "layanan", "ketiga", "publik"})
GENERALISERS: Final = frozenset({
    "tahun", "bulan", "tahun_5", "tahun_penuh", "pita_umur_5", "pita_umur_10", "kecamatan", "kab", "provinsi",
    "kbji_1", "kbji_2", "kbli_2", "kbli_kategori", "pendidikan_3", "alasan_phk_3",
    "pita_upah", "pita_nilai", "pita_pekerja", "pita_jam", "pita_3",
})  # fmt: skip
MASKS: Final = frozenset({"nik_kab", "akhir_3", "email_awal_1", "inisial"})
STANDAR: Final = ("konsep", "definisi", "klasifikasi", "ukuran", "satuan", "dasar_rujukan")  # Permenaker 15/2020

TOP_KEYS: Final = frozenset({
    "dataset", "nama", "name_en", "template", "grain", "dictionary_code", "public_basis", "produsen_data",
    "freshness", "standar", "subjects", "column",
})  # fmt: skip
COLUMN_KEYS: Final = frozenset({
    "name", "type", "required", "kind", "class", "regex", "min", "max", "length", "list_max", "check", "codelist", "flags", "flag_when",
    "subject", "evidence", "generalise", "mask", "token", "konsep", "definisi", "satuan", "contoh", "note",
})  # fmt: skip

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TEMPLATE: Final = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
_DURATION: Final = re.compile(r"P(?=.)([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?)?")
_BOUND: Final = {
    "int": re.compile(r"-?[0-9]+|this_year"),
    "decimal": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "date": re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])|today([+-][0-9]+[yd])?"),
}
_WHEN: Final = re.compile(
    r"filled|true|age<18|nik_age<18|lt:[0-9]+|(in|not_in):[A-Z0-9_]+(\|[A-Z0-9_]+)*|not_prefix:[0-9]+"
    r"|ne:kesepakatan|not_in_parties|outside:region|sum:[a-z0-9_]+(,[a-z0-9_]+)*<=[0-9]+"
)
# Patterns run in two engines, Python's and Rust's: only what both read alike.
_ONE_ENGINE_ONLY: Final = re.compile(r"\(\?[=!<]|\\[1-9dDwWsSbB]")


def load_contracts(folder: Path) -> Mapping[str, Contract]:
    """Every contract of `folder`, by dataset; the code lists are those of the folder `codes` beside it.

    Raises ConfigError with file and line: an unknown or missing key, a wrong type, a word outside the closed sets, a regular
    expression that does not compile, a double column, a reference to a column or code that is not there; or no contract at all.
    """
    codelists = load_codelists(folder.parent / "codes")
    contracts = {path.stem: load_contract(path, codelists) for path in sorted(folder.glob("*.toml"))}
    if not contracts:
        raise ConfigError(str(folder), 1, "holds no contract")
    return MappingProxyType(contracts)


def load_contract(path: Path, codelists: CodeLists) -> Contract:
    data = read_file(path)
    top = top_table(path, data)
    top.only(TOP_KEYS)
    top.word("dataset", {path.stem})
    columns = _columns(top, codelists)
    freshness = top.table("freshness")
    freshness.only(["rule", "period", "column", "stale_after"])
    freshness.text("rule")
    standar = top.table("standar")
    standar.only(STANDAR)
    for key in ("grain", "dictionary_code", "produsen_data"):
        top.text(key)
    return Contract(
        dataset=path.stem,
        nama=top.text("nama"),
        name_en=top.text("name_en"),
        template=_shaped(top, "template", _TEMPLATE),
        columns=columns,
        freshness=_shaped(freshness, "period", _DURATION),
        freshness_column=freshness.word("column", {column.name for column in columns if column.type == "date"}),
        stale_after=_shaped(freshness, "stale_after", _DURATION) if "stale_after" in freshness.data else None,
        subjects=_subjects(top.table("subjects"), columns),
        fallback=top.table("subjects").word("fallback", {column.name for column in columns if column.required}),
        public_basis=top.maybe("public_basis"),
        standar=MappingProxyType({key: standar.text(key) for key in STANDAR}),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _shaped(table: Table, key: str, shape: re.Pattern[str]) -> str:
    found = table.text(key)
    if not shape.fullmatch(found):
        raise table.wrong(key, f"{key} has the wrong form")
    return found


def _subjects(table: Table, columns: tuple[Column, ...]) -> tuple[str, ...]:
    """The persons who are always indexed: exactly the columns that say `subject = "yes"`."""
    table.only(["columns", "fallback"])
    found = table.items("columns", str)
    if sorted(found) != sorted(column.name for column in columns if column.subject == "yes"):
        raise table.wrong("columns", 'columns must be those with subject = "yes", each once')
    return found


def _columns(top: Table, codelists: CodeLists) -> tuple[Column, ...]:
    tables = top.tables("column")
    names: set[str] = set()
    for table in tables:
        name = _shaped(table, "name", _NAME)
        if name in names:
            raise table.wrong("name", f"column {name} is there twice")
        names.add(name)
    columns = tuple(map(_column, tables))
    for table, column in zip(tables, columns, strict=True):
        _hold_together(table, column)
        _refer(table, column, names, codelists)
    return columns


def _column(table: Table) -> Column:
    table.only(COLUMN_KEYS)
    maybe = table.maybe
    return Column(
        name=table.text("name"),
        type=table.word("type", TYPES),
        required=table.value("required", bool),
        kind=table.word("kind", KINDS),
        klass=table.word("class", CLASSES),
        regex=_regex(table),
        min=maybe("min"),
        max=maybe("max"),
        length=_length(table),
        list_max=_list_max(table),
        check=maybe("check"),
        codelist=maybe("codelist"),
        flags=_flags(table),
        flag_when=_shaped(table, "flag_when", _WHEN) if "flag_when" in table.data else None,
        subject=table.word("subject", SUBJECTS) if "subject" in table.data else None,
        evidence=table.word("evidence", EVIDENCE),
        generalise=_generalise(table),
        mask=table.word("mask", MASKS) if "mask" in table.data else None,
        token=_shaped(table, "token", _NAME) if "token" in table.data else None,
        konsep=table.text("konsep"),
        definisi=table.text("definisi"),
        satuan=maybe("satuan") or "",
        contoh=maybe("contoh") or "",
        note=maybe("note") or "",
    )


def _regex(table: Table) -> str | None:
    found = table.maybe("regex")
    if found is None:
        return None
    if not (found.startswith("^") and found.endswith("$")) or _ONE_ENGINE_ONLY.search(found):
        raise table.wrong("regex", "regex must be anchored with ^ and $, without look-around, back-references or classes such as \\d")
    try:
        re.compile(found)
    except re.error as error:
        raise table.wrong("regex", f"regex does not compile: {error}") from error
    return found


def _length(table: Table) -> tuple[int, int] | None:
    if "length" not in table.data:
        return None
    match table.items("length", int):
        case (low, high) if 0 <= low <= high:
            return low, high
    raise table.wrong("length", "length must be [lowest, highest]")


def _list_max(table: Table) -> int | None:
    if "list_max" not in table.data:
        return None
    found = table.value("list_max", int)
    if found < 1:
        raise table.wrong("list_max", "list_max must be 1 or more")
    return found


def _flags(table: Table) -> tuple[str, ...]:
    if "flags" not in table.data:
        return ()
    found = table.items("flags", str)
    if not found or len(set(found)) != len(found) or not FLAGS.issuperset(found):
        raise table.wrong("flags", f"flags must be some of {', '.join(sorted(FLAGS))}, each once")
    return found


def _generalise(table: Table) -> Mapping[str, str]:
    if "generalise" not in table.data:
        return MappingProxyType({})
    found = {str(audience): str(word) for audience, word in table.value("generalise", dict).items()}
    if not found or not {"default", *AUDIENCES}.issuperset(found) or not GENERALISERS.issuperset(found.values()):
        raise table.wrong("generalise", "generalise must give default or an audience a known generaliser")
    return MappingProxyType({"" if audience == "default" else audience: word for audience, word in found.items()})


def _hold_together(table: Table, column: Column) -> None:
    """What the fields of one column demand of each other."""
    demands = (
        ("kind", (column.type == "text") == (column.kind == "free_text"), "type text goes with kind free_text"),
        ("class", column.type != "text" or column.klass in {"teks_bebas", "spesifik"}, "free text is of class teks_bebas or spesifik"),
        ("type", (column.type == "code") == (column.codelist is not None), "type code goes with a codelist"),
        ("type", column.type not in {"string", "text"} or bool(column.regex or column.length), "a text needs a regex or a length"),
        ("type", column.type != "int" or bool(column.min and column.max), "an int needs min and max"),
        ("list_max", column.list_max is None or column.type == "code", "only a code can be a list"),
        ("flags", bool(column.flags) == bool(column.flag_when), "flags and flag_when go together"),
        ("class", column.klass != "spesifik" or "spesifik" in column.flags, "class spesifik must raise the flag spesifik"),
        ("kind", column.kind != "nik" or column.subject == "yes", "a NIK is always indexed: subject must be yes"),
    )
    for key, holds, message in demands:
        if not holds:
            raise table.wrong(key, message)
    for key, bound in (("min", column.min), ("max", column.max)):
        if bound is not None and not (column.type in _BOUND and _BOUND[column.type].fullmatch(bound)):
            raise table.wrong(key, f"{key} does not fit type {column.type}")


def _refer(table: Table, column: Column, names: set[str], codelists: CodeLists) -> None:
    """Whatever a column names is there: columns of the same dataset, code lists, codes."""
    check = column.check or ""
    if check and check not in CHECKS and not (check.startswith("ge:") and check[3:] in names):
        raise table.wrong("check", f"unknown check {check}, or its column is not there")
    if check in CHECKS_OF_NIK and "nik" not in names:
        raise table.wrong("check", f"check {check} needs a column nik")
    if column.codelist is not None and column.codelist not in codelists.lists:
        raise table.wrong("codelist", f"unknown codelist {column.codelist}")
    word, _, listed = (column.flag_when or "").partition(":")
    if word == "sum" and not names.issuperset(listed.partition("<=")[0].split(",")):
        raise table.wrong("flag_when", "flag_when names a column that is not there")
    # A misspelt code would never raise its flag: fail closed.
    if word in {"in", "not_in"} and column.codelist is not None and not codelists.codes(column.codelist).issuperset(listed.split("|")):
        raise table.wrong("flag_when", f"flag_when names a code that is not in {column.codelist}")
