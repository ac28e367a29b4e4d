"""Where quotas are kept in tests: one place for each kind of store, over which any number of quotas are opened."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.quota import PostgresQuota
from cronicorn.adapters.redis.quota import RedisPlace, RedisQuota
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.quota import SqliteQuota
from cronicorn.domain.ports import Clock
from cronicorn.domain.quota.allowance import Tiers
from cronicorn.domain.quota.decision import Mode
from cronicorn.testing.contracts.quota_books import Books
from tests.adapters.sqlite.empty_database import copy_to
from tests.servers.databases import emptied_database

KINDS = ("memory", "sqlite", "postgres", "redis")


@dataclass(frozen=True, slots=True)
class Place:
    """Books that are empty at first. `open` opens a quota over them, with tiers, a mode and what else it takes."""

    open: Callable[..., Books]
    aclose: Callable[[], Awaitable[None]]


async def place_of(kind: str, folder: Path, clock: Clock, redis_url: Callable[[], str]) -> Place:
    """A place for quotas of *kind*, judged by *clock*."""
    match kind:
        case "memory":
            memory = MemoryDatabase(clock)
            return Place(lambda *how: MemoryQuota(memory, *how), _nothing)
        case "sqlite":
            file = await SqliteDatabase.open(copy_to(folder / f"{token_hex(4)}.db"), clock, readers=1)
            return Place(lambda *how: SqliteQuota(file, *how), file.aclose)
        case "postgres":
            server = await PostgresDatabase.open(emptied_database(), PostgresOptions(), clock)
            return Place(lambda *how: PostgresQuota(server, *how), server.aclose)
        case _:
            redis = RedisPlace.open(redis_url(), prefix=token_hex(8), judge=clock)
            return Place(lambda *how: RedisQuota(redis, *how), redis.aclose)


async def _nothing() -> None:
    return


@asynccontextmanager
async def opened(
    kind: str, folder: Path, clock: Clock, redis_url: Callable[[], str]
) -> AsyncIterator[Callable[[Tiers, Mode], Books]]:
    """Opens quotas of *kind* over the same books, for the block."""
    place = await place_of(kind, folder, clock, redis_url)
    try:
        yield place.open
    finally:
        await place.aclose()
