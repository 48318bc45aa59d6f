"""The disclosure ledger: one leaf per (row, person), one tree per exchange, one append-only log per agreement.

`merkle`, `checkpoint`, `manifest` and `openings` need the standard library and `cryptography` only, so that a party can verify offline.
`leaves` (numpy) is the broker's: it turns the rows of an exchange into its sorted tree with flat memory.
"""

from broker.ledger.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from broker.ledger.manifest import OUTCOMES, RELEASED, manifest_json, outcome_code
from broker.ledger.merkle import LogTree, leaf_hash, root_of, verify_consistency, verify_inclusion

__all__ = [
    "OUTCOMES",
    "RELEASED",
    "Checkpoint",
    "LogTree",
    "leaf_hash",
    "manifest_json",
    "outcome_code",
    "read_checkpoint",
    "root_of",
    "sign_checkpoint",
    "verify_consistency",
    "verify_inclusion",
]
