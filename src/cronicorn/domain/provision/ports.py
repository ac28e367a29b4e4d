"""The port of provisions. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Mapping
from typing import Protocol

from cronicorn.domain.provision.provision import Provision


class ProvisionBook(Protocol):
    """What was set for each tenant."""

    async def provisions(self) -> Mapping[str, Provision]:
        """Those of all tenants for whom something was set, by their ids."""
        ...

    async def provide(self, tenant_id: str, provision: Provision) -> None:
        """From now on *provision* holds for the tenant, and nothing of before. Raises NotFoundError."""
        ...
