"""A policy's two files, read strictly: rows of rules.csv as values, model.conf as the one meaning that the compiler knows.

Casbin reads a policy file leniently: a row with `Deny`, a quoted "deny", a misspelt type or a missing column is dropped or
ignored, and the decision becomes an allow. Every such case is a ConfigError here, and Casbin's own parser is never used.
This module does not judge what a policy allows; compile.py does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.errors import ConfigError
from broker.policy.universe import ANY, EVERY_AGREEMENT, term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from broker.model import Agreement
    from broker.policy.universe import Universe

COLUMNS: Final = ("id", "sub", "dom", "obj", "act", "pur", "row", "lv", "dari", "sampai", "pasal", "eft", "kunci")
NEVER: Final = "9999-12-31"
# What a cap may rest on beside the agreements.
LAWS: Final = frozenset({
    "UU 27/2022 Pasal 4 ayat (2)",  # specific personal data
    "UU 27/2022 Pasal 4 ayat (3)",  # general personal data
    "UU 27/2022 Pasal 8",  # the subject may end the processing
    "UU 27/2022 Pasal 25",  # children
    "UU 27/2022 Pasal 26",  # persons with disabilities
})  # fmt: skip
MATCHER: Final = (
    '(r.act == p.act || p.act == "*") && r.now >= p.dari && r.now < p.sampai && g3(r.dom, p.dom) && g2(r.obj, p.obj)'
    " && g4(r.pur, p.pur) && g5(r.row, p.row) && g(r.sub, p.sub, r.dom)"
    ' && ((p.eft == "allow" && r.lv <= p.lv) || (p.eft == "deny" && r.lv > p.lv))'
)
# The compiler's masks say what this matcher says, so a file that says anything else is refused.
DEFINITIONS: Final = (
    ("request_definition", "r", "sub, dom, obj, act, pur, row, lv, now"),
    ("policy_definition", "p", ", ".join(COLUMNS)),
    ("role_definition", "g", "_, _, _"),
    ("role_definition", "g2", "_, _"),
    ("role_definition", "g3", "_, _"),
    ("role_definition", "g4", "_, _"),
    ("role_definition", "g5", "_, _"),
    ("policy_effect", "e", "some(where (p.eft == allow)) && !some(where (p.eft == deny))"),
    ("matchers", "m", MATCHER),
)

_UNSEEN: Final[Mapping[str, str]] = MappingProxyType({
    "\ufeff": "a byte order mark", "\r": "a carriage return", "\t": "a tab", "\0": "NUL",
})  # fmt: skip
_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:/*-]{0,99}")
_VALUES: Final = attrgetter(*COLUMNS)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")  # date.fromisoformat alone takes 2025-W12-4 as well


@dataclass(frozen=True, slots=True)
class Row:
    """One row of rules.csv, every value of a closed vocabulary; fields in the file's order, after its line number there."""

    line: int
    id: str
    sub: str
    dom: str
    obj: str
    act: str
    pur: str
    row: str
    lv: str
    dari: str
    sampai: str
    pasal: str
    eft: str
    kunci: str

    @property
    def values(self) -> list[str]:
        return list(_VALUES(self))


def read_model(file: str, data: bytes) -> None:
    """Accepts exactly DEFINITIONS, in their order; blank lines and lines that begin with # are free."""
    section, expected = "", iter((*DEFINITIONS, ("", "", "")))
    lines = _lines(file, data)
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[([a-z_]+)\]", line):
            section = header[1]
            continue
        key, _, value = line.partition(" = ")
        if (section, key, value) != next(expected):
            raise ConfigError(file, number, "not the definition that the broker's tables are compiled for (docs/formats/policy.md)", 1)
    if next(expected) != ("", "", ""):
        raise ConfigError(file, len(lines), "a definition is missing")


