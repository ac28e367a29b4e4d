"""Signals: what an answer itself says, or shows, about when to call again; no key and no configuration."""
