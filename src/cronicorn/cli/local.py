"""What commands that act on a store have in common: its options, how it is opened, who acts."""

import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.showing import cell

if TYPE_CHECKING:
    from cronicorn.control.tenants import FirstStart
    from cronicorn.wiring.local import LocalControl
    from cronicorn.wiring.settings import Settings

_OPTIONS = {
    "host": "--host", "port": "--port", "metrics_port": "--metrics-port", "lease_mechanism": "--mechanisms",
    "mcp_write": "--enable-write", "mcp_read_only": "--read-only", "mcp_toolsets": "--toolsets",
    "mcp_exclude": "--exclude-tools",
}  # fmt: skip
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The store, instead of CRONICORN_DATABASE_URL: this command works on it itself, and knows no profile.",
    ),
]
"""For commands that a server can't carry out; `cronicorn.cli.reaching` has the one for all others."""
TenantOption = Annotated[str, typer.Option("--tenant", metavar="NAME", help="The tenant to act for.")]


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run *main* to its end; Ctrl-C ends it quietly."""
    import asyncio

    try:
        asyncio.run(main)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def tell(message: str) -> None:
    """Show on stderr why a command did not do what it was asked to; each line says so.

    Names of files and answers of servers may hold what a terminal would obey.
    """
    for line in message.splitlines():
        print(f"Error: {cell(line)}", file=sys.stderr)


def read_settings(*, database_option: str = "--database", **options: object) -> "Settings":
    """The settings of the environment, with the options that were given in the place of their variables.

    What is wrong with an option is told of the option: *database_option* is how the database was given, if it was.
    Raises InvalidInputError.
    """
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.wiring.setting import PREFIX
    from cronicorn.wiring.settings import Settings

    typed = _OPTIONS | {"database_url": database_option}
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if not str(value).strip():  # Say, a variable of the shell that was never set.
            raise InvalidInputError(f"{typed[name]} is empty: give it a value, or leave it out.")
    given_as = {f"{PREFIX}{name.upper()}": typed[name] for name in given}
    return Settings.from_env({**os.environ, **variables(**given)}, given_as)


def variables(**options: object) -> dict[str, str]:
    """The environment variables that mean the same as *options*; those that were not given are left out."""
    from cronicorn.wiring.setting import PREFIX

    return {f"{PREFIX}{name.upper()}": str(value) for name, value in options.items() if value is not None}


def store_settings(database: str | None) -> "Settings":
    """The settings of a command that works on a store itself: *database* is how it was given, if it was.

    Raises InvalidInputError, also as `refuse_profile` does.
    """
    refuse_profile(database)
    return read_settings(database_url=database)


def refuse_profile(database: str | None) -> None:
    """Raise InvalidInputError where a profile stands for a server that was meant, and no *database* was given."""
    from cronicorn.cli.place import Place, chosen_profile
    from cronicorn.domain.errors import InvalidInputError

    profile = chosen_profile(Place(database=database))
    if profile is not None:
        raise InvalidInputError(
            f"This works on a database itself, while the profile {profile.name!r} ({profile.url}) is in use: name the "
            "database with --database URL, on a machine that reaches it."
        )


@asynccontextmanager
async def opened(database: str | None, *, compiling: bool = False) -> AsyncIterator["LocalControl"]:
    """The control plane of the store that the settings name, made if need be; a new API key is shown on stderr.

    With *compiling* the model that they name is connected.
    """
    from cronicorn.wiring.local import local_control
    from cronicorn.wiring.logging import configure_logging

    settings = store_settings(database)
    configure_logging("warning", settings.log_format)  # A master key that was made is told of with its file.
    async with local_control(settings, compiling=compiling) as local:
        if local.first is not None:
            show_first(local.first)
        yield local


def opened_to_read(database: str | None) -> AbstractAsyncContextManager["LocalControl"]:
    """The control plane of the store that the settings name. Raises NotFoundError when there is none yet."""
    from cronicorn.wiring.local import existing_control

    return existing_control(store_settings(database))


def opened_to_call(database: str | None) -> AbstractAsyncContextManager["LocalControl"]:
    """The control plane of the store that the settings name, which can call what endpoints call. Raises as above."""
    from cronicorn.wiring.local import calling_control

    return calling_control(store_settings(database))


def opened_to_try(database: str | None) -> AbstractAsyncContextManager["LocalControl"]:
    """The control plane of the store that the settings name, for a trial that leaves nothing behind."""
    from cronicorn.wiring.local import imagined_control

    return imagined_control(store_settings(database))


def show_first(first: "FirstStart", link: str | None = None) -> None:
    """Show on stderr, once, what opens a new installation; *link*: where its owner signs in without the password."""
    lines = ["A new API key for the tenant 'default'. It is shown only now, so keep it:", "", f"    {first.key}", ""]
    if first.login is not None:
        lines += [f"Its owner signs in as {first.login!r} with this password, shown only now, too:", ""]
        lines += [f"    {first.password}", ""]
    if link is not None:
        lines += ["or in a browser, once and within a quarter of an hour, without it:", "", f"    {link}", ""]
    print("\n".join(lines), file=sys.stderr, flush=True)
