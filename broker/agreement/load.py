"""Agreements from their TOML files, all or none. Every field there is stands in `fields.SPEC`.

Nothing has a default and nothing is ignored. A paragraph the agreement has and its file is silent about is an error too,
so a clause cannot be forgotten. Differences between agreements are values here, never code.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from broker.agreement.fields import SPEC, Each, Names, Spec
from broker.errors import ConfigError
from broker.model import Agreement, Purpose, System
from broker.toml import read_file, read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Where: TypeAlias = tuple[str, ...]  # ("term", "ends"): a place in the file

# These point at clauses; the rest of the file says what is in them.
REFERENCES: Final = frozenset({"articles", "security_clause", "quality_clause", "use", "templates", "sealing", "directions", "purposes"})


def load_agreements(folder: Path) -> Mapping[str, Agreement]:
    """Every agreement of the folder by its id; at least one.

    Raises ConfigError with file and line: unknown or missing key, wrong type, impossible date, a clause the agreement
    does not have or is silent about, a direction or purpose outside its parties and scope.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise ConfigError(str(folder), 1, "no agreement here")
    return MappingProxyType({file.stem: _load(file) for file in files})


def clause_exists(agreement: Agreement, clause: str) -> bool:
    """Whether the agreement has this clause, or each of several joined by `; `: `Pasal 6 ayat (3) huruf d`, `Lampiran 2c`."""
    paragraphs = agreement.clauses["articles"]["paragraphs"]
    assert isinstance(paragraphs, tuple)
    return all(part in _citations(paragraphs) for part in clause.split("; "))


@cache
def _citations(paragraphs: tuple[str, ...]) -> frozenset[str]:
    """Every paragraph and what encloses it: words come in pairs (`Pasal 6`, `ayat (3)`, `huruf d`)."""
    return frozenset(" ".join(words[:n]) for words in map(str.split, paragraphs) for n in range(2, len(words) + 1, 2))


def _load(file: Path) -> Agreement:
    raw = read_file(file)
    source, doc = read_toml(file, raw)
    for path, wrong in chain(_misfits(doc, SPEC, _names(doc), ()), _contradictions(doc, file.stem)):
        raise ConfigError(str(file), _line(source, path), f"{'.'.join(path)}: {wrong}")
    return _agreement(doc, hashlib.sha256(raw).hexdigest())


def _names(doc: Mapping[str, Any]) -> Names:
    """Tolerant: a part of the wrong shape gives no names here and is refused by SPEC."""

    def at(*path: str) -> object:
        node: object = doc
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return node

    parties, datasets, paragraphs = at("parties"), at("scope", "datasets"), at("articles", "paragraphs")
    return Names(
        frozenset(parties) if isinstance(parties, dict) else frozenset(),
        frozenset(datasets) if isinstance(datasets, dict) else frozenset(),
        _citations(tuple(p for p in paragraphs if isinstance(p, str))) if isinstance(paragraphs, list) else frozenset(),
    )


def _misfits(value: object, spec: Spec, names: Names, path: Where) -> Iterator[tuple[Where, str]]:
    if callable(spec):
        if wrong := spec(value, names):
            yield path, wrong
        return
    if not isinstance(value, dict):
        yield path, "must be a table"
        return
    if isinstance(spec, Each):
        yield from ((path, f"lacks {key}") for key in sorted(spec.all_of(names) - value.keys()))
        for key, item in value.items():
            yield from (((*path, key), wrong) for wrong in [spec.key(key, names)] if wrong)
            yield from _misfits(item, spec.value, names, (*path, key))
        return
    fields = {key.removesuffix("?"): inner for key, inner in spec.items()}
    yield from ((path, f"lacks {key}") for key in spec if not key.endswith("?") and key not in value)
    yield from (((*path, key), "unknown key") for key in value if key not in fields)
    for key, inner in fields.items():
        if key in value:
            yield from _misfits(value[key], inner, names, (*path, key))


