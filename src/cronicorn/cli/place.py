"""Where a command acts: on the store of the settings, or on a server that a profile names."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cronicorn.cli.profile_file import ServerProfile

PROFILE_VARIABLE = "CRONICORN_PROFILE"
DATABASE_VARIABLE = "CRONICORN_DATABASE_URL"
DEFAULT_TENANT = "default"
"""`FIRST_TENANT`, written out: help imports nothing heavy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What options said of where to act."""

    database: str | None = None
    profile: str | None = None
    tenant: str | None = None

    @property
    def tenant_here(self) -> str:
        """The tenant to act for where the place is a store."""
        return self.tenant or DEFAULT_TENANT


def chosen_profile(place: Place) -> "ServerProfile | None":
    """The profile of the server to act on; None for the store of the settings.

    What was typed counts before the environment, and that before the profile in use. In the environment a profile
    counts before a database, which is also there for processes that work.

    Raises InvalidInputError for both a database and a profile, NotFoundError for an unknown profile.
    """
    from cronicorn.cli.profile_file import LOCAL, read_profiles
    from cronicorn.domain.errors import InvalidInputError

    if place.database is not None and place.profile is not None:
        raise InvalidInputError("--database is about a store and --profile about a server: give one of them.")
    if place.database is not None:
        return None
    name = place.profile if place.profile is not None else os.environ.get(PROFILE_VARIABLE, "").strip()
    if not name and os.environ.get(DATABASE_VARIABLE, "").strip():
        return None
    if name == LOCAL:
        return None
    profiles = read_profiles()
    name = name or profiles.used or LOCAL
    return None if name == LOCAL else profiles.find(name)
