"""Who is behind a token, for the holder of its domain key: `pseudonym.py` turned back. Every person identifier fits one AES block.

A token of another domain turns back to a block that is no identifier: one in 10^22 would look like a NIK.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Final

import numpy as np

from broker.keys.cmac import BLOCK, uncmac

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from broker.treatment.pseudonym import DomainKey

TOKEN: Final = re.compile(r"p([1-9][0-9]{0,4})\.([A-Za-z0-9_-]{21}[AQgw])")  # the last character has 2 bits: no token has two spellings
NIK: Final = "nik"
PASSPORT: Final = "paspor"
PERSONS: Final[Mapping[str, str]] = {"orang": NIK, "wajib_pajak": NIK, "paspor": PASSPORT}  # entity type → what its values are
_NIK: Final = re.compile(rb"[0-9]{16}")
_PASSPORT: Final = re.compile(rb"([A-Z0-9]{6,12})\x80\0+")


def epoch_of(token: str) -> int | None:
    """The epoch that a token shows; None for what has not a token's form."""
    found = TOKEN.fullmatch(token)
    return int(found[1]) if found else None


def turned_back(tokens: Sequence[str], entity: str, key: DomainKey) -> list[str | None]:
    """The identifier behind each token, as its column had it; None where it is of another domain, or of no person. tokens: of `key`'s epoch.

    entity: of PERSONS, and of the key's domain.
    """
    tags = b"".join([urlsafe_b64decode(token.partition(".")[2] + "==") for token in tokens])
    whole, padded = uncmac(key.key, np.frombuffer(tags, np.uint8).reshape(-1, BLOCK))
    if PERSONS[entity] == NIK:
        return [value.decode() if _NIK.fullmatch(value) else None for value in map(bytes, whole)]
    return [found[1].decode() if (found := _PASSPORT.fullmatch(bytes(block))) else None for block in padded]
