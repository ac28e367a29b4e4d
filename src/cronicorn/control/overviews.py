"""Overviews: what of a tenant is due next, what steers it, and what fails."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest, nsmallest

from cronicorn.control.permissions import operation
from cronicorn.control.whereabouts import LATE_AFTER, PlacedEndpoint, placed_endpoints
from cronicorn.domain.hint import Hint, fresh_hints
from cronicorn.domain.instant import shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Clock, Cron, EndpointCatalog, JobCatalog
from cronicorn.domain.preview import PREVIEW_MAX, preview
from cronicorn.domain.principal import Principal

JOBS_LOOKED_AT = 100
ENDPOINTS_LOOKED_AT = 500
"""An overview looks at so many jobs and endpoints, the oldest jobs first, and says when there are more."""
SHOWN_MAX = 60
LOOKED_AHEAD = timedelta(hours=1)
PLANS_MAX = 150
"""So many instants are looked ahead to, those of all endpoints that are due soon together."""


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
        shown = placed_endpoints(self._catalog, filled[:JOBS_LOOKED_AT], ENDPOINTS_LOOKED_AT + 1)
        found = [each async for each in shown]
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


def _with_due(placed: Iterable[PlacedEndpoint]) -> list[PlacedEndpoint]:
    return [each for each in placed if each.endpoint.state.due_at is not None]


def _due_at(placed: PlacedEndpoint) -> datetime:
    due_at = placed.endpoint.state.due_at
    assert due_at is not None
    return due_at
