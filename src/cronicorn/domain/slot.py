"""The end of every nominal instant that did not run."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SlotState(StrEnum):
    """How a nominal instant ended. One that ran has run rows; every other state is kept as ranges with a reason."""

    RAN = "ran"
    COALESCED = "coalesced"
    """Late, and another instant of the same stretch ran for it."""
    SUPERSEDED = "superseded"
    """A hint, a guardrail, a backoff or an edit put another instant in its place."""
    SKIPPED_OVERLAP = "skipped_overlap"
    """It came while the previous call was still running."""
    SKIPPED_PAUSED = "skipped_paused"
    SKIPPED_QUOTA = "skipped_quota"
    """Its tenant's runs of the month were used up."""
    CANCELLED = "canceled"
    """A person took back a manual run before it began."""
    MISSED_WINDOW = "missed_window"
    """Nobody could run it within its catch-up window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A range of nominal instants that ended in the same state for the same reason."""

    state: SlotState
    reason: str
    first_at: datetime
    last_at: datetime
    count: int
    """0 of a slot that stood for no instant: one of a hint, or one that a person asked for."""
    exact: bool = True
    """False when there were more than `count` instants: ranges of dense cron schedules are not counted to the end."""
