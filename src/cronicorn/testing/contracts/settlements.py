"""The promises of `JobStore`: settling."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.domain.endpoint import CatchUp, CatchUpMode, JobEndpoint
from cronicorn.domain.errors import ConflictError, LeaseLostError, NotFoundError
from cronicorn.domain.fixtures import a_one_shot, a_pause, a_run, an_interval_hint
from cronicorn.domain.history import RunQuery
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.settlement import Settlement, Sibling, Stored
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.promises import proves
from cronicorn.testing.contracts.stores import (
    MINUTE,
    TENANT,
    TTL,
    Stores,
    StoresContract,
    ask_to_run,
    claim,
    claim_one,
    deciding,
    endpoint_of,
    hint,
    plant,
    rename,
    settle,
    take_back,
)


class SettleContract(StoresContract):
    """Subclass this with a `stores` fixture: what `JobStore.settle` promises."""

    async def test_settling_records_the_run_plans_again_and_ends_the_lease(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        run = a_run(lease)

        settlement = await settle(stores, lease, run)

        endpoint, stored = await stores.endpoints.get(TENANT, "ep1")
        assert await stores.runs.get(TENANT, run.id) == run
        assert endpoint.state == settlement.state
        assert endpoint.state.due_at == clock.now() + MINUTE
        assert not stored.leased
        assert stores.job_store.renew([lease], ttl=TTL).lost == {lease.claim_id}

    async def test_a_slot_that_came_too_late_leaves_skips_and_no_run(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, catch_up=CatchUp(mode=CatchUpMode.NONE))
        clock.advance(3.5 * MINUTE)
        lease = await claim_one(stores)

        settlement = await stores.job_store.settle(lease, None, deciding(lease, None))

        assert settlement.skips
        assert (await stores.runs.skips(TENANT, "ep1", 10)).skips == tuple(reversed(settlement.skips))
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0

    @proves(Invariant.I2, Invariant.I3)
    async def test_a_lease_that_another_claim_followed_settles_nothing(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lost = await claim_one(stores, ttl=TTL)
        clock.advance(TTL)
        await claim_one(stores, worker_id="w2", ttl=TTL)
        before = await stores.endpoints.get(TENANT, "ep1")

        with pytest.raises(LeaseLostError):
            await settle(stores, lost)

        assert await stores.endpoints.get(TENANT, "ep1") == before
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0

    @proves(Invariant.I2, Invariant.I3)
    async def test_a_worker_that_claims_the_slot_again_can_not_settle_its_first_claim(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        first = await claim_one(stores, worker_id="w1", ttl=TTL)
        clock.advance(TTL)
        second = await claim_one(stores, worker_id="w1")

        with pytest.raises(LeaseLostError):
            await settle(stores, first)

        await settle(stores, second)

    async def test_an_expired_lease_settles_as_long_as_no_claim_followed(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores, ttl=TTL)
        clock.advance(2 * TTL)

        await settle(stores, lease)

        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 1

    async def test_an_abandoned_lease_settles_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await stores.job_store.abandon([lease])

        with pytest.raises(LeaseLostError):
            await settle(stores, lease)

    @proves(Invariant.I11)
    async def test_settling_the_same_lease_again_is_answered_the_same_and_changes_nothing(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(3 * MINUTE)
        lease = await claim_one(stores)
        run = a_run(lease)
        first = await settle(stores, lease, run)
        skips = await stores.runs.skips(TENANT, "ep1", 10)
        clock.advance(MINUTE)
        successor = await claim_one(stores)

        again = await settle(stores, lease, run)

        assert first.skips
        assert again == first
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 1
        assert await stores.runs.skips(TENANT, "ep1", 10) == skips
        assert stores.job_store.renew([successor], ttl=TTL).lost == frozenset()

    async def test_a_lease_settled_before_the_last_one_is_lost(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await settle(stores, lease)
        clock.advance(MINUTE)
        await settle(stores, await claim_one(stores))

        with pytest.raises(LeaseLostError):
            await settle(stores, lease)

    @proves(Invariant.I10, Invariant.I20)
    async def test_a_decision_sees_what_was_written_during_the_call(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        steer = an_interval_hint(MINUTE / 4, now=clock.now())
        await hint(stores, steer)

        settlement = await settle(stores, lease)

        assert settlement.state.hints == (steer,)
        assert settlement.state.due_at == clock.now() + MINUTE / 4

    @proves(Invariant.I20)
    async def test_a_decision_is_told_the_time_the_lease_and_its_siblings(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, "ep1", "ep2")
        clock.advance(MINUTE)
        lease, _ = await claim(stores)
        told = []

        def decision(endpoint: JobEndpoint, stored: Stored) -> Settlement:
            told.append((stored.now, stored.leased, dict(stored.siblings)))
            return Settlement(state=endpoint.state)

        await stores.job_store.settle(lease, None, decision)

        sibling = Sibling(await endpoint_of(stores, "ep2"), leased_slot=1)
        assert told[-1] == (clock.now(), True, {"ep2": sibling})

    async def test_a_decision_that_raises_leaves_everything_as_it_was(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        before = await stores.endpoints.get(TENANT, "ep1")

        def broken(_: JobEndpoint, __: Stored) -> Settlement:
            raise ZeroDivisionError("a bug")

        with pytest.raises(ZeroDivisionError):
            await stores.job_store.settle(lease, a_run(lease), broken)

        assert await stores.endpoints.get(TENANT, "ep1") == before
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0
        await settle(stores, lease)

    async def test_one_decision_that_raises_does_not_touch_those_settled_with_it(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, *(f"ep{number}" for number in range(8)))
        clock.advance(MINUTE)
        leases = await claim(stores)

        def broken(_: JobEndpoint, __: Stored) -> Settlement:
            raise ZeroDivisionError("a bug")

        answers = await asyncio.gather(
            *(
                stores.job_store.settle(lease, run := a_run(lease), broken if number == 3 else deciding(lease, run))
                for number, lease in enumerate(leases)
            ),
            return_exceptions=True,
        )

        assert [type(answer) for answer in answers] == [*[Settlement] * 3, ZeroDivisionError, *[Settlement] * 4]
        for number in range(8):
            page = await stores.runs.list(TENANT, f"ep{number}", RunQuery())
            assert page.total == (0 if number == 3 else 1)

    @proves(Invariant.I1)
    async def test_a_slot_has_one_outcome_even_when_a_decision_plans_it_again(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)

        def standing_still(endpoint: JobEndpoint, _: Stored) -> Settlement:
            return Settlement(state=endpoint.state)

        first = await claim_one(stores)
        await stores.job_store.settle(first, a_run(first), standing_still)
        second = await claim_one(stores)

        with pytest.raises(ConflictError):
            await stores.job_store.settle(second, a_run(second), standing_still)

        assert (await stores.runs.get(TENANT, first.run_id)).fence == first.fence

    @proves(Invariant.I10)
    async def test_an_edit_during_the_call_is_kept(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await rename(stores, "renamed")

        await settle(stores, lease)

        assert (await endpoint_of(stores)).name == "renamed"

    @proves(Invariant.I10)
    async def test_a_manual_slot_asked_for_during_the_call_is_kept(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        asked = await ask_to_run(stores)

        await settle(stores, lease)

        assert asked.state.manual is not None
        assert (await claim_one(stores)).slot == asked.state.manual.slot

    @proves(Invariant.I2)
    async def test_the_call_of_a_deleted_endpoint_settles_as_lost(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await stores.endpoints.delete(TENANT, "ep1")

        with pytest.raises(LeaseLostError):
            await settle(stores, lease)

        with pytest.raises(NotFoundError):
            await stores.runs.get(TENANT, lease.run_id)

    async def test_a_one_shot_is_claimed_at_its_instant(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        await hint(stores, a_one_shot(clock.now() + timedelta(seconds=5), now=clock.now()))
        clock.advance(timedelta(seconds=5))

        assert len(await claim(stores)) == 1

    async def test_skips_of_a_settlement_are_kept_as_decided(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        skip = Skip(
            state=SlotState.SUPERSEDED, reason="“because”", first_at=clock.now(), last_at=clock.now() + MINUTE,
            count=2, exact=False,
        )  # fmt: skip

        await stores.job_store.settle(
            lease, None, lambda endpoint, stored: Settlement(state=endpoint.state, skips=(skip,))
        )

        assert (await stores.runs.skips(TENANT, "ep1", 10)).skips == (skip,)

    async def test_a_slot_that_an_edit_put_aside_after_its_lease_expired_can_not_be_settled(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores, ttl=TTL)
        clock.advance(TTL)
        await hint(stores, a_pause(clock.now() + 10 * MINUTE, now=clock.now()))

        with pytest.raises(LeaseLostError):
            await settle(stores, lease)

        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0

    async def test_a_manual_slot_that_was_taken_back_can_not_be_settled(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        await ask_to_run(stores)
        lease = await claim_one(stores)
        await take_back(stores)

        with pytest.raises(LeaseLostError):
            await settle(stores, lease)

        assert len((await stores.runs.skips(TENANT, "ep1", 10)).skips) == 1
