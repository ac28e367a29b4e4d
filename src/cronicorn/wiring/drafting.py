"""Making drafts of policies with the language model that the settings name, if any."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cronicorn.control.identity import random_id
from cronicorn.domain.compilation.ports import Backtester, DraftMaker
from cronicorn.domain.ports import Cron
from cronicorn.domain.quota.allowance import Tiers
from cronicorn.scheduler.compiling import Compiler
from cronicorn.scheduler.drafting import Drafting, Records
from cronicorn.wiring.model import model_client
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores

if TYPE_CHECKING:
    from cronicorn.domain.quota.ports import Quota

MakeDrafts = Callable[[Backtester, Callable[[], None]], DraftMaker]
"""Makes what makes drafts, of what replays the record and what wakes the scheduler."""


@asynccontextmanager
async def drafting(settings: Settings, stores: Stores, cron: Cron) -> AsyncIterator[MakeDrafts | None]:
    """How drafts are made while the block lasts; None when *settings* name no model. See `model_client`."""
    async with model_client(settings) as client:
        if client is None or settings.ai_model is None:
            yield None
            return
        compiler = Compiler(client, _quota(stores), settings.ai_model)

        def made(backtester: Backtester, wake: Callable[[], None]) -> DraftMaker:
            records = Records(endpoints=stores.endpoints, runs=stores.runs, drafts=stores.drafts, backtester=backtester)
            return Drafting(records, compiler, cron, random_id, wake)

        yield made


def _quota(stores: Stores) -> "Quota":
    """The books of tenants' tokens, beside everything else."""
    from cronicorn.adapters.sqlite.database import SqliteDatabase

    database = stores.database
    if database is None:
        from cronicorn.adapters.memory.database import MemoryDatabase
        from cronicorn.adapters.memory.quota import MemoryQuota
        from cronicorn.wiring.timekeeping import system_clock

        return MemoryQuota(MemoryDatabase(system_clock()), Tiers())
    if isinstance(database, SqliteDatabase):
        from cronicorn.adapters.sqlite.quota import SqliteQuota

        return SqliteQuota(database, Tiers())
    from cronicorn.adapters.postgres.quota import PostgresQuota

    return PostgresQuota(database, Tiers())
