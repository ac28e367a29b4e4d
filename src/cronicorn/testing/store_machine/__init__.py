"""A Hypothesis state machine that drives stores with random commands and holds them to their promises.

`StoreMachine` keeps a model of what leases, hints and slots must be, and compares the answers of all stores it drives.
It needs hypothesis.
"""
