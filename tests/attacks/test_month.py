"""A month that ends while workers of a tenant with a limit are at work on a real server: each run counts once."""

import asyncio
from datetime import timedelta

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.control.verification import Verifier
from cronicorn.domain.archive import Table
from cronicorn.domain.cells import number_in
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits, month_of
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import MIDNIGHT, a_run
from cronicorn.domain.instant import instant_of
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.scheduler.rationed import RationedJobStore
from cronicorn.scheduler.recording import deciding
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.archives import contents
from cronicorn.testing.contracts.stores import CRON, TENANT, TTL, plant
from tests.attacks.scene import faults

SECOND = timedelta(seconds=1)
NEXT = month_of(MIDNIGHT).end_at
FLEET, WORKERS, STEPS = 12, 4, 12
LIMIT = FLEET * STEPS // 4
"""Reached in the old month, and again in the new one."""


async def _work(job_store: RationedJobStore, name: str) -> None:
    """Claim, call and settle until nothing is due."""
    while leases := await job_store.claim_due(worker_id=name, limit=5, ttl=TTL):
        for lease in leases:
            run = None if lease.exhausted else a_run(lease)
            await job_store.settle(lease, run, deciding(lease, run, CRON))


async def test_a_month_that_ends_under_load_counts_each_run_once_and_begins_anew(fresh_postgres_url: str) -> None:
    clock = VirtualClock(NEXT - SECOND * (STEPS // 2))
    stores = await PostgresStores.open(fresh_postgres_url, clock)
    key = ApiKey(hash="h", id="k1", tenant_id=TENANT, prefix="ck_", created_at=clock.now())
    await stores.keys.add_tenant(Tenant(id=TENANT, name="first", created_at=clock.now()), key)
    names = [f"ep{number}" for number in range(FLEET)]
    every_second = Baseline(interval=SECOND, anchor_at=MIDNIGHT)
    await plant(stores, *names, baseline=every_second, created_at=clock.now(), updated_at=clock.now())
    limits = TierLimits(other=ExecutionLimits(runs=LIMIT))
    workers = [RationedJobStore(stores.job_store, stores.run_book, limits) for _ in range(WORKERS)]

    for _ in range(STEPS):
        clock.advance(SECOND)
        await asyncio.gather(*(_work(each, f"w{number}") for number, each in enumerate(workers)))

    archive = PostgresArchive(fresh_postgres_url, PostgresOptions(), clock)
    rows = await contents(archive)
    verifier = Verifier(clock=clock, cron=CRON, retention=timedelta(days=90), wait_max=timedelta(minutes=1))
    found = faults(await verifier.verify(archive))
    await stores.aclose()
    counted = {row["month_us"]: row["runs"] for row in rows[Table.RUN_COUNTS]}
    begun = [month_of(instant_of(number_in(row["started_us"]))) for row in rows[Table.RUNS]]
    assert counted == {us(month.start_at): begun.count(month) for month in set(begun)}
    # What others have claimed meanwhile is not counted yet: a limit may be passed by that.
    assert all(LIMIT <= runs < LIMIT + 5 * WORKERS for runs in counted.values() if isinstance(runs, int))
    assert set(counted) == {us(month_of(MIDNIGHT).start_at), us(NEXT)}
    assert {row["state"] for row in rows[Table.SKIPS]} == {"skipped_quota"}
    assert found == {}
