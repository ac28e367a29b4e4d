"""Text in columns, as wide as what stands in them."""

from collections.abc import Sequence


def columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A line for *headings* and one for each of *rows*, without spaces at their ends."""
    lines = [headings, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headings))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
