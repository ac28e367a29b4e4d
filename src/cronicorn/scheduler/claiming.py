"""One endpoint's lease for whoever makes the call in a way of their own."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from cronicorn.domain.admission import admit
from cronicorn.domain.call import Outcome
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, InvalidInputError, QuotaExceededError, UnavailableError
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import Clock, Cron, JobStore
from cronicorn.domain.settlement import Settlement, Stored
from cronicorn.scheduler.heartbeat import Heartbeat
from cronicorn.scheduler.held import HeldLease
from cronicorn.scheduler.recording import deciding, run_of
from cronicorn.scheduler.settings import SchedulerSettings

log = logging.getLogger(__name__)

_MARGIN_MAX = timedelta(seconds=3)
FindEndpoint = Callable[[str], Awaitable[tuple[JobEndpoint, Stored]]]
"""Finds an endpoint by its id: an `EndpointCatalog`'s `get` with its tenant bound."""


@asynccontextmanager
async def claim_with_lease(
    store: JobStore,
    endpoint_id: str,
    *,
    ttl: timedelta = timedelta(seconds=30),
    renew_interval: timedelta = timedelta(seconds=10),
    clock: Clock,
    worker_id: str,
    look: FindEndpoint | None = None,
    cron: Cron | None = None,
) -> AsyncIterator[HeldLease]:
    """Lease the endpoint's due slot for *ttl* and renew the lease each *renew_interval*, while the block lasts.

    Leaving the block without `commit`, by an error or not, abandons the lease: the slot is due again at once.

    Raises ConflictError when there is nothing to lease. With *look* it says whether the endpoint is not due or another
    worker has it, and NotFoundError is raised when it is not there. Raises InvalidInputError unless *renew_interval* is
    well below *ttl*, and UnavailableError when the store is away.

    With a store that counts runs (`RationedJobStore`), raises QuotaExceededError when the tenant has none left this
    month. With *cron* the slot has then ended as `skipped_quota` and the endpoint is planned again, as a `Scheduler`
    would; without it the slot is given back and stays due.

    >>> async def run_one(stores, endpoint_id, clock, cron):
    ...     async with claim_with_lease(
    ...         stores.job_store, endpoint_id, clock=clock, worker_id="mine", cron=cron
    ...     ) as held:
    ...         outcome = await held.within(my_call(held.lease.endpoint))
    ...         settlement = await commit_outcome(held, outcome, cron)
    ...     return settlement.state.due_at
    """
    settings = _settings(worker_id, ttl, renew_interval)
    claimed_mono = clock.monotonic()
    leases = await store.claim_due(worker_id=worker_id, limit=1, ttl=ttl, endpoint_id=endpoint_id)
    if not leases:
        raise await _refusal(endpoint_id, look)
    if leases[0].exhausted:
        raise await _used_up(store, leases[0], cron)
    heartbeat = Heartbeat(store, clock, settings)
    with heartbeat.keeping(leases[0], claimed_mono) as held:
        try:
            heartbeat.start()
            yield held
        finally:
            try:
                await heartbeat.stop()
            finally:
                await _give_back(held)


async def commit_outcome(
    held: HeldLease, outcome: Outcome, cron: Cron, *, started_at: datetime | None = None
) -> Settlement:
    """Record that the call under *held* ended just now with *outcome*, and plan the endpoint again.

    It began at *started_at*, or when it was claimed. Raises as `HeldLease.commit` does.
    """
    lease = held.lease
    started_at = started_at if started_at is not None else lease.claimed_at
    nominal_at = None
    if not lease.manual:
        nominal_at = admit(lease.endpoint, started_at, cron, taken_over=lease.taken_over).nominal_at
    run = run_of(held, started_at, nominal_at, outcome)
    return await held.commit(run, deciding(lease, run, cron))


def _settings(worker_id: str, ttl: timedelta, renew_interval: timedelta) -> SchedulerSettings:
    margin = min(_MARGIN_MAX, ttl / 10)
    if renew_interval + margin >= ttl:
        raise InvalidInputError(
            f"A lease of {ttl.total_seconds():g} s can't be renewed each {renew_interval.total_seconds():g} s: "
            "renew it at least three times as often as it would end."
        )
    return SchedulerSettings(worker_id=worker_id, lease_ttl=ttl, renew_interval=renew_interval, lease_margin=margin)


async def _refusal(endpoint_id: str, look: FindEndpoint | None) -> ConflictError:
    """Why there is nothing to lease. Raises NotFoundError."""
    if look is None:
        return ConflictError(f"Endpoint {endpoint_id} is not there, not due now, or under another worker's lease.")
    endpoint, stored = await look(endpoint_id)
    due_at = endpoint.state.due_at
    if stored.leased:
        return ConflictError(f"Endpoint {endpoint_id} is under another worker's lease; try again when that has ended.")
    if due_at is None:
        return ConflictError(f"Endpoint {endpoint_id} has no next run: it is paused, archived or dormant.")
    if due_at > stored.now:
        return ConflictError(f"Endpoint {endpoint_id} is not due before {due_at.isoformat()}.")
    return ConflictError(
        f"Endpoint {endpoint_id} is due, but was just taken by another worker, rests after lost leases, or is in "
        "another mechanism's share; try again a little later."
    )


async def _used_up(store: JobStore, lease: Lease, cron: Cron | None) -> QuotaExceededError:
    """Why *lease* allows no call, once it has ended. Raises LeaseLostError and UnavailableError."""
    ration = lease.ration
    assert ration is not None, "it is exhausted"
    if cron is None:
        await store.abandon([lease])
        fate = "is given back and stays due"
    else:
        await store.settle(lease, None, deciding(lease, None, cron))
        fate = "has ended without a call"
    end_at = ration.month.end_at
    return QuotaExceededError(
        f"The slot of endpoint {lease.endpoint.id} {fate}: {ration.reason}. Claim again from "
        f"{end_at:%Y-%m-%dT%H:%M:%SZ} on, or have the tenant moved to a higher tier.",
        retry_after=end_at - lease.claimed_at,
    )


async def _give_back(held: HeldLease) -> None:
    try:
        await held.abandon()
    except UnavailableError as error:
        log.warning("leases_left_to_expire", extra={"leases": 1, "reason": str(error)})
