"""The product under measure: stores, dispatcher and scheduler on a fresh SQLite file."""

import asyncio
import logging
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.http.addresses import EgressPolicy
from cronicorn.adapters.http.dispatcher import CurlDispatcher
from cronicorn.adapters.http.resolver import Resolver
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.call import Request
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Baseline, Job, JobEndpoint
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.ports import Dispatcher
from cronicorn.scheduler.loop import Scheduler
from cronicorn.scheduler.settings import SchedulerSettings
from cronicorn.wiring.collector import collect_rarely

CALLS_MAX = 100
_CRON = CronsimCron()


@dataclass(slots=True)
class World:
    """A store in a temporary folder, and how to fill and run it."""

    file: Path
    stores: SqliteStores

    async def add(
        self, number: int, baseline: Baseline, url: str, due_at: datetime | None, policy: Policy | None = None
    ) -> None:
        """Add an endpoint; with *due_at* its first slot is due then, whatever its baseline says."""

        def start(_job: Job, endpoint: JobEndpoint, now: datetime) -> JobEndpoint:
            begun = started(endpoint, now, _CRON)
            plan = begun.state.plan
            if plan is None or due_at is None:
                return begun
            return replace(begun, state=replace(begun.state, plan=replace(plan, next_run_at=due_at, nominal_at=None)))

        endpoint = an_endpoint(
            id=f"ep{number}", name=f"e{number}", baseline=baseline, request=Request(url=url), policy=policy
        )
        await self.stores.endpoints.add(endpoint, start)

    @asynccontextmanager
    async def scheduler(self) -> AsyncIterator[Scheduler]:
        """The product's scheduler with the product's dispatcher, running."""
        async with curl() as dispatcher:
            settings = SchedulerSettings(worker_id="bench", calls_max=CALLS_MAX, drain_grace=timedelta(seconds=5))
            scheduler = Scheduler(self.stores.job_store, dispatcher, SystemClock(), _CRON, settings)
            task = asyncio.create_task(scheduler.run())
            try:
                yield scheduler
            finally:
                scheduler.stop()
                await task


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    """A fresh store with one job."""
    logging.getLogger("cronicorn").setLevel(logging.ERROR)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        stores = await SqliteStores.open(file, SystemClock())
        collect_rarely()  # As a process of the product does when it has started.
        try:
            await stores.jobs.add(a_job())
            yield World(file, stores)
        finally:
            await stores.aclose()


@asynccontextmanager
async def curl() -> AsyncIterator[Dispatcher]:
    """The product's dispatcher, allowed to call this machine."""
    dispatcher = CurlDispatcher(policy=EgressPolicy((ip_network("127.0.0.0/8"),)), resolver=Resolver())
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()


def cpu_seconds() -> float:
    """User and system time of this process so far, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
