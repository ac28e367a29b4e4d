"""A whole PostgreSQL database, read on one snapshot or written in one transaction, on a connection of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import asyncpg
from asyncpg.transaction import Transaction

from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.database import shards_of
from cronicorn.adapters.postgres.examination import examine
from cronicorn.adapters.postgres.faults import FAULTS, translated
from cronicorn.adapters.postgres.keepalive import keep_alive
from cronicorn.adapters.postgres.migration import LOCK, check_installation, migrate
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.partitions import Day
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.adapters.postgres.statement_time import NOW_US, judged_us
from cronicorn.adapters.postgres.tenant_schema import SCHEMA
from cronicorn.domain.archive import COLUMNS, COPIED, Table
from cronicorn.domain.cells import UNREADABLE, Row, number_in
from cronicorn.domain.errors import ConflictError, InvalidInputError
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.mechanism import bucket_of
from cronicorn.domain.ports import Archive, Clock, Restoration, RowSource, Snapshot
from cronicorn.domain.rows import endpoint_from
from cronicorn.domain.target import host_of
from cronicorn.domain.verification import Findings

PORTION_MAX = 100
DAYS_MAX = timedelta(days=400)
"""Runs that ended longer ago than this get no partition of their own: pruning takes them from the rest."""
_PATIENCE = timedelta(hours=2)
"""A statement may sort or compare a whole table."""
_BOUNDED = """
SET LOCAL idle_in_transaction_session_timeout = '1h';
SET LOCAL tcp_keepalives_idle = 60; SET LOCAL tcp_keepalives_interval = 15; SET LOCAL tcp_keepalives_count = 4
"""
"""A process that froze or vanished must not keep its snapshot and its locks; the other store may take its time."""
_ORDER = {
    Table.API_KEYS: 'hash COLLATE "C"',
    Table.MEMBERS: 'id COLLATE "C"',
    Table.TENANT_PROVISIONS: 'tenant_id COLLATE "C"',
    Table.KEYCHAINS: 'tenant_id COLLATE "C"',
    Table.ALERTINGS: 'tenant_id COLLATE "C"',
    Table.SCHEDULE: "endpoint_number",
    Table.WATCHES: "endpoint_number",
    Table.RUN_COUNTS: 'tenant_id COLLATE "C", month_us',
    Table.JOB_HOURS: 'job_number, hour_us, source COLLATE "C", status COLLATE "C"',
    Table.ENDPOINT_HOURS: 'job_number, hour_us, endpoint_number, source COLLATE "C", status COLLATE "C"',
    Table.FILE_SETS: 'tenant_id COLLATE "C", name COLLATE "C"',
    Table.FLOWS: 'tenant_id COLLATE "C", name COLLATE "C"',
    Table.QUOTA_GRANTS: 'id COLLATE "C"',
}
_WHOLE = {
    Table.JOB_HOURS: """(
SELECT job_number, hour_us, source, status, sum(runs)::bigint AS runs, sum(duration_us)::bigint AS duration_us
  FROM cronicorn.job_hours GROUP BY 1, 2, 3, 4) AS whole""",
}
"""Rows that are kept in parts."""
_BY_ENDPOINT = {
    Table.RUNS: "endpoint_number, slot, attempt, number",
    Table.ENDPOINT_HOURS: "endpoint_number, hour_us",
    **dict.fromkeys((Table.SKIPS, Table.POLICY_DRAFTS, Table.ANALYSES), "endpoint_number, number"),
}
_TABLES = ", ".join(f"{SCHEMA}.{table}" for table in Table)
_ALONE = f"SET LOCAL lock_timeout = '5s'; {LOCK}; LOCK TABLE {_TABLES} IN EXCLUSIVE MODE"
"""First what whoever makes days holds: each would have a lock on runs, and wait for the other's."""
_KEPT_SINCE = """
SELECT greatest((SELECT min(finished_us) FROM cronicorn.runs), (SELECT min(last_us) FROM cronicorn.skips))
"""
_ENDPOINTS = "SELECT number, id, document FROM cronicorn.endpoints WHERE number = ANY($1)"
_NUMBERED = (
    Table.JOBS, Table.SKIPS, Table.POLICY_DRAFTS, Table.INCIDENTS, Table.ALERT_MESSAGES, Table.QUOTA_BOOKS,
    Table.AUDIT_LOG,
)  # fmt: skip
"""The tables whose next row has the number after the highest that was copied."""
_FOLLOWING = "setval(pg_get_serial_sequence('{0}', 'number'), (SELECT coalesce(max(number), 0) + 1 FROM {0}), false)"
# Endpoints that are gone may have left runs, skips and counts: their numbers are not given again.
_RESERVE_NUMBERS = f"""
SELECT {", ".join(_FOLLOWING.format(f"{SCHEMA}.{table}") for table in _NUMBERED)},
       setval(pg_get_serial_sequence('cronicorn.endpoints', 'number'),
              1 + greatest(0, (SELECT max(number) FROM cronicorn.endpoints),
                           (SELECT max(endpoint_number) FROM cronicorn.runs),
                           (SELECT max(endpoint_number) FROM cronicorn.skips),
                           (SELECT max(endpoint_number) FROM cronicorn.endpoint_hours)), false),
       setval('cronicorn.runs_number', (SELECT coalesce(max(number), 0) + 1 FROM cronicorn.runs), false)
"""  # noqa: S608 (constants)
# What was remembered of their answers stays behind: they are watched from their last run on. Texts in a document can't
# hold what is looked for: their quotes are escaped.
_WATCH = """
INSERT INTO cronicorn.watches (endpoint_number, look_us, cursor_us)
SELECT e.number, 0,
       coalesce((SELECT max(r.started_us) FROM cronicorn.runs AS r WHERE r.endpoint_number = e.number), 0)
  FROM cronicorn.endpoints AS e
 WHERE e.archived_us IS NULL
   AND (e.document LIKE '%"analysis":{"enabled":true,%'
        OR (e.document LIKE '%"description":"_%' AND e.document NOT LIKE '%"description":"",%'
            AND e.document NOT LIKE '%"compile":"off"%'
            AND (e.document LIKE '%"policy":"%' OR e.document LIKE '%"compile":"auto"%')))
"""

