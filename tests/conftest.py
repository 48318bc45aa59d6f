from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "2")

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from broker.keys import new_key_file, write_private
from broker.settings import UNLOCK_VARIABLE
from tests.simulator import Province, Town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A key file, so that a test neither stretches a passphrase nor waits for someone to type it."""
    path = tmp_path_factory.mktemp("kunci") / "pembuka"
    write_private(path, new_key_file())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(UNLOCK_VARIABLE, str(path))
        yield path


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    """Keys, policies and code lists, made once: they never change in a test."""
    return Province.found(tmp_path_factory.mktemp("province"), NOW)


@pytest.fixture
def town(province: Province, tmp_path: Path) -> Iterator[Town]:
    """A broker with its own empty ledger and three parties, all real, in this process."""
    town = Town(province, tmp_path, NOW)
    yield town
    town.close()
