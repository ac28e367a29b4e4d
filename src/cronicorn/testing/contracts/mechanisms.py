"""What the mechanisms beside leases promise of their own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from cronicorn.domain.endpoint import CatchUp, CatchUpMode, JobEndpoint
from cronicorn.domain.errors import LeaseLostError, NotFoundError
from cronicorn.domain.fixtures import a_lease, a_run, an_endpoint
from cronicorn.domain.history import RunQuery
from cronicorn.domain.in_progress import SLACK
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.lease import Lease, Renewal
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import Decide, JobStore
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TENANT, TTL, Stores, StoresContract, deciding, next_due_at, plant


class Locks(JobStore, Protocol):
    """A job store that locks."""

    async def claim_due_endpoints(
        self, limit: int, lock: timedelta, *, worker_id: str = "", endpoint_id: str | None = None
    ) -> Sequence[Lease]: ...
    async def set_lock(self, lease: Lease, lock: timedelta) -> None: ...
    async def clear_lock(self, lease: Lease) -> None: ...


class LegacyContract(StoresContract):
    """Subclass this with a `stores` fixture, `locks` and `leases`."""

    def locks(self, stores: Stores, lock: timedelta) -> Locks:
        """A store of the same database that locks for *lock*. Override this."""
        raise NotImplementedError

    def leases(self, stores: Stores) -> JobStore:
        """A store of the same database that leases. Override this."""
        raise NotImplementedError

    async def test_a_lock_lasts_its_fixed_time_or_as_long_as_asked(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "a", "b")
        clock.advance(MINUTE)
        store = self.locks(stores, 2 * TTL)

        (fixed,) = await store.claim_due(worker_id="w1", limit=1, ttl=TTL)
        (asked,) = await store.claim_due(worker_id="w1", limit=1, ttl=3 * TTL)

        assert (fixed.ttl, asked.ttl) == (2 * TTL, 3 * TTL)
        assert fixed.mechanism is Mechanism.LEGACY

    async def test_renewing_extends_no_lock(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "a", "b")
        clock.advance(MINUTE)
        store = self.locks(stores, TTL)
        kept, cleared = await store.claim_due(worker_id="w1", limit=2, ttl=TTL)
        await store.clear_lock(cleared)
        clock.advance(TTL / 2)

        renewal = await asyncio.to_thread(store.renew, [kept, cleared], ttl=TTL)

        assert renewal.lost == {cleared.claim_id}
        assert renewal.unextended == {kept.claim_id}
        clock.advance(TTL / 2)
        assert len(await store.claim_due(worker_id="w2", limit=2, ttl=TTL)) == 2

    async def test_a_holder_whose_run_is_cancelled_hears_of_it_and_its_lock_ends_as_before(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        store = self.locks(stores, TTL)
        (lease,) = await store.claim_due(worker_id="w1", limit=1, ttl=TTL)
        clock.advance(TTL / 2)
        assert await stores.run_control.cancel(TENANT, "ep1", lease.slot)

        renewal = await asyncio.to_thread(store.renew, [lease], ttl=TTL)

        assert renewal == Renewal(cancelled=frozenset({lease.claim_id}), unextended=frozenset({lease.claim_id}))
        clock.advance(TTL / 2)
        assert len(await store.claim_due(worker_id="w2", limit=1, ttl=TTL)) == 1

    async def test_a_lock_is_claimed_set_anew_and_cleared(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        store = self.locks(stores, TTL)
        (lease,) = await store.claim_due_endpoints(10, TTL)
        clock.advance(TTL / 2)

        await store.set_lock(lease, TTL)

        clock.advance(TTL - MICROSECOND)
        assert await store.claim_due_endpoints(10, TTL) == []
        await store.clear_lock(lease)
        (again,) = await store.claim_due_endpoints(10, TTL)
        assert again.slot == lease.slot
        with pytest.raises(LeaseLostError):
            await store.set_lock(lease, TTL)
        await store.clear_lock(lease)
        assert await store.claim_due_endpoints(10, TTL) == []

    async def test_locks_and_leases_honour_each_other(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, "a", "b")
        clock.advance(MINUTE)
        locking, leasing = self.locks(stores, TTL), self.leases(stores)
        (locked,) = await locking.claim_due(worker_id="w1", limit=1, ttl=TTL)
        (leased,) = await leasing.claim_due(worker_id="w2", limit=2, ttl=TTL)

        assert await locking.claim_due(worker_id="w1", limit=2, ttl=TTL) == []
        clock.advance(TTL)
        taken = [
            *await leasing.claim_due(worker_id="w2", limit=1, ttl=TTL),
            *await locking.claim_due(worker_id="w1", limit=1, ttl=TTL),
        ]

        assert (locked.endpoint.id, leased.endpoint.id) == ("a", "b")
        assert [(lease.endpoint.id, lease.mechanism, lease.taken_over) for lease in taken] == [
            ("a", Mechanism.LEASE, True),
            ("b", Mechanism.LEGACY, True),
        ]
        for lost, store in ((locked, locking), (leased, leasing)):
            with pytest.raises(LeaseLostError):
                await _settle(store, lost)

    async def test_a_lock_is_shown_as_one(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        (lease,) = await self.locks(stores, TTL).claim_due(worker_id="w1", limit=1, ttl=TTL)

        assert await stores.run_control.held(TENANT, "ep1") == lease


class Versions(JobStore, Protocol):
    """A job store without locks."""

    async def get_endpoint(self, endpoint_id: str) -> tuple[JobEndpoint, int]: ...
    async def update_after_run(
        self, endpoint_id: str, run: Run, decide: Decide, *, expected_version: int
    ) -> Settlement: ...


class OptimisticContract(StoresContract):
    """Subclass this with a `stores` fixture, `versions` and `leases`."""

    def versions(self, stores: Stores, spread: int = 1) -> Versions:
        """A store of the same database without locks, as another process has it. Override this."""
        raise NotImplementedError

    def leases(self, stores: Stores) -> JobStore:
        """A store of the same database that leases. Override this."""
        raise NotImplementedError

    async def test_of_two_workers_on_one_slot_the_first_to_settle_wins(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        first, second = self.versions(stores), self.versions(stores)
        (slow,) = await first.claim_due(worker_id="w1", limit=1, ttl=TTL)
        (quick,) = await second.claim_due(worker_id="w2", limit=1, ttl=TTL)

        await _settle(second, quick)

        with pytest.raises(LeaseLostError):
            await _settle(first, slow)
        assert (slow.fence, slow.slot) == (quick.fence, quick.slot)
        assert slow.claim_id != quick.claim_id
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 1

    async def test_settlements_of_one_slot_at_the_same_time_leave_one_run(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        workers = [self.versions(stores) for _ in range(6)]
        leases = [(await store.claim_due(worker_id="w", limit=1, ttl=TTL))[0] for store in workers]

        answers = await asyncio.gather(
            *(_settle(store, lease) for store, lease in zip(workers, leases, strict=True)), return_exceptions=True
        )

        assert sorted(type(answer).__name__ for answer in answers) == [*["LeaseLostError"] * 5, "Settlement"]
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == 1

    async def test_a_claim_writes_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        store = self.versions(stores)
        before = await store.get_endpoint("ep1")

        (lease,) = await store.claim_due(worker_id="w1", limit=1, ttl=TTL)
        during = await store.get_endpoint("ep1")
        await store.abandon([lease])

        assert before == during == await store.get_endpoint("ep1") == (lease.endpoint, lease.fence)
        assert await stores.run_control.held(TENANT, "ep1") is None
        assert lease.mechanism is Mechanism.OPTIMISTIC

    async def test_nobody_can_cancel_a_run_that_nothing_shows(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        (lease,) = await self.versions(stores).claim_due(worker_id="w1", limit=1, ttl=TTL)

        assert not lease.mechanism.cancellable
        assert not await stores.run_control.cancel(TENANT, "ep1", lease.slot)

    async def test_an_unlocked_slot_is_held_for_its_longest_call(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, request=replace(an_endpoint().request, execution_max=5 * MINUTE))
        clock.advance(MINUTE)
        one, other = self.versions(stores), self.versions(stores)

        (short,) = await one.claim_due(worker_id="w1", limit=1, ttl=TTL)
        (long,) = await other.claim_due(worker_id="w1", limit=1, ttl=20 * MINUTE)

        assert (short.ttl, long.ttl) == (5 * MINUTE + SLACK, 20 * MINUTE)

    async def test_a_process_takes_no_slot_twice_until_its_own_run_has_ended(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        store = self.versions(stores)
        (lease,) = await store.claim_due(worker_id="w1", limit=1, ttl=TTL)

        assert await store.claim_due(worker_id="w1", limit=1, ttl=TTL) == []
        assert await next_due_at(store) == lease.expires_at
        clock.advance(lease.ttl)
        (again,) = await store.claim_due(worker_id="w1", limit=1, ttl=TTL)
        with pytest.raises(LeaseLostError):
            await _settle(store, lease)
        await _settle(store, again)
        assert await next_due_at(store) == clock.now() + MINUTE / 2

    async def test_claims_of_one_process_at_the_same_time_are_of_different_slots(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        await plant(stores, *(f"ep{number}" for number in range(12)))
        clock.advance(MINUTE)
        store = self.versions(stores)

        claims = await asyncio.gather(*(store.claim_due(worker_id="w1", limit=3, ttl=TTL) for _ in range(6)))

        claimed = [lease.endpoint.id for leases in claims for lease in leases]
        assert len(claimed) == len(set(claimed))

    async def test_workers_pick_differently_from_the_longest_due(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, *(f"ep{number}" for number in range(10, 42)))
        clock.advance(MINUTE)
        workers = {name: self.versions(stores, spread=4) for name in ("w1", "w2", "w3")}

        picks = [
            [lease.endpoint.id for lease in await store.claim_due(worker_id=name, limit=4, ttl=TTL)]
            for name, store in workers.items()
        ]

        assert len({tuple(ids) for ids in picks}) == 3
        assert all(len(ids) == 4 and ids == sorted(ids) and ids[-1] < "ep26" for ids in picks)

    async def test_what_is_under_a_live_lease_is_left_alone(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        leasing, store = self.leases(stores), self.versions(stores)
        (leased,) = await leasing.claim_due(worker_id="w1", limit=1, ttl=TTL)

        assert await store.claim_due(worker_id="w2", limit=1, ttl=TTL) == []
        assert await next_due_at(store) == leased.expires_at
        clock.advance(TTL)
        (taken,) = await store.claim_due(worker_id="w2", limit=1, ttl=TTL)

        assert taken.taken_over
        await _settle(store, taken)
        with pytest.raises(LeaseLostError):
            await _settle(leasing, leased)

    @pytest.mark.parametrize("ending", ["claimed", "settled", "abandoned", "renewed"])
    async def test_nothing_settles_past_a_lease_that_came_between(
        self, stores: Stores, clock: VirtualClock, ending: str
    ) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        leasing, store = self.leases(stores), self.versions(stores)
        (lease,) = await leasing.claim_due(worker_id="w1", limit=1, ttl=TTL)
        if ending == "claimed":
            await leasing.abandon([lease])
        clock.advance(TTL)
        (seen,) = await store.claim_due(worker_id="w2", limit=1, ttl=TTL)
        if ending == "claimed":
            await leasing.claim_due(worker_id="w1", limit=1, ttl=TTL)
        elif ending == "settled":
            await _settle(leasing, lease)
        elif ending == "abandoned":
            (lease,) = await leasing.claim_due(worker_id="w1", limit=1, ttl=TTL)
            await leasing.abandon([lease])
        else:
            await asyncio.to_thread(leasing.renew, [lease], ttl=TTL)
        before = await stores.endpoints.get(TENANT, "ep1")

        with pytest.raises(LeaseLostError):
            await _settle(store, seen)

        assert await stores.endpoints.get(TENANT, "ep1") == before
        assert (await stores.runs.list(TENANT, "ep1", RunQuery())).total == int(ending == "settled")

    async def test_a_slot_that_came_too_late_is_settled_once(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, catch_up=CatchUp(mode=CatchUpMode.NONE))
        clock.advance(3.25 * MINUTE)
        leasing, store = self.leases(stores), self.versions(stores)
        (lease,) = await leasing.claim_due(worker_id="w1", limit=1, ttl=TTL)
        clock.advance(TTL)
        (seen,) = await store.claim_due(worker_id="w2", limit=1, ttl=TTL)
        settlement = await leasing.settle(lease, None, deciding(lease, None))

        with pytest.raises(LeaseLostError):
            await store.settle(seen, None, deciding(seen, None))

        skips = (await stores.runs.skips(TENANT, "ep1", 10)).skips
        assert len(skips) == len(settlement.skips) > 0

    async def test_an_update_counts_only_for_the_version_it_expects(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        store = self.versions(stores)
        endpoint, version = await store.get_endpoint("ep1")
        run = _run(endpoint, version, clock)

        settlement = await store.update_after_run("ep1", run, _decide(run), expected_version=version)

        assert await stores.runs.get(TENANT, run.id) == run
        after, newer = await store.get_endpoint("ep1")
        assert (after.state, newer > version) == (settlement.state, True)
        for version_then in (version, newer):
            stale = replace(run, fence=version_then)
            with pytest.raises(LeaseLostError):
                await store.update_after_run("ep1", stale, _decide(stale), expected_version=version_then)
        assert await store.get_endpoint("ep1") == (after, newer)

    async def test_an_endpoint_that_is_not_there_has_no_version(self, stores: Stores, clock: VirtualClock) -> None:
        store = self.versions(stores)
        run = replace(_run(an_endpoint(), 0, clock), endpoint_id="nobody")

        with pytest.raises(NotFoundError):
            await store.get_endpoint("nobody")
        with pytest.raises(NotFoundError):
            await store.update_after_run("nobody", run, _decide(run), expected_version=0)


async def _settle(store: JobStore, lease: Lease) -> Settlement:
    run = a_run(lease)
    return await store.settle(lease, run, deciding(lease, run))


def _run(endpoint: JobEndpoint, version: int, clock: VirtualClock) -> Run:
    return a_run(a_lease(endpoint, now=clock.now(), fence=version))


def _decide(run: Run) -> Decide:
    return deciding(a_lease(an_endpoint()), run)
