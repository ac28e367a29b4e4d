"""Requests that carry a key of their own, so that whoever does not hear the answer may send them again."""
