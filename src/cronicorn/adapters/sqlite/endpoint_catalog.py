"""Endpoints in a SQLite file."""

import builtins
import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import apply, find, job_number_of, keep_watch, of_job, page_of_job
from cronicorn.adapters.sqlite.job_catalog import find_job
from cronicorn.adapters.sqlite.queries import Query, query
from cronicorn.adapters.sqlite.schema import endpoints, jobs, runs, schedule, skips
from cronicorn.adapters.sqlite.writer import Transaction
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
from cronicorn.domain.unchanged import Unchanged

log = logging.getLogger(__name__)

_INSERT = query(insert(endpoints).values({column.name: bindparam(column.name) for column in endpoints.c[1:]}))
_STATE = ("endpoint_number", "tenant_id", "bucket", "due_us", "slot", "attempt", "manual_slot", "state")
_INSERT_STATE = query(
    insert(schedule).values({name: bindparam(name) for name in _STATE} | {"fence": 0, "cancelled": 0, "lost_claims": 0})
)
_DELETE = query(delete(endpoints).where(endpoints.c.number == bindparam("endpoint_number")))
_HISTORY = [
    query(
        delete(table).where(
            table.c.number.in_(
                select(table.c.number).where(table.c.endpoint_number == bindparam("endpoint")).limit(500)
            )
        )
    )
    for table in (runs, skips)
]


_COUNT = query(
    select(func.count().label("count"))
    .select_from(jobs)
    .join(endpoints, endpoints.c.job_number == jobs.c.number)
    .where(jobs.c.tenant_id == bindparam("tenant_id"), endpoints.c.archived_us.is_(None))
)


class SqliteEndpointCatalog(EndpointCatalog):
    """Keeps endpoints."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add(
        self,
        endpoint: JobEndpoint,
        start: Callable[[Job, JobEndpoint, datetime], JobEndpoint],
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> JobEndpoint:
        def work(transaction: Transaction) -> JobEndpoint:
            job = job_of(find_job(transaction, endpoint.tenant_id, endpoint.job_id))
            job_number = job_number_of(transaction, endpoint.tenant_id, endpoint.job_id)
            started = start(job, endpoint, transaction.now)
            _check_room(transaction, None, started, endpoints_max)
            try:
                number = _INSERT.insert(transaction.connection, job_number=job_number, **endpoint_row(started))
            except sqlite3.IntegrityError as error:
                raise ConflictError(f"Endpoint {endpoint.id} already exists.") from error
            _INSERT_STATE.insert(
                transaction.connection,
                endpoint_number=number,
                tenant_id=started.tenant_id,
                bucket=bucket_of(started.tenant_id),
                **state_row(started.state),
            )
            if started.is_watched:
                keep_watch(transaction, number, started)
            record(transaction, endpoint_entry(by, transaction.now, None, started))
            return started

        return await self._database.write(work)

    async def get(self, tenant_id: str, endpoint_id: str) -> tuple[JobEndpoint, Stored]:
        return await self._database.read(
            lambda transaction: find(transaction, tenant_id, endpoint_id).seen(transaction.now)
        )

    async def list(
        self, tenant_id: str, job_id: str, query: EndpointQuery | None = None
    ) -> Sequence[tuple[JobEndpoint, Stored]]:
        def work(transaction: Transaction) -> builtins.list[tuple[JobEndpoint, Stored]]:
            job_number = job_number_of(transaction, tenant_id, job_id)
            if query is None:
                return [row.seen(transaction.now) for row in of_job(transaction, job_number)]
            return [row.seen(transaction.now) for row in page_of_job(transaction, job_number, query)]

        return await self._database.read(work)

    async def change(
        self,
        tenant_id: str,
        endpoint_id: str,
        edit: EndpointEdit,
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> tuple[JobEndpoint, Stored]:
        def work(transaction: Transaction) -> tuple[JobEndpoint, Stored]:
            before = find(transaction, tenant_id, endpoint_id)
            job = job_of(find_job(transaction, tenant_id, before.endpoint.job_id))
            change = edit(before.endpoint, job, before.stored(transaction))
            _check_room(transaction, before.endpoint, change.endpoint, endpoints_max)
            apply(transaction, before, change)
            record(transaction, endpoint_entry(by, transaction.now, before.endpoint, change.endpoint))
            return change.endpoint, Stored(now=transaction.now, leased_slot=before.leased_slot)

        return await self._database.write(work)

    async def delete(
        self, tenant_id: str, endpoint_id: str, by: Principal | None = None, unchanged: Unchanged | None = None
    ) -> None:
        def work(transaction: Transaction) -> int:
            before = find(transaction, tenant_id, endpoint_id)
            if unchanged is not None:
                unchanged.check_endpoint(before.endpoint)
            _DELETE.change(transaction.connection, endpoint_number=before.number)
            record(transaction, endpoint_entry(by, transaction.now, before.endpoint, None))
            return before.number

        number = await self._database.write(work)
        # Nobody finds the history from here on. It may be long and goes bit by bit; `prune` takes what is left.
        try:
            for history in _HISTORY:
                await self._delete_all(history, number)
        except UnavailableError as error:
            log.warning("history_left_to_prune", extra={"endpoint": endpoint_id, "reason": str(error)})

    async def _delete_all(self, history: Query, number: int) -> None:
        def work(transaction: Transaction) -> int:
            return history.change(transaction.connection, endpoint=number)

        while await self._database.write(work):
            pass


def _check_room(
    transaction: Transaction, before: JobEndpoint | None, after: JobEndpoint, endpoints_max: int | None
) -> None:
    if endpoints_max is not None and after.takes_room(before):
        check_room(number_at(_COUNT.row(transaction.connection, tenant_id=after.tenant_id), "count"), endpoints_max)
