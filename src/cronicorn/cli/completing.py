"""What a shell may complete: names of jobs, endpoints and profiles, at once.

Asking a store takes a second, so what was answered last is kept in a file of the user's cache. A shell is told that,
and if it is not fresh another process asks meanwhile, for the next time.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from cronicorn.cli.place import DATABASE_VARIABLE, Place, chosen_profile

FRESH_S = 30.0
_FIRST_WAIT_S = 3.0
"""So long the first question is waited for."""
NAMES_MAX = 5_000


def complete_job(ctx: typer.Context, incomplete: str) -> list[str]:
    """The jobs whose names begin so."""
    return _beginning(ctx, "jobs", incomplete)


def complete_endpoint(ctx: typer.Context, incomplete: str) -> list[str]:
    """The endpoints whose full names begin so."""
    return _beginning(ctx, "endpoints", incomplete)


def complete_profile(incomplete: str) -> list[str]:
    """The profiles whose names begin so."""
    from cronicorn.cli.profile_file import LOCAL, read_profiles
    from cronicorn.domain.errors import CronicornError

    try:
        return [name for name in (*read_profiles().by_name, LOCAL) if name.startswith(incomplete)]
    except CronicornError:  # A shell has no use for an error; the command itself tells of it.
        return []


def keep_names(place: Place, jobs: Sequence[str], endpoints: Sequence[str]) -> None:
    """Keep what a place was asked for, for the next completion. Raises OSError."""
    _keep(_path_of(place), {"jobs": jobs[:NAMES_MAX], "endpoints": endpoints[:NAMES_MAX]})


def _beginning(ctx: typer.Context, kind: str, incomplete: str) -> list[str]:
    from cronicorn.domain.errors import CronicornError

    place = Place(**{name: ctx.params.get(name) for name in ("database", "profile", "tenant")})
    try:
        path = _path_of(place)
    except CronicornError:
        return []
    names = _names_in(path, place)
    return [name for name in names.get(kind, ()) if name.startswith(incomplete)]


def _names_in(path: Path, place: Place) -> Mapping[str, Sequence[str]]:
    """What is kept at *path*; where that is nothing yet, what is answered within a short while."""
    age = _age(path)
    if age is None or age > FRESH_S:
        asking = _asking(place)
        if age is None:
            try:
                asking.wait(_FIRST_WAIT_S)
            except subprocess.TimeoutExpired:
                return {}
    try:
        found: Mapping[str, Sequence[str]] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found


def _age(path: Path) -> float | None:
    try:
        return time.time() - path.stat().st_mtime  # noqa: TID251 - compared with what the file system wrote
    except OSError:
        return None


def _asking(place: Place) -> "subprocess.Popen[bytes]":
    """A process that asks, and goes on when this one has ended."""
    given = {"--database": place.database, "--profile": place.profile, "--tenant": place.tenant}
    options = [part for name, value in given.items() if value is not None for part in (name, value)]
    quiet: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("_CRONICORN_", "_TYPER_"))}
    command = [sys.executable, "-m", "cronicorn", "completion", "refresh", *options]
    return subprocess.Popen(command, env=kept, start_new_session=True, **quiet)  # noqa: S603 - this program itself


def _path_of(place: Place) -> Path:
    """Where the names of a place are kept. Its name tells nothing: a database's address may hold a password."""
    from platformdirs import user_cache_path

    profile = chosen_profile(place)
    if profile is not None:
        where = f"{profile.name} {profile.url}"
    else:
        where = f"{place.database or os.environ.get(DATABASE_VARIABLE, '')} {place.tenant}"
    return (
        user_cache_path("cronicorn", appauthor=False) / f"names-{hashlib.sha256(where.encode()).hexdigest()[:32]}.json"
    )


def _keep(path: Path, names: Mapping[str, Sequence[str]]) -> None:
    """Keep *names*, for this user alone; whoever reads meanwhile reads the old ones or the new ones."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(names, file)
    new.replace(path)
