"""`cronicorn quota`: what may be spent on a language model."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from cronicorn.control.quota import QuotaStanding

app = typer.Typer(help="Show what tenants may spend on a language model.", no_args_is_help=True)


@app.command("show")
def show(
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show how many tokens a tenant has used, reserved and left in its present window."""
    run(_show(tenant, database, as_json=as_json))


async def _show(tenant: str, database: str | None, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        standing = await local.control.quotas.show(local.principal(tenant))
    if as_json:
        print(json.dumps(_document(standing), indent=2))
    else:
        _print(tenant, standing)


def _document(standing: "QuotaStanding") -> dict[str, Any]:
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
