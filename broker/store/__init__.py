"""What is durable: tables, transactions, and nothing about what their contents mean."""

from broker.store.audit import Audit, SubjectRequest, type_text
from broker.store.database import Database, Transaction
from broker.store.kept import Made
from broker.store.peers import Affected, PeerRow
from broker.store.people import Credential, Link, PasskeyRow, People, Session
from broker.store.reidentify import Identities, IdentityRequest
from broker.store.sendings import DRAFT_LIFE, Sending
from broker.store.tables import ExchangeRow
from broker.store.versions import DraftRow, StopRow, VersionRow

__all__ = [
    "DRAFT_LIFE", "Affected", "Audit", "Credential", "Database", "DraftRow", "ExchangeRow", "Identities", "IdentityRequest", "Link", "Made", "PasskeyRow", "PeerRow", "People", "Sending", "Session", "StopRow", "SubjectRequest",
    "Transaction", "VersionRow", "type_text",
]  # fmt: skip
