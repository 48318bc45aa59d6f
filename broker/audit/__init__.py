"""What an auditor asks of the ledger: search, subjects, reports, exports; each asking recorded."""
