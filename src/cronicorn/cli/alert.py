"""`cronicorn alert`: what people are told when something is wrong."""

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from cronicorn.cli import alert_rules
from cronicorn.cli.local import run
from cronicorn.cli.options import given, milliseconds
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import JsonOption, print_done, print_table

app = typer.Typer(help="Say who is told when something is wrong, and see what is.", no_args_is_help=True)
app.add_typer(alert_rules.app, name="rules")

_LISTED_MAX = 1_000

JobsOption = Annotated[list[str] | None, typer.Option("--job", metavar="ID", help="Only this job; may be repeated.")]
EndpointsOption = Annotated[
    list[str] | None, typer.Option("--endpoint", metavar="ID", help="Only this endpoint; may be repeated.")
]
RouteArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, as `cronicorn alert routes` shows it.")]


class ChannelWord(StrEnum):
    """How messages travel."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    SLACK = "slack"


@app.command("add")
@at_place
def add(
    name: Annotated[str, typer.Argument(help="What the route is called.")],
    *,
    channel: Annotated[ChannelWord, typer.Option(help="How messages travel.")],
    target: Annotated[str, typer.Option(metavar="URL", help="A URL; for email addresses separated by commas.")],
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="Only this kind of incident; may be repeated.")
    ] = None,
    jobs: JobsOption = None,
    endpoints: EndpointsOption = None,
    remind_every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Tell again of what goes on; never without it.")
    ] = None,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Add a route: messages go there.

    Example: cronicorn alert add ops --channel email --target ops@example.org
    """
    document = given(
        name=name, channel=channel.value, target=target, kinds=kinds or [], jobIds=jobs or [],
        endpointIds=endpoints or [], remindEveryMs=milliseconds(remind_every, "--remind-every"),
    )  # fmt: skip
    run(_add(place, document, as_json=as_json))


@app.command("routes")
@at_place
def routes(*, as_json: JsonOption = False, place: Place) -> None:
    """List the routes.

    Example: cronicorn alert routes --json
    """
    run(_routes(place, as_json=as_json))


