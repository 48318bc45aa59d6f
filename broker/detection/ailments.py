"""Judges of illness and of disability. A denial counts only if it names the illness ("tidak menderita TBC"). Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.detection.extents import leftward, limb, named_on, rightward, widened
from broker.detection.sayings import PLAIN, Span, before, saying
from broker.detection.whose import blocked, denied, had, named, one_person, opens, person, policy, possessed, public, someone, veto

if TYPE_CHECKING:
    from broker.detection.lexicon import Term
    from broker.detection.sayings import Note

_KEPT_DENIED: Final = frozenset({"illness", "drug", "head"})  # groups that tell something even when denied


def health(note: Note, k: int, term: Term, floor: int) -> Span | None:
    last = k + len(term.words)
    role = term.role
    if (role == "hurt" or (role == "ambiguous" and term.words[0] in note.sets["health.hurt"])) and (hurt := _hurt(note, k, last, floor)):
        return hurt
    if role == "hurt":
        return None
    if term.words == ("alergi",) and (allergen := _allergen(note, last)) > last:
        role, last = "condition", allergen
    if role == "head" or (role == "ambiguous" and (term.words[0] in note.sets["health.head"] and len(term.words) == 1)):
        grown = _complement(note, last)
        if grown > last:
            role, last = "head", grown
        elif term.words[0] in note.sets["health.ails"] and limb(note, k, floor) < k:
            role, k = "head", limb(note, k, floor)
        elif term.words[0] in note.sets["health.ambiguous"]:
            role = "ambiguous"
        else:
            return None
    if not _stands(note, k, last, role) or blocked(note, _series(note, k), last, "health") or _service(note, k, last, term):
        return None
    if role not in _KEPT_DENIED and denied(note, k):
        return None
    first = leftward(note, k, floor)
    if policy(note, k, last) and not any(note.raw[i] in note.sets["words.aspect"] for i in range(first, k)):
        return None
    if public(note, k, last):
        return None
    verdict = "valid" if role in _KEPT_DENIED and (first < k or had(note, k, 4)) else "shaped" if role in {"ambiguous", "acronym", "organ"} else "plausible"
    return widened(note, Span(first, _cared(note, k, last), verdict, _HEALTH_REASONS[role]), "health", floor)


def _allergen(note: Note, last: int) -> int:
    """The end of what one is allergic to."""
    if last < note.size and note.raw[last] in {"terhadap", "thd", "sama", "dengan", "pada", "ke", "jo", "karo", "akan"} and note.breaks[last] == PLAIN:
        last += 1
    plain = last < note.size and note.breaks[last] == PLAIN and note.raw[last].isalpha() and note.raw[last] not in note.sets["words.tail_stop"]
    return last + 1 if plain else last


_SIDED: Final = frozenset({"kiri", "kanan", "sebelah", "kirinya", "kanannya"})


def _hurt(note: Note, k: int, last: int, floor: int) -> Span | None:
    """A part of the body and what befell it: "tangannya kena mesin"."""
    first = limb(note, k, floor)
    limbs = note.sets["health.limbs"]
    if not any(note.words[i] in limbs or note.raw[i] in limbs for i in range(first, k)) or not (possessed(note, first, k) or not _SIDED.isdisjoint(note.raw[first:k]) or person(note, k, last) or someone(note)):
        return None
    if policy(note, first, last) or public(note, first, last) or denied(note, k):
        return None
    return widened(note, Span(first, rightward(note, last), "plausible", _HEALTH_REASONS["head"]), "health", floor)


def _series(note: Note, k: int) -> int:
    """Where the list of illnesses begins that word k goes on with: what blocks the first blocks the others."""
    for _ in range(_LISTED):
        i = k - 1 if k > 1 and note.raw[k - 1] in _AND and note.breaks[k] == PLAIN == note.breaks[k - 1] else k
        if i < 1 or (i == k and (note.seps[k] != ", " or not _ill(note, k - 1))):
            break
        k = i - 1
    return k


def _ill(note: Note, i: int) -> bool:
    return any(t.role in {"illness", "acronym", "drug"} for t in note.terms.get(note.words[i], {}).get("", ()))


_LISTED: Final = 4  # words of a list before word k
_AND: Final = frozenset({"dan", "atau", "maupun", "serta"})


def _service(note: Note, k: int, last: int, term: Term) -> bool:
    """Kinds of care as a house offers or counts them: "rawat jalan 12, rawat inap 5"."""
    if term.words[:1] != ("rawat",):
        return False
    left, right = saying(note, k, last)
    both = "rawat" in left[-3:] or "rawat" in right[:3]
    counted = bool(right) and right[0][0].isdigit() and not (len(right) > 1 and (right[1] in note.sets["words.time"] or right[1] == "x"))
    if one_person(note, k, last, left, right):
        return counted and both
    return counted or both or not {"fasilitas", "layanan", "pelayanan", "unit", "tarif", "rekap"}.isdisjoint(left[-5:])


_HEALTH_REASONS: Final = MappingProxyType(
    {
        "illness": "illness said of a person",
        "head": "illness of a part of the body",
        "condition": "state or treatment of a person",
        "drug": "drug that tells of an illness",
        "ambiguous": "ordinary word for being ill, said of a person",
        "acronym": "abbreviated illness said of a person",
        "organ": "organ after a word of illness",
    }
)


def _cared(note: Note, k: int, last: int) -> int:
    """The end of the illness; after a word of treatment, of the house or the physician too: "rawat inap di RSUD Maninjau"."""
    last = rightward(note, last)
    if last + 1 < note.size and note.breaks[last + 1] == PLAIN == note.breaks[last] and note.raw[last] in note.sets["words.care"] and not note.sets["health.treated"].isdisjoint(note.raw[k:last]):
        words = 2 if note.raw[last + 1] == "rumah" else 1
        if note.raw[last + 1] in note.sets["words.place"]:
            last = rightward(note, named_on(note, min(note.size, last + 1 + words), 3))
    return last


def _complement(note: Note, last: int) -> int:
    """The end of the parts of the body that follow a word like `gangguan`, or `last`."""
    body, sites = note.sets["health.body"], note.sets["words.site"]
    end = i = last
    while i < min(note.size, last + 6) and note.breaks[i] == PLAIN:
        word = note.words[i]
        if word in body:
            end = i + 1
        elif word not in sites and word not in {"kiri", "kanan", "pada", "buntu", "belakang"}:
            break
        i += 1
    return end if end - last < 6 or note.words[last] != "dalam" else last


def _stands(note: Note, k: int, last: int, role: str) -> bool:
    """Whether context asks for this word at all."""
    if role in {"illness", "drug", "condition", "head"}:
        return True
    if role == "acronym":
        follows = note.words[last] if last < note.size else ""
        return not follows[:1].isdigit() and (_illness_near(note, k, last) or had(note, k, 2))
    if role == "organ":
        return any(note.raw[i] in note.sets["health.telling"] for i in before(note, k, 2))
    if note.breaks[k] == PLAIN and k and note.raw[k - 1] in {"rumah", "orang"}:
        return False
    if person(note, k, last) or (had(note, k, 2) and not _noun(note, k)) or (opens(note, k) and rightward(note, last) > last):
        return True
    return named(note, max(0, k - 3), min(note.size, last + 3)) if note.lenient else not veto(note)


def _noun(note: Note, k: int) -> bool:
    return bool(k) and note.raw[k - 1] in {"yang", "ada", "lagi", "baru", "akan", "harus", "jadi", "menjadi", "hingga", "sampai", "sejak", "tidak", "tanpa", "menyebabkan", "mengakibatkan"}


def _illness_near(note: Note, k: int, last: int) -> bool:
    around = (*range(max(0, k - 3), k), *range(last, min(note.size, last + 3)))
    return any(_ill(note, i) for i in around)


_AIDS: Final = frozenset({"kursi", "tongkat", "bantu", "kruk", "walker", "hearing", "tongkek"})  # things a lobby has too
_WORN: Final = frozenset({"pakai", "pake", "pakek", "memakai", "menggunakan", "pengguna", "naik", "duduk", "butuh", "dibantu", "berjalan", "jalan", "dengan", "uses", "user", "punya", "nganggo", "makai", "bergantung"})


def disability(note: Note, k: int, term: Term, floor: int) -> Span | None:
    last = k + len(term.words)
    if blocked(note, k, last, "disability"):
        return None
    if term.role == "loss":
        lost = next((i for i in range(last, min(note.size, last + 4)) if note.words[i] in note.sets["disability.limbs"] and max(note.breaks[last : i + 1]) == PLAIN), None)
        if lost is None:
            return None
        last = lost + 1
    if _AIDS.intersection(term.words) and not (_WORN.intersection(note.raw[max(0, k - 3) : last]) or person(note, k, last) or someone(note) or ":" in note.seps[k] or not any(saying(note, k, last))):
        return None
    if term.role == "limb" and note.sets["disability.limbs"].isdisjoint(note.words[limb(note, k, floor) : k]):
        return None
    if term.role == "ambiguous":
        if denied(note, k) or not (limb(note, k, floor) < k or person(note, k, last) or had(note, k, 2) or (opens(note, k) and last >= note.size)):
            return None
        if term.words == ("tuna",) or (term.words == ("tongkat",) and not had(note, k, 2)):
            return None
    if policy(note, k, last, 2 if term.role == "alone" else 6):
        return None
    if public(note, k, last):
        return None
    first = leftward(note, limb(note, k, floor), floor)
    return widened(note, Span(first, rightward(note, last), "plausible" if term.role == "ambiguous" else "valid", "disability said of a person"), "disability", floor)
