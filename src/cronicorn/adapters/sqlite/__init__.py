"""Stores in one SQLite file: one writer that commits in groups, a few readers, leases judged by the machine's clock."""
