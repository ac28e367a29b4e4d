"""`cronicorn endpoint run`, `test`, `pause`, `resume`, `hint`, `clear-hints`, `reset-failures` and `next`."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import EndpointArgument, given, milliseconds, read_length
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import DryRunOption, JsonOption, cell, deed, print_done, print_json, print_table

if TYPE_CHECKING:
    from cronicorn.cli.interface import Interface

FAILED = 1
_LOOK_EVERY_S = 0.5
_MINUTE_MS = 60_000

_Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for others to read.")]


@at_place
def run_now(
    endpoint: EndpointArgument,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end; exits with 1 unless it succeeded.")] = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Run an endpoint now, and print the run's id; its schedule stays as it is. A running scheduler makes the call.

    Examples: cronicorn endpoint run shop/stock · cronicorn endpoint run shop/stock --wait --json
    """
    run(_run_now(place, endpoint, wait=wait and not dry_run, dry_run=dry_run, as_json=as_json))


@at_place
def try_out(endpoint: EndpointArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Call an endpoint once, without any effect on its schedule, and show the answer. Exits with 1 when it failed.

    Example: cronicorn endpoint test shop/stock
    """
    run(_try_out(place, endpoint, as_json=as_json))


@at_place
def pause(
    endpoint: EndpointArgument,
    *,
    span: Annotated[str | None, typer.Option("--for", metavar="LENGTH", help="So long from now on.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="INSTANT", help="Until then.")] = None,
    reason: _Reason = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Let an endpoint not run at all for a while.

    Examples: cronicorn endpoint pause shop/stock --for 2h --reason "stocktaking" · cronicorn endpoint pause shop/stock
    --until 2026-12-24T18:00:00Z
    """
    from cronicorn.cli.instants import read_instant, written

    _only_one({"--for": span, "--until": until}, "Say how long, with --for LENGTH or --until INSTANT.")
    until_at = _after(span) if span is not None else None if until is None else written(read_instant(until))
    body = given(pausedUntil=until_at, reason=reason)
    run(_steer(place, endpoint, "/pause", body, "is paused", dry_run=dry_run, as_json=as_json))


@at_place
def resume(
    endpoint: EndpointArgument, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place
) -> None:
    """Let a paused endpoint run again.

    Example: cronicorn endpoint resume shop/stock
    """
    body = {"pausedUntil": None}
    run(_steer(place, endpoint, "/pause", body, "runs again", dry_run=dry_run, as_json=as_json))


@at_place
def hint(
    endpoint: EndpointArgument,
    *,
    every: Annotated[str | None, typer.Option("--every", metavar="LENGTH", help="Run so often, for a while.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="INSTANT", help="Run once, not later than this.")] = None,
    within: Annotated[str | None, typer.Option("--in", metavar="LENGTH", help="Run once, not later than so.")] = None,
    not_before: Annotated[
        str | None, typer.Option("--not-before", metavar="INSTANT", help="Do not run earlier.")
    ] = None,
    not_for: Annotated[str | None, typer.Option("--not-for", metavar="LENGTH", help="Do not run for so long.")] = None,
    ttl: Annotated[str | None, typer.Option("--for", metavar="LENGTH", help="The hint lives so long; 1h else.")] = None,
    reason: _Reason = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Steer an endpoint for a while, within its limits: tighter, once, or not before an instant.

    Examples: cronicorn endpoint hint shop/stock --every 30s --for 2h --reason "sale" · cronicorn endpoint hint
    shop/stock --in 5s · cronicorn endpoint hint shop/stock --not-for 1h
    """
    ways = {"--every": every, "--at": at, "--in": within, "--not-before": not_before, "--not-for": not_for}
    _only_one(ways, "Say what to do with one of --every, --at, --in, --not-before and --not-for.")
    path, body = _hint_of(ways, ttl)
    body |= given(reason=reason)
    run(_steer(place, endpoint, path, body, "is steered", dry_run=dry_run, as_json=as_json))


@at_place
def clear_hints(
    endpoint: EndpointArgument, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place
) -> None:
    """Take every hint from an endpoint, whoever wrote it; pauses stay.

    Example: cronicorn endpoint clear-hints shop/stock
    """
    run(_steer(place, endpoint, "/hints", None, "has no hints any more", dry_run=dry_run, as_json=as_json))


@at_place
def reset_failures(
    endpoint: EndpointArgument, *, dry_run: DryRunOption = False, as_json: JsonOption = False, place: Place
) -> None:
    """Forget that an endpoint failed, so that it runs as often as before.

    Example: cronicorn endpoint reset-failures shop/stock
    """
    run(_steer(place, endpoint, "/reset-failures", {}, "starts afresh", dry_run=dry_run, as_json=as_json))


@at_place
def next_runs(
    endpoint: EndpointArgument,
    *,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many instants.")] = 10,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Show when an endpoint runs next, if every run succeeds at once and nobody steers.

    Example: cronicorn endpoint next shop/stock --count 3
    """
    run(_next(place, endpoint, count, as_json=as_json))


async def _run_now(place: Place, text: str, *, wait: bool, dry_run: bool, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint
    from cronicorn.cli.terminal import working

    async with reached(place, to_read=True) as there:
        found = await find_endpoint(there, text)
        asked = await there.post(f"/endpoints/{found.id}/run", validate_only=dry_run or None)
        ended = None
        if wait:
            with working("Waiting"):
                ended = await _end_of(there, asked["runId"])
    if as_json:
        print_json(asked if ended is None else ended)
    elif dry_run:
        print(deed(found.name, "is to run now", dry_run=True))
    else:
        print(f"{found.name} is to run now; `cronicorn run show {asked['runId']}` tells how it went.", file=sys.stderr)
        print(asked["runId"] if ended is None else f"{asked['runId']}  {_ending(ended)}")
    if ended is not None and ended["status"] != "success":
        raise typer.Exit(FAILED)


async def _end_of(there: "Interface", run_id: str) -> dict[str, Any]:
    """The run, once it has ended."""
    import asyncio

    while True:
        found: dict[str, Any] = await there.get(f"/runs/{run_id}")
        if found["status"] not in {"pending", "running"}:
            return found
        await asyncio.sleep(_LOOK_EVERY_S)


def _ending(document: dict[str, Any]) -> str:
    from datetime import timedelta

    from cronicorn.domain.wording import length

    parts = [document["status"], str(document.get("statusCode", ""))]
    if "durationMs" in document:
        parts.append(f"in {length(timedelta(milliseconds=document['durationMs']))}")
    return " ".join(filter(None, parts)) + (f": {cell(document['errorMessage'])}" if "errorMessage" in document else "")


async def _try_out(place: Place, text: str, *, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint
    from cronicorn.cli.terminal import working

    async with reached(place, to_read=True, calling=True) as there:
        found = await find_endpoint(there, text)
        with working("Calling"):
            trial = await there.post(f"/endpoints/{found.id}/test")
    if as_json:
        print_json(trial)
    else:
        print(_ending(trial), file=sys.stderr)
        if trial.get("responseBody") is not None:
            print(cell(trial["responseBody"]))
    if trial["status"] != "success":
        raise typer.Exit(FAILED)


async def _steer(
    place: Place, text: str, path: str, body: dict[str, Any] | None, done: str, *, dry_run: bool, as_json: bool
) -> None:
    """POST *body* to *path* below the endpoint; DELETE it without a body. Then show the endpoint as it stands."""
    from cronicorn.cli.finding import find_endpoint

    async with reached(place, to_read=True) as there:
        found = await find_endpoint(there, text)
        method = "DELETE" if body is None else "POST"
        at = f"/endpoints/{found.id}{path}"
        await there.answer(method, at, body or None, query={"validate_only": dry_run or None})
        now = found.now(await there.get(f"/endpoints/{found.id}"))
    at = now.document["plan"]["nextRunAt"]
    done = f"{done}; it runs next {'when asked' if at is None else f'at {at}'}"
    print_done(now.whole, deed(found.name, done, dry_run=dry_run), as_json=as_json)


async def _next(place: Place, text: str, count: int, *, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint

    async with reached(place, to_read=True) as there:
        found = await find_endpoint(there, text)
        plans = (await there.get(f"/endpoints/{found.id}/next", count=count))["plans"]
    fields = {"NEXT": "nextRunAt", "SOURCE": "source"}
    print_table(plans, fields, as_json=as_json, empty=f"Nothing is planned for {found.name}.")


def _hint_of(ways: dict[str, str | None], ttl: str | None) -> tuple[str, dict[str, Any]]:
    """The path and the body of the one of *ways* that was given."""
    from cronicorn.cli.instants import read_instant, written
    from cronicorn.domain.errors import InvalidInputError

    way, text = next((name, value) for name, value in ways.items() if value is not None)
    assert text is not None
    life = milliseconds(ttl, "--for")
    if life is not None and (life % _MINUTE_MS or not life):
        raise InvalidInputError("--for must be whole minutes, such as 5m or 2h.")
    lives = {} if life is None else {"ttlMinutes": life // _MINUTE_MS}
    match way:
        case "--every":
            return "/hints/interval", {"intervalMs": milliseconds(text, way), **lives}
        case "--at":
            return "/hints/oneshot", {"nextRunAt": written(read_instant(text)), **lives}
        case "--in":
            return "/hints/oneshot", {"nextRunInMs": milliseconds(text, way), **lives}
        case _:
            pass
    if life is not None:
        raise InvalidInputError(f"{way} says itself how long it counts: leave out --for.")
    if way == "--not-before":
        return "/hints/defer", {"until": written(read_instant(text))}
    return "/hints/defer", {"forMs": milliseconds(text, way)}


def _only_one(ways: dict[str, str | None], how: str) -> None:
    from cronicorn.domain.errors import InvalidInputError

    if sum(value is not None for value in ways.values()) != 1:
        raise InvalidInputError(how)


def _after(span: str) -> str:
    """The instant that lies *span*, which --for gave, after now."""
    from cronicorn.cli.instants import written
    from cronicorn.wiring.timekeeping import system_clock

    return written(system_clock().now() + read_length(span, "--for"))
