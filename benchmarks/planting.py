"""Many endpoints at once, written into the product's tables as the product would write them."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.domain.call import Request
from cronicorn.domain.cells import Cell
from cronicorn.domain.editing import started
from cronicorn.domain.endpoint import Baseline, JobEndpoint
from cronicorn.domain.fixtures import a_job, an_endpoint
from cronicorn.domain.instant import DAY
from cronicorn.domain.mechanism import bucket_of
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.rows import endpoint_row, state_row
from cronicorn.domain.target import host_of
from cronicorn.wiring.stores import Stores

_CHUNK = 10_000
_ENDPOINTS = ("number", "job_number", "id", "tenant_id", "version", "created_us", "archived_us", "reads", "document")
_SCHEDULE = (
    "endpoint_number", "tenant_id", "bucket", "due_us", "slot", "attempt", "manual_slot", "state",
    "fence", "cancelled", "lost_claims",
)  # fmt: skip
_CRON = CronsimCron()


def due_now(
    count: int, url: str, policy: Policy | None = None, *, now: datetime | None = None, every: timedelta = DAY
) -> Iterator[JobEndpoint]:
    """Endpoints whose first slot is due *now*, and the next ones *every* so often: all of them at the same instant."""
    now = now or datetime.now(UTC)
    baseline = Baseline(interval=every, anchor_at=now)
    for number in range(count):
        begun = waiting(number, f"{url}/{number}", baseline, policy)
        plan = begun.state.plan
        assert plan is not None
        yield replace(begun, state=replace(begun.state, plan=plan._replace(next_run_at=now, nominal_at=None)))


def waiting(number: int, url: str, baseline: Baseline, policy: Policy | None = None) -> JobEndpoint:
    """An endpoint that has just begun to follow *baseline*."""
    endpoint = an_endpoint(
        id=f"ep{number}", name=f"e{number}", baseline=baseline, request=Request(url=url), policy=policy
    )
    return started(endpoint, datetime.now(UTC), _CRON)


async def plant(stores: Stores, endpoints: Iterable[JobEndpoint]) -> None:
    """Store *endpoints*, numbered from 1 on, in a job of their own."""
    await stores.jobs.add(a_job())
    numbered = enumerate(endpoints, 1)
    while chunk := list(islice(numbered, _CHUNK)):
        if isinstance(stores.database, SqliteDatabase):
            await _plant_in_file(stores.database, chunk)
        else:
            assert isinstance(stores.database, PostgresDatabase)
            await _plant_on_server(stores.database, chunk)
    if isinstance(stores.database, PostgresDatabase):
        async with stores.database.connection() as connection:
            await connection.execute("VACUUM ANALYZE cronicorn.schedule, cronicorn.endpoints")
            await connection.execute("CHECKPOINT")  # Or what was planted is written while others are measured.


async def _plant_in_file(database: SqliteDatabase, chunk: Sequence[tuple[int, JobEndpoint]]) -> None:
    rows = [_row(number, endpoint) for number, endpoint in chunk]

    def write(connection: sqlite3.Connection) -> None:
        for table, columns in (("endpoints", _ENDPOINTS), ("schedule", _SCHEDULE)):
            places = ", ".join(f":{column}" for column in columns)
            connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)

    await database.write(lambda transaction: write(transaction.connection))


async def _plant_on_server(database: PostgresDatabase, chunk: Sequence[tuple[int, JobEndpoint]]) -> None:
    rows = []
    for number, endpoint in chunk:
        place = {"shard": shard_of(endpoint.tenant_id, database.shards), "host": host_of(endpoint.request.url)}
        rows.append(_row(number, endpoint) | place | {"endpoint_id": endpoint.id})
    async with database.connection() as connection:
        for table, columns in (("endpoints", _ENDPOINTS), ("schedule", ("shard", "endpoint_id", "host", *_SCHEDULE))):
            records = [tuple(row[column] for column in columns) for row in rows]
            await connection.copy_records_to_table(
                table, records=records, columns=list(columns), schema_name="cronicorn"
            )


def _row(number: int, endpoint: JobEndpoint) -> dict[str, Cell]:
    """What both tables know of an endpoint."""
    return {
        **endpoint_row(endpoint),
        **state_row(endpoint.state),
        "number": number,
        "endpoint_number": number,
        "job_number": 1,
        "bucket": bucket_of(endpoint.tenant_id),
        "fence": 0,
        "cancelled": 0,
        "lost_claims": 0,
    }
