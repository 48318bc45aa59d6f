"""The console: pages for officers, from the same process as the API and with the same calls behind them. docs/guide/console.md."""

from broker.web.console.routes import console

__all__ = ["console"]
