"""A token in a text is the token of one canonical value: the same thing written another way has the same one (docs/formats/text.md)."""

from __future__ import annotations

import hashlib

import polars as pl
import pytest

from broker.model import Finding
from broker.treatment import DomainKey, clean, pseudonym_tokens

PERSON = ("1303014107959001", frozenset({"rahmat", "hidayat"}))
SPOUSE = ("1303014107959002", frozenset({"rahmat", "hidayat", "siti"}))


def key_of(entity: str) -> DomainKey:
    return DomainKey(hashlib.sha256(entity.encode()).digest(), 1)


def token(entity: str, value: str) -> str:
    return str(pseudonym_tokens(pl.Series([value]), key_of(entity))[0])


def left(kind: str, value: str, *people: tuple[str, frozenset[str]]) -> str:
    (text,) = clean([f"a {value} b"], [[Finding(2, 2 + len(value), kind, "valid", "")]], [people], key_of)
    return text


@pytest.mark.parametrize(("kind", "written", "mark", "entity", "value"), [
    ("nik", "1303 0141-0795.9001", "NIK", "orang", "1303014107959001"),
    ("nik", "l3O3oI41O795900l", "NIK", "orang", "1303014107959001"),
    ("nik", "１３０３０１４１０７９５９００１", "NIK", "orang", "1303014107959001"),
    ("nik", "١٣٠٣٠١٤١٠٧٩٥٩٠٠١", "NIK", "orang", "1303014107959001"),
    ("phone", "0812-3456-7890", "TELEPON", "telepon", "81234567890"),
    ("phone", "+62 812 3456 7890", "TELEPON", "telepon", "81234567890"),
    ("phone", "0062 812 3456 7890", "TELEPON", "telepon", "81234567890"),
    ("phone", "(62) 0812 3456 7890", "TELEPON", "telepon", "81234567890"),
    ("account", "0062 0812", "REKENING", "rekening", "00620812"),
    ("email", "Orang @ Example.ORG", "SUREL", "surel", "orang@example.org"),
    ("name", "RAHMAT  Hidayat", "NAMA", "nama", "rahmat hidayat"),
    ("name", "Siti-Aminah, A.", "NAMA", "nama", "siti aminah"),
    ("name", "Ｓｉｔｉ", "NAMA", "nama", "siti"),
    ("name", "R.", "NAMA", "nama", "R."),
    ("mother", "Siti Aminah", "IBU", "nama", "siti aminah"),
    ("passport", "C l234", "PASPOR", "paspor", "1234"),
    ("sim", "A B", "SIM", "sim", "AB"),
])  # fmt: skip
def test_what_is_written_another_way_has_the_same_token(kind: str, written: str, mark: str, entity: str, value: str) -> None:
    assert left(kind, written) == f"a [{mark} {token(entity, value)}] b"


def test_only_the_rows_one_person_of_that_name_is_meant() -> None:
    assert left("name", "Hidayat", PERSON) == f"a [NAMA {token('orang', PERSON[0])}] b"
    assert left("name", "Siti", PERSON, SPOUSE) == f"a [NAMA {token('orang', SPOUSE[0])}] b"
    assert left("name", "Hidayat", PERSON, SPOUSE) == f"a [NAMA {token('nama', 'hidayat')}] b"
    assert left("name", "Rahmat Amin", PERSON) == f"a [NAMA {token('nama', 'rahmat amin')}] b"
    assert left("name", "R.", PERSON) == f"a [NAMA {token('nama', 'R.')}] b"
    assert left("mother", "Hidayat", PERSON) == f"a [IBU {token('nama', 'hidayat')}] b"


def test_each_text_has_its_own_people_and_each_kind_its_own_key() -> None:
    texts, found = ["Rahmat 0812", "Rahmat"], [Finding(0, 6, "name", "valid", ""), Finding(7, 11, "account", "valid", "")]
    assert clean(texts, [found, found[:1]], [(), (PERSON,)], key_of) == [
        f"[NAMA {token('nama', 'rahmat')}] [REKENING {token('rekening', '0812')}]",
        f"[NAMA {token('orang', PERSON[0])}]",
    ]


def test_what_has_no_entity_leaves_its_placeholder_alone() -> None:
    assert (left("plate", "BA 1234 XY"), left("place", "Padang")) == ("a [PELAT] b", "a Padang b")
