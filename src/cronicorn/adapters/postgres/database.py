"""The open database: a pool of connections for the event loop, transactions, and what goes wrong in them."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, TypedDict, TypeVar

import asyncpg

from cronicorn.adapters.postgres.faults import FAULTS, OPENING_FAULTS, RETRIED, translated
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.ports import Clock

CONNECTIONS_MAX_DEFAULT = 8
ATTEMPTS_MAX = 20
"""So often a transaction that lost against another one is tried again."""
_STATEMENTS_KEPT = 200
NOW_US = "coalesce($1::bigint, (extract(epoch FROM now()) * 1000000)::bigint)"
"""The instant, in microseconds, in every statement that judges time; $1 is `PostgresDatabase.judged_us`."""

T = TypeVar("T")


class Feature(StrEnum):
    """What a server may lack although it speaks PostgreSQL's protocol."""

    SKIP_LOCKED = "skip_locked"
    """`FOR UPDATE SKIP LOCKED` that skips what is locked and nothing else."""
    NOTIFY = "notify"
    """LISTEN and NOTIFY on a connection of one's own: not behind a pooler in transaction mode."""
    PREPARED = "prepared"
    """Prepared statements that outlive a transaction: not behind an old pooler in transaction mode."""


class Isolation(StrEnum):
    """How transactions are kept apart."""

    READ_COMMITTED = "read committed"
    SERIALIZABLE = "serializable"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOptions:
    """What an owner may choose of the connection."""

    without: frozenset[Feature] = frozenset()
    isolation: Isolation = Isolation.READ_COMMITTED
    connections_max: int = CONNECTIONS_MAX_DEFAULT
    connect_timeout: timedelta = timedelta(seconds=5)
    statement_timeout: timedelta = timedelta(seconds=10)
    """After so long without an answer a connection counts as dead and is dropped."""
    shards: int = 1
    """Into how many parts a new database's schedule falls; an existing one keeps what it has."""

    def has(self, feature: Feature) -> bool:
        return feature not in self.without


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What a piece of work gets: a connection inside a transaction, and the instant by the store's clock."""

    connection: Connection
    now: datetime


class PostgresDatabase:
    """A pool of connections to one database."""

    def __init__(
        self, url: str, pool: "asyncpg.Pool[asyncpg.Record]", options: PostgresOptions, judge: Clock | None
    ) -> None:
        self.url = url
        self.options = options
        self._pool = pool
        self._judge = judge
        self._random = random.Random()  # noqa: S311 - spreads retries

    @classmethod
    async def open(cls, url: str, options: PostgresOptions, judge: Clock | None = None) -> Self:
        """Connect. *judge* judges leases in the place of the database's clock: in tests. Raises UnavailableError."""
        try:
            pool = await asyncpg.create_pool(
                url, min_size=0, max_size=options.connections_max, **connect_arguments(options)
            )
        except OPENING_FAULTS as error:
            raise translated(error) from error
        return cls(url, pool, options, judge)

    @property
    def judged_us(self) -> int | None:
        """$1 of every statement that judges time: None where the database's clock counts."""
        return us(self._judge.now()) if self._judge is not None else None

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do *work* in a transaction, all or nothing. It is called again when the transaction lost against another."""
        for attempt in range(ATTEMPTS_MAX):
            try:
                async with self.connection() as connection, connection.transaction():
                    return await work(Transaction(connection=connection, now=await self._now(connection)))
            except RETRIED as error:
                if attempt == ATTEMPTS_MAX - 1:
                    raise translated(error) from error
            await asyncio.sleep(self._random.uniform(0, 0.01 * (attempt + 1)))
        raise AssertionError

    async def read(self, query: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run *query* on one snapshot of the database."""
        return await self.write(query)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for the block, outside any transaction. What fails in it is raised as a domain error.

        Errors in RETRIED come as they are.
        """
        try:
            async with self._pool.acquire(timeout=self.options.connect_timeout.total_seconds()) as connection:
                yield connection
        except RETRIED:
            raise
        except FAULTS as error:
            raise translated(error) from error

    async def aclose(self) -> None:
        """Close all connections. Closing again does nothing."""
        self._pool.terminate()

    async def _now(self, connection: Connection) -> datetime:
        return instant_of(await connection.fetchval(f"SELECT {NOW_US}", self.judged_us))


class ConnectArguments(TypedDict):
    """What asyncpg is told of each connection."""

    timeout: float
    command_timeout: float
    statement_cache_size: int
    server_settings: dict[str, str]


def connect_arguments(options: PostgresOptions) -> ConnectArguments:
    """How a connection is made, in the pool or beside it."""
    serializable = options.isolation is Isolation.SERIALIZABLE
    return {
        "timeout": options.connect_timeout.total_seconds(),
        "command_timeout": options.statement_timeout.total_seconds(),
        "statement_cache_size": _STATEMENTS_KEPT if options.has(Feature.PREPARED) else 0,
        "server_settings": {"default_transaction_isolation": options.isolation.value} if serializable else {},
    }