T = TypeVar("T")


class PostgresArchive(Archive):
    """One database as a whole. Reading changes nothing; restoring gives it the newest schema first.

    *judge* stands in for the database's clock: in tests.
    """

    def __init__(self, url: str, options: PostgresOptions, judge: Clock | None = None) -> None:
        self._url = url
        self._options = replace(options, statement_timeout=_PATIENCE)
        self._judge = judge

    async def read(self, work: Callable[[Snapshot], Awaitable[T]]) -> T:
        async with self._connected() as connection, _snapshot(connection):
            await connection.execute(_BOUNDED)
            await check_installation(connection)
            taken_at = instant_of(await connection.fetchval(f"SELECT {NOW_US}", judged_us(self._judge)))
            return await work(_PostgresSnapshot(connection, taken_at))

    async def restore(self, work: Callable[[Restoration], Awaitable[T]]) -> T:
        await migrate(self._url, self._options)
        async with self._connected() as connection:
            async with connection.transaction(isolation="read_committed"):
                await connection.execute(f"{_BOUNDED}; {_ALONE}")
                now = instant_of(await connection.fetchval(f"SELECT {NOW_US}", None))
                restoration = _PostgresRestoration(connection, now, await shards_of(connection))
                if full := [table.value for table in COPIED if await restoration.count(table)]:
                    raise ConflictError(
                        f"The PostgreSQL database is not empty (it has {', '.join(full)}): copy into a new one."
                    )
                result = await work(restoration)
                await connection.execute(_RESERVE_NUMBERS)
                await connection.execute(_WATCH)
            # What was copied is asked for at once, and nothing is known of it yet. If this fails, the copy is whole all
            # the same, and autovacuum looks at it later.
            with suppress(*FAULTS):
                await connection.execute(f"ANALYZE {_TABLES}")
            return result

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[PlainConnection]:
        connection = await connect(self._url, self._options)
        try:
            keep_alive(connection)
            yield connection
        except FAULTS as error:
            raise translated(error) from error
        finally:
            connection.terminate()


class _PostgresRows(RowSource):
    """Rows of the transaction that is open on *connection*."""

    def __init__(self, connection: PlainConnection) -> None:
        self._connection = connection

    async def count(self, table: Table) -> int:
        count = await self._connection.fetchval(f"SELECT count(*) FROM {_source(table)}")  # noqa: S608 (constants)
        assert isinstance(count, int)
        return count

    async def rows(self, table: Table, *, by_endpoint: bool = False) -> AsyncIterator[Sequence[Row]]:
        names = [name for name in COLUMNS[table] if not (by_endpoint and name == "body")]
        order = (_BY_ENDPOINT if by_endpoint else {}).get(table) or _ORDER.get(table, "number")
        statement = f"SELECT {', '.join(names)} FROM {_source(table)} ORDER BY {order}"  # noqa: S608 (constants)
        cursor = await (await self._connection.prepare(statement)).cursor()
        while records := await cursor.fetch(PORTION_MAX):
            yield [dict(record) for record in records]


