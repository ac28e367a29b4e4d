"""Clocks that stand still until a test moves them."""

from datetime import datetime, timedelta

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import Clock


class VirtualClock(Clock):
    """Shows the instant that was set. Safe to read from any thread."""

    def __init__(self, now: datetime = MIDNIGHT) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, by: timedelta) -> None:
        """Let *by* pass."""
        self._monotonic += by.total_seconds()
        self._now = shifted(self._now, by)

    def jump(self, to: datetime) -> None:
        """Show *to* from now on, as a clock does that is set anew; no time passes."""
        self._now = to
