"""What a caller hears when the server can't be used, what is left of what it asked for, and that all is well again."""

import asyncio
import traceback
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest

from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.errors import CronicornError, InvalidInputError, NotFoundError, UnavailableError
from cronicorn.domain.fixtures import a_job
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TENANT, TTL, claim, claim_one, plant, rename, settle
from tests.servers.postgres import StopMode, restartable_server
from tests.servers.process import free_port

PASSWORD = "s3cret"
IMPATIENT = PostgresOptions(connect_timeout=timedelta(seconds=1), statement_timeout=timedelta(seconds=1))
BOUND_S = 4.0
"""A connection is waited for, then a statement, with some time to spare on a busy machine."""


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def stores(clock, fresh_postgres_url):
    stores = await PostgresStores.open(fresh_postgres_url, clock)
    yield stores
    await stores.aclose()


@pytest.fixture(scope="module")
def server():
    with restartable_server(max_connections="12", superuser_reserved_connections="0") as server:
        yield server


@pytest.fixture
async def on_server(server, clock):
    """Stores on a server that may be frozen or stopped."""
    stores = await PostgresStores.open(server.url(), clock, IMPATIENT)
    yield stores
    await stores.aclose()


async def _works_again(stores):
    """Ask until the answer is right; the connections from before may each fail once."""
    failures = []

    async def work():
        while True:
            try:
                await stores.health.ping()
            except UnavailableError as error:
                failures.append(error)
                assert len(failures) < 50, failures[-1]
                await asyncio.sleep(0)
            else:
                return

    async with asyncio.timeout(20):
        await work()
    await stores.jobs.list(TENANT)


async def _refusal(url, options=IMPATIENT):
    """What opening *url* raises; it says nothing of the password, nor do its causes."""
    with pytest.raises(CronicornError) as refused:
        await PostgresStores.open(url, options=options)
    assert PASSWORD not in "".join(traceback.format_exception(refused.value))
    return refused.value


class TestOpening:
    async def test_where_nothing_listens(self):
        refusal = await _refusal(f"postgresql://postgres:{PASSWORD}@127.0.0.1:{free_port()}/cronicorn")

        assert isinstance(refusal, UnavailableError)
        assert "can't be reached" in str(refusal)

    async def test_a_host_that_nobody_knows(self):
        refusal = await _refusal(f"postgresql://postgres:{PASSWORD}@nowhere.invalid/cronicorn")

        assert isinstance(refusal, UnavailableError)

    async def test_a_database_that_is_not_there(self, fresh_postgres_url):
        url = urlsplit(fresh_postgres_url)._replace(path="/nowhere").geturl()

        assert "create it, or name another" in str(await _refusal(url))

    async def test_a_wrong_password(self, server):
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE ROLE picky LOGIN PASSWORD 'right'")
        hba = await connection.fetchval("SHOW hba_file")
        with open(hba, "r+") as file:  # noqa: ASYNC230, PTH123
            text = file.read()
            file.seek(0)
            file.write(f"host all picky all scram-sha-256\n{text}")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

        refusal = await _refusal(server.url().replace("postgres@", f"picky:{PASSWORD}@"))

        assert "check name and password" in str(refusal)

    @pytest.mark.parametrize(
        "url",
        [
            f"postgresql://u:{PASSWORD}#w@host/db",
            f"mysql://u:{PASSWORD}@host/db",
            f"postgresql://u:{PASSWORD}@host:{PASSWORD}/db",
            f"postgresql://u:{PASSWORD}[@host/db",
            "nonsense",
        ],
    )
    async def test_a_url_that_can_not_be_read(self, url):
        refusal = await _refusal(url)

        assert isinstance(refusal, InvalidInputError)
        assert "with %XX for whatever in the password" in str(refusal)

    async def test_a_server_without_a_free_connection(self, server):
        taken = []
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                taken.append(await asyncpg.connect(server.url()))

        refusal = await _refusal(server.url())

        for connection in taken:
            await connection.close()
        assert "allow it more, or give each process fewer" in str(refusal)

    async def test_a_frozen_server(self, server):
        server.pause()
        try:
            async with asyncio.timeout(BOUND_S):
                refusal = await _refusal(server.url())
        finally:
            server.resume()

        assert "doesn't answer in time" in str(refusal)


class TestReadOnly:
    @pytest.fixture
    async def read_only(self, fresh_postgres_url):
        """Make the database one that may only be read, or no longer."""

        async def say(value):
            connection = await asyncpg.connect(fresh_postgres_url)
            await connection.execute("SET default_transaction_read_only = off")
            name = await connection.fetchval("SELECT current_database()")
            await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
            await connection.close()

        return say

    async def test_the_store_says_so_and_works_again_when_it_may_be_written(
        self, stores, clock, read_only, fresh_postgres_url
    ):
        await plant(stores)
        await read_only("on")
        other = await PostgresStores.open(fresh_postgres_url, clock)
        with pytest.raises(UnavailableError, match="may only be read"):
            await other.health.ping()
        with pytest.raises(UnavailableError, match="may only be read"):
            await rename(other, "other")
        assert len(await other.jobs.list(TENANT)) == 1

        await read_only("off")

        await _works_again(other)
        assert (await rename(other, "other")).name == "other"
        await other.aclose()

    async def test_an_empty_database_is_refused(self, read_only, fresh_postgres_url):
        connection = await asyncpg.connect(fresh_postgres_url)
        await connection.execute("DROP SCHEMA cronicorn CASCADE")
        await connection.close()
        await read_only("on")

        assert "may only be read" in str(await _refusal(fresh_postgres_url))


