"""`cronicorn analyses`: what the model said about an endpoint, and asking it again."""

from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import EndpointArgument
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import JsonOption, print_json

LIMIT_MAX = 100
"""`SESSIONS_MAX`, written out: help imports nothing heavy."""

app = typer.Typer(help="Show what the model said about endpoints, and ask it.", no_args_is_help=True)


@app.command("list")
@at_place
def list_analyses(
    endpoint: EndpointArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many, the newest first.")] = 10,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """List the analyses of an endpoint, the newest first.

    Example: cronicorn analyses list shop/stock
    """
    run(_list(place, endpoint, limit, as_json=as_json))


@app.command("show")
@at_place
def show(
    analysis: Annotated[str, typer.Argument(metavar="ANALYSIS", help="Its id, as the list shows it.")],
    *,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Show one analysis: why it was made, what it took, what came of it, and all it called.

    Example: cronicorn analyses show session_0123abcd
    """
    run(_show(place, analysis, as_json=as_json))


@app.command("request")
@at_place
def request(endpoint: EndpointArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Ask for an analysis at a planner's next look, and tell what may keep it from being made.

    Example: cronicorn analyses request shop/stock
    """
    run(_request(place, endpoint, as_json=as_json))


async def _list(place: Place, endpoint: str, limit: int, *, as_json: bool) -> None:
    from cronicorn.cli.analysis_lines import analyses_lines
    from cronicorn.cli.finding import find_endpoint

    async with reached(place, to_read=True) as there:
        named = await find_endpoint(there, endpoint)
        found = await there.get(f"/endpoints/{named.id}/sessions", limit=limit)
    if as_json:
        print_json(found)
    else:
        print("\n".join(analyses_lines(found)))


async def _show(place: Place, analysis_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.analysis_lines import analysis_lines
    from cronicorn.cli.interface import segment

    async with reached(place, to_read=True) as there:
        analysis = await there.get(f"/sessions/{segment(analysis_id)}")
    if as_json:
        print_json(analysis)
    else:
        print("\n".join(analysis_lines(analysis)))


async def _request(place: Place, endpoint: str, *, as_json: bool) -> None:
    import sys

    from cronicorn.cli.finding import find_endpoint

    async with reached(place) as there:
        named = await find_endpoint(there, endpoint)
        answer = await there.post(f"/endpoints/{named.id}/analyze")
    if as_json:
        print_json(answer)
        return
    print(f"{named.name} is to be analysed at a planner's next look.")
    for warning in answer["warnings"]:
        print(f"Warning: {warning}", file=sys.stderr)
