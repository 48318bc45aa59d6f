"""All personal data in free text: identifiers, names and specific personal data together. Pure; many texts at once, because names are decoded so.

What a text gives never depends on the texts beside it. Overlapping findings become one, so that nothing of either is left.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from broker.detection.identifiers import find
from broker.detection.loose import loose
from broker.detection.names import FAINT, find_names
from broker.detection.specific import find_specific
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
_LIVES: Final = re.compile(r"(?i)\b(?:alamat|beralamat|tinggal|tggl|rumah|domisili|berdomisili|kos|kost|ngontrak|mengontrak|d/a)")
_GAP: Final = re.compile(r"[ ,.\n]*")
_STREET: Final = re.compile(r"(?i)(?:jl|jln|jalan|gg|gang|dusun|jorong|lorong|komp(?:lek(?:s)?)?|perum(?:ahan)?)\b")
_KILOMETRE: Final = re.compile(r"(?i)[ ,]{1,2}km\.? ?\d{1,3}\b")
_START: Final = attrgetter("start")
_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}


def readable(text: str) -> bool:
    """Whether a text can be searched. One that cannot must not leave."""
    return len(text) <= MAX_TEXT and not _UNREADABLE.search(text)


def detect(texts: Sequence[str]) -> list[list[Finding]]:
    """The findings in each text, in order, without overlaps."""
    # One search after the other, not one text after the other: each keeps its tables in the processor's cache.
    found = zip(texts, [find(text) for text in texts], [find_specific(text) for text in texts], find_names(texts), strict=True)
    return [_in_context(text, numbers + said + names) for text, numbers, said, names in found]


def _in_context(text: str, findings: list[Finding]) -> list[Finding]:
    """What only a person makes personal: a long number that nothing explains counts beside one; a doubtful name or a bare street does not without."""
    people = [f for f in findings if f.kind in _PERSON]
    if people and all(f.reason == FAINT for f in people):
        # Names at the edge of the model's doubt, and nothing else that speaks of a person: words like Budi or Setia.
        findings, people = [f for f in findings if f.kind != "name"], []
    if any(f.kind == "address" for f in findings) or (people and any(f.kind == "place" for f in findings)):
        findings = _addressed(text, findings, bool(people))
    if people:
        findings += loose(text, [(f.start, f.end) for f in findings if f.kind != "place"])
    elif any(f.kind == "address" and f.verdict == "plausible" for f in findings) and not _LIVES.search(text):
        findings = [f for f in findings if f.kind != "address" or f.verdict != "plausible"]
    return _joined(findings)


def _addressed(text: str, findings: list[Finding], about_a_person: bool) -> list[Finding]:
    """A place that touches an address, or that is a street in a text about a person, is part of an address; a kilometre behind one too."""
    starts, ends = {f.start for f in findings if f.kind == "address"}, {f.end for f in findings if f.kind == "address"}
    changed = []
    for f in findings:
        gaps = ((f.end, f.end + k) if f.end + k in starts else (f.start - k, f.start) for k in range(4) if f.end + k in starts or f.start - k in ends)
        if f.kind == "place" and (any(_GAP.fullmatch(text, *gap) for gap in gaps) or (about_a_person and _STREET.match(text, f.start))):
            f = Finding(f.start, f.end, "address", "plausible", "place in an address")  # noqa: PLW2901
        if f.kind == "address" and (more := _KILOMETRE.match(text, f.end)):
            f = Finding(f.start, more.end(), "address", f.verdict, f.reason)  # noqa: PLW2901
        changed.append(f)
    return changed


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
