"""`cronicorn secret`: texts that requests name and nobody reads again."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, opened, opened_to_read, run

app = typer.Typer(help="Keep texts that requests name as {{secret.NAME}}.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The secret's name.")]


@app.command("set")
def set_secret(name: NameArgument, *, tenant: TenantOption = "default", database: DatabaseOption = None) -> None:
    """Set a secret: its text is read from stdin, or asked for at a terminal."""
    run(_set(name, _given(name), tenant, database))


@app.command("list")
def list_all(
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
) -> None:
    """List which secrets there are, never what they say."""
    run(_list(tenant, database, as_json=as_json))


@app.command("remove")
def remove(name: NameArgument, *, tenant: TenantOption = "default", database: DatabaseOption = None) -> None:
    """Forget a secret. Calls of requests that still name it are not made."""
    run(_remove(name, tenant, database))


def _given(name: str) -> str:
    """What the secret is to say: all of stdin but for one line end."""
    import sys
    from getpass import getpass

    from cronicorn.domain.errors import InvalidInputError

    if sys.stdin.isatty():
        return getpass(f"The text of {name}: ")
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise InvalidInputError("The text of a secret must be UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r")


async def _set(name: str, value: str, tenant: str, database: str | None) -> None:
    from cronicorn.control.document import SecretDocument

    async with opened(database) as local:
        await local.control.secrets.set(local.principal(tenant), name, SecretDocument(value=value))
    print(f"Tenant {tenant!r} has the secret {name}: requests name it as {{{{secret.{name}}}}}.")


async def _list(tenant: str, database: str | None, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.instants import written

    async with opened_to_read(database) as local:
        secrets = await local.control.secrets.list(local.principal(tenant))
    rows = [
        {"name": each.name, "created_at": written(each.created_at), "updated_at": written(each.updated_at)}
        for each in secrets
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    width = max((len(row["name"]) for row in rows), default=4)
    for row in [{"name": "NAME", "created_at": "CREATED", "updated_at": "UPDATED"}, *rows]:
        print(f"{row['name']:<{max(width, 4)}}  {row['created_at']:<24}  {row['updated_at']}")


async def _remove(name: str, tenant: str, database: str | None) -> None:
    async with opened(database) as local:
        await local.control.secrets.remove(local.principal(tenant), name)
    print(f"Tenant {tenant!r} has no secret {name} any more.")
