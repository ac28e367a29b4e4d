"""What happens to long transactions, listeners and migrations when the other end falls silent, or nothing goes on."""

import asyncio
import socket
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from cronicorn.adapters.postgres import notify
from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.keepalive import keep_alive, socket_of
from cronicorn.adapters.postgres.migration import migrate
from cronicorn.adapters.postgres.notify import Listener
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.partitions import _alone
from cronicorn.adapters.postgres.queries import altered
from cronicorn.domain.errors import UnavailableError
from tests.servers.databases import fresh_database
from tests.servers.proxy import proxy_to
from tests.waiting import eventually_async

_LIMITS = ("idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_keepalives_count")


async def test_the_snapshot_of_an_archive_ends_when_its_reader_freezes_or_vanishes(postgres_url):
    async def limits(snapshot):
        return [await snapshot._connection.fetchval(f"SELECT current_setting('{name}')") for name in _LIMITS]

    assert await PostgresArchive(postgres_url, PostgresOptions()).read(limits) == ["1h", "60", "4"]


async def test_the_system_asks_whether_a_silent_server_is_still_there(postgres_url):
    connection = await connect(postgres_url, PostgresOptions())

    keep_alive(connection)

    own = socket_of(connection)
    assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
    await connection.close()


async def test_the_connection_of_an_archive_is_kept_alive(postgres_url):
    async def kept_alive(snapshot):
        return socket_of(snapshot._connection).getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    assert await PostgresArchive(postgres_url, PostgresOptions()).read(kept_alive) == 1


async def test_a_listener_outlives_an_error_that_nobody_foresaw(postgres_url, monkeypatch, caplog):
    tries = []

    async def fail_once(url, options):
        tries.append(url)
        if len(tries) == 1:
            raise ValueError("unforeseen")
        return await connect(url, options)

    monkeypatch.setattr(notify, "connect", fail_once)
    woken = asyncio.Event()
    listener = Listener(postgres_url, PostgresOptions())

    listener.listen(woken.set, lambda: None)

    await eventually_async(woken.is_set)
    await listener.aclose()
    assert [record.message for record in caplog.records] == ["listener_crashed"]


async def test_a_database_that_does_not_get_the_newest_schema_is_not_opened(monkeypatch):
    async def overtaken(connection, options, wanted):
        """Nothing was done, as when another process is quicker."""

    monkeypatch.setattr("cronicorn.adapters.postgres.migration._change", overtaken)
    with (
        fresh_database(migrated=False) as url,
        pytest.raises(UnavailableError, match="by others at the same time"),
    ):
        await migrate(url)


async def test_who_makes_partitions_does_not_ask_a_dead_connection_to_roll_back(postgres_url):
    place, loop = urlsplit(postgres_url), asyncio.get_running_loop()
    timeout = timedelta(seconds=1)
    with proxy_to(place.port) as proxy:
        far_url = postgres_url.replace(f":{place.port}/", f":{proxy.port}/")
        database = await PostgresDatabase.open(far_url, PostgresOptions(statement_timeout=timeout))

        async def ask():
            async with database.connection() as connection, _alone(connection):
                proxy.black_hole()
                await connection.fetchval("SELECT 1")

        began = loop.time()
        with pytest.raises(UnavailableError):
            await ask()

        assert loop.time() - began < 1.8 * timeout.total_seconds()
        proxy.heal(lose=True)
        await database.aclose()


def test_a_variant_of_a_statement_that_would_be_the_statement_itself_is_refused():
    assert altered("SELECT 1", "1", "2") == "SELECT 2"
    with pytest.raises(AssertionError, match="nothing to replace: 3"):
        altered("SELECT 1", "3", "2")
