"""One outcome for each slot, written by whoever holds it last, however often it is told."""

import asyncio
from dataclasses import replace

from cronicorn.domain.fixtures import an_interval_hint, an_outcome
from cronicorn.domain.mechanism import Invariant
from cronicorn.testing.contracts.stores import MINUTE, TENANT, endpoint_of, hint, plant, rename
from tests.invariants.holding import Held, hold, holders, runs_of
from tests.invariants.worlds import World, kept


def _told(held: Held, number: int):
    """The run of a holder, told from those of the others by its body."""
    return replace(held.run, outcome=an_outcome(body=f"holder {number}"))


@kept(Invariant.I1)
async def test_i01_of_all_who_ever_held_a_slot_exactly_one_settles_it(world: World):
    await plant(world.stores)
    held = await holders(world, 5)

    accepted = await asyncio.gather(*(each.settles(_told(each, n)) for n, each in enumerate(held)))
    again = await asyncio.gather(*(each.settles(_told(each, n)) for n, each in enumerate(held)))

    assert accepted.count(True) == 1
    assert again == accepted
    (run,) = await runs_of(world.stores)
    assert (await world.stores.runs.get(TENANT, run.id)).outcome.body == f"holder {accepted.index(True)}"


@kept(Invariant.I1)
async def test_i01_a_slot_has_one_outcome_in_whatever_order_its_holders_settle(world: World):
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]):
        endpoint_id = f"ep{''.join(map(str, order))}"
        await plant(world.stores, endpoint_id)
        held = await holders(world, 3)

        accepted = [await held[number].settles(_told(held[number], number)) for number in order]

        assert accepted.count(True) == 1
        assert len(await runs_of(world.stores, endpoint_id)) == 1
        await world.stores.endpoints.delete(TENANT, endpoint_id)


@kept(Invariant.I2)
async def test_i02_only_the_holder_of_the_highest_fence_settles(world: World):
    await plant(world.stores)
    held = await holders(world, 4)
    highest = max(each.lease.fence for each in held)

    accepted = [each for each in held if await each.settles()]

    assert [each.lease.fence for each in accepted] == [highest]
    assert [run.fence for run in await runs_of(world.stores)] == [highest]
    assert [each for each in held if await each.settles()] == accepted


@kept(Invariant.I11)
async def test_i11_a_settlement_told_again_and_again_changes_nothing_and_is_answered_alike(world: World):
    await plant(world.stores)
    world.advance(3 * MINUTE)
    held = await hold(world)
    first = await held.settle()
    skips, runs = await world.stores.runs.skips(TENANT, "ep1", 100), await runs_of(world.stores)
    elsewhere = Held(await world.another(), held.lease)

    answers = [await held.settle(), await elsewhere.settle()]
    answers += await asyncio.gather(*(teller.settle() for teller in [held, elsewhere] * 4))
    await world.end()
    await world.another()
    answers.append(await Held(world.stores, held.lease).settle())

    assert first.skips
    assert answers == [first] * len(answers)
    assert (await endpoint_of(world.stores)).state == first.state
    assert await world.stores.runs.skips(TENANT, "ep1", 100) == skips
    assert await runs_of(world.stores) == runs


@kept(Invariant.I11)
async def test_i11_a_settlement_told_again_leaves_alone_what_came_after_it(world: World):
    await plant(world.stores)
    held = await hold(world)
    await held.settle()
    await rename(world.stores, "renamed")
    await hint(world.stores, an_interval_hint(MINUTE / 2, now=world.clock.now()))
    successor = await hold(world, worker_id="w2")
    before = await endpoint_of(world.stores)

    await held.settle()

    assert await endpoint_of(world.stores) == before
    assert await successor.settles()
    assert len(await runs_of(world.stores)) == 2
