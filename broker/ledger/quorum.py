"""Whether the witnesses of a log let releases go on: what they answered since this process began. Pure but for that memory.

After a start nothing is taken over from before it: a broker restored from an old backup would remember a quorum for what it lost.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from broker.errors import Held
from broker.ledger.cosign import NONE
from broker.model import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from broker.ledger.cosign import WitnessPolicy

SKEW: Final = timedelta(minutes=5)  # that an entry may lie ahead of the clock
_KEPT: Final = 256  # sizes whose answers are remembered while no quorum comes together


@dataclass(frozen=True, slots=True)
class _Standing:
    """confirmed: the largest size that a quorum answered for, 0 before its first. against: the witness that saw another log, '' if none."""

    confirmed: int
    against: str


class Quorum:
    """One log's. Threads of the witnesses tell it their answers; whoever releases asks `check`."""

    def __init__(self, log: str, policy: WitnessPolicy, limit: timedelta, started: datetime, against: str = "") -> None:
        self.log, self.policy, self.limit, self._started = log, policy, limit, started
        self._lock = threading.Lock()
        self._answers: dict[int, set[str]] = {}
        self._latest: dict[str, int] = {}
        self._standing = _Standing(0, against)

    @property
    def confirmed(self) -> int:
        return self._standing.confirmed

    @property
    def against(self) -> str:
        return self._standing.against

    def answered(self, witness: str, size: int) -> None:
        """The witness cosigned the checkpoint of `size` in this process's time."""
        with self._lock:
            self._latest[witness] = max(size, self._latest.get(witness, 0))
            self._answers.setdefault(size, set()).add(witness)
            for old in sorted(self._answers)[:-_KEPT]:
                del self._answers[old]

    def latest(self, witness: str) -> int:
        """The largest size it cosigned in this process's time, 0 if none."""
        return self._latest.get(witness, 0)

    def settle(self) -> bool:
        """Counts the answers. Whether a quorum stands behind more than before."""
        with self._lock:
            before = self._standing
            enough = [n for n, names in self._answers.items() if n > before.confirmed and self.policy.allows(names)]
            confirmed = max(enough, default=before.confirmed)
            self._standing = _Standing(confirmed, before.against)
            for old in [n for n in self._answers if n <= confirmed]:
                del self._answers[old]
            return confirmed > before.confirmed

    def speak_against(self, witness: str) -> bool:
        """The witness saw a larger log than ours, or another. Whether it is the first to say so."""
        with self._lock:
            first = not self._standing.against
            if first:
                self._standing = _Standing(self._standing.confirmed, witness)
            return first

    def check(self, now: datetime, since: Callable[[int], datetime | None]) -> None:
        """Held while releases must wait. since: when the first entry beyond a size was recorded, None if there is none."""
        standing = self._standing
        if standing.against:
            raise Held("saksi_mundur", kesepakatan=self.log, saksi=standing.against)
        if self.policy.quorum == NONE:
            return
        oldest = since(standing.confirmed) if standing.confirmed else self._started
        if oldest is not None and (not standing.confirmed or now - oldest > self.limit or oldest - now > SKEW):  # a clock that went back counts no hours
            missing = [w.name for w in self.policy.witnesses if self.latest(w.name) <= standing.confirmed]
            raise Held("saksi", kesepakatan=self.log, sejak=utc_text(oldest), saksi=", ".join(missing))
