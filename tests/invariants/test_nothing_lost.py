"""Whatever stops half-way, every endpoint is due, leased or at rest afterwards, and runs in the end."""

import asyncio
import contextlib

import pytest

from cronicorn.domain.errors import CronicornError
from cronicorn.domain.fixtures import a_pause, an_interval_hint
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.plan import Source
from cronicorn.testing.contracts.stores import (
    MINUTE,
    TENANT,
    Stores,
    ask_to_run,
    claim,
    hint,
    plant,
    rename,
    settle,
)
from tests.invariants.holding import TTL, all_run_in_the_end, wait_until_due
from tests.invariants.stirring import ENDPOINTS, stirred
from tests.invariants.worlds import World, kept

AT_REST = {Source.PAUSED, Source.SUSPENDED, Source.DORMANT}


async def unaccounted(stores: Stores) -> list[str]:
    """The endpoints that are neither due at some instant, nor leased, nor at rest on purpose."""
    found = []
    for endpoint, stored in await stores.endpoints.list(TENANT, "job1"):
        plan = endpoint.state.plan
        at_rest = plan is not None and plan.next_run_at is None and plan.source in AT_REST
        if endpoint.state.due_at is None and not stored.leased and not at_rest:
            found.append(endpoint.id)
    return found


@kept(Invariant.I5)
@pytest.mark.parametrize("seed", range(3, 6))
async def test_i05_no_endpoint_is_lost_in_a_random_history_of_many_workers(world: World, seed: int):
    await stirred(world, seed=seed)

    assert await unaccounted(world.stores) == []
    assert len(await world.stores.endpoints.list(TENANT, "job1")) == len(ENDPOINTS)
    await all_run_in_the_end(world, *ENDPOINTS)


async def _claim(stores: Stores, now):
    await claim(stores, ttl=TTL)


async def _claim_and_settle(stores: Stores, now):
    for lease in await claim(stores, ttl=TTL):
        await settle(stores, lease)


async def _claim_and_abandon(stores: Stores, now):
    await stores.job_store.abandon(await claim(stores, ttl=TTL))


async def _hint(stores: Stores, now):
    await hint(stores, an_interval_hint(MINUTE / 2, now=now))


async def _pause(stores: Stores, now):
    await hint(stores, a_pause(now + MINUTE, now=now))


async def _ask(stores: Stores, now):
    await ask_to_run(stores)


async def _rename(stores: Stores, now):
    await rename(stores, "renamed")


@kept(Invariant.I5)
@pytest.mark.parametrize("act", [_claim, _claim_and_settle, _claim_and_abandon, _hint, _pause, _ask, _rename])
async def test_i05_what_is_stopped_at_any_await_loses_no_endpoint(world: World, act):
    await plant(world.stores, "ep1", "ep2")

    for steps in [*range(12), 20, 30]:
        await wait_until_due(world)
        acting = asyncio.create_task(act(world.stores, world.clock.now()))
        for _ in range(steps):
            await asyncio.sleep(0)
        acting.cancel()
        with contextlib.suppress(asyncio.CancelledError, CronicornError):
            await acting
        assert await unaccounted(world.stores) == []

    assert len(await world.stores.endpoints.list(TENANT, "job1")) == 2
    await all_run_in_the_end(world, "ep1", "ep2")


@kept(Invariant.I5)
async def test_i05_a_decision_that_breaks_every_time_loses_no_endpoint(world: World):
    await plant(world.stores)

    def broken(endpoint, stored):
        raise ZeroDivisionError("a bug")

    for _ in range(4):
        await wait_until_due(world)
        for lease in await claim(await world.another(), ttl=TTL):
            with pytest.raises(ZeroDivisionError):
                await world.opened[-1].job_store.settle(lease, None, broken)
        assert await unaccounted(world.stores) == []

    await all_run_in_the_end(world, "ep1")
