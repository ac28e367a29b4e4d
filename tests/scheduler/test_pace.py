"""How often a worker asks its store, in virtual time."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.adapters.memory.job_store import MemoryJobStore
from cronicorn.domain import Baseline
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import SECOND, a_world, lateness

MILLISECOND = timedelta(milliseconds=1)
DAY = timedelta(days=1)


class CountingStore(MemoryJobStore):
    """Takes the time of a *trip* for each claim, keeps how many it got, and counts the questions what is due next."""

    looks = 0

    def __init__(self, database, trip):
        super().__init__(database)
        self.trip_s = trip / SECOND
        self.claims = []

    async def claim_due(self, **asked):
        await asyncio.sleep(self.trip_s / 2)
        leases = await super().claim_due(**asked)
        await asyncio.sleep(self.trip_s / 2)
        self.claims.append(len(leases))
        return leases

    async def next_due(self):
        self.looks += 1
        return await super().next_due()


async def working(world, endpoints, every, apart, *, seconds, trip=2 * MILLISECOND, **settings):
    """The store of a worker that has had *endpoints* for so long, the first due after a second, others *apart*."""
    for number in range(endpoints):
        baseline = Baseline(interval=every, anchor_at=START + SECOND + number * apart)
        await world.add(id=f"ep{number}", name=f"e{number}", baseline=baseline)
    store = CountingStore(world.stores.job_store._database, trip)
    async with world.worker(store=store, **settings):
        await asyncio.sleep(seconds)
        return store, len(world.dispatcher.calls)


def test_a_backlog_is_claimed_half_a_room_at_a_time_and_nobody_asks_what_is_due():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=(1 + n % 25) * MILLISECOND)))
        store, _ = await working(world, 400, DAY, 0 * SECOND, seconds=1.9)
        return [claim for claim in store.claims if claim], store.looks, world.dispatcher.in_progress_max

    claims, looks, at_once = run_virtually(main)

    assert sum(claims) == 400
    assert at_once == 100
    assert len(claims) <= 8
    assert looks <= 4


def test_room_beside_a_slow_call_is_filled_at_once():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: Reply(latency=(10 if n == 1 else 1) * SECOND)))
        return (await working(world, 20, DAY, 0 * SECOND, seconds=10.9, calls_max=2))[1]

    assert run_virtually(main) == 1 + 10


@pytest.mark.parametrize("hanging", [6, 8, 9])
def test_a_backlog_beside_calls_that_hang_does_not_wait_for_them(hanging):
    async def main(clock):
        hang = Reply(latency=10 * SECOND)
        world = a_world(clock, ScriptedDispatcher(lambda _call, n: hang if n < hanging else Reply(latency=MILLISECOND)))
        return (await working(world, hanging + 100, DAY, 0 * SECOND, seconds=1.5, calls_max=10))[1]

    assert run_virtually(main) == hanging + 100


@pytest.mark.parametrize("trip", [MILLISECOND, 6 * MILLISECOND, 12 * MILLISECOND])
def test_instants_that_follow_closely_wait_for_the_claim_before_theirs_and_for_nothing_else(trip):
    async def main(clock):
        world = a_world(clock)
        store, calls = await working(world, 1_000, SECOND, MILLISECOND, seconds=4.5, trip=trip)
        runs = [run for number in range(0, 1_000, 100) for run in await world.runs(f"ep{number}")]
        return store, calls, lateness(runs)

    store, calls, late = run_virtually(main)

    assert calls >= 3_400
    assert store.looks < len(store.claims) / 10
    assert min(late) >= timedelta(0)
    assert max(late) <= max(trip, 5 * MILLISECOND) + trip + MILLISECOND


def test_one_instant_costs_two_claims_and_a_look():
    async def main(clock):
        world = a_world(clock)
        return (await working(world, 1, 10 * SECOND, 0 * SECOND, seconds=100.5, poll_interval=60 * SECOND))[0]

    store = run_virtually(main)

    assert store.claims.count(1) == 10
    assert len(store.claims) <= 2 * 10 + 2
    assert store.looks <= len(store.claims)
