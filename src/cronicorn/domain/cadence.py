"""The baseline grid: the instants an endpoint runs at when nothing steers it.

Instants here are effective ones: nominal plus the endpoint's stable offset inside its window. Because the offset is
the same for every instant, the effective grid is the nominal one moved, and no instant is lost or met twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import (
    ALL_TIME,
    FIRST_INSTANT,
    LAST_INSTANT,
    MICROSECOND,
    ZERO,
    shifted,
    stable_fraction,
)
from cronicorn.domain.ports import Cron

COUNT_MAX = 1_000
"""Instants of a cron schedule are counted up to here; a longer range says so."""
_LOOKBACK_FIRST = timedelta(minutes=2)
_LISTED_BEYOND = 64
"""Of a stretch so many instants more than wanted are listed before it is cut shorter."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many instants a stretch of time holds, and the ends of it."""

    first_at: datetime
    last_at: datetime
    number: int
    exact: bool


class Grid:
    """The effective baseline instants of one endpoint. An interval without anchor has none of its own.

    Remembers its last answer: settling asks about the same stretch again and again.
    """

    __slots__ = ("_answer", "_asked", "cron", "endpoint", "kind", "offset")

    def __init__(self, endpoint: JobEndpoint, cron: Cron) -> None:
        self.endpoint = endpoint
        self.cron = cron
        self.kind = endpoint.baseline.kind
        self.offset = stable_offset(endpoint)
        """How much later than its nominal instant each effective one is."""
        self._asked, self._answer = LAST_INSTANT, FIRST_INSTANT

    def next(self, after: datetime) -> datetime | None:
        """The first instant strictly after *after*; None when there is none."""
        if self._asked <= after < self._answer:
            return self._answer
        offset = self.offset
        nominal = self._next_nominal(shifted(after, -offset) if offset else after)
        if nominal is None:
            return None
        instant = shifted(nominal, offset) if offset else nominal
        if instant <= after:
            return None  # At the end of the calendar there is no later one.
        self._asked, self._answer = after, instant
        return instant

    def nominal(self, instant: datetime) -> datetime:
        """The nominal instant of an effective one."""
        return shifted(instant, -self.offset) if self.offset else instant

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The instants in (*after*, *until*], in order."""
        instant = self.next(after)
        while instant is not None and instant <= until:
            yield instant
            instant = self.next(instant)

    def latest(self, after: datetime, until: datetime, number: int = 1) -> list[datetime]:
        """The last *number* instants in (*after*, *until*], in order. Cheap however long and dense the stretch is."""
        step = self._step()
        if step is None:
            return self._latest_unstepped(after, until, number)
        first = self.next(after)
        if first is None or first > until:
            return []
        in_all = (until - first) // step + 1
        return [first + place * step for place in range(max(0, in_all - number), in_all)]

    def _latest_unstepped(self, after: datetime, until: datetime, number: int) -> list[datetime]:
        """Look back further and further until enough instants are in sight, then less far if they are too many."""
        listed_max = number + _LISTED_BEYOND
        start = max(after, shifted(until, -_LOOKBACK_FIRST))
        too_far: datetime | None = None
        too_near = until
        while True:
            found = list(islice(self.between(start, until), listed_max))
            if len(found) == listed_max:
                too_far = start
            elif len(found) >= number or start == after:
                return found[-number:]
            else:
                too_near = start
            if too_far is None:
                start = max(after, shifted(until, -8 * (until - start)))
            else:
                start = too_far + (too_near - too_far) / 2

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
        return self.endpoint.baseline.length if self.kind is BaselineKind.INTERVAL else None

    def _next_nominal(self, after: datetime) -> datetime | None:
        baseline, kind = self.endpoint.baseline, self.kind
        if kind is BaselineKind.INTERVAL:
            return next_on_grid(baseline.anchor_at, baseline.length, after)
        if kind is BaselineKind.CRON:
            return self._next_cron(after)
        once_at = baseline.once_at if kind is BaselineKind.ONCE else None
        return once_at if once_at is not None and once_at > after else None

    def _next_cron(self, after: datetime) -> datetime | None:
        try:
            return self.cron.next(self.endpoint.baseline.cron_schedule, after)
        except InvalidInputError:
            return None  # An old row that today's doors would refuse: it never comes due, and the trace says so.


def stable_offset(endpoint: JobEndpoint) -> timedelta:
    """The offset of *endpoint* inside its window: always the same, shorter than the window and the interval."""
    baseline = endpoint.baseline
    if baseline.window <= ZERO:
        return ZERO
    window = min(baseline.window, ALL_TIME)
    if baseline.kind is BaselineKind.INTERVAL:
        window = min(window, baseline.length) if baseline.anchor_at is not None else ZERO
    elif baseline.kind is not BaselineKind.CRON:
        return ZERO
    # Rounding to whole microseconds could reach the end of the window.
    return min(window * stable_fraction(endpoint.id), window - MICROSECOND) if window > ZERO else ZERO


def next_on_grid(anchor: datetime | None, step: timedelta, after: datetime) -> datetime | None:
    """The first of `anchor + n * step` strictly after *after*; None without an anchor or a positive step."""
    if anchor is None or step < MICROSECOND:
        return None
    passed = (after - anchor) // step + 1
    try:
        return anchor + passed * step
    except OverflowError:
        return None
