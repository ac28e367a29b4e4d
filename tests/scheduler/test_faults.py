"""What happens when the store goes away, a lease is lost, or the process is told to stop. In virtual time."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain import Baseline, JobStore, Renewal, RunStatus, UnavailableError
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from cronicorn.testing.virtual_time import START, run_virtually
from tests.scheduler.world import SECOND, a_world

HOURLY = Baseline(interval=timedelta(hours=1), anchor_at=START)
DUE = 3_600


@dataclass
class FlakyStore(JobStore):
    """A job store that can be switched off, method by method."""

    inner: JobStore
    renewals_off: bool = False
    settles_off: bool = False
    claims_off: bool = False

    async def claim_due(self, *, worker_id, limit, ttl):
        self._fail_if(self.claims_off)
        return await self.inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl)

    def renew(self, leases, *, ttl) -> Renewal:
        self._fail_if(self.renewals_off)
        return self.inner.renew(leases, ttl=ttl)

    async def settle(self, lease, run, decide):
        self._fail_if(self.settles_off)
        return await self.inner.settle(lease, run, decide)

    async def abandon(self, leases):
        self._fail_if(self.settles_off)
        await self.inner.abandon(leases)

    async def next_due_at(self):
        self._fail_if(self.claims_off)
        return await self.inner.next_due_at()

    def _fail_if(self, off) -> None:
        if off:
            raise UnavailableError("The store is switched off.")


def slow_then_quick(seconds: float) -> ScriptedDispatcher:
    return ScriptedDispatcher(lambda _call, n: Reply(latency=(seconds if n == 0 else 1) * SECOND))


def test_a_worker_that_cannot_renew_stops_its_call_before_another_may_start():
    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=HOURLY)
        flaky = FlakyStore(world.stores.job_store, renewals_off=True)
        async with world.worker(store=flaky):
            await asyncio.sleep(DUE + 1)
            in_progress = [world.dispatcher.in_progress]
            await asyncio.sleep(25.9)
            in_progress.append(world.dispatcher.in_progress)
            await asyncio.sleep(0.2)
            in_progress.append(world.dispatcher.in_progress)
        return in_progress

    assert run_virtually(main) == [1, 1, 0]


def test_a_slot_whose_worker_lost_the_store_is_run_by_another_within_the_bound():
    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=HOURLY)
        flaky = FlakyStore(world.stores.job_store)
        async with world.worker(store=flaky):
            await asyncio.sleep(DUE + 1)
            flaky.renewals_off = flaky.settles_off = flaky.claims_off = True
            async with world.worker(worker_id="w2") as other:
                await asyncio.sleep(40)
                bound = other._settings.recovery_bound
        return await world.runs(), bound

    runs, bound = run_virtually(main)

    assert [(run.slot, run.fence, run.status) for run in runs] == [(1, 2, RunStatus.SUCCESS)]
    assert runs[0].started_at - START <= (DUE + 1) * SECOND + bound


def test_a_store_that_flickers_while_settling_costs_no_second_call():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=HOURLY)
        flaky = FlakyStore(world.stores.job_store, settles_off=True)
        async with world.worker(store=flaky):
            await asyncio.sleep(DUE + 5)
            flaky.settles_off = False
            await asyncio.sleep(5)
        return await world.runs(), world.dispatcher

    runs, dispatcher = run_virtually(main)

    assert [run.status for run in runs] == [RunStatus.SUCCESS]
    assert len(dispatcher.calls) == 1


def test_a_store_that_is_away_is_asked_again_and_work_goes_on():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=Baseline(interval=60 * SECOND, anchor_at=START))
        flaky = FlakyStore(world.stores.job_store, claims_off=True)
        async with world.worker(store=flaky):
            await asyncio.sleep(90)
            flaky.claims_off = False
            await asyncio.sleep(60)
        return await world.runs()

    runs = run_virtually(main)

    assert [(run.nominal_at - START).total_seconds() for run in runs] == [60, 120]
    assert runs[0].started_at - START <= 91.1 * SECOND


def test_a_drain_lets_calls_finish_and_claims_nothing_more():
    async def main(clock):
        world = a_world(clock, slow_then_quick(20))
        await world.add(baseline=HOURLY)
        async with world.worker() as scheduler:
            await asyncio.sleep(DUE + 1)
            scheduler.stop()
            await world.run_now("ep1")
        return await world.runs(), clock.now()

    runs, ended_at = run_virtually(main)

    assert [run.status for run in runs] == [RunStatus.SUCCESS]
    assert (ended_at - START).total_seconds() < DUE + 21


def test_what_outlasts_the_grace_is_given_back_and_due_at_once():
    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=HOURLY)
        async with world.worker(drain_grace=5 * SECOND):
            await asyncio.sleep(DUE + 1)
        ended_at = clock.now()
        return ended_at, await world.stores.job_store.next_due_at(), await world.runs(), world.dispatcher

    ended_at, due_at, runs, dispatcher = run_virtually(main)

    assert (ended_at - START).total_seconds() < DUE + 7
    assert due_at == START + DUE * SECOND
    assert runs == []
    assert dispatcher.in_progress == 0


def test_a_second_signal_stops_at_once():
    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=HOURLY)
        async with world.worker(drain_grace=timedelta(hours=1)) as scheduler:
            await asyncio.sleep(DUE + 1)
            scheduler.stop()
            await asyncio.sleep(3)
            scheduler.stop_now()
        return clock.now(), await world.stores.job_store.next_due_at()

    ended_at, due_at = run_virtually(main)

    assert (ended_at - START).total_seconds() < DUE + 5
    assert due_at == START + DUE * SECOND


def test_many_workers_on_one_store_run_every_slot_once():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=timedelta(milliseconds=7 * (n % 50)))))
        for number in range(20):
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=Baseline(interval=SECOND, anchor_at=START))
        async with world.worker(), world.worker(worker_id="w2"), world.worker(worker_id="w3"):
            await asyncio.sleep(60.9)
        return [await world.runs(f"ep{number}") for number in range(20)], world.dispatcher

    histories, dispatcher = run_virtually(main)

    assert all([run.nominal_at for run in runs] == [START + n * SECOND for n in range(1, 61)] for runs in histories)
    assert len(dispatcher.calls) == 20 * 60


def test_an_endpoint_whose_settling_crashes_does_not_spin(caplog):
    class Broken(FlakyStore):
        async def settle(self, lease, run, decide):
            raise RuntimeError("a bug in a decision")

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=HOURLY)
        async with world.worker(store=Broken(world.stores.job_store)):
            await asyncio.sleep(DUE + 600)
        return world.dispatcher

    dispatcher = run_virtually(main)

    assert 3 <= len(dispatcher.calls) <= 12
    assert "run_crashed" in caplog.text
