"""Whom a saying is about: one person, a group, a rule, an offer, an institution or nobody; and what it denies. Pure.

Every question looks at a bounded number of words, but `someone`, which is asked once of a text.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from broker.detection.sayings import HARD, PLAIN, SOFT, before, capital, saying

if TYPE_CHECKING:
    from broker.detection.sayings import Note

_HOUSES: Final = frozenset({"rs", "rsu", "rsud", "rsup", "klinik", "puskesmas"})
_SURNAMES: Final = frozenset({"hakim", "sales", "jaksa", "putra"})  # after another capitalised word a name: "Mahmud Hakim ditahan"
_NEAR: Final = 2  # words: farther from such a house stands its name, then what was found there; farther from any, it only casts doubt


def blocked(note: Note, k: int, last: int, kind: str, reach: int = 4) -> bool:
    """An institution, a trade or a campaign just before the word, with no verb of having between, or one just after."""
    blocks, having = note.sets[f"{kind}.before"], note.sets["words.having"]
    for i in before(note, k, reach):
        word = note.raw[i]
        if word in blocks and not _passed(note, i, k):
            return k - i <= _NEAR or (not note.lenient and veto(note))
        if word in having or word in note.sets["words.sure"]:
            break
    if kind in {"health", "disability", "religion"} and last < note.size and note.breaks[last] == PLAIN:
        return note.raw[last] in note.sets[f"{kind}.after"]
    return False


def _passed(note: Note, i: int, k: int) -> bool:
    """The blocking word at i says nothing of word k: "hasil lab asma", "hari ini sakit", "Mahmud Hakim ditahan"."""
    word = note.raw[i]
    if i and (note.raw[i - 1] == "hasil" or (word in _SURNAMES and capital(note, i) and capital(note, i - 1))):
        return True
    return (word in _HOUSES and k - i > _NEAR) or (word == "hari" and k - i > 1)


def denied(note: Note, k: int) -> bool:
    negation, having = note.sets["words.negation"], note.sets["words.left"]
    for i in before(note, k, 4):
        if note.raw[i] in negation:
            return True
        if note.raw[i] in {"karena", "krn", "akibat"} or (note.words[i] not in having and i < k - 2):
            return False
    return False


def policy(note: Note, k: int, last: int, onward: int = 6) -> bool:
    """A sentence about rules, offers, figures or campaigns, and about no one person."""
    if note.lenient or "(" in note.seps[k]:  # what a bracket says is said of the word before it
        return False
    left, right = saying(note, k, last)
    head = k - len(left)  # "Pasal 12. Pekerja yang sakit": the stop ends no sentence
    if head > 1 and note.raw[head - 1].isdigit() and note.raw[head - 2] in {"pasal", "ayat"}:
        left = [*left, "pasal"]
    if note.sets["words.policy"].isdisjoint(left) and note.sets["words.policy"].isdisjoint(right[:onward]):
        return False
    return not one_person(note, k, last, left, right) and veto(note)


def veto(note: Note) -> bool:
    note.vetoed.append(True)
    return True


def one_person(note: Note, k: int, last: int, left: list[str], right: list[str]) -> bool:
    strong = note.sets["words.strong"]
    return not strong.isdisjoint(left) or not strong.isdisjoint(right) or possessed(note, k, last)


def possessed(note: Note, k: int, last: int) -> bool:
    return any(note.raw[i] != note.words[i] and note.raw[i].endswith(("nya", "ku", "mu", "nyo", "na", "ne", "ipun")) for i in range(k, last))


def person(note: Note, k: int, last: int) -> bool:
    left, right = saying(note, k, last)
    people = note.sets["words.person"]
    return not people.isdisjoint(left) or not people.isdisjoint(right) or possessed(note, k, last)


def had(note: Note, k: int, reach: int = 3) -> bool:
    having = note.sets["words.having"]
    return any(note.raw[i] in having for i in before(note, k, reach))


def opens(note: Note, k: int) -> bool:
    """The word opens a line, a sentence or the value of a label."""
    return k == 0 or note.breaks[k] == HARD or ":" in note.seps[k]


_LETTERED: Final = re.compile("[A-Za-z]+")
_LABELLED: Final = re.compile(r"(?i)\b(?:nik|ktp|kpj|hp|wa|telp|nama)\b\W{0,3}\d{5}|\bnama(?: lengkap)? ?[:=] ?[a-z]")
_AGES: Final = frozenset({"usia", "umur", "berusia", "berumur"})
_AGED: Final = re.compile(r"(?:usia|umur) \d\d\b(?! ?[-–/]| ?(?:s|sampai|hingga|ke)\b)")
_OF_AGE: Final = re.compile(r"\b(?:perempuan|wanita|laki|pria|janda|duda|pencaker|pelamar|pekerja|peserta|ibu|bapak|pemuda|gadis)\b")
_AGE_WITHIN: Final = 45  # characters
_ON_BEHALF: Final = frozenset({"a.n.", "a/n", "atas nama"})


def someone(note: Note) -> bool:
    """The text speaks of a person somewhere, be it far from here."""
    if not note.told:
        note.told.extend((_someone(note), _offers(note)))
    return note.told[0]


def _someone(note: Note) -> bool:
    low = note.text.lower()
    words = _LETTERED.findall(note.text)
    lower = [word.lower() for word in words]
    if not note.sets["words.somebody"].isdisjoint(lower) or any(sign in low for sign in _ON_BEHALF):
        return True
    if not _AGES.isdisjoint(lower) and (aged := _AGED.search(low)) and _OF_AGE.search(low, max(0, aged.start() - _AGE_WITHIN), aged.start()):
        return True
    called, those = note.sets["words.called"], note.sets["words.that"]
    for i in [i for i, word in enumerate(lower[:-1]) if word in called]:
        if (words[i + 1].istitle() and len(words[i + 1]) > 1) or lower[i + 1] in those:
            return True
    return not note.sets["words.labelled"].isdisjoint(lower) and _LABELLED.search(note.text) is not None


def sure(note: Note, k: int, last: int) -> bool:
    """One person is spoken of in this sentence."""
    left, right = saying(note, k, last)
    people = note.sets["words.sure"]
    return not people.isdisjoint(left) or not people.isdisjoint(right) or possessed(note, k, last)


def alone(note: Note, k: int, last: int) -> bool:
    """The text holds this saying and little else: nothing tells what it is about."""
    left, right = saying(note, k, last)
    whole = note.starts[0] <= _EDGE and len(note.text) - note.end(note.size - 1) <= _EDGE
    return whole and note.size <= len(left) + len(right) + last - k + _FEW


_EDGE: Final = 12  # characters of signs and bullets at either end
_FEW: Final = 4  # words of other sayings


def known(note: Note, k: int, last: int) -> bool:
    return sure(note, k, last) or someone(note) or alone(note, k, last) or ":" in note.seps[k]


def public(note: Note, k: int, last: int) -> bool:
    """Of nobody: a row of counts, a rule for whoever it is, a question that asks for a rule."""
    left, right = saying(note, k, last)
    if _counted(note, last, right) and note.sets["words.sure"].isdisjoint(left):
        return True
    return not note.lenient and _public(note, k, last, left, right) and veto(note)


def _counted(note: Note, last: int, right: list[str]) -> bool:
    """A row of counts: "Penyandang disabilitas: 9"."""
    if not right or not right[0].isdigit() or len(right[0]) > _DIGITS or note.seps[last].strip(" \t.") not in {":", "=", "|", ";"}:
        return False
    return len(right) == 1 or right[1].isdigit() or right[1] in _PEOPLE or bool(note.seps[last + 1].strip())


def _public(note: Note, k: int, last: int, left: list[str], right: list[str]) -> bool:
    if right and right[0].isdigit() and len(right[0]) <= _DIGITS and (len(right) == 1 or note.seps[last + 1].strip()) and note.breaks[last] == PLAIN:
        return sum(word.isdigit() for word in left + right) >= _COUNTS
    sets = note.sets
    if not _POSED.isdisjoint(left):
        return True
    if not sets["words.sure"].isdisjoint(left) or not sets["words.sure"].isdisjoint(right):
        return False
    if _offered(note, k, last) or (not _MAYBE.isdisjoint(left[-4:]) and not sets["words.rule"].isdisjoint(right[:6])):
        return True
    if left and left[-1].isdigit() and not _FIGURES.isdisjoint(left):
        return True
    if any(note.raw[i] in sets["words.counting"] for i in before(note, k, 6, SOFT)) or not _ASKED.isdisjoint(left):
        return True
    if nobody(note, k, last) and _general(note, k, last, left, right):
        return True
    if not someone(note) and (note.told[1] or (left and left[-1].isdigit() and "=" in note.seps[k]) or left[-1:] == ["atau"] or not _MAYBE.isdisjoint(left) or not _MAYBE.isdisjoint(right) or not _SUCH.isdisjoint(left[-8:])):
        return True
    if not someone(note) and not sets["words.rule"].isdisjoint(left[-6:]) and not sets["words.generic"].isdisjoint(left):
        return True
    return _of_whoever(note, k, left, right)


def _of_whoever(note: Note, k: int, left: list[str], right: list[str]) -> bool:
    """A rule tells it of pekerja, peserta or whoever it is."""
    sets = note.sets
    meant = not {"untuk", "utk", "bagi"}.isdisjoint(left[-4:])
    if not meant and sets["words.rule"].isdisjoint(left[-6:]) and sets["words.rule"].isdisjoint(right) and (someone(note) or sets["words.duty"].isdisjoint(right[:8])):
        return False
    for i in before(note, k + 1, 6):
        if note.raw[i] in sets["words.generic"]:
            return True
        if i < k and note.raw[i] not in sets["words.linking"]:
            return False
    return False


def nobody(note: Note, k: int, last: int) -> bool:
    """No person is told of: none by any word, and no name stands before the word as far as capitals tell."""
    if note.lenient or note.size <= _FEW or note.capitals or note.small or someone(note) or sure(note, k, last):
        return False
    large = any(capital(note, i) and note.breaks[i] != HARD and i and len(note.raw[i]) > 1 and not note.text[note.starts[i] : note.end(i)].isupper() for i in range(max(0, k - _NAMED), k))
    return not large and veto(note)


def named(note: Note, first: int, last: int) -> bool:
    """A name may stand among the words first..last-1, as far as capitals tell."""
    if note.capitals or note.small:
        return True
    small = large = False
    for i in range(first, last):
        shown = note.text[note.starts[i] : note.starts[i] + 2]
        if shown[:1].islower():
            small = True
        elif len(note.raw[i]) > _SIGNS and shown.isalpha() and note.words[i] not in note.terms and note.raw[i] not in note.sets["words.time"]:  # no name, be it written large
            if shown[1].islower() and i and note.breaks[i] != HARD:
                return True
            large = large or shown[1].isupper()
    return large and not small


def _general(note: Note, k: int, last: int, left: list[str], right: list[str]) -> bool:
    """Of a thing, of an event or a lesson, of whoever may or must."""
    sets = note.sets
    if k and note.breaks[k] == PLAIN and note.raw[k - 1] in sets["words.thing"]:
        return True
    if not _PERSONAL.isdisjoint(left[-3:]):
        return False
    if not sets["words.event"].isdisjoint(left) or not sets["words.event"].isdisjoint(right[:_NAMED]):
        return True
    if opens(note, k) and not sets["words.rule"].isdisjoint(right[:2]) and not alone(note, k, last):
        return True
    return any(word in _FOR and after in sets["words.generic"] for word, after in pairwise(right[:4]))


_PERSONAL: Final = frozenset({"riwayat", "mengidap", "menderita"})
_SIGNS: Final = 2  # letters of Rp, Hp, No, which are no name
_NAMED: Final = 6  # words from a name to what is said of its bearer
_FOR: Final = frozenset({"buat", "untuk", "utk", "bagi"})


def _offers(note: Note) -> bool:
    low = note.text.lower()
    return "dibutuhkan" in low or "loker" in low or "butuh segera" in low


def _offered(note: Note, k: int, last: int) -> bool:
    """Words of an offer of work stand around: "pria/wanita maks 35 th, min SMA, gaji Rp 3 juta"."""
    return len(note.sets["words.offer"].intersection(note.raw[max(0, k - _OFFER) : last + _OFFER])) >= _COUNTS


_OFFER: Final = 18  # words
_POSED: Final = frozenset({"kuis", "quiz", "ujian", "misalkan", "andaikan"})  # a question of a test poses a case
_PEOPLE: Final = frozenset({"orang", "org", "jiwa", "peserta", "pekerja", "kasus", "l", "lk", "pr", "persen", "kali"})


_MAYBE: Final = frozenset({"apakah", "bolehkah", "bisakah", "dapatkah"})
_SUCH: Final = frozenset({"termasuk", "misalnya", "meliputi", "contohnya"})
_FIGURES: Final = frozenset({"kasus", "turun", "naik", "jumlah", "sebanyak", "tercatat"})
_ASKED: Final = frozenset({"tanyakan", "ditanyakan"})
_DIGITS: Final = 5  # of a count, at most
_COUNTS: Final = 3  # numbers in a sentence that make it a table
