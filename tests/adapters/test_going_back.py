"""Migrations lead back as well as forward, each on a database of either kind that holds something of everything."""

import asyncio

import asyncpg
import pytest

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.migration import MIGRATIONS as POSTGRES_MIGRATIONS
from cronicorn.adapters.postgres.migration import migrate as migrate_server
from cronicorn.adapters.postgres.migration import migrate_to as migrate_server_to
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.migration import MIGRATIONS as SQLITE_MIGRATIONS
from cronicorn.adapters.sqlite.migration import migrate, migrate_to, revision_of
from cronicorn.domain.archive import Table
from cronicorn.domain.errors import InvalidInputError, NotFoundError, UnavailableError
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import an_installation, contents, fill

KEPT = (Table.JOBS, Table.SKIPS)
"""What the first version kept, and all others as it did."""
PARTLY = {Table.TENANTS: "id", Table.ENDPOINTS: "document", Table.RUNS: "outcome", Table.SCHEDULE: "state"}
"""Tables of the first version, and a column that all had."""


def revisions(folder):
    return sorted(path.name.partition("_")[0] for path in (folder / "versions").glob("0*.py"))


def told(rows):
    return {table: rows[table] for table in KEPT} | {
        table: sorted(row[column] for row in rows[table]) for table, column in PARTLY.items()
    }


@pytest.mark.parametrize("way", ["one by one", "at once"])
async def test_a_file_goes_back_to_the_first_revision_and_forward_again(tmp_path, way):
    file = SqliteFile(path=tmp_path / "cronicorn.db", backed_up=False)
    archive = SqliteArchive(file, VirtualClock())
    await fill(archive, an_installation())
    before = told(await contents(archive))
    known = revisions(SQLITE_MIGRATIONS)

    visited = []
    for revision in reversed(known[:-1]) if way == "one by one" else known[:1]:
        migrate_to(file, revision)
        connection = file.connect()
        visited.append(revision_of(connection))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    migrate(file)

    assert visited[-1] == known[0]
    assert told(await contents(archive)) == before


async def test_a_server_goes_back_to_the_first_revision_and_forward_again(fresh_postgres_url):
    url, options = fresh_postgres_url, PostgresOptions()
    archive = PostgresArchive(url, options)
    await fill(archive, an_installation())
    before = told(await contents(archive))
    known = revisions(POSTGRES_MIGRATIONS)

    for revision in reversed(known[:-1]):
        await migrate_server_to(url, options, revision)
        connection = await asyncpg.connect(url)
        found = await connection.fetchval("SELECT version_num FROM cronicorn.alembic_version")
        await connection.close()
        assert found == revision
    await migrate_server(url, options)

    assert told(await contents(archive)) == before


async def test_what_can_not_be_reached_is_told(tmp_path, fresh_postgres_url):
    file = SqliteFile(path=tmp_path / "cronicorn.db")
    with pytest.raises(NotFoundError):
        migrate_to(file, "0001")
    migrate(file)
    for unknown in ("9999", "base", "head", "-1", ""):
        with pytest.raises(InvalidInputError, match="this version knows 0001, 0002"):
            migrate_to(file, unknown)
        with pytest.raises(InvalidInputError, match="this version knows 0001, 0002"):
            await migrate_server_to(fresh_postgres_url, PostgresOptions(), unknown)
    connection = file.connect()
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(UnavailableError, match="newer version"):
        await asyncio.to_thread(migrate_to, file, "0001")
