"""What a command prints for people. rich is imported by the first words, so that help and errors are quick."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@cache
def _console() -> Console:
    from rich.console import Console  # noqa: PLC0415

    return Console(highlight=False, soft_wrap=True)


def say(*what: RenderableType) -> None:
    """Texts with rich's markup, or tables, on standard output."""
    _console().print(*what)
