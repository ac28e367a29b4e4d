"""Compiling a description to a policy, once: what a model is told, how its draft is judged, and when to ask again."""
