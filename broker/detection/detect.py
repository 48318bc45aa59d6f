"""All personal data in free text: identifiers, names and specific personal data together. Pure; many texts at once, because names are decoded so.

What a text gives never depends on the texts beside it. Overlapping findings become one, so that nothing of either is left.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from broker.detection.forms import batches, table
from broker.detection.homes import addressed
from broker.detection.identifiers import SPOKEN, as_read, find_marked, shared_marks
from broker.detection.loose import loose
from broker.detection.names import FAINT, shipped_finder
from broker.detection.specific import find_told, screen
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_TEXT: Final = 20_000  # characters; twice the longest text a contract allows
# Control characters but tab and line ends, and noncharacters: nobody writes them, and readers disagree about them.
_UNREADABLE: Final = re.compile(r"[\0-\x08\x0e-\x1f\x7f\ufffd-\uffff]")
KINDS: Final = (
    "nik", "kk", "npwp", "nitku", "bpjs", "kpj", "nib", "nip", "passport", "sim", "phone", "plate", "account", "email", "address", "birth_date", "ak1",
    "mother", "name", "health", "disability", "religion", "union", "crime", "finance", "number", "place",
)  # fmt: skip
"""Every kind of finding, the most specific first: between equally long findings the earlier kind names the whole."""
_PERSON: Final = frozenset({"name", "mother", "nik", "kk", "npwp", "bpjs", "kpj", "nip", "passport", "sim", "phone", "email", "birth_date"})
_SPECIFIC: Final = frozenset({"health", "disability", "religion", "union", "crime", "finance"})
_START: Final = attrgetter("start")
_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}


def readable(text: str) -> bool:
    """Whether a text can be searched. One that cannot must not leave."""
    return len(text) <= MAX_TEXT and not _UNREADABLE.search(text)


def detect(texts: Sequence[str]) -> list[list[Finding]]:
    """The findings in each text, in order, without overlaps."""
    return [found for batch in batches(texts) for found in _batch(batch)]


def _batch(texts: Sequence[str]) -> list[list[Finding]]:
    # One search after the other, not one text after the other: each keeps its tables in the processor's cache.
    line = table().line(texts)
    marks = shared_marks().of(texts, line)
    plain = [as_read(text, said) for text, said in zip(texts, marks, strict=True)]
    numbers = [find_marked(text, said) for text, said in zip(plain, marks, strict=True)]
    told = [find_told(text, *where) if where else [] for text, where in zip(texts, screen().told(texts, line), strict=True)]
    names = shipped_finder().find(texts, line)
    return [_in_context(*each) for each in zip(texts, plain, marks, numbers, told, names, strict=True)]


def _in_context(text: str, plain: str, marks: int, numbers: list[Finding], told: list[Finding], names: list[Finding]) -> list[Finding]:
    """What only a person makes personal: a long number that nothing explains counts beside one; a doubtful name, a bare street or a word of illness tied to nobody does not without."""
    findings = [*numbers, *told, *names]
    people = [f for f in findings if f.kind in _PERSON]
    if people and all(f.reason == FAINT for f in people):
        # Names at the edge of the model's doubt, and nothing else that speaks of a person: words like Budi or Setia.
        findings, people = [f for f in findings if f.kind != "name"], []
    if not people:
        findings = [f for f in findings if f.kind not in _SPECIFIC or f.verdict != "shaped"]
    if any(f.kind == "address" for f in findings) or (people and any(f.kind == "place" for f in findings)):
        findings = addressed(text, findings, bool(people))
    if people:
        findings += loose(plain, [(f.start, f.end) for f in findings if f.kind != "place"], spoken=bool(marks & SPOKEN))
    return _joined(findings)


def _joined(findings: list[Finding]) -> list[Finding]:
    """Overlapping findings as one over all they cover, under the kind of the longest. A place alone gives way to what it touches."""
    if len(findings) < 2:
        return findings
    findings.sort(key=_START)
    joined: list[Finding] = []
    group = [findings[0]]
    end = findings[0].end
    for finding in findings[1:]:
        if finding.start < end:
            group.append(finding)
            end = max(end, finding.end)
        else:
            joined.append(_one(group, end))
            group, end = [finding], finding.end
    joined.append(_one(group, end))
    return joined


def _one(group: list[Finding], end: int) -> Finding:
    if len(group) == 1:
        return group[0]
    longest = min(group, key=lambda f: (f.kind == "place", f.start - f.end, _RANK[f.kind]))
    return Finding(group[0].start, end, longest.kind, longest.verdict, longest.reason)
