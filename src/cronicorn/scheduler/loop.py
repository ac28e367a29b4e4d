"""The loop: claim what is due, run it, sleep until the next instant."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import Clock, Cron, Dispatcher, JobStore
from cronicorn.scheduler.execution import Executor
from cronicorn.scheduler.heartbeat import Heartbeat
from cronicorn.scheduler.settings import SchedulerSettings

log = logging.getLogger(__name__)

_COALESCE = 0.005
"""Wake-ups come at least this far apart, so that instants close together are claimed together."""
_BATCH_MAX = 500
_OUTAGE_WAIT_FIRST = 0.1
_GIVE_BACK_S = 4.0
"""For so long leases that are left after a drain are offered to a store that can't be reached."""
_TIMER_SLACK = 0.001
"""Event loops round timers to milliseconds; waking a little late beats waking early for nothing."""
_CLOCK_STEP = 1.0
"""Seconds by which the wall clock may part from the monotonic one between two looks."""
_NEVER = datetime.max.replace(tzinfo=UTC)


class Scheduler:
    """One worker: runs due slots until told to stop.

    `stop` drains: nothing more is claimed, calls in progress may finish within the grace, what is left is abandoned and
    due again at once. `stop_now` skips the grace.
    """

    def __init__(
        self, store: JobStore, dispatcher: Dispatcher, clock: Clock, cron: Cron, settings: SchedulerSettings
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._executor = Executor(store=store, dispatcher=dispatcher, clock=clock, cron=cron, seed=settings.seed)
        self._heartbeat = Heartbeat(store, clock, settings)
        self._runs: dict[asyncio.Task[None], Lease] = {}
        self._woken = asyncio.Event()
        self._stopping = False
        self._grace_over = asyncio.Event()
        self._outage_wait = 0.0
        self._resting_until = _NEVER
        """By the store's clock, like the instants that endpoints are due at; the clock of this machine has no say."""
        self._clock_offset = clock.now().timestamp() - clock.monotonic()

    @property
    def calls_in_progress(self) -> int:
        """How many slots this worker is running."""
        return len(self._runs)

    def wake(self) -> None:
        """Look at the store now: something may be due earlier, or a run is to be cancelled. Not thread-safe."""
        self._woken.set()
        self._heartbeat.nudge()

    def stop(self) -> None:
        """Begin to drain."""
        self._stopping = True
        self._woken.set()

    def stop_now(self) -> None:
        """Stop without waiting for calls in progress."""
        self.stop()
        self._grace_over.set()

    async def run(self, *, threaded_heartbeat: bool = True) -> None:
        """Work until `stop`, then drain. Without threads (in virtual time) the heartbeat lives in the loop."""
        self._heartbeat.start(threaded=threaded_heartbeat)
        log.info("scheduler_started", extra={"worker": self._settings.worker_id, "calls_max": self._settings.calls_max})
        try:
            while not self._stopping:
                claimed = await self._tick()
                await self._rest(claimed)
        finally:
            try:
                await self._drain()
            finally:
                await self._heartbeat.stop()
            log.info("scheduler_stopped", extra={"worker": self._settings.worker_id})

    async def _tick(self) -> int:
        """Claim what is due and start it; say how much that was. Claims only what there is room to run."""
        self._watch_clock()
        room = min(self._settings.calls_max - len(self._runs), _BATCH_MAX)
        if room <= 0:
            return 0
        claimed_mono = self._clock.monotonic()
        try:
            leases = await self._store.claim_due(
                worker_id=self._settings.worker_id, limit=room, ttl=self._settings.lease_ttl
            )
        except UnavailableError as error:
            log.warning("store_unavailable", extra={"reason": str(error)})
            return self._wait_out()
        except Exception:  # A bug there must not end the work of all.
            log.exception("claim_crashed")
            return self._wait_out()
        self._outage_wait = 0.0
        for lease in leases:
            self._start(lease, claimed_mono)
        return len(leases)

    def _wait_out(self) -> int:
        """Ask again later, and later still as long as it does not help; nothing was claimed."""
        self._outage_wait = min(self._outage_wait * 2 or _OUTAGE_WAIT_FIRST, self._poll)
        return 0

    def _watch_clock(self) -> None:
        """Say so when the wall clock is set: what was planned by the wrong time stays planned for it."""
        offset = self._clock.now().timestamp() - self._clock.monotonic()
        step = offset - self._clock_offset
        if abs(step) > _CLOCK_STEP:
            log.warning("clock_stepped", extra={"by_s": round(step, 3)})
        self._clock_offset = offset

    def _start(self, lease: Lease, claimed_mono: float) -> None:
        task = asyncio.create_task(self._execute(lease, claimed_mono))
        self._runs[task] = lease
        task.add_done_callback(self._ended)

    async def _execute(self, lease: Lease, claimed_mono: float) -> None:
        with self._heartbeat.keeping(lease, claimed_mono) as hold:
            due_at = await self._executor.execute(hold)
        if due_at is not None and due_at < self._resting_until:
            self._woken.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        was_full = self._full
        self._runs.pop(task, None)
        if was_full:
            self._woken.set()

    async def _rest(self, claimed: int) -> None:
        """Sleep until the next instant is due, somebody wakes us, or a run ends while we are full."""
        if self._stopping or claimed >= _BATCH_MAX:
            return
        self._woken.clear()
        wait = self._outage_wait or await self._until_due()
        await asyncio.sleep(_COALESCE)
        if wait > _COALESCE and not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait - _COALESCE + _TIMER_SLACK):
                    await self._woken.wait()

    async def _until_due(self) -> float:
        """Seconds until the store has something for us, at most the poll interval."""
        self._resting_until = _NEVER
        if self._full:
            return self._poll
        try:
            next_due = await self._store.next_due()
        except UnavailableError:
            return self._poll
        except Exception:
            log.exception("claim_crashed")
            return self._poll
        if next_due is None:
            return self._poll
        self._resting_until = next_due.due_at
        return min(next_due.wait.total_seconds(), self._poll)

    async def _drain(self) -> None:
        """Let calls in progress finish within the grace, then give back what is left."""
        if self._runs:
            log.info("scheduler_draining", extra={"calls_in_progress": len(self._runs)})
        grace_over = asyncio.create_task(self._grace_over.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_grace.total_seconds()):
                while self._runs and not grace_over.done():
                    await asyncio.wait([*self._runs, grace_over], return_when=asyncio.FIRST_COMPLETED)
        grace_over.cancel()
        await self._abandon(list(self._runs.items()))

    async def _abandon(self, left: Sequence[tuple[asyncio.Task[None], Lease]]) -> None:
        """End calls and give their slots back. What was called already is only to be recorded, and gets time for it."""
        recording = [task for task, lease in left if self._heartbeat.called(lease)]
        await self._cancel([(task, lease) for task, lease in left if task not in recording])
        if recording:
            await asyncio.wait(recording, timeout=_GIVE_BACK_S)
        await self._cancel([(task, lease) for task, lease in left if task in recording and not task.done()])
        self._runs.clear()

    async def _cancel(self, runs: Sequence[tuple[asyncio.Task[None], Lease]]) -> None:
        for task, _ in runs:
            task.cancel()
        if runs:
            await asyncio.gather(*(task for task, _ in runs), return_exceptions=True)
            await self._give_back([lease for task, lease in runs if task.cancelled()])

    async def _give_back(self, leases: Sequence[Lease]) -> None:
        """Abandon *leases*; a store that can't be reached is tried again for a while."""
        if not leases:
            return
        wait, until = _OUTAGE_WAIT_FIRST, self._clock.monotonic() + _GIVE_BACK_S
        while True:
            try:
                await self._store.abandon(leases)
            except UnavailableError as error:
                if self._clock.monotonic() + wait > until:
                    log.warning("leases_left_to_expire", extra={"leases": len(leases), "reason": str(error)})
                    return
            except Exception:  # A bug there must not end the drain: what was called is still to be recorded.
                log.exception("abandon_crashed", extra={"leases": len(leases)})
                return
            else:
                log.warning("runs_abandoned", extra={"leases": len(leases)})
                return
            await asyncio.sleep(wait)
            wait *= 2

    @property
    def _full(self) -> bool:
        return len(self._runs) >= self._settings.calls_max

    @property
    def _poll(self) -> float:
        return self._settings.poll_interval.total_seconds()
