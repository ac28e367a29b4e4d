"""Many endpoints at once: one is made of values, the database copies it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.editing import started
from cronicorn.domain.fields import us
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.instant import MICROSECOND, instant_of
from cronicorn.domain.mechanism import bucket_of
from cronicorn.domain.rows import endpoint_row, state_row
from cronicorn.testing.contracts.stores import CRON

_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_JOB = """
INSERT INTO cronicorn.jobs (id, tenant_id, name, status, created_us, updated_us)
VALUES ($1, $2, 'many', 'active', 0, 0) ON CONFLICT (id) DO UPDATE SET name = 'many' RETURNING number
"""
_ENDPOINTS = """
INSERT INTO cronicorn.endpoints (id, tenant_id, job_number, version, created_us, document)
SELECT $1 || '-' || to_char(n, 'FM000000'), $2, $3, 1, 0,
       replace(replace($4, $1 || '-first', $1 || '-' || to_char(n, 'FM000000')), $5::bigint::text, ($5 + n * $7)::text)
  FROM generate_series(0, $6 - 1) AS n
"""
_SCHEDULE = """
INSERT INTO cronicorn.schedule
       (shard, endpoint_id, endpoint_number, tenant_id, bucket, host, due_us, slot, attempt, state)
SELECT $1, e.id, e.number, e.tenant_id, $2, $3, $4 + n * $7, 1, 1,
       replace($5, $4::bigint::text, ($4 + n * $7)::text)
  FROM (SELECT *, right(id, 6)::bigint AS n FROM cronicorn.endpoints WHERE starts_with(id, $6 || '-')) AS e
"""


async def plant_crowd(
    database: PostgresDatabase,
    tenants: Mapping[str, int],
    *,
    host: str = "127.0.0.1",
    overdue: timedelta = timedelta(minutes=1),
    apart: timedelta = MICROSECOND,
) -> None:
    """Give each of *tenants* so many endpoints, due since *overdue* ago, each *apart* from the one before."""
    async with database.connection() as connection:
        now_us = database.judged_us or await connection.fetchval(_NOW)
        first = instant_of(now_us) - timedelta(minutes=1) - overdue
        for tenant_id, count in tenants.items():
            shard = shard_of(tenant_id, database.shards)
            await _plant(
                connection, tenant_id, count=count, first=first, shard=shard, host=host, apart_us=apart // MICROSECOND
            )
        await connection.execute("VACUUM ANALYZE cronicorn.schedule")
        await connection.execute("ANALYZE cronicorn.endpoints")


async def _plant(
    connection: Connection, tenant_id: str, *, count: int, first: datetime, shard: int, host: str, apart_us: int
) -> None:
    prefix = f"{tenant_id}-{host}"
    job = await connection.fetchval(_JOB, f"{tenant_id}-job", tenant_id)
    plain = an_endpoint(id=f"{prefix}-first", name=f"{prefix}-first", tenant_id=tenant_id, job_id=f"{tenant_id}-job")
    endpoint = started(replace(plain, baseline=replace(plain.baseline, anchor_at=first)), first, CRON)
    due_us = us(endpoint.state.due_at)
    assert due_us == us(first) + 60_000_000, endpoint.state
    document, state = endpoint_row(endpoint)["document"], state_row(endpoint.state)["state"]
    await connection.execute(_ENDPOINTS, prefix, tenant_id, job, document, us(first), count, apart_us)
    await connection.execute(_SCHEDULE, shard, bucket_of(tenant_id), host, due_us, state, prefix, apart_us)
