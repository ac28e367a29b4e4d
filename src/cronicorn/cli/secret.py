"""`cronicorn secret`: texts that requests name and nobody reads again."""

from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached, whose_of
from cronicorn.cli.showing import print_done, print_table, snaked

app = typer.Typer(help="Keep texts that requests name as {{secret.NAME}}.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The secret's name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON; never what a secret says.")]
_COLUMNS = {"NAME": "name", "CREATED": "created_at", "UPDATED": "updated_at"}


@app.command("set")
@at_place
def set_secret(name: NameArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Set a secret: its text is read from stdin, or asked for at a terminal.

    Example: cronicorn secret set token < token.txt
    """
    run(_set(place, name, _given(name), as_json=as_json))


@app.command("list")
@at_place
def list_all(*, as_json: JsonOption = False, place: Place) -> None:
    """List which secrets there are, never what they say.

    Example: cronicorn secret list --json
    """
    run(_list(place, as_json=as_json))


@app.command("remove")
@at_place
def remove(name: NameArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Forget a secret. Calls of requests that still name it are not made.

    Example: cronicorn secret remove token
    """
    run(_remove(place, name, as_json=as_json))


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


async def _set(place: Place, name: str, value: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place) as there:
        kept = await there.put(f"/secrets/{segment(name)}", {"value": value})
        whose = whose_of(place, there.where)
    told = f"{whose} has the secret {name}: requests name it as {{{{secret.{name}}}}}."
    print_done(snaked(kept, *_COLUMNS.values()), told, as_json=as_json)


async def _list(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        rows = [snaked(each, *_COLUMNS.values()) for each in (await there.get("/secrets"))["secrets"]]
    print_table(rows, _COLUMNS, as_json=as_json)


async def _remove(place: Place, name: str, *, as_json: bool) -> None:
    from cronicorn.cli.interface import segment

    async with reached(place) as there:
        await there.delete(f"/secrets/{segment(name)}")
        whose = whose_of(place, there.where)
    print_done({"name": name, "removed": True}, f"{whose} has no secret {name} any more.", as_json=as_json)
