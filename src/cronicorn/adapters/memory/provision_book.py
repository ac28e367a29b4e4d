"""What was set for tenants, in memory."""

from collections.abc import Mapping

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import Provision


class MemoryProvisionBook(ProvisionBook):
    """Keeps provisions."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def provisions(self) -> Mapping[str, Provision]:
        with self._database.lock:
            return dict(self._database.provisions)

    async def provide(self, tenant_id: str, provision: Provision) -> None:
        with self._database.lock:
            self._database.tenant(tenant_id)
            self._database.provisions[tenant_id] = provision
