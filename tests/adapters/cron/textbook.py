"""What cron should answer, the slow and obvious way: no cronsim, no cleverness. For comparison only."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cronicorn.domain.cron import CronSchedule, DstGap, DstOverlap

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def values(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        first, dash, last = body.partition("-")
        if body == "*":
            begin, end = low, high
        elif dash:
            begin, end = int(first), int(last)
        else:
            begin, end = int(first), high if step else int(first)
        found.update(range(begin, end + 1, int(step or 1)))
    return found


class Textbook:
    """Five numeric fields; days are OR-ed unless one of the two day fields starts with `*`."""

    def __init__(self, expression: str) -> None:
        self.fields = expression.split()
        self.minutes, self.hours, self.days, self.months, self.weekdays = (
            values(text, low, high) for text, (low, high) in zip(self.fields, BOUNDS, strict=True)
        )

    def on(self, day: date) -> bool:
        by_date = day.day in self.days
        by_weekday = bool({day.isoweekday(), day.isoweekday() % 7} & self.weekdays)
        both = self.fields[2].startswith("*") or self.fields[4].startswith("*")
        return day.month in self.months and (by_date and by_weekday if both else by_date or by_weekday)

    def at(self, local: datetime) -> bool:
        return local.minute in self.minutes and local.hour in self.hours and self.on(local.date())

    def follows_the_clock(self) -> bool:
        return self.fields[0].startswith("*") or self.fields[1].startswith("*")


def next_in_utc(expression: str, after: datetime, days_max: int) -> datetime | None:
    """Minute by minute, on the days that match."""
    book = Textbook(expression)
    for day in range(days_max):
        midnight = datetime.combine(after.date() + day * DAY, datetime.min.time(), UTC)
        if book.on(midnight.date()):
            minutes = (midnight + minute * MINUTE for minute in range(1440))
            found = next((moment for moment in minutes if moment > after and book.at(moment)), None)
            if found:
                return found
    return None


def instants(schedule: CronSchedule, begin: datetime, end: datetime) -> list[datetime]:
    """All instants of *schedule* in [begin, end), in order, each once: the zone's clock is watched minute by minute."""
    return sorted({instant for instant in _walk(schedule, begin, end) if begin <= instant < end})


def _walk(schedule: CronSchedule, begin: datetime, end: datetime) -> Iterator[datetime]:
    book, zone = Textbook(schedule.expression), ZoneInfo(schedule.zone)
    before = (begin - DAY - MINUTE).astimezone(zone)
    moment = begin - DAY
    while moment < end:
        local = moment.astimezone(zone)
        skipped = before.replace(tzinfo=None) + MINUTE
        while skipped < local.replace(tzinfo=None):
            if book.at(skipped):
                yield from _skipped(schedule, book, skipped, before, moment)
            skipped += MINUTE
        if book.at(local) and _wanted(schedule, book, local):
            yield moment
        before, moment = local, moment + MINUTE


def _skipped(
    schedule: CronSchedule, book: Textbook, skipped: datetime, before: datetime, moment: datetime
) -> Iterator[datetime]:
    offset = before.utcoffset()
    assert offset is not None
    if schedule.dst_gap is DstGap.SHIFT:
        yield (skipped - offset).replace(tzinfo=UTC)
    elif schedule.dst_gap is DstGap.RUN_AFTER and not book.follows_the_clock():
        yield moment


def _wanted(schedule: CronSchedule, book: Textbook, local: datetime) -> bool:
    first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
    if first == second or schedule.dst_overlap is DstOverlap.BOTH:
        return True
    if schedule.dst_overlap is DstOverlap.DEBIAN:
        return book.follows_the_clock() or local.fold == 0
    return local.fold == (0 if schedule.dst_overlap is DstOverlap.FIRST else 1)
