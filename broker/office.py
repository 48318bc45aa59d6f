"""The office: everything an exchange needs, wired once (wiring.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from broker.record import BROKER_LOG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from broker.contract import CodeLists
    from broker.contract.validate import Validators
    from broker.delivery import Folders
    from broker.keys import Rings
    from broker.ledger.quorum import Quorum
    from broker.model import Agreement, Contract
    from broker.peers import Peers
    from broker.policy import InForce, Policy
    from broker.record import Ledger


@dataclass(frozen=True, slots=True)
class Office:
    """Read only; what changes is behind its parts."""

    agreements: Mapping[str, Agreement]
    contracts: Mapping[str, Contract]
    codes: CodeLists
    validators: Validators
    force: InForce
    expectations: Mapping[str, bytes]  # by name, the files of what must stay true of every policy
    rings: Rings  # agreement → its secrets; `broker` → the broker log's
    peers: Peers  # system → its public keys, as they hold at the moment they are asked for
    ledger: Ledger
    folders: Folders
    quorums: Mapping[str, Quorum] = field(default_factory=dict)  # agreement → its witnesses; without an entry releases wait for none
    demonstration: bool = False  # settings.py

    @property
    def policy(self) -> Policy:
        """The one in force now. Read it once: the next look may be another version."""
        return self.force.policy

    def log_for(self, agreement: str) -> str:
        return agreement if agreement in self.agreements else BROKER_LOG