class TestOutages:
    async def test_a_server_that_was_stopped_and_started(self, server, on_server, clock):
        await _emptied(on_server)
        await plant(on_server)
        clock.advance(MINUTE)
        lease = await claim_one(on_server)
        server.stop()
        try:
            for call in (
                on_server.health.ping(),
                rename(on_server, "other"),
                claim(on_server),
                settle(on_server, lease),
            ):
                with pytest.raises(UnavailableError):
                    await call
            with pytest.raises(UnavailableError):
                on_server.job_store.renew([lease], ttl=TTL)
        finally:
            server.start()

        await _works_again(on_server)
        assert on_server.job_store.renew([lease], ttl=TTL).lost == frozenset()
        await settle(on_server, lease)

    async def test_a_server_that_crashed(self, server, on_server):
        server.stop(StopMode.IMMEDIATE)
        server.start()

        await _works_again(on_server)

    async def test_a_frozen_server_keeps_nobody_waiting_for_long(self, server, on_server):
        await on_server.health.ping()
        server.pause()
        try:
            for call in (on_server.health.ping, lambda: on_server.jobs.list(TENANT), lambda: claim(on_server)):
                async with asyncio.timeout(2 * BOUND_S):
                    with pytest.raises(UnavailableError, match="doesn't answer in time"):
                        await call()
        finally:
            server.resume()

        await _works_again(on_server)

    async def test_a_store_on_a_frozen_server_is_closed_all_the_same(self, server, clock):
        stores = await PostgresStores.open(server.url(), clock, IMPATIENT)
        stores.listen(lambda: None, lambda: None)
        await stores.health.ping()
        server.pause()
        try:
            asking = asyncio.create_task(stores.health.ping())
            await asyncio.sleep(0)
            async with asyncio.timeout(2 * BOUND_S):
                await stores.aclose()
                with pytest.raises(UnavailableError):
                    await asking
        finally:
            server.resume()


class TestClosing:
    async def test_what_was_begun_is_finished(self, stores, fresh_postgres_url):
        begun = asyncio.Event()

        async def slow(transaction):
            begun.set()
            await transaction.connection.execute("SELECT pg_sleep(0.3)")
            return await transaction.connection.fetchval("SELECT 7")

        working = asyncio.create_task(stores.database.write(slow))
        await begun.wait()
        await stores.aclose()

        assert working.done()
        assert await working == 7

    async def test_what_lost_against_another_is_done_again_even_so(self, stores):
        begun, attempts = asyncio.Event(), []

        async def losing(_):
            attempts.append(1)
            begun.set()
            if len(attempts) < 3:
                raise asyncpg.SerializationError
            return 7

        working = asyncio.create_task(stores.database.write(losing))
        await begun.wait()
        await stores.aclose()

        assert await working == 7

    async def test_a_closed_store_says_so(self, stores, clock):
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await stores.aclose()
        await stores.aclose()

        for call in (claim(stores), stores.job_store.next_due(), stores.health.ping(), stores.jobs.list(TENANT)):
            with pytest.raises(UnavailableError, match="closed: open it again"):
                await call
        with pytest.raises(UnavailableError, match="closed: open it again"):
            stores.job_store.renew([lease], ttl=TTL)


class TestTexts:
    @pytest.mark.parametrize(("text", "complaint"), [("a\0b", "NUL character"), ("\ud800", "surrogate")])
    async def test_one_that_no_column_can_hold_is_refused_alone(self, stores, text, complaint):
        for job in (a_job(name=text), a_job(description=text), a_job(id=text)):
            with pytest.raises(InvalidInputError, match=complaint):
                await stores.jobs.add(job)
        with pytest.raises((InvalidInputError, NotFoundError)):
            await stores.jobs.get(TENANT, text)

        await stores.jobs.add(a_job())
        assert len(await stores.jobs.list(TENANT)) == 1


async def _emptied(stores):
    async with stores.database.connection() as connection:
        await connection.execute("TRUNCATE cronicorn.schedule, cronicorn.runs; DELETE FROM cronicorn.endpoints")
        await connection.execute("DELETE FROM cronicorn.jobs")


async def test_tables_that_were_dropped_are_missed_in_words(stores):
    async with stores.database.connection() as connection:
        await connection.execute("DROP SCHEMA cronicorn CASCADE")

    with pytest.raises(UnavailableError, match="has lost its tables"):
        await stores.jobs.list(TENANT)


async def test_a_statement_that_is_wrong_is_a_mistake_and_no_outage(stores):
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await stores.database.write(lambda transaction: transaction.connection.execute("SELEKT"))


async def test_sessions_that_the_server_ends_are_replaced(stores, fresh_postgres_url):
    await asyncio.gather(*(stores.health.ping() for _ in range(4)))
    connection = await asyncpg.connect(fresh_postgres_url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()

    await _works_again(stores)
