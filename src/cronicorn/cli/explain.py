"""`cronicorn explain`: when an endpoint runs next, and why then."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import EndpointArgument
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import ObjectOption, print_json, snaked

if TYPE_CHECKING:
    from cronicorn.cli.interface import Interface

_SKIPS_READ = 100


@at_place
def explain(
    endpoint: EndpointArgument,
    *,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="What was decided last before this (09:30:00Z is today's), and planned then.",
        ),
    ] = None,
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Show when an endpoint runs next, and every candidate and step that led there; or why not at another instant.

    Examples: cronicorn explain shop/stock · cronicorn explain shop/stock --at 09:30:00Z
    """
    if at is None:
        run(_explain(place, endpoint, as_json=as_json))
    else:
        from cronicorn.cli.past_decision import explain_at

        run(explain_at(place, endpoint, at, as_json=as_json))


async def _explain(place: Place, endpoint: str, *, as_json: bool) -> None:
    from cronicorn.cli.explanation_tree import Told, add_follow_up, add_unexplained_skip, explanation_tree
    from cronicorn.cli.finding import whole_endpoint
    from cronicorn.cli.terminal import console

    async with reached(place, to_read=True) as there:
        named = await whole_endpoint(there, endpoint)
        explanation = await there.get(f"/endpoints/{named.id}/explain")
        analyses = await there.get(f"/endpoints/{named.id}/sessions", limit=1)
        skip = await _newest_over_limit(there, named.id)
        latest = await _latest(there, named.id)
    if as_json:
        more = {
            "next_analysis_at": analyses.get("nextAnalysisAt"),
            "file_sets": named.document.get("fileSets", []),
        }
        print_json({"name": named.name, **explanation_document(explanation), **more})
    else:
        told = Told(endpoint=named.document, explanation=explanation, latest=latest)
        tree = explanation_tree(named.name, told)
        add_follow_up(tree, told, analyses)
        add_unexplained_skip(tree, told, skip)
        console().print(tree)


async def _newest_over_limit(there: "Interface", endpoint_id: str) -> Mapping[str, Any] | None:
    """The newest slot that ended without a call because a limit was reached, among the newest skips."""
    skips = (await there.get(f"/endpoints/{endpoint_id}/skips", limit=_SKIPS_READ))["skips"]
    return next((skip for skip in skips if skip["state"] == "skipped_quota"), None)


async def _latest(there: "Interface", endpoint_id: str) -> Mapping[str, Any] | None:
    """The newest run with what its answer decided."""
    from cronicorn.cli.interface import segment

    runs = (await there.get(f"/endpoints/{endpoint_id}/runs", limit=1))["runs"]
    if not runs:
        return None
    found: Mapping[str, Any] = await there.get(f"/runs/{segment(runs[0]['runId'])}")
    return found


def explanation_document(explanation: Mapping[str, Any]) -> dict[str, object]:
    """An explanation, with the keys that `cronicorn explain --json` prints."""
    held, over, stored = (explanation.get(name) for name in ("held", "overLimit", "stored"))
    hint_names = ("kind", "author", "interval_ms", "at", "expires_at", "reason")
    return {
        "id": explanation["endpointId"],
        "now": explanation["now"],
        "running": explanation.get("runningRunId"),
        "plan": None if stored is None else _plan_as_json(stored),
        "planned_now": _plan_as_json(explanation["current"]),
        "hints": [snaked(hint, *hint_names) for hint in explanation["hints"]],
        "otherwise": [snaked(each, "without", "next_run_at", "source", "matters") for each in explanation["otherwise"]],
        "held": None if held is None else snaked(held, "until", "reason"),
        "over_limit": None if over is None else snaked(over, "state", "reason", "next_at", "last_at", "until"),
    }


def _plan_as_json(explained: Mapping[str, Any]) -> dict[str, object]:
    names = ("step", "verdict", "at", "why", "author")
    return {
        **snaked(explained["plan"], "next_run_at", "source"),
        "trace": [snaked(step, *names) for step in explained["steps"]],
    }
