"""What the parties signed, as data, and whether a request is inside it. docs/formats/agreement.md."""

from broker.agreement.agree import WARNINGS, agree, has_ended, in_force, sealed_in_x25519
from broker.agreement.load import clause_exists, load_agreements

__all__ = ["WARNINGS", "agree", "clause_exists", "has_ended", "in_force", "load_agreements", "sealed_in_x25519"]
