"""`cronicorn runs` and `cronicorn tail`: what happened, and what happens."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.completing import complete_endpoint, complete_job
from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached

if TYPE_CHECKING:
    from cronicorn.cli.run_lines import RunLines
    from cronicorn.cli.watched_runs import NamedRun, WatchedRuns

LIMIT_MAX = 1_000
_LOOK_EVERY_S = 0.5
_LOOK_AGAIN_S = 5.0
"""After a look that failed."""

_Endpoint = Annotated[
    str | None,
    typer.Argument(
        metavar="[ENDPOINT]", help="Its id, or its name as job/endpoint. All by default.",
        autocompletion=complete_endpoint,
    ),
]  # fmt: skip
_Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


class RunStatusWord(StrEnum):
    """How a run ended."""

    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"


@at_place
def runs(
    endpoint: _Endpoint = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new runs until interrupted.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many past runs.")] = 20,
    as_json: _Json = False,
    place: Place,
) -> None:
    """Show runs, the newest last.

    Examples: cronicorn runs shop/stock --limit 5 · cronicorn runs --follow --json
    """
    run(_runs(place, endpoint, None, _every, follow=follow, limit=limit, as_json=as_json))


@at_place
def tail(
    endpoint: _Endpoint = None,
    *,
    job: Annotated[
        str | None, typer.Option("--job", metavar="JOB", help="Only of this job.", autocompletion=complete_job)
    ] = None,
    status: Annotated[RunStatusWord | None, typer.Option("--status", help="Only those that ended so.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", metavar="SOURCE", help="Only those planned by this, such as ai-interval.")
    ] = None,
    slower: Annotated[str | None, typer.Option("--slower-than", metavar="LENGTH", help="Only longer calls.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=LIMIT_MAX, help="Begin with so many runs.")] = 10,
    as_json: _Json = False,
    place: Place,
) -> None:
    """Follow runs as they end, all or some of them, until interrupted. Whatever is away for a while is waited for.

    Examples: cronicorn tail · cronicorn tail --job shop --status failed · cronicorn tail --slower-than 2s --json
    """
    from cronicorn.cli.options import milliseconds
    from cronicorn.domain.errors import InvalidInputError

    if endpoint is not None and job is not None:
        raise InvalidInputError("Name an endpoint or a job, not both.")
    least = milliseconds(slower, "--slower-than")

    def wanted(each: "NamedRun") -> bool:
        found = each.run
        return (
            (status is None or found["status"] == status.value)
            and (source is None or found["source"] == source)
            and (least is None or found["durationMs"] > least)
        )

    run(_runs(place, endpoint, job, wanted, follow=True, limit=limit, as_json=as_json))


def _every(_: "NamedRun") -> bool:
    return True


async def _runs(
    place: Place, endpoint: str | None, job: str | None, wanted: "Callable[[NamedRun], bool]", *, follow: bool,
    limit: int, as_json: bool,
) -> None:  # fmt: skip
    import sys

    from cronicorn.cli.run_lines import JsonRunLines, TextRunLines, skip_in_words
    from cronicorn.cli.terminal import console
    from cronicorn.cli.watched_runs import WatchedRuns
    from cronicorn.wiring.timekeeping import system_clock

    async with reached(place, to_read=True) as there:
        watched = WatchedRuns(there, endpoint, system_clock().now(), job=job)
        found = [each for each in await watched.latest(limit if wanted is _every else LIMIT_MAX) if wanted(each)]
        found = found[-limit:]
        if not found:
            print("No runs yet.", file=sys.stderr, flush=True)
        skip = await watched.newest_skip()
        if skip is not None and (not found or skip["lastAt"] >= found[0].run["dueAt"]):
            print(f"Skipped last: {skip_in_words(skip)}", file=sys.stderr, flush=True)
        lines: RunLines = JsonRunLines() if as_json else TextRunLines(console())
        lines.show(found)
        if follow:
            await _follow(watched, lambda new: lines.show([each for each in new if wanted(each)]))


async def _follow(watched: "WatchedRuns", show: "Callable[[Sequence[NamedRun]], None]") -> None:
    """Show what is new, again and again. What does not answer is told of once, and asked again."""
    import asyncio
    import sys

    from cronicorn.cli.showing import harmless
    from cronicorn.domain.errors import RateExceededError, UnavailableError

    away = False
    while True:
        await asyncio.sleep(_LOOK_AGAIN_S if away else _LOOK_EVERY_S)
        try:
            new = await watched.newer()
        except (RateExceededError, UnavailableError) as error:
            if not away:
                print(harmless(f"Waiting: {error}"), file=sys.stderr, flush=True)
            away = True
            continue
        away = False
        show(new)
