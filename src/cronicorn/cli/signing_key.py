"""`cronicorn signing-key`: the key that a tenant's calls are signed with."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, opened, opened_to_read, run

if TYPE_CHECKING:
    from cronicorn.control.signing_keys import NewSigningKey

app = typer.Typer(help="Sign the calls of a tenant, and change the key.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def _overlap(text: str | timedelta) -> timedelta:
    """*text* as how long keys overlap."""
    from cronicorn.domain.durations import parse_duration

    if isinstance(text, timedelta):
        return text
    try:
        return parse_duration(text) if text != "0" else timedelta(0)
    except ValueError:
        raise typer.BadParameter(f"{text[:40]!r} is no duration: write it as in 24h, 90m or 0.") from None


@app.command("show")
def show(*, tenant: TenantOption = "default", database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Show by which key calls are signed; of the key only its beginning."""
    run(_show(tenant, database, as_json=as_json))


@app.command("create")
def create(*, tenant: TenantOption = "default", database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Sign all calls of a tenant from now on, and show the key, once."""
    run(_create(tenant, database, as_json=as_json))


@app.command("rotate")
def rotate(
    *,
    overlap: Annotated[
        timedelta | None,
        typer.Option(
            metavar="DURATION", parser=_overlap, help="How long the key before goes on signing; 24h if not given."
        ),
    ] = None,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a new key in the place of the present one, and show it, once."""
    run(_rotate(overlap, tenant, database, as_json=as_json))


@app.command("end-overlap")
def end_overlap(*, tenant: TenantOption = "default", database: DatabaseOption = None) -> None:
    """Let only the newest key sign from now on."""
    run(_end_overlap(tenant, database))


@app.command("remove")
def remove(*, tenant: TenantOption = "default", database: DatabaseOption = None) -> None:
    """Sign no more calls of a tenant."""
    run(_remove(tenant, database))


async def _show(tenant: str, database: str | None, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.instants import written

    async with opened_to_read(database) as local:
        keys = await local.control.signing_keys.show(local.principal(tenant))
    rows = [
        {
            "prefix": key.prefix,
            "created_at": written(key.created_at),
            "rotated_at": written(key.rotated_at) if key.rotated_at is not None else None,
            "until": written(key.until) if key.until is not None else None,
        }
        for key in keys
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    if not rows:
        print(f"The calls of tenant {tenant!r} are not signed. `cronicorn signing-key create` signs them.")
    for row in rows:
        print(f"{row['prefix']}…  {'signs until ' + row['until'] if row['until'] else 'signs'}")


async def _create(tenant: str, database: str | None, *, as_json: bool) -> None:
    async with opened(database) as local:
        made = await local.control.signing_keys.create(local.principal(tenant))
    _print_once(made, tenant, as_json=as_json)


async def _rotate(overlap: timedelta | None, tenant: str, database: str | None, *, as_json: bool) -> None:
    from cronicorn.control.signing_keys import OVERLAP_DEFAULT

    async with opened(database) as local:
        keys = local.control.signing_keys
        made = await keys.rotate(local.principal(tenant), OVERLAP_DEFAULT if overlap is None else overlap)
    _print_once(made, tenant, as_json=as_json)


async def _end_overlap(tenant: str, database: str | None) -> None:
    async with opened(database) as local:
        await local.control.signing_keys.end_overlap(local.principal(tenant))
    print(f"Only the newest key signs the calls of tenant {tenant!r}.")


async def _remove(tenant: str, database: str | None) -> None:
    async with opened(database) as local:
        await local.control.signing_keys.remove(local.principal(tenant))
    print(f"The calls of tenant {tenant!r} are no longer signed.")


def _print_once(made: "NewSigningKey", tenant: str, *, as_json: bool) -> None:
    import json
    import sys

    if as_json:
        print(json.dumps({"key": made.text, "prefix": made.key.prefix}))
        return
    print(f"The calls of tenant {tenant!r} are signed with this key. It is shown only now:", file=sys.stderr)
    print(made.text)
