"""The policy in force: one reference that is swapped whole. An exchange reads it once and keeps what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker.policy.plan import Policy


class InForce:
    """policy: what decides now. fault: why a newer version was not taken up, in words of ours; None when there is none.

    worked_out: the last few answers about drafts and past versions, by the digests of what they were worked out from.
    compiled: the last few past versions, None for one that no longer loads; likewise by digest.
    """

    __slots__ = ("compiled", "fault", "policy", "worked_out")

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.fault: str | None = None
        self.worked_out: dict[tuple[str, ...], Any] = {}
        self.compiled: dict[tuple[str, ...], Policy | None] = {}