def _contradictions(doc: Mapping[str, Any], stem: str) -> Iterator[tuple[Where, str]]:
    """What fits field by field and is still impossible. Needs a document that fits SPEC."""
    document, term, parties = doc["document"], doc["term"], doc["parties"]
    facts: tuple[tuple[bool, Where, str], ...] = (
        (doc["id"] != stem, ("id",), "is not the file's name"),
        (doc["pass_rate"] > 1000, ("pass_rate",), "is more than 1000 of 1000 rows"),
        (len(document["numbers"]) != 2, ("document", "numbers"), "must be two, the first party's first"),
        (sorted(p["capacity"] for p in parties.values()) != [1, 2], ("parties",), "must be two, of capacity 1 and 2"),
        (not any("region" in p for p in parties.values()), ("parties",), "must have a region for one of them"),
        (term["starts"] < document["signed"], ("term", "starts"), "is before the signing"),
        (term["ends"] < term["starts"], ("term", "ends"), "is before the start"),
        (term["ends"] > term["starts"] + timedelta(days=366 * term["years"]), ("term", "ends"), f"is beyond {term['years']} years"),
        (doc["work_plan"]["ends"] < term["starts"], ("work_plan", "ends"), "is before the agreement starts"),
    )
    yield from ((path, wrong) for holds, path, wrong in facts if holds)
    strangers = (name for name, entry in parties.items() if System(entry["system"]).party != name)
    yield from ((("parties", name, "system"), "belongs to another party") for name in strangers)
    said = {part for words in _texts({k: v for k, v in doc.items() if k not in REFERENCES}) for part in words.split("; ")}
    for i, paragraph in enumerate(doc["articles"]["paragraphs"]):
        if paragraph not in said:
            yield ("articles", "paragraphs", str(i)), f"nothing is said of {paragraph}"


def _texts(value: object) -> Iterator[str]:
    """Every text and every key inside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        yield from chain.from_iterable(map(_texts, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_texts, value))


def _agreement(doc: Mapping[str, Any], sha256: str) -> Agreement:
    parties = sorted(doc["parties"], key=lambda name: doc["parties"][name]["capacity"])
    directions = {name: tuple(tuple(pair.split(">")) for pair in pairs) for name, pairs in doc["directions"]["pairs"].items()}
    return Agreement(
        id=doc["id"],
        nama=doc["nama"],
        numbers=tuple(doc["document"]["numbers"]),
        parties=(parties[0], parties[1]),
        systems=MappingProxyType({name: doc["parties"][name]["system"] for name in parties}),
        regions=MappingProxyType({name: doc["parties"][name]["region"] for name in parties if "region" in doc["parties"][name]}),
        starts=doc["term"]["starts"],
        ends=doc["term"]["ends"],
        scope=MappingProxyType({name: entry["clause"] for name, entry in doc["scope"]["datasets"].items()}),
        directions=MappingProxyType(directions),
        direction_clause=doc["directions"]["clause"],
        purposes=tuple(_purpose(code, entry) for code, entry in doc["purposes"].items()),
        pass_rate=doc["pass_rate"],
        security_clause=doc["security_clause"],
        quality_clause=doc["quality_clause"],
        clauses=MappingProxyType({name: _frozen(table) for name, table in doc.items() if isinstance(table, dict)}),
        work_plan_ends=doc["work_plan"]["ends"],
        sha256=sha256,
    )


def _purpose(code: str, entry: Mapping[str, Any]) -> Purpose:
    return Purpose(
        code=code,
        parent=entry["parent"],
        nama=entry["nama"],
        name_en=entry["name_en"],
        clause=entry["clause"],
        recipients=frozenset(entry["recipients"]),
        datasets=frozenset(entry["datasets"]),
        needs_basis=entry["needs_basis"],
        stated=entry["evidence"] == "stated",
    )


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


_HEADER: Final = re.compile(r"\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(?:#.*)?$")
_KEY: Final = re.compile(r'\s*(?:"([^"]*)"|([A-Za-z0-9_-]+))\s*=\s*(.*)')
_PART: Final = re.compile(r'"([^"]*)"|([A-Za-z0-9_-]+)')
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def _line(source: str, path: Where) -> int:
    """The line of the path, or of the nearest thing around it; tomllib keeps no lines, so the text is scanned."""
    found: dict[Where, int] = {}
    table: Where = ()
    array: Where = ()  # the list we are inside of, when it spans lines
    items = 0
    for number, line in enumerate(source.splitlines(), 1):
        if array and not line.lstrip().startswith("]"):
            for _ in _STRING.findall(line.partition(" #")[0]):
                found[*array, str(items)] = number
                items += 1
        elif array:
            array = ()
        elif header := _HEADER.match(line):
            table = tuple(quoted or bare for quoted, bare in _PART.findall(header[1]))
            found[table] = number
        elif key := _KEY.match(line):
            here = (*table, key[1] or key[2])
            found[here] = number
            array, items = (here, 0) if re.fullmatch(r"\[\s*(#.*)?", key[3]) else ((), 0)
    return next((found[path[:n]] for n in range(len(path), 0, -1) if path[:n] in found), 1)
