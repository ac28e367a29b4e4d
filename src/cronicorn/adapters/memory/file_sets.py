"""File sets in memory."""

from collections.abc import Mapping
from dataclasses import replace

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.filing.file_set import FileSet, Managed, stale
from cronicorn.domain.filing.ports import FileSetBook


class MemoryFileSets(FileSetBook):
    """Keeps file sets."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def all(self, tenant_id: str) -> Mapping[str, FileSet]:
        with self._database.lock:
            kept = self._database.file_sets.items()
            return {name: managed for (owner, name), managed in kept if owner == tenant_id}

    async def about(self, tenant_id: str, thing_id: str) -> Mapping[str, Managed]:
        return {
            name: each
            for name, kept in (await self.all(tenant_id)).items()
            for each in (*kept.jobs.values(), *kept.endpoints.values())
            if each.id == thing_id
        }

    async def put(self, tenant_id: str, name: str, managed: FileSet) -> None:
        database = self._database
        with database.lock:
            database.tenant(tenant_id)
            before = database.file_sets.get((tenant_id, name), FileSet())
            if before.revision != managed.revision:
                raise stale(name)
            database.file_sets[tenant_id, name] = replace(managed, revision=managed.revision + 1)
