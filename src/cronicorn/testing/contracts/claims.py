"""The promises of `JobStore`: claiming, renewing and abandoning."""

import asyncio
from dataclasses import replace

from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import MICROSECOND, ZERO
from cronicorn.domain.lease import NextDue
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.takeover import PROMPT_TAKEOVERS, TAKEOVER_DELAY_MAX, takeover_delay
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
    endpoint_of,
    next_due_at,
    plant,
    settle,
)


class ClaimContract(StoresContract):
    """Subclass this with a `stores` fixture: what `JobStore.claim_due` and `next_due_at` promise."""

    async def test_a_claim_leases_what_is_due_the_longest_due_first(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "late")
        clock.advance(MINUTE / 2)
        await plant(stores, "later", baseline=replace(an_endpoint().baseline, interval=MINUTE, anchor_at=clock.now()))
        clock.advance(MINUTE)

        leases = await claim(stores)

        assert [lease.endpoint.id for lease in leases] == ["late", "later"]

    async def test_a_claim_never_takes_more_than_it_was_asked_for(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "a", "b", "c")
        clock.advance(MINUTE)

        first, second = await claim(stores, limit=2), await claim(stores, limit=2)

        assert [lease.endpoint.id for lease in (*first, *second)] == ["a", "b", "c"]

    async def test_a_claim_of_nothing_takes_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)

        assert await claim(stores, limit=0) == []

    @proves(Invariant.I7)
    async def test_nothing_is_claimed_before_it_is_due(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE - MICROSECOND)

        early = await claim(stores)
        clock.advance(MICROSECOND)

        assert early == []
        assert len(await claim(stores)) == 1

    async def test_a_lease_brings_the_whole_endpoint_and_says_which_slot(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)

        lease = await claim_one(stores, ttl=TTL)

        assert lease.endpoint == await endpoint_of(stores)
        assert (lease.slot, lease.attempt, lease.manual, lease.taken_over) == (1, 1, False, False)
        assert lease.claimed_at == clock.now()
        assert lease.expires_at >= clock.now() + TTL
        assert lease.mechanism is self.mechanism

    @proves(Invariant.I20)
    async def test_a_lease_lasts_as_long_as_asked(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)

        lease = await claim_one(stores, ttl=TTL)

        assert (lease.fence, lease.expires_at) == (1, clock.now() + TTL)

    async def test_a_claim_of_one_endpoint_takes_no_other(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "a", "b")
        clock.advance(MINUTE)

        leases = await stores.job_store.claim_due(worker_id="w1", limit=10, ttl=TTL, endpoint_id="b")
        again = await stores.job_store.claim_due(worker_id="w1", limit=10, ttl=TTL, endpoint_id="b")
        unknown = await stores.job_store.claim_due(worker_id="w1", limit=10, ttl=TTL, endpoint_id="c")

        assert [lease.endpoint.id for lease in leases] == ["b"]
        assert (again, unknown) == ([], [])

    @proves(Invariant.I4)
    async def test_a_live_lease_keeps_others_away(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        await claim_one(stores, ttl=TTL)
        clock.advance(TTL - MICROSECOND)

        assert await claim(stores, worker_id="w2") == []

    @proves(Invariant.I3, Invariant.I6)
    async def test_an_expired_lease_makes_its_slot_due_again_with_a_higher_fence(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lost = await claim_one(stores, ttl=TTL)
        clock.advance(TTL)

        taken = await claim_one(stores, worker_id="w2")

        assert (taken.slot, taken.attempt) == (lost.slot, lost.attempt)
        assert taken.fence > lost.fence
        assert taken.claim_id != lost.claim_id

    @proves(Invariant.I3)
    async def test_fences_grow_from_claim_to_claim(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)

        first = await claim_one(stores)
        await stores.job_store.abandon([first])
        second = await claim_one(stores)
        await settle(stores, second)
        clock.advance(MINUTE)
        third = await claim_one(stores)

        assert first.fence < second.fence < third.fence

    @proves(Invariant.I4)
    async def test_claims_at_the_same_time_never_get_the_same_endpoint(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, *(f"ep{number}" for number in range(20)))
        clock.advance(MINUTE)

        claims = await asyncio.gather(*(claim(stores, worker_id=f"w{number}", limit=3) for number in range(10)))

        claimed = [lease.endpoint.id for leases in claims for lease in leases]
        assert len(claimed) == len(set(claimed)) == 20

    async def test_a_waiting_manual_slot_goes_before_the_planned_one(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        manual = (await ask_to_run(stores)).state.manual

        first = await claim_one(stores)
        await settle(stores, first)
        second = await claim_one(stores)

        assert manual is not None
        assert (first.slot, first.attempt, first.manual) == (manual.slot, 1, True)
        assert (second.slot, second.manual) == (1, False)

    async def test_a_manual_slot_is_due_at_once(self, stores: Stores) -> None:
        await plant(stores)
        await ask_to_run(stores)

        lease = await claim_one(stores)

        assert lease.manual

    @proves(Invariant.I20)
    async def test_a_slot_that_keeps_losing_its_workers_rests_ever_longer(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)

        for losses in range(1, 12):
            await claim_one(stores, ttl=TTL)
            clock.advance(TTL + takeover_delay(losses) - MICROSECOND)
            assert await claim(stores) == [], f"taken over too early after {losses} losses"
            clock.advance(MICROSECOND)

        assert takeover_delay(PROMPT_TAKEOVERS) == ZERO
        assert takeover_delay(11) == TAKEOVER_DELAY_MAX

    @proves(Invariant.I20)
    async def test_a_settled_slot_forgives_the_lost_claims_before_it(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        for losses in range(1, PROMPT_TAKEOVERS + 2):
            await claim_one(stores, ttl=TTL)
            clock.advance(TTL + takeover_delay(losses))

        await settle(stores, await claim_one(stores))
        clock.advance(MINUTE)
        await claim_one(stores, ttl=TTL)
        clock.advance(TTL)

        assert len(await claim(stores)) == 1

    async def test_nothing_waits_in_an_empty_store(self, stores: Stores) -> None:
        assert await next_due_at(stores.job_store) is None

    async def test_the_next_due_instant_is_the_earliest_of_all(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "slow", baseline=replace(an_endpoint().baseline, interval=2 * MINUTE))
        await plant(stores, "quick")
        await plant(stores, "dormant", baseline=replace(an_endpoint().baseline, dormant=True))

        assert await next_due_at(stores.job_store) == clock.now() + MINUTE

    async def test_the_wait_counts_by_the_store_s_clock_and_is_over_once_something_is_due(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        planned_at = clock.now()

        early = await stores.job_store.next_due()
        clock.advance(2 * MINUTE)
        late = await stores.job_store.next_due()

        assert early == NextDue(due_at=planned_at + MINUTE, now=planned_at)
        assert late == NextDue(due_at=planned_at + MINUTE, now=clock.now())
        assert (early.wait, late.wait) == (MINUTE, ZERO)

    @proves(Invariant.I20)
    async def test_an_endpoint_under_lease_is_next_due_when_the_lease_expires(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        await claim_one(stores, ttl=TTL)

        assert await next_due_at(stores.job_store) == clock.now() + TTL

    @proves(Invariant.I20)
    async def test_an_endpoint_that_rests_is_next_due_when_it_has_rested(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        for _ in range(PROMPT_TAKEOVERS):
            await claim_one(stores, ttl=TTL)
            clock.advance(TTL)
        await claim_one(stores, ttl=TTL)

        rest = takeover_delay(PROMPT_TAKEOVERS + 1)
        assert rest > ZERO
        assert await next_due_at(stores.job_store) == clock.now() + TTL + rest


class LeaseContract(StoresContract):
    """Subclass this with a `stores` fixture: what `JobStore.renew` and `abandon` promise."""

    @proves(Invariant.I20, renewing=True)
    async def test_renewing_extends_a_lease_from_now(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores, ttl=TTL)
        clock.advance(TTL / 2)

        renewal = stores.job_store.renew([lease], ttl=TTL)

        clock.advance(TTL - MICROSECOND)
        assert (renewal.lost, renewal.cancelled) == (frozenset(), frozenset())
        assert await claim(stores) == []
        clock.advance(MICROSECOND)
        assert len(await claim(stores)) == 1

    async def test_renewing_works_from_another_thread(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "a", "b")
        clock.advance(MINUTE)
        leases = await claim(stores)

        renewal, _ = await asyncio.gather(
            asyncio.to_thread(stores.job_store.renew, leases, ttl=TTL), settle(stores, leases[0])
        )

        assert renewal.lost <= {leases[0].claim_id}

    @proves(Invariant.I20, renewing=True)
    async def test_renewing_names_the_leases_that_are_lost(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "taken", "settled", "kept")
        clock.advance(MINUTE)
        taken, settled, kept = await claim(stores, ttl=TTL)
        await settle(stores, settled)
        stores.job_store.renew([kept], ttl=2 * TTL)
        clock.advance(TTL)
        await claim_one(stores, worker_id="w2")

        renewal = stores.job_store.renew([taken, settled, kept], ttl=TTL)

        assert renewal.lost == {taken.claim_id, settled.claim_id}

    @proves(Invariant.I4, Invariant.I14)
    async def test_a_lost_lease_that_is_renewed_leaves_its_successor_alone(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lost = await claim_one(stores, ttl=TTL)
        clock.advance(TTL)
        await claim_one(stores, worker_id="w2", ttl=TTL)
        clock.advance(TTL / 2)

        stores.job_store.renew([lost], ttl=10 * TTL)

        clock.advance(TTL / 2)
        assert len(await claim(stores)) == 1

    @proves(Invariant.I20)
    async def test_renewing_says_who_was_asked_to_stop(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "stopped", "kept")
        clock.advance(MINUTE)
        leases = await claim(stores)
        await stores.run_control.cancel(TENANT, "stopped", leases[0].slot)

        renewals = [stores.job_store.renew(leases, ttl=TTL) for _ in range(2)]

        assert [renewal.cancelled for renewal in renewals] == [{leases[0].claim_id}] * 2

    @proves(Invariant.I13)
    async def test_an_abandoned_slot_is_due_again_at_once_as_it_was(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        before = await endpoint_of(stores)

        await stores.job_store.abandon([lease])

        assert await endpoint_of(stores) == before
        again = await claim_one(stores)
        assert (again.slot, again.attempt, again.endpoint) == (lease.slot, lease.attempt, lease.endpoint)
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 0

    @proves(Invariant.I4, Invariant.I13)
    async def test_abandoning_a_lost_lease_leaves_its_successor_alone(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lost = await claim_one(stores, ttl=TTL)
        clock.advance(TTL)
        await claim_one(stores, worker_id="w2", ttl=TTL)

        await stores.job_store.abandon([lost])

        assert await claim(stores) == []
