"""`cronicorn tenant`: who owns jobs."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run
from cronicorn.cli.showing import ObjectOption, print_done, print_json, print_table
from cronicorn.cli.tenant_egress import tenant_egress
from cronicorn.cli.tenant_retention import tenant_retention

if TYPE_CHECKING:
    from cronicorn.domain.quota.terms import Terms

app = typer.Typer(help="Add and list tenants, and set what they may spend and call.", no_args_is_help=True)

_COLUMNS = {"NAME": "name", "ID": "id", "CREATED": "created_at"}
_TOKENS_MAX = 1_000_000_000_000


def _tokens(text: str | int) -> int:
    """*text* as a number of tokens."""
    written = str(text)
    if not written.removeprefix("-").isdecimal():
        raise typer.BadParameter(
            f"{written[:40]!r} is no number of tokens: write it without separators or unit, such as 100000."
        )
    if not 0 <= int(written[:40]) <= _TOKENS_MAX:
        raise typer.BadParameter(f"{written[:40]} is out of range: give 0 to {_TOKENS_MAX} tokens.")
    return int(written)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The new tenant's name.")],
    *,
    database: DatabaseOption = None,
    as_json: ObjectOption = False,
) -> None:
    """Add a tenant and show its API key, once.

    Example: cronicorn tenant add acme
    """
    run(_add(name, database, as_json=as_json))


@app.command("list")
def list_all(
    *,
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List the tenants, oldest first.

    Example: cronicorn tenant list --json
    """
    run(_list(database, as_json=as_json))


app.command("egress")(tenant_egress)
app.command("retention")(tenant_retention)


class PeriodWord(StrEnum):
    """How long a window is."""

    DAY = "day"
    MONTH = "month"


@app.command("set")
def set_terms(
    name: Annotated[str, typer.Argument(help="The tenant's name or id.")],
    *,
    tier: Annotated[str | None, typer.Option(metavar="NAME", help="Its tier.")] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="TOKENS", parser=_tokens, help="Its own limit in a window.")
    ] = None,
    period: Annotated[PeriodWord | None, typer.Option(help="How long its windows are.")] = None,
    zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Where its days and months begin.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="First forget all that was set before.")] = False,
    database: DatabaseOption = None,
    as_json: ObjectOption = False,
) -> None:
    """Set how many tokens of a language model a tenant may spend; what is not given stays as it was.

    It counts at once, also for what was spent before. Another period or zone begins a new window.

    Example: cronicorn tenant set acme --limit 100000 --period month --zone Europe/Berlin
    """
    from cronicorn.domain.calendar import Period
    from cronicorn.domain.quota.terms import Terms

    length = Period(period.value) if period is not None else None
    wanted = Terms(tier=tier, limit=limit, period=length, zone=zone)
    run(_set(name, database, wanted, reset=reset, as_json=as_json))


async def _add(name: str, database: str | None, *, as_json: bool) -> None:
    import sys

    from cronicorn.cli.local import opened
    from cronicorn.wiring.local import person_at_machine

    async with opened(database) as local:
        added = await local.control.tenants.add(person_at_machine(""), name)
    if as_json:
        print_json({"id": added.tenant.id, "name": added.tenant.name, "key": added.key})
        return
    print(f"Tenant {name!r} was added. Its API key is shown only now:", file=sys.stderr)
    print(added.key)


async def _set(name: str, database: str | None, wanted: "Terms", *, reset: bool, as_json: bool) -> None:
    import sys

    from cronicorn.cli.local import opened
    from cronicorn.control.quota import never_made

    async with opened(database) as local:
        principal = local.principal(name)
        terms = await local.control.quotas.agree(principal, wanted, reset=reset)
        never = never_made(await local.control.quotas.show(principal))
    for warning in never.values():
        print(f"Warning: {warning}", file=sys.stderr)
    shown = _shown(terms)
    said = ", ".join(f"{field} {value}" for field, value in shown.items() if value is not None)
    told = f"Tenant {name!r}: {said or 'as the settings say'}."
    print_done({"id": principal.tenant_id, **shown}, told, as_json=as_json)


def _shown(terms: "Terms") -> dict[str, str | int | None]:
    return {
        "tier": terms.tier,
        "limit": terms.limit,
        "period": terms.period.value if terms.period is not None else None,
        "zone": terms.zone,
    }


async def _list(database: str | None, *, as_json: bool) -> None:
    from cronicorn.cli.instants import written
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        rows = [
            {"id": each.id, "name": each.name, "created_at": written(each.created_at), **_shown(each.terms)}
            for each in local.tenants
        ]
    print_table(rows, _COLUMNS, as_json=as_json)
