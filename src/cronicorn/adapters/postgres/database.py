"""The open database: a pool of connections for the event loop, and transactions on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self, TypeAlias, TypeVar

import asyncpg

from cronicorn.adapters.postgres.connecting import connect, connect_arguments
from cronicorn.adapters.postgres.faults import FAULTS, RETRIED, closed, translated
from cronicorn.adapters.postgres.options import Isolation, PostgresOptions
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.retries import until_won
from cronicorn.adapters.postgres.server import Server
from cronicorn.adapters.postgres.statement_time import NOW_US, judged_us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.ports import Clock

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What a piece of work gets: a connection inside a transaction, and the instant by the store's clock."""

    connection: Connection
    now: datetime
    shards: int = 1
    """Into so many parts the schedule falls."""
    judged_us: int | None = None
    """$1 of every statement that judges time."""


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
        """$1 of every statement that judges time."""
        return judged_us(self.judge)

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do *work* in a transaction, all or nothing. It is called again when the transaction lost against another."""
        serializable = self.options.isolation is Isolation.SERIALIZABLE
        return await self._in_transaction(work, "serializable" if serializable else "read_committed")

    async def alone(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do *work*, a statement that commits by itself. It is called again when that lost against another one."""

        async def attempt() -> T:
            async with self._connection() as connection:
                return await work(connection)

        with self._at_work():
            return await until_won(attempt)

    async def read(self, query: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run *query* on one snapshot of the database."""
        return await self._in_transaction(query, "repeatable_read", readonly=True)

    async def together(self, work: Callable[["PostgresDatabase"], Awaitable[T]]) -> T:
        """Do *work* with the same database, in which all that is written is one transaction.

        As `write`: all or nothing, and called again when it lost against another.
        """
        return await self.write(lambda transaction: work(_JoinedDatabase(self, self._pool, transaction)))

    def rehearsing(self) -> "PostgresDatabase":
        """The same database, in which nothing stays that is written."""
        return _RehearsingDatabase(
            self.url, self._pool, self.options, self.shards, server=self.server, judge=self.judge
        )

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

    async def _in_transaction(
        self, work: Callable[[Transaction], Awaitable[T]], isolation: IsolationLevel, *, readonly: bool = False
    ) -> T:
        async def attempt() -> T:
            async with self._connection() as connection, transaction_on(connection, isolation, readonly=readonly):
                instant_us = self.judged_us
                now = await self._begun_at(connection, instant_us)
                return await work(Transaction(connection=connection, now=now, shards=self.shards, judged_us=instant_us))

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

    async def _begun_at(self, connection: Connection, instant_us: int | None) -> datetime:
        idle_max = f"{self.options.statement_timeout // timedelta(milliseconds=1)}ms"
        return instant_of(await connection.fetchval(_BEGUN, instant_us, idle_max))


class _RehearsingDatabase(PostgresDatabase):
    """Does in full what is asked for, and takes it back."""

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        done: list[T] = []

        async def rehearsed(transaction: Transaction) -> None:
            done.append(await work(transaction))
            raise _TakenBackError

        with suppress(_TakenBackError):
            await super().write(rehearsed)
        return done[-1]

    async def alone(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        return await self.write(lambda transaction: work(transaction.connection))

    async def aclose(self) -> None:
        """The connections stay open for whoever writes."""


class _JoinedDatabase(PostgresDatabase):
    """Does all that is asked for in one transaction, piece by piece."""

    def __init__(
        self, database: PostgresDatabase, pool: "asyncpg.Pool[asyncpg.Record]", transaction: Transaction
    ) -> None:
        super().__init__(
            database.url, pool, database.options, database.shards, server=database.server, judge=database.judge
        )
        self._transaction = transaction
        self._one_at_a_time = asyncio.Lock()

    async def write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._one_at_a_time, self._transaction.connection.transaction():
            return await work(self._transaction)

    async def alone(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        return await self.write(lambda transaction: work(transaction.connection))

    async def read(self, query: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self.write(query)

    async def aclose(self) -> None:
        """The connections stay open for whoever else writes."""


class _TakenBackError(Exception):
    """Ends a transaction of which nothing shall stay."""


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
