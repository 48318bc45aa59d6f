"""Numbers in a lower-cased, folded text: NIK, KK, NPWP, NITKU, BPJS, KPJ, NIB, NIP, passport, SIM, phone, bank account. Pure, linear.

A run is digits with little between them. Structure is looked for first (a NIK inside a longer run too, as people glue numbers
together), then the label decides about what is left: label beats checksum. Each digit belongs to one number at most.
Structures: structures.py, phones.py; labels: labels.py.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from broker.detection import labels
from broker.detection.labels import Label, glued_letters, known_word
from broker.detection.phones import BEGIN, LANDLINE, LANDLINE_FORM, LANDLINE_START, MOBILE, MOBILE_START, OPERATOR
from broker.detection.structures import nik_fits, nip_fits, npwp_fits
from broker.model import Finding

if TYPE_CHECKING:
    from collections.abc import Container, Iterator


# What may stand between two digits of one number; \x7f is a folded invisible character.
_GAP: Final = r"[ \t\n\r\f\v().,\-/_\x7f]"
# misplaced.py's prefilter leans on the bound 3. The look ahead spares the short numbers, which are most of those in a note; what a
# letter follows at once ("2x") is a count.
RUN: Final = re.compile(rf"[0-9](?=[\d \t\n\r\f\v().,\-/_\x7f]{{5}})\d*+(?:{_GAP}{{1,3}}+(?!\d{{1,2}}[a-z])\d++)*+")
_SIGNS: Final = " \t\n\r\f\v().,-/_\x7f"
_DIGITS: Final = str.maketrans("", "", _SIGNS)
_GROUP: Final = re.compile(r"\d+")
_SHORTEST: Final = 6
_PASSPORT: Final = 7  # digits; a passport's letter stays with them though a word for an account stands nearer
_LONGEST: Final = 22
_SMALL: Final = 6  # digits of a group that is no number by itself

_DATE: Final = r"(?:0[1-9]|[12]\d|3[01]|4[1-9]|[56]\d|7[01])(?:0[1-9]|1[0-2])\d\d"
_NIK: Final = re.compile(rf"(?=(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-6])(?:0[1-9]|[1-6]\d|7\d)(?!00)\d\d{_DATE}(?!0000)\d{{4}})")
_NIP: Final = re.compile(
    r"(?=(?:19[3-9]|200)\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19[5-9]|20[0-4])\d(?:0[1-9]|1[0-2])[12]\d{3})"
)
_NPWP_FORM: Final = re.compile(r"\d\d[. ]\d{3}[. ]\d{3}[. ]\d[-. ]\d{3}[. ]\d{3}$")
_NPWP_DOTTED: Final = re.compile(r"\d\d\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}$")
# A group that a phone may begin with; and digits that at most a light sign parts, as `_Run.hard` says it of each gap.
_ZERO: Final = re.compile(r"[06](?<!\d.)")
_LIGHT: Final = re.compile(r"\d+(?:(?:[ \t\r\f\v().\-_]|- |\) | \(|\)-)\d+)*")
_PARTED: Final = frozenset({(2, 3), (4, 2)})  # the first two groups of an NPWP, of an account
_BRI: Final = re.compile(r"\d{4}-\d\d-\d{6}-\d\d-\d$")
_YEARS: Final = re.compile(r"(?:19|20)\d\d ?[-/,.]? ?(?:19|20)\d\d$")
_YEAR_LAST: Final = re.compile(r"\d[ -](?:19|20)\d\d$")
_CALENDAR: Final = re.compile(r"(?:\d{1,2}([-/. ])\d{1,2}\1(?:\d\d|(?:19|20)\d\d)|(?:19|20)\d\d([-/. ])\d{1,2}\2\d{1,2})(?!\d| \d)")
_CARD: Final = re.compile(r"(?<![a-z])ak[-/ .]\Z")
_LETTERS: Final = re.compile(r"(?<![a-z\d])(?:([a-z]{1,2}|[a-z][ .\-/_\n]{1,3}[a-z])([ .\-/_\n]{0,3})|[a-z]{3,16})\Z")
_DAY: Final = re.compile(r"(?:\d{1,2}([-/.])\d{1,2}\1(?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d)(?:[ ,]{1,2}(?:\d{1,2}[.]\d\d|(\d{1,2})))?$")
_DATE_WITHIN: Final = re.compile(
    r"(?<!\d)(?<!\d[-/.])(?:(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|1[0-2])\1(?:(?:19|20)\d\d|\d\d(?:(?<=/\d\d)|(?=[\t\n])))|(?:19|20)\d\d-[01]\d-[0-3]\d)(?![-/.]?\d)"
)
_MONEY: Final = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?:[.,]\d\d)?$")
_DECREE: Final = re.compile(r"\d{1,5}(?:[/.\-]\d{1,4}){1,3}/(?:19|20)\d\d$")
_CLOCK: Final = re.compile(r"[0-2]\d\.[0-5]\d [(+]{0,2}(?=0\d{2}|62|8\d\d)")
_MINUTES: Final = re.compile(r"(?<=\d:)[0-5]\d[ \t)(-]{1,3}(?=\d)")
_BUDGET: Final = re.compile(r"\d(?:\.\d{1,2}){3,5}(?:\.\d{2,5})?$")  # "kode rekening 5.1.02.04.01.0003"
_COUNTED_OFF: Final = re.compile(r"\d{1,2}[ .)]{1,3}\((?=0\d)")
_KPJ_REACH: Final = 160  # characters
_KPJ_TEXT: Final = re.compile(r"(?<![a-z])(?:kpj|jamsos|sostek|bpjs ?(?:tk|ket)|jht)")
_EXPLAINED: Final = re.compile(r"(?<![a-z])(?:tiket|pesanan|order|invoice|resi|ref|faktur|transaksi|surat|nib|seri|serial|batch|kode|id)[^a-z]{0,6}(?:no|nomor)?[^a-z]{0,4}\Z")
_HOURS: Final = re.compile(r"[0-2]?\d[.][0-5]\d ?[-/] ?[0-2]?\d[.][0-5]\d$")
# The lengths a labelled number has when it is typed well; and the shortest and longest that still are one when it is not.
_LENGTHS: Final = {
    "nik": ((16,), 8, 20), "kk": ((16,), 8, 20), "npwp": ((15, 16), 9, 20), "nitku": ((22,), 12, 24), "bpjs": ((13,), 8, 18), "kpj": ((11,), 8, 16), "nib": ((13,), 8, 16),
    "nip": ((18,), 8, 21), "passport": ((6, 7, 8), 6, 9), "sim": ((12, 14, 13, 16), 8, 16), "phone": ((12, 11, 13, 10), 6, 16), "account": ((10, 13, 15), 7, 20),
}  # fmt: skip
# One label for a list of numbers: "paspor A..., B... dan C...".
_LISTED: Final = frozenset({"passport", "account", "sim", "bpjs", "kpj"})
_LIST: Final = re.compile(r"[ ,;/&\n]{1,3}(?:(?:dan|atau|serta) )?(?:[a-z]{1,2}[ .\-]?)?")
# A number of this form is one, whatever it is called, but for these names.
_RENAMES: Final = {"nik": frozenset({"kk", "npwp"}), "nip": frozenset[str](), "nitku": frozenset({"npwp"})}


class _Run(NamedTuple):
    """A run's digits, and per group of touching digits: where its digits begin, where it stands in the text, its end."""

    low: str
    digits: str
    firsts: list[int]
    starts: list[int]
    ends: list[int]

    def place(self, digit: int) -> int:
        group = bisect_right(self.firsts, digit) - 1
        return self.starts[group] + digit - self.firsts[group]

    def same_group(self, start: int, end: int) -> bool:
        return bisect_right(self.firsts, start) == bisect_right(self.firsts, end - 1)

    def hard(self, group: int) -> bool:
        """Whether more than one light sign parts a group from the one before it, and not small groups all alike."""
        gap = self.gap(group)
        if (len(gap) < 2 or gap in ("- ", ") ", " (", ")-")) and not any(sign in gap for sign in ",\n/"):
            return False
        near = (k for k in (group - 1, group + 1) if 0 < k < len(self.starts))
        return self.size(group - 1) > _SMALL or self.size(group) > _SMALL or all(self.gap(k) != gap or self.size(k) > _SMALL or self.size(k - 1) > _SMALL for k in near)

    def gap(self, group: int) -> str:
        """What parts a group from the one before it."""
        return self.low[self.ends[group - 1] : self.starts[group]].replace("\x7f", "")

    def size(self, group: int) -> int:
        return self.ends[group] - self.starts[group]

    def text(self, start: int, end: int) -> str:
        return self.low[self.place(start) : self.place(end - 1) + 1]


