"""How many runs tenants had, by month, in memory."""

from collections.abc import Collection, Mapping
from datetime import datetime

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.execution.limits import Standing
from cronicorn.domain.execution.ports import RunBook


class MemoryRunBook(RunBook):
    """Counts runs."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def standing(self, tenant_ids: Collection[str], month_at: datetime) -> Mapping[str, Standing]:
        with self._database.lock:
            return {tenant_id: self._standing(tenant_id, month_at) for tenant_id in tenant_ids}

    def _standing(self, tenant_id: str, month_at: datetime) -> Standing:
        tenant = self._database.tenants.get(tenant_id)
        tier = tenant.terms.tier if tenant is not None else None
        return Standing(tier=tier, runs=self._database.run_counts[tenant_id, month_at])
