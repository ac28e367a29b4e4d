"""What a lost answer or a slow lock service leaves behind where such a service arbitrates."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from cronicorn.domain.errors import LeaseLostError, UnavailableError
from cronicorn.domain.lease import Renewal
from cronicorn.testing.claim_service import ClockedClaimService
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, TTL, claim, claim_one, plant, settle
from tests.adapters.postgres.crowd import plant_crowd
from tests.adapters.postgres.external_store import open_external
from tests.servers.proxy import proxy_to

LONG = timedelta(minutes=1)


class SlowToRelease(ClockedClaimService):
    """Lets go only when a test says so, and tells of what."""

    def __init__(self, clock):
        super().__init__(clock)
        self.go_on = asyncio.Event()
        self.released = []

    async def release(self, claims):
        await self.go_on.wait()
        self.released += [claim.claim_id for claim in claims]
        await super().release(claims)


class Doubtful(ClockedClaimService):
    """Takes and revives claims, and then does not answer."""

    def __init__(self, clock):
        super().__init__(clock)
        self.answers = False

    async def acquire(self, claims, *, ttl):
        taken = await super().acquire(claims, ttl=ttl)
        return self._answered(taken)

    def revive(self, claims, *, ttl):
        return self._answered(super().revive(claims, ttl=ttl))

    def forget(self, lease):
        del self._held[lease.endpoint.id]

    def _answered(self, answer):
        if not self.answers:
            raise UnavailableError("No answer in time.")
        return answer


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def service(clock):
    return SlowToRelease(clock)


@pytest.fixture
async def stores(clock, service, postgres_url):
    stores = await open_external(postgres_url, service, judge=clock)
    yield stores
    service.go_on.set()
    await stores.aclose()


async def test_a_claim_whose_stamp_was_not_answered_is_found_again(stores, service, clock, postgres_url):
    await plant(stores)
    clock.advance(MINUTE)
    place = urlsplit(postgres_url)
    with proxy_to(place.port) as proxy:
        far = await open_external(postgres_url.replace(f":{place.port}/", f":{proxy.port}/"), service, judge=clock)
        await far.job_store.next_due()  # A connection is open.
        proxy.delay(0.3)

        claiming = asyncio.create_task(claim(far))
        async with stores.database.connection() as beside, asyncio.timeout(10):
            while not await beside.fetchval("SELECT count(claim_id) = 1 FROM cronicorn.schedule"):
                await beside.fetchval("SELECT pg_sleep(0.01)")
        proxy.abort()
        proxy.heal()
        async with asyncio.timeout(10):
            (lease,) = await claiming

        assert service.released == []
        assert far.job_store.renew([lease], ttl=TTL).lost == frozenset()
        service.go_on.set()
        await settle(far, lease)
        await far.aclose()


async def test_a_settlement_does_not_wait_for_the_service_and_the_store_is_closed_after_it(stores, service, clock):
    await plant(stores, "a", "b")
    clock.advance(MINUTE)
    leases = await claim(stores)

    async with asyncio.timeout(5):
        for lease in leases:
            await settle(stores, lease)

    assert service.released == []
    closing = asyncio.create_task(stores.job_store.aclose())
    service.go_on.set()
    await closing
    assert sorted(service.released) == sorted(lease.claim_id for lease in leases)


async def test_a_claim_of_others_does_not_wait_until_the_service_has_let_go(stores, service, clock):
    await plant(stores, "a", "b")
    clock.advance(MINUTE)
    (first,) = await claim(stores, limit=1)
    await settle(stores, first)

    async with asyncio.timeout(5):
        (second,) = await claim(stores)

    assert {first.endpoint.id, second.endpoint.id} == {"a", "b"}
    assert service.released == []


async def test_what_a_service_may_have_taken_without_an_answer_is_free_again_soon(clock, postgres_url):
    service = Doubtful(clock)
    stores = await open_external(postgres_url, service, judge=clock)
    await plant(stores, "a", "b")
    clock.advance(MINUTE)

    with pytest.raises(UnavailableError):
        await claim(stores)
    service.answers = True

    assert len(await claim(stores)) == 2
    await stores.aclose()


async def test_leases_that_a_service_could_not_revive_are_not_lost_and_the_others_are_renewed(clock, postgres_url):
    service = Doubtful(clock)
    service.answers = True
    stores = await open_external(postgres_url, service, judge=clock)
    await plant(stores, "a", "b")
    clock.advance(MINUTE)
    leases = {lease.endpoint.id: lease for lease in await claim(stores)}
    service.forget(leases["a"])
    service.answers = False

    renewal = stores.job_store.renew(list(leases.values()), ttl=TTL)

    assert renewal == Renewal(unextended=frozenset({leases["a"].claim_id}))
    service.answers = True
    assert stores.job_store.renew(list(leases.values()), ttl=TTL) == Renewal()
    await stores.aclose()


async def test_a_database_that_hangs_does_not_keep_a_granted_renewal_from_its_holder(
    stores, service, clock, postgres_url, caplog
):
    await plant(stores)
    clock.advance(MINUTE)
    ttl = timedelta(seconds=3)
    place = urlsplit(postgres_url)
    with proxy_to(place.port) as proxy:
        far = await open_external(postgres_url.replace(f":{place.port}/", f":{proxy.port}/"), service, judge=clock)
        lease = await claim_one(far, ttl=ttl)
        assert far.job_store.renew([lease], ttl=ttl) == Renewal()
        proxy.black_hole()

        began = time.monotonic()
        renewal = far.job_store.renew([lease], ttl=ttl)
        took = time.monotonic() - began

        assert renewal == Renewal()
        assert took < ttl.total_seconds() / 2
        assert "renewal_not_stored" in caplog.text
        proxy.heal(lose=True)
        assert far.job_store.renew([lease], ttl=LONG) == Renewal()
        service.go_on.set()
        await far.aclose()


async def test_the_service_lets_go_of_what_was_lost_in_the_database(stores, service, clock):
    await plant(stores)
    clock.advance(MINUTE)
    lease = await claim_one(stores)
    await stores.database.alone(lambda each: each.execute("UPDATE cronicorn.schedule SET fence = fence + 1"))
    service.go_on.set()

    with pytest.raises(LeaseLostError):
        await settle(stores, lease)

    await stores.job_store.aclose()
    assert service.released == [lease.claim_id]


async def test_a_claim_without_room_says_nothing_of_a_backlog(stores):
    await plant_crowd(stores.database, {"big": 4}, overdue=timedelta(minutes=5))
    await plant_crowd(stores.database, {"small": 4})

    assert await claim(stores, limit=0) == []

    # Without a backlog what has been due longest comes first.
    assert Counter(lease.endpoint.tenant_id for lease in await claim(stores, limit=4)) == {"big": 4}
