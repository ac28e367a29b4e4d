"""A scheduler over a store, measured."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.ports import Clock, Cron, Dispatcher
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.wiring.mechanisms import observed_job_store
from cronicorn.wiring.readers import Networks
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores


def scheduler_settings(settings: Settings) -> SchedulerSettings:
    """What the scheduler needs of *settings*, under a name that no other process boot has."""
    return SchedulerSettings(
        worker_id=f"worker_{secrets.token_hex(8)}",
        calls_max=settings.calls_max,
        lease_ttl=settings.lease_ttl,
        renew_interval=settings.renew_interval,
        lease_margin=settings.lease_margin,
        poll_interval=settings.poll_interval,
        drain_grace=settings.drain_grace,
        seed=settings.seed,
    )


@asynccontextmanager
async def observed_scheduler(
    stores: Stores, dispatcher: Dispatcher, *, clock: Clock, cron: Cron, settings: Settings, metrics: Metrics
) -> AsyncIterator[Scheduler]:
    """A scheduler whose work *metrics* counts. The services of its mechanisms stay open as long as the block lasts."""
    async with observed_job_store(settings, stores, clock, metrics) as store:
        scheduler = Scheduler(store, dispatcher, clock, cron, scheduler_settings(settings))
        metrics.watch_calls(lambda: scheduler.calls_in_progress, settings.calls_max)
        yield scheduler


@asynccontextmanager
async def http_dispatcher(egress_allow: Networks) -> AsyncIterator[Dispatcher]:
    """Calls over HTTP, for as long as the block lasts."""
    from cronicorn.adapters.http.addresses import EgressPolicy
    from cronicorn.adapters.http.dispatcher import CurlDispatcher
    from cronicorn.adapters.http.resolver import Resolver

    dispatcher = CurlDispatcher(policy=EgressPolicy(egress_allow), resolver=Resolver())
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()
