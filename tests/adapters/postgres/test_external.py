"""Claims in a real Valkey or etcd, plans and runs in a real PostgreSQL, in real time."""

import asyncio
from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from cronicorn.adapters.postgres.external import installation_of
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.errors import LeaseLostError, UnavailableError
from cronicorn.domain.fixtures import a_job, a_run, an_endpoint
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.lease import Renewal
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import ClaimService
from cronicorn.testing.contracts.stores import (
    TENANT,
    ask_to_run,
    claim,
    claim_one,
    deciding,
    endpoint_of,
    plant,
    settle,
    start,
    take_back,
)
from tests.adapters.postgres.external_store import open_external
from tests.adapters.postgres.lock_servers import locks_of
from tests.servers.proxy import proxy_to
from tests.waiting import eventually

TTL = timedelta(seconds=1)
"""A whole second, for etcd's sake."""
RECOVERED_S = TTL.total_seconds() + 2.5
"""After so long at most another worker has what a dead one held: the lease, etcd's rounding, and a busy machine."""
LONG = timedelta(minutes=1)
HEALED_S = 5.0


@pytest.fixture(scope="module", params=[Mechanism.REDIS, Mechanism.ETCD], ids=str)
def locks(request):
    with locks_of(request.param) as locks:
        yield locks


class Crew:
    """Workers on one database and one lock service."""

    def __init__(self, url, locks, prefix):
        self.url, self.locks, self.prefix = url, locks, prefix
        self.opened = []

    async def worker(self, *, service: ClaimService | None = None, url: str | None = None, **more):
        service = service if service is not None else self.locks.client(self.prefix)
        stores = await open_external(url or self.url, service, mechanism=self.locks.mechanism, **more)
        self.opened.append(stores)
        return stores

    async def leaser(self):
        """A worker that leases in the database."""
        self.opened.append(await PostgresStores.open(self.url))
        return self.opened[-1]


@pytest.fixture
async def crew(postgres_url, locks, request):
    crew = Crew(postgres_url, locks, request.node.name)
    yield crew
    for stores in crew.opened:
        await stores.aclose()


async def due_now(stores, *ids):
    """Endpoints with a manual slot each, due at once; the planned one is a day away."""
    await plant(stores, *ids, baseline=Baseline(interval=timedelta(days=1), anchor_at=SystemClock().now()))
    for endpoint_id in ids or ("ep1",):
        await ask_to_run(stores, endpoint_id)


