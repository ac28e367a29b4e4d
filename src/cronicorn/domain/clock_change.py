"""When a zone's clock jumps next, and what becomes of a schedule then: found by looking at what it does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from cronicorn.domain.cron import CronSchedule, DstGap, DstOverlap
from cronicorn.domain.endpoint import Baseline, BaselineKind
from cronicorn.domain.instant import DAY, MICROSECOND, ZERO
from cronicorn.domain.ports import Cron

LOOKED_AHEAD = timedelta(days=400)
"""A zone whose clock does not jump for so long is said to have none that does."""
_STEP = timedelta(days=3)
"""Offsets are compared so far apart: no zone's clock jumps there and back in less."""
_SECOND = timedelta(seconds=1)
_BEFORE, _AFTER = 2, 4
_BACK = (timedelta(minutes=1), timedelta(hours=1), DAY, 8 * DAY, 32 * DAY, 370 * DAY)
_COMPARED_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange:
    """One jump of a zone's clock."""

    at: datetime
    """The first instant with the new offset."""
    by: timedelta
    """Forward where it is positive: that much of local time is skipped. Else that much comes twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleAtChange:
    """What a schedule does around a jump of its zone's clock."""

    change: ClockChange
    told: str
    instants: tuple[datetime, ...] = ()
    """The last ones before it and the first ones after it; none where the clock on the wall does not matter."""


def next_clock_change(zone: tzinfo, after: datetime) -> ClockChange | None:
    """The first jump of *zone*'s clock after *after*, to the second; None where none comes within LOOKED_AHEAD."""
    low = after.astimezone(UTC).replace(microsecond=0)
    end = low + LOOKED_AHEAD
    while low < end:
        high = low + _STEP
        if _offset(low, zone) != _offset(high, zone):
            return _between(low, high, zone)
        low = high
    return None


def schedule_at_change(baseline: Baseline, zone: tzinfo, now: datetime, cron: Cron) -> ScheduleAtChange | None:
    """What *baseline* does at the next jump of the clock of *zone*, its own; None where there is nothing to tell."""
    if baseline.kind not in {BaselineKind.CRON, BaselineKind.INTERVAL}:
        return None
    change = next_clock_change(zone, now)
    if change is None:
        return None
    if baseline.kind is BaselineKind.INTERVAL:
        return ScheduleAtChange(change=change, told="An interval counts real time: it goes on evenly.")
    schedule = baseline.cron_schedule
    told = _told_gap(schedule, change, zone, cron) if change.by > ZERO else _told_overlap(schedule, change, cron)
    return ScheduleAtChange(change=change, told=told, instants=_around(schedule, change.at, cron))


def _between(low: datetime, high: datetime, zone: tzinfo) -> ClockChange:
    """The jump between *low* and *high*, whose offsets differ."""
    before, after = _offset(low, zone), _offset(high, zone)
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return ClockChange(at=high, by=after - before)


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or ZERO


def _told_gap(schedule: CronSchedule, change: ClockChange, zone: tzinfo, cron: Cron) -> str:
    left_out, right_after, later = (
        _within(schedule._replace(dst_gap=policy), change.at, change.at + change.by, cron)
        for policy in (DstGap.SKIP, DstGap.RUN_AFTER, DstGap.SHIFT)
    )
    if left_out == right_after == later:
        return "Nothing of this schedule falls into the time that is skipped."
    match schedule.dst_gap:
        case DstGap.SKIP:
            return "What falls into the time that is skipped does not run that day."
        case DstGap.RUN_AFTER:
            first = change.at.astimezone(zone).strftime("%H:%M")
            return f"What falls into the time that is skipped runs once, right after it, at {first}."
        case DstGap.SHIFT:
            return "What falls into the time that is skipped runs later by as much."


def _told_overlap(schedule: CronSchedule, change: ClockChange, cron: Cron) -> str:
    since, until = change.at + change.by, change.at - change.by
    first, second, both, own = (
        _within(schedule._replace(dst_overlap=policy), since, until, cron)
        for policy in (DstOverlap.FIRST, DstOverlap.SECOND, DstOverlap.BOTH, schedule.dst_overlap)
    )
    if first == second == both:
        return "Nothing of this schedule falls into the time that comes twice."
    if own == both:
        return "What falls into the time that comes twice runs both times."
    if own in (first, second):
        return f"What falls into the time that comes twice runs once, the {'first' if own == first else 'second'} time."
    return "Of the time that comes twice, fixed times run once, the first time, and all others both times."


def _within(schedule: CronSchedule, since: datetime, until: datetime, cron: Cron) -> list[datetime]:
    """The instants from *since* to just before *until*, or to a little after it where something was put off to then."""
    found = islice(_instants(schedule, since - MICROSECOND, cron), _COMPARED_MAX)
    return [at for at in found if at < until]


def _around(schedule: CronSchedule, at: datetime, cron: Cron) -> tuple[datetime, ...]:
    before: list[datetime] = []
    for back in _BACK:
        found = islice(_instants(schedule, at - back, cron), _COMPARED_MAX)
        before = [each for each in found if each < at]
        if len(before) >= _BEFORE:
            break
    after = islice(_instants(schedule, at - MICROSECOND, cron), _AFTER)
    return (*before[-_BEFORE:], *after)


def _instants(schedule: CronSchedule, after: datetime, cron: Cron) -> Iterator[datetime]:
    at = cron.next(schedule, after)
    while at is not None:
        yield at
        at = cron.next(schedule, at)
