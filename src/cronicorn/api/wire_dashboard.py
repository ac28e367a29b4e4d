"""Dashboards and activity on the wire. Steps of series are named by the instant at which they begin, in UTC."""

from collections.abc import Sequence

from pydantic import Field

from cronicorn.api.wire_analyses import SessionWarningAnswer, ToolCallAnswer, session_answer
from cronicorn.api.wire_values import Answer, Instant, Omittable, milliseconds, whole_milliseconds
from cronicorn.control.activity import ActivityPage, PastEvent
from cronicorn.control.analyses import AnalysisView
from cronicorn.control.dashboards import Dashboard, Fared, JobFared, RateTrend
from cronicorn.domain.instant import instant_text
from cronicorn.domain.rollup.tallies import PastRun

HEADROOM = 1.1
"""A chart is so much taller than what is stacked in it."""


class JobsCountedAnswer(Answer):
    """How many jobs are active now."""

    total: int


class EndpointsCountedAnswer(Answer):
    """How many endpoints there are now that are not archived."""

    total: int
    active: int
    paused: int


class SuccessRateAnswer(Answer):
    """Percent of the runs that succeeded, and where that goes."""

    overall: float
    trend: RateTrend


class RecentActivityAnswer(Answer):
    """Runs of the present hour and the 23 before it."""

    # The names that are made of these would have a capital H.
    runs24h: int = Field(alias="runs24h")
    success24h: int = Field(alias="success24h")
    failure24h: int = Field(alias="failure24h")


class JobHealthAnswer(Answer):
    """How the runs of a job fared."""

    job_id: str
    job_name: str
    success_count: int
    failure_count: int


class FilteredMetricsAnswer(Answer):
    """How all runs fared that were asked for."""

    total_runs: int
    success_count: int
    failure_count: int
    avg_duration_ms: float | None


class SourceCountAnswer(Answer):
    """Runs of one source."""

    source: str
    count: int


class RunPointAnswer(Answer):
    """Runs of one step."""

    date: str
    success: int
    failure: int


class EndpointPointAnswer(RunPointAnswer):
    """Runs of an endpoint in one step."""

    endpoint_id: str
    endpoint_name: str
    total_duration_ms: int


class SessionPointAnswer(Answer):
    """Analyses of an endpoint in one step."""

    date: str
    endpoint_id: str
    endpoint_name: str
    session_count: int
    total_tokens: int


class DashboardAnswer(Answer):
    """A dashboard. Its numbers are of whole hours: from `since` to before `until`, in steps of `stepMs`."""

    jobs: JobsCountedAnswer
    endpoints: EndpointsCountedAnswer
    success_rate: SuccessRateAnswer
    recent_activity: RecentActivityAnswer
    job_health: list[JobHealthAnswer]
    filtered_metrics: FilteredMetricsAnswer
    source_distribution: list[SourceCountAnswer]
    run_time_series: list[RunPointAnswer]
    endpoint_time_series: list[EndpointPointAnswer]
    endpoint_time_series_max_stacked: float
    ai_session_time_series: list[SessionPointAnswer]
    ai_session_time_series_max_stacked: float
    since: Instant
    until: Instant
    step_ms: int


class EventAnswer(Answer):
    """A run or an analysis."""

    type: str
    id: str
    endpoint_id: str
    endpoint_name: str
    timestamp: Instant
    status: Omittable[str] = None
    duration_ms: Omittable[int] = None
    source: Omittable[str] = None
    reasoning: Omittable[str] = None
    tool_calls: Omittable[list[ToolCallAnswer]] = None
    token_usage: Omittable[int] = None
    warnings: Omittable[list[SessionWarningAnswer]] = None


class ActivitySummaryAnswer(Answer):
    """How many events there are of each kind, those of deleted endpoints too."""

    runs_count: int
    sessions_count: int
    success_rate: float


class ActivityAnswer(Answer):
    """Events, newest first."""

    events: list[EventAnswer]
    total: int
    summary: ActivitySummaryAnswer
    next_cursor: Omittable[str] = None
    """What to ask with as `cursor` for the next ones; left out at the end."""


