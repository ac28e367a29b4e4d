"""The baseline grid: the instants an endpoint runs at when nothing steers it.

Instants here are effective ones: nominal plus the endpoint's stable offset inside its window. Because the offset is
the same for every instant, the effective grid is the nominal one moved, and no instant is lost or met twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from cronicorn.domain.endpoint import INTERVAL_DEFAULT, BaselineKind, JobEndpoint
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import LAST_INSTANT, MICROSECOND, ZERO, shifted, stable_fraction
from cronicorn.domain.ports import Cron

COUNT_MAX = 1_000
"""Instants of a cron schedule are counted up to here; a longer range says so."""
_LOOKBACK_FIRST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Count:
    """How many instants a stretch of time holds, and the ends of it."""

    first_at: datetime
    last_at: datetime
    number: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """The effective baseline instants of one endpoint. An interval without anchor has none of its own."""

    endpoint: JobEndpoint
    cron: Cron

    @property
    def offset(self) -> timedelta:
        """The endpoint's stable offset: never longer than its interval."""
        baseline = self.endpoint.baseline
        if baseline.window <= ZERO or baseline.kind not in {BaselineKind.CRON, BaselineKind.INTERVAL}:
            return ZERO
        window = baseline.window
        if baseline.kind is BaselineKind.INTERVAL and baseline.interval is not None:
            window = min(window, baseline.interval)
        return window * stable_fraction(self.endpoint.id)

    def next(self, after: datetime) -> datetime | None:
        """The first instant strictly after *after*; None when there is none."""
        offset = self.offset
        nominal = self._next_nominal(shifted(after, -offset))
        return None if nominal is None else shifted(nominal, offset)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The instants in (*after*, *until*], in order."""
        instant = self.next(after)
        while instant is not None and instant <= until:
            yield instant
            instant = self.next(instant)

    def latest(self, after: datetime, until: datetime, number: int = 1) -> list[datetime]:
        """The last *number* instants in (*after*, *until*], in order."""
        interval = self._step()
        lookback = _LOOKBACK_FIRST if interval is None else interval * (number + 1)
        while True:
            start = max(after, shifted(until, -lookback))
            found = list(islice(self.between(start, until), 100_000))
            if len(found) >= number or start == after:
                return found[-number:]
            lookback = min(lookback * 8, LAST_INSTANT - after)

    def count(self, after: datetime, until: datetime) -> Count | None:
        """The instants in (*after*, *until*] as a range; None when there are none. Cheap however long it is."""
        first = self.next(after)
        if first is None or first > until:
            return None
        interval = self._step()
        if interval is not None:
            number = (until - first) // interval + 1
            return Count(first, first + (number - 1) * interval, number, exact=True)
        found = list(islice(self.between(after, until), COUNT_MAX))
        if len(found) < COUNT_MAX:
            return Count(first, found[-1], len(found), exact=True)
        return Count(first, self.latest(after, until)[-1], COUNT_MAX, exact=False)

    def _step(self) -> timedelta | None:
        baseline = self.endpoint.baseline
        return baseline.interval if baseline.kind is BaselineKind.INTERVAL else None

    def _next_nominal(self, after: datetime) -> datetime | None:
        baseline = self.endpoint.baseline
        match baseline.kind:
            case BaselineKind.CRON:
                return self._next_cron(after)
            case BaselineKind.INTERVAL:
                interval = INTERVAL_DEFAULT if baseline.interval is None else baseline.interval
                return next_on_grid(baseline.anchor_at, interval, after)
            case BaselineKind.ONCE:
                return baseline.once_at if baseline.once_at is not None and baseline.once_at > after else None
            case BaselineKind.DORMANT:
                return None

    def _next_cron(self, after: datetime) -> datetime | None:
        try:
            return self.cron.next(self.endpoint.baseline.cron_schedule, after)
        except InvalidInputError:
            return (
                None  # An old row that today's doors would refuse: it never comes due, and the trace says so.
            )


def next_on_grid(anchor: datetime | None, step: timedelta, after: datetime) -> datetime | None:
    """The first of `anchor + n * step` strictly after *after*; None without an anchor or a positive step."""
    if anchor is None or step < MICROSECOND:
        return None
    passed = (after - anchor) // step + 1
    try:
        return anchor + passed * step
    except OverflowError:
        return None
