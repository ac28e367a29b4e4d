"""What happens when the store goes away, a lease is lost, or the process is told to stop. In virtual time."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain import Baseline, JobStore, Renewal, RunStatus, UnavailableError
from cronicorn.scheduler import Scheduler, SchedulerSettings
from cronicorn.scheduler.settings import ENDING_MAX
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.contracts.stores import next_due_at
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import CRON, SECOND, a_world

HOURLY = Baseline(interval=timedelta(hours=1), anchor_at=START)
DUE = 3_600


@dataclass
class FlakyStore(JobStore):
    """A job store that can be switched off, method by method."""

    inner: JobStore
    renewals_off: bool = False
    settles_off: bool = False
    claims_off: bool = False
    settling_takes: float = 0.0

    async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
        self._fail_if(self.claims_off)
        return await self.inner.claim_due(worker_id=worker_id, limit=limit, ttl=ttl)

    def renew(self, leases, *, ttl) -> Renewal:
        self._fail_if(self.renewals_off)
        return self.inner.renew(leases, ttl=ttl)

    async def settle(self, lease, run, decide):
        await asyncio.sleep(self.settling_takes)
        self._fail_if(self.settles_off)
        return await self.inner.settle(lease, run, decide)

    async def abandon(self, leases):
        self._fail_if(self.settles_off)
        await self.inner.abandon(leases)

    async def next_due(self):
        self._fail_if(self.claims_off)
        return await self.inner.next_due()

    def settle_again(self) -> None:
        self.settles_off = False

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


def no_room_for(calls: int) -> ScriptedDispatcher:
    """Has no room for the first *calls* calls, and then answers."""

    def script(_call, number) -> Reply:
        if number < calls:
            raise UnavailableError("No file descriptors are left.")
        return Reply()

    return ScriptedDispatcher(script)


def test_a_slot_that_finds_no_room_on_this_machine_runs_later_and_no_failure_counts(caplog):
    async def main(clock):
        world = a_world(clock, no_room_for(3))
        await world.add(baseline=HOURLY)
        async with world.worker(poll_interval=60 * SECOND):
            await asyncio.sleep(DUE + 10)
        return await world.runs(), await world.endpoint(), world.dispatcher

    runs, endpoint, dispatcher = run_virtually(main)

    assert [(run.slot, run.attempt, run.fence, run.status) for run in runs] == [(1, 1, 4, RunStatus.SUCCESS)]
    assert 3 * SECOND <= runs[0].started_at - runs[0].due_at < 3.1 * SECOND
    assert endpoint.state.failure_count == 0
    assert len(dispatcher.calls) == 4
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [(record.getMessage(), record.slot, record.reason) for record in told] == [
        ("call_not_made", 1, "No file descriptors are left.")
    ] * 3


def test_a_slot_that_finds_neither_room_nor_the_store_runs_soon_after_the_store_is_back():
    async def main(clock):
        world = a_world(clock, no_room_for(1))
        await world.add(baseline=HOURLY)
        flaky = FlakyStore(world.stores.job_store, settles_off=True)
        async with world.worker(store=flaky):
            await asyncio.sleep(DUE + 5)
            flaky.settles_off = False
            await asyncio.sleep(30)
        return await world.runs()

    runs = run_virtually(main)

    assert [(run.slot, run.status) for run in runs] == [(1, RunStatus.SUCCESS)]
    assert runs[0].started_at - runs[0].due_at <= 6.1 * SECOND


def test_a_slot_that_waits_for_room_is_given_back_by_a_drain():
    async def main(clock):
        world = a_world(clock, no_room_for(1))
        await world.add(baseline=HOURLY)
        async with world.worker(drain_grace=0 * SECOND):
            await asyncio.sleep(DUE + 0.5)
        return await next_due_at(world.stores.job_store), await world.runs()

    assert run_virtually(main) == (START + DUE * SECOND, [])


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
        return ended_at, await next_due_at(world.stores.job_store), await world.runs(), world.dispatcher

    ended_at, due_at, runs, dispatcher = run_virtually(main)

    assert (ended_at - START).total_seconds() < DUE + 7
    assert due_at == START + DUE * SECOND
    assert runs == []
    assert dispatcher.in_progress == 0


def given_back_to_a_store_that_is_away_for(seconds):
    """When the slot of a call that outlasts the grace is due again, and how long the worker took to stop."""

    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=HOURLY)
        flaky = FlakyStore(world.stores.job_store)
        async with world.worker(store=flaky, drain_grace=0 * SECOND):
            await asyncio.sleep(DUE + 1)
            flaky.settles_off = True
            asyncio.get_running_loop().call_later(seconds, flaky.settle_again)
        return await next_due_at(world.stores.job_store), (clock.now() - START).total_seconds() - DUE - 1

    return run_virtually(main)


def test_a_call_that_has_ended_is_recorded_though_the_grace_is_over():
    async def main(clock):
        world = a_world(clock, slow_then_quick(2))
        await world.add(baseline=HOURLY)
        slow = FlakyStore(world.stores.job_store, settling_takes=3)
        async with world.worker(store=slow, drain_grace=0 * SECOND):
            await asyncio.sleep(DUE + 3)
        return await world.runs(), world.dispatcher.in_progress

    runs, in_progress = run_virtually(main)

    assert [run.status for run in runs] == [RunStatus.SUCCESS]
    assert in_progress == 0


def test_a_bug_in_giving_back_keeps_no_call_that_has_ended_from_being_recorded(caplog):
    class Buggy(FlakyStore):
        async def abandon(self, leases):
            raise RuntimeError("a bug")

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=(500 if n == 0 else 2) * SECOND)))
        await world.add(baseline=HOURLY)
        await world.add(id="ep2", name="e2", baseline=HOURLY)
        async with world.worker(store=Buggy(world.stores.job_store, settling_takes=3), drain_grace=0 * SECOND):
            await asyncio.sleep(DUE + 3)
        return [len(await world.runs(each)) for each in ("ep1", "ep2")]

    recorded = run_virtually(main)

    assert sorted(recorded) == [0, 1]
    assert [record.leases for record in caplog.records if record.getMessage() == "abandon_crashed"] == [1]


def test_a_drain_that_could_stop_no_call_gives_nothing_back(caplog):
    class Stubborn(ScriptedDispatcher):
        async def dispatch(self, call):
            try:
                return await super().dispatch(call)
            except asyncio.CancelledError:
                return await ScriptedDispatcher().dispatch(call)

    async def main(clock):
        world = a_world(clock, Stubborn(lambda _call, _n: Reply(latency=500 * SECOND)))
        await world.add(baseline=HOURLY)
        async with world.worker(drain_grace=0 * SECOND):
            await asyncio.sleep(DUE + 1)
        return await world.runs()

    runs = run_virtually(main)

    assert [run.status for run in runs] == [RunStatus.SUCCESS]
    assert "runs_abandoned" not in caplog.text


def test_a_drain_offers_what_is_left_again_to_a_store_that_was_away_for_a_moment():
    due_at, took = given_back_to_a_store_that_is_away_for(1)

    assert due_at == START + DUE * SECOND
    assert 1 <= took < 2


def test_a_drain_does_not_wait_for_a_store_that_stays_away(caplog):
    due_at, took = given_back_to_a_store_that_is_away_for(60)

    assert due_at is not None
    assert due_at >= START + (DUE + 30) * SECOND
    assert took < 5
    assert [record.leases for record in caplog.records if record.getMessage() == "leases_left_to_expire"] == [1]


class Hanging(FlakyStore):
    """From some moment on it answers nothing any more."""

    hangs = False

    async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
        await self._answer()
        return await super().claim_due(worker_id=worker_id, limit=limit, ttl=ttl)

    async def settle(self, lease, run, decide):
        await self._answer()
        return await super().settle(lease, run, decide)

    async def abandon(self, leases):
        await self._answer()
        await super().abandon(leases)

    async def _answer(self) -> None:
        if self.hangs:
            await asyncio.sleep(1_000_000)


def stopped_beside_a_store_that_hangs(stop, grace_s):
    """How many seconds a worker takes with one call in progress, one to be recorded and a claim under way."""

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=(500 if n == 0 else 2) * SECOND)))
        await world.add(baseline=HOURLY)
        await world.add(id="ep2", name="e2", baseline=HOURLY)
        store = Hanging(world.stores.job_store)
        async with world.worker(store=store, drain_grace=grace_s * SECOND) as scheduler:
            await asyncio.sleep(DUE + 1)
            store.hangs = True
            await asyncio.sleep(2)
            in_progress = scheduler.calls_in_progress
            stop(scheduler)
        return in_progress, (clock.now() - START).total_seconds() - DUE - 3

    in_progress, took = run_virtually(main)
    assert in_progress == 2
    return took


def test_a_store_that_hangs_holds_up_a_drain_no_longer_than_was_promised():
    took = stopped_beside_a_store_that_hangs(Scheduler.stop, grace_s=3)

    assert 3 <= took <= 3 + ENDING_MAX.total_seconds()


def test_a_store_that_hangs_holds_up_a_second_signal_no_longer_than_was_promised():
    took = stopped_beside_a_store_that_hangs(Scheduler.stop_now, grace_s=3_600)

    assert took <= ENDING_MAX.total_seconds()


def test_a_call_that_does_not_end_holds_up_no_drain_and_its_slot_is_not_given_back(caplog):
    class Stubborn(ScriptedDispatcher):
        async def dispatch(self, call):
            try:
                return await super().dispatch(call)
            except asyncio.CancelledError:
                return await super().dispatch(call)

    async def main(clock):
        world = a_world(clock, Stubborn(lambda _call, _n: Reply(latency=500 * SECOND)))
        await world.add(baseline=HOURLY)
        async with world.worker(drain_grace=0 * SECOND):
            await asyncio.sleep(DUE + 1)
        return (clock.now() - START).total_seconds() - DUE - 1, await next_due_at(world.stores.job_store)

    took, due_at = run_virtually(main)

    assert took <= ENDING_MAX.total_seconds()
    assert due_at is not None
    assert due_at > START + (DUE + 20) * SECOND
    assert [record.leases for record in caplog.records if record.getMessage() == "leases_left_to_expire"] == [1]


def test_a_second_signal_stops_at_once():
    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=HOURLY)
        async with world.worker(drain_grace=timedelta(hours=1)) as scheduler:
            await asyncio.sleep(DUE + 1)
            scheduler.stop()
            await asyncio.sleep(3)
            scheduler.stop_now()
        return clock.now(), await next_due_at(world.stores.job_store)

    ended_at, due_at = run_virtually(main)

    assert (ended_at - START).total_seconds() < DUE + 5
    assert due_at == START + DUE * SECOND


def test_calls_that_end_cancelled_from_inside_leave_their_places_to_others():
    def script(_call, number) -> Reply:
        if number < 2:
            raise asyncio.CancelledError
        return Reply()

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(script))
        for number in range(3):
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=HOURLY)
        async with world.worker(calls_max=1) as scheduler:
            await asyncio.sleep(DUE + 5)
            in_progress = scheduler.calls_in_progress
        return in_progress, world.dispatcher, (clock.now() - START).total_seconds()

    in_progress, dispatcher, ended_at = run_virtually(main)

    assert in_progress == 0
    assert len(dispatcher.calls) == 3
    assert ended_at < DUE + 6


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


def test_a_slot_taken_over_runs_for_the_instant_that_its_dead_worker_called():
    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=Baseline(interval=3 * SECOND, anchor_at=START))
        flaky = FlakyStore(world.stores.job_store)
        async with world.worker(store=flaky):
            await asyncio.sleep(4)
            flaky.renewals_off = flaky.settles_off = flaky.claims_off = True
            async with world.worker(worker_id="w2"):
                await asyncio.sleep(40)
        return await world.runs(), await world.skips(), world.dispatcher

    runs, skips, dispatcher = run_virtually(main)

    keys = [call.headers["Idempotency-Key"] for call in dispatcher.calls]
    assert keys[0] == keys[1] == f"ep1:{runs[0].slot}"
    assert runs[0].nominal_at == START + 3 * SECOND
    assert skips
    assert all(skip.first_at > START + 3 * SECOND for skip in skips)
    assert len(set(keys[1:])) == len(keys[1:])


def test_a_bug_in_the_store_does_not_end_the_loop(caplog):
    class Buggy(FlakyStore):
        crashes = 3

        async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
            if self.crashes:
                self.crashes -= 1
                raise RuntimeError("a bug")
            return await super().claim_due(worker_id=worker_id, limit=limit, ttl=ttl)

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=Baseline(interval=SECOND, anchor_at=START))
        async with world.worker(store=Buggy(world.stores.job_store)):
            await asyncio.sleep(5.5)
        return await world.runs()

    runs = run_virtually(main)

    assert len(runs) >= 4
    assert "claim_crashed" in caplog.text


def test_a_run_that_is_cancelled_while_it_drains_still_stops_its_heartbeat():
    async def main(clock):
        world = a_world(clock, slow_then_quick(500))
        await world.add(baseline=HOURLY)
        chosen = SchedulerSettings(worker_id="w1")
        scheduler = Scheduler(world.stores.job_store, world.dispatcher, clock, CRON, chosen)
        task = asyncio.create_task(scheduler.run(threaded_heartbeat=False))
        await asyncio.sleep(DUE + 1)
        scheduler.stop()
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)
        beating = scheduler._heartbeat._task
        return beating is not None and beating.cancelled()

    assert run_virtually(main)


def test_a_process_that_was_frozen_between_claim_and_call_does_not_call():
    class Frozen(FlakyStore):
        async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
            leases = await super().claim_due(worker_id=worker_id, limit=limit, ttl=ttl)
            await asyncio.sleep(28 if leases else 0)
            return leases

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=HOURLY)
        async with world.worker(store=Frozen(world.stores.job_store)):
            await asyncio.sleep(DUE + 29)
        return world.dispatcher

    assert run_virtually(main).calls == []


def test_what_a_claim_brings_after_a_stop_was_asked_for_is_given_back_uncalled():
    class Slow(FlakyStore):
        async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
            leases = await super().claim_due(worker_id=worker_id, limit=limit, ttl=ttl)
            await asyncio.sleep(2 if leases else 0)
            return leases

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=HOURLY)
        async with world.worker(store=Slow(world.stores.job_store)) as worker:
            await asyncio.sleep(DUE + 1)
            worker.stop()
            await asyncio.sleep(2)
        return world.dispatcher, await next_due_at(world.stores.job_store)

    dispatcher, due_at = run_virtually(main)

    assert dispatcher.calls == []
    assert due_at == START + timedelta(seconds=DUE)
