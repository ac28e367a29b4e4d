"""The days into which runs fall: made ahead, dropped whole when they are old.

Runs that end in no such day, because nobody made it in time or a clock is far off, fall into a partition for the rest.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction, transaction_on
from cronicorn.adapters.postgres.faults import RETRIED
from cronicorn.adapters.postgres.migration import LOCK
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.fields import us
from cronicorn.domain.instant import shifted

DAY = timedelta(days=1)
DAYS_AHEAD = 7
_REST = "runs_default"
_NAME = "runs_%Y%m%d"
_ALL = """
SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'cronicorn.runs'::regclass
"""
_STRAY = "SELECT EXISTS (SELECT FROM cronicorn.runs_default WHERE finished_us >= $1 AND finished_us < $2)"
_PATIENCE = "SET LOCAL lock_timeout = '200ms'; SET LOCAL idle_in_transaction_session_timeout = '10s'"
"""Whoever waits for a lock on the table keeps all others from it; whoever freezes with one must not keep it."""
_COUNT_PATIENCE_S = 600.0
_HELD_UP: tuple[type[Exception], ...] = (
    asyncpg.LockNotAvailableError,  # Somebody reads the table for long, or is at this as well.
    asyncpg.CheckViolationError,  # A run of a missing day was recorded just now.
    asyncpg.InsufficientPrivilegeError,  # The table belongs to another role.
    *RETRIED,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """One day by UTC, whose runs have a partition of their own."""

    start: datetime

    @property
    def end(self) -> datetime:
        return shifted(self.start, DAY)

    @property
    def partition(self) -> str:
        return self.start.strftime(_NAME)


class Partitions:
    """Makes and drops days. What can't be done now is logged, and left for the next time."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def make_ahead(self) -> None:
        """Make the days from today on."""
        await self.make(await self._database.read(_now), DAYS_AHEAD)

    async def make(self, first: datetime, further: int) -> None:
        """Make what is missing of the day of *first* and the *further* ones after it.

        A day that has runs among the rest is left out: what else ends in it joins them.
        """
        start = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        wanted = [Day(shifted(start, number * DAY)) for number in range(further + 1)]
        async with self._database.connection() as connection:
            if set(wanted) <= await _days(connection):
                return
            try:
                async with _alone(connection):
                    there = await _days(connection)
                    for day in wanted:
                        if day not in there:
                            await _make(connection, day)
            except _HELD_UP as error:
                log.warning("partitions_not_made", extra={"reason": str(error)})

    async def drop(self, before: datetime) -> int:
        """Drop the days that ended before *before* or then; answer how many runs went with them."""
        dropped = 0
        async with self._database.connection() as connection:
            try:
                for day in sorted(await _days(connection)):
                    if day.end > before:
                        break
                    dropped += await _drop(connection, day)
            except _HELD_UP as error:
                log.warning("partitions_not_dropped", extra={"reason": str(error)})
        return dropped


async def _now(transaction: Transaction) -> datetime:
    return transaction.now


async def _days(connection: Connection) -> set[Day]:
    names = [record[0] for record in await connection.fetch(_ALL)]
    return {Day(datetime.strptime(name, _NAME).replace(tzinfo=UTC)) for name in names if name != _REST}


async def _make(connection: Connection, day: Day) -> None:
    if await connection.fetchval(_STRAY, us(day.start), us(day.end)):
        return
    # A table that is attached needs a weaker lock than one that is made as a part: settlements go on.
    await connection.execute(f"CREATE TABLE cronicorn.{day.partition} (LIKE cronicorn.runs INCLUDING ALL)")
    await connection.execute(
        f"ALTER TABLE cronicorn.runs ATTACH PARTITION cronicorn.{day.partition} "
        f"FOR VALUES FROM ({us(day.start)}) TO ({us(day.end)})"
    )


async def _drop(connection: Connection, day: Day) -> int:
    count = f"SELECT count(*) FROM cronicorn.{day.partition}"  # noqa: S608 - a name of ours
    runs = await connection.fetchval(count, timeout=_COUNT_PATIENCE_S)
    assert isinstance(runs, int)
    async with _alone(connection):
        await connection.execute(f"DROP TABLE IF EXISTS cronicorn.{day.partition}")
    return runs


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """A transaction for the block, in which nobody else makes or drops tables."""
    async with transaction_on(connection, "read_committed"):
        await connection.execute(_PATIENCE)
        await connection.execute(LOCK)
        yield
