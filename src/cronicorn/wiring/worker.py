"""A scheduler over a store, measured."""

import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.ports import Clock, Cron, Dispatcher
from cronicorn.domain.provision.allowed import NOTHING_ALLOWED, Allowed
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.scheduler.flowing import FlowingJobStore
from cronicorn.scheduler.rationed import RationedJobStore
from cronicorn.wiring.descriptors import descriptor_limit, descriptors_for_calls
from cronicorn.wiring.execution_limits import tier_limits
from cronicorn.wiring.mechanisms import observed_job_store
from cronicorn.wiring.setting import PREFIX
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores
from cronicorn.wiring.tracing import traced

if TYPE_CHECKING:
    from cronicorn.adapters.http.limits import DispatcherLimits

log = logging.getLogger(__name__)

_BESIDE_THE_POOL = 8
"""Connections for renewing, listening and partitions, and to Redis or etcd."""


def new_worker_id() -> str:
    """`HOST-PID-RANDOM`: where the process is to be found, and what no other boot has, even with the same two."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def scheduler_settings(settings: Settings) -> SchedulerSettings:
    """What the scheduler needs of *settings*, under a name of its own."""
    return SchedulerSettings(
        worker_id=new_worker_id(),
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
    worker = scheduler_settings(settings)
    async with observed_job_store(settings, stores, clock, metrics) as store:
        limits = tier_limits(settings)
        rationed = RationedJobStore(store, stores.run_book, limits) if limits.counts_runs else store
        hosts = {each.host: each.limits for each in settings.host_flow}
        flowing = FlowingJobStore(rationed, stores.flow_book, stores.endpoints, clock, hosts)
        async with traced(settings, flowing, dispatcher, worker.worker_id) as (told, calling):
            scheduler = Scheduler(told, calling, clock, cron, worker)
            flowing.on_due(scheduler.wake)
            metrics.watch_calls(lambda: scheduler.calls_in_progress, settings.calls_max)
            yield scheduler


@asynccontextmanager
async def http_dispatcher(settings: Settings, provisions: ProvisionBook) -> AsyncIterator[Dispatcher]:
    """Calls over HTTP, for as long as the block lasts. *provisions* may open to a tenant what is closed to others."""
    from cronicorn.adapters.http.addresses import EgressPolicy
    from cronicorn.adapters.http.dispatcher import CurlDispatcher
    from cronicorn.adapters.http.egress import Egress
    from cronicorn.adapters.http.resolver import Resolver

    async def allowed() -> Mapping[str, Allowed]:
        provided = await provisions.provisions()
        return {tenant_id: each.egress for tenant_id, each in provided.items() if each.egress != NOTHING_ALLOWED}

    policy = EgressPolicy(settings.egress_allow, setting=f"{PREFIX}EGRESS_ALLOW")
    egress = Egress(policy, allowed)
    dispatcher = CurlDispatcher(egress=egress, resolver=Resolver(), limits=_limits(settings))
    try:
        yield dispatcher
    finally:
        await dispatcher.aclose()


def within_room(settings: Settings) -> Settings:
    """*settings* with no more HTTP calls at once than this process has room for."""
    room = _limits(settings).calls
    if settings.calls_max <= room:
        return settings
    facts = {"wanted": settings.calls_max, "calls_max": room, "descriptors": descriptor_limit()}
    log.warning("calls_max_lowered", extra=facts)
    return replace(settings, calls_max=room)


def _limits(settings: Settings) -> "DispatcherLimits":
    from cronicorn.adapters.http.limits import DispatcherLimits

    on_a_server = settings.database_url.backend == "postgresql"
    connections = settings.postgres_connections + _BESIDE_THE_POOL if on_a_server else 0
    return DispatcherLimits.within(descriptors_for_calls(connections))
