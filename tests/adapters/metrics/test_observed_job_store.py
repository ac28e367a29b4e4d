from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.job_store import MemoryJobStore
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.metrics.observed_job_store import ObservedJobStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import asked_to_run, started
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import a_job, a_run, an_endpoint
from cronicorn.domain.lease import Renewal
from cronicorn.domain.mechanism import Mechanism
from cronicorn.sim.virtual_time import START
from cronicorn.testing.clocks import VirtualClock
from cronicorn.wiring.timekeeping import cron

TTL = timedelta(seconds=30)


async def a_lease_on_a_manual_slot(store, stores):
    await stores.jobs.add(a_job())
    endpoint = an_endpoint(baseline=Baseline(dormant=True))
    await stores.endpoints.add(endpoint, lambda job, new, now: started(new, now, cron()))
    await stores.endpoints.change("t1", "ep1", lambda before, job, stored: asked_to_run(before, stored))
    [lease] = await store.claim_due(worker_id="w", limit=10, ttl=TTL)
    return lease


class LockingStore(MemoryJobStore):
    """Leases for longer than asked, and extends nothing."""

    async def claim_due(self, *, worker_id, limit, ttl, endpoint_id=None):
        return await super().claim_due(worker_id=worker_id, limit=limit, ttl=2 * ttl, endpoint_id=endpoint_id)

    def renew(self, leases, *, ttl):
        return Renewal(unextended=frozenset(lease.claim_id for lease in leases))


def decided(run):
    return lambda endpoint, stored: decide(endpoint, Facts(stored=stored, run=run, manual=True, cron=cron(), seed=""))


async def counted(metrics, name):
    async def none():
        return 0

    families = text_string_to_metric_families((await metrics.exposition(none)).decode())
    values = [each.value for family in families for each in family.samples if each.name == name]
    return sum(values)


@pytest.fixture
def clock():
    return VirtualClock(START)


@pytest.fixture
def stores(clock):
    return MemoryStores.open(clock)


@pytest.fixture
def metrics():
    return Metrics()


async def test_a_settled_lease_is_no_lost_one(stores, metrics, clock):
    store = ObservedJobStore(stores.job_store, metrics, clock)
    lease = await a_lease_on_a_manual_slot(store, stores)

    await store.settle(lease, a_run(lease), decided(a_run(lease)))
    store.renew([lease], ttl=TTL)

    assert await counted(metrics, "cronicorn_leases_lost_total") == 0
    assert await counted(metrics, "cronicorn_start_delay_seconds_count") == 1


async def test_a_settlement_refused_for_a_lost_lease_counts_once_and_is_no_error_of_the_store(stores, metrics, clock):
    store = ObservedJobStore(stores.job_store, metrics, clock)
    lease = await a_lease_on_a_manual_slot(store, stores)
    await stores.job_store.abandon([lease])
    await stores.job_store.claim_due(worker_id="other", limit=1, ttl=TTL)

    store.renew([lease], ttl=TTL)
    with pytest.raises(LeaseLostError):
        await store.settle(lease, a_run(lease), decided(a_run(lease)))

    assert await counted(metrics, "cronicorn_leases_lost_total") == 1
    assert await counted(metrics, "cronicorn_completions_refused_total") == 1
    assert await counted(metrics, "cronicorn_calls_in_vain_total") == 1
    assert await counted(metrics, "cronicorn_store_seconds_count") >= 1
    assert await counted(metrics, "cronicorn_store_errors_total") == 0


async def test_a_stale_settlement_without_a_call_wasted_none(stores, metrics, clock):
    store = ObservedJobStore(stores.job_store, metrics, clock)
    lease = await a_lease_on_a_manual_slot(store, stores)
    await stores.endpoints.delete("t1", "ep1")

    with pytest.raises(LeaseLostError):
        await store.settle(lease, None, decided(None))

    assert await counted(metrics, "cronicorn_completions_refused_total") == 1
    assert await counted(metrics, "cronicorn_calls_in_vain_total") == 0


async def test_a_lock_that_no_renewal_extends_is_lost_when_it_ends_and_not_before(metrics, clock):
    database = MemoryDatabase(clock)
    store = ObservedJobStore(LockingStore(database), metrics, clock, Mechanism.LEGACY)
    lease = await a_lease_on_a_manual_slot(store, MemoryStores.over(database))

    clock.advance(lease.ttl)
    store.renew([lease], ttl=TTL)
    before = await counted(metrics, "cronicorn_leases_lost_total")
    clock.advance(timedelta(seconds=1))
    store.renew([lease], ttl=TTL)

    assert lease.ttl > TTL
    assert (before, await counted(metrics, "cronicorn_leases_lost_total")) == (0, 1)


async def test_an_abandoned_lease_is_no_lost_one(stores, metrics, clock):
    store = ObservedJobStore(stores.job_store, metrics, clock)
    lease = await a_lease_on_a_manual_slot(store, stores)

    await store.abandon([lease])
    store.renew([], ttl=TTL)

    assert await counted(metrics, "cronicorn_leases_lost_total") == 0


async def test_a_slot_that_is_taken_over_tells_how_long_it_waited(stores, metrics, clock):
    store = ObservedJobStore(stores.job_store, metrics, clock)
    await a_lease_on_a_manual_slot(store, stores)
    clock.advance(TTL)

    [again] = await store.claim_due(worker_id="other", limit=10, ttl=TTL)

    assert again.taken_over
    assert await counted(metrics, "cronicorn_claims_total") == 2
    assert await counted(metrics, "cronicorn_recovery_seconds_count") == 1
    assert await counted(metrics, "cronicorn_recovery_seconds_sum") == 30


async def test_a_look_that_finds_nothing_is_empty_and_contended_when_something_was_due(stores, metrics, clock):
    store = ObservedJobStore(stores.job_store, metrics, clock)
    await a_lease_on_a_manual_slot(store, stores)
    await store.next_due()
    await store.claim_due(worker_id="w", limit=10, ttl=TTL)
    await store.next_due()
    clock.advance(TTL)
    await stores.job_store.claim_due(worker_id="faster", limit=10, ttl=TTL)

    await store.claim_due(worker_id="w", limit=10, ttl=TTL)
    await store.claim_due(worker_id="w", limit=10, ttl=TTL)

    assert await counted(metrics, "cronicorn_claims_empty_total") == 3
    assert await counted(metrics, "cronicorn_claims_contended_total") == 1


async def test_each_mechanism_is_measured_under_its_own_name(stores, metrics, clock):
    async def none():
        return 0

    for mechanism in (Mechanism.LEASE, Mechanism.OPTIMISTIC):
        await ObservedJobStore(stores.job_store, metrics, clock, mechanism).claim_due(worker_id="w", limit=1, ttl=TTL)

    text = (await metrics.exposition(none)).decode()
    assert 'cronicorn_claims_empty_total{mechanism="lease"} 1.0' in text
    assert 'cronicorn_claims_empty_total{mechanism="optimistic"} 1.0' in text
