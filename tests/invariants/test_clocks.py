"""Nobody's clock but the store's counts, and not even a jump of that one doubles anything."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.instant import ZERO
from cronicorn.domain.mechanism import Invariant, Mechanism
from cronicorn.testing.contracts.stores import claim, plant
from tests.invariants.holding import TTL, Held, all_run_in_the_end, hold, runs_of
from tests.invariants.live_workers import BUSY, LyingClock, SlowDispatcher, working
from tests.invariants.places import PostgresPlace
from tests.invariants.stirring import ENDPOINTS, settled_twice, stale, stirred
from tests.invariants.worlds import SYSTEM, World, kept
from tests.waiting import eventually_async

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@kept(Invariant.I15, live=True)
async def test_i15_workers_whose_clocks_are_hours_off_or_jump_run_every_slot_once_and_on_time(live: World):
    ids = [f"ep{number}" for number in range(4)]
    for number, endpoint_id in enumerate(ids):
        interval = timedelta(seconds=0.2 + number / 20)
        await plant(live.stores, endpoint_id, baseline=Baseline(interval=interval, anchor_at=SYSTEM.now()))
    began_at, dispatcher = SYSTEM.now(), SlowDispatcher()
    fast, slow = LyingClock(HOUR), LyingClock(-HOUR)

    async with (
        working(live.stores.job_store, dispatcher, clock=fast),
        working((await live.another()).job_store, dispatcher, clock=slow, worker_id="w2"),
    ):
        await eventually_async(lambda: len(dispatcher.made) >= 12)
        fast.off, slow.off = -3 * HOUR, 5 * HOUR
        await eventually_async(lambda: len(dispatcher.made) >= 24)

    made, called = Counter(made.key for made in dispatcher.made), {made.key: made for made in dispatcher.made}
    recorded = 0
    for endpoint_id in ids:
        for run in await runs_of(live.stores, endpoint_id):
            recorded += 1
            began = called[f"{endpoint_id}:{run.slot}"].begun_at
            assert run.due_at <= began <= run.due_at + BUSY
            assert began_at <= run.started_at <= run.finished_at <= SYSTEM.now() + BUSY
    assert recorded >= len(made) - len(ids), "a call of each may have been given back at the end"
    assert not live.kind.exclusive or set(made.values()) == {1}


@kept(Invariant.I15)
@pytest.mark.parametrize("jump", [DAY, -DAY])
async def test_i15_a_jump_of_the_clock_that_judges_lets_nobody_settle_twice(world: World, jump: timedelta):
    await plant(world.stores)
    first = await hold(world)
    world.jump(jump)
    others = [Held(stores, lease) for stores in [await world.another()] for lease in await claim(stores, ttl=TTL)]
    world.jump(-jump)
    others += [Held(stores, lease) for stores in [await world.another()] for lease in await claim(stores, ttl=TTL)]

    accepted = await asyncio.gather(*(each.settles() for each in [first, *others]))

    assert accepted.count(True) == 1
    assert len(await runs_of(world.stores)) == 1
    await all_run_in_the_end(world, "ep1")


@kept(Invariant.I15)
@pytest.mark.parametrize("seed", range(2))
async def test_i15_jumps_in_a_random_history_double_nothing_and_lose_nothing(world: World, seed: int):
    jumps = [ZERO] * 8 + [DAY, -DAY, HOUR, -HOUR]
    stir = await stirred(world, seed=seed, jumps=jumps)

    assert settled_twice(stir.tenures) == []
    assert stale(stir.tenures) == []
    assert not world.kind.exclusive or len({tenure.lease.claim_id for tenure in stir.tenures}) == len(stir.tenures)
    await all_run_in_the_end(world, *ENDPOINTS)


@kept(Invariant.I15, only=lambda kind: kind.place is PostgresPlace and kind.mechanism is Mechanism.LEASE)
async def test_i15_after_a_jump_nobody_who_lived_through_it_takes_over_for_one_lease(world: World):
    await plant(world.stores)
    other = await world.another()
    held = await hold(world)
    assert await claim(other, ttl=TTL) == []
    world.jump(DAY)

    at_once = await claim(other, ttl=TTL)
    renewal = held.stores.job_store.renew([held.lease], ttl=TTL)
    world.advance(TTL - timedelta(seconds=1))
    after_its_grace = await claim(other, ttl=TTL)

    assert (at_once, after_its_grace, renewal.lost) == ([], [], frozenset())
    assert await held.settles()
