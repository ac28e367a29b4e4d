"""The ports of provisions. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from cronicorn.domain.principal import Principal
from cronicorn.domain.provision.provision import Provision
from cronicorn.domain.provision.retention import PrunedPart, RunPart


class ProvisionBook(Protocol):
    """What was set for each tenant."""

    async def provisions(self) -> Mapping[str, Provision]:
        """Those of all tenants for whom something was set, by their ids."""
        ...

    async def provide(
        self, tenant_id: str, edit: Callable[[Provision], Provision], by: Principal | None = None
    ) -> Provision:
        """From now on what *edit* makes of what holds for the tenant holds, and is answered.

        Nobody else edits it meanwhile, and the audit log tells of *by*. Raises NotFoundError, and what *edit* raises;
        nothing has changed then.
        """
        ...


class RunPruner(Protocol):
    """Forgets history of some tenants, or of some outcome, before that of others."""

    async def prune_part(self, part: RunPart, limit: int) -> PrunedPart:
        """Remove at most *limit* runs, and as many skips, of *part*, oldest first, and say how far that went.

        What is left of deleted endpoints is nobody's and stays (`RunHistory.prune` takes it). Costs what lies in the
        span, not what lies before it.
        """
        ...
