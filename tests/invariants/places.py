"""Where the data of a world lies, with a way back to an earlier state: what a fail-over does to the last commits."""

import secrets
import shutil
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

import asyncpg

from cronicorn.adapters.memory.agenda import Agenda
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import ClaimService, Clock
from cronicorn.testing.claim_service import ClockedClaimService
from cronicorn.testing.clocks import VirtualClock
from tests.adapters.postgres.lock_servers import Locks
from tests.adapters.sqlite.empty_database import copy_to
from tests.servers.databases import emptied_database, server_url


class Place(Protocol):
    """An empty database when it is made. Nobody has it open while its state is kept or put back."""

    @classmethod
    async def create(cls, folder: Path, clock: Clock) -> Self:
        """Make one; *clock* judges leases."""
        ...

    async def keep(self) -> None:
        """Remember the present state."""
        ...

    async def put_back(self) -> None:
        """Return to the state that was kept: what was committed since never happened."""
        ...

    async def remove(self) -> None:
        """Leave nothing behind."""
        ...


class MemoryPlace(Place):
    """A database in this process."""

    def __init__(self, clock: Clock) -> None:
        self.database = MemoryDatabase(clock)

    @classmethod
    async def create(cls, folder: Path, clock: Clock) -> Self:
        return cls(clock)

    async def keep(self) -> None:
        rows = {key: copy(row) for key, row in self.database.rows.items()}
        for row in rows.values():
            row.claim, row.runs, row.skips = copy(row.claim), dict(row.runs), list(row.skips)
        self._kept = dict(self.database.jobs), rows

    async def put_back(self) -> None:
        self.database.jobs, self.database.rows = self._kept
        self.database.agenda = Agenda()
        for row in self.database.rows.values():
            self.database.agenda.put(row)

    async def remove(self) -> None:
        return


class SqlitePlace(Place):
    """A file."""

    def __init__(self, path: Path) -> None:
        self.path = copy_to(path)

    @classmethod
    async def create(cls, folder: Path, clock: Clock) -> Self:
        return cls(folder / "cronicorn.db")

    async def keep(self) -> None:
        shutil.copy(self.path, self.path.with_suffix(".kept"))

    async def put_back(self) -> None:
        for log in ("-wal", "-shm"):
            self.path.with_name(self.path.name + log).unlink(missing_ok=True)
        shutil.copy(self.path.with_suffix(".kept"), self.path)

    async def remove(self) -> None:
        return


class PostgresPlace(Place):
    """A database on the server of this run of the tests."""

    lock_servers: Callable[[Mechanism], Locks]
    """The servers of the mechanisms that claim outside the database; there when real time passes."""

    def __init__(self, clock: Clock) -> None:
        self._clocked = ClockedClaimService(clock)
        self._prefix = secrets.token_hex(8)
        self.url = emptied_database()
        self._name = urlsplit(self.url).path.removeprefix("/")
        self._kept = f"{self._name}_kept"
        self._is_kept = False

    @classmethod
    async def create(cls, folder: Path, clock: Clock) -> Self:
        return cls(clock)

    def claim_service(self, mechanism: Mechanism, clock: Clock) -> ClaimService:
        """A client of the service in which workers claim."""
        if isinstance(clock, VirtualClock):
            return self._clocked
        return self.lock_servers(mechanism).client(self._prefix)

    async def keep(self) -> None:
        self._is_kept = True
        await self._copy(self._name, self._kept)

    async def put_back(self) -> None:
        await self._copy(self._kept, self._name)

    async def remove(self) -> None:
        if self._is_kept:
            await _command(f'DROP DATABASE IF EXISTS "{self._kept}" WITH (FORCE)')

    async def _copy(self, source: str, copy: str) -> None:
        await _command(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'")
        await _command(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        await _command(f'CREATE DATABASE "{copy}" TEMPLATE "{source}"')


async def _command(command: str) -> None:
    connection = await asyncpg.connect(server_url())
    try:
        await connection.execute(command)
    finally:
        await connection.close()
