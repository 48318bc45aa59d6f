"""The lexicon of specific personal data (specific.toml), read once: its phrases, the inflected and misspelt forms of their words, its word sets.

Pure but for reading its own file. What each group of words means is said there; how it is judged, by the judge of its kind.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOKEN: Final = re.compile(r"([a-z]+(?:-nya(?![a-z]))?|[0-9]+(?:[.,][0-9]+)*)")
_CLITICS: Final = ("nya", "-nya", "ku", "mu", "lah", "pun", "kah", "nyo", "e", "na", "ne", "ipun")
_CLITIC_FROM: Final = 4  # letters of the shortest word that takes a clitic: "bu" + "ku" is a book
_SLIP_FROM: Final = 7  # letters of the shortest word whose misspellings are known: shorter ones meet other words
_SLIPS: Final = (("f", "p"), ("v", "f"), ("c", "k"), ("k", "c"), ("i", "e"), ("e", "i"), ("u", "o"), ("o", "u"), ("z", "s"), ("s", "z"), ("y", "i"), ("th", "t"), ("ph", "f"), ("ks", "x"), ("kh", "k"))
NUMBER: Final = "#"  # stands for any number
_PAID_WITHIN: Final = 8  # words from "menerima" to "juta"
# Groups whose single words tell nothing unless a word of these sets stands within so many words, as their judges ask.
_NEAR: Final = MappingProxyType(
    {
        "health.head": (2, ("health.body", "words.site", "words.qualifier")),
        "health.organ": (3, ("health.telling",)),
        "health.hurt": (4, ("health.limbs",)),
        "disability.loss": (4, ("disability.limbs",)),
        "crime.booth": (4, ("crime.booked",)),
        "finance.pawn": (5, ("finance.asset",)),
        "finance.seized": (3, ("finance.lender",)),
        "finance.chased": (3, ("finance.chaser",)),
        "finance.stuck": (5, ("finance.stuckof",)),
        "finance.able": (3, ("finance.pays",)),
        "religion.group": (4, ("religion.flock",)),
        "union.org": (8, ("union.cue", "union.unit", "words.strong")),
        "crime.offence": (5, ("crime.guilt",)),
        "crime.custody": (5, ("crime.custody_cue", "crime.why")),
    }
)
# What a finding may go on with on its right.
_ONWARD: Final = ("health.body", "words.qualifier", "words.grade", "words.site", "words.time", "words.time_link", "words.time_anchor")
_SLIPPING: Final = frozenset({"illness", "drug", "alone"})  # groups whose words are hard to spell

# Kinds and the groups of each that hold phrases; a phrase of two groups belongs to the first.
_ROLES: Final = MappingProxyType(
    {
        "health": ("neutral", "illness", "condition", "drug", "head", "ambiguous", "acronym", "organ", "hurt", "field"),
        "disability": ("neutral", "alone", "ambiguous", "limb", "loss", "field"),
        "religion": ("neutral", "faith", "practice", "group", "field"),
        "union": ("neutral", "member", "org"),
        "crime": ("neutral", "record", "offence", "custody", "sentence", "booth", "field"),
        "finance": ("neutral", "state", "wage", "debt", "pawn", "seized", "chased", "stuck", "able"),
        "mother": ("label", "loose"),
    }
)


@dataclass(frozen=True, slots=True)
class Term:
    kind: str
    role: str
    words: tuple[str, ...]


Terms = Mapping[str, Mapping[str, tuple[Term, ...]]]


class Need(NamedTuple):
    """What a telling word needs: a word of one of the sets within so many words, or one of the others right beside it; where both are empty, nothing."""

    reach: int
    sets: frozenset[str]
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What the search and the judges look up.

    terms: first word → "second third" word → the longer phrases that begin so, longest first; "second" → the phrase of two; "" → the word alone.
    opening: first words of phrases, and verbs of being paid. forms: inflected or misspelt word → the lexicon's.
    telling: word that every finding of some phrase holds → what must stand near it. sets: "kind.group" → its single words.
    """

    terms: Terms
    opening: frozenset[str]
    forms: Mapping[str, str]
    telling: Mapping[str, Need]
    sets: Mapping[str, frozenset[str]]


