"""Waiting longer after each failure, for each endpoint apart."""

from datetime import timedelta

from cronicorn.domain.ports import Clock

WAIT_LEAST = timedelta(minutes=5)
WAIT_MOST = timedelta(hours=6)
_KEPT_MAX = 10_000
"""Of more endpoints the oldest failures are forgotten: they are tried again, at worst in vain."""


class Patience:
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
