"""The command line: the same calls as the API and the client, in words. Heavy packages are imported by the command that needs them."""

from broker.cli.app import main

__all__ = ["main"]
