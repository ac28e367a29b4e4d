"""Analyses by the model: when one is worth its tokens, and what is kept of it."""
