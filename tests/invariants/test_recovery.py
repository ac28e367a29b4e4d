"""A dead worker's slot runs in time, a frozen one stops in time, and one that drains leaves nothing behind."""

from datetime import timedelta

from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.instant import MICROSECOND, ZERO
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.run import RunStatus
from cronicorn.domain.takeover import recovery_bound
from cronicorn.scheduler import SchedulerSettings
from cronicorn.scheduler.execution import Executor
from cronicorn.scheduler.heartbeat import Heartbeat
from cronicorn.testing.contracts.stores import CRON, MINUTE, TENANT, claim, next_due_at, plant
from cronicorn.testing.dispatchers import ScriptedDispatcher
from tests.invariants.holding import TTL, hold, runs_of
from tests.invariants.live_workers import BUSY, SHORT, HinderedStore, SlowDispatcher, plant_due, working
from tests.invariants.worlds import SYSTEM, World, kept
from tests.waiting import eventually_async

LONG = timedelta(seconds=30)
MILLISECOND = timedelta(milliseconds=1)


@kept(Invariant.I6)
async def test_i06_the_slot_of_a_worker_that_dies_at_any_moment_is_claimed_within_the_bound(world: World):
    settings = SchedulerSettings(worker_id="w2", lease_ttl=TTL, poll_interval=timedelta(seconds=7))

    for renewals in range(4):
        await plant(world.stores, f"ep{renewals}")
        dead = await hold(world)
        for _ in range(renewals):
            world.advance(settings.renew_interval)
            if dead.lease.mechanism.renewable:
                assert not dead.stores.job_store.renew([dead.lease], ttl=TTL).lost
        died_at = world.clock.now()
        heir, leases = await world.another(), list[object]()
        while not leases:
            world.advance(settings.poll_interval)
            leases = list(await claim(heir, worker_id="w2", ttl=TTL))

        assert world.clock.now() - died_at <= settings.recovery_bound
        await heir.endpoints.delete(TENANT, f"ep{renewals}")


@kept(Invariant.I6, live=True)
async def test_i06_a_real_worker_takes_over_within_the_bound(live: World):
    await plant_due(live.stores, *(f"ep{number}" for number in range(8)))
    dead = await claim(live.stores, worker_id="dead", ttl=SHORT.lease_ttl)
    died_at, dispatcher = SYSTEM.now(), SlowDispatcher()

    async with working((await live.another()).job_store, dispatcher, worker_id="w2"):
        await eventually_async(lambda: len(dispatcher.made) == len(dead) == 8)
        took = max(made.begun_at for made in dispatcher.made) - died_at

    assert took <= SHORT.recovery_bound + BUSY + live.kind.rounding
    assert not live.kind.exclusive or took > SHORT.lease_ttl / 2


@kept(Invariant.I6, live=True)
async def test_i06_a_worker_that_rarely_looks_takes_over_when_the_leases_end(live: World):
    await plant_due(live.stores, *(f"ep{number}" for number in range(8)))
    dead = await claim(live.stores, worker_id="dead", ttl=SHORT.lease_ttl)
    died_at, dispatcher = SYSTEM.now(), SlowDispatcher()

    async with working((await live.another()).job_store, dispatcher, worker_id="w2", poll_interval=MINUTE):
        await eventually_async(lambda: len(dispatcher.made) == len(dead) == 8)
        took = max(made.begun_at for made in dispatcher.made) - died_at

    assert took <= recovery_bound(SHORT.lease_ttl, ZERO) + BUSY + live.kind.rounding


@kept(Invariant.I8)
async def test_i08_no_call_begins_at_the_deadline_of_its_holder_or_later(world: World):
    for late, begins in ((-MILLISECOND, True), (ZERO, False), (MINUTE, False)):
        await plant(world.stores)
        held, dispatcher = await hold(world), ScriptedDispatcher()
        claimed_mono = world.clock.monotonic()
        executor = Executor(store=held.stores.job_store, dispatcher=dispatcher, clock=world.clock, cron=CRON, seed="")
        heartbeat = Heartbeat(held.stores.job_store, world.clock, SHORT)
        with heartbeat.keeping(held.lease, claimed_mono) as kept_lease:
            world.advance(held.lease.ttl - SHORT.lease_margin + late)
            await executor.execute(kept_lease)

        assert bool(dispatcher.calls) is begins
        await world.stores.endpoints.delete(TENANT, "ep1")


