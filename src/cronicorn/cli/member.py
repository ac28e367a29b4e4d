"""`cronicorn member`: who may sign in for a tenant."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run
from cronicorn.cli.roles import JsonOption, RoleWord

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from cronicorn.control.members import MemberDocument, MemberPatch, NewLink, NewPassword
    from cronicorn.domain.access.member import Member

app = typer.Typer(help="Add, list, change and remove members, and give them passwords.", no_args_is_help=True)

LoginArgument = Annotated[str, typer.Argument(metavar="LOGIN", help="The member's login or id.")]


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="By which the member signs in, such as an e-mail address.")],
    *,
    role: Annotated[RoleWord, typer.Option(help="What the member may do.")],
    runs_installation: Annotated[
        bool, typer.Option("--runs-installation", help="The member may also see and add tenants.")
    ] = False,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a member and show a password, once."""
    from cronicorn.cli.documents import read
    from cronicorn.control.members import MemberDocument

    document = read(MemberDocument, {"login": login, "role": role.value, "runsInstallation": runs_installation})
    run(_add(tenant, database, document, as_json=as_json))


@app.command("list")
def list_all(*, tenant: TenantOption = "default", database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List the members of a tenant, oldest first."""
    run(_list(tenant, database, as_json=as_json))


@app.command("set")
def set_role(
    login: LoginArgument,
    *,
    role: Annotated[RoleWord, typer.Option(help="What the member may do from now on.")],
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
) -> None:
    """Give a member another role; it is signed out."""
    from cronicorn.cli.documents import read
    from cronicorn.control.members import MemberPatch

    run(_set(tenant, database, login, read(MemberPatch, {"role": role.value})))


@app.command("remove")
def remove(login: LoginArgument, *, tenant: TenantOption = "default", database: DatabaseOption = None) -> None:
    """Remove a member; it is signed out. One owner stays."""
    run(_remove(tenant, database, login))


@app.command("reset-password")
def reset_password(
    login: LoginArgument,
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a member a new password and show it, once; whoever is signed in with the old one is signed out."""
    run(_reset_password(tenant, database, login, as_json=as_json))


@app.command("sign-in-link")
def sign_in_link(
    login: LoginArgument,
    *,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a link to the web app that signs a member in once, within a quarter of an hour; their password stays."""
    run(_sign_in_link(tenant, database, login, as_json=as_json))


async def _add(tenant: str, database: str | None, document: "MemberDocument", *, as_json: bool) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        made = await local.control.members.add(local.principal(tenant), document)
    _show_password(made, as_json=as_json)


async def _list(tenant: str, database: str | None, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.columns import columns
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        rows = [_shown(member) for member in await local.control.members.list(local.principal(tenant))]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    names = ("id", "login", "role", "created_at", "password_at")
    heads = ("ID", "LOGIN", "ROLE", "CREATED", "PASSWORD SET")
    for line in columns(heads, [[str(row[name] or "") for name in names] for row in rows]):
        print(line)


async def _set(tenant: str, database: str | None, login: str, patch: "MemberPatch") -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        principal = local.principal(tenant)
        known = await _found(local.control.members.list(principal), login)
        member = await local.control.members.edit(principal, known.id, patch)
    print(f"{member.login} is {member.role} now.")


async def _remove(tenant: str, database: str | None, login: str) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        principal = local.principal(tenant)
        known = await _found(local.control.members.list(principal), login)
        member = await local.control.members.remove(principal, known.id)
    print(f"{member.login} is no member any more.")


async def _reset_password(tenant: str, database: str | None, login: str, *, as_json: bool) -> None:
    from cronicorn.cli.local import opened

    async with opened(database) as local:
        principal = local.principal(tenant)
        known = await _found(local.control.members.list(principal), login)
        made = await local.control.members.reset_password(principal, known.id)
    _show_password(made, as_json=as_json)


async def _sign_in_link(tenant: str, database: str | None, login: str, *, as_json: bool) -> None:
    from cronicorn.cli.local import opened, read_settings
    from cronicorn.wiring.sign_in_url import sign_in_url

    async with opened(database) as local:
        principal = local.principal(tenant)
        known = await _found(local.control.members.list(principal), login)
        made = await local.control.members.offer_link(principal, known.id)
    _show_link(made, sign_in_url(read_settings(database_url=database), made.token), as_json=as_json)


async def _found(listing: "Awaitable[Sequence[Member]]", login: str) -> "Member":
    """The member with a login or an id. Raises NotFoundError."""
    from cronicorn.control.members import login_of
    from cronicorn.domain.errors import NotFoundError

    for member in await listing:
        if login == member.id or login_of(login) == member.login:
            return member
    raise NotFoundError(f"There is no member {login!r}: `cronicorn member list` shows those there are.")


def _show_password(made: "NewPassword", *, as_json: bool) -> None:
    import json
    import sys

    if as_json:
        print(json.dumps({**_shown(made.member), "password": made.password}))
        return
    print(f"{made.member.login} signs in with this password, which is shown only now:", file=sys.stderr)
    print(made.password)


def _show_link(made: "NewLink", url: str, *, as_json: bool) -> None:
    import json
    import sys

    from cronicorn.cli.instants import written

    ends_at = written(made.ends_at)
    if as_json:
        print(json.dumps({**_shown(made.member), "url": url, "token": made.token, "ends_at": ends_at}))
        return
    print(f"{made.member.login} signs in here, once, until {ends_at}:", file=sys.stderr)
    print(url)


def _shown(member: "Member") -> dict[str, str | bool | None]:
    from cronicorn.cli.instants import written

    return {
        "id": member.id,
        "login": member.login,
        "role": member.role.value,
        "runs_installation": member.runs_installation,
        "created_at": written(member.created_at),
        "password_at": written(member.password_at) if member.password_at is not None else None,
    }
