"""Dashboards: how many runs there were, and how they fared, from what was counted as they were settled."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.domain.instant import DAY, HOUR, MICROSECOND, ZERO, shifted
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Clock
from cronicorn.domain.principal import Principal
from cronicorn.domain.rollup.ports import Rollups
from cronicorn.domain.rollup.steps import whole_hours
from cronicorn.domain.rollup.tallies import AnalysisTally, Census, HourSpan, JobTally, RunTally, hour_of
from cronicorn.domain.run import RunStatus

SHOWN_DEFAULT = timedelta(days=7)
SERIES_MAX = 100
ROWS_MAX = 200_000
"""Which endpoints are the busiest is found out from about so many hours of endpoints; of more, from some of them."""
TREND_POINTS = 2.0
"""A success rate that differs by so many points from the one before is a trend."""


class RateTrend(StrEnum):
    """Where the success rate goes, against the span of the same length before."""

    UP = "up"
    DOWN = "down"
    STABLE = "stable"


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardQuery:
    """What a dashboard is to show."""

    since: datetime | None = None
    """None: SHOWN_DEFAULT before `until`."""
    until: datetime | None = None
    """What begins then is not shown any more; None: now, and what begins now is."""
    job_id: str | None = None
    source: str | None = None
    """A `Source`, or a text that no run has."""
    series: int = 20
    """So many endpoints are shown by themselves, the busiest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fared:
    """How runs fared. Cancelled ones are neither."""

    success: int = 0
    failure: int = 0
    duration: timedelta = ZERO

    @classmethod
    def of(cls, tallies: Iterable[RunTally]) -> Self:
        """How all runs in *tallies* fared."""
        success, failure, duration = 0, 0, ZERO
        for tally in tallies:
            if tally.status is RunStatus.CANCELLED:
                continue
            duration += tally.duration
            if tally.status is RunStatus.FAILED:
                failure += tally.runs
            else:
                success += tally.runs
        return cls(success=success, failure=failure, duration=duration)

    @property
    def runs(self) -> int:
        return self.success + self.failure

    @property
    def rate(self) -> float:
        """Percent that succeeded, in tenths; 0 of nothing."""
        return round(100 * self.success / self.runs, 1) if self.runs else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFared:
    """How the runs of a job fared."""

    job_id: str
    job_name: str
    fared: Fared


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSeries:
    """How the runs of an endpoint fared, step by step."""

    endpoint_id: str
    endpoint_name: str
    steps: tuple[Fared, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisSeries:
    """Analyses of an endpoint and their tokens, step by step."""

    endpoint_id: str
    endpoint_name: str
    analyses: tuple[int, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """What a dashboard shows. All but `sources` and `analyses` is of the source that was asked for."""

    span: HourSpan
    census: Census
    fared: Fared
    trend: RateTrend
    last_day: Fared
    """In the present hour and the 23 before it."""
    jobs: tuple[JobFared, ...]
    """Those with runs, in the order in which they were made."""
    sources: tuple[tuple[Source, int], ...]
    """Runs by source, whatever source was asked for; the most frequent first."""
    steps: tuple[Fared, ...]
    """One for each step of `span`."""
    endpoints: tuple[EndpointSeries, ...]
    analyses: tuple[AnalysisSeries, ...]


class Dashboards:
    """Adds up what was counted. Costs the hours that are shown, whatever the number of runs."""

    def __init__(self, rollups: Rollups, clock: Clock) -> None:
        self._rollups = rollups
        self._clock = clock

    @operation(Operation.DASHBOARD_SHOW)
    async def show(self, principal: Principal, query: DashboardQuery) -> Dashboard:
        """The dashboard. Raises InvalidInputError for a span that ends before it begins."""
        tenant_id, now = principal.tenant_id, self._clock.now()
        span, last_day = _span(query, now), _last_day(query, now)
        census = await self._rollups.census(tenant_id, query.job_id)
        by_job = await self._rollups.by_job(tenant_id, span)
        by_step = await self._rollups.by_step(tenant_id, span)
        fared = _fared(query, (job.tally for job in by_job))
        before = _fared(query, (job.tally for job in await self._rollups.by_job(tenant_id, span.before())))
        begun: dict[datetime, list[RunTally]] = defaultdict(list)
        for step in by_step:
            begun[step.begins_at].append(step.tally)
        return Dashboard(
            span=span,
            census=census,
            fared=fared,
            trend=_trend(fared, before),
            last_day=_fared(query, (job.tally for job in await self._rollups.by_job(tenant_id, last_day))),
            jobs=_jobs(query, by_job),
            sources=_sources(job.tally for job in by_job),
            steps=tuple(_fared(query, begun[step]) for step in span.steps()),
            endpoints=await self._endpoints(tenant_id, query, span, census.endpoints),
            analyses=_analyses(await self._rollups.analyses(tenant_id, span), span, query.series),
        )

    async def _endpoints(
        self, tenant_id: str, query: DashboardQuery, span: HourSpan, endpoints: int
    ) -> tuple[EndpointSeries, ...]:
        if query.source is not None and query.source not in set(Source):
            return ()
        source = Source(query.source) if query.source is not None else None
        begun: dict[tuple[str, str], dict[datetime, list[RunTally]]] = {}
        every = max(1, -(-endpoints * ((span.until - span.since) // HOUR) // ROWS_MAX))
        for each in await self._rollups.busiest(tenant_id, span, query.series, source, every):
            steps = begun.setdefault((each.endpoint_id, each.endpoint_name), defaultdict(list))
            steps[each.begins_at].append(each.tally)
        return tuple(
            EndpointSeries(
                endpoint_id=endpoint_id, endpoint_name=name,
                steps=tuple(_fared(query, steps[step]) for step in span.steps()),
            )
            for (endpoint_id, name), steps in begun.items()
        )  # fmt: skip


def _span(query: DashboardQuery, now: datetime) -> HourSpan:
    until = query.until if query.until is not None else shifted(now, MICROSECOND)
    since = query.since if query.since is not None else shifted(until, -SHOWN_DEFAULT)
    check_order(since, until)
    return whole_hours(since, until, now, query.job_id)


def check_order(since: datetime, until: datetime) -> None:
    """Raise InvalidInputError unless *since* comes before *until*."""
    if since > until:
        raise refused("", "startDate is after endDate: exchange them, or leave one out.")


def _last_day(query: DashboardQuery, now: datetime) -> HourSpan:
    until = shifted(hour_of(now), HOUR)
    return HourSpan(since=shifted(until, -DAY), until=until, job_id=query.job_id)


def _fared(query: DashboardQuery, tallies: Iterable[RunTally]) -> Fared:
    return Fared.of(tally for tally in tallies if query.source in {None, tally.source.value})


def _trend(now: Fared, before: Fared) -> RateTrend:
    if not now.runs or not before.runs or abs(now.rate - before.rate) < TREND_POINTS:
        return RateTrend.STABLE
    return RateTrend.UP if now.rate > before.rate else RateTrend.DOWN


def _jobs(query: DashboardQuery, by_job: Sequence[JobTally]) -> tuple[JobFared, ...]:
    tallies: dict[tuple[str, str], list[RunTally]] = {}
    for each in by_job:
        tallies.setdefault((each.job_id, each.job_name), []).append(each.tally)
    jobs = [JobFared(job_id=id_, job_name=name, fared=_fared(query, own)) for (id_, name), own in tallies.items()]
    return tuple(job for job in jobs if job.fared.runs)


def _sources(tallies: Iterable[RunTally]) -> tuple[tuple[Source, int], ...]:
    runs: dict[Source, int] = defaultdict(int)
    for tally in tallies:
        runs[tally.source] += tally.runs
    return tuple(sorted(runs.items(), key=lambda each: (-each[1], each[0])))


def _analyses(tallies: Sequence[AnalysisTally], span: HourSpan, limit: int) -> tuple[AnalysisSeries, ...]:
    by_endpoint: dict[tuple[str, str], dict[datetime, AnalysisTally]] = {}
    for each in tallies:
        by_endpoint.setdefault((each.endpoint_id, each.endpoint_name), {})[each.begins_at] = each
    series = [
        AnalysisSeries(
            endpoint_id=endpoint_id, endpoint_name=name,
            analyses=tuple(steps[step].analyses if step in steps else 0 for step in span.steps()),
            tokens=tuple(steps[step].tokens if step in steps else 0 for step in span.steps()),
        )
        for (endpoint_id, name), steps in by_endpoint.items()
    ]  # fmt: skip
    return tuple(sorted(series, key=lambda each: (-sum(each.analyses), each.endpoint_id))[:limit])
