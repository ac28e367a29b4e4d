"""The loop: claim what is due, run it, sleep until the next instant."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import Clock, Cron, Dispatcher, JobStore
from cronicorn.scheduler.execution import Executor
from cronicorn.scheduler.heartbeat import Heartbeat
from cronicorn.scheduler.settings import ENDING_MAX, SchedulerSettings

log = logging.getLogger(__name__)

_COALESCE_S = 0.005
"""Claims begin at least this far apart, so that instants close together are claimed together."""
_BATCH_MAX = 500
_BACKLOG_PACE_S = 0.02
"""So long a claim of a backlog waits for half of the room: one that takes few costs each run what it costs many."""
_SLOW = timedelta(seconds=2 * _BACKLOG_PACE_S)
"""No claim waits for calls older than this: they may hang. Half of what ends within two paces ends within one."""
_DENSE = 4
"""After a claim of so many the next instant is hardly farther away than asking for it would take."""
_OUTAGE_WAIT_FIRST_S = 0.1
_AT_ONCE_S = 1.0
"""So long a store that has been asked something may take to answer, also where nothing else is waited for."""
_ENDING_S = ENDING_MAX.total_seconds() - _AT_ONCE_S
"""So long the end may take once the work is over."""
_RECORDED_BEFORE_S = 3.0
"""So long before its end whatever is not recorded is given up."""
_STOPPED_BEFORE_S = 2.0
"""So long before, calls that were cancelled must have ended, or their slots can't be given back."""
_GIVEN_BACK_BEFORE_S = 1.0
"""So long before, leases are no longer offered to a store that can't be reached."""
_TIMER_SLACK_S = 0.001
"""Event loops round timers to milliseconds; waking a little late beats waking early for nothing."""
_CLOCK_STEP_S = 1.0
"""Seconds by which the wall clock may part from the monotonic one between two looks."""
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Scheduler:
    """One worker: runs due slots until told to stop.

    `stop` drains: nothing more is claimed, calls in progress may finish within the grace, what is left is abandoned and
    due again at once. `stop_now` skips the grace. It has ended `ENDING_MAX` after the grace, whatever the store does.
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
        self._more = False
        """Whether the last claim took all that there was room for: more may be due."""
        self._wake_at = -1
        """A run that ends and leaves no more than so many wakes us."""
        self._stopping = False
        self._limit: asyncio.Timeout | None = None
        """Of the work, once a stop was asked for: a store that does not answer holds it up no longer."""
        self._grace_until = 0.0
        self._end_by = 0.0
        self._grace_over = asyncio.Event()
        self._outage_wait = 0.0
        self._claimed_mono = 0.0
        """When the last claim began."""
        self._resting_until = _EARLIEST
        """By the store's clock, like the instants that endpoints are due at; the clock of this machine has no say."""
        self._clock_offset = clock.now().timestamp() - clock.monotonic()

    @property
    def worker_id(self) -> str:
        """By which its leases are known."""
        return self._settings.worker_id

    @property
    def calls_in_progress(self) -> int:
        """How many slots this worker is running."""
        return len(self._runs)

    def wake(self) -> None:
        """Look at the store now: something may be due earlier. Not thread-safe."""
        self._woken.set()

    def heed_cancellations(self) -> None:
        """Renew now: the answer says which runs a person wants to end. Not thread-safe."""
        self._heartbeat.nudge()

    def stop(self) -> None:
        """Begin to drain."""
        if not self._stopping:
            self._stopping = True
            grace_s = self._settings.drain_grace.total_seconds()
            self._grace_until = self._clock.monotonic() + grace_s
            self._work_no_longer_than(max(grace_s, _AT_ONCE_S))
        self._woken.set()

    def stop_now(self) -> None:
        """Stop without waiting for calls in progress."""
        self.stop()
        self._grace_over.set()
        self._work_no_longer_than(_AT_ONCE_S)

    async def run(self, *, threaded_heartbeat: bool = True) -> None:
        """Work until `stop`, then drain. Without threads (in virtual time) the heartbeat lives in the loop."""
        self._heartbeat.start(threaded=threaded_heartbeat)
        log.info("scheduler_started", extra={"worker": self._settings.worker_id, "calls_max": self._settings.calls_max})
        try:
            await self._work()
        finally:
            try:
                await self._drain()
            finally:
                at_once = self._grace_over.is_set()
                await self._heartbeat.stop(_AT_ONCE_S if at_once else max(self._left_s(), _AT_ONCE_S))
            self._executor.slot_log.tell_rest()
            log.info("scheduler_stopped", extra={"worker": self._settings.worker_id})

    async def _work(self) -> None:
        """Run what is due until told to stop."""
        try:
            async with asyncio.timeout(None) as self._limit:
                while not self._stopping:
                    claimed = await self._tick()
                    await self._rest(claimed)
        except TimeoutError:
            if self._limit is None or not self._limit.expired():
                raise
            log.warning("store_unavailable", extra={"reason": "It did not answer before the grace was over."})
        finally:
            self._limit = None

    def _work_no_longer_than(self, seconds: float) -> None:
        if self._limit is not None and not self._limit.expired():
            until, before = asyncio.get_running_loop().time() + seconds, self._limit.when()
            self._limit.reschedule(until if before is None else min(until, before))

    async def _tick(self) -> int:
        """Claim what is due and start it; say how much that was. Claims only what there is room to run."""
        self._watch_clock()
        self._executor.slot_log.look(self._clock.monotonic())
        room = min(self._settings.calls_max - len(self._runs), _BATCH_MAX)
        if room <= 0:
            return 0
        self._more = False
        self._claimed_mono = claimed_mono = self._clock.monotonic()
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
        if self._stopping:  # We were told while the claim was on its way: nothing is begun any more.
            self._end_by = self._clock.monotonic() + _ENDING_S
            await self._give_back(leases)
            return 0
        self._more = len(leases) >= room
        for lease in leases:
            self._start(lease, claimed_mono)
        return len(leases)

    def _wait_out(self) -> int:
        """Ask again later, and later still as long as it does not help; nothing was claimed."""
        self._outage_wait = min(self._outage_wait * 2 or _OUTAGE_WAIT_FIRST_S, self._poll)
        return 0

    def _watch_clock(self) -> None:
        """Say so when the wall clock is set: what was planned by the wrong time stays planned for it."""
        offset = self._clock.now().timestamp() - self._clock.monotonic()
        step = offset - self._clock_offset
        if abs(step) > _CLOCK_STEP_S:
            log.warning("clock_stepped", extra={"by_s": round(step, 3)})
        self._clock_offset = offset

    def _start(self, lease: Lease, claimed_mono: float) -> None:
        task = asyncio.create_task(self._execute(lease, claimed_mono))
        self._runs[task] = lease
        task.add_done_callback(self._ended)

    async def _execute(self, lease: Lease, claimed_mono: float) -> None:
        hold = self._heartbeat.keep(lease, claimed_mono)
        try:
            due_at = await self._executor.execute(hold)
        finally:
            self._heartbeat.let_go(hold)
        if due_at is not None and due_at < self._resting_until:
            self._woken.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._runs.pop(task, None)
        if len(self._runs) <= self._wake_at:
            self._woken.set()

    async def _rest(self, claimed: int) -> None:
        """Sleep until the next instant is due or somebody wakes us; where more is due, until there is room for it."""
        if self._stopping:
            return
        self._woken.clear()
        self._resting_until = _EARLIEST  # Whatever becomes due, the claim after this one finds it soon enough.
        if self._more:
            await self._until_room()
            return
        wait = self._outage_wait or (0.0 if claimed >= _DENSE else await self._until_due())
        pause = max(self._claimed_mono + _COALESCE_S - self._clock.monotonic(), 0.0)
        await asyncio.sleep(pause)
        if wait > pause and not self._stopping:
            await self._until_woken(wait - pause + _TIMER_SLACK_S)

    async def _until_room(self) -> None:
        """Wait for half of the room that slow calls leave, but not for long; then for any."""
        calls_max = self._settings.calls_max
        half = (calls_max + self._slow()) // 2
        for in_progress, patience in ((half, _BACKLOG_PACE_S), (calls_max - 1, self._poll)):
            self._wake_at = in_progress
            if len(self._runs) > in_progress:
                await self._until_woken(patience)
        self._wake_at = -1

    def _slow(self) -> int:
        """How many of the calls in progress were claimed long before the last, by the store's clock."""
        claims = [lease.claimed_at for lease in self._runs.values()]
        return sum(claims[-1] - claimed_at > _SLOW for claimed_at in claims)

    async def _until_woken(self, patience: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._woken.wait()

    async def _until_due(self) -> float:
        """Seconds until the store has something for us, at most the poll interval."""
        self._resting_until = _NEVER
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
        self.stop()  # Or nobody has asked for it, and the grace begins now.
        if self._runs:
            log.info("scheduler_draining", extra={"calls_in_progress": len(self._runs)})
        grace_over = asyncio.create_task(self._grace_over.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace_until - self._clock.monotonic()):
                while self._runs and not grace_over.done():
                    await asyncio.wait([*self._runs, grace_over], return_when=asyncio.FIRST_COMPLETED)
        grace_over.cancel()
        await self._abandon()

    async def _abandon(self) -> None:
        """End calls and give their slots back. What was called already is only to be recorded, and gets time for it."""
        self._end_by = self._clock.monotonic() + _ENDING_S
        left = dict(self._runs)
        recording = {task: lease for task, lease in left.items() if self._heartbeat.called(lease)}
        calling = {task: lease for task, lease in left.items() if task not in recording}
        await asyncio.gather(self._cancel(calling), self._record(recording))
        self._runs.clear()

    async def _record(self, runs: Mapping[asyncio.Task[None], Lease]) -> None:
        if runs:
            _, late = await asyncio.wait(runs, timeout=self._left_s(_RECORDED_BEFORE_S))
            await self._cancel({task: runs[task] for task in late})

    async def _cancel(self, runs: Mapping[asyncio.Task[None], Lease]) -> None:
        if not runs:
            return
        for task in runs:
            task.cancel()
        _, going_on = await asyncio.wait(runs, timeout=self._left_s(_STOPPED_BEFORE_S))
        if going_on:  # Nobody else may begin what they are still doing.
            facts = {"leases": len(going_on), "reason": "Their calls do not end."}
            log.warning("leases_left_to_expire", extra=facts)
        await self._give_back([lease for task, lease in runs.items() if task.cancelled()])

    async def _give_back(self, leases: Sequence[Lease]) -> None:
        """Abandon *leases*; a store that can't be reached is tried again for a while."""
        if not leases:
            return
        try:
            async with asyncio.timeout(self._left_s(_GIVEN_BACK_BEFORE_S)):
                await self._abandon_patiently(leases)
        except (UnavailableError, TimeoutError) as error:
            reason = str(error) or "The store did not answer in time."
            log.warning("leases_left_to_expire", extra={"leases": len(leases), "reason": reason})
        except Exception:  # A bug there must not end the drain: what was called is still to be recorded.
            log.exception("abandon_crashed", extra={"leases": len(leases)})
        else:
            log.warning("runs_abandoned", extra={"leases": len(leases)})

    async def _abandon_patiently(self, leases: Sequence[Lease]) -> None:
        wait = _OUTAGE_WAIT_FIRST_S
        while True:
            try:
                return await self._store.abandon(leases)
            except UnavailableError:
                if wait > self._left_s(_GIVEN_BACK_BEFORE_S):
                    raise
            await asyncio.sleep(wait)
            wait *= 2

    def _left_s(self, before_s: float = 0.0) -> float:
        """Seconds until *before_s* before the end."""
        return max(self._end_by - before_s - self._clock.monotonic(), 0.0)

    @property
    def _poll(self) -> float:
        return self._settings.poll_interval.total_seconds()
