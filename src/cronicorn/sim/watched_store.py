"""A job store as one worker of a simulation sees it: until the worker dies, and told to the chronicle."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.ports import Clock, Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement
from cronicorn.sim.chronicle import Chronicle


class WatchedJobStore(JobStore):
    """Passes everything on to *store* until `cut`; afterwards nothing that the worker does reaches it any more.

    So a worker that is stopped after that is, for the others, one that was killed: it gives nothing back.
    """

    def __init__(
        self, store: JobStore, clock: Clock, chronicle: Chronicle, worker: int, wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._clock = clock
        self._chronicle = chronicle
        self._worker = worker
        self._wake = wake
        self._cut = False

    def cut(self) -> None:
        """Let nothing through any more."""
        self._cut = True

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        if self._cut:
            return []
        return await self._store.claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        return Renewal() if self._cut else self._store.renew(leases, ttl=ttl)

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        if self._cut:
            raise LeaseLostError(f"The worker of lease {lease.claim_id} is dead.")
        settlement = await self._store.settle(lease, run, decide)
        self._chronicle.settled(lease, self._worker, run, settlement, self._clock.monotonic())
        if settlement.siblings:
            self._wake()
        return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        if not self._cut:
            await self._store.abandon(leases)

    async def next_due(self) -> NextDue | None:
        return None if self._cut else await self._store.next_due()
