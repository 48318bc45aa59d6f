"""Self-tests of what works on whole columns: the server's, since it needs numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from broker.keys import cmac, ff1
from broker.selftest.known import CLIENT

if TYPE_CHECKING:
    from broker.selftest.known import Tests

SERVER: Final[Tests] = {**CLIENT, "AES-256-CMAC": cmac.selftest, "FF1": ff1.selftest}
