"""What is durable: tables, transactions, and nothing about what their contents mean."""

from broker.store.database import Database, Transaction
from broker.store.tables import ExchangeRow

__all__ = ["Database", "ExchangeRow", "Transaction"]
