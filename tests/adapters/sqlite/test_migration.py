"""A file gets the newest schema when it is opened, once, whoever else opens it."""

import sqlite3
import subprocess
import sys

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from cronicorn.adapters.sqlite.alert_schema import metadata
from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.migration import MIGRATIONS, migrate
from cronicorn.adapters.sqlite.schema import REVISION
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fixtures import a_job
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import contents
from tests.adapters.backfilling import COUNTED, FORGET, live, statements_of

OPEN_AND_ADD = """
import asyncio, sys
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.fixtures import a_job
from cronicorn.testing.clocks import VirtualClock

async def main(path, job_id):
    sys.stdin.readline()
    stores = await SqliteStores.open(path, VirtualClock())
    await stores.jobs.add(a_job(id=job_id))
    await stores.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


def _schema(path):
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name != 'alembic_version' AND sql IS NOT NULL"
    ).fetchall()
    connection.close()
    return {name: _parts(sql) for name, sql in rows}


def _parts(sql):
    """What a statement makes, piece by piece: their order means nothing, and a column that was added comes last."""
    head, _, rest = sql.partition("(")
    inside, _, tail = rest.rpartition(")")
    pieces, depth = [""], 0
    for character in inside:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            pieces.append("")
        else:
            pieces[-1] += character
    return [" ".join(head.split()), *sorted(" ".join(piece.split()) for piece in pieces), tail.strip()]


def test_the_migrations_end_in_the_schema_that_the_code_uses(tmp_path):
    migrate(SqliteFile(path=tmp_path / "migrated.db"))
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(engine)
    engine.dispose()

    assert _schema(tmp_path / "migrated.db") == _schema(tmp_path / "made.db")


def test_the_newest_migration_is_the_one_the_code_expects():
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == REVISION


async def test_what_was_stored_is_there_when_the_file_is_opened_again(tmp_path):
    url = f"sqlite:///{tmp_path}/cronicorn.db"
    first = await SqliteStores.open(url, VirtualClock())
    await first.jobs.add(a_job())
    await first.aclose()

    second = await SqliteStores.open(url, VirtualClock())

    assert await second.jobs.list("t1") == [(a_job(), 0)]
    await second.aclose()


async def test_runs_that_were_recorded_before_they_were_counted_are_counted_by_the_migration(tmp_path):
    clock, file = VirtualClock(), SqliteFile(path=tmp_path / "cronicorn.db")
    stores = await SqliteStores.open(file.path, clock)
    await live(stores, clock)
    await stores.aclose()
    counted = await contents(SqliteArchive(file, clock), COUNTED)

    connection = sqlite3.connect(file.path)
    for statement in (*(forget.format("") for forget in FORGET), *statements_of("sqlite")):
        connection.execute(statement)
    connection.commit()
    connection.close()

    assert await contents(SqliteArchive(file, clock), COUNTED) == counted
    assert min(len(rows) for rows in counted.values()) >= 2


def test_processes_that_open_a_new_file_at_once_all_find_it_ready(tmp_path):
    path = tmp_path / "cronicorn.db"
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN_AND_ADD, path, f"job{number}"], stdin=subprocess.PIPE)
        for number in range(4)
    ]

    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()

    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (4,)
    connection.close()


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "cronicorn.db"
    migrate(SqliteFile(path=path))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()

    with pytest.raises(UnavailableError, match="newer version of Cronicorn: upgrade"):
        await SqliteStores.open(path, VirtualClock())

    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)
    connection.close()


def test_a_file_is_in_wal_mode_and_as_durable_as_was_asked(tmp_path):
    settings = []
    for durable in (False, True):
        file = SqliteFile(path=tmp_path / "cronicorn.db", durable=durable)
        file.make()
        connection = file.connect()
        settings.append(
            [
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        )
        connection.close()

    assert settings == [["wal", 1, 1, 5000], ["wal", 2, 1, 5000]]
