"""Keychains in memory."""

from collections.abc import Callable
from dataclasses import replace

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.keychain.audited import keychain_entry
from cronicorn.domain.keychain.keychain import Keychain
from cronicorn.domain.keychain.ports import CHANGES_TOLD_MAX, KeychainChanges, KeychainStore
from cronicorn.domain.principal import Principal


class MemoryKeychains(KeychainStore):
    """Keeps keychains."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def get(self, tenant_id: str) -> Keychain:
        with self._database.lock:
            return self._get(tenant_id)

    async def change(
        self, tenant_id: str, edit: Callable[[Keychain], Keychain], by: Principal | None = None
    ) -> Keychain:
        with self._database.lock:
            before = self._get(tenant_id)
            after = edit(before)
            if after != before:
                after = replace(after, revision=self._newest + 1)
                self._database.keychains[tenant_id] = after
                record(self._database, keychain_entry(by, self._database.clock.now(), before, after))
            return after

    async def changed_since(self, revision: int) -> KeychainChanges:
        with self._database.lock:
            changed = [each.tenant_id for each in self._database.keychains.values() if each.revision > revision]
            told = frozenset(changed) if len(changed) <= CHANGES_TOLD_MAX else None
            return KeychainChanges(revision=max(self._newest, revision), tenant_ids=told)

    @property
    def _newest(self) -> int:
        return max((each.revision for each in self._database.keychains.values()), default=0)

    def _get(self, tenant_id: str) -> Keychain:
        return self._database.keychains.get(tenant_id) or Keychain(tenant_id=tenant_id)
