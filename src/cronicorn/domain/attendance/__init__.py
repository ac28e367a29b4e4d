"""Which workers are there."""
