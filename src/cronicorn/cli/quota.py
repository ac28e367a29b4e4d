"""`cronicorn quota`: what a tenant may spend on a language model, and what its tier lets it do."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cronicorn.control.execution_tiers import ExecutionStanding
    from cronicorn.control.quota import QuotaStanding

app = typer.Typer(help="Show what tenants may spend on a language model, and run.", no_args_is_help=True)


@app.command("show")
def show(
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show a tenant's tokens in its present window, and its runs of the month where its tier limits them."""
    run(_show(tenant, database, as_json=as_json))


async def _show(tenant: str, database: str | None, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        standing = await local.control.quotas.show(local.principal(tenant))
    if as_json:
        print(json.dumps(quota_document(standing), indent=2))
    else:
        _print(tenant, standing)


def quota_document(standing: "QuotaStanding") -> dict[str, Any]:
    """Where a tenant stands, as a JSON object."""
    from cronicorn.cli.instants import written

    view = standing.view
    return {
        "tier": standing.tier,
        "mode": standing.mode.value,
        "period": standing.calendar.period.value,
        "zone": str(standing.calendar.zone),
        "limit": view.limit,
        "used": view.used,
        "reserved": view.reserved,
        "remaining": view.remaining,
        "reset_at": written(view.reset_at),
        "budgets": {
            budget.value: {"used": part.used, "reserved": part.reserved, "remaining": standing.left[budget]}
            for budget, part in view.budgets.items()
        },
        "execution": _execution_document(standing.execution),
    }


def _execution_document(execution: "ExecutionStanding") -> dict[str, Any]:
    from cronicorn.cli.instants import written

    runs, least = execution.runs, execution.limits.interval_min
    return {
        "endpoints_max": execution.limits.endpoints,
        "interval_min_ms": None if least is None else round(least.total_seconds() * 1_000),
        "runs": None
        if runs is None
        else {
            "limit": runs.limit,
            "used": runs.used,
            "remaining": runs.remaining,
            "reset_at": written(runs.month.end_at),
        },
    }


def _print(tenant: str, standing: "QuotaStanding") -> None:
    from cronicorn.cli.columns import columns
    from cronicorn.cli.instants import written

    view, calendar = standing.view, standing.calendar
    print(
        f"{tenant}: {view.limit:,} tokens a {calendar.period} ({calendar.zone}), tier {standing.tier}, "
        f"mode {standing.mode}; all anew at {written(view.reset_at)}"
    )
    rows = [
        (budget.value, f"{part.used:,}", f"{part.reserved:,}", f"{standing.left[budget]:,}")
        for budget, part in view.budgets.items()
    ]
    total = ("together", f"{view.used:,}", f"{view.reserved:,}", f"{view.remaining:,}")
    for line in columns(("BUDGET", "USED", "RESERVED", "REMAINING"), [*rows, total]):
        print(line)
    for line in _execution_lines(standing.execution):
        print(line)


def _execution_lines(execution: "ExecutionStanding") -> "Iterator[str]":
    from cronicorn.cli.instants import written
    from cronicorn.domain.durations import show_duration

    runs, limits = execution.runs, execution.limits
    if runs is not None:
        yield (
            f"Runs of {runs.month.start_at:%Y-%m}: {runs.used:,} of {runs.limit:,} used, {runs.remaining:,} remaining; "
            f"all anew at {written(runs.month.end_at)}"
        )
    if limits.endpoints is not None:
        yield f"At most {limits.endpoints:,} endpoints that are not archived"
    if limits.interval_min is not None:
        yield f"A minimum of {show_duration(limits.interval_min)} or more for each endpoint"
