"""The database's clock as this process knows it: its own monotonic clock, moved by what claims answer."""

import logging
import time
from datetime import datetime

from cronicorn.domain.instant import instant_of
from cronicorn.domain.ports import Clock

log = logging.getLogger(__name__)

ALWAYS = (-(1 << 62), 1 << 62)
NEVER = (1, 0)
_SECOND_US = 1_000_000
_STEP_SHARE = 3
"""A third of a lease is what the two clocks may part by before nothing is taken over."""


class FleetClock:
    """Estimates the database's clock, and notices when it is set or when another server answers.

    For one lease's length after that nothing is taken over: leases that only look expired are renewed meanwhile, by
    whoever holds them. *judge* stands in for both clocks: in tests.
    """

    def __init__(self, judge: Clock | None = None) -> None:
        self._judge = judge
        self._ahead_us: tuple[int, int] | None = None
        """By how much the database's clock is ahead of the monotonic one: at least, and at most."""
        self._server: str | None = None
        self._grace_until = 0.0

    def monotonic(self) -> float:
        """Seconds, never going back."""
        return self._judge.monotonic() if self._judge is not None else time.monotonic()

    def now(self) -> datetime | None:
        """The instant by the database's clock, or up to a quick claim's trip later; None before the first claim."""
        if self._judge is not None:
            return self._judge.now()
        if self._ahead_us is None:
            return None
        return instant_of(_us(self.monotonic()) + self._ahead_us[1])

    def takeover_window_us(self, ttl_us: int) -> tuple[int, int]:
        """Between which instants of the database's clock expired leases may be taken over now, by a claim for *ttl_us*.

        The claim itself looks, so that not even the first one after a step takes what only looks expired.
        """
        sent = self.monotonic()
        if sent < self._grace_until:
            return NEVER
        if self._ahead_us is None:
            return ALWAYS
        tolerance = ttl_us // _STEP_SHARE
        return _us(sent) + self._ahead_us[0] - tolerance, _us(sent) + self._ahead_us[1] + tolerance

    def grace_left(self) -> float:
        """For how many seconds nothing is taken over yet."""
        return max(0.0, self._grace_until - self.monotonic())

    def observe(self, sent: float, now_us: int, ttl_us: int) -> None:
        """A claim for *ttl_us*, sent at the monotonic time *sent* and answered now, was told the instant *now_us*."""
        ahead = now_us - _us(self.monotonic()), now_us - _us(sent)
        before, self._ahead_us = self._ahead_us, ahead
        if before is None:
            return
        # A claim that hung says little: what quicker ones told holds on, or instants that are still to come would count
        # as passed. Where the two contradict each other, the clocks have parted, and the newer is right.
        narrowed = max(ahead[0], before[0]), min(ahead[1], before[1])
        if narrowed[0] <= narrowed[1]:
            self._ahead_us = narrowed
        step = ahead[0] - before[1] if ahead[0] > before[1] else min(0, ahead[1] - before[0])
        if abs(step) > ttl_us // _STEP_SHARE:
            self._wait(ttl_us)
            log.warning("database_clock_stepped", extra={"by_s": round(step / _SECOND_US, 3)})

    def answered_by(self, server: str | None, ttl_us: int) -> None:
        """What identifies the server and its timeline, where it could be asked."""
        if server is not None and self._server is not None and server != self._server:
            self._wait(ttl_us)
            log.warning("database_failed_over", extra={"server": server})
        self._server = server or self._server

    def _wait(self, ttl_us: int) -> None:
        self._grace_until = self.monotonic() + ttl_us / _SECOND_US


def _us(seconds: float) -> int:
    return int(seconds * _SECOND_US)
