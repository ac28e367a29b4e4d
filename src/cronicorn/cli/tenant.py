"""`cronicorn tenant`: who owns jobs."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_installation, reached
from cronicorn.cli.showing import ObjectOption, harmless, print_done, print_json, print_table, snaked
from cronicorn.cli.tenant_egress import tenant_egress
from cronicorn.cli.tenant_retention import tenant_retention

app = typer.Typer(
    help="Add and list tenants, and set what they may spend and call; for who runs the installation.",
    no_args_is_help=True,
)

_COLUMNS = {"NAME": "name", "ID": "id", "CREATED": "created_at"}
_TOKENS_MAX = 1_000_000_000_000
_TERMS = ("tier", "limit", "period", "zone")


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
@at_installation
def add(
    name: Annotated[str, typer.Argument(help="The new tenant's name.")],
    *,
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Add a tenant and show its API key, once.

    Example: cronicorn tenant add acme
    """
    run(_add(place, name, as_json=as_json))


@app.command("list")
@at_installation
def list_all(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    place: Place,
) -> None:
    """List the tenants, oldest first.

    Example: cronicorn tenant list --json
    """
    run(_list(place, as_json=as_json))


app.command("egress")(tenant_egress)
app.command("retention")(tenant_retention)


class PeriodWord(StrEnum):
    """How long a window is."""

    DAY = "day"
    MONTH = "month"


@app.command("set")
@at_installation
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
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Set how many tokens of a language model a tenant may spend; what is not given stays as it was.

    It counts at once, also for what was spent before. Another period or zone begins a new window.

    Example: cronicorn tenant set acme --limit 100000 --period month --zone Europe/Berlin
    """
    given = {"tier": tier, "limit": limit, "period": period.value if period is not None else None, "zone": zone}
    wanted = {field: value for field, value in given.items() if value is not None}
    run(_set(place, name, wanted, reset=reset, as_json=as_json))


async def _add(place: Place, name: str, *, as_json: bool) -> None:
    import sys

    async with reached(place) as there:
        made = await there.post("/tenants", {"name": name})
    if as_json:
        print_json(snaked(made, "id", "name", "key"))
        return
    print(f"Tenant {name!r} was added. Its API key is shown only now:", file=sys.stderr)
    print(made["key"])


async def _set(place: Place, name: str, wanted: dict[str, Any], *, reset: bool, as_json: bool) -> None:
    import sys

    from cronicorn.cli.finding import find_tenant

    async with reached(place) as there:
        tenant = await find_tenant(there, name)
        path = f"/tenants/{tenant['id']}/terms"
        before, version = await there.version(path)
        kept = {} if reset else snaked(before, *_TERMS)
        agreed = await there.put(path, kept | wanted, unchanged=version)
    for each in agreed["warnings"]:
        print(harmless(f"Warning: {each['detail']}"), file=sys.stderr)
    shown = snaked(agreed, *_TERMS)
    said = ", ".join(f"{field} {value}" for field, value in shown.items() if value is not None)
    told = f"Tenant {tenant['name']!r}: {said or 'as the settings say'}."
    print_done({"id": tenant["id"], **shown}, told, as_json=as_json)


async def _list(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        tenants = (await there.get("/tenants"))["tenants"]
    rows = [snaked(each, "id", "name", "created_at", *_TERMS) for each in tenants]
    print_table(rows, _COLUMNS, as_json=as_json)
