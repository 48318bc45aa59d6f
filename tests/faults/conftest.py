from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.aftermath import Aftermath, Driver, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Province, Town


@pytest.fixture(scope="session")
def driver(province: Province) -> Iterator[Driver]:
    """A broker to be killed, in a process of its own."""
    with running(province) as driver:
        yield driver


@pytest.fixture
def after(town: Town) -> Aftermath:
    return Aftermath(town)
