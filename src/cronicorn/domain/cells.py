"""Rows as stores read and write them. What they mean is said in the modules called `rows`."""

from datetime import datetime
from typing import TypeAlias

from cronicorn.domain.instant import instant_of

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


def instant_in(cell: Cell) -> datetime:
    """The instant that *cell* holds, in microseconds since 1970."""
    return instant_of(number_in(cell))


def instant_or_none(cell: Cell) -> datetime | None:
    """The instant that *cell* holds, if it holds anything."""
    return None if cell is None else instant_in(cell)
