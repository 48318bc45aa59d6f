"""Every field an agreement's file has, and what each may hold (docs/formats/agreement.md)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Names:
    """What the rest of one file may refer to."""

    parties: frozenset[str]
    datasets: frozenset[str]
    citations: frozenset[str]


Leaf: TypeAlias = Callable[[object, Names], str]  # '' or what is wrong
Spec: TypeAlias = "Leaf | Each | Mapping[str, Spec]"  # a key ending in ? may be absent


@dataclass(frozen=True, slots=True)
class Each:
    """A table whose keys are names: every key passes `key`, and each of `all_of` is there."""

    key: Leaf
    value: Spec
    all_of: Callable[[Names], frozenset[str]] = lambda _: frozenset()


def text(value: object, _: Names) -> str:
    return "" if isinstance(value, str) and value.strip() else "must be text, not empty"


def whole(value: object, _: Names) -> str:
    return "" if type(value) is int and value > 0 else "must be a whole number above 0"


def flag(value: object, _: Names) -> str:
    return "" if type(value) is bool else "must be true or false"


def day(value: object, _: Names) -> str:
    return "" if type(value) is date else "must be a date: 2025-03-20"


def citation(value: object, names: Names) -> str:
    """One clause, or several joined by `; `, all of which this agreement has."""
    known = isinstance(value, str) and all(part in names.citations for part in value.split("; "))
    return "" if known else "this agreement has no such clause"


def party(value: object, names: Names) -> str:
    return "" if isinstance(value, str) and value in names.parties else "is no party to this agreement"


def dataset(value: object, names: Names) -> str:
    return "" if isinstance(value, str) and value in names.datasets else "is not in the scope of this agreement"


def shape(pattern: str, example: str) -> Leaf:
    return lambda value, _: "" if isinstance(value, str) and re.fullmatch(pattern, value) else f"must look like {example}"


def one_of(*words: str) -> Leaf:
    return lambda value, _: "" if value in words else f"must be one of {', '.join(words)}"


def many(leaf: Leaf) -> Leaf:
    def check(value: object, names: Names) -> str:
        if not isinstance(value, list) or not value:
            return "must be a list, not empty"
        if any(item in value[:i] for i, item in enumerate(value)):
            return "names one item twice"
        return next((f"item {i + 1} {wrong}" for i, item in enumerate(value) if (wrong := leaf(item, names))), "")

    return check


def flow(value: object, names: Names) -> str:
    """`sender>recipient`, both parties of this agreement."""
    ends = value.split(">") if isinstance(value, str) else []
    good = len(ends) == 2 and set(ends) == names.parties
    return "" if good else "must be sender>recipient between the two parties"


CODE: Final = shape(r"[a-z][a-z0-9_]*", "pencari_kerja")
PARAGRAPH: Final = shape(r"Pasal \d+( ayat \(\d+\))?( huruf [a-z])?( angka \d+)?|Lampiran \d[a-z]", "Pasal 4 huruf a angka 1 or Lampiran 2a")
EVIDENCE: Final = one_of("stated", "inferred")
COUNTED: Final = one_of("before", "since", "after")
CLAUSE_AND_TEXT: Final[Spec] = {"clause": citation, "text": text}

SPEC: Final[Mapping[str, Spec]] = {
    "articles": {"paragraphs": many(PARAGRAPH)},
    "id": shape(r"nk-[a-z]+-\d{4}", "nk-binjai-2025"),
    "nama": text,
    "pass_rate": whole,
    "security_clause": citation,
    "quality_clause": citation,
    "document": {"title": text, "numbers": many(text), "signed": day, "place?": text, "legal_basis": many(text)},
    "parties": Each(
        CODE,
        {"capacity": whole, "name": text, "signatory": text, "unit": text, "system": shape(r"[a-z]+@[a-z]+", "sibuser@binjai"), "region?": shape(r"\d\d\.\d\d", "12.75")},
    ),
    "definitions": Each(citation, {"term": text, "text": text}),
    "aims": {"clause": citation, "text": text, "goals": Each(citation, text)},
    "object": CLAUSE_AND_TEXT,
    "location?": CLAUSE_AND_TEXT,
    "scope": {
        "clause": citation,
        "wording": text,
        "closed_list": flag,
        "sharing_clause": citation,
        "sharing": text,
        "datasets": Each(CODE, CLAUSE_AND_TEXT),
    },
    "implementation": {"clause": citation, "text": text, "appointment_clause": citation, "appointment": text},
    "duties": Each(citation, {"of": many(party), "text": text}),
    "use": Each(party, citation, lambda names: names.parties),
    "funding": {"clause": citation, "text": text, "other_sources": flag},
    "term": {"clause": citation, "in_force_clause": citation, "years": whole, "starts": day, "ends": day},
    "change": {"clause": citation, "notice_clause": citation, "notice_calendar_months": whole, "counted": COUNTED},
    "confidentiality": {
        "clause": citation,
        "exceptions": many(text),
        "third_party_clause": citation,
        "third_party_consent": one_of("written"),
        "third_party_consent_of": one_of("other_party"),
        "survival_clause": citation,
        "survives_end": flag,
    },
    "monitoring": {"clause": citation, "times_per_year": whole, "results_clause": citation, "results_to": many(party)},
    "liaison": {
        "clause": citation,
        "offices": Each(
            party,
            {"clause": citation, "office": text, "address": text, "email": shape(r"[^@\s]+@[^@\s]+", "kantor@example.com"), "phone?": text},
            lambda names: names.parties,
        ),
    },
    "notices": {"clause": citation, "form": one_of("written"), "language": one_of("id")},
    "correspondence_change": {"clause": citation, "notice_working_days": whole, "counted": COUNTED},
    "legal_address": CLAUSE_AND_TEXT,
    "disputes": {"clause": citation, "covers": many(text), "text": text},
    "force_majeure": {
        "clause": citation,
        "events_clause": citation,
        "events": many(text),
        "notice_clause": citation,
        "notice_calendar_days": whole,
        "counted": COUNTED,
    },
    "addendum": CLAUSE_AND_TEXT,
    "format_preserving?": {"legal_note": text, "dated": day},
    "originals": {"clause": citation, "count": whole},
    "templates": {"clause": citation},
    "work_plan": {
        "clause": citation,
        "years": whole,
        "ends": day,
        "items": Each(citation, {"activity": text, "first": many(text), "second": many(text), "output": text}),
    },
    # The one suite besides the default that a party may have its data sealed in (docs/formats/envelope.md).
    "sealing?": Each(party, {"clause": citation, "suite": one_of("X25519/HKDF-SHA256/AES-256-GCM"), "until": day}),
    "directions": {
        "clause": citation,
        "evidence": EVIDENCE,
        "clause_by_sender": Each(party, citation, lambda names: names.parties),
        "pairs": Each(dataset, many(flow), lambda names: names.datasets),
    },
    "purposes": Each(
        CODE,
        {
            "parent": one_of("perencanaan", "layanan"),
            "nama": text,
            "name_en": text,
            "clause": citation,
            "quote": text,
            "recipients": many(party),
            "datasets": many(dataset),
            "needs_basis": flag,
            "evidence": EVIDENCE,
        },
    ),
}
