"""Sealing what is kept secret."""
