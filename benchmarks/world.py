"""The product under measure: its stores, its dispatcher and its scheduler, over a fresh database."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.adapters.http.dispatcher import CurlDispatcher
from cronicorn.adapters.http.egress import Egress
from cronicorn.adapters.http.limits import DispatcherLimits
from cronicorn.adapters.http.resolver import Resolver
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.cells import Row
from cronicorn.domain.ports import Dispatcher
from cronicorn.scheduler.loop import Scheduler
from cronicorn.scheduler.settings import SchedulerSettings
from cronicorn.wiring.collector import collect_rarely
from cronicorn.wiring.database_url import DatabaseUrl, parse_database_url
from cronicorn.wiring.stores import Stores, open_stores

CALLS_MAX = 100
_LAST_NUMBER = {
    "sqlite": "SELECT coalesce(max(number), 0) FROM runs",
    "postgresql": "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM cronicorn.runs_number",
}
"""Runs are numbered one by one: how many there were, without counting them."""
_SERVER = "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A store of the product, and how to work on it."""

    url: DatabaseUrl
    stores: Stores

    @asynccontextmanager
    async def scheduler(self, worker_id: str = "bench", calls_max: int = CALLS_MAX) -> AsyncIterator[Scheduler]:
        """The product's scheduler with the product's dispatcher, running."""
        collect_rarely(calls_max)
        async with curl(calls_max) as dispatcher:
            settings = SchedulerSettings(worker_id=worker_id, calls_max=calls_max, drain_grace=timedelta(seconds=5))
            scheduler = Scheduler(self.stores.job_store, dispatcher, SystemClock(), CronsimCron(), settings)
            task = asyncio.create_task(scheduler.run())
            try:
                yield scheduler
            finally:
                scheduler.stop()
                await task


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[World]:
    """The store that *url* names, for as long as the block lasts."""
    logging.getLogger("cronicorn").setLevel(logging.ERROR)
    database = parse_database_url(url)
    stores = await open_stores(database, SystemClock())
    collect_rarely(CALLS_MAX)  # As a process of the product does when it has started.
    try:
        yield World(url=database, stores=stores)
    finally:
        await stores.aclose()


@contextmanager
def sqlite_file() -> Iterator[str]:
    """The URL of a SQLite file that is not there yet, and is gone at the end of the block."""
    with TemporaryDirectory() as folder:
        yield f"sqlite:{Path(folder) / 'bench.db'}"


class Rows:
    """What stands in a store, read past the product, over a connection of one's own."""

    def __init__(self, connection: "sqlite3.Connection | PlainConnection") -> None:
        self._connection = connection
        self._schema = "" if isinstance(connection, sqlite3.Connection) else "cronicorn."

    async def last_run(self) -> int:
        """The number of the run recorded last, or 0."""
        backend = "postgresql" if self._schema else "sqlite"
        return int((await self._first(_LAST_NUMBER[backend]))[0])

    async def successes(self) -> int:
        """How many runs succeeded."""
        return int((await self._first(f"SELECT count(*) FROM {self._schema}runs WHERE status = 'success'"))[0])

    async def server(self) -> int | None:
        """The process of the database server, if there is one."""
        return int((await self._first(_SERVER))[0]) if self._schema else None

    async def written(self) -> int:
        """Bytes so far: by this process to files, or by the database server to its write-ahead log."""
        if self._schema:
            return int((await self._first("SELECT pg_current_wal_lsn() - '0/0'"))[0])
        return _written_to_files()

    async def run(self) -> Row:
        """The columns of the run recorded last."""
        return dict(await self._first(f"SELECT * FROM {self._schema}runs ORDER BY number DESC LIMIT 1"))

    async def schedule(self) -> Row:
        """The columns of a row of `schedule`, any."""
        return dict(await self._first(f"SELECT * FROM {self._schema}schedule LIMIT 1"))

    async def _first(self, statement: str) -> "sqlite3.Row | asyncpg.Record":
        if isinstance(self._connection, sqlite3.Connection):
            found: sqlite3.Row | asyncpg.Record | None = self._connection.execute(statement).fetchone()
        else:
            found = await self._connection.fetchrow(statement)
        assert found is not None
        return found


@asynccontextmanager
async def rows_of(url: str) -> AsyncIterator[Rows]:
    """Read what stands in the store that *url* names."""
    database = parse_database_url(url)
    if database.backend == "postgresql":
        server = await asyncpg.connect(database.connection)
        try:
            yield Rows(server)
        finally:
            await server.close()
        return
    file = sqlite3.connect(database.file, isolation_level=None)
    file.row_factory = sqlite3.Row
    try:
        yield Rows(file)
    finally:
        file.close()


@asynccontextmanager
async def curl(calls_max: int = CALLS_MAX) -> AsyncIterator[Dispatcher]:
    """The product's dispatcher, allowed to call this machine."""
    policy = EgressPolicy((ip_network("127.0.0.0/8"),))
    dispatcher = CurlDispatcher(
        egress=Egress(policy), resolver=Resolver(), limits=DispatcherLimits.within(6 * calls_max)
    )
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()


def _written_to_files() -> int:
    """Bytes, by this process; what goes to sockets by `send` is not among them."""
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="utf-8").splitlines())
    return int(counts["wchar"])
