"""Runs a month, in virtual time: what a limit lets through, what it makes of the rest, and when it begins anew."""

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from cronicorn.domain import Baseline, Overlap, RetryPolicy, SlotState, Source
from cronicorn.domain.endpoint import CatchUp, CatchUpMode
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits, month_of
from cronicorn.domain.execution.ports import RunBook
from cronicorn.domain.fixtures import a_job, an_interval_hint
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.scheduler.rationed import RationedJobStore
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.test_faults import FlakyStore
from tests.scheduler.world import SECOND, a_world

MINUTE = 60 * SECOND
EVERY_MINUTE = Baseline(interval=MINUTE, anchor_at=START)
RARELY = {
    "poll_interval": timedelta(hours=6),
    "lease_ttl": timedelta(days=1),
    "renew_interval": timedelta(hours=6),
    "lease_margin": timedelta(hours=1),
}


def rationed(world, runs, **tiers):
    limits = TierLimits(
        of_tier={tier: ExecutionLimits(runs=most) for tier, most in tiers.items()}, other=ExecutionLimits(runs=runs)
    )
    return RationedJobStore(world.stores.job_store, world.stores.run_book, limits)


async def counted(world, clock, tenant_id="t1"):
    standing = await world.stores.run_book.standing([tenant_id], month_of(clock.now()).start_at)
    return standing[tenant_id].runs


def test_after_the_limit_slots_end_without_a_call_and_the_plan_goes_on():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE)
        async with world.worker(store=rationed(world, 3)):
            await asyncio.sleep(10.5 * 60)
        endpoint = await world.endpoint()
        return world, await world.runs(), await world.skips(), endpoint, await counted(world, clock)

    world, runs, skips, endpoint, count = run_virtually(main)

    assert len(world.dispatcher.calls) == len(runs) == count == 3
    assert {skip.state for skip in skips} == {SlotState.SKIPPED_QUOTA}
    assert sorted(skip.first_at - START for skip in skips) == [n * MINUTE for n in range(4, 11)]
    assert {skip.count for skip in skips} == {1}
    assert all("3 runs of" in skip.reason for skip in skips)
    assert endpoint.state.due_at == START + 11 * MINUTE


def test_the_next_month_begins_with_the_whole_limit():
    async def main(clock):
        world = a_world(clock)
        until_next = month_of(clock.now()).end_at - clock.now()
        await world.add(baseline=Baseline(interval=timedelta(days=1), anchor_at=START))
        async with world.worker(store=rationed(world, 3), **RARELY):
            await asyncio.sleep(until_next.total_seconds() - 1)
            before = len(await world.runs())
            await asyncio.sleep(timedelta(days=2.5).total_seconds())
        return before, await world.runs(), month_of(clock.now())

    before, runs, month = run_virtually(main)

    assert before == 3
    assert sum(month.holds(run.started_at) for run in runs) == len(runs) - 3 > 0


def test_slots_claimed_together_do_not_pass_the_limit():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=5 * SECOND)))
        for number in range(20):
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=EVERY_MINUTE)
        async with world.worker(store=rationed(world, 7)):
            await asyncio.sleep(5 * 60)
        return world.dispatcher, await counted(world, clock)

    dispatcher, count = run_virtually(main)

    assert len(dispatcher.calls) == count == 7


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_limit_is_passed_by_at_most_the_calls_in_progress(workers):
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=(n % 13 + 0.5) * SECOND)))
        for number in range(20):
            await world.add(id=f"ep{number}", name=f"e{number}", baseline=Baseline(interval=(number % 7 + 1) * SECOND))
        async with AsyncExitStack() as stack:
            for number in range(workers):
                worker = world.worker(store=rationed(world, 100), worker_id=f"w{number}", calls_max=4)
                await stack.enter_async_context(worker)
            await asyncio.sleep(300)
        return world.dispatcher, await counted(world, clock)

    dispatcher, count = run_virtually(main)

    assert len(dispatcher.calls) == count
    assert 100 <= count <= 100 + 4 * workers - 1


