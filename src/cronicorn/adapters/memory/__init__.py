"""Stores in memory: the verified fake that simulations and tests trust. Nothing outlives the process."""
