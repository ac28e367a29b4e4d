"""A whole SQLite file, read on one snapshot or written in one transaction, on a connection of its own."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from cronicorn.adapters.sqlite.alert_schema import metadata
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.faults import translated
from cronicorn.adapters.sqlite.migration import check_file, check_installation, migrate
from cronicorn.adapters.sqlite.place import Place
from cronicorn.domain.archive import COLUMNS, COPIED, Table
from cronicorn.domain.cells import Cell, Row
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.instant import instant_of
from cronicorn.domain.mechanism import bucket_of
from cronicorn.domain.ports import Archive, Clock, Restoration, RowSource, Snapshot
from cronicorn.domain.verification import Check, Findings

PORTION_MAX = 200
_PORTION_BYTES_MAX = 4 << 20
"""A portion ends with the row that goes beyond this: bodies may be long."""
_ORDER = {
    Table.TENANTS: "rowid",
    Table.API_KEYS: "hash",
    Table.MEMBERS: "id",
    Table.TENANT_PROVISIONS: "tenant_id",
    Table.KEYCHAINS: "tenant_id",
    Table.ALERTINGS: "tenant_id",
    Table.SCHEDULE: "endpoint_number",
    Table.WATCHES: "endpoint_number",
    Table.RUN_COUNTS: "tenant_id, month_us",
    Table.JOB_HOURS: "job_number, hour_us, source, status",
    Table.ENDPOINT_HOURS: "job_number, hour_us, endpoint_number, source, status",
    Table.FILE_SETS: "tenant_id, name",
    Table.FLOWS: "tenant_id, name",
    Table.QUOTA_GRANTS: "id",
}
_BY_ENDPOINT = {
    Table.RUNS: "endpoint_number, slot, attempt, number",
    Table.ENDPOINT_HOURS: "endpoint_number, hour_us",
    **dict.fromkeys((Table.SKIPS, Table.POLICY_DRAFTS, Table.ANALYSES), "endpoint_number, number"),
}
_KEPT_SINCE = """
SELECT max(us) FROM (SELECT min(finished_us) AS us FROM runs UNION ALL SELECT min(last_us) FROM skips)
"""
# Endpoints that are gone may have left runs, skips and counts: their numbers are not given again.
_KNOW_NUMBERS = """
INSERT INTO sqlite_sequence (name, seq)
SELECT 'endpoints', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'endpoints')
"""
_RESERVE_NUMBERS = """
UPDATE sqlite_sequence
   SET seq = (SELECT max(number) FROM (
              SELECT seq AS number
               UNION ALL SELECT max(endpoint_number) FROM runs
               UNION ALL SELECT max(endpoint_number) FROM skips
               UNION ALL SELECT max(endpoint_number) FROM endpoint_hours))
 WHERE name = 'endpoints'
"""

# What was remembered of their answers stays behind: they are watched from their last run on. Texts in a document can't
# hold what is looked for: their quotes are escaped.
_WATCH = """
INSERT INTO watches (endpoint_number, look_us, cursor_us)
SELECT number, 0, coalesce((SELECT max(started_us) FROM runs WHERE runs.endpoint_number = endpoints.number), 0)
  FROM endpoints
 WHERE archived_us IS NULL
   AND (document LIKE '%"analysis":{"enabled":true,%'
        OR (document LIKE '%"description":"_%' AND document NOT LIKE '%"description":"",%'
            AND document NOT LIKE '%"compile":"off"%'
            AND (document LIKE '%"policy":"%' OR document LIKE '%"compile":"auto"%')))
"""


def _bucket(row: Row) -> int:
    return bucket_of(str(row["tenant_id"]))


_DERIVED = {Table.SCHEDULE: {"bucket": _bucket}}
"""Columns that follow from others."""
T = TypeVar("T")


class SqliteArchive(Archive):
    """One file as a whole. Reading makes and changes nothing; restoring makes the file with the newest schema."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def read(self, work: Callable[[Snapshot], Awaitable[T]]) -> T:
        check_file(self._file)
        with self._connected("BEGIN", writes=False) as connection:
            check_installation(connection, self._file)
            return await work(_SqliteSnapshot(connection, self._clock.now()))

    async def restore(self, work: Callable[[Restoration], Awaitable[T]]) -> T:
        await asyncio.to_thread(self._migrate)
        with self._connected("BEGIN IMMEDIATE", writes=True) as connection:
            restoration = _SqliteRestoration(connection)
            if full := [table.value for table in COPIED if await restoration.count(table)]:
                raise ConflictError(
                    f"The database {self._file.name} is not empty (it has {', '.join(full)}): copy into a new one."
                )
            result = await work(restoration)
            await asyncio.to_thread(_finish, connection)
            return result

    def _migrate(self) -> None:
        with self._translated():
            migrate(self._file)

    @contextmanager
    def _connected(self, begin: str, *, writes: bool) -> Iterator[sqlite3.Connection]:
        with self._translated():
            place = Place(self._file.path)
            connection = self._file.connect(writes=writes)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(begin)
                place.check()
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise translated(error, self._file.name) from error


