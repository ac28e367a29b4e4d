"""A database gets the newest schema when it is opened, once, whoever else opens it."""

import secrets
import subprocess
import sys
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_mock_engine
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from cronicorn.adapters.postgres.alert_schema import metadata
from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.migration import MIGRATIONS, migrate
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.schema import REVISION
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fixtures import a_job
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import contents
from tests.adapters.backfilling import COUNTED, FORGET, live, statements_of
from tests.servers.databases import ask, fresh_database

PROCESSES = 6
OPEN_AND_ADD = """
import asyncio, sys
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.fixtures import a_job

async def main(url, job_id):
    print("ready", flush=True)
    sys.stdin.readline()
    stores = await PostgresStores.open(url)
    await stores.jobs.add(a_job(id=job_id))
    await stores.aclose()

asyncio.run(main(*sys.argv[1:]))
"""
CATALOG = {
    "tables": """
        SELECT c.relname, c.relkind::text, c.reloptions, pg_get_partkeydef(c.oid) FROM pg_class AS c
         WHERE c.relnamespace = 'cronicorn'::regnamespace AND c.relkind IN ('r', 'p', 'S') AND NOT c.relispartition""",
    "columns": """
        SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default, is_identity,
               identity_generation, character_maximum_length
          FROM information_schema.columns WHERE table_schema = 'cronicorn'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'cronicorn'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'cronicorn'",
}
NOT_DESCRIBED = ("alembic_version", "runs_default")


@pytest.fixture
def bare_url():
    with fresh_database(migrated=False) as url:
        yield url


async def _ask(url, query, *arguments):
    connection = await asyncpg.connect(url)
    try:
        return [tuple(record) for record in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def _catalog(url):
    found = {name: await _ask(url, query) for name, query in CATALOG.items()}
    return {
        name: sorted(str(row) for row in rows if not row[0].removeprefix("cronicorn.").startswith(NOT_DESCRIBED))
        for name, rows in found.items()
    }


async def _make_what_the_code_uses(url):
    statements = ["CREATE SCHEMA cronicorn"]
    spoken = dialect.dialect()
    engine = create_mock_engine(
        "postgresql://", lambda each, *_, **__: statements.append(str(each.compile(dialect=spoken)))
    )
    metadata.create_all(engine, checkfirst=False)
    connection = await asyncpg.connect(url)
    await connection.execute(";".join(statements))
    await connection.close()


async def test_the_migrations_end_in_the_schema_that_the_code_uses(bare_url):
    await migrate(bare_url)
    with fresh_database(migrated=False) as made_url:
        await _make_what_the_code_uses(made_url)
        described = await _catalog(made_url)

    migrated = await _catalog(bare_url)
    for name in CATALOG:
        assert migrated[name] == described[name]
        assert described[name]


def test_the_newest_migration_is_the_one_the_code_expects():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == REVISION


async def test_what_was_stored_is_there_when_the_database_is_opened_again(bare_url):
    first = await PostgresStores.open(bare_url, VirtualClock())
    await first.jobs.add(a_job())
    await first.aclose()

    second = await PostgresStores.open(bare_url, VirtualClock())

    assert await second.jobs.list("t1") == [(a_job(), 0)]
    await second.aclose()


async def test_runs_that_were_recorded_before_they_were_counted_are_counted_by_the_migration(fresh_postgres_url):
    clock = VirtualClock()
    stores = await PostgresStores.open(fresh_postgres_url, clock)
    await live(stores, clock)
    await stores.aclose()
    archive = PostgresArchive(fresh_postgres_url, PostgresOptions(), clock)
    counted = await contents(archive, COUNTED)

    for statement in (*(forget.format("cronicorn.") for forget in FORGET), *statements_of("postgres")):
        await _ask(fresh_postgres_url, statement)

    assert await contents(archive, COUNTED) == counted
    assert min(len(rows) for rows in counted.values()) >= 2


def test_processes_that_open_an_empty_database_at_once_all_find_it_ready(bare_url):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_ADD, bare_url, f"job{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    for process in processes:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
        process.stdout.close()

    assert [process.wait(timeout=60) for process in processes] == [0] * PROCESSES
    assert ask(_ask(bare_url, "SELECT count(*) FROM cronicorn.jobs")) == [(PROCESSES,)]
    assert ask(_ask(bare_url, "SELECT count(*) FROM cronicorn.installation")) == [(1,)]


async def test_a_database_keeps_the_number_of_shards_that_it_was_made_with(bare_url):
    made = await migrate(bare_url, PostgresOptions(shards=3))
    again = await migrate(bare_url, PostgresOptions(shards=7))

    stores = await PostgresStores.open(bare_url, options=PostgresOptions(shards=7))

    assert (made, again, stores.database.shards) == (3, 3, 3)
    await stores.aclose()


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(bare_url):
    await migrate(bare_url)
    await _ask(bare_url, "UPDATE cronicorn.alembic_version SET version_num = '9999'")

    with pytest.raises(UnavailableError, match="newer version of Cronicorn: upgrade"):
        await PostgresStores.open(bare_url)

    assert await _ask(bare_url, "SELECT version_num FROM cronicorn.alembic_version") == [("9999",)]


async def test_a_migration_that_fails_half_way_leaves_nothing(bare_url, monkeypatch):
    monkeypatch.setattr("cronicorn.adapters.postgres.migration._script", _broken_off)

    with pytest.raises(asyncpg.PostgresSyntaxError):
        await migrate(bare_url)

    assert await _ask(bare_url, "SELECT 1 FROM pg_namespace WHERE nspname = 'cronicorn'") == []


def _broken_off(*_):
    return "CREATE TABLE cronicorn.alembic_version (version_num text); CREATE TABLE"


class TestRoles:
    """A role that owns nothing."""

    @pytest.fixture
    async def role(self, bare_url):
        role = f"plain role {secrets.token_hex(4)}"
        connection = await asyncpg.connect(bare_url)
        await connection.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'plain'")
        yield role
        await connection.execute(f'DROP OWNED BY "{role}"')
        await connection.execute(f'DROP ROLE "{role}"')
        await connection.close()

    @pytest.fixture
    def url(self, bare_url, role):
        place = urlsplit(bare_url)
        return place._replace(netloc=f"{quote(role)}:plain@{place.netloc.rpartition('@')[2]}").geturl()

    async def test_one_that_may_make_no_schema_is_told_what_to_grant(self, bare_url, url, role):
        with pytest.raises(UnavailableError) as refused:
            await migrate(url)
        grant = _statement_in(str(refused.value))

        await _ask(bare_url, grant)

        assert grant.startswith("GRANT CREATE ON DATABASE")
        assert await migrate(url) == 1

    async def test_one_that_may_make_no_tables_in_a_schema_of_another_is_told_what_to_grant(self, bare_url, url, role):
        await _ask(bare_url, "CREATE SCHEMA cronicorn")
        await _ask(bare_url, f'GRANT USAGE ON SCHEMA cronicorn TO "{role}"')
        with pytest.raises(UnavailableError) as refused:
            await migrate(url)
        grant = _statement_in(str(refused.value))

        await _ask(bare_url, grant)

        assert grant.startswith("GRANT CREATE ON SCHEMA cronicorn")
        assert await migrate(url) == 1

    async def test_one_that_only_reads_and_writes_rows_works_without_days(self, bare_url, url, role):
        await migrate(bare_url)
        await _ask(bare_url, f'GRANT USAGE ON SCHEMA cronicorn TO "{role}"')
        await _ask(bare_url, f'GRANT ALL ON ALL TABLES IN SCHEMA cronicorn TO "{role}"')

        stores = await PostgresStores.open(url)

        await stores.jobs.add(a_job())
        await stores.health.ping()
        await stores.aclose()

    async def test_one_without_rights_to_the_tables_is_told(self, bare_url, url, role):
        await migrate(bare_url)
        await _ask(bare_url, f'GRANT USAGE ON SCHEMA cronicorn TO "{role}"')

        with pytest.raises(UnavailableError, match="GRANT it the tables in the schema cronicorn"):
            await PostgresStores.open(url)


def _statement_in(text):
    return text[text.index("GRANT") : text.index(", or open")]