@app.command("remove")
@at_place
def remove(route_id: RouteArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Remove a route.

    Example: cronicorn alert remove route_0123abcd
    """
    run(_remove(place, route_id, as_json=as_json))


@app.command("test")
@at_place
def try_route(route_id: RouteArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Send a test message to a route. A running process delivers it.

    Example: cronicorn alert test route_0123abcd
    """
    run(_test(place, route_id, as_json=as_json))


@app.command("messages")
@at_place
def messages(
    route_id: RouteArgument,
    *,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """List what was sent to a route or waits for it, newest first.

    Example: cronicorn alert messages route_0123abcd
    """
    run(_messages(place, route_id, as_json=as_json))


@app.command("incidents")
@at_place
def incidents(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """List the incidents that go on, newest first.

    Example: cronicorn alert incidents --all
    """
    run(_incidents(place, every=every, as_json=as_json))


@app.command("acknowledge")
@at_place
def acknowledge(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident's id.")],
    *,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Say that somebody sees to an incident: nobody is reminded of it any more.

    Example: cronicorn alert acknowledge inc_0123abcd
    """
    run(_acknowledge(place, incident_id, as_json=as_json))


@app.command("maintenance")
@at_place
def maintenance(
    name: Annotated[str | None, typer.Argument(help="Add a window of this name; without it list all.")] = None,
    *,
    start_at: Annotated[str | None, typer.Option(metavar="INSTANT", help="When it begins, once.")] = None,
    cron: Annotated[str | None, typer.Option(metavar="CRON", help="When it begins, again and again.")] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="In which zone cron is read; UTC else.")] = None,
    duration: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="How long it lasts.")] = None,
    jobs: JobsOption = None,
    endpoints: EndpointsOption = None,
    end: Annotated[str | None, typer.Option("--remove", metavar="ID", help="Remove the window with this id.")] = None,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """List maintenance windows, in which nobody is told of anything; add or remove one.

    Example: cronicorn alert maintenance "at night" --cron "0 1 * * *" --for 2h
    """
    if end is not None:
        run(_end_maintenance(place, end, as_json=as_json))
        return
    if name is None:
        run(_list_maintenance(place, as_json=as_json))
        return
    document = given(
        name=name, startAt=start_at, cron=cron, timezone=timezone, durationMs=milliseconds(duration, "--for"),
        jobIds=jobs or [], endpointIds=endpoints or [],
    )  # fmt: skip
    run(_add_maintenance(place, document, as_json=as_json))


async def _add(place: Place, document: dict[str, Any], *, as_json: bool) -> None:
    async with reached(place) as there:
        route = await there.post("/alert-routes", document)
    _made(
        route, f"Route {route['name']!r} was added; try it with `cronicorn alert test {route['id']}`.", as_json=as_json
    )


async def _routes(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        routes = (await there.get("/alert-routes"))["routes"]
    _show(routes, "id name channel target kinds enabled", as_json=as_json)


async def _remove(place: Place, route_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place) as there:
        await there.delete(f"/alert-routes/{segment(route_id)}")
    print_done({"id": route_id, "removed": True}, f"Route {route_id} is gone.", as_json=as_json)


async def _test(place: Place, route_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place) as there:
        message = await there.post(f"/alert-routes/{segment(route_id)}/test")
    told = f"Message {message['id']} waits; `cronicorn alert messages {route_id}` shows what becomes of it."
    print_done(message, told, as_json=as_json)


async def _messages(place: Place, route_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place, to_read=True) as there:
        messages = (await there.get(f"/alert-routes/{segment(route_id)}/messages"))["messages"]
    _show(messages, "id event state attempts createdAt error", as_json=as_json)


async def _incidents(place: Place, *, every: bool, as_json: bool) -> None:
    from cronicorn.cli.finding import names_of

    async with reached(place, to_read=True) as there:
        found = (await there.get("/incidents", open=not every, limit=_LISTED_MAX))["incidents"]
        ids = [each["endpointId"] for each in found if each.get("endpointId")]
        names = {} if as_json else await names_of(there, ids)
    named = [{**each, "endpoint": names.get(each.get("endpointId"), each.get("endpointId"))} for each in found]
    empty = "No incidents." if every else "No incident goes on; --all shows past ones, too."
    columns = _columns("id kind endpoint openedAt closedAt summary")
    print_table(named, columns, as_json=as_json, empty=empty, whole=found)


async def _acknowledge(place: Place, incident_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place) as there:
        incident = await there.post(f"/incidents/{segment(incident_id)}/acknowledge")
    print_done(incident, f"Nobody is reminded of incident {incident['id']} any more.", as_json=as_json)


async def _list_maintenance(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        windows = (await there.get("/maintenance-windows"))["windows"]
    _show(windows, "id name startAt cron timezone durationMs", as_json=as_json)


async def _add_maintenance(place: Place, document: dict[str, Any], *, as_json: bool) -> None:
    async with reached(place) as there:
        window = await there.post("/maintenance-windows", document)
    told = f"Nobody is told of anything in {window['name']!r}: `--remove {window['id']}` takes it away."
    _made(window, told, as_json=as_json)


async def _end_maintenance(place: Place, window_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place) as there:
        await there.delete(f"/maintenance-windows/{segment(window_id)}")
    print_done({"id": window_id, "removed": True}, f"Maintenance window {window_id} is gone.", as_json=as_json)


def _made(thing: dict[str, Any], told: str, *, as_json: bool) -> None:
    """Show what was made: for people its id, with what to do next beside it."""
    if not as_json:
        print(told, file=sys.stderr)
    print_done(thing, thing["id"], as_json=as_json)


def _show(rows: list[dict[str, Any]], names: str, *, as_json: bool) -> None:
    """*rows* as a table of the fields *names*, or all of them as JSON."""
    print_table(rows, _columns(names), as_json=as_json)


def _columns(names: str) -> dict[str, str]:
    return {_heading(name): name for name in names.split()}


def _heading(name: str) -> str:
    """A field of an answer, such as `openedAt`, as the heading of its column."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return words.removesuffix(" At").upper()
