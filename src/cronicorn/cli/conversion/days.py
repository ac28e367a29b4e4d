"""Cron expressions that restrict the day of the month and the day of the week: what that means, there and here."""

_FIELDS = 5
_EITHER = "Day of month and day of week are both restricted: it runs when either fits, there and here."
_BOTH = "Day of month and day of week are both restricted, one as */N: it runs when both fit, there and here."
_DIFFERS = (
    "Day of month and day of week are both restricted, one as */N: Kubernetes ran it when either fits, here it runs "
    "when both fit. Write out the days, as in 1-31/2, to have it as it was."
)


def days_of_cron(schedule: str) -> list[str]:
    """What to note of the days of a crontab's *schedule*: Vixie's cron has both fit where a field begins with `*`."""
    days = _restricted(schedule)
    if not days:
        return []
    return [_BOTH if any(day.startswith("*") for day in days) else _EITHER]


def days_of_kubernetes(schedule: str) -> list[str]:
    """The same of a CronJob's, for whose parser only a bare `*` is no restriction."""
    days = _restricted(schedule)
    if not days:
        return []
    return [_DIFFERS if any(day.startswith(("*", "?")) for day in days) else _EITHER]


def _restricted(schedule: str) -> tuple[str, ...]:
    """Both fields, where neither lets all days pass."""
    parts = schedule.split()
    if len(parts) != _FIELDS or {"*", "?", "*/1"} & {parts[2], parts[4]}:
        return ()
    return parts[2], parts[4]
