"""Rows as stores read and write them. What they mean is said in the modules called `rows`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias, TypeVar

from cronicorn.domain.instant import instant_of

Cell: TypeAlias = str | int | bytes | None
Row: TypeAlias = dict[str, Cell]

T = TypeVar("T")

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError)
"""What reading a row may raise that nobody wrote so."""


def number_in(cell: Cell) -> int:
    """The number that *cell* holds."""
    assert isinstance(cell, int)
    return cell


def number_at(row: Mapping[str, Cell] | None, name: str) -> int:
    """The number in the column *name* of *row*, which there must be."""
    assert row is not None
    return number_in(row[name])


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


def readable(rows: Iterable[Row], read: Callable[[Row], T], unreadable: Callable[[Row, Exception], None]) -> list[T]:
    """What *read* makes of *rows*, but for those that can't be read: they keep nobody from looking at the others.

    *unreadable* hears of each of them, and why.
    """
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except UNREADABLE as error:
            unreadable(row, error)
    return found
