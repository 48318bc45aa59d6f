"""A long list, fifty at a time; which page is in the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

T = TypeVar("T")
EACH: Final = 50


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page of how many, and the addresses of those beside it; empty where there is none."""

    number: int
    last: int
    before: str
    after: str


def paged(request: Request, rows: Sequence[T]) -> tuple[Sequence[T], Turn]:
    """The rows of the page asked for, as `turned` says which it is."""
    first, turn = turned(request, len(rows))
    return rows[first : first + EACH], turn


def turned(request: Request, total: int) -> tuple[int, Turn]:
    """How many of `total` rows come before the page asked for by `hal`, from 1; what is no number, or too large, is the nearest that there is."""
    asked, last = request.query_params.get("hal", ""), max(1, -(-total // EACH))
    number = min(max(int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else 1, 1), last)
    others = [(name, value) for name, value in request.query_params.multi_items() if name != "hal"]

    def link(page: int) -> str:
        return f"{request.url.path}?{urlencode([*others, ('hal', page)])}" if 1 <= page <= last else ""

    return (number - 1) * EACH, Turn(number, last, link(number - 1), link(number + 1))
