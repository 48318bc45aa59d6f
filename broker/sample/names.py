"""Names that agree with a people and a sex. The parts are in names.toml; how they join is here, as domain estimates."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from broker.sample.draw import one

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.sample.draw import Draw

SINGLE: Final = {"minang": 0.24, "jawa": 0.35, "melayu": 0.22}  # share of one-word names; the others always carry a surname
BR: Final = 0.35  # share of Batak women who write `br` before the marga
DEGREES: Final = {"07": ("A.Md.",), "08": ("S.Tr.",), "09": ("S.E.", "S.T.", "S.Pd.", "S.Kom.", "S.H."), "10": ("S.E., M.M.", "S.T., M.T.")}
GELAR: Final = ("St. Marajo", "St. Mudo", "Dt. Rajo Ameh", "St. Sati", "Dt. Bandaro")


@cache
def parts() -> Mapping[str, tuple[str, ...]]:
    text = files("broker.sample").joinpath("names.toml").read_text(encoding="utf-8")
    return MappingProxyType({key: tuple(names) for key, names in tomllib.loads(text).items()})


def full_name(draw: Draw, people: str, sex: str) -> str:
    """One of the people's names for the sex; people: minang, jawa, melayu, karo, toba, mandailing or tionghoa."""
    lists = parts()
    if people in SINGLE:
        return _given_names(draw, lists, people, sex)
    if people == "tionghoa":
        return f"{one(draw, lists[f'tionghoa_depan_{sex}'])} {one(draw, lists[f'tionghoa_belakang_{sex}'])}"
    given = one(draw, lists[f"{ {'karo': 'karo', 'toba': 'batak', 'mandailing': 'melayu'}[people] }_depan_{sex}"])
    marga = one(draw, lists[f"marga_{people}"])
    if sex == "P" and draw() < BR:
        return f"{given} br {marga}"
    return f"{given} {marga}"


def titled(draw: Draw, name: str, people: str, sex: str, age: int, education: str) -> str:
    """The name with a title or degree where education, age and people allow one."""
    if education in DEGREES and draw() < 0.4:
        return f"{name}, {one(draw, DEGREES[education])}"
    if age >= 45 and people not in ("toba", "karo", "tionghoa") and draw() < 0.25:
        return f"{'H.' if sex == 'L' else 'Hj.'} {name}"
    if people == "minang" and sex == "L" and age >= 30 and draw() < 0.1:
        return f"{name} {one(draw, GELAR)}"
    return name


def _given_names(draw: Draw, lists: Mapping[str, tuple[str, ...]], people: str, sex: str) -> str:
    group = {"minang": "minang", "jawa": "jawa_deli", "melayu": "melayu"}[people]
    if people == "jawa" and draw() < 0.4:
        group = "umum"
    first = one(draw, lists[f"{group}_depan_{sex}"])
    if draw() < SINGLE[people]:
        return first
    if people == "jawa":
        second = one(draw, lists[f"umum_belakang_{sex}"])
    elif people == "minang" and draw() < 0.5:
        second = one(draw, lists[f"minang_belakang_{sex}"])
    else:
        second = one(draw, lists[f"{group}_depan_{sex}"])
    return first if first == second else f"{first} {second}"