def read_rules(
    file: str, data: bytes, known: Universe, agreements: Mapping[str, Agreement], clause_exists: Callable[[Agreement, str], bool]
) -> tuple[Row, ...]:
    """Every row of rules.csv, in the file's order.

    Raises ConfigError with file, line and the column of the value: not UTF-8, no LF at the end, a character that cannot be seen,
    a wrong header, a quote, a comment, a wrong number of values, an empty value or one with a blank at its ends, a word outside
    its column's vocabulary, a level or date out of bounds, a double id, an allow that names nobody or everything or runs outside
    its agreement's term, a citation that its agreements do not bear out; or no row at all.
    """
    rows = []
    for found in _each(file, data, known, agreements, clause_exists):
        if isinstance(found, ConfigError):
            raise found
        rows.append(found)
    if not rows:
        raise ConfigError(file, 1, "holds no rule")
    return tuple(rows)


def rule_faults(
    data: bytes, known: Universe, agreements: Mapping[str, Agreement], clause_exists: Callable[[Agreement, str], bool], most: int
) -> tuple[ConfigError, ...]:
    """What is wrong with the lines of a rules.csv by themselves: the first fault of each wrong line, of as many as `most` lines.

    What the rules mean together is not asked here: whether they are wider than the agreements says compile_policy.
    """
    try:
        wrong = (found for found in _each("rules.csv", data, known, agreements, clause_exists) if isinstance(found, ConfigError))
        return tuple(islice(wrong, most))
    except ConfigError as error:
        return (error,)


def _each(
    file: str, data: bytes, known: Universe, agreements: Mapping[str, Agreement], clause_exists: Callable[[Agreement, str], bool]
) -> Iterator[Row | ConfigError]:
    """Every line as its row, or as what is wrong with it. Raises ConfigError where there are no lines to speak of."""
    lines = _lines(file, data)
    if lines[0] != ",".join(COLUMNS):
        raise ConfigError(file, 1, f"the first line must be {','.join(COLUMNS)}", 1)
    words = {axis: known.words(axis) for axis in ("sub", "dom", "obj", "act", "pur", "row")}
    words |= {"lv": frozenset("012345"), "eft": frozenset({"allow", "deny"}), "kunci": frozenset({"ya", "tidak"})}
    ids: set[str] = set()
    borne_out: set[tuple[str, str, str]] = set()  # rules share few citations, and each costs a look at every agreement
    for number, line in enumerate(lines[1:], 2):
        row = _row(file, number, line)
        if isinstance(row, ConfigError):
            yield row
            continue
        cites = (row.dom, row.pasal, row.eft)
        wrong = ("id", "the same id twice") if row.id in ids else next(_faults(row, words, agreements), None)
        if not wrong and cites not in borne_out:
            wrong = next(_faults_of_citation(row, agreements, clause_exists), None)
        ids.add(row.id)
        if wrong:
            yield ConfigError(file, number, f"{wrong[0]}: {wrong[1]}", place(row, wrong[0]))
        else:
            borne_out.add(cites)
            yield row


def place(row: Row, name: str) -> int:
    """Where in its line the value of column `name` begins, in characters from 1."""
    before = row.values[: COLUMNS.index(name)]
    return sum(map(len, before)) + len(before) + 1


def citations(pasal: str) -> tuple[tuple[str, str], ...]:
    """`nk-a: Pasal 4; UU 27/2022 Pasal 25` as (agreement or '', clause)."""
    parts = (part.partition(": ") for part in pasal.split("; "))
    return tuple((before, after) if colon else ("", before) for before, colon, after in parts)


def covered(row: Row, agreements: Mapping[str, Agreement]) -> frozenset[str]:
    return frozenset(agreements) if row.dom == EVERY_AGREEMENT else frozenset({row.dom})


