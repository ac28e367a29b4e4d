"""The `Cron` port on `cronsim`.

Why cronsim: it follows Debian's cron to the letter, is pure Python, small and fast. Why not all of it: asked
afresh in the second pass of an hour that comes twice, it answers an instant of the first; where midnight is
skipped, it can answer a local time that does not exist; after a gap of half an hour, it can be half an hour off;
and it knows one policy. So cronsim says which local times an expression names, and `Timetable` says which
instants those are.

One difference is wanted: cronsim lets every expression of six fields follow the clock as it jumps, while here
`0 30 2 * * *` means what `30 2 * * *` means.
"""

from datetime import datetime
from functools import lru_cache

from cronicorn.adapters.cron.expression import check_steps, read_pattern, shown
from cronicorn.adapters.cron.timetable import Timetable
from cronicorn.adapters.cron.zone import read_zone
from cronicorn.domain.cron import CronSchedule, DstGap
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.ports import Cron


class CronsimCron(Cron):
    """Evaluates cron schedules. Thread-safe; keeps the schedules and zones used last, already read."""

    def __init__(self, *, schedules_max: int = 1024, zones_max: int = 128) -> None:
        self._timetable_of = lru_cache(maxsize=schedules_max)(self._read)
        self._zone_of = lru_cache(maxsize=zones_max)(read_zone)

    def next(self, schedule: CronSchedule, after: datetime) -> datetime | None:
        return self._timetable_of(schedule).next(after)

    def check(self, schedule: CronSchedule, now: datetime) -> None:
        """Refuse what can be read but can't be meant: a step beyond its field, times that never come.

        Raises InvalidInputError for these and for all that `next` raises it for, and says how to mend it.
        """
        timetable = self._timetable_of(schedule)
        check_steps(schedule.expression)
        if timetable.next(now) is None:
            raise InvalidInputError(
                f"The cron expression {shown(schedule.expression)} never comes: {_why_never(schedule, timetable)}"
            )

    def _read(self, schedule: CronSchedule) -> Timetable:
        return Timetable(
            read_pattern(schedule.expression),
            self._zone_of(schedule.zone),
            gap=schedule.dst_gap,
            overlap=schedule.dst_overlap,
        )


def _why_never(schedule: CronSchedule, timetable: Timetable) -> str:
    if timetable.pattern.cronsim is None:
        return "no date has this day of the month, month and day of the week. Change one of the three."
    if schedule.dst_gap is DstGap.SKIP:
        return (
            f"the clock in {schedule.zone} skips every time it names, and skipped times do not run. "
            "Choose another time, or the gap policy `run_after` or `shift`."
        )
    return "nothing in the next 50 years matches. Choose another time."
