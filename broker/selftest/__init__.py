"""Known answers of everything that keys are used with. What needs numpy is apart, in `columns`: a party's client has none."""

from broker.selftest.known import CLIENT, failed, require

__all__ = ["CLIENT", "failed", "require"]
