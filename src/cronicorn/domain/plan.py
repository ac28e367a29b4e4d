"""The plan of an endpoint: when it runs next, and why then."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from cronicorn.domain.trace import Trace


class Source(StrEnum):
    """What decided the next instant."""

    PAUSED = "paused"
    CLAMPED_MIN = "clamped-min"
    CLAMPED_MAX = "clamped-max"
    AI_INTERVAL = "ai-interval"
    AI_ONESHOT = "ai-oneshot"
    BASELINE_CRON = "baseline-cron"
    BASELINE_INTERVAL = "baseline-interval"
    BASELINE_ONCE = "baseline-once"
    DORMANT = "dormant"
    """Nothing is planned: the endpoint runs only when asked, or its one instant has passed."""
    DEFERRED = "deferred"
    RETRY = "retry"
    CATCH_UP = "catch-up"
    """A nominal instant that has passed and is still to be run."""
    SUSPENDED = "suspended"
    """Nothing is planned: the endpoint is archived, or its job is paused or archived."""
    MANUAL = "manual"
    """A slot of its own that a person asked for."""
    TEST = "test"
    """A call made to try the endpoint out; no slot, no effect on the schedule."""


class Plan(NamedTuple):
    """The next instant of an endpoint."""

    next_run_at: datetime | None
    """When the call is due (UTC); None when nothing is planned."""
    source: Source
    trace: Trace
    nominal_at: datetime | None = None
    """The baseline instant this run stands for, before window, defer and clamps; None when it stands for none."""
    is_retry: bool = False
    """Whether the run is a further attempt at the slot before it."""