def _lines(file: str, data: bytes) -> list[str]:
    """The lines of a UTF-8 text that ends with LF; nothing in it is unseen, whatever an editor would show."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        number, column = data.count(b"\n", 0, error.start) + 1, len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode()) + 1
        raise ConfigError(file, number, "not UTF-8", column) from error
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        # Also every blank but the plain one, and characters of no width.
        column = 0 if line.isprintable() else next(n for n, sign in enumerate(line, 1) if not sign.isprintable())
        if column:
            raise ConfigError(file, number, f"a character that cannot be seen: {_UNSEEN.get(line[column - 1], 'delete it')}", column)
    if lines.pop():
        raise ConfigError(file, len(lines) + 1, "the last line does not end with LF: the file may be cut short")
    if not lines:
        raise ConfigError(file, 1, "is empty")
    return lines


def _row(file: str, number: int, line: str) -> Row | ConfigError:
    for sign, wrong in (('"', "a quote: no value needs one"), ("#", "a comment: every line is a rule")):
        if sign in line:
            return ConfigError(file, number, wrong, line.index(sign) + 1)
    values = line.split(",") if line else []
    if len(values) != len(COLUMNS):
        last = len(",".join(values[: len(COLUMNS)])) + 1  # where a value is missing, or the comma before one too many
        return ConfigError(file, number, f"{len(values)} columns, {len(COLUMNS)} expected", last)
    return Row(number, *values)


Fault = tuple[str, str]  # the column at fault; what is wrong with its value


def _faults(row: Row, words: Mapping[str, frozenset[str]], agreements: Mapping[str, Agreement]) -> Iterator[Fault]:
    for name, value in zip(COLUMNS, row.values, strict=True):
        if not value:
            yield name, "empty"
        if value != value.strip(" "):
            yield name, "a blank before or after the value"
        if name in words and value not in words[name]:
            yield name, "not a word that this column knows"
    if not _ID.fullmatch(row.id):
        yield "id", "letters, digits and _.:/*- only, a letter first, at most 100"
    for name in ("dari", "sampai"):
        if not _is_date(getattr(row, name)):
            yield name, "not a date YYYY-MM-DD"
    if row.dari >= row.sampai:
        yield "sampai", "not after dari"
    yield from _faults_of_cap(row) if row.eft == "deny" else _faults_of_allow(row, agreements)


def _faults_of_cap(row: Row) -> Iterator[Fault]:
    if row.lv == "5":
        yield "lv", "a cap of 5 caps nothing"
    if row.kunci == "ya" and row.sampai != NEVER:
        yield "sampai", f"a locked cap outlives the agreement (Pasal 9 ayat (3)): {NEVER}"


def _faults_of_allow(row: Row, agreements: Mapping[str, Agreement]) -> Iterator[Fault]:
    if row.lv == "0":
        yield "lv", "an allow of 0 allows nothing"
    if row.kunci == "ya":
        yield "kunci", "only a cap can be locked"
    for name in ("sub", "obj", "act"):
        if getattr(row, name) == ANY:
            yield name, "an allow says who, what and which action"
    for name in covered(row, agreements):
        first, after = term(agreements[name])
        if row.dari < first:
            yield "dari", f"before the term of {name}"
        if row.sampai > after:
            yield "sampai", f"after the term of {name}"


def _faults_of_citation(row: Row, agreements: Mapping[str, Agreement], clause_exists: Callable[[Agreement, str], bool]) -> Iterator[Fault]:
    cited = citations(row.pasal)
    named, scope = frozenset(name for name, _ in cited if name), covered(row, agreements)
    if len(set(cited)) < len(cited):
        yield "pasal", "the same citation twice"
    if named - scope:
        yield "pasal", "cites an agreement that the rule does not cover"
    for name, clause in cited:
        if name and not clause_exists(agreements[name], clause):
            yield "pasal", f"{name} has no such clause"
        if not name and (row.eft == "allow" or clause not in LAWS):
            yield "pasal", "neither `agreement: clause` nor, for a cap, a law that the broker knows"
    if named != scope and (row.eft == "allow" or named):
        yield "pasal", "a citation is needed for each agreement that the rule covers"


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
