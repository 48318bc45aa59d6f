"""Why a cell is worth what it is: every rule that matches it, which of them decide, and their Pasal, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from broker.model import LEVEL_NAMES
from broker.policy.plan import cited, deciding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.model import Rule
    from broker.policy.plan import Cell, Policy
    from broker.policy.universe import Universe

Language = Literal["id", "en"]
_AXES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType({
    "id": {"sub": "pihak", "dom": "kesepakatan", "obj": "kolom", "act": "tindakan", "pur": "tujuan", "row": "kelas baris"},
    "en": {"sub": "party", "dom": "agreement", "obj": "column", "act": "action", "pur": "purpose", "row": "row class"},
})  # fmt: skip
_LEVELS: Final[Mapping[Language, tuple[str, ...]]] = MappingProxyType({
    "id": LEVEL_NAMES,
    "en": ("hidden", "masked", "generalised", "pseudonym", "format-preserving pseudonym", "clear"),
})  # fmt: skip
_ACTIONS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType({
    "id": {"terima": "menerima", "kirim": "mengirim", "ungkap": "pengungkapan", "terbit": "penerbitan"},
    "en": {"terima": "receives", "kirim": "sends", "ungkap": "disclosure of", "terbit": "publication of"},
})  # fmt: skip
_TEXTS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType({
    "id": {
        "unknown": "Tingkat 0 (sembunyi): {what} tidak dikenal.",
        "cell": "{sub}, {dom}, {act} {obj}, tujuan {pur}, kelas baris {row}, {day:%d-%m-%Y}: tingkat {level} ({name}).",
        "allow": "{id} mengizinkan sampai {level} ({name}; {pasal})",
        "deny": "{id} membatasi sampai {level} ({name}; {pasal})",
        "decides": " dan menentukan",
        "nothing": "Tidak ada aturan yang mengizinkannya.",
    },
    "en": {
        "unknown": "Level 0 (hidden): unknown {what}.",
        "cell": "{sub}, {dom}, {act} {obj}, purpose {pur}, row class {row}, {day:%Y-%m-%d}: level {level} ({name}).",
        "allow": "{id} allows up to {level} ({name}; {pasal})",
        "deny": "{id} caps at {level} ({name}; {pasal})",
        "decides": " and decides",
        "nothing": "No rule allows it.",
    },
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explained:
    """A cell's level and why. rules: all that match, in the file's order; decides: the ids of those that make the level.

    unknown: what nobody declared, in words of the language; the level is then 0 and no rule is named. text: the same, to be read.
    """

    level: int
    unknown: tuple[str, ...]
    rules: tuple[Rule, ...]
    decides: frozenset[str]
    text: str


def explain(policy: Policy, cell: Cell, language: Language) -> Explained:
    """cell.sub: a system, or a party for its system. A value that nobody declared is named by its kind and never repeated."""
    cell = cell._replace(sub=_system(policy.known, cell.sub))
    unknown = tuple(word for axis, word in _AXES[language].items() if getattr(cell, axis) not in policy.known.axes[axis][:-1])
    texts, names = _TEXTS[language], _LEVELS[language]
    if unknown:
        return Explained(0, unknown, (), frozenset(), texts["unknown"].format(what=", ".join(unknown)))
    rules = tuple(cited(policy.rows[n], cell.dom) for n in policy.matching(cell))
    decides = frozenset(rule.id for rule in deciding(rules))
    level = policy.level(cell)
    said = [
        texts[rule.effect].format(id=rule.id, level=rule.level, name=names[rule.level], pasal=rule.pasal) + (texts["decides"] if rule.id in decides else "") + "."
        for rule in rules
    ]
    nothing = () if any(rule.effect == "allow" for rule in rules) else (texts["nothing"],)
    text = " ".join((texts["cell"].format(**{**cell._asdict(), "act": _ACTIONS[language][cell.act]}, level=level, name=names[level]), *said, *nothing))
    return Explained(level, (), rules, decides, text)


def _system(known: Universe, name: str) -> str:
    return next((system for system in known.axes["sub"] if system.partition("@")[2] == name != ""), name)
