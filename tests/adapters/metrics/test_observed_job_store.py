from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.metrics.observed_job_store import ObservedJobStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.editing import asked_to_run, started
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import a_job, a_run, an_endpoint
from cronicorn.wiring.timekeeping import cron

TTL = timedelta(seconds=30)


async def a_lease_on_a_manual_slot(store, stores):
    await stores.jobs.add(a_job())
    endpoint = an_endpoint(baseline=Baseline(dormant=True))
    await stores.endpoints.add(endpoint, lambda job, new, now: started(new, now, cron()))
    await stores.endpoints.change("t1", "ep1", lambda before, job, stored: asked_to_run(before, stored))
    [lease] = await store.claim_due(worker_id="w", limit=10, ttl=TTL)
    return lease


def decided(run):
    return lambda endpoint, stored: decide(endpoint, Facts(stored=stored, run=run, manual=True, cron=cron(), seed=""))


async def counted(metrics, name):
    async def none():
        return 0

    families = text_string_to_metric_families((await metrics.exposition(none)).decode())
    return {each.name: each.value for family in families for each in family.samples}[name]


@pytest.fixture
def stores():
    return MemoryStores.open(SystemClock())


@pytest.fixture
def metrics():
    return Metrics()


async def test_a_settled_lease_is_no_lost_one(stores, metrics):
    store = ObservedJobStore(stores.job_store, metrics)
    lease = await a_lease_on_a_manual_slot(store, stores)

    await store.settle(lease, a_run(lease), decided(a_run(lease)))
    store.renew([lease], ttl=TTL)

    assert await counted(metrics, "cronicorn_leases_lost_total") == 0
    assert await counted(metrics, "cronicorn_start_delay_seconds_count") == 1


async def test_a_settlement_refused_for_a_lost_lease_counts_once_and_is_no_error_of_the_store(stores, metrics):
    store = ObservedJobStore(stores.job_store, metrics)
    lease = await a_lease_on_a_manual_slot(store, stores)
    await stores.job_store.abandon([lease])
    await stores.job_store.claim_due(worker_id="other", limit=1, ttl=TTL)

    store.renew([lease], ttl=TTL)
    with pytest.raises(LeaseLostError):
        await store.settle(lease, a_run(lease), decided(a_run(lease)))

    assert await counted(metrics, "cronicorn_leases_lost_total") == 1
    assert await counted(metrics, "cronicorn_store_seconds_count") >= 1


async def test_an_abandoned_lease_is_no_lost_one(stores, metrics):
    store = ObservedJobStore(stores.job_store, metrics)
    lease = await a_lease_on_a_manual_slot(store, stores)

    await store.abandon([lease])
    store.renew([], ttl=TTL)

    assert await counted(metrics, "cronicorn_leases_lost_total") == 0
