"""`cronicorn master-key`: the key that seals what tenants keep secret."""

import typer

from cronicorn.cli.local import DatabaseOption, opened, run

app = typer.Typer(help="Make and change the key that seals secrets in the store.", no_args_is_help=True)


@app.command("new")
def new() -> None:
    """Print a new master key. It is stored nowhere: put it where CRONICORN_MASTER_KEY_FILE names it."""
    from cronicorn.wiring.vault import new_master_key

    print(new_master_key())


@app.command("rewrap")
def rewrap(*, database: DatabaseOption = None) -> None:
    """Seal all that was sealed with an older master key with the first one, so that the older can go."""
    run(_rewrap(database))


async def _rewrap(database: str | None) -> None:
    async with opened(database) as local:
        count = 0
        for tenant in local.tenants:
            count += await local.control.rewrapping.rewrap(local.principal(tenant.id))
    print(f"{count} secrets were sealed anew; the first master key opens all of them.")
