"""Files on their way: sealed submissions in the spool, sealed disclosures in the outbox. Nothing here is ever plaintext."""

from broker.delivery.files import DurableWriter, Folders

__all__ = ["DurableWriter", "Folders"]