def _source(table: Table) -> str:
    return _WHOLE.get(table, f"{SCHEMA}.{table}")


class _PostgresSnapshot(_PostgresRows, Snapshot):
    def __init__(self, connection: PlainConnection, taken_at: datetime) -> None:
        super().__init__(connection)
        self._taken_at = taken_at

    @property
    def taken_at(self) -> datetime:
        return self._taken_at

    async def kept_since(self) -> datetime | None:
        since_us = await self._connection.fetchval(_KEPT_SINCE)
        return instant_of(since_us) if since_us is not None else None

    async def examine(self, findings: Findings) -> None:
        await examine(self._connection, findings)


class _PostgresRestoration(_PostgresRows, Restoration):
    def __init__(self, connection: PlainConnection, now: datetime, shards: int) -> None:
        super().__init__(connection)
        self._now = now
        self._shards = shards
        self._days: set[Day] = set()

    async def write(self, table: Table, rows: Sequence[Row]) -> None:
        for row in rows:
            _check_texts(table, row)
        match table:
            case Table.SCHEDULE:
                await self._copy(table, [row | places for row, places in await self._placed(rows)])
            case Table.RUNS:
                await self._make_days(rows)
                await self._copy(table, rows)
            case _:
                await self._copy(table, rows)

    async def _copy(self, table: Table, rows: Sequence[Row]) -> None:
        names = list(rows[0])
        cells = [tuple(row[name] for name in names) for row in rows]
        try:
            await self._connection.copy_records_to_table(table.value, schema_name=SCHEMA, columns=names, records=cells)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise ConflictError(
                f"The rows of {table.value} contradict one another or those before them ({error}): "
                "`cronicorn verify` on the database to copy tells more."
            ) from error

    async def _placed(self, rows: Sequence[Row]) -> list[tuple[Row, Row]]:
        """*rows* of the schedule, each with what follows from its tenant and its endpoint."""
        found = await self._connection.fetch(_ENDPOINTS, [row["endpoint_number"] for row in rows])
        endpoints = {record["number"]: record for record in found}
        if missing := [row["endpoint_number"] for row in rows if row["endpoint_number"] not in endpoints]:
            raise ConflictError(f"The schedules {missing} have no endpoint: `cronicorn verify` tells more.")
        return [(row, self._place(row, endpoints[row["endpoint_number"]])) for row in rows]

    def _place(self, row: Row, endpoint: asyncpg.Record) -> Row:
        tenant_id = str(row["tenant_id"])
        try:
            host = host_of(endpoint_from(endpoint["document"], str(row["state"])).request.url)
        except UNREADABLE:
            host = ""  # It is never called.
        return {
            "endpoint_id": endpoint["id"],
            "shard": shard_of(tenant_id, self._shards),
            "bucket": bucket_of(tenant_id),
            "host": host,
        }

    async def _make_days(self, rows: Sequence[Row]) -> None:
        """A partition for each day in which one of the runs ended, so that pruning can drop it whole."""
        for day in {_day_of(row) for row in rows} - self._days:
            self._days.add(day)
            name = f"{SCHEMA}.{day.partition}"
            recent = self._now - DAYS_MAX < day.start <= self._now
            if recent and await self._connection.fetchval("SELECT to_regclass($1) IS NULL", name):
                bounds = f"FROM ({us(day.start)}) TO ({us(day.end)})"
                await self._connection.execute(f"CREATE TABLE {name} PARTITION OF {SCHEMA}.runs FOR VALUES {bounds}")


def _snapshot(connection: PlainConnection) -> Transaction:
    return connection.transaction(isolation="repeatable_read", readonly=True)


def _check_texts(table: Table, row: Row) -> None:
    for name, cell in row.items():
        if isinstance(cell, str) and "\0" in cell:
            key = COLUMNS[table][0]
            raise InvalidInputError(
                f"{name} of {table.value} {row[key]!r} holds a NUL character, which PostgreSQL can't keep: mend it in "
                "the database to copy."
            )


def _day_of(run: Row) -> Day:
    return Day(instant_of(number_in(run["finished_us"])).replace(hour=0, minute=0, second=0, microsecond=0))
