"""Endpoints in PostgreSQL."""

import builtins
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import (
    apply,
    decided,
    find,
    job_number_of,
    keep_watch,
    lock,
    of_job,
    page_of_job,
)
from cronicorn.adapters.postgres.job_catalog import find_job, job_of_endpoint
from cronicorn.adapters.postgres.notify import announce
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import Query, query
from cronicorn.adapters.postgres.schema import endpoints, jobs, runs, schedule, skips
from cronicorn.adapters.postgres.tenant_schema import tenants
from cronicorn.domain.access.audit_views import endpoint_entry
from cronicorn.domain.cells import number_at
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import ConflictError, UnavailableError
from cronicorn.domain.execution.limits import check_room
from cronicorn.domain.history import EndpointQuery
from cronicorn.domain.mechanism import bucket_of
from cronicorn.domain.ports import EndpointCatalog, EndpointEdit
from cronicorn.domain.principal import Principal
from cronicorn.domain.rows import endpoint_row, job_of, state_row
from cronicorn.domain.settlement import Stored
from cronicorn.domain.target import host_of
from cronicorn.domain.unchanged import Unchanged

log = logging.getLogger(__name__)

_INSERT = query(
    insert(endpoints)
    .values({column.name: bindparam(column.name) for column in endpoints.c[1:]})
    .on_conflict_do_nothing()
    .returning(endpoints.c.number)
)
_STATE = (
    "shard", "endpoint_id", "endpoint_number", "tenant_id", "bucket", "host",
    "due_us", "slot", "attempt", "manual_slot", "state",
)  # fmt: skip
_INSERT_STATE = query(insert(schedule).values({name: bindparam(name) for name in _STATE}))
_DELETE_STATE = query(
    delete(schedule).where(schedule.c.shard == bindparam("shard"), schedule.c.endpoint_id == bindparam("endpoint_id"))
)
_DELETE = query(delete(endpoints).where(endpoints.c.number == bindparam("endpoint_number")))
_BATCH = 500
_OF_ENDPOINT = runs.c.endpoint_number == bindparam("endpoint")
_RUN_KEY = (runs.c.slot, runs.c.attempt, runs.c.finished_us)
_SOME_RUNS = select(*_RUN_KEY).where(_OF_ENDPOINT).limit(_BATCH)
_SOME_SKIPS = select(skips.c.number).where(skips.c.endpoint_number == bindparam("endpoint")).limit(_BATCH)
_HISTORY = (
    query(delete(runs).where(_OF_ENDPOINT, tuple_(*_RUN_KEY).in_(_SOME_RUNS))),
    query(delete(skips).where(skips.c.number.in_(_SOME_SKIPS))),
)


_LOCK_TENANT = query(select(tenants.c.id).where(tenants.c.id == bindparam("tenant_id")).with_for_update(key_share=True))
_COUNT = query(
    select(func.count().label("count"))
    .select_from(jobs)
    .join(endpoints, endpoints.c.job_number == jobs.c.number)
    .where(jobs.c.tenant_id == bindparam("tenant_id"), endpoints.c.archived_us.is_(None))
)


