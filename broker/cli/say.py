"""What a command prints for people. rich is imported by the first words, so that help and errors are quick."""

from __future__ import annotations

from functools import cache
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@cache
def _console() -> Console:
    from rich.console import Console  # noqa: PLC0415

    return Console(highlight=False)


def say(*what: RenderableType) -> None:
    """Texts with rich's markup, or tables, on standard output: on a terminal broken between words, elsewhere as they are."""
    console = _console()
    console.print(*what, soft_wrap=not console.is_terminal, overflow="ignore", crop=False)


def fitted(line: str, width: int) -> str:
    """The line broken between words to `width` characters, what follows indented a little further; ids and commands stay whole."""
    indent = " " * (len(line) - len(line.lstrip(" ")))
    return fill(line, width, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False, replace_whitespace=False)
