"""`cronicorn key`: what programs show to be let in."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run
from cronicorn.cli.roles import JsonOption, RoleWord

if TYPE_CHECKING:
    from cronicorn.control.keys import KeyDocument
    from cronicorn.domain.tenant import ApiKey

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    *,
    role: Annotated[RoleWord, typer.Option(help="What it may do.")],
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", metavar="PERMISSION", help="Confine it to this; may be repeated.")
    ] = None,
    expires_at: Annotated[str | None, typer.Option(metavar="INSTANT", help="When it ends; never without it.")] = None,
    rate: Annotated[int | None, typer.Option(metavar="REQUESTS", help="Requests a minute at most.")] = None,
    agent: Annotated[bool, typer.Option("--agent", help="An agent gets it: the audit log says so.")] = False,
    runs_installation: Annotated[
        bool, typer.Option("--runs-installation", help="It may also see and add tenants.")
    ] = False,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API key and show it, once."""
    from cronicorn.cli.documents import read
    from cronicorn.control.keys import KeyDocument

    given = {
        "name": name, "role": role.value, "scopes": scopes or None, "expiresAt": expires_at,
        "requestsPerMinute": rate, "agent": agent, "runsInstallation": runs_installation,
    }  # fmt: skip
    document = read(KeyDocument, given)
    run(_add(tenant, database, document, as_json=as_json))


@app.command("list")
def list_all(*, tenant: TenantOption = "default", database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List the API keys of a tenant, newest first; never the keys themselves."""
    run(_list(tenant, database, as_json=as_json))


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `cronicorn key list` shows it.")],
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
) -> None:
    """Let an API key open nothing any more."""
    run(_revoke(tenant, database, key_id))


async def _add(tenant: str, database: str | None, document: "KeyDocument", *, as_json: bool) -> None:
    import json
    import sys

    from cronicorn.cli.local import opened

    async with opened(database) as local:
        made = await local.control.keys.create(local.principal(tenant), document)
    if as_json:
        print(json.dumps({**_shown(made.key), "key": made.text}))
        return
    print(f"Key {made.key.name!r} ({made.key.id}) was made. It is shown only now:", file=sys.stderr)
    print(made.text)


async def _list(tenant: str, database: str | None, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.columns import columns
    from cronicorn.cli.local import opened_to_read
    from cronicorn.control.keys import LISTED_MAX

    async with opened_to_read(database) as local:
        keys = await local.control.keys.list(local.principal(tenant), limit=LISTED_MAX)
    rows = [_shown(key) for key in keys]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    names = ("id", "name", "prefix", "role", "expires_at", "last_used_at", "revoked_at")
    heads = [name.removesuffix("_at").replace("_", " ").upper() for name in names]
    for line in columns(heads, [[str(row[name] or "") for name in names] for row in rows]):
        print(line)


async def _revoke(tenant: str, database: str | None, key_id: str) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        key = await local.control.keys.revoke(local.principal(tenant), key_id)
    print(f"Key {key.name!r} ({key.id}) opens nothing any more.")


def _shown(key: "ApiKey") -> dict[str, str | int | bool | list[str] | None]:
    from cronicorn.cli.instants import written

    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "role": key.role.value,
        "scopes": sorted(key.scopes) if key.scopes is not None else None,
        "agent": key.agent,
        "runs_installation": key.runs_installation,
        "requests_per_minute": key.rate,
        "created_at": written(key.created_at),
        "expires_at": written(key.expires_at) if key.expires_at is not None else None,
        "last_used_at": written(key.used_at) if key.used_at is not None else None,
        "revoked_at": written(key.revoked_at) if key.revoked_at is not None else None,
    }
