"""Runs counted by the hour as they are settled, so that nobody who wants to know how many has to read them."""
