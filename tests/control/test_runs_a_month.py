"""What an owner is told of the runs of the month: when one is asked for, and when somebody asks why nothing runs."""

from datetime import UTC, datetime, timedelta

import pytest

from cronicorn.domain.errors import QuotaExceededError
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits
from cronicorn.domain.fixtures import MIDNIGHT, a_run
from cronicorn.domain.lease import Lease
from cronicorn.domain.slot import SlotState
from cronicorn.scheduler.rationed import RationedJobStore
from cronicorn.scheduler.recording import deciding
from tests.cli.test_explanation_tree import flat, said
from tests.control.world import ALICE, BOB, World, a_world

TWO = TierLimits(other=ExecutionLimits(runs=2))
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)


async def claimed(world: World) -> Lease:
    """The lease on what is due now, as a worker gets it where runs are limited."""
    store = RationedJobStore(world.stores.job_store, world.stores.run_book, TWO)
    (lease,) = await store.claim_due(worker_id="w1", limit=1, ttl=timedelta(minutes=10))
    return lease


async def settled(world: World, lease: Lease) -> None:
    """End *lease* as a worker does: with a call, or without one where none is left."""
    run = None if lease.exhausted else a_run(lease)
    await world.stores.job_store.settle(lease, run, deciding(lease, run, world.cron, "seed"))


async def use_up(world: World) -> None:
    """Two calls: as many as there may be."""
    for _ in range(2):
        world.clock.move(minutes=1)
        await settled(world, await claimed(world))


async def test_a_run_that_would_be_skipped_is_refused_and_says_until_when() -> None:
    world = a_world(TWO)
    endpoint = await world.endpoint()
    await use_up(world)

    with pytest.raises(
        QuotaExceededError, match=r"2 runs of 2026-01 are used up. Ask again from 2026-02-01"
    ) as refused:
        await world.control.requests.run_now(ALICE, endpoint.id)

    assert refused.value.retry_after == FEBRUARY - world.clock.now()
    assert (await world.now_stored(endpoint)).state.manual is None


async def test_others_ask_and_so_does_everybody_next_month() -> None:
    world = a_world(TWO)
    endpoint, other = await world.endpoint(), await world.endpoint(BOB, baselineIntervalMs=86_400_000)
    await use_up(world)

    assert await world.control.requests.run_now(BOB, other.id)
    world.clock.move(days=(FEBRUARY - MIDNIGHT) / DAY)
    assert await world.control.requests.run_now(ALICE, endpoint.id)


async def test_asking_again_while_the_last_run_goes_on_gives_the_same_run() -> None:
    world = a_world(TierLimits(other=ExecutionLimits(runs=1)))
    other, endpoint = await world.endpoint(), await world.endpoint(dormant=True)
    first = await world.control.requests.run_now(ALICE, endpoint.id)
    lease = await claimed(world)
    assert lease.endpoint.id == endpoint.id
    world.clock.move(minutes=1)
    await settled(world, await claimed(world))

    assert await world.control.requests.run_now(ALICE, endpoint.id) == first
    with pytest.raises(QuotaExceededError):
        await world.control.requests.run_now(ALICE, other.id)


async def test_it_is_explained_which_slot_was_skipped_and_which_will_be() -> None:
    world = a_world(TWO)
    endpoint = await world.endpoint()
    before = await world.control.schedules.explain(ALICE, endpoint.id)
    await use_up(world)
    spent = await world.control.schedules.explain(ALICE, endpoint.id)
    world.clock.move(minutes=1)
    await settled(world, await claimed(world))
    skipped = await world.control.schedules.explain(ALICE, endpoint.id)
    world.clock.move(days=(FEBRUARY - MIDNIGHT) / DAY)
    after = await world.control.schedules.explain(ALICE, endpoint.id)

    assert before.over_limit is None
    assert after.over_limit is None
    assert spent.over_limit is not None
    assert (spent.over_limit.last_at, spent.over_limit.next_at) == (None, MIDNIGHT + timedelta(minutes=3))
    assert skipped.over_limit is not None
    assert skipped.over_limit.last_at == spent.over_limit.next_at
    assert skipped.over_limit.next_at == MIDNIGHT + timedelta(minutes=4)
    text = flat(await said(world, endpoint, explanation=skipped))
    assert "Over limit: the tenant's 2 runs of 2026-01 are used up; the slot of 00:03:00Z (now) ended without" in text
    assert "the next one, of 00:04:00Z (in 1 min), will be skipped_quota" in text
    assert "calls are made again from 2026-02-01 00:00:00Z (in 30 d 23 h) on" in text


async def test_the_slot_that_was_skipped_last_is_told_behind_skips_of_other_kinds() -> None:
    world = a_world(TWO)
    endpoint = await world.endpoint(catchUp={"mode": "none"})
    await use_up(world)
    world.clock.move(minutes=1)
    await settled(world, await claimed(world))
    world.clock.move(minutes=1.5)
    await settled(world, await claimed(world))

    skips = (await world.control.runs.skips(ALICE, endpoint.id, 10)).skips
    over = (await world.control.schedules.explain(ALICE, endpoint.id)).over_limit

    assert [skip.state for skip in skips] == [SlotState.MISSED_WINDOW, SlotState.SKIPPED_QUOTA]
    assert over is not None
    assert over.last_at == MIDNIGHT + timedelta(minutes=3)


async def test_what_was_skipped_in_another_month_is_not_told_of_this_one() -> None:
    world = a_world(TWO)
    endpoint = await world.endpoint()
    await use_up(world)
    world.clock.move(minutes=1)
    await settled(world, await claimed(world))
    world.clock.move(days=(FEBRUARY - world.clock.now()) / DAY)
    for _ in range(2):
        await settled(world, await claimed(world))
        world.clock.move(minutes=1)

    over = (await world.control.schedules.explain(ALICE, endpoint.id)).over_limit

    assert over is not None
    assert over.last_at is None


async def test_nothing_is_skipped_that_is_planned_for_next_month() -> None:
    world = a_world(TWO)
    late = await world.endpoint(baselineCron="0 12 1 2 *")
    await world.endpoint()
    await use_up(world)

    over = (await world.control.schedules.explain(ALICE, late.id)).over_limit

    assert over is not None
    assert over.next_at is None
