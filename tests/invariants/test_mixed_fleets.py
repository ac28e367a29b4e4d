"""Workers with different mechanisms on one database, as while a fleet moves from one to another."""

import pytest

from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.mechanism import Invariant
from cronicorn.testing.contracts.stores import claim, plant
from tests.invariants.holding import TTL, Held, all_run_in_the_end, runs_of, wait_until_due
from tests.invariants.stirring import ENDPOINTS, overlapping, settled_twice, stale, stirred
from tests.invariants.test_nothing_lost import unaccounted
from tests.invariants.worlds import KINDS, Kind, World, kept


def others_beside(kind: Kind) -> list[Kind]:
    """One kind for each other mechanism that may work on the same database."""
    found = {
        other.mechanism: other
        for other in reversed(KINDS)
        if other.place is kind.place and other.mechanism is not kind.mechanism and other.promises(Invariant.I21)
    }
    return list(found.values())


MORE_MAX = 4


def _mechanisms(stir):
    return {tenure.lease.mechanism for tenure in stir.tenures}


@kept(Invariant.I21)
@pytest.mark.parametrize("seed", range(2))
async def test_i21_a_mixed_fleet_settles_no_slot_twice_overlaps_no_lease_and_loses_no_endpoint(world: World, seed: int):
    others = [await world.another(kind) for kind in others_beside(world.kind)]
    assert others

    stir = await stirred(world, seed=seed, others=others)
    for _ in range(MORE_MAX):  # On a busy machine a service may be too slow for its workers to get a turn.
        if len(_mechanisms(stir)) == 1 + len(others):
            break
        await stir.run(25)

    assert len(_mechanisms(stir)) == 1 + len(others)
    assert settled_twice(stir.tenures) == []
    assert stale(stir.tenures) == []
    assert overlapping(stir.tenures) == []
    assert await unaccounted(world.stores) == []
    await all_run_in_the_end(world, *ENDPOINTS)


@kept(Invariant.I21)
async def test_i21_workers_of_any_other_mechanism_honour_a_live_lease_and_take_over_one_that_ended(world: World):
    for number, kind in enumerate(others_beside(world.kind)):
        endpoint_id = f"ep{number}"
        await plant(world.stores, endpoint_id)
        await wait_until_due(world)
        mine, other = await world.another(), await world.another(kind)
        (lost,) = await claim(mine, ttl=TTL)
        world.advance(lost.ttl - MICROSECOND)
        assert await claim(other, ttl=TTL) == []

        await wait_until_due(world)
        (taken,) = await claim(other, ttl=TTL)

        assert (taken.slot, taken.fence > lost.fence, taken.taken_over) == (lost.slot, True, True)
        assert await claim(mine, ttl=TTL) == []
        assert not await Held(mine, lost).settles()
        assert await Held(other, taken).settles()
        assert len(await runs_of(world.stores, endpoint_id)) == 1
        await world.stores.endpoints.delete("t1", endpoint_id)
