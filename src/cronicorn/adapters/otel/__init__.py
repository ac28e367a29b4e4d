"""Traces, told over OTLP."""
