"""Finding endpoints in memory."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.finding.ports import EndpointFinder
from cronicorn.domain.finding.search import FoundEndpoints, SearchQuery


class MemoryEndpointFinder(EndpointFinder):
    """Looks at every endpoint."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def jobs(self, tenant_id: str, query: SearchQuery) -> Sequence[Job]:
        with self._database.lock:
            jobs = self._jobs(tenant_id)
            found = (job for job in jobs if query.finds(f"{job.name} {job.description or ''} {job.id}"))
            return list(islice(found, query.limit))

    async def endpoints(self, tenant_id: str, query: SearchQuery) -> FoundEndpoints:
        with self._database.lock:
            there = list(islice(self._endpoints(tenant_id), query.searched_max + 1))
            found = (
                (job, each)
                for job, each in there[: query.searched_max]
                if query.finds(f"{job.name} {each.name} {each.request.url} {each.id}")
            )
            return FoundEndpoints(
                endpoints=tuple(islice(found, query.limit)), complete=len(there) <= query.searched_max
            )

    async def planned(self, tenant_id: str, until: datetime, limit: int) -> Sequence[tuple[Job, JobEndpoint]]:
        with self._database.lock:
            due = [
                (at, row.number, row.endpoint)
                for row in self._database.rows.values()
                if (at := row.endpoint.state.due_at) is not None and at <= until
                if row.endpoint.tenant_id == tenant_id
            ]
            first = sorted(due, key=lambda each: each[:2])[:limit]
            return [(self._database.jobs[endpoint.job_id], endpoint) for _, _, endpoint in first]

    def _jobs(self, tenant_id: str) -> Sequence[Job]:
        mine = [job for job in self._database.jobs.values() if job.tenant_id == tenant_id]
        return sorted(mine, key=lambda job: job.created_at)

    def _endpoints(self, tenant_id: str) -> Iterable[tuple[Job, JobEndpoint]]:
        return ((job, row.endpoint) for job in self._jobs(tenant_id) for row in self._database.rows_of(job.id))