class PostgresEndpointCatalog(EndpointCatalog):
    """Keeps endpoints."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def add(
        self,
        endpoint: JobEndpoint,
        start: Callable[[Job, JobEndpoint, datetime], JobEndpoint],
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> JobEndpoint:
        async def work(transaction: Transaction) -> JobEndpoint:
            row = await find_job(transaction, endpoint.tenant_id, endpoint.job_id, keep=True)
            started = start(job_of(row), endpoint, transaction.now)
            await _check_room(transaction, None, started, endpoints_max)
            await _insert(transaction, number_at(row, "number"), started)
            await announce(self._database.options, transaction, before=None, after=started.state.due_at)
            await record(transaction, endpoint_entry(by, transaction.now, None, started))
            return started

        return await self._database.write(work)

    async def get(self, tenant_id: str, endpoint_id: str) -> tuple[JobEndpoint, Stored]:
        async def work(transaction: Transaction) -> tuple[JobEndpoint, Stored]:
            return (await find(transaction, tenant_id, endpoint_id)).seen()

        return await self._database.read(work)

    async def list(
        self, tenant_id: str, job_id: str, query: EndpointQuery | None = None
    ) -> Sequence[tuple[JobEndpoint, Stored]]:
        async def work(transaction: Transaction) -> builtins.list[tuple[JobEndpoint, Stored]]:
            job_number = await job_number_of(transaction, tenant_id, job_id)
            if query is None:
                return [row.seen() for row in await of_job(transaction, tenant_id, job_number)]
            return [row.seen() for row in await page_of_job(transaction, tenant_id, job_number, query)]

        return await self._database.read(work)

    async def change(
        self,
        tenant_id: str,
        endpoint_id: str,
        edit: EndpointEdit,
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> tuple[JobEndpoint, Stored]:
        async def work(transaction: Transaction) -> tuple[JobEndpoint, Stored]:
            job = await job_of_endpoint(transaction, tenant_id, endpoint_id)
            before = await lock(transaction, tenant_id, endpoint_id)
            change = await decided(transaction, before, lambda stored: edit(before.endpoint, job, stored))
            await _check_room(transaction, before.endpoint, change.endpoint, endpoints_max)
            await apply(transaction, before, change)
            await record(transaction, endpoint_entry(by, before.now, before.endpoint, change.endpoint))
            due = {"before": before.endpoint.state.due_at, "after": change.endpoint.state.due_at}
            await announce(self._database.options, transaction, **due)
            return change.endpoint, before.seen()[1]

        return await self._database.write(work)

    async def delete(
        self, tenant_id: str, endpoint_id: str, by: Principal | None = None, unchanged: Unchanged | None = None
    ) -> None:
        async def work(transaction: Transaction) -> int:
            before = await lock(transaction, tenant_id, endpoint_id)
            if unchanged is not None:
                unchanged.check_endpoint(before.endpoint)
            await _DELETE_STATE.change(transaction.connection, shard=before.shard, endpoint_id=endpoint_id)
            await _DELETE.change(transaction.connection, endpoint_number=before.number)
            await record(transaction, endpoint_entry(by, before.now, before.endpoint, None))
            return before.number

        endpoint_number = await self._database.write(work)
        # Nobody finds the history from here on. It may be long and goes bit by bit; `prune` takes what is left.
        try:
            for history in _HISTORY:
                await self._delete_all(history, endpoint_number)
        except UnavailableError as error:
            log.warning("history_left_to_prune", extra={"endpoint": endpoint_id, "reason": str(error)})

    async def _delete_all(self, history: Query, endpoint_number: int) -> None:
        async def work(transaction: Transaction) -> int:
            return await history.change(transaction.connection, endpoint=endpoint_number)

        while await self._database.write(work):
            pass


async def _check_room(
    transaction: Transaction, before: JobEndpoint | None, after: JobEndpoint, endpoints_max: int | None
) -> None:
    """Whoever looks locks the tenant, so that nobody else adds an endpoint of it before this transaction ends."""
    if endpoints_max is not None and after.takes_room(before):
        await _LOCK_TENANT.rows(transaction.connection, tenant_id=after.tenant_id)
        check_room(
            number_at(await _COUNT.row(transaction.connection, tenant_id=after.tenant_id), "count"), endpoints_max
        )


async def _insert(transaction: Transaction, job_number: int, endpoint: JobEndpoint) -> None:
    connection = transaction.connection
    row = await _INSERT.row(connection, job_number=job_number, **endpoint_row(endpoint))
    if row is None:
        raise ConflictError(f"Endpoint {endpoint.id} already exists.")
    await _INSERT_STATE.change(
        connection,
        shard=shard_of(endpoint.tenant_id, transaction.shards),
        endpoint_id=endpoint.id,
        endpoint_number=row["number"],
        tenant_id=endpoint.tenant_id,
        bucket=bucket_of(endpoint.tenant_id),
        host=host_of(endpoint.request.url),
        **state_row(endpoint.state),
    )
    if endpoint.is_watched:
        await keep_watch(transaction, number_at(row, "number"), endpoint)
