"""`cronicorn master-key`: the key that seals what tenants keep secret."""

import typer

from cronicorn.cli.local import DatabaseOption, opened, run
from cronicorn.cli.showing import ObjectOption, print_done

app = typer.Typer(help="Make and change the key that seals secrets in the store.", no_args_is_help=True)


@app.command("new")
def new(as_json: ObjectOption = False) -> None:
    """Print a new master key. It is stored nowhere: put it where CRONICORN_MASTER_KEY_FILE names it.

    Example: cronicorn master-key new > /run/secrets/master-key
    """
    from cronicorn.wiring.vault import new_master_key

    key = new_master_key()
    print_done({"key": key}, key, as_json=as_json)


@app.command("rewrap")
def rewrap(*, database: DatabaseOption = None, as_json: ObjectOption = False) -> None:
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
    print_done({"sealed_anew": count}, told, as_json=as_json)
