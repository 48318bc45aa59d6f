"""Seeded draws: the same parts give the same numbers in every process and Python version, because SHAKE128 makes them.

One digest gives 32 numbers in a third of the time that seeding `random.Random` takes, and every person seeds their own.
"""

from __future__ import annotations

from hashlib import shake_128
from itertools import chain, count
from struct import Struct
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    Draw = Callable[[], float]

T = TypeVar("T")
WORDS: Final = Struct("<32I")
UNIT: Final = 2.0**-32


def seeded(*parts: str | int) -> Draw:
    """Draws from 0 to below 1, in steps of 2**-32, without end."""
    seed = "|".join(map(str, parts)).encode()
    words = chain.from_iterable(WORDS.unpack(shake_128(b"%b|%d" % (seed, block)).digest(WORDS.size)) for block in count())
    return map(UNIT.__mul__, words).__next__


def one(draw: Draw, options: Sequence[T]) -> T:
    return options[int(draw() * len(options))]


def whole(draw: Draw, low: int, high: int) -> int:
    """A whole number from low to high, both possible."""
    return low + int(draw() * (high - low + 1))


def digits(draw: Draw, count: int) -> str:
    return f"{int(draw() * 10**count):0{count}d}"


def yes(draw: Draw, share: float) -> str:
    return "true" if draw() < share else "false"


def shares(weights: Mapping[T, int]) -> tuple[T, ...]:
    """Options repeated by weight, so that `one` picks them in these shares."""
    return tuple(option for option, weight in weights.items() for _ in range(weight))


def years_after(day: date, years: int) -> date:
    """The same day of another year; 29 February becomes the 28th."""
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year + years)