def dashboard_answer(shown: Dashboard) -> DashboardAnswer:
    """*shown* on the wire."""
    dates = [instant_text(step) for step in shown.span.steps()]
    census, fared = shown.census, shown.fared
    return DashboardAnswer(
        jobs=JobsCountedAnswer(total=census.jobs),
        endpoints=EndpointsCountedAnswer(
            total=census.endpoints, active=census.endpoints - census.paused, paused=census.paused
        ),
        success_rate=SuccessRateAnswer(overall=fared.rate, trend=shown.trend),
        recent_activity=_recent(shown.last_day),
        job_health=[_job_health(job) for job in shown.jobs],
        filtered_metrics=_metrics(fared),
        source_distribution=[SourceCountAnswer(source=source, count=count) for source, count in shown.sources],
        run_time_series=[
            RunPointAnswer(date=date, success=step.success, failure=step.failure)
            for date, step in zip(dates, shown.steps, strict=True)
        ],
        endpoint_time_series=_endpoint_points(shown, dates),
        endpoint_time_series_max_stacked=_stacked([[step.runs for step in each.steps] for each in shown.endpoints]),
        ai_session_time_series=_session_points(shown, dates),
        ai_session_time_series_max_stacked=_stacked([each.analyses for each in shown.analyses]),
        since=shown.span.since,
        until=shown.span.until,
        step_ms=whole_milliseconds(shown.span.step) or 0,
    )


def activity_answer(page: ActivityPage, next_cursor: str | None) -> ActivityAnswer:
    """*page* on the wire."""
    return ActivityAnswer(
        events=[_event(event) for event in page.events],
        total=page.runs + page.analyses,
        summary=ActivitySummaryAnswer(
            runs_count=page.runs, sessions_count=page.analyses, success_rate=page.success_rate
        ),
        next_cursor=next_cursor,
    )


def _recent(fared: Fared) -> RecentActivityAnswer:
    return RecentActivityAnswer(runs24h=fared.runs, success24h=fared.success, failure24h=fared.failure)


def _job_health(job: JobFared) -> JobHealthAnswer:
    return JobHealthAnswer(
        job_id=job.job_id, job_name=job.job_name, success_count=job.fared.success, failure_count=job.fared.failure
    )


def _metrics(fared: Fared) -> FilteredMetricsAnswer:
    return FilteredMetricsAnswer(
        total_runs=fared.runs, success_count=fared.success, failure_count=fared.failure,
        avg_duration_ms=milliseconds(fared.duration / fared.runs) if fared.runs else None,
    )  # fmt: skip


def _endpoint_points(shown: Dashboard, dates: Sequence[str]) -> list[EndpointPointAnswer]:
    return [
        EndpointPointAnswer(
            date=date, endpoint_id=each.endpoint_id, endpoint_name=each.endpoint_name, success=step.success,
            failure=step.failure, total_duration_ms=whole_milliseconds(step.duration) or 0,
        )
        for each in shown.endpoints
        for date, step in zip(dates, each.steps, strict=True)
    ]  # fmt: skip


def _session_points(shown: Dashboard, dates: Sequence[str]) -> list[SessionPointAnswer]:
    return [
        SessionPointAnswer(
            date=date, endpoint_id=each.endpoint_id, endpoint_name=each.endpoint_name, session_count=count,
            total_tokens=tokens,
        )
        for each in shown.analyses
        for date, count, tokens in zip(dates, each.analyses, each.tokens, strict=True)
    ]  # fmt: skip


def _stacked(series: Sequence[Sequence[int]]) -> float:
    """How tall a chart of *series* on top of one another is."""
    return max((sum(step) for step in zip(*series, strict=True)), default=0) * HEADROOM


def _event(event: PastEvent) -> EventAnswer:
    if isinstance(event, PastRun):
        run = event.run
        return EventAnswer(
            type="run", id=run.id, endpoint_id=run.endpoint_id, endpoint_name=event.endpoint_name,
            timestamp=run.started_at, status=run.status, duration_ms=whole_milliseconds(run.outcome.duration),
            source=run.source,
        )  # fmt: skip
    session = session_answer(AnalysisView(analysis=event.analysis, endpoint_name=event.endpoint_name))
    return EventAnswer(
        type="session", id=session.id, endpoint_id=session.endpoint_id, endpoint_name=session.endpoint_name,
        timestamp=event.analysis.at, duration_ms=session.duration_ms, reasoning=session.reasoning,
        tool_calls=session.tool_calls, token_usage=session.token_usage, warnings=session.warnings,
    )  # fmt: skip
