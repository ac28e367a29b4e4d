"""`cronicorn calendar`: what endpoints will call, and when most of it."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cronicorn.cli.completing import complete_job
from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import JsonOption, cell, print_json

_BAR_WIDTH = 40
_DAYS_MAX = 7
_PARTS = 24
_COLUMNS = {"ENDPOINT": "name", "CALLS": "count", "FIRST": "firstAt", "LAST": "lastAt", "EVERY": "every"}


@at_place
def calendar(
    job: Annotated[
        str | None,
        typer.Argument(metavar="[JOB]", help="Only endpoints of this job.", autocompletion=complete_job),
    ] = None,
    *,
    start: Annotated[str | None, typer.Option("--from", metavar="INSTANT", help="From then on; now else.")] = None,
    days: Annotated[int, typer.Option(min=1, max=_DAYS_MAX, help="How many days.")] = 1,
    zone: Annotated[str, typer.Option("--tz", metavar="ZONE", help="In which zone instants are shown.")] = "UTC",
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Show what endpoints will call, if every run succeeds at once and nobody steers, and when most of it comes.

    Examples: cronicorn calendar · cronicorn calendar shop --days 7 --tz Europe/Berlin
    """
    run(_calendar(place, job, start, days, zone, as_json=as_json))


async def _calendar(place: Place, job: str | None, start: str | None, days: int, zone: str, *, as_json: bool) -> None:
    from cronicorn.cli.finding import find_job
    from cronicorn.cli.instants import read_instant, written
    from cronicorn.wiring.timekeeping import system_clock

    begin = read_instant(start) if start is not None else system_clock().now().replace(microsecond=0)
    span = {"from": written(begin), "to": written(begin + timedelta(days=days)), "parts": _PARTS}
    async with reached(place, to_read=True) as there:
        only = None if job is None else await find_job(there, job)
        found = await there.get("/calendar", **span)
    if only is not None:
        found["endpoints"] = [each for each in found["endpoints"] if each["jobId"] == only["id"]]
        del found["counts"]  # They are of all jobs.
    if as_json:
        print_json(found)
    else:
        _print(found, zone)


def _print(found: dict[str, Any], zone: str) -> None:
    import sys

    from cronicorn.cli.columns import columns
    from cronicorn.cli.instants import local

    since, until = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
    for line in _bars(found.get("counts", ()), since, (until - since) / _PARTS, zone):
        print(line)
    rows = [_row(each) for each in found["endpoints"]]
    for row in rows:
        row |= {name: local(datetime.fromisoformat(row[name]), zone) for name in ("firstAt", "lastAt")}
    if rows:
        print("\n".join(columns(list(_COLUMNS), [[cell(row[name]) for name in _COLUMNS.values()] for row in rows])))
    else:
        print("Nothing will be called.", file=sys.stderr)
    if not found["complete"]:
        print("There is more than was reckoned: ask for fewer days.", file=sys.stderr)


def _row(each: dict[str, Any]) -> dict[str, Any]:
    from cronicorn.domain.durations import show_duration

    steps = {stretch["stepMs"] for stretch in each["stretches"]} - {None}
    every = show_duration(timedelta(milliseconds=min(steps))) if len(steps) == 1 else ""
    count = f"{each['count']}{'' if each['complete'] or each['count'] > 1 else '+'}"
    return {**each, "name": f"{each['jobName']}/{each['name']}", "count": count, "every": every}


def _bars(counts: "list[int] | tuple[()]", since: datetime, step: timedelta, zone: str) -> list[str]:
    """A bar for each part of the span that has calls, as long as their share of the fullest one."""
    from cronicorn.cli.instants import local

    most = max(counts, default=0)
    if not most:
        return []
    width = len(str(most))
    lines = []
    for number, count in enumerate(counts):
        bar = "█" * round(count * _BAR_WIDTH / most) or ("▏" if count else "")
        lines.append(f"{local(since + number * step, zone)}  {count:>{width}}  {bar}".rstrip())
    return [*lines, ""]
