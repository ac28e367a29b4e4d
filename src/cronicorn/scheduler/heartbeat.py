"""Keeping leases alive: one thread renews all leases of a process, in batches, and hears who shall stop.

A busy event loop would starve a heartbeat that lived in it. The thread only talks to the store; what it learns is
handed to the loop, where each `HeldLease` watches its own deadline.
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.lease import Lease, Renewal
from cronicorn.domain.ports import Clock, JobStore
from cronicorn.scheduler.held import HeldLease
from cronicorn.scheduler.settings import SchedulerSettings
from cronicorn.scheduler.store_time import StoreTime

log = logging.getLogger(__name__)

_NUDGE_GAP_S = 0.05


class Heartbeat:
    """Renews every lease registered with it each `renew_interval`."""

    def __init__(self, store: JobStore, clock: Clock, settings: SchedulerSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._store_time = StoreTime()
        self._held: dict[str, HeldLease] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    def keep(self, lease: Lease, claimed_mono: float) -> HeldLease:
        """Keep *lease* alive until `let_go`. *claimed_mono* is the monotonic time before its claim was sent."""
        counted_mono = self._store_time.placed(lease.claimed_at, claimed_mono, self._clock.monotonic())
        span = lease.ttl - self._settings.lease_margin
        hold = HeldLease(lease, self._store, self._clock, claimed_mono, span, counted_mono=counted_mono)
        self._held[lease.claim_id] = hold
        return hold

    def let_go(self, hold: HeldLease) -> None:
        """Renew it no more."""
        del self._held[hold.lease.claim_id]

    @contextmanager
    def keeping(self, lease: Lease, claimed_mono: float) -> Iterator[HeldLease]:
        """Keep *lease* alive inside the block."""
        hold = self.keep(lease, claimed_mono)
        try:
            yield hold
        finally:
            self.let_go(hold)

    def called(self, lease: Lease) -> bool:
        """Whether the call under *lease* has been made, and is being recorded."""
        hold = self._held.get(lease.claim_id)
        return hold is not None and hold.called

    def start(self, *, threaded: bool = True) -> None:
        """Begin to beat: in a thread, or (in virtual time, where there are no threads) as a task of the loop."""
        self._loop = asyncio.get_running_loop()
        if threaded:
            self._thread = threading.Thread(target=self._beat_in_thread, name="heartbeat", daemon=True)
            self._thread.start()
        else:
            self._task = asyncio.create_task(self._beat_in_loop())

    def nudge(self) -> None:
        """Renew soon: somebody may have asked for a run to be cancelled."""
        if self._held:
            self._wanted.set()

    async def stop(self, within_s: float | None = None) -> None:
        """Beat no more. A renewal in progress is waited for, but no longer than so many seconds, or a lease lasts."""
        self._stopped.set()
        self._wanted.set()
        if self._task is not None:
            self._task.cancel()
        if self._thread is not None:
            within_s = self._settings.lease_ttl.total_seconds() if within_s is None else within_s
            await asyncio.to_thread(self._thread.join, within_s)

    def beat(self) -> None:
        """Renew all leases once. Also those that no renewal extends: a person may have cancelled their runs."""
        leases = [hold.lease for hold in list(self._held.values()) if hold.lease.mechanism.cancellable]
        if not leases:
            return
        sent = self._clock.monotonic()
        try:
            renewal = self._store.renew(leases, ttl=self._settings.lease_ttl)
        except UnavailableError as error:
            log.warning("renewal_failed", extra={"leases": len(leases), "reason": str(error)})
            return
        except Exception:
            log.exception("renewal_crashed", extra={"leases": len(leases)})
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, leases, renewal, sent)

    def _tell(self, leases: list[Lease], renewal: Renewal, sent: float) -> None:
        for lease in leases:
            hold = self._held.get(lease.claim_id)
            if hold is None:
                continue
            if lease.claim_id in renewal.lost:
                hold.lose()
                continue
            if lease.claim_id not in renewal.unextended:
                hold.extend(sent)
            if lease.claim_id in renewal.cancelled:
                hold.cancel()

    async def _beat_in_loop(self) -> None:
        while True:
            await asyncio.sleep(self._settings.renew_interval.total_seconds())
            self.beat()

    def _beat_in_thread(self) -> None:
        while not self._stopped.is_set():
            nudged = self._wanted.wait(self._settings.renew_interval.total_seconds())
            self._wanted.clear()
            if self._stopped.is_set():
                return
            self.beat()
            if nudged:
                self._stopped.wait(_NUDGE_GAP_S)
