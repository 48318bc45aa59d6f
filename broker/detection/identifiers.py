"""Every identifier in an Indonesian text, in order and without overlaps: numbers, e-mail, plates, addresses, birth dates. Pure.

1. Fold: other scripts' digits, full-width signs, dashes and invisible characters become their plain selves, one for one, so that
   offsets stay those of the text.
2. One look at the text's words says which searches run at all.
3. Search; 4. where findings overlap, the more specific wins, then the longer; an address keeps what lies before and after.
No look-up leaves the machine. Shapes and traps: docs/formats/contract.md (kinds).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from operator import attrgetter
from typing import Final

from broker.detection import labels
from broker.detection.addresses import ADDRESS_WORDS, find_addresses
from broker.detection.numbers import find_numbers
from broker.detection.written import (
    AK1_WORDS,
    BIRTH_WORDS,
    PLATE_WORDS,
    find_ak1,
    find_births,
    find_emails,
    find_plates,
    find_row_births,
)
from broker.model import Finding

_ENOUGH: Final = re.compile(r"[0-9][^0-9]{0,6}+[0-9][^0-9]{0,6}+[0-9]")
# Words are cut and compared as bytes: half the time of doing it in characters.
_WORDS_ONLY: Final = bytes(c if c > 127 or chr(c).isalpha() else 32 for c in range(256))
_ADDRESS: Final = {word.encode(): word for word in ADDRESS_WORDS}
_PLATE: Final = frozenset(word.encode() for word in PLATE_WORDS)
_BIRTH: Final = frozenset(word.encode() for word in BIRTH_WORDS)
_AK1: Final = frozenset(word.encode() for word in AK1_WORDS)
_TRIGGERS: Final = frozenset({*labels.TRIGGERS, *_ADDRESS, *_PLATE, *_BIRTH, *_AK1, b"at"})
_START: Final = attrgetter("start")
_INVISIBLE: Final = "\x7f"
_FIRST: Final = {"ak1": 0, "email": 0, "birth_date": 2, "plate": 3, "address": 4}  # the numbers' kinds are 1


def find(text: str) -> list[Finding]:
    """Every finding in `text`, in order, without overlaps."""
    plain = text if text.isascii() else _folded(text)
    low = _lowered(plain)
    words = _TRIGGERS.intersection(low.encode(errors="surrogatepass").translate(_WORDS_ONLY).split())
    found: list[Finding] = []
    spelled = b"at" in words or "%40" in low
    if spelled or "@" in low:
        found += find_emails(low, spelled=spelled)
    if _ENOUGH.search(low):
        found += find_numbers(low, labelled=not labels.TRIGGERS.isdisjoint(words))
        context = not _PLATE.isdisjoint(words)
        if context or plain != low:
            found += find_plates(plain, low, context=context)
        if not _AK1.isdisjoint(words):
            found += find_ak1(low)
        if not _BIRTH.isdisjoint(words):
            found += find_births(low)
    here = _ADDRESS.keys() & words
    if here:
        found += find_addresses(plain, low, {_ADDRESS[word] for word in here})
    if found:
        found += find_row_births(low, found)
    return _settled(text, found) if len(found) > 1 else found


def _folded(text: str) -> str:
    return text.translate({ord(c): _fold(c) for c in set(text) if not c.isascii()})


@cache
def _fold(char: str) -> str:
    """The one ASCII character that a reader takes this one for, or the character itself."""
    kind = unicodedata.category(char)
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if kind in ("Zs", "Zl", "Zp") or char == "\x85":
        return " " if kind == "Zs" else "\n"
    if kind in ("Cf", "Mn", "Me"):
        return _INVISIBLE
    if kind == "Pd" or char == "−":
        return "-"
    if "！" <= char <= "～":
        return chr(ord(char) - 0xFEE0)
    return {"·": ".", "•": ".", "․": ".", "⁄": "/", "∕": "/", "﹫": "@", "’": "'", "‘": "'", "。": "."}.get(char, char)


def _lowered(plain: str) -> str:
    low = plain.lower()
    return low if len(low) == len(plain) else "".join(c if len(c.lower()) != 1 else c.lower() for c in plain)


def _settled(text: str, found: list[Finding]) -> list[Finding]:
    """In order, without overlaps."""
    found.sort(key=_START)
    end = 0
    for f in found:
        if f.start < end:
            break
        end = f.end
    else:
        return found
    kept: list[Finding] = []
    found.sort(key=lambda f: (f.start, -f.end))
    for cluster in _clusters(found):
        kept += _chosen(text, cluster) if len(cluster) > 1 else cluster
    return kept


def _clusters(found: list[Finding]) -> list[list[Finding]]:
    """Findings, in order of their start, that overlap in a chain."""
    clusters: list[list[Finding]] = []
    end = -1
    for f in found:
        if f.start < end:
            clusters[-1].append(f)
        else:
            clusters.append([f])
        end = max(end, f.end)
    return clusters


def _chosen(text: str, cluster: list[Finding]) -> list[Finding]:
    cluster.sort(key=lambda f: (_FIRST.get(f.kind, 1), f.start - f.end, f.start))
    free = bytearray(max(f.end for f in cluster) - (base := min(f.start for f in cluster)))
    kept: list[Finding] = []
    for f in cluster:
        parts = [(f.start, f.end)] if not any(free[f.start - base : f.end - base]) else _rest(text, f, free, base) if f.kind == "address" else []
        for start, end in parts:
            kept.append(Finding(start, end, f.kind, f.verdict, f.reason))
            free[start - base : end - base] = b"\1" * (end - start)
    return sorted(kept, key=lambda f: f.start)


def _rest(text: str, finding: Finding, taken: bytearray, base: int) -> list[tuple[int, int]]:
    """What of an address is not another identifier's, its edges without signs and spaces."""
    rest: list[tuple[int, int]] = []
    for part in re.finditer(rb"\0{3,}", taken[finding.start - base : finding.end - base]):
        start, end = finding.start + part.start(), finding.start + part.end()
        piece = text[start:end]
        start, end = start + len(piece) - len(piece.lstrip(" \t\n,.;:-()")), end - len(piece) + len(piece.rstrip(" \t\n,.;:-("))
        if end - start >= 3:
            rest.append((start, end))
    return rest
