"""Each tenant's history is kept as long as was set, failures apart, and no longer."""

import asyncio
from collections import Counter
from datetime import timedelta

from cronicorn.domain import Baseline, RunQuery, RunStatus
from cronicorn.domain.fixtures import MIDNIGHT, a_job
from cronicorn.domain.provision.provision import Provision
from cronicorn.domain.provision.retention import KeptFor, Retentions
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.scheduler.forgetting import HistoryForgetter
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import a_world

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_what_is_set_for_a_tenant_counts_for_it_alone():
    usual = KeptFor(runs=30 * DAY, failures=90 * DAY)

    assert Provision().kept_for(usual) == usual
    assert Provision(runs_kept=DAY).kept_for(usual) == KeptFor(runs=DAY, failures=90 * DAY)
    assert Provision(runs_kept=200 * DAY).kept_for(usual) == KeptFor(runs=200 * DAY, failures=200 * DAY)
    assert Provision(failures_kept=DAY).kept_for(usual) == KeptFor(runs=30 * DAY, failures=DAY)


def test_what_everybody_keeps_equally_long_has_no_parts():
    same = KeptFor(runs=DAY, failures=DAY)

    assert list(Retentions(usual=same).parts(MIDNIGHT)) == []
    assert Retentions(usual=same, of_tenants={"ada": KeptFor(runs=HOUR, failures=9 * DAY)}).longest == 9 * DAY


def test_runs_go_when_their_time_is_over():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _, number: Reply(status_code=500 if number % 4 > 1 else 200)))
        stores = world.stores
        for tenant_id in ("ada", "bob"):
            key = ApiKey(id=tenant_id, tenant_id=tenant_id, prefix="ck", hash=tenant_id, created_at=MIDNIGHT)
            await stores.keys.add_tenant(Tenant(id=tenant_id, name=tenant_id, created_at=MIDNIGHT), key)
            await stores.jobs.add(a_job(id=tenant_id, tenant_id=tenant_id))
            await world.add(
                id=tenant_id, name=tenant_id, tenant_id=tenant_id, job_id=tenant_id,
                baseline=Baseline(interval=HOUR, anchor_at=START),
            )  # fmt: skip
        await stores.provisions.provide("ada", lambda _: Provision(runs_kept=6 * HOUR, failures_kept=48 * HOUR))
        usual = KeptFor(runs=24 * HOUR, failures=24 * HOUR)
        forgetter = HistoryForgetter(stores.runs.prune, stores.pruner, stores.provisions, clock, usual)
        async with world.worker():
            forgetting = asyncio.create_task(forgetter.forget())
            await asyncio.sleep(80 * 3_600)
            forgetting.cancel()
        kept = {}
        for tenant_id in ("ada", "bob"):
            page = await stores.runs.list(tenant_id, tenant_id, RunQuery(limit=1_000))
            kept[tenant_id] = [(run.status, clock.now() - run.finished_at) for run in page.runs]
        return kept

    kept = run_virtually(main)

    oldest = {
        (tenant_id, status): max(age for each, age in runs if each is status)
        for tenant_id, runs in kept.items()
        for status in (RunStatus.SUCCESS, RunStatus.FAILED)
    }
    assert oldest["ada", RunStatus.SUCCESS] < 7 * HOUR
    assert 40 * HOUR < oldest["ada", RunStatus.FAILED] < 49 * HOUR
    assert oldest["bob", RunStatus.SUCCESS] < 25 * HOUR
    assert oldest["bob", RunStatus.FAILED] < 25 * HOUR
    assert Counter(status for status, _ in kept["bob"])[RunStatus.SUCCESS] > 5
