"""Waiting after failures: longer each time for each endpoint apart, and for all when only a person can mend it."""

import logging
from datetime import datetime, timedelta

from cronicorn.domain.analysis.watching import NOT_ASKED_BEFORE
from cronicorn.domain.instant import shifted
from cronicorn.domain.ports import Clock
from cronicorn.scheduler.ai import AIFatalError, AITransientError

log = logging.getLogger(__name__)

WAIT_LEAST = timedelta(minutes=5)
WAIT_MOST = timedelta(hours=6)
_KEPT_MAX = 10_000
"""Of more endpoints the oldest failures are forgotten: they are tried again, at worst in vain."""


class Backoff:
    """Who failed, how often in a row, and when to try again; by this process's clock and in its memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waits: dict[str, tuple[float, timedelta]] = {}

    def may(self, key: str) -> bool:
        """Whether it is time to try."""
        until, _ = self._waits.get(key, (float("-inf"), WAIT_LEAST))
        return self._clock.monotonic() >= until

    def failed(self, key: str, retry_after: timedelta | None = None) -> None:
        """Wait: twice as long as the last time, and not shorter than *retry_after*."""
        _, last = self._waits.pop(key, (0.0, WAIT_LEAST / 2))
        wait = max(min(last * 2, WAIT_MOST), retry_after or WAIT_LEAST)
        self._waits[key] = (self._clock.monotonic() + wait.total_seconds(), min(wait, WAIT_MOST))
        while len(self._waits) > _KEPT_MAX:
            del self._waits[next(iter(self._waits))]

    def worked(self, key: str) -> None:
        """Forget its failures."""
        self._waits.pop(key, None)


class ModelPause:
    """After the model refused us, nobody is asked about anything for *pause*; by this process's clock."""

    def __init__(self, clock: Clock, pause: timedelta) -> None:
        self._clock = clock
        self._pause = pause
        self._until = float("-inf")
        self._told = ""

    @property
    def holds(self) -> bool:
        """Whether nobody is asked now."""
        return self._clock.monotonic() < self._until

    def told(self, now: datetime) -> AITransientError:
        """What somebody reads who asks at *now*, while nobody is asked."""
        left = timedelta(seconds=self._until - self._clock.monotonic())
        until = shifted(now, left).isoformat(timespec="seconds")
        return AITransientError(f"{NOT_ASKED_BEFORE} {until}, unless the planner is started anew: {self._told}")

    def note(self, error: AIFatalError | AITransientError, facts: dict[str, str]) -> None:
        """Tell what went wrong. Only what a person has to mend holds everybody back."""
        if isinstance(error, AIFatalError):
            self._until = self._clock.monotonic() + self._pause.total_seconds()
            self._told = str(error)
            log.error("planner_stopped", extra={**facts, "reason": str(error)})
        else:
            log.warning("model_failed", extra={**facts, "reason": str(error)})