@kept(Invariant.I8, live=True, only=lambda kind: kind.exclusive)
async def test_i08_a_worker_whose_heartbeat_is_frozen_ends_its_call_before_another_may_begin(live: World):
    await plant_due(live.stores, "ep1")
    frozen, heir = SlowDispatcher(LONG), SlowDispatcher()
    store = HinderedStore(live.stores.job_store, renewals_stopped=True)

    async with working(store, frozen):
        await eventually_async(lambda: frozen.made)
        async with working((await live.another()).job_store, heir, worker_id="w2"):
            await eventually_async(lambda: heir.made)
            await eventually_async(lambda: frozen.made[0].ended_mono)
        (first,), (second,) = frozen.made, heir.made

    deadline = store.sent_mono[0] + (SHORT.lease_ttl - SHORT.lease_margin).total_seconds()
    assert first.begun_mono < deadline
    assert first.ended_mono is not None
    assert first.ended_mono <= deadline + SHORT.lease_margin.total_seconds()
    assert first.ended_mono <= second.begun_mono
    assert first.key == second.key
    assert [run.status for run in await runs_of(live.stores)] == [RunStatus.SUCCESS]


@kept(Invariant.I8, live=True, only=lambda kind: kind.exclusive)
async def test_i08_a_worker_that_was_frozen_after_its_claim_does_not_begin_the_call(live: World):
    await plant_due(live.stores, "ep1")
    frozen, heir = SlowDispatcher(), SlowDispatcher()
    store = HinderedStore(live.stores.job_store, claims_late=SHORT.lease_ttl - SHORT.lease_margin)

    async with working(store, frozen):
        await eventually_async(lambda: store.sent_mono)
        async with working((await live.another()).job_store, heir, worker_id="w2"):
            await eventually_async(lambda: heir.made)

    assert frozen.made == []
    assert len(await runs_of(live.stores)) == 1


@kept(Invariant.I19, live=True)
async def test_i19_after_a_drain_nothing_is_leased_by_the_worker_that_stopped(live: World):
    ids = [f"ep{number}" for number in range(6)]
    await plant_due(live.stores, *ids)
    dispatcher, quick = SlowDispatcher(LONG), SlowDispatcher()

    async with working(live.stores.job_store, dispatcher):
        await eventually_async(lambda: len(dispatcher.made) == len(ids))
    began_at, heir = SYSTEM.now(), await live.another()

    leased = [stored.leased for _, stored in await heir.endpoints.list(TENANT, "job1")]
    due_at = await next_due_at(heir.job_store)
    async with working(heir.job_store, quick, worker_id="w2"):
        await eventually_async(lambda: len(quick.made) == len(ids))
    took = max(made.begun_at for made in quick.made) - began_at

    assert leased == [False] * len(ids)
    assert due_at is not None
    assert due_at <= began_at
    assert took < SHORT.lease_ttl + BUSY
    assert sorted(made.key for made in quick.made) == sorted(made.key for made in dispatcher.made)


@kept(Invariant.I19, live=True)
async def test_i19_calls_that_end_within_the_grace_are_recorded_and_leave_no_lease(live: World):
    await plant_due(live.stores, "ep1")
    dispatcher = SlowDispatcher(timedelta(seconds=0.3))

    async with working(live.stores.job_store, dispatcher, drain_grace=LONG):
        await eventually_async(lambda: dispatcher.made)

    endpoint, stored = await live.stores.endpoints.get(TENANT, "ep1")
    assert not stored.leased
    assert endpoint.state.due_at is None
    assert len(await runs_of(live.stores)) == 1


@kept(Invariant.I7, live=True)
async def test_i07_no_call_begins_before_its_slot_is_due(live: World):
    ids = [f"ep{number}" for number in range(6)]
    for number, endpoint_id in enumerate(ids):
        interval = timedelta(seconds=0.11 + number / 20)
        await plant(live.stores, endpoint_id, baseline=Baseline(interval=interval, anchor_at=SYSTEM.now()))
    dispatcher = SlowDispatcher()

    async with (
        working(live.stores.job_store, dispatcher, worker_id="w1"),
        working((await live.another()).job_store, dispatcher, worker_id="w2"),
    ):
        await eventually_async(lambda: len(dispatcher.made) >= 40)

    begun = {made.key: made.begun_at for made in reversed(dispatcher.made)}
    runs = [run for endpoint_id in ids for run in await runs_of(live.stores, endpoint_id)]
    assert [run for run in runs if begun[f"{run.endpoint_id}:{run.slot}"] < run.due_at] == []


@kept(Invariant.I7)
async def test_i07_a_claim_finds_a_slot_at_the_very_instant_at_which_it_is_due(world: World):
    await plant(world.stores)
    for _ in range(5):
        due_at = await next_due_at(world.stores.job_store)
        assert due_at is not None
        world.advance(due_at - MICROSECOND - world.clock.now())
        assert await claim(await world.another(), ttl=TTL) == []
        world.advance(MICROSECOND)
        assert await (await hold(world)).settles()
