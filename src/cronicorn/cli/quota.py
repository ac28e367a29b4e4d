"""`cronicorn quota`: what a tenant may spend on a language model, and what its tier lets it do."""

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached, whose_of
from cronicorn.cli.showing import ObjectOption, print_json, snaked

app = typer.Typer(help="Show what tenants may spend on a language model, and run.", no_args_is_help=True)


@app.command("show")
@at_place
def show(*, as_json: ObjectOption = False, place: Place) -> None:
    """Show a tenant's tokens in its present window, and its runs of the month where its tier limits them.

    Example: cronicorn quota show --json
    """
    run(_show(place, as_json=as_json))


async def _show(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        standing = await there.get("/quota")
        whose = whose_of(place, there.where)
    if as_json:
        print_json(quota_document(standing))
    else:
        _print(place.tenant_here if there.profile is None else whose, standing)


def quota_document(standing: Mapping[str, Any]) -> dict[str, Any]:
    """Where a tenant stands, with the keys that `cronicorn quota show --json` prints."""
    names = ("tier", "mode", "period", "zone", "limit", "used", "reserved", "remaining", "reset_at", "budgets")
    execution = standing["execution"]
    runs = execution["runs"]
    return {
        **snaked(standing, *names),
        "execution": {
            "endpoints_max": execution["endpointsMax"],
            "interval_min_ms": execution["minIntervalMs"],
            "runs": None if runs is None else snaked(runs, "limit", "used", "remaining", "reset_at"),
        },
    }


def _print(tenant: str, standing: Mapping[str, Any]) -> None:
    from cronicorn.cli.columns import columns

    print(
        f"{tenant}: {standing['limit']:,} tokens a {standing['period']} ({standing['zone']}), tier {standing['tier']}, "
        f"mode {standing['mode']}; all anew at {standing['resetAt']}"
    )
    parts = {**standing["budgets"], "together": standing}
    rows = [
        (name, *(f"{part[field]:,}" for field in ("used", "reserved", "remaining"))) for name, part in parts.items()
    ]
    for line in columns(("BUDGET", "USED", "RESERVED", "REMAINING"), rows):
        print(line)
    for line in _execution_lines(standing["execution"]):
        print(line)


def _execution_lines(execution: Mapping[str, Any]) -> Iterator[str]:
    from datetime import timedelta

    from cronicorn.domain.durations import show_duration

    runs, least = execution["runs"], execution["minIntervalMs"]
    if runs is not None:
        yield (
            f"Runs of the month: {runs['used']:,} of {runs['limit']:,} used, {runs['remaining']:,} remaining; "
            f"all anew at {runs['resetAt']}"
        )
    if execution["endpointsMax"] is not None:
        yield f"At most {execution['endpointsMax']:,} endpoints that are not archived"
    if least is not None:
        yield f"A minimum of {show_duration(timedelta(milliseconds=least))} or more for each endpoint"
