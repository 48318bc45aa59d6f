"""Two brokers on one home would sweep away each other's files: the second does not start, and touches nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from broker.web.worker import Worker
from tests.conftest import NOW

if TYPE_CHECKING:
    from tests.simulator import Province, Town

OTHER = """
import sys
from pathlib import Path
from broker.delivery import Folders
from broker.errors import ConfigError
try:
    Folders(Path(sys.argv[1])).claim()
except ConfigError:
    print("refused")
else:
    print("serves")
"""


def other(town: Town) -> str:
    return subprocess.run([sys.executable, "-c", OTHER, str(town.home)], capture_output=True, text=True, check=True).stdout.strip()


def test_a_second_broker_on_a_home_does_not_start(town: Town) -> None:
    worker = Worker(town.office, lambda: town.now)
    try:
        assert other(town) == "refused"
    finally:
        worker.close()
    assert other(town) == "serves"


def test_serve_says_that_the_home_is_taken(province: Province) -> None:
    """The whole command: it ends with one line, before it sweeps or listens."""
    lost = province.home / "outbox" / "sedang-ditulis"
    worker = Worker(province.office, lambda: NOW)
    try:
        lost.touch()  # the first broker is writing it
        done = subprocess.run([sys.executable, "-m", "broker", "serve", "--home", str(province.home), "--port", "1"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert done.stderr.strip().splitlines()[-1].endswith("is served by another process")
        assert lost.exists()
    finally:
        worker.close()
        lost.unlink()
