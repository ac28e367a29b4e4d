"""`cronicorn tenant`: who owns jobs."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run

app = typer.Typer(help="Add and list tenants.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="The new tenant's name.")],
    *,
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Add a tenant and show its API key, once."""
    run(_add(name, database, as_json=as_json))


@app.command("list")
def list_all(
    *,
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List the tenants, oldest first."""
    run(_list(database, as_json=as_json))


async def _add(name: str, database: str | None, *, as_json: bool) -> None:
    import json
    import sys

    from cronicorn.cli.local import opened
    from cronicorn.domain.principal import ActorKind, Principal

    async with opened(database) as local:
        owner = Principal(tenant_id="", actor="local", kind=ActorKind.LOCAL)
        added = await local.control.tenants.add(owner, name)
    if as_json:
        print(json.dumps({"id": added.tenant.id, "name": added.tenant.name, "key": added.key}))
        return
    print(f"Tenant {name!r} was added. Its API key is shown only now:", file=sys.stderr)
    print(added.key)


async def _list(database: str | None, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.instants import written
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        rows = [{"id": each.id, "name": each.name, "created_at": written(each.created_at)} for each in local.tenants]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    names, ids = (max(len(row[column]) for row in [{"name": "", "id": ""}, *rows]) for column in ("name", "id"))
    for row in [{"name": "NAME", "id": "ID", "created_at": "CREATED"}, *rows]:
        print(f"{row['name']:<{max(names, 4)}}  {row['id']:<{ids}}  {row['created_at']}")
