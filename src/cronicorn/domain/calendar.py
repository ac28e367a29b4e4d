"""When what is counted by the day or the month begins anew: on the wall of some time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from cronicorn.domain.instant import DAY

_SECOND = timedelta(seconds=1)


class Period(StrEnum):
    """How long a window lasts."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From `start_at` to just before `end_at`, in UTC. One ends when the next begins, with nothing between."""

    start_at: datetime
    end_at: datetime

    def __post_init__(self) -> None:
        assert self.start_at < self.end_at

    def holds(self, at: datetime) -> bool:
        """Whether *at* lies in it."""
        return self.start_at <= at < self.end_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Days or months in a time zone, which `zoneinfo.ZoneInfo` makes of an IANA name."""

    period: Period = Period.DAY
    zone: tzinfo = UTC

    @property
    def name(self) -> str:
        """Tells calendars apart, such as `day Europe/Berlin`."""
        return f"{self.period} {self.zone}"

    def window_at(self, at: datetime) -> Window:
        """The window that holds *at*, an instant of the years 2 to 9998.

        A window begins with the first instant that has its date. Where a clock set back repeats the end of the day
        before, the window goes on: windows have no holes. A date that a zone left out has no window.
        """
        first = self._first_of(at.astimezone(self.zone).date())
        while at < _beginning(first, self.zone):
            first = self._first_of(first - DAY)
        while at >= _beginning(self._after(first), self.zone):
            first = self._after(first)
        return Window(start_at=_beginning(first, self.zone), end_at=_beginning(self._after(first), self.zone))

    def _first_of(self, day: date) -> date:
        return day if self.period is Period.DAY else day.replace(day=1)

    def _after(self, first: date) -> date:
        """The first date of the window after that of *first*."""
        return self._first_of(first + DAY if self.period is Period.DAY else first.replace(day=28) + 4 * DAY)


def _beginning(day: date, zone: tzinfo) -> datetime:
    """The first instant that has the date *day* in *zone*, or a later one."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    before, after = (midnight.replace(fold=fold).astimezone(UTC) for fold in (0, 1))  # PEP 495
    if before <= after:  # Midnight comes once, or twice, and then the first counts.
        return before
    while before - after > _SECOND:  # The clock jumps over midnight. Somewhere between is where it jumps.
        middle = (after + (before - after) / 2).replace(microsecond=0)
        if middle.astimezone(zone).date() >= day:
            before = middle
        else:
            after = middle
    return before
