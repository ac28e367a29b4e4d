"""PostgreSQL databases for tests: one server for a whole run of pytest, started by whoever needs it first.

With CRONICORN_TEST_POSTGRES_URL the databases are made on that server instead, and removed at the end.
"""

import asyncio
import fcntl
import os
import secrets
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from cronicorn.adapters.postgres.migration import migrate
from tests.servers.ground import Ground
from tests.servers.postgres import RestartableServer

OTHER_SERVER = "CRONICORN_TEST_POSTGRES_URL"
_GROUND = "CRONICORN_TEST_GROUND"
_PREFIX = "cronicorn_test_"
_MADE = "made"
"""Is there once a database was made."""
_grounds: list[Ground] = []

T = TypeVar("T")


def prepare() -> None:
    """Make the place where processes of this run find their server. Starts nothing."""
    ground = Ground.make()
    _grounds.append(ground)
    os.environ[_GROUND] = str(ground.folder)


def dispose() -> None:
    """End the server of the run, or remove what was made on another."""
    for ground in _grounds:
        if OTHER_SERVER in os.environ and (ground.folder / _MADE).exists():
            ask(_drop_all(_prefix(ground.folder)))
        ground.close()
    _grounds.clear()


@contextmanager
def fresh_database(*, migrated: bool = True) -> Iterator[str]:
    """The URL of a database of one's own, with the newest schema or quite empty; dropped after the block."""
    name = _name("fresh")
    ask(_create(name, _template() if migrated else None))
    try:
        yield _url(name)
    finally:
        ask(_drop(name))


def emptied_database() -> str:
    """The URL of this process's database, emptied: only one test at a time may use it."""
    url = _of_this_process()
    ask(_empty(url, _rows_at_first(url)))
    return url


def server_url() -> str:
    """The URL of the server's own database."""
    given = os.environ.get(OTHER_SERVER)
    if given is not None:
        return given
    found = _folder() / "url"
    with _turn("server"):
        if not found.exists():
            server = RestartableServer(Ground(_folder()))
            server.start()
            server.leave()
            found.write_text(server.url())
    return found.read_text()


def ask(work: Coroutine[Any, Any, T]) -> T:
    """Do *work* in an event loop of its own, also where one is running already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@cache
def _of_this_process() -> str:
    name = _name("own")
    ask(_create(name, _template()))
    return _url(name)


@cache
def _template() -> str:
    """The name of a database with the newest schema, which nobody is connected to."""
    with _turn("template"):
        found = _folder() / "template"
        if not found.exists():
            name = _name("template")
            ask(_create(name, None))
            ask(migrate(_url(name)))
            found.write_text(name)
        return found.read_text()


@contextmanager
def _turn(name: str) -> Iterator[None]:
    """One process of the run at a time."""
    with (_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _folder() -> Path:
    return Path(os.environ[_GROUND])


def _name(kind: str) -> str:
    (_folder() / _MADE).touch()
    return f"{_prefix(_folder())}{kind}_{secrets.token_hex(4)}"


def _prefix(folder: Path) -> str:
    """What the names of all databases of a run begin with."""
    return f"{_PREFIX}{folder.name.rpartition('-')[2].lower()}_"


def _url(name: str) -> str:
    return urlsplit(server_url())._replace(path=f"/{name}").geturl()


async def _create(name: str, template: str | None) -> None:
    await _command(server_url(), f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')


async def _drop(name: str) -> None:
    await _command(server_url(), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _drop_all(prefix: str) -> None:
    connection = await asyncpg.connect(server_url())
    for record in await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix):
        await connection.execute(f'DROP DATABASE "{record[0]}" WITH (FORCE)')
    await connection.close()


async def _command(url: str, command: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(command)
    finally:
        await connection.close()


_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = 'cronicorn' ORDER BY 1
"""
_OTHERS_OUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@cache
def _rows_at_first(url: str) -> dict[str, list[asyncpg.Record]]:
    """What a new database holds."""

    async def rows() -> dict[str, list[asyncpg.Record]]:
        connection = await asyncpg.connect(url)
        tables = [record[0] for record in await connection.fetch(_TABLES)]
        found = {table: await connection.fetch(f"SELECT * FROM {table}") for table in tables}
        await connection.close()
        return found

    return ask(rows())


async def _empty(url: str, rows_at_first: dict[str, list[asyncpg.Record]]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_OTHERS_OUT)
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")  # no foreign key is looked at
        tables = [record[0] for record in await connection.fetch(_TABLES)]
        await connection.execute("".join(f"DELETE FROM {table};" for table in tables))
        for table in tables:
            for row in rows_at_first.get(table, []):
                places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
                columns = ", ".join(f'"{column}"' for column in row.keys())  # noqa: SIM118 - a record has no other
                statement = f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({places})"
                await connection.execute(statement, *row.values())
    await connection.close()
