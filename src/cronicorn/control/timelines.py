"""Timelines: what an endpoint did in a span of time, and what it will do, in one value that can be drawn."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.hint import Hint, fresh_hints
from cronicorn.domain.history import RunQuery
from cronicorn.domain.instant import MICROSECOND, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Plan
from cronicorn.domain.ports import Cron, EndpointCatalog, RunHistory
from cronicorn.domain.preview import preview
from cronicorn.domain.principal import Principal
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip

SPAN_MIN = timedelta(minutes=1)
SPAN_MAX = timedelta(days=92)
RUNS_MAX = 1_000
"""So many runs of a span are read, the newest: what lies before them is told as a number."""
NOMINAL_MAX = 200
"""Of a grid that is denser no instant is told: nobody could tell them apart."""
SKIPS_MAX = 200
PLANS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTimeline:
    """An endpoint from `since` to `until`, as it stands at `now` by the store's clock."""

    endpoint: JobEndpoint
    now: datetime
    since: datetime
    until: datetime
    running: str | None
    """The id of the run that a worker is making of it, or None."""
    runs: tuple[Run, ...]
    """The newest RUNS_MAX that began in the span, oldest first, without bodies."""
    runs_in_all: int
    """How many began in the span."""
    before: Run | None
    """The run before `runs`, if there is one: the first distance counts from it."""
    nominal: tuple[datetime, ...] | None
    """The instants of the baseline; None where there are more than NOMINAL_MAX."""
    skips: tuple[Skip, ...]
    """Of the newest SKIPS_MAX ranges those that reach into the span, newest first."""
    skips_known_from: datetime | None
    """Before then there may be others; None where there are none."""
    hints: tuple[Hint, ...]
    """Those that count now."""
    plans: tuple[Plan, ...]
    """What comes until the end of the span, if every run succeeds at once and nobody steers."""


class Timelines:
    """What can be asked about endpoints over time. Costs the runs that are told, whatever was recorded."""

    def __init__(self, catalog: EndpointCatalog, history: RunHistory, cron: Cron) -> None:
        self._catalog = catalog
        self._history = history
        self._cron = cron

    @operation(Operation.TIMELINE_SHOW)
    async def show(self, principal: Principal, endpoint_id: str, since: datetime, until: datetime) -> EndpointTimeline:
        """The endpoint from *since* to *until*.

        Raises NotFoundError, and InvalidInputError for a span that is shorter than SPAN_MIN or longer than SPAN_MAX.
        """
        if not SPAN_MIN <= until - since <= SPAN_MAX:
            raise refused(
                "", f"A timeline spans a minute to {SPAN_MAX.days} days, from an earlier instant to a later one."
            )
        tenant_id = principal.tenant_id
        endpoint, stored = await self._catalog.get(tenant_id, endpoint_id)
        page = await self._history.list(tenant_id, endpoint_id, RunQuery(since=since, until=until, limit=RUNS_MAX + 1))
        runs, before = page.runs[:RUNS_MAX], page.runs[RUNS_MAX:]
        if not before:
            earlier = RunQuery(until=shifted(since, -MICROSECOND), limit=1)
            before = (await self._history.list(tenant_id, endpoint_id, earlier)).runs
        skips = (await self._history.skips(tenant_id, endpoint_id, SKIPS_MAX)).skips
        return EndpointTimeline(
            endpoint=endpoint,
            now=stored.now,
            since=since,
            until=until,
            running=stored.running(endpoint),
            runs=tuple(reversed(runs)),
            runs_in_all=page.total,
            before=before[0] if before else None,
            nominal=self._nominal(endpoint, since, until),
            skips=tuple(skip for skip in skips if skip.first_at <= until and skip.last_at >= since),
            skips_known_from=skips[-1].first_at if len(skips) == SKIPS_MAX else None,
            hints=fresh_hints(endpoint.state.hints, stored.now),
            plans=self._plans(endpoint, stored.now, until),
        )

    def _nominal(self, endpoint: JobEndpoint, since: datetime, until: datetime) -> tuple[datetime, ...] | None:
        grid = Grid(endpoint, self._cron)
        instants = tuple(islice(grid.between(shifted(since, -MICROSECOND), until), NOMINAL_MAX + 1))
        return instants if len(instants) <= NOMINAL_MAX else None

    def _plans(self, endpoint: JobEndpoint, now: datetime, until: datetime) -> tuple[Plan, ...]:
        if until <= now:
            return ()
        plans = preview(endpoint, now, self._cron, PLANS_MAX)
        return tuple(plan for plan in plans if plan.next_run_at is not None and plan.next_run_at <= until)
