"""Builds the object graph from settings: the only place that names concrete adapters."""
