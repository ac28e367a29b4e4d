"""The same commands on any store, with any mechanism, leave the same history."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from cronicorn.domain.document import endpoint_document, state_text
from cronicorn.domain.endpoint import Baseline, CatchUp, CatchUpMode, RetryPolicy
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import MIDNIGHT, a_defer, a_one_shot, a_pause, a_run, an_interval_hint, an_outcome
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.run import Run, RunStatus
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    TENANT,
    Stores,
    ask_to_run,
    claim,
    hint,
    next_due_at,
    plant,
    rename,
    settle,
)
from tests.invariants.holding import TTL, runs_of
from tests.invariants.live_workers import BUSY, SHORT, SlowDispatcher, plant_due, working
from tests.invariants.worlds import KINDS, SYSTEM, World, kept, on
from tests.waiting import eventually_async

ENDPOINTS = ("cron", "quick", "slow", "all")
OUTCOMES = [an_outcome(), an_outcome(), an_outcome(500), an_outcome(503, headers=(("retry-after", "40"),))]


async def told(world: World, seed: int) -> object:
    """All that can be seen of a database after a story of commands that *seed* decides."""
    chance = random.Random(seed)
    stores = world.stores
    await plant(stores, "cron", baseline=Baseline(cron="* * * * *"))
    await plant(stores, "quick", baseline=Baseline(interval=timedelta(seconds=10), anchor_at=MIDNIGHT))
    await plant(stores, "slow", baseline=Baseline(interval=timedelta(seconds=95), anchor_at=MIDNIGHT))
    await plant(
        stores,
        "all",
        baseline=Baseline(interval=timedelta(seconds=20), anchor_at=MIDNIGHT),
        catch_up=CatchUp(mode=CatchUpMode.ALL, runs_max=3),
        retries=RetryPolicy(count=2, backoff_max=timedelta(seconds=9)),
    )
    heard: list[object] = []
    for _ in range(60):
        heard.append(await _act(world, chance))
        world.advance(timedelta(seconds=chance.choice([0, 0, 3, 20, 70, 300])))
    return heard, [await _seen(stores, endpoint_id) for endpoint_id in ENDPOINTS]


async def _act(world: World, chance: random.Random) -> object:
    endpoint_id, stores, now = chance.choice(ENDPOINTS), world.stores, world.clock.now()
    length, outcome = timedelta(seconds=chance.choice([5, 40, 200])), chance.choice(OUTCOMES)
    match chance.randrange(12):
        case 0:
            await rename(stores, f"{endpoint_id} renamed", endpoint_id)
        case 1:
            await _hint(stores, an_interval_hint(length, now=now), endpoint_id)
        case 2:
            await _hint(stores, a_pause(now + length, now=now), endpoint_id)
        case 3:
            await _hint(stores, a_defer(now + length, now=now), endpoint_id)
        case 4:
            await _hint(stores, a_one_shot(now + length, now=now), endpoint_id)
        case 5:
            await ask_to_run(stores, endpoint_id)
        case 6:
            leases = await claim(stores, ttl=TTL)
            await stores.job_store.abandon(leases)
            return sorted(map(_shown, leases), key=repr)
        case 7:
            leases = await claim(stores, ttl=TTL)
            await _settle(stores, leases, an_outcome())
            return sorted([await settle(stores, lease, _run(lease, an_outcome())) for lease in leases], key=repr)
        case _:
            leases = await claim(stores, ttl=TTL)
            await _settle(stores, leases, outcome)
            return sorted(map(_shown, leases), key=repr)
    return await next_due_at(stores.job_store)


async def _hint(stores: Stores, written, endpoint_id: str) -> None:
    try:
        await hint(stores, written, endpoint_id)
    except ConflictError:
        return


async def _settle(stores: Stores, leases: Sequence[Lease], outcome) -> None:
    for lease in leases:
        await settle(stores, lease, _run(lease, outcome))


def _run(lease: Lease, outcome) -> Run:
    status = RunStatus.SUCCESS if outcome.status_code == 200 else RunStatus.FAILED
    return a_run(lease, outcome, status=status)


def _shown(lease: Lease) -> object:
    return lease.endpoint.id, lease.slot, lease.attempt, lease.manual, lease.taken_over, lease.claimed_at


async def _seen(stores: Stores, endpoint_id: str) -> object:
    endpoint, stored = await stores.endpoints.get(TENANT, endpoint_id)
    found = await runs_of(stores, endpoint_id)
    runs = [(run.slot, run.attempt, run.status, run.nominal_at, run.due_at) for run in found]
    skips = (await stores.runs.skips(TENANT, endpoint_id, 10_000)).skips
    return endpoint_document(endpoint), state_text(endpoint.state), stored.leased, runs, skips


@on(*(kind.name for kind in KINDS if kind.mechanism.cancellable), live=True)
async def test_a_run_that_a_person_cancels_ends_within_a_renewal_interval(live: World):
    await plant_due(live.stores, "ep1")
    dispatcher = SlowDispatcher(timedelta(seconds=30))

    async with working((await live.another()).job_store, dispatcher, lease_ttl=timedelta(seconds=20)):
        await eventually_async(lambda: dispatcher.made)
        (endpoint, stored) = await live.stores.endpoints.get(TENANT, "ep1")
        assert stored.leased_slot is not None
        cancelled_mono = SYSTEM.monotonic()
        assert await live.stores.run_control.cancel(TENANT, endpoint.id, stored.leased_slot)
        await eventually_async(lambda: dispatcher.made[0].ended_mono)
        assert dispatcher.made[0].ended_mono is not None
        took = dispatcher.made[0].ended_mono - cancelled_mono

    assert took <= (SHORT.renew_interval + BUSY).total_seconds()
    assert [run.status for run in await runs_of(live.stores)] == [RunStatus.CANCELLED]


@kept(Invariant.I20)
@pytest.mark.parametrize("seed", range(4))
async def test_i20_the_same_commands_leave_the_same_history_as_in_memory(world: World, tmp_path, seed: int):
    reference = await World.create(KINDS[0], tmp_path, VirtualClock())

    here, there = await told(world, seed), await told(reference, seed)

    assert here == there
    assert sum([len(await runs_of(world.stores, endpoint_id)) for endpoint_id in ENDPOINTS]) >= 10
