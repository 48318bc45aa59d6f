"""Keyed pseudonyms over columns: `p<epoch>.` and 22 characters, the same person alike within one domain and nowhere else.

Domain = (agreement, sender party, recipient party, entity type, purpose, epoch); docs/formats/pseudonym.md.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from broker.keys import derive
from broker.keys.cmac import column_cmac

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKEN_CHARS: Final = 22  # of 128 bits in base64url


@dataclass(frozen=True, slots=True, repr=False)
class DomainKey:
    """A pseudonym key and the epoch its tokens show."""

    key: bytes
    epoch: int

    @property
    def ff1_key(self) -> bytes:
        """For format-preserving pseudonyms of the same domain: one key never serves two algorithms."""
        return derive(self.key, "ff1")

    @classmethod
    def of(cls, root: bytes, *, agreement: str, sender: str, recipient: str, entity: str, purpose: str, epoch: int) -> DomainKey:
        parts = (agreement, sender, recipient, entity, purpose, str(epoch))
        return cls(derive(root, "pseudo", *(p.encode() for p in parts)), epoch)


def base64url(tags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (n, 16) → ASCII uint8 (n, 22), unpadded."""
    padded = np.zeros((len(tags), 18), np.uint8)  # 18 bytes are exactly 24 characters, so rows do not run into each other
    padded[:, :16] = tags
    return np.frombuffer(urlsafe_b64encode(padded.tobytes()), np.uint8).reshape(-1, 24)[:, :TOKEN_CHARS]


def pseudonym_tokens(values: pl.Series, key: DomainKey) -> pl.Series:
    """Deterministic tokens `p<epoch>.<22 base64url>` for identifiers, unlinkable across `key`'s domain.

    values: String, canonical form, nulls stay null. Returns String of the same length.
    AES-256-CMAC, 128 bits: collision chance at 3e8 persons about 1e-22.
    Source: NIST SP 800-38B; domains as in docs/formats/pseudonym.md.
    """
    filled = values.drop_nulls()
    tokens = _tokens(filled, key).alias(values.name)
    if len(filled) == len(values):
        return tokens
    nothing = pl.Series(values.name, [None], pl.String).new_from_index(0, len(values))
    return nothing.scatter(values.is_not_null().arg_true(), tokens)  # scatter writes into the series it is called on


def _tokens(values: pl.Series, key: DomainKey) -> pl.Series:
    prefix = np.frombuffer(f"p{key.epoch}.".encode(), np.uint8)
    texts = np.empty((len(values), len(prefix) + TOKEN_CHARS), np.uint8)
    texts[:, : len(prefix)] = prefix
    texts[:, len(prefix) :] = base64url(column_cmac(key.key, values))
    return pl.Series(texts).cast(pl.List(pl.UInt8)).cast(pl.Binary).cast(pl.String)  # no string of Python's is made: half the time of all
