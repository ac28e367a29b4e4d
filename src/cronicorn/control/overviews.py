"""Overviews: what of a tenant is due next, what steers it, and what fails."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import nlargest, nsmallest

from cronicorn.control.permissions import operation
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.hint import Hint, fresh_hints, paused_until
from cronicorn.domain.history import EndpointQuery
from cronicorn.domain.instant import shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, Cron, EndpointCatalog, JobCatalog
from cronicorn.domain.preview import PREVIEW_MAX, preview
from cronicorn.domain.principal import Principal

JOBS_LOOKED_AT = 100
ENDPOINTS_LOOKED_AT = 500
"""An overview looks at so many jobs and endpoints, the oldest jobs first, and says when there are more."""
SEARCHED_MAX = 2_000
"""So many endpoints are asked how they stand, the oldest jobs first."""
SHOWN_MAX = 60
LOOKED_AHEAD = timedelta(hours=1)
PLANS_MAX = 150
"""So many instants are looked ahead to, those of all endpoints that are due soon together."""
LATE_AFTER = timedelta(seconds=10)
"""A slot that is due for so long, with nobody on it, says that no worker takes what is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedEndpoint:
    """An endpoint and its job."""

    job: Job
    endpoint: JobEndpoint
    running: str | None
    """The id of the run that a worker is making of it, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeredEndpoint:
    """An endpoint and a hint that counts for it."""

    placed: PlacedEndpoint
    hint: Hint


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingRuns:
    """What comes until an instant, if every run succeeds at once and nobody steers."""

    runs: tuple[tuple[datetime, PlacedEndpoint], ...]
    """PLANS_MAX at most; of each endpoint equally many, so that one that runs all the time leaves room for others."""
    cut: tuple[PlacedEndpoint, ...]
    """Those of which there may be more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Where the endpoints of a tenant stand at `now`. Lists hold SHOWN_MAX at most, numbers tell of all."""

    now: datetime
    jobs: int
    endpoints: int
    """How many were looked at."""
    complete: bool
    """Whether there are no others."""
    due: tuple[PlacedEndpoint, ...]
    """Those with something planned, the earliest first."""
    soon: int
    """How many are due within LOOKED_AHEAD."""
    late: int
    """Of those with something planned, how many have waited for LATE_AFTER with nobody on them."""
    steered: tuple[SteeredEndpoint, ...]
    """The newest hint first."""
    failing: tuple[PlacedEndpoint, ...]
    """Those whose last slots failed, the most in a row first."""
    failing_in_all: int


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


class Overviews:
    """Looks at all endpoints of a tenant at once, within a bound."""

    def __init__(self, jobs: JobCatalog, catalog: EndpointCatalog, clock: Clock, cron: Cron) -> None:
        self._jobs = jobs
        self._catalog = catalog
        self._clock = clock
        self._cron = cron

    @operation(Operation.OVERVIEW_SHOW)
    async def show(self, principal: Principal) -> Overview:
        """Where the tenant's endpoints stand."""
        now = self._clock.now()
        jobs = await self._jobs.list(principal.tenant_id)
        filled = [job for job, endpoints in jobs if endpoints]
        found = [each async for each in self._endpoints(filled[:JOBS_LOOKED_AT], ENDPOINTS_LOOKED_AT + 1)]
        looked_at = found[:ENDPOINTS_LOOKED_AT]
        live = [each for each in looked_at if each.endpoint.archived_at is None]
        failing = [each for each in live if each.endpoint.state.failure_count]
        steered = [
            SteeredEndpoint(placed=each, hint=hint)
            for each in live
            for hint in fresh_hints(each.endpoint.state.hints, now)
        ]
        return Overview(
            now=now,
            jobs=len(jobs),
            endpoints=len(live),
            complete=len(found) == len(looked_at) and len(filled) <= JOBS_LOOKED_AT,
            due=tuple(nsmallest(SHOWN_MAX, _with_due(live), key=_due_at)),
            soon=sum(_due_at(each) <= shifted(now, LOOKED_AHEAD) for each in _with_due(live)),
            late=sum(_due_at(each) < now - LATE_AFTER for each in _with_due(live) if each.running is None),
            steered=tuple(nlargest(SHOWN_MAX, steered, key=lambda each: each.hint.written_at)),
            failing=tuple(nlargest(SHOWN_MAX, failing, key=lambda each: each.endpoint.state.failure_count)),
            failing_in_all=len(failing),
        )

    def coming(self, found: Overview) -> ComingRuns:
        """What of `found.due` comes within LOOKED_AHEAD."""
        until = shifted(found.now, LOOKED_AHEAD)
        soon = [each for each in found.due if _due_at(each) <= until]
        count = min(PREVIEW_MAX, PLANS_MAX // max(1, len(soon)))
        runs, cut = list[tuple[datetime, PlacedEndpoint]](), list[PlacedEndpoint]()
        for each in soon:
            plans = preview(each.endpoint, found.now, self._cron, count)
            within = [plan.next_run_at for plan in plans if plan.next_run_at is not None and plan.next_run_at <= until]
            runs += [(at, each) for at in within]
            cut += [each] if len(within) == count else []
        return ComingRuns(runs=tuple(runs), cut=tuple(cut))

    @operation(Operation.OVERVIEW_SHOW)
    async def standing(self, principal: Principal, standing: EndpointStanding | None = None) -> StandingEndpoints:
        """The endpoints that stand so, by default all but archived ones, of the first SEARCHED_MAX of the tenant."""
        now, archived = self._clock.now(), standing is EndpointStanding.ARCHIVED
        jobs = [job for job, live in await self._jobs.list(principal.tenant_id) if live or archived]
        looked_at = [each async for each in self._endpoints(jobs, SEARCHED_MAX + 1)]
        found = tuple(each for each in looked_at[:SEARCHED_MAX] if _stands(each, standing, now))
        return StandingEndpoints(now=now, found=found, complete=len(looked_at) <= SEARCHED_MAX)

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

    async def _endpoints(self, jobs: Iterable[Job], most: int) -> AsyncIterator[PlacedEndpoint]:
        """The first *most* endpoints of *jobs*."""
        for job in jobs:
            try:
                page = await self._catalog.list(job.tenant_id, job.id, EndpointQuery(limit=most))
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


def _with_due(placed: Iterable[PlacedEndpoint]) -> list[PlacedEndpoint]:
    return [each for each in placed if each.endpoint.state.due_at is not None]


def _due_at(placed: PlacedEndpoint) -> datetime:
    due_at = placed.endpoint.state.due_at
    assert due_at is not None
    return due_at
