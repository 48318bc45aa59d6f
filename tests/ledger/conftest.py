"""A log of more than one tile, signed: entries of the kind a broker writes, without a broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from broker.keys import LogKey
from broker.keys.material import from_seed
from broker.ledger import Checkpoint, LogTree, leaf_hash, sign_checkpoint
from tests.lifecycle.conftest import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Town

ORIGIN = "sinergi/nk-uji-2025"


@dataclass
class Signed:
    """key: of the log. entries: all it will ever have."""

    key: LogKey
    entries: list[bytes]

    def tree(self, size: int) -> LogTree:
        return LogTree(map(leaf_hash, self.entries[:size]))

    def note(self, size: int) -> str:
        return sign_checkpoint(Checkpoint(ORIGIN, size, self.tree(size).root()), self.key)


def log_of(size: int) -> Signed:
    key = from_seed("log", bytes(range(32)))
    assert isinstance(key, LogKey)
    return Signed(key, [b'{"entry":%d}' % i for i in range(size)])


@pytest.fixture(scope="session")
def signed() -> Signed:
    return log_of(70_000)


@pytest.fixture
def desk(town: Town) -> Iterator[Desk]:
    with town.http() as http:
        yield Desk(town, http)