async def claim_in_the_end(stores, *, within_s=HEALED_S, ttl=TTL):
    """Ask until something is leased; an unavailable store is asked again."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while loop.time() < deadline:
        try:
            if leases := await claim(stores, worker_id="heir", ttl=ttl):
                return leases
        except UnavailableError:
            pass
        await stores.health.ping()
    raise AssertionError("nothing was leased in time")


async def test_eight_workers_settle_each_slot_once_and_lose_none(crew):
    workers = [await crew.worker() for _ in range(8)]
    ids = [f"ep{number}" for number in range(40)]
    await due_now(workers[0], *ids)
    settled: Counter[str] = Counter()

    async def work(number, stores):
        while sum(settled.values()) < len(ids):
            for lease in await claim(stores, worker_id=f"w{number}", limit=3, ttl=LONG):
                await settle(stores, lease)
                settled[lease.run_id] += 1

    await asyncio.gather(*(work(number, stores) for number, stores in enumerate(workers)))

    assert len(settled) == len(ids)
    assert set(settled.values()) == {1}
    for endpoint_id in ids:
        assert (await workers[0].runs.list(TENANT, endpoint_id, RunQuery())).total == 1


async def test_claims_at_the_same_time_share_out_all_there_is(crew):
    workers = [await crew.worker() for _ in range(8)]
    await due_now(workers[0], *(f"ep{number}" for number in range(16)))

    claims = await asyncio.gather(*(claim(stores, limit=2, ttl=LONG) for stores in workers))
    left = await claim(workers[0], limit=16, ttl=LONG)

    claimed = [lease.endpoint.id for leases in (*claims, left) for lease in leases]
    assert len(claimed) == len(set(claimed)) == 16
    assert len(left) <= 2  # A crowd may give up before the last of them.


async def test_a_dead_holder_is_followed_when_its_claim_expires_long_before_the_stamp_does(crew):
    dead, heir = await crew.worker(), await crew.worker()
    await due_now(dead)
    lost = await claim_one(dead, ttl=TTL)
    stamp = await dead.database.alone(
        lambda each: each.fetchrow("SELECT lease_until_us, takeover_us FROM cronicorn.schedule")
    )
    before = asyncio.get_running_loop().time()

    (taken,) = await claim_in_the_end(heir, within_s=RECOVERED_S)

    assert TTL.total_seconds() - 0.2 < asyncio.get_running_loop().time() - before < RECOVERED_S
    assert stamp["takeover_us"] - stamp["lease_until_us"] > 30_000_000
    assert taken.fence > lost.fence
    assert taken.taken_over
    with pytest.raises(LeaseLostError):
        await settle(dead, lost)
    await settle(heir, taken)


async def test_a_holder_that_renews_is_not_followed_and_hears_of_a_cancellation(crew):
    holder, other = await crew.worker(), await crew.worker()
    await due_now(holder)
    lease = await claim_one(holder, ttl=TTL)
    renewals = []

    async def renew_for(seconds):
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            renewals.append(await asyncio.to_thread(holder.job_store.renew, [lease], ttl=TTL))
            assert await claim(other, worker_id="w2", ttl=TTL) == []

    await renew_for(2 * TTL.total_seconds())
    assert not any(renewal.lost or renewal.cancelled for renewal in renewals)
    assert await other.run_control.cancel(TENANT, "ep1", lease.slot)
    assert holder.job_store.renew([lease], ttl=TTL).cancelled == {lease.claim_id}
    await settle(holder, lease)


async def test_without_the_service_nothing_is_claimed_and_what_runs_is_settled(crew):
    stores = await crew.worker()
    await due_now(stores, "running", "waiting")
    (running,) = await claim(stores, limit=1, ttl=LONG)

    crew.locks.server.stop()

    with pytest.raises(UnavailableError):
        await claim(stores)
    with pytest.raises(UnavailableError):
        stores.job_store.renew([running], ttl=LONG)
    await settle(stores, running)
    crew.locks.server.start()
    (waiting,) = await claim_in_the_end(stores)
    assert (running.endpoint.id, waiting.endpoint.id) == ("running", "waiting")
    await settle(stores, waiting)
    for endpoint_id in ("running", "waiting"):
        assert (await stores.runs.list(TENANT, endpoint_id, RunQuery())).total == 1


async def test_a_frozen_service_stops_claims_in_time_and_they_go_on_by_themselves(crew):
    stores = await crew.worker()
    await due_now(stores)
    crew.locks.server.pause()

    async with asyncio.timeout(3):
        with pytest.raises(UnavailableError):
            await claim(stores)

    crew.locks.server.resume()
    (lease,) = await claim_in_the_end(stores)
    await settle(stores, lease)


async def test_a_silent_network_stops_claims_in_time_and_they_go_on_by_themselves(crew):
    with proxy_to(crew.locks.server.port) as proxy:
        stores = await crew.worker(service=crew.locks.client(crew.prefix, proxy.port))
        await due_now(stores, "running", "waiting")
        (running,) = await claim(stores, limit=1, ttl=LONG)
        proxy.black_hole()

        async with asyncio.timeout(3):
            with pytest.raises(UnavailableError):
                await claim(stores)
        async with asyncio.timeout(3):
            await settle(stores, running)

        proxy.heal(lose=True)
        (waiting,) = await claim_in_the_end(stores)
        await settle(stores, waiting)


async def test_what_the_service_forgot_goes_on_in_the_hands_of_its_holder(crew):
    holder, other = await crew.worker(), await crew.worker()
    await due_now(holder)
    lease = await claim_one(holder, ttl=TTL)

    crew.locks.forget()

    eventually(lambda: _renewed(holder, lease) == Renewal())
    deadline = asyncio.get_running_loop().time() + 2 * TTL.total_seconds()
    while asyncio.get_running_loop().time() < deadline:
        assert _renewed(holder, lease) == Renewal()
        assert await claim(other, worker_id="w2", ttl=TTL) == []
    await settle(holder, lease)


async def test_what_the_service_forgot_after_its_holder_died_is_run_by_one_other(crew):
    dead, heir = await crew.worker(), await crew.worker()
    await due_now(dead)
    lost = await claim_one(dead, ttl=TTL)

    crew.locks.forget()

    (taken,) = await claim_in_the_end(heir, within_s=RECOVERED_S + HEALED_S, ttl=LONG)
    assert dead.job_store.renew([lost], ttl=LONG).lost == {lost.claim_id}
    assert heir.job_store.renew([taken], ttl=LONG) == Renewal()
    await settle(heir, taken)
    with pytest.raises(LeaseLostError):
        await settle(dead, lost)
    assert (await dead.runs.list(TENANT, "ep1", RunQuery())).total == 1


def _renewed(stores, lease):
    try:
        return stores.job_store.renew([lease], ttl=TTL)
    except UnavailableError:
        return None


async def test_workers_that_lease_in_the_database_keep_away_although_the_service_is_gone(crew):
    holder, leaser = await crew.worker(), await crew.leaser()
    await due_now(holder)
    lease = await claim_one(holder, ttl=TTL)
    crew.locks.server.stop()
    await holder.database.alone(lambda each: each.fetch("SELECT pg_sleep($1)", TTL.total_seconds()))

    theirs = await claim(leaser, worker_id="leaser", ttl=TTL)

    crew.locks.server.start()
    assert theirs == []
    await settle(holder, lease)


async def test_what_is_leased_in_the_database_is_left_alone(crew):
    leaser, stores = await crew.leaser(), await crew.worker()
    await due_now(leaser)
    lease = await claim_one(leaser, ttl=LONG)

    assert await claim(stores) == []
    assert lease.mechanism is Mechanism.LEASE
    await settle(leaser, lease)


async def test_an_expired_lease_of_the_database_is_taken_over(crew):
    leaser, stores = await crew.leaser(), await crew.worker()
    await due_now(leaser)
    lost = await claim_one(leaser, ttl=TTL)

    (taken,) = await claim_in_the_end(stores, within_s=RECOVERED_S)

    assert taken.fence > lost.fence
    with pytest.raises(LeaseLostError):
        await settle(leaser, lost)
    await settle(stores, taken)


class Barrier(ClaimService):
    """Stops whoever was just granted something, until it is let go on."""

    def __init__(self, inner: ClaimService) -> None:
        self.inner = inner
        self.granted = asyncio.Event()
        self.go_on = asyncio.Event()

    async def acquire(self, claims, *, ttl):
        tokens = await self.inner.acquire(claims, ttl=ttl)
        self.granted.set()
        await self.go_on.wait()
        return tokens

    def renew(self, claims, *, ttl):
        return self.inner.renew(claims, ttl=ttl)

    def revive(self, claims, *, ttl):
        return self.inner.revive(claims, ttl=ttl)

    async def release(self, claims):
        await self.inner.release(claims)

    async def aclose(self):
        await self.inner.aclose()


async def frozen_claim(crew):
    """A worker that stops right after the service granted it a slot, and its claim."""
    barrier = Barrier(crew.locks.client(crew.prefix))
    stores = await crew.worker(service=barrier)
    await due_now(stores)
    claiming = asyncio.create_task(claim(stores, worker_id="frozen", ttl=TTL))
    await barrier.granted.wait()
    return stores, claiming, barrier.go_on


async def test_a_worker_frozen_between_grant_and_stamp_does_not_touch_its_successor(crew):
    _, claiming, go_on = await frozen_claim(crew)
    successor = await crew.worker()
    (lease,) = await claim_in_the_end(successor, within_s=RECOVERED_S, ttl=LONG)

    go_on.set()

    assert await claiming == []
    assert successor.job_store.renew([lease], ttl=LONG).lost == frozenset()
    await settle(successor, lease)


async def test_a_worker_frozen_between_grant_and_stamp_does_not_run_what_was_settled_meanwhile(crew):
    frozen, claiming, go_on = await frozen_claim(crew)
    successor = await crew.worker()
    (lease,) = await claim_in_the_end(successor, within_s=RECOVERED_S, ttl=LONG)
    await settle(successor, lease)
    await ask_to_run(successor)
    before = await endpoint_of(successor)

    go_on.set()

    assert await claiming == []
    assert await endpoint_of(frozen) == before
    (again,) = await claim(successor, worker_id="heir", ttl=LONG)
    assert again.fence > lease.fence
    assert not again.taken_over


async def test_a_worker_frozen_between_grant_and_stamp_finds_its_own_time_over(crew):
    frozen, claiming, go_on = await frozen_claim(crew)
    await frozen.database.alone(lambda each: each.fetch("SELECT pg_sleep($1)", TTL.total_seconds()))

    go_on.set()

    assert await claiming == []
    (lease,) = await claim_in_the_end(await crew.worker(), within_s=RECOVERED_S)
    assert not lease.taken_over


async def test_what_was_leased_in_the_database_between_grant_and_stamp_is_left_alone(crew):
    _, claiming, go_on = await frozen_claim(crew)
    leaser = await crew.leaser()
    lease = await claim_one(leaser, ttl=LONG)

    go_on.set()

    assert await claiming == []
    assert leaser.job_store.renew([lease], ttl=LONG) == Renewal()
    await settle(leaser, lease)


async def test_an_edit_between_grant_and_stamp_is_heeded(crew):
    stores, claiming, go_on = await frozen_claim(crew)
    await take_back(stores)

    go_on.set()

    assert await claiming == []
    await ask_to_run(stores)
    assert len(await claim(await crew.worker(), worker_id="w2", ttl=TTL)) == 1


async def test_a_claim_whose_stamp_fails_is_free_again_at_once(crew):
    barrier = Barrier(crew.locks.client(crew.prefix))
    stores, other = await crew.worker(service=barrier), await crew.worker()
    await due_now(stores)
    claiming = asyncio.create_task(claim(stores, ttl=LONG))
    await barrier.granted.wait()
    await stores.database.aclose()
    barrier.go_on.set()

    with pytest.raises(UnavailableError):
        await claiming

    assert len(await claim(other, worker_id="w2", ttl=LONG)) == 1


async def test_a_cancelled_claim_is_given_back(crew):
    stores, claiming, go_on = await frozen_claim(crew)
    claiming.cancel()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await claiming
    await stores.job_store.aclose()

    (lease,) = await claim(await crew.worker(), worker_id="w2", ttl=LONG)
    assert not lease.taken_over


async def test_without_the_database_claims_are_renewed_all_the_same(crew):
    port = urlsplit(crew.url).port
    hasty = PostgresOptions(connect_timeout=timedelta(seconds=0.5), statement_timeout=timedelta(seconds=0.5))
    with proxy_to(port) as proxy:
        stores = await crew.worker(url=crew.url.replace(f":{port}/", f":{proxy.port}/"), options=hasty)
        await due_now(stores)
        lease = await claim_one(stores, ttl=LONG)
        assert await stores.run_control.cancel(TENANT, "ep1", lease.slot)
        proxy.black_hole()

        unheard = await asyncio.to_thread(stores.job_store.renew, [lease], ttl=LONG)

        proxy.heal(lose=True)
        heard = await asyncio.to_thread(stores.job_store.renew, [lease], ttl=LONG)
        assert unheard == Renewal()
        assert heard == Renewal(cancelled=frozenset({lease.claim_id}))


async def test_fences_are_the_tokens_of_the_service_and_never_fall(crew):
    leaser, stores = await crew.leaser(), await crew.worker()
    await stores.jobs.add(a_job())
    await stores.endpoints.add(an_endpoint(baseline=Baseline(interval=timedelta(seconds=0.05), anchor_at=EPOCH)), start)
    fences = []
    for number in range(8):
        (lease,) = await claim_in_the_end(stores if number % 2 else leaser, ttl=LONG)
        fences.append(lease.fence)
        run = a_run(lease)
        await (stores if number % 2 else leaser).job_store.settle(lease, run, deciding(lease, run))

    assert fences == sorted(set(fences))


async def test_every_database_has_a_name_of_its_own_in_the_service(crew, fresh_postgres_url):
    here, again = (await crew.worker()).database, (await crew.worker()).database
    there = (await crew.worker(url=fresh_postgres_url)).database

    names = [await installation_of(database) for database in (here, again, there)]

    assert names[0] == names[1] != names[2]
