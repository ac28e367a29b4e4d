"""How long the next instant of a cron schedule takes, cold and warm, against the parser it is built on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from cronsim import CronSim

from benchmarks.report import Report, Row, microseconds_each
from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.cron import CronSchedule

_AFTER = datetime(2026, 3, 1, 12, 34, tzinfo=UTC)
_EXPRESSIONS = ("* * * * *", "*/5 9-17 * * 1-5", "30 4 1,15 * 5", "0 0 29 2 *")


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    number = 20 if quick else 200
    rows: list[Row] = []
    for expression in _EXPRESSIONS:
        for zone in ("UTC", "Europe/Berlin"):
            bound = microseconds_each(_parsed_anew(expression, zone), number=number)
            for name, function in _cases(expression, zone).items():
                mean = microseconds_each(function, number=number)
                rows.append(
                    {"expression": expression, "zone": zone, "what": name, "µs": mean, "times cronsim": mean / bound}
                )
    about = "µs per next instant; cronsim = parse and first step of the library alone"
    Report(name="cron", about=about, rows=rows).show(as_json=as_json)


def _parsed_anew(expression: str, zone: str) -> Callable[[], object]:
    after = _AFTER.astimezone(ZoneInfo(zone))
    return lambda: next(CronSim(expression, after))


def _cases(expression: str, zone: str) -> dict[str, Callable[[], object]]:
    schedule = CronSchedule(expression, zone)
    cron = CronsimCron()
    steps = count()

    def moving() -> object:
        return cron.next(schedule, _AFTER + timedelta(days=next(steps) % 3_000))

    return {"same question again": lambda: cron.next(schedule, _AFTER), "a new instant each time": moving}
