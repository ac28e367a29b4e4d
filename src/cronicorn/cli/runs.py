"""`cronicorn runs`: what happened, and what happens."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from cronicorn.cli.run_lines import RunLines

LIMIT_MAX = 1_000
_LOOK_EVERY_S = 0.5


def runs(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENDPOINT]", help="Its id, or its name as job/endpoint. All by default.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new runs until interrupted.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many past runs.")] = 20,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show runs, the newest last."""
    run(_runs(endpoint, database, tenant, follow=follow, limit=limit, as_json=as_json))


async def _runs(
    endpoint: str | None, database: str | None, tenant: str, *, follow: bool, limit: int, as_json: bool
) -> None:
    import asyncio
    import sys

    from cronicorn.cli.local import opened_to_read
    from cronicorn.cli.run_lines import JsonRunLines, TextRunLines, skip_in_words
    from cronicorn.cli.terminal import console
    from cronicorn.cli.watched_runs import WatchedRuns
    from cronicorn.wiring.timekeeping import system_clock

    async with opened_to_read(database) as local:
        watched = WatchedRuns(local.control, local.principal(tenant), endpoint, system_clock().now())
        found = await watched.latest(limit)
        if not found:
            print("No runs yet.", file=sys.stderr, flush=True)
        skip = await watched.newest_skip()
        if skip is not None and (not found or skip.last_at >= found[0].run.due_at):
            print(f"Skipped last: {skip_in_words(skip)}", file=sys.stderr, flush=True)
        lines: RunLines = JsonRunLines() if as_json else TextRunLines(console())
        lines.show(found)
        while follow:
            await asyncio.sleep(_LOOK_EVERY_S)
            lines.show(await watched.newer())
