"""Jobs in a SQLite file."""

import builtins
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, tuple_, update

from cronicorn.adapters.sqlite.audit_log import record
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.endpoint_rows import apply, of_job
from cronicorn.adapters.sqlite.queries import query
from cronicorn.adapters.sqlite.schema import endpoints, jobs
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.access.audit_views import job_entry
from cronicorn.domain.cells import Cell, number_in
from cronicorn.domain.endpoint import Job, JobStatus
from cronicorn.domain.errors import ConflictError, NotFoundError
from cronicorn.domain.history import JobQuery, place_gone
from cronicorn.domain.ports import EndpointEdit, JobCatalog
from cronicorn.domain.principal import Principal
from cronicorn.domain.rows import job_of, job_row

_COLUMNS = [column.name for column in jobs.c if column.name != "number"]
_INSERT = query(insert(jobs).values({name: bindparam(name) for name in _COLUMNS}))
_UPDATE = query(
    update(jobs)
    .where(jobs.c.number == bindparam("job_number"))
    .values({name: bindparam(f"new_{name}") for name in _COLUMNS})
)
_FIND = query(select(jobs).where(jobs.c.id == bindparam("job_id"), jobs.c.tenant_id == bindparam("tenant_id")))
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


class SqliteJobCatalog(JobCatalog):
    """Keeps jobs."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add(self, job: Job, by: Principal | None = None) -> None:
        def work(transaction: Transaction) -> None:
            try:
                _INSERT.insert(transaction.connection, **job_row(job))
            except sqlite3.IntegrityError as error:
                raise ConflictError(f"Job {job.id} already exists.") from error
            record(transaction, job_entry(by, transaction.now, None, job))

        await self._database.write(work)

    async def get(self, tenant_id: str, job_id: str) -> Job:
        return await self._database.read(lambda transaction: job_of(find_job(transaction, tenant_id, job_id)))

    async def list(
        self, tenant_id: str, status: JobStatus | None = None, query: JobQuery | None = None
    ) -> Sequence[tuple[Job, int]]:
        def work(transaction: Transaction) -> builtins.list[tuple[Job, int]]:
            which: dict[str, Cell] = {"tenant_id": tenant_id}
            if status is not None:
                which["status"] = status.value
            listed = LIST_LIVE if status is None else LIST_IN_STATUS
            if query is not None:
                listed = PAGE_LIVE if status is None else PAGE_IN_STATUS
                which |= _page(transaction, tenant_id, query)
            rows = listed.rows(transaction.connection, **which)
            return [(job_of(row), number_in(row["endpoint_count"])) for row in rows]

        return await self._database.read(work)

    async def change(
        self,
        tenant_id: str,
        job_id: str,
        edit: Callable[[Job, datetime], Job],
        edit_endpoint: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> Job:
        def work(transaction: Transaction) -> Job:
            row = find_job(transaction, tenant_id, job_id)
            number = number_in(row["number"])
            before = job_of(row)
            job = edit(before, transaction.now)
            if edit_endpoint is not None:
                rows = of_job(transaction, number)
                changes = [edit_endpoint(each.endpoint, job, each.stored(transaction)) for each in rows]
                for each, change in zip(rows, changes, strict=True):
                    apply(transaction, each, change)
            cells = {f"new_{name}": cell for name, cell in job_row(job).items()}
            _UPDATE.change(transaction.connection, job_number=number, **cells)
            record(transaction, job_entry(by, transaction.now, before, job))
            return job

        return await self._database.write(work)


def _page(transaction: Transaction, tenant_id: str, query: JobQuery) -> dict[str, Cell]:
    place: Mapping[str, Cell] | None = _BEGINNING
    if query.after is not None:
        place = _FIND.row(transaction.connection, tenant_id=tenant_id, job_id=query.after)
    if place is None:
        raise place_gone(f"job {query.after}")
    return {"after_us": place["created_us"], "after_number": place["number"], "page_limit": query.limit}


def find_job(transaction: Transaction, tenant_id: str, job_id: str) -> dict[str, Cell]:
    """The row of a job. Raises NotFoundError."""
    row = _FIND.row(transaction.connection, tenant_id=tenant_id, job_id=job_id)
    if row is None:
        raise NotFoundError(f"There is no job {job_id}.")
    return row
