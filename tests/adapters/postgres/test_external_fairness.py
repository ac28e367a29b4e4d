"""Whom a claim serves when more is due than it may take, where a lock service arbitrates; and what the rows say."""

from collections import Counter
from datetime import timedelta

import pytest

from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.mechanism import BUCKETS, Mechanism, Share, bucket_of
from cronicorn.testing.claim_service import ClockedClaimService
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import (
    MINUTE,
    TTL,
    claim,
    claim_one,
    endpoint_of,
    next_due_at,
    plant,
    settle,
    start,
)
from tests.adapters.postgres.crowd import plant_crowd
from tests.adapters.postgres.external_store import open_external, open_judged
from tests.adapters.postgres.shards import divide

LONG = timedelta(minutes=5)


@pytest.fixture(params=[1, 4], ids=["one shard", "four shards"])
async def crowded(request, postgres_url):
    await divide(postgres_url, request.param)
    stores = await open_external(postgres_url, ClockedClaimService(SystemClock()))
    yield stores
    await stores.aclose()


@pytest.fixture
async def judged(postgres_url):
    clock = VirtualClock()
    stores = await open_judged(postgres_url, clock)
    yield stores, clock
    await stores.aclose()


async def test_a_backlog_of_one_tenant_keeps_no_other_waiting(crowded):
    small = {f"small{number}": 2 for number in range(20)}
    await plant_crowd(crowded.database, {"big": 3_000})
    await plant_crowd(crowded.database, small)
    sizes: list[int] = []
    served: Counter[str] = Counter()

    for _ in range(3):
        leases = await claim(crowded, limit=100, ttl=LONG)
        sizes.append(len(leases))
        served.update(lease.endpoint.tenant_id for lease in leases)

    assert sizes == [100, 100, 100]
    assert {tenant: served[tenant] for tenant in small} == small


async def test_of_many_tenants_with_a_backlog_each_has_its_turn(crowded):
    tenants = {f"tenant{number:03}": 4 for number in range(120)}
    await plant_crowd(crowded.database, tenants)
    served: Counter[str] = Counter()

    for _ in range(1 + 5):  # The first one takes what is due longest, the others go round.
        served.update(lease.endpoint.tenant_id for lease in await claim(crowded, limit=30, ttl=LONG))

    assert served.keys() == tenants.keys()


async def test_no_room_stays_idle(crowded):
    await plant_crowd(crowded.database, {"big": 90, "small": 10})

    sizes = [len(await claim(crowded, limit=30, ttl=LONG)) for _ in range(5)]

    assert sizes == [30, 30, 30, 10, 0]


async def test_only_tenants_of_the_share_are_served(postgres_url):
    clock = VirtualClock()
    low, high = Share(0, BUCKETS // 2), Share(BUCKETS // 2, BUCKETS)
    service = ClockedClaimService(clock)
    workers = [await open_external(postgres_url, service, judge=clock, share=share) for share in (low, high)]
    await plant_crowd(workers[0].database, {f"tenant{number}": 1 for number in range(20)})
    clock.advance(MINUTE)

    claimed = [[lease.endpoint.tenant_id for lease in await claim(each, limit=100)] for each in workers]

    assert len(claimed[0]) + len(claimed[1]) == 20
    for tenants, share in zip(claimed, (low, high), strict=True):
        assert tenants
        assert all(tenant in share for tenant in tenants), [bucket_of(tenant) for tenant in tenants]
    for each in workers:
        await each.aclose()


_STAMP = "SELECT mechanism, worker_id, lease_until_us - claimed_us AS ttl_us, takeover_us - claimed_us AS bound_us"


async def _stamp(stores):
    return await stores.database.alone(lambda each: each.fetchrow(f"{_STAMP} FROM cronicorn.schedule"))


async def test_a_stamp_keeps_other_mechanisms_away_as_long_as_a_call_may_last(judged):
    stores, clock = judged
    request = an_endpoint().request
    await plant(stores)
    clock.advance(MINUTE)
    lease = await claim_one(stores, ttl=TTL)
    first = await _stamp(stores)
    clock.advance(TTL / 2)

    stores.job_store.renew([lease], ttl=TTL)

    second = await _stamp(stores)
    assert (first["mechanism"], first["worker_id"]) == (Mechanism.REDIS, "w1")
    assert timedelta(microseconds=first["ttl_us"]) == TTL
    assert timedelta(microseconds=first["bound_us"]) > request.execution_max
    assert timedelta(microseconds=second["ttl_us"]) == 1.5 * TTL
    assert second["bound_us"] == first["bound_us"]


async def test_a_text_that_looks_like_a_bound_is_none(judged):
    stores, clock = judged
    await stores.jobs.add(a_job())
    spoof = '"execution_max_us":1, \\"execution_max_us\\":1'
    await stores.endpoints.add(an_endpoint(name="a" + spoof, description=spoof), start)
    clock.advance(MINUTE)

    await claim_one(stores, ttl=TTL)

    stamp = await _stamp(stores)
    assert timedelta(microseconds=stamp["bound_us"]) > an_endpoint().request.execution_max


async def test_what_nobody_can_have_now_is_not_asked_for_without_end(judged):
    stores, clock = judged
    service = ClockedClaimService(clock)
    other = await open_external(stores.database.url, service, judge=clock)
    await stores.jobs.add(a_job())
    await stores.endpoints.add(an_endpoint(baseline=Baseline(interval=MINUTE, anchor_at=EPOCH)), start)
    clock.advance(MINUTE)
    await claim_one(other, ttl=TTL)
    await other.database.alone(lambda each: each.execute("UPDATE cronicorn.schedule SET lease_until_us = claimed_us"))

    assert await claim(other, worker_id="w2") == []

    assert await next_due_at(other.job_store) > clock.now()
    clock.advance(TTL)
    lease = await claim_one(other, worker_id="w2")
    await settle(other, lease)
    assert (await endpoint_of(other)).state.due_at == await next_due_at(other.job_store)
    await other.aclose()
