"""Real schedulers in real time, with short leases, and what they did."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.call import Call, Outcome, OutcomeKind
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.ports import Clock, Decide, Dispatcher, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.testing.contracts.stores import Stores, ask_to_run, plant
from tests.invariants.worlds import SYSTEM

SHORT = SchedulerSettings(
    worker_id="w1",
    lease_ttl=timedelta(seconds=1),
    renew_interval=timedelta(seconds=0.2),
    lease_margin=timedelta(seconds=0.2),
    poll_interval=timedelta(seconds=0.1),
    drain_grace=timedelta(seconds=0.1),
)
BUSY = timedelta(seconds=1.5)
"""What a machine with other work to do may add to any bound."""


@dataclass(slots=True)
class Made:
    """A call, by this machine's clocks."""

    key: str
    """Endpoint and slot."""
    begun_at: datetime
    begun_mono: float
    ended_mono: float | None = None


@dataclass(slots=True)
class SlowDispatcher(Dispatcher):
    """Makes calls that take *length*, and remembers them."""

    length: timedelta = timedelta(0)
    made: list[Made] = field(default_factory=list)

    async def dispatch(self, call: Call) -> Outcome:
        made = Made(call.headers["Idempotency-Key"], SYSTEM.now(), time.monotonic())
        self.made.append(made)
        try:
            await asyncio.sleep(self.length.total_seconds())
        finally:
            made.ended_mono = time.monotonic()
        return Outcome(kind=OutcomeKind.RESPONDED, duration=self.length, status_code=200)

    def of(self, endpoint_id: str) -> Sequence[Made]:
        return [made for made in self.made if made.key.rpartition(":")[0] == endpoint_id]


@dataclass
class HinderedStore(JobStore):
    """The store of a worker that is frozen: it claims once, hears of it late, and its renewals may not get through."""

    inner: JobStore
    renewals_stopped: bool = False
    claims_late: timedelta = timedelta(0)
    sent_mono: list[float] = field(default_factory=list)
    """When the claim that found something was sent."""

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        if self.sent_mono:
            return []
        sent = time.monotonic()
        leases = await self.inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)
        if leases:
            self.sent_mono.append(sent)
            await asyncio.sleep(self.claims_late.total_seconds())
        return leases

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        if self.renewals_stopped:
            raise UnavailableError("The heartbeat is frozen.")
        return self.inner.renew(leases, ttl=ttl)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        return await self.inner.settle(lease, run, decide)

    async def abandon(self, leases: Sequence[Lease]) -> None:
        await self.inner.abandon(leases)

    async def next_due(self) -> NextDue | None:
        return await self.inner.next_due()


class LyingClock(Clock):
    """A wall clock that is *off*; its monotonic side is right."""

    def __init__(self, off: timedelta) -> None:
        self.off = off

    def now(self) -> datetime:
        return SYSTEM.now() + self.off

    def monotonic(self) -> float:
        return SYSTEM.monotonic()


@asynccontextmanager
async def working(
    store: JobStore, dispatcher: Dispatcher, *, clock: Clock = SYSTEM, **settings: Any
) -> AsyncIterator[Scheduler]:
    """A worker with its own heartbeat thread, drained at the end of the block."""
    scheduler = Scheduler(store, dispatcher, clock, CronsimCron(), replace(SHORT, **settings))
    task = asyncio.create_task(scheduler.run())
    try:
        yield scheduler
    finally:
        scheduler.stop()
        await task


async def plant_due(stores: Stores, *ids: str) -> None:
    """Endpoints named as their *ids*, each with one slot that is due now, however long planting takes."""
    await plant(stores, *ids, baseline=Baseline(dormant=True))
    await asyncio.gather(*(ask_to_run(stores, endpoint_id) for endpoint_id in ids))