def find_numbers(low: str, *, labelled: bool) -> list[Finding]:
    """Every number of `low`, in order of its run. labelled: whether the text has a word of `labels.TRIGGERS`."""
    found: list[Finding] = []
    for m in RUN.finditer(low):
        written = m.group()
        if len(written) < _SHORTEST:
            continue
        start, end = m.span()
        if (
            (written[2:3] == "." and (clock := _CLOCK.match(low, start, end)))
            or (low[start - 1 : start] == ":" and (clock := _MINUTES.match(low, start, end)))
            or ("(" in written[1:6] and (clock := _COUNTED_OFF.match(low, start, end)))
        ):
            start = clock.end()  # "08.15 (0755) 4903754", "4. (0751) 622809"
            written = low[start:end]
        if written.isdigit():
            _one(low, start, end, found, labelled=labelled)
        elif end - start >= 24 or not _in_passing(low, start, end, written):
            for part in _undated(low, start, end) if end - start > 14 else ((start, end),):
                _one(low, *part, found, labelled=labelled)
    return found


def _undated(low: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a run between the dates in it, which no number reaches into; a NIK may begin as a date does."""
    at = start
    for date in _DATE_WITHIN.finditer(low, start, end):
        if at == start and len(low[start : date.start()].translate(_DIGITS)) < 16 and _NIK.match(low[start:end].translate(_DIGITS)):
            continue
        if date.start() > at:
            yield at, at + len(low[at : date.start()].rstrip(_SIGNS))
        at = end - len(low[date.end() : end].lstrip(_SIGNS))
    if at < end:
        yield at, end


def _one(low: str, start: int, end: int, found: list[Finding], *, labelled: bool) -> None:
    """Adds the numbers of one run."""
    start, end = _widened(low, start, end)
    written = low[start:end]
    digits = written if written.isdigit() else written.translate(_DIGITS)
    if len(digits) < _SHORTEST:
        return
    first = labels.before(low, start) if labelled else None
    if first is None and found and found[-1].kind in _LISTED:
        first = _listed(low, found[-1], start, len(digits))
    if first is None and labelled and len(digits) == 11 and digits[:2] not in ("08", "62") and not _EXPLAINED.search(low, max(0, start - 24), start) and _KPJ_TEXT.search(low, max(0, start - _KPJ_REACH), start):
        first = Label("kpj", direct=False)  # in a text on the workers' scheme
    if len(digits) == 16 and _NIK.match(digits) and nik_fits(digits):
        found.append(_nik(start, end, first))
    elif digits is written and len(digits) <= 16:
        found += _undivided(low, start, digits, first, labelled=labelled)
    else:
        found += _divided(low, start, end, digits, first, labelled=labelled)


def _divided(low: str, start: int, end: int, digits: str, first: Label | None, *, labelled: bool) -> list[Finding]:
    """What digits with signs between them are, or more than 16 of them."""
    last = labels.after(low, end) if labelled else None
    written = low[start:end]
    if len(digits) < 16 and MOBILE.match(digits) and _may_be("phone", first, last) and _LIGHT.fullmatch(written.replace("\x7f", "")):
        return [Finding(start, end, *judge("phone", digits))]
    if first or last or len(digits) >= 15 or "000" in digits or _may_be_phone(low, start, written, digits):
        return _in_run(_run(low, start, end, digits), first, last)
    return []


def _may_be(kind: str, first: Label | None, last: Label | None) -> bool:
    """Whether no label calls a number otherwise."""
    return (first is None or first.kind == kind) and (last is None or last.kind == kind)


def _may_be_phone(low: str, start: int, written: str, digits: str) -> bool:
    """Whether a phone can begin in a run that nothing names: of fewer than 15 digits, none of them the zeros of BPJS, it can hold nothing else."""
    return len(digits) >= (8 if low[start - 1 : start] == "(" else 9) and (_after_plus(low, start) or (_ZERO.search(written) is not None and BEGIN.search(digits) is not None))


def _listed(low: str, before: Finding, start: int, count: int) -> Label | None:
    """The label of the number before, where this one stands in a list with it."""
    if count in _LENGTHS[before.kind][0] and _LIST.fullmatch(low, before.end, start):
        return Label(before.kind, direct=True)
    return None


def _in_passing(low: str, start: int, end: int, value: str) -> bool:
    """Whether a short run is a date, or money that says so: the most of what is written in notes, and never worth a closer look."""
    day = _DAY.match(value)
    if day and (not day[2] or low[end : end + 1] == ":"):
        return True
    before = low[max(0, start - 4) : start]
    return "rp" in before and before.rstrip(" .").endswith("rp") and _MONEY.match(value) is not None


def _run(low: str, start: int, end: int, digits: str) -> _Run:
    firsts: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    count = 0
    for group in _GROUP.finditer(low, start, end):
        at, stop = group.span()
        firsts.append(count)
        starts.append(at)
        ends.append(stop)
        count += stop - at
    return _Run(low, digits, firsts, starts, ends)


def _widened(low: str, start: int, end: int) -> tuple[int, int]:
    """Without the one digit of "SIM B1 1234" or "AK-1 1234"."""
    if start and low[start + 1].isspace() and ((low[start - 1].isalpha() and "sim" in low[max(0, start - 6) : start]) or _CARD.search(low, max(0, start - 4), start)):
        return start + 2 + (not low[start + 2].isdigit()), end
    return start, end


def _nik(start: int, end: int, first: Label | None) -> Finding:
    """A number of 16 digits that is a NIK by its structure, or what a label calls it that has the same."""
    if first is not None and first.kind in _RENAMES["nik"]:
        return Finding(start, end, first.kind, "plausible", "labelled, NIK structure")
    return Finding(start, end, "nik", "valid", "region, date and serial fit")


def _undivided(low: str, start: int, digits: str, first: Label | None, *, labelled: bool) -> list[Finding]:
    """What digits with nothing between them are, 16 at most and no NIK: the usual case, told without looking for the parts of a run."""
    size = len(digits)
    if first is not None and _called(first, digits, digits):
        told = judge(first.kind, digits)
    else:
        last = labels.after(low, start + size) if labelled else None
        if size < 16 and MOBILE.match(digits) and _may_be("phone", first, last):
            told = judge("phone", digits)
        else:
            form = _form(digits, digits, plus=_after_plus(low, start), opened=False)
            if last is not None and ((last.kind != "phone" and size in _LENGTHS[last.kind][0]) if form else _called_after(last, digits, digits)):
                told = judge(last.kind, digits)
            elif form is None:
                return []
            else:
                told = form
    return [Finding(_with_letters(low, start) if told[0] == "passport" or (told[0] == "account" and size == _PASSPORT) else start, start + size, *told)]


def _after_plus(low: str, start: int) -> bool:
    return low[max(0, start - 2) : start].endswith(("+", "+("))


def _in_run(run: _Run, first: Label | None, last: Label | None) -> list[Finding]:
    """The numbers of a run of several groups, or of more than 16 digits."""
    count = len(run.digits)
    if count < 16:
        return _in_part(run, 0, count, first, last)
    found: list[Finding] = []
    taken: list[tuple[int, int]] = []
    for start, end, kind, reason in _structured(run):
        label = first if start == 0 else last if end == count else None
        size = run.firsts[1] if len(run.firsts) > 1 else count
        if start == 0 and end < size <= 20 and first is not None and first.kind in ("nik", "kk"):
            # A digit too many in a labelled number, not a NIK beside a stray digit.
            found.append(_finding(run, 0, size, first.kind, "shaped", f"labelled, {size} digits"))
            taken.append((0, size))
            continue
        if label is not None and label.kind in _RENAMES[kind]:
            found.append(_finding(run, start, end, label.kind, "plausible", f"labelled, {kind.upper()} structure"))
        else:
            found.append(_finding(run, start, end, kind, "valid", reason))
        taken.append((start, end))
    for start, end in _free(run, taken):
        found += _in_part(run, start, end, first if start == 0 else None, last if end == count else None)
    return found


def _structured(run: _Run) -> Iterator[tuple[int, int, str, str]]:
    """NIP, NITKU and NIK that stand whole between gaps or anywhere inside one group, the surest first; they do not overlap."""
    digits, count = run.digits, len(run.digits)
    edges = {*run.firsts, count}
    until = 0
    if count >= 18:
        for m in _NIP.finditer(digits):
            start = m.start()
            if start >= until and _whole(run, edges, start, start + 18) and nip_fits(digits[start : start + 18]):
                until = start + 18
                yield start, until, "nip", "birth date, appointment, sex and serial fit"
    if until:
        return
    if count == 22 and digits[0] == "0" and digits[16:19] == "000":
        yield 0, 22, "nitku", "a tax number and a place of business"
        return
    # Two overlapping windows may both fit: the one that begins or ends with its group is the number.
    fits = [s for s in (m.start() for m in _NIK.finditer(digits)) if _whole(run, edges, s, s + 16) and nik_fits(digits[s : s + 16])]
    for at, start in enumerate(fits):
        rival = fits[at + 1] if at + 1 < len(fits) and fits[at + 1] < start + 16 else None
        if start < until or (rival is not None and start not in edges and start + 16 not in edges and (rival in edges or rival + 16 in edges)):
            continue
        until = start + 16
        if start == 0 and count == 22 and digits[16:19] == "000":
            until = 22
            yield 0, 22, "nitku", "an identity number and a place of business"
        else:
            yield start, until, "nik", "region, date and serial fit"


def _whole(run: _Run, edges: set[int], start: int, end: int) -> bool:
    return (start in edges and end in edges) or run.same_group(start, end)


def _free(run: _Run, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    parts: list[tuple[int, int]] = []
    at = 0
    for start, end in sorted(taken):
        parts.append((at, start))
        at = end
    return [(s, e) for s, e in (*parts, (at, len(run.digits))) if e - s >= _SHORTEST]


def _in_part(run: _Run, start: int, end: int, first: Label | None, last: Label | None) -> list[Finding]:
    """The numbers of digits start:end, which hold no NIK. Groups are walked once; a number takes at most `_LONGEST` digits."""
    found: list[Finding] = []
    if len(run.firsts) == 1:
        edges = [start, end]
    else:
        edges = [start, *run.firsts[bisect_right(run.firsts, start) : bisect_right(run.firsts, end - 1)], end]
    begins = {m.start() for m in BEGIN.finditer(run.digits, start, end)} if len(edges) > 2 else set[int]()
    many = first is not None and first.kind == "phone"
    at, stops = 0, len(edges) - 1
    while at < stops:
        begin = edges[at]
        size = edges[at + 1] - begin
        # Only these beginnings can lead to a number: without this test a run of many small groups costs ten looks a group.
        if at and not (many or begin in begins or size >= 13 or (last is not None and (size in (2, 4) or end - begin <= _LONGEST)) or _parted(edges, at)):
            at += 1
            continue
        ahead = _next_number(run, edges, at, first if at == 0 or many else None, last)
        if ahead is None:
            at += 1
            continue
        stop, kind, verdict, reason = ahead
        stop = _grown(run, edges, at, stop, begins)
        found.append(_finding(run, begin, edges[stop], kind, verdict, reason))
        at = stop
    return found


def _grown(run: _Run, edges: list[int], at: int, stop: int, begins: Container[int]) -> int:
    """The edge where a number ends that goes on in small groups parted as its own are: what is left of it must not stay."""
    within = {_gap(run, edges[i]) for i in range(at + 1, stop)}
    while stop < len(edges) - 1 and _gap(run, edges[stop]) in within and edges[stop] not in begins and edges[stop + 1] - edges[stop] < _SMALL and edges[stop + 1] - edges[at] <= _LONGEST:
        stop += 1
    return stop


def _parted(edges: list[int], at: int) -> bool:
    """Whether two groups begin at edge `at` as those of an NPWP or of an account do."""
    return at + 2 < len(edges) and (edges[at + 1] - edges[at], edges[at + 2] - edges[at + 1]) in _PARTED


def _next_number(run: _Run, edges: list[int], at: int, label: Label | None, last: Label | None) -> tuple[int, str, str, str] | None:
    """The number that begins at edge `at`: the edge where it ends, kind, verdict, reason."""
    start = edges[at]
    if label is not None and at == 0:
        stop = _labelled_end(run, edges, label)
        if stop is not None:
            return stop, *judge(label.kind, run.digits[start : edges[stop]])
    unlabelled = _unlabelled_end(run, edges, at)
    if unlabelled is not None:
        stop = unlabelled[0]
        if last is not None and stop == len(edges) - 1 and last.kind != "phone" and edges[stop] - start in _LENGTHS[last.kind][0]:
            return stop, *judge(last.kind, run.digits[start : edges[stop]])
        return unlabelled
    if last is not None:
        rest = edges[-1] - start
        parted = (at and not _hard_edge(run, edges, at)) or _hard_within(run, edges, at)
        if (rest in _LENGTHS[last.kind][0] and last.kind != "phone") or not parted:
            number = run.digits[start : edges[-1]]
            if _called_after(last, number, run.text(start, edges[-1])):
                return len(edges) - 1, *judge(last.kind, number)
    if label is not None and label.kind == "phone" and at and _hard_edge(run, edges, at):  # the second of two phones under one label
        stop = at + 1
        while stop < len(edges) - 1 and not _hard_edge(run, edges, stop):
            stop += 1
        number = run.digits[start : edges[stop]]
        if number[0] in "068" and 8 <= len(number) <= 14:
            return stop, *judge("phone", number)
    return None


def _hard_edge(run: _Run, edges: list[int], at: int) -> bool:
    group = bisect_right(run.firsts, edges[at]) - 1
    return run.firsts[group] != edges[at] or run.hard(group)  # a cut inside a group parts two glued numbers


def _gap(run: _Run, digit: int) -> str:
    group = bisect_right(run.firsts, digit) - 1
    return run.gap(group) if group else ""


def _hard_within(run: _Run, edges: list[int], at: int) -> bool:
    return any(_hard_edge(run, edges, i) for i in range(at + 1, len(edges) - 1))


def _labelled_end(run: _Run, edges: list[int], label: Label) -> int | None:
    """The edge where the number with this label before it ends, or None if what follows is no such number."""
    exact, _, longest = _LENGTHS[label.kind]
    start = edges[0]
    stop = None
    for i in range(1, min(len(edges), longest + 2)):
        size = edges[i] - start
        if size > longest:
            break
        number = run.digits[start : edges[i]]
        if size in exact and (label.kind != "phone" or MOBILE.match(number)) and not _light_on(run, edges, i, exact, longest):
            stop = i + (label.kind == "passport" and size < _PASSPORT and i < len(edges) - 1 and edges[i + 1] - start == _PASSPORT and "," not in _gap(run, edges[i]))
            break
        if i > 1 and label.kind == "phone" and LANDLINE.match(number) and (i == 2 or label.direct) and not LANDLINE.match(run.digits[start : edges[i - 1]]):
            stop = i
            break
    if stop is None:
        stop = 1
        while stop < len(edges) - 1 and edges[stop + 1] - start <= longest and not _hard_edge(run, edges, stop):
            if MOBILE.match(run.digits[edges[stop] : edges[stop + 1]]):  # the next group is a phone of its own
                break
            stop += 1
    return stop if _called(label, run.digits[start : edges[stop]], run.text(start, edges[stop])) else None


def _called(label: Label, number: str, value: str) -> bool:
    """Whether a number, written as `value`, is what the label before it says."""
    exact, shortest, longest = _LENGTHS[label.kind]
    size = len(number)
    if size < shortest or _other_meaning(value, size, direct=label.direct):
        return False
    if size > longest:
        return label.direct and size <= longest + 4
    if label.direct:
        return True
    if label.kind == "phone":
        return LANDLINE.match(number) is not None or ((size in exact or (size >= 10 and not _MONEY.match(value))) and (number[0] in "068"))
    return size in exact or (size >= 10 and not _MONEY.match(value))


def _called_after(label: Label, number: str, value: str) -> bool:
    """Whether a number, written as `value`, is what the label behind it says."""
    exact, shortest, longest = _LENGTHS[label.kind]
    size = len(number)
    if not (size in exact or shortest <= size <= longest) or _other_meaning(value, size, direct=False):
        return False
    return label.kind != "phone" or MOBILE.match(number) is not None or LANDLINE.match(number) is not None


def _light_on(run: _Run, edges: list[int], at: int, exact: tuple[int, ...], longest: int) -> bool:
    """Whether the number goes on behind edge `at`: with a dash or dot, or lightly to another of its lengths (10 digits of an account of 15)."""
    if at < len(edges) - 1 and exact != (16,) and edges[at + 1] - edges[0] <= longest and _gap(run, edges[at]) in ("-", "."):
        return True
    i = at + 1
    while i < len(edges) and edges[i] - edges[0] <= longest and not _hard_edge(run, edges, i - 1):
        if edges[i] - edges[0] in exact:
            return True
        i += 1
    return False


def _unlabelled_end(run: _Run, edges: list[int], at: int) -> tuple[int, str, str, str] | None:
    start = edges[at]
    digits = run.digits
    best: tuple[tuple[int, int], int, str, str, str] | None = None
    plus = start == 0 and _after_plus(run.low, run.starts[0])
    phone = plus or MOBILE_START.match(digits, start) is not None
    size = edges[at + 1] - start
    # Only these beginnings lead to a form below; without this test a run of small groups costs ten looks a group.
    phone = phone or LANDLINE_START.match(digits, start) is not None
    if not (phone or size >= 13 or _parted(edges, at)):
        return None
    place = run.place(start)
    opened = place > 0 and run.low[place - 1] == "("
    for stop in range(at + 1, min(len(edges), at + 12)):
        size = edges[stop] - start
        if size > 16:
            break
        if size < (8 if opened else 9 if phone else 13):
            continue
        found = _form(digits[start : edges[stop]], run.text(start, edges[stop]), plus=plus, opened=opened)
        if found and found[2] == "area code" and ((at and not _hard_edge(run, edges, at)) or (stop < len(edges) - 1 and not _hard_edge(run, edges, stop))):
            continue  # the middle of another number
        if found:
            hard = sum(_hard_edge(run, edges, i) for i in range(at + 1, stop)) + 2 * (found[2] == "country code" and found[1] == "valid")
            if best is None or (hard, -size) < best[0]:
                best = ((hard, -size), stop, *found)
    return best[1:] if best else None


def _form(digits: str, value: str, *, plus: bool, opened: bool) -> tuple[str, str, str] | None:
    """(kind, verdict, reason) of digits, written as `value`, whose own form says what they are, without a label; opened: behind a bracket."""
    size = len(digits)
    alone = len(value) == size
    if 9 <= size <= 16 and (plus or digits[0] in "06") and not _YEARS.search(value):
        m = MOBILE.match(digits)
        if m:
            return ("phone", "valid", "operator prefix fits") if OPERATOR.match(m.group(1)) else ("phone", "plausible", "mobile prefix")
        if plus and size <= 15 and digits[0] != "0":
            return "phone", "valid" if digits.startswith("62") else "plausible", "country code"
    if 15 <= size <= 16:
        if npwp_fits(digits) and (digits[-3:-1] == "00" if alone else _NPWP_FORM.match(value[size - 15 :] if size == 16 else value)):
            return "npwp", "valid", "check digit fits"
        if size == 15 and not alone and (_BRI.match(value) or _NPWP_DOTTED.match(value)):
            return ("account", "plausible", "form of a bank's account") if value[4] == "-" else ("npwp", "shaped", "NPWP form, check digit differs")
        return None
    if size == 13 and digits.startswith("000") and digits[3] in "123" and (alone or value.startswith("000")):
        return "bpjs", "plausible", "13 digits with the leading zeros of BPJS"
    if (8 if opened else 9) <= size <= 13 and not alone and digits[0] in "06" and LANDLINE.match(digits):
        form = f"({value}" if opened else value
        if LANDLINE_FORM.match(form) and (plus or digits[0] == "0") and not _YEARS.search(form[-9:]) and not _YEAR_LAST.search(form[4:]):
            return "phone", "plausible", "area code"
    return None


def _other_meaning(value: str, size: int, *, direct: bool) -> bool:
    """A date, years, hours, money or a decree's number, which a label near it does not make an identifier."""
    if len(value) == size:
        return size == 8 and _YEARS.match(value) is not None
    if size <= 8 and (_CALENDAR.match(value) or _YEARS.match(value) or _HOURS.match(value)):
        return True
    if _BUDGET.match(value):
        return True
    if size <= 12 and (_DECREE.match(value) or (_CALENDAR.match(value) and size <= 12 and value[2:3] in "-/.")):
        return True
    return size <= 10 and _MONEY.match(value) is not None and (not direct or value.endswith(("000", "00")))


def judge(kind: str, digits: str) -> tuple[str, str, str]:
    """(kind, verdict, reason) of a number that is called a `kind`: never less than `shaped`, label beats checksum."""
    size = len(digits)
    if kind == "bpjs" and size == 11:  # "BPJS" is said of the workers' scheme too
        kind = "kpj"
    if _fits(kind, digits):
        return kind, "valid", "labelled, structure fits"
    if kind == "phone" and LANDLINE.match(digits):
        return kind, "plausible", "labelled, area code"
    if kind not in ("nik", "npwp", "nip", "phone") and size in _LENGTHS[kind][0] and (kind != "kk" or nik_fits(digits)):
        return kind, "plausible", f"labelled, {size} digits"
    return kind, "shaped", f"labelled, {size} digits"


def _fits(kind: str, digits: str) -> bool:
    if kind == "phone":
        return MOBILE.match(digits) is not None
    return (kind == "nik" and nik_fits(digits)) or (kind == "npwp" and npwp_fits(digits)) or (kind == "nip" and nip_fits(digits))


def _finding(run: _Run, start: int, end: int, kind: str, verdict: str, reason: str) -> Finding:
    begin, stop = run.place(start), run.place(end - 1) + 1
    if kind == "passport" or (kind == "account" and end - start == _PASSPORT):
        begin = _with_letters(run.low, begin)
    return Finding(begin, stop, kind, verdict, reason)


def _with_letters(low: str, begin: int) -> int:
    """Where the one or two letters before a passport's digits begin: "c 9012877", "at-799507"; glued to a word the last one alone."""
    letters = _LETTERS.search(low, max(0, begin - 18), begin)
    if letters is None:
        return begin
    if letters.group(1):
        return begin if letters.group(2) and known_word(letters.group(1)) else letters.start(1)
    return begin - (glued_letters(letters.group()) or (not known_word(letters.group())))
