"""`cronicorn next`: when a cron expression comes next."""

from typing import Annotated

import typer

from cronicorn.cli.showing import print_json

COUNT_MAX = 10_000


def next_instants(
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="Five or six fields, or a nickname like @hourly.")],
    *,
    zone: Annotated[str, typer.Option("--tz", help="The IANA zone the expression is read in.")] = "UTC",
    count: Annotated[int, typer.Option(min=1, max=COUNT_MAX, help="How many instants.")] = 5,
    after: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Strictly after this (default: now).")
    ] = None,
    gap: Annotated[
        str,
        typer.Option(
            "--dst-gap",
            metavar="run_after|skip|shift",
            help="Times the clock skips: run_after (once, right after the gap), skip, or shift (later by the gap).",
        ),
    ] = "run_after",
    overlap: Annotated[
        str,
        typer.Option(
            "--dst-overlap",
            metavar="debian|first|second|both",
            help="Times that come twice: debian (once, but wildcards both times), first, second or both.",
        ),
    ] = "debian",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, instants in UTC.")] = False,
) -> None:
    """Show when a cron expression comes next.

    Examples: cronicorn next '*/15 9-17 * * mon-fri' --tz Europe/Berlin · cronicorn next '0 0 L * *' --count 12 --json
    """
    from itertools import islice

    from cronicorn.cli.instants import local, read_instant, written
    from cronicorn.cli.upcoming import schedule_of, upcoming
    from cronicorn.wiring.timekeeping import system_clock

    schedule = schedule_of(expression, zone, gap, overlap)
    start = read_instant(after) if after is not None else system_clock().now()
    instants = list(islice(upcoming(schedule, start), count))
    if not as_json:
        print("\n".join(local(instant, zone) for instant in instants))
        return
    shown = {"expression": expression, "timezone": zone, "from": written(start), "next": [written(i) for i in instants]}
    print_json(shown)
