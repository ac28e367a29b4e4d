"""Which mechanisms are compared, and why the others are not."""

from collections.abc import Mapping
from dataclasses import dataclass

from cronicorn.cli.local import read_settings
from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.mechanism import Mechanism
from cronicorn.wiring.contradictions import SERVICES
from cronicorn.wiring.extras import require_client
from cronicorn.wiring.setting import PREFIX
from cronicorn.wiring.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """What is compared."""

    mechanisms: tuple[Mechanism, ...]
    left_out: Mapping[Mechanism, str]
    """The others, each with the reason, a sentence."""


def line_up(names: str | None, database: str | None) -> Lineup:
    """The mechanisms in *names*, separated by commas, or without any all that can be had here.

    Raises InvalidInputError that says at once all that is missing of what was named.
    """
    url = database if database is not None else "sqlite:"
    settings = read_settings(database_url=url, lease_mechanism=Mechanism.LEASE.value)
    hindrances = {mechanism: _hindrance(mechanism, settings) for mechanism in Mechanism}
    if names is None:
        found = tuple(mechanism for mechanism, why in hindrances.items() if why is None)
        return Lineup(mechanisms=found, left_out={each: why for each, why in hindrances.items() if why is not None})
    named = _read(names)
    if missing := [why for mechanism in named if (why := hindrances[mechanism]) is not None]:
        raise InvalidInputError("\n".join(missing))
    left_out = {
        mechanism: f"--mechanisms does not name {mechanism}." for mechanism in Mechanism if mechanism not in named
    }
    return Lineup(mechanisms=named, left_out=left_out)


def _read(names: str) -> tuple[Mechanism, ...]:
    given = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
    unknown = sorted(set(given) - set(Mechanism))
    if unknown or not given:
        raise InvalidInputError(
            f"--mechanisms must name some of {', '.join(Mechanism)}, not {', '.join(unknown) or 'none'}."
        )
    return tuple(map(Mechanism, given))


def _hindrance(mechanism: Mechanism, settings: Settings) -> str | None:
    """Why *mechanism* can't be had with *settings*, as a sentence."""
    if mechanism not in SERVICES:
        return None
    missing = []
    if settings.database_url.backend != "postgresql":
        missing.append("a scratch PostgreSQL, named by --database")
    if getattr(settings, SERVICES[mechanism]) is None:
        missing.append(f"{PREFIX}{SERVICES[mechanism].upper()}, which is not set")
    if missing:
        return f"The mechanism {mechanism} needs {', and '.join(missing)}."
    try:
        require_client(mechanism)
    except UnavailableError as error:
        return str(error)
    return None
