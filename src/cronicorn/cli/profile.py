"""`cronicorn profile`: servers that commands may act on."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.showing import print_table

if TYPE_CHECKING:
    from cronicorn.cli.profile_file import ServerProfile, ServerProfiles

app = typer.Typer(
    help="Name servers, so that commands act on them as on a store of this machine.", no_args_is_help=True
)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="What the profile is called.")]
_Json = Annotated[bool, typer.Option("--json", help="As JSON; never the keys.")]
_COLUMNS = {"": "star", "NAME": "name", "URL": "url", "KEY": "key"}


@app.command("add")
def add(
    name: _Name,
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Where the server's API is, without /api.")],
    *,
    key_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Read the key from this file, whenever it is needed.")
    ] = None,
    key_variable: Annotated[
        str | None, typer.Option(metavar="VARIABLE", help="Take the key from this environment variable.")
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the key each time, and keep it nowhere.")] = False,
    as_json: _Json = False,
) -> None:
    """Add a profile. Without an option the key is asked for now, or read from stdin, and kept in a file of mode 600.

    Examples: cronicorn profile add prod --url https://cron.example.com · cronicorn profile add prod --url
    https://cron.example.com --key-file /run/secrets/cronicorn
    """
    from cronicorn.cli.profile_file import ServerProfile, change_profiles, read_profiles
    from cronicorn.domain.errors import InvalidInputError

    if sum((key_file is not None, key_variable is not None, ask)) > 1:
        raise InvalidInputError("Say in one way where the key is: --key-file, --key-variable or --ask.")
    _check_name(name)
    path = None if key_file is None else os.path.abspath(key_file)  # noqa: PTH100 - no link is followed
    profile = ServerProfile(name=name, url=_checked_url(url), key_file=path, key_variable=key_variable, ask=ask)
    read_profiles().with_profile(profile)  # Nobody is asked for a key in vain.
    if path is None and key_variable is None and not ask:
        profile = _with_key(profile)
    profiles = change_profiles(lambda there: there.with_profile(profile))
    _show([profile], profiles, as_json=as_json)
    if not as_json:
        print(f"`cronicorn profile use {name}` lets commands act on it, --profile {name} one of them;", file=sys.stderr)
        print(f"`cronicorn doctor --profile {name}` tells whether the server knows the key.", file=sys.stderr)


@app.command("list")
def list_all(*, as_json: _Json = False) -> None:
    """List the profiles; the one in use has a star.

    Example: cronicorn profile list --json
    """
    from cronicorn.cli.profile_file import read_profiles

    profiles = read_profiles()
    _show(list(profiles.by_name.values()), profiles, as_json=as_json)


@app.command("use")
def use(name: _Name, *, as_json: _Json = False) -> None:
    """Let commands act on the server of a profile, where no option and no variable says otherwise.

    `local` goes back to the store of the settings. Examples: cronicorn profile use prod · cronicorn profile use local
    """
    from cronicorn.cli.profile_file import LOCAL, change_profiles

    profiles = change_profiles(lambda there: there.using(name))
    if as_json:
        _show(list(profiles.by_name.values()), profiles, as_json=True)
    elif name == LOCAL:
        print("Commands act on the store of the settings.")
    else:
        print(f"Commands act on {profiles.find(name).url}, until `cronicorn profile use local`.")


@app.command("remove")
def remove(name: _Name, *, as_json: _Json = False) -> None:
    """Remove a profile, and the key with it if it was kept there. The server still knows the key.

    Example: cronicorn profile remove prod
    """
    from cronicorn.cli.profile_file import change_profiles

    profiles = change_profiles(lambda there: there.without(name))
    if as_json:
        _show(list(profiles.by_name.values()), profiles, as_json=True)
    else:
        print(f"Profile {name!r} is gone.")


def _check_name(name: str) -> None:
    import re

    from cronicorn.cli.profile_file import LOCAL
    from cronicorn.domain.errors import InvalidInputError

    if name == LOCAL or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name) is None:
        raise InvalidInputError(
            f"{name!r} can't be a profile's name: use letters, digits, dots, dashes and underscores, and not `local`."
        )


def _checked_url(text: str) -> str:
    """The address of a server. Raises InvalidInputError for anything else, which may hold a password."""
    from urllib.parse import urlsplit

    from cronicorn.cli.profile_file import LOOPBACK
    from cronicorn.domain.errors import InvalidInputError

    try:
        parts = urlsplit(text.strip())
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise InvalidInputError("--url is no URL; give one such as https://cron.example.com.") from None
    if not known or parts.username is not None or parts.query or parts.fragment:
        raise InvalidInputError("--url must be such as https://cron.example.com, with nothing but a path after it.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        print("Warning: over http:// everybody on the way can read the key; use https:// if you can.", file=sys.stderr)
    return text.strip().rstrip("/").removesuffix("/api")


def _with_key(profile: "ServerProfile") -> "ServerProfile":
    """*profile* with the key that a person types, or that comes on stdin."""
    from dataclasses import replace

    from cronicorn.cli.profile_file import usable_key
    from cronicorn.cli.reaching import ask_for_key

    if sys.stdin.isatty():
        return replace(profile, key=ask_for_key(profile.name))
    return replace(profile, key=usable_key(profile.name, sys.stdin.readline(8_192).strip()))


def _show(shown: "list[ServerProfile]", profiles: "ServerProfiles", *, as_json: bool) -> None:
    whole = [
        {"name": each.name, "url": each.url, "key": each.key_place, "used": each.name == profiles.used}
        for each in shown
    ]
    rows = [{**each, "star": "*" if each["used"] else ""} for each in whole]
    empty = "There are no profiles: `cronicorn profile add` makes one."
    print_table(rows, _COLUMNS, as_json=as_json, empty=empty, whole=whole)
