"""Rows as stores read and write them. What they mean is said in the modules called `rows`."""

from typing import TypeAlias

Cell: TypeAlias = str | int | bytes | None
Row: TypeAlias = dict[str, Cell]

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError)
"""What reading a row may raise that nobody wrote so."""


def number_in(cell: Cell) -> int:
    """The number that *cell* holds."""
    assert isinstance(cell, int)
    return cell


def text_in(cell: Cell) -> str:
    """The text that *cell* holds."""
    assert isinstance(cell, str)
    return cell


def text_or_none(cell: Cell) -> str | None:
    """The text that *cell* holds, if it holds anything."""
    return None if cell is None else text_in(cell)
