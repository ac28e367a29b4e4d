"""The open database: a pool of connections for the event loop, transactions, and what goes wrong in them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ssl import SSLError
from typing import Literal, Self, TypeAlias, TypedDict, TypeVar

import asyncpg

from cronicorn.adapters.postgres.faults import FAULTS, RETRIED, closed, misread_url, translated
from cronicorn.adapters.postgres.queries import Connection, PlainConnection
from cronicorn.adapters.postgres.retries import until_won
from cronicorn.adapters.postgres.server import Server
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.ports import Clock

CONNECTIONS_MAX_DEFAULT = 8
_STATEMENTS_KEPT = 200
NOW_US = "coalesce($1::bigint, (extract(epoch FROM now()) * 1000000)::bigint)"
"""The instant, in microseconds, in every statement that judges time; $1 is `PostgresDatabase.judged_us`."""

_SPOILED = (
    # Nobody knows what became of the statement: the next one would wait for it as long again, or find itself inside of
    # what it had begun.
    TimeoutError,
    asyncio.CancelledError,
    asyncpg.InternalClientError,
    # A new connection may lead to the server that takes writes by now.
    asyncpg.ReadOnlySQLTransactionError,
)
"""After these a connection is not used again."""
_BEGUN = f"SELECT {NOW_US}, set_config('idle_in_transaction_session_timeout', $2, true)"
"""A process that freezes in the middle of a transaction must not keep rows locked."""

IsolationLevel: TypeAlias = Literal["read_committed", "repeatable_read", "serializable"]

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
    shards: int = 1
    """Into so many parts the schedule falls."""
    judged: bool = False
    """Whether another clock than the database's counts."""


class PostgresDatabase:
    """A pool of connections to one database, which has its newest schema."""

    def __init__(
        self,
        url: str,
        pool: "asyncpg.Pool[asyncpg.Record]",
        options: PostgresOptions,
        shards: int,
        *,
        server: Server,
        judge: Clock | None = None,
    ) -> None:
        self.url = url
        self.options = options
        self.shards = shards
        """Into so many parts the schedule falls."""
        self.server = server
        """Who answers."""
        self.judge = judge
        """Judges leases in the place of the database's clock; None but in tests."""
        self._pool = pool
        self._closing = False
        self._begun = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    async def open(cls, url: str, options: PostgresOptions, judge: Clock | None = None) -> Self:
        """Connect to a database that `migrate` made ready. Raises UnavailableError, InvalidInputError for another URL.

        *judge* judges leases in the place of the database's clock: in tests.
        """
        connection, server = await connect(url, options), Server()
        try:
            shards = await shards_of(connection)
            pool = await asyncpg.create_pool(
                url, min_size=0, max_size=options.connections_max, init=server.meet, reset=_left_as_it_was,
                **connect_arguments(options),
            )  # fmt: skip
        except FAULTS as error:
            raise translated(error) from error
        finally:
            connection.terminate()
        return cls(url, pool, options, shards, server=server, judge=judge)

    @property
    def judged_us(self) -> int | None:
        """$1 of every statement that judges time: None where the database's clock counts."""
        return us(self.judge.now()) if self.judge is not None else None

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do *work* in a transaction, all or nothing. It is called again when the transaction lost against another."""
        serializable = self.options.isolation is Isolation.SERIALIZABLE
        return await self._again(work, "serializable" if serializable else "read_committed")

    async def alone(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do *work*, a statement that commits by itself. It is called again when that lost against another one."""

        async def attempt() -> T:
            async with self._connection() as connection:
                return await work(connection)

        with self._at_work():
            return await until_won(attempt)

    async def read(self, query: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run *query* on one snapshot of the database."""
        return await self._again(query, "repeatable_read", readonly=True)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for the block, outside any transaction. What fails in it is raised as a domain error.

        Errors in RETRIED come as they are.
        """
        with self._at_work():
            async with self._connection() as connection:
                yield connection

    async def aclose(self) -> None:
        """Finish what was begun, then close all connections. Closing again does nothing.

        It takes no longer than a statement may: whoever waits for a server that is away is told so.
        """
        self._closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self.options.statement_timeout.total_seconds()):
                await self._idle.wait()
                await self._pool.close()
        self._pool.terminate()

    async def _again(
        self, work: Callable[[Transaction], Awaitable[T]], isolation: IsolationLevel, *, readonly: bool = False
    ) -> T:
        async def attempt() -> T:
            async with self._connection() as connection, transaction_on(connection, isolation, readonly=readonly):
                now, judged = await self._now(connection), self.judge is not None
                return await work(Transaction(connection=connection, now=now, shards=self.shards, judged=judged))

        with self._at_work():
            return await until_won(attempt)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """What `aclose` waits for."""
        if self._closing:
            raise closed()
        self._begun += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._begun -= 1
            if not self._begun:
                self._idle.set()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with self._pool.acquire(timeout=self.options.connect_timeout.total_seconds()) as connection:
                try:
                    yield connection
                except _SPOILED:
                    connection.terminate()
                    raise
        except RETRIED:
            raise
        except FAULTS as error:
            raise translated(error) from error

    async def _now(self, connection: Connection) -> datetime:
        idle_max = f"{self.options.statement_timeout // timedelta(milliseconds=1)}ms"
        return instant_of(await connection.fetchval(_BEGUN, self.judged_us, idle_max))


async def connect(url: str, options: PostgresOptions) -> PlainConnection:
    """A connection of one's own, beside any pool. Raises UnavailableError, InvalidInputError for another URL."""
    try:
        return await asyncpg.connect(url, **connect_arguments(options))
    except SSLError as error:  # Some are ValueErrors as well.
        raise translated(error) from error
    except (ValueError, asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError):
        raise misread_url() from None
    except FAULTS as error:
        raise translated(error) from error


async def shards_of(connection: Connection) -> int:
    """Into how many parts the schedule falls, as was chosen when the database was made."""
    shards = await connection.fetchval("SELECT shards FROM cronicorn.installation")
    assert isinstance(shards, int)
    return shards


@asynccontextmanager
async def transaction_on(
    connection: Connection, isolation: IsolationLevel, *, readonly: bool = False
) -> AsyncIterator[None]:
    """A transaction for the block; committed unless the block raises."""
    transaction = connection.transaction(isolation=isolation, readonly=readonly)
    await transaction.start()
    try:
        yield
    except TimeoutError:
        raise  # `connection` drops the connection, and the server the transaction.
    except BaseException:
        if not connection.is_closed():
            await transaction.rollback()
        raise
    await transaction.commit()


async def _left_as_it_was(_: Connection) -> None:
    """Nobody changes the session, so that nothing has to be put back before the next one gets it."""


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
