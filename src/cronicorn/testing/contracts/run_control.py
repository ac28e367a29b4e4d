"""The promises of `RunControl`."""

from dataclasses import replace

import pytest

from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.fixtures import a_lease, a_run, an_endpoint
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    TTL,
    Stores,
    StoresContract,
    ask_to_run,
    claim,
    claim_one,
    endpoint_of,
    plant,
    run_once,
    settle,
)


class RunControlContract(StoresContract):
    """Subclass this with a `stores` fixture."""

    async def test_a_live_lease_is_shown(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        assert await stores.run_control.held(TENANT, "ep1") == lease

    async def test_a_renewed_lease_is_shown_with_its_new_end(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        clock.advance(TTL / 2)
        stores.job_store.renew([lease], ttl=TTL)

        held = await stores.run_control.held(TENANT, "ep1")

        assert held is not None
        assert (held.claimed_at, held.expires_at) == (lease.claimed_at, clock.now() + TTL)

    async def test_a_lease_that_expired_or_was_settled_is_not_shown(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "ep1", "ep2")
        clock.advance(MINUTE)
        _, settled = await claim(stores, ttl=TTL)
        await settle(stores, settled)
        clock.advance(TTL)

        assert await stores.run_control.held(TENANT, "ep1") is None
        assert await stores.run_control.held(TENANT, "ep2") is None

    async def test_only_the_slot_under_a_live_lease_can_be_cancelled(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        before = await stores.run_control.cancel(TENANT, "ep1", 1)
        clock.advance(MINUTE)
        lease = await claim_one(stores, ttl=TTL)

        other = await stores.run_control.cancel(TENANT, "ep1", lease.slot + 1)
        during = await stores.run_control.cancel(TENANT, "ep1", lease.slot)
        clock.advance(TTL)
        after = await stores.run_control.cancel(TENANT, "ep1", lease.slot)

        assert (before, other, during, after) == (False, False, True, False)

    async def test_a_manual_slot_under_lease_can_be_cancelled(self, stores: Stores) -> None:
        await plant(stores)
        await ask_to_run(stores)
        lease = await claim_one(stores)

        assert await stores.run_control.cancel(TENANT, "ep1", lease.slot)
        assert stores.job_store.renew([lease], ttl=TTL).cancelled == {lease.claim_id}

    async def test_the_next_lease_is_not_cancelled_with_the_one_before(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        first = await claim_one(stores)
        await stores.run_control.cancel(TENANT, "ep1", first.slot)
        await stores.job_store.abandon([first])

        second = await claim_one(stores)

        assert stores.job_store.renew([second], ttl=TTL).cancelled == frozenset()

    async def test_endpoints_that_are_not_there_are_not_found(self, stores: Stores) -> None:
        await plant(stores)

        for tenant_id, endpoint_id in ((TENANT, "ep2"), (OTHER_TENANT, "ep1")):
            with pytest.raises(NotFoundError):
                await stores.run_control.held(tenant_id, endpoint_id)
            with pytest.raises(NotFoundError):
                await stores.run_control.cancel(tenant_id, endpoint_id, 1)

    async def test_a_test_call_gets_a_slot_of_its_own_and_the_plan_stays(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        before = await endpoint_of(stores)
        test = a_test_run()

        slots = [await stores.run_control.record_test(test) for _ in range(2)]

        after = await endpoint_of(stores)
        assert slots == [2, 3]
        assert await stores.runs.get(TENANT, "ep1:3:1") == replace(test, slot=3)
        assert (after.state.plan, after.state.slot) == (before.state.plan, before.state.slot)
        await run_once(stores, clock)
        assert (await endpoint_of(stores)).state.slot == 4

    async def test_a_test_call_during_a_run_does_not_disturb_it(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await stores.run_control.record_test(a_test_run())
        settlement = await settle(stores, lease)

        assert settlement.state.slot == 3

    async def test_a_test_call_of_an_endpoint_that_is_not_there_is_not_found(self, stores: Stores) -> None:
        with pytest.raises(NotFoundError):
            await stores.run_control.record_test(a_test_run())


def a_test_run() -> Run:
    """The run of a test call."""
    lease = a_lease(an_endpoint())
    return a_run(lease, source=Source.TEST, fence=0)
