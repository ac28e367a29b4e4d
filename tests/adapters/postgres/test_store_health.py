"""A look at the health of a database leaves nothing behind and waits for nobody."""

import asyncio
import secrets
from urllib.parse import urlsplit

import asyncpg
import pytest

from cronicorn.adapters.postgres.migration import LOCK
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.errors import UnavailableError
from cronicorn.testing.clocks import VirtualClock
from tests.servers.databases import ask

PLACES = """
SELECT 'alembic_version', ctid::text, xmin::text, xmax::text FROM cronicorn.alembic_version UNION ALL
SELECT 'installation', ctid::text, xmin::text, xmax::text FROM cronicorn.installation ORDER BY 1
"""


@pytest.fixture
async def stores(postgres_url):
    opened = await PostgresStores.open(postgres_url, VirtualClock())
    yield opened
    await opened.aclose()


@pytest.fixture
async def beside(postgres_url):
    """A connection of somebody else."""
    connection = await asyncpg.connect(postgres_url)
    yield connection
    await connection.close()


async def test_a_look_writes_no_row(stores, beside):
    before = [tuple(record) for record in await beside.fetch(PLACES)]

    for _ in range(3):
        await stores.health.ping()

    assert [tuple(record) for record in await beside.fetch(PLACES)] == before


async def test_a_look_waits_for_nobody_who_makes_tables_or_holds_rows(stores, beside):
    async with beside.transaction():
        await beside.execute(LOCK)
        await beside.execute("SELECT 1 FROM cronicorn.alembic_version FOR UPDATE")
        await beside.execute("SELECT 1 FROM cronicorn.installation FOR UPDATE")
        async with asyncio.timeout(2):
            await stores.health.ping()


async def test_a_user_who_may_not_write_schedules_is_told(fresh_postgres_url):
    role = f"cronicorn_test_{secrets.token_hex(4)}"
    parts = urlsplit(fresh_postgres_url)
    url = parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}").geturl()
    owner = await asyncpg.connect(fresh_postgres_url)
    await owner.execute(f'CREATE ROLE "{role}" LOGIN; GRANT USAGE ON SCHEMA cronicorn TO "{role}"')
    await owner.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA cronicorn TO "{role}"')
    reader = await PostgresStores.open(url, VirtualClock(), existing=True)
    try:
        assert await reader.keys.tenants() == []
        with pytest.raises(UnavailableError, match="GRANT it the tables"):
            await reader.health.ping()
    finally:
        await reader.aclose()
        await owner.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')
        await owner.close()


async def test_tables_that_are_gone_are_missed(fresh_postgres_url):
    opened = await PostgresStores.open(fresh_postgres_url, VirtualClock())
    ask(_drop(fresh_postgres_url))

    with pytest.raises(UnavailableError, match="has lost its tables"):
        await opened.health.ping()
    await opened.aclose()


async def _drop(url):
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA cronicorn CASCADE")
    await connection.close()
