"""`scripts/bench NAME`: one module of this package per benchmark."""

from __future__ import annotations

import sys

from scripts.benchmarks import console, detect, exchange, ledger, policy, pseudonym, seal

BENCHES = {"console": console.main, "exchange": exchange.main, "detect": detect.main, "policy": policy.main, "ledger": ledger.main, "pseudonym": pseudonym.main, "seal": seal.main}

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in BENCHES:
        sys.exit(f"usage: scripts/bench {{{','.join(BENCHES)}}} [--rows N] [--json]; see docs/benchmarks.md")
    sys.exit(BENCHES[name](sys.argv[2:]))
