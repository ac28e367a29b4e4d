"""SQLAlchemy's statements on a plain connection: compiled once, run without an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.sql import ClauseElement

from cronicorn.domain.cells import Cell

PlainConnection: TypeAlias = "asyncpg.Connection[Record]"
Connection: TypeAlias = "PlainConnection | PoolConnectionProxy[Record]"

_DIALECT = dialect.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def altered(statement: str, old: str, new: str) -> str:
    """*statement* with *new* for *old*, which must be there: a variant that is the original would pass unnoticed."""
    assert old in statement, f"nothing to replace: {old}"
    return statement.replace(old, new)


def rows_touched(status: str) -> int:
    """How many rows a statement touched, by what the server answers it, such as `DELETE 3`."""
    return int(status.rpartition(" ")[2])


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as text with numbered parameters, the names behind the numbers, and those it brings along."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Cell]

    async def rows(self, connection: Connection, **parameters: Cell) -> list[dict[str, Cell]]:
        """All rows, by column name."""
        return [dict(record) for record in await connection.fetch(self.text, *self._arguments(parameters))]

    async def row(self, connection: Connection, **parameters: Cell) -> dict[str, Cell] | None:
        """The first row; None when there is none."""
        return next(iter(await self.rows(connection, **parameters)), None)

    async def change(self, connection: Connection, **parameters: Cell) -> int:
        """Insert, update or delete; answer how many rows that touched."""
        return rows_touched(await connection.execute(self.text, *self._arguments(parameters)))

    def _arguments(self, parameters: Mapping[str, Cell]) -> list[Cell]:
        given = {**self.constants, **parameters}
        assert given.keys() == set(self.names), given.keys() ^ set(self.names)
        return [given[name] for name in self.names]


def query(statement: ClauseElement) -> Query:
    """Compile *statement*."""
    compiled = statement.compile(dialect=_DIALECT)
    names = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Query(str(compiled), names, constants)
