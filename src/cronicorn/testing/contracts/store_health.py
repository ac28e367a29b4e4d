"""The promises of `StoreHealth`."""

from datetime import timedelta

from cronicorn.domain.instant import MICROSECOND, ZERO
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TTL, Stores, StoresContract, claim, claim_one, plant, settle


class StoreHealthContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_store_that_works_answers_a_ping(self, stores: Stores) -> None:
        await stores.health.ping()

    async def test_slots_that_nobody_runs_are_overdue(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1", "ep2")
        by = timedelta(seconds=5)

        clock.advance(MINUTE + by)
        before = await stores.health.overdue(by)
        clock.advance(MICROSECOND)
        after = await stores.health.overdue(by)

        assert (before, after) == (0, 2)

    async def test_a_slot_under_a_live_lease_is_not_overdue(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(2 * MINUTE)
        await claim_one(stores, ttl=TTL)

        during = await stores.health.overdue(ZERO)
        clock.advance(TTL)
        after = await stores.health.overdue(ZERO)

        assert (during, after) == (0, 1)

    async def test_a_settled_slot_is_not_overdue(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1", "ep2")
        clock.advance(2 * MINUTE)
        for lease in await claim(stores):
            await settle(stores, lease)

        assert await stores.health.overdue(ZERO) == 0
