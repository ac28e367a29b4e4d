"""Fences grow, and no claim is ever taken for another: not even when the database forgets the last commits."""

from cronicorn.domain.mechanism import Invariant
from cronicorn.testing.contracts.stores import MINUTE, endpoint_of, plant
from tests.invariants.holding import TTL, Held, hold, runs_of
from tests.invariants.worlds import World, kept


@kept(Invariant.I3)
async def test_i03_fences_grow_and_a_claim_id_and_fence_are_never_issued_twice(world: World):
    await plant(world.stores)
    claims = []

    for _ in range(4):
        lost = await hold(world)
        abandoned = await hold(world, worker_id="w2")
        await abandoned.stores.job_store.abandon([abandoned.lease])
        settled = await hold(world, worker_id="w3")
        await settled.settle()
        claims += [lost.lease, abandoned.lease, settled.lease]
        await world.rewind(keep=True)

    fences = [lease.fence for lease in claims]
    assert fences == sorted(set(fences))
    assert len({lease.claim_id for lease in claims}) == len(claims)


@kept(Invariant.I3)
async def test_i03_a_holder_from_a_history_that_was_lost_settles_nothing(world: World):
    await plant(world.stores)
    world.advance(MINUTE)
    await world.rewind(keep=True)
    ghosts = [(await hold(world, worker_id=f"ghost{number}")).lease for number in range(3)]
    await world.rewind(keep=False)
    before = await endpoint_of(world.stores)

    at_once = [await Held(await world.another(), ghost).settles() for ghost in ghosts]
    untouched = await endpoint_of(world.stores)
    heirs = []
    for number in range(3):
        heirs.append(await hold(world, worker_id=f"heir{number}"))
        assert not any([await Held(world.stores, ghost).settles() for ghost in ghosts])
        assert world.stores.job_store.renew(ghosts, ttl=TTL).lost == {ghost.claim_id for ghost in ghosts}
        await world.stores.job_store.abandon(ghosts)

    assert at_once == [False] * 3
    assert untouched == before
    assert await heirs[-1].settles()
    assert len(await runs_of(world.stores)) == 1
    assert {lease.claim_id for lease in ghosts}.isdisjoint(heir.lease.claim_id for heir in heirs)


@kept(Invariant.I3)
async def test_i03_who_settled_in_a_history_that_was_lost_does_not_pass_for_settled(world: World):
    await plant(world.stores)
    world.advance(MINUTE)
    await world.rewind(keep=True)
    ghost = await hold(world)
    await ghost.settle()
    await world.rewind(keep=False)
    heir = await hold(world, worker_id="w2")

    assert not await Held(world.stores, ghost.lease).settles()

    assert await heir.settles()
    assert not await Held(world.stores, ghost.lease).settles()
    assert [run.fence for run in await runs_of(world.stores)] == [heir.lease.fence]
