"""PostgreSQL for benchmarks: a server of one's own on a real disk, which waits for it at every commit."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg

from cronicorn.adapters.postgres.stores import PostgresStores
from tests.servers.ground import Ground
from tests.servers.postgres import RestartableServer

SERVER = "PostgreSQL 18"
_numbers = count()


@contextmanager
def postgres_server(*, fsync: bool = True) -> Iterator[RestartableServer]:
    """A running server, gone at the end of the block; without *fsync* it waits for no disk."""
    durable = "on" if fsync else "off"
    with Ground.make(Path(tempfile.gettempdir())) as ground:
        server = RestartableServer(ground, fsync=durable, full_page_writes=durable, shared_buffers="512MB")
        server.start()
        yield server


@contextmanager
def passing_database(server: RestartableServer) -> Iterator[str]:
    """The URL of a new database with the newest schema, gone at the end of the block."""
    name = f"passing{next(_numbers)}"
    yield new_database(server, name)
    asyncio.run(_execute(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


def new_database(server: RestartableServer, name: str) -> str:
    """The URL of a new database with the newest schema."""
    asyncio.run(_create(server, name))
    return server.url(name)


async def _create(server: RestartableServer, name: str) -> None:
    await _execute(server, f'CREATE DATABASE "{name}"')
    stores = await PostgresStores.open(server.url(name))
    await stores.aclose()


async def _execute(server: RestartableServer, statement: str) -> None:
    connection = await asyncpg.connect(server.url())
    await connection.execute(statement)
    await connection.close()
