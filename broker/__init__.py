"""Sinergi: lets out exactly what a signed agreement allows, and proves what it disclosed. Read `broker/exchange.py` first."""

__version__ = "0.1.0"
