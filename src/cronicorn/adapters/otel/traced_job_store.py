"""A job store that tells which slots have ended."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from cronicorn.adapters.otel.slot_tracer import SlotTracer
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.ports import Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

log = logging.getLogger(__name__)


class TracedJobStore(JobStore):
    """Does what *inner* does, and tells *tracer*."""

    def __init__(self, inner: JobStore, tracer: SlotTracer) -> None:
        self._inner = inner
        self._tracer = tracer

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        leases = await self._inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)
        self._tracer.claimed(leases)
        return leases

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        return self._inner.renew(leases, ttl=ttl)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        self._tracer.given_back([lease])
        settlement = await self._inner.settle(lease, run, decide)
        try:
            self._tracer.settled(lease, run, settlement)
        except Exception:  # The run is recorded: a bug in what is told of it must not say otherwise.
            log.exception("trace_crashed", extra=lease.facts())
        return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        self._tracer.given_back(leases)
        await self._inner.abandon(leases)

    async def next_due(self) -> NextDue | None:
        return await self._inner.next_due()
