"""`cronicorn alert`: what people are told when something is wrong."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli import alert_rules
from cronicorn.cli.durations import milliseconds
from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from pydantic import BaseModel

app = typer.Typer(help="Say who is told when something is wrong, and see what is.", no_args_is_help=True)
app.add_typer(alert_rules.app, name="rules")

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
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
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
) -> None:
    """Add a route: messages go there."""
    given = {
        "name": name, "channel": channel.value, "target": target, "kinds": kinds or [], "jobIds": jobs or [],
        "endpointIds": endpoints or [], "remindEveryMs": milliseconds(remind_every, "--remind-every"),
    }  # fmt: skip
    run(_add(tenant, database, given))


@app.command("routes")
def routes(*, tenant: TenantOption = "default", database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List the routes."""
    run(_routes(tenant, database, as_json=as_json))


@app.command("remove")
def remove(route_id: RouteArgument, *, tenant: TenantOption = "default", database: DatabaseOption = None) -> None:
    """Remove a route."""
    run(_remove(tenant, database, route_id))


@app.command("test")
def try_route(route_id: RouteArgument, *, tenant: TenantOption = "default", database: DatabaseOption = None) -> None:
    """Send a test message to a route. A running process delivers it."""
    run(_test(tenant, database, route_id))


@app.command("messages")
def messages(
    route_id: RouteArgument,
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what was sent to a route or waits for it, newest first."""
    run(_messages(tenant, database, route_id, as_json=as_json))


@app.command("incidents")
def incidents(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the incidents that go on, newest first."""
    run(_incidents(tenant, database, every=every, as_json=as_json))


@app.command("acknowledge")
def acknowledge(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident's id.")],
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
) -> None:
    """Say that somebody sees to an incident: nobody is reminded of it any more."""
    run(_acknowledge(tenant, database, incident_id))


@app.command("maintenance")
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
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List maintenance windows, in which nobody is told of anything; add or remove one."""
    if end is not None:
        run(_end_maintenance(tenant, database, end))
        return
    given = None
    if name is not None:
        given = {
            "name": name, "startAt": start_at, "cron": cron, "timezone": timezone,
            "durationMs": milliseconds(duration, "--for"), "jobIds": jobs or [], "endpointIds": endpoints or [],
        }  # fmt: skip
    run(_maintenance(tenant, database, given, as_json=as_json))


async def _add(tenant: str, database: str | None, given: dict[str, Any]) -> None:
    from cronicorn.cli.local import opened
    from cronicorn.control.alert_documents import AlertRouteDocument
    from cronicorn.control.findings import Findings
    from cronicorn.control.misfits import whole_document

    findings = Findings()
    document = whole_document(AlertRouteDocument, given, findings)
    async with opened(database) as local:
        route = await local.control.alerts.create_route(local.principal(tenant), document)
    print(f"Route {route.name!r} was added; try it with `cronicorn alert test {route.id}`.", file=sys.stderr)
    print(route.id)


async def _routes(tenant: str, database: str | None, *, as_json: bool) -> None:
    from cronicorn.api.wire_alerts import routes_answer
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        alerting = await local.control.alerts.show(local.principal(tenant))
    _show(routes_answer(alerting).routes, ("id", "name", "channel", "target", "kinds", "enabled"), as_json=as_json)


async def _remove(tenant: str, database: str | None, route_id: str) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        await local.control.alerts.remove_route(local.principal(tenant), route_id)
    print(f"Route {route_id} is gone.")


async def _test(tenant: str, database: str | None, route_id: str) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        message = await local.control.alerts.test_route(local.principal(tenant), route_id)
    print(f"Message {message.id} waits; `cronicorn alert messages {route_id}` shows what becomes of it.")


async def _messages(tenant: str, database: str | None, route_id: str, *, as_json: bool) -> None:
    from cronicorn.api.wire_alerts import messages_answer
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        found = await local.control.alerts.messages(local.principal(tenant), route_id)
    names = ("id", "event", "state", "attempts", "createdAt", "error")
    _show(messages_answer(found).messages, names, as_json=as_json)


async def _incidents(tenant: str, database: str | None, *, every: bool, as_json: bool) -> None:
    from cronicorn.api.wire_alerts import incidents_answer
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        found = await local.control.incidents.list(local.principal(tenant), open_only=not every, limit=1_000)
    names = ("id", "kind", "endpointId", "openedAt", "closedAt", "summary")
    _show(incidents_answer(found).incidents, names, as_json=as_json)


async def _acknowledge(tenant: str, database: str | None, incident_id: str) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        incident = await local.control.incidents.acknowledge(local.principal(tenant), incident_id)
    print(f"Nobody is reminded of incident {incident.id} any more.")


async def _maintenance(tenant: str, database: str | None, given: dict[str, Any] | None, *, as_json: bool) -> None:
    from cronicorn.api.wire_alerts import windows_answer
    from cronicorn.cli.local import opened, opened_to_read
    from cronicorn.control.alert_documents import MaintenanceDocument
    from cronicorn.control.findings import Findings
    from cronicorn.control.misfits import whole_document

    if given is None:
        async with opened_to_read(database) as local:
            alerting = await local.control.alerts.show(local.principal(tenant))
        names = ("id", "name", "startAt", "cron", "timezone", "durationMs")
        _show(windows_answer(alerting).windows, names, as_json=as_json)
        return
    findings = Findings()
    document = whole_document(MaintenanceDocument, given, findings)
    async with opened(database) as local:
        window = await local.control.alerts.create_window(local.principal(tenant), document)
    print(f"Nobody is told of anything in {window.name!r}: `--remove {window.id}` takes it away.", file=sys.stderr)
    print(window.id)


async def _end_maintenance(tenant: str, database: str | None, window_id: str) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        await local.control.alerts.remove_window(local.principal(tenant), window_id)
    print(f"Maintenance window {window_id} is gone.")


def _show(answers: "list[Any]", names: tuple[str, ...], *, as_json: bool) -> None:
    """*answers* as a table of the fields *names*, or all of them as JSON."""
    import json

    from cronicorn.cli.columns import columns

    rows = [_row(answer) for answer in answers]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    for line in columns([_heading(name) for name in names], cells):
        print(line)


def _heading(name: str) -> str:
    """A field of an answer, such as `openedAt`, as the heading of its column."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return words.removesuffix(" At").upper()


def _row(answer: "BaseModel") -> dict[str, Any]:
    return answer.model_dump(mode="json", by_alias=True)


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
