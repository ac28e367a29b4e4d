"""How commands reach Cronicorn: the store of the settings through the same routes that a server answers."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.completing import complete_profile
from cronicorn.cli.local import opened, opened_to_call, opened_to_read
from cronicorn.cli.options import made_of_options, option
from cronicorn.cli.place import Place, chosen_profile

if TYPE_CHECKING:
    from cronicorn.cli.interface import Interface
    from cronicorn.cli.profile_file import ServerProfile
    from cronicorn.wiring.local import LocalControl

    _Opening = Callable[[str | None], AbstractAsyncContextManager[LocalControl]]

_CONNECT_S, _ANSWER_S = 10.0, 90.0
"""A test call may take a minute."""

_PlaceDatabase = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="The store, instead of CRONICORN_DATABASE_URL.")
]
_PlaceTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", help="The tenant to act for: default, where none is named.")
]
_PlaceProfile = Annotated[
    str | None,
    typer.Option(
        "--profile", metavar="NAME", help="Act on the server of this profile.", autocompletion=complete_profile
    ),
]


def at_place(command: Callable[..., None]) -> Callable[..., None]:
    """*command*, whose argument `place` is made of the options `--profile`, `--database` and `--tenant`."""
    kinds = {"profile": _PlaceProfile, "database": _PlaceDatabase, "tenant": _PlaceTenant}
    return made_of_options(command, "place", [option(*each) for each in kinds.items()], Place)


def at_installation(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command that is about the whole installation and acts for no tenant: without `--tenant`."""
    kinds = {"profile": _PlaceProfile, "database": _PlaceDatabase}
    return made_of_options(command, "place", [option(*each) for each in kinds.items()], Place)


@asynccontextmanager
async def reached(
    place: Place, *, to_read: bool = False, calling: bool = False, compiling: bool = False
) -> "AsyncIterator[Interface]":
    """The interface of the place that was chosen. With *to_read* a store that is not there is not made.

    With *calling* endpoints can be tried out there, with *compiling* descriptions can be compiled.

    Raises InvalidInputError and NotFoundError for options that don't fit, and as opening the store does.
    """
    profile = chosen_profile(place)
    way: _Opening = opened_to_read if to_read else opened
    if calling or compiling:
        way = opened_to_call if calling else partial(opened, compiling=True)
    interface = _here(place, way) if profile is None else _there(place, profile)
    async with interface as found:
        yield found


@asynccontextmanager
async def _here(place: Place, way: "_Opening") -> "AsyncIterator[Interface]":
    import httpx2

    from cronicorn.api.inside import create_inside_app
    from cronicorn.cli.interface import Interface

    async with way(place.database) as local:
        asker = local.principal(place.tenant_here)
        app = create_inside_app(local.control, asker, rehearsing=local.rehearsing, site=local.site)
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False) as client:
            yield Interface(client, local.where, profile=None)


@asynccontextmanager
async def _there(place: Place, profile: "ServerProfile") -> "AsyncIterator[Interface]":
    import httpx2

    from cronicorn.cli.interface import Interface
    from cronicorn.cli.profile_file import LOOPBACK
    from cronicorn.domain.errors import InvalidInputError

    if place.tenant is not None:
        raise InvalidInputError(f"--tenant is about a store; on {profile.url} the key says for which tenant you act.")
    key = profile.read_key(os.environ) or ask_for_key(profile.name)
    # A proxy would be given the key of a server that is beside this process, over http in clear.
    straight = {f"all://{f'[{host}]' if ':' in host else host}": None for host in LOOPBACK}
    client = httpx2.AsyncClient(
        base_url=profile.url, headers={"x-api-key": key}, timeout=httpx2.Timeout(_ANSWER_S, connect=_CONNECT_S),
        follow_redirects=False, mounts=straight,
    )  # fmt: skip
    async with client:
        yield Interface(client, profile.url, profile=profile.name)


def whose_of(place: Place, where: str) -> str:
    """Whose things a command is about, as the beginning of a sentence; *where* is what the interface is called."""
    return f"Tenant {place.tenant_here!r}" if chosen_profile(place) is None else f"Your tenant on {where}"


def ask_for_key(name: str) -> str:
    """The key that a person types, unseen. Raises InvalidInputError where nobody can be asked."""
    from getpass import getpass

    from cronicorn.cli.profile_file import usable_key
    from cronicorn.domain.errors import InvalidInputError

    if not sys.stdin.isatty():
        raise InvalidInputError(f"The key of the profile {name!r} has to be typed, and this is no terminal.")
    return usable_key(name, getpass(f"API key for {name}: ").strip())
