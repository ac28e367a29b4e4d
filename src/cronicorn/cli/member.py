"""`cronicorn member`: who may sign in for a tenant."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.roles import JsonOption, RoleWord
from cronicorn.cli.showing import print_done, print_json, print_table, snaked

if TYPE_CHECKING:
    from cronicorn.cli.interface import Interface

_NAMES = ("id", "login", "role", "runs_installation", "created_at", "password_at")
_COLUMNS = {"ID": "id", "LOGIN": "login", "ROLE": "role", "CREATED": "created_at", "PASSWORD SET": "password_at"}

app = typer.Typer(help="Add, list, change and remove members, and give them passwords.", no_args_is_help=True)

LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help="The member's login or id.")]


@app.command("add")
@at_place
def add(
    login: Annotated[str, typer.Argument(help="By which the member signs in, such as an e-mail address.")],
    *,
    role: Annotated[RoleWord, typer.Option(help="What the member may do.")],
    runs_installation: Annotated[
        bool, typer.Option("--runs-installation", help="The member may also see and add tenants.")
    ] = False,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Add a member and show a password, once.

    Example: cronicorn member add ann@example.org --role editor
    """
    given = {"login": login, "role": role.value, "runsInstallation": runs_installation}
    run(_add(place, given, as_json=as_json))


@app.command("list")
@at_place
def list_all(*, as_json: JsonOption = False, place: Place) -> None:
    """List the members of a tenant, oldest first.

    Example: cronicorn member list
    """
    run(_list(place, as_json=as_json))


@app.command("set")
@at_place
def set_role(
    login: LoginArgument,
    *,
    role: Annotated[RoleWord, typer.Option(help="What the member may do from now on.")],
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Give a member another role; it is signed out.

    Example: cronicorn member set ann@example.org --role viewer
    """
    run(_set(place, login, {"role": role.value}, as_json=as_json))


@app.command("remove")
@at_place
def remove(login: LoginArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Remove a member; it is signed out. One owner stays.

    Example: cronicorn member remove ann@example.org
    """
    run(_remove(place, login, as_json=as_json))


@app.command("reset-password")
@at_place
def reset_password(login: LoginArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Give a member a new password and show it, once; whoever is signed in with the old one is signed out.

    Example: cronicorn member reset-password ann@example.org
    """
    run(_reset_password(place, login, as_json=as_json))


@app.command("sign-in-link")
@at_place
def sign_in_link(login: LoginArgument, *, as_json: JsonOption = False, place: Place) -> None:
    """Show a link to the web app that signs a member in once, within a quarter of an hour; their password stays.

    Example: cronicorn member sign-in-link ann@example.org
    """
    run(_sign_in_link(place, login, as_json=as_json))


async def _add(place: Place, given: dict[str, Any], *, as_json: bool) -> None:
    async with reached(place) as there:
        made = await there.post("/members", given)
    _show_password(made, as_json=as_json)


async def _list(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        rows = [snaked(each, *_NAMES) for each in (await there.get("/members"))["members"]]
    print_table(rows, _COLUMNS, as_json=as_json)


async def _set(place: Place, login: str, patch: dict[str, str], *, as_json: bool) -> None:
    async with reached(place) as there:
        known = await _known(there, login)
        member = await there.patch(f"/members/{known['id']}", patch)
    print_done(snaked(member, *_NAMES), f"{member['login']} is {member['role']} now.", as_json=as_json)


async def _remove(place: Place, login: str, *, as_json: bool) -> None:
    async with reached(place) as there:
        known = await _known(there, login)
        await there.delete(f"/members/{known['id']}")
    print_done(snaked(known, *_NAMES), f"{known['login']} is no member any more.", as_json=as_json)


async def _reset_password(place: Place, login: str, *, as_json: bool) -> None:
    async with reached(place) as there:
        known = await _known(there, login)
        made = await there.post(f"/members/{known['id']}/reset-password")
    _show_password(made, as_json=as_json)


async def _known(there: "Interface", login: str) -> dict[str, Any]:
    """The member with a login or an id. Raises NotFoundError."""
    from cronicorn.control.members import login_of
    from cronicorn.domain.errors import NotFoundError

    known: list[dict[str, Any]] = (await there.get("/members"))["members"]
    for member in known:
        if login == member["id"] or login_of(login) == member["login"]:
            return member
    raise NotFoundError(f"There is no member {login!r}: `cronicorn member list` shows those there are.")


async def _sign_in_link(place: Place, login: str, *, as_json: bool) -> None:
    import sys

    async with reached(place) as there:
        known = await _known(there, login)
        made = await there.post(f"/members/{known['id']}/sign-in-link")
    if as_json:
        print_json(snaked(made, *_NAMES, "url", "token", "ends_at"))
        return
    print(f"{made['login']} signs in here, once, until {made['endsAt']}:", file=sys.stderr)
    print(made["url"])


def _show_password(made: dict[str, Any], *, as_json: bool) -> None:
    import sys

    if as_json:
        print_json(snaked(made, *_NAMES, "password"))
        return
    print(f"{made['login']} signs in with this password, which is shown only now:", file=sys.stderr)
    print(made["password"])
