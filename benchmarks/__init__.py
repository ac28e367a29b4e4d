"""Benchmarks: one command each, side by side with a bound, as ratios."""
