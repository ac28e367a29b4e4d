"""A state machine for quotas: stores get the same random commands, and a ledger says what must have come of them.

Subclass `QuotaMachine` and override `open_quotas`. It needs Hypothesis.
"""
