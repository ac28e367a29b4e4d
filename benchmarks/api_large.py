"""How long `cronicorn api` takes for what people look at, one request after the other, in a large installation.

100,000 endpoints in one job and ten million runs of a month, on both stores: half an hour, and 20 GB of disk. The
bound is the same server software that answers the same bytes.
"""

import statistics
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import uvloop

from benchmarks.constant_server import constant_server
from benchmarks.planting import plant, waiting
from benchmarks.report import Report, Row
from benchmarks.requesting import Requests, latencies
from benchmarks.rounds import both_stores
from benchmarks.scale import Size, record
from benchmarks.world import opened
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.partitions import Partitions
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.api.cursors import Paging
from cronicorn.control.keys import hash_of, prefix_of
from cronicorn.domain.endpoint import Baseline
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.principal import Principal
from cronicorn.domain.rows import run_row
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.wiring.database_url import parse_database_url
from tests.wiring.up_process import KEY, service

LARGE = Size(100_000, 10_000_000)
_QUICK = Size(200, 2_000)
_DAYS = 30
_BUSY_SHARE = 0.01
"""Of all runs, those of one endpoint."""
_REQUESTS, _REQUESTS_QUICK = 300, 5
_TENANT, _JOB, _ENDPOINT, _BUSY = "t1", "job1", "ep7", "ep0"
_HOUR_US = 3_600_000_000
# As the settling write keeps them.
_ENDPOINT_HOURS = """
INSERT INTO {schema}endpoint_hours (job_number, hour_us, endpoint_number, source, status, runs, duration_us)
SELECT 1, started_us - started_us % {hour}, endpoint_number, source, status, count(*), sum(duration_us)
  FROM {schema}runs GROUP BY 2, 3, 4, 5
"""
_JOB_HOURS = """
INSERT INTO {schema}job_hours (job_number, hour_us, source, status, runs, duration_us)
SELECT job_number, hour_us, source, status, sum(runs), sum(duration_us)
  FROM {schema}endpoint_hours GROUP BY 1, 2, 3, 4
"""


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    show(_QUICK if quick else LARGE, as_json=as_json, quick=quick)


def show(size: Size, *, as_json: bool, quick: bool) -> None:
    """Measure an installation of *size*."""
    requests = _REQUESTS_QUICK if quick else _REQUESTS
    rows: list[Row] = []
    with both_stores(quick=quick) as places:
        for store, place in places.items():
            with place() as database:
                uvloop.run(_fill(database, size))
                rows += [{"what": store, **row} for row in _measured(database, size, requests)]
    about = f"{size.endpoints:,} endpoints in a job, {size.runs:,} runs in {_DAYS} days; {requests} requests in turn"
    Report(name="api-large", about=about, rows=rows).show(as_json=as_json)


def _measured(database: str, size: Size, requests: int) -> list[Row]:
    rows: list[Row] = []
    with TemporaryDirectory() as folder, service(Path(folder), "api", ("api",), DATABASE_URL=database) as running:
        with running.client() as client:
            url = str(client.base_url).rstrip("/")
            answers = {what: client.get(path).content for what, path in _asked(size).items()}
        for what, path in _asked(size).items():
            asked = Requests(url=url, key=KEY, head=f"GET {path}")
            found = uvloop.run(latencies(asked, count=requests))
            with constant_server(answers[what], 200) as bound:
                least = uvloop.run(latencies(replace(asked, url=bound), count=requests))
            rows.append({
                "request": what,
                "bytes": len(answers[what]),
                "p50 ms": statistics.median(found),
                "p99 ms": _percentile(found, 99),
                "p50 ms of the bound": statistics.median(least),
            })  # fmt: skip
    return rows


def _asked(size: Size) -> Mapping[str, str]:
    """What is asked for, by its name."""
    paging = Paging(Principal(tenant_id=_TENANT, actor="", permissions=frozenset()), "endpoints", _JOB)
    middle = paging.cursor((f"ep{size.endpoints // 2}",))
    endpoints = f"/api/jobs/{_JOB}/endpoints?limit=50"
    return {
        "50 endpoints, first page": endpoints,
        "50 endpoints, a middle page": f"{endpoints}&cursor={middle}",
        "50 runs of an endpoint": f"/api/endpoints/{_ENDPOINT}/runs?limit=50",
        "50 runs of the busiest": f"/api/endpoints/{_BUSY}/runs?limit=50",
        "50 slots of an endpoint": f"/api/endpoints/{_ENDPOINT}/slots?limit=50",
        "dashboard of 7 days": "/api/dashboard/stats",
        "50 events": "/api/dashboard/activity",
    }


def _percentile(found: list[float], percent: int) -> float:
    return sorted(found)[min(len(found) * percent // 100, len(found) - 1)]


async def _fill(database: str, size: Size) -> None:
    now = datetime.now(UTC)
    baseline = Baseline(interval=timedelta(days=1), anchor_at=now)
    async with opened(database) as world:
        key = ApiKey(id="key1", tenant_id=_TENANT, prefix=prefix_of(KEY), hash=hash_of(KEY), created_at=now)
        await world.stores.keys.add_tenant(Tenant(id=_TENANT, name="large", created_at=now), key)
        endpoints = (
            replace(waiting(number, "http://127.0.0.1:1/", baseline), created_at=now + number * MICROSECOND)
            for number in range(size.endpoints)
        )
        await plant(world.stores, endpoints)
        if isinstance(world.stores.database, PostgresDatabase):
            await Partitions(world.stores.database).make(now - timedelta(days=_DAYS), _DAYS)
    await _record(database, size, now)
    await _count(database)


async def _record(database: str, size: Size, now: datetime) -> None:
    """Record runs of all endpoints in turn, evenly over the days, and some more of one."""
    begin_us = us(now - timedelta(days=_DAYS))
    run = run_row(a_run(a_lease(an_endpoint()), an_outcome(body='{"pending": 3}')))
    step_us = max((us(now) - begin_us) // size.runs, 1)
    every = round(1 / _BUSY_SHARE)
    ended = f"{begin_us} + n * {step_us}"
    varying = {
        "endpoint_number": f"CASE WHEN n % {every} = 0 THEN 1 ELSE 1 + n % {size.endpoints} END",
        "slot": "n",
        "started_us": ended,
        "finished_us": ended,
    }
    await record(database, size.runs, varying, run)


async def _count(database: str) -> None:
    """Count the runs that were recorded past the product."""
    url = parse_database_url(database)
    schema = "cronicorn." if url.backend == "postgresql" else ""
    statements = [text.format(schema=schema, hour=_HOUR_US) for text in (_ENDPOINT_HOURS, _JOB_HOURS)]
    if url.backend == "postgresql":
        connection = await asyncpg.connect(url.connection)
        for statement in (*statements, "VACUUM ANALYZE"):
            await connection.execute(statement)
        await connection.close()
        return
    with closing(SqliteFile(path=url.file).connect()) as file:
        for statement in (*statements, "PRAGMA wal_checkpoint(TRUNCATE)"):
            file.execute(statement)
