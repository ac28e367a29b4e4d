"""Nobody waits behind another's backlog, below a mark or beside idle room, and no cap is exceeded."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import cycle

import pytest

from cronicorn.domain.call import Request
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.lease import Lease
from cronicorn.domain.mechanism import Invariant
from cronicorn.testing.contracts.stores import MINUTE, Stores, ask_to_run, claim, plant, settle, start
from tests.invariants.holding import TTL, wait_until_due
from tests.invariants.live_workers import BUSY
from tests.invariants.places import PostgresPlace
from tests.invariants.worlds import CAPS, SYSTEM, World, kept
from tests.waiting import eventually_async

SWEEP = timedelta(seconds=1)
SLACK = timedelta(seconds=1.1)
"""Longer than the mark lags behind the clock."""
AT_ONCE = 20
"""So many endpoints are added: of hundreds some wait longer for a connection than a store does."""


async def crowd(stores: Stores, tenant_id: str, count: int, **changes: object) -> None:
    """A tenant with a job of *count* endpoints."""
    job_id = f"job of {tenant_id}"
    await stores.jobs.add(a_job(id=job_id, tenant_id=tenant_id))
    made = [
        an_endpoint(**{"id": f"{tenant_id}-{n}", "name": f"e{n}", "tenant_id": tenant_id, "job_id": job_id} | changes)
        for n in range(count)
    ]
    for first in range(0, count, AT_ONCE):
        await asyncio.gather(*(stores.endpoints.add(endpoint, start) for endpoint in made[first : first + AT_ONCE]))


async def until_found(worker: Stores, endpoint_id: str, within: timedelta) -> None:
    """Claim and settle one slot after another, each claim full, until one of the endpoint is among them."""
    began = SYSTEM.monotonic()
    found = False
    while not found:
        assert SYSTEM.monotonic() - began < within.total_seconds()
        (lease,) = await claim(worker, limit=1, ttl=TTL)
        found = lease.endpoint.id == endpoint_id
        await settle(worker, lease)
        await eventually_async(PAUSE)


PAUSE = cycle([False, True]).__next__
"""A condition that holds when it is asked again: one pause."""


@kept(Invariant.I9, live=True, only=lambda kind: kind.place is PostgresPlace and kind.exclusive)
async def test_i09_what_becomes_due_below_the_mark_is_claimed_within_a_sweep(live: World):
    many = [f"many{number}" for number in range(160)]
    await plant(live.stores, "old", *many, baseline=Baseline(dormant=True))
    worker, other = live.stores, await live.another()
    await ask_to_run(other, "old")
    asked = SYSTEM.monotonic()
    (old,) = await claim(other, ttl=TTL)
    await eventually_async(lambda: SYSTEM.monotonic() - asked > SLACK.total_seconds())
    await asyncio.gather(*(ask_to_run(other, endpoint_id) for endpoint_id in many))
    for _ in range(3):  # Full batches: whatever bounds a claim from below lies above the old slot now.
        (lease,) = await claim(worker, limit=1, ttl=TTL)
        await settle(worker, lease)

    await other.job_store.abandon([old])

    await until_found(worker, "old", SWEEP + BUSY)


@kept(Invariant.I9)
async def test_i09_a_slot_given_back_goes_before_whatever_came_due_since(world: World):
    await plant(world.stores, "old")
    await wait_until_due(world)
    other = await world.another()
    (old,) = await claim(other, ttl=TTL)
    world.advance(MINUTE / 2)
    await plant(world.stores, *(f"many{number}" for number in range(20)))
    world.advance(MINUTE)
    worker = await world.another()
    before = [lease for _ in range(3) for lease in await claim(worker, limit=4, ttl=TTL)]
    await asyncio.gather(*(settle(worker, lease) for lease in before))

    await other.job_store.abandon([old])
    world.advance(SWEEP)
    after = [lease for _ in range(3) for lease in await claim(worker, limit=4, ttl=TTL)]

    where = after if world.kind.exclusive else [*before, *after]
    assert old.run_id in {lease.run_id for lease in where}


@kept(Invariant.I16)
async def test_i16_one_tenants_backlog_keeps_nobody_waiting_and_leaves_no_room_idle(world: World):
    await crowd(world.stores, "big", 400)
    world.advance(2 * MINUTE)
    small = [f"small{number}" for number in range(8)]
    for tenant_id in small:
        await crowd(world.stores, tenant_id, 2)
    world.advance(MINUTE)
    workers = [await world.another() for _ in range(2)]

    served, sizes = Counter[str](), []
    for _ in range(4):
        for leases in await asyncio.gather(*(claim(worker, limit=25, ttl=TTL) for worker in workers)):
            sizes.append(len(leases))
            served.update(lease.endpoint.tenant_id for lease in leases)

    assert {tenant_id: served[tenant_id] for tenant_id in small} == dict.fromkeys(small, 2)
    assert sizes == [25] * 8


@kept(Invariant.I16)
async def test_i16_every_due_slot_is_claimed_when_there_is_room_for_all(world: World):
    for number in range(5):
        await crowd(world.stores, f"t{number}", 3 * number + 1)
    await wait_until_due(world)

    leases = await claim(await world.another(), limit=1_000, ttl=TTL)

    assert len(leases) == sum(3 * number + 1 for number in range(5))


@kept(Invariant.I17)
@pytest.mark.parametrize("rounds", [6])
async def test_i17_no_cap_is_exceeded_however_many_claim_at_once(world: World, rounds: int):
    for number in range(4):
        host = Request(url=f"http://host{number % 2}.example:80/")
        await crowd(world.stores, f"t{number}", 20, request=host)
    world.advance(MINUTE)
    workers = [await world.another() for _ in range(4)]
    held: list[Lease] = []

    for _ in range(rounds):
        for leases in await asyncio.gather(*(claim(worker, limit=20, ttl=TTL) for worker in workers)):
            held += leases
        tenants = Counter(lease.endpoint.tenant_id for lease in held)
        hosts = Counter(lease.endpoint.request.url for lease in held)
        assert CAPS.per_tenant is not None
        assert CAPS.per_host is not None
        assert max(tenants.values()) <= CAPS.per_tenant
        assert set(hosts.values()) == {CAPS.per_host}, "the caps are all that keeps room idle"
        for lease in held[:5]:
            await settle(world.stores, lease)
        del held[:5]
