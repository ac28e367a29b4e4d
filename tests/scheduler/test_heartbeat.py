"""The heartbeat's thread: it goes on while the event loop is busy, and survives what the store does."""

import asyncio
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain import Renewal, UnavailableError
from cronicorn.domain.fixtures import a_lease, an_endpoint
from cronicorn.domain.mechanism import Mechanism
from cronicorn.scheduler.heartbeat import Heartbeat
from cronicorn.scheduler.held import CallStoppedError
from cronicorn.scheduler.loop import Scheduler
from cronicorn.scheduler.settings import SchedulerSettings
from cronicorn.testing.dispatchers import ScriptedDispatcher
from tests.scheduler.test_faults import FlakyStore
from tests.scheduler.world import CRON
from tests.waiting import eventually_async

SETTINGS = SchedulerSettings(
    worker_id="w1",
    lease_ttl=timedelta(milliseconds=500),
    renew_interval=timedelta(milliseconds=20),
    lease_margin=timedelta(milliseconds=50),
)


CLOCK = SystemClock()


class Renewals(FlakyStore):
    """Counts renewals; answers what it is told."""

    def __init__(self, answer: Renewal | Exception | None = None) -> None:
        super().__init__(inner=self)
        self.answer = answer or Renewal()
        self.count = 0
        self.happened = threading.Event()

    def renew(self, leases, *, ttl):
        self.count += 1
        self.happened.set()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_busy_event_loop_does_not_stop_the_renewals():
    store = Renewals()
    heartbeat = Heartbeat(store, CLOCK, SETTINGS)
    heartbeat.start()

    with heartbeat.keeping(a_lease(an_endpoint()), time.monotonic()):
        store.happened.wait(5)
        before = store.count
        store.happened.clear()
        store.happened.wait(5)  # The loop is blocked here, on purpose.
        after = store.count
    await heartbeat.stop()

    assert after > before


async def test_a_store_that_fails_or_breaks_does_not_end_the_heartbeat():
    store = Renewals(UnavailableError("away"))
    heartbeat = Heartbeat(store, CLOCK, SETTINGS)
    heartbeat.start()

    with heartbeat.keeping(a_lease(an_endpoint()), time.monotonic()) as hold:
        await eventually_async(lambda: store.count >= 2)
        store.answer = RuntimeError("a bug")
        count = store.count
        await eventually_async(lambda: store.count >= count + 2)
        store.answer = Renewal(lost=frozenset({"claim1"}))
        await eventually_async(lambda: not hold.alive)
    await heartbeat.stop()


async def test_a_nudge_renews_at_once_and_brings_a_cancellation():
    settings = SchedulerSettings(worker_id="w1")
    store = Renewals(Renewal(cancelled=frozenset({"claim1"})))
    heartbeat = Heartbeat(store, CLOCK, settings)
    heartbeat.start()

    with heartbeat.keeping(a_lease(an_endpoint()), time.monotonic()) as hold:
        waiting = asyncio.create_task(hold.within(asyncio.Event().wait()))
        await asyncio.sleep(0)
        heartbeat.nudge()
        await eventually_async(waiting.done)
    await heartbeat.stop()

    assert type(waiting.exception()).__name__ == "CallStoppedError"
    assert store.count == 1


async def test_work_that_is_due_renews_nothing_and_a_cancellation_does():
    store = Renewals()
    scheduler = Scheduler(store, ScriptedDispatcher(), CLOCK, CRON, SchedulerSettings(worker_id="w1"))
    heartbeat = scheduler._heartbeat
    heartbeat.start()

    with heartbeat.keeping(a_lease(an_endpoint()), time.monotonic()):
        scheduler.wake()
        wanted = heartbeat._wanted.is_set()
        scheduler.heed_cancellations()
        await eventually_async(lambda: store.count == 1)
    await heartbeat.stop()

    assert not wanted


@pytest.mark.parametrize("mechanism", [mechanism for mechanism in Mechanism if mechanism.cancellable])
async def test_a_cancellation_is_heard_with_every_mechanism_that_has_one_and_extends_no_lock(mechanism):
    lock = a_lease(an_endpoint())._replace(mechanism=mechanism)
    store = Renewals(Renewal(cancelled=frozenset({"claim1"}), unextended=frozenset({"claim1"})))
    heartbeat = Heartbeat(store, CLOCK, SETTINGS)
    heartbeat.start()

    with heartbeat.keeping(lock, time.monotonic() - lock.ttl.total_seconds() + 60) as hold:
        until = hold._deadline
        with pytest.raises(CallStoppedError):
            await hold.within(asyncio.Event().wait())
        assert hold._deadline == until
    await heartbeat.stop()


async def test_a_renewal_that_hangs_is_not_waited_for_beyond_the_bound():
    class Stuck(Renewals):
        def __init__(self) -> None:
            super().__init__()
            self.released = threading.Event()

        def renew(self, leases, *, ttl):
            answer = super().renew(leases, ttl=ttl)
            self.released.wait(20)
            return answer

    store = Stuck()
    heartbeat = Heartbeat(store, CLOCK, replace(SETTINGS, lease_ttl=timedelta(seconds=15)))
    heartbeat.start()

    with heartbeat.keeping(a_lease(an_endpoint()), time.monotonic()):
        store.happened.wait(5)
        begun = time.monotonic()
        await heartbeat.stop(0.05)
        took = time.monotonic() - begun
    store.released.set()

    assert took < 5


async def test_a_renewal_that_could_not_be_asked_for_extends_nothing():
    store = Renewals(Renewal(unextended=frozenset({"claim1"})))
    heartbeat = Heartbeat(store, CLOCK, SETTINGS)
    heartbeat.start()

    with heartbeat.keeping(a_lease(an_endpoint()), time.monotonic()) as hold:
        until = hold._deadline
        await eventually_async(lambda: store.count >= 2)
        assert hold._deadline == until
    await heartbeat.stop()