class _SqliteRows(RowSource):
    """Rows of the transaction that is open on *connection*."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def count(self, table: Table) -> int:
        return await self._value(f"SELECT count(*) FROM {table.value}") or 0  # noqa: S608 (made of constants)

    async def rows(self, table: Table, *, by_endpoint: bool = False) -> AsyncIterator[Sequence[Row]]:
        names = [name for name in COLUMNS[table] if not (by_endpoint and name == "body")]
        order = (_BY_ENDPOINT if by_endpoint else {}).get(table) or _ORDER.get(table, "number")
        statement = f"SELECT {', '.join(names)} FROM {table.value} ORDER BY {order}"  # noqa: S608 (made of constants)
        cursor = await asyncio.to_thread(self._connection.execute, statement)
        while portion := await asyncio.to_thread(_portion, cursor, names):
            yield portion

    async def _value(self, statement: str) -> int | None:
        row = await asyncio.to_thread(lambda: self._connection.execute(statement).fetchone())
        return row[0]  # type: ignore[no-any-return]


class _SqliteSnapshot(_SqliteRows, Snapshot):
    def __init__(self, connection: sqlite3.Connection, taken_at: datetime) -> None:
        super().__init__(connection)
        self._taken_at = taken_at

    @property
    def taken_at(self) -> datetime:
        return self._taken_at

    async def kept_since(self) -> datetime | None:
        since_us = await self._value(_KEPT_SINCE)
        return instant_of(since_us) if since_us is not None else None

    async def examine(self, findings: Findings) -> None:
        await asyncio.to_thread(_examine, self._connection, findings)


class _SqliteRestoration(_SqliteRows, Restoration):
    async def write(self, table: Table, rows: Sequence[Row]) -> None:
        names = (*COLUMNS[table], *_DERIVED.get(table, {}))
        places = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.value} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 (constants)
        derived = _DERIVED.get(table, {}).values()
        cells = [[*(row[name] for name in COLUMNS[table]), *(derive(row) for derive in derived)] for row in rows]
        try:
            await asyncio.to_thread(_write, self._connection, statement, cells)
        except sqlite3.IntegrityError as error:
            raise ConflictError(
                f"The rows of {table.value} contradict one another or those before them ({error}): "
                "`cronicorn verify` on the database to copy tells more."
            ) from error


def _write(connection: sqlite3.Connection, statement: str, cells: Sequence[Sequence[Cell]]) -> None:
    # Statements are kept: a cursor that another thread forgets later would reset the one that runs by then.
    connection.executemany(statement, cells).close()


def _portion(cursor: sqlite3.Cursor, names: Sequence[str]) -> list[Row]:
    """The next rows; none at the end, where *cursor* is closed."""
    portion: list[Row] = []
    size = 0
    while len(portion) < PORTION_MAX and size < _PORTION_BYTES_MAX and (cells := cursor.fetchone()) is not None:
        portion.append(dict(zip(names, cells, strict=True)))
        size += sum(len(cell) for cell in cells if isinstance(cell, str | bytes))
    if not portion:
        cursor.close()
    return portion


def _finish(connection: sqlite3.Connection) -> None:
    connection.execute(_KNOW_NUMBERS)
    connection.execute(_RESERVE_NUMBERS)
    connection.execute(_WATCH)
    connection.execute("COMMIT")


def _examine(connection: sqlite3.Connection, findings: Findings) -> None:
    """Whether the file is whole, and all that `schema` lists is there."""
    state = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    findings.expect(Check.STRUCTURE, state == "ok", "the file", f"SQLite finds it damaged: {state}")
    _look_at_places(connection, findings)
    indexes = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    for table in metadata.sorted_tables:
        where = f"table {table.name}"
        sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", [table.name]).fetchone()
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({table.name})")}
        lacking = [column.name for column in table.c if column.name not in there]
        findings.expect(Check.STRUCTURE, not lacking, where, f"it has no {', '.join(lacking)}")
        for index in table.indexes:
            findings.expect(Check.STRUCTURE, index.name in indexes, where, f"it has no index {index.name}")
        for constraint in table.constraints:
            if isinstance(constraint.name, str):
                held = sql is not None and f"CONSTRAINT {constraint.name} " in sql[0]
                findings.expect(Check.STRUCTURE, held, where, f"it has no constraint {constraint.name}")


def _look_at_places(connection: sqlite3.Connection, findings: Findings) -> None:
    for number, tenant_id, bucket in connection.execute("SELECT endpoint_number, tenant_id, bucket FROM schedule"):
        right = bucket == bucket_of(tenant_id)
        findings.expect(Check.PLACE, right, f"schedule {number}", f"it is in bucket {bucket}, where no worker looks")
