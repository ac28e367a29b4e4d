"""Leases on one endpoint follow one another, end as asked, and are never taken from a holder or a settlement."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import pytest

from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.mechanism import Invariant
from cronicorn.testing.contracts.stores import TENANT, claim, deciding, endpoint_of, next_due_at, plant, settle
from tests.invariants.elsewhere import Elsewhere
from tests.invariants.holding import TTL, Held, all_run_in_the_end, hold, runs_of, wait_until_due
from tests.invariants.stirring import overlapping, settled_twice, stale, stirred
from tests.invariants.worlds import World, kept

T = TypeVar("T")


@kept(Invariant.I4)
@pytest.mark.parametrize("seed", range(3))
async def test_i04_leases_on_one_endpoint_never_overlap(world: World, seed: int):
    stir = await stirred(world, seed=seed)

    assert overlapping(stir.tenures) == []


@kept(Invariant.I4)
async def test_i04_a_claim_finds_nothing_until_the_instant_at_which_the_lease_ends(world: World):
    await plant(world.stores)
    held = await hold(world)
    others = [await world.another() for _ in range(3)]

    world.advance(held.lease.ttl - MICROSECOND)
    early = await asyncio.gather(*(claim(other, ttl=TTL) for other in others))
    world.advance(MICROSECOND)
    due = await asyncio.gather(*(claim(other, ttl=TTL) for other in others))

    assert early == [[]] * 3
    assert sum(map(len, due)) == 1


@kept(Invariant.I1)
@pytest.mark.parametrize("seed", range(3))
async def test_i01_and_i02_hold_in_a_random_history_of_many_workers(world: World, seed: int):
    stir = await stirred(world, seed=seed)

    assert settled_twice(stir.tenures) == []
    assert stale(stir.tenures) == []


@kept(Invariant.I12)
async def test_i12_a_claim_that_nobody_heard_of_expires_and_its_slot_runs(world: World):
    await plant(world.stores)
    heard = []
    for steps in [*range(8), 20, 40]:
        await wait_until_due(world)
        worker = await world.another()
        claiming = asyncio.create_task(claim(worker, ttl=TTL))
        for _ in range(steps):
            await asyncio.sleep(0)
        claiming.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            for lease in await claiming:
                heard.append(lease)
                await settle(worker, lease)

    assert len(await runs_of(world.stores)) == len(heard)
    await all_run_in_the_end(world, "ep1")


@kept(Invariant.I13)
async def test_i13_an_abandoned_slot_is_as_it_was_and_due_at_once(world: World):
    await plant(world.stores)
    await wait_until_due(world)
    before, due_at = await endpoint_of(world.stores), await next_due_at(world.stores.job_store)

    for number in range(5):
        held = await hold(world, worker_id=f"w{number}")
        await held.stores.job_store.abandon([held.lease])
        await held.stores.job_store.abandon([held.lease])

        assert await endpoint_of(world.stores) == before
        assert await next_due_at(world.stores.job_store) == due_at == world.clock.now()
        assert not await held.settles() or not world.kind.exclusive

    assert not (await hold(world)).lease.taken_over


@kept(Invariant.I13)
async def test_i13_abandoning_what_was_lost_or_settled_touches_nobody(world: World):
    await plant(world.stores)
    lost, heir = await hold(world), await hold(world, worker_id="w2")
    await lost.stores.job_store.abandon([lost.lease])
    await heir.settle()
    before, due_at = await endpoint_of(world.stores), await next_due_at(world.stores.job_store)

    await lost.stores.job_store.abandon([lost.lease, heir.lease])

    assert await endpoint_of(world.stores) == before
    assert await next_due_at(world.stores.job_store) == due_at
    assert await heir.settles()


@kept(Invariant.I14)
async def test_i14_a_slot_that_is_settled_is_never_claimed_again_by_those_who_looked_before(world: World):
    for _ in range(5):
        await plant(world.stores)
        held, others = await hold(world), [await world.another() for _ in range(3)]
        if world.kind.exclusive:
            world.advance(held.lease.ttl)

        settling = asyncio.create_task(held.settles())
        claims = await asyncio.gather(*(claim(other, ttl=TTL) for other in others))
        settled = await settling
        rivals = [Held(other, lease) for other, leases in zip(others, claims, strict=True) for lease in leases]
        accepted = [await rival.settles() for rival in rivals]

        assert [settled, *accepted].count(True) == 1
        assert {rival.lease.run_id for rival in rivals} <= {held.lease.run_id}
        assert await claim(await world.another(), ttl=TTL) == []
        assert len(await runs_of(world.stores)) == 1
        await world.stores.endpoints.delete(TENANT, "ep1")


@kept(Invariant.I14, only=lambda kind: kind.exclusive)
@pytest.mark.parametrize("ahead", [-5, -1, 0, 1, 5])
async def test_i14_a_takeover_and_a_settlement_at_once_leave_exactly_one_of_them(world: World, ahead: int):
    await plant(world.stores)
    held = await hold(world)
    other = await world.another()
    world.advance(held.lease.ttl)

    async def after(steps: int, act: Awaitable[T]) -> T:
        for _ in range(max(steps, 0)):
            await asyncio.sleep(0)
        return await act

    settled, taken = await asyncio.gather(after(ahead, held.settles()), after(-ahead, claim(other, ttl=TTL)))

    assert settled is not bool(taken)
    for lease in taken:
        await settle(other, lease)
    assert len(await runs_of(world.stores)) == 1


@kept(Invariant.I14, only=lambda kind: kind.exclusive)
async def test_i14_a_takeover_in_the_middle_of_a_settlement_leaves_exactly_one_of_them(world: World):
    await plant(world.stores)
    held = await hold(world)
    world.advance(held.lease.ttl)
    decided, run = deciding(held.lease, held.run), held.run

    with Elsewhere(world) as elsewhere:

        def decide_while_another_claims(endpoint, stored):
            elsewhere.begin(lambda stores: claim(stores, worker_id="w2", ttl=TTL))
            return decided(endpoint, stored)

        try:
            await held.stores.job_store.settle(held.lease, run, decide_while_another_claims)
            settled = True
        except LeaseLostError:
            settled = False
        taken = elsewhere.answer()

    assert settled is not bool(taken)
    assert len(await runs_of(world.stores)) == int(settled)


@kept(Invariant.I14, only=lambda kind: kind.mechanism.renewable)
async def test_i14_a_takeover_and_a_renewal_at_once_never_both_succeed(world: World):
    await plant(world.stores)

    for _ in range(8):
        held, other = await hold(world), await world.another()
        world.advance(held.lease.ttl)
        renewal, taken = await asyncio.gather(
            asyncio.to_thread(held.stores.job_store.renew, [held.lease], ttl=TTL), claim(other, ttl=TTL)
        )

        assert held.lease.claim_id in renewal.lost or not taken
        owner = taken[0] if taken else held.lease
        await settle(other, owner)
        assert (await runs_of(world.stores))[0].fence == owner.fence


@kept(Invariant.I14, only=lambda kind: kind.mechanism.renewable)
async def test_i14_a_lease_that_is_renewed_is_never_taken_however_often_others_try(world: World):
    await plant(world.stores)
    held = await hold(world)
    stop, others = threading.Event(), [await world.another() for _ in range(3)]

    async def keep_trying(stores):
        found = 0
        while not stop.is_set():
            found += len(await claim(stores, ttl=TTL))
            await asyncio.sleep(0)
        return found

    trying = [asyncio.create_task(keep_trying(other)) for other in others]
    for _ in range(30):
        world.advance(TTL - timedelta(seconds=1))
        renewal = await asyncio.to_thread(held.stores.job_store.renew, [held.lease], ttl=TTL)
        assert not renewal.lost
        await asyncio.sleep(0)
    stop.set()

    assert await asyncio.gather(*trying) == [0] * 3
    assert await held.settles(a_run(held.lease, started_at=held.lease.claimed_at))
