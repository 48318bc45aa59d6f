from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from broker.contract.parse import CHUNK_BYTES
from broker.errors import Refusal
from tests.refusals.refusing import assert_nowhere

if TYPE_CHECKING:
    from tests.refusals.refusing import Refuse
    from tests.simulator import Town


@pytest.fixture
def refuse(town: Town, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Refuse:
    """Sends `data` through the flow: it is refused for `reason`, recorded, nothing is left, and the canary is told nowhere.

    However the file is cut into blocks, the refusal is the same.
    """

    def refused(data: bytes, reason: str, *, log: str = "nk-sijunjung-2025", chunks: tuple[int, ...] = (CHUNK_BYTES, 4096), **asked: Any) -> Refusal:
        found = []
        for chunk_bytes in chunks:
            with pytest.raises(Refusal) as caught:
                town.exchange(data, chunk_bytes=chunk_bytes, **asked)
            assert caught.value.reason == reason
            town.assert_refused(town.last, reason, log)
            out, err = capfd.readouterr()  # file descriptors: a Rust panic writes there
            assert_nowhere(town, "".join(traceback.format_exception(caught.value)), str(vars(caught.value)), out, err, caplog.text, caught.value.english)
            found.append(caught.value)
        assert len({str(refusal.facts) for refusal in found}) == 1
        return found[0]

    return refused
