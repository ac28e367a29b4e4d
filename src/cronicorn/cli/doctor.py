"""`cronicorn doctor`: whether an installation is well, and what to do where it is not."""

import sys
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from stat import S_ISREG
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place, chosen_profile
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import harmless, print_json

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from rich.console import Console

    from cronicorn.cli.interface import Interface
    from cronicorn.cli.profile_file import ServerProfile
    from cronicorn.domain.diagnosis import Examined

ILL = 1
_STYLES = {"ok": "green", "look": "yellow", "broken": "bold red", "unseen": "dim"}
_WIDTH = len("unseen")
_LISTED_MAX = 1_000
_SECOND = timedelta(seconds=1)


@at_place
def doctor(
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody on the network but the place itself.")] = False,
    urls: Annotated[
        list[str] | None, typer.Option("--url", metavar="URL", help="Ask this server, not those of endpoints.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with one object for each thing.")] = False,
    place: Place,
) -> None:
    """Look at database, clocks, network, egress guard, keys, workers, lag, disk and files, and say what to do.

    Of a few servers that endpoints call, HEAD of the first page is asked. Exits with 1 when something is broken.

    Examples: cronicorn doctor · cronicorn doctor --offline --json · cronicorn doctor --profile prod
    """
    run(_doctor(place, tuple(urls or ()), offline=offline, as_json=as_json))


def _check(urls: Sequence[str]) -> None:
    """Raise InvalidInputError for what is no URL."""
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.domain.target import parse_target

    for url in urls:
        try:
            parse_target(url)
        except InvalidInputError as error:
            raise InvalidInputError(f"--url: {error}") from None


async def _doctor(place: Place, urls: tuple[str, ...], *, offline: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from cronicorn.cli.terminal import console
    from cronicorn.domain.diagnosis import is_well

    _check(urls)
    found: list[Examined] = []
    async for each in _examined(place, urls, offline=offline):
        found.append(each)
        if not as_json:
            _tell(console(), each)
            sys.stdout.flush()
    if as_json:
        print_json([asdict(each) for each in found])
    if not is_well(found):
        raise typer.Exit(ILL)


def _tell(to: "Console", each: "Examined") -> None:
    from rich.text import Text

    line = Text.assemble(
        (f"{each.wellness.value:<{_WIDTH}}", _STYLES[each.wellness.value]), harmless(f"  {each.what}: {each.told}")
    )
    to.print(line, soft_wrap=True)
    if each.advice is not None:
        to.print(Text(harmless(f"{'':<{_WIDTH}}  → {each.advice}")), soft_wrap=True)


async def _examined(place: Place, urls: tuple[str, ...], *, offline: bool) -> "AsyncIterator[Examined]":
    from cronicorn.cli.profile_file import profiles_path
    from cronicorn.domain.diagnosis import secrecy
    from cronicorn.domain.errors import CronicornError

    if (profiles := _mode(profiles_path())) is not None:
        yield secrecy(str(profiles_path()), profiles)
    try:
        profile = chosen_profile(place)
    except CronicornError as error:
        yield _unusable("profile", str(error))
        return
    told = _of_store(place, urls, offline=offline) if profile is None else _of_server(place, profile)
    async for each in told:
        yield each


def _mode(path: "Path") -> int | None:
    """The mode of the file at *path*; None where there is none, or nobody may look."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    return mode if S_ISREG(mode) else None


async def _of_store(place: Place, urls: tuple[str, ...], *, offline: bool) -> "AsyncIterator[Examined]":
    from cronicorn.cli.local import read_settings
    from cronicorn.domain.diagnosis import Examined, Wellness
    from cronicorn.domain.errors import CronicornError, InvalidInputError
    from cronicorn.wiring.diagnosing import examine_settings, examine_store

    try:
        settings = read_settings(database_url=place.database)
    except InvalidInputError as error:
        for each in examine_settings(error):
            yield each
        return
    readable = True
    async for each in examine_store(settings, network=not offline, urls=urls):
        readable = readable and not (each.what == "database" and each.wellness is Wellness.BROKEN)
        yield each
    if not readable:
        return
    try:
        async with reached(place, to_read=True) as there:
            async for each in _work(there):
                yield each
    except CronicornError as error:  # What keeps it from being opened is told above.
        yield Examined(what="workers and incidents", wellness=Wellness.UNSEEN, told=str(error))


async def _of_server(place: Place, profile: "ServerProfile") -> "AsyncIterator[Examined]":
    from cronicorn.domain.diagnosis import Examined, Wellness, clock_against
    from cronicorn.domain.errors import CronicornError
    from cronicorn.wiring.timekeeping import system_clock

    clock = system_clock()
    try:
        async with reached(place, to_read=True) as there:
            asked = clock.now()
            who, headers = await there.answer("GET", "/me", query={})
            answered = clock.now()
            told = f"{profile.url} lets {who['name']!r} in, who may {len(who['permissions'])} things"
            yield Examined(what="server and key", wellness=Wellness.OK, told=told)
            if (theirs := _date(headers.get("date", ""))) is not None:
                yield clock_against(profile.url, theirs, (asked, answered), _SECOND)
            async for each in _work(there):
                yield each
    except CronicornError as error:
        yield _unusable("server and key", str(error))


def _date(text: str) -> "datetime | None":
    """The instant that the field `Date` of an answer tells; None for anything else."""
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found


async def _work(there: "Interface") -> "AsyncIterator[Examined]":
    """Who works there, and whether something is known to be wrong."""
    from cronicorn.domain.diagnosis import Examined, Wellness, incidents, versions
    from cronicorn.domain.errors import ForbiddenError
    from cronicorn.domain.outgoing import VERSION

    try:
        workers = (await there.get("/workers"))["workers"]
        yield versions(VERSION, [(each["name"], each.get("version"), each["alive"]) for each in workers])
        yield incidents(len((await there.get("/incidents", open=True, limit=_LISTED_MAX))["incidents"]))
    except ForbiddenError as error:
        yield Examined(what="workers and incidents", wellness=Wellness.UNSEEN, told=str(error))


def _unusable(what: str, told: str) -> "Examined":
    from cronicorn.domain.diagnosis import Examined, Wellness

    advice = "see `cronicorn profile list`, and that the server runs"
    return Examined(what=what, wellness=Wellness.BROKEN, told=told, advice=advice)
