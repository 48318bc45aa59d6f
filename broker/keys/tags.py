"""The tags that stand for people in an agreement's vault and for records in leaves. Server only (numpy, polars). docs/formats/leaf.md.

Every tag begins as the CMAC of its name under the first vault key. A person's is then turned back by one AES block and made anew under the
vault key in use: so a rotation changes them without their names, also those of names longer than a block, which no key turns back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from broker.errors import Refusal
from broker.keys.cmac import column_cmac, ecb, unecb
from broker.keys.derive import derive

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from broker.keys.ring import Ring

FIRST: Final = 1  # vault epoch


@dataclass(frozen=True, slots=True, repr=False)
class Tags:
    """How one agreement's people and records are tagged. keys: vault epoch → tag key, of those in use or retired. epoch: of the vault's rows.

    What takes the key of another epoch raises Refusal kunci_nonaktif: it is disabled.
    """

    keys: Mapping[int, bytes]
    epoch: int

    @classmethod
    def of(cls, ring: Ring, epoch: int) -> Tags:
        """Refusal kunci_dimusnahkan, kunci_nonaktif: there is no key at all."""
        return cls({number: derive(seed, "tag", ring.name.encode()) for number, seed in ring.secrets("vault").items()}, epoch)

    def records(self, names: pl.Series) -> NDArray[np.uint8]:
        """The same in every epoch, uint8 (n, 16): a report counts records over a year. names: String without nulls."""
        return column_cmac(self.key(FIRST), names)

    def people(self, names: pl.Series) -> NDArray[np.uint8]:
        """As the vault has them, uint8 (n, 16). names: String without nulls."""
        return self.since(FIRST, self.records(names))

    def since(self, epoch: int, tags: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """People's tags of another epoch as they are in this one, uint8 (n, 16)."""
        return tags if epoch == self.epoch else ecb(self.key(self.epoch), unecb(self.key(epoch), tags))

    def key(self, epoch: int) -> bytes:
        """The tag key of a vault epoch, 32 bytes."""
        if epoch not in self.keys:
            raise Refusal("kunci_nonaktif")
        return self.keys[epoch]
