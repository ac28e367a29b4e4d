"""A worker whose own clock is wrong, on a database whose clock is right, in real time."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.history import RunQuery
from cronicorn.domain.lease import Lease
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.testing.contracts.stores import CRON, TENANT, plant
from cronicorn.testing.dispatchers import ScriptedDispatcher
from tests.waiting import eventually_async

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class WrongClock(SystemClock):
    """Wrong by so much."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self):
        return super().now() + self._by


class CountingStore(PostgresJobStore):
    """Counts its claims."""

    claims = 0

    async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None) -> Sequence[Lease]:
        self.claims += 1
        return await super().claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_a_worker_whose_clock_is_wrong_is_on_time_and_does_not_spin(by, postgres_url):
    stores = await PostgresStores.open(postgres_url)
    store = CountingStore(stores.database)
    await plant(stores, baseline=Baseline(interval=SECOND, anchor_at=MIDNIGHT), interval_min=SECOND)
    settings = SchedulerSettings(worker_id="w1", poll_interval=30 * SECOND)
    dispatcher = ScriptedDispatcher()
    scheduler = Scheduler(store, dispatcher, WrongClock(by), CRON, settings)

    working = asyncio.create_task(scheduler.run())
    await eventually_async(lambda: len(dispatcher.calls) >= 4)
    scheduler.stop()
    await working

    runs = (await stores.runs.list(TENANT, "ep1", RunQuery())).runs
    await store.aclose()
    await stores.aclose()
    assert len(runs) >= 4
    assert all(timedelta(0) <= run.started_at - run.due_at < SECOND for run in runs)
    assert store.claims <= 3 * len(runs) + 3
