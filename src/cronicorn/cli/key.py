"""`cronicorn key`: what programs show to be let in."""

from typing import Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import given
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.roles import JsonOption, RoleWord
from cronicorn.cli.showing import print_done, print_json, print_table, snaked

_NAMES = (
    "id", "name", "prefix", "role", "scopes", "agent", "runs_installation", "requests_per_minute", "created_at",
    "expires_at", "last_used_at", "revoked_at",
)  # fmt: skip
_COLUMNS = {
    "ID": "id", "NAME": "name", "PREFIX": "prefix", "ROLE": "role", "EXPIRES": "expires_at",
    "LAST USED": "last_used_at", "REVOKED": "revoked_at",
}  # fmt: skip
_LISTED_MAX = 1_000

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command("add")
@at_place
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
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Make an API key and show it, once.

    Example: cronicorn key add dashboard --role viewer --expires-at 2027-01-01T00:00:00Z
    """
    document = given(
        name=name,
        role=role.value,
        scopes=scopes or None,
        expiresAt=expires_at,
        requestsPerMinute=rate,
        agent=agent,
        runsInstallation=runs_installation,
    )
    run(_add(place, document, as_json=as_json))


@app.command("list")
@at_place
def list_all(*, as_json: JsonOption = False, place: Place) -> None:
    """List the API keys of a tenant, newest first; never the keys themselves.

    Example: cronicorn key list --json
    """
    run(_list(place, as_json=as_json))


@app.command("revoke")
@at_place
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `cronicorn key list` shows it.")],
    *,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Let an API key open nothing any more.

    Example: cronicorn key revoke key_0123abcd
    """
    run(_revoke(place, key_id, as_json=as_json))


async def _add(place: Place, document: dict[str, Any], *, as_json: bool) -> None:
    import sys

    async with reached(place) as there:
        made = await there.post("/keys", document)
    if as_json:
        print_json(snaked(made, *_NAMES, "key"))
        return
    print(f"Key {made['name']!r} ({made['id']}) was made. It is shown only now:", file=sys.stderr)
    print(made["key"])


async def _list(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        keys = (await there.get("/keys", limit=_LISTED_MAX))["keys"]
    print_table([snaked(key, *_NAMES) for key in keys], _COLUMNS, as_json=as_json)


async def _revoke(place: Place, key_id: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place) as there:
        await there.delete(f"/keys/{segment(key_id)}")
    print_done({"id": key_id, "revoked": True}, f"Key {key_id} opens nothing any more.", as_json=as_json)
