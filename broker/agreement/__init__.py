"""What the parties signed, as data, and whether a request is inside it. docs/formats/agreement.md."""

from broker.agreement.agree import LAST_DAYS, WARNINGS, agree, has_ended, in_force, sealed_in_x25519
from broker.agreement.load import clause_exists, load_agreements
from broker.agreement.quotes import paragraphs, quotes

__all__ = ["LAST_DAYS", "WARNINGS", "agree", "clause_exists", "has_ended", "in_force", "load_agreements", "paragraphs", "quotes", "sealed_in_x25519"]
