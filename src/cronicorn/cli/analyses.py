"""`cronicorn analyses`: what the model said about an endpoint, and asking it again."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from cronicorn.control.analyses import AnalysisView

app = typer.Typer(help="Show what the model said about endpoints, and ask it.", no_args_is_help=True)

EndpointArgument = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.")]
LIMIT_MAX = 100


@app.command("list")
def list_analyses(
    endpoint: EndpointArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many, the newest first.")] = 10,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
) -> None:
    """List the analyses of an endpoint, the newest first."""
    run(_list(endpoint, limit, database, tenant))


@app.command("show")
def show(
    analysis: Annotated[str, typer.Argument(metavar="ANALYSIS", help="Its id, as the list shows it.")],
    *,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Show one analysis with all it called, as JSON."""
    run(_show(analysis, database, tenant))


@app.command("request")
def request(endpoint: EndpointArgument, *, database: DatabaseOption = None, tenant: TenantOption = "default") -> None:
    """Ask for an analysis at the planner's next look."""
    run(_request(endpoint, database, tenant))


async def _list(endpoint: str, limit: int, database: str | None, tenant: str) -> None:
    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        views, total = await local.control.analyses.list(principal, named.endpoint.id, limit=limit)
        for view in views:
            print(line(view))
        if total > len(views):
            print(f"{total - len(views)} more")


def line(view: "AnalysisView") -> str:
    """An analysis in a line."""
    analysis = view.analysis
    end = analysis.error or ", ".join(analysis.applied) or analysis.quota
    why = f"{analysis.why.occasion.value} {analysis.why.detail}".strip()
    at = analysis.at.isoformat(timespec="seconds")
    return f"{at}  {analysis.id}  {why}  {analysis.spent.tokens} tokens  {end}"


async def _show(analysis_id: str, database: str | None, tenant: str) -> None:
    import json

    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        view = await local.control.analyses.get(local.principal(tenant), analysis_id)
        print(
            json.dumps({"id": view.analysis.id, "endpoint": view.endpoint_name, **view.analysis.document()}, indent=2)
        )


async def _request(endpoint: str, database: str | None, tenant: str) -> None:
    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        await local.control.analyses.request(principal, named.endpoint.id)
        print(f"{named.name} is analysed at the planner's next look.")
