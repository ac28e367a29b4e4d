"""Jobs and endpoints in memory."""

from collections.abc import Callable, Sequence
from datetime import datetime

from cronicorn.adapters.memory.audit_log import record
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.row import Row
from cronicorn.domain.access.audit_views import endpoint_entry, job_entry
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.execution.limits import check_room
from cronicorn.domain.history import EndpointQuery, JobQuery, place_gone
from cronicorn.domain.ports import EndpointCatalog, EndpointEdit, JobCatalog
from cronicorn.domain.principal import Principal
from cronicorn.domain.settlement import Stored
from cronicorn.domain.unchanged import Unchanged


class MemoryJobCatalog(JobCatalog):
    """Keeps jobs."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add(self, job: Job, by: Principal | None = None) -> None:
        with self._database.lock:
            if job.id in self._database.jobs:
                raise ConflictError(f"Job {job.id} already exists.")
            self._database.jobs[job.id] = job
            record(self._database, job_entry(by, self._database.clock.now(), None, job))

    async def get(self, tenant_id: str, job_id: str) -> Job:
        with self._database.lock:
            return self._database.job(tenant_id, job_id)

    async def list(
        self, tenant_id: str, status: JobStatus | None = None, query: JobQuery | None = None
    ) -> Sequence[tuple[Job, int]]:
        with self._database.lock:
            mine = [job for job in self._database.jobs.values() if job.tenant_id == tenant_id]
            mine.sort(key=lambda job: job.created_at)
            if query is not None and query.after is not None:
                mine = mine[_first_after([job.id for job in mine], query.after, "job") :]
            wanted = [
                job
                for job in mine
                if (job.status is status if status is not None else job.status is not JobStatus.ARCHIVED)
            ]
            page = wanted if query is None else wanted[: query.limit]
            return [(job, self._endpoint_count(job.id)) for job in page]

    async def change(
        self,
        tenant_id: str,
        job_id: str,
        edit: Callable[[Job, datetime], Job],
        edit_endpoint: EndpointEdit | None = None,
        by: Principal | None = None,
    ) -> Job:
        with self._database.lock:
            now = self._database.clock.now()
            before = self._database.job(tenant_id, job_id)
            job = edit(before, now)
            rows = self._database.rows_of(job_id) if edit_endpoint is not None else []
            changes = [
                (row, edit_endpoint(row.endpoint, job, self._database.stored(row, now)))
                for row in rows
                if edit_endpoint is not None
            ]
            self._database.jobs[job_id] = job
            for row, change in changes:
                self._database.apply(row, change)
            record(self._database, job_entry(by, now, before, job))
            return job

    def _endpoint_count(self, job_id: str) -> int:
        return sum(row.endpoint.archived_at is None for row in self._database.rows_of(job_id))


class MemoryEndpointCatalog(EndpointCatalog):
    """Keeps endpoints."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def add(
        self,
        endpoint: JobEndpoint,
        start: Callable[[Job, JobEndpoint, datetime], JobEndpoint],
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> JobEndpoint:
        with self._database.lock:
            job = self._database.job(endpoint.tenant_id, endpoint.job_id)
            if endpoint.id in self._database.rows:
                raise ConflictError(f"Endpoint {endpoint.id} already exists.")
            started = start(job, endpoint, self._database.clock.now())
            self._check_room(None, started, endpoints_max)
            self._database.put(Row(number=next(self._database.numbers), endpoint=started), started)
            record(self._database, endpoint_entry(by, started.created_at, None, started))
            return started

    async def get(self, tenant_id: str, endpoint_id: str) -> tuple[JobEndpoint, Stored]:
        with self._database.lock:
            return self._seen(self._database.row(tenant_id, endpoint_id))

    async def list(
        self, tenant_id: str, job_id: str, query: EndpointQuery | None = None
    ) -> Sequence[tuple[JobEndpoint, Stored]]:
        with self._database.lock:
            job = self._database.job(tenant_id, job_id)
            rows = self._database.rows_of(job.id)
            if query is not None and query.after is not None:
                rows = rows[_first_after([row.endpoint.id for row in rows], query.after, "endpoint") :]
            return [self._seen(row) for row in (rows if query is None else rows[: query.limit])]

    async def change(
        self,
        tenant_id: str,
        endpoint_id: str,
        edit: EndpointEdit,
        endpoints_max: int | None = None,
        by: Principal | None = None,
    ) -> tuple[JobEndpoint, Stored]:
        with self._database.lock:
            row = self._database.row(tenant_id, endpoint_id)
            job = self._database.jobs[row.endpoint.job_id]
            now = self._database.clock.now()
            change = edit(row.endpoint, job, self._database.stored(row, now))
            self._check_room(row.endpoint, change.endpoint, endpoints_max)
            entry = endpoint_entry(by, now, row.endpoint, change.endpoint)
            self._database.apply(row, change)
            record(self._database, entry)
            return row.endpoint, Stored(now=now, leased_slot=row.leased_slot(now))

    async def delete(
        self, tenant_id: str, endpoint_id: str, by: Principal | None = None, unchanged: Unchanged | None = None
    ) -> None:
        with self._database.lock:
            row = self._database.row(tenant_id, endpoint_id)
            if unchanged is not None:
                unchanged.check_endpoint(row.endpoint)
            self._database.remove(row)
            record(self._database, endpoint_entry(by, self._database.clock.now(), row.endpoint, None))

    def _check_room(self, before: JobEndpoint | None, after: JobEndpoint, endpoints_max: int | None) -> None:
        if endpoints_max is None or not after.takes_room(before):
            return
        endpoints = (row.endpoint for row in self._database.rows.values())
        there = [each for each in endpoints if each.tenant_id == after.tenant_id and each.archived_at is None]
        check_room(len(there), endpoints_max)

    def _seen(self, row: Row) -> tuple[JobEndpoint, Stored]:
        now = self._database.clock.now()
        return row.endpoint, Stored(now=now, leased_slot=row.leased_slot(now))


def _first_after(ids: Sequence[str], after: str, kind: str) -> int:
    """Where the page begins that comes after *after*. Raises InvalidInputError where that is gone."""
    if after not in ids:
        raise place_gone(f"{kind} {after}")
    return ids.index(after) + 1
