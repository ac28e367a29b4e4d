"""Jobs in PostgreSQL."""

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from cronicorn.adapters.postgres.audit_log import record
from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.endpoint_rows import Found, apply, lock_job
from cronicorn.adapters.postgres.notify import announce
from cronicorn.adapters.postgres.queries import query
from cronicorn.adapters.postgres.schema import endpoints, jobs
from cronicorn.domain.access.audit_views import job_entry
from cronicorn.domain.cells import Cell, number_at
from cronicorn.domain.endpoint import Job, JobStatus
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.history import JobQuery, place_gone
from cronicorn.domain.ports import EndpointEdit, JobCatalog
from cronicorn.domain.principal import Principal
from cronicorn.domain.rows import job_of, job_row
from cronicorn.domain.settlement import Sibling, Stored

_COLUMNS = [column.name for column in jobs.c if column.name != "number"]
_INSERT = query(insert(jobs).values({name: bindparam(name) for name in _COLUMNS}).on_conflict_do_nothing())
_UPDATE = query(
    update(jobs)
    .where(jobs.c.number == bindparam("job_number"))
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS})
)
_ONE = select(jobs).where(jobs.c.id == bindparam("job_id"), jobs.c.tenant_id == bindparam("tenant_id"))
_FIND = query(_ONE)
_KEEP = query(_ONE.with_for_update(read=True))
_LOCK = query(_ONE.with_for_update(key_share=True))
_KEEP_OF_ENDPOINT = query(
    select(jobs)
    .where(
        jobs.c.number
        == select(endpoints.c.job_number)
        .where(endpoints.c.id == bindparam("endpoint_id"), endpoints.c.tenant_id == bindparam("tenant_id"))
        .scalar_subquery()
    )
    .with_for_update(read=True)
)
_LIST = (
    select(
        jobs,
        select(func.count())
        .where(endpoints.c.job_number == jobs.c.number, endpoints.c.archived_us.is_(None))
        .scalar_subquery()
        .label("endpoint_count"),
    )
    .where(jobs.c.tenant_id == bindparam("tenant_id"))
    .order_by(jobs.c.created_us, jobs.c.number)
)
_LIVE, _IN_STATUS = jobs.c.status != JobStatus.ARCHIVED.value, jobs.c.status == bindparam("status")
LIST_LIVE, LIST_IN_STATUS = query(_LIST.where(_LIVE)), query(_LIST.where(_IN_STATUS))
_PAGE = _LIST.where(
    # The first part says the same, and is what the index knows.
    jobs.c.created_us >= bindparam("after_us"),
    tuple_(jobs.c.created_us, jobs.c.number) > tuple_(bindparam("after_us"), bindparam("after_number")),
).limit(bindparam("page_limit"))
PAGE_LIVE, PAGE_IN_STATUS = query(_PAGE.where(_LIVE)), query(_PAGE.where(_IN_STATUS))
_BEGINNING: Mapping[str, Cell] = {"created_us": -(1 << 62), "number": 0}


class PostgresJobCatalog(JobCatalog):
    """Keeps jobs."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def add(self, job: Job, by: Principal | None = None) -> None:
        async def work(transaction: Transaction) -> None:
            if not await _INSERT.change(transaction.connection, **job_row(job)):
                raise ConflictError(f"Job {job.id} already exists.")
            await record(transaction, job_entry(by, transaction.now, None, job))

        await self._database.write(work)

    async def get(self, tenant_id: str, job_id: str) -> Job:
        async def work(transaction: Transaction) -> Job:
            return job_of(await find_job(transaction, tenant_id, job_id))

        return await self._database.read(work)

    async def list(
        self, tenant_id: str, status: JobStatus | None = None, query: JobQuery | None = None
    ) -> Sequence[tuple[Job, int]]:
        async def work(transaction: Transaction) -> builtins.list[tuple[Job, int]]:
            which: dict[str, Cell] = {"tenant_id": tenant_id}
            if status is not None:
                which["status"] = status.value
            listed = LIST_LIVE if status is None else LIST_IN_STATUS
            if query is not None:
                listed = PAGE_LIVE if status is None else PAGE_IN_STATUS
                which |= await _page(transaction, tenant_id, query)
            rows = await listed.rows(transaction.connection, **which)
            return [(job_of(row), number_at(row, "endpoint_count")) for row in rows]

        return await self._database.read(work)

    async def change(
        self,
        tenant_id: str,
        job_id: str,
        edit: Callable[[Job, datetime], Job],
        edit_endpoint: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> Job:
        async def work(transaction: Transaction) -> Job:
            row = await _LOCK.row(transaction.connection, tenant_id=tenant_id, job_id=job_id)
            if row is None:
                raise NotFoundError(f"There is no job {job_id}.")
            job_number = number_at(row, "number")
            befores = await lock_job(transaction, tenant_id, job_number) if edit_endpoint is not None else []
            known, now = job_of(row), befores[0].now if befores else transaction.now
            job = edit(known, now)
            if edit_endpoint is not None:
                await self._change_endpoints(transaction, befores, job, edit_endpoint)
            cells = {f"new_{name}": cell for name, cell in job_row(job).items()}
            await _UPDATE.change(transaction.connection, job_number=job_number, **cells)
            await record(transaction, job_entry(by, now, known, job))
            return job

        return await self._database.write(work)

    async def _change_endpoints(
        self, transaction: Transaction, befores: Sequence[Found], job: Job, edit: EndpointEdit
    ) -> None:
        changes = [edit(before.endpoint, job, _stored(before, befores)) for before in befores]
        for before, change in zip(befores, changes, strict=True):
            await apply(transaction, before, change)
            due = {"before": before.endpoint.state.due_at, "after": change.endpoint.state.due_at}
            await announce(self._database.options, transaction, **due)


async def _page(transaction: Transaction, tenant_id: str, query: JobQuery) -> dict[str, Cell]:
    place: Mapping[str, Cell] | None = _BEGINNING
    if query.after is not None:
        place = await _FIND.row(transaction.connection, tenant_id=tenant_id, job_id=query.after)
    if place is None:
        raise place_gone(f"job {query.after}")
    return {"after_us": place["created_us"], "after_number": place["number"], "page_limit": query.limit}


async def find_job(transaction: Transaction, tenant_id: str, job_id: str, *, keep: bool = False) -> dict[str, Cell]:
    """The row of a job; with *keep* nobody else changes it until the transaction ends. Raises NotFoundError."""
    row = await (_KEEP if keep else _FIND).row(transaction.connection, tenant_id=tenant_id, job_id=job_id)
    if row is None:
        raise NotFoundError(f"There is no job {job_id}.")
    return row


async def job_of_endpoint(transaction: Transaction, tenant_id: str, endpoint_id: str) -> Job:
    """The job of an endpoint, which nobody else changes until the transaction ends. Raises NotFoundError."""
    row = await _KEEP_OF_ENDPOINT.row(transaction.connection, tenant_id=tenant_id, endpoint_id=endpoint_id)
    if row is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}.")
    return job_of(row)


def _stored(before: Found, befores: Sequence[Found]) -> Stored:
    others = (other for other in befores if other is not before and other.endpoint.archived_at is None)
    siblings = {other.endpoint.name: Sibling(other.endpoint, other.leased_slot) for other in others}
    return replace(before.seen()[1], siblings=siblings)
