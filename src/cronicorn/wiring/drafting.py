"""Making drafts of policies with the language model that the settings name, if any."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from cronicorn.control.identity import random_id
from cronicorn.domain.compilation.ports import Backtester, DraftMaker
from cronicorn.domain.ports import Cron
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler.compiling import Compiler
from cronicorn.scheduler.drafting import Drafting, Records
from cronicorn.wiring.model import model_client
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores

MakeDrafts = Callable[[Backtester, Callable[[], None]], DraftMaker]
"""Makes what makes drafts, of what replays the record and what wakes the scheduler."""


@asynccontextmanager
async def drafting(settings: Settings, stores: Stores, quota: Quota, cron: Cron) -> AsyncIterator[MakeDrafts | None]:
    """How drafts are made while the block lasts; None when *settings* name no model. See `model_client`."""
    async with model_client(settings) as client:
        if client is None or settings.ai_model is None:
            yield None
            return
        compiler = Compiler(client, quota, settings.ai_model)

        def made(backtester: Backtester, wake: Callable[[], None]) -> DraftMaker:
            records = Records(endpoints=stores.endpoints, runs=stores.runs, drafts=stores.drafts, backtester=backtester)
            return Drafting(records, compiler, cron, random_id, wake)

        yield made
