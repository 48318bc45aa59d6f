"""The judge of the mother's name, which banks ask for as a secret: the name after a label, without the label. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.detection.sayings import PLAIN, Span, capital, match

if TYPE_CHECKING:
    from broker.detection.lexicon import Term
    from broker.detection.sayings import Note


def mother(note: Note, k: int, term: Term, floor: int) -> Span | None:  # noqa: ARG001  # every judge is asked alike
    last = k + len(term.words)
    links, stop = note.sets["mother.links"], note.sets["mother.stop"]
    sure = (term.role == "label" and term.words[-2:] != ("ibu", "kandung")) or (term.words[0] in {"nama", "nm"})
    i = last
    while i < min(note.size, last + 6):
        sep = note.seps[i]
        if not _label_gap(sep, note.raw[i - 1]):
            return None
        sure = sure or ":" in sep or "=" in sep
        if note.raw[i] not in links or (sure and note.raw[i] in {"di", "as"} and capital(note, i)):
            break
        sure = sure or note.raw[i] in {"bernama", "namanya", "adalah", "ialah", "yaitu", "an"}
        i += 1
    if term.role == "loose" and not _loosely(note, k, last, i):
        return None
    if i >= note.size or not _label_gap(note.seps[i], note.raw[i - 1]) or not note.raw[i][0].isalpha():
        return None
    first = i
    titled = capital(note, i)
    while i < note.size and i - first < 4 and note.raw[i][0].isalpha():
        if i > first and (not _name_gap(note, i) or _next_label(note, i)):
            break
        if (note.raw[i] in stop and not (titled and capital(note, i) and not note.capitals and i > first)) or (titled and not capital(note, i) and note.raw[i] not in {"br", "boru", "binti"}):
            break
        i += 1
    if i == first or not (titled or sure):
        return None
    return Span(first, i, "valid" if sure else "plausible", "name after a label of the mother")


_TOLD: Final = frozenset({"illness", "alone", "record"})  # what no name is: after them the note speaks of her state


_NOT_HERS: Final = frozenset({"batak", "minang", "jawa", "karo", "melayu", "sunda", "mandailing", "nias", "cina", "tionghoa", "aceh", "orang", "asal", "guru", "bu", "ibu"})


def _next_label(note: Note, i: int) -> bool:
    """The next label begins where the name was read on: "NUR AINI NAMA IBU: …"."""
    term = match(note, i)
    if term is not None and term.kind in {"health", "disability", "crime"} and (term.role in _TOLD or len(term.words) > 1):
        return True
    return term is not None and term.kind == "mother" and (term.role == "label" or note.raw[i] != note.words[i])


def _loosely(note: Note, k: int, last: int, at: int) -> bool:
    if not note.sets["mother.loose_link"].isdisjoint(note.raw[last:at]):
        return True
    if at >= note.size:
        return False
    if ":" in note.seps[last] and (k == 0 or note.breaks[k] > PLAIN):
        return True
    # "mandehnyo Pia Lestari": a large word after somebody's mother is her name
    named = note.text[note.starts[at] : note.starts[at] + 2]
    own = at == last and note.raw[k] != note.words[k] and note.raw[k].endswith(("nya", "nyo")) and note.breaks[at] == PLAIN
    return own and not note.capitals and named.istitle() and named[1:].islower() and note.raw[at] not in _NOT_HERS and note.raw[at] not in note.sets["words.time"] and note.raw[at] not in note.terms


def _label_gap(sep: str, before: str) -> bool:
    bare = sep.strip(" \t")
    return bare in {"", ":", "=", "-", "(", ",", ".", ": -", "/", "–", '"', ":\n", "):", ") :", ")", "'", '("', "’"} and (bare != "." or len(before) <= 5) and (bare != "," or before in {"an", "yaitu", "kandung"})


def _name_gap(note: Note, i: int) -> bool:
    sep = note.seps[i]
    if sep in {" ", "'", "’", "-", "  ", "`"}:
        return True
    return sep.strip() == "." and "\n" not in sep and (len(note.raw[i - 1]) == 1 or note.raw[i - 1] in {"br", "st", "hj", "dra", "ny", "siti"})
