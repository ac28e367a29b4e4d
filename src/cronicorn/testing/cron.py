"""A cron that needs no library."""

from datetime import datetime, timedelta

from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.instant import EPOCH, shifted
from cronicorn.domain.ports import Cron


class EveryMinuteCron(Cron):
    """Reads every expression as `* * * * *`."""

    def next(self, schedule: CronSchedule, after: datetime) -> datetime | None:
        minute = timedelta(minutes=1)
        return shifted(EPOCH, ((after - EPOCH) // minute + 1) * minute)

    def check(self, schedule: CronSchedule, now: datetime) -> None:
        return
