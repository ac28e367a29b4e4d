"""The connection breaks after the database did what it was asked, before the answer came. On PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import copy
from urllib.parse import urlsplit

import pytest

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.mechanism import Invariant
from cronicorn.testing.contracts.stores import MINUTE, TENANT, Stores, claim, plant
from tests.invariants.holding import TTL, Held, all_run_in_the_end, hold, runs_of
from tests.invariants.places import PostgresPlace
from tests.invariants.worlds import SYSTEM, Kind, World, kept
from tests.servers.proxy import Proxy, proxy_to
from tests.waiting import eventually_async

TRIP_S = 0.1
MOMENTS = {"on the way there": 0.5, "on the way back": 1.5, "on the second way back": 3.5, "after the answer": 4.5}
"""When the connection is cut, in trips after the request was sent: each way takes one, and two more without prepared
statements."""
IDS = ("ep1", "ep2", "ep3")


def _on_a_network(kind: Kind) -> bool:
    return kind.place is PostgresPlace


@asynccontextmanager
async def far_away(world: World) -> AsyncIterator[tuple[Stores, Proxy]]:
    """A worker with a warm connection that leads through a proxy and takes its time."""
    assert isinstance(world.place, PostgresPlace)
    parts = urlsplit(world.place.url)
    assert parts.port is not None
    with proxy_to(parts.port) as proxy:
        place = copy(world.place)
        user = f"{parts.username}@" if parts.username else ""
        place.url = parts._replace(netloc=f"{user}127.0.0.1:{proxy.port}").geturl()
        stores = await world.kind.open(place, world.clock)
        try:
            await claim(stores, limit=1, ttl=TTL)
            proxy.delay(TRIP_S)
            yield stores, proxy
        finally:
            proxy.heal()
            await stores.aclose()


async def cut(proxy: Proxy, after_trips: float) -> None:
    """Reset all connections a while from now."""
    ends = SYSTEM.monotonic() + after_trips * TRIP_S
    await eventually_async(lambda: SYSTEM.monotonic() >= ends)
    proxy.abort()
    proxy.delay(0.0)


@kept(Invariant.I12, only=_on_a_network)
@pytest.mark.parametrize("moment", MOMENTS)
async def test_i12_a_claim_whose_answer_was_lost_is_found_again_or_expires(world: World, moment: str):
    async with far_away(world) as (stores, proxy):
        await plant(world.stores, *IDS)
        world.advance(MINUTE)

        claimed, _ = await asyncio.gather(claim(stores, ttl=TTL), cut(proxy, MOMENTS[moment]), return_exceptions=True)

        held = [await world.stores.run_control.held(TENANT, endpoint_id) for endpoint_id in IDS]
        given = {lease.claim_id for lease in held if lease is not None}
        if isinstance(claimed, BaseException):
            assert isinstance(claimed, UnavailableError)
            assert given == set(), "it was there to be found"
        else:
            assert {lease.claim_id for lease in claimed} >= given
            assert all([await Held(stores, lease).settles() for lease in claimed])
    await all_run_in_the_end(world, *IDS)


@kept(Invariant.I11, only=_on_a_network)
@pytest.mark.parametrize("moment", MOMENTS)
async def test_i11_a_settlement_whose_answer_was_lost_is_answered_when_it_is_told_again(world: World, moment: str):
    async with far_away(world) as (stores, proxy):
        await plant(world.stores)
        world.advance(MINUTE)
        (lease,) = await claim(stores, ttl=TTL)
        held = Held(stores, lease)

        told, _ = await asyncio.gather(held.settle(), cut(proxy, MOMENTS[moment]), return_exceptions=True)
        again = await held.settle()

        assert not isinstance(told, BaseException) or isinstance(told, UnavailableError)
        assert isinstance(told, BaseException) or told == again
        assert len(await runs_of(world.stores)) == 1
        assert (await hold(world)).lease.slot == held.lease.slot + 1
