"""Tenants and API keys in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.member_book import insert_member
from cronicorn.domain.access.audit_views import tenant_entry, terms_entry
from cronicorn.domain.access.member import Member
from cronicorn.domain.access.ports import KeyRing
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.ports import TermsRegister
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.tenant import ApiKey, Tenant


class MemoryKeyRing(KeyRing, TermsRegister):
    """Keeps tenants, what was agreed with them, and the hashes of their keys."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add_tenant(
        self, tenant: Tenant, key: ApiKey, owner: Member | None = None, by: Principal | None = None
    ) -> None:
        assert key.tenant_id == tenant.id
        with self._database.lock:
            others = self._database.tenants.values()
            if any(tenant.name == other.name or tenant.id == other.id for other in others):
                raise ConflictError(f"There is a tenant {tenant.name} already; choose another name.")
            if key.hash in self._database.keys:
                raise ConflictError("The key is taken; make a new one.")
            if owner is not None:
                insert_member(self._database, owner)
            self._database.tenants[tenant.id] = tenant
            self._database.keys[key.hash] = key
            record(self._database, tenant_entry(by, self._database.clock.now(), tenant))

    async def tenants(self) -> Sequence[Tenant]:
        with self._database.lock:
            return sorted(self._database.tenants.values(), key=lambda tenant: tenant.created_at)

    async def add_key(self, key: ApiKey) -> None:
        with self._database.lock:
            self._database.tenant(key.tenant_id)
            known = self._database.keys.setdefault(key.hash, key)
            if known.tenant_id != key.tenant_id:
                raise ConflictError("The key belongs to another tenant; make a new one.")

    async def find(self, key_hash: str) -> ApiKey | None:
        with self._database.lock:
            return self._database.keys.get(key_hash)

    async def terms(self, tenant_id: str) -> Terms:
        with self._database.lock:
            tenant = self._database.tenants.get(tenant_id)
            return tenant.terms if tenant is not None else Terms()

    async def agree(self, tenant_id: str, edit: Callable[[Terms], Terms], by: Principal | None = None) -> Terms:
        with self._database.lock:
            tenant = self._database.tenant(tenant_id)
            terms = edit(tenant.terms)
            self._database.tenants[tenant_id] = replace(tenant, terms=terms)
            now = self._database.clock.now()
            record(self._database, terms_entry(by, now, tenant_id, tenant.terms, terms))
            return terms