def test_retries_count_and_a_slot_whose_retry_is_not_allowed_has_failed(caplog):
    caplog.set_level(logging.INFO)

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(status_code=500)))
        await world.add(baseline=EVERY_MINUTE, retries=RetryPolicy(count=5))
        async with world.worker(store=rationed(world, 2)):
            await asyncio.sleep(110)
        return await world.runs(), await world.endpoint()

    runs, endpoint = run_virtually(main)

    assert statuses(caplog) == ["failed", "failed", "skipped_quota"]
    assert [(run.slot, run.attempt) for run in runs] == [(1, 1), (1, 2)]
    assert endpoint.state.failure_count == 1
    assert (endpoint.state.slot, endpoint.state.attempt) == (2, 1)


def test_a_run_by_hand_over_the_limit_ends_and_says_why():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=Baseline(interval=timedelta(hours=1), anchor_at=START))
        await world.run_now("ep1")
        async with world.worker(store=rationed(world, 0)):
            await asyncio.sleep(10)
        return world.dispatcher, await world.skips(), await world.endpoint()

    dispatcher, (skip,), endpoint = run_virtually(main)

    assert not dispatcher.calls
    assert skip.state is SlotState.SKIPPED_QUOTA
    assert (skip.count, skip.first_at) == (0, START)
    assert "manual run" in skip.reason
    assert endpoint.state.manual is None
    assert endpoint.state.due_at == START + timedelta(hours=1)


def test_hints_do_not_make_an_endpoint_spin_that_may_not_run():
    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE)
        await world.hint("ep1", an_interval_hint(10 * SECOND, now=clock.now()))
        async with world.worker(store=rationed(world, 0)):
            await asyncio.sleep(60.5)
        return await world.skips(), world.dispatcher

    skips, dispatcher = run_virtually(main)

    assert not dispatcher.calls
    assert len(skips) == 6
    assert {skip.state for skip in skips} == {SlotState.SKIPPED_QUOTA}


def statuses(caplog):
    """What the log says of how slots ended; None where it says nothing."""
    return [getattr(each, "status", None) for each in caplog.records if each.message == "run_settled"]


def test_a_slot_that_came_too_late_anyway_is_told_as_it_is_recorded(caplog):
    caplog.set_level(logging.INFO)

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE, catch_up=CatchUp(mode=CatchUpMode.NONE))
        await asyncio.sleep(100)
        async with world.worker(store=rationed(world, 0)):
            await asyncio.sleep(30)
        return await world.skips()

    skips = run_virtually(main)

    assert sorted(skip.state for skip in skips) == [SlotState.MISSED_WINDOW, SlotState.SKIPPED_QUOTA]
    assert statuses(caplog) == [SlotState.MISSED_WINDOW, SlotState.SKIPPED_QUOTA]


def test_a_slot_that_is_still_due_is_not_told_to_have_ended(caplog):
    caplog.set_level(logging.INFO)

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE, catch_up=CatchUp(mode=CatchUpMode.NONE))
        await asyncio.sleep(110)
        async with world.worker(store=FlakyStore(world.stores.job_store, settling_takes=10.2)):
            await asyncio.sleep(30)
        return await world.runs(), await world.skips()

    runs, skips = run_virtually(main)

    assert statuses(caplog) == [None, "success"]
    assert [run.nominal_at for run in runs] == [START + 2 * MINUTE]
    assert {skip.state for skip in skips} == {SlotState.MISSED_WINDOW}


def test_that_the_runs_are_used_up_is_told_once_a_month(caplog):
    async def main(clock):
        world = a_world(clock)
        until_next = month_of(clock.now()).end_at - clock.now()
        await world.add(baseline=Baseline(interval=timedelta(days=1), anchor_at=START))
        async with world.worker(store=rationed(world, 2), **RARELY):
            await asyncio.sleep((until_next + timedelta(days=7)).total_seconds())
        return len(await world.skips()), month_of(clock.now())

    skips, month = run_virtually(main)

    told = [record for record in caplog.records if record.message == "runs_used_up"]
    assert skips > 10
    assert [(each.tenant, each.limit) for each in told] == [("t1", 2), ("t1", 2)]
    assert [each.until for each in told] == [month.start_at.isoformat(), month.end_at.isoformat()]


