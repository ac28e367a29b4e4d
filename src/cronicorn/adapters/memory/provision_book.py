"""What was set for tenants, in memory."""

from collections.abc import Callable, Mapping

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.access.audit_views import provision_entry
from cronicorn.domain.principal import Principal
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import NO_PROVISION, Provision


class MemoryProvisionBook(ProvisionBook):
    """Keeps provisions."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def provisions(self) -> Mapping[str, Provision]:
        with self._database.lock:
            return dict(self._database.provisions)

    async def provide(
        self, tenant_id: str, edit: Callable[[Provision], Provision], by: Principal | None = None
    ) -> Provision:
        with self._database.lock:
            self._database.tenant(tenant_id)
            before = self._database.provisions.get(tenant_id, NO_PROVISION)
            after = self._database.provisions[tenant_id] = edit(before)
            record(self._database, provision_entry(by, self._database.clock.now(), tenant_id, before, after))
            return after
