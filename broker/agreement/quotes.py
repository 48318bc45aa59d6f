"""What an agreement says in a clause, in its own words, as far as its file has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.model import Agreement

_WORDS: Final = ("text", "quote", "wording", "activity")  # fields that hold the agreement's own words


def paragraphs(agreement: Agreement) -> tuple[str, ...]:
    """Every paragraph that the agreement has, down to its letters, in its order."""
    found = agreement.clauses["articles"]["paragraphs"]
    assert isinstance(found, tuple)
    return found


def quotes(agreement: Agreement) -> dict[str, tuple[str, ...]]:
    """Clause → its words, in Indonesian as signed. A clause whose words the file does not have is not in it."""
    found: dict[str, dict[str, None]] = {}
    for clause, text in _said(agreement.clauses):
        if "; " not in clause:  # words put together from several clauses are nobody's own
            found.setdefault(clause, {})[text] = None
    return {clause: tuple(texts) for clause, texts in found.items()}


def _said(node: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """A table has words for its own `clause`; under the name of a clause stand its words, or a table with them; beside `X_clause` stands `X`."""
    for key, value in node.items():
        clause = node.get("clause") if key in _WORDS else node.get(f"{key}_clause")
        if isinstance(value, str) and isinstance(clause, str):
            yield clause, value
        if key.startswith(("Pasal ", "Lampiran ")):
            for text in (value,) if isinstance(value, str) else (value.get(word) for word in _WORDS) if isinstance(value, Mapping) else ():
                if isinstance(text, str):
                    yield key, text
        if isinstance(value, Mapping):
            yield from _said(value)
