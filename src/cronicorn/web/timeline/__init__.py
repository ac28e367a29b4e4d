"""Timelines as SVG: pure, data in and a drawing out."""
