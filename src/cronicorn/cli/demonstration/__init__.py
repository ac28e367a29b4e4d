"""The demonstration: a small shop, its story, and a view of what the scheduler makes of it."""
