"""The API keys of tenants in memory, as their owners see them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.access.audit_views import key_entry
from cronicorn.domain.access.issuing import check_keys
from cronicorn.domain.access.ports import IssuedKeys
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.principal import Principal
from cronicorn.domain.tenant import ApiKey


class MemoryIssuedKeys(IssuedKeys):
    """Keeps the keys that were issued."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def issue(self, key: ApiKey, keys_max: int, by: Principal | None = None) -> None:
        with self._database.lock:
            self._database.tenant(key.tenant_id)
            check_keys(sum(each.revoked_at is None for each in self._of(key.tenant_id)), keys_max)
            if key.hash in self._database.keys or any(key.id == each.id for each in self._database.keys.values()):
                raise ConflictError("The key is taken; make a new one.")
            self._database.keys[key.hash] = key
            record(self._database, key_entry(by, self._database.clock.now(), None, key))

    async def list(self, tenant_id: str, *, limit: int, offset: int = 0) -> Sequence[ApiKey]:
        with self._database.lock:
            keys = sorted(self._of(tenant_id), key=lambda key: (key.created_at, key.hash), reverse=True)
            return keys[offset : offset + limit]

    async def revoke(self, tenant_id: str, key_id: str, by: Principal | None = None) -> ApiKey:
        with self._database.lock:
            key = next((key for key in self._of(tenant_id) if key.id == key_id), None)
            if key is None:
                raise NotFoundError(f"There is no key {key_id}.")
            revoked = key if key.revoked_at is not None else replace(key, revoked_at=self._database.clock.now())
            self._database.keys[key.hash] = revoked
            record(self._database, key_entry(by, self._database.clock.now(), key, revoked))
            return revoked

    async def used(self, key_hash: str, at: datetime) -> None:
        with self._database.lock:
            key = self._database.keys.get(key_hash)
            if key is not None and (key.used_at is None or key.used_at < at):
                self._database.keys[key_hash] = replace(key, used_at=at)

    def _of(self, tenant_id: str) -> Sequence[ApiKey]:
        return [key for key in self._database.keys.values() if key.tenant_id == tenant_id]
