"""What a migration counts of runs that were recorded before it, held against what was counted as they were recorded."""

import asyncio
from datetime import timedelta
from importlib import import_module

from cronicorn.domain.archive import Table
from cronicorn.domain.fixtures import MIDNIGHT, a_job, a_run, an_endpoint, an_outcome
from cronicorn.testing.contracts.stores import MINUTE, TENANT, claim, plant, settle, start
from tests.control.kept_by_planners import plan

COUNTED = (Table.JOB_HOURS, Table.ENDPOINT_HOURS, Table.ANALYSES)
FORGET = ("DELETE FROM {0}job_hours", "DELETE FROM {0}endpoint_hours", "UPDATE {0}analyses SET at_us = 0, tokens = 0")


def statements_of(backend):
    """What the migration of *backend* counts with."""
    migration = import_module(f"cronicorn.adapters.{backend}.migrations.versions.0010_rollups")
    return [migration._COUNT_OF_ENDPOINTS, migration._COUNT_OF_JOBS, migration._TELL]


async def live(stores, clock):
    """Two hours of two jobs, with failures and analyses."""
    await plant(stores, "ep1", "ep2")
    await stores.jobs.add(a_job(id="job2", name="other"))
    await stores.endpoints.add(an_endpoint(id="ep3", name="ep3", job_id="job2"), start)
    for number in range(4):
        clock.advance(timedelta(minutes=31) if number == 2 else MINUTE)
        leases = await claim(stores)
        outcomes = [an_outcome(500 if (number + place) % 3 == 0 else 200) for place in range(len(leases))]
        runs = [a_run(lease, outcome) for lease, outcome in zip(leases, outcomes, strict=True)]
        await asyncio.gather(*(settle(stores, *each) for each in zip(leases, runs, strict=True)))
    assert clock.now() > MIDNIGHT
    await plan(stores)
    assert await stores.rollups.census(TENANT)
