"""Free text with what was found in it replaced: by a typed placeholder (level 2), or by one with a token that keeps the same person together (level 3).

A token in a text is the token of the same value in a column of its own, so a NIK in a note joins the `nik` column; a name that is the row's own
person becomes that person's token. Any other name gets a token of the name: equal names look alike, nothing more is said.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import polars as pl

from broker.treatment.pseudonym import pseudonym_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from broker.model import Finding
    from broker.treatment.pseudonym import DomainKey

PLACEHOLDERS: Final[Mapping[str, str]] = {
    "nik": "NIK", "kk": "NO KK", "npwp": "NPWP", "nitku": "NITKU", "bpjs": "BPJS", "kpj": "KPJ", "nib": "NIB", "nip": "NIP", "passport": "PASPOR",
    "sim": "SIM", "phone": "TELEPON", "plate": "PELAT", "account": "REKENING", "email": "SUREL", "address": "ALAMAT", "birth_date": "LAHIR",
    "ak1": "AK-1", "name": "NAMA", "mother": "IBU", "health": "KESEHATAN", "disability": "DISABILITAS", "religion": "AGAMA", "union": "SERIKAT",
    "crime": "PIDANA", "finance": "KEUANGAN", "number": "NOMOR",
}  # fmt: skip
KEPT: Final = frozenset({"place"})  # a town or a village alone is nobody's datum; as part of an address it goes with it
# Entity types of the tokens, as in the contracts where a column holds the same thing. Kinds not here get no token.
ENTITIES: Final[Mapping[str, str]] = {
    "nik": "orang", "npwp": "wajib_pajak", "kpj": "peserta_bpjs_tk", "ak1": "kartu_ak1", "name": "nama", "mother": "nama", "kk": "keluarga",
    "bpjs": "peserta_bpjs", "nip": "pegawai", "passport": "paspor", "sim": "sim", "phone": "telepon", "account": "rekening", "email": "surel",
}  # fmt: skip
_LOOKALIKES: Final = str.maketrans("OoIl", "0011")
_WORDS: Final = re.compile(r"[^\W\d_]{2,}")

People = tuple[tuple[str, frozenset[str]], ...]
"""The people a row is about: canonical NIK, and the words of the name in lower case."""


def placeholder(kind: str) -> str:
    """What stands for a finding of this kind, as `[NIK]`; '' for what stays."""
    return "" if kind in KEPT else f"[{PLACEHOLDERS[kind]}]"


def words(name: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(unicodedata.normalize("NFKC", name).casefold()))


def clean(
    texts: Sequence[str], findings: Sequence[Sequence[Finding]], people: Sequence[People], key_of: Callable[[str], DomainKey] | None = None
) -> list[str]:
    """Each text without its findings. people: per text. key_of: entity type → domain key, for level 3; None for level 2."""
    links = [[_link(f.kind, text[f.start : f.end], who) if key_of else None for f in found] for text, found, who in zip(texts, findings, people, strict=True)]
    tokens = _tokens({link for row in links for link in row if link}, key_of) if key_of else {}
    return [_replaced(text, found, row, tokens) for text, found, row in zip(texts, findings, links, strict=True)]


def _replaced(text: str, findings: Sequence[Finding], links: Sequence[tuple[str, str] | None], tokens: Mapping[tuple[str, str], str]) -> str:
    parts, at = [], 0
    for finding, link in zip(findings, links, strict=True):
        if finding.kind in KEPT:
            continue
        mark = placeholder(finding.kind)
        parts += [text[at : finding.start], f"{mark[:-1]} {tokens[link]}]" if link else mark]
        at = finding.end
    return "".join([*parts, text[at:]])


def _link(kind: str, value: str, people: People) -> tuple[str, str] | None:
    """Entity type and canonical value that a finding stands for, if it can be linked at all."""
    entity = ENTITIES.get(kind)
    if entity is None:
        return None
    plain = unicodedata.normalize("NFKC", value)
    if kind in ("name", "mother"):
        said = words(plain)
        own = [nik for nik, name in people if said and said <= name]
        return ("orang", own[0]) if len(own) == 1 and kind == "name" else (entity, " ".join(_WORDS.findall(plain.casefold())) or plain)
    if kind == "email":
        return entity, "".join(plain.casefold().split())
    digits = "".join(str(int(c)) for c in plain.translate(_LOOKALIKES) if c.isdecimal())
    if kind == "phone":
        digits = digits.removeprefix("00").removeprefix("62").removeprefix("0")
    return entity, digits or "".join(plain.split())


def _tokens(links: set[tuple[str, str]], key_of: Callable[[str], DomainKey]) -> dict[tuple[str, str], str]:
    tokens: dict[tuple[str, str], str] = {}
    for entity in sorted({entity for entity, _ in links}):
        values = sorted(value for e, value in links if e == entity)
        made = pseudonym_tokens(pl.Series(values, dtype=pl.String), key_of(entity)).to_list()
        tokens |= {(entity, value): token for value, token in zip(values, made, strict=True)}
    return tokens