@cache
def lexicon() -> Lexicon:
    tables = tomllib.loads(files("broker.detection").joinpath("specific.toml").read_text(encoding="utf-8"))
    listed = {f"{kind}.{group}": _phrases(text) for kind, groups in tables.items() for group, text in groups.items()}
    sets = {name: frozenset(phrase[0] for phrase in phrases if len(phrase) == 1) for name, phrases in listed.items()}
    sets["words.onward"] = frozenset({"dan"}).union(*(sets[name] for name in _ONWARD))
    terms: dict[tuple[str, ...], Term] = {}
    known = {word for kind, roles in _ROLES.items() for role in roles for phrase in listed[f"{kind}.{role}"] for word in phrase}
    for kind, roles in _ROLES.items():
        for role in roles:
            for written in listed[f"{kind}.{role}"]:
                phrase = tuple(_bare(word, known) for word in written)
                terms.setdefault(phrase, Term(kind, role, phrase))
    forms = _forms(terms.values(), frozenset().union(*sets.values()))
    telling = _telling([t for t in terms.values() if t.role != "neutral"], sets)
    opening = frozenset(phrase[0] for phrase in terms) | sets["finance.amount_verbs"]
    return Lexicon(_by_words(terms.values()), opening, forms, telling, sets)


def _phrases(text: str) -> list[tuple[str, ...]]:
    """Phrases parted by commas; "tidak|tdk bisa|" is "tidak bisa", "tdk bisa", "tidak" and "tdk"."""
    chosen = (choice for item in text.split(",") if item.strip() for choice in product(*(word.split("|") for word in item.split())))
    return [phrase for choice in chosen if (phrase := tuple(TOKEN.findall(" ".join(choice))))]


def _bare(word: str, known: set[str]) -> str:
    """Without its clitic, as the words of a text are read."""
    bare = word.removesuffix("nya")
    return bare if bare in known and len(bare) >= _CLITIC_FROM and word != "namanya" else word


def _by_words(terms: Iterable[Term]) -> Terms:
    table: dict[str, dict[str, list[Term]]] = {}
    for term in sorted(terms, key=lambda t: -len(t.words)):
        seconds = table.setdefault(term.words[0], {})
        second = term.words[1] if len(term.words) > 1 else ""
        listed = seconds.setdefault(second, [])
        (seconds.setdefault(" ".join(term.words[1:3]), []) if len(term.words) > 2 else listed).append(term)
    return {first: {second: tuple(found) for second, found in seconds.items()} for first, seconds in table.items()}


def _telling(terms: list[Term], sets: Mapping[str, frozenset[str]]) -> dict[str, Need]:
    """A word of every phrase: a single word itself, of a longer phrase its least ordinary one; and the words of money."""
    ordinary = frozenset().union(*(words for name, words in sets.items() if name.split(".")[1] not in _ROLES.get(name.split(".")[0], ())))
    plain = sets["words.ordinary"]
    near = {word: Need(_PAID_WITHIN, frozenset({"finance.amount_verbs"})) for word in sets["words.money"]}
    for term in terms:
        if len(term.words) == 1:
            word = term.words[0]
            groups = _NEAR.get(f"{term.kind}.{term.role}")
            needed = groups is not None and word not in sets["health.ambiguous"] and not word.startswith("men")  # "menipu" needs no word of guilt
            near[word] = Need(groups[0], frozenset(groups[1])) if groups and needed else Need(0, frozenset())
    alone = {word for word, need in near.items() if not need.sets}
    beside: dict[str, set[str]] = {}
    for term in terms:
        phrase = tuple(word for word in term.words if word.isalpha())  # the screen sees letters only
        if len(term.words) > 1 and alone.isdisjoint(phrase):
            i = max(range(len(phrase)), key=lambda i: (phrase[i] not in plain, phrase[i] not in ordinary, phrase[i] in near, len(phrase[i])))
            beside.setdefault(phrase[i], set()).add(NUMBER if len(phrase) == 1 else phrase[i + 1] if i + 1 < len(phrase) else phrase[i - 1])
    return {word: near.get(word, Need(0, frozenset()))._replace(beside=frozenset(beside.get(word, ()))) for word in near.keys() | beside.keys()}


def _forms(terms: Iterable[Term], known: frozenset[str]) -> dict[str, str]:
    words = {word for term in terms for word in term.words if word.isalpha()}
    fixed = words | known
    hard = {word for term in terms if term.role in _SLIPPING for word in term.words if len(word) >= _SLIP_FROM}
    forms = {slip: word for word in sorted(hard) for slip in _misspelt(word) if slip not in fixed}
    for word in sorted(words):
        clitics = _CLITICS if len(word) >= _CLITIC_FROM else _CLITICS[:3] if len(word) == _CLITIC_FROM - 1 else ()
        forms.update((word + clitic, word) for clitic in clitics if word + clitic not in words)
    return forms


def _misspelt(word: str) -> Iterator[str]:
    """A letter left out, doubled or swapped with the next, or one sound written as another; the first letter stands."""
    for i in range(1, len(word)):
        yield word[:i] + word[i + 1 :]
        yield word[:i] + word[i] + word[i:]
        yield word[:i] + word[i + 1 : i + 2] + word[i] + word[i + 2 :]
        for sound, written in _SLIPS:
            if word.startswith(sound, i):
                yield word[:i] + written + word[i + len(sound) :]
