"""What can be read of the past: runs, their details and health."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import FIRST_INSTANT, LAST_INSTANT
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.slot import Skip


class RunPlace(NamedTuple):
    """Where a run stands among those of its endpoint. It stays so when the run is pruned."""

    started_at: datetime
    slot: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs of an endpoint are wanted, newest first; of those that began at once the later slot first."""

    status: RunStatus | None = None
    since: datetime = FIRST_INSTANT
    """They begin at this instant or later."""
    until: datetime = LAST_INSTANT
    """They begin at this instant or earlier."""
    limit: int = 100
    offset: int = 0
    after: RunPlace | None = None
    """The place of the last run of the page before; None begins at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanQuery:
    """Which runs of an endpoint are wanted, oldest first."""

    since: datetime
    """They begin at this instant or later."""
    until: datetime
    """They begin at this instant or earlier."""
    limit: int = 100
    after: Run | None = None
    """The last run of the page before; None begins at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointQuery:
    """Which endpoints of a job are wanted, oldest first."""

    limit: int
    after: str | None = None
    """The id of the last endpoint of the page before; None begins at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs are wanted, oldest first."""

    limit: int
    after: str | None = None
    """The id of the last job of the page before; None begins at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """One page of runs, and how many there are in all."""

    runs: tuple[Run, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an endpoint fared since an instant. `failure_streak` counts over all history."""

    success_count: int
    failure_count: int
    duration_mean: timedelta | None
    last_run_at: datetime | None
    last_status: RunStatus | None
    failure_streak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipPage:
    """The newest skips of an endpoint."""

    skips: tuple[Skip, ...]


def place_of_run(run: Run) -> RunPlace:
    """Where *run* stands."""
    return RunPlace(run.started_at, run.slot, run.attempt)


def place_gone(thing: str) -> InvalidInputError:
    """The error of a page that is to begin after a *thing* that is there no more, such as `job job_1`."""
    return InvalidInputError(f"The list can't go on after {thing}, which is not there any more: begin anew.")
