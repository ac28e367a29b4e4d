"""Instants as the command line reads and writes them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronicorn.domain.errors import InvalidInputError


def read_instant(text: str) -> datetime:
    """The instant in UTC that ISO 8601 *text* means. Raises InvalidInputError, also when it names no offset."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError(f"{text[:40]!r} is not an instant with its offset, such as 2026-01-31T09:30:00Z.")


def written(instant: datetime) -> str:
    """*instant* in UTC, to the millisecond: `2026-01-31T09:30:00.000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(instant: datetime, zone: str) -> str:
    """*instant* as clocks in *zone* show it, with their offset; seconds are enough for a person."""
    return (
        instant.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )
