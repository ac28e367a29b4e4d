"""SQLAlchemy's statements on a plain connection: compiled once, run without an engine."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from cronicorn.domain.cells import Cell

_DIALECT = sqlite.dialect(paramstyle="named")


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as text with named parameters, some of which it brings along."""

    text: str
    constants: Mapping[str, Cell]

    def rows(self, connection: sqlite3.Connection, **parameters: Cell) -> list[dict[str, Cell]]:
        """All rows, by column name."""
        return dicts(connection.execute(self.text, {**self.constants, **parameters}))

    def row(self, connection: sqlite3.Connection, **parameters: Cell) -> dict[str, Cell] | None:
        """The first row; None when there is none."""
        return next(iter(self.rows(connection, **parameters)), None)

    def change(self, connection: sqlite3.Connection, **parameters: Cell) -> int:
        """Insert, update or delete; answer how many rows that touched."""
        return connection.execute(self.text, {**self.constants, **parameters}).rowcount

    def insert(self, connection: sqlite3.Connection, **parameters: Cell) -> int:
        """Insert one row and answer the number it got."""
        number = connection.execute(self.text, {**self.constants, **parameters}).lastrowid
        assert number is not None
        return number


def dicts(cursor: sqlite3.Cursor) -> list[dict[str, Cell]]:
    """All rows of *cursor*, by column name."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def query(statement: ClauseElement) -> Query:
    """Compile *statement*."""
    compiled = statement.compile(dialect=_DIALECT)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Query(str(compiled), constants)
