"""`cronicorn master-key`: the key that seals what tenants keep secret."""

import json
from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, opened, run

app = typer.Typer(help="Make and change the key that seals secrets in the store.", no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("new")
def new(as_json: _Json = False) -> None:
    """Print a new master key. It is stored nowhere: put it where CRONICORN_MASTER_KEY_FILE names it.

    Example: cronicorn master-key new > /run/secrets/master-key
    """
    from cronicorn.wiring.vault import new_master_key

    key = new_master_key()
    print(json.dumps({"key": key}) if as_json else key)


@app.command("rewrap")
def rewrap(*, database: DatabaseOption = None, as_json: _Json = False) -> None:
    """Seal all that was sealed with an older master key with the first one, so that the older can go.

    Example: cronicorn master-key rewrap
    """
    run(_rewrap(database, as_json=as_json))


async def _rewrap(database: str | None, *, as_json: bool) -> None:
    async with opened(database) as local:
        count = 0
        for tenant in local.tenants:
            count += await local.control.rewrapping.rewrap(local.principal(tenant.id))
    told = f"{count} secrets were sealed anew; the first master key opens all of them."
    print(json.dumps({"sealed_anew": count}) if as_json else told)
