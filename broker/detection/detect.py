"""All personal data in free text: identifiers, names and specific personal data together. Pure; many texts at once, because names are decoded so.

What a text gives never depends on the texts beside it. Overlapping findings become one, so that nothing of either is left.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from broker.detection.forms import batches, table
from broker.detection.identifiers import SPOKEN, find, shared_marks
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
_GAP: Final = re.compile(r"[ ,.\n]*")
_STREET: Final = re.compile(r"(?i)(?:jl|jln|jalan|gg|gang|dusun|jorong|lorong|komp(?:lek(?:s)?)?|perum(?:ahan)?)\b")
# What makes an address somebody's in a text that names nobody, and what makes it an office's, a shop's or a road's; both before it, in its sentence.
_BEFORE: Final = 70
_SENTENCE: Final = re.compile(r"(?<=\w{5})[.?!]\s+(?=[A-Z]|$)|(?<![:=])\n")
_WHOSE: Final = re.compile(
    r"(?i)(?<![a-z])(?:(?P<somebody>(?:alamat|almt|beralamat|(?:ber)?domisili|tinggal|tingga|tggl|kediaman|menetap|bermukim|kost?|ngekost?|kontrakan|ngontrak|mengontrak|menumpang|numpang|rumah(?! (?:sakit|makan|produksi|potong|subsidi|ibadah|susun)))"
    r"|d/a|ybs|beliau|sdri?|alm(?:arhumah|arhum)?|pemohon|pelapor|pengadu|istri|suami|anak|ibu|bapak|janda|duda|keluarga|warga|saksi|tetangga|kakak|adik|ayah|nenek|kakek|paman|bibi|mertua|(?:pak|buk?|bang|mas|mbak|kak|uni|uda)(?= [a-z]{3}))"
    r"|(?:pt|cv|ud|tbk|kantor|dinas|disnaker[a-z]*|toko|ruko|gudang|pabrik|cabang|outlet|hotel|gedung|aula|loket|pos|bengkel|klinik|apotek|puskesmas|sekolah|kampus|proyek|perusahaan|koperasi|bank|kegiatan|lokasi|lowongan|lamaran|advertising"
    r"|rapat|acara|jembatan|jalur|arus|truk|terguling|kecelakaan|parkir|macet|antrean|antrian|sekretariat|panitia|undangan|interview|wawancara|uptd?|blk|smkn?|sman?|sdn?|universitas|politeknik|rsud?|rs|polres|kpp|dp[cd]|balai|bursa|usaha|surel|e-?mail))(?:nya)?(?![a-z])"
)
_NUMBERED: Final = re.compile(r"(?i)\b(?:no(?:mor)?[. ]{0,2}\d|rt\b)")
_SPEAKER: Final = re.compile(r"(?i)(?<![a-z])(?:alamat|almt|rumah|tinggal|tingga)(?:nya|nyo|ku)?,? (?:[a-z]+ )?(?:saya|sy|aku|ambo|awak|kami|ybs|beliau)\b.{0,8}$")
_HOME: Final = re.compile(r"(?i)\br[tw]\b|\b(?:gg|gang)\b.{1,40}\d")
_MANY: Final = re.compile(r"(?i)(?<![a-z])(?:pekerja|karyawan|peserta|buruh|siswa|penghuni|tka|tkw|pengungsi)(?![a-z])")
_ALONE: Final = 12  # characters beside an address that is nearly all of a text
_KILOMETRE: Final = re.compile(r"(?i)[ ,]{1,2}km\.? ?\d{1,3}\b")
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
    numbers = [find(text, said) for text, said in zip(texts, marks, strict=True)]
    told = [find_told(text, *where) if where else [] for text, where in zip(texts, screen().told(texts, line), strict=True)]
    names = shipped_finder().find(texts, line)
    return [_in_context(*each) for each in zip(texts, marks, numbers, told, names, strict=True)]


def _in_context(text: str, marks: int, numbers: list[Finding], told: list[Finding], names: list[Finding]) -> list[Finding]:
    """What only a person makes personal: a long number that nothing explains counts beside one; a doubtful name, a bare street or a word of illness tied to nobody does not without."""
    findings = [*numbers, *told, *names]
    people = [f for f in findings if f.kind in _PERSON]
    if people and all(f.reason == FAINT for f in people):
        # Names at the edge of the model's doubt, and nothing else that speaks of a person: words like Budi or Setia.
        findings, people = [f for f in findings if f.kind != "name"], []
    if not people:
        findings = [f for f in findings if f.kind not in _SPECIFIC or f.verdict != "shaped"]
    if any(f.kind == "address" for f in findings) or (people and any(f.kind == "place" for f in findings)):
        findings = _addressed(text, findings, bool(people))
    if people:
        findings += loose(text, [(f.start, f.end) for f in findings if f.kind != "place"], spoken=bool(marks & SPOKEN))
    return _joined(findings)


def _addressed(text: str, findings: list[Finding], about_a_person: bool) -> list[Finding]:
    """A place that touches an address, or that is a street in a text about a person, is part of an address; a kilometre behind one too.

    In a text that names nobody an address stays where its sentence speaks of somebody or of living there; where nothing is said of whose it
    is, with its RT or its lane's number, or if it is nearly all of the text.
    """
    if not about_a_person:
        findings = [f for f in findings if f.kind != "address" or _somebodys(text, f)]
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


def _somebodys(text: str, address: Finding) -> bool:
    before = _SENTENCE.split(text[max(0, address.start - _BEFORE) : address.start])[-1]
    if address.verdict == "shaped" and not _NUMBERED.search(text, address.start, address.end) and not _SPEAKER.search(before):
        return False
    said = list(_WHOSE.finditer(before))
    if here := _WHOSE.match(text, address.start):  # "Toko Holland, Jl. Ringroad 5"
        said.append(here)
    if said:
        return said[-1].lastgroup == "somebody" and not (address.verdict == "plausible" and _MANY.search(before))
    return address.verdict == "valid" and (_HOME.search(text, address.start, address.end) is not None or len(text) - (address.end - address.start) < _ALONE)


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
