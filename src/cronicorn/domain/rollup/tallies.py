"""What is counted of runs, and of what span of hours it is asked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.instant import EPOCH, HOUR, shifted
from cronicorn.domain.plan import Source
from cronicorn.domain.run import Run, RunStatus

KEPT_LONGER = timedelta(days=366)
"""Counts of an endpoint outlast its runs by so long; those of a job stay."""


def hour_of(instant: datetime) -> datetime:
    """The beginning of the hour of *instant*, by UTC."""
    return instant.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSpan:
    """Whole hours of a tenant, by UTC, in steps of equal length that are counted from 1970 on."""

    since: datetime
    until: datetime
    """The first hour that is not part of it."""
    step: timedelta = HOUR
    job_id: str | None = None
    """Only what is of this job."""

    def __post_init__(self) -> None:
        assert hour_of(self.since) == self.since <= self.until == hour_of(self.until)
        assert self.step >= HOUR
        assert not self.step % HOUR

    def steps(self) -> tuple[datetime, ...]:
        """When each step begins, the first one maybe before the span."""
        first = self.since - (self.since - EPOCH) % self.step
        count = -((first - self.until) // self.step)
        return tuple(first + number * self.step for number in range(count))

    def before(self) -> "HourSpan":
        """The span of the same length that ends where this one begins."""
        since = hour_of(shifted(self.since, self.since - self.until))
        return HourSpan(since=since, until=self.since, step=self.step, job_id=self.job_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourPart:
    """A part of one hour, or all of it."""

    since: datetime
    until: datetime
    """The first instant that is not part of it."""
    job_id: str | None = None
    """Only what is of this job."""
    after: str | None = None
    """Of what began in its last microsecond only what comes after the run, or the analysis, with this id."""

    def __post_init__(self) -> None:
        assert self.since <= self.until <= hour_of(self.since) + HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTally:
    """Runs of one source and status."""

    source: Source
    status: RunStatus
    runs: int
    duration: timedelta
    """Of all of them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTally:
    """Runs of a job, those of its deleted endpoints too."""

    job_id: str
    job_name: str
    tally: RunTally


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTally:
    """Runs that began in one step of a span."""

    begins_at: datetime
    tally: RunTally


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTally:
    """Runs of an endpoint that began in one step of a span."""

    endpoint_id: str
    endpoint_name: str
    begins_at: datetime
    tally: RunTally


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisTally:
    """Analyses of an endpoint that began in one step of a span."""

    endpoint_id: str
    endpoint_name: str
    begins_at: datetime
    analyses: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """How many there are now: of jobs that are active, and of endpoints that are not archived, nor their job."""

    jobs: int
    endpoints: int
    paused: int
    """Of the endpoints: by themselves, or with their job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run without its body, and whose it is."""

    run: Run
    endpoint_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAnalysis:
    """An analysis, and whose it is."""

    analysis: Analysis
    endpoint_name: str
