"""The promises of `RunBook`, and of `JobStore.settle` where a settlement is to be counted."""

import asyncio
from collections.abc import Sequence

import pytest

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.execution.limits import Standing, month_of
from cronicorn.domain.fixtures import MIDNIGHT, a_run, an_interval_hint
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Invariant
from cronicorn.domain.ports import Decide
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.run import Run
from cronicorn.domain.settlement import Settlement, Stored
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.promises import proves
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    TTL,
    Stores,
    StoresContract,
    claim,
    claim_one,
    deciding,
    hint,
    plant,
    settle,
)


class RunBookContract(StoresContract):
    """Subclass this with a `stores` fixture: what is counted, and that nothing is counted twice."""

    async def test_a_settlement_that_is_to_be_counted_is_counted_in_its_month_and_for_its_tenant(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        month = month_of(clock.now())
        await plant(stores, "ep1", "ep2")
        clock.advance(MINUTE)
        first, second = await claim(stores)

        await _settle_counted(stores, first)
        await settle(stores, second)

        assert await stores.run_book.standing([TENANT, OTHER_TENANT], month.start_at) == {
            TENANT: Standing(runs=1),
            OTHER_TENANT: Standing(),
        }
        assert await stores.run_book.standing([TENANT], month.end_at) == {TENANT: Standing()}

    async def test_a_settlement_without_a_run_counts_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await stores.job_store.settle(lease, None, _counted(lease, None))

        assert await _runs(stores, clock) == 0

    async def test_settling_the_same_again_counts_once(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        run = a_run(lease)

        for _ in range(2):
            await stores.job_store.settle(lease, run, _counted(lease, run))

        assert await _runs(stores, clock) == 1

    @proves(Invariant.I2, Invariant.I3)
    async def test_a_lost_lease_counts_nothing(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lost = await claim_one(stores, ttl=TTL)
        clock.advance(TTL)
        later = await claim_one(stores, worker_id="w2", ttl=TTL)
        await _settle_counted(stores, later)

        with pytest.raises(LeaseLostError):
            await _settle_counted(stores, lost)

        assert await _runs(stores, clock) == 1

    async def test_an_edit_meanwhile_changes_nothing_about_the_count(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)
        await hint(stores, an_interval_hint(MINUTE / 2, now=clock.now()))

        await _settle_counted(stores, lease)

        assert await _runs(stores, clock) == 1

    async def test_test_calls_are_not_counted(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores)
        clock.advance(MINUTE)
        lease = await claim_one(stores)

        await stores.run_control.record_test(a_run(lease))

        assert await _runs(stores, clock) == 0

    async def test_many_at_once_are_all_counted(self, stores: Stores, clock: VirtualClock) -> None:
        await plant(stores, *(f"ep{number}" for number in range(30)))
        clock.advance(MINUTE)
        leases: Sequence[Lease] = await claim(stores, limit=30)

        await asyncio.gather(*(_settle_counted(stores, lease) for lease in leases))

        assert await _runs(stores, clock) == 30

    async def test_a_tenants_tier_is_told_with_its_runs(self, stores: Stores, clock: VirtualClock) -> None:
        tenant = Tenant(id=OTHER_TENANT, name="shop", created_at=MIDNIGHT, terms=Terms(tier="pro-tier"))
        key = ApiKey(id="key1", tenant_id=OTHER_TENANT, prefix="x", hash="hash", created_at=MIDNIGHT)
        await stores.keys.add_tenant(tenant, key)

        standing = await stores.run_book.standing([OTHER_TENANT], month_of(clock.now()).start_at)

        assert standing == {OTHER_TENANT: Standing(tier="pro-tier")}
        assert [each.terms.tier for each in await stores.keys.tenants()] == ["pro-tier"]


def _counted(lease: Lease, run: Run | None) -> Decide:
    decide = deciding(lease, run)
    at = run.started_at if run is not None else lease.claimed_at

    def decided(endpoint: JobEndpoint, stored: Stored) -> Settlement:
        return decide(endpoint, stored)._replace(month_at=month_of(at).start_at)

    return decided


async def _settle_counted(stores: Stores, lease: Lease) -> None:
    run = a_run(lease)
    await stores.job_store.settle(lease, run, _counted(lease, run))


async def _runs(stores: Stores, clock: VirtualClock) -> int:
    month = month_of(clock.now())
    return (await stores.run_book.standing([TENANT], month.start_at))[TENANT].runs
