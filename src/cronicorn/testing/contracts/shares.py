"""What every mechanism promises of a share of the tenants."""

from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.mechanism import Share, bucket_of
from cronicorn.domain.ports import JobStore
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    OTHER_TENANT,
    TENANT,
    TTL,
    Stores,
    StoresContract,
    next_due_at,
    start,
)


class SharesContract(StoresContract):
    """Subclass this with a `stores` fixture and `of_share`."""

    def of_share(self, stores: Stores, share: Share) -> JobStore:
        """A job store of the same database that serves *share*. Override this."""
        raise NotImplementedError

    async def test_a_claim_takes_only_tenants_of_its_share(self, stores: Stores, clock: VirtualClock) -> None:
        lower, upper = await self._halves(stores)
        clock.advance(MINUTE)

        claimed = [
            await store.claim_due(worker_id="w1", limit=10, ttl=TTL) for store in (lower, upper, lower, upper)
        ]  # fmt: skip

        assert [[lease.endpoint.id for lease in leases] for leases in claimed] == [["low"], ["high"], [], []]

    async def test_an_expired_lease_of_another_share_is_left_alone(self, stores: Stores, clock: VirtualClock) -> None:
        lower, upper = await self._halves(stores)
        clock.advance(MINUTE)
        await upper.claim_due(worker_id="w1", limit=10, ttl=TTL)
        await lower.claim_due(worker_id="w1", limit=10, ttl=TTL)
        clock.advance(10 * MINUTE)

        assert [lease.endpoint.id for lease in await lower.claim_due(worker_id="w2", limit=10, ttl=TTL)] == ["low"]

    async def test_an_endpoint_of_another_share_can_not_be_claimed_by_its_id(
        self, stores: Stores, clock: VirtualClock
    ) -> None:
        lower, _ = await self._halves(stores)
        clock.advance(MINUTE)

        assert await lower.claim_due(worker_id="w1", limit=1, ttl=TTL, endpoint_id="high") == []

    async def test_the_next_due_instant_is_that_of_the_share(self, stores: Stores, clock: VirtualClock) -> None:
        lower, upper = await self._halves(stores)
        nobody = self.of_share(stores, Share(0, 0))
        clock.advance(MINUTE)
        (lease,) = await lower.claim_due(worker_id="w1", limit=10, ttl=TTL)

        assert await next_due_at(lower) == lease.expires_at
        assert await next_due_at(upper) == clock.now()
        assert await next_due_at(nobody) is None
        assert await nobody.claim_due(worker_id="w1", limit=10, ttl=TTL) == []

    async def _halves(self, stores: Stores) -> tuple[JobStore, JobStore]:
        """Stores of the lower and the upper buckets, with an endpoint in each."""
        low, high = sorted((TENANT, OTHER_TENANT), key=bucket_of)
        border = bucket_of(high)
        assert bucket_of(low) < border
        for name, tenant_id in (("low", low), ("high", high)):
            await stores.jobs.add(a_job(id=f"job of {tenant_id}", tenant_id=tenant_id))
            endpoint = an_endpoint(id=name, name=name, tenant_id=tenant_id, job_id=f"job of {tenant_id}")
            await stores.endpoints.add(endpoint, start)
        return self.of_share(stores, Share(0, border)), self.of_share(stores, Share(border))
