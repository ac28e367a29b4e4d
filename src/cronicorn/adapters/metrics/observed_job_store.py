"""A job store with a stopwatch and a tally around it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from cronicorn.adapters.metrics.lease_tally import LeaseTally
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.lease import Lease, NextDue, Renewal
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import Clock, Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement


class ObservedJobStore(JobStore):
    """Does what *inner* does, and tells *metrics* under the name of its mechanism."""

    def __init__(self, inner: JobStore, metrics: Metrics, clock: Clock, mechanism: Mechanism = Mechanism.LEASE) -> None:
        self._inner = inner
        self._metrics = metrics
        self._clock = clock
        self._mechanism = mechanism.value
        self._tally = LeaseTally(clock.monotonic)
        self._expected_mono: float | None = None
        """From when on a look should find something, by the monotonic clock, as far as the last answer goes."""

    async def claim_due(
        self, *, worker_id: str, limit: int, ttl: timedelta, endpoint_id: str | None = None
    ) -> Sequence[Lease]:
        expected = self._expected_mono is not None and self._expected_mono <= self._clock.monotonic()
        with self._timed("claim_due"):
            leases = await self._inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl, endpoint_id=endpoint_id)
        self._expected_mono = None
        self._metrics.claimed(self._mechanism, leases, expected=expected)
        for lease in leases:
            self._tally.held([lease.claim_id], lease.ttl.total_seconds())
        return leases

    def renew(self, leases: Sequence[Lease], *, ttl: timedelta) -> Renewal:
        with self._timed("renew"):
            renewal = self._inner.renew(leases, ttl=ttl)
        claims = frozenset(lease.claim_id for lease in leases)
        self._tally.renewed(claims - renewal.lost - renewal.unextended, ttl.total_seconds())
        self._metrics.leases_lost(self._mechanism, self._tally.lost(renewal.lost) + self._tally.overdrawn())
        return renewal

    async def settle(self, lease: Lease, run: Run | None, decide: Decide) -> Settlement:
        self._tally.settling(lease.claim_id)
        try:
            with self._timed("settle"):
                settlement = await self._inner.settle(lease, run, decide)
        except LeaseLostError:
            self._metrics.leases_lost(self._mechanism, int(self._tally.ended(lease.claim_id)))
            self._metrics.refused(self._mechanism, run)
            raise
        except BaseException:
            self._tally.unsettled(lease.claim_id)
            raise
        self._tally.ended(lease.claim_id)
        self._metrics.settled(run, settlement)
        return settlement

    async def abandon(self, leases: Sequence[Lease]) -> None:
        with self._timed("abandon"):
            await self._inner.abandon(leases)
        for lease in leases:
            self._tally.ended(lease.claim_id)

    async def next_due(self) -> NextDue | None:
        with self._timed("next_due"):
            next_due = await self._inner.next_due()
        in_s = next_due.wait.total_seconds() if next_due is not None else None
        self._expected_mono = self._clock.monotonic() + in_s if in_s is not None else None
        return next_due

    @contextmanager
    def _timed(self, method: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        except LeaseLostError:
            raise
        except Exception:
            self._metrics.store_failed(method, self._mechanism)
            raise
        finally:
            self._metrics.store_answered(method, self._mechanism, time.perf_counter() - started)
