"""Into which whole hours, and steps of them, a span of time falls. Pure."""

from datetime import datetime, timedelta

from cronicorn.domain.instant import DAY, EPOCH, HOUR, ZERO, shifted
from cronicorn.domain.rollup.tallies import HourSpan, hour_of

POINTS = 24
"""So many steps a chart wants, about."""
_SHORT = timedelta(days=14)
_HOURS = tuple(hours * HOUR for hours in (1, 2, 3, 4, 6, 8, 12))
_DAYS = tuple(days * DAY for days in (1, 2, 3, 7, 14))


def whole_hours(
    since: datetime, until: datetime, now: datetime, job_id: str | None = None, step: timedelta | None = None
) -> HourSpan:
    """The hours that *since* to *until* touches, none after the present one; without *step* in about POINTS of them.

    Counts know hours alone, so the span is made wider where it begins or ends within one.
    """
    present = shifted(hour_of(now), HOUR)
    last = min(-(-(until - EPOCH) // HOUR) * HOUR + EPOCH if until < present else present, present)
    first = min(max(hour_of(since), EPOCH), last)
    return HourSpan(since=first, until=last, step=step or step_of(last - first), job_id=job_id)


def step_of(length: timedelta) -> timedelta:
    """The step for a chart of *length*: of hours up to 14 days, of days beyond, and never much more than POINTS."""
    wanted, choices = length / POINTS, _HOURS if length <= _SHORT else _DAYS
    fitting = [step for step in choices if step >= wanted]
    if fitting or length <= _SHORT:
        return fitting[0] if fitting else choices[-1]
    return max(-(-wanted // choices[-1]), 1) * choices[-1] if wanted > ZERO else choices[0]
