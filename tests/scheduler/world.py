"""A scheduler in virtual time on the memory store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.domain import Hint, Job, JobEndpoint, JobStore, Run, RunQuery, Skip, Stored
from cronicorn.domain.editing import asked_to_run, edited, hinted, started
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.sim.virtual_time import LoopClock
from cronicorn.testing.dispatchers import ScriptedDispatcher

SECOND = timedelta(seconds=1)
CRON = CronsimCron()


@dataclass(slots=True)
class World:
    """One store, any number of workers."""

    clock: LoopClock
    stores: MemoryStores
    dispatcher: ScriptedDispatcher

    async def add(self, **changes: object) -> JobEndpoint:
        """Store an endpoint and start its schedule now."""
        if not self.stores.jobs._database.jobs:
            await self.stores.jobs.add(a_job(created_at=self.clock.now()))
        return await self.stores.endpoints.add(an_endpoint(**changes), self._start)

    async def hint(self, endpoint_id: str, hint: Hint) -> JobEndpoint:
        """Write a hint, as a person would."""

        def edit(endpoint: JobEndpoint, _job: Job, stored: Stored):
            return hinted(endpoint, hint, stored, CRON)

        return (await self.stores.endpoints.change("t1", endpoint_id, edit))[0]

    async def change(self, endpoint_id: str, **changes: Any) -> JobEndpoint:
        """Edit the endpoint, as its owner would."""

        def edit(endpoint: JobEndpoint, _job: Job, stored: Stored):
            return edited(endpoint, replace(endpoint, **changes), stored, CRON)

        return (await self.stores.endpoints.change("t1", endpoint_id, edit))[0]

    async def run_now(self, endpoint_id: str) -> JobEndpoint:
        """Ask for a manual run."""

        def edit(endpoint: JobEndpoint, _job: Job, stored: Stored):
            return asked_to_run(endpoint, stored)

        return (await self.stores.endpoints.change("t1", endpoint_id, edit))[0]

    async def endpoint(self, endpoint_id: str = "ep1") -> JobEndpoint:
        return (await self.stores.endpoints.get("t1", endpoint_id))[0]

    async def runs(self, endpoint_id: str = "ep1") -> list[Run]:
        """All runs, oldest first."""
        page = await self.stores.runs.list("t1", endpoint_id, RunQuery(limit=10_000))
        return sorted(page.runs, key=lambda run: (run.started_at, run.slot, run.attempt))

    async def skips(self, endpoint_id: str = "ep1") -> list[Skip]:
        return list((await self.stores.runs.skips("t1", endpoint_id, 10_000)).skips)

    @asynccontextmanager
    async def worker(self, *, store: JobStore | None = None, **settings: Any) -> AsyncIterator[Scheduler]:
        """A running scheduler, drained at the end of the block."""
        chosen = replace(SchedulerSettings(worker_id="w1"), **settings)
        scheduler = Scheduler(store or self.stores.job_store, self.dispatcher, self.clock, CRON, chosen)
        task = asyncio.create_task(scheduler.run(threaded_heartbeat=False))
        try:
            yield scheduler
        finally:
            scheduler.stop()
            await task

    def _start(self, _job: Job, endpoint: JobEndpoint, now: datetime) -> JobEndpoint:
        return started(endpoint, now, CRON)


def a_world(clock: LoopClock, dispatcher: ScriptedDispatcher | None = None) -> World:
    """An empty world at the clock's beginning."""
    return World(clock, MemoryStores.open(clock), dispatcher or ScriptedDispatcher())


def lateness(runs: list[Run]) -> list[timedelta]:
    """How late each run began."""
    return [run.started_at - run.due_at for run in runs]
