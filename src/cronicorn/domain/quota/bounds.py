"""What asking a model costs at most, in every mode: what analyses and compiles reserve, and how many go on at once."""

CALLS_MAX = 8
"""So many calls of a model one planner makes at once, unless settings say otherwise."""
ANALYSIS_TOKENS_MAX = 8_000
"""What an analysis reserves: all its requests to the model together, sent and answered."""
COMPILE_TOKENS_LEAST = 3_500
"""About what a compile needs to begin: what is sent of an ordinary endpoint, and the least that a draft takes."""
CALL_TOKENS_MAX = 9_000
"""What the largest reservation is, whatever it is for: one round of a compile may take so much, an analysis takes less.

The bound of the soft mode counts with it.
"""
