"""A wall clock that is wrong, or set while the scheduler runs."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from cronicorn.adapters.memory.job_store import MemoryJobStore
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.domain import Baseline, Lease, NextDue
from cronicorn.sim.virtual_time import START, LoopClock, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import SECOND, World, a_world, lateness

HOUR = 3_600 * SECOND
LENGTH = 120


class SetClock(LoopClock):
    """A virtual clock whose wall time can be set."""

    ahead = timedelta(0)

    def now(self):
        return super().now() + self.ahead


def test_a_clock_that_is_set_is_noticed(caplog):
    async def main(clock):
        world = a_world(clock)
        world.clock = SetClock(asyncio.get_running_loop())
        async with world.worker():
            await asyncio.sleep(5)
            world.clock.ahead = 3_600 * SECOND
            await asyncio.sleep(5)
            world.clock.ahead = timedelta(0)
            await asyncio.sleep(5)

    run_virtually(main)

    steps = [record.by_s for record in caplog.records if record.message == "clock_stepped"]
    assert steps == [3_600.0, -3_600.0]


class CountingStore(MemoryJobStore):
    """Counts how often it is asked what is due, and when."""

    claims = 0
    looks = 0

    async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None) -> Sequence[Lease]:
        self.claims += 1
        return await super().claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)

    async def next_due(self) -> NextDue | None:
        self.looks += 1
        return await super().next_due()


def worked(store_ahead):
    """The runs, claims and looks of a worker whose store's clock is ahead of its own."""

    async def main(clock):
        loop = asyncio.get_running_loop()
        stores = MemoryStores.open(LoopClock(loop, START + store_ahead))
        world = World(clock, stores, ScriptedDispatcher(lambda _call, _n: Reply(latency=SECOND / 3)))
        await world.add(id="often", name="often", baseline=Baseline(interval=7 * SECOND, anchor_at=START))
        await world.add(id="seldom", name="seldom", baseline=Baseline(interval=60 * SECOND, anchor_at=START))
        store = CountingStore(stores.job_store._database)
        async with world.worker(store=store, poll_interval=30 * SECOND):
            await asyncio.sleep(LENGTH + 0.5)
        return await world.runs("often") + await world.runs("seldom"), store.claims, store.looks

    return run_virtually(main)


@pytest.mark.parametrize("store_ahead", [HOUR, -HOUR], ids=["the worker is behind", "the worker is ahead"])
def test_a_worker_whose_clock_is_wrong_is_on_time_and_asks_no_more_often(store_ahead):
    runs, claims, looks = worked(store_ahead)

    expected, claims_expected, looks_expected = worked(timedelta(0))
    assert [run.due_at - store_ahead for run in runs if run.endpoint_id == "seldom"] == [
        run.due_at for run in expected if run.endpoint_id == "seldom"
    ]
    assert abs(len(runs) - len(expected)) <= 1  # An hour is no multiple of seven seconds.
    assert min(lateness(runs)) >= timedelta(0)
    assert max(lateness(runs)) <= timedelta(milliseconds=10)
    assert abs(claims - claims_expected) <= 3
    assert abs(looks - looks_expected) <= 3
    assert claims <= 4 * len(runs)
