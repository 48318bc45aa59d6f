"""Step 7: a chunk of good rows → exactly the columns and values that may leave, row by row by its profile.

The released columns are fixed by the Plan, so that every line has the same ones; what a row's own profile hides is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from broker.model import Level
from broker.treatment.clean import ENTITIES, clean
from broker.treatment.formatted import FORMATTED
from broker.treatment.generalise import GENERALISERS, MASKS, Parents
from broker.treatment.levels import generaliser
from broker.treatment.pseudonym import DomainKey, pseudonym_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from broker.model import Column, Contract, Finding, Plan
    from broker.treatment.clean import People
    from broker.treatment.levels import Profiles


def _entity(column: Column) -> str:
    """Entity type of the column's pseudonyms; a phone has none of its own in the contracts, and takes that of phones in texts."""
    return column.token or ENTITIES[column.kind]


def _pseudonymiser(column: Column, level: int) -> Callable[[pl.Series, DomainKey], pl.Series] | None:
    """What makes the column's pseudonyms at a level that has them; free text has its own way."""
    if level == Level.FORMAT_PRESERVING:
        return FORMATTED[column.kind]
    return pseudonym_tokens if level == Level.PSEUDONYM and column.type != "text" else None


def cleaned(name: str, level: int) -> str:
    """The frame's column that holds free text `name` as it leaves at `level`."""
    return f"\0clean{level}:{name}"


class Treatment:
    """The treatment of one Plan. key_of: entity type → the domain key of this exchange."""

    def __init__(self, plan: Plan, contract: Contract, profiles: Profiles, codes: Parents, key_of: Callable[[str], DomainKey]) -> None:
        self._plan, self._profiles, self._codes, self._key_of = plan, profiles, codes, key_of
        index = {c.name: i for i, c in enumerate(contract.columns)}
        self._columns = [(contract.columns[index[name]], index[name]) for name in profiles.released]
        levels_of = {c.name: sorted({row[i] for row in profiles.levels} - {Level.HIDE}) for c, i in self._columns if c.type == "text"}
        self.texts = tuple((name, level) for name, levels in levels_of.items() for level in levels)  # free text that leaves, and how
        self._keys = {_entity(c): key_of(_entity(c)) for c, i in self._columns if any(_pseudonymiser(c, row[i]) for row in profiles.levels)}

    def apply(self, frame: pl.DataFrame, profile: int) -> pl.DataFrame:
        """frame: good rows of one treatment profile, contract columns as String, and for each of `texts` its `cleaned` column.

        Returns the released columns, sorted by name, String, same rows.
        """
        levels = self._profiles.levels[profile]
        pseudonyms = [
            make(frame.get_column(c.name), self._keys[_entity(c)]).alias(f"\0{c.name}")
            for c, i in self._columns
            if (make := _pseudonymiser(c, levels[i]))
        ]
        return frame.hstack(pseudonyms).select([self._value(c, levels[i]).alias(c.name) for c, i in self._columns])

    def clean(self, texts: Sequence[str], findings: Sequence[Sequence[Finding]], people: Sequence[People], level: int) -> list[str]:
        """The texts without their findings, as `level` has it: typed placeholders, at level 3 with tokens in them."""
        return clean(texts, findings, people, self._key_of if level == Level.PSEUDONYM else None)

    def _value(self, column: Column, level: int) -> pl.Expr:
        if column.type == "text" and level:
            return pl.col(cleaned(column.name, level))
        match level:
            case Level.CLEAR:
                return pl.col(column.name)
            case Level.PSEUDONYM | Level.FORMAT_PRESERVING:
                return pl.col(f"\0{column.name}")
            case Level.GENERALISE:
                name = generaliser(column, self._plan.audience)
                assert name is not None
                return GENERALISERS[name](column, self._plan.day, self._codes)
            case Level.MASK:
                assert column.mask is not None
                return MASKS[column.mask](pl.col(column.name))
        return pl.lit(None, dtype=pl.String)
