"""Whereabouts: endpoints of a tenant with their jobs, by their ids and by how they stand."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.control.permissions import operation
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.hint import fresh_hints, paused_until
from cronicorn.domain.history import EndpointQuery
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, EndpointCatalog, JobCatalog
from cronicorn.domain.principal import Principal

SEARCHED_MAX = 2_000
"""So many endpoints are asked how they stand, the oldest jobs first."""
LATE_AFTER = timedelta(seconds=10)
"""A slot that is due for so long, with nobody on it, says that no worker takes what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedEndpoint:
    """An endpoint and its job."""

    job: Job
    endpoint: JobEndpoint
    running: str | None
    """The id of the run that a worker is making of it, or None."""


class EndpointStanding(StrEnum):
    """How an endpoint stands."""

    FAILING = "failing"
    """Its last slot failed."""
    PAUSED = "paused"
    """A hint pauses it, or its job is paused."""
    STEERED = "steered"
    """A hint counts for it."""
    LATE = "late"
    """It has been due for LATE_AFTER, and nobody is on it."""
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingEndpoints:
    """Endpoints that stand as asked for, at `now`."""

    now: datetime
    found: tuple[PlacedEndpoint, ...]
    """The oldest jobs first."""
    complete: bool
    """Whether all endpoints of the tenant were looked at."""


class Whereabouts:
    """Finds endpoints of a tenant, within a bound."""

    def __init__(self, jobs: JobCatalog, catalog: EndpointCatalog, clock: Clock) -> None:
        self._jobs = jobs
        self._catalog = catalog
        self._clock = clock

    @operation(Operation.OVERVIEW_SHOW)
    async def place(self, principal: Principal, endpoint_ids: Iterable[str]) -> Mapping[str, PlacedEndpoint]:
        """Those of the endpoints that are there, by their ids, with their jobs."""
        placed = dict[str, PlacedEndpoint]()
        for endpoint_id in endpoint_ids:
            with suppress(NotFoundError):
                endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
                job = await self._jobs.get(principal.tenant_id, endpoint.job_id)
                placed[endpoint_id] = PlacedEndpoint(job=job, endpoint=endpoint, running=stored.running(endpoint))
        return placed

    @operation(Operation.OVERVIEW_SHOW)
    async def standing(self, principal: Principal, standing: EndpointStanding | None = None) -> StandingEndpoints:
        """The endpoints that stand so, by default all but archived ones, of the first SEARCHED_MAX of the tenant."""
        now, archived = self._clock.now(), standing is EndpointStanding.ARCHIVED
        jobs = [job for job, live in await self._jobs.list(principal.tenant_id) if live or archived]
        looked_at = [each async for each in placed_endpoints(self._catalog, jobs, SEARCHED_MAX + 1)]
        found = tuple(each for each in looked_at[:SEARCHED_MAX] if _stands(each, standing, now))
        return StandingEndpoints(now=now, found=found, complete=len(looked_at) <= SEARCHED_MAX)


async def placed_endpoints(catalog: EndpointCatalog, jobs: Iterable[Job], most: int) -> AsyncIterator[PlacedEndpoint]:
    """The first *most* endpoints of *jobs* in *catalog*."""
    for job in jobs:
        try:
            page = await catalog.list(job.tenant_id, job.id, EndpointQuery(limit=most))
        except NotFoundError:  # It went meanwhile.
            continue
        for endpoint, stored in page:
            yield PlacedEndpoint(job=job, endpoint=endpoint, running=stored.running(endpoint))
        most -= len(page)
        if most <= 0:
            return


def _stands(placed: PlacedEndpoint, standing: EndpointStanding | None, now: datetime) -> bool:
    state = placed.endpoint.state
    if (placed.endpoint.archived_at is not None) != (standing is EndpointStanding.ARCHIVED):
        return False
    match standing:
        case EndpointStanding.FAILING:
            return state.failure_count > 0
        case EndpointStanding.PAUSED:
            return paused_until(state.hints, now) is not None or placed.job.status is JobStatus.PAUSED
        case EndpointStanding.STEERED:
            return bool(fresh_hints(state.hints, now))
        case EndpointStanding.LATE:
            return placed.running is None and state.due_at is not None and state.due_at < now - LATE_AFTER
        case _:
            return True
