"""Flow control, in virtual time: what has to wait is late and never lost, and nobody else waits for it."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from cronicorn.domain import Baseline, Request
from cronicorn.domain.endpoint import CatchUp, CatchUpMode
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.flow.limits import Flow, FlowLimits
from cronicorn.domain.flow.ports import FlowBook
from cronicorn.scheduler.flowing import FlowingJobStore
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import SECOND, a_world, lateness

HOUR = 3_600 * SECOND
HOURLY = Baseline(interval=HOUR, anchor_at=START)


def flowing(world, clock, hosts=None):
    stores = world.stores
    return FlowingJobStore(stores.job_store, stores.flow_book, stores.endpoints, clock, hosts or {})


async def crew(world, clock, workers, seconds, hosts=None):
    """So many workers, each with a view of its own, for so long."""
    async with AsyncExitStack() as stack:
        for number in range(workers):
            store = flowing(world, clock, hosts)
            scheduler = await stack.enter_async_context(world.worker(store=store, worker_id=f"w{number}"))
            store.on_due(scheduler.wake)
        await asyncio.sleep(seconds)


def answering_after(latency):
    return ScriptedDispatcher(lambda _call, _number: Reply(latency=latency))


def begun(runs):
    return sorted(run.started_at - START for each in runs for run in each)


def test_several_workers_together_keep_to_the_rate_and_lose_nothing():
    async def main(clock):
        world = a_world(clock, answering_after(0.3 * SECOND))
        flow = Flow(key="api", limits=FlowLimits(rate=5, period=2 * SECOND))
        for number in range(60):
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=HOURLY, flow=flow)
        await world.add(id="free", name="free", baseline=Baseline(interval=SECOND, anchor_at=START))
        await crew(world, clock, 3, 3_660)
        return [await world.runs(f"ep{n}") for n in range(60)], await world.runs("free"), await world.skips("ep59")

    limited, free, skips = run_virtually(main)

    instants = begun(limited)
    assert Counter(len(runs) for runs in limited) == {1: 60}
    assert all(late - early >= 2 * SECOND for early, late in zip(instants, instants[5:], strict=False))
    assert instants[-1] - HOUR < 27 * SECOND
    assert skips == []
    assert max(lateness(free)) < 0.1 * SECOND


def test_a_line_of_an_hour_is_served_at_the_rate_by_whichever_workers():
    async def main(clock):
        world = a_world(clock)
        flow = Flow(key="api", limits=FlowLimits(rate=1, period=60 * SECOND))
        daily = Baseline(interval=24 * HOUR, anchor_at=START)
        for number in range(50):
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=daily, flow=flow)
        await crew(world, clock, 2, 25 * HOUR / SECOND)
        return [await world.runs(f"ep{n}") for n in range(50)]

    runs = run_virtually(main)

    assert Counter(len(each) for each in runs) == {1: 50}
    assert begun(runs)[-1] - 24 * HOUR < 1.05 * 49 * 60 * SECOND


def test_no_more_calls_than_the_parallelism_are_in_progress_and_each_place_is_taken_at_once():
    async def main(clock):
        world = a_world(clock, answering_after(2 * SECOND))
        for number in range(20):
            flow = Flow(key="api", limits=FlowLimits(parallelism=2))
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=HOURLY, flow=flow)
        await crew(world, clock, 2, 3_660)
        return world.dispatcher.in_progress_max, [await world.runs(f"ep{n}") for n in range(20)]

    in_progress, runs = run_virtually(main)

    assert in_progress == 2
    assert Counter(len(each) for each in runs) == {1: 20}
    assert begun(runs)[-1] - HOUR < 20 * SECOND  # Ten rounds of two seconds, the last of which began after nine.


def test_a_slot_that_waits_runs_even_if_late_instants_are_missed_and_says_why():
    async def main(clock):
        world = a_world(clock)
        none = CatchUp(mode=CatchUpMode.NONE)
        flow = Flow(limits=FlowLimits(rate=1, period=30 * SECOND))
        for name in ("a", "b"):
            await world.add(id=name, name=name, baseline=HOURLY, catch_up=none, flow=flow)
        async with world.worker(store=flowing(world, clock)):
            await asyncio.sleep(3_610)
            waiting = [await world.endpoint(name) for name in ("a", "b")]
            await asyncio.sleep(50)
        runs = [await world.runs(name) for name in ("a", "b")]
        return waiting, runs, [await world.skips(name) for name in ("a", "b")], await world.endpoint("b")

    waiting, runs, skips, after = run_virtually(main)

    held = next(each.state.held for each in waiting if each.state.held is not None)
    assert held.reason == "no more than 1 calls begin in 30 s"
    assert [len(each) for each in runs] == [1, 1]
    assert begun(runs)[1] - begun(runs)[0] >= 30 * SECOND
    assert skips == [[], []]
    assert after.state.held is None
    assert after.state.due_at == START + 2 * HOUR


def test_a_run_that_a_person_asks_for_counts_and_waits_like_any_other():
    async def main(clock):
        world = a_world(clock)
        flow = Flow(key="k", limits=FlowLimits(rate=1, period=10 * SECOND))
        for name in ("a", "b"):
            await world.add(id=name, name=name, baseline=HOURLY, flow=flow)
            await world.run_now(name)
        async with world.worker(store=flowing(world, clock)):
            await asyncio.sleep(30)
        return [await world.runs(name) for name in ("a", "b")]

    runs = run_virtually(main)

    assert [len(each) for each in runs] == [1, 1]
    assert begun(runs)[1] - begun(runs)[0] >= 10 * SECOND


def test_the_limits_of_a_host_hold_for_all_tenants_and_for_that_host_alone():
    async def main(clock):
        world = a_world(clock)
        for number in range(12):
            host = "limited.test" if number < 8 else "other.test"
            request = Request(url=f"http://{host}/{number}")
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=HOURLY, request=request)
        await crew(world, clock, 2, 3_660, {"limited.test": FlowLimits(rate=2)})
        return [await world.runs(f"ep{n}") for n in range(12)]

    runs = run_virtually(main)

    limited, others = begun(runs[:8]), begun(runs[8:])
    assert len(limited) == 8
    assert all(late - early >= SECOND for early, late in zip(limited, limited[2:], strict=False))
    assert len(others) == 4
    assert others[-1] - HOUR < 0.1 * SECOND


@pytest.mark.parametrize(("status", "headers", "wait"), [(429, (), 10), (429, (("retry-after", "40"),), 40)])
def test_a_host_that_asks_for_less_is_left_alone_by_all_endpoints_of_the_tenant(status, headers, wait):
    def script(call, number):
        return Reply(status_code=status, headers=headers) if number == 0 else Reply()

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(script))
        for number in range(10):
            at = Baseline(interval=HOUR, anchor_at=START + (number + 1) * SECOND)
            host = "busy.test" if number < 8 else "idle.test"
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=at, request=Request(url=f"http://{host}/"))
        await crew(world, clock, 2, 15 + 2 * wait)
        return [await world.runs(f"ep{n}") for n in range(10)], await world.stores.flow_book.slowed()

    runs, slowed = run_virtually(main)

    instants = [runs[n][0].started_at - START - SECOND for n in range(10)]
    assert instants[0] < SECOND
    assert all(wait * SECOND <= each < 2 * wait * SECOND + SECOND for each in instants[2:8])  # A second to hear of it.
    assert len(set(instants[2:8])) == 6  # Not all at once.
    assert instants[8] < 8.1 * SECOND
    assert slowed == {}


def test_an_edit_of_the_flow_counts_at_once():
    async def main(clock):
        world = a_world(clock)
        flow = Flow(key="k", limits=FlowLimits(rate=1, period=timedelta(days=1)))
        for name in ("a", "b"):
            await world.add(id=name, name=name, baseline=HOURLY, flow=flow)
        async with world.worker(store=flowing(world, clock)) as worker:
            await asyncio.sleep(3_605)
            before = [len(await world.runs(name)) for name in ("a", "b")]
            for name in ("a", "b"):
                await world.change(name, flow=None)
            worker.wake()
            await asyncio.sleep(1)
        return before, [len(await world.runs(name)) for name in ("a", "b")]

    before, after = run_virtually(main)

    assert sorted(before) == [0, 1]
    assert after == [1, 1]


def test_a_worker_that_dies_with_a_place_frees_it():
    async def main(clock):
        world = a_world(clock)
        flow = Flow(key="k", limits=FlowLimits(parallelism=1))
        for name in ("a", "b"):
            await world.add(id=name, name=name, baseline=HOURLY, flow=flow)
        await asyncio.sleep(3_600)
        dead = flowing(world, clock)
        taken = await dead.claim_due(worker_id="dead", limit=9, ttl=30 * SECOND)
        async with world.worker(store=flowing(world, clock)):
            await asyncio.sleep(120)
        return len(taken), [len(await world.runs(name)) for name in ("a", "b")]

    assert run_virtually(main) == (1, [1, 1])


def test_leases_are_given_back_when_nobody_can_say_whether_they_may_begin():
    class Away(FlowBook):
        async def slowed(self):
            raise UnavailableError("away")

        async def change(self, keys, edit):
            raise UnavailableError("away")

        async def prune(self, before, limit):
            raise UnavailableError("away")

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=HOURLY)
        await asyncio.sleep(3_600)
        stores = world.stores
        store = FlowingJobStore(stores.job_store, Away(), stores.endpoints, clock, {})
        with pytest.raises(UnavailableError):
            await store.claim_due(worker_id="w1", limit=9, ttl=30 * SECOND)
        return await stores.job_store.claim_due(worker_id="w2", limit=9, ttl=30 * SECOND)

    assert len(run_virtually(main)) == 1
