"""The rules of the code base, each held by a test and shown to notice a violation."""
