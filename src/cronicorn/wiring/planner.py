"""The planner over a store, and the model it asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.control.identity import random_id
from cronicorn.domain.ports import Clock, Cron
from cronicorn.domain.quota.allowance import Tiers
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler.planner import ModelPlanner, PlannerPorts, PlannerSettings
from cronicorn.wiring.model import model_client
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores


@asynccontextmanager
async def model_planner(
    settings: Settings, stores: Stores, quota: Quota, *, clock: Clock, cron: Cron
) -> AsyncIterator[ModelPlanner | None]:
    """A planner that asks the model which *settings* name, inside *quota*; None when they name none.

    Raises UnavailableError when the extra is not installed.
    """
    async with model_client(settings) as client:
        if client is None or settings.ai_model is None:
            yield None
            return
        ports = PlannerPorts(
            watches=stores.watches, endpoints=stores.endpoints, history=stores.runs, quota=quota, client=client
        )
        yield ModelPlanner(ports, PlannerSettings(model=settings.ai_model), clock, cron, random_id)


def default_quota(stores: Stores, settings: Settings, clock: Clock) -> Quota:
    """The default budgets of all tenants, in the store; of a store in memory they end with the process."""
    backend, database = settings.database_url.backend, stores.database
    if backend == "memory":
        return MemoryQuota(MemoryDatabase(clock), Tiers())
    if backend == "postgresql":
        from cronicorn.adapters.postgres.database import PostgresDatabase
        from cronicorn.adapters.postgres.quota import PostgresQuota

        assert isinstance(database, PostgresDatabase)
        return PostgresQuota(database, Tiers())
    from cronicorn.adapters.sqlite.database import SqliteDatabase
    from cronicorn.adapters.sqlite.quota import SqliteQuota

    assert isinstance(database, SqliteDatabase)
    return SqliteQuota(database, Tiers())
