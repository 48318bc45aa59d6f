from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults.aftermath import Aftermath, Driver, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Province, Town


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """sync.c, compiled; None on a machine without a C compiler."""
    compiler, built = shutil.which("cc"), tmp_path_factory.mktemp("shim") / "sync.so"
    if compiler is None:
        return None
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(built), str(Path(__file__).with_name("sync.c")), "-ldl"], check=True)
    return built


@pytest.fixture(scope="session")
def driver(province: Province, shim: Path | None) -> Iterator[Driver]:
    """A broker to be killed, in a process of its own."""
    with running(province, shim) as driver:
        yield driver


@pytest.fixture
def after(town: Town) -> Aftermath:
    return Aftermath(town)
