"""Stores in one PostgreSQL database for any number of processes, leases judged by the database's own clock."""
