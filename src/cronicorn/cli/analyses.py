"""`cronicorn analyses`: what the model said about an endpoint, and asking it again."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

LIMIT_MAX = 100
"""`SESSIONS_MAX`, written out: help imports nothing heavy."""

app = typer.Typer(help="Show what the model said about endpoints, and ask it.", no_args_is_help=True)

EndpointArgument = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("list")
def list_analyses(
    endpoint: EndpointArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many, the newest first.")] = 10,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """List the analyses of an endpoint, the newest first."""
    run(_list(endpoint, limit, (database, tenant), as_json=as_json))


@app.command("show")
def show(
    analysis: Annotated[str, typer.Argument(metavar="ANALYSIS", help="Its id, as the list shows it.")],
    *,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Show one analysis: why it was made, what it took, what came of it, and all it called."""
    run(_show(analysis, (database, tenant), as_json=as_json))


@app.command("request")
def request(endpoint: EndpointArgument, *, database: DatabaseOption = None, tenant: TenantOption = "default") -> None:
    """Ask for an analysis at a planner's next look, and tell what may keep it from being made."""
    run(_request(endpoint, database, tenant))


async def _list(endpoint: str, limit: int, where: tuple[str | None, str], *, as_json: bool) -> None:
    from cronicorn.cli.analysis_lines import analyses_json, analyses_lines
    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.local import opened_to_read

    database, tenant = where
    async with opened_to_read(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        found = await local.control.analyses.list(principal, named.endpoint.id, limit=limit)
    if as_json:
        print(analyses_json(found))
    else:
        print("\n".join(analyses_lines(found)))


async def _show(analysis_id: str, where: tuple[str | None, str], *, as_json: bool) -> None:
    from cronicorn.cli.analysis_lines import analysis_json, analysis_lines
    from cronicorn.cli.local import opened_to_read

    database, tenant = where
    async with opened_to_read(database) as local:
        view = await local.control.analyses.get(local.principal(tenant), analysis_id)
    print(analysis_json(view) if as_json else "\n".join(analysis_lines(view)))


async def _request(endpoint: str, database: str | None, tenant: str) -> None:
    import sys

    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        warnings = await local.control.analyses.request(principal, named.endpoint.id)
    print(f"{named.name} is to be analysed at a planner's next look.")
    for warning in warnings:
        print(f"Warning: {warning}", file=sys.stderr)