def test_of_many_tenants_those_told_first_are_forgotten(caplog, monkeypatch):
    monkeypatch.setattr("cronicorn.scheduler.rationed._TOLD_MAX", 2)

    async def main(clock):
        world = a_world(clock)
        store = rationed(world, 0)
        for number in range(1, 4):
            await add_tenant(world, f"t{number}")
        async with world.worker(store=store):
            await asyncio.sleep(90)
        return len(store._told)

    remembered = run_virtually(main)

    assert remembered == 2
    assert {each.tenant for each in caplog.records if each.message == "runs_used_up"} == {"t1", "t2", "t3"}


async def add_tenant(world, tenant_id, tier=None):
    """Add a tenant, and its job with an endpoint that runs every minute."""
    tenant = Tenant(id=tenant_id, name=tenant_id, created_at=START, terms=Terms(tier=tier))
    key = ApiKey(id=tenant_id, tenant_id=tenant_id, prefix="", hash=tenant_id, created_at=START)
    await world.stores.keys.add_tenant(tenant, key)
    await world.stores.jobs.add(a_job(id=f"job-{tenant_id}", tenant_id=tenant_id, created_at=START))
    await world.add(id=f"ep-{tenant_id}", tenant_id=tenant_id, job_id=f"job-{tenant_id}", baseline=EVERY_MINUTE)


def test_each_tenant_has_its_own_count_and_the_limit_of_its_tier():
    async def main(clock):
        world = a_world(clock)
        await add_tenant(world, "t1")
        await add_tenant(world, "t2", "pro-tier")
        async with world.worker(store=rationed(world, 2, **{"pro-tier": 5})):
            await asyncio.sleep(10 * 60)
        return await counted(world, clock), await counted(world, clock, "t2")

    assert run_virtually(main) == (2, 5)


def test_nothing_is_asked_or_counted_without_a_limit():
    class Nothing(RunBook):
        async def standing(self, tenant_ids, month_at):
            raise AssertionError("asked")

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE)
        async with world.worker(store=RationedJobStore(world.stores.job_store, Nothing(), TierLimits())):
            await asyncio.sleep(61)
        return await world.runs(), await counted(world, clock)

    runs, count = run_virtually(main)

    assert (len(runs), count) == (1, 0)


def test_leases_are_given_back_when_nobody_can_say_what_is_left():
    class Away(RunBook):
        async def standing(self, tenant_ids, month_at):
            raise UnavailableError("away")

    async def main(clock):
        world = a_world(clock)
        await world.add(baseline=EVERY_MINUTE)
        store = RationedJobStore(world.stores.job_store, Away(), TierLimits(other=ExecutionLimits(runs=1)))
        await asyncio.sleep(60)
        with pytest.raises(UnavailableError):
            await store.claim_due(worker_id="w1", limit=1, ttl=MINUTE)
        return await world.stores.job_store.claim_due(worker_id="w1", limit=1, ttl=MINUTE)

    assert len(run_virtually(main)) == 1


@pytest.mark.parametrize("overlap", list(Overlap))
def test_what_is_owed_ends_with_the_slot_and_every_instant_ends_once(overlap):
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, _n: Reply(latency=150 * SECOND)))
        catch_up = CatchUp(mode=CatchUpMode.ALL, window=timedelta(hours=1))
        await world.add(baseline=EVERY_MINUTE, overlap=overlap, catch_up=catch_up)
        await asyncio.sleep(5.5 * 60)
        async with world.worker(store=rationed(world, 3)):
            await asyncio.sleep(20 * 60)
        return await world.runs(), await world.skips(), (await world.endpoint()).state.plan

    runs, skips, plan = run_virtually(main)

    ended = [run.nominal_at for run in runs if run.source is not Source.MANUAL]
    for skip in skips:
        ended += [skip.first_at + n * MINUTE for n in range(skip.count)]
    assert len(runs) == 3
    assert sorted(ended) == [START + n * MINUTE for n in range(1, len(ended) + 1)]
    assert plan is not None
    assert plan.nominal_at == START + (len(ended) + 1) * MINUTE
