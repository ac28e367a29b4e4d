"""A lease in the hands of its holder."""

import asyncio
import math
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import Clock, Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement

T = TypeVar("T")


class CallStoppedError(Exception):
    """The call was ended from our side, while the lease still stands."""


class HeldLease:
    """A lease, the moment until which it may be relied on, and the call made under it.

    The deadline is counted by the process's own monotonic clock from before the claim (or renewal) was sent, so that it
    ends before the store would let another worker start, even if the store never answers again.
    """

    def __init__(
        self,
        lease: Lease,
        store: JobStore,
        clock: Clock,
        claimed_mono: float,
        span: timedelta,
        *,
        counted_mono: float | None = None,
    ) -> None:
        """*counted_mono* is when the store saw the claim, if that is known: not before *claimed_mono*, its sending."""
        self.lease = lease
        self._store = store
        self._clock = clock
        self._counted_mono = claimed_mono if counted_mono is None else counted_mono
        self._span = span.total_seconds()
        self._deadline = claimed_mono + self._span
        self._stop_at = math.inf
        self._limit: asyncio.Timeout | None = None
        self._ended = False
        self.called = False
        """Whether a call was made under it, and has ended."""

    def now(self) -> datetime:
        """The instant by the store's clock: that of the claim, moved on by our monotonic clock.

        It may run ahead by the trip of a quick claim, not by the time that a store took to answer this one.
        """
        return self.lease.claimed_at + timedelta(seconds=self._clock.monotonic() - self._counted_mono)

    @property
    def alive(self) -> bool:
        """Whether the lease may still be relied on."""
        return self._clock.monotonic() < self._deadline

    def check(self) -> None:
        """Raises LeaseLostError when the lease may not be relied on any more: a frozen process wakes up here."""
        if not self.alive:
            raise self._lost()

    async def within(self, call: Awaitable[T], until: datetime | None = None) -> T:
        """Await *call*, but no longer than the lease stands.

        Raises LeaseLostError when the lease ends first, CallStoppedError at *until* or when the run is cancelled. It
        does not begin when the lease has ended already.
        """
        now = self._clock.monotonic()
        if now >= self._deadline:
            if asyncio.iscoroutine(call):
                call.close()
            raise self._lost()
        if until is not None:
            self._stop_at = min(self._stop_at, now + (until - self.now()).total_seconds())
        try:
            async with asyncio.timeout(max(min(self._deadline, self._stop_at) - now, 0.0)) as self._limit:
                outcome = await call
        except TimeoutError:
            if self._limit is None or not self._limit.expired():
                raise
            if self._deadline <= self._stop_at:  # by our clock it may still stand: uvloop's timers are a little early
                raise self._lost() from None
            self.check()
            self.called = True
            raise CallStoppedError from None
        else:
            self.called = True
            return outcome
        finally:
            self._limit = None

    async def commit(self, run: Run | None, decide: Decide) -> Settlement:
        """Record *run* (None: no call was made) with all that follows from it, and end the lease.

        As `JobStore.settle`: raises LeaseLostError when it was lost, UnavailableError when the store is away. It may be
        called again then; only one run is recorded, however often.
        """
        settlement = await self._store.settle(self.lease, run, decide)
        self._ended = True
        return settlement

    async def abandon(self) -> None:
        """End the lease with nothing recorded; its slot is due again at once. Does nothing when it has ended here."""
        if not self._ended:
            await self._store.abandon([self.lease])
            self._ended = True

    def extend(self, sent_mono: float) -> None:
        """A renewal sent at *sent_mono* was granted: nobody else has had the lease since, however late we hear it."""
        if self._deadline > -math.inf:
            self._deadline = max(self._deadline, sent_mono + self._span)
            self._reschedule()

    def lose(self) -> None:
        """Another worker holds the slot now, or nobody does."""
        self._deadline = -math.inf
        self._reschedule()

    def cancel(self) -> None:
        """A person asked for the run to be cancelled."""
        self._stop_at = -math.inf
        self._reschedule()

    def _lost(self) -> LeaseLostError:
        return LeaseLostError(f"The lease on {self.lease.run_id} ended before its call did.")

    def _reschedule(self) -> None:
        if self._limit is not None and not self._limit.expired():
            wait = min(self._deadline, self._stop_at) - self._clock.monotonic()
            self._limit.reschedule(asyncio.get_running_loop().time() + max(wait, 0.0))
